//! The VMMs that boot weft-tiny, and where their programs are.

use std::fmt;
use std::path::PathBuf;

/// A VMM, and the machine that it shows to the guest where there is a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vmm {
    /// QEMU with a machine of this type.
    Qemu(&'static str, Accelerator),
    /// Firecracker.
    Firecracker,
    /// Cloud Hypervisor.
    CloudHypervisor,
}

/// What runs QEMU's guests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accelerator {
    /// The kernel.
    Kvm,
    /// QEMU's own translator.
    Tcg,
}

impl Accelerator {
    /// As QEMU names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Tcg => "tcg",
        }
    }
}

impl fmt::Display for Vmm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Qemu(machine, accelerator) => write!(out, "qemu {machine} {}", accelerator.name()),
            Self::Firecracker => out.write_str("firecracker"),
            Self::CloudHypervisor => out.write_str("cloud-hypervisor"),
        }
    }
}

impl Vmm {
    /// Its program, as far as it can run here.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn program(self) -> Result<PathBuf, String> {
        let (variable, name) = match self {
            Self::Qemu(..) => ("WEFT_QEMU", "qemu-system-x86_64"),
            Self::Firecracker => ("WEFT_FIRECRACKER", "firecracker"),
            Self::CloudHypervisor => ("WEFT_CLOUD_HYPERVISOR", "cloud-hypervisor"),
        };
        let needs_kvm = !matches!(self, Self::Qemu(_, Accelerator::Tcg));
        if needs_kvm && let Err(why) = std::fs::File::options().read(true).write(true).open("/dev/kvm") {
            return Err(format!("no /dev/kvm for {name}: {why}"));
        }
        find(variable, name).ok_or_else(|| format!("no {name} binary"))
    }
}

#[expect(clippy::disallowed_methods, reason = "the testbed is run by hand and looks where its shell looks")]
fn find(variable: &str, name: &str) -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(variable) {
        return Some(named.into()).filter(|path: &PathBuf| path.is_file());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}
