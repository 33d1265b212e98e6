//! A snapshot as one machine sees it: its own copy of what names files and addresses, and the memory as it
//! is. The snapshot itself stays as it was.
//!
//! ```text
//!  snapshot/config.json ──► with this machine's paths, sockets and addresses ──► origin/config.json
//!  snapshot/state.json, memory-ranges ◄── links ── origin/
//! ```
//!
//! The guest keeps the hardware addresses in its memory until it drives its interfaces anew; what it is
//! connected to is this machine's from the start.

use crate::cloud_hypervisor::Error;
use crate::cloud_hypervisor::folder::Folder;
use crate::cloud_hypervisor::model::VmConfig;
use serde_json::{Map, Value};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use weft_domain::snapshot::Role;
use weft_ports::hypervisor::{Order, Restore};

/// The file that names everything.
const CONFIG: &str = "config.json";
/// Files that are only read, with what they hold.
const LINKED: [(Role, &str); 2] = [(Role::State, "state.json"), (Role::Memory, "memory-ranges")];
/// The longest configuration that is read, in bytes.
const MAX_CONFIG: u64 = 4 << 20;
/// Lists of devices, and what of each is this machine's own.
const LISTS: [(&str, &[&str]); 8] = [
    ("disks", &["path", "vhost_socket"]),
    ("net", &["mac", "vhost_socket"]),
    ("pmem", &["file"]),
    ("fs", &["socket"]),
    ("vdpa", &["path"]),
    ("devices", &["path"]),
    ("user_devices", &["socket"]),
    ("generic_vhost_user", &["socket"]),
];
/// Single things, and what of each is this machine's own.
const SINGLES: [(&str, &[&str]); 6] = [
    ("vsock", &["cid", "socket"]),
    ("serial", &["mode", "file"]),
    ("console", &["mode", "file"]),
    ("payload", &["kernel", "initramfs", "firmware"]),
    ("tpm", &["socket"]),
    ("rng", &["src"]),
];

/// What a process that begins from this snapshot reads.
pub(super) fn files(restore: &Restore, folder: &Folder) -> Vec<PathBuf> {
    let linked = LINKED.iter().filter_map(|(role, _)| part(restore, role));
    linked.chain([folder.origin()]).collect()
}

fn part(restore: &Restore, role: &Role) -> Option<PathBuf> {
    let found = restore.content.parts.iter().find(|part| part.role == *role)?;
    Some(restore.folder.join(&found.file))
}

/// Makes the folder, before the process is started: what it sees must be there.
pub(super) fn make(restore: &Restore, folder: &Folder) -> Result<(), Error> {
    let origin = folder.origin();
    let made = std::fs::create_dir(&origin);
    made.map_err(|source| Error::UseFolder { path: origin.clone(), source })?;
    for (role, name) in &LINKED {
        let unusable = |why: String| Error::Snapshot { why };
        let target = part(restore, role).ok_or_else(|| unusable(format!("it has no {role:?}")))?;
        let there = std::fs::metadata(&target).map_err(|error| unusable(format!("{}: {error}", target.display())))?;
        if there.len() == 0 {
            return Err(unusable(format!("{} is empty", target.display())));
        }
        let path = origin.join(name);
        symlink(&target, &path).map_err(|source| Error::UseFolder { path, source })?;
    }
    Ok(())
}

/// Writes this machine's own configuration.
pub(super) fn lay(restore: &Restore, order: &Order, machine: &VmConfig, folder: &Folder) -> Result<(), Error> {
    let unusable = |why: String| Error::Snapshot { why };
    let source = part(restore, &Role::Config).ok_or_else(|| unusable("it has no configuration".to_owned()))?;
    let read = || -> std::io::Result<Vec<u8>> {
        let length = std::fs::metadata(&source)?.len();
        if length > MAX_CONFIG {
            return Err(std::io::Error::other(format!("is {length} bytes long")));
        }
        std::fs::read(&source)
    };
    let bytes = read().map_err(|error| unusable(format!("{}: {error}", source.display())))?;
    let mut kept: Value =
        serde_json::from_slice(&bytes).map_err(|error| unusable(format!("{}: {error}", source.display())))?;
    let own = own(order, machine);
    relocate(&mut kept, &own).map_err(unusable)?;
    let path = folder.origin().join(CONFIG);
    std::fs::write(&path, kept.to_string()).map_err(|source| Error::UseFolder { path, source })
}

