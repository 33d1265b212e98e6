//! What was used on a node, written down before anybody is told.
//!
//! ```text
//!  sampler ── append(tick) ──► segments ── batch(after) ──► control, sinks ── acknowledge ──► oldest go
//! ```
//!
//! # Laws
//! What `append` took survives a `kill -9`, and with `batch` a loss of power: what is handed on is on the disk.
//! Records come back in the order and with the content in which they were appended. A batch is the same
//! whenever it is asked for, numbered from 1 without holes, and names the hash of the one before it. What is
//! cut short at the end is dropped; damage elsewhere is an error and not a shorter list. `standings` is what the
//! records that are kept say, after a crash too. Room is bounded: where it is used up, the oldest records go, and
//! what the ledger had not read of them comes back as [gaps](weft_domain::usage::Dropped) that hold its amounts. A
//! batch counts as read when it is acknowledged, so the ledger does that soon after it has made one lasting. An
//! external sink that falls behind is told which batches it missed; of such a gap it may have had a part, and it
//! counts no amounts of one.

pub mod conformance;
pub mod fake;

use sha2::{Digest, Sha256};
use std::time::Duration;
use weft_domain::usage::{Kind, Record, Standing};
use weft_domain::{Fault, InstanceId, NodeId, Time};

/// Records of a short span, in the order they were made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Where they were made.
    pub node: NodeId,
    /// Counts batches from 1.
    pub sequence: u64,
    /// The hash of the batch before; zeros for the first.
    pub previous: [u8; 32],
    /// What it was sealed with.
    pub hash: [u8; 32],
    /// What was used.
    pub records: Vec<Record>,
}

impl Consumer {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Ledger, Self::Sink];
}

impl RawQuery {
    /// Whether it asks for this record.
    #[must_use]
    pub fn wants(&self, record: &Record) -> bool {
        let named = self.instances.is_empty() || self.instances.contains(&record.meter.instance);
        named && self.from < record.to.wall && record.to.wall <= self.to
    }
}

impl Batch {
    /// The batch of these records that follows the one with this hash.
    #[must_use]
    pub fn seal(node: NodeId, sequence: u64, previous: [u8; 32], records: Vec<Record>) -> Self {
        let mut batch = Self { node, sequence, previous, hash: [0; 32], records };
        batch.hash = batch.digest();
        batch
    }

    /// Whether it is as it was sealed.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.hash == self.digest()
    }

    /// SHA-256 over node, sequence, the hash before, and each field of each record in its order, integers as
    /// big-endian bytes of their width, enumerations as one byte of their place in `ALL`.
    fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.node.as_bytes());
        hash.update(self.sequence.to_be_bytes());
        hash.update(self.previous);
        for record in &self.records {
            hash.update(record.meter.instance.as_bytes());
            hash.update(record.meter.incarnation.as_bytes());
            hash.update(record.meter.epoch.to_be_bytes());
            hash.update(record.sequence.to_be_bytes());
            let (kind, word) = match record.kind {
                Kind::Window(edge) => (0, edge as u8),
                Kind::Gap(cause) => (1, cause as u8),
            };
            hash.update([kind, word]);
            for stamp in [record.from, record.to] {
                hash.update(stamp.monotonic_nanos.to_be_bytes());
                hash.update(stamp.wall.as_nanos().to_be_bytes());
            }
            for (figure, amount) in record.amounts.iter() {
                hash.update(amount.to_be_bytes());
                hash.update([record.sources[figure] as u8]);
            }
        }
        hash.finalize().into()
    }
}

/// Who reads a spool to its end, and holds what it has not read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Consumer {
    /// Control's ledger.
    Ledger,
    /// An external sink.
    Sink,
}

/// Records that a caller wants to see one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawQuery {
    /// Of these instances; of all where none is named.
    pub instances: Vec<InstanceId>,
    /// That end after this.
    pub from: Time,
    /// And not after this.
    pub to: Time,
    /// At most so many.
    pub most: usize,
}

/// The spool of a node.
#[async_trait::async_trait]
pub trait Spool: Send + Sync {
    /// Writes down the records of one tick, and where each of these incarnations stands after it. Called by the
    /// sampler's thread; does not wait for the disk.
    ///
    /// # Errors
    /// `DiskExhausted`, and it is as if it had not been tried.
    fn append(&self, records: &[Record], standings: &[Standing]) -> Result<(), Fault>;
    /// Where each incarnation stood when it was last written down. One whose last record is an exit is not among
    /// them.
    fn standings(&self) -> Vec<Standing>;
    /// The batch after this one, on the disk when it is answered; waits at most this long for one to be full, and
    /// answers nothing where there is nothing.
    ///
    /// # Errors
    /// `RevisionCompacted` where it was dropped: [`first`](Self::first) is still there. `FieldInvalid` where not even
    /// the one before it was ever made. It cannot be read.
    async fn batch(&self, after: u64, wait: Duration) -> Result<Option<Batch>, Fault>;
    /// The first batch that is kept, or the next one where none is.
    fn first(&self) -> u64;
    /// A consumer has all batches up to this one, and lastingly so when this answers. Lower than before is no change.
    ///
    /// # Errors
    /// `FieldInvalid` where there never was such a batch.
    async fn acknowledge(&self, consumer: Consumer, sequence: u64) -> Result<(), Fault>;
    /// What a consumer has.
    fn acknowledged(&self, consumer: Consumer) -> u64;
    /// Records that are kept, in the order in which they were written down.
    async fn read(&self, query: RawQuery) -> Result<Vec<Record>, Fault>;
}
