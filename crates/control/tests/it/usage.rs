//! Metering as a whole: batches of a node into the ledger in memory, and every question over them.

mod kept;
mod live;
mod pages;
mod people;
mod sums;

use crate::house::*;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;
use weft_control::{Config, Metering};
use weft_domain::usage::{Amounts, Record};
use weft_domain::{Fault, InstanceId, Time};
use weft_ports::api::{Grain, Usage, UsageLine, UsageQuery, UsageScope};
use weft_ports::ledger::conformance::sender::Sender;
use weft_ports::ledger::fake::Fake;
use weft_ports::link::{UsageDesk, UsageReach};
use weft_ports::spool::{Batch, RawQuery};
use weft_ports::store::Store;
use weft_ports::store::fake::Memory;
use weft_ports::task::{Task, spawn};

/// When the house's clock begins, in seconds.
pub(crate) const BEGIN: i64 = 1_000_000;

/// A house whose usage is kept.
pub(crate) struct Metered {
    pub(crate) house: House,
    pub(crate) metering: Metering,
    pub(crate) ledger: Fake,
    pub(crate) spool: Arc<Spool>,
    stop: oneshot::Sender<()>,
    run: Task<()>,
}

/// What the node keeps, in the order it was made.
#[derive(Default)]
pub(crate) struct Spool {
    pub(crate) records: Mutex<Vec<Record>>,
    /// It does not answer.
    pub(crate) silent: AtomicBool,
}

#[async_trait::async_trait]
impl UsageReach for Spool {
    async fn records(&self, query: RawQuery) -> Result<Vec<Record>, Fault> {
        if self.silent.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        let records = self.records.lock().expect("nobody panicked");
        let wanted = records.iter().filter(|record| {
            let mine = query.instances.is_empty() || query.instances.contains(&record.meter.instance);
            mine && query.from < record.to.wall && record.to.wall <= query.to
        });
        Ok(wanted.take(query.most).copied().collect())
    }
}

impl Metered {
    pub(crate) async fn new() -> Self {
        Self::of(Config::default(), Arc::new(Memory::default()), Fake::new()).await
    }

    pub(crate) async fn of(config: Config, store: Arc<dyn Store>, ledger: Fake) -> Self {
        let house = House::of(Blueprint { config, store, ..Blueprint::default() }).await;
        let metering = Metering::open(&house.control, Arc::new(ledger.clone())).await.expect("the ledger opens");
        let spool = Arc::new(Spool::default());
        metering.attach_node(house.node, Arc::clone(&spool) as Arc<dyn UsageReach>);
        let (stop, stopped) = oneshot::channel();
        let running = metering.clone();
        let run = spawn("metering", async move { running.run(async { drop(stopped.await) }).await });
        Self { house, metering, ledger, spool, stop, run }
    }

    /// Its node hands on batches, and keeps their records.
    pub(crate) async fn take(&self, batches: &[Batch]) {
        for batch in batches {
            self.spool.records.lock().expect("nobody panicked").extend(&batch.records);
            self.metering.take_usage(batch).await.expect("it follows");
        }
    }

    /// All lines, page by page.
    pub(crate) async fn all(&self, mut query: UsageQuery) -> Vec<UsageLine> {
        let mut lines = Vec::new();
        loop {
            let page = self.metering.query(&call(), &query).await.expect("a page");
            lines.extend(page.items);
            query.page_token = page.next_page_token;
            if query.page_token.is_empty() {
                return lines;
            }
        }
    }

    pub(crate) async fn refused(&self, query: UsageQuery) -> Fault {
        self.metering.query(&call(), &query).await.expect_err("it is refused")
    }

    /// Ends all; the store stays.
    pub(crate) async fn close(self) -> Arc<dyn Store> {
        drop(self.stop);
        self.run.await.expect("the loops end in order");
        self.house.close().await
    }
}

/// A question for all usage there is.
pub(crate) fn asks(grain: Grain) -> UsageQuery {
    UsageQuery { scope: UsageScope::default(), grain, page_size: 0, page_token: String::new() }
}

/// The same for a span of seconds.
pub(crate) fn within(query: UsageQuery, from: i64, to: i64) -> UsageQuery {
    let at = |second: i64| Some(Time::from_nanos(second * 1_000_000_000));
    UsageQuery { scope: UsageScope { from: at(from), to: at(to), ..query.scope }, ..query }
}

/// What each instance used by these records, of those that end in this span.
pub(crate) fn used(records: &[Record], from: i64, to: i64) -> BTreeMap<InstanceId, Amounts> {
    let (from, to) = (from * 1_000_000_000, to * 1_000_000_000);
    let mut sums = BTreeMap::new();
    for record in records.iter().filter(|record| from < record.to.wall.as_nanos() && record.to.wall.as_nanos() <= to) {
        let sum: &mut Amounts = sums.entry(record.meter.instance).or_default();
        *sum = sum.plus(&record.amounts);
    }
    sums
}

/// What each instance used by these lines.
pub(crate) fn summed(lines: &[UsageLine]) -> BTreeMap<InstanceId, Amounts> {
    let mut sums = BTreeMap::new();
    for line in lines {
        let sum: &mut Amounts = sums.entry(line.subject.instance).or_default();
        *sum = sum.plus(&line.amounts);
    }
    sums
}

/// A node with four instances that nobody has heard of.
pub(crate) fn strangers(metered: &Metered) -> Sender {
    let ids = (1..=4).map(|i| InstanceId::new(Time::from_millis(BEGIN * 1_000), [i; 10])).collect();
    Sender::of(metered.house.node, ids)
}

/// The clock goes on by so many seconds.
pub(crate) fn later(metered: &Metered, seconds: u64) {
    metered.house.clock.advance(Duration::from_secs(seconds));
}
