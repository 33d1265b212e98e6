//! Arbitrary lawful values of the domain, for property tests of this room.

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use std::path::PathBuf;
use std::time::Duration;
use weft_domain::capability::{Capabilities, Feature};
use weft_domain::event::{Event, Severity};
use weft_domain::instance::{
    Condition, Desired, Exit, ExitCause, Meta, Origin, Placement, Power, Running, Status, StopHow,
};
use weft_domain::label::Annotations;
use weft_domain::node::{Facts, Node, Orphans};
use weft_domain::object::{Answer, Answered, Revision};
use weft_domain::snapshot::{Content, Identity, Part, Role, Scope, Snapshot, SnapshotPhase};
use weft_domain::spec::device::RNG_SOURCES;
use weft_domain::spec::memory::MIB;
use weft_domain::spec::{
    Accelerator, Attachment, Balloon, CloudInit, Console, ConsoleMode, CoreScheduling, Cpu, CpuFeature, Device,
    DeviceKind, Disk, DiskCache, DiskFormat, DiskSource, Draft, Driver, Forward, HotplugMethod, IoEngine, Mac, Machine,
    Memory, Metadata, MetadataVersion, Nic, NumaNode, Offloads, Payload, Pin, Platform, QueuePin, RateLimit,
    RateLimitGroup, Readiness, ReadinessProbe, RestartPolicy, Rng, Spec, TokenBucket, Topology, Transport, VhostMode,
    Vsock, Zone,
};
use weft_domain::{EventId, IncarnationId, Instance, InstanceId, Labels, Name, NodeId, Phase, SnapshotId, Time};

fn one_of<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
    proptest::sample::select(all)
}

fn name() -> impl Strategy<Value = Name> {
    "[a-z][a-z0-9-]{0,20}[a-z0-9]".prop_map(|text| text.parse().expect("the pattern is that of names"))
}

fn path() -> impl Strategy<Value = PathBuf> {
    "/[a-zA-Z0-9._/ é-]{0,30}[a-z]"
        .prop_map(PathBuf::from)
        .prop_filter("leads up", |path| path.components().all(|part| part != std::path::Component::ParentDir))
}

fn time() -> impl Strategy<Value = Time> {
    any::<i64>().prop_map(Time::from_nanos)
}

fn bucket() -> impl Strategy<Value = TokenBucket> {
    (1u64.., 1u64.., any::<u64>()).prop_map(|(size, refill_ms, one_time_burst)| TokenBucket {
        size,
        refill_ms,
        one_time_burst,
    })
}

fn rate() -> impl Strategy<Value = RateLimit> {
    (bucket(), of(bucket())).prop_map(|(bandwidth, ops)| RateLimit { bandwidth: Some(bandwidth), ops })
}

fn cpu() -> impl Strategy<Value = Cpu> {
    let features = btree_set(one_of(&[CpuFeature::KvmHyperv, CpuFeature::Amx, CpuFeature::Nested]), 0..3);
    (1u32..8, 0u32..8, any::<bool>(), features, btree_set(0u32..64, 1..4)).prop_map(
        |(boot, more, shaped, features, host_cpus)| {
            let max = boot + more;
            let topology = Topology { threads_per_core: 1, cores_per_die: max, dies_per_package: 1, packages: 1 };
            let pinning = vec![Pin { vcpu: 0, host_cpus }];
            Cpu {
                boot,
                max,
                topology: shaped.then_some(topology),
                features,
                pinning,
                physical_bits: if shaped { 0 } else { 40 },
                core_scheduling: if shaped { CoreScheduling::Vm } else { CoreScheduling::Auto },
                template: shaped.then(|| "T2".to_owned()),
                custom_template: (!shaped).then(|| "{}".to_owned()),
            }
        },
    )
}

