//! Command lines as they are read, what is chosen, and that no text breaks out of its place.

use super::choice;
use super::*;
use proptest::prelude::{prop_assert_eq, proptest};
use std::path::PathBuf;
use std::sync::Arc;
use weft_domain::spec::*;
use weft_domain::{ClaimId, IncarnationId, InstanceId, Time};
use weft_ports::hypervisor::{Backing, Origin};
use weft_ports::processes::Confinement;

const TSC: Option<u64> = Some(2_596_098);

fn order(draft: Draft) -> Order {
    let (at, random) = (Time::from_millis(1_700_000_000_000), [7; 10]);
    let backing = |disk: &Disk| {
        let DiskSource::Path(path) = &disk.source else { panic!("{:?} is not ordered here", disk.source) };
        Backing { path: path.clone(), format: disk.format }
    };
    Order {
        claim: ClaimId::new(at, random),
        instance: InstanceId::new(at, random),
        name: "demo".parse().unwrap(),
        incarnation: IncarnationId::new(at, random),
        disks: draft.disks.iter().map(backing).collect(),
        spec: Arc::new(draft.check().unwrap()),
        boot: Boot::Kernel {
            kernel: "/images/vmlinux".into(),
            initramfs: Some("/images/initramfs".into()),
            cmdline: "console=ttyS0 quiet".into(),
        },
        run_dir: "/run/weft/i1".into(),
        console_log: "/state/i1/console.log".into(),
        vmm_log: "/state/i1/vmm.log".into(),
        confinement: Confinement::default(),
        ward: None,
        origin: Origin::Boot,
    }
}

fn line_of(order: &Order, medium: Medium) -> Result<Vec<String>, Error> {
    let accelerator = choice::accelerator(&order.spec, Accelerator::Tcg);
    let machine = choice::machine(&order.spec, accelerator, TSC);
    let chosen = Chosen { driver: "qemu 7.2.22".into(), machine, accelerator };
    let media = vec![medium; order.disks.len()];
    let pmem = |device: &&Device| matches!(device.kind, DeviceKind::Pmem { .. });
    let pmem_bytes = vec![1 << 30; order.spec.devices.iter().filter(pmem).count()];
    let taps = vec![vec![16], vec![17, 18]];
    let (layout, begin) = (Layout::of(&order.spec), Begin::of(&order.spec));
    let blueprint = Blueprint {
        order,
        chosen: &chosen,
        tsc_khz: TSC,
        sandbox: Sandbox::On,
        media: &media,
        pmem_bytes: &pmem_bytes,
        taps: &taps,
        layout: &layout,
        begin,
    };
    Ok(arguments(&blueprint)?.into_iter().map(|word| word.into_string().unwrap()).collect())
}

/// One option and its value to a line, as a person would write it.
fn shown(order: &Order) -> String {
    let words = line_of(order, Medium::File).unwrap();
    let mut text = String::new();
    for word in words {
        text.push_str(if text.is_empty() {
            ""
        } else if word.starts_with('-') {
            "\n"
        } else {
            " "
        });
        text.push_str(&word);
    }
    text
}

fn disk(name: &str, path: &str) -> Disk {
    Disk::new(name, DiskSource::Path(path.into()))
}

fn nic(name: &str, forwards: Vec<Forward>) -> Nic {
    Nic::new(name, Attachment::User { forwards })
}

#[test]
fn the_plainest_machine() {
    insta::assert_snapshot!(shown(&order(Draft::default())));
}

#[test]
fn a_machine_with_everything() {
    let forward = |transport, host_port, guest_port| Forward { transport, host_port, guest_port };
    let draft = Draft {
        machine: Machine::Q35,
        accelerator: Accelerator::Kvm,
        cpu: Cpu {
            boot: 8,
            max: 8,
            topology: Some(Topology { threads_per_core: 1, cores_per_die: 2, dies_per_package: 2, packages: 2 }),
            ..Cpu::default()
        },
        memory: Memory { size_bytes: 1 << 30, shared: true, mergeable: true, prefault: true, ..Memory::default() },
        disks: vec![
            Disk { root: true, direct: true, serial: Some("root-1".into()), ..disk("root", "/disks/root.raw") },
            Disk { format: DiskFormat::Qcow2, read_only: true, ..disk("more", "/disks/more.qcow2") },
        ],
        nics: vec![
            Nic {
                mac: Some("52:54:00:12:34:56".parse().unwrap()),
                ..nic("nic0", vec![forward(Transport::Tcp, 2222, 22), forward(Transport::Udp, 5353, 53)])
            },
            nic("nic1", vec![]),
        ],
        rng: Some(Rng { source: "/dev/urandom".into(), rate_limit: None, iommu: false }),
        ..Draft::default()
    };
    let order = order(draft);
    insta::assert_snapshot!(shown(&order));
    let addresses: Vec<_> = addresses(&order.spec).iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["10.0.2.15", "10.0.3.15"]);
}

