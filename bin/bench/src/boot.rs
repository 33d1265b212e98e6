//! From "start this machine" until its virtual CPUs run, for each VMM that is found: through weft's port,
//! beside the same VMM driven by hand.
//!
//! ```text
//!  one at a time   by hand · port · port, jailed      rounds that take turns
//!  several at once by hand · port · port, jailed      volleys that take turns ─► how many per second
//!  a crowd         by hand · a weft of our own        as many as are asked for, all running at once
//! ```
//!
//! The guest is weft-tiny, so that KVM can run it everywhere. A VMM that is not found is a note.

mod crowd;
mod stage;

pub(crate) use stage::named;

use crate::by_hand::{self, Recipe};
use crate::house::interrupted;
use crate::report::{Comparison, Findings, Series};
use anyhow::{Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use stage::{Confined, Contender, Stage};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Rounds, where nobody says how many.
const ROUNDS: u32 = 20;
/// So many rounds are worth a volley.
const ROUNDS_IN_A_VOLLEY: u32 = 10;
/// How many are started in a volley, and how many of them at a time.
const VOLLEY: usize = 24;
pub(crate) const AT_A_TIME: usize = 8;

/// What was measured of one way to start one VMM.
#[derive(Default)]
struct Tally {
    alone: Vec<Duration>,
    together: Vec<Duration>,
    wall: Duration,
}

/// A way to start a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    ByHand,
    Port(Confined),
}

impl Way {
    const fn name(self) -> &'static str {
        match self {
            Self::ByHand => "by-hand",
            Self::Port(Confined::Cgroup) => "port",
            Self::Port(Confined::Jail) => "port-jailed",
        }
    }

    const fn about(self) -> &'static str {
        match self {
            Self::ByHand => "started by hand until it says that it runs",
            Self::Port(Confined::Cgroup) => "launched through weft's port, not jailed, until that answers",
            Self::Port(Confined::Jail) => "launched through weft's port in a jail, until that answers",
        }
    }
}

/// Measures it; with as many VMs at once as are asked for.
pub(crate) async fn measure(program: &Path, rounds: Option<u32>, vms: Option<u32>) -> Result<Findings> {
    let rounds = rounds.unwrap_or(ROUNDS).max(1);
    let stage = Stage::open().await?;
    let measured = tokio::select! {
        measured = ports(&stage, rounds) => measured,
        why = interrupted() => Err(why),
    };
    stage.clear().await?;
    let mut findings = measured?;
    for contender in &stage.contenders {
        let Some(vms) = vms else { break };
        if let Some(recipe) = stage.recipe(contender).await? {
            crowd::measure(program, &stage, (contender, &recipe), (vms, &mut findings)).await?;
        }
    }
    stage.clear().await?;
    Ok(findings)
}

/// All that is measured without a daemon.
async fn ports(stage: &Stage, rounds: u32) -> Result<Findings> {
    let about = format!("{} MiB and weft-tiny, from the first step until the virtual CPUs run", stage::MEBIBYTES);
    let mut findings = Findings { suite: "boot", about, rounds, ..Findings::default() };
    findings.notes.clone_from(&stage.missing);
    for contender in &stage.contenders {
        let name = &contender.name;
        let Some(recipe) = stage.recipe(contender).await? else {
            findings.notes.push(format!("{name}: the bench does not know how to drive it by hand"));
            continue;
        };
        let mut ways = vec![(Way::ByHand, Tally::default()), (Way::Port(Confined::Cgroup), Tally::default())];
        match stage.jails(contender).await {
            Ok(()) => ways.push((Way::Port(Confined::Jail), Tally::default())),
            Err(why) => findings.notes.push(format!("{name} jailed: {why}")),
        }
        let start = Start { stage, contender, recipe: Arc::new(recipe) };
        for round in 0..=rounds {
            for (way, tally) in &mut ways {
                let took = start.one(*way).await?;
                // The first round only warms up.
                if round > 0 {
                    tally.alone.push(took);
                }
            }
        }
        for volley in 0..=rounds.div_ceil(ROUNDS_IN_A_VOLLEY) {
            for (way, tally) in &mut ways {
                let measured = start.volley(*way).await?;
                if volley > 0 {
                    tally.together.extend(measured.0);
                    tally.wall += measured.1;
                }
            }
        }
        tell(&mut findings, name, &ways)?;
    }
    ensure!(!findings.series.is_empty(), "no VMM can be measured here: {}", findings.notes.join("; "));
    Ok(findings)
}

