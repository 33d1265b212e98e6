//! The laws of `converge`, on random worlds and on a simulated node.

use super::*;
use proptest::prelude::*;
use std::time::Duration;

fn hows() -> impl Strategy<Value = StopHow> {
    prop_oneof![Just(StopHow::Force), (0u64..60).prop_map(|s| StopHow::Graceful { timeout: Duration::from_secs(s) })]
}

prop_compose! {
    fn wanted()(
        power in prop::sample::select(vec![Power::Off, Power::On, Power::Paused]),
        boot_epoch in 0u64..3, reboot_epoch in 0u64..3,
        reboot in hows(), stop in hows(), deleted: bool,
        restart in prop::sample::select(vec![RestartPolicy::Never, RestartPolicy::OnFailure, RestartPolicy::Always]),
    ) -> Wanted {
        Wanted { desired: Desired { power, boot_epoch, reboot_epoch, reboot, stop, deleted, origin: None }, restart }
    }
}

prop_compose! {
    fn seen()(
        prepared: bool,
        live in prop::option::of((0u64..3, 0u64..3, any::<bool>(), prop::option::of(0i64..100_000))),
        ended in prop::option::of((0u64..3, 0u64..3, prop::sample::select(ExitCause::ALL.to_vec()), 0i64..100_000)),
        restarts in 0u32..5,
        lacking: bool,
    ) -> Seen {
        Seen {
            prepared: prepared || live.is_some(),
            live: live.map(|(boot_epoch, reboot_epoch, held, asked)| Live {
                boot_epoch, reboot_epoch, held, asked: asked.map(Time::from_millis),
            }),
            ended: ended.map(|(boot_epoch, reboot_epoch, cause, at)| Ended {
                boot_epoch, reboot_epoch, cause, at: Time::from_millis(at),
            }),
            restarts,
            lacking: lacking && live.is_some(),
        }
    }
}

/// A node that does what it is told, and whose guest hears nobody.
fn act(seen: &mut Seen, step: Step, wanted: &Wanted, now: Time) -> bool {
    match step {
        Step::Prepare => seen.prepared = true,
        Step::Apply => seen.lacking = false,
        Step::Launch { boot_epoch, again } => {
            seen.live = Some(Live { boot_epoch, reboot_epoch: wanted.desired.reboot_epoch, held: false, asked: None });
            seen.restarts = if again { seen.restarts + 1 } else { 0 };
        }
        Step::Pause => seen.live.iter_mut().for_each(|live| live.held = true),
        Step::Resume => seen.live.iter_mut().for_each(|live| live.held = false),
        Step::AskToStop => seen.live.iter_mut().for_each(|live| live.asked = Some(now)),
        Step::Reset { reboot_epoch } => seen.live.iter_mut().for_each(|live| {
            live.reboot_epoch = reboot_epoch;
            live.asked = None;
        }),
        Step::Kill => {
            if let Some(live) = seen.live.take() {
                seen.ended = Some(Ended {
                    boot_epoch: live.boot_epoch,
                    reboot_epoch: wanted.desired.reboot_epoch,
                    cause: ExitCause::Forced,
                    at: now,
                });
            }
        }
        Step::Release => {
            *seen = Seen::default();
            return true;
        }
    }
    false
}

proptest! {
    #[test]
    fn nothing_is_launched_unless_it_should_run_and_nothing_lives(w in wanted(), s in seen(), ms in 0i64..200_000) {
        let plan = converge(&w, &s, Time::from_millis(ms));
        let launches = plan.steps.iter().filter(|step| matches!(step, Step::Launch { .. })).count();
        prop_assert!(launches <= 1);
        if launches == 1 {
            prop_assert!(s.live.is_none() && s.prepared && !w.desired.deleted && w.desired.power != Power::Off);
        }
        if plan.steps.contains(&Step::Release) { prop_assert!(w.desired.deleted && s.live.is_none()); }
    }

    #[test]
    fn from_anywhere_it_comes_to_rest_at_what_is_wanted(w in wanted(), mut s in seen()) {
        let mut now = Time::from_millis(200_000);
        for round in 0..32 {
            let plan = converge(&w, &s, now);
            if plan.steps.is_empty() {
                match plan.wake {
                    Some(wake) => { prop_assert!(wake > now); now = wake; continue; }
                    None => break,
                }
            }
            if plan.steps.into_iter().any(|step| act(&mut s, step, &w, now)) { break; }
            prop_assert!(round < 31, "never comes to rest");
        }
        if w.desired.deleted { prop_assert_eq!(s, Seen::default()); return Ok(()); }
        prop_assert!(s.prepared);
        if s.live.is_some_and(|live| live.boot_epoch > w.desired.boot_epoch) {
            return Ok(());
        }
        match w.desired.power {
            Power::Off => prop_assert!(s.live.is_none()),
            Power::On => if let Some(live) = s.live { prop_assert!(!live.held) },
            Power::Paused => if let Some(live) = s.live { prop_assert!(live.held) },
        }
    }
}

