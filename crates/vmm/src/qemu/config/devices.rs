//! Disks, interfaces and further devices, each in its place.

use super::place::{Bus, Sort, is_played};
use super::{Blueprint, Line, choice, consoles, disk, memory, nic, platform, text};
use crate::qemu::Error;
use serde_json::{Value, json};
use std::path::Path;
use weft_domain::spec::{Device, DeviceKind, DiskSource, Memory, Rng, VhostMode};

pub(super) fn add(blueprint: &Blueprint<'_>, line: &mut Line) -> Result<(), Error> {
    let spec = &blueprint.order.spec;
    let mut bus = Bus::of(blueprint.chosen.machine);
    platform::iommu(spec, line);
    for bridge in Bus::bridges(blueprint.chosen.machine) {
        line.json("-device", &bridge);
    }
    disks(blueprint, &mut bus, line)?;
    nics(blueprint, &mut bus, line)?;
    if let Some(rng) = &spec.rng {
        line.json("-object", &json!({"qom-type": "rng-random", "id": "rng", "filename": text(&rng.source)?}));
        line.json("-device", &bus.root(bus.name("virtio-rng", random(rng))));
    }
    memory::devices(blueprint, &mut bus, line);
    consoles::virtio(blueprint, &mut bus, line)?;
    if let Some(vsock) = spec.vsock {
        let device = json!({"id": "vsock", "guest-cid": vsock.cid});
        line.json("-device", &bus.root(bus.name("vhost-vsock", device)));
    }
    platform::add(blueprint, &mut bus, line)?;
    let mut sizes = blueprint.pmem_bytes.iter();
    for device in &spec.devices {
        let parts = further(device, &spec.memory, &mut sizes)?;
        if let Some((id, path)) = parts.socket {
            line.option("-chardev", disk::socket(&id, path)?);
        }
        if let Some(object) = parts.object {
            line.json("-object", &object);
        }
        line.json("-device", &placed(blueprint, &mut bus, device.iommu, parts.device));
    }
    Ok(())
}

/// In its slot, or on the root bus where an IOMMU must tell it from others.
fn placed(blueprint: &Blueprint<'_>, bus: &mut Bus, behind_iommu: bool, device: Value) -> Value {
    let slot = device["id"].as_str().and_then(|id| blueprint.layout.slots.get(id)).copied();
    match slot {
        Some(slot) if !behind_iommu => bus.plug(device, slot),
        Some(_) | None => bus.root(device),
    }
}

fn disks(blueprint: &Blueprint<'_>, bus: &mut Bus, line: &mut Line) -> Result<(), Error> {
    for (i, one) in blueprint.order.spec.disks.iter().enumerate() {
        let device = if let (true, DiskSource::VhostUser { socket }) = (is_played(one), &one.source) {
            let device = disk::played(one);
            line.option("-chardev", disk::socket(device["chardev"].as_str().unwrap_or_default(), socket)?);
            bus.name("vhost-user-blk", device)
        } else {
            let backing = blueprint.order.disks.get(i).zip(blueprint.media.get(i));
            let (backing, medium) = backing.ok_or_else(|| {
                choice::unserved(&format!("vm.spec.disks[{i}]"), "has no file: the order names fewer disks")
            })?;
            let node = disk::node(one);
            line.json("-blockdev", &disk::block_node(&node, one, backing, *medium)?);
            bus.name("virtio-blk", disk::device(one, &node))
        };
        line.json("-device", &placed(blueprint, bus, one.iommu, device));
    }
    Ok(())
}

fn nics(blueprint: &Blueprint<'_>, bus: &mut Bus, line: &mut Line) -> Result<(), Error> {
    let no_files = Vec::new();
    for (i, one) in blueprint.order.spec.nics.iter().enumerate() {
        let files = blueprint.taps.get(i).unwrap_or(&no_files);
        if let Some((id, path, mode)) = nic::socket(one) {
            let server = if mode == VhostMode::Server { ",server=on,wait=off" } else { "" };
            line.option("-chardev", format!("{}{server}", disk::socket(&id, path)?));
        }
        line.option("-netdev", nic::option(i, one, files));
        let device = bus.name("virtio-net", nic::device(i, one, &blueprint.order.instance));
        line.json("-device", &placed(blueprint, bus, one.iommu, device));
    }
    Ok(())
}

fn random(rng: &Rng) -> Value {
    let mut device = json!({"id": "rng0", "rng": "rng"});
    if let Some(bucket) = rng.rate_limit.and_then(|limit| limit.bandwidth) {
        device["max-bytes"] = json!(bucket.size);
        device["period"] = json!(bucket.refill_ms);
    }
    if rng.iommu {
        device["iommu_platform"] = json!(true);
    }
    device
}

/// What a further device is made of.
pub(in crate::qemu) struct Parts<'a> {
    /// The character device, by id, and the socket that it connects to.
    pub(in crate::qemu) socket: Option<(String, &'a Path)>,
    /// The object behind the device.
    pub(in crate::qemu) object: Option<Value>,
    /// The device, without its place.
    pub(in crate::qemu) device: Value,
}

/// The parts of a further device. Each persistent memory takes the next of `sizes`.
pub(in crate::qemu) fn further<'a, 's>(
    device: &'a Device,
    memory: &Memory,
    sizes: &mut impl Iterator<Item = &'s u64>,
) -> Result<Parts<'a>, Error> {
    let id = Sort::Device.id(&device.name);
    let parts = match &device.kind {
        DeviceKind::Pmem { path, .. } => {
            let bytes = sizes.next().copied().unwrap_or_default();
            let object = json!({
                "qom-type": "memory-backend-file", "id": format!("{id}-bytes"), "size": bytes, "mem-path": text(path)?,
                "share": true, "prealloc": memory.prefault,
            });
            let device = json!({"driver": "virtio-pmem-pci", "memdev": format!("{id}-bytes"), "id": id});
            Parts { socket: None, object: Some(object), device }
        }
        DeviceKind::Share { tag, socket, queues, queue_size } => {
            let chardev = format!("{id}-socket");
            let mut device = json!({"driver": "vhost-user-fs-pci", "chardev": chardev, "tag": tag, "id": id});
            if *queues > 0 {
                device["num-request-queues"] = json!(queues);
            }
            if *queue_size > 0 {
                device["queue-size"] = json!(queue_size);
            }
            Parts { socket: Some((chardev, socket)), object: None, device }
        }
        DeviceKind::Passthrough { path } => {
            let device = json!({"driver": "vfio-pci", "sysfsdev": text(path)?, "id": id});
            Parts { socket: None, object: None, device }
        }
        DeviceKind::Vdpa { .. } | DeviceKind::VfioUser { .. } | DeviceKind::VhostUser { .. } => {
            return Err(choice::unserved("vm.spec.devices", "driver qemu does not serve this kind of device"));
        }
    };
    Ok(parts)
}
