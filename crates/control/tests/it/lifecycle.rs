//! The life of a VM through all verbs, and what each refuses.

use crate::house::*;
use futures::StreamExt;
use std::sync::atomic::Ordering;
use std::time::Duration;
use weft_domain::instance::{ExitCause, StopHow};
use weft_domain::spec::{Disk, DiskSource, RestartPolicy};
use weft_domain::{Instance, InstanceId, Phase, Reason};
use weft_ports::api::{
    Call, Change, CreateMode, Events, ListQuery, NewVm, Nodes, Power, Removal, Vm, VmChange, VmRef, Vms, WatchQuery,
};

const SOFT: StopHow = StopHow::Graceful { timeout: Duration::from_secs(20) };

fn removal(vm: VmRef) -> Removal {
    Removal { vm, etag: None, force: false, allow_missing: false }
}

fn change(vm: VmRef) -> Change {
    Change { vm, etag: None, labels: None, annotations: None, spec: None, validate_only: false }
}

fn phase(vm: &Vm) -> Phase {
    vm.value.status.phase
}

async fn until(house: &House, id: InstanceId, wanted: impl Fn(&Instance) -> bool) -> Vm {
    let query = WatchQuery { vm: Some(VmRef::Id(id)), ..WatchQuery::default() };
    let mut watch = Vms::watch(&house.control, &call(), query).await.expect("a watch begins");
    while let Some(step) = watch.next().await {
        match step.expect("no refusal") {
            VmChange::Set(vm) if wanted(&vm.value) => return *vm,
            VmChange::Removed { .. } => panic!("it is gone"),
            VmChange::Set(_) | VmChange::Bookmark(_) => {}
        }
    }
    panic!("the watch ended")
}

#[tokio::test(start_paused = true)]
async fn the_whole_life() {
    let house = House::new().await;
    let (control, web) = (&house.control, named("web"));
    let made = control.create(&call(), new_vm("web")).await.expect("created");
    assert_eq!(phase(&made), Phase::Created);
    assert_eq!((made.value.meta.generation, made.value.status.observed_generation), (1, 1));
    let booted = control.boot(&call(), &web).await.expect("booted");
    assert_eq!(phase(&booted), Phase::Running);
    assert_eq!(booted.value.status.running.as_ref().map(|running| running.boot_epoch), Some(1));
    assert_eq!(control.boot(&call(), &web).await.expect("a no-op").revision, booted.revision);
    assert_eq!(phase(&control.pause(&call(), &web).await.expect("paused")), Phase::Paused);
    assert_eq!(phase(&control.resume(&call(), &web).await.expect("resumed")), Phase::Running);
    let rebooted = control.reboot(&call(), &web, StopHow::Force).await.expect("rebooted");
    assert_eq!(rebooted.value.status.running.expect("it runs").reboot_epoch, 1);
    let rebooted = control.reboot(&call(), &web, SOFT).await.expect("rebooted");
    assert_eq!(rebooted.value.status.phase, Phase::Running);
    assert_eq!(rebooted.value.status.running.expect("it runs").reboot_epoch, 2);
    let stopped = control.shutdown(&call(), &web, SOFT).await.expect("stopped");
    assert_eq!(phase(&stopped), Phase::Stopped);
    assert_eq!(stopped.value.status.last_exit.expect("an exit").cause, ExitCause::Shutdown);
    assert_eq!(phase(&control.boot(&call(), &web).await.expect("booted again")), Phase::Running);
    let refused = control.delete(&call(), removal(web.clone())).await.expect_err("it runs");
    assert_eq!(refused.reason, Reason::PhaseForbids);
    let gone = control.delete(&call(), Removal { force: true, ..removal(web.clone()) }).await.expect("deleted");
    let gone = gone.expect("it was there");
    assert_eq!(phase(&gone), Phase::Deleting);
    assert!(gone.value.meta.delete_time.is_some());
    assert_eq!(Vms::get(control, &call(), &web).await.expect_err("gone").reason, Reason::VmNotFound);
    let again = Removal { allow_missing: true, ..removal(web.clone()) };
    assert_eq!(control.delete(&call(), again).await, Ok(None));
    house.make("web").await;
    let events = Events::list(control, &call(), &ListQuery::default()).await.expect("events");
    let reasons: Vec<_> = events.items.iter().map(|event| event.value.reason.as_str()).collect();
    for one in ["Created", "Preparing", "Prepared", "Booting", "Running", "PauseRequested", "Paused", "Resumed"] {
        assert!(reasons.contains(&one), "{one} in {reasons:?}");
    }
    for one in ["RebootRequested", "Rebooted", "ShutdownRequested", "Stopped", "Deleting", "Deleted"] {
        assert!(reasons.contains(&one), "{one} in {reasons:?}");
    }
    assert!(events.items.is_sorted_by_key(|event| event.value.id));
}

