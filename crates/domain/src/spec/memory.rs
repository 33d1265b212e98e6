//! Memory: how much, made of what, what can change later.

/// One mebibyte, in bytes.
pub const MIB: u64 = 1 << 20;
/// The least memory of a VM, in bytes.
pub const MIN_BYTES: u64 = 8 * MIB;
/// The most memory of a VM, in bytes (16 TiB).
pub const MAX_BYTES: u64 = 16 << 40;

/// Memory of a VM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// Bytes at boot, a multiple of 1 MiB.
    pub size_bytes: u64,
    /// Bytes that can be plugged beyond it.
    pub hotplug_bytes: u64,
    /// How they are plugged.
    pub hotplug_method: HotplugMethod,
    /// Backed by huge pages of this size, in bytes.
    pub huge_page_bytes: Option<u64>,
    /// Shared with other processes of the host (vhost-user needs it).
    pub shared: bool,
    /// Same pages may be merged.
    pub mergeable: bool,
    /// All pages are touched at boot.
    pub prefault: bool,
    /// Transparent huge pages are asked for.
    pub thp: bool,
    /// Swap space is reserved for all of it.
    pub reserve: bool,
    /// The balloon.
    pub balloon: Option<Balloon>,
    /// Parts of it with backing of their own, for NUMA; where there are any, their sizes add up to
    /// `size_bytes`.
    pub zones: Vec<Zone>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            size_bytes: 256 * MIB,
            hotplug_bytes: 0,
            hotplug_method: HotplugMethod::Auto,
            huge_page_bytes: None,
            shared: false,
            mergeable: false,
            prefault: false,
            thp: false,
            reserve: false,
            balloon: None,
            zones: Vec::new(),
        }
    }
}

/// A memory balloon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balloon {
    /// Bytes taken from the guest at boot.
    pub size_bytes: u64,
    /// Given back when the guest runs out of memory.
    pub deflate_on_oom: bool,
    /// The guest tells of pages that it does not use.
    pub free_page_reporting: bool,
    /// The guest tells of free pages when it is asked.
    pub free_page_hinting: bool,
    /// Seconds between two statistics of the guest's memory; 0 for none.
    pub statistics_seconds: u32,
}

impl Balloon {
    /// A balloon of this size, and nothing else asked of it.
    #[must_use]
    pub const fn new(size_bytes: u64) -> Self {
        Self {
            size_bytes,
            deflate_on_oom: false,
            free_page_reporting: false,
            free_page_hinting: false,
            statistics_seconds: 0,
        }
    }
}

/// How memory is plugged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub enum HotplugMethod {
    /// The driver's choice.
    #[default]
    Auto,
    /// Memory modules that are announced by ACPI; they can only be added.
    Acpi,
    /// A virtio-mem device, both ways.
    VirtioMem,
}

/// A part of the memory with backing of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Its name, unique.
    pub name: String,
    /// Bytes at boot.
    pub size_bytes: u64,
    /// Bytes that can be plugged beyond it.
    pub hotplug_bytes: u64,
    /// The host's NUMA node that it is taken from.
    pub host_numa_node: Option<u32>,
}
