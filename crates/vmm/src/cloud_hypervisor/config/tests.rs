//! What is said for a machine, to be read, and held against the written API.

mod refusals;
mod written;

use super::*;
use std::path::PathBuf;
use std::sync::Arc;
use weft_domain::spec::{
    Balloon, Console, ConsoleMode, Device, DeviceKind, Disk, DiskSource, Draft, Nic, NumaNode, Offloads, Payload, Pin,
    Platform, QueuePin, RateLimit, RateLimitGroup, Rng, TokenBucket, Topology, VhostMode, Vsock, Zone,
};
use weft_domain::{ClaimId, IncarnationId, InstanceId, Time};
use weft_ports::hypervisor::{Backing, Origin};
use weft_ports::processes::Confinement;

/// The newest version that is known.
const NEW: Version = Version(54, 0);

pub(super) fn order(draft: Draft) -> Order {
    let at = Time::from_millis(1_700_000_000_000);
    let backing = |disk: &Disk| Backing { path: format!("/d/{}", disk.name).into(), format: disk.format };
    let boot = match &draft.payload {
        Payload::Firmware { firmware } => Boot::Firmware { firmware: firmware.clone() },
        Payload::Kernel { .. } | Payload::Image { .. } => Boot::Kernel {
            kernel: "/i/vmlinux".into(),
            initramfs: Some("/i/initramfs".into()),
            cmdline: "console=ttyS0".to_owned(),
        },
    };
    Order {
        claim: ClaimId::new(at, [1; 10]),
        instance: InstanceId::new(at, [2; 10]),
        name: "demo".parse().unwrap(),
        incarnation: IncarnationId::new(at, [3; 10]),
        disks: draft.disks.iter().map(backing).collect(),
        spec: Arc::new(draft.check().unwrap_or_else(|found| panic!("{found:?}"))),
        boot,
        run_dir: "/r".into(),
        console_log: "/l/console.log".into(),
        vmm_log: "/l/vmm.log".into(),
        confinement: Confinement::default(),
        ward: None,
        origin: Origin::Boot,
    }
}

fn said(draft: Draft, version: Version) -> String {
    let order = order(draft);
    let machine = machine(&Blueprint { order: &order, version, sockets: Path::new("/r/run") });
    serde_json::to_string_pretty(&machine).unwrap()
}

fn limit() -> RateLimit {
    let bucket = |size, one_time_burst| Some(TokenBucket { size, refill_ms: 1_000, one_time_burst });
    RateLimit { bandwidth: bucket(1 << 20, 0), ops: bucket(100, 10) }
}

fn device(name: &str, kind: DeviceKind) -> Device {
    Device { name: name.to_owned(), kind, pci_segment: 0, iommu: false }
}

fn sock(name: &str) -> PathBuf {
    format!("/s/{name}").into()
}

/// A machine that asks for all that there is.
pub(super) fn everything() -> Draft {
    let mut draft = Draft::default();
    draft.cpu.boot = 2;
    draft.cpu.max = 4;
    draft.cpu.topology = Some(Topology { threads_per_core: 2, cores_per_die: 2, dies_per_package: 1, packages: 1 });
    draft.cpu.features = [CpuFeature::KvmHyperv, CpuFeature::Amx, CpuFeature::Nested].into();
    draft.cpu.pinning = vec![Pin { vcpu: 0, host_cpus: [0, 1].into() }];
    draft.cpu.physical_bits = 40;
    draft.cpu.core_scheduling = CoreScheduling::Vcpu;
    memory_of_everything(&mut draft);
    disks_and_nics_of_everything(&mut draft);
    draft.rng = Some(Rng { source: "/dev/hwrng".into(), rate_limit: None, iommu: true });
    draft.vsock = Some(Vsock { cid: 7, pci_segment: 1, iommu: false });
    draft.console = Console { path: Some("/l/hvc0".into()), ..Console::new(ConsoleMode::File) };
    draft.rate_limit_groups = vec![RateLimitGroup { name: "slow".to_owned(), limit: limit() }];
    draft.devices = vec![
        device(
            "p",
            DeviceKind::Pmem {
                path: "/i/pmem".into(),
                size_bytes: 2 << 20,
                read_only: true,
                root: false,
                rate_limit: None,
            },
        ),
        device("f", DeviceKind::Share { tag: "home".to_owned(), socket: sock("fs"), queues: 0, queue_size: 0 }),
        device("v", DeviceKind::Vdpa { path: "/dev/vhost-vdpa-0".into(), queues: 2 }),
        device("g", DeviceKind::Passthrough { path: "/sys/bus/pci/devices/0000:01:00.0".into() }),
        device("u", DeviceKind::VfioUser { socket: sock("vfio-user") }),
        device("x", DeviceKind::VhostUser { socket: sock("vu"), device_type: 26, queue_sizes: vec![64, 64] }),
    ];
    draft.platform = Some(Platform {
        serial_number: Some("s-1".to_owned()),
        uuid: Some("0192f6c4-0000-7000-8000-000000000000".to_owned()),
        oem_strings: vec!["one".to_owned(), "two".to_owned()],
        manufacturer: Some("weft".to_owned()),
        product: Some("vm".to_owned()),
        version: Some("1".to_owned()),
        family: Some("f".to_owned()),
        sku: Some("k".to_owned()),
        asset_tag: Some("t".to_owned()),
        pci_segments: 2,
        iommu_segments: vec![],
        iommu_address_bits: 48,
    });
    draft.numa = vec![
        NumaNode {
            id: 0,
            cpus: [0, 1].into(),
            zones: vec!["near".to_owned()],
            distances: [(1, 20)].into(),
            pci_segments: vec![0],
        },
        NumaNode {
            id: 1,
            cpus: [2, 3].into(),
            zones: vec!["far".to_owned()],
            distances: [(0, 20)].into(),
            pci_segments: vec![1],
        },
    ];
    draft.watchdog = true;
    draft.tpm = Some(sock("tpm"));
    draft
}

