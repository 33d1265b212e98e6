//! All objects as the store's changes have made them, with the indexes that verbs look into.
//!
//! Objects are behind `Arc`s, so that a reader takes what it needs and lets go. A change that is older
//! than what is here is passed over: what was loaded and what is then watched may overlap.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use weft_domain::admission::Promise;
use weft_domain::event::Event;
use weft_domain::node::Node;
use weft_domain::object::{Key, Object, Revision, Stored};
use weft_domain::snapshot::{Scope, Snapshot, SnapshotPhase};
use weft_domain::{EventId, Instance, InstanceId, Name, NodeId, Phase, SnapshotId, Time};
use weft_ports::api::{KeptSnapshot, Vm};
use weft_ports::store::Change;

/// All objects.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Up to which changes were taken.
    pub(crate) revision: Revision,
    /// Instances by id.
    pub(crate) instances: BTreeMap<InstanceId, Arc<Vm>>,
    /// Nodes by id.
    pub(crate) nodes: BTreeMap<NodeId, Arc<Stored<Node>>>,
    /// Events by id, oldest first.
    pub(crate) events: BTreeMap<EventId, Arc<Stored<Event>>>,
    /// Snapshots by id.
    pub(crate) snapshots: BTreeMap<SnapshotId, Arc<KeptSnapshot>>,
    /// When each request was answered.
    pub(crate) requests: HashMap<[u8; 32], Time>,
    /// How many instances are in each phase.
    pub(crate) phases: BTreeMap<Phase, u64>,
    names: HashMap<(Name, Name), InstanceId>,
    snapshot_names: HashMap<(Name, Name), SnapshotId>,
    placed: HashMap<NodeId, Load>,
}

/// What a node has.
#[derive(Debug, Default)]
struct Load {
    ids: BTreeSet<InstanceId>,
    promised: Promise,
}

/// What a node is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Subject {
    /// A snapshot.
    Snapshot(SnapshotId),
    /// An instance.
    Instance(InstanceId),
}

/// What a change was about, with the nodes that it is or was on.
pub(crate) type Touched = (Subject, [Option<NodeId>; 2]);

impl State {
    /// An empty state of this revision.
    pub(crate) fn at(revision: Revision) -> Self {
        Self { revision, ..Self::default() }
    }

    /// Takes one change; tells what it was about.
    pub(crate) fn apply(&mut self, change: Change) -> Option<Touched> {
        let revision = change.revision;
        match (change.key, change.object) {
            (Key::Instance(id), Some(Object::Instance(value))) => self.set(id, Stored { value: *value, revision }),
            (Key::Instance(id), None) => self.remove(id, revision),
            (Key::Node(id), Some(Object::Node(value))) => {
                let newer = self.nodes.get(&id).is_none_or(|old| old.revision < revision);
                newer.then(|| self.nodes.insert(id, Arc::new(Stored { value: *value, revision })));
                None
            }
            (Key::Node(id), None) => {
                self.nodes.remove(&id);
                None
            }
            (Key::Event(id), Some(Object::Event(value))) => {
                self.events.insert(id, Arc::new(Stored { value: *value, revision }));
                None
            }
            (Key::Event(id), None) => {
                self.events.remove(&id);
                None
            }
            (Key::Snapshot(id), Some(Object::Snapshot(value))) => {
                self.set_snapshot(id, Stored { value: *value, revision })
            }
            (Key::Snapshot(id), None) => self.remove_snapshot(id, revision),
            (Key::Request(key), Some(Object::Request(answered))) => {
                self.requests.insert(key, answered.at);
                None
            }
            (Key::Request(key), None) => {
                self.requests.remove(&key);
                None
            }
            // Names are known from the instances and snapshots that have them. The store puts no object under a key
            // of another sort.
            (_, _) => None,
        }
    }

    fn set(&mut self, id: InstanceId, vm: Vm) -> Option<Touched> {
        if self.instances.get(&id).is_some_and(|old| old.revision >= vm.revision) {
            return None;
        }
        let was = self.forget(id);
        let meta = &vm.value.meta;
        self.names.insert((meta.project.clone(), meta.name.clone()), id);
        *self.phases.entry(vm.value.status.phase).or_default() += 1;
        let node = node_of(&vm.value);
        if let Some(node) = node {
            let load = self.placed.entry(node).or_default();
            load.ids.insert(id);
            load.promised = load.promised.plus(Promise::of(&vm.value.spec));
        }
        self.instances.insert(id, Arc::new(vm));
        Some((Subject::Instance(id), [was.flatten(), node]))
    }

