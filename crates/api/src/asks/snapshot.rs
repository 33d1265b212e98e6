//! What is asked of snapshots, read into the domain's words.

use super::vm_ref;
use crate::convert::Found;
use crate::convert::vm::{project, revision};
use crate::proto::weft::v1 as wire;
use weft_domain::{Fault, Name};
use weft_ports::api::{Fork, NewSnapshot, SnapshotRef, SnapshotRemoval, VmRef};

/// Which snapshot is meant by an id or a name.
fn snapshot_ref(snapshot: &str, in_project: &str, field: &str, found: &mut Found) -> SnapshotRef {
    if let Ok(id) = snapshot.parse() {
        return SnapshotRef::Id(id);
    }
    let project = project(in_project, "project", found);
    if snapshot.is_empty() {
        found.add(field, "is required");
    }
    let name = found.parse_some(snapshot, field).unwrap_or_else(Name::default_project);
    SnapshotRef::Named { project, name }
}

/// The same, alone in its request.
pub(crate) fn one_snapshot(snapshot: &str, in_project: &str) -> Result<SnapshotRef, Fault> {
    let mut found = Found::default();
    let snapshot = snapshot_ref(snapshot, in_project, "snapshot", &mut found);
    found.done().map(|()| snapshot)
}

/// A snapshot that is asked for.
pub(crate) fn new_snapshot(request: wire::CreateSnapshotRequest) -> Result<NewSnapshot, Fault> {
    let mut found = Found::default();
    let vm = vm_ref(&request.vm, &request.project, &mut found);
    let asked = request.snapshot.into_option().unwrap_or_default();
    let parent = (!asked.parent.is_empty())
        .then(|| snapshot_ref(&asked.parent, &request.project, "snapshot.parent", &mut found));
    let new = NewSnapshot {
        vm,
        name: found.parse_some(&asked.name, "snapshot.name"),
        labels: found.labels(asked.labels, "snapshot.labels"),
        annotations: found.annotations(asked.annotations, "snapshot.annotations"),
        scope: found.choice(asked.scope, "snapshot.scope"),
        parent,
        validate_only: request.validate_only,
    };
    found.done().map(|()| new)
}

/// A removal that is asked for.
pub(crate) fn snapshot_removal(request: &wire::DeleteSnapshotRequest) -> Result<SnapshotRemoval, Fault> {
    let mut found = Found::default();
    let snapshot = snapshot_ref(&request.snapshot, &request.project, "snapshot", &mut found);
    let etag = revision(&request.etag, "etag", &mut found);
    found.done()?;
    Ok(SnapshotRemoval { snapshot, etag, allow_missing: request.allow_missing })
}

/// A return that is asked for.
pub(crate) fn restore(request: &wire::RestoreVmRequest) -> Result<(VmRef, SnapshotRef), Fault> {
    let mut found = Found::default();
    let vm = vm_ref(&request.vm, &request.project, &mut found);
    let snapshot = snapshot_ref(&request.snapshot, &request.project, "snapshot", &mut found);
    found.done().map(|()| (vm, snapshot))
}

/// A VM that is asked to begin from a snapshot.
pub(crate) fn fork(request: wire::ForkVmRequest) -> Result<Fork, Fault> {
    let mut found = Found::default();
    let fork = Fork {
        snapshot: snapshot_ref(&request.snapshot, &request.project, "snapshot", &mut found),
        name: found.parse_some(&request.name, "name"),
        labels: found.labels(request.labels, "labels"),
        metadata: request.metadata_json,
    };
    found.done().map(|()| fork)
}
