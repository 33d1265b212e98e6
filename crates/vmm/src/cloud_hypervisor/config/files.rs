//! Which files of the host a machine needs to see, and how.

use super::RANDOM;
use std::path::{Path, PathBuf};
use weft_domain::spec::change::Change;
use weft_domain::spec::{Attachment, Console, ConsoleMode, Device, DeviceKind, Disk, DiskSource, Nic};
use weft_ports::hypervisor::{Alteration, Backing, Boot, Order};
use weft_ports::processes::Access;

/// A file and what is done with it.
pub(in crate::cloud_hypervisor) type Seen = (PathBuf, Access);

/// All that a machine sees when it is launched; device nodes are among them, under `/dev`.
pub(in crate::cloud_hypervisor) fn files(order: &Order) -> Vec<Seen> {
    let spec = &order.spec;
    let mut seen = vec![("/dev/kvm".into(), Access::Write), (RANDOM.into(), Access::Read)];
    match &order.boot {
        Boot::Kernel { kernel, initramfs, .. } => {
            seen.push((kernel.clone(), Access::Read));
            seen.extend(initramfs.iter().map(|path| (path.clone(), Access::Read)));
        }
        Boot::Firmware { firmware } => seen.push((firmware.clone(), Access::Read)),
    }
    for (i, disk) in spec.disks.iter().enumerate() {
        seen.extend(of_disk(disk, order.disks.get(i)));
    }
    seen.extend(spec.nics.iter().filter_map(of_nic));
    seen.extend(spec.devices.iter().flat_map(of_device));
    seen.extend([&spec.serial, &spec.console].into_iter().filter_map(of_console));
    seen.extend(spec.tpm.iter().map(|socket| (socket.clone(), Access::Write)));
    seen.extend(spec.rng.iter().map(|rng| (rng.source.clone(), Access::Read)));
    seen
}

/// What a change needs to be seen.
pub(in crate::cloud_hypervisor) fn files_of_change(alteration: &Alteration) -> Vec<Seen> {
    match &alteration.change {
        Change::AddDisk(disk) => of_disk(disk, alteration.backing.as_ref()).into_iter().collect(),
        Change::AddNic(nic) => of_nic(nic).into_iter().collect(),
        Change::AddDevice(device) => of_device(device),
        Change::Cpus(_)
        | Change::Memory(_)
        | Change::Balloon(_)
        | Change::Hint(_)
        | Change::RemoveDisk(_)
        | Change::ResizeDisk(..)
        | Change::LimitDisk(..)
        | Change::SwapDisk(_)
        | Change::RemoveNic(_)
        | Change::LimitNic(_)
        | Change::RemoveDevice(_)
        | Change::LimitDevice(_)
        | Change::AddVsock(_)
        | Change::RemoveVsock
        | Change::Metadata(_) => Vec::new(),
    }
}

fn of_disk(disk: &Disk, backing: Option<&Backing>) -> Option<Seen> {
    if let DiskSource::VhostUser { socket } = &disk.source {
        return Some((socket.clone(), Access::Write));
    }
    let access = if disk.read_only { Access::Read } else { Access::Write };
    backing.map(|backing| (backing.path.clone(), access))
}

/// Of a vhost-user socket that the VMM makes itself, the folder.
fn of_nic(nic: &Nic) -> Option<Seen> {
    use weft_domain::spec::VhostMode;
    let Attachment::VhostUser { socket } = &nic.attachment else { return None };
    match nic.vhost_mode {
        VhostMode::Client => Some((socket.clone(), Access::Write)),
        VhostMode::Server => socket.parent().map(|folder| (folder.to_owned(), Access::Write)),
    }
}

fn of_console(console: &Console) -> Option<Seen> {
    let path = console.path.clone().filter(|_| console.mode == ConsoleMode::File)?;
    Some((path, Access::Write))
}

fn of_device(device: &Device) -> Vec<Seen> {
    match &device.kind {
        DeviceKind::Pmem { path, read_only, .. } => {
            vec![(path.clone(), if *read_only { Access::Read } else { Access::Write })]
        }
        DeviceKind::Share { socket, .. } | DeviceKind::VfioUser { socket } | DeviceKind::VhostUser { socket, .. } => {
            vec![(socket.clone(), Access::Write)]
        }
        DeviceKind::Vdpa { path, .. } => vec![(path.clone(), Access::Write)],
        DeviceKind::Passthrough { path } => passthrough(path),
    }
}

/// A PCI device's folder, and the nodes by which its group is driven.
fn passthrough(path: &Path) -> Vec<Seen> {
    let folder = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let group = std::fs::read_link(folder.join("iommu_group")).ok();
    let group = group.as_deref().and_then(Path::file_name).map(|number| Path::new("/dev/vfio").join(number));
    let nodes = [Some("/dev/vfio/vfio".into()), group].into_iter().flatten();
    let mut seen: Vec<Seen> = nodes.map(|node| (node, Access::Write)).collect();
    // A name in /sys/bus/pci/devices is a link: both ends must be there.
    if folder != path {
        seen.push((path.to_owned(), Access::Write));
    }
    seen.push((folder, Access::Write));
    seen
}
