//! The daemon is killed: guests go on, and are taken up again.

use std::collections::BTreeMap;
use std::time::Duration;
use weft_domain::instance::{ExitCause, StopHow};
use weft_domain::{InstanceId, Phase};
use weft_ports::api::{CreateMode, ListQuery, Power, Removal, Vms};
use weft_testbed::daemon::Daemon;
use weft_testbed::guest::{call, small, vm};
use weft_testbed::need_guest;
use weft_testbed::watch::{by_name, until, until_ready};

/// Process ids of running VMs, by id.
async fn pids(daemon: &Daemon) -> BTreeMap<InstanceId, (u32, Phase)> {
    let page = daemon.client().list(&call(), &ListQuery::default()).await.expect("a list");
    let of = |vm: weft_ports::api::Vm| {
        let running = vm.value.status.running?;
        Some((vm.value.meta.id, (running.pid, vm.value.status.phase)))
    };
    page.items.into_iter().filter_map(of).collect()
}

#[tokio::test]
async fn five_guests_never_notice_that_the_daemon_was_killed() {
    need_guest!();
    let mut daemon = Daemon::start(&[]).expect("weft is up");
    let weft = daemon.client();
    for i in 0..5 {
        weft.create(&call(), vm(&format!("vm{i}"), small(), CreateMode::Boot)).await.expect("booted");
    }
    weft.pause(&call(), &by_name("vm4")).await.expect("paused");
    let before = pids(&daemon).await;
    assert_eq!(before.len(), 5);
    for _ in 0..3 {
        daemon.kill().expect("killed");
        assert_eq!(daemon.vmms().len(), 5, "VMMs outlive the daemon");
        daemon.up().expect("up again");
        assert_eq!(pids(&daemon).await, before, "each is the same process in the same phase");
    }
    let weft = daemon.client();
    until_ready(&weft, "vm0").await;
    let removal = |name: &str| Removal { vm: by_name(name), etag: None, force: true, allow_missing: false };
    for i in 0..5 {
        weft.delete(&call(), removal(&format!("vm{i}"))).await.expect("deleted");
    }
    assert!(daemon.vmms().is_empty() && daemon.entries("vms").is_empty() && daemon.entries("run/vms").is_empty());
}

#[tokio::test]
async fn what_ended_while_nobody_looked_is_told_as_it_was() {
    need_guest!();
    let mut daemon = Daemon::start(&[]).expect("weft is up");
    let weft = daemon.client();
    for name in ["killed", "off"] {
        weft.create(&call(), vm(name, small(), CreateMode::Boot)).await.expect("booted");
    }
    let off = until_ready(&weft, "off").await.value;
    let killed = until_ready(&weft, "killed").await.value.status.running.expect("a process").pid;
    type_into(&weft, "off", "sleep 1; poweroff\n").await;
    daemon.kill().expect("killed");
    kill(killed);
    // The guest powers off while no agent runs; its VMM stays, held, to be asked.
    let run = daemon.data_dir();
    let folder = std::fs::read_dir(run.join("run/vms")).expect("sockets").flatten().count();
    assert_eq!(folder, 2);
    powered_off(&daemon, off.meta.id).await;
    daemon.up().expect("up again");
    let weft = daemon.client();
    let off = until(&weft, "off", |vm| vm.value.status.phase == Phase::Stopped).await;
    assert_eq!(off.value.status.last_exit.expect("an exit").cause, ExitCause::GuestPoweroff);
    let killed = until(&weft, "killed", |vm| vm.value.status.phase == Phase::Failed).await;
    assert_eq!(killed.value.status.last_exit.expect("an exit").cause, ExitCause::VmmDied);
    assert!(daemon.vmms().is_empty());
}

/// Waits until the guest's console says that it goes down.
async fn powered_off(daemon: &Daemon, id: InstanceId) {
    let log = daemon.data_dir().join(format!("vms/{id}/console.log"));
    let waited = async {
        while !std::fs::read_to_string(&log).unwrap_or_default().contains("Power down") {
            // why: nothing but the log tells while no agent runs.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(weft_testbed::guest::PATIENCE, waited).await.expect("the guest powers off");
}

pub(crate) async fn type_into(weft: &weft_api::Client, name: &str, text: &str) {
    // The echo says that the guest has all of it.
    type_and_read(weft, name, text, text.trim()).await;
}

/// Types a text and reads what comes until this is in it.
pub(crate) async fn type_and_read(weft: &weft_api::Client, name: &str, text: &str, until: &str) -> String {
    use futures::StreamExt;
    use weft_ports::api::{ConsoleInput, Consoles};
    let typed = futures::stream::iter([ConsoleInput::Bytes(text.to_owned().into())]).chain(futures::stream::pending());
    let mut screen = weft.attach(&call(), &by_name(name), typed.boxed()).await.expect("attached");
    let mut seen = String::new();
    while !seen.contains(until) {
        let bytes = screen.next().await.expect("the console goes on").expect("no refusal");
        seen.push_str(&String::from_utf8_lossy(&bytes));
    }
    seen
}

pub(crate) fn kill(pid: u32) {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).expect("a pid");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("killed");
}

#[tokio::test]
async fn a_request_that_was_answered_survives_and_its_repetition_gets_the_same() {
    need_guest!();
    let mut daemon = Daemon::start(&[]).expect("weft is up");
    let once = weft_ports::api::Call { request_id: Some("the-same".into()), ..call() };
    let new = || vm("twice", small(), CreateMode::Boot);
    let first = daemon.client().create(&once, new()).await.expect("booted");
    let again = daemon.client().create(&once, new()).await.expect("the first answer");
    assert_eq!(first.value.meta.id, again.value.meta.id);
    daemon.kill().expect("killed");
    daemon.up().expect("up again");
    let later = daemon.client().create(&once, new()).await.expect("the first answer");
    assert_eq!(first.value.meta.id, later.value.meta.id);
    let other = daemon.client().create(&once, vm("other", small(), CreateMode::Boot)).await.expect_err("another body");
    assert_eq!(other.reason, weft_domain::Reason::RequestIdReused);
    assert_eq!(daemon.vmms().len(), 1);
    daemon.client().shutdown(&call(), &by_name("twice"), StopHow::Force).await.expect("ended");
}
