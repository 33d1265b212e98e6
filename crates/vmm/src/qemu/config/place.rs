//! Where devices sit, and the memory that a machine has come to: what a machine that goes on from another
//! must have in the same places.
//!
//! ```text
//!  spec ──► Layout::of ──► command line          QEMU ──► Layout::seen ──► the next free slot, a snapshot
//! ```
//!
//! A pc or q35 has bridges from its start whose slots take what can be plugged: so many for disks, then
//! for interfaces, then for further devices, in the order of the specification. What stays for good sits
//! on the root bus. A microvm has neither.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use weft_domain::spec::device::MAX_DEVICES;
use weft_domain::spec::disk::MAX_DISKS;
use weft_domain::spec::nic::MAX_NICS;
use weft_domain::spec::{Disk, DiskSource, Draft, Machine};

/// Slots of a bridge; the first is its own.
const SLOTS: usize = 31;
/// Bridges that hold all that can be plugged.
const BRIDGES: usize = (MAX_DISKS + MAX_NICS + MAX_DEVICES).div_ceil(SLOTS);
/// The first slot of the root bus that no machine model uses itself.
const FIRST: usize = 3;
/// Functions of a slot.
const FUNCTIONS: usize = 8;
/// Request queues of a disk that does not say how many.
const QUEUES: u32 = 4;
/// Memory modules that fit.
pub(in crate::qemu) const MODULES: usize = 16;
/// The longest name of a block node, in bytes.
const LONGEST_NODE: usize = 31;

/// What is plugged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::qemu) enum Sort {
    /// A disk.
    Disk,
    /// An interface.
    Nic,
    /// A further device.
    Device,
}

impl Sort {
    /// The slots of this sort: the first, and how many.
    const fn slots(self) -> (usize, usize) {
        match self {
            Self::Disk => (0, MAX_DISKS),
            Self::Nic => (MAX_DISKS, MAX_NICS),
            Self::Device => (MAX_DISKS + MAX_NICS, MAX_DEVICES),
        }
    }

    /// The id of the device of this name.
    pub(in crate::qemu) fn id(self, name: &str) -> String {
        let sort = match self {
            Self::Disk => "blk",
            Self::Nic => "nic",
            Self::Device => "dev",
        };
        format!("{sort}-{name}")
    }
}

/// A name for a block node, short enough for QEMU; no other disk's is the same.
pub(in crate::qemu) fn node(part: &str, disk: &str) -> String {
    let plain = format!("{part}-{disk}");
    if plain.len() <= LONGEST_NODE {
        return plain;
    }
    // FNV-1a, for it must be the same in every weft.
    let sum = disk
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{part}.{sum:016x}")
}

/// Where devices sit, and what memory there is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(in crate::qemu) struct Layout {
    /// The slot of each device that can be plugged, by id.
    pub(in crate::qemu) slots: BTreeMap<String, usize>,
    /// Memory that was there from the start, in bytes.
    pub(in crate::qemu) base_bytes: u64,
    /// Memory modules that were plugged.
    pub(in crate::qemu) modules: Vec<Module>,
    /// What is asked of the virtio-mem device, in bytes.
    pub(in crate::qemu) asked_bytes: u64,
    /// The tag under which all else is inside the machine's own disks; it is in files where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::qemu) tag: Option<String>,
}

/// A memory module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::qemu) struct Module {
    pub(in crate::qemu) slot: u64,
    pub(in crate::qemu) bytes: u64,
    pub(in crate::qemu) address: u64,
}

impl Layout {
    /// The layout of a machine that is made anew.
    pub(in crate::qemu) fn of(spec: &Draft) -> Self {
        let mut slots = BTreeMap::new();
        let mut put = |sort: Sort, names: &mut dyn Iterator<Item = &String>| {
            slots.extend(names.enumerate().map(|(i, name)| (sort.id(name), sort.slots().0 + i)));
        };
        put(Sort::Disk, &mut spec.disks.iter().map(|disk| &disk.name));
        put(Sort::Nic, &mut spec.nics.iter().map(|nic| &nic.name));
        put(Sort::Device, &mut spec.devices.iter().map(|device| &device.name));
        Self { slots, base_bytes: spec.memory.size_bytes, modules: Vec::new(), asked_bytes: 0, tag: None }
    }

