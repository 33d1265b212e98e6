//! Usage over a whole house: what a killed weft did not watch is a gap, and nothing is lost or counted twice.

use std::time::{Duration, Instant};
use weft_domain::Phase;
use weft_domain::instance::StopHow;
use weft_domain::spec::payload::Driver;
use weft_domain::spec::{Draft, Payload};
use weft_domain::usage::{Amounts, Cause, Edge, Figure, Kind, Record, Source};
use weft_ports::api::{CreateMode, Grain, Power, Usage, UsageLine, UsageQuery, UsageScope, VmRef, Vms};
use weft_testbed::daemon::Daemon;
use weft_testbed::guest::{call, vm};
use weft_testbed::vmms;

/// The longest that anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// All lines of one grain, by time.
async fn lines(daemon: &Daemon, grain: Grain) -> Vec<UsageLine> {
    let mut query = UsageQuery { scope: UsageScope::default(), grain, page_size: 1_000, page_token: String::new() };
    let mut all = Vec::new();
    loop {
        let page = daemon.client().query(&call(), &query).await;
        let page = page.unwrap_or_else(|fault| panic!("{fault}: {}", daemon.log()));
        all.extend(page.items);
        if page.next_page_token.is_empty() {
            return all;
        }
        query.page_token = page.next_page_token;
    }
}

async fn records(daemon: &Daemon) -> Vec<Record> {
    lines(daemon, Grain::Record).await.into_iter().filter_map(|line| line.record.map(|record| *record)).collect()
}

/// Waits until the records are so.
async fn until(daemon: &Daemon, what: &str, so: impl Fn(&[Record]) -> bool) -> Vec<Record> {
    let begun = Instant::now();
    loop {
        let found = records(daemon).await;
        if so(&found) {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}: {found:#?}\n{}", daemon.log());
        // why: usage comes with time alone.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn sum<'a>(amounts: impl Iterator<Item = &'a Amounts>) -> Amounts {
    amounts.fold(Amounts::default(), |sum, more| sum.plus(more))
}

fn gaps(records: &[Record]) -> Vec<Cause> {
    let cause = |record: &Record| match record.kind {
        Kind::Gap(cause) => Some(cause),
        Kind::Window(_) => None,
    };
    records.iter().filter_map(cause).collect()
}

async fn boot(daemon: &Daemon, kernel: std::path::PathBuf) -> VmRef {
    let mut draft = Draft { driver: Driver::Named("firecracker".to_owned()), ..Draft::default() };
    draft.payload = Payload::Kernel { kernel, initramfs: None, cmdline: String::new() };
    draft.memory.size_bytes = 64 << 20;
    let spec = draft.check().expect("a lawful specification");
    let made = Vms::create(&daemon.client(), &call(), vm("metered", spec, CreateMode::Boot)).await;
    let made = made.unwrap_or_else(|fault| panic!("{fault}: {}", daemon.log())).value;
    assert_eq!(made.status.phase, Phase::Running, "{:#?}\n{}", made.status, daemon.log());
    VmRef::Id(made.meta.id)
}

#[tokio::test]
async fn what_is_told_is_whole_over_a_kill() {
    let Some(guest) = weft_guest::ELF else {
        return println!("skipped: the small guest is for another processor");
    };
    let images = tempfile::Builder::new().prefix("weft-").tempdir().expect("a folder");
    let kernel = images.path().join("tiny");
    std::fs::write(&kernel, guest).expect("the guest can be written");
    let roots = format!("paths.allowed_roots={}", images.path().display());
    let binary = format!("firecracker.binary={}", vmms::firecracker().path.display());
    let settings = ["node.drivers=firecracker", &roots, &binary, "metering.interval=100ms"];
    let mut daemon = Daemon::start(&settings).unwrap_or_else(|error| panic!("{error:#}"));
    let metered = boot(&daemon, kernel).await;
    until(&daemon, "nothing is measured", |found| found.len() > 10).await;

    daemon.kill().expect("it can be killed");
    daemon.up().unwrap_or_else(|error| panic!("{error:#}"));
    let found = until(&daemon, "nothing is measured again", |found| gaps(found).len() == 1).await;
    assert_eq!(gaps(&found), [Cause::Unwatched], "what no weft watched is told as such");
    let more = found.len() + 5;
    until(&daemon, "it does not go on", |found| found.len() > more).await;

    let weft = daemon.client();
    let stopped = weft.shutdown(&call(), &metered, StopHow::Force).await.expect("stopped").value;
    assert_eq!(stopped.status.phase, Phase::Stopped);
    let ended = |found: &[Record]| found.last().is_some_and(|last| last.kind == Kind::Window(Edge::Exit));
    let found = until(&daemon, "its end is not told", ended).await;
    assert!(found.iter().zip(0..).all(|(record, at)| record.sequence == at), "a record is missing: {found:#?}");
    assert!(found.windows(2).all(|pair| pair[0].to == pair[1].from), "spans meet: {found:#?}");
    assert_ne!(found[0].sources[Figure::Cpu], Source::None);
    let used = sum(found.iter().map(|record| &record.amounts));
    assert!(used[Figure::Cpu] > 0 && used[Figure::MemoryGranted] > 0, "{used:?}");
    for grain in [Grain::Bucket(weft_domain::usage::Width::Second), Grain::Total] {
        let begun = Instant::now();
        let told = loop {
            let told = lines(&daemon, grain).await;
            if told.iter().map(|line| line.records).sum::<u64>() >= found.len() as u64 {
                break told;
            }
            assert!(begun.elapsed() < PATIENCE, "{grain:?}: not all has come: {told:#?}");
            // why: batches come to control a moment later.
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        assert_eq!(sum(told.iter().map(|line| &line.amounts)), used, "{grain:?}: as much as its records hold");
        assert_eq!(told.iter().map(|line| line.gaps).sum::<u64>(), 1);
    }
}
