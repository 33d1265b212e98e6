//! Memory: the state, fed by the store's watch, and all who wait for what it becomes.
//!
//! ```text
//!  store ── watch ──► take ──► state ──► waiters (verbs) · dirty sets (nodes) · revision (own writes)
//! ```
//!
//! What always holds: a waiter is told under the same lock that makes the change, so that it sees the
//! first state that it waited for. Locks are held for a few lines and never over an await.

use crate::refusal;
use crate::state::{State, Subject, Touched};
use crate::waiters::Waiters;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use weft_domain::node::Node;
use weft_domain::object::{Revision, Stored};
use weft_domain::{Fault, InstanceId, NodeId, SnapshotId};
use weft_ports::api::{KeptSnapshot, SnapshotRef, Vm, VmRef};
use weft_ports::store::Change;

/// How long an own write may take to come back before its caller is answered without it.
const OWN_WRITE: Duration = Duration::from_secs(10);

/// The state and all who wait for it.
pub(crate) struct Memory {
    state: RwLock<State>,
    reached: watch::Sender<Revision>,
    /// Verbs that wait.
    pub(crate) waiters: Arc<Waiters>,
    subscribers: Mutex<Vec<Weak<Dirty>>>,
    /// What nodes said of themselves since this process began; passing, and never stored.
    seen: RwLock<HashMap<NodeId, Node>>,
}

/// What one subscriber of a node has not been told yet: ids, so that a slow one holds no states.
pub(crate) struct Dirty {
    node: NodeId,
    ids: Mutex<BTreeSet<Subject>>,
    woken: Notify,
}

impl Dirty {
    /// Takes all that is dirty, waiting until something is.
    pub(crate) async fn take(&self) -> BTreeSet<Subject> {
        loop {
            let taken = std::mem::take(&mut *self.lock());
            if !taken.is_empty() {
                return taken;
            }
            self.woken.notified().await;
        }
    }

    fn mark(&self, ids: impl IntoIterator<Item = Subject>) {
        self.lock().extend(ids);
        self.woken.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<Subject>> {
        self.ids.lock().expect("no lock of a dirty set is held over a panic")
    }
}

impl Memory {
    pub(crate) fn new(state: State) -> Self {
        Self {
            reached: watch::Sender::new(state.revision),
            state: RwLock::new(state),
            waiters: Arc::default(),
            subscribers: Mutex::default(),
            seen: RwLock::default(),
        }
    }

    /// Looks into the state.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().expect("no lock of the state is held over a panic")
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().expect("no lock of the state is held over a panic")
    }

    /// Takes the changes of one commit.
    pub(crate) fn take(&self, changes: Vec<Change>) {
        let Some(revision) = changes.iter().map(|change| change.revision).max() else { return };
        let mut state = self.write();
        let touched: Vec<Touched> = changes.into_iter().filter_map(|change| state.apply(change)).collect();
        state.revision = state.revision.max(revision);
        for (subject, _) in &touched {
            if let Subject::Instance(id) = subject {
                self.waiters.settle(*id, state.instances.get(id));
            }
        }
        drop(state);
        for (subject, nodes) in touched {
            self.mark(|node| nodes.contains(&Some(node)).then_some(subject).into_iter().collect());
        }
        self.reached.send_replace(revision);
    }

    /// Takes a state that was loaded anew in place of the old one.
    pub(crate) fn replace(&self, fresh: State) {
        let mut state = self.write();
        let old = std::mem::replace(&mut *state, fresh);
        let ids: BTreeSet<_> = old.instances.keys().chain(state.instances.keys()).copied().collect();
        for id in &ids {
            self.waiters.settle(*id, state.instances.get(id));
        }
        let snapshots: BTreeSet<_> = old.snapshots.keys().chain(state.snapshots.keys()).copied().collect();
        let revision = state.revision;
        drop(state);
        let subjects = snapshots.into_iter().map(Subject::Snapshot).chain(ids.into_iter().map(Subject::Instance));
        let subjects: Vec<_> = subjects.collect();
        self.mark(|_| subjects.clone());
        self.reached.send_replace(revision);
    }

    fn mark(&self, ids: impl Fn(NodeId) -> Vec<Subject>) {
        let mut subscribers = self.subscribers.lock().expect("no lock of subscribers is held over a panic");
        subscribers.retain(|subscriber| {
            let Some(subscriber) = subscriber.upgrade() else { return false };
            let ids = ids(subscriber.node);
            if !ids.is_empty() {
                subscriber.mark(ids);
            }
            true
        });
    }

    /// From now on, what changes on a node.
    pub(crate) fn subscribe(&self, node: NodeId) -> Arc<Dirty> {
        let dirty = Arc::new(Dirty { node, ids: Mutex::default(), woken: Notify::new() });
        let mut subscribers = self.subscribers.lock().expect("no lock of subscribers is held over a panic");
        subscribers.push(Arc::downgrade(&dirty));
        dirty
    }

    /// Waits until the state has all changes up to this revision.
    pub(crate) async fn reached(&self, revision: Revision) {
        let mut reached = self.reached.subscribe();
        let come = reached.wait_for(|newest| *newest >= revision);
        if tokio::time::timeout(OWN_WRITE, come).await.is_err() {
            tracing::warn!(%revision, "the store's watch is behind; answering without it");
        }
    }

    /// The newest revision.
    pub(crate) fn revision(&self) -> Revision {
        *self.reached.borrow()
    }

    /// The instance that is meant.
    pub(crate) fn find(&self, vm: &VmRef) -> Result<Arc<Vm>, Fault> {
        let state = self.read();
        let found = match vm {
            VmRef::Id(id) => state.instances.get(id),
            VmRef::Named { project, name } => state.named(project, name),
        };
        found.cloned().ok_or_else(|| refusal::no_vm(vm))
    }

    /// The instance of this id, if it is.
    pub(crate) fn get(&self, id: InstanceId) -> Option<Arc<Vm>> {
        self.read().instances.get(&id).cloned()
    }

    /// The snapshot that is meant.
    pub(crate) fn find_snapshot(&self, snapshot: &SnapshotRef) -> Result<Arc<KeptSnapshot>, Fault> {
        let state = self.read();
        let found = match snapshot {
            SnapshotRef::Id(id) => state.snapshots.get(id),
            SnapshotRef::Named { project, name } => state.snapshot_named(project, name),
        };
        found.cloned().ok_or_else(|| refusal::no_snapshot(snapshot))
    }

    /// The snapshot of this id, if it is.
    pub(crate) fn snapshot(&self, id: SnapshotId) -> Option<Arc<KeptSnapshot>> {
        self.read().snapshots.get(&id).cloned()
    }

    /// Waits until the state is as `look` asks, for ever.
    pub(crate) async fn until<T>(&self, look: impl Fn(&State) -> Option<T>) -> T {
        let mut reached = self.reached.subscribe();
        loop {
            if let Some(found) = look(&self.read()) {
                return found;
            }
            if reached.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Remembers what a node said of itself.
    pub(crate) fn see(&self, node: Node) {
        self.seen.write().expect("no lock of nodes is held over a panic").insert(node.id, node);
    }

    /// A node, with what it last said of itself.
    pub(crate) fn node(&self, stored: &Stored<Node>) -> Stored<Node> {
        let seen = self.seen.read().expect("no lock of nodes is held over a panic");
        let mut node = stored.clone();
        if let Some(seen) = seen.get(&node.value.id) {
            node.value.facts = seen.facts.clone();
        }
        node
    }
}
