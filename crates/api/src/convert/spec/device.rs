//! Devices that are rarely asked for, the machine's description, NUMA nodes and shared rate limits, both
//! ways.

use super::limit::{rate, rate_limit, some, text};
use crate::convert::Found;
use crate::proto::weft::v1 as wire;
use weft_domain::spec::{Device, DeviceKind, NumaNode, Platform, RateLimitGroup};

/// A shared rate limit.
pub(super) fn group(group: wire::RateLimitGroup) -> RateLimitGroup {
    RateLimitGroup { name: group.name, limit: group.limit.into_option().map(rate_limit).unwrap_or_default() }
}

/// The written form of a shared rate limit.
pub(super) fn write_group(group: &RateLimitGroup) -> wire::RateLimitGroup {
    wire::RateLimitGroup { name: group.name.clone(), limit: rate(Some(group.limit)), ..Default::default() }
}

/// The further devices of a specification.
pub(super) fn all(devices: Vec<wire::Device>, found: &mut Found) -> Vec<Device> {
    let read =
        |(i, one): (usize, wire::Device)| device(one, &format!("device{i}"), &format!("vm.spec.devices[{i}]"), found);
    devices.into_iter().enumerate().filter_map(read).collect()
}

/// The device that is told at this field; nothing where it says not what it is.
pub(crate) fn device(device: wire::Device, default_name: &str, field: &str, found: &mut Found) -> Option<Device> {
    use wire::device::Kind;
    let kind = match device.kind {
        Some(Kind::Pmem(one)) => DeviceKind::Pmem {
            path: one.path.into(),
            size_bytes: one.size_bytes,
            read_only: one.read_only,
            root: one.root,
            rate_limit: one.rate_limit.into_option().map(rate_limit),
        },
        Some(Kind::Share(one)) => DeviceKind::Share {
            tag: one.tag,
            socket: one.socket.into(),
            queues: one.queues,
            queue_size: one.queue_size,
        },
        Some(Kind::Vdpa(one)) => DeviceKind::Vdpa { path: one.path.into(), queues: one.queues },
        Some(Kind::Passthrough(one)) => DeviceKind::Passthrough { path: one.path.into() },
        Some(Kind::VfioUser(one)) => DeviceKind::VfioUser { socket: one.socket.into() },
        Some(Kind::VhostUser(one)) => DeviceKind::VhostUser {
            socket: one.socket.into(),
            device_type: one.device_type,
            queue_sizes: one.queue_sizes,
        },
        None => {
            found.add(field, "needs one of pmem, share, vdpa, passthrough, vfio_user and vhost_user");
            return None;
        }
    };
    Some(Device {
        name: some(device.name).unwrap_or_else(|| default_name.to_owned()),
        kind,
        pci_segment: device.pci_segment,
        iommu: device.iommu,
    })
}

/// The written form of a device.
pub(crate) fn write_device(device: &Device) -> wire::Device {
    use wire::device::Kind;
    let kind = match &device.kind {
        DeviceKind::Pmem { path, size_bytes, read_only, root, rate_limit } => Kind::from(wire::Pmem {
            path: text(path),
            size_bytes: *size_bytes,
            read_only: *read_only,
            root: *root,
            rate_limit: rate(*rate_limit),
            ..Default::default()
        }),
        DeviceKind::Share { tag, socket, queues, queue_size } => Kind::from(wire::Share {
            tag: tag.clone(),
            socket: text(socket),
            queues: *queues,
            queue_size: *queue_size,
            ..Default::default()
        }),
        DeviceKind::Vdpa { path, queues } => {
            Kind::from(wire::Vdpa { path: text(path), queues: *queues, ..Default::default() })
        }
        DeviceKind::Passthrough { path } => Kind::from(wire::Passthrough { path: text(path), ..Default::default() }),
        DeviceKind::VfioUser { socket } => Kind::from(wire::VfioUser { socket: text(socket), ..Default::default() }),
        DeviceKind::VhostUser { socket, device_type, queue_sizes } => Kind::from(wire::VhostUser {
            socket: text(socket),
            device_type: *device_type,
            queue_sizes: queue_sizes.clone(),
            ..Default::default()
        }),
    };
    wire::Device {
        name: device.name.clone(),
        kind: Some(kind),
        pci_segment: device.pci_segment,
        iommu: device.iommu,
        ..Default::default()
    }
}

/// What a guest reads about its machine.
pub(super) fn platform(platform: wire::Platform) -> Platform {
    Platform {
        serial_number: some(platform.serial_number),
        uuid: some(platform.uuid),
        oem_strings: platform.oem_strings,
        manufacturer: some(platform.manufacturer),
        product: some(platform.product),
        version: some(platform.version),
        family: some(platform.family),
        sku: some(platform.sku),
        asset_tag: some(platform.asset_tag),
        pci_segments: platform.pci_segments,
        iommu_segments: platform.iommu_segments,
        iommu_address_bits: platform.iommu_address_bits,
    }
}

/// The written form of what a guest reads about its machine.
pub(super) fn write_platform(platform: &Platform) -> wire::Platform {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    wire::Platform {
        serial_number: text(&platform.serial_number),
        uuid: text(&platform.uuid),
        oem_strings: platform.oem_strings.clone(),
        manufacturer: text(&platform.manufacturer),
        product: text(&platform.product),
        version: text(&platform.version),
        family: text(&platform.family),
        sku: text(&platform.sku),
        asset_tag: text(&platform.asset_tag),
        pci_segments: platform.pci_segments,
        iommu_segments: platform.iommu_segments.clone(),
        iommu_address_bits: platform.iommu_address_bits,
        ..Default::default()
    }
}

/// The NUMA nodes of a guest.
pub(super) fn numa(nodes: Vec<wire::NumaNode>, found: &mut Found) -> Vec<NumaNode> {
    let mut read = |(i, node): (usize, wire::NumaNode)| {
        let told = node.distances.len();
        let distances: std::collections::BTreeMap<_, _> =
            node.distances.into_iter().map(|far| (far.node, far.distance)).collect();
        if distances.len() != told {
            found.add(format!("vm.spec.numa[{i}].distances"), "names a node twice");
        }
        NumaNode {
            id: node.id,
            cpus: node.cpus.into_iter().collect(),
            zones: node.zones,
            distances,
            pci_segments: node.pci_segments,
        }
    };
    nodes.into_iter().enumerate().map(&mut read).collect()
}

/// The written form of a NUMA node.
pub(super) fn write_node(node: &NumaNode) -> wire::NumaNode {
    let distances = node.distances.iter();
    wire::NumaNode {
        id: node.id,
        cpus: node.cpus.iter().copied().collect(),
        zones: node.zones.clone(),
        distances: distances
            .map(|(node, distance)| wire::NumaDistance { node: *node, distance: *distance, ..Default::default() })
            .collect(),
        pci_segments: node.pci_segments.clone(),
        ..Default::default()
    }
}
