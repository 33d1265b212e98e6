//! What a node's report makes of a snapshot.
//!
//! Only what was awaited is taken: that a pending one is whole or could not be taken, that a ready one is
//! lost, that nothing is left of one that is being removed.

use super::TRIES;
use crate::core::Core;
use crate::refusal;
use crate::snapshots::commit::Step;
use weft_domain::event::Severity;
use weft_domain::snapshot::{Content, Snapshot, SnapshotPhase};
use weft_domain::told::Told;
use weft_domain::{Fault, NodeId};
use weft_ports::link::{SnapshotReport, SnapshotSight};
use weft_ports::store::Refused;

/// Takes what a node saw of a snapshot.
pub(super) async fn take(core: &Core, node: NodeId, report: SnapshotReport) -> Result<(), Fault> {
    for _ in 0..TRIES {
        let Some(before) = core.memory.snapshot(report.id).filter(|one| one.value.node == node) else { return Ok(()) };
        let Some((after, told)) = absorb(&before.value, &report.sight) else { return Ok(()) };
        let step = Step { before: Some(&before), after: after.as_ref(), request: None, parent: None };
        match core.commit_snapshot(step, &told).await {
            Ok(revision) => {
                core.memory.reached(revision).await;
                return Ok(());
            }
            Err(Refused::Conflict { found: Some(found), .. }) => core.memory.reached(found).await,
            // It went away meanwhile: memory will say so in a moment.
            Err(Refused::Conflict { found: None, .. }) => return Ok(()),
            Err(Refused::Store(fault)) => return Err(fault),
        }
    }
    Err(refusal::contended())
}

/// What a sight makes of a snapshot: nothing new, or what it becomes (nothing where it is gone), with what
/// is told of it.
fn absorb(before: &Snapshot, sight: &SnapshotSight) -> Option<(Option<Snapshot>, Told)> {
    use SnapshotPhase as P;
    let told = |severity, reason, message| Told { severity, reason, message };
    match (sight, before.phase) {
        (SnapshotSight::Kept(content), P::Pending) => {
            let message = format!("snapshot {} is whole: {} bytes", before.name, content.bytes());
            let after = Snapshot { phase: P::Ready, content: content.clone(), ..before.clone() };
            Some((Some(after), told(Severity::Normal, "SnapshotTaken", message)))
        }
        (SnapshotSight::Failed(why), P::Pending | P::Ready) => {
            let message = format!("snapshot {} failed: {why}", before.name);
            let (content, why) = (Content::default(), why.clone());
            let after = Snapshot { phase: P::Failed, content, message: why, ..before.clone() };
            Some((Some(after), told(Severity::Warning, "SnapshotFailed", message)))
        }
        (SnapshotSight::Released, P::Deleting) => {
            let message = format!("nothing is left of snapshot {}", before.name);
            Some((None, told(Severity::Normal, "SnapshotDeleted", message)))
        }
        (SnapshotSight::Kept(_), P::Ready | P::Failed | P::Deleting)
        | (SnapshotSight::Failed(_), P::Failed | P::Deleting)
        | (SnapshotSight::Released, P::Pending | P::Ready | P::Failed) => None,
    }
}