fn memory() -> impl Strategy<Value = Memory> {
    (4u64..4096, 0u64..64, any::<[bool; 7]>()).prop_map(|(half, hotplug, set)| Memory {
        size_bytes: half * 2 * MIB,
        hotplug_bytes: hotplug * MIB,
        hotplug_method: if set[1] { HotplugMethod::VirtioMem } else { HotplugMethod::Acpi },
        reserve: set[2],
        zones: zones(set[3], half * 2 * MIB),
        huge_page_bytes: set[0].then_some(2 * MIB),
        shared: true,
        mergeable: set[1],
        prefault: set[2],
        thp: set[3],
        balloon: set[4].then_some(Balloon {
            size_bytes: MIB,
            deflate_on_oom: set[5],
            free_page_reporting: set[6],
            free_page_hinting: set[1],
            statistics_seconds: u32::from(set[2]),
        }),
    })
}

fn zones(some: bool, size_bytes: u64) -> Vec<Zone> {
    let zone = Zone { name: "z0".to_owned(), size_bytes, hotplug_bytes: MIB, host_numa_node: Some(0) };
    if some { vec![zone] } else { Vec::new() }
}

fn payload() -> impl Strategy<Value = Payload> {
    let cmdline = "[a-z=0-9 ,é]{0,40}";
    prop_oneof![
        (path(), of(path()), cmdline).prop_map(|(kernel, initramfs, cmdline)| Payload::Kernel {
            kernel,
            initramfs,
            cmdline
        }),
        path().prop_map(|firmware| Payload::Firmware { firmware }),
        (name(), cmdline).prop_map(|(name, cmdline)| Payload::Image { name: name.to_string(), cmdline }),
    ]
}

fn disk_source() -> impl Strategy<Value = DiskSource> {
    prop_oneof![
        path().prop_map(DiskSource::Path),
        (2u64..4096).prop_map(|n| DiskSource::Blank { size_bytes: n * MIB }),
        name().prop_map(|n| DiskSource::Volume(n.to_string())),
        name().prop_map(|n| DiskSource::Image(n.to_string())),
        path().prop_map(|socket| DiskSource::VhostUser { socket }),
    ]
}

fn disk() -> impl Strategy<Value = Disk> {
    let format = one_of(&[DiskFormat::Raw, DiskFormat::Qcow2]);
    (disk_source(), format, any::<[bool; 4]>(), of(rate()), of("[a-z0-9_.-]{1,20}"), 0u32..=256).prop_map(
        |(source, format, set, rate_limit, serial, queues)| Disk {
            name: String::new(),
            source,
            format,
            read_only: set[0],
            root: false,
            direct: set[1],
            queues,
            queue_size: if set[2] { 128 } else { 0 },
            rate_limit_group: if rate_limit.is_none() && set[2] { Some("group".into()) } else { None },
            rate_limit,
            serial,
            pci_segment: 0,
            iommu: set[3],
            cache: if set[0] { DiskCache::Unsafe } else { DiskCache::Auto },
            io_engine: if set[1] { IoEngine::Async } else { IoEngine::Sync },
            partuuid: set[2].then(|| "0eaa91a0-01".to_owned()),
            backing_files: set[3],
            sparse: set[1].then_some(set[2]),
            queue_pinning: vec![QueuePin { queue: 0, host_cpus: [1, 3].into() }],
        },
    )
}

fn attachment() -> impl Strategy<Value = Attachment> {
    let forward = (one_of(&[Transport::Tcp, Transport::Udp]), 1u16.., 1u16..)
        .prop_map(|(transport, host_port, guest_port)| Forward { transport, host_port, guest_port });
    prop_oneof![
        vec(forward, 0..2).prop_map(|mut forwards| {
            forwards.dedup_by_key(|f| f.host_port);
            Attachment::User { forwards }
        }),
        name().prop_map(|n| Attachment::Network(n.to_string())),
        "[a-z0-9_.-]{1,15}".prop_map(Attachment::Tap),
        "[a-z0-9_.-]{1,15}".prop_map(Attachment::Macvtap),
        path().prop_map(|socket| Attachment::VhostUser { socket }),
    ]
}

