//! Which specifications are right in themselves. What a driver cannot do is another question.

mod further;

use super::{Attachment, Console, ConsoleMode, Disk, DiskSource, Draft, Nic, Payload, RateLimit, Readiness, Spec};
use super::{cpu, device, disk, memory, nic, payload};
use crate::{Name, Violation};
use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Component, Path};
use std::sync::Arc;

/// The longest path, in bytes.
pub const MAX_PATH: usize = 1024;

/// Where violations are gathered, with the path of the message that is looked at.
struct Findings(Vec<Violation>);

impl Findings {
    fn add(&mut self, field: impl Into<String>, why: impl Into<String>) {
        self.0.push(Violation { field: field.into(), why: why.into() });
    }

    fn unless(&mut self, right: bool, field: impl Into<String>, why: impl Into<String>) {
        if !right {
            self.add(field, why);
        }
    }

    fn range<T: PartialOrd + Display>(&mut self, value: &T, range: &RangeInclusive<T>, field: &str) {
        let why = || format!("is {value}; it must be from {} to {}", range.start(), range.end());
        if !range.contains(value) {
            self.add(field, why());
        }
    }

    fn path(&mut self, path: &Path, field: &str) {
        let text = path.as_os_str();
        if text.is_empty() {
            self.add(field, "is required");
        } else if !path.is_absolute() {
            self.add(field, "must be an absolute path");
        } else if text.len() > MAX_PATH {
            self.add(field, format!("has {} bytes; at most {MAX_PATH} are allowed", text.len()));
        } else if path.components().any(|part| part == Component::ParentDir) {
            self.add(field, "must not contain '..'");
        } else if path.to_str().is_none_or(|text| text.chars().any(|c| c.is_control() || c == ',')) {
            // A comma separates options in more than one VMM's own syntax.
            self.add(field, "must be UTF-8 without control characters and commas");
        }
    }
}

impl Draft {
    /// Checks everything that can be told without looking at a host.
    ///
    /// # Errors
    /// Every violation, with the path of its field.
    pub fn check(self) -> Result<Spec, Vec<Violation>> {
        let mut found = Findings(Vec::new());
        check_driver(&self, &mut found);
        check_cpu(&self.cpu, &mut found);
        check_memory(&self.memory, &mut found);
        check_payload(&self.payload, self.memory.size_bytes, &mut found);
        check_disks(&self, &mut found);
        check_nics(&self, &mut found);
        check_devices(&self, &mut found);
        check_shared_memory(&self, &mut found);
        further::check(&self, &mut found);
        if found.0.is_empty() { Ok(Spec(Arc::new(self))) } else { Err(found.0) }
    }
}

fn check_driver(draft: &Draft, found: &mut Findings) {
    if let super::Driver::Named(name) = &draft.driver {
        found.unless(
            name.parse::<Name>().is_ok(),
            "vm.spec.driver",
            "must be 'auto' or a driver's name, such as 'qemu'",
        );
    }
}

fn check_cpu(cpu: &super::Cpu, found: &mut Findings) {
    found.range(&cpu.boot, &(1..=cpu::MAX_VCPUS), "vm.spec.cpu.boot");
    found.range(&cpu.max, &(1..=cpu::MAX_VCPUS), "vm.spec.cpu.max");
    found.unless(
        cpu.max >= cpu.boot,
        "vm.spec.cpu.max",
        format!("is {}, less than boot, which is {}", cpu.max, cpu.boot),
    );
    if let Some(shape) = cpu.topology {
        let right = shape.total() == Some(cpu.max);
        let why = format!("the product of its parts must be cpu.max, which is {}", cpu.max);
        found.unless(right, "vm.spec.cpu.topology", why);
    }
    let mut seen = BTreeSet::new();
    for (i, pin) in cpu.pinning.iter().enumerate() {
        let field = format!("vm.spec.cpu.pinning[{i}]");
        found.unless(
            pin.vcpu < cpu.max,
            format!("{field}.vcpu"),
            format!("is {}; CPUs are 0 to {}", pin.vcpu, cpu.max.saturating_sub(1)),
        );
        found.unless(seen.insert(pin.vcpu), format!("{field}.vcpu"), "is pinned twice");
        found.unless(!pin.host_cpus.is_empty(), format!("{field}.host_cpus"), "is required");
    }
}