    /// The layout that QEMU tells of, from `query-pci`, `query-memory-size-summary` and
    /// `query-memory-devices`.
    pub(in crate::qemu) fn seen(pci: &Value, memory: &Value, devices: &Value) -> Self {
        let mut layout = Self { base_bytes: memory["base-memory"].as_u64().unwrap_or_default(), ..Self::default() };
        let buses = pci.as_array().into_iter().flatten();
        for bridge in buses.flat_map(|bus| bus["devices"].as_array().into_iter().flatten()) {
            let number = bridge["qdev_id"].as_str().and_then(|id| id.strip_prefix(BRIDGE)?.parse::<usize>().ok());
            let Some(number) = number else { continue };
            for device in bridge["pci_bridge"]["devices"].as_array().into_iter().flatten() {
                let slot = device["slot"].as_u64().and_then(|slot| usize::try_from(slot).ok()).unwrap_or(1);
                let id = device["qdev_id"].as_str().unwrap_or_default().to_owned();
                layout.slots.insert(id, number * SLOTS + slot.saturating_sub(1));
            }
        }
        for device in devices.as_array().into_iter().flatten() {
            let facts = &device["data"];
            match device["type"].as_str() {
                Some("dimm") => layout.modules.push(Module {
                    slot: facts["slot"].as_u64().unwrap_or_default(),
                    bytes: facts["size"].as_u64().unwrap_or_default(),
                    address: facts["addr"].as_u64().unwrap_or_default(),
                }),
                Some("virtio-mem") => layout.asked_bytes = facts["requested-size"].as_u64().unwrap_or_default(),
                Some(_) | None => {}
            }
        }
        layout.modules.sort_by_key(|module| module.slot);
        layout
    }

    /// A slot for one more of this sort.
    pub(in crate::qemu) fn free(&self, sort: Sort) -> Option<usize> {
        let (first, count) = sort.slots();
        let taken: BTreeSet<_> = self.slots.values().copied().collect();
        (first..first + count).find(|slot| !taken.contains(slot))
    }

    /// The number of a device among those of its sort.
    pub(in crate::qemu) fn index(sort: Sort, slot: usize) -> usize {
        slot.saturating_sub(sort.slots().0)
    }
}

const BRIDGE: &str = "plug";

/// Whether a disk is one that another process plays.
pub(in crate::qemu) fn is_played(disk: &Disk) -> bool {
    matches!(disk.source, DiskSource::VhostUser { .. })
}

/// Where virtio devices are plugged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::qemu) enum Bus {
    /// Each has registers of its own; the guest finds them through ACPI.
    Mmio,
    /// On PCI; counts the functions that are taken on the root bus.
    Pci(usize),
}

impl Bus {
    pub(in crate::qemu) const fn of(machine: Machine) -> Self {
        match machine {
            Machine::Microvm => Self::Mmio,
            Machine::Pc | Machine::Q35 | Machine::Auto => Self::Pci(0),
        }
    }

    /// The bridges of a machine of this model.
    pub(in crate::qemu) fn bridges(machine: Machine) -> Vec<Value> {
        let bridge = |number: usize| {
            let mut bridge = json!({"id": format!("{BRIDGE}{number}"), "addr": format!("{:x}", FIRST + number)});
            if machine == Machine::Pc {
                bridge["driver"] = json!("pci-bridge");
                bridge["chassis_nr"] = json!(number + 1);
                // Without it no room is left for what comes to a bridge that is empty.
                bridge["shpc"] = json!(true);
            } else {
                bridge["driver"] = json!("pcie-pci-bridge");
            }
            bridge
        };
        match Self::of(machine) {
            Self::Mmio => Vec::new(),
            Self::Pci(_) => (0..BRIDGES).map(bridge).collect(),
        }
    }

