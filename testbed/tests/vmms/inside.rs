//! Snapshots inside a VM's own disks: QEMU returns to one and leaves no tag; the others say that they cannot.

use crate::for_each_vmm;
use crate::house::{House, Vmm, pid};
use crate::kept::{fork, named, new, removal};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use weft_domain::instance::StopHow;
use weft_domain::snapshot::{Role, Scope, SnapshotPhase};
use weft_domain::spec::{Disk, DiskFormat, DiskSource};
use weft_domain::{Fault, Phase, Reason};
use weft_ports::api::{Call, Power, Removal, Snapshots, Vms};
use weft_testbed::guest::call;
use weft_testbed::watch::by_name;

for_each_vmm!(a_vm_returns_to_what_is_inside_its_disks);

/// The tags inside an image, whoever has it open.
fn tags(image: &Path) -> usize {
    let listed = Command::new("qemu-img").args(["snapshot", "-U", "-l"]).arg(image).output().expect("it can be asked");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    String::from_utf8_lossy(&listed.stdout).matches("weft-snap-").count()
}

/// A house with an image of that format; `None` where there is none.
fn image(house: &House) -> Option<Disk> {
    let path = house.blank("root.qcow2", 0);
    let made = Command::new("qemu-img").args(["create", "-q", "-f", "qcow2"]).arg(&path).arg("16M").status();
    if !made.is_ok_and(|status| status.success()) {
        println!("skipped: no qemu-img makes an image here");
        return None;
    }
    Some(Disk { format: DiskFormat::Qcow2, ..Disk::new("root", DiskSource::Path(path)) })
}

async fn count(house: &House) -> String {
    house.ask("one", "count", "count ").await
}

async fn end(house: &House) -> Result<(), Fault> {
    let removal = Removal { vm: by_name("one"), etag: None, force: true, allow_missing: false };
    Vms::delete(&house.weft(), &call(), removal).await.map(|_| ())
}

async fn a_vm_returns_to_what_is_inside_its_disks(vmm: Vmm) {
    let Some(house) = House::open(vmm, &[]).await else { return };
    let weft = house.weft();
    if vmm != Vmm::Qemu {
        house.ready("one", house.spec()).await;
        let refused = Snapshots::create(&weft, &call(), new("one", "kept", Scope::Internal)).await;
        assert_eq!(refused.expect_err("it cannot").reason, Reason::VerbUnsupported);
        house.remove("one").await;
        return house.assert_leaves_nothing().await;
    }
    let Some(disk) = image(&house) else { return };
    let path = house.image("root.qcow2");
    let mut draft = house.draft();
    draft.disks.push(disk);
    let one = house.ready("one", draft.check().expect("lawful")).await;
    assert_eq!((count(&house).await, count(&house).await), ("count 1".into(), "count 2".into()));
    let kept = Snapshots::create(&weft, &call(), new("one", "kept", Scope::Internal)).await.expect("taken").value;
    assert_eq!((kept.phase, tags(&path)), (SnapshotPhase::Ready, 1), "{}", kept.message);
    let roles: Vec<_> = kept.content.parts.iter().map(|part| part.role.clone()).collect();
    assert_eq!(roles, [Role::Config], "no disk was copied");
    assert_eq!(count(&house).await, "count 3", "it goes on");

    let back = weft.restore(&call(), &by_name("one"), &named("kept")).await.expect("restored").value;
    assert_eq!((back.status.phase, back.meta.id), (Phase::Running, one.meta.id), "{:#?}", back.status);
    assert_ne!(pid(&back), pid(&one));
    assert_eq!(count(&house).await, "count 3", "what it did since is lost");
    assert_eq!(end(&house).await.expect_err("it would go with it").reason, Reason::InUse);
    let other = Snapshots::create(&weft, &call(), new("one", "files", Scope::Full)).await.expect_err("beside it");
    assert_eq!(other.reason, Reason::InUse);
    let other = weft.fork(&call(), fork("kept", "two")).await.expect_err("it is nowhere else");
    assert_eq!(other.reason, Reason::SnapshotUnusable);

    weft.shutdown(&call(), &by_name("one"), StopHow::Force).await.expect("ended");
    let soon = Call { timeout: Some(Duration::from_secs(1)), ..call() };
    let waits = Snapshots::delete(&weft, &soon, removal("kept")).await.expect("asked").expect("it is there").value;
    assert_eq!((waits.phase, tags(&path)), (SnapshotPhase::Deleting, 1), "nobody has the disk open");
    assert!(waits.message.contains("goes when that runs"), "{}", waits.message);
    weft.boot(&call(), &by_name("one")).await.expect("booted");
    Snapshots::delete(&weft, &call(), removal("kept")).await.map(|_| ()).unwrap_or_else(|fault| {
        assert_eq!(fault.reason, Reason::SnapshotNotFound, "{fault}");
    });
    assert_eq!((Snapshots::get(&weft, &call(), &named("kept")).await.is_err(), tags(&path)), (true, 0));
    house.remove("one").await;
    assert!(path.is_file(), "a caller's disk is never removed");
    house.assert_leaves_nothing().await;
}
