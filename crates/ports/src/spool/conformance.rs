//! The laws of [`Spool`], as a suite that any implementation can be put through.
//!
//! `open` opens the same spool each time, after the former one was dropped. The suite panics where a law is broken.

mod fleet;

pub use fleet::Fleet;

use super::{Batch, Consumer, RawQuery, Spool};
use std::time::Duration;
use weft_domain::usage::{Amounts, Cause, Dropped, Edge, Figure, Kind, Record, Source, Sources, Stamp, Standing};
use weft_domain::{InstanceId, Reason, Time};

/// Not at all.
const NOW: Duration = Duration::ZERO;

/// Every law but those of room, on a spool that is empty.
pub async fn all<F: Future<Output = Box<dyn Spool>>>(open: impl Fn() -> F) {
    nothing_is_nothing(&open).await;
    records_come_back(&open).await;
    odd_records_come_back(&open).await;
    standings_are_kept(&open).await;
    a_batch_is_waited_for(&open).await;
    consumers_are_remembered(&open).await;
    records_are_found(&open).await;
}

/// The batches after this one, all that there are.
pub async fn batches(spool: &dyn Spool, after: u64) -> Vec<Batch> {
    let (mut all, mut last) = (Vec::<Batch>::new(), after);
    while let Some(batch) = spool.batch(last, NOW).await.expect("it can be read") {
        assert!(batch.is_whole() && batch.sequence == last + 1, "{batch:?}");
        if let Some(before) = all.last() {
            assert_eq!(batch.previous, before.hash, "each names the one before it");
        }
        last = batch.sequence;
        all.push(batch);
    }
    all
}

/// The last batch that there is.
async fn last(spool: &dyn Spool) -> u64 {
    batches(spool, spool.first() - 1).await.last().map_or(spool.first() - 1, |batch| batch.sequence)
}

fn records(batches: &[Batch]) -> Vec<Record> {
    batches.iter().flat_map(|batch| batch.records.clone()).collect()
}

fn sorted(mut standings: Vec<Standing>) -> Vec<Standing> {
    standings.sort_by_key(|standing| standing.meter);
    standings
}

async fn nothing_is_nothing<F: Future<Output = Box<dyn Spool>>>(open: &impl Fn() -> F) {
    let spool = open().await;
    assert_eq!(spool.batch(0, NOW).await.expect("it answers"), None);
    assert_eq!((spool.standings(), spool.first()), (Vec::new(), 1), "it begins empty");
    spool.append(&[], &[]).expect("nothing can be written down");
    assert_eq!(spool.batch(0, NOW).await.expect("it answers"), None);
    let fault = spool.batch(1, NOW).await.expect_err("there was never a batch");
    assert_eq!(fault.reason, Reason::FieldInvalid);
    for consumer in Consumer::ALL {
        assert_eq!(spool.acknowledged(consumer), 0);
    }
}

async fn records_come_back<F: Future<Output = Box<dyn Spool>>>(open: &impl Fn() -> F) {
    let spool = open().await;
    let before = last(&*spool).await;
    let (mut fleet, begun) = Fleet::begin(40, 1);
    spool.append(&[], &begun).expect("there is room");
    let mut written = Vec::new();
    for tick in 0..200 {
        if tick % 50 == 7 {
            fleet.step_wall(if tick < 100 { 3_600_000_000_000 } else { -7_200_000_000_000 });
        }
        let (records, standings) = fleet.tick();
        spool.append(&records, &standings).expect("there is room");
        written.extend(records);
        if tick % 70 == 9 {
            assert_eq!(records_after(&*spool, before).await, written);
        }
    }
    drop(spool);
    let again = open().await;
    let all = batches(&*again, before).await;
    assert_eq!(records(&all), written, "in the order and with the content in which they were written down");
    assert_eq!(sorted(again.standings()), sorted(fleet.standings()));
    assert_eq!(batches(&*again, before).await, all, "the same whenever it is asked for");
    let middle = all.len() / 2;
    let after = again.batch(before + middle as u64, NOW).await.expect("it is there").expect("it is there");
    assert_eq!(after, all[middle], "from wherever it is asked for");
    drop(again);
    assert_eq!(batches(&*open().await, before).await, all);
}

async fn records_after(spool: &dyn Spool, after: u64) -> Vec<Record> {
    records(&batches(spool, after).await)
}

