//! What to do next for one instance on its node: desired against observed, as a pure function.
//!
//! ```text
//!  Wanted (what the placement says) ┐
//!  Seen   (what this node has)      ├─► converge ─► Plan { steps, wake }
//!  now                              ┘
//! ```
//!
//! A plan holds what can be done now, in order, and when to look again if nothing happens before.
//! The owner of the instance does the steps, looks again, and plans again: there is no memory but
//! what is seen.

use crate::instance::{ExitCause, Power, StopHow};
use crate::restart::{self, Verdict};
use crate::spec::RestartPolicy;
use crate::{Time, instance::Desired};

/// What the placement says of one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The desired state.
    pub desired: Desired,
    /// What happens after an exit that nobody asked for.
    pub restart: RestartPolicy,
}

/// What this node has of one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    /// Its disks and folders are made.
    pub prepared: bool,
    /// Its process, if one lives.
    pub live: Option<Live>,
    /// The process lacks what its specification asks and what can be given to it as it runs.
    pub lacking: bool,
    /// How its last process ended.
    pub ended: Option<Ended>,
    /// How often the restart policy has started it since it was last asked to boot.
    pub restarts: u32,
}

/// A living process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Live {
    /// The boot that it serves.
    pub boot_epoch: u64,
    /// The last reboot that it has done.
    pub reboot_epoch: u64,
    /// Whether its virtual CPUs are held.
    pub held: bool,
    /// When the guest was asked to stop.
    pub asked: Option<Time>,
}

/// The end of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// The boot that it served.
    pub boot_epoch: u64,
    /// The last reboot that it had done.
    pub reboot_epoch: u64,
    /// Why it ended.
    pub cause: ExitCause,
    /// When.
    pub at: Time,
}

/// One thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Make disks and folders.
    Prepare,
    /// Start a process for this boot, as the policy's restart or as a first try.
    Launch {
        /// The boot that it serves.
        boot_epoch: u64,
        /// Whether the restart policy asks for it.
        again: bool,
    },
    /// Hold the virtual CPUs.
    Pause,
    /// Let them go on.
    Resume,
    /// Ask the guest to stop.
    AskToStop,
    /// End the process.
    Kill,
    /// Reset the machine in place, which does reboot number `reboot_epoch`.
    Reset {
        /// The reboot that is done by it.
        reboot_epoch: u64,
    },
    /// Give the running machine what it lacks of its specification.
    Apply,
    /// Take away everything of it.
    Release,
}

/// What to do now, and when to look again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// Steps, in order.
    pub steps: Vec<Step>,
    /// When to look again if nothing happens before.
    pub wake: Option<Time>,
    /// A restart is waited for: it does not run, and will.
    pub waiting: bool,
}

impl Plan {
    fn of(steps: &[Step]) -> Self {
        Self { steps: steps.to_vec(), ..Self::default() }
    }
    fn at(wake: Time) -> Self {
        Self { wake: Some(wake), ..Self::default() }
    }
}

/// What to do next.
///
/// # Laws
/// Total and pure. Nothing is launched unless power is on and nothing lives; at most one launch is
/// in a plan. What serves a boot that is newer than what is asked is left alone. A deleted instance is never launched and ends in [`Step::Release`]. When what is seen
/// is what is wanted, the plan is empty.
#[must_use]
pub fn converge(wanted: &Wanted, seen: &Seen, now: Time) -> Plan {
    let desired = &wanted.desired;
    match (seen.live, desired.deleted) {
        (Some(live), true) => stop(&live, desired.stop, now),
        (None, true) => Plan::of(&[Step::Release]),
        (None, false) if !seen.prepared => Plan::of(&[Step::Prepare]),
        (None, false) => at_rest(wanted, seen, now),
        (Some(live), false) => match running(desired, &live, now) {
            // Only a machine that is otherwise as it should be is changed.
            plan if seen.lacking && plan == Plan::default() => Plan::of(&[Step::Apply]),
            plan => plan,
        },
    }
}

fn stop(live: &Live, how: StopHow, now: Time) -> Plan {
    match (how, live.asked) {
        (StopHow::Force, _) => Plan::of(&[Step::Kill]),
        // A held guest hears nothing.
        (StopHow::Graceful { .. }, None) if live.held => Plan::of(&[Step::Resume, Step::AskToStop]),
        (StopHow::Graceful { .. }, None) => Plan::of(&[Step::AskToStop]),
        (StopHow::Graceful { timeout }, Some(asked)) if now >= asked.plus(timeout) => Plan::of(&[Step::Kill]),
        // It was held since, as for a snapshot.
        (StopHow::Graceful { .. }, Some(_)) if live.held => Plan::of(&[Step::Resume]),
        (StopHow::Graceful { timeout }, Some(asked)) => Plan::at(asked.plus(timeout)),
    }
}

fn at_rest(wanted: &Wanted, seen: &Seen, now: Time) -> Plan {
    let desired = &wanted.desired;
    if desired.power == Power::Off || desired.boot_epoch == 0 {
        return Plan::default();
    }
    let launch = |again| Plan::of(&[Step::Launch { boot_epoch: desired.boot_epoch, again }]);
    match seen.ended {
        Some(ended) if ended.boot_epoch >= desired.boot_epoch => {
            if ended.reboot_epoch < desired.reboot_epoch {
                return launch(false);
            }
            match restart::verdict(wanted.restart, ended.cause, ended.at, seen.restarts) {
                Verdict::Stay => Plan::default(),
                Verdict::At(at) if now >= at => launch(true),
                Verdict::At(at) => Plan { waiting: true, ..Plan::at(at) },
            }
        }
        Some(_) | None => launch(false),
    }
}

fn running(desired: &Desired, live: &Live, now: Time) -> Plan {
    if live.boot_epoch > desired.boot_epoch {
        // What is asked is from before this boot: the state is older than what runs, and will be told so.
        return Plan::default();
    }
    if live.boot_epoch < desired.boot_epoch {
        // It was stopped and booted again faster than it could end.
        return stop(live, desired.stop, now);
    }
    match desired.power {
        Power::Off => stop(live, desired.stop, now),
        Power::On | Power::Paused if live.reboot_epoch < desired.reboot_epoch => reboot(desired, live, now),
        Power::On if live.held => Plan::of(&[Step::Resume]),
        Power::Paused if !live.held => Plan::of(&[Step::Pause]),
        Power::On | Power::Paused => Plan::default(),
    }
}

fn reboot(desired: &Desired, live: &Live, now: Time) -> Plan {
    let reset = Step::Reset { reboot_epoch: desired.reboot_epoch };
    match (desired.reboot, live.asked) {
        (StopHow::Force, _) => Plan::of(&[reset]),
        // It stops as it was asked, and is launched again since power is on.
        (StopHow::Graceful { .. }, None) => Plan::of(&[Step::AskToStop]),
        (StopHow::Graceful { timeout }, Some(asked)) if now >= asked.plus(timeout) => Plan::of(&[reset]),
        (StopHow::Graceful { .. }, Some(_)) if live.held => Plan::of(&[Step::Resume]),
        (StopHow::Graceful { timeout }, Some(asked)) => Plan::at(asked.plus(timeout)),
    }
}

#[cfg(test)]
mod tests;
