//! What only the node can check of a specification: that each path leads to something of its sort, under a
//! root that callers may name.
//!
//! Checked when a specification is accepted, and again before a machine is given what it names: files may
//! have changed since.

use crate::config::Ports;
use std::path::Path;
use weft_domain::spec::{Attachment, Console, ConsoleMode, DeviceKind, DiskSource, Draft, Payload, VhostMode};
use weft_domain::{Fault, Reason};
use weft_ports::volumes::{Volumes, Want};

/// Where named network namespaces are.
const NAMESPACES: [&str; 2] = ["/run/netns", "/var/run/netns"];
/// How the character devices of vDPA are named.
const VDPA: &str = "/dev/vhost-vdpa-";
/// Where terminals of the host are.
const TERMINALS: [&str; 2] = ["/dev/tty", "/dev/pts/"];

/// Everything that a specification names.
pub(crate) async fn all(ports: &Ports, spec: &Draft) -> Result<(), Fault> {
    let volumes = ports.volumes.as_ref();
    match &spec.payload {
        Payload::Kernel { kernel, initramfs, .. } => {
            volumes.resolve(kernel, Want::File, "vm.spec.payload.kernel").await?;
            if let Some(initramfs) = initramfs {
                volumes.resolve(initramfs, Want::File, "vm.spec.payload.initramfs").await?;
            }
        }
        Payload::Firmware { firmware } => {
            volumes.resolve(firmware, Want::File, "vm.spec.payload.firmware").await?;
        }
        Payload::Image { name, .. } => image(ports, name)?,
    }
    for (i, disk) in spec.disks.iter().enumerate() {
        match &disk.source {
            DiskSource::Path(path) => {
                let want = if disk.read_only { Want::DiskToRead } else { Want::DiskToWrite };
                volumes.resolve(path, want, &format!("vm.spec.disks[{i}].path")).await?;
            }
            DiskSource::VhostUser { socket } => {
                volumes.resolve(socket, Want::Socket, &format!("vm.spec.disks[{i}].vhost_user_socket")).await?;
            }
            DiskSource::Blank { .. } | DiskSource::Volume(_) | DiskSource::Image(_) => {}
        }
    }
    devices(volumes, spec).await
}

fn image(ports: &Ports, name: &str) -> Result<(), Fault> {
    let names = ports.images.names();
    if names.iter().any(|known| known == name) {
        return Ok(());
    }
    let why = format!("is not the name of an image; the node has: {}", names.join(", "));
    Err(Fault::field(Reason::FieldInvalid, "vm.spec.payload.image", why))
}

/// What a driver is given by its path: everything but disks and what boots.
pub(crate) async fn devices(volumes: &dyn Volumes, spec: &Draft) -> Result<(), Fault> {
    for (i, nic) in spec.nics.iter().enumerate() {
        if let Attachment::VhostUser { socket } = &nic.attachment {
            let want = match nic.vhost_mode {
                VhostMode::Client => Want::Socket,
                VhostMode::Server => Want::Output,
            };
            volumes.resolve(socket, want, &format!("vm.spec.nics[{i}].vhost_user_socket")).await?;
        }
    }
    for (i, device) in spec.devices.iter().enumerate() {
        further(volumes, &device.kind, &format!("vm.spec.devices[{i}]")).await?;
    }
    console(volumes, &spec.serial, "vm.spec.serial.path").await?;
    console(volumes, &spec.console, "vm.spec.console.path").await?;
    if let Some(socket) = &spec.tpm {
        volumes.resolve(socket, Want::Socket, "vm.spec.tpm_socket").await?;
    }
    match &spec.network_namespace {
        Some(path) if !path.parent().is_some_and(|folder| NAMESPACES.iter().any(|it| folder == Path::new(it))) => {
            let why = "must be a network namespace with a name, under /run/netns";
            Err(Fault::field(Reason::PathNotAllowed, "vm.spec.network_namespace", why))
        }
        Some(_) | None => Ok(()),
    }
}

async fn further(volumes: &dyn Volumes, kind: &DeviceKind, field: &str) -> Result<(), Fault> {
    match kind {
        DeviceKind::Pmem { path, read_only, .. } => {
            let want = if *read_only { Want::DiskToRead } else { Want::DiskToWrite };
            volumes.resolve(path, want, &format!("{field}.pmem.path")).await?;
        }
        DeviceKind::Share { socket, .. } => {
            volumes.resolve(socket, Want::Socket, &format!("{field}.share.socket")).await?;
        }
        DeviceKind::VfioUser { socket } => {
            volumes.resolve(socket, Want::Socket, &format!("{field}.vfio_user.socket")).await?;
        }
        DeviceKind::VhostUser { socket, .. } => {
            volumes.resolve(socket, Want::Socket, &format!("{field}.vhost_user.socket")).await?;
        }
        DeviceKind::Vdpa { path, .. } if !starts_with(path, &[VDPA]) => {
            let why = format!("must be a device named {VDPA}*");
            return Err(Fault::field(Reason::PathNotAllowed, format!("{field}.vdpa.path"), why));
        }
        // The specification itself allows none but devices of PCI.
        DeviceKind::Vdpa { .. } | DeviceKind::Passthrough { .. } => {}
    }
    Ok(())
}

async fn console(volumes: &dyn Volumes, console: &Console, field: &str) -> Result<(), Fault> {
    match (console.mode, &console.path) {
        (ConsoleMode::File, Some(path)) => volumes.resolve(path, Want::Output, field).await.map(drop),
        (ConsoleMode::Tty, Some(path)) if !starts_with(path, &TERMINALS) => {
            Err(Fault::field(Reason::PathNotAllowed, field, "must be a terminal of the host, such as /dev/tty1"))
        }
        (_, _) => Ok(()),
    }
}

/// Whether the text of a path, which climbs nowhere, begins so.
fn starts_with(path: &Path, beginnings: &[&str]) -> bool {
    path.to_str().is_some_and(|text| beginnings.iter().any(|beginning| text.starts_with(beginning)))
}
