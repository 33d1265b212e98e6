//! What is told of a change: an instance before and after it becomes events for people.
//!
//! One event per change of phase, and one per verb. The reasons are words for machines; the messages
//! are sentences for people.

use crate::event::Severity;
use crate::instance::{Exit, ExitCause, Power};
use crate::{Instance, Phase};

/// An event without its id, its time and its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Whether somebody should look at it.
    pub severity: Severity,
    /// One word for machines.
    pub reason: &'static str,
    /// One sentence for people.
    pub message: String,
}

/// What is told of this change; nothing before is a birth, nothing after is an end.
#[must_use]
pub fn tell(before: Option<&Instance>, after: Option<&Instance>) -> Vec<Told> {
    let normal = |reason, message: &str| vec![told(Severity::Normal, reason, message.to_owned())];
    match (before, after) {
        (None, None) => Vec::new(),
        (None, Some(after)) => match after.desired.origin() {
            Some(origin) => normal("Forked", &format!("it begins from snapshot {}", origin.snapshot)),
            None => normal("Created", "it was created"),
        },
        (Some(_), None) => normal("Deleted", "nothing of it is left"),
        (Some(before), Some(after)) => {
            let all = [
                asked(before, after),
                exited(before, after),
                rebooted(before, after),
                applied(before, after),
                moved(before, after),
            ];
            all.into_iter().flatten().collect()
        }
    }
}

fn told(severity: Severity, reason: &'static str, message: impl Into<String>) -> Told {
    Told { severity, reason, message: message.into() }
}

/// What callers asked.
fn asked(before: &Instance, after: &Instance) -> Option<Told> {
    let normal = |reason, message: &str| Some(told(Severity::Normal, reason, message));
    let (was, is) = (&before.desired, &after.desired);
    if is.deleted && !was.deleted {
        return normal("Deleting", "it is being deleted");
    }
    if is.boot_epoch > was.boot_epoch {
        if let Some(origin) = is.origin() {
            let message = format!("boot {} begins from snapshot {}", is.boot_epoch, origin.snapshot);
            return Some(told(Severity::Normal, "Restoring", message));
        }
        return Some(told(Severity::Normal, "Booting", format!("boot {} was asked", is.boot_epoch)));
    }
    if is.reboot_epoch > was.reboot_epoch {
        return Some(told(Severity::Normal, "RebootRequested", format!("reboot {} was asked", is.reboot_epoch)));
    }
    match (was.power, is.power) {
        (Power::On | Power::Paused, Power::Off) => normal("ShutdownRequested", "it was asked to stop"),
        (Power::Off, Power::Off) if was.stop != is.stop => normal("ShutdownRequested", "it was asked to stop sooner"),
        (Power::On | Power::Off, Power::Paused) => normal("PauseRequested", "it was asked to pause"),
        (Power::Paused, Power::On) => normal("ResumeRequested", "it was asked to go on"),
        (Power::Off, Power::Off | Power::On) | (Power::On, Power::On) | (Power::Paused, Power::Paused) => {
            updated(before, after)
        }
    }
}

fn updated(before: &Instance, after: &Instance) -> Option<Told> {
    let (was, is) = (&before.meta, &after.meta);
    let message = if is.generation > was.generation {
        format!("its specification is now of generation {}", is.generation)
    } else if is.labels != was.labels || is.annotations != was.annotations {
        "its labels or annotations were changed".to_owned()
    } else {
        return None;
    };
    Some(told(Severity::Normal, "Updated", message))
}

/// A process that ended otherwise than was asked.
fn exited(before: &Instance, after: &Instance) -> Option<Told> {
    let exit = fresh_exit(before, after)?;
    if matches!(exit.cause, ExitCause::Shutdown | ExitCause::Forced) {
        return None;
    }
    let severity = if exit.cause.is_failure() { Severity::Warning } else { Severity::Normal };
    Some(told(severity, "Exited", sentence(exit)))
}

fn fresh_exit<'a>(before: &Instance, after: &'a Instance) -> Option<&'a Exit> {
    after.status.last_exit.as_ref().filter(|exit| before.status.last_exit.as_ref() != Some(exit))
}

fn sentence(exit: &Exit) -> String {
    if exit.message.is_empty() {
        exit.cause.as_str().to_owned()
    } else {
        format!("{}: {}", exit.cause.as_str(), exit.message)
    }
}

fn rebooted(before: &Instance, after: &Instance) -> Option<Told> {
    let was = before.status.running.as_ref().map_or(before.desired.reboot_epoch, |running| running.reboot_epoch);
    let running = after.status.running.as_ref()?;
    (before.status.running.is_some() && running.reboot_epoch > was)
        .then(|| told(Severity::Normal, "Rebooted", format!("reboot {} is done", running.reboot_epoch)))
}

/// A specification that a running machine took up, with what it could not.
fn applied(before: &Instance, after: &Instance) -> Option<Told> {
    let (was, is) = (before.status.running.as_ref()?, after.status.running.as_ref()?);
    if was.incarnation != is.incarnation || is.applied_generation <= was.applied_generation {
        return None;
    }
    let mut message = format!("its machine has taken up generation {}", is.applied_generation);
    if !after.status.restart_required.is_empty() {
        message.push_str("; what waits for its next boot: ");
        message.push_str(&after.status.restart_required.join(", "));
    }
    Some(told(Severity::Normal, "Applied", message))
}

/// The change of phase that the node saw; those that verbs make are told by the verb.
fn moved(before: &Instance, after: &Instance) -> Option<Told> {
    let (from, to) = (before.status.phase, after.status.phase);
    if from == to || after.desired.boot_epoch > before.desired.boot_epoch {
        return None;
    }
    let normal = |reason, message: &str| Some(told(Severity::Normal, reason, message));
    let last = || after.status.last_exit.as_ref().map(sentence);
    match to {
        Phase::Creating => normal("Preparing", "its node makes its disks and folders"),
        Phase::Created => normal("Prepared", "its disks and folders are made"),
        Phase::Starting if matches!(from, Phase::Created | Phase::Pending | Phase::Creating | Phase::Lost) => {
            normal("Starting", "its VMM is being started")
        }
        Phase::Starting => {
            let message = format!("it is started again, restart {}", after.status.restarts.saturating_add(1));
            Some(told(Severity::Warning, "Restarting", message))
        }
        Phase::Running if from == Phase::Paused => normal("Resumed", "its virtual CPUs go on"),
        Phase::Running => normal("Running", "its virtual CPUs run"),
        Phase::Paused => normal("Paused", "its virtual CPUs are held"),
        Phase::Stopped => Some(told(Severity::Normal, "Stopped", last().unwrap_or_else(|| "it stopped".to_owned()))),
        Phase::Failed => {
            let message = last().or_else(|| failing_condition(after)).unwrap_or_else(|| "it failed".to_owned());
            Some(told(Severity::Warning, "Failed", message))
        }
        Phase::Lost => Some(told(Severity::Warning, "Lost", "its node is out of reach")),
        Phase::Pending | Phase::Stopping | Phase::Migrating | Phase::Deleting => None,
    }
}

fn failing_condition(after: &Instance) -> Option<String> {
    let failing = after.status.conditions.iter().find(|one| one.holds == Some(false))?;
    Some(format!("{}: {}", failing.reason, failing.message))
}

#[cfg(test)]
mod tests;
