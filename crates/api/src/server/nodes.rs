//! `weft.v1.NodeService` over the port `Nodes`.

use super::call::{answer, reading};
use crate::convert::census::census;
use crate::convert::node::stored;
use crate::fault::to_wire;
use crate::proto::weft::v1::{self as wire, NodeService};
use connectrpc::{ConnectError, RequestContext, ServiceRequest, ServiceResult};
use std::sync::Arc;
use weft_domain::{Fault, Reason};
use weft_ports::api::{ListQuery, Nodes};

/// The adapter.
pub(super) struct NodeDoor(pub(super) Arc<dyn Nodes>);

impl NodeService for NodeDoor {
    async fn get_node(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, wire::GetNodeRequest>,
    ) -> ServiceResult<wire::GetNodeResponse> {
        given(request.node)?;
        answer(self.0.get(&reading(&ctx), request.node).await, |node| wire::GetNodeResponse {
            node: stored(&node).into(),
            ..Default::default()
        })
    }

    async fn list_nodes(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, wire::ListNodesRequest>,
    ) -> ServiceResult<wire::ListNodesResponse> {
        let query = ListQuery {
            project: None,
            filter: request.filter.to_owned(),
            page_size: request.page_size,
            page_token: request.page_token.to_owned(),
        };
        answer(self.0.list(&reading(&ctx), &query).await, |page| wire::ListNodesResponse {
            nodes: page.items.iter().map(stored).collect(),
            next_page_token: page.next_page_token,
            revision: page.revision.0,
            ..Default::default()
        })
    }

    async fn get_node_census(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, wire::GetNodeCensusRequest>,
    ) -> ServiceResult<wire::GetNodeCensusResponse> {
        given(request.node)?;
        answer(self.0.census(&reading(&ctx), request.node).await, |taken| wire::GetNodeCensusResponse {
            census: census(&taken).into(),
            ..Default::default()
        })
    }
}

/// Refuses a request that names no node.
fn given(node: &str) -> Result<(), ConnectError> {
    if node.is_empty() {
        let fault = Fault::field(Reason::FieldRequired, "node", "is required");
        return Err(to_wire(fault.fix("name a node by its id or name; `weft node list` shows them")));
    }
    Ok(())
}
