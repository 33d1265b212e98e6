//! The batches of one node, in their order: what comes next, what came before, what comes too early.
//!
//! ```text
//!   first … │ recent hashes │ sequence │ next ─► taken, with what waited for it
//!                                      └──────── early: held, within a bound
//! ```
//!
//! A chain that was written down and read again takes what it would have taken before. A sequence whose hash is
//! no longer remembered counts as taken, whatever it holds; the first is remembered for good, so that a node
//! whose spool began anew is noticed.

use crate::spool::Batch;
use std::collections::{BTreeMap, VecDeque};
use weft_domain::{Fault, Reason};

/// How many hashes are remembered.
pub const RECENT: usize = 64;

/// Where a chain stands, to be written down.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Position {
    /// The last batch that was taken.
    pub sequence: u64,
    /// The first that was ever taken, with its hash.
    pub first: Option<(u64, [u8; 32])>,
    /// Hashes of the last ones, the newest last; none where batches were passed over.
    pub recent: VecDeque<[u8; 32]>,
}

impl Position {
    /// The hash of a batch that was taken, where it is remembered.
    fn hash(&self, sequence: u64) -> Option<[u8; 32]> {
        let back = usize::try_from(self.sequence.checked_sub(sequence)?).ok()?;
        let recent = self.recent.len().checked_sub(back + 1).map(|place| self.recent[place]);
        recent.or_else(|| self.first.filter(|(first, _)| *first == sequence).map(|(_, hash)| hash))
    }

    /// What the next batch must name as the one before; nothing where anything will do.
    fn last(&self) -> Option<[u8; 32]> {
        if self.sequence == 0 { Some([0; 32]) } else { self.recent.back().copied() }
    }

    fn follows(&self, batch: &Batch) -> bool {
        batch.sequence == self.sequence + 1 && self.last().is_none_or(|last| last == batch.previous)
    }

    fn advance(&mut self, batch: &Batch) {
        self.sequence = batch.sequence;
        self.first.get_or_insert((batch.sequence, batch.hash));
        self.recent.push_back(batch.hash);
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
    }
}

/// The batches of one node.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    position: Position,
    early: BTreeMap<u64, Batch>,
}

/// What is to be done with a batch.
#[derive(Debug, PartialEq, Eq)]
pub enum Offer {
    /// Nothing: it was taken before, or waits, or there is no room for it to wait.
    Nothing,
    /// It is taken, and these, which waited for it, after it.
    Take(Vec<Batch>),
}

impl Chain {
    /// A chain that stands here.
    #[must_use]
    pub const fn at(position: Position) -> Self {
        Self { position, early: BTreeMap::new() }
    }

    /// Where it stands.
    #[must_use]
    pub const fn position(&self) -> &Position {
        &self.position
    }

    /// How many records wait for batches before them.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.early.values().map(|batch| batch.records.len() + 1).sum()
    }

    /// Offers a batch, which is as it was sealed; records that wait may be so many.
    ///
    /// # Errors
    /// It does not follow; nothing has changed then.
    pub fn offer(&mut self, batch: &Batch, room: usize) -> Result<Offer, Fault> {
        let known =
            self.early.get(&batch.sequence).map(|held| held.hash).or_else(|| self.position.hash(batch.sequence));
        if batch.sequence == 0 || known.is_some_and(|known| known != batch.hash) {
            return Err(broken(batch, "is not the one of this number that came before"));
        }
        if batch.sequence <= self.position.sequence || self.early.contains_key(&batch.sequence) {
            return Ok(Offer::Nothing);
        }
        if self.position.follows(batch) {
            self.position.advance(batch);
            return Ok(Offer::Take(self.due()));
        }
        if batch.sequence == self.position.sequence + 1 {
            return Err(broken(batch, "names another as the one before it"));
        }
        self.hold(batch, room);
        Ok(Offer::Nothing)
    }

    /// Goes on after this batch without those before it; answers what waited for that.
    pub fn pass_over(&mut self, through: u64) -> Vec<Batch> {
        if through <= self.position.sequence {
            return Vec::new();
        }
        self.position.sequence = through;
        self.position.recent.clear();
        self.early = self.early.split_off(&(through + 1));
        self.due()
    }

    /// What waited for the last batch that was taken.
    fn due(&mut self) -> Vec<Batch> {
        let mut due = Vec::new();
        while let Some(next) = self.early.remove(&(self.position.sequence + 1)) {
            if !self.position.follows(&next) {
                // It is refused when it is sent again.
                break;
            }
            self.position.advance(&next);
            due.push(next);
        }
        due
    }

    /// Holds a batch that came early; those that are furthest off make room.
    fn hold(&mut self, batch: &Batch, room: usize) {
        self.early.insert(batch.sequence, batch.clone());
        while self.waiting() > room && self.early.pop_last().is_some() {}
    }
}