#[test]
fn a_machine_of_rarer_parts() {
    let zone = |name: &str| Zone { name: name.into(), size_bytes: 1 << 28, hotplug_bytes: 0, host_numa_node: Some(0) };
    let node = |id: u32, zone: &str| NumaNode {
        id,
        cpus: [id].into(),
        zones: vec![zone.into()],
        distances: [(1 - id, 20)].into(),
        pci_segments: Vec::new(),
    };
    let bucket = |size| Some(TokenBucket { size, refill_ms: 1_000, one_time_burst: 0 });
    let limit = RateLimit { bandwidth: bucket(1 << 20), ops: bucket(100) };
    let device = |name: &str, kind| Device { name: name.into(), kind, pci_segment: 0, iommu: false };
    let draft = Draft {
        machine: Machine::Q35,
        cpu: Cpu { boot: 2, max: 2, ..Cpu::default() },
        memory: Memory {
            size_bytes: 1 << 29,
            hotplug_bytes: 1 << 30,
            hotplug_method: HotplugMethod::VirtioMem,
            shared: true,
            huge_page_bytes: Some(2 << 20),
            balloon: Some(Balloon { deflate_on_oom: true, statistics_seconds: 5, ..Balloon::new(1 << 20) }),
            zones: vec![zone("a"), zone("b")],
            ..Memory::default()
        },
        disks: vec![Disk {
            queues: 2,
            queue_size: 128,
            iommu: true,
            rate_limit: Some(limit),
            sparse: Some(false),
            cache: DiskCache::Unsafe,
            ..disk("root", "/disks/root.raw")
        }],
        nics: vec![
            Nic::new("lan", Attachment::Macvtap("macvtap0".into())),
            Nic { mtu: 9_000, queues: 2, ..Nic::new("wan", Attachment::Tap("tap0".into())) },
            Nic::new("fast", Attachment::VhostUser { socket: "/run/fast.sock".into() }),
        ],
        serial: Console { path: Some("/logs/serial".into()), ..Console::new(ConsoleMode::File) },
        console: Console::new(ConsoleMode::Socket),
        rng: Some(Rng {
            source: "/dev/urandom".into(),
            rate_limit: Some(RateLimit { bandwidth: bucket(1_024), ops: None }),
            iommu: false,
        }),
        devices: vec![
            device(
                "data",
                DeviceKind::Pmem { path: "/d".into(), size_bytes: 0, read_only: true, root: false, rate_limit: None },
            ),
            device(
                "home",
                DeviceKind::Share { tag: "home".into(), socket: "/run/fs".into(), queues: 1, queue_size: 0 },
            ),
        ],
        platform: Some(Platform {
            serial_number: Some("1-2".into()),
            uuid: Some("11111111-2222-3333-4444-555555555555".into()),
            oem_strings: vec!["a=b".into()],
            ..Platform::default()
        }),
        numa: vec![node(0, "a"), node(1, "b")],
        watchdog: true,
        tpm: Some("/run/tpm.sock".into()),
        readiness: Some(Readiness { probe: ReadinessProbe::GuestAgent, timeout: std::time::Duration::from_secs(60) }),
        ..Draft::default()
    };
    insta::assert_snapshot!(shown(&order(draft)));
}

#[test]
fn firmware_on_a_pc_without_a_serial_port() {
    let mut order = order(Draft {
        payload: Payload::Firmware { firmware: "/firmware/ovmf.fd".into() },
        serial: Console::new(ConsoleMode::Off),
        disks: vec![disk("disk0", "/dev/loop7")],
        ..Draft::default()
    });
    order.boot = Boot::Firmware { firmware: "/firmware/ovmf.fd".into() };
    insta::assert_snapshot!(shown(&order));
    let block = line_of(&order, Medium::Device).unwrap();
    assert!(block.iter().any(|word| word.contains("\"driver\":\"host_device\"")), "{block:?}");
}

#[test]
fn the_machine_is_chosen_by_what_it_must_hold() {
    let with = |change: fn(&mut Draft)| {
        let mut draft = Draft::default();
        change(&mut draft);
        choice::machine(&draft, Accelerator::Tcg, TSC)
    };
    assert_eq!(with(|_| ()), Machine::Microvm);
    assert_eq!(with(|d| d.machine = Machine::Pc), Machine::Pc);
    assert_eq!(with(|d| d.payload = Payload::Firmware { firmware: "/f".into() }), Machine::Q35);
    assert_eq!(with(|d| d.disks = (0..32).map(|i| disk(&format!("d{i}"), "/d")).collect()), Machine::Q35);
    let dies = Topology { threads_per_core: 1, cores_per_die: 1, dies_per_package: 2, packages: 1 };
    let draft = Draft { cpu: Cpu { boot: 2, max: 2, topology: Some(dies), ..Cpu::default() }, ..Draft::default() };
    assert_eq!(choice::machine(&draft, Accelerator::Tcg, TSC), Machine::Q35);
    let plain = Draft::default();
    assert_eq!(choice::machine(&plain, Accelerator::Tcg, None), Machine::Q35, "nothing tells it how fast its clock is");
    assert_eq!(choice::machine(&plain, Accelerator::Kvm, None), Machine::Microvm);
    assert_eq!(choice::accelerator(&draft, Accelerator::Kvm), Accelerator::Kvm);
}

