//! A running machine becomes what its specification says, and what waits for a boot is told.

use crate::for_each_vmm;
use crate::house::{House, Vmm, pid};
use weft_api::Client;
use weft_domain::spec::{Disk, DiskSource, Spec};
use weft_domain::{Fault, Instance, Phase, Reason};
use weft_ports::api::{Alter, Change, Devices, Power, Vm, Vms};
use weft_ports::task::spawn;
use weft_testbed::guest::call;
use weft_testbed::watch::{by_name, until, until_ready};

for_each_vmm!(
    a_disk_is_plugged_and_a_guest_may_keep_it,
    what_weft_made_grows,
    what_cannot_change_now_waits_for_the_boot,
    a_change_that_was_answered_is_made_after_a_kill,
    cpus_and_memory_grow
);

/// Whether the machine is what is asked.
fn applied(vm: &Vm) -> bool {
    let (meta, status) = (&vm.value.meta, &vm.value.status);
    status.running.as_ref().is_some_and(|running| running.applied_generation == meta.generation)
}

fn data(house: &House) -> Disk {
    Disk::new("data", DiskSource::Path(house.blank("data.raw", 4 << 20)))
}

/// Changes it, and answers how it then is.
async fn alter(house: &House, what: Alter) -> Instance {
    let told = format!("{what:?}");
    let altered = house.weft().alter(&call(), &by_name("one"), what).await;
    altered.unwrap_or_else(|fault| panic!("{told}: {fault}: {:?}\n{}", fault.violations, house.daemon.log())).value
}

async fn update(weft: &Client, spec: Spec) -> Result<Vm, Fault> {
    let (vm, spec) = (by_name("one"), Some(spec));
    let change = Change { vm, etag: None, labels: None, annotations: None, spec, validate_only: false };
    weft.update(&call(), change).await
}

/// What the VMM or the guest said to a change, where it was refused.
fn refusal(vm: &Instance) -> Option<&str> {
    let failed = vm.status.conditions.iter().find(|one| one.kind == "StepSucceeded" && one.holds == Some(false));
    failed.map(|one| one.message.as_str())
}

async fn a_disk_is_plugged_and_a_guest_may_keep_it(vmm: Vmm) {
    let Some(house) = House::open(vmm, &[]).await else { return };
    let weft = house.weft();
    let one = house.ready("one", house.spec()).await;
    let plugged = alter(&house, Alter::AttachDisk(data(&house))).await;
    assert_eq!(plugged.status.restart_required, [""; 0]);
    assert_eq!((pid(&plugged), plugged.meta.generation), (pid(&one), 2));
    until(&weft, "one", applied).await;
    assert_eq!(house.ask("one", "ping", "pong").await, "pong");

    let detached = alter(&house, Alter::DetachDisk("data".into())).await;
    if vmm == Vmm::Firecracker || !house.real {
        // It takes a device away whatever the guest thinks of it; a stand-in's guest gives back what it is asked for.
        assert_eq!(refusal(&detached), None);
    } else {
        // A guest that has never looked at the bus does not give anything back.
        let refused = refusal(&detached).unwrap_or_else(|| panic!("it is refused: {:#?}", detached.status));
        assert!(refused.contains("unplug disk data") && refused.contains("the guest did not let"), "{refused}");
        assert_eq!(detached.spec.disks, [], "it is asked for all the same");
    }
    let after = weft.get(&call(), &by_name("one")).await.expect("there").value;
    assert_eq!((after.status.phase, pid(&after)), (Phase::Running, pid(&one)), "it runs on");
    assert_eq!(house.ask("one", "ping", "pong").await, "pong");
    let nothing =
        weft.alter(&call(), &by_name("one"), Alter::DetachDisk("none".into())).await.expect_err("no such disk");
    assert_eq!(nothing.reason, Reason::DeviceNotFound);
    house.remove("one").await;
    assert!(house.image("data.raw").is_file(), "a caller's disk is never removed");
    house.assert_leaves_nothing().await;
}

async fn what_weft_made_grows(vmm: Vmm) {
    let Some(house) = House::open(vmm, &[]).await else { return };
    let mut draft = house.draft();
    draft.disks.push(Disk::new("data", DiskSource::Blank { size_bytes: 4 << 20 }));
    let one = house.ready("one", draft.check().expect("lawful")).await;
    let file = house.daemon.data_dir().join("vms").join(one.meta.id.to_string()).join("disk-data.raw");
    let length = || std::fs::metadata(&file).expect("the disk").len();
    assert_eq!(length(), 4 << 20);
    let grown = alter(&house, Alter::ResizeDisk("data".into(), 8 << 20)).await;
    assert_eq!((grown.status.restart_required.len(), pid(&grown)), (0, pid(&one)));
    until(&house.weft(), "one", applied).await;
    assert_eq!(length(), 8 << 20);
    let smaller = house.weft().alter(&call(), &by_name("one"), Alter::ResizeDisk("data".into(), 4 << 20)).await;
    assert!(smaller.is_err(), "a disk does not shrink");
    assert_eq!((length(), house.ask("one", "ping", "pong").await), (8 << 20, "pong".into()));
    house.remove("one").await;
    house.assert_leaves_nothing().await;
}

