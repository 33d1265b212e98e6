//! What makes a configuration wrong: checked when it boots and when a device is added, not when it is created.

use super::refusal::Why;
use serde_json::Value;
use std::collections::BTreeSet;

/// The most vCPUs.
const VCPUS: u64 = 8192;
/// The least MTU.
const MTU: u64 = 1280;

fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or_default()
}

fn flag(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or_default()
}

fn given(value: &Value, name: &str) -> bool {
    value.get(name).is_some_and(|value| !value.is_null())
}

/// The devices of a list in a configuration.
pub(crate) fn list<'a>(config: &'a Value, name: &str) -> &'a [Value] {
    config.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// All memory that the machine begins with.
pub(crate) fn memory_size(config: &Value) -> u64 {
    let memory = &config["memory"];
    let zones: u64 = list(memory, "zones").iter().map(|zone| number(zone, "size")).sum();
    number(memory, "size") + number(memory, "hotplugged_size") + zones
}

fn shared(config: &Value) -> bool {
    let memory = &config["memory"];
    let good = |place: &Value| flag(place, "shared") || flag(place, "hugepages");
    let zones = list(memory, "zones");
    good(memory) || (number(memory, "size") == 0 && !zones.is_empty() && zones.iter().all(good))
}

fn ensure(so: bool, why: impl FnOnce() -> String) -> Result<(), Why> {
    if so { Ok(()) } else { Err(Why::Invalid(why())) }
}

/// Whether a configuration can boot.
pub(crate) fn check(config: &Value) -> Result<(), Why> {
    let payload = &config["payload"];
    let bootable = given(payload, "kernel") || given(payload, "firmware");
    ensure(bootable, || "No bootitem provided: neither firmware nor kernel".to_owned())?;
    ensure(!(given(payload, "kernel") && given(payload, "firmware")), || {
        "a payload is either a firmware or a kernel".to_owned()
    })?;
    for console in ["console", "serial"] {
        let console = &config[console];
        let bare = console["mode"] == "File" && !given(console, "file");
        ensure(!bare, || "a console of mode File needs a path".to_owned())?;
    }
    cpus(&config["cpus"])?;
    memory(&config["memory"])?;
    for disk in list(config, "disks") {
        self::disk(disk, config)?;
    }
    for net in list(config, "net") {
        self::net(net, config)?;
    }
    backends(config)?;
    if given(config, "vsock") {
        let cid = number(&config["vsock"], "cid");
        ensure(![0, 1, 2, u64::from(u32::MAX)].contains(&cid), || format!("the vsock cid {cid} is one of the host's"))?;
    }
    if given(config, "balloon") {
        let (size, ram) = (number(&config["balloon"], "size"), memory_size(config));
        ensure(size < ram, || format!("the balloon of {size} bytes is not smaller than the memory of {ram} bytes"))?;
    }
    segments(config)?;
    identifiers(config)
}

fn cpus(cpus: &Value) -> Result<(), Why> {
    let (boot, max) = (number(cpus, "boot_vcpus"), number(cpus, "max_vcpus"));
    ensure(max >= boot, || format!("max_vcpus {max} is lower than boot_vcpus {boot}"))?;
    ensure(max <= VCPUS, || format!("{max} vCPUs are more than {VCPUS}"))?;
    let Some(topology) = cpus.get("topology").filter(|topology| !topology.is_null()) else { return Ok(()) };
    let parts = ["threads_per_core", "cores_per_die", "dies_per_package", "packages"];
    let parts = parts.map(|part| number(topology, part));
    ensure(!parts.contains(&0), || "a part of the topology is zero".to_owned())?;
    ensure(parts[0] <= 2, || "a core has more than two threads".to_owned())?;
    ensure(parts.iter().product::<u64>() == max, || "the topology does not come to max_vcpus".to_owned())
}

fn memory(memory: &Value) -> Result<(), Why> {
    for place in std::iter::once(memory).chain(list(memory, "zones")) {
        if given(place, "hugepage_size") {
            ensure(flag(place, "hugepages"), || "hugepage_size needs hugepages".to_owned())?;
            let size = number(place, "hugepage_size");
            if !size.is_power_of_two() {
                let why = format!("no huge pages of {size} bytes can be had");
                return Err(Why::Failed(vec!["Memory manager error".to_owned(), why]));
            }
        }
        let both = flag(place, "shared") && flag(place, "mergeable");
        ensure(!both, || "memory is either shared or mergeable".to_owned())?;
    }
    Ok(())
}

fn queues(size: u64) -> Result<(), Why> {
    ensure(size.is_power_of_two() && size <= 32768, || format!("the queue size {size} is no power of 2 up to 32768"))
}

fn vhost(device: &Value, config: &Value) -> Result<(), Why> {
    if !flag(device, "vhost_user") {
        return Ok(());
    }
    ensure(shared(config), || "vhost-user needs shared memory".to_owned())?;
    ensure(given(device, "vhost_socket"), || "vhost-user needs a socket".to_owned())?;
    let limited = given(device, "rate_limiter_config") || given(device, "rate_limit_group");
    ensure(!limited, || "vhost-user takes no rate limiter".to_owned())?;
    ensure(!flag(device, "iommu"), || "vhost-user takes no iommu".to_owned())
}

