//! The kind of machine: its model, and what executes guest code.

/// The machine model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub enum Machine {
    /// The driver's choice.
    #[default]
    Auto,
    /// A minimal machine with virtio-mmio devices and no PCI.
    Microvm,
    /// A classic PC with PCI.
    Pc,
    /// A PC with PCI Express.
    Q35,
}

/// What executes guest code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub enum Accelerator {
    /// KVM where it truly works, software otherwise.
    #[default]
    Auto,
    /// KVM.
    Kvm,
    /// Software translation (TCG).
    Tcg,
}
