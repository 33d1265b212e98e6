//! What a report makes of an instance, as a pure function.
//!
//! A sight moves the phase by the domain's one function. Before that, a sight that does not speak of
//! what is asked now is set right: one from before the newest boot was asked is only heard for its
//! figures, and one that says that nothing runs means STOPPED while that is what is asked.

use weft_domain::instance::{Condition, Power};
use weft_domain::lifecycle::{Action, Event, Sight, next};
use weft_domain::{Instance, NodeId, Phase, Time};
use weft_ports::link::Report;

/// What follows from a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Absorbed {
    /// It is of a placement that was superseded, or says nothing new.
    Nothing,
    /// The instance is now so.
    Change(Box<Instance>),
    /// Nothing of the instance is left.
    Gone,
}

/// What a report from this node makes of an instance.
pub(super) fn absorb(before: &Instance, node: NodeId, report: &Report, now: Time) -> Absorbed {
    let here = |placement: weft_domain::instance::Placement| {
        placement.node == node && placement.generation == report.placement
    };
    if !before.placement.is_some_and(here) {
        return Absorbed::Nothing;
    }
    let known = before;
    let caught_up = catch_up(known, report);
    let before = caught_up.as_ref().unwrap_or(known);
    let told = caught_up.as_ref().map(|after| Report { boot_epoch: after.desired.boot_epoch, ..report.clone() });
    let report = told.as_ref().unwrap_or(report);
    let mut after = before.clone();
    if let Some(sight) = meant(before, report) {
        // A sight is never refused.
        let Ok((phase, actions)) = next(before.status.phase, Event::Saw(sight)) else { return Absorbed::Nothing };
        if actions.contains(&Action::Forget) {
            return Absorbed::Gone;
        }
        after.status.phase = phase;
    }
    let status = &mut after.status;
    status.observed_generation = report.generation.max(status.observed_generation);
    status.running.clone_from(&report.running);
    if report.last_exit.is_some() {
        status.last_exit.clone_from(&report.last_exit);
    }
    status.restarts = if report.boot_epoch < before.desired.boot_epoch { status.restarts } else { report.restarts };
    status.addresses.clone_from(&report.addresses);
    status.restart_required.clone_from(&report.restart_required);
    status.conditions = conditions(&before.status.conditions, &report.conditions, now);
    if after == *known { Absorbed::Nothing } else { Absorbed::Change(Box::new(after)) }
}

/// A node that has done a boot or reboot which nobody is known to have asked for was asked by a state that is
/// lost: this one was restored from a backup. What runs was wanted, and numbers go on from there.
fn catch_up(before: &Instance, report: &Report) -> Option<Instance> {
    let runs = report.running.as_ref().map(|it| (it.boot_epoch, it.reboot_epoch));
    let ended = report.last_exit.as_ref().map(|it| (it.boot_epoch, it.reboot_epoch));
    let boots = runs.max(ended).map_or(0, |(boots, _)| boots);
    let reboots = [runs, ended].into_iter().flatten().map(|(_, reboots)| reboots).max().unwrap_or(0);
    let desired = &before.desired;
    if desired.deleted || (boots <= desired.boot_epoch && reboots <= desired.reboot_epoch) {
        return None;
    }
    let mut after = before.clone();
    if runs.is_some_and(|(boots, _)| boots > desired.boot_epoch) {
        after.desired.power = if report.sight == Sight::Paused { Power::Paused } else { Power::On };
        // What was being stopped was another boot.
        after.status.phase = Phase::Starting;
    }
    after.desired.boot_epoch = boots.max(desired.boot_epoch);
    after.desired.reboot_epoch = reboots.max(desired.reboot_epoch);
    Some(after)
}

/// The sight that is meant under what is asked now; nothing where it does not speak of that.
fn meant(before: &Instance, report: &Report) -> Option<Sight> {
    let (desired, phase, sight) = (&before.desired, before.status.phase, report.sight);
    if desired.deleted || matches!(sight, Sight::Released | Sight::NodeLost) {
        return Some(sight);
    }
    if report.boot_epoch < desired.boot_epoch {
        // That its disks are made is news while they are being made.
        let making = matches!(phase, Phase::Pending | Phase::Creating);
        return (making && matches!(sight, Sight::Preparing | Sight::Prepared)).then_some(sight);
    }
    let fresh = report.last_exit.as_ref().filter(|exit| before.status.last_exit.as_ref() != Some(exit));
    match (sight, phase) {
        (Sight::Prepared | Sight::Failed, Phase::Stopping | Phase::Stopped)
            if report.running.is_none() && (sight == Sight::Prepared || fresh.is_none()) =>
        {
            Some(Sight::Stopped)
        }
        (Sight::Stopped, _) if desired.power != Power::Off && reboots(before, report) => Some(Sight::Starting),
        _ => Some(sight),
    }
}

/// Its process ended for a reboot, or was of an older boot, and it will be launched again.
fn reboots(before: &Instance, report: &Report) -> bool {
    let desired = &before.desired;
    let ended = report.last_exit.as_ref();
    ended.is_some_and(|exit| {
        let rebooted = exit.boot_epoch == desired.boot_epoch && exit.reboot_epoch < desired.reboot_epoch;
        rebooted || exit.boot_epoch < desired.boot_epoch
    })
}

/// The conditions as reported; one that says what it said keeps its time.
fn conditions(before: &[Condition], reported: &[Condition], now: Time) -> Vec<Condition> {
    let since = |new: &Condition| {
        let same = |old: &&Condition| old.kind == new.kind && old.holds == new.holds && old.reason == new.reason;
        let given = if new.since == Time::default() { now } else { new.since };
        before.iter().find(same).map_or(given, |old| old.since)
    };
    reported.iter().map(|new| Condition { since: since(new), ..new.clone() }).collect()
}

#[cfg(test)]
mod tests;
