//! The calls by which a machine goes on from a snapshot.
//!
//! The snapshot names its disks and its vsock by names in the folder in which it is loaded, so they are those
//! of this machine; only taps are told anew. What Firecracker does not keep is said again: the metadata.

use super::{Blueprint, Calls, Error, choice, text, tracks};
use crate::firecracker::folder::VSOCK;
use crate::firecracker::model::{MemoryBackend, SnapshotLoad, TapOverride, Turn, VsockOverride, id};
use crate::firecracker::version::{HOTPLUG, PCI, TAP_OVERRIDES};
use crate::http::Method;
use std::path::PathBuf;
use weft_domain::snapshot::Role;
use weft_domain::spec::Attachment;
use weft_ports::hypervisor::Restore;

pub(super) fn plan(blueprint: &Blueprint<'_>, restore: &Restore, calls: &mut Calls) -> Result<(), Error> {
    let (spec, version) = (blueprint.spec(), blueprint.version);
    let tracked = tracks(spec);
    let load = SnapshotLoad {
        snapshot_path: text(&part(restore, &Role::State)?)?,
        mem_backend: MemoryBackend { backend_type: "File", backend_path: text(&part(restore, &Role::Memory)?)? },
        track_dirty_pages: tracked && version.has(PCI),
        enable_diff_snapshots: tracked && !version.has(PCI),
        network_overrides: taps(blueprint, restore)?,
        vsock_override: (spec.vsock.is_some() && version.has(HOTPLUG)).then_some(VsockOverride { uds_path: VSOCK }),
        clock_realtime: version.has(HOTPLUG) && cfg!(target_arch = "x86_64"),
    };
    calls.put("/snapshot/load", &load)?;
    if let (Some(metadata), Some(_)) = (&spec.metadata, &restore.spec.metadata) {
        calls.push(Method::Put, "/mmds", choice::object(&metadata.json, choice::METADATA)?);
    }
    calls.say(Method::Patch, "/vm", &Turn { state: "Resumed" })
}

/// The file of this role.
fn part(restore: &Restore, role: &Role) -> Result<PathBuf, Error> {
    let found = restore.content.parts.iter().find(|part| part.role == *role);
    found.map(|part| restore.folder.join(&part.file)).ok_or_else(|| Error::Snapshot {
        why: format!("it has no part for {}", if *role == Role::State { "the devices" } else { "the memory" }),
    })
}

/// The taps of this machine, where they are not those of the machine that was kept.
fn taps(blueprint: &Blueprint<'_>, restore: &Restore) -> Result<Vec<TapOverride>, Error> {
    let mut overrides = Vec::new();
    for (i, nic) in blueprint.spec().nics.iter().enumerate() {
        let Attachment::Tap(tap) = &nic.attachment else { continue };
        let old = restore.spec.nics.iter().find(|old| old.name == nic.name).map(|old| &old.attachment);
        if old == Some(&nic.attachment) {
            continue;
        }
        if !blueprint.version.has(TAP_OVERRIDES) {
            let why = format!("is another than the snapshot's, which Firecracker takes from {TAP_OVERRIDES} on");
            return Err(choice::unserved(&format!("vm.spec.nics[{i}].tap"), &why));
        }
        overrides.push(TapOverride { iface_id: id(&nic.name), host_dev_name: tap.clone() });
    }
    Ok(overrides)
}
