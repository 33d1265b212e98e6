//! The smaller devices: consoles, randomness, vsock, metadata, cloud-init, rate limits; and those that are
//! rarely asked for, as one list.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::path::PathBuf;

/// The longest cloud-init document, in bytes.
pub const MAX_CLOUD_INIT: usize = 64 * 1024;
/// The devices of the host that randomness may come from.
pub const RNG_SOURCES: [&str; 3] = ["/dev/urandom", "/dev/random", "/dev/hwrng"];

/// A console device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Console {
    /// Where it leads.
    pub mode: ConsoleMode,
    /// The file, for [`ConsoleMode::File`] and [`ConsoleMode::Tty`].
    pub path: Option<PathBuf>,
    /// The limit on what the guest writes, in bytes; more is dropped.
    pub rate_limit: Option<TokenBucket>,
    /// Behind the virtual IOMMU, for a console on PCI.
    pub iommu: bool,
}

impl Console {
    /// A console of this mode, and nothing else asked of it.
    #[must_use]
    pub const fn new(mode: ConsoleMode) -> Self {
        Self { mode, path: None, rate_limit: None, iommu: false }
    }
}

/// Where a console leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConsoleMode {
    /// There is none.
    Off,
    /// A pseudo-terminal of the host.
    Pty,
    /// A terminal of the host.
    Tty,
    /// A file of the host.
    File,
    /// weft's log and attachable socket.
    Socket,
    /// Nowhere.
    Null,
}

/// Where the guest's randomness comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rng {
    /// One of [`RNG_SOURCES`].
    pub source: PathBuf,
    /// The limit on what the guest takes.
    pub rate_limit: Option<RateLimit>,
    /// Behind the virtual IOMMU.
    pub iommu: bool,
}

/// The guest's vsock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vsock {
    /// Its context id, 3 or more.
    pub cid: u32,
    /// The PCI segment.
    pub pci_segment: u32,
    /// Behind the virtual IOMMU.
    pub iommu: bool,
}

/// The metadata service inside the VMM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The content, a JSON document.
    pub json: String,
    /// Names of the interfaces that reach it.
    pub nics: Vec<String>,
    /// How a guest asks for it.
    pub version: MetadataVersion,
    /// The link-local address that it answers on; `None` for 169.254.169.254.
    pub address: Option<Ipv4Addr>,
    /// It answers as EC2's service does, whatever the guest accepts.
    pub imds_compatible: bool,
}

/// How a guest asks the metadata service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub enum MetadataVersion {
    /// With a session token that it was given before.
    #[default]
    V2,
    /// With nothing.
    V1,
}

/// The cloud-init seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudInit {
    /// `user-data`.
    pub user_data: String,
    /// `meta-data`.
    pub meta_data: String,
    /// `network-config`.
    pub network_config: String,
}

/// A rate limit: bytes and operations, each a token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RateLimit {
    /// Bytes.
    pub bandwidth: Option<TokenBucket>,
    /// Operations.
    pub ops: Option<TokenBucket>,
}

/// A token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenBucket {
    /// Tokens that fit.
    pub size: u64,
    /// Milliseconds in which it fills from empty.
    pub refill_ms: u64,
    /// Tokens given once, at the start.
    pub one_time_burst: u64,
}

/// A rate limit that several disks share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimitGroup {
    /// Its name, unique among groups and devices.
    pub name: String,
    /// The limit of all of them together.
    pub limit: RateLimit,
}

/// The most further devices of one VM.
pub const MAX_DEVICES: usize = 32;

/// A further device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its name in the VM, unique among all devices.
    pub name: String,
    /// What it is.
    pub kind: DeviceKind,
    /// The PCI segment.
    pub pci_segment: u32,
    /// Behind the virtual IOMMU.
    pub iommu: bool,
}

/// What a further device is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceKind {
    /// Persistent memory that is backed by a file.
    Pmem {
        /// The file, under an allowed root.
        path: PathBuf,
        /// Its size in bytes; 0 for the file's own.
        size_bytes: u64,
        /// What the guest writes does not reach the file.
        read_only: bool,
        /// It holds the root file system.
        root: bool,
        /// The limit on flushes of the guest.
        rate_limit: Option<RateLimit>,
    },
    /// A folder of the host, served by a virtio-fs daemon.
    Share {
        /// The name by which the guest mounts it.
        tag: String,
        /// The daemon's Unix socket, under an allowed root.
        socket: PathBuf,
        /// Request queues; 0 lets the driver choose.
        queues: u32,
        /// Entries of a queue; 0 lets the driver choose.
        queue_size: u32,
    },
    /// A vDPA device of the host.
    Vdpa {
        /// Its character device, such as `/dev/vhost-vdpa-0`.
        path: PathBuf,
        /// Queues; 0 lets the driver choose.
        queues: u32,
    },
    /// A PCI device of the host that the guest is given whole.
    Passthrough {
        /// Its folder in sysfs.
        path: PathBuf,
    },
    /// A PCI device that another process plays (vfio-user).
    VfioUser {
        /// Its Unix socket, under an allowed root.
        socket: PathBuf,
    },
    /// A virtio device that another process plays.
    VhostUser {
        /// Its Unix socket, under an allowed root.
        socket: PathBuf,
        /// The virtio device type, by number.
        device_type: u32,
        /// The size of each queue.
        queue_sizes: Vec<u32>,
    },
}

/// What the guest reads about its machine (SMBIOS), and how the machine is laid out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Platform {
    /// The machine's serial number.
    pub serial_number: Option<String>,
    /// The machine's UUID.
    pub uuid: Option<String>,
    /// Strings of the maker's.
    pub oem_strings: Vec<String>,
    /// Who made it.
    pub manufacturer: Option<String>,
    /// The product's name.
    pub product: Option<String>,
    /// The product's version.
    pub version: Option<String>,
    /// The product's family.
    pub family: Option<String>,
    /// The product's stock-keeping unit.
    pub sku: Option<String>,
    /// The chassis' asset tag.
    pub asset_tag: Option<String>,
    /// PCI segments; 0 for one.
    pub pci_segments: u32,
    /// The segments behind the virtual IOMMU.
    pub iommu_segments: Vec<u32>,
    /// Bits of an address behind the virtual IOMMU; 0 lets the driver choose.
    pub iommu_address_bits: u32,
}

/// A NUMA node of the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumaNode {
    /// Its number.
    pub id: u32,
    /// Its virtual CPUs.
    pub cpus: BTreeSet<u32>,
    /// Its memory zones, by name.
    pub zones: Vec<String>,
    /// How far other nodes are: node, distance (10 is here, 20 is a step).
    pub distances: BTreeMap<u32, u32>,
    /// Its PCI segments.
    pub pci_segments: Vec<u32>,
}
