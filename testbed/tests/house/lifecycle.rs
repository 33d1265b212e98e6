//! The whole life of one real guest.

use std::time::Duration;
use weft_domain::instance::{ExitCause, StopHow};
use weft_domain::{Phase, Reason};
use weft_ports::api::{Consoles, CreateMode, LogQuery, LogStart, Power, Removal, Vms};
use weft_testbed::daemon::Daemon;
use weft_testbed::guest::{call, small, vm};
use weft_testbed::need_guest;
use weft_testbed::watch::{by_name, console_text, until, until_ready};

#[tokio::test]
async fn from_nothing_to_a_running_guest_and_back() {
    need_guest!();
    let daemon = Daemon::start(&[]).expect("weft is up");
    let weft = daemon.client();
    let made = weft.create(&call(), vm("whole", small(), CreateMode::Create)).await.expect("made");
    assert_eq!(made.value.status.phase, Phase::Created);
    assert!(daemon.vmms().is_empty(), "nothing runs before it is booted");

    let booted = weft.boot(&call(), &by_name("whole")).await.expect("booted");
    assert_eq!(booted.value.status.phase, Phase::Running);
    let pid = booted.value.status.running.as_ref().expect("a process").pid;
    assert_eq!(daemon.vmms(), [pid]);
    let ready = until_ready(&weft, "whole").await;
    assert_eq!(ready.value.status.addresses.len(), 1, "the user-mode network gives an address");

    let paused = weft.pause(&call(), &by_name("whole")).await.expect("paused");
    assert_eq!(paused.value.status.phase, Phase::Paused);
    let again = weft.pause(&call(), &by_name("whole")).await.expect("pausing twice is fine");
    assert_eq!(again.value.status.phase, Phase::Paused);
    let resumed = weft.resume(&call(), &by_name("whole")).await.expect("resumed");
    assert_eq!(resumed.value.status.phase, Phase::Running);

    let removal = || Removal { vm: by_name("whole"), etag: None, force: false, allow_missing: false };
    assert_eq!(weft.delete(&call(), removal()).await.expect_err("it runs").reason, Reason::PhaseForbids);

    let graceful = StopHow::Graceful { timeout: Duration::from_secs(90) };
    let stopped = weft.shutdown(&call(), &by_name("whole"), graceful).await.expect("stopped");
    assert_eq!(stopped.value.status.phase, Phase::Stopped);
    let exit = stopped.value.status.last_exit.expect("an exit");
    assert_eq!(exit.cause, ExitCause::Shutdown, "{}", exit.message);
    assert!(!exit.console_tail.is_empty(), "the console's last lines are told");
    assert!(daemon.vmms().is_empty());

    let text = console_text(&weft, "whole").await;
    assert!(text.contains("weft-guest: ready whole"), "the console is kept after the end: {text}");
    weft.delete(&call(), removal()).await.expect("deleted");
    assert!(daemon.entries("vms").is_empty() && daemon.entries("run/vms").is_empty());
    let gone = weft.get(&call(), &by_name("whole")).await.expect_err("it is gone");
    assert_eq!(gone.reason, Reason::VmNotFound);
}

#[tokio::test]
async fn the_console_is_kept_from_its_first_byte_and_can_be_typed_to() {
    use futures::StreamExt;
    use weft_ports::api::ConsoleInput;
    need_guest!();
    let daemon = Daemon::start(&[]).expect("weft is up");
    let weft = daemon.client();
    weft.create(&call(), vm("talk", small(), CreateMode::Boot)).await.expect("booted");
    until_ready(&weft, "talk").await;

    let (keys, typed) = futures::channel::mpsc::unbounded();
    let mut screen = weft.attach(&call(), &by_name("talk"), typed.boxed()).await.expect("attached");
    keys.unbounded_send(ConsoleInput::Bytes("echo $((6*7))-seen\n".into())).expect("typed");
    let mut seen = String::new();
    while !seen.contains("42-seen") {
        let bytes = screen.next().await.expect("the console goes on").expect("no refusal");
        seen.push_str(&String::from_utf8_lossy(&bytes));
    }
    drop((keys, screen));

    let query = LogQuery { start: LogStart::Offset(0), follow: false, max_bytes: 16 };
    let mut log = weft.log(&call(), &by_name("talk"), query).await.expect("a log");
    let first = log.next().await.expect("a chunk").expect("no refusal");
    assert_eq!((first.offset, first.bytes.len()), (0, 16));
    let tail = LogQuery { start: LogStart::Tail(64), follow: false, max_bytes: 0 };
    let mut log = weft.log(&call(), &by_name("talk"), tail).await.expect("a log");
    assert!(log.next().await.expect("a chunk").expect("no refusal").offset > 0);
    weft.shutdown(&call(), &by_name("talk"), StopHow::Force).await.expect("ended");
}

#[tokio::test]
async fn a_guest_reboots_in_place_or_anew() {
    need_guest!();
    let daemon = Daemon::start(&[]).expect("weft is up");
    let weft = daemon.client();
    weft.create(&call(), vm("again", small(), CreateMode::Boot)).await.expect("booted");
    let first = until_ready(&weft, "again").await;
    let pid = first.value.status.running.as_ref().expect("a process").pid;

    let forced = weft.reboot(&call(), &by_name("again"), StopHow::Force).await.expect("reset");
    let running = forced.value.status.running.expect("a process");
    assert_eq!((running.pid, running.reboot_epoch), (pid, 1), "a reset keeps the process");
    until(&weft, "again", |vm| vm.value.status.phase == Phase::Running).await;
    console_shows(&weft, 2).await;

    let graceful = StopHow::Graceful { timeout: Duration::from_secs(90) };
    let anew = weft.reboot(&call(), &by_name("again"), graceful).await.expect("rebooted");
    let running = anew.value.status.running.expect("a process");
    assert_eq!(running.reboot_epoch, 2);
    assert_ne!(running.pid, pid, "a guest that stopped is started anew");
    console_shows(&weft, 3).await;
    weft.shutdown(&call(), &by_name("again"), StopHow::Force).await.expect("ended");
}

/// Waits until the guest has said so often that it is ready.
async fn console_shows(weft: &weft_api::Client, times: usize) {
    use futures::StreamExt;
    let query = LogQuery { start: LogStart::Offset(0), follow: true, max_bytes: 0 };
    let mut log = weft.log(&call(), &by_name("again"), query).await.expect("a log");
    let mut text = String::new();
    while text.matches("weft-guest: ready").count() < times {
        let chunk = log.next().await.expect("the log goes on").expect("no refusal");
        text.push_str(&String::from_utf8_lossy(&chunk.bytes));
    }
}
