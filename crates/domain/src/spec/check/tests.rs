//! One lawful draft, and what happens to it when one thing is wrong.

use super::*;
use crate::spec::{Balloon, Forward, Pin, ReadinessProbe, RestartPolicy, Rng, TokenBucket, Topology, Transport, Vsock};
use std::path::PathBuf;
use std::time::Duration;

fn lawful() -> Draft {
    Draft {
        disks: vec![
            Disk::new("disk0", DiskSource::Blank { size_bytes: 1 << 20 }),
            Disk::new("disk1", DiskSource::Path("/srv/a.img".into())),
        ],
        nics: vec![Nic::new(
            "nic0",
            Attachment::User { forwards: vec![Forward { transport: Transport::Tcp, host_port: 2222, guest_port: 22 }] },
        )],
        rng: Some(Rng { source: "/dev/urandom".into(), rate_limit: None, iommu: false }),
        restart: RestartPolicy::Always,
        ..Draft::default()
    }
}

#[test]
fn the_default_and_a_lawful_draft_pass() {
    assert!(Draft::default().check().is_ok());
    assert_eq!(lawful().check().expect("lawful").into_draft(), lawful());
}

#[test]
fn one_wrong_thing_is_named() {
    type Case = (&'static str, fn(&mut Draft));
    let cases: &[Case] = &[
        ("vm.spec.driver", |d| d.driver = crate::spec::Driver::Named("No Such".into())),
        ("vm.spec.cpu.boot", |d| d.cpu.boot = 0),
        ("vm.spec.cpu.max", |d| d.cpu.max = 100_000),
        ("vm.spec.cpu.max", |d| d.cpu.boot = 2),
        ("vm.spec.cpu.topology", |d| {
            d.cpu.topology =
                Some(Topology { threads_per_core: u32::MAX, cores_per_die: 2, dies_per_package: 1, packages: 1 });
        }),
        ("vm.spec.cpu.pinning[0].vcpu", |d| d.cpu.pinning = vec![Pin { vcpu: 9, host_cpus: [0].into() }]),
        ("vm.spec.cpu.pinning[0].host_cpus", |d| d.cpu.pinning = vec![Pin { vcpu: 0, host_cpus: [].into() }]),
        ("vm.spec.memory.size_bytes", |d| d.memory.size_bytes = 0),
        ("vm.spec.memory.size_bytes", |d| d.memory.size_bytes = u64::MAX),
        ("vm.spec.memory.size_bytes", |d| d.memory.size_bytes += 1),
        ("vm.spec.memory.size_bytes", |d| d.memory.size_bytes = 64 << 20),
        ("vm.spec.memory.hotplug_bytes", |d| d.memory.hotplug_bytes = 5),
        ("vm.spec.memory.huge_page_bytes", |d| d.memory.huge_page_bytes = Some(4096)),
        ("vm.spec.memory.balloon.size_bytes", |d| {
            d.memory.balloon = Some(Balloon::new(1 << 50));
        }),
        ("vm.spec.payload.firmware", |d| d.payload = Payload::Firmware { firmware: PathBuf::new() }),
        ("vm.spec.payload.cmdline", |d| {
            d.payload = Payload::Image { name: "default".into(), cmdline: "x".repeat(3000) }
        }),
        ("vm.spec.payload.cmdline", |d| d.payload = Payload::Image { name: "default".into(), cmdline: "a\nb".into() }),
        ("vm.spec.payload.image", |d| d.payload = Payload::Image { name: "../x".into(), cmdline: String::new() }),
        ("vm.spec.disks", |d| {
            d.disks = (0..33).map(|i| Disk::new(format!("d{i}"), DiskSource::Volume("v".into()))).collect()
        }),
        ("vm.spec.disks[1].name", |d| d.disks[1].name = "disk0".into()),
        ("vm.spec.disks[1].root", |d| d.disks.iter_mut().for_each(|disk| disk.root = true)),
        ("vm.spec.disks[1].path", |d| d.disks[1].source = DiskSource::Path("a.img".into())),
        ("vm.spec.disks[1].path", |d| d.disks[1].source = DiskSource::Path("/srv/../etc/shadow".into())),
        ("vm.spec.disks[1].path", |d| d.disks[1].source = DiskSource::Path("/srv/a,snapshot=on".into())),
        ("vm.spec.disks[1].path", |d| d.disks[1].source = DiskSource::Path(format!("/{}", "a".repeat(2000)).into())),
        ("vm.spec.disks[0].blank.size_bytes", |d| d.disks[0].source = DiskSource::Blank { size_bytes: 0 }),
        ("vm.spec.disks[0].blank.size_bytes", |d| d.disks[0].source = DiskSource::Blank { size_bytes: u64::MAX }),
        ("vm.spec.disks[0].serial", |d| d.disks[0].serial = Some("a b".into())),
        ("vm.spec.disks[0].queue_size", |d| d.disks[0].queue_size = 17),
        ("vm.spec.disks[0].rate_limit.ops.size", |d| {
            let ops = Some(TokenBucket { size: 0, refill_ms: 1, one_time_burst: 0 });
            d.disks[0].rate_limit = Some(RateLimit { bandwidth: None, ops });
        }),
        ("vm.spec.disks[0].rate_limit", |d| d.disks[0].rate_limit = Some(RateLimit::default())),
        ("vm.spec.memory.shared", |d| d.disks[0].source = DiskSource::VhostUser { socket: "/run/x.sock".into() }),
        ("vm.spec.nics[0].name", |d| d.nics[0].name = "-".into()),
        ("vm.spec.nics[0].tap", |d| d.nics[0].attachment = Attachment::Tap("a/b".into())),
        ("vm.spec.nics[0].mtu", |d| d.nics[0].mtu = 1),
        ("vm.spec.nics[0].user.forwards[0].host_port", |d| {
            d.nics[0].attachment =
                Attachment::User { forwards: vec![Forward { transport: Transport::Tcp, host_port: 0, guest_port: 1 }] };
        }),
        ("vm.spec.serial.path", |d| d.serial.mode = ConsoleMode::File),
        ("vm.spec.console.path", |d| d.console.path = Some("/x".into())),
        ("vm.spec.rng.source", |d| d.rng = Some(Rng { source: "/etc/shadow".into(), rate_limit: None, iommu: false })),
        ("vm.spec.vsock.cid", |d| d.vsock = Some(Vsock { cid: 2, pci_segment: 0, iommu: false })),
        ("vm.spec.readiness.timeout", |d| {
            d.readiness = Some(Readiness { probe: ReadinessProbe::Tcp { port: 22 }, timeout: Duration::ZERO });
        }),
        ("vm.spec.readiness.tcp_port", |d| {
            d.readiness = Some(Readiness { probe: ReadinessProbe::Tcp { port: 0 }, timeout: Duration::from_secs(5) });
        }),
    ];
    for (field, spoil) in cases {
        let mut draft = lawful();
        spoil(&mut draft);
        let found = draft.check().expect_err(field);
        let fields: Vec<_> = found.iter().map(|violation| violation.field.as_str()).collect();
        assert!(fields.contains(field), "{field} in {fields:?}");
        assert!(found.iter().all(|violation| !violation.why.is_empty()));
    }
}