#[test]
fn what_cannot_be_had_together_is_refused_by_field() {
    let dies = Topology { threads_per_core: 1, cores_per_die: 1, dies_per_package: 300, packages: 1 };
    let draft = Draft {
        machine: Machine::Microvm,
        cpu: Cpu { boot: 300, max: 300, topology: Some(dies), ..Cpu::default() },
        disks: (0..25).map(|i| disk(&format!("d{i}"), "/d")).collect(),
        nics: vec![Nic::new("nic0", Attachment::Network("lan".into()))],
        ..Draft::default()
    };
    let fields: Vec<_> = choice::refused(&draft, Machine::Microvm).into_iter().map(|found| found.field).collect();
    let wanted =
        ["vm.spec.cpu.max", "vm.spec.cpu.topology.dies_per_package", "vm.spec.disks", "vm.spec.nics[0].network"];
    assert_eq!(fields, wanted);
    assert_eq!(choice::refused(&Draft::default(), Machine::Microvm), []);
}

#[test]
fn every_pci_device_has_a_place_of_its_own() {
    let draft = Draft {
        disks: (0..32).map(|i| disk(&format!("d{i}"), "/d")).collect(),
        nics: (0..16).map(|i| nic(&format!("n{i}"), vec![])).collect(),
        ..Draft::default()
    };
    let words = line_of(&order(draft), Medium::File).unwrap();
    let devices = words.iter().filter_map(|word| serde_json::from_str::<serde_json::Value>(word).ok());
    let places = devices.filter_map(|device| {
        Some((device.get("bus").cloned().map(|bus| bus.to_string()), device.get("addr")?.as_str()?.to_owned()))
    });
    let places: Vec<_> = places.collect();
    let unique: std::collections::BTreeSet<_> = places.iter().collect();
    // With the bridges.
    assert_eq!((places.len(), unique.len()), (51, 51));
}

#[test]
fn what_a_kernel_cannot_find_out_is_told_once_and_only_where_it_is_needed() {
    let append = |cmdline: &str, machine: Machine| {
        let mut order = order(Draft { machine, ..Draft::default() });
        order.boot = Boot::Kernel { kernel: "/k".into(), initramfs: None, cmdline: cmdline.into() };
        let words = line_of(&order, Medium::File).unwrap();
        words.iter().skip_while(|word| *word != "-append").nth(1).unwrap().clone()
    };
    assert_eq!(append("quiet", Machine::Microvm), "quiet tsc_early_khz=2596098 pci=off");
    assert_eq!(append("tsc_early_khz=1 quiet", Machine::Microvm), "tsc_early_khz=1 quiet pci=off");
    assert_eq!(append("tsc_early_khz=1 pci=on", Machine::Microvm), "tsc_early_khz=1 pci=on");
    assert_eq!(append("quiet", Machine::Pc), "quiet");
}

#[test]
fn an_initramfs_is_one_file() {
    for path in ["/srv/a,/etc/shadow", "/srv/link words"] {
        let mut order = order(Draft::default());
        order.boot = Boot::Kernel { kernel: "/k".into(), initramfs: Some(path.into()), cmdline: String::new() };
        assert!(matches!(line_of(&order, Medium::File), Err(Error::Unserved(_))), "{path}");
    }
}

proptest! {
    /// The door refuses commas and control characters in paths; here they would do no harm.
    #[test]
    fn no_path_breaks_out_of_its_option(name in "[ -~]{1,40}") {
        let mut order = order(Draft { disks: vec![disk("disk0", "/d")], ..Draft::default() });
        order.boot = Boot::Kernel { kernel: "/k".into(), initramfs: None, cmdline: String::new() };
        let plain = line_of(&order, Medium::File).unwrap();
        let path = PathBuf::from(format!("/{name}"));
        order.console_log.clone_from(&path);
        order.disks[0].path.clone_from(&path);
        order.boot = Boot::Kernel { kernel: path.clone(), initramfs: None, cmdline: name.clone() };
        let words = line_of(&order, Medium::File).unwrap();
        prop_assert_eq!(words.len(), plain.len());
        let block = words.iter().find(|word| word.contains("node-name")).unwrap();
        let block: serde_json::Value = serde_json::from_str(block).unwrap();
        prop_assert_eq!(block["file"]["filename"].as_str(), path.to_str());
        let socket = words.iter().find(|word| word.contains("logfile=")).unwrap();
        let options = socket.replace(",,", "\0");
        prop_assert_eq!(options.split(',').count(), "socket,id,fd,server,wait,logfile,logappend".split(',').count());
    }
}
