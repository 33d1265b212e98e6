//! `weft.v1.StateService` over the port `Backups`.

use super::call::{reading, stream};
use crate::proto::weft::v1::{self as wire, StateService};
use connectrpc::{RequestContext, ServiceRequest, ServiceResult, ServiceStream};
use std::sync::Arc;
use weft_ports::api::Backups;

/// The adapter.
pub(super) struct StateDoor(pub(super) Arc<dyn Backups>);

impl StateService for StateDoor {
    async fn backup_state(
        &self,
        ctx: RequestContext,
        _request: ServiceRequest<'_, wire::BackupStateRequest>,
    ) -> ServiceResult<ServiceStream<wire::BackupStateResponse>> {
        stream(self.0.backup(&reading(&ctx)).await, |chunk| wire::BackupStateResponse {
            chunk: chunk.to_vec(),
            ..Default::default()
        })
    }
}
