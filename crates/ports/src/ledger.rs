//! What was used in a fleet, taken once and gathered into buckets.
//!
//! # Laws
//! `take` takes each batch of a node once, however often, late or out of order it comes: what it answers is the
//! last batch up to which everything is taken and lasting. A batch that came before its time is held where there
//! is room for it, and counts when those before it came; whoever sends begins again after the last answer. A
//! batch with a known sequence and another hash, or whose `previous` is not the hash of the one before, or that is
//! not as it was sealed, is refused and changes nothing. The buckets of each width together hold what the records
//! taken hold, figure by figure, unless they were dropped for their age; wider buckets never lose what narrower
//! ones that were dropped held. What was taken and is not lasting yet is in every answer, is gone after a crash,
//! and is taken when it comes again. Subjects are kept as long as usage of theirs is, and without any for as long
//! as buckets of a day are, counted from their making; who gathers usage of an older one says again who it is.

pub mod chain;
pub mod conformance;
pub mod fake;

use crate::spool::Batch;
use std::time::Duration;
use weft_domain::usage::{Bucket, Record, Width};
use weft_domain::{Fault, InstanceId, Labels, Name, NodeId, Time};

/// For how long buckets are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Those of a second.
    pub seconds: Duration,
    /// Those of a minute.
    pub minutes: Duration,
    /// Those of an hour.
    pub hours: Duration,
    /// Those of a day, and gaps.
    pub days: Duration,
}

impl Default for Keep {
    fn default() -> Self {
        let day = Width::Day.seconds().unsigned_abs();
        Self {
            seconds: Duration::from_secs(day / 4),
            minutes: Duration::from_secs(7 * day),
            hours: Duration::from_secs(400 * day),
            days: Duration::from_secs(3660 * day),
        }
    }
}

impl Keep {
    /// What is kept of this width lies after this, in seconds since the epoch.
    #[must_use]
    pub fn since(&self, width: Width, now: Time) -> i64 {
        let span = match width {
            Width::Second => self.seconds,
            Width::Minute => self.minutes,
            Width::Hour => self.hours,
            Width::Day => self.days,
        };
        let seconds = i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        now.as_nanos().div_euclid(1_000_000_000).saturating_sub(seconds)
    }
}

/// Buckets that are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketQuery {
    /// Of these instances.
    pub instances: Vec<InstanceId>,
    /// How wide.
    pub width: Width,
    /// That begin here or later.
    pub from: Time,
    /// And before this.
    pub to: Time,
    /// After this one, for the next page.
    pub after: Option<(InstanceId, i64)>,
    /// At most so many.
    pub most: usize,
}

/// Whose usage it is: an instance as it was last seen, which may be gone by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The project.
    pub project: Name,
    /// The instance.
    pub instance: InstanceId,
    /// Its name.
    pub name: Name,
    /// Its labels.
    pub labels: Labels,
}

/// What one instance used in one bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// The instance.
    pub instance: InstanceId,
    /// When the bucket begins, in seconds since the epoch.
    pub begins: i64,
    /// What was used.
    pub bucket: Bucket,
}

/// The ledger.
#[async_trait::async_trait]
pub trait Ledger: Send + Sync {
    /// Takes a batch; answers the last one of the node that is taken and lasting.
    ///
    /// # Errors
    /// `LedgerBroken` where it does not follow; nothing has changed then.
    async fn take(&self, batch: &Batch) -> Result<u64, Fault>;
    /// The last batch of a node that is taken and lasting.
    async fn taken(&self, node: NodeId) -> Result<u64, Fault>;
    /// Buckets by instance, then by time; empty ones are left out.
    async fn buckets(&self, query: &BucketQuery) -> Result<Vec<Used>, Fault>;
    /// A node has nothing up to this batch any more: those of them that were not taken never will be, and the next
    /// is taken whatever it names as the one before. Lower than what was taken is no change.
    async fn pass_over(&self, node: NodeId, through: u64) -> Result<(), Fault>;
    /// Gaps of these instances that end after `from` and not after `to`, oldest first, at most so many.
    async fn gaps(&self, instances: &[InstanceId], from: Time, to: Time, most: usize) -> Result<Vec<Record>, Fault>;
    /// Keeps who an instance is for as long as any of its usage is kept.
    async fn remember(&self, subjects: &[Subject]) -> Result<(), Fault>;
    /// Whose usage is kept, by instance.
    async fn subjects(&self) -> Result<Vec<Subject>, Fault>;
    /// Drops what is older than is kept of its width; a wider span may go as a whole, when all of it is older.
    async fn prune(&self, now: Time) -> Result<(), Fault>;
    /// Makes what was taken lasting, and ends.
    async fn close(&self);
}
