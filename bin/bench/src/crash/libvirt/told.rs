//! The report of the peer: figures, what was found in each class, and the first examples.

use super::client::Tally;
use super::judge::{Class, Finding};
use crate::statistics::{Summary, rate, rounded};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// How many examples of each class and kind are told.
const EXAMPLES: usize = 3;
/// How many sorts of refusals are told.
const REFUSALS: usize = 8;

/// A finding, and when it was found.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Found {
    /// After which kill; 0 is before the first.
    pub(super) point: u32,
    /// From the first request until that kill.
    pub(super) killed_after_ms: f64,
    #[serde(flatten)]
    pub(super) finding: Finding,
    /// Whether it was still there at the end, after all further restarts; told of what is leaked alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at_the_end: Option<bool>,
}

/// What ran.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Peer {
    pub(super) libvirt: String,
    pub(super) qemu: String,
}

/// What was measured.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) points: u32,
    pub(super) found: Vec<Found>,
    pub(super) tally: Tally,
    /// From the restart until libvirtd answered a request.
    pub(super) answered: Vec<Duration>,
    /// From the restart until nothing more was found, or it was given up that anything gets better.
    pub(super) settled: Vec<Duration>,
    /// Domains that had a process right after a kill, over all kills.
    pub(super) running: u64,
    pub(super) took: Duration,
}

impl Ledger {
    /// What was found after a kill.
    fn after_kills(&self) -> impl Iterator<Item = &Found> {
        self.found.iter().filter(|found| found.point > 0)
    }

    /// The findings of a class: how many, and of how many points.
    fn count(&self, class: Class) -> serde_json::Value {
        let of: Vec<_> = self.after_kills().filter(|found| found.finding.class == class).collect();
        let mut points: Vec<_> = of.iter().map(|found| found.point).collect();
        points.dedup();
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for found in &of {
            *kinds.entry(found.finding.kind).or_default() += 1;
        }
        let left = of.iter().filter(|found| found.at_the_end == Some(true)).count();
        serde_json::json!({ "found": of.len(), "points": points.len(), "at_the_end": left, "kinds": kinds })
    }

    /// The first few of each class and kind.
    fn examples(&self) -> Vec<&Found> {
        let mut told: BTreeMap<(Class, &str), usize> = BTreeMap::new();
        let mut few = |found: &&Found| {
            let count = told.entry((found.finding.class, found.finding.kind)).or_default();
            *count += 1;
            *count <= EXAMPLES
        };
        self.found.iter().filter(|found| few(found)).collect()
    }

    /// The report.
    pub(super) fn report(&self, peer: &Peer, (seed, clients): (u64, usize)) -> serde_json::Value {
        let classes: BTreeMap<_, _> =
            Class::ALL.iter().map(|class| (format!("{class:?}").to_lowercase(), self.count(*class))).collect();
        let mut refused: Vec<_> = self.tally.refused.iter().collect();
        refused.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let refusals: Vec<_> = refused.iter().take(REFUSALS).map(|(why, count)| format!("{count} {why}")).collect();
        serde_json::json!({
            "peer": "libvirtd",
            "versions": peer,
            "seed": seed,
            "points": self.points,
            "clients": clients,
            "requests": {
                "asked": self.tally.asked,
                "acknowledged": self.tally.acknowledged,
                "refused": refused.iter().map(|(_, count)| **count).sum::<u64>(),
                "cut_off": self.tally.cut,
            },
            "processes_at_a_kill": rounded(self.running as f64 / f64::from(self.points.max(1)), 1),
            "seconds": rounded(self.took.as_secs_f64(), 1),
            "points_per_second": rate(self.points.try_into().unwrap_or(usize::MAX), self.took),
            "restart_to_answer": Summary::of(&self.answered),
            "restart_to_rest": Summary::of(&self.settled),
            "classes": classes,
            "without_a_kill": self.found.len() - self.after_kills().count(),
            "first_failing_point": self.after_kills().map(|found| found.point).min(),
            "examples": self.examples(),
            "refusals": refusals,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_counted_by_class_and_the_first_are_told() {
        let found = |point| Found {
            point,
            killed_after_ms: 1.0,
            finding: Finding {
                class: Class::Leaked,
                kind: "cgroup",
                subject: String::new(),
                request: String::new(),
                seen: String::new(),
            },
            at_the_end: Some(point > 2),
        };
        let ledger = Ledger { points: 9, found: [1, 1, 2, 3, 3].map(found).to_vec(), ..Ledger::default() };
        let peer = Peer { libvirt: String::new(), qemu: String::new() };
        let told = ledger.report(&peer, (7, 2));
        let leaked = &told["classes"]["leaked"];
        assert_eq!((&leaked["found"], &leaked["points"], &leaked["at_the_end"]), (&5.into(), &3.into(), &2.into()));
        assert_eq!((told["examples"].as_array().unwrap().len(), &told["classes"]["lost"]["found"]), (3, &0.into()));
        assert_eq!(told["first_failing_point"], 1);
    }
}
