//! Taking a snapshot: checked, named, committed as PENDING; then waited for until its node has it.

use super::commit::Step;
use super::rules;
use crate::core::Core;
use crate::flow::{TRIES, Verb};
use crate::refusal;
use std::sync::Arc;
use weft_domain::event::Severity;
use weft_domain::object::{Key, Revision, Stored};
use weft_domain::snapshot::{Content, Scope, Snapshot, SnapshotPhase, can_be_taken};
use weft_domain::told::Told;
use weft_domain::{Fault, Instance, Name, Reason, SnapshotId};
use weft_ports::api::{Call, KeptSnapshot, NewSnapshot};
use weft_ports::store::Refused;

/// Takes a snapshot.
pub(super) async fn run(core: &Core, call: &Call, new: &NewSnapshot) -> Result<KeptSnapshot, Fault> {
    let verb = Verb::begin(core, call, "snapshot")?;
    for _ in 0..TRIES {
        if !new.validate_only
            && let Some(first) = repeated(&verb).await?
        {
            return Ok(first);
        }
        let (snapshot, parent) = decided(core, new)?;
        if new.validate_only {
            return Ok(Stored { value: snapshot, revision: Revision::default() });
        }
        let request = verb.request.as_ref();
        let step = Step { before: None, after: Some(&snapshot), request, parent: parent.as_deref() };
        let message = format!("snapshot {} was asked", snapshot.name);
        let told = Told { severity: Severity::Normal, reason: "SnapshotRequested", message };
        match core.commit_snapshot(step, &told).await {
            Ok(revision) => {
                core.memory.reached(revision).await;
                return Ok(settled(&verb, Stored { value: snapshot, revision }).await);
            }
            Err(Refused::Conflict { key, found }) => {
                let repeated = verb.lost(&key, found).await?;
                if !repeated && new.name.is_some() && matches!(key, Key::SnapshotName(..)) {
                    return Err(taken(&snapshot));
                }
            }
            Err(Refused::Store(fault)) => return Err(fault),
        }
    }
    Err(refusal::contended())
}

/// The answer that this request was given before; waited for where it was not settled then.
async fn repeated(verb: &Verb<'_>) -> Result<Option<KeptSnapshot>, Fault> {
    let Some(request) = &verb.request else { return Ok(None) };
    let Some(record) = verb.core.store.get(&Key::Request(request.key)).await? else { return Ok(None) };
    match request.answered_snapshot(record)? {
        Some(first) => Ok(Some(settled(verb, first).await)),
        None => Err(Fault::internal("the record of a request has another answer")),
    }
}

/// The snapshot when it is no longer pending, or as it is when the caller's time is up.
async fn settled(verb: &Verb<'_>, asked: KeptSnapshot) -> KeptSnapshot {
    let id = asked.value.id;
    let done = verb.core.memory.until(|state| match state.snapshots.get(&id) {
        Some(one) if one.value.phase == SnapshotPhase::Pending => None,
        Some(one) => Some(Some(Arc::clone(one))),
        None => Some(None),
    });
    let now = match verb.in_time(done).await {
        Some(done) => done,
        None => verb.core.memory.snapshot(id),
    };
    now.map_or(asked, |one| (*one).clone())
}

/// The snapshot that is asked for, with the one that it completes, where it is lawful.
fn decided(core: &Core, new: &NewSnapshot) -> Result<(Snapshot, Option<Arc<KeptSnapshot>>), Fault> {
    let vm = core.memory.find(&new.vm)?;
    let it = &vm.value;
    if it.desired.deleted || !can_be_taken(it.status.phase, new.scope) {
        return Err(forbidden(it, new.scope));
    }
    let placement = it.placement.ok_or_else(|| refusal::node_away(None))?;
    let nodes = core.nodes();
    let node = nodes.iter().find(|(id, ..)| *id == placement.node);
    let (node, facts, _) = node.ok_or_else(|| refusal::node_away(Some(placement.node)))?;
    let parent = match (&new.parent, new.scope) {
        (Some(parent), Scope::Difference) => Some(core.memory.find_snapshot(parent)?),
        (None, Scope::Difference) => {
            let fault = Fault::field(Reason::FieldRequired, "snapshot.parent", "is required for a difference");
            return Err(fault.fix("name the snapshot that it completes, or take a full one"));
        }
        (Some(_), Scope::Full | Scope::Disks | Scope::Internal) => {
            let fault = Fault::field(Reason::FieldInvalid, "snapshot.parent", "can only be given for a difference");
            return Err(fault.fix("leave it out, or ask for a difference"));
        }
        (None, Scope::Full | Scope::Disks | Scope::Internal) => None,
    };
    rules::can_take(rules::driver_of(it, facts)?, new.scope)?;
    if new.scope == Scope::Internal {
        rules::room_inside(it)?;
    }
    let id = core.new_snapshot();
    let snapshot = Snapshot {
        id,
        name: new.name.clone().map_or_else(|| made_up(&id), Ok)?,
        project: it.meta.project.clone(),
        labels: new.labels.clone(),
        annotations: new.annotations.clone(),
        create_time: core.now(),
        instance: it.meta.id,
        instance_name: it.meta.name.clone(),
        node: *node,
        scope: new.scope,
        parent: parent.as_ref().map(|parent| parent.value.id),
        spec: it.spec.clone(),
        phase: SnapshotPhase::Pending,
        content: Content::default(),
        message: String::new(),
    };
    let state = core.memory.read();
    rules::room(&state, it.meta.id)?;
    rules::apart(&state, it.meta.id, new.scope)?;
    if let Some(parent) = &parent {
        rules::completes(&state, it, &parent.value)?;
    }
    if state.snapshot_named(&snapshot.project, &snapshot.name).is_some() {
        return Err(taken(&snapshot));
    }
    Ok((snapshot, parent))
}

fn forbidden(it: &Instance, scope: Scope) -> Fault {
    let phase = it.status.phase;
    let fault = Fault::new(Reason::PhaseForbids, format!("cannot take this snapshot of a VM that is {phase}"));
    match scope {
        Scope::Internal => fault.fix("boot it first"),
        Scope::Full | Scope::Difference => fault.fix("boot it first, or take a snapshot of its disks alone"),
        Scope::Disks => fault.fix("wait until it runs or is at rest"),
    }
}

fn taken(snapshot: &Snapshot) -> Fault {
    let why = format!("{} is taken in project {}", snapshot.name, snapshot.project);
    Fault::field(Reason::NameTaken, "snapshot.name", why).fix("choose another name, or delete the snapshot that has it")
}

/// The name of one that was given none.
fn made_up(id: &SnapshotId) -> Result<Name, Fault> {
    let [.., a, b, c, d] = *id.as_bytes();
    let name = format!("snap-{:08x}", u32::from_be_bytes([a, b, c, d]));
    name.parse().map_err(|_| Fault::internal("a name that was made up is none"))
}
