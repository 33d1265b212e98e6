//! Where a life ends: the fault point and its hit, what happens there and to whom; or an instant.

use super::dice::Dice;
use serde::Serialize;
use std::fmt;
use std::time::Duration;
use weft_ports::fault::Point;

/// Points that are passed often, so that a later hit of them is worth aiming at.
const BUSY: [&str; 5] = ["store.", "journal.", "vmm.", "control.", "agent.step"];
/// Points that are passed rarely whatever clients do.
const RARE: [&str; 3] = ["journal.rewr", "agent.ke", "part."];

/// Who is killed, or what breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Victim {
    /// The daemon is killed.
    Daemon,
    /// A VMM is killed.
    Vmm,
    /// The process that stands at the point is killed, or the youngest launcher.
    Launcher,
    /// The task at the point panics.
    Panic,
}

impl Victim {
    /// Every victim.
    pub(super) const ALL: [Self; 4] = [Self::Daemon, Self::Vmm, Self::Launcher, Self::Panic];

    /// Its name.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Daemon => "daemon",
            Self::Vmm => "vmm",
            Self::Launcher => "launcher",
            Self::Panic => "panic",
        }
    }
}

/// Where and how a life is disturbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Aim {
    /// The point and which hit of it; none where an instant is chosen.
    pub(super) point: Option<(Point, u64)>,
    /// Who.
    pub(super) victim: Victim,
    /// When, from the beginning of the load, where no point comes first.
    pub(super) instant: Duration,
    /// The daemon is held there and killed from outside instead of by itself.
    pub(super) held: bool,
}

impl Aim {
    /// The aim that these dice give: a point uniformly by name, or none.
    pub(super) fn draw(dice: &mut Dice, at_points: Option<&[Point]>, burst: Duration) -> Self {
        let point = at_points.and_then(|points| dice.pick(points).copied());
        let nth = point.map_or(1, |point| nth(dice, point));
        let of_launcher = point.is_some_and(|point| point.as_str().starts_with("launcher."));
        let weights = [
            (70, Victim::Daemon),
            (14, Victim::Vmm),
            (if of_launcher { 30 } else { 0 }, Victim::Launcher),
            (if point.is_some_and(may_panic) { 10 } else { 0 }, Victim::Panic),
        ];
        let victim = dice.weigh(&weights).unwrap_or(Victim::Daemon);
        let micros = u64::try_from(burst.as_micros()).unwrap_or(u64::MAX);
        let instant = Duration::from_micros(dice.below(micros));
        Self { point: point.map(|point| (point, nth)), victim, instant, held: dice.percent(25) }
    }

    /// What the daemon is told of it.
    pub(super) fn plan(&self) -> Option<String> {
        let (point, nth) = self.point?;
        let act = match self.victim {
            Victim::Daemon if !self.held => "kill",
            Victim::Daemon | Victim::Vmm | Victim::Launcher => "hold",
            Victim::Panic => "panic",
        };
        Some(format!("{point}:{nth}:{act}"))
    }
}

impl fmt::Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let victim = self.victim.as_str();
        match self.point {
            Some((point, nth)) => write!(f, "{victim} at {point}:{nth}"),
            None => write!(f, "{victim} after {} us", self.instant.as_micros()),
        }
    }
}

/// A task that panics is one of many; the threads that write the store and the journal are the daemon's own
/// and end it, which is the same as a kill.
fn may_panic(point: Point) -> bool {
    !["store.", "journal."].iter().any(|room| point.as_str().starts_with(room))
}

fn nth(dice: &mut Dice, point: Point) -> u64 {
    let of = |names: &[&str]| names.iter().any(|name| point.as_str().starts_with(name));
    let most = match dice.below(10) {
        _ if of(&RARE) => 2,
        0..=5 => 3,
        6..=7 => 8,
        _ if of(&BUSY) => 48,
        _ => 12,
    };
    1 + dice.below(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_aims_the_same_again_and_every_point_is_aimed_at() {
        let burst = Duration::from_millis(100);
        let aims = |seed| {
            let mut dice = Dice::new(seed);
            (0..2000).map(|_| Aim::draw(&mut dice, Some(Point::ALL), burst)).collect::<Vec<_>>()
        };
        assert_eq!(aims(3), aims(3));
        let aimed: std::collections::BTreeSet<_> = aims(3).into_iter().filter_map(|aim| aim.point).collect();
        let points: std::collections::BTreeSet<_> = aimed.iter().map(|(point, _)| *point).collect();
        assert_eq!(points.len(), Point::ALL.len());
    }

    #[test]
    fn a_plan_is_in_the_daemon_s_words() {
        let aim = |victim, held| Aim { point: Some((Point::StoreCommitted, 3)), victim, instant: Duration::ZERO, held };
        assert_eq!(aim(Victim::Daemon, false).plan().as_deref(), Some("store.committed:3:kill"));
        assert_eq!(aim(Victim::Daemon, true).plan().as_deref(), Some("store.committed:3:hold"));
        assert_eq!(aim(Victim::Vmm, false).plan().as_deref(), Some("store.committed:3:hold"));
        assert_eq!(aim(Victim::Panic, false).plan().as_deref(), Some("store.committed:3:panic"));
    }
}