/// A batch that does not follow.
#[must_use]
pub fn broken(batch: &Batch, why: &str) -> Fault {
    Fault::new(Reason::LedgerBroken, format!("batch {} of {} {why}", batch.sequence, batch.node))
        .fix("see whether the node's spool was lost or copied; a node that begins anew needs an id of its own")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use weft_domain::NodeId;

    fn batches(count: u64) -> Vec<Batch> {
        let mut previous = [0; 32];
        let seal = |sequence| {
            let batch = Batch::seal(NodeId::from_bytes([1; 16]), sequence, previous, Vec::new());
            previous = batch.hash;
            batch
        };
        (1..=count).map(seal).collect()
    }

    proptest! {
        #[test]
        fn every_batch_is_taken_once_in_order(order in prop::collection::vec(0usize..90, 0..400), room in 0usize..20) {
            let all = batches(90);
            let (mut chain, mut taken) = (Chain::default(), Vec::new());
            for which in order.into_iter().chain(0..90) {
                if let Offer::Take(due) = chain.offer(&all[which], room).expect("it follows") {
                    taken.push(all[which].sequence);
                    taken.extend(due.iter().map(|batch| batch.sequence));
                }
                prop_assert!(chain.waiting() <= room);
                chain = Chain { early: chain.early, ..Chain::at(chain.position.clone()) };
            }
            prop_assert_eq!(taken, (1..=90).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_batch_that_does_not_follow_is_refused() {
        let all = batches(RECENT as u64 + 20);
        let mut chain = Chain::default();
        assert!(chain.offer(&Batch::seal(all[0].node, 1, [7; 32], Vec::new()), 9).is_err(), "nothing was before");
        for batch in &all {
            chain.offer(batch, 9).expect("it follows");
        }
        let forged = |sequence| Batch::seal(all[0].node, sequence, [7; 32], Vec::new());
        let last = all.len() as u64;
        for sequence in [0, 1, last - 1, last, last + 1] {
            assert!(chain.offer(&forged(sequence), 9).is_err(), "{sequence}");
        }
        chain.offer(&forged(last + 2), 9).expect("nobody knows yet");
        assert!(chain.offer(&Batch::seal(all[0].node, last + 2, [8; 32], Vec::new()), 9).is_err(), "one waits");
        let next = Batch::seal(all[0].node, last + 1, all[all.len() - 1].hash, Vec::new());
        assert_eq!(chain.offer(&next, 9), Ok(Offer::Take(Vec::new())), "what waited does not follow");
        assert_eq!((chain.position().sequence, chain.waiting()), (last + 1, 0));
    }

    #[test]
    fn what_a_node_lost_is_passed_over() {
        let all = batches(9);
        let mut chain = Chain::default();
        for which in [0, 4, 6, 7] {
            chain.offer(&all[which], 9).expect("it follows or waits");
        }
        assert_eq!(chain.pass_over(1), Vec::new());
        assert_eq!(chain.pass_over(6), all[6..8]);
        assert_eq!(chain.position().sequence, 8);
        assert_eq!(chain.offer(&all[4], 9), Ok(Offer::Nothing), "it is passed");
        assert_eq!(chain.offer(&all[8], 9), Ok(Offer::Take(Vec::new())));
        assert_eq!(chain.position().first, Some((1, all[0].hash)));
    }
}
