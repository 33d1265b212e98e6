//! What a jailed QEMU sees of the host: its program with what belongs to it, and the files of its order.

use crate::cell::Cell;
use crate::program::Program;
use std::path::Path;
use weft_domain::spec::{Attachment, ConsoleMode, DeviceKind, DiskSource};
use weft_ports::hypervisor::{Boot, Order};
use weft_ports::processes::Access;

/// Where its firmware lies, as distributions put it.
const FIRMWARE: [&str; 4] = ["/usr/share/qemu", "/usr/share/seabios", "/usr/local/share/qemu", "/usr/lib/ipxe/qemu"];

/// The cell for this order.
pub(super) fn of(order: &Order, program: &Path) -> Cell {
    let (mut cell, spec) = (Cell::of(order), &order.spec);
    let program = FIRMWARE.iter().fold(Program::inspect(program), |program, folder| program.with_folder(folder));
    cell.run(&program);
    cell.device("/dev/kvm");
    cell.device("/dev/urandom");
    match &order.boot {
        Boot::Kernel { kernel, initramfs, .. } => {
            cell.see(kernel, Access::Read);
            if let Some(initramfs) = initramfs {
                cell.see(initramfs, Access::Read);
            }
        }
        Boot::Firmware { firmware } => cell.see(firmware, Access::Read),
    }
    for (disk, backing) in spec.disks.iter().zip(&order.disks) {
        match &disk.source {
            DiskSource::VhostUser { socket } => cell.see(socket, Access::Write),
            DiskSource::Path(_) | DiskSource::Blank { .. } | DiskSource::Volume(_) | DiskSource::Image(_) => {
                cell.see(&backing.path, if disk.read_only { Access::Read } else { Access::Write });
            }
        }
    }
    for nic in &spec.nics {
        match &nic.attachment {
            // It answers for the guest with sockets of its own.
            Attachment::User { .. } => cell.share_network(),
            Attachment::VhostUser { socket } => cell.see(socket, Access::Write),
            Attachment::Network(_) | Attachment::Tap(_) | Attachment::Macvtap(_) => {}
        }
    }
    if let Some(namespace) = &spec.network_namespace {
        cell.enter(namespace);
    }
    match spec.serial.mode {
        ConsoleMode::Socket => cell.see(&order.console_log, Access::Write),
        ConsoleMode::Off | ConsoleMode::Null | ConsoleMode::Pty | ConsoleMode::Tty | ConsoleMode::File => {}
    }
    for console in [&spec.serial, &spec.console] {
        if let Some(path) = &console.path {
            cell.see(path, Access::Write);
        }
    }
    if let Some(rng) = &spec.rng {
        cell.device(&rng.source.to_string_lossy());
    }
    if let Some(socket) = &spec.tpm {
        cell.see(socket, Access::Write);
    }
    if spec.vsock.is_some() {
        cell.device("/dev/vhost-vsock");
    }
    devices(order, &mut cell);
    cell
}

fn devices(order: &Order, cell: &mut Cell) {
    for device in &order.spec.devices {
        match &device.kind {
            DeviceKind::Pmem { path, read_only, .. } => {
                cell.see(path, if *read_only { Access::Read } else { Access::Write });
            }
            DeviceKind::Share { socket, .. } => cell.see(socket, Access::Write),
            DeviceKind::Passthrough { .. }
            | DeviceKind::Vdpa { .. }
            | DeviceKind::VfioUser { .. }
            | DeviceKind::VhostUser { .. } => {}
        }
    }
}
