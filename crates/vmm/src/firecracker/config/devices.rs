//! Devices, each as the call that makes it; a device that is plugged later is made by the same call.

use super::{Blueprint, Calls, Error, choice, text};
use crate::firecracker::folder::{Names, VSOCK};
use crate::firecracker::model::{Balloon, Drive, Entropy, Interface, MemoryHotplug, MetadataConfig, Pmem, Vsock, id};
use crate::http::{Call, Method};
use weft_domain::InstanceId;
use weft_domain::spec::{
    Attachment, Balloon as AskedBalloon, Device, DeviceKind, Disk, DiskCache, DiskSource, IoEngine, Mac, Metadata,
    MetadataVersion, Nic,
};

pub(super) fn add(blueprint: &Blueprint<'_>, calls: &mut Calls) -> Result<(), Error> {
    let spec = blueprint.spec();
    for disk in &spec.disks {
        calls.0.push(drive(disk)?);
    }
    for device in &spec.devices {
        calls.0.push(device_call(device)?);
    }
    for (i, nic) in spec.nics.iter().enumerate() {
        calls.0.push(interface(nic, i, &blueprint.order.instance)?);
    }
    if let Some(vsock) = &spec.vsock {
        calls.put("/vsock", &Vsock { guest_cid: vsock.cid, uds_path: VSOCK })?;
    }
    if let Some(rng) = &spec.rng {
        calls.put("/entropy", &Entropy { rate_limiter: rng.rate_limit.map(Into::into) })?;
    }
    if let Some(asked) = &spec.memory.balloon {
        calls.put("/balloon", &balloon(asked))?;
    }
    if spec.memory.hotplug_bytes > 0 {
        calls.put("/hotplug/memory", &MemoryHotplug { total_size_mib: spec.memory.hotplug_bytes >> 20 })?;
    }
    if let Some(metadata) = &spec.metadata {
        calls.put("/mmds/config", &metadata_config(metadata))?;
        calls.push(Method::Put, "/mmds", choice::object(&metadata.json, choice::METADATA)?);
    }
    Ok(())
}

fn call(path: String, body: &impl serde::Serialize) -> Result<Call, Error> {
    Ok(Call::with(Method::Put, path, serde_json::to_value(body).map_err(Error::Say)?))
}

/// The call that makes a disk.
pub(in crate::firecracker) fn drive(disk: &Disk) -> Result<Call, Error> {
    let mut drive = Drive {
        drive_id: id(&disk.name),
        is_root_device: disk.root,
        partuuid: disk.partuuid.clone(),
        // Firecracker itself would lose what a guest was told is safe.
        cache_type: Some(match disk.cache {
            DiskCache::Auto | DiskCache::Writeback => "Writeback",
            DiskCache::Unsafe => "Unsafe",
        }),
        ..Drive::default()
    };
    if let DiskSource::VhostUser { socket } = &disk.source {
        drive.socket = Some(text(socket)?);
    } else {
        drive.path_on_host = Some(Names::disk(&disk.name));
        drive.is_read_only = Some(disk.read_only);
        drive.rate_limiter = disk.rate_limit.map(Into::into);
        drive.io_engine = match disk.io_engine {
            IoEngine::Auto => None,
            IoEngine::Sync => Some("Sync"),
            IoEngine::Async => Some("Async"),
        };
    }
    call(format!("/drives/{}", drive.drive_id), &drive)
}

/// The call that makes an interface, the one of this number.
pub(in crate::firecracker) fn interface(nic: &Nic, index: usize, instance: &InstanceId) -> Result<Call, Error> {
    let Attachment::Tap(tap) = &nic.attachment else {
        return Err(choice::unserved(&format!("vm.spec.nics[{index}]"), "driver firecracker serves taps only"));
    };
    let mac = nic.mac.unwrap_or_else(|| Mac::derived(instance, u8::try_from(index).unwrap_or(u8::MAX)));
    let interface = Interface {
        iface_id: id(&nic.name),
        host_dev_name: tap.clone(),
        guest_mac: mac.to_string(),
        mtu: (nic.mtu > 0).then_some(nic.mtu),
        rx_rate_limiter: nic.rx_rate_limit.map(Into::into),
        tx_rate_limiter: nic.tx_rate_limit.map(Into::into),
    };
    call(format!("/network-interfaces/{}", interface.iface_id), &interface)
}

/// The call that makes a further device.
pub(in crate::firecracker) fn device_call(device: &Device) -> Result<Call, Error> {
    match &device.kind {
        DeviceKind::Pmem { read_only, root, rate_limit, .. } => {
            let pmem = Pmem {
                id: id(&device.name),
                path_on_host: Names::pmem(&device.name),
                root_device: *root,
                read_only: *read_only,
                rate_limiter: rate_limit.map(Into::into),
            };
            call(format!("/pmem/{}", pmem.id), &pmem)
        }
        DeviceKind::Share { .. }
        | DeviceKind::Vdpa { .. }
        | DeviceKind::Passthrough { .. }
        | DeviceKind::VfioUser { .. }
        | DeviceKind::VhostUser { .. } => {
            let why = format!("device {} is of a kind that driver firecracker does not serve", device.name);
            Err(choice::unserved("vm.spec.devices", &why))
        }
    }
}

fn balloon(asked: &AskedBalloon) -> Balloon {
    Balloon {
        amount_mib: asked.size_bytes >> 20,
        deflate_on_oom: asked.deflate_on_oom,
        stats_polling_interval_s: asked.statistics_seconds,
        free_page_hinting: asked.free_page_hinting,
        free_page_reporting: asked.free_page_reporting,
    }
}

fn metadata_config(metadata: &Metadata) -> MetadataConfig {
    MetadataConfig {
        network_interfaces: metadata.nics.iter().map(|name| id(name)).collect(),
        version: match metadata.version {
            MetadataVersion::V1 => "V1",
            MetadataVersion::V2 => "V2",
        },
        ipv4_address: metadata.address,
        imds_compat: metadata.imds_compatible,
    }
}