fn nic() -> impl Strategy<Value = Nic> {
    let mac = any::<[u8; 5]>().prop_map(|b| Mac::new([2, b[0], b[1], b[2], b[3], b[4]]).expect("unicast"));
    let offloads = any::<[bool; 3]>().prop_map(|b| Offloads { tso: b[0], ufo: b[1], csum: b[2] });
    let limits = (of(rate()), of(rate()));
    (attachment(), of(mac), of(any::<std::net::IpAddr>()), of(offloads), limits, any::<bool>()).prop_map(
        |(attachment, mac, ip, offloads, (rx_rate_limit, tx_rate_limit), iommu)| Nic {
            name: String::new(),
            attachment,
            mac,
            ip,
            mtu: 1500,
            queues: 1,
            queue_size: 256,
            offloads,
            rx_rate_limit,
            tx_rate_limit,
            pci_segment: 0,
            iommu,
            vhost_mode: if iommu { VhostMode::Server } else { VhostMode::Client },
        },
    )
}

fn console() -> impl Strategy<Value = Console> {
    let plain = one_of(&[ConsoleMode::Off, ConsoleMode::Pty, ConsoleMode::Socket, ConsoleMode::Null]);
    prop_oneof![
        (plain, of(bucket())).prop_map(|(mode, rate_limit)| Console { rate_limit, ..Console::new(mode) }),
        (one_of(&[ConsoleMode::File, ConsoleMode::Tty]), path()).prop_map(|(mode, path)| Console {
            path: Some(path),
            iommu: true,
            ..Console::new(mode)
        }),
    ]
}

fn readiness() -> impl Strategy<Value = Readiness> {
    let probe = prop_oneof![
        "[ -~]{1,30}".prop_map(|text| ReadinessProbe::Serial { text }),
        (1u32..1000).prop_map(|port| ReadinessProbe::Vsock { port }),
        (1u16..).prop_map(|port| ReadinessProbe::Tcp { port }),
        (1u16.., "/[a-z]{0,9}").prop_map(|(port, path)| ReadinessProbe::Http { port, path }),
        Just(ReadinessProbe::GuestAgent),
    ];
    (probe, 1000u64..3_600_000).prop_map(|(probe, ms)| Readiness { probe, timeout: Duration::from_millis(ms) })
}

fn metadata(first: bool) -> Metadata {
    Metadata {
        json: r#"{"a":1}"#.into(),
        nics: vec!["n0".into()],
        version: if first { MetadataVersion::V1 } else { MetadataVersion::V2 },
        address: first.then_some(std::net::Ipv4Addr::new(169, 254, 7, 9)),
        imds_compatible: first,
    }
}

fn device_kind() -> impl Strategy<Value = DeviceKind> {
    prop_oneof![
        (path(), of(rate()), any::<[bool; 2]>()).prop_map(|(path, rate_limit, set)| DeviceKind::Pmem {
            path,
            size_bytes: 4 * MIB,
            read_only: set[0],
            root: set[1],
            rate_limit,
        }),
        path().prop_map(|socket| DeviceKind::Share { tag: "home".into(), socket, queues: 1, queue_size: 128 }),
        (path(), 0u32..=256).prop_map(|(path, queues)| DeviceKind::Vdpa { path, queues }),
        Just(DeviceKind::Passthrough { path: "/sys/bus/pci/devices/0000:01:00.0".into() }),
        path().prop_map(|socket| DeviceKind::VfioUser { socket }),
        path().prop_map(|socket| DeviceKind::VhostUser { socket, device_type: 26, queue_sizes: vec![64, 128] }),
    ]
}

/// What is said of a machine beside the first fields: devices, description, NUMA, shared limits.
fn further() -> impl Strategy<Value = (Vec<Device>, Option<Platform>, RateLimit, bool)> {
    let device = device_kind().prop_map(|kind| Device { name: String::new(), kind, pci_segment: 0, iommu: true });
    let text = || of("[a-z0-9]{1,20}");
    let platform =
        (text(), text(), text(), vec("[a-z]{1,9}", 0..3)).prop_map(|(one, two, three, oem_strings)| Platform {
            serial_number: one.clone(),
            uuid: two.clone(),
            oem_strings,
            manufacturer: three.clone(),
            product: one.clone(),
            version: two.clone(),
            family: three.clone(),
            sku: one,
            asset_tag: two,
            pci_segments: 2,
            iommu_segments: vec![1],
            iommu_address_bits: 48,
        });
    (vec(device, 0..3), of(platform), rate(), any::<bool>())
}

