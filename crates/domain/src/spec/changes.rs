//! What may not differ between two specifications of one VM.

use super::{Disk, DiskFormat, DiskSource, Draft};
use crate::Violation;

/// Changes that would lose or leave behind the content of disks that weft made.
#[must_use]
pub fn losing_disks(old: &Draft, new: &Draft) -> Vec<Violation> {
    old.disks.iter().filter_map(|disk| losing(disk, &new.disks)).collect()
}

/// New disks that nobody could make: weft makes an empty disk byte by byte. One that is there already, such as a
/// fork's copy of a disk, may have any format.
#[must_use]
pub fn not_made(old: &[Disk], new: &Draft) -> Vec<Violation> {
    let there = |disk: &Disk| old.iter().any(|old| old.name == disk.name);
    let new = new.disks.iter().enumerate().filter(|(_, disk)| !there(disk));
    new.filter(|(_, disk)| matches!(disk.source, DiskSource::Blank { .. }) && disk.format != DiskFormat::Raw)
        .map(|(i, _)| Violation {
            field: format!("vm.spec.disks[{i}].format"),
            why: "must be raw for a disk that weft makes; a disk of another format is given by its path".into(),
        })
        .collect()
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

    #[test]
    fn an_empty_disk_is_made_byte_by_byte() {
        let disk = |source| Disk { format: DiskFormat::Qcow2, ..Disk::new("a", source) };
        let draft = |disk: &Disk| Draft { disks: vec![disk.clone()], ..Draft::default() };
        let empty = disk(DiskSource::Blank { size_bytes: 1 << 20 });
        assert_eq!(not_made(&[], &draft(&empty))[0].field, "vm.spec.disks[0].format");
        assert_eq!(not_made(std::slice::from_ref(&empty), &draft(&empty)), []);
        assert_eq!(not_made(&[], &draft(&disk(DiskSource::Path("/img".into())))), []);
    }
}
