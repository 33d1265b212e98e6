//! What is served, from what was found.

use super::NAME;
use super::config::Sandbox;
use super::probe::Facts;
use crate::{Engine, Finding};
use std::collections::BTreeSet;
use std::path::Path;
use weft_domain::capability::{Capabilities, Feature};
use weft_domain::spec::{Accelerator, Machine};

/// Served on every host. Each of these is said on QEMU's command line or over QMP, or is the agent's own to
/// do from the console's log.
const ALWAYS: &[Feature] = &[
    Feature::Accelerator(Accelerator::Tcg),
    Feature::CpuTopology,
    Feature::SharedMemory,
    Feature::MergeableMemory,
    Feature::MemoryReserve,
    Feature::HugePages,
    Feature::Prefault,
    // QEMU asks for them whether or not it is asked to.
    Feature::TransparentHugePages,
    Feature::Kernel,
    Feature::Initramfs,
    Feature::Firmware,
    Feature::DefaultImage,
    Feature::DiskRaw,
    Feature::DiskQcow2,
    Feature::DiskDirect,
    Feature::DiskQueues,
    Feature::DiskSerial,
    Feature::DiskSparse,
    Feature::DiskCacheUnsafe,
    Feature::DiskRateLimit,
    Feature::DiskRateLimitGroup,
    Feature::NicUser,
    Feature::NicForward,
    Feature::NicMtu,
    Feature::NicQueues,
    Feature::NicOffloads,
    Feature::NicVhostUser,
    Feature::NicVhostServer,
    Feature::SerialLog,
    Feature::SerialPty,
    Feature::SerialFile,
    Feature::SerialTty,
    Feature::VirtioConsole,
    Feature::Rng,
    Feature::RngRateLimit,
    Feature::LiveDiskSize,
    Feature::LiveDiskLimit,
    Feature::LiveDiskSwap,
    Feature::Pause,
    Feature::Reset,
    Feature::AskToStop,
    Feature::Nmi,
    Feature::Counters,
    Feature::SnapshotFull,
    Feature::SnapshotDisks,
    Feature::SnapshotInternal,
    Feature::Fork,
    Feature::Migrate,
    Feature::ReadinessSerial,
    Feature::GuestAgent,
    Feature::ReadinessGuestAgent,
    Feature::TellsPoweroff,
    Feature::TellsPanic,
];

/// Served where QEMU has the device type, which distributions may leave out.
const BY_DEVICE: &[(&str, &[Feature])] = &[
    (
        "virtio-balloon-pci",
        &[Feature::Balloon, Feature::BalloonStatistics, Feature::FreePageReporting, Feature::LiveBalloon],
    ),
    ("virtio-mem-pci", &[Feature::MemoryVirtioMem, Feature::LiveMemoryShrink]),
    ("virtio-pmem-pci", &[Feature::Pmem, Feature::LivePmem]),
    ("vhost-user-blk-pci", &[Feature::DiskVhostUser]),
    ("vhost-user-fs-pci", &[Feature::Share, Feature::LiveShares]),
    ("i6300esb", &[Feature::Watchdog]),
    ("intel-iommu", &[Feature::Iommu]),
    ("tpm-tis", &[Feature::Tpm]),
];

/// Served where there is a PC.
const ON_PC: &[Feature] = &[
    Feature::CpuHotplug,
    Feature::MemoryHotplug,
    Feature::MemoryAcpi,
    Feature::MemoryZones,
    Feature::Numa,
    Feature::Platform,
    Feature::LiveCpus,
    Feature::LiveMemory,
    Feature::LiveDisks,
    Feature::LiveNics,
    Feature::LiveDevices,
];

/// Served where the host has a device node.
const BY_NODE: &[(&str, &[Feature])] = &[
    ("/dev/net/tun", &[Feature::NicTap, Feature::NicMacvtap]),
    ("/dev/vhost-vsock", &[Feature::Vsock]),
    ("/dev/vfio/vfio", &[Feature::Passthrough, Feature::LivePassthrough]),
];

/// What this QEMU can do here.
pub(super) fn of(facts: &Facts, jails: bool) -> Capabilities {
    let mut features: BTreeSet<_> = ALWAYS.iter().copied().collect();
    let models = [Machine::Microvm, Machine::Pc, Machine::Q35];
    features.extend(models.into_iter().filter(|model| facts.has(*model)).map(Feature::Machine));
    if facts.has(Machine::Pc) || facts.has(Machine::Q35) {
        features.extend(ON_PC);
    }
    for (device, served) in BY_DEVICE {
        if facts.has_device(device) {
            features.extend(*served);
        }
    }
    for (node, served) in BY_NODE {
        if Path::new(node).exists() {
            features.extend(*served);
        }
    }
    if facts.kvm_fails.is_none() {
        features.insert(Feature::Accelerator(Accelerator::Kvm));
    }
    if jails {
        features.extend([Feature::Jail, Feature::NetworkNamespace]);
    }
    Capabilities { driver: NAME.to_owned(), version: facts.version.clone(), features, notes: notes(facts) }
}

/// The same for people.
pub(super) fn finding(facts: &Facts) -> Finding {
    let kvm = Engine {
        accelerator: Accelerator::Kvm,
        works: facts.kvm_fails.is_none(),
        why: facts.kvm_fails.clone().unwrap_or_else(|| "a guest ran on it at full speed".to_owned()),
    };
    let tcg = Engine { accelerator: Accelerator::Tcg, works: true, why: "a guest ran on it".to_owned() };
    Finding {
        driver: NAME.to_owned(),
        program: Some(facts.program.clone()),
        version: Some(facts.version.clone()),
        engines: vec![kvm, tcg],
        notes: notes(facts),
        missing: None,
    }
}

fn notes(facts: &Facts) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(why) = &facts.kvm_fails {
        notes.push(format!("guests run in software (TCG). {why}"));
    }
    notes.push(
        "a microvm takes no disk, interface, CPU or memory while it runs: name the machine q35 for that".to_owned(),
    );
    notes.push("a jailed VM with a user-mode network shares the host's network".to_owned());
    if facts.sandbox == Sandbox::Off {
        notes.push("QEMU's own system calls are not confined: it was built without seccomp".to_owned());
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_work_is_not_served_and_told() {
        let facts = Facts {
            program: "/usr/bin/qemu-system-x86_64".into(),
            version: "7.2.22".to_owned(),
            machines: vec!["microvm".to_owned(), "q35".to_owned()],
            devices: vec!["i6300esb".to_owned()],
            sandbox: Sandbox::Off,
            kvm_fails: Some("KVM does not start: Permission denied".to_owned()),
        };
        let can = of(&facts, false);
        assert!(can.features.contains(&Feature::Watchdog) && !can.features.contains(&Feature::Balloon));
        assert!(can.features.contains(&Feature::Machine(Machine::Q35)));
        assert!(!can.features.contains(&Feature::Machine(Machine::Pc)));
        assert!(!can.features.contains(&Feature::Accelerator(Accelerator::Kvm)));
        assert!(!can.features.contains(&Feature::NetworkNamespace), "only a jail has another network");
        assert!(of(&facts, true).features.contains(&Feature::NetworkNamespace));
        assert_eq!(can.notes.len(), 4);
        assert!(!finding(&facts).engines[0].works);
    }
}
