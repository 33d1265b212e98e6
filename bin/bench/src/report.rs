//! The report: what was measured, beside what, on which machine. Its JSON form is versioned.

use crate::statistics::{Summary, rate, rounded};
use anyhow::{Context, Result};
use serde::Serialize;
use std::path::Path;
use std::time::Duration;
use tokio::process::Command;

/// The version of the JSON form; it grows when a field changes its meaning or goes away.
pub(crate) const SCHEMA: u32 = 1;

/// QEMU for guests of this host's architecture.
const QEMU: &str = if cfg!(target_arch = "aarch64") { "qemu-system-aarch64" } else { "qemu-system-x86_64" };

/// All that is told.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) schema: u32,
    pub(crate) weft: Build,
    pub(crate) machine: Machine,
    pub(crate) suites: Vec<Findings>,
    /// What the suite `crash` found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) crash: Option<serde_json::Value>,
}

/// Which weft this is.
#[derive(Debug, Serialize)]
pub(crate) struct Build {
    pub(crate) version: &'static str,
    pub(crate) profile: &'static str,
}

impl Build {
    pub(crate) const fn here() -> Self {
        let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
        Self { version: env!("CARGO_PKG_VERSION"), profile }
    }
}

/// Where it was measured; what is not known is absent.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) architecture: &'static str,
    pub(crate) cpus: Option<usize>,
    pub(crate) cpu_model: Option<String>,
    pub(crate) kernel: String,
    pub(crate) qemu: Option<String>,
    /// What the temporary folder is on.
    pub(crate) filesystem: Option<String>,
}

impl Machine {
    pub(crate) async fn here() -> Self {
        let models = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = models.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        Self {
            architecture: std::env::consts::ARCH,
            cpus: std::thread::available_parallelism().ok().map(usize::from),
            cpu_model: model.map(|(_, model)| model.to_owned()),
            kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
            qemu: qemu_version().await,
            filesystem: filesystem(&std::env::temp_dir()),
        }
    }
}

async fn qemu_version() -> Option<String> {
    let said = Command::new(QEMU).arg("--version").output().await.ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    said.lines().next()?.strip_prefix("QEMU emulator version ").map(str::to_owned)
}

/// The sort of file system that a folder is on: that of the longest mount point above it.
fn filesystem(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    let parts = mounts.lines().map(|line| line.split(' ').skip(1));
    let points = parts.filter_map(|mut parts| Some((parts.next()?, parts.next()?)));
    let above = points.filter(|(point, _)| folder.starts_with(point));
    // Of two mounts on one point the later one is seen.
    above.max_by_key(|(point, _)| point.len()).map(|(_, kind)| kind.to_owned())
}

/// What a suite found.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Findings {
    pub(crate) suite: &'static str,
    pub(crate) about: String,
    pub(crate) rounds: u32,
    pub(crate) series: Vec<Series>,
    pub(crate) comparisons: Vec<Comparison>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) crowds: Vec<Crowd>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) upgrade: Option<Upgrade>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) targets: Vec<Target>,
    /// What was not measured, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
}

/// A weft that was replaced while clients asked.
#[derive(Debug, Serialize)]
pub(crate) struct Upgrade {
    pub(crate) replacements: u32,
    pub(crate) clients: usize,
    pub(crate) requests: usize,
    /// Requests that had no answer.
    pub(crate) refused: usize,
    /// How long clients were refused, over all replacements.
    pub(crate) refused_ms: f64,
    /// The longest time between two answers to anybody.
    pub(crate) longest_gap_ms: f64,
    /// The same of a weft that was not replaced.
    pub(crate) longest_gap_calm_ms: f64,
    pub(crate) vms: usize,
    /// VMs that ran on in the process that they had.
    pub(crate) vms_survived: usize,
    pub(crate) goal: String,
    pub(crate) met: bool,
}

/// Many VMs that ran at once.
#[derive(Debug, Serialize)]
pub(crate) struct Crowd {
    pub(crate) driver: String,
    /// How many ran at once, as the machine's own processes say.
    pub(crate) vms: usize,
    /// How many of them were jailed.
    pub(crate) jailed: usize,
    /// From the first call until all run.
    pub(crate) all_running_ms: f64,
    pub(crate) per_second: f64,
    /// What the agent's resident memory grew by, for each VM.
    pub(crate) agent_kib_per_vm: f64,
    /// The resident memory of one VMM.
    pub(crate) vmm_kib_per_vm: f64,
    /// From the first deletion until the last has answered.
    pub(crate) all_deleted_ms: f64,
    /// Processes and cgroups that were left then.
    pub(crate) left: usize,
}

/// A figure that is one number, beside what is aimed at.
#[derive(Debug, Serialize)]
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) about: String,
    pub(crate) figure: f64,
    pub(crate) unit: &'static str,
    pub(crate) goal: Option<String>,
    /// The figure over the goal.
    pub(crate) ratio: Option<f64>,
    pub(crate) met: Option<bool>,
}

