//! What a driver can do, as data: shown to people, compared with what a specification needs.

use crate::spec::{Accelerator, Machine};
use std::collections::BTreeSet;

/// One thing that a driver may or may not be able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is named after the field of the specification that it serves")]
pub enum Feature {
    Machine(Machine),
    Accelerator(Accelerator),
    CpuHotplug,
    CpuTopology,
    CpuFeatures,
    CpuPinning,
    MemoryHotplug,
    HugePages,
    SharedMemory,
    MergeableMemory,
    Prefault,
    TransparentHugePages,
    Balloon,
    Kernel,
    Initramfs,
    Firmware,
    DefaultImage,
    NamedImage,
    DiskRaw,
    DiskQcow2,
    DiskDirect,
    DiskQueues,
    DiskRateLimit,
    DiskRateLimitGroup,
    DiskSerial,
    DiskVolume,
    DiskImage,
    DiskVhostUser,
    PciSegment,
    Iommu,
    NicUser,
    NicForward,
    NicNetwork,
    NicTap,
    NicMacvtap,
    NicVhostUser,
    NicAddress,
    NicMtu,
    NicQueues,
    NicOffloads,
    NicRateLimit,
    SerialLog,
    SerialPty,
    SerialFile,
    SerialTty,
    VirtioConsole,
    Rng,
    Vsock,
    MetadataService,
    CloudInit,
    ReadinessSerial,
    ReadinessVsock,
    ReadinessTcp,
    ReadinessHttp,
    ReadinessGuestAgent,
}

/// What one driver on one node can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// The driver's name: `qemu`.
    pub driver: String,
    /// The version of the VMM.
    pub version: String,
    /// All that it can do.
    pub features: BTreeSet<Feature>,
    /// What a person should know: an accelerator that is present but does not work, and why.
    pub notes: Vec<String>,
}
