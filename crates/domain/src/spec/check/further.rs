//! The checks of the rarer fields.

use super::{Findings, check_rate};
use crate::Name;
use crate::spec::{Device, DeviceKind, Draft, Platform, cpu, device, memory};
use std::collections::BTreeSet;

/// The longest text of a machine's description, in bytes.
const MAX_TEXT: usize = 64;
/// The most PCI segments.
const MAX_SEGMENTS: u32 = 96;

pub(super) fn check(draft: &Draft, found: &mut Findings) {
    check_cpu(draft, found);
    check_zones(draft, found);
    check_groups(draft, found);
    check_devices(draft, found);
    check_numa(draft, found);
    check_metadata(draft, found);
    check_limits(draft, found);
    check_queues(draft, found);
    if let Some(platform) = &draft.platform {
        check_platform(platform, found);
    }
    if let Some(socket) = &draft.tpm {
        found.path(socket, "vm.spec.tpm_socket");
    }
    if let Some(path) = &draft.network_namespace {
        found.path(path, "vm.spec.network_namespace");
    }
    check_segments(draft, found);
}

fn check_cpu(draft: &Draft, found: &mut Findings) {
    let cpu = &draft.cpu;
    let bits = cpu.physical_bits == 0 || (36..=64).contains(&cpu.physical_bits);
    found.unless(bits, "vm.spec.cpu.physical_bits", "must be 0 or from 36 to 64");
    if let Some(name) = &cpu.template {
        let right = (1..=32).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        found.unless(right, "vm.spec.cpu.template", "must be 1 to 32 of letters, digits and '_'");
        found.unless(cpu.custom_template.is_none(), "vm.spec.cpu.custom_template", "cannot be given beside template");
    }
    if let Some(text) = &cpu.custom_template {
        let why = format!("has {} bytes; 1 to {} are allowed", text.len(), cpu::MAX_TEMPLATE);
        found.unless((1..=cpu::MAX_TEMPLATE).contains(&text.len()), "vm.spec.cpu.custom_template", why);
    }
}

fn check_zones(draft: &Draft, found: &mut Findings) {
    let zones = &draft.memory.zones;
    let mut names = BTreeSet::new();
    let mut total = 0u64;
    for (i, zone) in zones.iter().enumerate() {
        let field = format!("vm.spec.memory.zones[{i}]");
        found.unless(zone.name.parse::<Name>().is_ok(), format!("{field}.name"), crate::name::ParseName.to_string());
        found.unless(names.insert(&zone.name), format!("{field}.name"), "is the name of another zone");
        let whole = zone.size_bytes > 0 && zone.size_bytes.is_multiple_of(memory::MIB);
        found.unless(whole, format!("{field}.size_bytes"), "must be a multiple of 1048576 (1 MiB), and more than 0");
        let whole = zone.hotplug_bytes.is_multiple_of(memory::MIB);
        found.unless(whole, format!("{field}.hotplug_bytes"), "must be a multiple of 1048576 (1 MiB)");
        total = total.saturating_add(zone.size_bytes);
    }
    let right = zones.is_empty() || total == draft.memory.size_bytes;
    let why = format!("add up to {total}; memory.size_bytes is {}", draft.memory.size_bytes);
    found.unless(right, "vm.spec.memory.zones", why);
    if let Some(balloon) = &draft.memory.balloon {
        let right = balloon.statistics_seconds <= 3600;
        found.unless(right, "vm.spec.memory.balloon.statistics_seconds", "must be from 0 to 3600");
    }
}

fn check_groups(draft: &Draft, found: &mut Findings) {
    let mut names = BTreeSet::new();
    for (i, group) in draft.rate_limit_groups.iter().enumerate() {
        let field = format!("vm.spec.rate_limit_groups[{i}]");
        found.unless(group.name.parse::<Name>().is_ok(), format!("{field}.name"), crate::name::ParseName.to_string());
        found.unless(names.insert(&group.name), format!("{field}.name"), "is the name of another group");
        check_rate(Some(&group.limit), &format!("{field}.limit"), found);
    }
    let many = draft.rate_limit_groups.len() <= device::MAX_DEVICES;
    found.unless(many, "vm.spec.rate_limit_groups", format!("at most {} are allowed", device::MAX_DEVICES));
    for (i, disk) in draft.disks.iter().enumerate() {
        let Some(name) = &disk.rate_limit_group else { continue };
        let why = "is not the name of a group in vm.spec.rate_limit_groups";
        found.unless(names.contains(name), format!("vm.spec.disks[{i}].rate_limit_group"), why);
    }
}