/// The whole configuration of this machine, with the interfaces that are given open files.
fn own(order: &Order, machine: &VmConfig) -> Value {
    use crate::cloud_hypervisor::config;
    let mut own = serde_json::to_value(machine).unwrap_or_default();
    let nics = order.spec.nics.iter().enumerate().map(|(index, nic)| config::nic(nic, index, order));
    own["net"] = serde_json::to_value(nics.collect::<Vec<_>>()).unwrap_or_default();
    own
}

/// Puts what is this machine's own into what was kept. Both have the same devices.
fn relocate(kept: &mut Value, own: &Value) -> Result<(), String> {
    let kept = kept.as_object_mut().ok_or_else(|| "its configuration is no object".to_owned())?;
    for (list, fields) in LISTS {
        let new = own.get(list).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut empty = Vec::new();
        let old = kept.get_mut(list).and_then(Value::as_array_mut).unwrap_or(&mut empty);
        for entry in old.iter_mut().filter_map(Value::as_object_mut) {
            let same = new.iter().find(|new| new.get("id") == entry.get("id"));
            let same = same.and_then(Value::as_object);
            let same = same.ok_or_else(|| format!("it has {} in {list}, which the VM has not", name(entry)))?;
            copy(entry, same, fields);
        }
        let lacks = |new: &&Value| old.iter().all(|old| old.get("id") != new.get("id"));
        if let Some(new) = new.iter().find(lacks).and_then(Value::as_object) {
            return Err(format!("it has no {} in {list}, which the VM has", name(new)));
        }
    }
    for (single, fields) in SINGLES {
        if let (Some(old), Some(new)) =
            (kept.get_mut(single).and_then(Value::as_object_mut), own.get(single).and_then(Value::as_object))
        {
            copy(old, new, fields);
        }
    }
    Ok(())
}

fn name(entry: &Map<String, Value>) -> String {
    entry.get("id").and_then(Value::as_str).unwrap_or("a device without a name").to_owned()
}

fn copy(old: &mut Map<String, Value>, new: &Map<String, Value>, fields: &[&str]) {
    for field in fields {
        match new.get(*field) {
            Some(value) => {
                old.insert((*field).to_owned(), value.clone());
            }
            None => {
                old.remove(*field);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_its_own_is_put_in_and_all_else_stays() {
        let mut kept = json!({
            "disks": [{"id": "disk-a", "path": "/old", "readonly": true, "later": 1}],
            "vsock": {"id": "vsock", "cid": 3, "socket": "/old.sock"},
            "serial": {"mode": "Tty"}, "memory": {"size": 7}, "net": null,
        });
        let own = json!({
            "disks": [{"id": "disk-a", "path": "/new"}],
            "vsock": {"id": "vsock", "cid": 9, "socket": "/new.sock"}, "serial": {"mode": "Tty"}, "net": [],
        });
        relocate(&mut kept, &own).unwrap();
        assert_eq!(kept["disks"][0], json!({"id": "disk-a", "path": "/new", "readonly": true, "later": 1}));
        assert_eq!(kept["vsock"], json!({"id": "vsock", "cid": 9, "socket": "/new.sock"}));
        assert_eq!(kept["memory"]["size"], 7);
    }

    #[test]
    fn other_devices_are_no_snapshot_of_this_machine() {
        let mut kept = json!({"disks": [{"id": "disk-a"}]});
        let fault = relocate(&mut kept, &json!({"disks": []})).unwrap_err();
        assert!(fault.contains("disk-a"), "{fault}");
        let fault = relocate(&mut json!({}), &json!({"net": [{"id": "nic-a"}]})).unwrap_err();
        assert!(fault.contains("nic-a"), "{fault}");
    }
}
