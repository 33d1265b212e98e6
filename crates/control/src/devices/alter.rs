//! What an alteration makes of a specification, as a pure function; and how its refusals are told.

use weft_domain::spec::{Balloon, Device, Disk, DiskSource, Draft, Nic, Spec, Vsock};
use weft_domain::{Fault, Reason};
use weft_ports::api::Alter;

/// What a specification becomes.
pub(super) struct Altered {
    /// The specification, not yet checked.
    pub(super) draft: Draft,
    /// Where in its list the part that is altered is.
    pub(super) index: usize,
}

/// The verb that asks for it.
pub(super) const fn verb(alter: &Alter) -> &'static str {
    match alter {
        Alter::AttachDisk(_) => "attach-disk",
        Alter::DetachDisk(_) => "detach-disk",
        Alter::ResizeDisk(..) => "resize-disk",
        Alter::AttachNic(_) => "attach-nic",
        Alter::DetachNic(_) => "detach-nic",
        Alter::AttachDevice(_) => "attach-device",
        Alter::DetachDevice(_) => "detach-device",
        Alter::AttachVsock(_) => "attach-vsock",
        Alter::DetachVsock => "detach-vsock",
        Alter::Resize { .. } => "resize",
    }
}

/// What the specification becomes.
///
/// # Errors
/// What is attached is there already; what is detached or resized is not.
pub(super) fn altered(spec: &Spec, alter: &Alter) -> Result<Altered, Fault> {
    let mut draft = spec.clone().into_draft();
    let index = match alter.clone() {
        Alter::AttachDisk(disk) => attach(&mut draft.disks, disk, ("disk", "disk.name"), |it: &mut Disk| &mut it.name)?,
        Alter::DetachDisk(name) => detach(&mut draft.disks, &name, "disk", |it: &Disk| &it.name)?,
        Alter::ResizeDisk(name, size_bytes) => {
            let index = find(&draft.disks, &name, "disk", |it| &it.name)?;
            resize_disk(&mut draft.disks[index], size_bytes)?;
            index
        }
        Alter::AttachNic(nic) => attach(&mut draft.nics, nic, ("nic", "nic.name"), |it: &mut Nic| &mut it.name)?,
        Alter::DetachNic(name) => detach(&mut draft.nics, &name, "nic", |it: &Nic| &it.name)?,
        Alter::AttachDevice(device) => {
            attach(&mut draft.devices, device, ("device", "device.name"), |it: &mut Device| &mut it.name)?
        }
        Alter::DetachDevice(name) => detach(&mut draft.devices, &name, "device", |it: &Device| &it.name)?,
        Alter::AttachVsock(vsock) => attach_vsock(&mut draft, vsock)?,
        Alter::DetachVsock => match draft.vsock.take() {
            Some(_) => 0,
            None => return Err(missing("vm", "has no vsock".to_owned())),
        },
        Alter::Resize { cpus, memory_bytes, balloon_bytes } => {
            resize(&mut draft, cpus, memory_bytes, balloon_bytes);
            0
        }
    };
    Ok(Altered { draft, index })
}

fn missing(field: &str, why: String) -> Fault {
    Fault::field(Reason::DeviceNotFound, field, why).fix("`weft vm describe` shows what the VM has")
}

/// Adds a part; one without a name gets the first that is free.
fn attach<T>(
    list: &mut Vec<T>,
    mut part: T,
    (prefix, field): (&str, &str),
    name: impl Fn(&mut T) -> &mut String,
) -> Result<usize, Fault> {
    let taken: Vec<String> = list.iter_mut().map(|it| name(it).clone()).collect();
    let own = name(&mut part);
    if own.is_empty() {
        let free = (0..=taken.len()).map(|i| format!("{prefix}{i}")).find(|free| !taken.contains(free));
        *own = free.unwrap_or_default();
    } else if taken.contains(own) {
        let why = format!("{own:?} is the name of one that the VM has");
        return Err(Fault::field(Reason::NameTaken, field, why).fix("choose another name, or detach that one first"));
    }
    list.push(part);
    Ok(list.len() - 1)
}

