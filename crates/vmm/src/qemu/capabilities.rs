//! What is served, from what was found.

use super::NAME;
use super::config::Sandbox;
use super::probe::Facts;
use crate::{Engine, Finding};
use weft_domain::capability::{Capabilities, Feature};
use weft_domain::spec::{Accelerator, Machine};

/// Served on every host. Each of these is said on QEMU's command line, or is the agent's own to do from
/// the console's log.
const ALWAYS: &[Feature] = &[
    Feature::Accelerator(Accelerator::Tcg),
    Feature::CpuTopology,
    Feature::SharedMemory,
    Feature::MergeableMemory,
    Feature::Prefault,
    Feature::Kernel,
    Feature::Initramfs,
    Feature::Firmware,
    Feature::DefaultImage,
    Feature::DiskRaw,
    Feature::DiskQcow2,
    Feature::DiskDirect,
    Feature::DiskSerial,
    Feature::NicUser,
    Feature::NicForward,
    Feature::SerialLog,
    Feature::Rng,
    Feature::Pause,
    Feature::Reset,
    Feature::AskToStop,
    Feature::ReadinessSerial,
];

/// What this QEMU can do here.
pub(super) fn of(facts: &Facts) -> Capabilities {
    let mut features: std::collections::BTreeSet<_> = ALWAYS.iter().copied().collect();
    let models = [Machine::Microvm, Machine::Pc, Machine::Q35];
    features.extend(models.into_iter().filter(|model| facts.has(*model)).map(Feature::Machine));
    if facts.kvm_fails.is_none() {
        features.insert(Feature::Accelerator(Accelerator::Kvm));
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
            sandbox: Sandbox::Off,
            kvm_fails: Some("KVM does not start: Permission denied".to_owned()),
        };
        let can = of(&facts);
        assert!(can.features.contains(&Feature::Machine(Machine::Q35)));
        assert!(!can.features.contains(&Feature::Machine(Machine::Pc)));
        assert!(!can.features.contains(&Feature::Accelerator(Accelerator::Kvm)));
        assert_eq!(can.notes.len(), 2);
        assert!(!finding(&facts).engines[0].works);
    }
}