#[test]
fn a_boot_that_is_newer_than_what_is_asked_is_left_alone() {
    let live = Live { boot_epoch: 2, reboot_epoch: 0, held: false, asked: None };
    let seen = Seen { prepared: true, live: Some(live), ..Seen::default() };
    for power in [Power::Off, Power::On, Power::Paused] {
        let desired = Desired { power, boot_epoch: 1, ..Desired::default() };
        let wanted = Wanted { desired, restart: RestartPolicy::Never };
        assert_eq!(converge(&wanted, &seen, Time::from_millis(0)), Plan::default(), "{power:?}");
    }
    let desired = Desired { deleted: true, boot_epoch: 1, ..Desired::default() };
    let wanted = Wanted { desired, restart: RestartPolicy::Never };
    assert_eq!(converge(&wanted, &seen, Time::from_millis(0)).steps, [Step::Kill], "deletion was asked");
}

#[test]
fn a_guest_that_powered_itself_off_stays_off() {
    let desired = Desired { power: Power::On, boot_epoch: 1, ..Desired::default() };
    let wanted = Wanted { desired, restart: RestartPolicy::OnFailure };
    let ended = Ended { boot_epoch: 1, reboot_epoch: 0, cause: ExitCause::GuestPoweroff, at: Time::from_millis(5) };
    let seen = Seen { prepared: true, ended: Some(ended), ..Seen::default() };
    assert_eq!(converge(&wanted, &seen, Time::from_millis(1_000_000)), Plan::default());
}

#[test]
fn a_vmm_that_died_waits_and_then_lives_again() {
    let desired = Desired { power: Power::On, boot_epoch: 1, ..Desired::default() };
    let wanted = Wanted { desired, restart: RestartPolicy::OnFailure };
    let at = Time::from_millis(10_000);
    let ended = Ended { boot_epoch: 1, reboot_epoch: 0, cause: ExitCause::VmmDied, at };
    let seen = Seen { prepared: true, ended: Some(ended), ..Seen::default() };
    let plan = converge(&wanted, &seen, at);
    assert!(plan.waiting && plan.steps.is_empty());
    let later = plan.wake.expect("a restart is waited for");
    assert_eq!(converge(&wanted, &seen, later).steps, vec![Step::Launch { boot_epoch: 1, again: true }]);
}

#[test]
fn a_silent_guest_is_given_its_time_and_no_more() {
    let how = StopHow::Graceful { timeout: Duration::from_secs(5) };
    let desired = Desired { boot_epoch: 1, stop: how, ..Desired::default() };
    let wanted = Wanted { desired, restart: RestartPolicy::Never };
    let mut live = Live { boot_epoch: 1, reboot_epoch: 0, held: true, asked: None };
    let seen = |live| Seen { prepared: true, live: Some(live), ..Seen::default() };
    let now = Time::from_millis(1_000);
    assert_eq!(converge(&wanted, &seen(live), now).steps, vec![Step::Resume, Step::AskToStop]);
    live.held = false;
    live.asked = Some(now);
    assert_eq!(converge(&wanted, &seen(live), now).wake, Some(Time::from_millis(6_000)));
    assert_eq!(converge(&wanted, &seen(live), Time::from_millis(6_000)).steps, vec![Step::Kill]);
}

#[test]
fn a_guest_that_was_asked_and_is_held_goes_on_to_its_end() {
    let how = StopHow::Graceful { timeout: Duration::from_secs(5) };
    let off = Desired { boot_epoch: 1, stop: how, ..Desired::default() };
    let rebooted = Desired { power: Power::On, boot_epoch: 1, reboot_epoch: 1, reboot: how, ..Desired::default() };
    let now = Time::from_millis(1_000);
    // As a snapshot holds it, or an agent left it that died over one.
    let live = Live { boot_epoch: 1, reboot_epoch: 0, held: true, asked: Some(now) };
    let seen = Seen { prepared: true, live: Some(live), ..Seen::default() };
    for (desired, after) in [(off, Step::Kill), (rebooted, Step::Reset { reboot_epoch: 1 })] {
        let wanted = Wanted { desired, restart: RestartPolicy::Never };
        assert_eq!(converge(&wanted, &seen, now).steps, vec![Step::Resume]);
        assert_eq!(converge(&wanted, &seen, Time::from_millis(6_000)).steps, vec![after]);
    }
}
