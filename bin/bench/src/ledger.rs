//! The ledger of usage: batches taken, and questions about what they came to.
//!
//! A node sends a batch each second with ten windows of each instance, as it would at 100 ms, and the ledger makes
//! them lasting after each minute of them; only nobody waits for the seconds to pass. Beside taking a batch stands
//! the SHA-256 of its records, which nobody who takes it can go without; beside the questions stands one reading
//! of everything, which is what they would cost without an index.

use crate::report::{Comparison, Findings, Series, Target};
use crate::statistics::rounded;
use anyhow::{Context, Result};
use std::path::Path;
use std::time::{Duration, Instant};
use weft_domain::usage::{Amounts, Edge, Figure, Kind, Meter, Record, Source, Sources, Stamp, Width};
use weft_domain::{IncarnationId, InstanceId, NodeId, Time};
use weft_ports::ledger::{BucketQuery, Ledger};
use weft_ports::spool::Batch;
use weft_store::ledger::{self, Book, Config};

/// Instances, where nobody says how many.
const INSTANCES: u32 = 1000;
/// Batches, where nobody says how many: with as many instances, ten million windows.
const BATCHES: u32 = 1000;
/// Windows of an instance in a batch.
const TICKS: i64 = 10;
/// How often each question is asked.
const QUESTIONS: usize = 200;
const SECOND: i64 = 1_000_000_000;
/// When usage begins: a whole day, so that minutes and hours are whole as well.
const BEGIN: i64 = 1_700_006_400;

/// A node with instances that work now and then.
struct Node {
    node: NodeId,
    instances: Vec<InstanceId>,
    last: (u64, [u8; 32]),
    random: u64,
}

impl Node {
    fn new(instances: u32) -> Self {
        let id = |number: u32| {
            let [a, b, c, d] = number.to_be_bytes();
            InstanceId::new(Time::from_millis(BEGIN * 1000), [a, b, c, d, 0, 0, 0, 0, 0, 0])
        };
        let instances = (0..instances).map(id).collect();
        Self { node: NodeId::from_bytes([7; 16]), instances, last: (0, [0; 32]), random: 1 }
    }

    /// A number that is small most of the time.
    fn some(&mut self, most: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % most
    }

    fn record(&mut self, which: usize, end: i64, tick: u64) -> Record {
        let (mut amounts, mut sources) = (Amounts::default(), Sources::default());
        amounts[Figure::Cpu] = self.some(100_000_000);
        amounts[Figure::MemoryGranted] = 27_000_000;
        // Memory is read every second.
        amounts[Figure::MemoryResident] = 9_000_000 + 409_600 * (tick / 10 % 7);
        // One in eight uses its disk and its network.
        if which.is_multiple_of(8) {
            for figure in [Figure::DiskWritten, Figure::NetReceived, Figure::NetSent] {
                amounts[figure] = self.some(64 << 10);
            }
            for figure in [Figure::DiskWrites, Figure::NetReceivedPackets, Figure::NetSentPackets] {
                amounts[figure] = self.some(50);
            }
        }
        Figure::ALL.into_iter().for_each(|figure| sources[figure] = Source::CgroupV2);
        let instance = self.instances[which];
        let stamp = |nanos: i64| Stamp { monotonic_nanos: tick * 100_000_000, wall: Time::from_nanos(nanos) };
        Record {
            meter: Meter { instance, incarnation: IncarnationId::from_bytes(*instance.as_bytes()), epoch: 0 },
            sequence: tick,
            kind: Kind::Window(Edge::Tick),
            from: stamp(end - SECOND / TICKS),
            to: stamp(end),
            amounts,
            sources,
        }
    }

    /// The batch of the next second.
    fn second(&mut self) -> Batch {
        let second = BEGIN + i64::try_from(self.last.0).unwrap_or(i64::MAX);
        let mut records = Vec::with_capacity(self.instances.len() * 10);
        for tick in 1..=TICKS {
            for which in 0..self.instances.len() {
                let number = self.last.0 * 10 + tick.unsigned_abs() - 1;
                records.push(self.record(which, second * SECOND + tick * (SECOND / TICKS), number));
            }
        }
        let batch = Batch::seal(self.node, self.last.0 + 1, self.last.1, records);
        self.last = (batch.sequence, batch.hash);
        batch
    }
}

/// What was measured of taking.
#[derive(Default)]
struct Taking {
    takes: Vec<Duration>,
    hashes: Vec<Duration>,
    records: u64,
}

/// Measures it.
pub(crate) async fn measure(batches: Option<u32>, instances: Option<u32>) -> Result<Findings> {
    let (batches, instances) = (batches.unwrap_or(BATCHES).max(1), instances.unwrap_or(INSTANCES).max(1));
    let folder = tempfile::Builder::new().prefix("weft-bench-").tempdir()?;
    let mut node = Node::new(instances);
    let book = open(folder.path(), instances).await?;
    let taking = take(&book, &mut node, batches).await?;
    book.close().await;
    let bytes = std::fs::metadata(folder.path().join("ledger/ledger.redb")).context("the ledger's file")?.len();
    drop(book);
    let start = Instant::now();
    let book = open(folder.path(), instances).await?;
    let opened = start.elapsed();
    let (mut series, comparisons) = ask(&book, &node, batches).await?;
    book.close().await;
    let wall = taking.takes.iter().sum();
    let take = Series::of("take", "a batch of one second of all instances is taken", &taking.takes)?.within(wall);
    let hash = Series::of("hash", "the hash of its records alone", &taking.hashes)?.within(taking.hashes.iter().sum());
    let comparisons = [Comparison::of(&take, &hash, None)].into_iter().chain(comparisons).collect();
    series.splice(0..0, [hash, take]);
    Ok(Findings {
        suite: "ledger",
        about: format!("{} windows of {instances} instances, taken and asked about", taking.records),
        rounds: batches,
        series,
        comparisons,
        targets: targets(&taking, (bytes, opened), (batches, instances)),
        ..Findings::default()
    })
}

