//! What all questions of usage share: the ledger, the subjects, and the ways to the nodes' records.

use super::scope::{Asked, Terms};
use crate::core::Core;
use crate::refusal;
use crate::subjects::Subjects;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, RwLock};
use tokio::sync::broadcast::Sender;
use tokio_util::sync::CancellationToken;
use weft_domain::usage::{Bucket, Record};
use weft_domain::{Fault, NodeId, Time};
use weft_ports::api::{Grain, Subject, UsageLine, UsageScope};
use weft_ports::ledger::Ledger;
use weft_ports::link::UsageReach;

/// Seconds that a reader may be behind, and that are read at once after a stall.
pub(super) const BEHIND: usize = 8;

/// What was used in one second, and by whom.
pub(super) struct Second {
    /// When it begins, in seconds since the epoch.
    pub(super) begins: i64,
    /// What each used.
    pub(super) used: Vec<(Arc<Subject>, Bucket)>,
}

/// The books of a fleet.
pub(super) struct Books {
    pub(super) core: Arc<Core>,
    pub(super) ledger: Arc<dyn Ledger>,
    pub(super) subjects: Arc<Subjects>,
    /// Each second that has ended, to those who watch.
    pub(super) seconds: Sender<Arc<Second>>,
    /// Ends streams when the loops end.
    pub(super) closing: CancellationToken,
    reach: RwLock<HashMap<NodeId, Arc<dyn UsageReach>>>,
}

impl Books {
    pub(super) async fn open(core: Arc<Core>, ledger: Arc<dyn Ledger>) -> Result<Self, Fault> {
        let subjects = Arc::new(Subjects::open(Arc::clone(&ledger)).await?);
        if core.subjects.set(Arc::clone(&subjects)).is_err() {
            return Err(Fault::internal("usage is kept by one ledger, and was opened twice"));
        }
        let closing = core.closing.child_token();
        Ok(Self { core, ledger, subjects, seconds: Sender::new(BEHIND), closing, reach: RwLock::default() })
    }

    /// Gives the way to a node's records.
    pub(super) fn attach(&self, node: NodeId, reach: Arc<dyn UsageReach>) {
        self.reach.write().expect("no lock of ways is held over a panic").insert(node, reach);
    }

    /// No node is asked any more: an agent holds this, and this its agent.
    pub(super) fn detach(&self) {
        self.reach.write().expect("no lock of ways is held over a panic").clear();
    }

    /// The ways to all nodes that may have records: one that is away must not make an answer shorter.
    pub(super) fn nodes(&self) -> Result<Vec<Arc<dyn UsageReach>>, Fault> {
        let mut nodes: BTreeSet<NodeId> = self.core.memory.read().nodes.keys().copied().collect();
        let reach = self.reach.read().expect("no lock of ways is held over a panic");
        nodes.extend(reach.keys());
        nodes.iter().map(|node| reach.get(node).cloned().ok_or_else(|| refusal::node_away(Some(*node)))).collect()
    }

    /// When it is, and what is kept.
    pub(super) fn terms(&self) -> Terms {
        Terms { now: self.core.now(), keep: self.core.config.usage_kept }
    }

    /// What is asked, of whom by now.
    pub(super) fn asked(&self, scope: &UsageScope, grain: Grain, end: Option<Time>) -> Result<Asked, Fault> {
        Asked::of((scope, grain), end, self.subjects.everyone(&self.core.memory), &self.terms())
    }
}

/// The line of a sum.
pub(super) fn sum(subject: &Subject, (from, to): (Time, Time), bucket: &Bucket) -> UsageLine {
    let (subject, Bucket { amounts, records, gaps }) = (subject.clone(), *bucket);
    UsageLine { subject, from, to, amounts, records, gaps, record: None }
}

/// The line of a record.
pub(super) fn line(subject: &Subject, record: Record) -> UsageLine {
    let (from, to) = (record.from.wall, record.to.wall);
    UsageLine { record: Some(Box::new(record)), ..sum(subject, (from, to), &Bucket::of(&record)) }
}
