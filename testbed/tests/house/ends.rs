//! The ways in which a guest ends, and what follows.

use crate::crash::{kill, type_into};
use weft_domain::instance::{ExitCause, StopHow};
use weft_domain::spec::RestartPolicy;
use weft_domain::{Phase, spec::Spec};
use weft_ports::api::{CreateMode, Power, Vms};
use weft_testbed::daemon::Daemon;
use weft_testbed::guest::{call, draft, small, vm};
use weft_testbed::need_guest;
use weft_testbed::watch::{by_name, until, until_ready};

fn restarting(policy: RestartPolicy) -> Spec {
    let mut draft = draft();
    draft.restart = policy;
    draft.check().expect("lawful")
}

#[tokio::test]
async fn a_guest_that_powers_itself_off_is_stopped_and_stays_so() {
    need_guest!();
    let daemon = Daemon::start(&[]).expect("weft is up");
    let weft = daemon.client();
    weft.create(&call(), vm("off", restarting(RestartPolicy::OnFailure), CreateMode::Boot)).await.expect("booted");
    until_ready(&weft, "off").await;
    type_into(&weft, "off", "poweroff\n").await;
    let off = until(&weft, "off", |vm| vm.value.status.phase == Phase::Stopped).await;
    assert_eq!(off.value.status.last_exit.expect("an exit").cause, ExitCause::GuestPoweroff);
    assert!(daemon.vmms().is_empty());
}

#[tokio::test]
async fn a_vmm_that_dies_is_failed_with_its_reason_and_lives_again_by_policy() {
    need_guest!();
    let daemon = Daemon::start(&[]).expect("weft is up");
    let weft = daemon.client();
    weft.create(&call(), vm("never", small(), CreateMode::Boot)).await.expect("booted");
    let again = restarting(RestartPolicy::OnFailure);
    let booted = weft.create(&call(), vm("again", again, CreateMode::Boot)).await.expect("booted");
    let first = booted.value.status.running.expect("a process").pid;
    let never = weft.get(&call(), &by_name("never")).await.expect("there").value.status.running.expect("a process").pid;
    kill(never);
    kill(first);
    let failed = until(&weft, "never", |vm| vm.value.status.phase == Phase::Failed).await;
    let exit = failed.value.status.last_exit.expect("an exit");
    assert_eq!(exit.cause, ExitCause::VmmDied);
    assert!(exit.message.contains("signal 9") || exit.message.contains("SIGKILL"), "{}", exit.message);
    let lives = |vm: &weft_ports::api::Vm| vm.value.status.running.as_ref().is_some_and(|run| run.pid != first);
    let again = until(&weft, "again", lives).await;
    assert_eq!(again.value.status.restarts, 1);
    assert_eq!(again.value.status.last_exit.expect("an exit").cause, ExitCause::VmmDied);
    weft.shutdown(&call(), &by_name("again"), StopHow::Force).await.expect("ended");
    let booted = weft.boot(&call(), &by_name("never")).await.expect("a failed VM can be booted");
    assert_eq!(booted.value.status.phase, Phase::Running);
    weft.shutdown(&call(), &by_name("never"), StopHow::Force).await.expect("ended");
}

#[tokio::test]
async fn a_panic_is_told_with_the_last_lines_of_the_console() {
    need_guest!();
    let daemon = Daemon::start(&[]).expect("weft is up");
    let weft = daemon.client();
    weft.create(&call(), vm("panic", small(), CreateMode::Boot)).await.expect("booted");
    until_ready(&weft, "panic").await;
    type_into(&weft, "panic", "echo c > /proc/sysrq-trigger\n").await;
    let failed = until(&weft, "panic", |vm| vm.value.status.phase == Phase::Failed).await;
    let exit = failed.value.status.last_exit.expect("an exit");
    assert_eq!(exit.cause, ExitCause::GuestPanic, "{}", exit.message);
    assert!(exit.console_tail.iter().any(|line| line.contains("panic")), "{:?}", exit.console_tail);
}

#[tokio::test]
async fn a_guest_that_hears_nobody_is_ended_when_its_time_is_up() {
    use std::time::Duration;
    need_guest!();
    let daemon = Daemon::start(&[]).expect("weft is up");
    let weft = daemon.client();
    // Just begun: nobody in the guest listens to the button yet.
    weft.create(&call(), vm("deaf", small(), CreateMode::Boot)).await.expect("booted");
    let how = StopHow::Graceful { timeout: Duration::from_secs(1) };
    let ended = weft.shutdown(&call(), &by_name("deaf"), how).await.expect("ended");
    assert_eq!(ended.value.status.phase, Phase::Stopped);
    let exit = ended.value.status.last_exit.expect("an exit");
    assert_eq!(exit.cause, ExitCause::Forced);
    assert!(exit.message.contains("did not stop"), "{}", exit.message);
}
