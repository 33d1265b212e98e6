//! What the driver chooses where it is free to, and what it refuses because it cannot be had together, or
//! not from this version.

use crate::firecracker::Error;
use crate::firecracker::version::{HOTPLUG, PCI, Version};
use serde_json::Value;
use weft_domain::Violation;
use weft_domain::spec::{Balloon, DeviceKind, DiskSource, Draft, Machine, Payload, memory::MIB};

/// The field of the metadata's content.
pub(in crate::firecracker) const METADATA: &str = "vm.spec.metadata.json";

/// The most virtual CPUs of a machine.
const MAX_VCPUS: u32 = 32;
/// The pages that can be huge, in bytes.
const HUGE_PAGE: u64 = 2 * MIB;
/// The step in which memory is laid out that can be plugged, in bytes.
pub(in crate::firecracker) const SLOT: u64 = 128 * MIB;
/// The step in which it is plugged, in bytes.
pub(in crate::firecracker) const BLOCK: u64 = 2 * MIB;
/// CPU templates that are built in.
const TEMPLATES: [&str; 7] = ["C3", "T2", "T2S", "T2CL", "T2A", "V1N1", "None"];
/// What the host is asked for randomness.
const RNG_SOURCE: &str = "/dev/urandom";

/// The machine model for this specification.
///
/// Devices can be plugged on PCI alone, and are faster there. So PCI is chosen where devices can be plugged
/// at all, unless the kernel is told that there is none.
pub(in crate::firecracker) fn machine(draft: &Draft, version: &Version) -> Machine {
    match draft.machine {
        Machine::Auto if version.has(HOTPLUG) && !forbids_pci(draft) => Machine::Pc,
        Machine::Auto => Machine::Microvm,
        named @ (Machine::Microvm | Machine::Pc | Machine::Q35) => named,
    }
}

/// Whether this word is said on a kernel's command line.
pub(in crate::firecracker) fn says(cmdline: &str, beginning: &str) -> bool {
    cmdline.split_whitespace().any(|word| word.starts_with(beginning))
}

fn forbids_pci(draft: &Draft) -> bool {
    let (Payload::Kernel { cmdline, .. } | Payload::Image { cmdline, .. }) = &draft.payload else { return false };
    cmdline.split_whitespace().any(|word| word == "pci=off")
}

/// What is served alone and not together.
pub(in crate::firecracker) fn refused(draft: &Draft, machine: Machine, version: &Version) -> Vec<Violation> {
    let mut found = Findings { found: Vec::new(), version };
    processors(draft, &mut found);
    memory(draft, &mut found);
    disks(draft, &mut found);
    devices(draft, &mut found);
    if machine == Machine::Pc {
        found.since(PCI, true, "vm.spec.machine");
        found.when(forbids_pci(draft), "vm.spec.payload.cmdline", "forbids the PCI that the machine pc is made of");
    }
    if let Some(rng) = &draft.rng {
        let other = rng.source.as_os_str() != RNG_SOURCE;
        found.when(other, "vm.spec.rng.source", &format!("driver firecracker takes {RNG_SOURCE} alone"));
    }
    if let Some(metadata) = &draft.metadata {
        found.since(PCI, metadata.imds_compatible, "vm.spec.metadata.imds_compatible");
        found.when(!is_object(&metadata.json), METADATA, "must be a JSON object");
    }
    found.found
}

struct Findings<'a> {
    found: Vec<Violation>,
    version: &'a Version,
}

impl Findings<'_> {
    fn when(&mut self, wrong: bool, field: &str, why: &str) {
        if wrong {
            self.found.push(Violation { field: field.to_owned(), why: why.to_owned() });
        }
    }

    fn since(&mut self, since: crate::firecracker::version::Line, asked: bool, field: &str) {
        let why = format!("is served by Firecracker from {since} on; this is {}", self.version);
        self.when(asked && !self.version.has(since), field, &why);
    }
}

