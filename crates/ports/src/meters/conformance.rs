//! The laws of [`Meters`], as a suite that any implementation can be put through.
//!
//! The suite panics where a law is broken and leaves nothing behind.

use super::{Depth, Gauge, Gone, Meters, Reading, Target};
use crate::processes::conformance::{command, sleeper};
use crate::processes::{Alive, Command, Processes};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use weft_domain::ClaimId;
use weft_domain::usage::{Amounts, Figure, Source};

/// Nothing here takes longer.
const LIMIT: Duration = Duration::from_secs(30);

/// Whose processes are measured.
pub struct Stage {
    /// The processes.
    pub processes: Arc<dyn Processes>,
    /// An empty folder for their logs.
    pub dir: PathBuf,
    /// Lets a process that is busy use processor time, where it does not by itself.
    pub work: Box<dyn Fn(ClaimId) + Send + Sync>,
}

/// Every law in turn.
pub async fn all(meters: &dyn Meters, stage: &Stage) {
    time_goes_on(meters);
    counters_go_on(meters, stage).await;
    gauges_agree(meters, stage).await;
    what_is_gone_is_gone(meters, stage).await;
    another_is_not_taken_for_it(meters, stage).await;
}

/// A command that uses all the processor time it is given.
#[must_use]
pub fn burner(stage: &Stage) -> Command {
    command(&stage.dir, "/bin/sh", &["-c", "while :; do :; done"])
}

async fn started(stage: &Stage, command: Command) -> Target {
    let claim = command.claim;
    let alive = stage.processes.launch(command).await.expect("it can be launched");
    Target { claim, alive, taps: Vec::new() }
}

async fn cleared(stage: &Stage, target: &Target) {
    stage.processes.clear(target.claim).await.expect("it can be cleared");
}

/// Reads until processor time has gone on.
fn read_on(stage: &Stage, target: &Target, gauge: &mut dyn Gauge, depth: Depth) -> Reading {
    let (from, begun) = (gauge.read(depth).expect("it is there"), Instant::now());
    loop {
        (stage.work)(target.claim);
        let now = gauge.read(depth).expect("it is there");
        lawful(&from, &now);
        if now.counters[Figure::Cpu] > from.counters[Figure::Cpu] {
            return now;
        }
        assert!(begun.elapsed() < LIMIT, "processor time stands: {now:?}");
        std::thread::yield_now();
    }
}

/// What holds for one reading and the next.
fn lawful(before: &Reading, now: &Reading) {
    assert!(now.counters.since(&before.counters).is_some(), "a counter went back: {before:?}, {now:?}");
    for figure in Figure::ALL {
        let (source, amount) = (now.sources[figure], now.counters[figure]);
        assert!(!figure.is_level() || amount == 0, "{figure:?} is no counter: {now:?}");
        assert!(source != Source::None || amount == 0, "nobody counts {figure:?}: {now:?}");
        assert_eq!(source, before.sources[figure], "{figure:?} comes from elsewhere");
    }
    assert_ne!(now.sources[Figure::Cpu], Source::None, "somebody counts processor time");
    assert_ne!(now.sources[Figure::MemoryResident], Source::None, "somebody counts memory");
    assert_eq!(now.sources[Figure::MemoryGranted], Source::None, "who grants it knows");
}

fn time_goes_on(meters: &dyn Meters) {
    let before = meters.now();
    meters.sleep_until(before.monotonic_nanos);
    meters.sleep_until(0);
    let until = meters.now().monotonic_nanos + 3_000_000;
    meters.sleep_until(until);
    let after = meters.now();
    assert!(after.monotonic_nanos >= until, "{before:?} {after:?}");
    let late = Duration::from_nanos(after.monotonic_nanos - before.monotonic_nanos);
    assert!(late < LIMIT, "{late:?}");
}

async fn counters_go_on(meters: &dyn Meters, stage: &Stage) {
    let target = started(stage, burner(stage)).await;
    let mut gauge = meters.open(&target).expect("it is there");
    let first = gauge.read(Depth::Counters).expect("it is there");
    let mut last = first;
    for depth in [Depth::Counters, Depth::All, Depth::Counters, Depth::All] {
        let now = read_on(stage, &target, &mut *gauge, depth);
        lawful(&last, &now);
        if depth == Depth::Counters {
            let only = |reading: &Reading| {
                let mut rest = reading.counters;
                rest[Figure::Cpu] = 0;
                (rest, reading.resident_bytes)
            };
            assert_eq!(only(&now), only(&last), "the rest is as it was last read");
        }
        last = now;
    }
    lawful(&first, &last);
    drop(gauge);
    cleared(stage, &target).await;
}

async fn gauges_agree(meters: &dyn Meters, stage: &Stage) {
    let target = started(stage, burner(stage)).await;
    let mut one = meters.open(&target).expect("it is there");
    for depth in [Depth::All, Depth::Counters] {
        for _ in 0..3 {
            let before = read_on(stage, &target, &mut *one, depth);
            let mut other = meters.open(&target).expect("it is there");
            let anew = other.read(depth).expect("it is there");
            lawful(&before, &anew);
            lawful(&anew, &one.read(depth).expect("it is there"));
        }
    }
    cleared(stage, &target).await;
}

async fn what_is_gone_is_gone(meters: &dyn Meters, stage: &Stage) {
    let target = started(stage, burner(stage)).await;
    let mut gauge = meters.open(&target).expect("it is there");
    let last = read_on(stage, &target, &mut *gauge, Depth::All);
    stage.processes.kill(&target.alive).await.expect("it can be killed");
    for depth in [Depth::All, Depth::Counters] {
        let first = gauge.read(depth);
        if let Ok(first) = first {
            lawful(&last, &first);
            let again = gauge.read(depth).expect("its control group is still there");
            assert_eq!(again.counters, first.counters, "what is gone uses nothing");
            assert_eq!(again.resident_bytes, 0, "and holds nothing");
            let mut anew = meters.open(&target).expect("its control group is still there");
            let told = anew.read(depth).expect("its control group is still there");
            assert_eq!(told.counters[Figure::Cpu], first.counters[Figure::Cpu], "another agent reads the same");
        }
    }
    cleared(stage, &target).await;
    for depth in [Depth::Counters, Depth::All] {
        assert_eq!(gauge.read(depth).map(|reading| reading.counters), Err::<Amounts, _>(Gone));
    }
    meters.open(&target).map(drop).expect_err("it is gone");
}

async fn another_is_not_taken_for_it(meters: &dyn Meters, stage: &Stage) {
    let target = started(stage, sleeper(&stage.dir)).await;
    let before = Alive { start_ticks: target.alive.start_ticks.wrapping_sub(1), ..target.alive.clone() };
    let elsewhen = Alive { boot_id: "another".to_owned(), ..target.alive.clone() };
    for alive in [before, elsewhen] {
        meters.open(&Target { alive, ..target.clone() }).map(drop).expect_err("that process is gone");
    }
    meters.open(&target).map(drop).expect("this one is there");
    cleared(stage, &target).await;
}
