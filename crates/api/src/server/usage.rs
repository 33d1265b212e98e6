//! `weft.v1.UsageService` over the port `Usage`.

use super::call::{answer, reading, stream};
use crate::asks::usage::{read_export, read_gaps, read_query, read_watch};
use crate::convert::usage::{chunk, line};
use crate::fault::to_wire;
use crate::proto::weft::v1::{self as wire, UsageService};
use connectrpc::{RequestContext, ServiceRequest, ServiceResult, ServiceStream};
use std::sync::Arc;
use weft_ports::api::{Usage, UsageLine};

/// The service's full name.
pub(super) const NAME: &str = "weft.v1.UsageService";

/// The adapter.
pub(super) struct UsageDoor(pub(super) Arc<dyn Usage>);

impl UsageService for UsageDoor {
    async fn query_usage(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, wire::QueryUsageRequest>,
    ) -> ServiceResult<wire::QueryUsageResponse> {
        let query = read_query(request.to_owned_message()).map_err(to_wire)?;
        answer(self.0.query(&reading(&ctx), &query).await, |page| wire::QueryUsageResponse {
            lines: lines(&page.items),
            next_page_token: page.next_page_token,
            ..Default::default()
        })
    }

    async fn watch_usage(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, wire::WatchUsageRequest>,
    ) -> ServiceResult<ServiceStream<wire::WatchUsageResponse>> {
        let scope = read_watch(request.to_owned_message()).map_err(to_wire)?;
        stream(self.0.watch(&reading(&ctx), scope).await, |second: Vec<UsageLine>| wire::WatchUsageResponse {
            lines: lines(&second),
            ..Default::default()
        })
    }

    async fn list_usage_gaps(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, wire::ListUsageGapsRequest>,
    ) -> ServiceResult<wire::ListUsageGapsResponse> {
        let query = read_gaps(request.to_owned_message()).map_err(to_wire)?;
        answer(self.0.gaps(&reading(&ctx), &query).await, |page| wire::ListUsageGapsResponse {
            gaps: lines(&page.items),
            next_page_token: page.next_page_token,
            ..Default::default()
        })
    }

    async fn export_usage(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, wire::ExportUsageRequest>,
    ) -> ServiceResult<ServiceStream<wire::ExportUsageResponse>> {
        let (query, form) = read_export(request.to_owned_message()).map_err(to_wire)?;
        stream(self.0.export(&reading(&ctx), query, form).await, |piece| chunk(&piece))
    }
}

fn lines(lines: &[UsageLine]) -> Vec<wire::UsageLine> {
    lines.iter().map(line).collect()
}
