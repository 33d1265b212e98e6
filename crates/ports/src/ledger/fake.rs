//! The ledger in memory. Clones share it; [`Fake::reopened`] is what another process finds.

use super::chain::{Chain, Offer, broken};
use super::{BucketQuery, Keep, Ledger, Subject, Used};
use crate::spool::Batch;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use weft_domain::usage::{Bucket, Kind, Record, Width, bucket};
use weft_domain::{Fault, IncarnationId, InstanceId, NodeId, Reason, Time};

/// Records that may wait for batches before theirs.
const ROOM: usize = 10_000;

/// A ledger in memory.
#[derive(Debug, Clone)]
pub struct Fake {
    held: Arc<Mutex<Held>>,
}

#[derive(Debug)]
struct Held {
    keep: Keep,
    now: Books,
    /// What is lasting; nothing where everything is.
    lasting: Option<Books>,
    closed: bool,
}

#[derive(Debug, Clone, Default)]
struct Books {
    chains: BTreeMap<NodeId, Chain>,
    buckets: BTreeMap<(Width, InstanceId, i64), Bucket>,
    gaps: BTreeMap<(Time, InstanceId, IncarnationId, u64), Record>,
    subjects: BTreeMap<InstanceId, Subject>,
}

impl Default for Fake {
    fn default() -> Self {
        Self::new()
    }
}

impl Fake {
    /// An empty ledger, in which what is taken is lasting at once.
    #[must_use]
    pub fn new() -> Self {
        Self::of(Books::default(), None)
    }

    /// An empty ledger, in which what is taken is lasting when it is told to be.
    #[must_use]
    pub fn lagging() -> Self {
        Self::of(Books::default(), Some(Books::default()))
    }

    fn of(now: Books, lasting: Option<Books>) -> Self {
        Self { held: Arc::new(Mutex::new(Held { keep: Keep::default(), now, lasting, closed: false })) }
    }

    /// Makes what was taken lasting.
    pub fn settle(&self) {
        self.held().settle();
    }

    /// What another process finds that opens it now: what is lasting.
    #[must_use]
    pub fn reopened(&self) -> Self {
        let held = self.held();
        let found = held.lasting.as_ref().unwrap_or(&held.now).after_a_crash();
        Self::of(found.clone(), held.lasting.is_some().then_some(found))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Result<MutexGuard<'_, Held>, Fault> {
        let held = self.held();
        if held.closed { Err(Fault::new(Reason::Away, "the ledger is closed")) } else { Ok(held) }
    }
}

impl Held {
    fn settle(&mut self) {
        if self.lasting.is_some() {
            self.lasting = Some(self.now.clone());
        }
    }

    fn lasting(&self, node: NodeId) -> u64 {
        let books = self.lasting.as_ref().unwrap_or(&self.now);
        books.chains.get(&node).map_or(0, |chain| chain.position().sequence)
    }
}

impl Books {
    /// Without what waits.
    fn after_a_crash(&self) -> Self {
        let mut books = self.clone();
        for chain in books.chains.values_mut() {
            *chain = Chain::at(chain.position().clone());
        }
        books
    }

    fn add(&mut self, batch: &Batch) {
        for record in &batch.records {
            let (instance, end) = (record.meter.instance, record.to.wall);
            for width in Width::ALL {
                let into = self.buckets.entry((width, instance, bucket(end, width))).or_default();
                *into = into.plus(&Bucket::of(record));
            }
            if matches!(record.kind, Kind::Gap(_)) {
                self.gaps.insert((end, instance, record.meter.incarnation, record.sequence), *record);
            }
        }
    }

