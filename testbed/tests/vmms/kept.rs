//! Snapshots: what is kept, how a VM returns to one, how others begin from it.

use crate::for_each_vmm;
use crate::house::{House, Vmm, pid};
use std::process::Command;
use weft_domain::instance::StopHow;
use weft_domain::snapshot::{Role, Scope, Snapshot, SnapshotPhase};
use weft_domain::spec::{Disk, DiskSource, Vsock};
use weft_domain::{Name, Phase, Reason};
use weft_ports::api::{Fork, NewSnapshot, Power, SnapshotRef, SnapshotRemoval, Snapshots};
use weft_testbed::guest::call;
use weft_testbed::watch::by_name;

for_each_vmm!(a_vm_returns_and_others_begin, disks_are_kept_of_a_vm_that_is_stopped);

/// What Cloud Hypervisor says where KVM does not let it read the state of virtual CPUs.
const NO_NESTED_STATE: &str = "GetNestedState";

/// The snapshot of this name.
pub(crate) fn named(name: &str) -> SnapshotRef {
    SnapshotRef::Named { project: Name::default_project(), name: name.parse().expect("a lawful name") }
}

/// A snapshot of this name, to be taken of a VM.
pub(crate) fn new(vm: &str, name: &str, scope: Scope) -> NewSnapshot {
    NewSnapshot {
        vm: by_name(vm),
        name: Some(name.parse().expect("a lawful name")),
        labels: Default::default(),
        annotations: Default::default(),
        scope,
        parent: None,
        validate_only: false,
    }
}

/// A VM of this name that begins from a snapshot.
pub(crate) fn fork(snapshot: &str, name: &str) -> Fork {
    let name = Some(name.parse().expect("a lawful name"));
    Fork { snapshot: named(snapshot), name, labels: Default::default(), metadata: None }
}

pub(crate) fn removal(name: &str) -> SnapshotRemoval {
    SnapshotRemoval { snapshot: named(name), etag: None, allow_missing: false }
}

/// Takes a snapshot; `None` after saying why it cannot be taken on this host.
pub(crate) async fn keep(house: &House, vm: &str, name: &str) -> Option<Snapshot> {
    let taken = Snapshots::create(&house.weft(), &call(), new(vm, name, Scope::Full)).await;
    let said = match taken {
        Ok(kept) if kept.value.phase == SnapshotPhase::Ready => return Some(kept.value),
        Ok(kept) => kept.value.message,
        Err(fault) => fault.message,
    };
    assert!(can_be_excused(house, &said), "{said}\n{}", house.daemon.log());
    println!("skipped: this host's KVM keeps no virtual CPU: {said}");
    None
}

/// Whether it is this host that cannot take snapshots with the real Cloud Hypervisor.
pub(crate) fn can_be_excused(house: &House, said: &str) -> bool {
    house.vmm == Vmm::CloudHypervisor && house.real && said.contains(NO_NESTED_STATE)
}

/// Where the files of a snapshot are.
pub(crate) fn folder(house: &House, snapshot: &Snapshot) -> std::path::PathBuf {
    house.daemon.data_dir().join("snapshots").join(snapshot.id.to_string())
}

/// Each part is there, as long as is told, and has the sum that is told.
pub(crate) fn assert_whole(house: &House, snapshot: &Snapshot) {
    assert!(!snapshot.content.parts.is_empty());
    for part in &snapshot.content.parts {
        let file = folder(house, snapshot).join(&part.file);
        assert_eq!(std::fs::metadata(&file).map(|file| file.len()).ok(), Some(part.bytes), "{}", file.display());
        let Ok(output) = Command::new("sha256sum").arg(&file).output() else { continue };
        let sum: String = part.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(String::from_utf8_lossy(&output.stdout).starts_with(&sum), "{}", file.display());
    }
}

async fn refused_removal(house: &House, name: &str) {
    let refused = Snapshots::delete(&house.weft(), &call(), removal(name)).await.expect_err("it is needed");
    assert_eq!(refused.reason, Reason::InUse, "{refused}");
}

async fn count(house: &House, name: &str) -> String {
    house.ask(name, "count", "count ").await
}

