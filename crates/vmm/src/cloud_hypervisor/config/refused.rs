//! What is served alone and not together, or not with these numbers: refused at the door with the reason,
//! for Cloud Hypervisor tells of it only when the machine boots, and of some of it by crashing.

use super::gates::{self, Version};
use super::is_vhost_user;
use weft_domain::Violation;
use weft_domain::spec::{
    Attachment, ConsoleMode, CpuFeature, DeviceKind, Disk, DiskSource, Draft, HotplugMethod, Nic, RateLimit,
};

/// What memory is plugged in, in bytes.
pub(in crate::cloud_hypervisor) const MEMORY_STEP: u64 = 128 << 20;
/// The time in which its rate limits are looked at, in milliseconds: a bucket that fills faster is wasted.
const LEAST_REFILL_MS: u64 = 100;
/// The smallest packet that virtio allows to be the largest.
const LEAST_MTU: u32 = 1_280;
/// The most processors, before and since counts have more than 8 bits.
const MOST_CPUS: (u32, u32) = (254, 8_192);

struct Refusals(Vec<Violation>);

impl Refusals {
    fn when(&mut self, wrong: bool, field: impl Into<String>, why: impl Into<String>) {
        if wrong {
            self.0.push(Violation { field: field.into(), why: why.into() });
        }
    }
}

/// What this version refuses of a specification that is right in itself and whose features are served.
pub(in crate::cloud_hypervisor) fn refused(draft: &Draft, version: Version) -> Vec<Violation> {
    let mut found = Refusals(Vec::new());
    processors(draft, version, &mut found);
    memory(draft, &mut found);
    for (i, disk) in draft.disks.iter().enumerate() {
        self::disk(disk, draft, &format!("vm.spec.disks[{i}]"), &mut found);
    }
    for (i, nic) in draft.nics.iter().enumerate() {
        self::nic(nic, draft, &format!("vm.spec.nics[{i}]"), &mut found);
    }
    for (i, group) in draft.rate_limit_groups.iter().enumerate() {
        rate(Some(&group.limit), &format!("vm.spec.rate_limit_groups[{i}].limit"), &mut found);
    }
    devices(draft, &mut found);
    consoles(draft, &mut found);
    platform(draft, version, &mut found);
    found.0
}

fn processors(draft: &Draft, version: Version, found: &mut Refusals) {
    let most = if version.has(gates::MANY_CPUS) { MOST_CPUS.1 } else { MOST_CPUS.0 };
    let max = draft.cpu.max;
    found.when(max > most, "vm.spec.cpu.max", format!("is {max}; cloud-hypervisor {version} takes at most {most}"));
    if let Some(shape) = draft.cpu.topology {
        let threads = shape.threads_per_core;
        let field = "vm.spec.cpu.topology.threads_per_core";
        found.when(threads > 2, field, format!("is {threads}; at most 2 are served"));
    }
    let nested = draft.cpu.features.contains(&CpuFeature::Nested);
    let old = nested && !version.has(gates::NESTED);
    let why = format!("nesting cannot be asked of cloud-hypervisor {version}, which always has it: 50.0 is needed");
    found.when(old, "vm.spec.cpu.features", why);
}

fn memory(draft: &Draft, found: &mut Refusals) {
    let memory = &draft.memory;
    let both = memory.shared && memory.mergeable;
    found.when(both, "vm.spec.memory.mergeable", "cannot be had together with shared memory");
    let whole = |bytes: u64| bytes.is_multiple_of(MEMORY_STEP);
    let step = "must be a multiple of 134217728 (128 MiB)";
    found.when(!whole(memory.hotplug_bytes), "vm.spec.memory.hotplug_bytes", step);
    let zoned = !memory.zones.is_empty();
    let why = "is for memory without zones: give each zone its own hotplug_bytes";
    found.when(zoned && memory.hotplug_bytes > 0, "vm.spec.memory.hotplug_bytes", why);
    let acpi = zoned && memory.hotplug_method == HotplugMethod::Acpi;
    found.when(acpi, "vm.spec.memory.hotplug_method", "zones are plugged by virtio_mem only");
    for (i, zone) in memory.zones.iter().enumerate() {
        found.when(!whole(zone.hotplug_bytes), format!("vm.spec.memory.zones[{i}].hotplug_bytes"), step);
    }
    if let Some(balloon) = &memory.balloon {
        let all = balloon.size_bytes >= memory.size_bytes;
        found.when(all, "vm.spec.memory.balloon.size_bytes", "must be less than memory.size_bytes");
    }
}

fn rate(limit: Option<&RateLimit>, field: &str, found: &mut Refusals) {
    let Some(limit) = limit else { return };
    for (name, bucket) in [("bandwidth", limit.bandwidth), ("ops", limit.ops)] {
        let fast = bucket.is_some_and(|bucket| bucket.refill_ms < LEAST_REFILL_MS);
        let why = format!("must be {LEAST_REFILL_MS} or more: limits are looked at ten times a second");
        found.when(fast, format!("{field}.{name}.refill_ms"), why);
    }
}

