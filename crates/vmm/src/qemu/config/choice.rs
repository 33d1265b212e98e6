//! What the driver chooses where it is free to, and what it refuses because it cannot be had together.

use super::consoles::wants_agent;
use super::platform::wants_iommu;
use crate::qemu::Error;
use weft_domain::Violation;
use weft_domain::spec::{
    Accelerator, Attachment, ConsoleMode, DeviceKind, DiskSource, Draft, HotplugMethod, Machine, Payload, RateLimit,
};

/// The most virtio devices of a microvm: one each for the lines of its second interrupt controller.
pub(super) const MICROVM_DEVICES: usize = 24;
/// The most microvm devices that are chosen without being asked; more are at home on PCI.
const MICROVM_CHOSEN: usize = 12;

/// The machine model for this specification.
///
/// microvm starts with the least in it. Firmware expects PCI, much is only known to the PCs, many devices
/// do not fit, and in software it needs to be told how fast its clock runs. Nothing can be plugged into
/// it while it runs; one who wants that without asking for it from the start names another model.
pub(in crate::qemu) fn machine(draft: &Draft, accelerator: Accelerator, tsc_khz: Option<u64>) -> Machine {
    match draft.machine {
        Machine::Auto => {
            let firmware = matches!(draft.payload, Payload::Firmware { .. });
            let blind = tsc_khz.is_none() && lacks_a_clock(Machine::Microvm, accelerator);
            let pci = firmware || blind || !on_pci(draft).is_empty() || devices(draft) > MICROVM_CHOSEN;
            if pci { Machine::Q35 } else { Machine::Microvm }
        }
        named @ (Machine::Microvm | Machine::Pc | Machine::Q35) => named,
    }
}

/// Whether a machine has no timer by which a kernel could tell how fast its counter runs.
pub(super) fn lacks_a_clock(machine: Machine, accelerator: Accelerator) -> bool {
    machine == Machine::Microvm && accelerator != Accelerator::Kvm
}

/// What executes guest code for this specification, KVM where it truly works.
pub(in crate::qemu) fn accelerator(draft: &Draft, preferred: Accelerator) -> Accelerator {
    match draft.accelerator {
        Accelerator::Auto => preferred,
        named @ (Accelerator::Kvm | Accelerator::Tcg) => named,
    }
}

/// What is asked that a microvm does not know, by field.
fn on_pci(draft: &Draft) -> Vec<(&'static str, &'static str)> {
    let table = [
        (has_dies(draft), "vm.spec.cpu.topology.dies_per_package", "knows no dies"),
        (draft.cpu.max > draft.cpu.boot, "vm.spec.cpu.max", "takes no CPUs while it runs"),
        (draft.memory.hotplug_bytes > 0, "vm.spec.memory.hotplug_bytes", "takes no memory while it runs"),
        (!draft.numa.is_empty(), "vm.spec.numa", "knows no NUMA nodes"),
        (!draft.devices.is_empty(), "vm.spec.devices", "has no PCI"),
        (draft.platform.is_some(), "vm.spec.platform", "tells its guest nothing about itself"),
        (draft.watchdog, "vm.spec.watchdog", "has no watchdog"),
        (draft.tpm.is_some(), "vm.spec.tpm_socket", "has no TPM"),
        (wants_iommu(draft), "vm.spec.platform.iommu_segments", "has no IOMMU"),
        (draft.disks.iter().any(super::place::is_played), "vm.spec.disks", "has no vhost-user disks"),
    ];
    table.into_iter().filter(|(asked, ..)| *asked).map(|(_, field, why)| (field, why)).collect()
}

/// What is served alone and not together.
pub(in crate::qemu) fn refused(draft: &Draft, machine: Machine) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut refuse = |field: String, why: String| found.push(Violation { field, why });
    let limit = if machine == Machine::Pc { 255 } else { 288 };
    if draft.cpu.max > limit {
        let why = format!("is {}; driver qemu gives a {machine:?} machine at most {limit}", draft.cpu.max);
        refuse("vm.spec.cpu.max".to_owned(), why);
    }
    if machine == Machine::Microvm {
        for (field, why) in on_pci(draft) {
            refuse(field.to_owned(), format!("a microvm {why}: name the machine q35"));
        }
        if devices(draft) > MICROVM_DEVICES {
            let why = format!("a microvm takes {MICROVM_DEVICES} disks and interfaces in all: name the machine q35");
            refuse("vm.spec.disks".to_owned(), why);
        }
    }
    if wants_iommu(draft) && machine == Machine::Pc {
        refuse("vm.spec.machine".to_owned(), "a pc has no IOMMU: name the machine q35".to_owned());
    }
    found.extend(memory(draft));
    found.extend(disks(draft));
    found.extend(nics(draft));
    found.extend(rest(draft));
    found
}

fn violation(field: impl Into<String>, why: impl Into<String>) -> Violation {
    Violation { field: field.into(), why: why.into() }
}

