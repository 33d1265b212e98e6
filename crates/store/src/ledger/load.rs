//! What was taken and is not lasting yet: buckets of seconds by instance, gaps, and where its nodes stand.

use super::block::{self, Placed};
use std::collections::{BTreeMap, HashMap};
use weft_domain::usage::{Bucket, Kind, Record, Width, bucket};
use weft_domain::{InstanceId, NodeId};
use weft_ports::ledger::chain::Position;
use weft_ports::spool::Batch;

/// What was taken and is not lasting yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Load {
    /// Of each instance the seconds in which it used something, in their order.
    used: HashMap<InstanceId, Vec<(i64, Bucket)>>,
    /// Gaps, as they came.
    pub(crate) gaps: Vec<Record>,
    /// Where nodes stand with it.
    pub(crate) nodes: HashMap<NodeId, Position>,
    seconds: usize,
}

impl Load {
    /// Adds what a batch holds.
    pub(crate) fn add(&mut self, batch: &Batch) {
        for record in &batch.records {
            self.put(record.meter.instance, bucket(record.to.wall, Width::Second), &Bucket::of(record));
            if matches!(record.kind, Kind::Gap(_)) {
                self.gaps.push(*record);
            }
        }
    }

    fn put(&mut self, instance: InstanceId, second: i64, bucket: &Bucket) {
        let seconds = self.used.entry(instance).or_default();
        // Nearly always it is the second that was the last one before, or the next.
        let place = match seconds.last() {
            Some((last, _)) if *last == second => Ok(seconds.len() - 1),
            Some((last, _)) if *last > second => seconds.binary_search_by_key(&second, |(at, _)| *at),
            _ => Err(seconds.len()),
        };
        match place {
            Ok(place) => seconds[place].1 = seconds[place].1.plus(bucket),
            Err(place) => {
                seconds.insert(place, (second, *bucket));
                self.seconds += 1;
            }
        }
    }

    /// How many buckets and gaps are held.
    pub(crate) fn held(&self) -> usize {
        self.seconds + self.gaps.len()
    }

    /// Whether there is nothing to be made lasting.
    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Whether anything of this instance is held.
    pub(crate) fn names(&self, instance: InstanceId) -> bool {
        self.used.contains_key(&instance)
    }

    /// The instances, in their order.
    pub(crate) fn instances(&self) -> Vec<InstanceId> {
        let mut instances: Vec<_> = self.used.keys().copied().collect();
        instances.sort_unstable();
        instances
    }

    /// Adds an instance's buckets of this width to those that are there.
    pub(crate) fn sum(&self, instance: InstanceId, width: Width, into: &mut BTreeMap<i64, Bucket>) {
        for (second, bucket) in self.used.get(&instance).into_iter().flatten() {
            let begins = second.div_euclid(width.seconds()) * width.seconds();
            let sum = into.entry(begins).or_default();
            *sum = sum.plus(bucket);
        }
    }

    /// An instance's blocks of this width: when each begins, and its buckets.
    pub(crate) fn blocks(&self, instance: InstanceId, width: Width) -> Vec<(i64, Vec<Placed>)> {
        let mut buckets = BTreeMap::new();
        self.sum(instance, width, &mut buckets);
        let mut blocks: Vec<(i64, Vec<Placed>)> = Vec::new();
        for (begins, bucket) in buckets {
            let (block, placed) = (block::begin(width, begins), (block::place(width, begins), bucket));
            match blocks.last_mut().filter(|(last, _)| *last == block) {
                Some((_, buckets)) => buckets.push(placed),
                None => blocks.push((block, vec![placed])),
            }
        }
        blocks
    }

    /// Takes in what came after it.
    pub(crate) fn append(&mut self, later: Self) {
        for (instance, seconds) in later.used {
            for (second, bucket) in seconds {
                self.put(instance, second, &bucket);
            }
        }
        self.gaps.extend(later.gaps);
        self.nodes.extend(later.nodes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use weft_domain::Time;
    use weft_ports::ledger::conformance::expected;
    use weft_ports::ledger::conformance::sender::Sender;

    proptest! {
        #[test]
        fn blocks_hold_what_was_added(ends in prop::collection::vec((0usize..4, -9_000i64..9_000), 1..80), split in 0usize..80) {
            let mut sender = Sender::new();
            let records: Vec<_> =
                ends.into_iter().map(|(which, end)| sender.window(which, Time::from_nanos(end * 500_000_000))).collect();
            let (mut load, mut later) = (Load::default(), Load::default());
            let (first, second) = records.split_at(split.min(records.len()));
            load.add(&sender.batch(first.to_vec()));
            later.add(&sender.batch(second.to_vec()));
            load.append(later);
            for width in Width::ALL {
                let mut found = Vec::new();
                for instance in load.instances() {
                    for (begins, buckets) in load.blocks(instance, width) {
                        let at = |place: u8| begins + i64::from(place) * width.seconds();
                        found.extend(buckets.into_iter().map(|(place, bucket)| ((instance, at(place)), bucket)));
                    }
                }
                prop_assert_eq!(found, expected(&records, width).into_iter().collect::<Vec<_>>());
            }
            prop_assert_eq!(load.held(), expected(&records, Width::Second).len());
        }
    }
}
