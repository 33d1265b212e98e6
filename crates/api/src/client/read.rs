//! `Nodes`, `Events` and `Backups` from afar, and the steps of watches.

use super::{Client, answers, missing, named, options};
use crate::convert::vm::read_stored;
use crate::convert::{Found, census, event, node};
use crate::fault::from_wire;
use crate::proto::weft::v1 as wire;
use bytes::Bytes;
use weft_domain::Fault;
use weft_domain::census::Census;
use weft_domain::event::Event;
use weft_domain::node::{Node, Orphans};
use weft_domain::object::{Revision, Stored};
use weft_ports::api::{
    Answers, Backups, Call, EventChange, Events, GivenUp, ListQuery, Nodes, Page, VmChange, WatchQuery,
};

/// The VM and project of a watch.
pub(super) fn watched(query: &WatchQuery) -> (String, String) {
    let only = query.project.as_ref().map(ToString::to_string).unwrap_or_default();
    match &query.vm {
        None => (String::new(), only),
        Some(vm) => {
            let (vm, project) = named(vm);
            (vm, if project.is_empty() { only } else { project })
        }
    }
}

/// One step of a watch of VMs.
pub(super) fn vm_change(step: wire::WatchVmsResponse) -> Result<VmChange, Fault> {
    use wire::watch_vms_response::Change;
    let revision = Revision(step.revision);
    match step.change.ok_or_else(|| missing("change"))? {
        Change::Set(vm) => Ok(VmChange::Set(Box::new(read_stored(*vm)?))),
        Change::Bookmark(_) => Ok(VmChange::Bookmark(revision)),
        Change::Removed(id) => {
            let mut found = Found::default();
            let id = found.parse(&id, "removed");
            found.done()?;
            id.map(|id| VmChange::Removed { id, revision }).ok_or_else(|| missing("id"))
        }
    }
}

fn event_change(step: wire::WatchEventsResponse) -> Result<EventChange, Fault> {
    use wire::watch_events_response::Change;
    match step.change.ok_or_else(|| missing("change"))? {
        Change::Event(one) => Ok(EventChange::Happened(Box::new(event::read_stored(*one)?))),
        Change::Bookmark(_) => Ok(EventChange::Bookmark(Revision(step.revision))),
    }
}

#[async_trait::async_trait]
impl Nodes for Client {
    async fn get(&self, call: &Call, node: &str) -> Result<Stored<Node>, Fault> {
        let request = wire::GetNodeRequest { node: node.to_owned(), ..Default::default() };
        let answer = self.nodes.get_node_with_options(request, options(call)).await;
        let answer = answer.map_err(|e| from_wire(&e))?.into_owned();
        node::read_stored(answer.node.into_option().ok_or_else(|| missing("node"))?)
    }

    async fn list(&self, call: &Call, query: &ListQuery) -> Result<Page<Stored<Node>>, Fault> {
        let request = wire::ListNodesRequest {
            page_size: query.page_size,
            page_token: query.page_token.clone(),
            filter: query.filter.clone(),
            ..Default::default()
        };
        let answer = self.nodes.list_nodes_with_options(request, options(call)).await;
        let answer = answer.map_err(|e| from_wire(&e))?.into_owned();
        let items = answer.nodes.into_iter().map(node::read_stored).collect::<Result<_, _>>()?;
        Ok(Page { items, next_page_token: answer.next_page_token, revision: Revision(answer.revision) })
    }

    async fn census(&self, call: &Call, node: &str) -> Result<Census, Fault> {
        let request = wire::GetNodeCensusRequest { node: node.to_owned(), ..Default::default() };
        let answer = self.nodes.get_node_census_with_options(request, options(call)).await;
        let answer = answer.map_err(|e| from_wire(&e))?.into_owned();
        census::read(answer.census.into_option().ok_or_else(|| missing("census"))?)
    }

    async fn release_orphans(&self, call: &Call, node: &str, which: &GivenUp) -> Result<Orphans, Fault> {
        let ids = match which {
            GivenUp::All => Vec::new(),
            GivenUp::These(orphans) => orphans.ids().collect(),
        };
        let request = wire::ReleaseNodeOrphansRequest {
            node: node.to_owned(),
            ids,
            all: *which == GivenUp::All,
            request_id: call.request_id.clone().unwrap_or_default(),
            ..Default::default()
        };
        let answer = self.nodes.release_node_orphans_with_options(request, options(call)).await;
        let answer = answer.map_err(|e| from_wire(&e))?.into_owned();
        let gone = Orphans::parse(answer.ids.iter().map(String::as_str));
        gone.map_err(|id| Fault::internal(format!("the server answered an id that is none: {id:?}")))
    }
}

#[async_trait::async_trait]
impl Events for Client {
    async fn list(&self, call: &Call, query: &ListQuery) -> Result<Page<Stored<Event>>, Fault> {
        let request = wire::ListEventsRequest {
            project: query.project.as_ref().map(ToString::to_string).unwrap_or_default(),
            page_size: query.page_size,
            page_token: query.page_token.clone(),
            filter: query.filter.clone(),
            ..Default::default()
        };
        let answer = self.events.list_events_with_options(request, options(call)).await;
        let answer = answer.map_err(|e| from_wire(&e))?.into_owned();
        let items = answer.events.into_iter().map(event::read_stored).collect::<Result<_, _>>()?;
        Ok(Page { items, next_page_token: answer.next_page_token, revision: Revision(answer.revision) })
    }

    async fn watch(&self, call: &Call, query: WatchQuery) -> Result<Answers<EventChange>, Fault> {
        let (vm, project) = watched(&query);
        let from_revision = query.from.map(|r| r.0);
        let request = wire::WatchEventsRequest { project, vm, from_revision, ..Default::default() };
        answers!(self.events.watch_events_with_options(request, options(call)), event_change)
    }
}

#[async_trait::async_trait]
impl Backups for Client {
    async fn backup(&self, call: &Call) -> Result<Answers<Bytes>, Fault> {
        let request = wire::BackupStateRequest::default();
        answers!(self.states.backup_state_with_options(request, options(call)), backup_chunk)
    }
}

fn backup_chunk(step: wire::BackupStateResponse) -> Result<Bytes, Fault> {
    Ok(Bytes::from(step.chunk))
}
