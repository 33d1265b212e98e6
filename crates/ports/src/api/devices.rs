//! What is plugged into a VM and resized: shorthand for an update of its specification.

use super::{Call, Vm, VmRef};
use crate::hypervisor::Counters;
use weft_domain::Fault;
use weft_domain::spec::{Device, Disk, Nic, Vsock};

/// A change of a VM's specification in the words of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alter {
    /// Adds a disk.
    AttachDisk(Disk),
    /// Takes away the disk of this name.
    DetachDisk(String),
    /// Makes the disk of this name so long, in bytes.
    ResizeDisk(String, u64),
    /// Adds an interface.
    AttachNic(Nic),
    /// Takes away the interface of this name.
    DetachNic(String),
    /// Adds a further device.
    AttachDevice(Device),
    /// Takes away the further device of this name.
    DetachDevice(String),
    /// Gives it a vsock.
    AttachVsock(Vsock),
    /// Takes its vsock away.
    DetachVsock,
    /// Another number of CPUs, another amount of memory in bytes, another balloon in bytes: what is
    /// `None` stays.
    Resize {
        /// CPUs.
        cpus: Option<u32>,
        /// Memory in bytes.
        memory_bytes: Option<u64>,
        /// What the balloon takes, in bytes.
        balloon_bytes: Option<u64>,
    },
}

/// Devices and sizes of VMs.
#[async_trait::async_trait]
pub trait Devices: Send + Sync {
    /// Changes the specification, then waits until the running machine has taken it up; what waits for
    /// the next boot is told in the status.
    async fn alter(&self, call: &Call, vm: &VmRef, alter: Alter) -> Result<Vm, Fault>;
    /// Counters of the devices, as the VMM counts them.
    async fn counters(&self, call: &Call, vm: &VmRef) -> Result<Counters, Fault>;
    /// Interrupts the guest in a way that it cannot mask.
    async fn nmi(&self, call: &Call, vm: &VmRef) -> Result<Vm, Fault>;
}
