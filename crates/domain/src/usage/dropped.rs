//! Records that are dropped for want of room become gaps that hold their amounts.

use super::{Cause, Kind, Meter, Record};
use std::collections::BTreeMap;

/// What was dropped, gathered by meter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dropped(BTreeMap<Meter, Record>);

impl Dropped {
    /// Drops a record. A gap bears the sequence of the first record that is in it, reaches from the earliest
    /// instant to the latest, and names the sources of the last.
    pub fn take(&mut self, record: &Record) {
        let Some(gap) = self.0.get_mut(&record.meter) else {
            self.0.insert(record.meter, Record { kind: Kind::Gap(Cause::Dropped), ..*record });
            return;
        };
        gap.sequence = gap.sequence.min(record.sequence);
        if record.from.monotonic_nanos < gap.from.monotonic_nanos {
            gap.from = record.from;
        }
        if record.to.monotonic_nanos >= gap.to.monotonic_nanos {
            gap.to = record.to;
            gap.sources = record.sources;
        }
        gap.amounts = gap.amounts.plus(&record.amounts);
    }

    /// The gaps, one for each meter.
    #[must_use]
    pub fn into_gaps(self) -> Vec<Record> {
        self.0.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Amounts, Edge, Figure, Sources, Stamp};
    use super::*;
    use crate::{IncarnationId, InstanceId, Time};

    fn record(of: u8, sequence: u64, span: (u64, u64), used: u64) -> Record {
        let stamp = |nanos| Stamp { monotonic_nanos: nanos, wall: Time::from_nanos(0) };
        let mut amounts = Amounts::default();
        amounts[Figure::Cpu] = used;
        let (instance, incarnation) = (InstanceId::from_bytes([of; 16]), IncarnationId::from_bytes([of; 16]));
        let meter = Meter { instance, incarnation, epoch: 0 };
        let (from, to) = (stamp(span.0), stamp(span.1));
        Record { meter, sequence, kind: Kind::Window(Edge::Tick), from, to, amounts, sources: Sources::default() }
    }

    #[test]
    fn gaps_hold_what_was_dropped_whatever_comes_first() {
        let records = [record(1, 4, (40, 50), 7), record(2, 0, (0, 9), 1), record(1, 5, (50, 60), 5)];
        for order in [[0, 1, 2], [2, 1, 0]] {
            let mut dropped = Dropped::default();
            order.into_iter().for_each(|index| dropped.take(&records[index]));
            let gaps = dropped.into_gaps();
            let gap = |of, sequence, span, used| Record {
                kind: Kind::Gap(Cause::Dropped),
                ..record(of, sequence, span, used)
            };
            assert_eq!(gaps, [gap(1, 4, (40, 60), 12), gap(2, 0, (0, 9), 1)]);
            // Gaps that are dropped in their turn lose nothing.
            let mut again = Dropped::default();
            gaps.iter().for_each(|gap| again.take(gap));
            assert_eq!(again.into_gaps(), gaps);
        }
    }

    #[test]
    fn the_same_record_twice_counts_twice() {
        let mut dropped = Dropped::default();
        (0..3).for_each(|_| dropped.take(&record(1, 4, (40, 50), 7)));
        assert_eq!(dropped.into_gaps()[0].amounts[Figure::Cpu], 21);
    }
}
