//! VMMs of ill will: one is stopped, one takes what is asked and never answers, one answers garbage, one hangs
//! up at each request.
//!
//! What must hold: it is told of as it is, alive and not doing what is asked; no other VM waits for it; force
//! ends it, and so does deletion, within [`SOON`]; a guest that should be asked to stop has its time and no more.

use crate::house::{House, brief, pid, removal, signal};
use rustix::process::Signal;
use std::time::{Duration, Instant};
use weft_domain::instance::{ExitCause, StopHow};
use weft_domain::{Phase, Reason};
use weft_ports::api::{Power, Vm, Vms};
use weft_testbed::guest::{call, vm};
use weft_testbed::watch::{by_name, until};

/// The longest that an end by force may take, on a busy machine.
const SOON: Duration = Duration::from_secs(20);

/// Something is asked of it that is not done.
fn stumbles(vm: &Vm) -> bool {
    vm.value.status.conditions.iter().any(|one| one.kind == "StepSucceeded" && one.holds == Some(false))
}

async fn of_ill_will(house: &House, name: &str, make: impl Fn(&House, u32)) {
    let weft = house.weft();
    let well = format!("{name}-well");
    house.running(&well, house.with_disk()).await;
    let ill = house.running(name, house.with_disk()).await;
    make(house, pid(&ill));
    match weft.pause(&brief(), &by_name(name)).await {
        Ok(asked) => assert_eq!(asked.value.status.phase, Phase::Running, "{name}: it is told as it is"),
        Err(late) => assert_eq!(late.reason, Reason::DeadlinePassed, "{name}: {late}"),
    }
    let told = until(&weft, name, stumbles).await.value.status;
    assert_eq!((told.phase, told.running.map(|it| it.pid)), (Phase::Running, Some(pid(&ill))), "{name} lives");
    let begun = Instant::now();
    for _ in 0..2 {
        assert_eq!(weft.pause(&call(), &by_name(&well)).await.expect("paused").value.status.phase, Phase::Paused);
        assert_eq!(weft.resume(&call(), &by_name(&well)).await.expect("resumed").value.status.phase, Phase::Running);
    }
    assert!(begun.elapsed() < SOON, "{name}: others are not held up");
    let begun = Instant::now();
    let ended = weft.shutdown(&call(), &by_name(name), StopHow::Force).await.expect("ended").value.status;
    assert_eq!((ended.phase, ended.last_exit.map(|exit| exit.cause)), (Phase::Stopped, Some(ExitCause::Forced)));
    assert!(begun.elapsed() < SOON, "{name}: {:?}", begun.elapsed());
    let second = format!("{name}-deleted");
    let ill = house.running(&second, house.with_disk()).await;
    make(house, pid(&ill));
    let begun = Instant::now();
    weft.delete(&call(), removal(by_name(&second))).await.expect("deleted");
    assert!(begun.elapsed() < SOON, "{second}: {:?}", begun.elapsed());
    let third = format!("{name}-graceful");
    let ill = house.running(&third, house.with_disk()).await;
    make(house, pid(&ill));
    let how = StopHow::Graceful { timeout: Duration::from_secs(1) };
    let begun = Instant::now();
    let ended = weft.shutdown(&call(), &by_name(&third), how).await.expect("ended").value.status;
    // What was done though it was answered with garbage is done.
    let cause = ended.last_exit.map(|exit| exit.cause);
    assert!(
        ended.phase == Phase::Stopped && matches!(cause, Some(ExitCause::Forced | ExitCause::Shutdown)),
        "{cause:?}"
    );
    assert!(begun.elapsed() < SOON, "{third}: {:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vmm_of_ill_will_holds_up_nobody_and_can_be_ended() {
    let house = House::open(&[]);
    let well = house.running("well", house.with_disk()).await;
    tokio::join!(
        of_ill_will(&house, "stopped", |_, pid| signal(pid, Signal::STOP)),
        of_ill_will(&house, "silent", |house, pid| house.misbehave(pid, "hang")),
        of_ill_will(&house, "garbled", |house, pid| house.misbehave(pid, "garbage")),
        of_ill_will(&house, "abrupt", |house, pid| house.misbehave(pid, "close")),
    );
    house.assert_unharmed("well", &well).await;
    Vms::create(&house.weft(), &call(), vm("new", house.spec(), weft_ports::api::CreateMode::Boot))
        .await
        .expect("made");
    house.assert_leaves_nothing().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vmm_of_ill_will_is_taken_up_again_when_it_thinks_better() {
    let mut house = House::open(&[]);
    let vms = [("silent", "hang"), ("garbled", "garbage"), ("abrupt", "close")];
    let mut ran = Vec::new();
    for (name, how) in vms {
        let vm = house.running(name, house.with_disk()).await;
        house.misbehave(pid(&vm), how);
        ran.push(vm);
    }
    house.daemon.kill().expect("killed");
    house.daemon.up().expect("up, whoever is silent");
    for (vm, (name, _)) in ran.iter().zip(vms) {
        let seen = house.get(name).await.status;
        assert_eq!((seen.phase, seen.running.map(|it| it.pid)), (Phase::Running, Some(pid(vm))), "{name} lives");
    }
    for vm in &ran[1..] {
        house.misbehave(pid(vm), "");
    }
    for (name, _) in &vms[1..] {
        let paused = house.weft().pause(&call(), &by_name(name)).await.expect("paused").value;
        assert_eq!(paused.status.phase, Phase::Paused, "{name}: {:#?}", paused.status);
    }
    house.assert_leaves_nothing().await;
}