fn check_memory(memory: &super::Memory, found: &mut Findings) {
    let field = "vm.spec.memory.size_bytes";
    found.range(&memory.size_bytes, &(memory::MIN_BYTES..=memory::MAX_BYTES), field);
    found.unless(memory.size_bytes.is_multiple_of(memory::MIB), field, "must be a multiple of 1048576 (1 MiB)");
    let field = "vm.spec.memory.hotplug_bytes";
    found.range(&memory.hotplug_bytes, &(0..=memory::MAX_BYTES), field);
    found.unless(memory.hotplug_bytes.is_multiple_of(memory::MIB), field, "must be a multiple of 1048576 (1 MiB)");
    if let Some(page) = memory.huge_page_bytes {
        let field = "vm.spec.memory.huge_page_bytes";
        let right = page.is_power_of_two() && (2 * memory::MIB..=1 << 30).contains(&page);
        found.unless(right, field, "must be a power of two from 2097152 (2 MiB) to 1073741824 (1 GiB)");
        found.unless(!right || memory.size_bytes.is_multiple_of(page), field, "must divide memory.size_bytes");
    }
    if let Some(balloon) = &memory.balloon {
        found.unless(
            balloon.size_bytes <= memory.size_bytes,
            "vm.spec.memory.balloon.size_bytes",
            "is more than memory.size_bytes",
        );
    }
}

fn check_payload(payload: &Payload, size_bytes: u64, found: &mut Findings) {
    let cmdline = |text: &str, found: &mut Findings| {
        let field = "vm.spec.payload.cmdline";
        found.unless(
            text.len() <= payload::MAX_CMDLINE,
            field,
            format!("has {} bytes; at most {} are allowed", text.len(), payload::MAX_CMDLINE),
        );
        found.unless(!text.chars().any(char::is_control), field, "must not contain control characters");
    };
    match payload {
        Payload::Kernel { kernel, initramfs, cmdline: text } => {
            found.path(kernel, "vm.spec.payload.kernel");
            if let Some(initramfs) = initramfs {
                found.path(initramfs, "vm.spec.payload.initramfs");
            }
            cmdline(text, found);
        }
        Payload::Firmware { firmware } => found.path(firmware, "vm.spec.payload.firmware"),
        Payload::Image { name, cmdline: text } => {
            let least = payload::DEFAULT_IMAGE_LEAST_BYTES;
            let enough = name != payload::DEFAULT_IMAGE || !(memory::MIN_BYTES..least).contains(&size_bytes);
            let why = format!("is {size_bytes}; the image 'default' needs at least {least}");
            found.unless(enough, "vm.spec.memory.size_bytes", why);
            found.unless(
                name.parse::<Name>().is_ok(),
                "vm.spec.payload.image",
                "must be the name of an image, such as 'default'",
            );
            cmdline(text, found);
        }
    }
}

fn check_disks(draft: &Draft, found: &mut Findings) {
    let disks = &draft.disks;
    found.unless(
        disks.len() <= disk::MAX_DISKS,
        "vm.spec.disks",
        format!("has {} entries; at most {} are allowed", disks.len(), disk::MAX_DISKS),
    );
    let mut names = BTreeSet::new();
    let mut roots = 0;
    for (i, disk) in disks.iter().enumerate() {
        let field = format!("vm.spec.disks[{i}]");
        found.unless(disk.name.parse::<Name>().is_ok(), format!("{field}.name"), crate::name::ParseName.to_string());
        found.unless(
            names.insert(&disk.name),
            format!("{field}.name"),
            format!("{:?} is the name of another disk", disk.name),
        );
        roots += usize::from(disk.root);
        found.unless(!disk.root || roots == 1, format!("{field}.root"), "another disk is the root already");
        check_disk(disk, &field, found);
    }
}

fn check_disk(disk: &Disk, field: &str, found: &mut Findings) {
    match &disk.source {
        DiskSource::Path(path) => found.path(path, &format!("{field}.path")),
        DiskSource::Blank { size_bytes } => {
            let field = format!("{field}.blank.size_bytes");
            found.range(size_bytes, &(disk::MIN_BYTES..=disk::MAX_BYTES), &field);
            found.unless(size_bytes.is_multiple_of(512), field, "must be a multiple of 512");
        }
        DiskSource::Volume(name) => {
            found.unless(name.parse::<Name>().is_ok(), format!("{field}.volume"), "must be the name of a volume")
        }
        DiskSource::Image(name) => {
            found.unless(name.parse::<Name>().is_ok(), format!("{field}.image"), "must be the name of an image")
        }
        DiskSource::VhostUser { socket } => found.path(socket, &format!("{field}.vhost_user_socket")),
    }
    let serial = disk.serial.as_deref().unwrap_or_default();
    let right = serial.len() <= 20 && serial.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    found.unless(right, format!("{field}.serial"), "must be at most 20 of letters, digits, '-', '_' and '.'");
    check_queues(disk.queues, disk.queue_size, field, found);
    check_rate(disk.rate_limit.as_ref(), &format!("{field}.rate_limit"), found);
    let both = disk.rate_limit.is_some() && disk.rate_limit_group.is_some();
    found.unless(!both, format!("{field}.rate_limit_group"), "cannot be given beside rate_limit");
}