fn processors(draft: &Draft, found: &mut Findings<'_>) {
    let cpu = &draft.cpu;
    let why = format!("is {}; driver firecracker gives a machine at most {MAX_VCPUS}", cpu.boot);
    found.when(cpu.boot > MAX_VCPUS, "vm.spec.cpu.boot", &why);
    if let Some(shape) = &cpu.topology {
        let plain = shape.threads_per_core <= 2 && shape.dies_per_package == 1 && shape.packages == 1;
        let why = "driver firecracker knows one package with one die, and one or two threads per core";
        found.when(!plain, "vm.spec.cpu.topology", why);
    }
    if let Some(name) = &cpu.template {
        let why = format!("must be one of {}", TEMPLATES.join(", "));
        found.when(!TEMPLATES.contains(&name.as_str()), "vm.spec.cpu.template", &why);
    }
    let wrong = cpu.custom_template.as_ref().is_some_and(|text| !is_object(text));
    found.when(wrong, "vm.spec.cpu.custom_template", "must be a JSON object in Firecracker's form");
}

fn memory(draft: &Draft, found: &mut Findings<'_>) {
    let memory = &draft.memory;
    let other = memory.huge_page_bytes.is_some_and(|bytes| bytes != HUGE_PAGE);
    found.when(other, "vm.spec.memory.huge_page_bytes", "driver firecracker serves pages of 2097152 (2 MiB)");
    let both = memory.huge_page_bytes.is_some() && memory.thp;
    found.when(both, "vm.spec.memory.thp", "cannot be asked for beside huge pages");
    let whole = memory.size_bytes.is_multiple_of(HUGE_PAGE);
    let huge = memory.huge_page_bytes.is_some() || memory.thp;
    found.when(huge && !whole, "vm.spec.memory.size_bytes", "must be a multiple of 2097152 for huge pages");
    let whole = memory.hotplug_bytes.is_multiple_of(SLOT);
    let why = format!("driver firecracker plugs memory in multiples of {SLOT} (128 MiB)");
    found.when(!whole, "vm.spec.memory.hotplug_bytes", &why);
    if let Some(Balloon { size_bytes, statistics_seconds, .. }) = &memory.balloon {
        let large = *size_bytes > memory.size_bytes;
        found.when(large, "vm.spec.memory.balloon.size_bytes", "is more than the memory");
        let long = *statistics_seconds > u32::from(u16::MAX);
        found.when(long, "vm.spec.memory.balloon.statistics_seconds", "must be at most 65535");
    }
}

fn disks(draft: &Draft, found: &mut Findings<'_>) {
    for (i, disk) in draft.disks.iter().enumerate() {
        if matches!(disk.source, DiskSource::VhostUser { .. }) {
            let at = |name: &str| format!("vm.spec.disks[{i}].{name}");
            found.when(disk.read_only, &at("read_only"), "is the vhost-user back end's own to say");
            found.when(disk.rate_limit.is_some(), &at("rate_limit"), "is the vhost-user back end's own to hold");
            let shared = draft.memory.shared;
            found.when(!shared, "vm.spec.memory.shared", "is needed by a vhost-user back end");
        }
    }
}

fn devices(draft: &Draft, found: &mut Findings<'_>) {
    for (i, device) in draft.devices.iter().enumerate() {
        let at = |name: &str| format!("vm.spec.devices[{i}].pmem.{name}");
        if let DeviceKind::Pmem { size_bytes, rate_limit, .. } = &device.kind {
            let why = "driver firecracker takes the file's own size: leave it 0";
            found.when(*size_bytes > 0, &at("size_bytes"), why);
            found.since(HOTPLUG, rate_limit.is_some(), &at("rate_limit"));
        }
    }
}

/// The refusal of one field.
pub(in crate::firecracker) fn unserved(field: &str, why: &str) -> Error {
    Error::Unserved(vec![Violation { field: field.to_owned(), why: why.to_owned() }])
}

fn is_object(text: &str) -> bool {
    matches!(serde_json::from_str(text), Ok(Value::Object(_)))
}

/// The JSON object in a field.
pub(in crate::firecracker) fn object(text: &str, field: &str) -> Result<Value, Error> {
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) | Err(_) => Err(unserved(field, "must be a JSON object")),
    }
}
