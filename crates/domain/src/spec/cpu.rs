//! Virtual CPUs: how many, how they look to the guest, where they run.

use std::collections::BTreeSet;

/// The most virtual CPUs of one VM.
pub const MAX_VCPUS: u32 = 1024;
/// The longest CPU template, in bytes.
pub const MAX_TEMPLATE: usize = 32 * 1024;

/// Virtual CPUs of a VM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cpu {
    /// CPUs at boot.
    pub boot: u32,
    /// The most that can be plugged; at least `boot`.
    pub max: u32,
    /// The shape that the guest sees; its product is `max`.
    pub topology: Option<Topology>,
    /// Features beyond the model.
    pub features: BTreeSet<CpuFeature>,
    /// Which host CPUs each virtual CPU may use.
    pub pinning: Vec<Pin>,
    /// Bits of a physical address that the guest sees; 0 lets the driver choose.
    pub physical_bits: u32,
    /// Which threads may share a core with the virtual CPUs.
    pub core_scheduling: CoreScheduling,
    /// A CPU template of the driver's own, by name, such as Firecracker's `T2`.
    pub template: Option<String>,
    /// A CPU template of the caller's, a JSON document in the driver's own form.
    pub custom_template: Option<String>,
}

impl Default for Cpu {
    fn default() -> Self {
        Self {
            boot: 1,
            max: 1,
            topology: None,
            features: BTreeSet::new(),
            pinning: Vec::new(),
            physical_bits: 0,
            core_scheduling: CoreScheduling::default(),
            template: None,
            custom_template: None,
        }
    }
}

/// The shape of the CPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topology {
    /// Threads in a core.
    pub threads_per_core: u32,
    /// Cores in a die.
    pub cores_per_die: u32,
    /// Dies in a package.
    pub dies_per_package: u32,
    /// Packages (sockets).
    pub packages: u32,
}

impl Topology {
    /// All CPUs of this shape; `None` where the number is out of all bounds.
    #[must_use]
    pub fn total(&self) -> Option<u32> {
        self.threads_per_core
            .checked_mul(self.cores_per_die)?
            .checked_mul(self.dies_per_package)?
            .checked_mul(self.packages)
    }
}

/// A CPU feature that is asked by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CpuFeature {
    /// Hyper-V enlightenments, for Windows guests.
    KvmHyperv,
    /// Advanced Matrix Extensions.
    Amx,
    /// Virtualisation inside the guest.
    Nested,
}

/// The host CPUs of one virtual CPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Number of the virtual CPU, from 0.
    pub vcpu: u32,
    /// Numbers of the host CPUs.
    pub host_cpus: BTreeSet<u32>,
}

/// Which threads may share a core with the virtual CPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub enum CoreScheduling {
    /// The driver's choice.
    #[default]
    Auto,
    /// Any.
    Off,
    /// Only those of the same VM.
    Vm,
    /// None.
    Vcpu,
}
