//! What begins from a snapshot: the VM that it is of, put back to where it was; or another one.
//!
//! Both desire one boot more than there was, which begins from the snapshot; the boot after it begins
//! anew. Both are tied to the snapshot as it was decided on, so that it is not removed meanwhile.

use super::rules;
use crate::core::{Core, Move};
use crate::flow::{TRIES, Verb};
use crate::refusal;
use crate::vms::create::{complete, free_name, made_up};
use crate::vms::update::admitted;
use std::sync::Arc;
use tracing::Instrument;
use weft_domain::capability::Feature;
use weft_domain::instance::{Desired, Meta, Origin, Placement, Power, Status, StopHow};
use weft_domain::label::Annotations;
use weft_domain::node::Facts;
use weft_domain::object::{Revision, Stored};
use weft_domain::snapshot::{Identity, Role, Scope, Snapshot, forked};
use weft_domain::spec::{DiskFormat, DiskSource, Draft, disk};
use weft_domain::until::Until;
use weft_domain::{Fault, Instance, NodeId, Phase, Reason};
use weft_ports::api::{Call, Fork, KeptSnapshot, SnapshotRef, Vm, VmRef};
use weft_ports::store::Refused;

/// Puts a VM back to where it was.
pub(super) async fn restore(core: &Core, call: &Call, vm: &VmRef, snapshot: &SnapshotRef) -> Result<Vm, Fault> {
    let span = tracing::info_span!("verb", verb = "restore", instance = tracing::field::Empty);
    async {
        let verb = Verb::begin(core, call, "restore")?;
        if let Some(first) = verb.repeated(Until::born).await? {
            return Ok(first);
        }
        for _ in 0..TRIES {
            let (before, kept) = (core.memory.find(vm)?, core.memory.find_snapshot(snapshot)?);
            tracing::Span::current().record("instance", tracing::field::display(before.value.meta.id));
            if let Some(vm) = put_back(&verb, &before, &kept).await? {
                return Ok(vm);
            }
        }
        Err(refusal::contended())
    }
    .instrument(span)
    .await
}

/// One attempt; nothing where another write came first.
async fn put_back(verb: &Verb<'_>, before: &Arc<Vm>, kept: &Arc<KeptSnapshot>) -> Result<Option<Vm>, Fault> {
    let core = verb.core;
    lawful(core, &before.value, &kept.value)?;
    let reservation = admitted(core, &before.value, &kept.value.spec).await?;
    let after = returned(core, &before.value, &kept.value);
    let until = Until::born(&after);
    let place = verb.enter(before.revision, &after, until);
    let mut reservation = reservation;
    reservation.iter_mut().for_each(crate::room::Reservation::commits);
    let request = verb.request.as_ref();
    let change = Move { before: Some(before), after: Some(&after), request, origin: Some(kept) };
    let committed = core.commit(change).await;
    match committed {
        Ok(revision) => {
            core.memory.reached(revision).await;
            reservation.into_iter().for_each(crate::room::Reservation::settled);
            verb.wait(place, Stored { value: after, revision }, until).await.map(Some)
        }
        Err(Refused::Conflict { key, found }) => {
            drop(place);
            reservation.into_iter().for_each(crate::room::Reservation::settled);
            match (verb.lost(&key, found).await?, &verb.request) {
                (true, Some(request)) => verb.first_answer(request, Until::born).await,
                (_, _) => Ok(None),
            }
        }
        Err(Refused::Store(fault)) => Err(fault),
    }
}

fn lawful(core: &Core, it: &Instance, snapshot: &Snapshot) -> Result<(), Fault> {
    let refuse = |why: String, fix: &str| Err(Fault::field(Reason::SnapshotUnusable, "snapshot", why).fix(fix));
    if snapshot.instance != it.meta.id {
        return refuse(format!("is of VM {}", snapshot.instance_name), "fork it to begin another VM from it");
    }
    let phase = it.status.phase;
    let right = matches!(
        phase,
        Phase::Created | Phase::Starting | Phase::Running | Phase::Paused | Phase::Stopped | Phase::Failed
    );
    if it.desired.deleted || !right {
        let fault = Fault::new(Reason::PhaseForbids, format!("cannot restore a VM that is {phase}"));
        return Err(fault.fix("wait until it runs or is at rest"));
    }
    if it.placement.is_none_or(|placement| placement.node != snapshot.node) {
        return refuse("is kept on another node than the VM's".to_owned(), "fork it to begin another VM from it");
    }
    let (_, facts, _) = node_of(core, snapshot.node)?;
    rules::usable(snapshot, &facts)?;
    let kept = |name: &str| snapshot.spec.disks.iter().any(|disk| disk.name == name);
    let made = it.spec.disks.iter().filter(|disk| matches!(disk.source, DiskSource::Blank { .. }));
    match made.into_iter().find(|disk| !kept(&disk.name)) {
        None => Ok(()),
        Some(disk) => refuse(
            format!("knows no disk {:?}, which the VM has now and whose content would be lost", disk.name),
            "fork it to begin another VM from it",
        ),
    }
}

/// The instance as it is when it goes on from a snapshot of itself.
fn returned(core: &Core, before: &Instance, snapshot: &Snapshot) -> Instance {
    let mut after = before.clone();
    if after.spec != snapshot.spec {
        after.spec = snapshot.spec.clone();
        after.meta.generation += 1;
    }
    let boot_epoch = before.desired.boot_epoch + 1;
    let origin = Origin { boot_epoch, snapshot: snapshot.id, identity: Identity::Same };
    after.desired =
        Desired { power: Power::On, boot_epoch, stop: StopHow::Force, origin: Some(origin), ..before.desired };
    after.status.phase = Phase::Starting;
    after.status.restarts = 0;
    after.meta.update_time = core.now();
    after
}