fn numa() -> NumaNode {
    NumaNode { id: 0, cpus: [0].into(), zones: Vec::new(), distances: [(0, 10)].into(), pci_segments: vec![0] }
}

type Rest = (Option<Rng>, Option<Vsock>, Option<Metadata>, Option<CloudInit>, RestartPolicy, Option<Readiness>);

fn rest() -> impl Strategy<Value = Rest> {
    let seed = ("[ -~\n]{0,40}", "[ -~\n]{0,40}").prop_map(|(user_data, meta_data)| CloudInit {
        user_data,
        meta_data,
        network_config: String::new(),
    });
    (
        of((one_of(&RNG_SOURCES), of(rate())).prop_map(|(source, rate_limit)| Rng {
            source: source.into(),
            rate_limit,
            iommu: true,
        })),
        of((3u32..u32::MAX - 1).prop_map(|cid| Vsock { cid, pci_segment: 0, iommu: cid % 2 == 0 })),
        of(any::<bool>().prop_map(metadata)),
        of(seed),
        one_of(&[RestartPolicy::Never, RestartPolicy::OnFailure, RestartPolicy::Always]),
        of(readiness()),
    )
}

/// Any lawful specification.
pub(crate) fn spec() -> BoxedStrategy<Spec> {
    let driver = prop_oneof![Just(Driver::Auto), Just(Driver::Named("qemu".into()))];
    let machine = one_of(&[Machine::Auto, Machine::Microvm, Machine::Pc, Machine::Q35]);
    let accelerator = one_of(&[Accelerator::Auto, Accelerator::Kvm, Accelerator::Tcg]);
    let first = (driver, machine, accelerator, cpu(), memory(), payload());
    // On the heap: what is made of all these would not fit a test's stack.
    let lists = (vec(disk(), 0..3).boxed(), vec(nic(), 0..3).boxed());
    let others = (rest().boxed(), further().boxed());
    let all = (first.boxed(), lists, [console().boxed(), console().boxed()], others);
    all.prop_map(
        |((driver, machine, accelerator, cpu, memory, payload), (mut disks, mut nics), consoles, (rest, further))| {
            let ([serial, console], (mut devices, platform, limit, set)) = (consoles, further);
            for (i, device) in devices.iter_mut().enumerate() {
                device.name = format!("e{i}");
            }
            for (i, disk) in disks.iter_mut().enumerate() {
                disk.name = format!("d{i}");
                disk.root = i == 1;
            }
            for (i, nic) in nics.iter_mut().enumerate() {
                nic.name = format!("n{i}");
                // Two interfaces must not share an address or a port; one of them is enough.
                if i > 0 {
                    nic.mac = None;
                    nic.attachment = Attachment::Network("net".into());
                }
            }
            let (rng, vsock, metadata, cloud_init, restart, readiness) = rest;
            let metadata = metadata.filter(|_| !nics.is_empty());
            let draft = Draft {
                driver,
                machine,
                accelerator,
                cpu,
                memory,
                payload,
                disks,
                nics,
                serial,
                console,
                rng,
                vsock,
                metadata,
                cloud_init,
                rate_limit_groups: vec![RateLimitGroup { name: "group".into(), limit }],
                devices,
                platform,
                numa: if set { vec![numa()] } else { Vec::new() },
                watchdog: set,
                tpm: set.then(|| "/run/tpm".into()),
                network_namespace: set.then(|| "/run/netns/a".into()),
                restart,
                readiness,
            };
            draft.check().expect("only lawful parts were put together")
        },
    )
    .boxed()
}

