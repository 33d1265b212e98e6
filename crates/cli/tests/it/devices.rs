//! What is plugged into VMs and resized, and snapshots.

use crate::fake::World;
use crate::screen::{at, shown};
use weft_domain::Phase;
use weft_domain::spec::{Attachment, DeviceKind, Disk, DiskFormat, DiskSource, Nic};
use weft_ports::api::Alter;

fn world() -> World {
    let world = World::new();
    world.put("demo", Phase::Running);
    world.put("made", Phase::Created);
    world
}

#[tokio::test]
async fn flags_reach_the_alteration() {
    let world = world();
    for line in [
        "vm attach-disk demo --path a.qcow2 --format qcow2 --read-only --name data",
        "vm attach-disk demo --size 1G",
        "vm resize-disk demo data --size 2G",
        "vm attach-nic demo --tap tap0 --name lan",
        "vm attach-device demo --share fs.sock --tag home",
        "vm resize demo --cpus 4 --balloon 128M",
    ] {
        assert_eq!(at(&world, line).await.exit.code(), 0, "{line}");
    }
    let mut data = Disk::new("data", DiskSource::Path("/home/me/a.qcow2".into()));
    (data.format, data.read_only) = (DiskFormat::Qcow2, true);
    let alters = world.alters();
    assert_eq!(alters[0], Alter::AttachDisk(data));
    assert_eq!(alters[1], Alter::AttachDisk(Disk::new("", DiskSource::Blank { size_bytes: 1 << 30 })));
    assert_eq!(alters[2], Alter::ResizeDisk("data".into(), 2 << 30));
    assert_eq!(alters[3], Alter::AttachNic(Nic::new("lan", Attachment::Tap("tap0".into()))));
    let Alter::AttachDevice(device) = &alters[4] else { panic!("{alters:?}") };
    let socket = "/home/me/fs.sock".into();
    assert_eq!(device.kind, DeviceKind::Share { tag: "home".into(), socket, queues: 0, queue_size: 0 });
    let balloon_bytes = Some(128 << 20);
    assert_eq!(alters[5], Alter::Resize { cpus: Some(4), memory_bytes: None, balloon_bytes });
}

#[tokio::test]
async fn changes_are_told() {
    let world = world();
    let mut log = String::new();
    let mut told = async |line: &str| log += &format!("$ weft {line}\n{}\n", shown(&at(&world, line).await));
    told("vm attach-disk demo --size 1G").await;
    told("vm attach-disk demo --size 1G -o json").await;
    told("vm detach-disk demo nothing").await;
    told("vm counters demo").await;
    told("vm counters demo -o yaml").await;
    told("vm nmi demo").await;
    world.knobs(|knobs| knobs.restart_required = vec!["vm.spec.cpu".to_owned()]);
    told("vm resize demo --cpus 2").await;
    told("vm get demo").await;
    world.knobs(|knobs| knobs.refuses = Some("the guest does not let the device go".to_owned()));
    told("vm resize demo --memory 1G").await;
    insta::assert_snapshot!(log);
}

#[tokio::test]
async fn snapshots_are_told() {
    let world = world();
    let mut log = String::new();
    let mut told = async |line: &str| log += &format!("$ weft {line}\n{}\n", shown(&at(&world, line).await));
    for line in [
        "snapshot list",
        "snapshot create demo one --label why=upgrade",
        "snapshot create demo --scope difference --parent one",
        "snapshot create demo three --dry-run",
        "snapshot list",
        "snapshot list --vm made",
        "snapshot list -o wide",
        "snapshot list -o name",
        "snapshot get one",
        "snapshot get snap2 -o json",
        "snapshot restore demo one",
        "snapshot fork one copy",
        "snapshot delete one",
        "snapshot delete snap2 one",
        "snapshot delete one",
        "snapshot delete one --ignore-missing",
        "snapshot get Bad_Name",
    ] {
        told(line).await;
    }
    world.knobs(|knobs| knobs.refuses = Some("no space is left".to_owned()));
    told("snapshot create demo four").await;
    insta::assert_snapshot!(log);
}