fn check_devices(draft: &Draft, found: &mut Findings) {
    let many = draft.devices.len() <= device::MAX_DEVICES;
    found.unless(many, "vm.spec.devices", format!("at most {} are allowed", device::MAX_DEVICES));
    let taken = draft.disks.iter().map(|disk| &disk.name).chain(draft.nics.iter().map(|nic| &nic.name));
    let mut names: BTreeSet<_> = taken.collect();
    for (i, device) in draft.devices.iter().enumerate() {
        let field = format!("vm.spec.devices[{i}]");
        found.unless(device.name.parse::<Name>().is_ok(), format!("{field}.name"), crate::name::ParseName.to_string());
        found.unless(names.insert(&device.name), format!("{field}.name"), "is the name of another device");
        check_device(device, &field, found);
    }
}

fn check_device(device: &Device, field: &str, found: &mut Findings) {
    let at = |name: &str| format!("{field}.{name}");
    match &device.kind {
        DeviceKind::Pmem { path, size_bytes, rate_limit, .. } => {
            found.path(path, &at("pmem.path"));
            let whole = size_bytes.is_multiple_of(2 * memory::MIB);
            found.unless(whole, at("pmem.size_bytes"), "must be a multiple of 2097152 (2 MiB)");
            check_rate(rate_limit.as_ref(), &at("pmem.rate_limit"), found);
        }
        DeviceKind::Share { tag, socket, queues, queue_size } => {
            let right = (1..=36).contains(&tag.len()) && !tag.chars().any(|c| c.is_control() || c == ',');
            found.unless(right, at("share.tag"), "must have 1 to 36 bytes, without control characters and commas");
            found.path(socket, &at("share.socket"));
            super::check_queues(*queues, *queue_size, &at("share"), found);
        }
        DeviceKind::Vdpa { path, queues } => {
            found.path(path, &at("vdpa.path"));
            found.range(queues, &(0..=256), &at("vdpa.queues"));
        }
        DeviceKind::Passthrough { path } => {
            found.path(path, &at("passthrough.path"));
            let right = path.starts_with("/sys/bus/pci/devices") || path.starts_with("/sys/devices");
            found.unless(right, at("passthrough.path"), "must be a device's folder under /sys/bus/pci/devices");
        }
        DeviceKind::VfioUser { socket } => found.path(socket, &at("vfio_user.socket")),
        DeviceKind::VhostUser { socket, queue_sizes, .. } => {
            found.path(socket, &at("vhost_user.socket"));
            let right = (1..=256).contains(&queue_sizes.len())
                && queue_sizes.iter().all(|size| size.is_power_of_two() && *size <= 32_768);
            let why = "must be 1 to 256 powers of two, each at most 32768";
            found.unless(right, at("vhost_user.queue_sizes"), why);
        }
    }
}

fn check_numa(draft: &Draft, found: &mut Findings) {
    let mut ids = BTreeSet::new();
    for (i, node) in draft.numa.iter().enumerate() {
        let field = format!("vm.spec.numa[{i}]");
        found.unless(ids.insert(node.id), format!("{field}.id"), "is the number of another node");
        let right = node.cpus.iter().all(|cpu| *cpu < draft.cpu.max);
        found.unless(right, format!("{field}.cpus"), format!("CPUs are 0 to {}", draft.cpu.max.saturating_sub(1)));
        for (j, name) in node.zones.iter().enumerate() {
            let known = draft.memory.zones.iter().any(|zone| zone.name == *name);
            found.unless(known, format!("{field}.zones[{j}]"), "is not the name of a zone of memory");
        }
        let right = node.distances.values().all(|distance| (10..=255).contains(distance));
        found.unless(right, format!("{field}.distances"), "each must be from 10 to 255");
    }
    for (i, node) in draft.numa.iter().enumerate() {
        let known = node.distances.keys().all(|id| ids.contains(id));
        found.unless(known, format!("vm.spec.numa[{i}].distances"), "names a node that is not there");
    }
}

