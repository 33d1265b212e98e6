//! `weft.v1.SnapshotService` over the port `Snapshots`.

use super::call::{answer, changing, reading};
use crate::asks::only_project;
use crate::asks::snapshot::{fork, new_snapshot, one_snapshot, restore, snapshot_removal};
use crate::convert::{snapshot, vm};
use crate::fault::to_wire;
use crate::proto::weft::v1::{self as wire, SnapshotService};
use connectrpc::{RequestContext, ServiceRequest, ServiceResult};
use std::sync::Arc;
use weft_ports::api::{ListQuery, Snapshots};

/// The adapter.
pub(super) struct SnapshotDoor(pub(super) Arc<dyn Snapshots>);

impl SnapshotService for SnapshotDoor {
    async fn create_snapshot(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, wire::CreateSnapshotRequest>,
    ) -> ServiceResult<wire::CreateSnapshotResponse> {
        let mut request = request.to_owned_message();
        let id = std::mem::take(&mut request.request_id);
        let taken = async {
            let call = changing(&ctx, id, &request)?;
            self.0.create(&call, new_snapshot(request)?).await
        };
        answer(taken.await, |one| wire::CreateSnapshotResponse {
            snapshot: snapshot::stored(&one).into(),
            ..Default::default()
        })
    }

    async fn get_snapshot(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, wire::GetSnapshotRequest>,
    ) -> ServiceResult<wire::GetSnapshotResponse> {
        let which = one_snapshot(request.snapshot, request.project).map_err(to_wire)?;
        answer(self.0.get(&reading(&ctx), &which).await, |one| wire::GetSnapshotResponse {
            snapshot: snapshot::stored(&one).into(),
            ..Default::default()
        })
    }

    async fn list_snapshots(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, wire::ListSnapshotsRequest>,
    ) -> ServiceResult<wire::ListSnapshotsResponse> {
        let query = ListQuery {
            project: only_project(request.project).map_err(to_wire)?,
            filter: request.filter.to_owned(),
            page_size: request.page_size,
            page_token: request.page_token.to_owned(),
        };
        answer(self.0.list(&reading(&ctx), &query).await, |page| wire::ListSnapshotsResponse {
            snapshots: page.items.iter().map(snapshot::stored).collect(),
            next_page_token: page.next_page_token,
            revision: page.revision.0,
            ..Default::default()
        })
    }

    async fn delete_snapshot(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, wire::DeleteSnapshotRequest>,
    ) -> ServiceResult<wire::DeleteSnapshotResponse> {
        let mut request = request.to_owned_message();
        let id = std::mem::take(&mut request.request_id);
        let removed = async {
            let call = changing(&ctx, id, &request)?;
            self.0.delete(&call, snapshot_removal(&request)?).await
        };
        answer(removed.await, |one| wire::DeleteSnapshotResponse {
            snapshot: one.as_ref().map(snapshot::stored).into(),
            ..Default::default()
        })
    }

    async fn restore_vm(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, wire::RestoreVmRequest>,
    ) -> ServiceResult<wire::RestoreVmResponse> {
        let mut request = request.to_owned_message();
        let id = std::mem::take(&mut request.request_id);
        let restored = async {
            let call = changing(&ctx, id, &request)?;
            let (vm, snapshot) = restore(&request)?;
            self.0.restore(&call, &vm, &snapshot).await
        };
        answer(restored.await, |one| wire::RestoreVmResponse { vm: vm::stored(&one).into(), ..Default::default() })
    }

    async fn fork_vm(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, wire::ForkVmRequest>,
    ) -> ServiceResult<wire::ForkVmResponse> {
        let mut request = request.to_owned_message();
        let id = std::mem::take(&mut request.request_id);
        let forked = async {
            let call = changing(&ctx, id, &request)?;
            self.0.fork(&call, fork(request)?).await
        };
        answer(forked.await, |one| wire::ForkVmResponse { vm: vm::stored(&one).into(), ..Default::default() })
    }
}