/// Records as no sampler makes them: what is written down is not interpreted.
async fn odd_records_come_back<F: Future<Output = Box<dyn Spool>>>(open: &impl Fn() -> F) {
    let spool = open().await;
    let before = last(&*spool).await;
    let (mut fleet, begun) = Fleet::begin(3, 2);
    spool.append(&[], &begun).expect("there is room");
    let plain = fleet.tick().0;
    let mut written = Vec::new();
    let kinds = Edge::ALL.map(Kind::Window).into_iter().chain(Cause::ALL.map(Kind::Gap));
    for (index, kind) in kinds.enumerate() {
        let (mut amounts, mut sources) = (Amounts::default(), Sources::default());
        for (place, figure) in Figure::ALL.into_iter().enumerate() {
            amounts[figure] = if place % 2 == index % 2 { u64::MAX } else { place as u64 };
            sources[figure] = Source::ALL[(place + index) % Source::ALL.len()];
        }
        let extreme = if index % 2 == 0 { (u64::MAX, i64::MIN) } else { (0, i64::MAX) };
        let to = Stamp { monotonic_nanos: extreme.0, wall: Time::from_nanos(extreme.1) };
        let of = plain[index % plain.len()];
        let mut meter = of.meter;
        meter.epoch = if index % 3 == 0 { u32::MAX } else { 0 };
        let odd = Record { meter, sequence: u64::MAX - index as u64, kind, from: of.from, to, amounts, sources };
        let two = [odd, Record { from: to, to: of.to, ..odd }];
        spool.append(&two, &[]).expect("there is room");
        written.extend(two);
    }
    assert_eq!(records_after(&*spool, before).await, written);
    drop(spool);
    assert_eq!(records_after(&*open().await, before).await, written);
}

async fn standings_are_kept<F: Future<Output = Box<dyn Spool>>>(open: &impl Fn() -> F) {
    let spool = open().await;
    let (mut fleet, begun) = Fleet::begin(5, 3);
    let of_fleet = |spool: &dyn Spool, fleet: &Fleet| {
        let mine = spool.standings().into_iter().filter(|standing| fleet.has(&standing.meter)).collect();
        sorted(mine)
    };
    spool.append(&[], &begun).expect("there is room");
    assert_eq!(of_fleet(&*spool, &fleet), sorted(begun), "also before there is a record");
    for _ in 0..3 {
        let (records, standings) = fleet.tick();
        spool.append(&records, &standings).expect("there is room");
    }
    drop(spool);
    let again = open().await;
    assert_eq!(of_fleet(&*again, &fleet), sorted(fleet.standings()));
    let (record, standing) = fleet.end(2);
    again.append(&[record], &[standing]).expect("there is room");
    assert_eq!(fleet.standings().len(), 4);
    assert_eq!(of_fleet(&*again, &fleet), sorted(fleet.standings()), "one that has ended is not among them");
    drop(again);
    let last = open().await;
    assert_eq!(of_fleet(&*last, &fleet), sorted(fleet.standings()));
    for index in (0..4).rev() {
        let (record, standing) = fleet.end(index);
        last.append(&[record], &[standing]).expect("there is room");
    }
    assert_eq!(of_fleet(&*last, &fleet), Vec::new());
}

async fn a_batch_is_waited_for<F: Future<Output = Box<dyn Spool>>>(open: &impl Fn() -> F) {
    let spool = open().await;
    let before = last(&*spool).await;
    let (mut fleet, begun) = Fleet::begin(500, 4);
    spool.append(&[], &begun).expect("there is room");
    let long = Duration::from_secs(600);
    let write = async {
        let mut written = Vec::new();
        for _ in 0..20 {
            let (records, standings) = fleet.tick();
            spool.append(&records, &standings).expect("there is room");
            written.extend(records);
            tokio::task::yield_now().await;
        }
        written
    };
    let (batch, written) = futures::join!(spool.batch(before, long), write);
    let batch = batch.expect("it answers").expect("one is full long before the time is over");
    assert_eq!(batch.records, written[..batch.records.len()]);
    assert!(batch.records.len() >= 500, "a full batch is no less than a tick: {}", batch.records.len());
    assert_eq!(records_after(&*spool, before).await, written);
    let short = Duration::from_millis(5);
    assert_eq!(spool.batch(last(&*spool).await, short).await.expect("it answers"), None, "nothing is nothing");
}

