//! What was used in a fleet, taken once and gathered into buckets.
//!
//! # Laws
//! `take` takes each batch of a node once, however often, late or out of order it comes: what it answers is the
//! last batch up to which everything is taken and lasting. A batch with a known sequence and another hash, or
//! whose `previous` is not the hash of the one before, is refused and changes nothing. The buckets of each width
//! together hold what the records taken hold, figure by figure, unless they were dropped for their age; wider
//! buckets never lose what narrower ones that were dropped held.

use crate::spool::Batch;
use weft_domain::usage::{Bucket, Record, Width};
use weft_domain::{Fault, InstanceId, Labels, Name, NodeId, Time};

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
    /// Gaps of these instances that end in this span, oldest first, at most so many.
    async fn gaps(&self, instances: &[InstanceId], from: Time, to: Time, most: usize) -> Result<Vec<Record>, Fault>;
    /// Keeps who an instance is for as long as any of its usage is kept.
    async fn remember(&self, subjects: &[Subject]) -> Result<(), Fault>;
    /// Whose usage is kept, by instance.
    async fn subjects(&self) -> Result<Vec<Subject>, Fault>;
    /// Drops what is older than is kept of its width.
    async fn prune(&self, now: Time) -> Result<(), Fault>;
    /// Makes what was taken lasting, and ends.
    async fn close(&self);
}
