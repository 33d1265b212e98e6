//! Disks, interfaces and the random source, as virtio devices of the machine's bus.
//!
//! Each user-mode network has an address range of its own, so that a guest with two never has the same
//! address twice; the guest gets `.15` of it.

use super::{Blueprint, Line, Medium, choice, text};
use crate::qemu::Error;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use weft_domain::spec::{Attachment, Disk, DiskFormat, Forward, Mac, Machine, Nic, Spec, Transport};
use weft_ports::hypervisor::Backing;

/// The first PCI slot that no machine model uses itself.
const FIRST_SLOT: usize = 3;
/// Functions of a PCI slot.
const FUNCTIONS: usize = 8;

/// The addresses that the user-mode networks of this specification give to the guest.
pub(in crate::qemu) fn addresses(spec: &Spec) -> Vec<IpAddr> {
    let user = |nic: &Nic| matches!(nic.attachment, Attachment::User { .. });
    let numbers = spec.nics.iter().enumerate().filter(|(_, nic)| user(nic)).map(|(i, _)| i);
    numbers.map(|i| Ipv4Addr::new(10, 0, subnet(i), 15).into()).collect()
}

fn subnet(index: usize) -> u8 {
    // The specification's limit on interfaces is far below what fits.
    u8::try_from(index + 2).unwrap_or(u8::MAX)
}

pub(super) fn add(blueprint: &Blueprint<'_>, line: &mut Line) -> Result<(), Error> {
    let spec = &blueprint.order.spec;
    let mut bus = Bus::of(blueprint.chosen.machine);
    for (i, disk) in spec.disks.iter().enumerate() {
        let backing = blueprint.order.disks.get(i).zip(blueprint.media.get(i));
        let (backing, medium) = backing.ok_or_else(|| {
            choice::unserved(&format!("vm.spec.disks[{i}]"), "has no file: the order names fewer disks")
        })?;
        let device = disk_device(i, disk);
        line.json("-blockdev", &block_node(i, disk, backing, *medium)?);
        line.json("-device", &bus.place("virtio-blk", device));
    }
    for (i, nic) in spec.nics.iter().enumerate() {
        let Attachment::User { forwards } = &nic.attachment else {
            return Err(choice::unserved(&format!("vm.spec.nics[{i}]"), "only user-mode networks are served"));
        };
        line.option("-netdev", network(i, forwards));
        let index = u8::try_from(i).unwrap_or(u8::MAX);
        let mac = nic.mac.unwrap_or_else(|| Mac::derived(&blueprint.order.instance, index));
        let device = json!({"id": format!("nic{i}"), "netdev": format!("net{i}"), "mac": mac.to_string()});
        line.json("-device", &bus.place("virtio-net", device));
    }
    if let Some(rng) = &spec.rng {
        line.json("-object", &json!({"qom-type": "rng-random", "id": "rng", "filename": text(&rng.source)?}));
        line.json("-device", &bus.place("virtio-rng", json!({"id": "rng0", "rng": "rng"})));
    }
    Ok(())
}

/// A disk's bytes: the file, and the format above it. Nothing is guessed from its content.
fn block_node(index: usize, disk: &Disk, backing: &Backing, medium: Medium) -> Result<Value, Error> {
    let driver = match medium {
        Medium::File => "file",
        Medium::Device => "host_device",
    };
    let cache = json!({"direct": disk.direct});
    let discard = if disk.read_only { "ignore" } else { "unmap" };
    let file = json!({
        "driver": driver, "filename": text(&backing.path)?, "read-only": disk.read_only,
        "discard": discard, "cache": cache,
    });
    let mut node = json!({
        "node-name": format!("disk{index}"), "read-only": disk.read_only,
        "discard": discard, "cache": cache, "file": file,
    });
    match backing.format {
        DiskFormat::Raw => node["driver"] = json!("raw"),
        DiskFormat::Qcow2 => {
            node["driver"] = json!("qcow2");
            // An image must not lead to files that its owner did not name.
            node["backing"] = Value::Null;
        }
    }
    Ok(node)
}

fn disk_device(index: usize, disk: &Disk) -> Value {
    let mut device = json!({"id": format!("blk{index}"), "drive": format!("disk{index}")});
    if let Some(serial) = &disk.serial {
        device["serial"] = json!(serial);
    }
    device
}

fn network(index: usize, forwards: &[Forward]) -> String {
    let mut network = format!("user,id=net{index},ipv6=off,net=10.0.{}.0/24", subnet(index));
    for Forward { transport, host_port, guest_port } in forwards {
        let transport = match transport {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
        };
        network.push_str(&format!(",hostfwd={transport}:127.0.0.1:{host_port}-:{guest_port}"));
    }
    network
}

/// Where virtio devices are plugged.
enum Bus {
    /// Each has registers of its own; the guest finds them through ACPI.
    Mmio,
    /// The next free place on PCI.
    Pci {
        /// Counts functions, eight to a slot.
        next: usize,
    },
}

impl Bus {
    fn of(machine: Machine) -> Self {
        match machine {
            Machine::Microvm => Self::Mmio,
            Machine::Pc | Machine::Q35 | Machine::Auto => Self::Pci { next: 0 },
        }
    }

    /// The device with its driver's name and its place.
    fn place(&mut self, virtio: &str, mut device: Value) -> Value {
        match self {
            Self::Mmio => device["driver"] = json!(format!("{virtio}-device")),
            Self::Pci { next } => {
                let (slot, function) = (FIRST_SLOT + *next / FUNCTIONS, *next % FUNCTIONS);
                *next += 1;
                device["driver"] = json!(format!("{virtio}-pci"));
                device["addr"] = json!(format!("{slot:x}.{function}"));
                device["multifunction"] = json!(true);
                if virtio == "virtio-net" {
                    // No guest boots from the network here; the boot ROM would only cost time.
                    device["romfile"] = json!("");
                }
            }
        }
        device
    }
}