async fn what_cannot_change_now_waits_for_the_boot(vmm: Vmm) {
    let Some(house) = House::open(vmm, &[]).await else { return };
    let weft = house.weft();
    let one = house.ready("one", house.spec()).await;
    assert_eq!(house.ask("one", "mem", "mem ").await, "mem 64 MiB");
    let mut draft = house.draft();
    draft.memory.size_bytes = 96 << 20;
    update(&weft, draft.check().expect("lawful")).await.expect("updated");
    let waits = until(&weft, "one", |vm| !vm.value.status.restart_required.is_empty()).await.value;
    assert!(
        waits.status.restart_required.iter().all(|field| field.starts_with("vm.spec.memory")),
        "{:?}",
        waits.status
    );
    assert_eq!((waits.status.phase, pid(&waits)), (Phase::Running, pid(&one)));
    house.end("one").await;
    weft.boot(&call(), &by_name("one")).await.expect("booted");
    let booted = until_ready(&weft, "one").await;
    assert_eq!(booted.value.status.restart_required, [""; 0]);
    assert!(applied(&booted), "{:#?}", booted.value.status);
    assert_eq!(house.ask("one", "mem", "mem ").await, "mem 96 MiB");
    house.remove("one").await;
    house.assert_leaves_nothing().await;
}

async fn a_change_that_was_answered_is_made_after_a_kill(vmm: Vmm) {
    let Some(mut house) = House::open(vmm, &[]).await else { return };
    let one = house.ready("one", house.spec()).await;
    let mut draft = house.draft();
    draft.disks.push(data(&house));
    let spec = draft.check().expect("lawful");
    let asked = spawn("update", {
        let weft = house.weft();
        async move { update(&weft, spec).await }
    });
    until(&house.weft(), "one", |vm| vm.value.meta.generation == 2).await;
    house.daemon.kill().expect("killed");
    // Whatever its caller was told: it was seen to be written down.
    let _ = asked.await;
    house.daemon.up().expect("up again");
    let has = |vm: &Vm| vm.value.meta.generation == 2 && applied(vm);
    let after = until(&house.weft(), "one", has).await.value;
    assert_eq!((pid(&after), after.spec.disks.len(), after.status.restart_required.len()), (pid(&one), 1, 0));
    assert_eq!(house.ask("one", "ping", "pong").await, "pong");
    house.remove("one").await;
    house.assert_leaves_nothing().await;
}

async fn cpus_and_memory_grow(vmm: Vmm) {
    let Some(house) = House::open(vmm, &[]).await else { return };
    let (cpus, bytes) = match vmm {
        // It plugs memory and no CPUs.
        Vmm::Firecracker => (None, 64 << 20),
        Vmm::CloudHypervisor | Vmm::Qemu => (Some(2), 128 << 20),
    };
    let mut draft = house.draft();
    draft.cpu.max = cpus.unwrap_or(1);
    draft.memory.size_bytes = 128 << 20;
    draft.memory.hotplug_bytes = 256 << 20;
    let one = house.ready("one", draft.check().expect("lawful")).await;
    let resize = Alter::Resize { cpus, memory_bytes: Some((128 << 20) + bytes), balloon_bytes: None };
    let resized = alter(&house, resize).await;
    assert_eq!((resized.spec.memory.size_bytes, resized.spec.cpu.boot), ((128 << 20) + bytes, cpus.unwrap_or(1)));
    assert_eq!(resized.status.restart_required, [""; 0]);
    match refusal(&resized) {
        None => drop(until(&house.weft(), "one", applied).await),
        // Memory is taken up by a virtio device there, which the small guest does not drive.
        Some(refused) => assert!(vmm == Vmm::Firecracker && refused.contains("memory"), "{refused}"),
    }
    let after = house.phase("one", Phase::Running).await;
    assert_eq!(pid(&after), pid(&one));
    assert_eq!(house.ask("one", "ping", "pong").await, "pong");
    house.remove("one").await;
    house.assert_leaves_nothing().await;
}
