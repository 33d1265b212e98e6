//! What is plugged into a VM and resized, read into the domain's words.
//!
//! A part without a name is given one by the service, which knows those that are taken.

use crate::convert::Found;
use crate::convert::spec::part;
use crate::proto::weft::v1 as wire;
use weft_domain::spec::{Disk, DiskSource};
use weft_ports::api::Alter;

/// A disk that is added.
pub(crate) fn attach_disk(disk: Option<wire::Disk>, found: &mut Found) -> Alter {
    match disk {
        Some(disk) => Alter::AttachDisk(part::disk(disk, "", "disk", found)),
        None => {
            found.add("disk", "is required");
            Alter::AttachDisk(Disk::new("", DiskSource::Blank { size_bytes: 0 }))
        }
    }
}

/// An interface that is added: one on a private network where nothing is said of it.
pub(crate) fn attach_nic(nic: Option<wire::Nic>, found: &mut Found) -> Alter {
    Alter::AttachNic(part::nic(nic.unwrap_or_default(), "", "nic", found))
}

/// A further device that is added.
pub(crate) fn attach_device(device: Option<wire::Device>, found: &mut Found) -> Alter {
    let read = part::device(device.unwrap_or_default(), "", "device", found);
    // Where there is none, that was found and the request is refused.
    read.map_or(Alter::DetachVsock, Alter::AttachDevice)
}

/// A vsock that is added.
pub(crate) fn attach_vsock(vsock: Option<wire::Vsock>, found: &mut Found) -> Alter {
    if vsock.is_none() {
        found.add("vsock", "is required");
    }
    Alter::AttachVsock(part::vsock(vsock.unwrap_or_default()))
}

/// The name of a part that must be there.
pub(crate) fn name(text: &str, field: &str, found: &mut Found) -> String {
    if text.is_empty() {
        found.add(field, "is required");
    }
    text.to_owned()
}

/// Another size.
pub(crate) fn resize(request: &wire::ResizeVmRequest, found: &mut Found) -> Alter {
    let wire::ResizeVmRequest { cpus, memory_bytes, balloon_bytes, .. } = *request;
    if cpus.is_none() && memory_bytes.is_none() && balloon_bytes.is_none() {
        found.add("cpus", "needs one of cpus, memory_bytes and balloon_bytes");
    }
    Alter::Resize { cpus, memory_bytes, balloon_bytes }
}
