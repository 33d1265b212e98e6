//! When each verb is over: reached, overtaken, or out of reach.

use super::*;
use crate::instance::{Exit, ExitCause, Running, sample};
use crate::spec::{Accelerator, Machine};
use crate::{IncarnationId, Time};

const NOW: Time = Time::from_millis(1);

fn running(mut it: Instance, boot_epoch: u64, reboot_epoch: u64) -> Instance {
    it.status.running = Some(Running {
        incarnation: IncarnationId::new(NOW, [1; 10]),
        pid: 1,
        boot_epoch,
        reboot_epoch,
        start_time: NOW,
        driver: String::new(),
        machine: Machine::Pc,
        accelerator: Accelerator::Tcg,
        jail: None,
        applied_generation: 1,
        resets: 0,
    });
    it
}

fn ended(mut it: Instance, boot_epoch: u64) -> Instance {
    it.status.last_exit = Some(Exit {
        boot_epoch,
        reboot_epoch: 0,
        at: NOW,
        cause: ExitCause::VmmDied,
        message: String::new(),
        log_tail: vec![],
        console_tail: vec![],
    });
    it
}

#[test]
fn the_table() {
    use {Phase as P, Power as W, Until as U};
    let table = [
        (U::Created, sample(P::Pending, W::Off, 0), false),
        (U::Created, sample(P::Creating, W::Off, 0), false),
        (U::Created, sample(P::Created, W::Off, 0), true),
        (U::Created, sample(P::Failed, W::Off, 0), true),
        (U::Booted(1), sample(P::Created, W::On, 1), false),
        (U::Booted(1), sample(P::Starting, W::On, 1), false),
        (U::Booted(1), running(sample(P::Running, W::On, 1), 1, 0), true),
        (U::Booted(2), running(sample(P::Running, W::On, 2), 1, 0), false),
        (U::Booted(1), sample(P::Failed, W::On, 1), true),
        (U::Booted(2), ended(sample(P::Starting, W::On, 2), 1), false),
        (U::Booted(2), ended(sample(P::Starting, W::On, 2), 2), true),
        (U::Booted(1), sample(P::Stopping, W::Off, 1), true),
        (U::Booted(1), sample(P::Starting, W::On, 2), true),
        (U::Stopped(1), sample(P::Stopping, W::Off, 1), false),
        (U::Stopped(1), sample(P::Stopped, W::Off, 1), true),
        (U::Stopped(1), sample(P::Starting, W::On, 2), true),
        (U::Paused, sample(P::Running, W::Paused, 1), false),
        (U::Paused, sample(P::Paused, W::Paused, 1), true),
        (U::Paused, sample(P::Running, W::On, 1), true),
        (U::Resumed, sample(P::Paused, W::On, 1), false),
        (U::Resumed, sample(P::Running, W::On, 1), true),
        (U::Rebooted(1), running(sample(P::Running, W::On, 1), 1, 0), false),
        (U::Rebooted(1), sample(P::Starting, W::On, 1), false),
        (U::Rebooted(1), sample(P::Stopped, W::On, 1), false),
        (U::Rebooted(1), running(sample(P::Running, W::On, 1), 1, 1), true),
        // Somebody else has paused it since.
        (U::Rebooted(1), running(sample(P::Paused, W::Paused, 1), 1, 1), true),
        (U::Rebooted(1), running(sample(P::Paused, W::Paused, 1), 1, 0), false),
        (U::Rebooted(1), sample(P::Failed, W::On, 1), true),
        (U::Rebooted(1), sample(P::Stopping, W::Off, 1), true),
        (U::Gone, sample(P::Deleting, W::Off, 1), false),
    ];
    for (until, it, reached) in table {
        assert_eq!(until.reached(Some(&it)), reached, "{until:?}: {:?} {:?}", it.status, it.desired);
    }
}

#[test]
fn a_change_is_over_when_it_is_taken_up_refused_or_nothing_runs() {
    let lives = |phase| running(sample(phase, Power::On, 1), 1, 0);
    let refused = |observed_generation| {
        let mut it = lives(Phase::Running);
        it.status.observed_generation = observed_generation;
        it.status.conditions.push(crate::instance::Condition {
            kind: "StepSucceeded".into(),
            holds: Some(false),
            reason: "StepFailed".into(),
            message: String::new(),
            since: NOW,
        });
        it
    };
    let table = [
        (Until::Applied(1), lives(Phase::Running), true),
        (Until::Applied(2), lives(Phase::Running), false),
        (Until::Applied(2), lives(Phase::Paused), false),
        (Until::Applied(2), sample(Phase::Stopped, Power::Off, 1), true),
        (Until::Applied(2), sample(Phase::Starting, Power::On, 1), true),
        (Until::Applied(2), lives(Phase::Stopping), true),
        (Until::Applied(2), lives(Phase::Lost), true),
        (Until::Applied(2), refused(1), false),
        (Until::Applied(2), refused(2), true),
    ];
    for (until, it, reached) in table {
        assert_eq!(until.reached(Some(&it)), reached, "{until:?}: {:?}", it.status);
    }
}

#[test]
fn what_is_deleted_or_gone_ends_all_but_the_removal() {
    let mut deleting = sample(Phase::Deleting, Power::Off, 1);
    deleting.desired.deleted = true;
    let all = [Until::Created, Until::Booted(1), Until::Stopped(1), Until::Paused, Until::Resumed, Until::Rebooted(9)];
    for until in all {
        assert!(until.reached(Some(&deleting)) && until.reached(None), "{until:?}");
    }
    assert!(!Until::Gone.reached(Some(&deleting)) && Until::Gone.reached(None));
}
