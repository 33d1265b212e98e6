//! What is reported: figures of all worlds, and the story of a failure.

use super::aim::Victim;
use super::judge::{Sort, Verdict};
use super::ledger::Deeds;
use crate::statistics::rounded;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use weft_ports::fault::Point;

/// What happened in one world, or in several.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) points: u64,
    pub(super) victims: BTreeMap<Victim, u64>,
    pub(super) drivers: BTreeMap<String, u64>,
    /// How often a life was disturbed at each point.
    pub(super) struck: BTreeMap<String, u64>,
    /// How often each point was passed.
    pub(super) passed: BTreeMap<String, u64>,
    pub(super) deeds: Deeds,
    pub(super) at_points: u64,
    pub(super) at_instants: u64,
    pub(super) in_recovery: u64,
    pub(super) ready: Vec<Duration>,
    pub(super) settled: Vec<Duration>,
    pub(super) took: BTreeMap<&'static str, Duration>,
    pub(super) events: u64,
    pub(super) worlds: u64,
    pub(super) restarted_after_panic: u64,
    pub(super) failures: Vec<Story>,
    /// Requests that took long when they were asked again.
    pub(super) slow: Vec<String>,
}

impl Tally {
    /// Takes up another's figures.
    pub(super) fn add(&mut self, other: Self) {
        self.points += other.points;
        merge(&mut self.victims, other.victims);
        merge(&mut self.drivers, other.drivers);
        merge(&mut self.struck, other.struck);
        merge(&mut self.passed, other.passed);
        self.deeds.asked += other.deeds.asked;
        self.deeds.done += other.deeds.done;
        self.deeds.refused += other.deeds.refused;
        self.deeds.asked_again += other.deeds.asked_again;
        self.deeds.proved += other.deeds.proved;
        self.at_points += other.at_points;
        self.at_instants += other.at_instants;
        self.in_recovery += other.in_recovery;
        self.ready.extend(other.ready);
        self.settled.extend(other.settled);
        for (what, took) in other.took {
            *self.took.entry(what).or_default() += took;
        }
        self.events += other.events;
        self.worlds += other.worlds;
        self.restarted_after_panic += other.restarted_after_panic;
        self.failures.extend(other.failures);
        self.slow.extend(other.slow);
    }

    /// Time that went into something.
    pub(super) fn spent(&mut self, what: &'static str, took: Duration) {
        *self.took.entry(what).or_default() += took;
    }
}

fn merge<K: Ord>(into: &mut BTreeMap<K, u64>, from: BTreeMap<K, u64>) {
    for (key, count) in from {
        *into.entry(key).or_default() += count;
    }
}

/// A failure, told so that it can be seen again.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Story {
    /// The seed of its world: `--replay` takes it.
    pub(super) seed: u64,
    /// The life in which it was seen.
    pub(super) life: u64,
    /// How the lives before it were disturbed, newest last.
    pub(super) disturbed: Vec<String>,
    pub(super) verdicts: Vec<Verdict>,
    /// Requests about the accused since the last check, or all where nobody is named.
    pub(super) requests: Vec<String>,
    /// What is listed of the accused.
    pub(super) listed: Vec<String>,
    /// Where the daemon's log and all of this is kept.
    pub(super) kept: PathBuf,
}

/// Percentiles in milliseconds.
#[derive(Debug, Serialize)]
pub(super) struct Spread {
    count: usize,
    p50_ms: f64,
    p90_ms: f64,
    p99_ms: f64,
    max_ms: f64,
}

