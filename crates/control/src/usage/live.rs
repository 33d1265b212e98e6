//! Usage as it comes: each second is read from the ledger once, and told to everybody who watches.
//!
//! ```text
//!  a second ends ─ lag ─► ledger ─► one reading ─┬─► watch: those in scope
//!                                                └─► a slow watch loses the oldest, and sees so by the next span
//! ```
//!
//! What always holds: nothing is read while nobody watches, and nobody who watches is waited for. A second is told
//! once and as a whole; what comes later than the lag is for queries alone.

use super::books::{BEHIND, Books, Second, sum};
use super::scope::Selection;
use super::span::{moment, second};
use crate::refusal;
use futures::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval};
use weft_domain::Fault;
use weft_domain::usage::Width;
use weft_ports::api::{Answers, UsageLine, UsageScope};
use weft_ports::ledger::{BucketQuery, Used};

/// How often it is looked whether a second has ended.
const EVERY: Duration = Duration::from_millis(500);

/// Tells each second that has ended, for ever.
pub(super) async fn run(books: &Books) {
    let mut ticker = interval(EVERY);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut told = None;
    loop {
        ticker.tick().await;
        if books.seconds.receiver_count() == 0 {
            told = None;
            continue;
        }
        let now = second(books.core.now());
        let lag = i64::try_from(books.core.config.usage_lag.as_secs()).unwrap_or(i64::MAX);
        let newest = now.saturating_sub(lag).saturating_sub(1);
        for begins in due(told, newest) {
            match read(books, begins).await {
                // Nobody watches any more.
                Ok(second) => drop(books.seconds.send(Arc::new(second))),
                Err(fault) => tracing::warn!(%fault, "what was used in a second could not be read, and is not told"),
            }
        }
        told = Some(newest);
    }
}

/// The seconds that are to be told: none twice, and few where there was a stall or the clock was set.
fn due(told: Option<i64>, newest: i64) -> std::ops::RangeInclusive<i64> {
    let few = newest.saturating_sub(i64::try_from(BEHIND).unwrap_or(0)).saturating_add(1);
    let first = match told {
        Some(told) if told == newest => newest.saturating_add(1),
        Some(told) if told < newest => few.max(told.saturating_add(1)),
        Some(_) | None => newest,
    };
    first..=newest
}

async fn read(books: &Books, begins: i64) -> Result<Second, Fault> {
    let instances = books.subjects.since(begins);
    if instances.is_empty() {
        return Ok(Second { begins, used: Vec::new() });
    }
    let (from, to, most) = (moment(begins), moment(begins.saturating_add(1)), instances.len());
    let query = BucketQuery { instances, width: Width::Second, from, to, after: None, most };
    let used = books.ledger.buckets(&query).await?;
    let whose = |used: &Used| (books.subjects.who(used.instance, &books.core.memory), used.bucket);
    Ok(Second { begins, used: used.iter().map(whose).collect() })
}

/// What those in scope use, second by second.
pub(super) fn watch(books: &Arc<Books>, scope: &UsageScope) -> Result<Answers<Vec<UsageLine>>, Fault> {
    let meant = Selection::of(scope, &books.subjects.everyone(&books.core.memory))?;
    let place = books.core.stream()?;
    let watch = Watch { books: Arc::clone(books), meant, seconds: books.seconds.subscribe(), _place: place };
    Ok(futures::stream::unfold(Some(watch), |watch| async { watch?.next().await }).boxed())
}

struct Watch {
    books: Arc<Books>,
    meant: Selection,
    seconds: Receiver<Arc<Second>>,
    _place: OwnedSemaphorePermit,
}

impl Watch {
    async fn next(mut self) -> Option<(Result<Vec<UsageLine>, Fault>, Option<Self>)> {
        loop {
            tokio::select! {
                biased;
                () = self.books.closing.cancelled() => return Some((Err(refusal::closing()), None)),
                second = self.seconds.recv() => match second {
                    Ok(second) => return Some((Ok(self.lines(&second)), Some(self))),
                    Err(RecvError::Lagged(seconds)) => tracing::debug!(seconds, "a slow watch of usage loses seconds"),
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }

    fn lines(&self, second: &Second) -> Vec<UsageLine> {
        let span = (moment(second.begins), moment(second.begins.saturating_add(1)));
        let meant = second.used.iter().filter(|(who, _)| self.meant.takes(who));
        meant.map(|(who, bucket)| sum(who, span, bucket)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_is_told_once_and_few_after_a_stall() {
        let told = |told, newest| due(told, newest).collect::<Vec<_>>();
        assert_eq!(told(None, 9), [9]);
        assert_eq!(told(Some(9), 9), []);
        assert_eq!(told(Some(9), 10), [10]);
        assert_eq!(told(Some(9), 12), [10, 11, 12]);
        assert_eq!(told(Some(9), 1_000), (993..=1_000).collect::<Vec<_>>());
        assert_eq!(told(Some(9), 3), [3], "the clock was set back");
    }
}
