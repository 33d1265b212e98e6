//! The link between control and the agent of a node.
//!
//! Control implements [`Placements`]: what should be on a node, and the desk where the node reports.
//! The agent implements [`Reach`]: what control must ask a node while a caller waits.
//!
//! # Laws
//! A subscription begins with all that is placed on the node, then [`Placement::Synced`], then changes.
//! A slow reader loses intermediate states of an instance, never its newest. A report of a placement
//! that was superseded is dropped. Reports of one instance are taken in the order they were made.

use crate::api::{Answers, ConsoleInput, LogChunk, LogQuery};
use crate::hypervisor::Counters;
use crate::spool::{Batch, RawQuery};
use bytes::Bytes;
use futures::stream::BoxStream;
use std::net::IpAddr;
use std::sync::Arc;
use weft_domain::census::Census;
use weft_domain::instance::{Condition, Desired, Exit, Running};
use weft_domain::lifecycle::Sight;
use weft_domain::node::{Node, Orphans};
use weft_domain::snapshot::{Content, Snapshot};
use weft_domain::usage::Record;
use weft_domain::{Fault, InstanceId, Name, NodeId, SnapshotId, Spec};

/// What should be of one instance on this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The instance.
    pub id: InstanceId,
    /// Its name, for logs and the guest's host name.
    pub name: Name,
    /// Counts placements; an older one is refused.
    pub placement: u64,
    /// The generation of the specification.
    pub generation: u64,
    /// What was asked.
    pub spec: Arc<Spec>,
    /// Whether it should run, and how it should stop.
    pub desired: Desired,
    /// How its last process ended, as far as control was told.
    pub last_exit: Option<Exit>,
    /// How often its restart policy has started it, as far as control was told.
    pub restarts: u32,
    /// The snapshot that the boot which is asked now begins from.
    pub origin: Option<Arc<Snapshot>>,
}

/// A snapshot that should be kept on this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedSnapshot {
    /// The snapshot as control knows it.
    pub snapshot: Arc<Snapshot>,
}

/// What a node saw of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotReport {
    /// The snapshot.
    pub id: SnapshotId,
    /// What became of it.
    pub sight: SnapshotSight,
}

/// What became of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotSight {
    /// It is whole.
    Kept(Content),
    /// It could not be taken, and why.
    Failed(String),
    /// Nothing of it is left.
    Released,
}

/// One step of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// It should now be so.
    Set(Box<Placed>),
    /// It is not this node's any more; everything of it goes.
    Removed(InstanceId),
    /// This snapshot should be kept here.
    Snapshot(PlacedSnapshot),
    /// Nothing of this snapshot should be left here.
    SnapshotRemoved(SnapshotId),
    /// All that is placed on this node was told.
    Synced,
}

/// What a node saw of one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The instance.
    pub id: InstanceId,
    /// The placement that it was seen under.
    pub placement: u64,
    /// The generation of the specification that it was seen under.
    pub generation: u64,
    /// The newest boot that was asked when it was seen; a sight from before it does not speak of it.
    pub boot_epoch: u64,
    /// What was seen.
    pub sight: Sight,
    /// The process that runs it.
    pub running: Option<Running>,
    /// How its last process ended.
    pub last_exit: Option<Exit>,
    /// How often its restart policy has started it since it was last asked to boot.
    pub restarts: u32,
    /// The guest's addresses.
    pub addresses: Vec<IpAddr>,
    /// Further observations; one that is not named is dropped.
    pub conditions: Vec<Condition>,
    /// Fields of the specification that wait for the next boot.
    pub restart_required: Vec<String>,
}

/// What control offers a node.
#[async_trait::async_trait]
pub trait Placements: Send + Sync {
    /// Tells who the node is and what it can do; repeating it is fine.
    async fn register(&self, node: Node) -> Result<(), Fault>;
    /// What should be on this node.
    async fn subscribe(&self, node: NodeId) -> Result<BoxStream<'static, Placement>, Fault>;
    /// Takes a report. When it answers, the report is as lasting as it needs to be.
    async fn report(&self, node: NodeId, report: Report) -> Result<(), Fault>;
    /// Takes what became of a snapshot. When it answers, that is lasting.
    async fn report_snapshot(&self, node: NodeId, report: SnapshotReport) -> Result<(), Fault>;
}

/// Where a node hands on what was used there.
#[async_trait::async_trait]
pub trait UsageDesk: Send + Sync {
    /// Takes a batch, once however often it comes; answers the last batch of the node that is taken and lasting,
    /// which the node need not keep for control any more.
    ///
    /// # Errors
    /// `LedgerBroken` where it does not follow what was taken; nothing has changed then.
    async fn take_usage(&self, batch: &Batch) -> Result<u64, Fault>;
    /// The node has nothing up to this batch any more: what of it was not taken never will be, and the next one is
    /// taken whatever it names as the one before. Lower than what was taken is no change.
    async fn pass_over_usage(&self, node: NodeId, through: u64) -> Result<(), Fault>;
}

/// What a node tells of usage while a caller waits.
#[async_trait::async_trait]
pub trait UsageReach: Send + Sync {
    /// Records that are kept on the node, one by one, oldest first.
    async fn records(&self, query: RawQuery) -> Result<Vec<Record>, Fault>;
}

/// What a node offers control.
#[async_trait::async_trait]
pub trait Reach: Send + Sync {
    /// Checks what only the node can: paths, their kind, rights and roots.
    async fn vet(&self, spec: &Spec) -> Result<(), Fault>;
    /// Counters of a running instance's devices, as its VMM counts them.
    async fn counters(&self, id: InstanceId) -> Result<Counters, Fault>;
    /// Interrupts a running instance's guest in a way that it cannot mask.
    async fn nmi(&self, id: InstanceId) -> Result<(), Fault>;
    /// What is on the node, set against what is claimed there. Nothing is changed.
    async fn census(&self) -> Result<Census, Fault>;
    /// What is on the node, and was not told by the subscription that it has.
    async fn orphans(&self) -> Result<Orphans, Fault>;
    /// Removes orphans with all that is of them; what is no orphan, or is there no more, is left alone. Answers
    /// when nothing of them is left.
    async fn release_orphans(&self, which: &Orphans) -> Result<(), Fault>;
    /// The serial console's log of an instance.
    async fn log(&self, id: InstanceId, query: LogQuery) -> Result<Answers<LogChunk>, Fault>;
    /// The serial console of an instance.
    async fn attach(&self, id: InstanceId, input: BoxStream<'static, ConsoleInput>) -> Result<Answers<Bytes>, Fault>;
}