impl Spread {
    fn of(mut all: Vec<Duration>) -> Option<Self> {
        all.sort_unstable();
        let ms = |duration: Duration| rounded(duration.as_secs_f64() * 1e3, 1);
        let rank = |percent: usize| all.get((all.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        let max_ms = ms(*all.last()?);
        let (p50_ms, p90_ms, p99_ms) = (ms(rank(50)?), ms(rank(90)?), ms(rank(99)?));
        Some(Self { count: all.len(), p50_ms, p90_ms, p99_ms, max_ms })
    }
}

/// What the suite found, as it is printed.
#[derive(Debug, Serialize)]
pub(super) struct Findings {
    suite: &'static str,
    about: &'static str,
    seed: u64,
    points: u64,
    worlds: u64,
    victims: BTreeMap<&'static str, u64>,
    drivers: BTreeMap<String, u64>,
    /// Ended at a named point, and at an instant because no point came first or was aimed at.
    at_points: u64,
    at_instants: u64,
    /// Of those at points: while the daemon still took up what the last one left.
    in_recovery: u64,
    points_struck: BTreeMap<String, u64>,
    points_never_struck: Vec<&'static str>,
    points_never_passed: Vec<&'static str>,
    requests: Deeds,
    events_checked: u64,
    leaks: usize,
    lost: usize,
    doubled: usize,
    dishonoured: usize,
    failed_worlds: usize,
    restarted_after_panic: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    restart_to_ready: Option<Spread>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settled: Option<Spread>,
    /// Where time went, over all worlds, in seconds.
    spent_s: BTreeMap<&'static str, f64>,
    seconds: f64,
    points_per_second: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_failing_seed: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failures: Vec<Story>,
    /// Requests that took seconds when they were asked again: how many, and the first of them.
    slow_count: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    slow: Vec<String>,
    notes: Vec<String>,
}

/// So many stories are told; the others are counted.
const TOLD: usize = 5;

impl Findings {
    /// What a tally comes to.
    pub(super) fn of(seed: u64, tally: Tally, took: Duration, notes: Vec<String>) -> Self {
        let count = |sort: Sort| {
            let verdicts = tally.failures.iter().flat_map(|story| &story.verdicts);
            verdicts.filter(|verdict| verdict.sort == sort).count()
        };
        let never = |of: &BTreeMap<String, u64>| {
            Point::ALL
                .iter()
                .map(|point| point.as_str())
                .filter(|name| of.get(*name).is_none_or(|it| *it == 0))
                .collect()
        };
        let seconds = took.as_secs_f64();
        Self {
            suite: "crash",
            about: "clients work, a process is killed, the daemon comes back: what is left, lost, doubled or not as told",
            seed,
            points: tally.points,
            worlds: tally.worlds,
            victims: Victim::ALL.iter().map(|it| (it.as_str(), tally.victims.get(it).copied().unwrap_or(0))).collect(),
            at_points: tally.at_points,
            at_instants: tally.at_instants,
            in_recovery: tally.in_recovery,
            points_never_struck: never(&tally.struck),
            points_never_passed: never(&tally.passed),
            requests: tally.deeds,
            events_checked: tally.events,
            leaks: count(Sort::Leaked),
            lost: count(Sort::Lost),
            doubled: count(Sort::Doubled),
            dishonoured: count(Sort::Dishonoured),
            failed_worlds: tally.failures.len(),
            restarted_after_panic: tally.restarted_after_panic,
            first_failing_seed: tally.failures.first().map(|story| story.seed),
            failures: tally.failures.into_iter().take(TOLD).collect(),
            slow_count: tally.slow.len(),
            slow: tally.slow.into_iter().take(TOLD).collect(),
            drivers: tally.drivers,
            points_struck: tally.struck,
            restart_to_ready: Spread::of(tally.ready),
            settled: Spread::of(tally.settled),
            spent_s: tally.took.into_iter().map(|(what, took)| (what, rounded(took.as_secs_f64(), 2))).collect(),
            seconds: rounded(seconds, 1),
            points_per_second: rounded(tally.points as f64 / seconds.max(1e-9), 2),
            notes,
        }
    }

    /// Whether nothing was found.
    pub(super) const fn is_clean(&self) -> bool {
        self.failed_worlds == 0
    }
}
