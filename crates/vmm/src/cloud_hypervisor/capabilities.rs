//! What is served, from what was found.

use super::NAME;
use super::config::gates::{IMAGE_TYPE, NO_SHUTDOWN, SINCE};
use super::probe::{Facts, Kvm};
use crate::{Engine, Finding};
use weft_domain::capability::{Capabilities, Feature};
use weft_domain::spec::{Accelerator, Machine};

/// Served by every version that is driven, but for those that [`SINCE`] names; or the agent's own to do
/// from the console's log.
const SERVED: &[Feature] = &[
    Feature::Machine(Machine::Q35),
    Feature::CpuHotplug,
    Feature::CpuTopology,
    Feature::CpuFeatures,
    Feature::CpuPinning,
    Feature::CpuPhysicalBits,
    Feature::CoreScheduling,
    Feature::MemoryHotplug,
    Feature::MemoryAcpi,
    Feature::MemoryVirtioMem,
    Feature::MemoryZones,
    Feature::MemoryReserve,
    Feature::HugePages,
    Feature::SharedMemory,
    Feature::MergeableMemory,
    Feature::Prefault,
    Feature::TransparentHugePages,
    Feature::Balloon,
    Feature::FreePageReporting,
    Feature::Kernel,
    Feature::Initramfs,
    Feature::Firmware,
    Feature::DiskRaw,
    Feature::DiskQcow2,
    Feature::DiskDirect,
    Feature::DiskQueues,
    Feature::DiskRateLimit,
    Feature::DiskRateLimitGroup,
    Feature::DiskSerial,
    Feature::DiskVhostUser,
    Feature::DiskBackingFiles,
    Feature::DiskSparse,
    Feature::QueuePinning,
    Feature::PciSegment,
    Feature::Iommu,
    Feature::NicTap,
    Feature::NicMacvtap,
    Feature::NicVhostUser,
    Feature::NicVhostServer,
    Feature::NicMtu,
    Feature::NicQueues,
    Feature::NicOffloads,
    Feature::NicRateLimit,
    Feature::NetworkNamespace,
    Feature::SerialLog,
    Feature::SerialPty,
    Feature::SerialFile,
    Feature::SerialTty,
    Feature::VirtioConsole,
    Feature::Rng,
    Feature::Vsock,
    Feature::Pmem,
    Feature::Share,
    Feature::Vdpa,
    Feature::Passthrough,
    Feature::VfioUser,
    Feature::VhostUser,
    Feature::Platform,
    Feature::Numa,
    Feature::Watchdog,
    Feature::Tpm,
    Feature::LiveCpus,
    Feature::LiveMemory,
    Feature::LiveMemoryShrink,
    Feature::LiveBalloon,
    Feature::LiveDisks,
    Feature::LiveDiskSize,
    Feature::LiveNics,
    Feature::LiveDevices,
    Feature::LivePmem,
    Feature::LiveShares,
    Feature::LiveVdpa,
    Feature::LivePassthrough,
    Feature::LiveVfioUser,
    Feature::LiveVhostUser,
    Feature::LiveVsock,
    Feature::TellsPoweroff,
    Feature::Pause,
    Feature::Reset,
    Feature::AskToStop,
    Feature::Nmi,
    Feature::Counters,
    Feature::SnapshotFull,
    Feature::SnapshotDisks,
    Feature::Fork,
    Feature::Migrate,
    Feature::ReadinessSerial,
];

/// Served where guests run at full speed.
const FAST: &[Feature] = &[Feature::Accelerator(Accelerator::Kvm), Feature::DefaultImage];

/// What this Cloud Hypervisor can do here; `jails` is why this node cannot jail, where it cannot.
pub(super) fn of(facts: &Facts, jails: Result<(), String>) -> Capabilities {
    let known = |feature: &&Feature| SINCE.iter().all(|(later, since)| later != *feature || facts.number.has(*since));
    let mut features: std::collections::BTreeSet<_> = SERVED.iter().filter(known).copied().collect();
    if facts.kvm == Kvm::Fast {
        features.extend(FAST);
    }
    let mut notes = notes(facts);
    match jails {
        Ok(()) => {
            features.insert(Feature::Jail);
        }
        Err(why) => notes.push(format!("it cannot be jailed here: {why}")),
    }
    Capabilities { driver: NAME.to_owned(), version: facts.version.clone(), features, notes }
}

/// The same for people.
pub(super) fn finding(facts: &Facts) -> Finding {
    let (works, why) = match &facts.kvm {
        Kvm::Fast => (true, "a guest ran on it at full speed".to_owned()),
        Kvm::Slow(why) => (false, why.clone()),
    };
    Finding {
        driver: NAME.to_owned(),
        program: Some(facts.program.clone()),
        version: Some(facts.version.clone()),
        engines: vec![Engine { accelerator: Accelerator::Kvm, works, why }],
        notes: notes(facts),
        missing: None,
    }
}

fn notes(facts: &Facts) -> Vec<String> {
    let mut notes = Vec::new();
    if let Kvm::Slow(why) = &facts.kvm {
        notes.push(why.clone());
    }
    if !facts.number.has(NO_SHUTDOWN) {
        let why = "ends with its guest: a power-off while weft is away cannot be told from a crash (52.0 is needed)";
        notes.push(format!("cloud-hypervisor {} {why}", facts.version));
    }
    if !facts.number.has(IMAGE_TYPE) {
        let why = "guesses the format of a disk from its first bytes, which a guest can write (51.0 is told it)";
        notes.push(format!("cloud-hypervisor {} {why}", facts.version));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud_hypervisor::config::gates::Version;

    fn facts(number: Version, kvm: Kvm) -> Facts {
        Facts { program: "/usr/bin/cloud-hypervisor".into(), version: number.to_string(), number, kvm }
    }

    #[test]
    fn each_version_serves_what_it_knows() {
        let old = of(&facts(Version(50, 0), Kvm::Fast), Ok(()));
        let new = of(&facts(Version(53, 0), Kvm::Fast), Ok(()));
        for (feature, since) in SINCE {
            assert!(new.features.contains(feature), "{feature:?}");
            assert_eq!(old.features.contains(feature), Version(50, 0).has(*since), "{feature:?}");
        }
        assert!(new.features.contains(&Feature::Jail));
        assert_eq!((old.notes.len(), new.notes.len()), (2, 0));
    }

    #[test]
    fn what_does_not_work_is_not_served_and_told() {
        let slow = of(&facts(Version(53, 0), Kvm::Slow("too slow".to_owned())), Err("no namespaces".to_owned()));
        for feature in [Feature::DefaultImage, Feature::Accelerator(Accelerator::Kvm), Feature::Jail] {
            assert!(!slow.features.contains(&feature), "{feature:?}");
        }
        assert_eq!(slow.notes.len(), 2);
    }
}
