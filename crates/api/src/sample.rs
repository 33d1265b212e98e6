//! Arbitrary lawful values of the domain, for property tests of this room.

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use std::path::PathBuf;
use std::time::Duration;
use weft_domain::capability::{Capabilities, Feature};
use weft_domain::event::{Event, Severity};
use weft_domain::instance::{Condition, Desired, Exit, ExitCause, Meta, Placement, Power, Running, Status, StopHow};
use weft_domain::label::Annotations;
use weft_domain::node::{Facts, Node};
use weft_domain::object::{Answered, Revision};
use weft_domain::spec::device::RNG_SOURCES;
use weft_domain::spec::memory::MIB;
use weft_domain::spec::{
    Accelerator, Attachment, Balloon, CloudInit, Console, ConsoleMode, Cpu, CpuFeature, Disk, DiskFormat, DiskSource,
    Draft, Driver, Forward, Mac, Machine, Memory, Metadata, Nic, Offloads, Payload, Pin, RateLimit, Readiness,
    ReadinessProbe, RestartPolicy, Rng, Spec, TokenBucket, Topology, Transport, Vsock,
};
use weft_domain::{EventId, IncarnationId, Instance, InstanceId, Labels, Name, NodeId, Phase, Time};

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
            Cpu { boot, max, topology: shaped.then_some(topology), features, pinning }
        },
    )
}

fn memory() -> impl Strategy<Value = Memory> {
    (4u64..4096, 0u64..64, any::<[bool; 7]>()).prop_map(|(half, hotplug, set)| Memory {
        size_bytes: half * 2 * MIB,
        hotplug_bytes: hotplug * MIB,
        huge_page_bytes: set[0].then_some(2 * MIB),
        shared: true,
        mergeable: set[1],
        prefault: set[2],
        thp: set[3],
        balloon: set[4].then_some(Balloon { size_bytes: MIB, deflate_on_oom: set[5], free_page_reporting: set[6] }),
    })
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
    (attachment(), of(mac), of(any::<std::net::IpAddr>()), of(offloads), of(rate()), of(rate())).prop_map(
        |(attachment, mac, ip, offloads, rx_rate_limit, tx_rate_limit)| Nic {
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
            iommu: false,
        },
    )
}

fn console() -> impl Strategy<Value = Console> {
    let plain = one_of(&[ConsoleMode::Off, ConsoleMode::Pty, ConsoleMode::Socket, ConsoleMode::Null]);
    prop_oneof![
        plain.prop_map(|mode| Console { mode, path: None }),
        (one_of(&[ConsoleMode::File, ConsoleMode::Tty]), path())
            .prop_map(|(mode, path)| Console { mode, path: Some(path) }),
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

type Rest = (Option<Rng>, Option<Vsock>, Option<Metadata>, Option<CloudInit>, RestartPolicy, Option<Readiness>);

fn rest() -> impl Strategy<Value = Rest> {
    let seed = ("[ -~\n]{0,40}", "[ -~\n]{0,40}").prop_map(|(user_data, meta_data)| CloudInit {
        user_data,
        meta_data,
        network_config: String::new(),
    });
    (
        of(one_of(&RNG_SOURCES).prop_map(|source| Rng { source: source.into() })),
        of((3u32..u32::MAX - 1).prop_map(|cid| Vsock { cid })),
        of(Just(Metadata { json: r#"{"a":1}"#.into(), nics: vec![] })),
        of(seed),
        one_of(&[RestartPolicy::Never, RestartPolicy::OnFailure, RestartPolicy::Always]),
        of(readiness()),
    )
}

/// Any lawful specification.
pub(crate) fn spec() -> impl Strategy<Value = Spec> {
    let driver = prop_oneof![Just(Driver::Auto), Just(Driver::Named("qemu".into()))];
    let machine = one_of(&[Machine::Auto, Machine::Microvm, Machine::Pc, Machine::Q35]);
    let accelerator = one_of(&[Accelerator::Auto, Accelerator::Kvm, Accelerator::Tcg]);
    let first = (driver, machine, accelerator, cpu(), memory(), payload());
    (first, vec(disk(), 0..3), vec(nic(), 0..3), console(), console(), rest()).prop_map(
        |((driver, machine, accelerator, cpu, memory, payload), mut disks, mut nics, serial, console, rest)| {
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
                restart,
                readiness,
            };
            draft.check().expect("only lawful parts were put together")
        },
    )
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
        },
    )
}

/// Any lawful instance.
pub(crate) fn instance() -> impl Strategy<Value = Instance> {
    let power = one_of(&[Power::Off, Power::On, Power::Paused]);
    let desired =
        (power, any::<u64>(), stop(), stop(), any::<bool>()).prop_map(|(power, boot_epoch, reboot, stop, deleted)| {
            Desired { power, boot_epoch, reboot_epoch: boot_epoch / 3, reboot, stop, deleted }
        });
    let placement = (any::<[u8; 16]>(), any::<u64>())
        .prop_map(|(id, generation)| Placement { node: NodeId::from_bytes(id), generation });
    (meta(), spec(), desired, of(placement), status()).prop_map(|(meta, spec, desired, placement, status)| Instance {
        meta,
        spec,
        desired,
        placement,
        status,
    })
}

/// Any answer to a request.
pub(crate) fn answered() -> impl Strategy<Value = Answered> {
    (any::<[u8; 32]>(), time(), instance(), any::<u64>()).prop_map(|(body, at, instance, revision)| Answered {
        body,
        at,
        instance,
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
