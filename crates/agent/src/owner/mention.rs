//! Sights that pass: told while the work goes on.
//!
//! ```text
//!  mention ─► newest ─► a moment ─► one task ─► control     a sight that was overtaken is never sent
//!  tell    ─► what was not sent is dropped, what is being sent is waited for ─► control
//! ```
//!
//! What always holds: reports of one instance reach control one at a time, in the order in which they
//! were seen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use weft_domain::NodeId;
use weft_ports::link::{Placements, Report};
use weft_ports::task::{self, Task};

/// A sight that does not last as long as this is not worth a durable write, which the work would feel: the
/// more so where there is much of it, and each takes longer.
const MOMENT: Duration = Duration::from_millis(100);

/// What is mentioned to control in passing.
#[derive(Default)]
pub(super) struct Mentions {
    slot: Arc<Slot>,
    sender: Option<Task<()>>,
}

#[derive(Default)]
struct Slot {
    turn: Mutex<Turn>,
    /// Nothing is to be sent any more.
    over: Notify,
}

#[derive(Default)]
struct Turn {
    newest: Option<Report>,
    busy: bool,
    refused: bool,
}

impl Slot {
    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next to be sent, a moment later; the sender ends where there is none.
    async fn next(&self) -> Option<Report> {
        if self.turn().newest.is_some() {
            tokio::select! {
                () = tokio::time::sleep(MOMENT) => {}
                () = self.over.notified() => {}
            }
        }
        let mut turn = self.turn();
        let next = turn.newest.take();
        turn.busy = next.is_some();
        next
    }
}

impl Mentions {
    /// Sends this as soon as what went before is sent, unless something newer comes first.
    pub(super) fn send(&mut self, placements: &Arc<dyn Placements>, node: NodeId, report: Report) {
        let mut turn = self.slot.turn();
        turn.newest = Some(report);
        // A sender that panicked is busy for ever, and another takes its place.
        if std::mem::replace(&mut turn.busy, true) && self.sender.as_ref().is_some_and(|it| !it.is_finished()) {
            return;
        }
        drop(turn);
        let (slot, placements) = (Arc::clone(&self.slot), Arc::clone(placements));
        self.sender = Some(task::spawn("mention", async move {
            while let Some(report) = slot.next().await {
                if let Err(fault) = placements.report(node, report).await {
                    tracing::debug!(%fault, "control does not take what was mentioned");
                    slot.turn().refused = true;
                }
            }
        }));
    }

    /// Nothing is on its way any more; whether control took all that was sent.
    pub(super) async fn end(&mut self) -> bool {
        self.slot.turn().newest = None;
        self.slot.over.notify_one();
        let whole = match self.sender.take() {
            Some(sender) => sender.await.is_ok(),
            None => true,
        };
        // With slot and sender goes what was left to say to them.
        let refused = std::mem::take(&mut self.slot).turn().refused;
        whole && !refused
    }
}
