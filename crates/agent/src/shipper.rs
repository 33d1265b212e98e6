//! Hands on what the spool holds to control, batch by batch.
//!
//! ```text
//!  spool ── batch(after) ──► desk ── the last that is lasting ──► spool: acknowledged
//!    ▲                        │ away, or it refuses
//!    └── anew from what is acknowledged, after a while ◄┘
//! ```
//!
//! What control took may be in its memory alone, and gone with it: so whenever it could not be reached, and when
//! what it says to be lasting stands still for long, all that is not acknowledged is sent again. Control takes
//! each batch once. What the spool had no room for is passed over, which control is told.

use crate::config::Metering;
use crate::figures::Metered;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use weft_domain::{Fault, NodeId, Reason};
use weft_ports::clock::Clock;
use weft_ports::spool::Consumer;

/// A batch is full, or this old.
const AGE: Duration = Duration::from_secs(1);
/// How long control may take for one.
const ANSWER: Duration = Duration::from_secs(30);
/// The first wait after a failure; each further one is twice as long.
const WAIT: Duration = Duration::from_millis(250);
/// The longest wait, in such waits.
const MOST_WAITS: u32 = 128;
/// Control makes lasting what it took within about a minute.
const STILL: Duration = Duration::from_secs(300);

/// Hands on batches to control for as long as it is polled.
pub(crate) struct Shipper {
    pub(crate) node: NodeId,
    pub(crate) metering: Metering,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) figures: Metered,
}

/// How far it is.
struct Place {
    /// The last batch that was handed on.
    sent: u64,
    /// The last one that control has for good.
    lasting: u64,
    /// When that last went on.
    went_on: Instant,
}

impl Shipper {
    pub(crate) async fn run(self) {
        let mut place = self.place();
        let mut failures = 0;
        loop {
            let Err(fault) = self.step(&mut place).await else {
                failures = 0;
                continue;
            };
            self.figures.not_shipped();
            if failures == 0 {
                tracing::warn!(%fault, "usage cannot be handed on to control; it is kept and handed on later");
            } else {
                tracing::debug!(%fault, failures, "usage cannot be handed on to control");
            }
            sleep(backoff(failures, self.clock.random())).await;
            failures = failures.saturating_add(1);
            place = self.place();
        }
    }

    fn place(&self) -> Place {
        let lasting = self.metering.spool.acknowledged(Consumer::Ledger);
        Place { sent: lasting, lasting, went_on: Instant::now() }
    }

    async fn step(&self, place: &mut Place) -> Result<(), Fault> {
        let begun = Instant::now();
        let spool = &self.metering.spool;
        let batch = match spool.batch(place.sent, AGE).await {
            Ok(Some(batch)) => batch,
            Ok(None) => {
                sleep_until(begun + AGE).await;
                return Ok(());
            }
            Err(fault) if fault.reason == Reason::RevisionCompacted => return self.pass_over(place).await,
            Err(fault) => return Err(fault),
        };
        let taken = timeout(ANSWER, self.metering.desk.take_usage(&batch)).await;
        let away = |_| Fault::new(Reason::DeadlinePassed, "control does not answer whether it took usage");
        // What it has of a node that had the same name before is no place in this spool.
        let lasting = taken.map_err(away)??.min(batch.sequence);
        self.figures.shipped();
        place.sent = batch.sequence;
        if lasting > place.lasting {
            spool.acknowledge(Consumer::Ledger, lasting).await?;
            (place.lasting, place.went_on) = (lasting, Instant::now());
        } else if place.went_on.elapsed() > STILL {
            tracing::debug!(lasting, sent = place.sent, "control holds nothing for good: what it took is sent again");
            (place.sent, place.went_on) = (place.lasting, Instant::now());
        }
        Ok(())
    }

    /// Batches were dropped before control had them; what they held comes again in the gaps of later ones.
    async fn pass_over(&self, place: &mut Place) -> Result<(), Fault> {
        let through = self.metering.spool.first().saturating_sub(1);
        tracing::warn!(after = place.sent, through, "the spool was too small for what control has not taken yet");
        self.metering.desk.pass_over_usage(self.node, through).await?;
        place.sent = through.max(place.sent);
        Ok(())
    }
}

/// How long to wait after so many failures: between half and all of a span that doubles up to a bound.
fn backoff(failures: u32, random: [u8; 10]) -> Duration {
    let most = WAIT * 1u32.checked_shl(failures).unwrap_or(MOST_WAITS).min(MOST_WAITS);
    let part = u32::from(u16::from_be_bytes([random[8], random[9]]));
    most / 2 + most / 2 * part / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_bound_and_differ() {
        let wait = |failures, last| backoff(failures, [0, 0, 0, 0, 0, 0, 0, 0, last, last]);
        for (failures, most) in [(0, 250), (1, 500), (6, 16_000), (7, 32_000), (31, 32_000), (99, 32_000)] {
            assert_eq!(wait(failures, 0), Duration::from_millis(most) / 2);
            assert_eq!(wait(failures, 255), Duration::from_millis(most));
        }
        assert!(wait(3, 0) < wait(3, 100) && wait(3, 100) < wait(3, 255));
    }
}
