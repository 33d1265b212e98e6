//! `weft.v1.NodeService` over the port `Nodes`.

use super::call::{answer, changing, reading};
use crate::convert::census::census;
use crate::convert::node::stored;
use crate::fault::to_wire;
use crate::proto::weft::v1::{self as wire, NodeService};
use connectrpc::{ConnectError, RequestContext, ServiceRequest, ServiceResult};
use std::sync::Arc;
use weft_domain::node::Orphans;
use weft_domain::{Fault, Reason};
use weft_ports::api::{GivenUp, ListQuery, Nodes};

/// So many orphans are given up by one request.
const MOST_IDS: usize = 1_000;

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

    async fn release_node_orphans(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, wire::ReleaseNodeOrphansRequest>,
    ) -> ServiceResult<wire::ReleaseNodeOrphansResponse> {
        given(request.node)?;
        let mut request = request.to_owned_message();
        let id = std::mem::take(&mut request.request_id);
        let gone = async {
            let call = changing(&ctx, id, &request)?;
            self.0.release_orphans(&call, &request.node, &given_up(&request)?).await
        };
        answer(gone.await, |gone| wire::ReleaseNodeOrphansResponse { ids: gone.ids().collect(), ..Default::default() })
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

/// Which orphans a request gives up.
fn given_up(request: &wire::ReleaseNodeOrphansRequest) -> Result<GivenUp, Fault> {
    let refused = |reason, why: String| {
        let fix = "name VMs and snapshots by their ids, which the warnings of the node tell, or all of them by `all`";
        Err(Fault::field(reason, "ids", why).fix(fix))
    };
    match (request.ids.len(), request.all) {
        (0, true) => Ok(GivenUp::All),
        (0, false) => refused(Reason::FieldRequired, "is required".to_owned()),
        (1..=MOST_IDS, false) => match Orphans::parse(request.ids.iter().map(String::as_str)) {
            Ok(orphans) => Ok(GivenUp::These(orphans)),
            Err(id) => refused(Reason::FieldInvalid, format!("{id:?} is the id of neither a VM nor a snapshot")),
        },
        (_, true) => refused(Reason::FieldInvalid, "must be empty where all are meant".to_owned()),
        (many, false) => refused(Reason::FieldInvalid, format!("has {many} ids; at most {MOST_IDS} are allowed")),
    }
}
