//! Machines that take every change up unless told otherwise, and snapshots that are whole at once.

use super::{NOW, World, node_id, take_up};
use std::collections::BTreeMap;
use weft_domain::instance::Condition;
use weft_domain::object::{Revision, Stored};
use weft_domain::snapshot::{Content, Part, Role, Snapshot, SnapshotPhase};
use weft_domain::{Fault, Phase, Reason, SnapshotId, Time};
use weft_ports::api::{
    Alter, Call, CreateMode, Devices, Fork, KeptSnapshot, ListQuery, NewSnapshot, NewVm, Page, Power, SnapshotRef,
    SnapshotRemoval, Snapshots, Vm, VmRef, Vms,
};
use weft_ports::hypervisor::Counters;

impl World {
    /// All that was altered.
    pub(crate) fn alters(&self) -> Vec<Alter> {
        self.state.lock().unwrap().alters.clone()
    }
}

#[async_trait::async_trait]
impl Devices for World {
    async fn alter(&self, call: &Call, vm: &VmRef, alter: Alter) -> Result<Vm, Fault> {
        self.called("alter", call);
        let found = self.find(vm)?;
        if let Alter::DetachDisk(name) = &alter {
            let fault = Fault::field(Reason::DeviceNotFound, "disk", format!("the VM has none that is named {name:?}"));
            return Err(fault.fix("`weft vm describe` shows what the VM has"));
        }
        let (waiting, refuses) = {
            let mut state = self.state.lock().unwrap();
            state.alters.push(alter);
            (state.knobs.restart_required.clone(), state.knobs.refuses.clone())
        };
        let meta = &found.value.meta;
        Ok(self.change(&meta.project, &meta.name, |vm| {
            let spec = vm.spec.clone();
            match refuses {
                None => take_up(vm, spec),
                Some(message) => {
                    vm.meta.generation += 1;
                    vm.status.conditions.push(Condition {
                        kind: "StepSucceeded".into(),
                        holds: Some(false),
                        reason: "StepFailed".into(),
                        message,
                        since: NOW,
                    });
                }
            }
            vm.status.restart_required = waiting;
        }))
    }

    async fn counters(&self, _: &Call, vm: &VmRef) -> Result<Counters, Fault> {
        self.find(vm)?;
        let disk = BTreeMap::from([("read_bytes".to_owned(), 4096), ("reads".to_owned(), 1)]);
        Ok(BTreeMap::from([("disk0".to_owned(), disk), ("nic0".to_owned(), BTreeMap::from([("rx".to_owned(), 7)]))]))
    }

    async fn nmi(&self, call: &Call, vm: &VmRef) -> Result<Vm, Fault> {
        self.called("nmi", call);
        self.find(vm)
    }
}

impl World {
    fn kept(&self, which: &SnapshotRef) -> Result<KeptSnapshot, Fault> {
        let state = self.state.lock().unwrap();
        let found = state.snapshots.iter().find(|one| match which {
            SnapshotRef::Id(id) => one.value.id == *id,
            SnapshotRef::Named { project, name } => one.value.project == *project && one.value.name == *name,
        });
        found
            .cloned()
            .ok_or_else(|| Fault::new(Reason::SnapshotNotFound, "there is no such snapshot").fix("list the snapshots"))
    }
}

#[async_trait::async_trait]
impl Snapshots for World {
    async fn create(&self, call: &Call, new: NewSnapshot) -> Result<KeptSnapshot, Fault> {
        self.called("snapshot", call);
        let of = self.find(&new.vm)?.value;
        let parent = new.parent.as_ref().map(|parent| self.kept(parent)).transpose()?.map(|one| one.value.id);
        let mut state = self.state.lock().unwrap();
        let number = u8::try_from(state.snapshots.len() + 1).unwrap();
        let failed = state.knobs.refuses.clone();
        let part = |role, bytes| Part { role, file: "part".into(), bytes, sha256: [0xab; 32] };
        let parts =
            vec![part(Role::Memory, 256 << 20), part(Role::State, 4096), part(Role::Disk("disk0".into()), 1 << 30)];
        let whole = Content { driver: "qemu 7.2.22".into(), taken: Some(NOW), parts };
        let value = Snapshot {
            id: SnapshotId::new(Time::from_millis(1_795_197_000_000), [number; 10]),
            name: new.name.unwrap_or_else(|| super::name(&format!("snap{number}"))),
            project: of.meta.project,
            labels: new.labels,
            annotations: new.annotations,
            create_time: Time::from_millis(1_795_197_480_000),
            instance: of.meta.id,
            instance_name: of.meta.name,
            node: node_id(),
            scope: new.scope,
            parent,
            spec: of.spec,
            phase: if failed.is_some() { SnapshotPhase::Failed } else { SnapshotPhase::Ready },
            content: if failed.is_some() { Content::default() } else { whole },
            message: failed.unwrap_or_default(),
        };
        let kept = Stored { value, revision: Revision(1) };
        if !new.validate_only {
            state.snapshots.push(kept.clone());
        }
        Ok(kept)
    }

    async fn get(&self, _: &Call, snapshot: &SnapshotRef) -> Result<KeptSnapshot, Fault> {
        self.kept(snapshot)
    }

    /// The filter is understood as far as a VM's name in it.
    async fn list(&self, _: &Call, query: &ListQuery) -> Result<Page<KeptSnapshot>, Fault> {
        let state = self.state.lock().unwrap();
        let fits = |one: &&KeptSnapshot| {
            query.filter.is_empty() || query.filter.contains(&format!("\"{}\"", one.value.instance_name))
        };
        let items = state.snapshots.iter().filter(fits).cloned().collect();
        Ok(Page { items, next_page_token: String::new(), revision: Revision(1) })
    }

    async fn delete(&self, call: &Call, removal: SnapshotRemoval) -> Result<Option<KeptSnapshot>, Fault> {
        self.called("delete-snapshot", call);
        let found = match self.kept(&removal.snapshot) {
            Err(_) if removal.allow_missing => return Ok(None),
            found => found?,
        };
        let mut state = self.state.lock().unwrap();
        if state.snapshots.iter().any(|one| one.value.parent == Some(found.value.id)) {
            let fault = Fault::field(Reason::InUse, "snapshot", "another snapshot completes it");
            return Err(fault.fix("delete that snapshot first"));
        }
        state.snapshots.retain(|one| one.value.id != found.value.id);
        Ok(Some(found))
    }

    async fn restore(&self, call: &Call, vm: &VmRef, snapshot: &SnapshotRef) -> Result<Vm, Fault> {
        self.called("restore", call);
        self.kept(snapshot)?;
        let meta = self.find(vm)?.value.meta;
        Ok(self.change(&meta.project, &meta.name, |vm| super::settle(vm, Phase::Running)))
    }

    async fn fork(&self, call: &Call, fork: Fork) -> Result<Vm, Fault> {
        let kept = self.kept(&fork.snapshot)?.value;
        let new = NewVm {
            project: kept.project,
            name: fork.name,
            labels: fork.labels,
            annotations: weft_domain::label::Annotations::default(),
            spec: kept.spec,
            mode: CreateMode::Create,
        };
        let made = Vms::create(self, call, new).await?;
        self.boot(call, &VmRef::Id(made.value.meta.id)).await
    }
}
