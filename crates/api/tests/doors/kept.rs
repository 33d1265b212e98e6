//! Devices and snapshots: what the client door says, the server door hears.

use crate::far::{both, by_name, call, new};
use crate::house::snapshot;
use weft_domain::snapshot::Scope;
use weft_domain::spec::{Attachment, Device, DeviceKind, Disk, DiskSource, Nic, Vsock};
use weft_domain::{Labels, Name, Reason};
use weft_ports::api::{
    Alter, Call, Devices, Fork, ListQuery, NewSnapshot, SnapshotRef, SnapshotRemoval, Snapshots, Vms,
};

#[tokio::test]
async fn alterations_arrive_as_they_were_said() {
    let (served, client) = both().await;
    Vms::create(&client, &call(), new("web")).await.unwrap();
    let kind = DeviceKind::VhostUser { socket: "/run/a".into(), device_type: 26, queue_sizes: vec![64] };
    let alters = [
        Alter::AttachDisk(Disk::new("", DiskSource::Path("/a".into()))),
        Alter::DetachDisk("a".into()),
        Alter::ResizeDisk("a".into(), 1 << 30),
        Alter::AttachNic(Nic::new("lan", Attachment::Tap("tap0".into()))),
        Alter::DetachNic("lan".into()),
        Alter::AttachDevice(Device { name: String::new(), kind, pci_segment: 3, iommu: true }),
        Alter::DetachDevice("b".into()),
        Alter::AttachVsock(Vsock { cid: 9, pci_segment: 1, iommu: true }),
        Alter::DetachVsock,
        Alter::Resize { cpus: Some(3), memory_bytes: None, balloon_bytes: Some(0) },
    ];
    for alter in &alters {
        client.alter(&call(), &by_name("web"), alter.clone()).await.unwrap();
    }
    assert_eq!(served.house.seen(|s| s.alters.clone()), alters);
    assert_eq!(client.counters(&call(), &by_name("web")).await.unwrap()["disk0"]["reads"], u64::MAX);
    let once = Call { request_id: Some("once".into()), ..call() };
    client.nmi(&once, &by_name("web")).await.unwrap();
    assert_eq!(served.house.seen(|s| s.call.clone().unwrap().request_id).as_deref(), Some("once"));
    let nothing = Alter::Resize { cpus: None, memory_bytes: None, balloon_bytes: None };
    let fault = client.alter(&call(), &by_name("web"), nothing).await.unwrap_err();
    assert_eq!((fault.reason, fault.violations[0].field.as_str()), (Reason::FieldRequired, "cpus"));
}

#[tokio::test]
async fn snapshots_go_there_and_back() {
    let (served, client) = both().await;
    Vms::create(&client, &call(), new("web")).await.unwrap();
    let named = |name: &str| SnapshotRef::Named { project: Name::default_project(), name: name.parse().unwrap() };
    let asked = NewSnapshot {
        vm: by_name("web"),
        name: "one".parse().ok(),
        labels: Labels::new([("a".to_owned(), "b".to_owned())].into()).unwrap(),
        annotations: weft_domain::label::Annotations::default(),
        scope: Scope::Difference,
        parent: Some(named("zero")),
        validate_only: true,
    };
    assert_eq!(Snapshots::create(&client, &call(), asked.clone()).await, Ok(snapshot()));
    assert_eq!(served.house.seen(|s| s.new_snapshot.clone()), Some(asked));
    assert_eq!(Snapshots::get(&client, &call(), &named("one")).await, Ok(snapshot()));
    let page =
        Snapshots::list(&client, &call(), &ListQuery { filter: "f".into(), ..ListQuery::default() }).await.unwrap();
    assert_eq!((page.items, page.next_page_token.as_str()), (vec![snapshot()], "f"));
    let removal = |name: &str| SnapshotRemoval { snapshot: named(name), etag: None, allow_missing: true };
    assert_eq!(Snapshots::delete(&client, &call(), removal("one")).await, Ok(Some(snapshot())));
    assert_eq!(Snapshots::delete(&client, &call(), removal("none")).await, Ok(None));
    let id = SnapshotRef::Id(snapshot().value.id);
    client.restore(&call(), &by_name("web"), &id).await.unwrap();
    assert_eq!(served.house.seen(|s| s.snapshot.clone()), Some(id));
    let fork = Fork {
        snapshot: named("one"),
        name: "copy".parse().ok(),
        labels: Labels::default(),
        metadata: Some(r#"{"a":1}"#.into()),
    };
    client.fork(&call(), fork.clone()).await.unwrap();
    assert_eq!(served.house.seen(|s| s.fork.clone()), Some(fork));
    let fault = client.restore(&call(), &by_name("web"), &named("none")).await.unwrap_err();
    assert_eq!((fault.reason, fault.fix.as_str()), (Reason::SnapshotNotFound, "list the snapshots"));
}
