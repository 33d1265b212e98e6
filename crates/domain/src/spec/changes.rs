//! What differs between two specifications, and what of it may be changed when.

use super::{Disk, DiskSource, Draft};
use crate::Violation;

/// The fields that differ and may only change while nothing runs that was made from them.
///
/// The restart policy and the readiness probe may change at any time.
#[must_use]
pub fn needing_rest(old: &Draft, new: &Draft) -> Vec<String> {
    // Named one by one, so that a new field must be thought of here.
    let Draft {
        driver,
        machine,
        accelerator,
        cpu,
        memory,
        payload,
        disks,
        nics,
        serial,
        console,
        rng,
        vsock,
        metadata,
        cloud_init,
        restart: _,
        readiness: _,
    } = new;
    let mut fields: Vec<String> = [
        ("driver", old.driver != *driver),
        ("machine", old.machine != *machine),
        ("accelerator", old.accelerator != *accelerator),
        ("cpu", old.cpu != *cpu),
        ("memory", old.memory != *memory),
        ("payload", old.payload != *payload),
        ("serial", old.serial != *serial),
        ("console", old.console != *console),
        ("rng", old.rng != *rng),
        ("vsock", old.vsock != *vsock),
        ("metadata", old.metadata != *metadata),
        ("cloud_init", old.cloud_init != *cloud_init),
    ]
    .into_iter()
    .filter(|(_, differs)| *differs)
    .map(|(name, _)| format!("vm.spec.{name}"))
    .collect();
    fields.extend(listed("disks", &old.disks, disks));
    fields.extend(listed("nics", &old.nics, nics));
    fields
}

fn listed<T: PartialEq>(name: &str, old: &[T], new: &[T]) -> Vec<String> {
    let longest = old.len().max(new.len());
    (0..longest).filter(|&i| old.get(i) != new.get(i)).map(|i| format!("vm.spec.{name}[{i}]")).collect()
}

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
        DiskSource::Blank { size_bytes: size } if size != size_bytes => {
            at("size_bytes", format!("is {size}; the disk was made with {size_bytes} and keeps its size"))
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
    use crate::spec::RestartPolicy;

    #[test]
    fn fields_are_named_and_policies_are_free() {
        let old = Draft::default();
        let mut new = Draft { restart: RestartPolicy::Always, ..old.clone() };
        assert!(needing_rest(&old, &new).is_empty());
        new.cpu.boot = 2;
        new.disks.push(Disk::new("a", DiskSource::Blank { size_bytes: 1 << 20 }));
        assert_eq!(needing_rest(&old, &new), ["vm.spec.cpu", "vm.spec.disks[0]"]);
    }

    #[test]
    fn a_made_disk_stays_as_it_is() {
        let blank = |name: &str, size_bytes| Disk::new(name, DiskSource::Blank { size_bytes });
        let draft = |disks: Vec<Disk>| Draft { disks, ..Draft::default() };
        let old = draft(vec![blank("a", 1 << 20), Disk::new("b", DiskSource::Path("/img".into()))]);
        let fields = |new: Vec<Disk>| -> Vec<String> {
            losing_disks(&old, &draft(new)).into_iter().map(|violation| violation.field).collect()
        };
        assert!(fields(vec![blank("new", 1 << 21), blank("a", 1 << 20)]).is_empty());
        assert_eq!(fields(vec![blank("a", 1 << 21)]), ["vm.spec.disks[0].size_bytes"]);
        assert_eq!(fields(vec![]), ["vm.spec.disks"]);
        assert_eq!(fields(vec![Disk::new("a", DiskSource::Path("/x".into()))]), ["vm.spec.disks[0].source"]);
    }
}
