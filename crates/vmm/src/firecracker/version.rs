//! Firecracker's version, and what came with which.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A release line: major and minor number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Line(pub(super) u32, pub(super) u32);

/// The oldest that is driven: custom CPU templates, ACPI, sizes as they are sent here.
pub(super) const OLDEST: Line = Line(1, 7);
/// Other taps at the load of a snapshot.
pub(super) const TAP_OVERRIDES: Line = Line(1, 12);
/// Devices on PCI; metadata as EC2 tells it; `track_dirty_pages` at a load.
pub(super) const PCI: Line = Line(1, 13);
/// Persistent memory, memory that is plugged, reporting and hinting of free pages, `/serial`.
pub(super) const MORE_DEVICES: Line = Line(1, 14);
/// Devices that are plugged; MTU; limits on the serial line and on persistent memory; another vsock and the
/// host's time at a load.
pub(super) const HOTPLUG: Line = Line(1, 16);
/// Transparent huge pages; kernels that are a bzImage.
pub(super) const BZIMAGE: Line = Line(1, 17);

/// A version as Firecracker says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Version {
    pub(super) line: Line,
    text: String,
}

impl Version {
    /// The version in its own words: `Firecracker v1.17.0-dev`.
    pub(super) fn read(said: &str) -> Option<Self> {
        let words = said.lines().find_map(|line| line.trim().strip_prefix("Firecracker v"))?;
        let text = words.split_whitespace().next()?;
        let mut numbers = text.split('.').map(|part| part.split('-').next().unwrap_or(part).parse());
        let line = Line(numbers.next()?.ok()?, numbers.next()?.ok()?);
        Some(Self { line, text: text.to_owned() })
    }

    /// Whether it is of this line or a later one.
    pub(super) fn has(&self, since: Line) -> bool {
        self.line >= since
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_its_own_line() {
        let read = |said| Version::read(said).map(|version| (version.line, version.to_string()));
        assert_eq!(read("Firecracker v1.17.0-dev\n\n"), Some((Line(1, 17), "1.17.0-dev".to_owned())));
        assert_eq!(read("Firecracker v1.9.1\n"), Some((Line(1, 9), "1.9.1".to_owned())));
        assert_eq!(
            read("2026-11-20 [x] Running\nFirecracker v2.0.0+fuzzing"),
            Some((Line(2, 0), "2.0.0+fuzzing".to_owned()))
        );
        assert_eq!(read("Firecracker v1"), None);
        assert_eq!(read("bash: no such file"), None);
        assert!(Version::read("Firecracker v1.10.0").unwrap().has(Line(1, 9)));
    }
}
