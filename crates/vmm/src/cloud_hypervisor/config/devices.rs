//! Devices: each from the specification to its own message, also for one that is plugged later.

use super::gates::{self, Version};
use crate::cloud_hypervisor::model::{
    ConsoleConfig, ConsoleMode as Mode, DeviceConfig, DiskConfig, FsConfig, GenericVhostUserConfig, ImageType,
    NetConfig, PmemConfig, RateLimitGroupConfig, RateLimiterConfig, SerialConfig, TokenBucket as Bucket,
    UserDeviceConfig, VdpaConfig, VhostMode as End, VirtQueueAffinity, VsockConfig,
};
use std::path::Path;
use weft_domain::spec::{
    Attachment, Console, ConsoleMode, Device, DeviceKind, Disk, DiskFormat, DiskSource, Mac, Nic, RateLimit,
    RateLimitGroup, TokenBucket, VhostMode, Vsock,
};
use weft_ports::hypervisor::{Backing, Order};

/// The id of the vsock.
pub(in crate::cloud_hypervisor) const VSOCK: &str = "vsock";
/// Request queues of a shared folder, and entries of each, where nothing is asked.
const SHARE_QUEUES: (u32, u32) = (1, 1024);

/// A list, or nothing where it is empty.
pub(super) fn list<T>(items: impl Iterator<Item = T>) -> Option<Vec<T>> {
    let items: Vec<_> = items.collect();
    (!items.is_empty()).then_some(items)
}

/// The id of a disk.
pub(in crate::cloud_hypervisor) fn disk_id(name: &str) -> String {
    format!("disk-{name}")
}

/// The id of an interface.
pub(in crate::cloud_hypervisor) fn nic_id(name: &str) -> String {
    format!("nic-{name}")
}

/// The id of a further device.
pub(in crate::cloud_hypervisor) fn device_id(name: &str) -> String {
    format!("device-{name}")
}

fn group_id(name: &str) -> String {
    format!("group-{name}")
}

fn asked(number: u32) -> Option<u32> {
    (number > 0).then_some(number)
}

fn so(flag: bool) -> Option<bool> {
    flag.then_some(true)
}

fn bucket(bucket: TokenBucket) -> Bucket {
    let one_time_burst = (bucket.one_time_burst > 0).then_some(bucket.one_time_burst);
    Bucket { size: bucket.size, refill_time: bucket.refill_ms, one_time_burst }
}

fn limit(limit: &RateLimit) -> RateLimiterConfig {
    RateLimiterConfig { bandwidth: limit.bandwidth.map(bucket), ops: limit.ops.map(bucket) }
}

pub(super) fn group(group: &RateLimitGroup) -> RateLimitGroupConfig {
    RateLimitGroupConfig { id: group_id(&group.name), rate_limiter_config: limit(&group.limit) }
}

/// A disk with the file behind it, where it has one.
pub(in crate::cloud_hypervisor) fn disk(disk: &Disk, backing: Option<&Backing>, version: Version) -> DiskConfig {
    let socket = match &disk.source {
        DiskSource::VhostUser { socket } => Some(socket.clone()),
        DiskSource::Path(_) | DiskSource::Blank { .. } | DiskSource::Volume(_) | DiskSource::Image(_) => None,
    };
    let vhost = socket.is_some();
    let backing = backing.filter(|_| !vhost);
    let format = backing.map_or(disk.format, |backing| backing.format);
    let image = match format {
        DiskFormat::Raw => ImageType::Raw,
        DiskFormat::Qcow2 => ImageType::Qcow2,
    };
    let pins = disk.queue_pinning.iter();
    let pins = pins
        .map(|pin| VirtQueueAffinity { queue_index: pin.queue, host_cpus: pin.host_cpus.iter().copied().collect() });
    DiskConfig {
        id: disk_id(&disk.name),
        path: backing.map(|backing| backing.path.clone()),
        readonly: (!vhost).then_some(disk.read_only),
        direct: (!vhost).then_some(disk.direct),
        iommu: so(disk.iommu),
        num_queues: asked(disk.queues),
        queue_size: asked(disk.queue_size),
        vhost_user: so(vhost),
        vhost_socket: socket,
        rate_limiter_config: disk.rate_limit.as_ref().map(limit),
        rate_limit_group: disk.rate_limit_group.as_deref().map(group_id),
        pci_segment: asked(disk.pci_segment),
        serial: disk.serial.clone(),
        queue_affinity: list(pins),
        backing_files: so(disk.backing_files),
        sparse: disk.sparse,
        image_type: (!vhost && version.has(gates::IMAGE_TYPE)).then_some(image),
    }
}