fn find<T>(list: &[T], name: &str, field: &str, of: impl Fn(&T) -> &String) -> Result<usize, Fault> {
    let found = list.iter().position(|it| of(it) == name);
    found.ok_or_else(|| missing(field, format!("the VM has none that is named {name:?}")))
}

fn detach<T>(list: &mut Vec<T>, name: &str, field: &str, of: impl Fn(&T) -> &String) -> Result<usize, Fault> {
    let index = find(list, name, field, of)?;
    list.remove(index);
    Ok(index)
}

fn resize_disk(disk: &mut Disk, bytes: u64) -> Result<(), Fault> {
    match &mut disk.source {
        DiskSource::Blank { size_bytes } => {
            *size_bytes = bytes;
            Ok(())
        }
        DiskSource::Path(_) | DiskSource::Volume(_) | DiskSource::Image(_) | DiskSource::VhostUser { .. } => {
            let why = format!("{:?} is no disk that weft made", disk.name);
            Err(Fault::field(Reason::FieldInvalid, "disk", why)
                .fix("resize the file yourself; weft only changes the size of disks that it made"))
        }
    }
}

fn attach_vsock(draft: &mut Draft, vsock: Vsock) -> Result<usize, Fault> {
    if draft.vsock.is_some() {
        let fault = Fault::field(Reason::NameTaken, "vsock", "the VM has a vsock already");
        return Err(fault.fix("detach it first"));
    }
    draft.vsock = Some(vsock);
    Ok(0)
}

fn resize(draft: &mut Draft, cpus: Option<u32>, memory_bytes: Option<u64>, balloon_bytes: Option<u64>) {
    if let Some(cpus) = cpus {
        // Where no room was asked for more, none is kept: the most follows.
        let follows = draft.cpu.max == draft.cpu.boot;
        draft.cpu.max = if follows { cpus } else { draft.cpu.max.max(cpus) };
        draft.cpu.boot = cpus;
    }
    if let Some(bytes) = memory_bytes {
        draft.memory.size_bytes = bytes;
    }
    if let Some(bytes) = balloon_bytes {
        match &mut draft.memory.balloon {
            Some(balloon) => balloon.size_bytes = bytes,
            None => draft.memory.balloon = Some(Balloon::new(bytes)),
        }
    }
}

/// The refusal with the fields of the verb's request.
pub(super) fn named(mut fault: Fault, alter: &Alter, index: usize) -> Fault {
    let names: Vec<(String, &str)> = match alter {
        Alter::AttachDisk(_) => vec![(format!("vm.spec.disks[{index}]"), "disk")],
        Alter::DetachDisk(_) => vec![("vm.spec.disks".to_owned(), "disk")],
        Alter::ResizeDisk(..) => vec![(format!("vm.spec.disks[{index}].blank.size_bytes"), "size_bytes")],
        Alter::AttachNic(_) => vec![(format!("vm.spec.nics[{index}]"), "nic")],
        Alter::AttachDevice(_) => vec![(format!("vm.spec.devices[{index}]"), "device")],
        Alter::AttachVsock(_) => vec![("vm.spec.vsock".to_owned(), "vsock")],
        Alter::Resize { .. } => vec![
            ("vm.spec.cpu.boot".to_owned(), "cpus"),
            ("vm.spec.cpu.max".to_owned(), "cpus"),
            ("vm.spec.memory.balloon".to_owned(), "balloon_bytes"),
            ("vm.spec.memory.balloon.size_bytes".to_owned(), "balloon_bytes"),
            ("vm.spec.memory.size_bytes".to_owned(), "memory_bytes"),
        ],
        Alter::DetachNic(_) | Alter::DetachDevice(_) | Alter::DetachVsock => Vec::new(),
    };
    for violation in &mut fault.violations {
        let told = names.iter().filter_map(|(from, to)| {
            let rest = violation.field.strip_prefix(from.as_str())?;
            (rest.is_empty() || rest.starts_with(['.', '['])).then(|| (from.len(), format!("{to}{rest}")))
        });
        let told = told.max_by_key(|(length, _)| *length).map(|(_, field)| field);
        if let Some(field) = told.or_else(|| whole(alter, &violation.field).map(str::to_owned)) {
            fault.message = fault.message.replacen(&violation.field, &field, 1);
            violation.field = field;
        }
    }
    // What two fields of the specification say of one of the request is said once.
    fault.violations.dedup_by(|later, first| later.field == first.field);
    fault
}

