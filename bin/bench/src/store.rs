//! Durable commits of the embedded store, beside appending as many bytes to a file and `fdatasync`.
//!
//! Every commit puts one instance, as a change of phase does, and is waited for. One committer shows what
//! a commit costs; many show how far they share one sync. Slices of all take turns on one file system.

use crate::report::{Comparison, Findings, Series};
use crate::statistics::rounded;
use anyhow::{Context, Result, anyhow};
use futures::future::try_join_all;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use weft_api::Records;
use weft_domain::object::{Key, Object};
use weft_ports::codec::Codec;
use weft_ports::store::fake::sample;
use weft_ports::store::{Commit, Store, Write};
use weft_ports::task;
use weft_store::embedded::{self, Config};

/// Slices of each sort, where nobody says how many.
const ROUNDS: u32 = 20;
/// Appends of a slice of the floor.
const APPENDS: usize = 100;
/// How many commit at once, and how many commits each does in a slice.
const COMMITTERS: [(usize, usize); 3] = [(1, 100), (16, 25), (64, 12)];

/// What was measured of one number of committers.
#[derive(Default)]
struct Tally {
    durations: Vec<Duration>,
    wall: Duration,
    commits: u64,
    syncs: u64,
}

/// Measures it.
pub(crate) async fn measure(rounds: Option<u32>) -> Result<Findings> {
    let rounds = rounds.unwrap_or(ROUNDS).max(1);
    let folder = tempfile::Builder::new().prefix("weft-bench-").tempdir()?;
    let config = Config::at(folder.path().join("store"));
    let opened = tokio::task::spawn_blocking(move || embedded::open(config, Arc::new(Records))).await?;
    let store: Arc<dyn Store> = Arc::new(opened.context("a store could not be made")?);
    let bytes = Records.encode(&object(0)).len();
    let appended = folder.path().join("appended");
    let (mut floor, mut tallies) = (Tally::default(), COMMITTERS.map(|_| Tally::default()));
    // The first slices make files grow and caches warm; they do not count.
    slice(&store, (1, APPENDS), &mut Tally::default()).await?;
    append(&appended, bytes).await?;
    for _ in 0..rounds {
        for (which, tally) in COMMITTERS.iter().zip(&mut tallies) {
            let durations = append(&appended, bytes).await?;
            floor.wall += durations.iter().sum::<Duration>();
            floor.durations.extend(durations);
            slice(&store, *which, tally).await?;
        }
    }
    store.close().await;
    findings(rounds, bytes, &floor, &tallies)
}

fn object(number: u64) -> Object {
    Object::Instance(Box::new(sample::instance(number)))
}

/// Appends and syncs.
async fn append(path: &Path, bytes: usize) -> Result<Vec<Duration>> {
    let path = path.to_owned();
    let timed = move || -> std::io::Result<Vec<Duration>> {
        let mut file = File::options().append(true).create(true).open(path)?;
        let record = vec![0x5a; bytes];
        (0..APPENDS)
            .map(|_| {
                let start = Instant::now();
                file.write_all(&record)?;
                file.sync_data()?;
                Ok(start.elapsed())
            })
            .collect()
    };
    tokio::task::spawn_blocking(timed).await?.context("the floor could not be measured")
}

/// Commits of so many at once, each waiting for its last before its next.
async fn slice(store: &Arc<dyn Store>, (committers, each): (usize, usize), tally: &mut Tally) -> Result<()> {
    let before = store.figures();
    let start = Instant::now();
    let tasks = (0..committers as u64).map(|number| task::spawn("committer", commits(Arc::clone(store), number, each)));
    for durations in try_join_all(tasks).await? {
        tally.durations.extend(durations?);
    }
    tally.wall += start.elapsed();
    let after = store.figures();
    tally.commits += after.commits - before.commits;
    tally.syncs += after.syncs - before.syncs;
    Ok(())
}

async fn commits(store: Arc<dyn Store>, number: u64, count: usize) -> Result<Vec<Duration>> {
    let mut durations = Vec::with_capacity(count);
    for _ in 0..count {
        let writes = vec![Write::Put(Key::Instance(sample::id(number)), object(number))];
        let commit = Commit { expect: Vec::new(), writes };
        let start = Instant::now();
        store.commit(commit).await.map_err(|refused| anyhow!("a commit was refused: {refused}"))?;
        durations.push(start.elapsed());
    }
    Ok(durations)
}

fn findings(rounds: u32, bytes: usize, floor: &Tally, tallies: &[Tally]) -> Result<Findings> {
    let about = format!("{bytes} bytes are appended to a file and synced, again and again");
    let floor = Series::of("fdatasync", about, &floor.durations)?.within(floor.wall);
    let mut series = Vec::new();
    for ((committers, _), tally) in COMMITTERS.iter().zip(tallies) {
        let about = format!("a commit of one instance is acknowledged as durable; {committers} committing at once");
        let mut one = Series::of(format!("commit-{committers}"), about, &tally.durations)?.within(tally.wall);
        one.syncs_per_commit = Some(rounded(tally.syncs as f64 / tally.commits.max(1) as f64, 3));
        series.push(one);
    }
    let comparisons = series.iter().map(|one| Comparison::of(one, &floor, None)).collect();
    series.insert(0, floor);
    Ok(Findings {
        suite: "store",
        about: "durable commits of the embedded store, beside the sync that each needs".to_owned(),
        rounds,
        series,
        comparisons,
        ..Findings::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_round_measures_every_number_of_committers() {
        let findings = measure(Some(1)).await.unwrap();
        let names: Vec<&str> = findings.series.iter().map(|series| series.name.as_str()).collect();
        assert_eq!(names, ["fdatasync", "commit-1", "commit-16", "commit-64"]);
        for ((committers, each), series) in COMMITTERS.iter().zip(&findings.series[1..]) {
            assert_eq!(series.figures.count, committers * each, "{}", series.name);
            // Group commit: never more syncs than commits.
            assert!(series.syncs_per_commit.is_some_and(|syncs| syncs > 0.0 && syncs <= 1.0), "{series:?}");
        }
        let text = serde_json::to_value(&findings).unwrap();
        assert_eq!(text["comparisons"][2]["ours"], "commit-64");
        assert!(text["series"][1]["p50_us"].is_number() && text["series"][1]["per_second"].is_number());
    }
}