async fn a_vm_returns_and_others_begin(vmm: Vmm) {
    let Some(house) = House::open(vmm, &[]).await else { return };
    let weft = house.weft();
    let mut draft = house.draft();
    draft.disks.push(Disk::new("data", DiskSource::Blank { size_bytes: 2 << 20 }));
    if vmm != Vmm::Qemu {
        draft.vsock = Some(Vsock { cid: 7, pci_segment: 0, iommu: false });
    }
    let one = house.ready("one", draft.check().expect("lawful")).await;
    let generation = house.ask("one", "gen", "gen ").await;
    assert_eq!((count(&house, "one").await, count(&house, "one").await), ("count 1".into(), "count 2".into()));
    let Some(kept) = keep(&house, "one", "kept").await else { return };
    assert_whole(&house, &kept);
    assert!(kept.content.driver.starts_with(vmm.driver()), "{}", kept.content.driver);
    assert!(kept.content.parts.iter().any(|part| part.role == Role::Disk("data".to_owned())), "{:?}", kept.content);
    assert_eq!(count(&house, "one").await, "count 3", "it goes on");

    let back = weft.restore(&call(), &by_name("one"), &named("kept")).await.expect("restored").value;
    assert_eq!((back.status.phase, back.meta.id), (Phase::Running, one.meta.id));
    assert_ne!(pid(&back), pid(&one));
    assert_eq!(count(&house, "one").await, "count 3", "what it did since is lost");
    refused_removal(&house, "kept").await;

    let two = weft.fork(&call(), fork("kept", "two")).await.expect("begun").value;
    assert_eq!(two.status.phase, Phase::Running, "{:#?}", two.status);
    assert_ne!((two.meta.id, pid(&two)), (one.meta.id, pid(&back)));
    let user = |vm: &weft_domain::Instance| vm.status.running.as_ref().and_then(|running| running.jail);
    assert!(user(&two).is_none() || user(&two) != user(&back), "each is a user of its own");
    assert_eq!(house.ask("two", "gen", "gen ").await, generation, "it has the memory of the first");
    assert_eq!((count(&house, "two").await, count(&house, "one").await), ("count 3".into(), "count 4".into()));
    let cid = |vm: &weft_domain::Instance| vm.spec.vsock.as_ref().map(|vsock| vsock.cid);
    assert!(cid(&two).is_none() || cid(&two) != cid(&one), "its vsock is its own");
    let disk = |vm: &weft_domain::Instance| {
        house.daemon.data_dir().join("vms").join(vm.meta.id.to_string()).join("disk-data.raw")
    };
    assert!(disk(&two).is_file() && disk(&back).is_file(), "each has a disk of its own");

    house.remove("one").await;
    let three = weft.fork(&call(), fork("kept", "three")).await.expect("begun from a VM that is gone").value;
    assert_eq!((three.status.phase, count(&house, "three").await), (Phase::Running, "count 3".into()));
    assert_eq!(count(&house, "two").await, "count 4");
    house.remove("two").await;
    house.remove("three").await;
    Snapshots::delete(&weft, &call(), removal("kept")).await.expect("nobody needs it");
    house.assert_leaves_nothing().await;
}

async fn disks_are_kept_of_a_vm_that_is_stopped(vmm: Vmm) {
    let Some(house) = House::open(vmm, &[]).await else { return };
    let weft = house.weft();
    let path = house.blank("data.raw", 2 << 20);
    let mut draft = house.draft();
    draft.disks.push(Disk::new("data", DiskSource::Path(path.clone())));
    let one = house.ready("one", draft.check().expect("lawful")).await;
    weft.shutdown(&call(), &by_name("one"), StopHow::Force).await.expect("ended");
    std::fs::write(&path, vec![7; 2 << 20]).expect("written");
    let kept = Snapshots::create(&weft, &call(), new("one", "disks", Scope::Disks)).await.expect("taken").value;
    assert_eq!(kept.phase, SnapshotPhase::Ready, "{}", kept.message);
    assert_whole(&house, &kept);
    assert!(kept.content.parts.iter().all(|part| matches!(part.role, Role::Disk(_))));
    std::fs::write(&path, vec![8; 2 << 20]).expect("written");
    let back = weft.restore(&call(), &by_name("one"), &named("disks")).await.expect("restored").value;
    assert_eq!((back.status.phase, back.meta.id), (Phase::Running, one.meta.id), "{:#?}", back.status);
    assert!(std::fs::read(&path).expect("there").iter().all(|byte| *byte == 7), "the disk is as it was");
    house.remove("one").await;
    Snapshots::delete(&weft, &call(), removal("disks")).await.expect("deleted");
    assert!(path.is_file(), "a caller's disk is never removed");
    house.assert_leaves_nothing().await;
}