fn memory(draft: &Draft) -> Vec<Violation> {
    let (memory, mut found) = (&draft.memory, Vec::new());
    if draft.numa.is_empty() && !memory.zones.is_empty() {
        found.push(violation("vm.spec.memory.zones", "driver qemu gives zones to NUMA nodes only: name the nodes"));
    }
    for (i, zone) in memory.zones.iter().enumerate().filter(|(_, zone)| zone.hotplug_bytes > 0) {
        let why = format!("zone {} cannot grow: ask for vm.spec.memory.hotplug_bytes", zone.name);
        found.push(violation(format!("vm.spec.memory.zones[{i}].hotplug_bytes"), why));
    }
    for (i, node) in draft.numa.iter().enumerate() {
        if node.zones.len() != 1 {
            found.push(violation(format!("vm.spec.numa[{i}].zones"), "a node of driver qemu has just one zone"));
        }
        if !node.pci_segments.is_empty() {
            found.push(violation(format!("vm.spec.numa[{i}].pci_segments"), "driver qemu has one PCI segment"));
        }
    }
    if memory.hotplug_method == HotplugMethod::VirtioMem && memory.hotplug_bytes % (2 << 20) != 0 {
        found.push(violation(
            "vm.spec.memory.hotplug_bytes",
            "is no multiple of 2 MiB, which a virtio-mem device needs",
        ));
    }
    found
}

fn disks(draft: &Draft) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut limit = |field: String, limit: &RateLimit| {
        for (name, bucket) in [("bandwidth", limit.bandwidth), ("ops", limit.ops)] {
            if bucket.is_some_and(|bucket| bucket.one_time_burst > 0) {
                let why = "driver qemu gives no tokens once at the start; make the bucket larger";
                found.push(violation(format!("{field}.{name}.one_time_burst"), why));
            }
        }
    };
    for (i, disk) in draft.disks.iter().enumerate() {
        if let Some(rate) = &disk.rate_limit {
            limit(format!("vm.spec.disks[{i}].rate_limit"), rate);
        }
    }
    for (i, group) in draft.rate_limit_groups.iter().enumerate() {
        limit(format!("vm.spec.rate_limit_groups[{i}].limit"), &group.limit);
    }
    for (i, disk) in draft.disks.iter().enumerate() {
        let limited = disk.rate_limit.is_some() || disk.rate_limit_group.is_some();
        if matches!(disk.source, DiskSource::VhostUser { .. }) && limited {
            found.push(violation(
                format!("vm.spec.disks[{i}].rate_limit"),
                "the back end of a vhost-user disk limits it",
            ));
        }
        if disk.rate_limit.is_some() && disk.rate_limit_group.is_some() {
            let why = "driver qemu takes a disk's own limit or a group's, not both";
            found.push(violation(format!("vm.spec.disks[{i}].rate_limit_group"), why));
        }
    }
    found
}

fn nics(draft: &Draft) -> Vec<Violation> {
    let mut found = Vec::new();
    for (i, nic) in draft.nics.iter().enumerate() {
        if matches!(nic.attachment, Attachment::Network(_)) {
            found.push(violation(format!("vm.spec.nics[{i}].network"), "driver qemu serves no networks by name"));
        }
        if draft.network_namespace.is_some() && matches!(nic.attachment, Attachment::User { .. }) {
            let why = "a user-mode network is made of the host's, which a machine in a network namespace does not have";
            found.push(violation(format!("vm.spec.nics[{i}].user"), why));
        }
        if nic.queues > 1 && matches!(nic.attachment, Attachment::User { .. } | Attachment::Macvtap(_)) {
            found.push(violation(
                format!("vm.spec.nics[{i}].queues"),
                "an interface of this sort has one pair of queues",
            ));
        }
        if nic.queue_size > 0 && !(nic.queue_size.is_power_of_two() && (256..=1024).contains(&nic.queue_size)) {
            found.push(violation(format!("vm.spec.nics[{i}].queue_size"), "driver qemu takes 256, 512 or 1024"));
        }
    }
    found
}

fn rest(draft: &Draft) -> Vec<Violation> {
    let mut found = Vec::new();
    for (i, device) in draft.devices.iter().enumerate() {
        if let DeviceKind::Pmem { rate_limit: Some(_), .. } = &device.kind {
            found
                .push(violation(format!("vm.spec.devices[{i}].pmem.rate_limit"), "driver qemu does not limit flushes"));
        }
    }
    if draft.platform.as_ref().is_some_and(|platform| platform.pci_segments > 1) {
        found.push(violation("vm.spec.platform.pci_segments", "driver qemu has one PCI segment"));
    }
    if draft.rng.as_ref().is_some_and(|rng| rng.rate_limit.is_some_and(|limit| limit.ops.is_some())) {
        found.push(violation("vm.spec.rng.rate_limit.ops", "driver qemu limits the bytes of a random source only"));
    }
    found
}

/// The refusal of one field.
pub(super) fn unserved(field: &str, why: &str) -> Error {
    Error::Unserved(vec![Violation { field: field.to_owned(), why: why.to_owned() }])
}

fn has_dies(draft: &Draft) -> bool {
    draft.cpu.topology.is_some_and(|shape| shape.dies_per_package > 1)
}

fn devices(draft: &Draft) -> usize {
    let ports = draft.console.mode != ConsoleMode::Off || wants_agent(draft);
    let single = [draft.rng.is_some(), draft.memory.balloon.is_some(), draft.vsock.is_some(), ports];
    draft.disks.len() + draft.nics.len() + single.into_iter().filter(|asked| *asked).count()
}