/// Begins another VM.
pub(super) async fn fork(core: &Core, call: &Call, fork: &Fork) -> Result<Vm, Fault> {
    let span = tracing::info_span!("verb", verb = "fork", instance = tracing::field::Empty);
    async {
        let verb = Verb::begin(core, call, "fork")?;
        if let Some(first) = verb.repeated(Until::born).await? {
            return Ok(first);
        }
        for _ in 0..TRIES {
            let kept = core.memory.find_snapshot(&fork.snapshot)?;
            if let Some(vm) = begin(&verb, fork, &kept).await? {
                return Ok(vm);
            }
        }
        Err(refusal::contended())
    }
    .instrument(span)
    .await
}

/// One attempt; nothing where another write came first and it is worth another.
async fn begin(verb: &Verb<'_>, fork: &Fork, kept: &Arc<KeptSnapshot>) -> Result<Option<Vm>, Fault> {
    let core = verb.core;
    if kept.value.scope == Scope::Internal {
        let why = format!("is inside the disks of VM {}, and nowhere else", kept.value.instance_name);
        let fault = Fault::field(Reason::SnapshotUnusable, "snapshot", why);
        return Err(fault.fix("restore that VM to it; a full snapshot can be forked"));
    }
    let node = node_of(core, kept.value.node)?;
    if let Some(driver) = rules::usable(&kept.value, &node.1)? {
        rules::can(driver, Feature::Fork, "begin another VM from a snapshot")?;
    }
    let mut instance = born(core, fork, &kept.value)?;
    let id = instance.meta.id;
    tracing::Span::current().record("instance", tracing::field::display(id));
    free_name(&core.memory, &instance.meta, "name")?;
    let (choice, mut reservation) = core.room.place(&core.memory, &[node], id, &instance.spec)?;
    core.reach(choice.node)?.vet(&instance.spec).await?;
    instance.placement = Some(Placement { node: choice.node, generation: 1 });
    reservation.commits();
    let until = Until::born(&instance);
    let place = verb.enter(Revision::default(), &instance, until);
    let request = verb.request.as_ref();
    let change = Move { before: None, after: Some(&instance), request, origin: Some(kept) };
    match core.commit(change).await {
        Ok(revision) => {
            core.memory.reached(revision).await;
            reservation.settled();
            verb.wait(place, Stored { value: instance, revision }, until).await.map(Some)
        }
        Err(Refused::Conflict { key, found }) => {
            reservation.settled();
            match (verb.lost(&key, found).await?, &verb.request) {
                (true, Some(request)) => verb.first_answer(request, Until::born).await,
                (_, _) => Ok(None),
            }
        }
        // What the store could not do it may yet have done: the reservation stays for a while.
        Err(Refused::Store(fault)) => Err(fault),
    }
}

/// The VM that begins from a snapshot as another one.
fn born(core: &Core, fork: &Fork, snapshot: &Snapshot) -> Result<Instance, Fault> {
    let (id, now) = (core.new_instance(), core.now());
    let mut draft = forked(&snapshot.spec, &id, |name| disk_bytes(snapshot, name));
    tell(&mut draft, fork.metadata.as_ref())?;
    let spec = draft.check().map_err(|violations| {
        let fault = Fault::from_violations(Reason::SnapshotUnusable, violations);
        fault.unwrap_or_else(|| Fault::internal("the specification of a fork is refused"))
    })?;
    let origin = Origin { boot_epoch: 1, snapshot: snapshot.id, identity: Identity::New };
    Ok(Instance {
        meta: Meta {
            id,
            name: fork.name.clone().map_or_else(|| made_up(&id), Ok)?,
            project: snapshot.project.clone(),
            labels: fork.labels.clone(),
            annotations: Annotations::default(),
            generation: 1,
            create_time: now,
            update_time: now,
            delete_time: None,
        },
        spec: complete(spec, &id, &[])?,
        desired: Desired { power: Power::On, boot_epoch: 1, origin: Some(origin), ..Desired::default() },
        placement: None,
        status: Status::unseen(),
    })
}

/// How long the own copy of a disk is, in bytes that a disk of ours can have.
fn disk_bytes(snapshot: &Snapshot, name: &str) -> Option<u64> {
    let disk = snapshot.spec.disks.iter().find(|disk| disk.name == name)?;
    match disk.source {
        // The size that the guest sees; the file of a copy-on-write image has another length.
        DiskSource::Blank { size_bytes } => Some(size_bytes),
        DiskSource::Path(_) | DiskSource::Volume(_) | DiskSource::Image(_) | DiskSource::VhostUser { .. } => {
            let part = snapshot.content.parts.iter().find(|part| part.role == Role::Disk(name.to_owned()))?;
            let whole = part.bytes.max(disk::MIN_BYTES).next_multiple_of(512);
            (disk.format == DiskFormat::Raw || part.bytes > 0).then_some(whole)
        }
    }
}

/// What the fork's metadata service tells, where that is another thing.
fn tell(draft: &mut Draft, json: Option<&String>) -> Result<(), Fault> {
    let Some(json) = json else { return Ok(()) };
    match &mut draft.metadata {
        Some(metadata) => {
            metadata.json.clone_from(json);
            Ok(())
        }
        None => {
            let why = "the snapshot's VM has no metadata service";
            Err(Fault::field(Reason::FieldInvalid, "metadata_json", why).fix("leave it out"))
        }
    }
}

/// A node that can be asked, with what it is.
fn node_of(core: &Core, id: NodeId) -> Result<(NodeId, Facts, u64), Fault> {
    let node = core.nodes().into_iter().find(|(node, ..)| *node == id);
    node.ok_or_else(|| refusal::node_away(Some(id)))
}
