//! `weft.v1.EventService` over the port `Events`.

use super::call::{answer, reading, stream};
use crate::asks::{only_project, watch_query};
use crate::convert::event::stored;
use crate::fault::to_wire;
use crate::proto::weft::v1::{self as wire, EventService};
use connectrpc::{RequestContext, ServiceRequest, ServiceResult, ServiceStream};
use std::sync::Arc;
use weft_ports::api::{EventChange, Events, ListQuery};

/// The adapter.
pub(super) struct EventDoor(pub(super) Arc<dyn Events>);

impl EventService for EventDoor {
    async fn list_events(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, wire::ListEventsRequest>,
    ) -> ServiceResult<wire::ListEventsResponse> {
        let query = ListQuery {
            project: only_project(request.project).map_err(to_wire)?,
            filter: request.filter.to_owned(),
            page_size: request.page_size,
            page_token: request.page_token.to_owned(),
        };
        answer(self.0.list(&reading(&ctx), &query).await, |page| wire::ListEventsResponse {
            events: page.items.iter().map(stored).collect(),
            next_page_token: page.next_page_token,
            revision: page.revision.0,
            ..Default::default()
        })
    }

    async fn watch_events(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, wire::WatchEventsRequest>,
    ) -> ServiceResult<ServiceStream<wire::WatchEventsResponse>> {
        let query = watch_query(request.project, request.vm, request.from_revision).map_err(to_wire)?;
        stream(self.0.watch(&reading(&ctx), query).await, step)
    }
}

fn step(step: EventChange) -> wire::WatchEventsResponse {
    use wire::watch_events_response::Change;
    let (change, revision) = match step {
        EventChange::Happened(event) => (Change::from(stored(&event)), event.revision),
        EventChange::Bookmark(revision) => (Change::from(wire::Bookmark::default()), revision),
    };
    wire::WatchEventsResponse { change: Some(change), revision: revision.0, ..Default::default() }
}
