//! What a death leaves behind: clients work, something is killed, the daemon comes back, and everything is
//! looked at from outside.
//!
//! ```text
//!  seed ─► world ─► life ─┬─ aim      a fault point and its hit, or an instant; who dies
//!                         ├─ load     64 clients: create, boot, pause, resize, attach, snapshot, restore, …
//!                         ├─ check    what was not told is asked again; all comes to rest
//!                         └─ judge    ledger of what was told  beside  what is listed  beside  the machine
//!  leaked · lost · doubled · dishonoured ─► the first failing seed and its story ─► replayed by that seed
//! ```
//!
//! What always holds: it accuses nobody wrongly, so what it cannot tell it lets pass; what it looks at on the
//! machine it finds by code of its own; all that it makes lies in one temporary folder, in memory where that
//! can be, and is taken away on every path. A seed gives the same aims, victims and clients again; how the
//! kernel orders them it cannot give again. Usage is measured meanwhile; its records are not looked at here.

mod aim;
mod cast;
mod census;
mod check;
mod client;
mod daemon;
mod deed;
mod dice;
mod events;
mod judge;
mod ledger;
mod libvirt;
mod model;
mod record;
mod says;
mod world;

pub use cast::Drivers;

use crate::house::interrupted;
use anyhow::{Context, Result, bail};
use cast::Casts;
use dice::Dice;
use futures::{StreamExt, stream};
use record::{Findings, Tally};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Instant;
use tempfile::TempDir;
use weft_ports::fault;
use world::{Rules, World};

/// Points of a world: then all is deleted, and nothing may be left.
const POINTS_OF_A_WORLD: u64 = 50;
/// Points, where nobody says how many.
const POINTS: u64 = 200;
/// Worlds at a time, where nobody says how many.
const PARALLEL: usize = 4;
/// VMs of a world at one time.
const CROWD: usize = 14;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// How many deaths.
    pub points: Option<u64>,
    /// What they are drawn from; another each time where none is given.
    pub seed: Option<u64>,
    /// The seed of one world, to see it again.
    pub replay: Option<u64>,
    /// Who stands for VMMs.
    pub drivers: Drivers,
    /// Worlds at a time.
    pub parallel: Option<usize>,
    /// Deaths come at instants alone, which needs no fault points.
    pub random: bool,
    /// Where the logs of failures are kept.
    pub keep: Option<PathBuf>,
    /// Another program that is put through the same loop instead.
    pub peer: Option<Peer>,
}

/// A program that is put through the same loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// libvirtd, with QEMU.
    Libvirtd,
}

/// Runs it; tells what was found, and whether that was nothing. What a peer leaves is told and is no failure.
pub(crate) async fn run(program: &Path, options: &Options) -> Result<(Value, bool)> {
    match options.peer {
        Some(Peer::Libvirtd) => {
            let points = u32::try_from(options.points.unwrap_or(POINTS)).unwrap_or(u32::MAX);
            Ok((libvirt::run(options.seed.unwrap_or(1), points).await?, true))
        }
        None => {
            let (findings, clean) = measure(program, options).await?;
            Ok((serde_json::to_value(findings)?, clean))
        }
    }
}

/// Lives and dies with weft; tells what was found and whether that was nothing.
async fn measure(program: &Path, options: &Options) -> Result<(Findings, bool)> {
    if !fault::BUILT && !options.random {
        bail!(
            "this build has no fault points; build weft with `cargo build --release -p weft --features faults`, \
             or kill at random instants with `--random`"
        );
    }
    let folder = folder()?;
    let casts = Casts::find(options.drivers, program, &folder.path().join("guest"))?;
    let seed = options.seed.unwrap_or_else(|| Dice::new(u64::from(std::process::id()) ^ now()).next());
    let points = options.points.unwrap_or(POINTS).max(1);
    let begun = Instant::now();
    let seeds = worlds(seed, options.replay, points);
    let keep = options.keep.clone().unwrap_or_else(|| std::env::temp_dir().join("weft-crash"));
    let lives = std::sync::Arc::new(());
    let open = |(number, (seed, points)): (usize, (u64, u64))| {
        let rules =
            Rules { program: program.to_owned(), points, random: options.random, keep: keep.clone(), crowd: CROWD };
        // The seed alone says who plays, so that it can be played again.
        let cast = usize::try_from(seed % casts.casts.len() as u64).unwrap_or(0);
        let (cast, folder) = (casts.casts[cast].clone(), folder.path().join(number.to_string()));
        let alive = std::sync::Arc::clone(&lives);
        async move {
            let world = World::open(seed, rules, cast, folder)?;
            let run = async move {
                let tally = world.run().await;
                drop(alive);
                tally
            };
            // A task of its own, so that worlds are on all processors.
            weft_ports::task::spawn("world", run).await.context("a world fell")
        }
    };
    let parallel = options.parallel.unwrap_or(PARALLEL).max(1);
    let mut all = stream::iter(seeds.into_iter().enumerate()).map(open).buffer_unordered(parallel);
    let mut tally = Tally::default();
    let gathered = async {
        while let Some(world) = all.next().await {
            tally.add(world?);
        }
        Ok(())
    };
    let mut notes = casts.missing.clone();
    let gathered: Result<()> = tokio::select! {
        gathered = gathered => gathered,
        why = interrupted() => {
            notes.push(format!("{why:#}: worlds that were not done are not told of"));
            Ok(())
        }
    };
    drop(all);
    // Worlds that are broken off take everything away, which is waited for.
    while std::sync::Arc::strong_count(&lives) > 1 {
        // why: a task that is ended tells nobody when it is gone.
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    gathered?;
    let findings = Findings::of(seed, tally, begun.elapsed(), notes);
    let clean = findings.is_clean();
    Ok((findings, clean))
}

/// The seeds of worlds, and how many points each has.
fn worlds(seed: u64, replay: Option<u64>, points: u64) -> Vec<(u64, u64)> {
    if let Some(replay) = replay {
        return vec![(replay, points)];
    }
    let dice = Dice::new(seed);
    let count = points.div_ceil(POINTS_OF_A_WORLD);
    let of = |number: u64| {
        let left = points - number * POINTS_OF_A_WORLD;
        (dice.fork(number).next(), left.min(POINTS_OF_A_WORLD))
    };
    (0..count).map(of).collect()
}

/// In memory where that can be: what is synced costs nothing there, and a path is short.
fn folder() -> Result<TempDir> {
    let memory = Path::new("/dev/shm");
    let mut builder = tempfile::Builder::new();
    builder.prefix("weft-crash-");
    let made = if memory.is_dir() { builder.tempdir_in(memory) } else { builder.tempdir() };
    made.or_else(|_| builder.tempdir()).context("no temporary folder can be made")
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| u64::from(since.subsec_nanos()) ^ since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_spread_over_worlds_and_a_replay_is_one() {
        let seeds = worlds(1, None, 120);
        assert_eq!(seeds.iter().map(|(_, points)| *points).collect::<Vec<_>>(), [50, 50, 20]);
        assert_eq!(worlds(1, None, 120), seeds);
        assert_eq!(worlds(1, Some(9), 7), [(9, 7)]);
    }
}
