//! What a guest lives through, and how each end is told.

use crate::for_each_vmm;
use crate::house::{House, Vmm, pid, signal};
use futures::StreamExt;
use rustix::process::Signal;
use std::time::Duration;
use weft_domain::Phase;
use weft_domain::instance::{ExitCause, StopHow};
use weft_domain::spec::{Payload, RestartPolicy};
use weft_ports::api::{Consoles, CreateMode, LogQuery, LogStart, Power, Vms};
use weft_testbed::guest::{call, vm};
use weft_testbed::watch::{by_name, until, until_ready};

for_each_vmm!(
    a_guest_does_what_it_is_told,
    an_end_is_told_as_it_was,
    a_guest_that_reboots_itself_comes_back,
    one_that_outlives_the_daemon_goes_on,
    what_cannot_boot_says_why
);

/// Waits until the guest has said so often that it is ready.
async fn until_said(house: &House, name: &str, times: usize) {
    let query = LogQuery { start: LogStart::Offset(0), follow: true, max_bytes: 0 };
    let mut log = house.weft().log(&call(), &by_name(name), query).await.expect("a log");
    let mut said = String::new();
    while said.matches(weft_guest::READY).count() < times {
        let chunk = log.next().await.expect("the log goes on").expect("no refusal");
        said.push_str(&String::from_utf8_lossy(&chunk.bytes));
    }
}

async fn a_guest_does_what_it_is_told(vmm: Vmm) {
    let Some(house) = House::open(vmm, &[]).await else { return };
    let weft = house.weft();
    let made = weft.create(&call(), vm("one", house.spec(), CreateMode::Create)).await.expect("made");
    assert_eq!(made.value.status.phase, Phase::Created);
    assert_eq!(house.daemon.vmms(), [0_u32; 0], "nothing runs before it is booted");
    let booted = weft.boot(&call(), &by_name("one")).await.expect("booted").value;
    assert_eq!((booted.status.phase, house.daemon.vmms()), (Phase::Running, vec![pid(&booted)]));
    until_ready(&weft, "one").await;
    assert_eq!(house.ask("one", "ping", "pong").await, "pong");
    assert_eq!(house.ask("one", "count", "count ").await, "count 1");

    let paused = weft.pause(&call(), &by_name("one")).await.expect("paused").value;
    assert_eq!((paused.status.phase, pid(&paused)), (Phase::Paused, pid(&booted)));
    let resumed = weft.resume(&call(), &by_name("one")).await.expect("resumed").value;
    assert_eq!(resumed.status.phase, Phase::Running);
    assert_eq!(house.ask("one", "count", "count ").await, "count 2", "it is the same guest after a pause");

    let again = weft.reboot(&call(), &by_name("one"), StopHow::Force).await.expect("rebooted").value;
    assert_eq!(again.status.running.as_ref().map(|running| running.reboot_epoch), Some(1));
    assert_eq!(pid(&again) == pid(&booted), vmm != Vmm::Firecracker, "Firecracker alone has no reset");
    until_said(&house, "one", 2).await;
    assert_eq!(house.ask("one", "count", "count ").await, "count 1", "it has begun anew");

    let graceful = StopHow::Graceful { timeout: Duration::from_secs(90) };
    let stopped = weft.shutdown(&call(), &by_name("one"), graceful).await.expect("stopped").value;
    let exit = stopped.status.last_exit.expect("an exit");
    assert_eq!((stopped.status.phase, exit.cause), (Phase::Stopped, ExitCause::Shutdown), "{}", exit.message);
    assert!(exit.console_tail.iter().any(|line| line.contains("powering off")), "{:?}", exit.console_tail);
    assert_eq!(house.daemon.vmms(), [0_u32; 0]);
    house.remove("one").await;
    house.assert_leaves_nothing().await;
}

