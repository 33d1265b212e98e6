//! What the ledger holds in memory, and what readers see: the newest view of the file with all that was taken
//! and is not in it.
//!
//! ```text
//!  take ─► chain of the node ─► load ── begin ─► writing ── landed ─► in the view
//!                                 ▲                 └────── refused ─┐
//!                                 └──────────────────────────────────┘
//! ```
//! A view and what is missing in it change together, so that nothing is seen twice or not at all.

use super::load::Load;
use super::view::View;
use crate::Error;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use weft_domain::usage::{Bucket, Record, Width};
use weft_domain::{Fault, InstanceId, NodeId};
use weft_ports::ledger::chain::{Chain, Offer, Position};
use weft_ports::spool::Batch;

/// How long a ledger that could not be written is left alone.
const PAUSE: Duration = Duration::from_secs(5);

/// How the file is.
#[derive(Clone)]
pub(crate) enum Stage {
    /// Open, at this view.
    Open(Arc<View>),
    /// Being opened again after the disk refused something.
    Reopening,
    /// It could not be opened again, for this reason.
    Broken(Fault),
    /// Closed in order.
    Closed,
}

/// How much memory holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Buckets and gaps that are not lasting yet.
    pub(crate) held: usize,
    /// Records of batches that came early.
    pub(crate) waiting: usize,
    /// How long something is not lasting.
    pub(crate) span: Duration,
}

/// A node's batches.
#[derive(Default)]
struct Node {
    chain: Chain,
    lasting: u64,
}

/// What is in memory.
pub(crate) struct Front {
    pub(crate) stage: Stage,
    bounds: Bounds,
    nodes: HashMap<NodeId, Node>,
    load: Load,
    writing: Option<Arc<Load>>,
    due: Option<Instant>,
    /// Why it could not be written a moment ago.
    refused: Option<(Instant, Fault)>,
}

impl Front {
    /// Nothing, over a file that was just opened, in which nodes stand so.
    pub(crate) fn new(view: View, nodes: Vec<(NodeId, Position)>, bounds: Bounds) -> Self {
        let stands = |(id, position): (NodeId, Position)| {
            let lasting = position.sequence;
            (id, Node { chain: Chain::at(position), lasting })
        };
        let nodes = nodes.into_iter().map(stands).collect();
        let stage = Stage::Open(Arc::new(view));
        Self { stage, bounds, nodes, load: Load::default(), writing: None, due: None, refused: None }
    }

    /// Refuses what is asked of a closed ledger.
    pub(crate) fn opened(&self) -> Result<(), Fault> {
        if matches!(self.stage, Stage::Closed) { Err(Error::Closed.into()) } else { Ok(()) }
    }

    /// Takes a batch that is as it was sealed.
    pub(crate) fn take(&mut self, batch: &Batch) -> Result<(), Fault> {
        self.opened()?;
        let waiting = self.waiting();
        let node = self.nodes.entry(batch.node).or_default();
        let room = self.bounds.waiting.saturating_sub(waiting - node.chain.waiting());
        let Offer::Take(due) = node.chain.offer(batch, room)? else { return Ok(()) };
        self.load.add(batch);
        self.taken(batch.node, &due);
        Ok(())
    }

    /// Goes on after this batch of a node without those before it.
    pub(crate) fn pass_over(&mut self, node: NodeId, through: u64) -> Result<(), Fault> {
        self.opened()?;
        let due = self.nodes.entry(node).or_default().chain.pass_over(through);
        self.taken(node, &due);
        Ok(())
    }

    fn taken(&mut self, id: NodeId, due: &[Batch]) {
        due.iter().for_each(|batch| self.load.add(batch));
        if let Some(node) = self.nodes.get(&id) {
            self.load.nodes.insert(id, node.chain.position().clone());
        }
        self.due.get_or_insert_with(|| Instant::now() + self.bounds.span);
    }

    /// The last batch of a node that is lasting.
    pub(crate) fn lasting(&self, node: NodeId) -> u64 {
        self.nodes.get(&node).map_or(0, |node| node.lasting)
    }

    /// How many buckets and gaps are in memory.
    pub(crate) fn held(&self) -> usize {
        self.load.held() + self.writing.as_ref().map_or(0, |load| load.held())
    }

    /// How many records wait for batches before theirs.
    pub(crate) fn waiting(&self) -> usize {
        self.nodes.values().map(|node| node.chain.waiting()).sum()
    }

    /// Whether no more may be taken before something is lasting.
    pub(crate) fn is_full(&self) -> bool {
        self.load.held() >= self.bounds.held
    }

    /// Why nothing can be made lasting, where that was found a moment ago.
    pub(crate) fn hindrance(&self) -> Option<Fault> {
        self.refused.as_ref().filter(|(at, _)| at.elapsed() < PAUSE).map(|(_, fault)| fault.clone())
    }

    /// Whether something should be made lasting now.
    pub(crate) fn is_due(&self) -> bool {
        self.due.is_some_and(|due| due <= Instant::now())
    }

    /// What is to be made lasting, where there is anything.
    pub(crate) fn begin(&mut self) -> Option<Arc<Load>> {
        self.due = None;
        if self.load.is_empty() {
            return None;
        }
        let load = Arc::new(std::mem::take(&mut self.load));
        self.writing = Some(Arc::clone(&load));
        Some(load)
    }

    /// It is lasting, and in this view.
    pub(crate) fn landed(&mut self, view: View) {
        self.stage = Stage::Open(Arc::new(view));
        self.refused = None;
        for (id, position) in self.writing.take().iter().flat_map(|load| &load.nodes) {
            if let Some(node) = self.nodes.get_mut(id) {
                node.lasting = position.sequence;
            }
        }
    }

    /// It is not lasting, and is held on.
    pub(crate) fn refused(&mut self, fault: Fault) {
        let Some(writing) = self.writing.take() else { return };
        let later = std::mem::replace(&mut self.load, Arc::unwrap_or_clone(writing));
        self.load.append(later);
        self.due = Some(Instant::now() + PAUSE);
        self.refused = Some((Instant::now(), fault));
    }

    fn loads(&self) -> impl Iterator<Item = &Load> {
        self.writing.as_deref().into_iter().chain([&self.load])
    }

    /// Whether usage of this instance is in memory.
    pub(crate) fn names(&self, instance: InstanceId) -> bool {
        self.loads().any(|load| load.names(instance))
    }

    /// What is in memory of these instances, in their order.
    pub(crate) fn sums(&self, instances: &[InstanceId], width: Width) -> Vec<BTreeMap<i64, Bucket>> {
        let sum = |instance: &InstanceId| {
            let mut sum = BTreeMap::new();
            self.loads().for_each(|load| load.sum(*instance, width, &mut sum));
            sum
        };
        instances.iter().map(sum).collect()
    }

    /// Gaps in memory.
    pub(crate) fn gaps(&self, lies: impl Fn(&Record) -> bool) -> Vec<Record> {
        self.loads().flat_map(|load| &load.gaps).filter(|gap| lies(gap)).copied().collect()
    }
}
