//! A VMM that hangs: stopped by a signal, alive and silent.

use crate::{assert_leaves_nothing, removal, signal};
use rustix::process::Signal;
use std::time::{Duration, Instant};
use weft_domain::Phase;
use weft_domain::instance::{ExitCause, StopHow};
use weft_ports::api::{Call, CreateMode, Power, Vm, Vms};
use weft_testbed::daemon::Daemon;
use weft_testbed::guest::{call, small, vm};
use weft_testbed::need_guest;
use weft_testbed::watch::{by_name, until};

/// A call that does not wait for long.
fn brief() -> Call {
    Call { timeout: Some(Duration::from_secs(2)), ..Call::by("test") }
}

async fn booted(daemon: &Daemon, name: &str) -> u32 {
    let booted = daemon.client().create(&call(), vm(name, small(), CreateMode::Boot)).await.expect("booted");
    booted.value.status.running.expect("a process").pid
}

fn stumbles(vm: &Vm) -> bool {
    vm.value.status.conditions.iter().any(|one| one.kind == "StepSucceeded" && one.holds == Some(false))
}

#[tokio::test]
async fn a_hung_vmm_holds_up_nobody_and_can_be_removed() {
    need_guest!();
    let daemon = Daemon::start(&[]).expect("weft is up");
    let weft = daemon.client();
    let hung = booted(&daemon, "hung").await;
    booted(&daemon, "well").await;
    signal(hung, Signal::STOP);
    let begun = Instant::now();
    let pause = async |call: Call, name| weft.pause(&call, &by_name(name)).await;
    let (held, paused) = tokio::join!(pause(brief(), "hung"), pause(call(), "well"));
    assert!(begun.elapsed() < Duration::from_secs(20), "a verb waits no longer than its caller");
    assert_eq!(held.expect("as it is").value.status.phase, Phase::Running);
    assert_eq!(paused.expect("paused").value.status.phase, Phase::Paused);
    until(&weft, "hung", stumbles).await;
    weft.delete(&call(), removal("hung")).await.expect("deleted by force");
    assert!(!daemon.vmms().contains(&hung));
    assert_leaves_nothing(&daemon).await;
}

#[tokio::test]
async fn a_vmm_that_hangs_over_a_restart_runs_on_and_is_ended_in_time() {
    need_guest!();
    let mut daemon = Daemon::start(&[]).expect("weft is up");
    let (back, graceful, gone) =
        (booted(&daemon, "back").await, booted(&daemon, "graceful").await, booted(&daemon, "gone").await);
    for pid in [back, graceful, gone] {
        signal(pid, Signal::STOP);
    }
    daemon.kill().expect("killed");
    daemon.up().expect("up, whoever hangs");
    let weft = daemon.client();
    booted(&daemon, "new").await;
    let seen = until(&weft, "back", stumbles).await.value.status;
    assert_eq!(
        (seen.phase, seen.running.map(|run| run.pid)),
        (Phase::Running, Some(back)),
        "it lives, so it has not failed"
    );
    signal(back, Signal::CONT);
    until(&weft, "back", |vm| vm.value.status.phase == Phase::Running && !stumbles(vm)).await;
    weft.pause(&call(), &by_name("back")).await.expect("paused");
    let how = StopHow::Graceful { timeout: Duration::from_secs(3) };
    let ended = weft.shutdown(&call(), &by_name("graceful"), how).await.expect("ended").value.status;
    assert_eq!((ended.phase, ended.last_exit.map(|exit| exit.cause)), (Phase::Stopped, Some(ExitCause::Forced)));
    weft.delete(&call(), removal("gone")).await.expect("deleted");
    assert_leaves_nothing(&daemon).await;
}
