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
fn what_a_machine_takes_up_is_told_with_what_waits() {
    let runs = |applied_generation, waiting: &[&str]| {
        let mut it = at(Phase::Running, Power::On);
        it.status.running = Some(instance::Running {
            incarnation: crate::IncarnationId::new(NOW, [1; 10]),
            pid: 1,
            boot_epoch: 1,
            reboot_epoch: 0,
            start_time: NOW,
            driver: String::new(),
            machine: crate::spec::Machine::Pc,
            accelerator: crate::spec::Accelerator::Tcg,
            jail: None,
            applied_generation,
            resets: 0,
        });
        it.status.restart_required = waiting.iter().map(|field| (*field).to_owned()).collect();
        it
    };
    let told = tell(Some(&runs(1, &[])), Some(&runs(2, &["vm.spec.cpu", "vm.spec.rng"])));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].reason, "Applied");
    assert!(told[0].message.ends_with("waits for its next boot: vm.spec.cpu, vm.spec.rng"), "{}", told[0].message);
    assert!(tell(Some(&runs(2, &[])), Some(&runs(2, &[]))).is_empty());
}

#[test]
fn what_begins_from_a_snapshot_is_told_as_such() {
    let from = |boot_epoch| {
        let mut it = instance::sample(Phase::Starting, Power::On, boot_epoch);
        let snapshot = crate::SnapshotId::new(NOW, [4; 10]);
        let identity = crate::snapshot::Identity::Same;
        it.desired.origin = Some(instance::Origin { boot_epoch, snapshot, identity });
        it
    };
    assert_eq!(tell(None, Some(&from(1)))[0].reason, "Forked");
    assert_eq!(reasons(&at(Phase::Running, Power::On), &from(2)), [("Restoring", Severity::Normal)]);
    let mut anew = from(2);
    anew.desired.boot_epoch = 3;
    assert_eq!(reasons(&from(2), &anew), [("Booting", Severity::Normal)]);
}

#[test]
fn birth_and_end_are_told() {
    let it = at(Phase::Pending, Power::Off);
    let one = |before, after| tell(before, after).first().map(|told| told.reason);
    assert_eq!(one(None, Some(&it)), Some("Created"));
    assert_eq!(one(Some(&it), None), Some("Deleted"));
    assert_eq!(one(None, None), None);
}