/// The field of the request that makes a whole list too much for the node.
fn whole(alter: &Alter, field: &str) -> Option<&'static str> {
    match alter {
        Alter::AttachDisk(_) if field == "vm.spec.disks" => Some("disk"),
        Alter::ResizeDisk(..) if field == "vm.spec.disks" => Some("size_bytes"),
        Alter::AttachNic(_) if field == "vm.spec.nics" => Some("nic"),
        Alter::AttachDevice(_) if field == "vm.spec.devices" => Some("device"),
        Alter::AttachDisk(_)
        | Alter::DetachDisk(_)
        | Alter::ResizeDisk(..)
        | Alter::AttachNic(_)
        | Alter::DetachNic(_)
        | Alter::AttachDevice(_)
        | Alter::DetachDevice(_)
        | Alter::AttachVsock(_)
        | Alter::DetachVsock
        | Alter::Resize { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> Spec {
        let mut draft = Draft::default();
        draft.disks.push(Disk::new("disk0", DiskSource::Path("/a".into())));
        draft.disks.push(Disk::new("data", DiskSource::Blank { size_bytes: 1 << 20 }));
        draft.check().expect("lawful")
    }

    fn reason(alter: Alter) -> (Reason, String) {
        let fault = altered(&spec(), &alter).err().expect("refused");
        (fault.reason, fault.violations[0].field.clone())
    }

    #[test]
    fn a_part_without_a_name_gets_the_first_that_is_free() {
        let disk = Disk::new("", DiskSource::Path("/b".into()));
        let Altered { draft, index } = altered(&spec(), &Alter::AttachDisk(disk)).expect("attached");
        assert_eq!((draft.disks[index].name.as_str(), index), ("disk1", 2));
    }

    #[test]
    fn what_is_there_and_what_is_not_is_told() {
        let disk = Disk::new("data", DiskSource::Path("/b".into()));
        assert_eq!(reason(Alter::AttachDisk(disk)), (Reason::NameTaken, "disk.name".into()));
        assert_eq!(reason(Alter::DetachDisk("x".into())), (Reason::DeviceNotFound, "disk".into()));
        assert_eq!(reason(Alter::ResizeDisk("disk0".into(), 1 << 21)), (Reason::FieldInvalid, "disk".into()));
        assert_eq!(reason(Alter::DetachNic("x".into())), (Reason::DeviceNotFound, "nic".into()));
        assert_eq!(reason(Alter::DetachVsock), (Reason::DeviceNotFound, "vm".into()));
    }

    #[test]
    fn the_most_cpus_follow_where_no_room_was_asked() {
        let alter = Alter::Resize { cpus: Some(4), memory_bytes: None, balloon_bytes: Some(0) };
        let Altered { draft, .. } = altered(&spec(), &alter).expect("resized");
        assert_eq!((draft.cpu.boot, draft.cpu.max), (4, 4));
        assert_eq!(draft.memory.balloon, Some(Balloon::new(0)));
    }

    #[test]
    fn a_refusal_names_the_request_s_own_field() {
        let alter = Alter::AttachDisk(Disk::new("", DiskSource::Path("/b".into())));
        let fault = Fault::field(Reason::PathUnusable, "vm.spec.disks[2].path", "leads to nothing");
        let fault = named(fault, &alter, 2);
        assert_eq!(
            (fault.violations[0].field.as_str(), fault.message.as_str()),
            ("disk.path", "disk.path: leads to nothing")
        );
        let alter = Alter::Resize { cpus: None, memory_bytes: Some(1), balloon_bytes: None };
        let fault = named(Fault::field(Reason::FieldInvalid, "vm.spec.memory.size_bytes", "is 1"), &alter, 0);
        assert_eq!(fault.violations[0].field, "memory_bytes");
    }
}
