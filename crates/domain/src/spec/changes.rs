//! What may not differ between two specifications of one VM.

use super::{Disk, DiskSource, Draft};
use crate::Violation;

/// Changes that would lose or leave behind the content of disks that weft made.
#[must_use]
pub fn losing_disks(old: &Draft, new: &Draft) -> Vec<Violation> {
    old.disks.iter().filter_map(|disk| losing(disk, &new.disks)).collect()
}

fn losing(old: &Disk, new: &[Disk]) -> Option<Violation> {
    let DiskSource::Blank { size_bytes } = old.source else { return None };
    let Some((i, kept)) = new.iter().enumerate().find(|(_, disk)| disk.name == old.name) else {
        let why = format!("leave out the disk {:?}, whose content would be lost", old.name);
        return Some(Violation { field: "vm.spec.disks".into(), why });
    };
    let at = |name: &str, why: String| Some(Violation { field: format!("vm.spec.disks[{i}].{name}"), why });
    match kept.source {
        DiskSource::Blank { size_bytes: size } if size < size_bytes => {
            at("blank.size_bytes", format!("is {size}; the disk has {size_bytes} and can only grow"))
        }
        DiskSource::Blank { .. } if kept.format != old.format => {
            at("format", "cannot change: the disk is made already".into())
        }
        DiskSource::Blank { .. } => None,
        DiskSource::Path(_) | DiskSource::Volume(_) | DiskSource::Image(_) | DiskSource::VhostUser { .. } => {
            at("source", "would replace a disk that weft made, whose content would be lost".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_disk_stays_as_it_is() {
        let blank = |name: &str, size_bytes| Disk::new(name, DiskSource::Blank { size_bytes });
        let draft = |disks: Vec<Disk>| Draft { disks, ..Draft::default() };
        let old = draft(vec![blank("a", 1 << 20), Disk::new("b", DiskSource::Path("/img".into()))]);
        let fields = |new: Vec<Disk>| -> Vec<String> {
            losing_disks(&old, &draft(new)).into_iter().map(|violation| violation.field).collect()
        };
        assert!(fields(vec![blank("new", 1 << 21), blank("a", 1 << 20)]).is_empty());
        assert!(fields(vec![blank("a", 1 << 21)]).is_empty());
        assert_eq!(fields(vec![blank("a", 1 << 19)]), ["vm.spec.disks[0].blank.size_bytes"]);
        assert_eq!(fields(vec![]), ["vm.spec.disks"]);
        assert_eq!(fields(vec![Disk::new("a", DiskSource::Path("/x".into()))]), ["vm.spec.disks[0].source"]);
    }
}