fn check_queues(queues: u32, size: u32, field: &str, found: &mut Findings) {
    found.range(&queues, &(0..=256), &format!("{field}.queues"));
    let right = size == 0 || (size.is_power_of_two() && (16..=32_768).contains(&size));
    found.unless(right, format!("{field}.queue_size"), "must be 0 or a power of two from 16 to 32768");
}

fn check_rate(rate: Option<&RateLimit>, field: &str, found: &mut Findings) {
    let Some(rate) = rate else { return };
    found.unless(rate.bandwidth.is_some() || rate.ops.is_some(), field, "limits nothing: give bandwidth, ops or both");
    for (name, bucket) in [("bandwidth", rate.bandwidth), ("ops", rate.ops)] {
        let Some(bucket) = bucket else { continue };
        found.unless(bucket.size > 0, format!("{field}.{name}.size"), "must be more than 0");
        found.unless(bucket.refill_ms > 0, format!("{field}.{name}.refill_ms"), "must be more than 0");
    }
}

fn check_nics(draft: &Draft, found: &mut Findings) {
    let nics = &draft.nics;
    found.unless(
        nics.len() <= nic::MAX_NICS,
        "vm.spec.nics",
        format!("has {} entries; at most {} are allowed", nics.len(), nic::MAX_NICS),
    );
    let (mut names, mut macs, mut ports) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (i, nic) in nics.iter().enumerate() {
        let field = format!("vm.spec.nics[{i}]");
        found.unless(nic.name.parse::<Name>().is_ok(), format!("{field}.name"), crate::name::ParseName.to_string());
        found.unless(
            names.insert(&nic.name),
            format!("{field}.name"),
            format!("{:?} is the name of another interface", nic.name),
        );
        if let Some(mac) = nic.mac {
            found.unless(macs.insert(mac), format!("{field}.mac"), "is the address of another interface");
        }
        if let Attachment::User { forwards } = &nic.attachment {
            for (j, forward) in forwards.iter().enumerate() {
                let right = ports.insert((forward.transport, forward.host_port));
                found.unless(right, format!("{field}.user.forwards[{j}].host_port"), "is forwarded twice");
            }
        }
        check_nic(nic, &field, found);
    }
}

fn check_nic(nic: &Nic, field: &str, found: &mut Findings) {
    let device = |name: &str, kind: &str, found: &mut Findings| {
        let right =
            (1..=15).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        found.unless(
            right,
            format!("{field}.{kind}"),
            "must be the name of a network device: 1 to 15 of letters, digits, '-', '_' and '.'",
        );
    };
    match &nic.attachment {
        Attachment::User { forwards } => {
            found.unless(
                forwards.len() <= nic::MAX_FORWARDS,
                format!("{field}.user.forwards"),
                format!("at most {} are allowed", nic::MAX_FORWARDS),
            );
            for (j, forward) in forwards.iter().enumerate() {
                found.unless(
                    forward.host_port > 0,
                    format!("{field}.user.forwards[{j}].host_port"),
                    "must be from 1 to 65535",
                );
                found.unless(
                    forward.guest_port > 0,
                    format!("{field}.user.forwards[{j}].guest_port"),
                    "must be from 1 to 65535",
                );
            }
        }
        Attachment::Network(name) => {
            found.unless(name.parse::<Name>().is_ok(), format!("{field}.network"), "must be the name of a network")
        }
        Attachment::Tap(name) => device(name, "tap", found),
        Attachment::Macvtap(name) => device(name, "macvtap", found),
        Attachment::VhostUser { socket } => found.path(socket, &format!("{field}.vhost_user_socket")),
    }
    let mtu = nic.mtu == 0 || (576..=65_535).contains(&nic.mtu);
    found.unless(mtu, format!("{field}.mtu"), "must be 0 or from 576 to 65535");
    check_queues(nic.queues, nic.queue_size, field, found);
    check_rate(nic.rx_rate_limit.as_ref(), &format!("{field}.rx_rate_limit"), found);
    check_rate(nic.tx_rate_limit.as_ref(), &format!("{field}.tx_rate_limit"), found);
}