fn disk(disk: &Disk, draft: &Draft, field: &str, found: &mut Refusals) {
    let boot = draft.cpu.boot;
    let why = format!("is {}; at most cpu.boot, which is {boot}, are served", disk.queues);
    found.when(disk.queues > boot, format!("{field}.queues"), why);
    rate(disk.rate_limit.as_ref(), &format!("{field}.rate_limit"), found);
    if matches!(disk.source, DiskSource::VhostUser { .. }) {
        shared(draft, &format!("{field}.vhost_user_socket"), found);
        let outside = "is up to the vhost-user back end: leave it out";
        found.when(disk.rate_limit.is_some(), format!("{field}.rate_limit"), outside);
        found.when(disk.rate_limit_group.is_some(), format!("{field}.rate_limit_group"), outside);
        found.when(disk.iommu, format!("{field}.iommu"), "is not served with vhost-user");
    }
}

fn nic(nic: &Nic, draft: &Draft, field: &str, found: &mut Refusals) {
    let boot = draft.cpu.boot;
    let why = format!("is {} pairs; at most cpu.boot, which is {boot}, are served", nic.queues);
    found.when(nic.queues > boot, format!("{field}.queues"), why);
    let small = nic.mtu > 0 && nic.mtu < LEAST_MTU;
    found.when(small, format!("{field}.mtu"), format!("is {}; virtio allows no less than {LEAST_MTU}", nic.mtu));
    let alike = nic.rx_rate_limit == nic.tx_rate_limit;
    let why = "must be the same for both directions: cloud-hypervisor limits an interface as a whole";
    found.when(!alike, format!("{field}.rx_rate_limit"), why);
    rate(nic.rx_rate_limit.as_ref(), &format!("{field}.rx_rate_limit"), found);
    if let Some(offloads) = nic.offloads {
        let lost = (offloads.tso || offloads.ufo) && !offloads.csum;
        found.when(lost, format!("{field}.offloads.csum"), "is needed by tso and ufo");
    }
    if is_vhost_user(&nic.attachment) {
        shared(draft, &format!("{field}.vhost_user_socket"), found);
        let limited = nic.rx_rate_limit.is_some() || nic.tx_rate_limit.is_some();
        found.when(limited, format!("{field}.rx_rate_limit"), "is up to the vhost-user back end: leave it out");
        found.when(nic.iommu, format!("{field}.iommu"), "is not served with vhost-user");
    }
    if let Attachment::User { .. } = nic.attachment {
        found.when(true, format!("{field}.user"), "cloud-hypervisor has no network of its own: give it a tap");
    }
}

/// A back end that reads the guest's memory needs it shared; pages of a huge size are.
fn shared(draft: &Draft, field: &str, found: &mut Refusals) {
    let right = draft.memory.shared || draft.memory.huge_page_bytes.is_some();
    found.when(!right, field, "needs vm.spec.memory.shared: another process reads the guest's memory");
}

fn devices(draft: &Draft, found: &mut Refusals) {
    for (i, device) in draft.devices.iter().enumerate() {
        let field = format!("vm.spec.devices[{i}]");
        let (name, needs_shared, no_iommu) = match &device.kind {
            DeviceKind::Pmem { rate_limit, root, .. } => {
                let why = "is not served by cloud-hypervisor";
                found.when(rate_limit.is_some(), format!("{field}.pmem.rate_limit"), why);
                found.when(*root, format!("{field}.pmem.root"), "name it on the kernel's command line instead");
                ("pmem", false, false)
            }
            DeviceKind::Share { .. } => ("share", true, true),
            DeviceKind::Vdpa { .. } => ("vdpa", false, false),
            DeviceKind::Passthrough { .. } => ("passthrough", false, false),
            DeviceKind::VfioUser { .. } => ("vfio_user", true, true),
            DeviceKind::VhostUser { .. } => ("vhost_user", true, true),
        };
        if needs_shared {
            shared(draft, &format!("{field}.{name}"), found);
        }
        found.when(no_iommu && device.iommu, format!("{field}.iommu"), format!("is not served for {name}"));
    }
}

/// The process has one input and one output, and a terminal is both.
fn consoles(draft: &Draft, found: &mut Refusals) {
    let takes = |mode| matches!(mode, ConsoleMode::Socket | ConsoleMode::Tty);
    let (serial, console) = (draft.serial.mode, draft.console.mode);
    let field = "vm.spec.console.mode";
    found.when(console == ConsoleMode::Socket, field, "the virtio console has no socket: use the serial port's");
    let both = console == ConsoleMode::Tty && takes(serial);
    found.when(both, field, "only one console can be a terminal or weft's own: the serial port is already");
}

fn platform(draft: &Draft, version: Version, found: &mut Refusals) {
    let Some(platform) = &draft.platform else { return };
    let (since, names) = gates::DESCRIPTION;
    let given = [
        &platform.manufacturer,
        &platform.product,
        &platform.version,
        &platform.family,
        &platform.sku,
        &platform.asset_tag,
    ];
    for (name, text) in names.iter().zip(given) {
        let old = text.is_some() && !version.has(since);
        let why = format!("is not known to cloud-hypervisor {version}: {since} is needed");
        found.when(old, format!("vm.spec.platform.{name}"), why);
    }
}
