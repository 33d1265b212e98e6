//! Which version knows which field. An older one passes over it in silence, so it must not be asked.

use std::fmt;
use weft_domain::capability::Feature;

/// A version: the major number and the minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(in crate::cloud_hypervisor) struct Version(
    pub(in crate::cloud_hypervisor) u32,
    pub(in crate::cloud_hypervisor) u32,
);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// The oldest version that is driven.
pub(in crate::cloud_hypervisor) const OLDEST: Version = Version(44, 0);
/// Counts of processors have more than 8 bits.
pub(super) const MANY_CPUS: Version = Version(48, 0);
/// Nesting can be turned off.
pub(super) const NESTED: Version = Version(50, 0);
/// The format of a disk can be said.
pub(in crate::cloud_hypervisor) const IMAGE_TYPE: Version = Version(51, 0);
/// Whether pages may be merged is said for each zone.
pub(super) const ZONE_MERGEABLE: Version = Version(52, 0);
/// The process can outlive its guest's power-off.
pub(in crate::cloud_hypervisor) const NO_SHUTDOWN: Version = Version(52, 0);
/// What the guest reads about its machine has names by structure.
pub(super) const SMBIOS: Version = Version(53, 0);
/// A machine is sent in the background.
pub(in crate::cloud_hypervisor) const SENDS_IN_BACKGROUND: Version = Version(53, 0);
/// A request may have more than the first limit.
const LONG_BODIES: Version = Version(54, 0);

impl Version {
    /// Whether it is this one or newer.
    pub(in crate::cloud_hypervisor) fn has(self, since: Self) -> bool {
        self >= since
    }

    /// The longest request that it reads, in bytes.
    pub(in crate::cloud_hypervisor) fn longest_body(self) -> usize {
        if self.has(LONG_BODIES) { 4 << 20 } else { 51_200 }
    }
}

/// Features that came later than [`OLDEST`].
pub(in crate::cloud_hypervisor) const SINCE: &[(Feature, Version)] = &[
    (Feature::LiveDiskSize, Version(50, 0)),
    // An older one opens whatever file an image names below itself.
    (Feature::DiskQcow2, Version(51, 0)),
    (Feature::DiskBackingFiles, Version(51, 0)),
    (Feature::DiskSparse, Version(51, 0)),
    (Feature::CoreScheduling, Version(52, 0)),
    (Feature::VhostUser, Version(52, 0)),
    (Feature::LiveVhostUser, Version(52, 0)),
    (Feature::MemoryReserve, Version(53, 0)),
];

/// Fields of a feature that came later than the feature itself, with the fields' names.
pub(super) const DESCRIPTION: (Version, [&str; 6]) =
    (SMBIOS, ["manufacturer", "product", "version", "family", "sku", "asset_tag"]);