fn check_console(console: &Console, field: &str, found: &mut Findings) {
    let path = format!("{field}.path");
    match (console.mode, &console.path) {
        (ConsoleMode::File | ConsoleMode::Tty, None) => found.add(path, "is required in this mode"),
        (ConsoleMode::File | ConsoleMode::Tty, Some(file)) => found.path(file, &path),
        (ConsoleMode::Off | ConsoleMode::Pty | ConsoleMode::Socket | ConsoleMode::Null, Some(_)) => {
            found.add(path, "is only for the modes file and tty");
        }
        (ConsoleMode::Off | ConsoleMode::Pty | ConsoleMode::Socket | ConsoleMode::Null, None) => {}
    }
}

fn check_devices(draft: &Draft, found: &mut Findings) {
    check_console(&draft.serial, "vm.spec.serial", found);
    check_console(&draft.console, "vm.spec.console", found);
    if let Some(rng) = &draft.rng {
        // Any other file would be read to the guest, whatever it holds.
        let right = device::RNG_SOURCES.iter().any(|source| rng.source.as_os_str() == *source);
        let why = format!("must be one of {}", device::RNG_SOURCES.join(", "));
        found.unless(right, "vm.spec.rng.source", why);
    }
    if let Some(vsock) = draft.vsock {
        found.range(&vsock.cid, &(3..=u32::MAX - 1), "vm.spec.vsock.cid");
    }
    if let Some(seed) = &draft.cloud_init {
        for (name, text) in
            [("user_data", &seed.user_data), ("meta_data", &seed.meta_data), ("network_config", &seed.network_config)]
        {
            let why = format!("has {} bytes; at most {} are allowed", text.len(), device::MAX_CLOUD_INIT);
            found.unless(text.len() <= device::MAX_CLOUD_INIT, format!("vm.spec.cloud_init.{name}"), why);
        }
    }
    if let Some(metadata) = &draft.metadata {
        let why = format!("has {} bytes; at most {} are allowed", metadata.json.len(), device::MAX_CLOUD_INIT);
        found.unless(metadata.json.len() <= device::MAX_CLOUD_INIT, "vm.spec.metadata.json", why);
        for (i, name) in metadata.nics.iter().enumerate() {
            let known = draft.nics.iter().any(|nic| nic.name == *name);
            found.unless(known, format!("vm.spec.metadata.nics[{i}]"), "is not the name of an interface of this VM");
        }
    }
    check_readiness(draft.readiness.as_ref(), found);
}

fn check_readiness(readiness: Option<&Readiness>, found: &mut Findings) {
    let Some(readiness) = readiness else { return };
    let seconds = readiness.timeout.as_secs();
    found.range(&seconds, &(1..=3600), "vm.spec.readiness.timeout");
    match &readiness.probe {
        super::ReadinessProbe::Serial { text } => {
            found.unless((1..=256).contains(&text.len()), "vm.spec.readiness.serial_text", "must have 1 to 256 bytes");
        }
        super::ReadinessProbe::Tcp { port } => {
            found.unless(*port > 0, "vm.spec.readiness.tcp_port", "must be from 1 to 65535")
        }
        super::ReadinessProbe::Http { port, path } => {
            found.unless(*port > 0, "vm.spec.readiness.http.port", "must be from 1 to 65535");
            found.unless(
                path.starts_with('/') && path.len() <= MAX_PATH,
                "vm.spec.readiness.http.path",
                "must begin with '/'",
            );
        }
        super::ReadinessProbe::Vsock { .. } | super::ReadinessProbe::GuestAgent => {}
    }
}

/// vhost-user back ends read the guest's memory: without sharing it they cannot work.
fn check_shared_memory(draft: &Draft, found: &mut Findings) {
    let disks = draft.disks.iter().any(|disk| matches!(disk.source, DiskSource::VhostUser { .. }));
    let nics = draft.nics.iter().any(|nic| matches!(nic.attachment, Attachment::VhostUser { .. }));
    let devices = draft.devices.iter().any(|device| match device.kind {
        super::DeviceKind::Share { .. } | super::DeviceKind::VhostUser { .. } => true,
        super::DeviceKind::Pmem { .. }
        | super::DeviceKind::Vdpa { .. }
        | super::DeviceKind::Passthrough { .. }
        | super::DeviceKind::VfioUser { .. } => false,
    });
    let right = draft.memory.shared || !(disks || nics || devices);
    found.unless(right, "vm.spec.memory.shared", "must be true: a vhost-user device reads the guest's memory");
}

#[cfg(test)]
mod tests;
