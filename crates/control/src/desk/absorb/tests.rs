//! The laws of absorbing reports: stale ones move nothing, and nothing said twice is news.

use super::*;
use proptest::prelude::*;
use std::time::Duration;
use weft_domain::instance::{Desired, Exit, ExitCause, Meta, Placement, Power, Running, Status, StopHow};
use weft_domain::label::Annotations;
use weft_domain::spec::Draft;
use weft_domain::{InstanceId, Labels, Name};

const NOW: Time = Time::from_millis(50);

fn node() -> NodeId {
    NodeId::new(Time::from_millis(1), [1; 10])
}

fn instance(phase: Phase, power: Power, boot_epoch: u64) -> Instance {
    let id = InstanceId::new(Time::from_millis(1), [1; 10]);
    let mut status = Status::unseen();
    status.phase = phase;
    Instance {
        meta: Meta {
            id,
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
        placement: Some(Placement { node: node(), generation: 1 }),
        status,
    }
}

fn report(sight: Sight, boot_epoch: u64) -> Report {
    Report {
        id: instance(Phase::Pending, Power::Off, 0).meta.id,
        placement: 1,
        generation: 1,
        boot_epoch,
        sight,
        running: None,
        last_exit: None,
        restarts: 0,
        addresses: vec![],
        conditions: vec![],
        restart_required: vec![],
    }
}

fn exit(boot_epoch: u64, reboot_epoch: u64) -> Exit {
    Exit {
        boot_epoch,
        reboot_epoch,
        at: NOW,
        cause: ExitCause::Shutdown,
        message: String::new(),
        log_tail: vec![],
        console_tail: vec![],
    }
}

fn phase_after(before: &Instance, report: &Report) -> Phase {
    match absorb(before, node(), report, NOW) {
        Absorbed::Nothing => before.status.phase,
        Absorbed::Change(after) => after.status.phase,
        Absorbed::Gone => panic!("it is not gone"),
    }
}

#[test]
fn a_sight_from_before_the_boot_does_not_end_it() {
    let booted = instance(Phase::Starting, Power::On, 2);
    for sight in [Sight::Stopped, Sight::Failed, Sight::Waiting, Sight::Prepared] {
        let old = Report { last_exit: Some(exit(1, 0)), ..report(sight, 1) };
        assert_eq!(phase_after(&booted, &old), Phase::Starting, "{sight:?}");
    }
    assert_eq!(phase_after(&booted, &report(Sight::Failed, 2)), Phase::Failed);
    let making = instance(Phase::Pending, Power::On, 1);
    assert_eq!(phase_after(&making, &report(Sight::Prepared, 0)), Phase::Created);
}

#[test]
fn what_was_stopped_before_it_began_is_stopped() {
    let mut stopping = instance(Phase::Stopping, Power::Off, 1);
    assert_eq!(phase_after(&stopping, &report(Sight::Prepared, 1)), Phase::Stopped);
    stopping.status.last_exit = Some(exit(1, 0));
    let waited = Report { last_exit: Some(exit(1, 0)), ..report(Sight::Failed, 1) };
    assert_eq!(phase_after(&stopping, &waited), Phase::Stopped);
    let died = Report { last_exit: Some(Exit { cause: ExitCause::VmmDied, ..exit(1, 0) }), ..waited };
    assert_eq!(phase_after(&stopping, &died), Phase::Failed);
}

#[test]
fn a_process_that_ends_for_a_reboot_is_not_stopped() {
    let mut rebooting = instance(Phase::Running, Power::On, 1);
    rebooting.desired.reboot_epoch = 1;
    rebooting.desired.reboot = StopHow::Graceful { timeout: Duration::from_secs(1) };
    let ended = Report { last_exit: Some(exit(1, 0)), ..report(Sight::Stopped, 1) };
    assert_eq!(phase_after(&rebooting, &ended), Phase::Starting);
    let later = Report { last_exit: Some(exit(1, 1)), ..ended };
    assert_eq!(phase_after(&rebooting, &later), Phase::Stopped);
}

fn running(boot_epoch: u64, reboot_epoch: u64) -> Running {
    Running {
        incarnation: weft_domain::IncarnationId::from_bytes([7; 16]),
        pid: 7,
        boot_epoch,
        reboot_epoch,
        start_time: NOW,
        driver: "sim".into(),
        machine: weft_domain::spec::Machine::Auto,
        accelerator: weft_domain::spec::Accelerator::Auto,
        jail: None,
        applied_generation: 1,
        resets: 0,
    }
}

#[test]
fn a_state_that_is_older_than_the_node_takes_what_runs_for_wanted() {
    for phase in [Phase::Stopped, Phase::Created, Phase::Stopping, Phase::Running] {
        let restored = instance(phase, Power::Off, 1);
        let seen = Report { running: Some(running(3, 2)), ..report(Sight::Running, 1) };
        let Absorbed::Change(after) = absorb(&restored, node(), &seen, NOW) else { panic!("{phase}") };
        let desired = after.desired;
        assert_eq!((desired.power, desired.boot_epoch, desired.reboot_epoch), (Power::On, 3, 2), "{phase}");
        assert_eq!(after.status.phase, Phase::Running, "{phase}");
        assert_eq!(absorb(&after, node(), &Report { boot_epoch: 3, ..seen }, NOW), Absorbed::Nothing, "{phase}");
    }
    let ended = Report { last_exit: Some(exit(3, 0)), ..report(Sight::Stopped, 1) };
    let Absorbed::Change(after) = absorb(&instance(Phase::Stopped, Power::Off, 1), node(), &ended, NOW) else {
        panic!("it is news")
    };
    assert_eq!((after.desired.power, after.desired.boot_epoch), (Power::Off, 3), "the next boot is a new one");
    let mut deleting = instance(Phase::Deleting, Power::Off, 1);
    deleting.desired.deleted = true;
    let seen = Report { running: Some(running(3, 0)), ..report(Sight::Running, 1) };
    assert_ne!(phase_after(&deleting, &seen), Phase::Running, "a deletion that was asked stays asked");
}

#[test]
fn nothing_left_ends_only_what_is_deleted() {
    let released = report(Sight::Released, 0);
    let running = instance(Phase::Running, Power::On, 0);
    assert_ne!(absorb(&running, node(), &released, NOW), Absorbed::Gone);
    let mut deleting = instance(Phase::Deleting, Power::Off, 0);
    deleting.desired.deleted = true;
    assert_eq!(absorb(&deleting, node(), &released, NOW), Absorbed::Gone);
}

fn sights() -> impl Strategy<Value = Sight> {
    prop::sample::select(Sight::ALL.to_vec())
}

proptest! {
    #[test]
    fn a_superseded_placement_is_not_heard(
        phase in prop::sample::select(Phase::ALL.to_vec()), sight in sights(), placement in 2u64..9, elsewhere: bool,
    ) {
        let before = instance(phase, Power::On, 1);
        let other = NodeId::new(Time::from_millis(2), [2; 10]);
        let (node, placement) = if elsewhere { (other, 1) } else { (node(), placement) };
        let stale = Report { placement, ..report(sight, 1) };
        prop_assert_eq!(absorb(&before, node, &stale, NOW), Absorbed::Nothing);
    }

    #[test]
    fn a_report_twice_is_news_once(
        phase in prop::sample::select(Phase::ALL.to_vec()), sight in sights(), epoch in 0u64..3,
        exited in prop::option::of((0u64..3, 0u64..2)),
    ) {
        let before = instance(phase, Power::On, 1);
        let last_exit = exited.map(|(boot, reboot)| exit(boot, reboot));
        let report = Report { last_exit, ..report(sight, epoch) };
        if let Absorbed::Change(after) = absorb(&before, node(), &report, NOW) {
            prop_assert_eq!(absorb(&after, node(), &report, NOW), Absorbed::Nothing);
            if exited.is_none_or(|(boot, reboot)| boot <= 1 && reboot == 0) {
                prop_assert_eq!(after.desired, before.desired);
            }
        }
    }
}
