//! One row for each trap: what is asked, which field is at fault.

use super::*;
use weft_domain::spec::HotplugMethod;

type Asks = fn(&mut Draft);

fn nic(draft: &mut Draft, attachment: Attachment) -> &mut Nic {
    draft.nics.push(Nic::new("n", attachment));
    draft.nics.last_mut().unwrap()
}

fn tapped(draft: &mut Draft) -> &mut Nic {
    nic(draft, Attachment::Tap("tap0".to_owned()))
}

fn disk(draft: &mut Draft) -> &mut Disk {
    draft.disks.push(Disk::new("d", DiskSource::Blank { size_bytes: 1 << 20 }));
    draft.disks.last_mut().unwrap()
}

fn fast() -> RateLimit {
    let bucket = TokenBucket { size: 1, refill_ms: 99, one_time_burst: 0 };
    RateLimit { bandwidth: Some(bucket), ops: None }
}

fn remote(draft: &mut Draft) -> &mut Disk {
    draft.disks.push(Disk::new("d", DiskSource::VhostUser { socket: sock("blk") }));
    draft.disks.last_mut().unwrap()
}

const TABLE: &[(Asks, &str)] = &[
    (
        |d| {
            d.memory.mergeable = {
                d.memory.shared = true;
                true
            }
        },
        "vm.spec.memory.mergeable",
    ),
    (|d| d.memory.hotplug_bytes = 1 << 20, "vm.spec.memory.hotplug_bytes"),
    (|d| d.memory.balloon = Some(Balloon::new(d.memory.size_bytes)), "vm.spec.memory.balloon.size_bytes"),
    (|d| d.cpu.max = 8_193, "vm.spec.cpu.max"),
    (
        |d| {
            d.cpu.max = 4;
            let shape = Topology { threads_per_core: 4, cores_per_die: 1, dies_per_package: 1, packages: 1 };
            d.cpu.topology = Some(shape);
        },
        "vm.spec.cpu.topology.threads_per_core",
    ),
    (|d| disk(d).queues = 2, "vm.spec.disks[0].queues"),
    (|d| disk(d).rate_limit = Some(fast()), "vm.spec.disks[0].rate_limit.bandwidth.refill_ms"),
    (|d| _ = remote(d), "vm.spec.disks[0].vhost_user_socket"),
    (
        |d| {
            d.memory.shared = true;
            remote(d).iommu = true
        },
        "vm.spec.disks[0].iommu",
    ),
    (
        |d| {
            d.memory.shared = true;
            remote(d).rate_limit = Some(limit())
        },
        "vm.spec.disks[0].rate_limit",
    ),
    (|d| tapped(d).queues = 2, "vm.spec.nics[0].queues"),
    (|d| tapped(d).mtu = 1_279, "vm.spec.nics[0].mtu"),
    (|d| tapped(d).rx_rate_limit = Some(limit()), "vm.spec.nics[0].rx_rate_limit"),
    (|d| tapped(d).offloads = Some(Offloads { tso: true, ufo: false, csum: false }), "vm.spec.nics[0].offloads.csum"),
    (|d| _ = nic(d, Attachment::User { forwards: vec![] }), "vm.spec.nics[0].user"),
    (|d| _ = nic(d, Attachment::VhostUser { socket: sock("net") }), "vm.spec.nics[0].vhost_user_socket"),
    (|d| d.devices.push(device("u", DeviceKind::VfioUser { socket: sock("u") })), "vm.spec.devices[0].vfio_user"),
    (
        |d| {
            d.memory.shared = true;
            d.devices.push(Device { iommu: true, ..device("u", DeviceKind::VfioUser { socket: sock("u") }) });
        },
        "vm.spec.devices[0].iommu",
    ),
    (
        |d| {
            d.devices.push(device(
                "p",
                DeviceKind::Pmem { path: "/i/p".into(), size_bytes: 0, read_only: false, root: true, rate_limit: None },
            ));
        },
        "vm.spec.devices[0].pmem.root",
    ),
    (|d| d.console.mode = ConsoleMode::Socket, "vm.spec.console.mode"),
    (
        |d| d.console = Console { path: Some("/dev/tty7".into()), ..Console::new(ConsoleMode::Tty) },
        "vm.spec.console.mode",
    ),
    (
        |d| d.rate_limit_groups = vec![RateLimitGroup { name: "g".to_owned(), limit: fast() }],
        "vm.spec.rate_limit_groups[0].limit.bandwidth.refill_ms",
    ),
];

#[test]
fn each_trap_is_refused_with_its_field_and_why() {
    for (asks, field) in TABLE {
        let mut draft = Draft::default();
        asks(&mut draft);
        let found = refused(&draft, NEW);
        assert_eq!(found.iter().map(|one| one.field.as_str()).collect::<Vec<_>>(), [*field], "{found:?}");
        assert!(found[0].why.len() > 12, "{found:?}");
    }
}

#[test]
fn zones_are_plugged_by_themselves() {
    let mut draft = everything();
    draft.memory.hotplug_bytes = 128 << 20;
    draft.memory.hotplug_method = HotplugMethod::Acpi;
    draft.memory.zones[1].hotplug_bytes = 1 << 20;
    let fields: Vec<_> = refused(&draft, NEW).into_iter().map(|one| one.field).collect();
    let expected =
        ["vm.spec.memory.hotplug_bytes", "vm.spec.memory.hotplug_method", "vm.spec.memory.zones[1].hotplug_bytes"];
    assert_eq!(fields, expected);
}

#[test]
fn an_old_version_refuses_more() {
    let mut draft = everything();
    draft.cpu.topology = None;
    draft.cpu.max = 300;
    let fields: Vec<_> = refused(&draft, gates::OLDEST).into_iter().map(|one| one.field).collect();
    assert!(fields.contains(&"vm.spec.cpu.max".to_owned()), "{fields:?}");
    assert!(fields.contains(&"vm.spec.cpu.features".to_owned()), "{fields:?}");
    assert!(fields.contains(&"vm.spec.platform.manufacturer".to_owned()), "{fields:?}");
}

#[test]
fn an_empty_machine_is_refused_nothing() {
    assert_eq!(refused(&Draft::default(), gates::OLDEST), []);
}
