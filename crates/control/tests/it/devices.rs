//! Changes of running VMs: taken up, waiting for the next boot, refused by the VMM; and their shorthand.

use crate::house::{House, ROOM, call, named, repeatable};
use std::sync::atomic::Ordering;
use weft_domain::Reason;
use weft_domain::instance::StopHow;
use weft_domain::spec::memory::MIB;
use weft_domain::spec::{Balloon, Disk, DiskSource, Nic};
use weft_ports::api::{Alter, Devices, Events, ListQuery, Power, Vms};

fn resize(memory: u64) -> Alter {
    Alter::Resize { cpus: None, memory_bytes: Some(memory), balloon_bytes: None }
}

fn disk(name: &str) -> Disk {
    Disk::new(name, DiskSource::Path("/images/a.raw".into()))
}

#[tokio::test(start_paused = true)]
async fn a_running_vm_takes_a_change_up_before_the_verb_answers() {
    let house = House::new().await;
    house.make_running("a").await;
    let altered = house.control.alter(&call(), &named("a"), Alter::AttachDisk(disk(""))).await.expect("attached");
    let it = &altered.value;
    assert_eq!(it.spec.disks[0].name, "disk0");
    assert_eq!((it.meta.generation, it.status.running.as_ref().expect("it runs").applied_generation), (2, 2));
    assert!(it.status.restart_required.is_empty());
    let detached = house.control.alter(&call(), &named("a"), Alter::DetachDisk("disk0".into())).await;
    assert!(detached.expect("detached").value.spec.disks.is_empty());
    let events = Events::list(&house.control, &call(), &ListQuery::default()).await.expect("events").items;
    let applied = events.iter().filter(|event| event.value.reason == "Applied").count();
    assert_eq!(applied, 2);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_the_next_boot_is_told() {
    let house = House::new().await;
    house.make_running("a").await;
    house.guests.rigid.store(true, Ordering::Relaxed);
    let altered = house.control.alter(&call(), &named("a"), resize(300 * MIB)).await.expect("committed");
    assert_eq!(altered.value.status.restart_required, ["vm.spec.cpu"]);
    assert_eq!(altered.value.spec.memory.size_bytes, 300 * MIB);
}

#[tokio::test(start_paused = true)]
async fn a_vmm_that_refuses_is_told_as_a_condition() {
    let house = House::new().await;
    house.make_running("a").await;
    house.guests.stubborn.store(true, Ordering::Relaxed);
    let altered = house.control.alter(&call(), &named("a"), resize(300 * MIB)).await.expect("as it is");
    let it = &altered.value;
    let told = it.status.conditions.iter().find(|one| one.kind == "StepSucceeded").expect("it is told");
    assert_eq!((told.holds, told.message.as_str()), (Some(false), "the guest does not let go"));
    assert_eq!((it.meta.generation, it.status.running.as_ref().expect("it runs").applied_generation), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn what_does_not_run_is_altered_at_once() {
    let house = House::new().await;
    house.make("a").await;
    let nic = Nic::new("", weft_domain::spec::Attachment::User { forwards: vec![] });
    let fault = house.control.alter(&call(), &named("a"), Alter::AttachNic(nic)).await.expect_err("not served");
    assert_eq!((fault.reason, fault.violations[0].field.as_str()), (Reason::FieldUnsupported, "nic.user"));
    let alter = Alter::Resize { cpus: None, memory_bytes: None, balloon_bytes: Some(MIB) };
    let altered = house.control.alter(&call(), &named("a"), alter).await.expect("altered");
    assert_eq!(altered.value.spec.memory.balloon, Some(Balloon::new(MIB)));
}

#[tokio::test(start_paused = true)]
async fn a_repeated_alteration_is_done_once() {
    let house = House::new().await;
    house.make_running("a").await;
    let request = repeatable("r1", 1);
    let alter = || Alter::AttachDisk(disk("data"));
    let first = house.control.alter(&request, &named("a"), alter()).await.expect("attached");
    let again = house.control.alter(&request, &named("a"), alter()).await.expect("the first answer");
    assert_eq!((first.value.spec.disks.len(), again.value.spec.disks.len()), (1, 1));
    assert_eq!(first.value.meta, again.value.meta);
    let fault = house.control.alter(&call(), &named("a"), alter()).await.expect_err("it is there");
    assert_eq!((fault.reason, fault.violations[0].field.as_str()), (Reason::NameTaken, "disk.name"));
    let fault = house.control.alter(&repeatable("r1", 2), &named("a"), alter()).await.expect_err("another body");
    assert_eq!(fault.reason, Reason::RequestIdReused);
}

#[tokio::test(start_paused = true)]
async fn refusals_name_the_fields_of_the_verb() {
    let house = House::new().await;
    house.make("a").await;
    let refused = async |alter: Alter| {
        let fault = house.control.alter(&call(), &named("a"), alter).await.expect_err("refused");
        assert!(!fault.fix.is_empty(), "{fault}");
        (fault.reason, fault.violations[0].field.clone())
    };
    assert_eq!(refused(Alter::DetachDisk("x".into())).await, (Reason::DeviceNotFound, "disk".into()));
    assert_eq!(refused(Alter::DetachVsock).await, (Reason::DeviceNotFound, "vm".into()));
    assert_eq!(refused(resize(MIB)).await.1, "memory_bytes");
    assert_eq!(refused(resize(ROOM)).await, (Reason::MemoryExhausted, "memory_bytes".into()));
    let many = Alter::Resize { cpus: Some(4000), memory_bytes: None, balloon_bytes: None };
    assert_eq!(refused(many).await, (Reason::FieldInvalid, "cpus".into()));
    let path = Disk::new("", DiskSource::Path("relative".into()));
    assert_eq!(refused(Alter::AttachDisk(path)).await, (Reason::FieldInvalid, "disk.path".into()));
}

#[tokio::test(start_paused = true)]
async fn counters_and_interrupts_are_asked_of_the_node() {
    let house = House::new().await;
    house.make("a").await;
    let fault = house.control.counters(&call(), &named("a")).await.expect_err("it does not run");
    assert_eq!(fault.reason, Reason::PhaseForbids);
    house.control.boot(&call(), &named("a")).await.expect("booted");
    assert_eq!(house.control.counters(&call(), &named("a")).await.expect("counters")["disk0"]["reads"], 7);
    for _ in 0..2 {
        house.control.nmi(&repeatable("n", 1), &named("a")).await.expect("interrupted");
    }
    assert_eq!(house.guests.interrupts.load(Ordering::Relaxed), 1, "a repetition interrupts once");
    house.control.shutdown(&call(), &named("a"), StopHow::Force).await.expect("stopped");
    assert_eq!(house.control.nmi(&call(), &named("a")).await.expect_err("no more").reason, Reason::PhaseForbids);
    assert!(Vms::get(&house.control, &call(), &named("a")).await.expect("there").value.status.running.is_none());
}
