//! What the house is told of devices and snapshots; it keeps one snapshot.

use super::House;
use std::collections::BTreeMap;
use weft_domain::label::Annotations;
use weft_domain::object::{Revision, Stored};
use weft_domain::snapshot::{Content, Part, Role, Scope, Snapshot, SnapshotPhase};
use weft_domain::spec::Draft;
use weft_domain::{Fault, InstanceId, Labels, Name, NodeId, Reason, SnapshotId, Time};
use weft_ports::api::{
    Alter, Call, Devices, Fork, KeptSnapshot, ListQuery, NewSnapshot, Page, SnapshotRef, SnapshotRemoval, Snapshots,
    Vm, VmRef,
};
use weft_ports::hypervisor::Counters;

/// The snapshot.
pub(crate) fn snapshot() -> KeptSnapshot {
    let at = Time::from_millis(1_700_000_000_000);
    let part = Part { role: Role::Disk("disk0".into()), file: "disk0".into(), bytes: 9, sha256: [7; 32] };
    let value = Snapshot {
        id: SnapshotId::new(at, [4; 10]),
        name: "one".parse().unwrap(),
        project: Name::default_project(),
        labels: Labels::default(),
        annotations: Annotations::default(),
        create_time: at,
        instance: InstanceId::new(at, [1; 10]),
        instance_name: "web".parse().unwrap(),
        node: NodeId::new(at, [2; 10]),
        scope: Scope::Full,
        parent: Some(SnapshotId::new(at, [3; 10])),
        spec: Draft::default().check().unwrap(),
        phase: SnapshotPhase::Ready,
        content: Content { driver: "qemu 7.2".into(), taken: Some(at), parts: vec![part] },
        message: String::new(),
    };
    Stored { value, revision: Revision(12) }
}

#[async_trait::async_trait]
impl Devices for House {
    async fn alter(&self, call: &Call, vm: &VmRef, alter: Alter) -> Result<Vm, Fault> {
        self.0.lock().unwrap().seen.alters.push(alter);
        self.change(call, vm, |_| Ok(()))
    }

    async fn counters(&self, call: &Call, vm: &VmRef) -> Result<Counters, Fault> {
        self.change(call, vm, |_| Ok(()))?;
        Ok(BTreeMap::from([("disk0".to_owned(), BTreeMap::from([("reads".to_owned(), u64::MAX)]))]))
    }

    async fn nmi(&self, call: &Call, vm: &VmRef) -> Result<Vm, Fault> {
        self.change(call, vm, |_| Ok(()))
    }
}

impl House {
    fn kept(&self, call: &Call, which: &SnapshotRef) -> Result<KeptSnapshot, Fault> {
        let mut state = self.0.lock().unwrap();
        state.seen.call = Some(call.clone());
        state.seen.snapshot = Some(which.clone());
        let one = snapshot();
        let found = match which {
            SnapshotRef::Id(id) => one.value.id == *id,
            SnapshotRef::Named { project, name } => one.value.project == *project && one.value.name == *name,
        };
        let missing = || Fault::new(Reason::SnapshotNotFound, "there is no such snapshot").fix("list the snapshots");
        found.then_some(one).ok_or_else(missing)
    }
}

#[async_trait::async_trait]
impl Snapshots for House {
    async fn create(&self, call: &Call, new: NewSnapshot) -> Result<KeptSnapshot, Fault> {
        let mut state = self.0.lock().unwrap();
        state.seen.call = Some(call.clone());
        state.seen.new_snapshot = Some(new);
        Ok(snapshot())
    }

    async fn get(&self, call: &Call, which: &SnapshotRef) -> Result<KeptSnapshot, Fault> {
        self.kept(call, which)
    }

    async fn list(&self, _: &Call, query: &ListQuery) -> Result<Page<KeptSnapshot>, Fault> {
        Ok(Page { items: vec![snapshot()], next_page_token: query.filter.clone(), revision: Revision(12) })
    }

    async fn delete(&self, call: &Call, removal: SnapshotRemoval) -> Result<Option<KeptSnapshot>, Fault> {
        match self.kept(call, &removal.snapshot) {
            Err(_) if removal.allow_missing => Ok(None),
            found => found.map(Some),
        }
    }

    async fn restore(&self, call: &Call, vm: &VmRef, which: &SnapshotRef) -> Result<Vm, Fault> {
        self.kept(call, which)?;
        self.change(call, vm, |_| Ok(()))
    }

    async fn fork(&self, call: &Call, fork: Fork) -> Result<Vm, Fault> {
        self.kept(call, &fork.snapshot)?;
        self.0.lock().unwrap().seen.fork = Some(fork);
        let vm = VmRef::Named { project: Name::default_project(), name: "web".parse().unwrap() };
        self.change(call, &vm, |_| Ok(()))
    }
}
