//! What is served, from what was found: a table of features and the version that each came with.

use super::NAME;
use super::probe::{Facts, Pace};
use super::version::{BZIMAGE, HOTPLUG, Line, MORE_DEVICES, OLDEST, PCI, TAP_OVERRIDES, Version};
use crate::{Engine, Finding};
use weft_domain::capability::{Capabilities, Feature};
use weft_domain::spec::{Accelerator, Machine};

/// Each feature, and since which version.
const TABLE: &[(Feature, Line)] = &[
    (Feature::Accelerator(Accelerator::Kvm), OLDEST),
    (Feature::Machine(Machine::Microvm), OLDEST),
    (Feature::Machine(Machine::Pc), PCI),
    (Feature::CpuTopology, OLDEST),
    (Feature::CpuTemplate, OLDEST),
    (Feature::CpuCustomTemplate, OLDEST),
    (Feature::HugePages, OLDEST),
    (Feature::SharedMemory, OLDEST),
    (Feature::TransparentHugePages, BZIMAGE),
    (Feature::MemoryHotplug, MORE_DEVICES),
    (Feature::MemoryVirtioMem, MORE_DEVICES),
    (Feature::Balloon, OLDEST),
    (Feature::BalloonStatistics, OLDEST),
    (Feature::FreePageReporting, MORE_DEVICES),
    (Feature::FreePageHinting, MORE_DEVICES),
    (Feature::Kernel, OLDEST),
    (Feature::Initramfs, OLDEST),
    (Feature::DefaultImage, OLDEST),
    (Feature::DiskRaw, OLDEST),
    (Feature::DiskRateLimit, OLDEST),
    (Feature::DiskCacheUnsafe, OLDEST),
    (Feature::DiskIoSync, OLDEST),
    (Feature::DiskIoAsync, OLDEST),
    (Feature::DiskPartuuid, OLDEST),
    (Feature::DiskVhostUser, OLDEST),
    (Feature::NicTap, OLDEST),
    (Feature::NicRateLimit, OLDEST),
    (Feature::NicMtu, HOTPLUG),
    (Feature::SerialLog, OLDEST),
    (Feature::SerialFile, OLDEST),
    (Feature::SerialRateLimit, HOTPLUG),
    (Feature::Rng, OLDEST),
    (Feature::RngRateLimit, OLDEST),
    (Feature::Vsock, OLDEST),
    (Feature::MetadataService, OLDEST),
    (Feature::Pmem, MORE_DEVICES),
    (Feature::LiveMemory, MORE_DEVICES),
    (Feature::LiveMemoryShrink, MORE_DEVICES),
    (Feature::LiveBalloon, OLDEST),
    (Feature::LiveFreePageHinting, MORE_DEVICES),
    (Feature::LiveDisks, HOTPLUG),
    (Feature::LiveDiskSize, OLDEST),
    (Feature::LiveDiskLimit, OLDEST),
    (Feature::LiveDiskSwap, OLDEST),
    (Feature::LiveNics, HOTPLUG),
    (Feature::LiveNicLimit, OLDEST),
    (Feature::LiveDevices, HOTPLUG),
    (Feature::LivePmem, HOTPLUG),
    (Feature::LivePmemLimit, HOTPLUG),
    (Feature::LiveMetadata, OLDEST),
    (Feature::Pause, OLDEST),
    (Feature::Counters, OLDEST),
    (Feature::SnapshotFull, OLDEST),
    (Feature::SnapshotDifference, OLDEST),
    (Feature::SnapshotDisks, OLDEST),
    (Feature::Fork, TAP_OVERRIDES),
    (Feature::ReadinessSerial, OLDEST),
];

/// Whether a version serves a feature.
pub(super) fn serves(feature: Feature, version: &Version) -> bool {
    TABLE.iter().any(|(known, since)| *known == feature && version.has(*since))
}

/// What this Firecracker can do here; `jails` tells why its machines cannot be jailed, where they cannot.
pub(super) fn of(facts: &Facts, jails: Result<(), String>) -> Capabilities {
    let served = TABLE.iter().filter(|(_, since)| facts.version.has(*since));
    let mut features: std::collections::BTreeSet<_> = served.map(|(feature, _)| *feature).collect();
    if cfg!(target_arch = "x86_64") {
        // The keys that are pressed need a keyboard controller.
        features.insert(Feature::AskToStop);
    }
    let mut notes = notes(facts);
    match jails {
        Ok(()) => features.extend([Feature::Jail, Feature::NetworkNamespace]),
        Err(why) => notes.push(format!("machines are not jailed: {why}")),
    }
    if matches!(facts.pace, Pace::Slow { .. }) {
        // A kernel of some size would take minutes to start.
        features.remove(&Feature::DefaultImage);
    }
    Capabilities { driver: NAME.to_owned(), version: facts.version.to_string(), features, notes }
}

/// The same for people.
pub(super) fn finding(facts: &Facts) -> Finding {
    let why = match &facts.pace {
        Pace::Full => "a guest ran on it at full speed".to_owned(),
        Pace::Unmeasured => "a guest ran on it".to_owned(),
        Pace::Slow { why } => why.clone(),
    };
    let works = !matches!(facts.pace, Pace::Slow { .. });
    Finding {
        driver: NAME.to_owned(),
        program: Some(facts.program.clone()),
        version: Some(facts.version.to_string()),
        engines: vec![Engine { accelerator: Accelerator::Kvm, works, why }],
        notes: notes(facts),
        missing: None,
    }
}

fn notes(facts: &Facts) -> Vec<String> {
    let mut notes = Vec::new();
    if let Pace::Slow { why } = &facts.pace {
        notes.push(format!("only the smallest guests are of use. {why}"));
    }
    if !facts.version.has(HOTPLUG) {
        let what = "devices are not plugged into running machines, nor is an MTU told to guests";
        notes.push(format!("{what}: that is served from {HOTPLUG} on"));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(said: &str, pace: Pace) -> Facts {
        Facts { program: "/usr/bin/firecracker".into(), version: Version::read(said).unwrap(), pace }
    }

    #[test]
    fn each_version_serves_what_it_has() {
        let has = |said: &str, feature| of(&facts(said, Pace::Full), Ok(())).features.contains(&feature);
        for (feature, before, since) in [
            (Feature::Machine(Machine::Pc), "v1.12.1", "v1.13.0"),
            (Feature::Pmem, "v1.13.1", "v1.14.0"),
            (Feature::LiveFreePageHinting, "v1.13.1", "v1.14.0"),
            (Feature::LiveDisks, "v1.15.1", "v1.16.0"),
            (Feature::LivePmemLimit, "v1.15.1", "v1.16.0"),
            (Feature::TransparentHugePages, "v1.16.1", "v1.17.0-dev"),
            (Feature::Fork, "v1.11.0", "v1.12.0"),
        ] {
            assert!(!has(&format!("Firecracker {before}"), feature), "{feature:?}");
            assert!(has(&format!("Firecracker {since}"), feature), "{feature:?}");
        }
    }

    #[test]
    fn what_does_not_hold_here_is_told() {
        let slow = Pace::Slow { why: "KVM is slow".to_owned() };
        let facts = facts("Firecracker v1.15.0", slow);
        let can = of(&facts, Err("it is not root".to_owned()));
        assert!(!can.features.contains(&Feature::Jail) && !can.features.contains(&Feature::DefaultImage));
        assert_eq!(can.notes.len(), 3, "{:?}", can.notes);
        assert!(!finding(&facts).engines[0].works);
    }
}