fn disk(disk: &Value, config: &Value) -> Result<(), Why> {
    let both = given(disk, "vhost_socket") && given(disk, "path");
    ensure(!both, || "a disk has either a path or a vhost-user socket".to_owned())?;
    vhost(disk, config)?;
    if let Some(group) = disk.get("rate_limit_group").filter(|group| !group.is_null()) {
        let known = list(config, "rate_limit_groups").iter().any(|known| known["id"] == *group);
        let alone = !given(disk, "rate_limiter_config");
        ensure(known && alone, || format!("the rate limit group {group} is not known, or a limiter stands beside it"))?;
    }
    let (queues, vcpus) = (number(disk, "num_queues"), number(&config["cpus"], "boot_vcpus"));
    ensure(queues <= vcpus, || format!("{queues} queues are more than {vcpus} vCPUs"))?;
    let size = number(disk, "queue_size");
    self::queues(size)?;
    ensure(size > 2, || format!("the queue size {size} is too small"))?;
    let serial = disk.get("serial").and_then(Value::as_str).unwrap_or_default().len();
    ensure(serial <= 20, || format!("the serial number of {serial} bytes is longer than 20"))
}

fn net(net: &Value, config: &Value) -> Result<(), Why> {
    vhost(net, config)?;
    let (queues, vcpus) = (number(net, "num_queues"), number(&config["cpus"], "boot_vcpus"));
    ensure(queues >= 2, || format!("{queues} queues are less than 2"))?;
    if let Some(fds) = net.get("fds").and_then(Value::as_array) {
        let lines = fds.len() as u64 * 2;
        ensure(lines == queues, || format!("{queues} queues do not fit descriptors for {lines}"))?;
    }
    ensure(queues / 2 <= vcpus, || format!("{queues} queues are too many for {vcpus} vCPUs"))?;
    self::queues(number(net, "queue_size"))?;
    ensure(!given(net, "mtu") || number(net, "mtu") >= MTU, || format!("the MTU is less than {MTU}"))?;
    let offloads = flag(net, "offload_csum") || !(flag(net, "offload_tso") || flag(net, "offload_ufo"));
    ensure(offloads, || "offload_tso and offload_ufo need offload_csum".to_owned())?;
    ensure(given(net, "ip") == given(net, "mask"), || "ip and mask come together".to_owned())
}

fn backends(config: &Value) -> Result<(), Why> {
    for kind in ["fs", "generic_vhost_user", "user_devices"] {
        ensure(list(config, kind).is_empty() || shared(config), || format!("{kind} needs shared memory"))?;
    }
    for fs in list(config, "fs") {
        let tag = fs.get("tag").and_then(Value::as_str).unwrap_or_default().len();
        ensure(tag <= 36, || format!("the tag of {tag} bytes is longer than 36"))?;
        ensure(number(fs, "num_queues") <= number(&config["cpus"], "boot_vcpus"), || "too many queues".to_owned())?;
        queues(number(fs, "queue_size"))?;
    }
    let mut paths = BTreeSet::new();
    for device in list(config, "devices") {
        let path = device.get("path").and_then(Value::as_str);
        ensure(path.is_some() || given(device, "fd"), || "a device needs a path or a descriptor".to_owned())?;
        if let Some(path) = path.filter(|path| !paths.insert(path.to_string())) {
            return Err(Why::NotUnique(path.to_owned()));
        }
    }
    Ok(())
}

fn devices(config: &Value) -> impl Iterator<Item = &Value> {
    let lists = ["disks", "net", "fs", "generic_vhost_user", "pmem", "user_devices", "vdpa", "devices"];
    let single = ["rng", "rtc", "console", "balloon", "vsock"];
    let many = lists.into_iter().flat_map(|name| list(config, name));
    many.chain(single.into_iter().filter_map(|name| config.get(name).filter(|value| value.is_object())))
}

fn segments(config: &Value) -> Result<(), Why> {
    let count = config.get("platform").map_or(1, |platform| number(platform, "num_pci_segments"));
    ensure((1..=96).contains(&count), || format!("{count} PCI segments are not 1 to 96"))?;
    let outside = devices(config).find(|device| number(device, "pci_segment") >= count);
    ensure(outside.is_none(), || "a device lies on a PCI segment that is not there".to_owned())
}

fn identifiers(config: &Value) -> Result<(), Why> {
    let mut seen = BTreeSet::new();
    let groups = list(config, "rate_limit_groups").iter();
    for id in groups.chain(devices(config)).filter_map(|device| device.get("id")?.as_str()) {
        ensure(!id.starts_with("__"), || format!("the identifier {id} is one of the machine's own"))?;
        if !seen.insert(id) {
            return Err(Why::NotUnique(id.to_owned()));
        }
    }
    Ok(())
}