fn memory_of_everything(draft: &mut Draft) {
    let zone = |name: &str, node| Zone {
        name: name.to_owned(),
        size_bytes: 256 << 20,
        hotplug_bytes: 128 << 20,
        host_numa_node: Some(node),
    };
    draft.memory.size_bytes = 512 << 20;
    draft.memory.zones = vec![zone("near", 0), zone("far", 1)];
    draft.memory.huge_page_bytes = Some(2 << 20);
    draft.memory.shared = true;
    draft.memory.prefault = true;
    draft.memory.thp = true;
    draft.memory.reserve = true;
    let balloon = Balloon::new(64 << 20);
    draft.memory.balloon = Some(Balloon { deflate_on_oom: true, free_page_reporting: true, ..balloon });
}

fn disks_and_nics_of_everything(draft: &mut Draft) {
    let mut root = Disk::new("root", DiskSource::Blank { size_bytes: 1 << 30 });
    root.root = true;
    root.direct = true;
    root.queues = 2;
    root.queue_size = 256;
    root.rate_limit = Some(limit());
    root.serial = Some("weft-root".to_owned());
    root.sparse = Some(false);
    root.queue_pinning = vec![QueuePin { queue: 1, host_cpus: [1].into() }];
    root.iommu = true;
    let mut layered = Disk::new("layered", DiskSource::Path("/i/layered.qcow2".into()));
    layered.format = weft_domain::spec::DiskFormat::Qcow2;
    layered.backing_files = true;
    layered.read_only = true;
    layered.rate_limit_group = Some("slow".to_owned());
    layered.pci_segment = 1;
    let remote = Disk::new("remote", DiskSource::VhostUser { socket: sock("blk") });
    draft.disks = vec![root, layered, remote];
    let mut served = Nic::new("served", Attachment::VhostUser { socket: sock("net") });
    served.vhost_mode = VhostMode::Server;
    served.mtu = 1_500;
    served.queues = 2;
    served.queue_size = 512;
    served.offloads = Some(Offloads { tso: true, ufo: false, csum: true });
    let mut tapped = Nic::new("tapped", Attachment::Tap("tap0".to_owned()));
    (tapped.rx_rate_limit, tapped.tx_rate_limit) = (Some(limit()), Some(limit()));
    draft.nics = vec![served, tapped];
}

#[test]
fn the_plainest_machine() {
    insta::assert_snapshot!(said(Draft::default(), NEW));
}

#[test]
fn a_machine_with_everything() {
    insta::assert_snapshot!(said(everything(), NEW));
    assert_eq!(refused(&everything(), NEW), [], "all of it can be had together");
}

#[test]
fn an_old_version_is_not_told_what_it_does_not_know() {
    let mut draft = everything();
    draft.memory.reserve = false;
    insta::assert_snapshot!(said(draft, gates::OLDEST));
}

#[test]
fn firmware_a_plain_hotplug_and_a_terminal() {
    let mut draft = Draft { payload: Payload::Firmware { firmware: "/i/fw".into() }, ..Draft::default() };
    draft.memory.hotplug_bytes = 1 << 30;
    draft.serial = Console { path: Some("/dev/tty7".into()), ..Console::new(ConsoleMode::Tty) };
    insta::assert_snapshot!(said(draft, NEW));
}

#[test]
fn an_interface_with_a_tap_has_two_queues_and_an_address_of_its_own() {
    let order = order(everything());
    let said = serde_json::to_string_pretty(&nic(&order.spec.nics[1], 1, &order)).unwrap();
    insta::assert_snapshot!(said);
}

#[test]
fn what_is_seen_is_what_is_named() {
    let order = order(everything());
    let seen: Vec<_> =
        files(&order).into_iter().map(|(path, access)| format!("{access:?} {}", path.display())).collect();
    insta::assert_snapshot!(seen.join("\n"));
}