#[tokio::test(start_paused = true)]
async fn created_and_booted_in_one() {
    let house = House::new().await;
    let new = NewVm { mode: CreateMode::Boot, ..new_vm("") };
    let vm = house.control.create(&call(), new).await.expect("created");
    assert_eq!(phase(&vm), Phase::Running);
    assert!(vm.value.meta.name.as_str().starts_with("vm-"), "{}", vm.value.meta.name);
    assert_eq!(vm.value.placement.expect("placed").node, house.node);
}

#[tokio::test(start_paused = true)]
async fn illegal_moves_are_refused_with_what_helps() {
    let house = House::new().await;
    let (control, vm) = (&house.control, named("a"));
    house.make("a").await;
    let refused = |answer: Result<Vm, weft_domain::Fault>| {
        let fault = answer.expect_err("not lawful");
        assert_eq!(fault.reason, Reason::PhaseForbids, "{fault}");
        assert!(!fault.fix.is_empty());
    };
    refused(control.pause(&call(), &vm).await);
    refused(control.resume(&call(), &vm).await);
    refused(control.reboot(&call(), &vm, SOFT).await);
    assert_eq!(phase(&control.shutdown(&call(), &vm, SOFT).await.expect("a no-op")), Phase::Created);
    control.boot(&call(), &vm).await.expect("booted");
    control.pause(&call(), &vm).await.expect("paused");
    refused(control.boot(&call(), &vm).await);
    refused(control.reboot(&call(), &vm, SOFT).await);
    assert_eq!(phase(&control.shutdown(&call(), &vm, SOFT).await.expect("stopped")), Phase::Stopped);
    refused(control.pause(&call(), &vm).await);
    let missing = control.boot(&call(), &named("nobody")).await.expect_err("none");
    assert_eq!(missing.reason, Reason::VmNotFound);
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_hears_nothing_is_ended_by_force() {
    let house = House::new().await;
    house.guests.deaf.store(true, Ordering::Relaxed);
    house.make_running("a").await;
    let stopped = house.control.shutdown(&call(), &named("a"), SOFT).await.expect("stopped");
    assert_eq!(phase(&stopped), Phase::Stopped);
    assert_eq!(stopped.value.status.last_exit.expect("an exit").cause, ExitCause::Forced);
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_cannot_start_is_answered_as_failed() {
    let house = House::new().await;
    house.guests.broken.store(true, Ordering::Relaxed);
    let id = house.make("a").await;
    house.control.boot(&call(), &named("a")).await.expect("verbs answer the resource");
    let vm = until(&house, id, |it| it.status.phase == Phase::Failed).await;
    assert_eq!(vm.value.status.last_exit.expect("an exit").cause, ExitCause::LaunchFailed);
    house.guests.broken.store(false, Ordering::Relaxed);
    assert_eq!(phase(&house.control.boot(&call(), &named("a")).await.expect("booted")), Phase::Running);
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_powers_off_is_stopped_and_one_that_dies_fails_or_lives_again() {
    let house = House::new().await;
    let id = house.make_running("a").await;
    house.happen.send(Happening::Poweroff(id)).await.expect("the agent lives");
    until(&house, id, |it| it.status.phase == Phase::Stopped).await;
    house.control.boot(&call(), &named("a")).await.expect("booted");
    house.happen.send(Happening::Dies(id)).await.expect("the agent lives");
    until(&house, id, |it| it.status.phase == Phase::Failed).await;
    let mut draft = new_vm("b").spec.into_draft();
    draft.restart = RestartPolicy::OnFailure;
    let spec = draft.check().expect("lawful");
    let new = NewVm { spec, mode: CreateMode::Boot, ..new_vm("b") };
    let id = house.control.create(&call(), new).await.expect("created").value.meta.id;
    house.happen.send(Happening::Dies(id)).await.expect("the agent lives");
    let vm = until(&house, id, |it| it.status.restarts == 1 && it.status.phase == Phase::Running).await;
    assert_eq!(vm.value.status.last_exit.expect("an exit").cause, ExitCause::VmmDied);
    let events = Events::list(
        &house.control,
        &call(),
        &ListQuery { filter: "severity = WARNING".into(), ..ListQuery::default() },
    )
    .await;
    let reasons: Vec<_> = events.expect("events").items.into_iter().map(|event| event.value.reason).collect();
    assert_eq!(reasons, ["Exited", "Failed", "Exited", "Restarting"]);
}

#[tokio::test(start_paused = true)]
async fn time_that_is_up_answers_the_resource_as_it_is() {
    let house = House::silent().await;
    let began = tokio::time::Instant::now();
    let hurried = Call { timeout: Some(Duration::from_secs(3)), ..call() };
    let made = house.control.create(&hurried, new_vm("a")).await.expect("committed");
    assert_eq!(phase(&made), Phase::Pending);
    let took = began.elapsed();
    assert!(took > Duration::from_secs(2) && took < Duration::from_secs(3), "{took:?}");
    let began = tokio::time::Instant::now();
    let gone = house.control.delete(&call(), removal(named("a"))).await.expect("committed").expect("there");
    assert_eq!((phase(&gone), began.elapsed().as_secs()), (Phase::Deleting, 30));
}

#[tokio::test(start_paused = true)]
async fn changes_of_the_specification() {
    let house = House::new().await;
    let (control, vm) = (&house.control, named("a"));
    house.make("a").await;
    let spec = |memory: u64| {
        let mut draft = new_vm("a").spec.into_draft();
        draft.memory.size_bytes = memory << 20;
        Some(draft.check().expect("lawful"))
    };
    let bigger = control.update(&call(), Change { spec: spec(512), ..change(vm.clone()) }).await.expect("at rest");
    assert_eq!(bigger.value.meta.generation, 2);
    let same = control.update(&call(), Change { spec: spec(512), ..change(vm.clone()) }).await.expect("the same");
    assert_eq!(same.value.meta.generation, 2);
    let huge = Change { spec: spec(4096), ..change(vm.clone()) };
    assert_eq!(control.update(&call(), huge).await.expect_err("too much").reason, Reason::MemoryExhausted);
    let dry = Change { spec: spec(640), validate_only: true, ..change(vm.clone()) };
    assert_eq!(control.update(&call(), dry).await.expect("lawful").value.meta.generation, 3);
    let old = Change { etag: Some(weft_domain::object::Revision(1)), ..change(vm.clone()) };
    let fault = control.update(&call(), old).await.expect_err("another etag");
    let now = Vms::get(control, &call(), &vm).await.expect("there");
    assert_eq!((fault.reason, now.value.meta.generation), (Reason::EtagMismatch, 2));
    assert!(!fault.fix.is_empty(), "{fault}");
    control.boot(&call(), &vm).await.expect("booted");
    let smaller = control.update(&call(), Change { spec: spec(256), ..change(vm.clone()) }).await.expect("it runs");
    let running = smaller.value.status.running.as_ref().expect("it runs on");
    assert_eq!((running.applied_generation, smaller.value.meta.generation), (3, 3));
    let labels = weft_domain::Labels::new([("app".to_owned(), "x".to_owned())].into()).expect("labels");
    let labelled = Change { labels: Some(labels.clone()), ..change(vm.clone()) };
    assert_eq!(control.update(&call(), labelled).await.expect("at any time").value.meta.labels, labels);
}

#[tokio::test(start_paused = true)]
async fn what_nothing_can_serve_is_refused_at_the_door() {
    let house = House::new().await;
    let with = |edit: fn(&mut weft_domain::spec::Draft)| {
        let mut draft = new_vm("a").spec.into_draft();
        edit(&mut draft);
        NewVm { spec: draft.check().expect("lawful in itself"), ..new_vm("a") }
    };
    let reason = async |new| house.control.create(&call(), new).await.expect_err("refused").reason;
    assert_eq!(reason(with(|draft| draft.cpu.max = 4)).await, Reason::FieldUnsupported);
    let named = weft_domain::spec::Driver::Named("xen".into());
    let draft = weft_domain::spec::Draft { driver: named, ..new_vm("a").spec.into_draft() };
    let xen = NewVm { spec: draft.check().expect("lawful"), ..new_vm("a") };
    assert_eq!(reason(xen).await, Reason::DriverUnavailable);
    assert_eq!(reason(with(|draft| draft.memory.size_bytes = ROOM)).await, Reason::MemoryExhausted);
    let blank = with(|draft| {
        let made = Disk::new("disk0", DiskSource::Blank { size_bytes: 1 << 30 });
        draft.disks.push(Disk { format: weft_domain::spec::DiskFormat::Qcow2, ..made });
    });
    assert_eq!(reason(blank).await, Reason::FieldInvalid);
    house.guests.vetoed.store(true, Ordering::Relaxed);
    assert_eq!(reason(new_vm("a")).await, Reason::PathUnusable);
    house.guests.vetoed.store(false, Ordering::Relaxed);
    let dry = NewVm { mode: CreateMode::ValidateOnly, ..new_vm("a") };
    let before = house.store.figures().commits;
    assert_eq!(house.control.create(&call(), dry).await.expect("lawful").value.status.phase, Phase::Pending);
    assert_eq!(house.store.figures().commits, before);
}

#[tokio::test(start_paused = true)]
async fn control_begins_again_on_what_it_left() {
    let house = House::new().await;
    let id = house.make_running("a").await;
    let before = Vms::get(&house.control, &call(), &named("a")).await.expect("there");
    let store = house.close().await;
    let house = House::of(Blueprint { store, ..Blueprint::default() }).await;
    let after = Vms::get(&house.control, &call(), &VmRef::Id(id)).await.expect("still there");
    assert_eq!(after.value.meta, before.value.meta);
    let node = Nodes::get(&house.control, &call(), "here").await.expect("the node is known");
    assert_eq!(node.value.id, house.node);
    let taken = house.control.create(&call(), new_vm("a")).await.expect_err("the name is kept");
    assert_eq!(taken.reason, Reason::NameTaken);
    let stopped = house.control.shutdown(&call(), &named("a"), StopHow::Force).await.expect("stopped");
    assert!(phase(&stopped).at_rest());
}
