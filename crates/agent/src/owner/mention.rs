//! Sights that pass: told while the work goes on.
//!
//! ```text
//!  mention ─► newest ─► one task ─► control        a sight that was overtaken is never sent
//!  tell    ─► what was not sent is dropped, what is being sent is waited for ─► control
//! ```
//!
//! What always holds: reports of one instance reach control one at a time, in the order in which they
//! were seen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use weft_domain::NodeId;
use weft_ports::link::{Placements, Report};
use weft_ports::task::{self, Task};

/// What is mentioned to control in passing.
#[derive(Default)]
pub(super) struct Mentions {
    slot: Arc<Slot>,
    sender: Option<Task<()>>,
}

#[derive(Default)]
struct Slot(Mutex<Turn>);

#[derive(Default)]
struct Turn {
    newest: Option<Report>,
    busy: bool,
    refused: bool,
}

impl Slot {
    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next to be sent; the sender ends where there is none.
    fn next(&self) -> Option<Report> {
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
        if std::mem::replace(&mut turn.busy, true) {
            return;
        }
        drop(turn);
        let (slot, placements) = (Arc::clone(&self.slot), Arc::clone(placements));
        self.sender = Some(task::spawn("mention", async move {
            while let Some(report) = slot.next() {
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
        let whole = match self.sender.take() {
            Some(sender) => sender.await.is_ok(),
            None => true,
        };
        let mut turn = self.slot.turn();
        turn.busy = false;
        whole && !std::mem::take(&mut turn.refused)
    }
}
