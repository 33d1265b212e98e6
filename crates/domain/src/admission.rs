//! What a node can still take: memory and disk against what its instances were promised.

use crate::spec::{DiskSource, Draft, Driver};
use crate::{Fault, Reason};

/// What instances are promised: bytes of memory and bytes of disk that weft makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Promise {
    /// Memory in bytes, with what the VMM needs for itself.
    pub memory_bytes: u64,
    /// Disk in bytes.
    pub disk_bytes: u64,
    /// Instances.
    pub instances: u64,
}

/// Memory that a VMM needs beside its guest's, in bytes: QEMU with software translation was seen to
/// take 120 MiB.
pub const VMM_OVERHEAD_BYTES: u64 = 160 << 20;

/// Drivers whose VMMs need far less, as long as nobody leaves the choice open: seen to take 4 and 10 MiB
/// with an idle guest, and more with devices that move much.
const LEAN: &[(&str, u64)] = &[("firecracker", 16 << 20), ("cloud-hypervisor", 48 << 20)];

/// Memory that the VMM of this driver needs beside its guest's.
fn overhead(driver: &Driver) -> u64 {
    let lean = |name: &String| LEAN.iter().find(|(lean, _)| name == lean).map(|(_, bytes)| *bytes);
    match driver {
        Driver::Auto => VMM_OVERHEAD_BYTES,
        Driver::Named(name) => lean(name).unwrap_or(VMM_OVERHEAD_BYTES),
    }
}

impl Promise {
    /// What an instance of this specification is promised.
    #[must_use]
    pub fn of(spec: &Draft) -> Self {
        let disks = spec.disks.iter().map(|disk| match disk.source {
            DiskSource::Blank { size_bytes } => size_bytes,
            DiskSource::Path(_) | DiskSource::Volume(_) | DiskSource::Image(_) | DiskSource::VhostUser { .. } => 0,
        });
        Self {
            memory_bytes: spec
                .memory
                .size_bytes
                .saturating_add(spec.memory.hotplug_bytes)
                .saturating_add(overhead(&spec.driver)),
            disk_bytes: disks.fold(0, u64::saturating_add),
            instances: 1,
        }
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            memory_bytes: self.memory_bytes.saturating_add(other.memory_bytes),
            disk_bytes: self.disk_bytes.saturating_add(other.disk_bytes),
            instances: self.instances.saturating_add(other.instances),
        }
    }
}

/// Whether a node with `capacity` that has promised `promised` can promise `asked` as well.
///
/// # Errors
/// What is exhausted, with the figures.
pub fn admit(capacity: Promise, promised: Promise, asked: Promise) -> Result<(), Fault> {
    let total = promised.plus(asked);
    let refuse = |reason, what: &str, field: &str, asked: u64, promised: u64, capacity: u64| {
        let free = capacity.saturating_sub(promised);
        let why = format!("{asked} bytes of {what} are asked, {free} of {capacity} are free");
        Err(Fault::new(reason, format!("the node has not enough {what}: {why}"))
            .at(field, why)
            .fix(format!("ask for less {what}, or delete VMs that are not needed")))
    };
    if total.memory_bytes > capacity.memory_bytes {
        let field = "vm.spec.memory.size_bytes";
        let (asked, promised) = (asked.memory_bytes, promised.memory_bytes);
        return refuse(Reason::MemoryExhausted, "memory", field, asked, promised, capacity.memory_bytes);
    }
    if asked.disk_bytes > 0 && total.disk_bytes > capacity.disk_bytes {
        let (asked, promised) = (asked.disk_bytes, promised.disk_bytes);
        return refuse(Reason::DiskExhausted, "disk space", "vm.spec.disks", asked, promised, capacity.disk_bytes);
    }
    if total.instances > capacity.instances {
        let why = format!("the node has {} VMs, and its limit is {}", promised.instances, capacity.instances);
        return Err(Fault::new(Reason::LimitReached, why).fix("delete VMs that are not needed"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        fn promise()(memory_bytes: u64, disk_bytes: u64, instances in 0u64..100) -> Promise {
            Promise { memory_bytes, disk_bytes, instances }
        }
    }

    proptest! {
        #[test]
        fn what_is_admitted_fits(capacity in promise(), promised in promise(), asked in promise()) {
            if admit(capacity, promised, asked).is_ok() {
                let total = promised.plus(asked);
                prop_assert!(total.memory_bytes <= capacity.memory_bytes);
                prop_assert!(asked.disk_bytes == 0 || total.disk_bytes <= capacity.disk_bytes);
                prop_assert!(total.instances <= capacity.instances);
            }
        }
    }

    #[test]
    fn a_lean_vmm_is_promised_less_where_it_is_named() {
        let promised = |driver| Promise::of(&Draft { driver, ..Draft::default() }).memory_bytes;
        let named = |name: &str| promised(Driver::Named(name.to_owned()));
        assert_eq!(promised(Driver::Auto), named("qemu"));
        assert!(named("firecracker") < named("cloud-hypervisor") && named("cloud-hypervisor") < named("qemu"));
    }

    #[test]
    fn a_refusal_says_what_is_free() {
        let capacity = Promise { memory_bytes: 100, disk_bytes: 0, instances: 10 };
        let asked = Promise { memory_bytes: 60, disk_bytes: 0, instances: 1 };
        let fault = admit(capacity, asked, asked).expect_err("120 of 100");
        assert_eq!(fault.reason, Reason::MemoryExhausted);
        assert!(fault.message.contains("40 of 100 are free"), "{fault}");
    }
}