impl Target {
    /// A figure that should be no more than this, where anything is aimed at.
    pub(crate) fn at_most(name: &'static str, about: &str, figure: (f64, &'static str), goal: Option<f64>) -> Self {
        Self::of(name, about, figure, goal.map(|goal| ("at most", goal, figure.0 <= goal)))
    }

    /// A figure that should be no less than this, where anything is aimed at.
    pub(crate) fn at_least(name: &'static str, about: &str, figure: (f64, &'static str), goal: Option<f64>) -> Self {
        Self::of(name, about, figure, goal.map(|goal| ("at least", goal, figure.0 >= goal)))
    }

    fn of(
        name: &'static str,
        about: &str,
        (figure, unit): (f64, &'static str),
        goal: Option<(&'static str, f64, bool)>,
    ) -> Self {
        Self {
            name,
            about: about.to_owned(),
            figure,
            unit,
            goal: goal.map(|(bound, goal, _)| format!("{bound} {goal} {unit}")),
            ratio: goal.map(|(_, goal, _)| rounded(figure / goal, 2)),
            met: goal.map(|(_, _, met)| met),
        }
    }
}

/// Many durations of one thing.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) about: String,
    #[serde(flatten)]
    pub(crate) figures: Summary,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) syncs_per_commit: Option<f64>,
}

impl Series {
    /// The series of these durations.
    ///
    /// # Errors
    /// There are none.
    pub(crate) fn of(name: impl Into<String>, about: impl Into<String>, durations: &[Duration]) -> Result<Self> {
        let name = name.into();
        let figures = Summary::of(durations).with_context(|| format!("nothing was measured of {name}"))?;
        Ok(Self { name, about: about.into(), figures, per_second: None, syncs_per_commit: None })
    }

    /// With how many were done per second of this time.
    pub(crate) fn within(mut self, wall: Duration) -> Self {
        self.per_second = Some(rate(self.figures.count, wall));
        self
    }
}

/// Ours beside the peer or the floor, at the median; goals are judged there.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    pub(crate) ours: String,
    pub(crate) beside: String,
    /// Our median over the other's.
    pub(crate) ratio: f64,
    /// Our median less the other's.
    pub(crate) more_us: f64,
    /// Our shortest over the other's: what is left of the ratio where other work disturbs least.
    pub(crate) ratio_of_min: f64,
    /// Our shortest less the other's.
    pub(crate) more_us_of_min: f64,
    /// Ours per second over the other's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rate_ratio: Option<f64>,
    pub(crate) goal: Option<String>,
    pub(crate) met: Option<bool>,
}

/// What is aimed at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    /// At most this much longer, in microseconds.
    More(f64),
    /// At most so many times as long.
    Times(f64),
}

impl Comparison {
    /// One series beside another.
    pub(crate) fn of(ours: &Series, beside: &Series, goal: Option<Goal>) -> Self {
        let (mine, other) = (ours.figures.p50_us, beside.figures.p50_us);
        let (ratio, more) = (mine / other, mine - other);
        let (least, floor) = (ours.figures.min_us, beside.figures.min_us);
        let rates = ours.per_second.zip(beside.per_second);
        Self {
            ours: ours.name.clone(),
            beside: beside.name.clone(),
            ratio: rounded(ratio, 2),
            more_us: rounded(more, 1),
            ratio_of_min: rounded(least / floor, 2),
            more_us_of_min: rounded(least - floor, 1),
            rate_ratio: rates.map(|(mine, other)| rounded(mine / other, 2)),
            goal: goal.map(|goal| match goal {
                Goal::More(us) => format!("at most {us} us more at the median"),
                Goal::Times(times) => format!("at most {times} times at the median"),
            }),
            met: goal.map(|goal| match goal {
                Goal::More(us) => more <= us,
                Goal::Times(times) => ratio <= times,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(name: &str, micros: u64) -> Series {
        Series::of(name, "", &[Duration::from_micros(micros)]).unwrap()
    }

    #[test]
    fn a_comparison_says_ratio_difference_and_whether_the_goal_was_met() {
        let (ours, floor) = (series("ours", 150), series("floor", 100));
        let told = Comparison::of(&ours, &floor, Some(Goal::Times(1.2)));
        assert_eq!((told.ratio, told.more_us, told.met), (1.5, 50.0, Some(false)));
        assert_eq!((told.ratio_of_min, told.more_us_of_min), (1.5, 50.0));
        let told = Comparison::of(&ours, &floor, Some(Goal::More(50.0)));
        assert_eq!((told.goal.as_deref(), told.met), (Some("at most 50 us more at the median"), Some(true)));
        let told = Comparison::of(&ours.within(Duration::from_secs(1)), &floor, None);
        assert_eq!((told.goal, told.met, told.rate_ratio), (None, None, None));
    }

    #[tokio::test]
    async fn what_is_told_of_the_machine_is_there() {
        let machine = Machine::here().await;
        assert!(machine.cpus.is_some() && !machine.kernel.is_empty() && machine.filesystem.is_some());
    }
}
