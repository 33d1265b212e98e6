//! What the driver chooses where it is free to, and what it refuses because it cannot be had together.

use crate::qemu::Error;
use weft_domain::Violation;
use weft_domain::spec::{Accelerator, Attachment, Draft, Machine, Payload};

/// The most virtio devices of a microvm: one each for the lines of its second interrupt controller.
pub(super) const MICROVM_DEVICES: usize = 24;
/// The most microvm devices that are chosen without being asked; more are at home on PCI.
const MICROVM_CHOSEN: usize = 12;

/// The machine model for this specification.
///
/// microvm starts with the least in it. Firmware expects PCI, dies are only known to the PCs, many devices
/// do not fit, and in software it needs to be told how fast its clock runs.
pub(in crate::qemu) fn machine(draft: &Draft, accelerator: Accelerator, tsc_khz: Option<u64>) -> Machine {
    match draft.machine {
        Machine::Auto => {
            let firmware = matches!(draft.payload, Payload::Firmware { .. });
            let blind = tsc_khz.is_none() && lacks_a_clock(Machine::Microvm, accelerator);
            let pci = firmware || blind || has_dies(draft) || devices(draft) > MICROVM_CHOSEN;
            if pci { Machine::Q35 } else { Machine::Microvm }
        }
        named @ (Machine::Microvm | Machine::Pc | Machine::Q35) => named,
    }
}

/// Whether a machine has no timer by which a kernel could tell how fast its counter runs.
pub(super) fn lacks_a_clock(machine: Machine, accelerator: Accelerator) -> bool {
    machine == Machine::Microvm && accelerator != Accelerator::Kvm
}

/// What executes guest code for this specification, KVM where it truly works.
pub(in crate::qemu) fn accelerator(draft: &Draft, preferred: Accelerator) -> Accelerator {
    match draft.accelerator {
        Accelerator::Auto => preferred,
        named @ (Accelerator::Kvm | Accelerator::Tcg) => named,
    }
}

/// What is served alone and not together.
pub(in crate::qemu) fn refused(draft: &Draft, machine: Machine) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut refuse = |field: String, why: String| found.push(Violation { field, why });
    let limit = if machine == Machine::Pc { 255 } else { 288 };
    if draft.cpu.max > limit {
        let why = format!("is {}; driver qemu gives a {machine:?} machine at most {limit}", draft.cpu.max);
        refuse("vm.spec.cpu.max".to_owned(), why);
    }
    if machine == Machine::Microvm {
        if has_dies(draft) {
            let why = "a microvm knows no dies: name the machine q35";
            refuse("vm.spec.cpu.topology.dies_per_package".to_owned(), why.to_owned());
        }
        if devices(draft) > MICROVM_DEVICES {
            let why = format!("a microvm takes {MICROVM_DEVICES} disks and interfaces in all: name the machine q35");
            refuse("vm.spec.disks".to_owned(), why);
        }
    }
    for (i, nic) in draft.nics.iter().enumerate() {
        if !matches!(nic.attachment, Attachment::User { .. }) {
            refuse(format!("vm.spec.nics[{i}]"), "driver qemu serves user-mode networks only".to_owned());
        }
    }
    found
}

/// The refusal of one field.
pub(super) fn unserved(field: &str, why: &str) -> Error {
    Error::Unserved(vec![Violation { field: field.to_owned(), why: why.to_owned() }])
}

fn has_dies(draft: &Draft) -> bool {
    draft.cpu.topology.is_some_and(|shape| shape.dies_per_package > 1)
}

fn devices(draft: &Draft) -> usize {
    draft.disks.len() + draft.nics.len() + usize::from(draft.rng.is_some())
}