fn check_metadata(draft: &Draft, found: &mut Findings) {
    let Some(metadata) = &draft.metadata else { return };
    found.unless(!metadata.nics.is_empty(), "vm.spec.metadata.nics", "is required: name at least one interface");
    if let Some(address) = metadata.address {
        let [a, b, c, _] = address.octets();
        let right = (a, b) == (169, 254) && (1..=254).contains(&c);
        found.unless(right, "vm.spec.metadata.address", "must be from 169.254.1.0 to 169.254.254.255");
    }
}

fn check_limits(draft: &Draft, found: &mut Findings) {
    if let Some(rng) = &draft.rng {
        check_rate(rng.rate_limit.as_ref(), "vm.spec.rng.rate_limit", found);
    }
    for (console, field) in [(&draft.serial, "vm.spec.serial"), (&draft.console, "vm.spec.console")] {
        let Some(bucket) = console.rate_limit else { continue };
        found.unless(bucket.size > 0, format!("{field}.rate_limit.size"), "must be more than 0");
        found.unless(bucket.refill_ms > 0, format!("{field}.rate_limit.refill_ms"), "must be more than 0");
    }
}

fn check_queues(draft: &Draft, found: &mut Findings) {
    for (i, disk) in draft.disks.iter().enumerate() {
        let field = format!("vm.spec.disks[{i}]");
        let mut seen = BTreeSet::new();
        for (j, pin) in disk.queue_pinning.iter().enumerate() {
            let right = pin.queue < disk.queues.max(1) && seen.insert(pin.queue) && !pin.host_cpus.is_empty();
            let why = "must name a queue of this disk, once, with its host CPUs";
            found.unless(right, format!("{field}.queue_pinning[{j}]"), why);
        }
        let right = disk.partuuid.as_ref().is_none_or(|text| {
            (1..=36).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
        });
        found.unless(right, format!("{field}.partuuid"), "must be 1 to 36 hexadecimal digits and '-'");
    }
}

fn check_platform(platform: &Platform, found: &mut Findings) {
    let texts = [
        ("serial_number", &platform.serial_number),
        ("uuid", &platform.uuid),
        ("manufacturer", &platform.manufacturer),
        ("product", &platform.product),
        ("version", &platform.version),
        ("family", &platform.family),
        ("sku", &platform.sku),
        ("asset_tag", &platform.asset_tag),
    ];
    let right = |text: &str| (1..=MAX_TEXT).contains(&text.len()) && !text.chars().any(|c| c.is_control() || c == ',');
    let why = format!("must have 1 to {MAX_TEXT} bytes, without control characters and commas");
    for (name, text) in texts {
        let fine = text.as_deref().is_none_or(right);
        found.unless(fine, format!("vm.spec.platform.{name}"), why.clone());
    }
    for (i, text) in platform.oem_strings.iter().enumerate() {
        found.unless(right(text), format!("vm.spec.platform.oem_strings[{i}]"), why.clone());
    }
    let many = platform.oem_strings.len() <= device::MAX_DEVICES;
    found.unless(many, "vm.spec.platform.oem_strings", format!("at most {} are allowed", device::MAX_DEVICES));
    found.range(&platform.pci_segments, &(0..=MAX_SEGMENTS), "vm.spec.platform.pci_segments");
    found.range(&platform.iommu_address_bits, &(0..=64), "vm.spec.platform.iommu_address_bits");
}

/// Every segment that is named is there.
fn check_segments(draft: &Draft, found: &mut Findings) {
    let count = draft.platform.as_ref().map_or(1, |platform| platform.pci_segments.max(1));
    let disks = draft.disks.iter().enumerate().map(|(i, disk)| (format!("disks[{i}]"), disk.pci_segment));
    let nics = draft.nics.iter().enumerate().map(|(i, nic)| (format!("nics[{i}]"), nic.pci_segment));
    let devices = draft.devices.iter().enumerate().map(|(i, device)| (format!("devices[{i}]"), device.pci_segment));
    let vsock = draft.vsock.iter().map(|vsock| ("vsock".to_owned(), vsock.pci_segment));
    for (name, segment) in disks.chain(nics).chain(devices).chain(vsock) {
        let why = format!("is {segment}; vm.spec.platform.pci_segments makes them 0 to {}", count - 1);
        found.unless(segment < count, format!("vm.spec.{name}.pci_segment"), why);
    }
}
