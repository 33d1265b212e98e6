//! Files of the host that VMs are given: one VM writes a file, or any number read it.
//!
//! Two guests that write one disk ruin its file system, and one that reads what another writes reads nonsense.
//! Here paths are told apart as they are written; what only leads to the same file is the node's to see.

use crate::memory::Memory;
use crate::state::node_of;
use std::path::Path;
use weft_domain::spec::{DeviceKind, DiskSource, Draft};
use weft_domain::{Fault, InstanceId, NodeId, Reason};

/// A file, whether it is written, and the field that names it.
struct Given<'a> {
    path: &'a Path,
    writes: bool,
    field: String,
}

fn given(spec: &Draft) -> impl Iterator<Item = Given<'_>> {
    let disks = spec.disks.iter().enumerate().filter_map(|(i, disk)| match &disk.source {
        DiskSource::Path(path) => {
            Some(Given { path, writes: !disk.read_only, field: format!("vm.spec.disks[{i}].path") })
        }
        DiskSource::Blank { .. } | DiskSource::Volume(_) | DiskSource::Image(_) | DiskSource::VhostUser { .. } => None,
    });
    let devices = spec.devices.iter().enumerate().filter_map(|(i, device)| match &device.kind {
        DeviceKind::Pmem { path, read_only, .. } => {
            Some(Given { path, writes: !read_only, field: format!("vm.spec.devices[{i}].pmem.path") })
        }
        DeviceKind::Share { .. }
        | DeviceKind::VfioUser { .. }
        | DeviceKind::VhostUser { .. }
        | DeviceKind::Vdpa { .. }
        | DeviceKind::Passthrough { .. } => None,
    });
    disks.chain(devices)
}

/// Whether the VM can have the files that it asks for beside the others on its node.
pub(crate) fn free(memory: &Memory, node: NodeId, id: InstanceId, spec: &Draft) -> Result<(), Fault> {
    let asked: Vec<_> = given(spec).collect();
    if asked.is_empty() {
        return Ok(());
    }
    let state = memory.read();
    let others = state.instances.values().filter(|vm| vm.value.meta.id != id && node_of(&vm.value) == Some(node));
    for other in others {
        for has in given(&other.value.spec) {
            let clash = asked.iter().find(|asks| asks.path == has.path && (asks.writes || has.writes));
            if let Some(asks) = clash {
                let how = if has.writes { "is written by" } else { "is read by" };
                let why = format!("{} {how} VM {}", asks.path.display(), other.value.meta.name);
                let fix = "give the VM a copy; or delete the other VM, or detach the disk from it; a file that all only read can be shared";
                return Err(Fault::field(Reason::InUse, asks.field.clone(), why).fix(fix));
            }
        }
    }
    Ok(())
}