async fn consumers_are_remembered<F: Future<Output = Box<dyn Spool>>>(open: &impl Fn() -> F) {
    let spool = open().await;
    let last = last(&*spool).await;
    assert!(last > 2, "there are some");
    spool.acknowledge(Consumer::Ledger, last).await.expect("it is there");
    spool.acknowledge(Consumer::Ledger, 1).await.expect("lower is no change");
    spool.acknowledge(Consumer::Sink, 2).await.expect("it is there");
    let fault = spool.acknowledge(Consumer::Sink, last + 1).await.expect_err("there is no such batch");
    assert_eq!(fault.reason, Reason::FieldInvalid);
    let remembered = async |spool: &dyn Spool| {
        let had = Consumer::ALL.map(|consumer| spool.acknowledged(consumer));
        assert_eq!(had, [last, 2]);
        assert!(spool.batch(last - 1, NOW).await.expect("it answers").is_some(), "what is had may be asked for again");
    };
    remembered(&*spool).await;
    drop(spool);
    remembered(&*open().await).await;
}

async fn records_are_found<F: Future<Output = Box<dyn Spool>>>(open: &impl Fn() -> F) {
    let spool = open().await;
    let (mut fleet, begun) = Fleet::begin(6, 5);
    spool.append(&[], &begun).expect("there is room");
    let mut written = Vec::new();
    for tick in 0..30 {
        if tick == 20 {
            fleet.step_wall(-3_600_000_000_000);
        }
        let (records, standings) = fleet.tick();
        spool.append(&records, &standings).expect("there is room");
        written.extend(records);
    }
    let mine: Vec<InstanceId> = begun.iter().map(|standing| standing.meter.instance).collect();
    let all = RawQuery {
        instances: mine.clone(),
        from: Time::from_nanos(i64::MIN),
        to: Time::from_nanos(i64::MAX),
        most: 1_000,
    };
    let middle = written[written.len() / 3].to.wall;
    let queries = [
        all.clone(),
        RawQuery { instances: mine[2..4].to_vec(), ..all.clone() },
        RawQuery { from: middle, ..all.clone() },
        RawQuery { to: middle, ..all.clone() },
        RawQuery { from: middle, most: 7, ..all.clone() },
        RawQuery { instances: vec![InstanceId::from_bytes([0xee; 16])], ..all.clone() },
        RawQuery { most: 0, ..all },
    ];
    for query in queries {
        let expected: Vec<Record> =
            written.iter().filter(|record| query.wants(record)).take(query.most).copied().collect();
        assert_eq!(spool.read(query.clone()).await.expect("it can be read"), expected, "{query:?}");
    }
}

/// The laws of room, on an empty spool that has room for some thousand records and not for twenty thousand.
pub async fn bounded(spool: &dyn Spool) {
    let (mut fleet, begun) = Fleet::begin(7, 6);
    spool.append(&[], &begun).expect("there is room");
    let mut used = Dropped::default();
    for tick in 0..3_000 {
        let (records, standings) = fleet.tick();
        spool.append(&records, &standings).expect("room is made");
        records.iter().for_each(|record| used.take(record));
        if tick % 100 == 0 {
            // Some are in batches when they are dropped, and some are not yet.
            batches(spool, spool.first() - 1).await;
        }
    }
    let kept = batches(spool, spool.first() - 1).await;
    assert!(spool.first() > 1, "something was dropped");
    let fault = spool.batch(0, NOW).await.expect_err("it was dropped");
    assert_eq!(fault.reason, Reason::RevisionCompacted);
    let mut all = Dropped::default();
    let records = records(&kept);
    assert!(records.len() < 15_000, "{} records are kept", records.len());
    assert!(records.iter().any(|record| record.kind == Kind::Gap(Cause::Dropped)), "and that is told");
    records.iter().for_each(|record| all.take(record));
    assert_eq!(all.into_gaps(), used.into_gaps(), "what was used is all there, once");
    assert_eq!(sorted(spool.standings()), sorted(fleet.standings()), "where each stands is known");

    // What the ledger has is dropped without a gap.
    for tick in 0..3_000 {
        let (records, standings) = fleet.tick();
        spool.append(&records, &standings).expect("room is made");
        if tick % 20 != 0 {
            continue;
        }
        let mut last = spool.acknowledged(Consumer::Ledger).max(spool.first() - 1);
        while let Some(batch) = spool.batch(last, NOW).await.expect("it is there") {
            last = batch.sequence;
        }
        spool.acknowledge(Consumer::Ledger, last).await.expect("it is there");
    }
    let kept = batches(spool, spool.first() - 1).await;
    assert!(kept.iter().all(|batch| batch.records.iter().all(|record| record.kind != Kind::Gap(Cause::Dropped))));
}
