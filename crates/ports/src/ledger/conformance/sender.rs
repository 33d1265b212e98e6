//! A node as a ledger sees it: batches, each after the one before.

use crate::clock::{Clock, System};
use crate::spool::Batch;
use weft_domain::usage::{Amounts, Cause, Edge, Figure, Kind, Meter, Record, Source, Sources, Stamp};
use weft_domain::{IncarnationId, InstanceId, NodeId, Time};

/// A node with its instances.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The node.
    pub node: NodeId,
    /// Its instances, by id.
    pub instances: Vec<InstanceId>,
    /// The last batch's sequence and hash.
    last: (u64, [u8; 32]),
    records: u64,
}

impl Default for Sender {
    fn default() -> Self {
        Self::new()
    }
}

impl Sender {
    /// A node that nobody knows, with four instances that nobody knows.
    #[must_use]
    pub fn new() -> Self {
        let clock = System;
        let node = NodeId::new(clock.now(), clock.random());
        let mut instances: Vec<_> = (0..4).map(|_| InstanceId::new(clock.now(), clock.random())).collect();
        instances.sort_unstable();
        Self::of(node, instances)
    }

    /// This node, of which nothing was sent, with these instances.
    #[must_use]
    pub const fn of(node: NodeId, instances: Vec<InstanceId>) -> Self {
        Self { node, instances, last: (0, [0; 32]), records: 0 }
    }

    /// A window of an instance that ended then.
    pub fn window(&mut self, which: usize, end: Time) -> Record {
        self.record(which, end, Kind::Window(Edge::Tick))
    }

    /// A gap of an instance that ended then.
    pub fn gap(&mut self, which: usize, end: Time, cause: Cause) -> Record {
        self.record(which, end, Kind::Gap(cause))
    }

    fn record(&mut self, which: usize, end: Time, kind: Kind) -> Record {
        let sequence = self.records;
        self.records += 1;
        let instance = self.instances[which];
        // It is another process on another node.
        let mut process = *instance.as_bytes();
        process.iter_mut().zip(self.node.as_bytes()).for_each(|(byte, node)| *byte ^= node);
        let (mut amounts, mut sources) = (Amounts::default(), Sources::default());
        for (place, figure) in Figure::ALL.into_iter().enumerate() {
            // Every figure has amounts of its own, and some have none at times.
            amounts[figure] = (sequence * 7919 + place as u64 * 104_729) % (1 << (3 * place + 5));
            sources[figure] = Source::ALL[place % Source::ALL.len()];
        }
        let wall = |nanos: i64| Time::from_nanos(end.as_nanos().saturating_sub(nanos));
        let monotonic_nanos = sequence * 100_000_000;
        Record {
            meter: Meter { instance, incarnation: IncarnationId::from_bytes(process), epoch: 1 },
            sequence,
            kind,
            from: Stamp { monotonic_nanos, wall: wall(100_000_000) },
            to: Stamp { monotonic_nanos: monotonic_nanos + 100_000_000, wall: wall(0) },
            amounts,
            sources,
        }
    }

    /// The next batch.
    pub fn batch(&mut self, records: Vec<Record>) -> Batch {
        let batch = Batch::seal(self.node, self.last.0 + 1, self.last.1, records);
        self.last = (batch.sequence, batch.hash);
        batch
    }

    /// Batches of these spans of a second, each with a record of each instance every quarter of a second.
    pub fn seconds(&mut self, begin: i64, count: u32) -> Vec<Batch> {
        (0..i64::from(count))
            .map(|second| {
                let quarters = (1..=4).map(|quarter| (begin + second) * 1_000_000_000 + quarter * 250_000_000);
                let ends: Vec<_> = quarters.map(Time::from_nanos).collect();
                let of = |(end, which): (Time, usize)| self.window(which, end);
                let each = ends.into_iter().flat_map(|end| (0..4).map(move |which| (end, which)));
                let records = each.map(of).collect();
                self.batch(records)
            })
            .collect()
    }
}

/// All records of these batches.
#[must_use]
pub fn records(batches: &[Batch]) -> Vec<Record> {
    batches.iter().flat_map(|batch| batch.records.iter().copied()).collect()
}