async fn an_end_is_told_as_it_was(vmm: Vmm) {
    let Some(house) = House::open(vmm, &[]).await else { return };
    let weft = house.weft();
    house.ready("one", house.spec()).await;
    house.tell("one", "poweroff").await;
    let (phase, cause) = match vmm {
        // All that it tells is that the guest has reset itself.
        Vmm::Firecracker => (Phase::Failed, ExitCause::GuestReset),
        Vmm::CloudHypervisor | Vmm::Qemu => (Phase::Stopped, ExitCause::GuestPoweroff),
    };
    let off = house.phase("one", phase).await;
    assert_eq!(off.status.last_exit.as_ref().map(|exit| exit.cause), Some(cause), "{:#?}", off.status);

    let anew = weft.boot(&call(), &by_name("one")).await.expect("booted").value;
    until_said(&house, "one", 2).await;
    house.tell("one", "crash").await;
    if vmm == Vmm::Firecracker {
        let crashed = house.phase("one", Phase::Failed).await;
        let exit = crashed.status.last_exit.expect("an exit");
        assert_eq!(exit.cause, ExitCause::GuestPanic, "{exit:#?}");
        weft.boot(&call(), &by_name("one")).await.expect("booted");
    } else {
        // A triple fault is how a PC resets.
        let counts = |vm: &weft_ports::api::Vm| vm.value.status.running.as_ref().is_some_and(|run| run.resets > 0);
        let counted = until(&weft, "one", counts).await.value;
        assert_eq!((counted.status.phase, pid(&counted)), (Phase::Running, pid(&anew)));
    }
    until_said(&house, "one", 3).await;
    let living = weft.get(&call(), &by_name("one")).await.expect("there").value;
    signal(pid(&living), Signal::KILL);
    let died = house.phase("one", Phase::Failed).await;
    assert_eq!(died.status.last_exit.map(|exit| exit.cause), Some(ExitCause::VmmDied));
    house.remove("one").await;
    house.assert_leaves_nothing().await;
}

async fn a_guest_that_reboots_itself_comes_back(vmm: Vmm) {
    let Some(house) = House::open(vmm, &[]).await else { return };
    let mut draft = house.draft();
    draft.restart = RestartPolicy::OnFailure;
    let one = house.ready("one", draft.check().expect("lawful")).await;
    let generation = house.ask("one", "gen", "gen ").await;
    house.tell("one", "reboot").await;
    until_said(&house, "one", 2).await;
    let back = |vm: &weft_ports::api::Vm| {
        let resets = vm.value.status.running.as_ref().map_or(0, |running| running.resets);
        vm.value.status.phase == Phase::Running && resets + u64::from(vm.value.status.restarts) == 1
    };
    let after = until(&house.weft(), "one", back).await.value;
    // Firecracker ends on a reset, and the policy starts it again.
    assert_eq!(pid(&after) == pid(&one), vmm != Vmm::Firecracker);
    assert_ne!(house.ask("one", "gen", "gen ").await, generation, "it has booted anew");
    house.remove("one").await;
    house.assert_leaves_nothing().await;
}

async fn one_that_outlives_the_daemon_goes_on(vmm: Vmm) {
    let Some(mut house) = House::open(vmm, &[]).await else { return };
    let before = house.ready("one", house.spec()).await;
    let held = house.ready("held", house.spec()).await;
    house.weft().pause(&call(), &by_name("held")).await.expect("paused");
    assert_eq!(house.ask("one", "count", "count ").await, "count 1");
    for round in 2..4 {
        house.daemon.kill().expect("killed");
        let (mut living, mut known) = (house.daemon.vmms(), [pid(&before), pid(&held)]);
        living.sort_unstable();
        known.sort_unstable();
        assert_eq!(living, known, "VMMs outlive the daemon");
        house.daemon.up().expect("up again");
        let after = house.phase("one", Phase::Running).await;
        assert_eq!(pid(&after), pid(&before));
        assert_eq!(pid(&house.phase("held", Phase::Paused).await), pid(&held));
        assert_eq!(house.ask("one", "count", "count ").await, format!("count {round}"), "the console goes on");
    }
    house.weft().resume(&call(), &by_name("held")).await.expect("resumed");
    assert_eq!(house.ask("held", "count", "count ").await, "count 1");
    house.remove("held").await;
    house.remove("one").await;
    house.assert_leaves_nothing().await;
}

async fn what_cannot_boot_says_why(vmm: Vmm) {
    let Some(house) = House::open(vmm, &[]).await else { return };
    std::fs::write(house.image("none"), b"\x7fELF and nothing that follows").expect("a file");
    let mut draft = house.draft();
    draft.payload = Payload::Kernel { kernel: house.image("none"), initramfs: None, cmdline: String::new() };
    let spec = draft.check().expect("lawful");
    house.weft().create(&call(), vm("one", spec, CreateMode::Create)).await.expect("made");
    // It may be told in the answer or in the status alone.
    let _ = house.weft().boot(&call(), &by_name("one")).await;
    let failed = house.phase("one", Phase::Failed).await;
    let exit = failed.status.last_exit.expect("an exit");
    assert_eq!(exit.cause, ExitCause::LaunchFailed);
    assert!(exit.message.len() > 20, "{}", exit.message);
    house.remove("one").await;
    house.assert_leaves_nothing().await;
}
