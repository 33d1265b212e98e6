//! A spool in memory. Clones share it, so a second agent reads what the first one wrote down.

use super::{Batch, Consumer, RawQuery, Spool};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use weft_domain::usage::{Dropped, Edge, Kind, Record, Standing};
use weft_domain::{Fault, IncarnationId, NodeId, Reason};

/// A batch of so many records is full.
const FULL: usize = 4096;

/// A spool in memory.
#[derive(Debug, Clone)]
pub struct Fake {
    held: Arc<Mutex<Held>>,
    grown: Arc<Notify>,
}

#[derive(Debug)]
struct Held {
    node: NodeId,
    room: usize,
    batches: Vec<Batch>,
    pending: Vec<Record>,
    standings: BTreeMap<IncarnationId, Standing>,
    next: u64,
    last: [u8; 32],
    acknowledged: BTreeMap<Consumer, u64>,
    refuse: Option<Fault>,
}

impl Fake {
    /// One of this node, with room for so many records.
    #[must_use]
    pub fn new(node: NodeId, room: usize) -> Self {
        let held = Held {
            node,
            room,
            batches: Vec::new(),
            pending: Vec::new(),
            standings: BTreeMap::new(),
            next: 1,
            last: [0; 32],
            acknowledged: BTreeMap::new(),
            refuse: None,
        };
        Self { held: Arc::new(Mutex::new(held)), grown: Arc::default() }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses what is appended next with this.
    pub fn refuse_next(&self, fault: Fault) {
        self.held().refuse = Some(fault);
    }

    /// All records that are kept, in batches or not yet.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        let held = self.held();
        held.batches.iter().flat_map(|batch| &batch.records).chain(&held.pending).copied().collect()
    }
}

impl Held {
    fn first(&self) -> u64 {
        self.batches.first().map_or(self.next, |batch| batch.sequence)
    }

    fn seal(&mut self) {
        let rest = self.pending.split_off(self.pending.len().min(FULL));
        let batch = Batch::seal(self.node, self.next, self.last, std::mem::replace(&mut self.pending, rest));
        (self.next, self.last) = (self.next + 1, batch.hash);
        self.batches.push(batch);
    }

    fn make_room(&mut self) {
        let kept: usize = self.batches.iter().map(|batch| batch.records.len()).sum();
        if kept + self.pending.len() <= self.room {
            return;
        }
        let read = self.acknowledged.get(&Consumer::Ledger).copied().unwrap_or(0);
        let mut dropped = Dropped::default();
        // Gaps need room too: half of it is made free.
        let mut left = kept + self.pending.len();
        while left > self.room / 2 {
            let records = if self.batches.is_empty() {
                std::mem::take(&mut self.pending)
            } else {
                let batch = self.batches.remove(0);
                left -= batch.records.len();
                if batch.sequence <= read { Vec::new() } else { batch.records }
            };
            records.iter().for_each(|record| dropped.take(record));
            if self.pending.is_empty() && self.batches.is_empty() {
                break;
            }
        }
        self.pending.extend(dropped.into_gaps());
    }

    fn find(&self, after: u64) -> Result<Option<Batch>, Fault> {
        if after >= self.next {
            return Err(Fault::new(Reason::FieldInvalid, format!("there is no batch {after}")));
        }
        let first = self.first();
        if after + 1 < first {
            let why = format!("batch {} was dropped for want of room; {first} is the first that is there", after + 1);
            return Err(Fault::new(Reason::RevisionCompacted, why));
        }
        Ok(self.batches.iter().find(|batch| batch.sequence == after + 1).cloned())
    }
}

#[async_trait::async_trait]
impl Spool for Fake {
    fn append(&self, records: &[Record], standings: &[Standing]) -> Result<(), Fault> {
        let mut held = self.held();
        if let Some(fault) = held.refuse.take() {
            return Err(fault);
        }
        held.pending.extend_from_slice(records);
        held.standings.extend(standings.iter().map(|standing| (standing.meter.incarnation, *standing)));
        for record in records {
            if record.kind == Kind::Window(Edge::Exit) {
                held.standings.remove(&record.meter.incarnation);
            }
        }
        held.make_room();
        drop(held);
        self.grown.notify_waiters();
        Ok(())
    }

    fn standings(&self) -> Vec<Standing> {
        self.held().standings.values().copied().collect()
    }

    async fn batch(&self, after: u64, wait: Duration) -> Result<Option<Batch>, Fault> {
        let full = async {
            loop {
                let grown = self.grown.notified();
                {
                    let mut held = self.held();
                    let found = held.find(after)?;
                    if found.is_some() {
                        return Ok(found);
                    }
                    if held.pending.len() >= FULL {
                        held.seal();
                        continue;
                    }
                }
                grown.await;
            }
        };
        if !wait.is_zero()
            && let Ok(answer) = tokio::time::timeout(wait, full).await
        {
            return answer;
        }
        let mut held = self.held();
        let found = held.find(after)?;
        if found.is_none() && !held.pending.is_empty() {
            held.seal();
            return held.find(after);
        }
        Ok(found)
    }

    fn first(&self) -> u64 {
        self.held().first()
    }

    async fn acknowledge(&self, consumer: Consumer, sequence: u64) -> Result<(), Fault> {
        let mut held = self.held();
        if sequence >= held.next {
            return Err(Fault::new(Reason::FieldInvalid, format!("there is no batch {sequence}")));
        }
        let had = held.acknowledged.entry(consumer).or_insert(0);
        *had = sequence.max(*had);
        Ok(())
    }

    fn acknowledged(&self, consumer: Consumer) -> u64 {
        self.held().acknowledged.get(&consumer).copied().unwrap_or(0)
    }

    async fn read(&self, query: RawQuery) -> Result<Vec<Record>, Fault> {
        Ok(self.records().into_iter().filter(|record| query.wants(record)).take(query.most).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::conformance;

    #[tokio::test]
    async fn keeps_the_laws() {
        let fake = Fake::new(NodeId::from_bytes([5; 16]), 1 << 20);
        conformance::all(|| {
            let again = fake.clone();
            async move { Box::new(again) as Box<dyn Spool> }
        })
        .await;
    }

    #[tokio::test]
    async fn stays_in_its_room() {
        conformance::bounded(&Fake::new(NodeId::from_bytes([5; 16]), 2_000)).await;
    }
}
