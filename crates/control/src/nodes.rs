//! Nodes: read and listed, with what each last said of itself.

use crate::control::Control;
use crate::page::Part;
use crate::{fields, refusal};
use std::ops::Bound;
use weft_domain::census::Census;
use weft_domain::node::Node;
use weft_domain::object::Stored;
use weft_domain::{Fault, NodeId};
use weft_ports::api::{Call, ListQuery, Nodes, Page};

#[async_trait::async_trait]
impl Nodes for Control {
    async fn get(&self, _: &Call, node: &str) -> Result<Stored<Node>, Fault> {
        let found = {
            let state = self.core.memory.read();
            let by_id = node.parse().ok().and_then(|id: NodeId| state.nodes.get(&id));
            by_id.or_else(|| state.nodes.values().find(|it| it.value.name.as_str() == node)).cloned()
        };
        found.map(|found| self.core.memory.node(&found)).ok_or_else(|| refusal::no_node(node))
    }

    async fn list(&self, _: &Call, query: &ListQuery) -> Result<Page<Stored<Node>>, Fault> {
        let (part, filter) = (Part::of("nodes", query)?, fields::of_nodes(&query.filter)?);
        let from = part.after.map_or(Bound::Unbounded, |id| Bound::Excluded(NodeId::from_bytes(id)));
        let (mut found, revision) = {
            let state = self.core.memory.read();
            let nodes = state.nodes.range((from, Bound::Unbounded)).map(|(_, node)| node);
            let wanted = nodes.filter(|node| filter.takes(&|field| fields::node(&node.value, field)));
            (wanted.take(part.size + 1).cloned().collect::<Vec<_>>(), state.revision)
        };
        let next_page_token = part.cut(&mut found, |node| *node.value.id.as_bytes());
        Ok(Page { items: found.iter().map(|node| self.core.memory.node(node)).collect(), next_page_token, revision })
    }

    async fn census(&self, call: &Call, node: &str) -> Result<Census, Fault> {
        let found = Nodes::get(self, call, node).await?;
        self.core.reach(found.value.id)?.census().await
    }
}
