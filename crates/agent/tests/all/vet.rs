//! What a specification names is looked at by the node, when it is accepted and before it is used.

use crate::house::{GRACE, House};
use std::path::Path;
use weft_domain::lifecycle::Verb;
use weft_domain::spec::{Attachment, Console, ConsoleMode, Device, DeviceKind, Draft, Nic};
use weft_domain::{Phase, Reason};
use weft_ports::link::Reach;

fn device(kind: DeviceKind) -> Device {
    Device { name: "extra".into(), kind, pci_segment: 0, iommu: false }
}

fn file(path: &str) -> Console {
    Console { path: Some(path.into()), ..Console::new(ConsoleMode::File) }
}

/// A change of a draft, and the field that is refused then.
type Case = (fn(&mut Draft), Option<&'static str>);

const CASES: [Case; 12] = [
    (|draft| draft.serial = file("/roots/serial.log"), None),
    (|draft| draft.serial = file("/etc/cron.d/serial"), Some("vm.spec.serial.path")),
    (
        |draft| draft.console = Console { path: Some("/dev/sda".into()), ..Console::new(ConsoleMode::Tty) },
        Some("vm.spec.console.path"),
    ),
    (|draft| draft.tpm = Some("/roots/socket".into()), None),
    (|draft| draft.tpm = Some("/run/docker.sock".into()), Some("vm.spec.tpm_socket")),
    (|draft| draft.network_namespace = Some("/run/netns/blue".into()), None),
    (|draft| draft.network_namespace = Some("/proc/1/ns/net".into()), Some("vm.spec.network_namespace")),
    (
        |draft| {
            let socket = "/roots/socket".into();
            draft.nics.push(Nic::new("nic0", Attachment::VhostUser { socket }));
            draft.memory.shared = true;
        },
        None,
    ),
    (
        |draft| draft.devices.push(device(DeviceKind::Vdpa { path: "/dev/mem".into(), queues: 0 })),
        Some("vm.spec.devices[0].vdpa.path"),
    ),
    (|draft| draft.devices.push(device(DeviceKind::Vdpa { path: "/dev/vhost-vdpa-0".into(), queues: 0 })), None),
    (
        |draft| draft.devices.push(device(DeviceKind::VfioUser { socket: "/roots/absent".into() })),
        Some("vm.spec.devices[0].vfio_user.socket"),
    ),
    (
        |draft| {
            let (path, size_bytes) = ("/etc/shadow".into(), 2 << 20);
            let kind = DeviceKind::Pmem { path, size_bytes, read_only: false, root: false, rate_limit: None };
            draft.devices.push(device(kind));
        },
        Some("vm.spec.devices[0].pmem.path"),
    ),
];

#[tokio::test(start_paused = true)]
async fn every_path_is_looked_at() {
    let house = House::new();
    house.disk.fake.put_socket(Path::new("/roots/socket"));
    for (number, (change, field)) in CASES.into_iter().enumerate() {
        let mut draft = Draft::default();
        change(&mut draft);
        let spec = draft.check().unwrap_or_else(|why| panic!("case {number} is right but for its host: {why:?}"));
        let refused = house.agent.vet(&spec).await.err().map(|fault| fault.violations[0].field.clone());
        assert_eq!(refused.as_deref(), field, "case {number}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_right_is_looked_at_again_before_it_is_used() {
    let house = House::up();
    let socket = Path::new("/roots/socket");
    house.disk.fake.put_socket(socket);
    let id = house.create("a", |draft| draft.tpm = Some(socket.to_owned()));
    house.until(id, Phase::Created).await;
    house.disk.fake.put(socket, b"a file by now");
    house.ask(id, Verb::Boot, GRACE).await;
    let vm = house.until(id, Phase::Failed).await;
    assert!(vm.exits[0].message.contains("not a socket") || vm.exits[0].message.contains("tpm"), "{:?}", vm.exits[0]);
    assert!(house.vmm.launches().is_empty());
    let paths = Reason::PathUnusable;
    let refused = house.agent.vet(&house.vm(id).placed.spec).await.expect_err("it is no socket").reason;
    assert_eq!(refused, paths);
}