/// Queue pairs of an interface.
const fn nic_queues(nic: &Nic) -> u32 {
    if nic.queues == 0 { 1 } else { nic.queues }
}

/// An interface; `index` is its place in the specification.
pub(in crate::cloud_hypervisor) fn nic(nic: &Nic, index: usize, order: &Order) -> NetConfig {
    let derived = || Mac::derived(&order.instance, u8::try_from(index).unwrap_or(u8::MAX));
    NetConfig { mac: Some(nic.mac.unwrap_or_else(derived).to_string()), ..plugged_nic(nic) }
}

/// An interface that is plugged later; its hardware address is made up where none is given.
pub(in crate::cloud_hypervisor) fn plugged_nic(nic: &Nic) -> NetConfig {
    let socket = match &nic.attachment {
        Attachment::VhostUser { socket } => Some(socket.clone()),
        Attachment::User { .. } | Attachment::Network(_) | Attachment::Tap(_) | Attachment::Macvtap(_) => None,
    };
    let vhost = socket.is_some();
    NetConfig {
        id: nic_id(&nic.name),
        mac: nic.mac.map(|mac| mac.to_string()),
        // That of a tap is set before it is handed over, and read from it.
        mtu: asked(nic.mtu).filter(|_| vhost),
        iommu: so(nic.iommu),
        // One for each direction: fewer than two are refused.
        num_queues: Some(nic_queues(nic) * 2),
        queue_size: asked(nic.queue_size),
        vhost_user: so(vhost),
        vhost_socket: socket,
        vhost_mode: vhost.then_some(match nic.vhost_mode {
            VhostMode::Client => End::Client,
            VhostMode::Server => End::Server,
        }),
        pci_segment: asked(nic.pci_segment),
        rate_limiter_config: nic.rx_rate_limit.as_ref().map(limit),
        offload_tso: nic.offloads.map(|offloads| offloads.tso),
        offload_ufo: nic.offloads.map(|offloads| offloads.ufo),
        offload_csum: nic.offloads.map(|offloads| offloads.csum),
    }
}

/// The serial port. weft's own console is the process's input and output: see `console`.
pub(super) fn serial(console: &Console) -> SerialConfig {
    let mode = match console.mode {
        ConsoleMode::Off => Mode::Off,
        ConsoleMode::Null => Mode::Null,
        ConsoleMode::Pty => Mode::Pty,
        ConsoleMode::File => Mode::File,
        ConsoleMode::Tty | ConsoleMode::Socket => Mode::Tty,
    };
    SerialConfig { mode, file: file(console) }
}

/// The virtio console, which has no socket: that is refused.
pub(super) fn console(console: &Console) -> ConsoleConfig {
    let mode = match console.mode {
        ConsoleMode::Off | ConsoleMode::Socket => Mode::Off,
        ConsoleMode::Null => Mode::Null,
        ConsoleMode::Pty => Mode::Pty,
        ConsoleMode::File => Mode::File,
        ConsoleMode::Tty => Mode::Tty,
    };
    ConsoleConfig { mode, file: file(console), iommu: so(console.iommu) }
}

