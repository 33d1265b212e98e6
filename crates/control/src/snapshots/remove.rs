//! Removing a snapshot: refused while it is needed, committed as DELETING, then waited for until its node
//! has released it. That there was none is an answer too, and is recorded where absence is success.

use super::commit::Step;
use super::rules;
use crate::core::Core;
use crate::flow::{TRIES, Verb};
use crate::refusal;
use std::sync::Arc;
use weft_domain::event::Severity;
use weft_domain::object::{Key, Stored};
use weft_domain::snapshot::{Scope, Snapshot, SnapshotPhase};
use weft_domain::told::Told;
use weft_domain::{Fault, Reason, SnapshotId};
use weft_ports::api::{Call, KeptSnapshot, SnapshotRef, SnapshotRemoval, Vm};
use weft_ports::store::Refused;

/// Removes a snapshot.
pub(super) async fn run(core: &Core, call: &Call, removal: &SnapshotRemoval) -> Result<Option<KeptSnapshot>, Fault> {
    let verb = Verb::begin(core, call, "delete-snapshot")?;
    for _ in 0..TRIES {
        if let Some(first) = repeated(&verb).await? {
            return Ok(first);
        }
        let before = match core.memory.find_snapshot(&removal.snapshot) {
            Err(fault) if fault.reason == Reason::SnapshotNotFound && removal.allow_missing => {
                let Some(request) = &verb.request else { return Ok(None) };
                if core.commit_absent(missing(&removal.snapshot), request).await? {
                    return Ok(None);
                }
                continue;
            }
            found => found?,
        };
        if removal.etag.is_some_and(|etag| etag != before.revision) {
            return Err(refusal::snapshot_etag());
        }
        match attempt(&verb, &before).await {
            Ok(gone) => return Ok(Some(gone)),
            Err(Refused::Conflict { key, found }) => {
                verb.lost(&key, found).await?;
            }
            Err(Refused::Store(fault)) => return Err(fault),
        }
    }
    Err(refusal::contended())
}

async fn attempt(verb: &Verb<'_>, before: &Arc<KeptSnapshot>) -> Result<KeptSnapshot, Refused> {
    let core = verb.core;
    if before.value.phase == SnapshotPhase::Deleting {
        if let Some(request) = &verb.request {
            core.commit_answer_snapshot(before, request).await?;
        }
        return Ok(gone(verb, (**before).clone()).await);
    }
    rules::unneeded(&core.memory.read(), before.value.id)?;
    let after =
        Snapshot { phase: SnapshotPhase::Deleting, message: waits_for(core, &before.value), ..before.value.clone() };
    let step = Step { before: Some(before), after: Some(&after), request: verb.request.as_ref(), parent: None };
    let message = format!("snapshot {} is being deleted", after.name);
    let told = Told { severity: Severity::Normal, reason: "SnapshotDeleting", message };
    let revision = core.commit_snapshot(step, &told).await?;
    core.memory.reached(revision).await;
    Ok(gone(verb, Stored { value: after, revision }).await)
}

/// What the removal waits for, where that may take long.
fn waits_for(core: &Core, snapshot: &Snapshot) -> String {
    let rests = |vm: Arc<Vm>| vm.value.status.running.is_none();
    if snapshot.scope == Scope::Internal && core.memory.get(snapshot.instance).is_some_and(rests) {
        return format!(
            "it is inside the disks of VM {}, and goes when that runs or is deleted",
            snapshot.instance_name
        );
    }
    String::new()
}

/// The answer that this request was given before: the snapshot, or that there was none.
async fn repeated(verb: &Verb<'_>) -> Result<Option<Option<KeptSnapshot>>, Fault> {
    let Some(request) = &verb.request else { return Ok(None) };
    let Some(record) = verb.core.store.get(&Key::Request(request.key)).await? else { return Ok(None) };
    match request.answered_snapshot(record)? {
        Some(first) => Ok(Some(Some(gone(verb, first).await))),
        None => Ok(Some(None)),
    }
}

/// What the store has not while there is no such snapshot.
fn missing(snapshot: &SnapshotRef) -> Key {
    match snapshot {
        SnapshotRef::Id(id) => Key::Snapshot(*id),
        SnapshotRef::Named { project, name } => Key::SnapshotName(project.clone(), name.clone()),
    }
}

/// The snapshot as it was, when it is gone or the caller's time is up.
async fn gone(verb: &Verb<'_>, was: KeptSnapshot) -> KeptSnapshot {
    let id: SnapshotId = was.value.id;
    let away = verb.core.memory.until(|state| (!state.snapshots.contains_key(&id)).then_some(()));
    if verb.in_time(away).await.is_none() {
        tracing::debug!(snapshot = %id, "not yet released in the caller's time; it goes on");
    }
    was
}
