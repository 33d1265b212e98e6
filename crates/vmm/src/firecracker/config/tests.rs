//! Plans as they are read, and that every plan keeps the rules and the written API.

use super::*;
use crate::firecracker::rules::judge;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use weft_domain::snapshot::{Content, Identity, Part, Role};
use weft_domain::spec::*;
use weft_domain::{ClaimId, IncarnationId, InstanceId, Time};
use weft_ports::hypervisor::{Backing, Restore};
use weft_ports::processes::Confinement;

mod written;

fn order(draft: Draft) -> Order {
    let (at, random) = (Time::from_millis(1_700_000_000_000), [7; 10]);
    let backing = |disk: &Disk| match &disk.source {
        DiskSource::Path(path) => Backing { path: path.clone(), format: disk.format },
        DiskSource::VhostUser { socket } => Backing { path: socket.clone(), format: disk.format },
        DiskSource::Blank { .. } | DiskSource::Volume(_) | DiskSource::Image(_) => {
            Backing { path: format!("/state/{}.raw", disk.name).into(), format: disk.format }
        }
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

fn version(text: &str) -> Version {
    Version::read(&format!("Firecracker v{text}")).unwrap()
}

fn planned(order: &Order, text: &str) -> Vec<Call> {
    let version = version(text);
    let machine = choice::machine(&order.spec, &version);
    plan(&Blueprint { order, machine, version: &version }).unwrap()
}

/// The command line and the calls, as a person would write them.
fn shown(order: &Order, text: &str) -> String {
    let version = version(text);
    let machine = choice::machine(&order.spec, &version);
    let words: Vec<_> = arguments(&Blueprint { order, machine, version: &version })
        .into_iter()
        .map(|word| word.into_string().unwrap())
        .collect();
    let calls = planned(order, text).into_iter().map(|call| {
        let body = call.body.map(|body| body.to_string()).unwrap_or_default();
        format!("{} {} {body}", call.method, call.path)
    });
    let links = links(order).into_iter().map(|(name, path, access)| format!("{name} -> {} {access:?}", path.display()));
    [words.join(" ")].into_iter().chain(links).chain(calls).collect::<Vec<_>>().join("\n")
}

fn bucket(size: u64) -> TokenBucket {
    TokenBucket { size, refill_ms: 100, one_time_burst: 0 }
}

fn tap(name: &str, tap: &str) -> Nic {
    Nic::new(name, Attachment::Tap(tap.into()))
}

fn everything() -> Draft {
    let limit = Some(RateLimit { bandwidth: Some(bucket(1 << 20)), ops: Some(bucket(1_000)) });
    let mut root = Disk::new("root-fs", DiskSource::Path("/disks/root.raw".into()));
    (root.root, root.rate_limit, root.io_engine) = (true, limit, IoEngine::Async);
    root.partuuid = Some("0eaa91a0-01".into());
    let mut more = Disk::new("more", DiskSource::Blank { size_bytes: 1 << 30 });
    (more.read_only, more.cache, more.io_engine) = (true, DiskCache::Unsafe, IoEngine::Sync);
    let back_end = Disk::new("far", DiskSource::VhostUser { socket: "/run/blk.sock".into() });
    let mut nic = tap("nic0", "tap7");
    (nic.mtu, nic.rx_rate_limit, nic.mac) = (1400, limit, Some("52:54:00:12:34:56".parse().unwrap()));
    let pmem = DeviceKind::Pmem {
        path: "/disks/pmem.raw".into(),
        size_bytes: 0,
        read_only: true,
        root: false,
        rate_limit: limit,
    };
    let mut balloon = Balloon::new(64 << 20);
    (balloon.deflate_on_oom, balloon.statistics_seconds) = (true, 5);
    (balloon.free_page_hinting, balloon.free_page_reporting) = (true, true);
    let mut serial = Console::new(ConsoleMode::Socket);
    serial.rate_limit = Some(TokenBucket { one_time_burst: 4096, ..bucket(1024) });
    Draft {
        cpu: Cpu {
            boot: 4,
            max: 4,
            topology: Some(Topology { threads_per_core: 2, cores_per_die: 2, dies_per_package: 1, packages: 1 }),
            custom_template: Some("{\"kvm_capabilities\": [\"!171\"]}".into()),
            ..Cpu::default()
        },
        memory: Memory {
            size_bytes: 1 << 30,
            hotplug_bytes: 1 << 30,
            shared: true,
            balloon: Some(balloon),
            ..Memory::default()
        },
        disks: vec![root, more, back_end],
        nics: vec![nic, tap("nic1", "tap8")],
        serial,
        rng: Some(Rng { source: "/dev/urandom".into(), rate_limit: limit, iommu: false }),
        vsock: Some(Vsock { cid: 33, pci_segment: 0, iommu: false }),
        metadata: Some(Metadata {
            json: "{\"latest\": {\"meta-data\": {\"ami-id\": \"a\"}}}".into(),
            nics: vec!["nic0".into()],
            version: MetadataVersion::V2,
            address: Some("169.254.170.2".parse().unwrap()),
            imds_compatible: true,
        }),
        devices: vec![Device { name: "p-0".into(), kind: pmem, pci_segment: 0, iommu: false }],
        ..Draft::default()
    }
}

fn restored(draft: Draft, old: Draft) -> Order {
    let part = |role: Role, file: &str| Part { role, file: file.into(), bytes: 1, sha256: [0; 32] };
    let parts = vec![part(Role::Memory, "memory"), part(Role::State, "state")];
    let content = Content { driver: "firecracker 1.17.0-dev".into(), taken: None, parts };
    let spec = Arc::new(old.check().unwrap());
    let restore = Restore { folder: "/state/s1".into(), content, spec, identity: Identity::New };
    Order { origin: Origin::Snapshot(restore), ..order(draft) }
}

#[test]
fn the_plainest_machine() {
    insta::assert_snapshot!(shown(&order(Draft::default()), "1.17.0-dev"));
}

#[test]
fn a_machine_with_everything() {
    insta::assert_snapshot!(shown(&order(everything()), "1.17.0-dev"));
}

#[test]
fn a_machine_of_an_old_version() {
    let mut draft = everything();
    draft.devices.clear();
    draft.memory.hotplug_bytes = 0;
    draft.serial.rate_limit = None;
    draft.nics[0].mtu = 0;
    let balloon = draft.memory.balloon.as_mut().unwrap();
    (balloon.free_page_hinting, balloon.free_page_reporting) = (false, false);
    draft.metadata.as_mut().unwrap().imds_compatible = false;
    insta::assert_snapshot!(shown(&order(draft), "1.9.1"));
}

#[test]
fn a_machine_that_goes_on_from_a_snapshot() {
    let mut draft = everything();
    draft.nics[0].attachment = Attachment::Tap("tap70".into());
    insta::assert_snapshot!(shown(&restored(draft, everything()), "1.17.0-dev"));
    let mut old = everything();
    (old.metadata, old.serial.rate_limit) = (None, None);
    old.devices.clear();
    insta::assert_snapshot!(shown(&restored(old.clone(), old), "1.12.0"));
}

#[test]
fn the_machine_is_chosen_by_version_and_kernel() {
    let mut draft = Draft::default();
    assert_eq!(choice::machine(&draft, &version("1.16.0")), Machine::Pc);
    assert_eq!(choice::machine(&draft, &version("1.15.0")), Machine::Microvm);
    draft.payload = Payload::Image { name: "default".into(), cmdline: "quiet pci=off".into() };
    assert_eq!(choice::machine(&draft, &version("1.16.0")), Machine::Microvm);
    draft.machine = Machine::Pc;
    assert_eq!(choice::machine(&draft, &version("1.16.0")), Machine::Pc);
    let refused = choice::refused(&draft, Machine::Pc, &version("1.12.0"));
    let fields: BTreeSet<_> = refused.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, BTreeSet::from(["vm.spec.machine", "vm.spec.payload.cmdline"]));
}

#[test]
fn words_that_a_kernel_needs_are_said_once() {
    let with = |cmdline: &str, text: &str, mode: ConsoleMode| {
        let mut order = order(Draft { serial: Console::new(mode), machine: Machine::Microvm, ..Draft::default() });
        order.boot = Boot::Kernel { kernel: "/k".into(), initramfs: None, cmdline: cmdline.into() };
        let calls = planned(&order, text);
        let source = calls.iter().find(|call| call.path == "/boot-source").unwrap();
        source.body.as_ref().unwrap()["boot_args"].as_str().unwrap().to_owned()
    };
    assert_eq!(with("", "1.17.0", ConsoleMode::Socket), "console=ttyS0 reboot=k panic=1");
    assert_eq!(with("quiet", "1.12.0", ConsoleMode::Off), "quiet reboot=k panic=1 pci=off");
    let own = "console=hvc0 reboot=t panic=-1 pci=off";
    assert_eq!(with(own, "1.12.0", ConsoleMode::Socket), own);
}

/// An edit, the version that is asked, and the field that it refuses.
type Case = (fn(&mut Draft), &'static str, &'static str);

#[test]
fn what_cannot_be_had_is_named() {
    let cases: [Case; 12] = [
        (|d| (d.cpu.boot, d.cpu.max) = (33, 33), "1.17.0", "vm.spec.cpu.boot"),
        (|d| d.cpu.template = Some("T9".into()), "1.17.0", "vm.spec.cpu.template"),
        (|d| d.cpu.custom_template = Some("[]".into()), "1.17.0", "vm.spec.cpu.custom_template"),
        (|d| d.memory.huge_page_bytes = Some(1 << 30), "1.17.0", "vm.spec.memory.huge_page_bytes"),
        (|d| d.memory.hotplug_bytes = 64 << 20, "1.17.0", "vm.spec.memory.hotplug_bytes"),
        (|d| d.memory.balloon = Some(Balloon::new(1 << 40)), "1.17.0", "vm.spec.memory.balloon.size_bytes"),
        (
            |d| d.rng = Some(Rng { source: "/dev/hwrng".into(), rate_limit: None, iommu: false }),
            "1.17.0",
            "vm.spec.rng.source",
        ),
        (
            |d| {
                (d.memory.thp, d.memory.size_bytes) = (true, 255 << 20);
            },
            "1.17.0",
            "vm.spec.memory.size_bytes",
        ),
        (|d| d.disks = everything().disks, "1.17.0", "vm.spec.memory.shared"),
        (|d| d.devices = everything().devices, "1.15.0", "vm.spec.devices[0].pmem.rate_limit"),
        (
            |d| {
                (d.metadata, d.nics) = (everything().metadata, everything().nics);
            },
            "1.12.0",
            "vm.spec.metadata.imds_compatible",
        ),
        (
            |d| {
                let shape = Topology { threads_per_core: 4, cores_per_die: 1, dies_per_package: 1, packages: 1 };
                d.cpu.topology = Some(shape);
            },
            "1.17.0",
            "vm.spec.cpu.topology",
        ),
    ];
    for (edit, text, field) in cases {
        let mut draft = Draft::default();
        edit(&mut draft);
        let refused = choice::refused(&draft, Machine::Microvm, &version(text));
        assert!(refused.iter().any(|violation| violation.field == field), "{field}: {refused:?}");
    }
    let everything = everything();
    assert_eq!(choice::refused(&everything, Machine::Pc, &version("1.17.0")), Vec::new());
}

fn limits() -> impl Strategy<Value = Option<RateLimit>> {
    let bucket = (1..u64::MAX, 1..u64::MAX, any::<u64>());
    let bucket = bucket.prop_map(|(size, refill_ms, one_time_burst)| TokenBucket { size, refill_ms, one_time_burst });
    let bucket = proptest::option::of(bucket);
    let limit = (bucket.clone(), bucket).prop_map(|(bandwidth, ops)| RateLimit { bandwidth, ops });
    proptest::option::of(limit).prop_map(|limit| limit.filter(|limit| limit.bandwidth.or(limit.ops).is_some()))
}

/// Drafts of what the driver serves, in every combination.
fn drafts() -> impl Strategy<Value = Draft> {
    let disks = proptest::collection::vec((any::<[bool; 4]>(), limits(), 0..3u8, 0..3u8), 0..4);
    let nics = proptest::collection::vec((0..65_000u32, limits(), limits()), 0..4);
    let flags = any::<[bool; 12]>();
    (disks, nics, flags, limits(), 1..=32u32, 7..64u64).prop_map(|(disks, nics, flags, limit, cpus, mib)| {
        let [rng, vsock, metadata, balloon, hotplug, pmem, serial, huge, template, v1, smt, compat] = flags;
        let mut draft = everything();
        let cpus = if smt { cpus + cpus % 2 } else { cpus };
        (draft.cpu.boot, draft.cpu.max) = (cpus, cpus);
        draft.cpu.topology =
            smt.then_some(Topology { threads_per_core: 2, cores_per_die: cpus / 2, dies_per_package: 1, packages: 1 });
        if template {
            (draft.cpu.template, draft.cpu.custom_template) = (Some("T2".into()), None);
        }
        draft.memory.size_bytes = mib << 24;
        draft.memory.huge_page_bytes = huge.then_some(2 << 20);
        draft.memory.hotplug_bytes = if hotplug { mib << 27 } else { 0 };
        if let Some(balloon) = &mut draft.memory.balloon {
            balloon.size_bytes = draft.memory.size_bytes / 2;
        }
        draft.memory.balloon = draft.memory.balloon.filter(|_| balloon);
        draft.rng = draft.rng.filter(|_| rng).map(|rng| Rng { rate_limit: limit, ..rng });
        draft.vsock = draft.vsock.filter(|_| vsock);
        draft.serial.rate_limit = draft.serial.rate_limit.filter(|_| serial);
        draft.devices.retain(|_| pmem);
        draft.disks = disks.into_iter().enumerate().map(|(i, disk)| one_disk(i, disk)).collect();
        let nic = |(i, (mtu, rx, tx)): (usize, (u32, Option<RateLimit>, Option<RateLimit>))| Nic {
            mtu: if mtu < 576 { 0 } else { mtu },
            rx_rate_limit: rx,
            tx_rate_limit: tx,
            ..tap(&format!("nic-{i}"), &format!("tap{i}"))
        };
        draft.nics = nics.into_iter().enumerate().map(nic).collect();
        let names = draft.nics.iter().map(|nic| nic.name.clone()).collect();
        draft.metadata = draft.metadata.filter(|_| metadata && !draft.nics.is_empty()).map(|metadata| Metadata {
            nics: names,
            version: if v1 { MetadataVersion::V1 } else { MetadataVersion::V2 },
            imds_compatible: compat,
            ..metadata
        });
        draft
    })
}

fn one_disk(
    i: usize,
    ([read_only, uuid, far, root], limit, cache, engine): ([bool; 4], Option<RateLimit>, u8, u8),
) -> Disk {
    let mut disk = Disk::new(format!("disk-{i}"), DiskSource::Path(format!("/disks/{i}").into()));
    disk.root = root && i == 0;
    disk.partuuid = uuid.then(|| "0eaa91a0-01".to_owned());
    disk.cache = [DiskCache::Auto, DiskCache::Writeback, DiskCache::Unsafe][usize::from(cache)];
    if far {
        disk.source = DiskSource::VhostUser { socket: "/run/x.sock".into() };
    } else {
        (disk.read_only, disk.rate_limit) = (read_only, limit);
        disk.io_engine = [IoEngine::Auto, IoEngine::Sync, IoEngine::Async][usize::from(engine)];
    }
    disk
}

fn is_served(draft: &Draft, text: &str) -> bool {
    let version = version(text);
    let refused = choice::refused(draft, choice::machine(draft, &version), &version);
    let served = |need| crate::firecracker::capabilities::serves(need, &version);
    refused.is_empty() && draft.needs().into_iter().all(|(need, _)| served(need))
}

proptest! {
    #[test]
    fn every_plan_keeps_the_rules(draft in drafts(), text in 0..5usize, restores in any::<bool>()) {
        // What an old version does not have, the newest makes.
        let asked = ["1.17.0-dev", "1.16.1", "1.14.2", "1.13.0", "1.9.1"][text];
        let text = if is_served(&draft, asked) { asked } else { "1.17.0-dev" };
        prop_assert!(is_served(&draft, text));
        let (version, line) = (version(text), version(text).line);
        let machine = choice::machine(&draft, &version);
        let order = if restores { restored(draft.clone(), draft) } else { order(draft) };
        let plan = planned(&order, text);
        prop_assert_eq!(judge(&plan, line, machine == Machine::Pc), Ok(()));
        for call in &plan {
            prop_assert_eq!(written::judge(call), Ok(()));
        }
    }
}
