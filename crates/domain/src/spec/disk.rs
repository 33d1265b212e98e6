//! Block devices.

use super::RateLimit;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The most disks of one VM.
pub const MAX_DISKS: usize = 32;
/// The largest disk that weft makes, in bytes (64 TiB).
pub const MAX_BYTES: u64 = 64 << 40;
/// The smallest disk that weft makes, in bytes.
pub const MIN_BYTES: u64 = 1 << 20;

/// One block device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// Its name in the VM, unique: a DNS label, `disk0` and so on by default.
    pub name: String,
    /// Where its bytes are.
    pub source: DiskSource,
    /// How they are laid out.
    pub format: DiskFormat,
    /// The guest cannot write.
    pub read_only: bool,
    /// It holds the root file system.
    pub root: bool,
    /// Past the host's page cache.
    pub direct: bool,
    /// Request queues; 0 lets the driver choose.
    pub queues: u32,
    /// Entries of a queue; 0 lets the driver choose.
    pub queue_size: u32,
    /// Its own rate limit.
    pub rate_limit: Option<RateLimit>,
    /// The name of a rate-limit group shared with other disks.
    pub rate_limit_group: Option<String>,
    /// The serial number that the guest sees.
    pub serial: Option<String>,
    /// The PCI segment.
    pub pci_segment: u32,
    /// Behind the virtual IOMMU.
    pub iommu: bool,
    /// Whether a flush of the guest's reaches the medium.
    pub cache: DiskCache,
    /// How the VMM reads and writes.
    pub io_engine: IoEngine,
    /// The partition that holds the root file system, by its UUID.
    pub partuuid: Option<String>,
    /// Layers below a copy-on-write image may be opened.
    pub backing_files: bool,
    /// Freed space is given back to the host; `None` lets the driver choose.
    pub sparse: Option<bool>,
    /// The host CPUs of each queue.
    pub queue_pinning: Vec<QueuePin>,
}

impl Disk {
    /// A disk of this name and source, and nothing else asked of it.
    #[must_use]
    pub fn new(name: impl Into<String>, source: DiskSource) -> Self {
        Self {
            name: name.into(),
            source,
            format: DiskFormat::Raw,
            read_only: false,
            root: false,
            direct: false,
            queues: 0,
            queue_size: 0,
            rate_limit: None,
            rate_limit_group: None,
            serial: None,
            pci_segment: 0,
            iommu: false,
            cache: DiskCache::Auto,
            io_engine: IoEngine::Auto,
            partuuid: None,
            backing_files: false,
            sparse: None,
            queue_pinning: Vec::new(),
        }
    }
}

/// Where a disk's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiskSource {
    /// A file or block device of the caller's, under an allowed root. weft never deletes it.
    Path(PathBuf),
    /// A new, empty disk that weft makes and deletes with the VM.
    Blank {
        /// Its size in bytes.
        size_bytes: u64,
    },
    /// A volume, by name.
    Volume(String),
    /// A copy of an image, by name.
    Image(String),
    /// A vhost-user back end.
    VhostUser {
        /// Its Unix socket.
        socket: PathBuf,
    },
}

/// How a disk's bytes are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub enum DiskFormat {
    /// Byte by byte.
    #[default]
    Raw,
    /// QEMU's copy-on-write format, version 2 or 3.
    Qcow2,
}

/// Whether a flush of the guest's reaches the medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub enum DiskCache {
    /// The driver's choice.
    #[default]
    Auto,
    /// It does.
    Writeback,
    /// It does not: fast, and lost with the host's power.
    Unsafe,
}

/// How the VMM reads and writes a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub enum IoEngine {
    /// The driver's choice.
    #[default]
    Auto,
    /// One after the other.
    Sync,
    /// Many at once, by `io_uring`.
    Async,
}

/// The host CPUs of one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuePin {
    /// Number of the queue, from 0.
    pub queue: u32,
    /// Numbers of the host CPUs.
    pub host_cpus: BTreeSet<u32>,
}
