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
    /// The balloon.
    pub balloon: Option<Balloon>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            size_bytes: 256 * MIB,
            hotplug_bytes: 0,
            huge_page_bytes: None,
            shared: false,
            mergeable: false,
            prefault: false,
            thp: false,
            balloon: None,
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
}
