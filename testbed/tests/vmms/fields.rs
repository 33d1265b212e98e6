//! What a driver does not serve is refused by the name of its field, never ignored.

use crate::for_each_vmm;
use crate::house::{House, Vmm};
use weft_domain::Reason;
use weft_domain::spec::{
    Attachment, Balloon, CloudInit, ConsoleMode, CoreScheduling, Device, DeviceKind, Disk, DiskFormat, DiskSource,
    Draft, Machine, Metadata, Nic, Pin, Platform, ReadinessProbe,
};
use weft_ports::api::{CreateMode, Vms};
use weft_testbed::guest::{call, vm};

for_each_vmm!(what_is_not_served_is_refused_by_name);

/// A change of the draft and the field that it is refused for.
type Row = (fn(&mut Draft), &'static str);

fn disk(draft: &mut Draft, change: fn(&mut Disk)) {
    let mut disk = Disk::new("data", DiskSource::Blank { size_bytes: 1 << 20 });
    change(&mut disk);
    draft.disks.push(disk);
}

/// A disk that weft makes is raw, so one of another format is given by its path.
fn another_format(draft: &mut Draft) {
    let source = DiskSource::Path("/given/by/its/path".into());
    draft.disks.push(Disk { format: DiskFormat::Qcow2, ..Disk::new("data", source) });
}

fn nic(draft: &mut Draft, attachment: Attachment, change: fn(&mut Nic)) {
    let mut nic = Nic::new("lan", attachment);
    change(&mut nic);
    draft.nics.push(nic);
}

fn user() -> Attachment {
    Attachment::User { forwards: Vec::new() }
}

fn tap() -> Attachment {
    Attachment::Tap("tap-none".to_owned())
}

fn device(draft: &mut Draft, kind: DeviceKind) {
    draft.devices.push(Device { name: "more".into(), kind, pci_segment: 0, iommu: false });
}

/// Served by no driver yet.
const BY_NONE: &[Row] = &[
    (|draft| disk(draft, |disk| disk.source = DiskSource::Volume("data".into())), "vm.spec.disks[0].volume"),
    (|draft| disk(draft, |disk| disk.source = DiskSource::Image("debian".into())), "vm.spec.disks[0].image"),
    (|draft| nic(draft, Attachment::Network("lan".into()), |_| ()), "vm.spec.nics[0].network"),
    (
        |draft| {
            let (meta_data, network_config) = (String::new(), String::new());
            draft.cloud_init = Some(CloudInit { user_data: "#cloud-config".into(), meta_data, network_config });
        },
        "vm.spec.cloud_init",
    ),
    (|draft| readiness(draft, ReadinessProbe::Tcp { port: 80 }), "vm.spec.readiness.tcp_port"),
];

fn readiness(draft: &mut Draft, probe: ReadinessProbe) {
    if let Some(readiness) = &mut draft.readiness {
        readiness.probe = probe;
    }
}

fn pin(draft: &mut Draft) {
    draft.cpu.pinning = vec![Pin { vcpu: 0, host_cpus: [0].into() }];
}

fn metadata(draft: &mut Draft) {
    nic(draft, tap(), |_| ());
    draft.metadata = Some(Metadata {
        json: "{}".into(),
        nics: vec!["lan".into()],
        version: Default::default(),
        address: None,
        imds_compatible: false,
    });
}

fn hinting(draft: &mut Draft) {
    draft.memory.balloon = Some(Balloon { free_page_hinting: true, ..Balloon::new(0) });
}

const FIRECRACKER: &[Row] = &[
    (|draft| draft.machine = Machine::Q35, "vm.spec.machine"),
    (|draft| draft.cpu.max = 2, "vm.spec.cpu.max"),
    (pin, "vm.spec.cpu.pinning"),
    (|draft| draft.memory.mergeable = true, "vm.spec.memory.mergeable"),
    (another_format, "vm.spec.disks[0].format"),
    (|draft| disk(draft, |disk| disk.direct = true), "vm.spec.disks[0].direct"),
    (|draft| disk(draft, |disk| disk.queues = 2), "vm.spec.disks[0].queues"),
    (|draft| disk(draft, |disk| disk.serial = Some("a".into())), "vm.spec.disks[0].serial"),
    (|draft| nic(draft, user(), |_| ()), "vm.spec.nics[0].user"),
    (|draft| nic(draft, tap(), |nic| nic.queues = 2), "vm.spec.nics[0].queues"),
    (|draft| draft.console.mode = ConsoleMode::Null, "vm.spec.console.mode"),
    (|draft| draft.watchdog = true, "vm.spec.watchdog"),
    (|draft| draft.tpm = Some("/srv/s".into()), "vm.spec.tpm_socket"),
    (
        |draft| draft.platform = Some(Platform { serial_number: Some("a".into()), ..Platform::default() }),
        "vm.spec.platform",
    ),
    (
        |draft| device(draft, DeviceKind::Vdpa { path: "/dev/vhost-vdpa-0".into(), queues: 0 }),
        "vm.spec.devices[0].vdpa",
    ),
];

const CLOUD_HYPERVISOR: &[Row] = &[
    (|draft| draft.machine = Machine::Microvm, "vm.spec.machine"),
    (|draft| draft.cpu.template = Some("T2".into()), "vm.spec.cpu.template"),
    (hinting, "vm.spec.memory.balloon.free_page_hinting"),
    (|draft| disk(draft, |disk| disk.partuuid = Some("0eaa91a0-01".into())), "vm.spec.disks[0].partuuid"),
    (|draft| nic(draft, user(), |_| ()), "vm.spec.nics[0].user"),
    (metadata, "vm.spec.metadata"),
    (|draft| readiness(draft, ReadinessProbe::GuestAgent), "vm.spec.readiness.guest_agent"),
];

const QEMU: &[Row] = &[
    (pin, "vm.spec.cpu.pinning"),
    (|draft| draft.cpu.template = Some("T2".into()), "vm.spec.cpu.template"),
    (|draft| draft.cpu.core_scheduling = CoreScheduling::Vm, "vm.spec.cpu.core_scheduling"),
    (hinting, "vm.spec.memory.balloon.free_page_hinting"),
    (metadata, "vm.spec.metadata"),
    (|draft| draft.cpu.custom_template = Some("{}".into()), "vm.spec.cpu.custom_template"),
];

async fn what_is_not_served_is_refused_by_name(vmm: Vmm) {
    let Some(house) = House::open(vmm, &[]).await else { return };
    let own = match vmm {
        Vmm::Firecracker => FIRECRACKER,
        Vmm::CloudHypervisor => CLOUD_HYPERVISOR,
        Vmm::Qemu => QEMU,
    };
    let mut wrong = Vec::new();
    for (change, field) in BY_NONE.iter().chain(own) {
        let mut draft = house.draft();
        change(&mut draft);
        let spec = draft.check().unwrap_or_else(|violations| panic!("{field}: {violations:?}"));
        let refused = house.weft().create(&call(), vm("one", spec, CreateMode::Create)).await;
        match refused {
            Err(fault) if fault.reason == Reason::FieldUnsupported => {
                let fields: Vec<_> = fault.violations.iter().map(|violation| violation.field.as_str()).collect();
                if !fields.contains(field) {
                    wrong.push(format!("{field} is refused as {fields:?}"));
                }
            }
            Err(fault) => wrong.push(format!("{field} is refused with {}: {fault}", fault.reason.as_str())),
            Ok(_) => {
                wrong.push(format!("{field} is taken"));
                house.remove("one").await;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    house.assert_leaves_nothing().await;
}