    fn prune(&mut self, keep: &Keep, now: Time) {
        self.buckets.retain(|(width, _, begins), _| begins + width.seconds() > keep.since(*width, now));
        let oldest = keep.since(Width::Day, now);
        self.gaps.retain(|(end, ..), _| bucket(*end, Width::Day) + Width::Day.seconds() > oldest);
        let used: BTreeSet<InstanceId> = self.buckets.keys().map(|(_, instance, _)| *instance).collect();
        let made = |id: &InstanceId| id.made().as_nanos().div_euclid(1_000_000_000);
        self.subjects.retain(|id, _| used.contains(id) || made(id) > oldest);
    }
}

#[async_trait::async_trait]
impl Ledger for Fake {
    async fn take(&self, batch: &Batch) -> Result<u64, Fault> {
        let mut held = self.open()?;
        if !batch.is_whole() {
            return Err(broken(batch, "is not as it was sealed"));
        }
        if let Offer::Take(due) = held.now.chains.entry(batch.node).or_default().offer(batch, ROOM)? {
            held.now.add(batch);
            due.iter().for_each(|batch| held.now.add(batch));
        }
        Ok(held.lasting(batch.node))
    }

    async fn taken(&self, node: NodeId) -> Result<u64, Fault> {
        Ok(self.open()?.lasting(node))
    }

    async fn pass_over(&self, node: NodeId, through: u64) -> Result<(), Fault> {
        let mut held = self.open()?;
        let due = held.now.chains.entry(node).or_default().pass_over(through);
        due.iter().for_each(|batch| held.now.add(batch));
        held.settle();
        Ok(())
    }

    async fn buckets(&self, query: &BucketQuery) -> Result<Vec<Used>, Fault> {
        let held = self.open()?;
        let instances: BTreeSet<_> = query.instances.iter().copied().collect();
        let lies = |begins: i64| {
            let at = i128::from(begins) * 1_000_000_000;
            i128::from(query.from.as_nanos()) <= at && at < i128::from(query.to.as_nanos())
        };
        let found = held.now.buckets.iter().filter(|((width, instance, begins), _)| {
            let comes = query.after.is_none_or(|after| (*instance, *begins) > after);
            *width == query.width && instances.contains(instance) && lies(*begins) && comes
        });
        let used =
            found.map(|((_, instance, begins), bucket)| Used { instance: *instance, begins: *begins, bucket: *bucket });
        Ok(used.take(query.most).collect())
    }

    async fn gaps(&self, instances: &[InstanceId], from: Time, to: Time, most: usize) -> Result<Vec<Record>, Fault> {
        let held = self.open()?;
        let found = held
            .now
            .gaps
            .values()
            .filter(|gap| instances.contains(&gap.meter.instance) && from < gap.to.wall && gap.to.wall <= to);
        Ok(found.take(most).copied().collect())
    }

    async fn remember(&self, subjects: &[Subject]) -> Result<(), Fault> {
        let mut held = self.open()?;
        for subject in subjects {
            held.now.subjects.insert(subject.instance, subject.clone());
        }
        held.settle();
        Ok(())
    }

    async fn subjects(&self) -> Result<Vec<Subject>, Fault> {
        Ok(self.open()?.now.subjects.values().cloned().collect())
    }

    async fn prune(&self, now: Time) -> Result<(), Fault> {
        let mut held = self.open()?;
        let keep = held.keep;
        held.now.prune(&keep, now);
        held.settle();
        Ok(())
    }

    async fn close(&self) {
        let mut held = self.held();
        held.settle();
        held.closed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::conformance::{self, Setting};

    struct Again(Mutex<Fake>);

    #[async_trait::async_trait]
    impl Setting for Again {
        async fn open(&self) -> Arc<dyn Ledger> {
            let mut fake = self.0.lock().expect("no test panics here");
            *fake = fake.reopened();
            Arc::new(fake.clone())
        }

        fn keep(&self) -> Keep {
            Keep::default()
        }
    }

    #[tokio::test]
    async fn keeps_the_laws() {
        conformance::run(&Again(Mutex::new(Fake::new()))).await;
        conformance::run(&Again(Mutex::new(Fake::lagging()))).await;
    }
}