fn meta() -> impl Strategy<Value = Meta> {
    let labels = btree_map("[a-z][a-z0-9./_-]{0,8}[a-z]", "[ -~é]{0,20}", 0..4);
    let annotations = btree_map("[a-z][a-z0-9./_-]{0,8}[a-z]", any::<String>(), 0..4);
    (any::<[u8; 16]>(), name(), name(), labels, annotations, any::<u64>(), [time(), time(), time()]).prop_map(
        |(id, name, project, labels, annotations, generation, [create_time, update_time, delete_time])| Meta {
            id: InstanceId::from_bytes(id),
            name,
            project,
            labels: Labels::new(labels).expect("lawful keys"),
            annotations: Annotations::new(annotations).expect("lawful keys"),
            generation,
            create_time,
            update_time,
            delete_time: (delete_time.as_nanos() % 2 == 0).then_some(delete_time),
        },
    )
}

fn stop() -> impl Strategy<Value = StopHow> {
    let graceful = any::<u32>().prop_map(|ms| StopHow::Graceful { timeout: Duration::from_millis(ms.into()) });
    prop_oneof![Just(StopHow::Force), graceful]
}

fn status() -> impl Strategy<Value = Status> {
    let condition = ("[A-Z][a-z]{1,8}", of(any::<bool>()), any::<String>(), time())
        .prop_map(|(kind, holds, message, since)| Condition { kind, holds, reason: "Because".into(), message, since });
    let running =
        (any::<[u8; 16]>(), any::<u32>(), any::<u64>(), time()).prop_map(|(id, pid, epoch, start_time)| Running {
            incarnation: IncarnationId::from_bytes(id),
            pid,
            boot_epoch: epoch,
            reboot_epoch: epoch / 2,
            start_time,
            driver: "qemu 7.2".into(),
            machine: Machine::Q35,
            accelerator: Accelerator::Tcg,
            jail: (pid % 2 == 0).then_some(pid),
            applied_generation: epoch / 3,
            resets: epoch / 5,
        });
    let exit = (any::<u64>(), time(), one_of(&ExitCause::ALL), vec(any::<String>(), 0..3)).prop_map(
        |(boot_epoch, at, cause, log_tail)| Exit {
            boot_epoch,
            reboot_epoch: 3,
            at,
            cause,
            message: "it ended".into(),
            console_tail: log_tail.clone(),
            log_tail,
        },
    );
    let addresses = vec(any::<std::net::IpAddr>(), 0..3);
    (one_of(&Phase::ALL), any::<u64>(), vec(condition, 0..3), of(running), of(exit), addresses).prop_map(
        |(phase, observed_generation, conditions, running, last_exit, addresses)| Status {
            phase,
            observed_generation,
            conditions,
            running,
            last_exit,
            restarts: 2,
            addresses,
            restart_required: vec!["vm.spec.cpu".into()],
        },
    )
}

/// Any lawful instance.
pub(crate) fn instance() -> BoxedStrategy<Instance> {
    let power = one_of(&[Power::Off, Power::On, Power::Paused]);
    let desired =
        (power, any::<u64>(), stop(), stop(), any::<bool>()).prop_map(|(power, boot_epoch, reboot, stop, deleted)| {
            let identity = if deleted { Identity::Same } else { Identity::New };
            let snapshot = SnapshotId::from_bytes([boot_epoch.to_le_bytes()[0]; 16]);
            let origin = (boot_epoch % 2 == 0).then_some(Origin { boot_epoch, snapshot, identity });
            Desired { power, boot_epoch, reboot_epoch: boot_epoch / 3, reboot, stop, deleted, origin }
        });
    let placement = (any::<[u8; 16]>(), any::<u64>())
        .prop_map(|(id, generation)| Placement { node: NodeId::from_bytes(id), generation });
    let all = (meta().boxed(), spec(), desired.boxed(), of(placement), status().boxed());
    all.prop_map(|(meta, spec, desired, placement, status)| Instance { meta, spec, desired, placement, status }).boxed()
}

fn content() -> impl Strategy<Value = Content> {
    let role = prop_oneof![
        Just(Role::Memory),
        Just(Role::State),
        Just(Role::Config),
        name().prop_map(|name| Role::Disk(name.to_string())),
    ];
    let part = (role, any::<u64>(), any::<[u8; 32]>()).prop_map(|(role, bytes, sha256)| Part {
        role,
        file: "memory".into(),
        bytes,
        sha256,
    });
    (of(time()), vec(part, 0..4)).prop_map(|(taken, parts)| Content { driver: "qemu 7.2".into(), taken, parts })
}

