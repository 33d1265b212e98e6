//! When each verb is over: reached, overtaken, or out of reach.

use super::*;
use crate::instance::{Desired, Exit, ExitCause, Meta, Running, Status};
use crate::label::Annotations;
use crate::spec::{Accelerator, Draft, Machine};
use crate::{IncarnationId, InstanceId, Labels, Name, Time};

const NOW: Time = Time::from_millis(1);

fn at(phase: Phase, power: Power, boot_epoch: u64) -> Instance {
    let mut status = Status::unseen();
    status.phase = phase;
    Instance {
        meta: Meta {
            id: InstanceId::new(NOW, [1; 10]),
            name: "a".parse().expect("a name"),
            project: Name::default_project(),
            labels: Labels::default(),
            annotations: Annotations::default(),
            generation: 1,
            create_time: NOW,
            update_time: NOW,
            delete_time: None,
        },
        spec: Draft::default().check().expect("lawful"),
        desired: Desired { power, boot_epoch, ..Desired::default() },
        placement: None,
        status,
    }
}

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
        (U::Created, at(P::Pending, W::Off, 0), false),
        (U::Created, at(P::Creating, W::Off, 0), false),
        (U::Created, at(P::Created, W::Off, 0), true),
        (U::Created, at(P::Failed, W::Off, 0), true),
        (U::Booted(1), at(P::Created, W::On, 1), false),
        (U::Booted(1), at(P::Starting, W::On, 1), false),
        (U::Booted(1), running(at(P::Running, W::On, 1), 1, 0), true),
        (U::Booted(2), running(at(P::Running, W::On, 2), 1, 0), false),
        (U::Booted(1), at(P::Failed, W::On, 1), true),
        (U::Booted(2), ended(at(P::Starting, W::On, 2), 1), false),
        (U::Booted(2), ended(at(P::Starting, W::On, 2), 2), true),
        (U::Booted(1), at(P::Stopping, W::Off, 1), true),
        (U::Booted(1), at(P::Starting, W::On, 2), true),
        (U::Stopped(1), at(P::Stopping, W::Off, 1), false),
        (U::Stopped(1), at(P::Stopped, W::Off, 1), true),
        (U::Stopped(1), at(P::Starting, W::On, 2), true),
        (U::Paused, at(P::Running, W::Paused, 1), false),
        (U::Paused, at(P::Paused, W::Paused, 1), true),
        (U::Paused, at(P::Running, W::On, 1), true),
        (U::Resumed, at(P::Paused, W::On, 1), false),
        (U::Resumed, at(P::Running, W::On, 1), true),
        (U::Rebooted(1), running(at(P::Running, W::On, 1), 1, 0), false),
        (U::Rebooted(1), at(P::Starting, W::On, 1), false),
        (U::Rebooted(1), at(P::Stopped, W::On, 1), false),
        (U::Rebooted(1), running(at(P::Running, W::On, 1), 1, 1), true),
        (U::Rebooted(1), at(P::Failed, W::On, 1), true),
        (U::Rebooted(1), at(P::Stopping, W::Off, 1), true),
        (U::Gone, at(P::Deleting, W::Off, 1), false),
    ];
    for (until, it, reached) in table {
        assert_eq!(until.reached(Some(&it)), reached, "{until:?}: {:?} {:?}", it.status, it.desired);
    }
}

#[test]
fn what_is_deleted_or_gone_ends_all_but_the_removal() {
    let mut deleting = at(Phase::Deleting, Power::Off, 1);
    deleting.desired.deleted = true;
    let all = [Until::Created, Until::Booted(1), Until::Stopped(1), Until::Paused, Until::Resumed, Until::Rebooted(9)];
    for until in all {
        assert!(until.reached(Some(&deleting)) && until.reached(None), "{until:?}");
    }
    assert!(!Until::Gone.reached(Some(&deleting)) && Until::Gone.reached(None));
}