/// One VMM and all ways to start it.
struct Start<'a> {
    stage: &'a Stage,
    contender: &'a Contender,
    recipe: Arc<Recipe>,
}

impl Start<'_> {
    /// Starts one, and ends it.
    async fn one(&self, way: Way) -> Result<Duration> {
        match way {
            Way::ByHand => self.by_hand().await.map(|started| started.took),
            Way::Port(confined) => {
                let (machine, took) = self.stage.launch(self.contender, confined).await?;
                self.stage.end(machine).await?;
                Ok(took)
            }
        }
    }

    async fn by_hand(&self) -> Result<by_hand::Started> {
        let (folder, recipe) = (self.stage.folder()?, Arc::clone(&self.recipe));
        tokio::task::spawn_blocking(move || by_hand::start(&recipe, &folder)).await?
    }

    /// Starts many, a few at a time, and ends them when all run; how long each took, and all.
    async fn volley(&self, way: Way) -> Result<(Vec<Duration>, Duration)> {
        let start = Instant::now();
        match way {
            Way::ByHand => {
                let all = stream::iter(0..VOLLEY).map(|_| self.by_hand()).buffer_unordered(AT_A_TIME);
                let started: Vec<_> = all.try_collect().await?;
                let measured = (started.iter().map(|one| one.took).collect(), start.elapsed());
                // Each waits for its process to be gone.
                tokio::task::spawn_blocking(move || drop(started)).await?;
                Ok(measured)
            }
            Way::Port(confined) => {
                let launch = |_| self.stage.launch(self.contender, confined);
                let all = stream::iter(0..VOLLEY).map(launch).buffer_unordered(AT_A_TIME);
                let machines: Vec<_> = all.try_collect().await?;
                let measured = (machines.iter().map(|(_, took)| *took).collect(), start.elapsed());
                for (machine, _) in machines {
                    self.stage.end(machine).await?;
                }
                Ok(measured)
            }
        }
    }
}

fn tell(findings: &mut Findings, driver: &str, ways: &[(Way, Tally)]) -> Result<()> {
    let mut told: Vec<[Series; 2]> = Vec::new();
    for (way, tally) in ways {
        let alone = Series::of(format!("{driver}-{}", way.name()), way.about(), &tally.alone)?;
        let about = format!("the same, {AT_A_TIME} at a time");
        let together = Series::of(format!("{driver}-{}-{AT_A_TIME}", way.name()), about, &tally.together)?;
        told.push([alone, together.within(tally.wall)]);
    }
    for (at, ours) in told.iter().enumerate().skip(1) {
        // The jailed one is beside the one that is not.
        let beside = &told[at - 1];
        let pairs = ours.iter().zip(beside);
        findings.comparisons.extend(pairs.map(|(ours, beside)| Comparison::of(ours, beside, None)));
    }
    findings.series.extend(told.into_iter().flatten());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_is_told_beside_the_one_before_it() {
        let ms = Duration::from_millis;
        let tally = |alone| Tally { alone: vec![ms(alone)], together: vec![ms(9), ms(9)], wall: ms(10) };
        let ways =
            [(Way::ByHand, tally(2)), (Way::Port(Confined::Cgroup), tally(3)), (Way::Port(Confined::Jail), tally(6))];
        let mut findings = Findings::default();
        tell(&mut findings, "x", &ways).unwrap();
        let names: Vec<_> = findings.series.iter().map(|series| series.name.as_str()).collect();
        assert_eq!(names, ["x-by-hand", "x-by-hand-8", "x-port", "x-port-8", "x-port-jailed", "x-port-jailed-8"]);
        let pairs: Vec<_> = findings.comparisons.iter().map(|pair| (pair.beside.as_str(), pair.ratio)).collect();
        assert_eq!(pairs, [("x-by-hand", 1.5), ("x-by-hand-8", 1.0), ("x-port", 2.0), ("x-port-8", 1.0)]);
        assert_eq!(findings.series[1].per_second, Some(200.0));
    }
}