fn file(console: &Console) -> Option<std::path::PathBuf> {
    console.path.clone().filter(|_| console.mode == ConsoleMode::File)
}

/// The vsock, whose socket is made in this folder.
pub(in crate::cloud_hypervisor) fn vsock(vsock: &Vsock, sockets: &Path) -> VsockConfig {
    VsockConfig {
        id: VSOCK.to_owned(),
        cid: vsock.cid,
        socket: sockets.join("vsock.sock"),
        iommu: so(vsock.iommu),
        pci_segment: asked(vsock.pci_segment),
    }
}

/// A further device as its own message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cloud_hypervisor) enum Further {
    Pmem(PmemConfig),
    Fs(FsConfig),
    Vdpa(VdpaConfig),
    Device(DeviceConfig),
    UserDevice(UserDeviceConfig),
    GenericVhostUser(GenericVhostUserConfig),
}

/// A further device.
pub(in crate::cloud_hypervisor) fn device(device: &Device) -> Further {
    let (id, pci_segment, iommu) = (device_id(&device.name), asked(device.pci_segment), so(device.iommu));
    match &device.kind {
        DeviceKind::Pmem { path, size_bytes, read_only, .. } => Further::Pmem(PmemConfig {
            id,
            file: path.clone(),
            size: (*size_bytes > 0).then_some(*size_bytes),
            iommu,
            discard_writes: Some(*read_only),
            pci_segment,
        }),
        DeviceKind::Share { tag, socket, queues, queue_size } => Further::Fs(FsConfig {
            id,
            tag: tag.clone(),
            socket: socket.clone(),
            num_queues: asked(*queues).unwrap_or(SHARE_QUEUES.0),
            queue_size: asked(*queue_size).unwrap_or(SHARE_QUEUES.1),
            pci_segment,
        }),
        DeviceKind::Vdpa { path, queues } => {
            let num_queues = asked(*queues).unwrap_or(1);
            Further::Vdpa(VdpaConfig { id, path: path.clone(), num_queues, iommu, pci_segment })
        }
        DeviceKind::Passthrough { path } => {
            Further::Device(DeviceConfig { id, path: path.clone(), iommu, pci_segment })
        }
        DeviceKind::VfioUser { socket } => {
            Further::UserDevice(UserDeviceConfig { id, socket: socket.clone(), pci_segment })
        }
        DeviceKind::VhostUser { socket, device_type, queue_sizes } => {
            Further::GenericVhostUser(GenericVhostUserConfig {
                id,
                socket: socket.clone(),
                queue_sizes: queue_sizes.clone(),
                device_type: *device_type,
                pci_segment,
            })
        }
    }
}

/// Further devices, each kind in its own list.
#[derive(Default)]
pub(super) struct Sorted {
    pub(super) pmem: Option<Vec<PmemConfig>>,
    pub(super) fs: Option<Vec<FsConfig>>,
    pub(super) vdpa: Option<Vec<VdpaConfig>>,
    pub(super) devices: Option<Vec<DeviceConfig>>,
    pub(super) user_devices: Option<Vec<UserDeviceConfig>>,
    pub(super) generic_vhost_user: Option<Vec<GenericVhostUserConfig>>,
}

pub(super) fn sorted(devices: &[Device]) -> Sorted {
    let mut sorted = Sorted::default();
    for further in devices.iter().map(device) {
        match further {
            Further::Pmem(one) => sorted.pmem.get_or_insert_default().push(one),
            Further::Fs(one) => sorted.fs.get_or_insert_default().push(one),
            Further::Vdpa(one) => sorted.vdpa.get_or_insert_default().push(one),
            Further::Device(one) => sorted.devices.get_or_insert_default().push(one),
            Further::UserDevice(one) => sorted.user_devices.get_or_insert_default().push(one),
            Further::GenericVhostUser(one) => sorted.generic_vhost_user.get_or_insert_default().push(one),
        }
    }
    sorted
}