    fn set_snapshot(&mut self, id: SnapshotId, snapshot: KeptSnapshot) -> Option<Touched> {
        if self.snapshots.get(&id).is_some_and(|old| old.revision >= snapshot.revision) {
            return None;
        }
        let it = &snapshot.value;
        self.snapshot_names.insert((it.project.clone(), it.name.clone()), id);
        let node = it.node;
        self.snapshots.insert(id, Arc::new(snapshot));
        Some((Subject::Snapshot(id), [Some(node), None]))
    }

    fn remove_snapshot(&mut self, id: SnapshotId, revision: Revision) -> Option<Touched> {
        if self.snapshots.get(&id)?.revision >= revision {
            return None;
        }
        let old = self.snapshots.remove(&id)?;
        let name = (old.value.project.clone(), old.value.name.clone());
        if self.snapshot_names.get(&name) == Some(&id) {
            self.snapshot_names.remove(&name);
        }
        Some((Subject::Snapshot(id), [Some(old.value.node), None]))
    }

    fn remove(&mut self, id: InstanceId, revision: Revision) -> Option<Touched> {
        if self.instances.get(&id)?.revision >= revision {
            return None;
        }
        self.forget(id).map(|node| (Subject::Instance(id), [node, None]))
    }

    /// Takes an instance out of all indexes; tells the node that it was on.
    fn forget(&mut self, id: InstanceId) -> Option<Option<NodeId>> {
        let old = self.instances.remove(&id)?;
        let it = &old.value;
        let name = (it.meta.project.clone(), it.meta.name.clone());
        if self.names.get(&name) == Some(&id) {
            self.names.remove(&name);
        }
        if let Some(count) = self.phases.get_mut(&it.status.phase) {
            *count -= 1;
        }
        let node = node_of(it);
        if let Some(load) = node.and_then(|node| self.placed.get_mut(&node)) {
            load.ids.remove(&id);
            load.promised = less(load.promised, Promise::of(&it.spec));
        }
        Some(node)
    }

    /// Who has this name.
    pub(crate) fn named(&self, project: &Name, name: &Name) -> Option<&Arc<Vm>> {
        self.instances.get(self.names.get(&(project.clone(), name.clone()))?)
    }

    /// The snapshot of this name.
    pub(crate) fn snapshot_named(&self, project: &Name, name: &Name) -> Option<&Arc<KeptSnapshot>> {
        self.snapshots.get(self.snapshot_names.get(&(project.clone(), name.clone()))?)
    }

    /// A snapshot that is inside the disks of a VM, and should be.
    pub(crate) fn snapshot_inside(&self, vm: InstanceId) -> Option<&Arc<KeptSnapshot>> {
        let wanted = |one: &Snapshot| matches!(one.phase, SnapshotPhase::Pending | SnapshotPhase::Ready);
        let inside = |one: &Snapshot| one.instance == vm && one.scope == Scope::Internal;
        self.snapshots.values().find(|one| inside(&one.value) && wanted(&one.value))
    }

    /// What is on a node: its snapshots, then its instances.
    pub(crate) fn on(&self, node: NodeId) -> impl Iterator<Item = Subject> {
        let kept = self.snapshots.values().filter(move |one| one.value.node == node);
        let instances = self.placed.get(&node).into_iter().flat_map(|load| load.ids.iter().copied());
        kept.map(|one| Subject::Snapshot(one.value.id)).chain(instances.map(Subject::Instance))
    }

    /// What a node has promised.
    pub(crate) fn promised(&self, node: NodeId) -> Promise {
        self.placed.get(&node).map(|load| load.promised).unwrap_or_default()
    }
}

/// The node that an instance is on.
pub(crate) fn node_of(instance: &Instance) -> Option<NodeId> {
    instance.placement.map(|placement| placement.node)
}

/// What is left of a promise without another.
pub(crate) const fn less(all: Promise, part: Promise) -> Promise {
    Promise {
        memory_bytes: all.memory_bytes.saturating_sub(part.memory_bytes),
        disk_bytes: all.disk_bytes.saturating_sub(part.disk_bytes),
        instances: all.instances.saturating_sub(part.instances),
    }
}