    /// A virtio device with its driver's name.
    pub(in crate::qemu) fn name(self, virtio: &str, mut device: Value) -> Value {
        let bus = match self {
            Self::Mmio => "device",
            Self::Pci(_) => "pci",
        };
        device["driver"] = json!(format!("{virtio}-{bus}"));
        if self != Self::Mmio && virtio.ends_with("-blk") && device.get("num-queues").is_none() {
            // QEMU's own choice follows the CPUs of the moment, and would not fit a machine that goes on.
            device["num-queues"] = json!(QUEUES);
        }
        if self != Self::Mmio && virtio == "virtio-net" {
            // No guest boots from the network here; the boot ROM would only cost time.
            device["romfile"] = json!("");
        }
        device
    }

    /// The device in this slot of the bridges.
    pub(in crate::qemu) fn plug(self, mut device: Value, slot: usize) -> Value {
        if self != Self::Mmio {
            device["bus"] = json!(format!("{BRIDGE}{}", slot / SLOTS));
            device["addr"] = json!(format!("{:x}", 1 + slot % SLOTS));
        }
        device
    }

    /// The device in the next place of the root bus, where it stays.
    pub(in crate::qemu) fn root(&mut self, mut device: Value) -> Value {
        if let Self::Pci(next) = self {
            if device.get("iommu_platform").is_some() {
                // On the root bus a device would have a legacy face as well, which knows no IOMMU.
                device["disable-legacy"] = json!("on");
            }
            let (slot, function) = (FIRST + BRIDGES + *next / FUNCTIONS, *next % FUNCTIONS);
            *next += 1;
            device["addr"] = json!(format!("{slot:x}.{function}"));
            device["multifunction"] = json!(true);
        }
        device
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_qemu_tells_is_what_was_laid_out() {
        let bus = Bus::of(Machine::Pc);
        let mut layout = Layout { base_bytes: 1 << 28, ..Layout::default() };
        let mut bridges = Bus::bridges(Machine::Pc);
        for (i, sort) in [(0, Sort::Disk), (30, Sort::Disk), (31, Sort::Disk), (32, Sort::Nic), (79, Sort::Device)] {
            let id = sort.id(&format!("x{i}"));
            let placed = bus.plug(json!({"id": id}), i);
            let slot = u64::from_str_radix(placed["addr"].as_str().unwrap(), 16).unwrap();
            assert!((1..=31).contains(&slot));
            let bridge = bridges.iter_mut().find(|bridge| bridge["id"] == placed["bus"]).unwrap();
            bridge["qdev_id"] = bridge["id"].clone();
            let devices = bridge["pci_bridge"]["devices"].as_array().cloned().unwrap_or_default();
            let device = json!({"qdev_id": id, "slot": slot});
            bridge["pci_bridge"]["devices"] = devices.into_iter().chain([device]).collect();
            layout.slots.insert(id, i);
        }
        let seen = Layout::seen(&json!([{"devices": bridges}]), &json!({"base-memory": 1 << 28}), &json!([]));
        assert_eq!(seen, layout);
        assert_eq!(
            (seen.free(Sort::Disk), seen.free(Sort::Nic), seen.free(Sort::Device)),
            (Some(1), Some(33), Some(48))
        );
        assert_eq!(Layout::index(Sort::Nic, 33), 1);
    }

    #[test]
    fn long_names_of_nodes_are_short_and_differ() {
        let (a, b) = ("a".repeat(63), format!("{}b", "a".repeat(62)));
        assert_eq!(node("disk", "root"), "disk-root");
        assert!(node("disk", &a).len() <= LONGEST_NODE);
        assert_ne!(node("disk", &a), node("disk", &b));
    }
}