/// Any snapshot.
pub(crate) fn snapshot() -> BoxedStrategy<Snapshot> {
    let scope = one_of(&[Scope::Full, Scope::Difference, Scope::Disks, Scope::Internal]);
    let which = (any::<[[u8; 16]; 3]>(), of(any::<[u8; 16]>()), scope, one_of(&SnapshotPhase::ALL));
    let all = (meta().boxed(), which.boxed(), spec(), content().boxed(), any::<String>());
    all.prop_map(|(meta, ([id, instance, node], parent, scope, phase), spec, content, message)| Snapshot {
        id: SnapshotId::from_bytes(id),
        name: meta.name.clone(),
        project: meta.project,
        labels: meta.labels,
        annotations: meta.annotations,
        create_time: meta.create_time,
        instance: InstanceId::from_bytes(instance),
        instance_name: meta.name,
        node: NodeId::from_bytes(node),
        scope,
        parent: parent.map(SnapshotId::from_bytes),
        spec,
        phase,
        content,
        message,
    })
    .boxed()
}

/// Any orphans of a node.
pub(crate) fn orphans() -> impl Strategy<Value = Orphans> {
    let ids = || prop::collection::btree_set(any::<[u8; 16]>(), 0..4);
    (ids(), ids()).prop_map(|(instances, snapshots)| Orphans {
        instances: instances.into_iter().map(InstanceId::from_bytes).collect(),
        snapshots: snapshots.into_iter().map(SnapshotId::from_bytes).collect(),
    })
}

/// Any answer to a request.
pub(crate) fn answered() -> impl Strategy<Value = Answered> {
    let answer = prop_oneof![
        instance().prop_map(|one| Answer::Instance(Box::new(one))),
        snapshot().prop_map(|one| Answer::Snapshot(Box::new(one))),
        Just(Answer::Absent),
        orphans().prop_map(Answer::Orphans),
    ];
    (any::<[u8; 32]>(), time(), answer, any::<u64>()).prop_map(|(body, at, answer, revision)| Answered {
        body,
        at,
        answer,
        revision: Revision(revision),
    })
}

/// Any event.
pub(crate) fn event() -> impl Strategy<Value = Event> {
    let severity = one_of(&[Severity::Normal, Severity::Warning]);
    let about = (of(any::<[u8; 16]>()), of(name()), of(any::<[u8; 16]>()), of(one_of(&Phase::ALL)));
    (any::<[u8; 16]>(), time(), name(), about, severity, any::<String>()).prop_map(
        |(id, at, project, (instance, instance_name, node, phase), severity, message)| Event {
            id: EventId::from_bytes(id),
            at,
            project,
            instance: instance.map(InstanceId::from_bytes),
            instance_name,
            node: node.map(NodeId::from_bytes),
            severity,
            reason: "Created".into(),
            message,
            phase,
        },
    )
}

/// Any node.
pub(crate) fn node() -> impl Strategy<Value = Node> {
    let features = btree_set(one_of(&[Feature::Kernel, Feature::Machine(Machine::Pc), Feature::DiskQcow2]), 0..3);
    (any::<[u8; 16]>(), name(), time(), features, any::<[u64; 3]>(), any::<String>()).prop_map(
        |(id, name, at, features, bytes, note)| Node {
            id: NodeId::from_bytes(id),
            name,
            labels: Labels::default(),
            create_time: at,
            facts: Facts {
                weft_version: "0.1.0".into(),
                kernel: "6".into(),
                architecture: "x86_64".into(),
                boot_id: note.clone(),
                agent_start: at,
                cpus: 4,
                memory_bytes: bytes[0],
                allocatable_memory_bytes: bytes[1],
                allocatable_disk_bytes: bytes[2],
                cgroups: "cgroup-v1".into(),
                drivers: vec![Capabilities {
                    driver: "qemu".into(),
                    version: "7".into(),
                    features,
                    notes: vec![note.clone()],
                }],
                warnings: vec![note],
            },
        },
    )
}
