//! One event per verb and per change of phase; warnings for what somebody should look at.

use super::*;
use crate::Time;
use crate::ask::{Ask, ask};
use crate::instance::{self, StopHow};
use std::time::Duration;

const NOW: Time = Time::from_millis(1);

fn at(phase: Phase, power: Power) -> Instance {
    instance::sample(phase, power, 1)
}

fn reasons(before: &Instance, after: &Instance) -> Vec<(&'static str, Severity)> {
    tell(Some(before), Some(after)).into_iter().map(|told| (told.reason, told.severity)).collect()
}

#[test]
fn each_verb_is_told_once() {
    let soft = StopHow::Graceful { timeout: Duration::from_secs(1) };
    let (on, held, off) =
        (at(Phase::Running, Power::On), at(Phase::Paused, Power::Paused), at(Phase::Stopped, Power::Off));
    for (before, what, reason) in [
        (&off, Ask::Boot, "Booting"),
        (&on, Ask::Shutdown(soft), "ShutdownRequested"),
        (&on, Ask::Pause, "PauseRequested"),
        (&held, Ask::Resume, "ResumeRequested"),
        (&on, Ask::Reboot(soft), "RebootRequested"),
        (&on, Ask::DeleteForce, "Deleting"),
        (&off, Ask::Delete, "Deleting"),
    ] {
        let after = ask(before, what, NOW).expect("lawful");
        assert_eq!(reasons(before, &after), [(reason, Severity::Normal)], "{what:?}");
    }
}

#[test]
fn each_change_of_phase_is_told_once() {
    use Severity::{Normal, Warning};
    for (from, to, reason, severity) in [
        (Phase::Pending, Phase::Creating, "Preparing", Normal),
        (Phase::Creating, Phase::Created, "Prepared", Normal),
        (Phase::Starting, Phase::Running, "Running", Normal),
        (Phase::Running, Phase::Paused, "Paused", Normal),
        (Phase::Paused, Phase::Running, "Resumed", Normal),
        (Phase::Stopping, Phase::Stopped, "Stopped", Normal),
        (Phase::Running, Phase::Starting, "Restarting", Warning),
        (Phase::Starting, Phase::Failed, "Failed", Warning),
        (Phase::Running, Phase::Lost, "Lost", Warning),
    ] {
        assert_eq!(reasons(&at(from, Power::On), &at(to, Power::On)), [(reason, severity)], "{from} → {to}");
        assert!(reasons(&at(to, Power::On), &at(to, Power::On)).is_empty());
    }
}

#[test]
fn a_failure_is_told_with_its_cause() {
    let before = at(Phase::Running, Power::On);
    let mut after = at(Phase::Failed, Power::On);
    after.status.last_exit = Some(Exit {
        boot_epoch: 1,
        reboot_epoch: 0,
        at: NOW,
        cause: ExitCause::OutOfMemory,
        message: "the kernel killed it".into(),
        log_tail: vec![],
        console_tail: vec![],
    });
    let all = tell(Some(&before), Some(&after));
    assert_eq!(all.iter().map(|told| told.reason).collect::<Vec<_>>(), ["Exited", "Failed"]);
    assert!(all.iter().all(|told| told.message == "OutOfMemory: the kernel killed it"));
}

#[test]
fn birth_and_end_are_told() {
    let it = at(Phase::Pending, Power::Off);
    let one = |before, after| tell(before, after).first().map(|told| told.reason);
    assert_eq!(one(None, Some(&it)), Some("Created"));
    assert_eq!(one(Some(&it), None), Some("Deleted"));
    assert_eq!(one(None, None), None);
}
