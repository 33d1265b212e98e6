//! `Snapshots` from afar.

use super::vms::{id, vm_of};
use super::{Client, missing, named, options};
use crate::convert::Choice as _;
use crate::convert::snapshot::read_stored as read_snapshot;
use crate::convert::vm::{etag, read_stored};
use crate::fault::from_wire;
use crate::proto::weft::v1 as wire;
use weft_domain::Fault;
use weft_domain::object::Revision;
use weft_ports::api::{
    Call, Fork, KeptSnapshot, ListQuery, NewSnapshot, Page, SnapshotRef, SnapshotRemoval, Snapshots, Vm, VmRef,
};

/// The id or name, and the project where it needs one.
fn which(snapshot: &SnapshotRef) -> (String, String) {
    match snapshot {
        SnapshotRef::Id(id) => (id.to_string(), String::new()),
        SnapshotRef::Named { project, name } => (name.to_string(), project.to_string()),
    }
}

/// The project of either: both are in one where both are told by name.
fn project_of(first: String, second: String) -> String {
    if first.is_empty() { second } else { first }
}

/// The snapshot in an answer that always has one.
macro_rules! snapshot_of {
    ($call:expr) => {{
        let response = $call.await.map_err(|e| from_wire(&e))?.into_owned();
        response.snapshot.into_option().ok_or_else(|| missing("snapshot")).and_then(read_snapshot)
    }};
}

#[async_trait::async_trait]
impl Snapshots for Client {
    async fn create(&self, call: &Call, new: NewSnapshot) -> Result<KeptSnapshot, Fault> {
        let ((vm, its), (parent, other)) = (named(&new.vm), new.parent.as_ref().map(which).unwrap_or_default());
        let snapshot = wire::Snapshot {
            name: new.name.map(|name| name.to_string()).unwrap_or_default(),
            labels: new.labels.as_map().clone(),
            annotations: new.annotations.as_map().clone(),
            scope: new.scope.write().into(),
            parent,
            ..Default::default()
        };
        let request = wire::CreateSnapshotRequest {
            vm,
            project: project_of(its, other),
            snapshot: snapshot.into(),
            request_id: id(call),
            validate_only: new.validate_only,
            ..Default::default()
        };
        snapshot_of!(self.snapshots.create_snapshot_with_options(request, options(call)))
    }

    async fn get(&self, call: &Call, snapshot: &SnapshotRef) -> Result<KeptSnapshot, Fault> {
        let (snapshot, project) = which(snapshot);
        let request = wire::GetSnapshotRequest { snapshot, project, ..Default::default() };
        snapshot_of!(self.snapshots.get_snapshot_with_options(request, options(call)))
    }

    async fn list(&self, call: &Call, query: &ListQuery) -> Result<Page<KeptSnapshot>, Fault> {
        let request = wire::ListSnapshotsRequest {
            project: query.project.as_ref().map(ToString::to_string).unwrap_or_default(),
            page_size: query.page_size,
            page_token: query.page_token.clone(),
            filter: query.filter.clone(),
            ..Default::default()
        };
        let answer = self.snapshots.list_snapshots_with_options(request, options(call)).await;
        let answer = answer.map_err(|e| from_wire(&e))?.into_owned();
        let items = answer.snapshots.into_iter().map(read_snapshot).collect::<Result<_, _>>()?;
        Ok(Page { items, next_page_token: answer.next_page_token, revision: Revision(answer.revision) })
    }

    async fn delete(&self, call: &Call, removal: SnapshotRemoval) -> Result<Option<KeptSnapshot>, Fault> {
        let (snapshot, project) = which(&removal.snapshot);
        let request = wire::DeleteSnapshotRequest {
            snapshot,
            project,
            allow_missing: removal.allow_missing,
            etag: removal.etag.map(etag).unwrap_or_default(),
            request_id: id(call),
            ..Default::default()
        };
        let answer = self.snapshots.delete_snapshot_with_options(request, options(call)).await;
        answer.map_err(|e| from_wire(&e))?.into_owned().snapshot.into_option().map(read_snapshot).transpose()
    }

    async fn restore(&self, call: &Call, vm: &VmRef, snapshot: &SnapshotRef) -> Result<Vm, Fault> {
        let ((vm, its), (snapshot, other)) = (named(vm), which(snapshot));
        let project = project_of(its, other);
        let request = wire::RestoreVmRequest { vm, project, snapshot, request_id: id(call), ..Default::default() };
        vm_of!(self.snapshots.restore_vm_with_options(request, options(call)))
    }

    async fn fork(&self, call: &Call, fork: Fork) -> Result<Vm, Fault> {
        let (snapshot, project) = which(&fork.snapshot);
        let request = wire::ForkVmRequest {
            snapshot,
            project,
            name: fork.name.map(|name| name.to_string()).unwrap_or_default(),
            labels: fork.labels.as_map().clone(),
            metadata_json: fork.metadata,
            request_id: id(call),
            ..Default::default()
        };
        vm_of!(self.snapshots.fork_vm_with_options(request, options(call)))
    }
}