async fn open(folder: &Path, instances: u32) -> Result<Book> {
    // What a minute holds, so that it is made lasting after a minute of usage, however long that took.
    let held = usize::try_from(instances)? * 60;
    let config = Config { held, ..Config::at(folder.join("ledger")) };
    tokio::task::spawn_blocking(move || ledger::open(&config)).await?.context("the ledger could not be opened")
}

async fn take(book: &Book, node: &mut Node, batches: u32) -> Result<Taking> {
    let mut taking = Taking::default();
    for _ in 0..batches {
        let batch = node.second();
        let start = Instant::now();
        anyhow::ensure!(batch.is_whole(), "a batch is as it was sealed");
        taking.hashes.push(start.elapsed());
        let start = Instant::now();
        book.take(&batch).await.map_err(|fault| anyhow::anyhow!("a batch was refused: {fault}"))?;
        taking.takes.push(start.elapsed());
        taking.records += batch.records.len() as u64;
    }
    Ok(taking)
}

fn targets(taking: &Taking, (bytes, opened): (u64, Duration), (batches, instances): (u32, u32)) -> Vec<Target> {
    let wall: Duration = taking.takes.iter().sum();
    let per_second = rounded(taking.records as f64 / wall.as_secs_f64().max(1e-9), 0);
    let minutes = f64::from(batches) / 60.0 * f64::from(instances);
    let about = "windows that are taken in a second, made lasting with all roll-ups";
    let each = "bytes of the file with all its roll-ups, for each minute of an instance";
    vec![
        Target::at_least("windows_per_second", about, (per_second, "windows"), Some(100_000.0)),
        Target::at_most("bytes_per_instance_minute", each, (rounded(bytes as f64 / minutes, 1), "bytes"), None),
        Target::at_most(
            "bytes_per_window",
            "the same for each window of 100 ms",
            (rounded(bytes as f64 / taking.records as f64, 2), "bytes"),
            None,
        ),
        Target::at_most(
            "open",
            "opening the file again, every page looked at",
            (rounded(opened.as_secs_f64() * 1e3, 1), "ms"),
            None,
        ),
    ]
}

/// One question that is asked again and again, each time of other instances.
struct Question {
    name: &'static str,
    about: &'static str,
    width: Width,
    instances: usize,
    /// Of the span that there is, its last so many seconds.
    seconds: i64,
}

const ASKED: [Question; 4] = [
    Question {
        name: "seconds-of-one",
        about: "the seconds of one instance's last minute",
        width: Width::Second,
        instances: 1,
        seconds: 60,
    },
    Question {
        name: "minutes-of-one",
        about: "every minute of one instance",
        width: Width::Minute,
        instances: 1,
        seconds: i64::MAX,
    },
    Question {
        name: "hours-of-all",
        about: "every hour of every instance",
        width: Width::Hour,
        instances: usize::MAX,
        seconds: i64::MAX,
    },
    Question {
        name: "days-of-ten",
        about: "every day of ten instances",
        width: Width::Day,
        instances: 10,
        seconds: i64::MAX,
    },
];

async fn ask(book: &Book, node: &Node, batches: u32) -> Result<(Vec<Series>, Vec<Comparison>)> {
    let start = Instant::now();
    book.verify().await.map_err(|fault| anyhow::anyhow!("the ledger cannot be read: {fault}"))?;
    let everything = Series::of("everything", "every row is read once", &[start.elapsed()])?;
    let (mut series, mut comparisons) = (Vec::new(), Vec::new());
    let end = BEGIN + i64::from(batches);
    for question in ASKED {
        let mut durations = Vec::with_capacity(QUESTIONS);
        let count = question.instances.min(node.instances.len());
        for turn in 0..QUESTIONS {
            let first = turn * 37 % (node.instances.len() - count + 1);
            let query = BucketQuery {
                instances: node.instances[first..first + count].to_vec(),
                width: question.width,
                from: Time::from_nanos((end.saturating_sub(question.seconds)).max(0) * SECOND),
                to: Time::from_nanos(end * SECOND),
                after: None,
                most: usize::MAX,
            };
            let start = Instant::now();
            let found = book.buckets(&query).await.map_err(|fault| anyhow::anyhow!("it was not answered: {fault}"))?;
            durations.push(start.elapsed());
            anyhow::ensure!(found.len() >= count, "every instance used something");
        }
        let wall = durations.iter().sum();
        let one = Series::of(question.name, question.about, &durations)?.within(wall);
        comparisons.push(Comparison::of(&one, &everything, None));
        series.push(one);
    }
    series.push(everything);
    Ok((series, comparisons))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_few_minutes_measure_everything() {
        let findings = measure(Some(130), Some(9)).await.unwrap();
        let names: Vec<&str> = findings.series.iter().map(|series| series.name.as_str()).collect();
        assert_eq!(
            names,
            ["hash", "take", "seconds-of-one", "minutes-of-one", "hours-of-all", "days-of-ten", "everything"]
        );
        let text = serde_json::to_value(&findings).unwrap();
        assert_eq!(text["about"], "11700 windows of 9 instances, taken and asked about");
        assert!(text["targets"][0]["figure"].as_f64() > Some(0.0) && text["targets"][1]["figure"].as_f64() > Some(0.0));
        assert_eq!(text["comparisons"][0]["beside"], "hash");
    }
}
