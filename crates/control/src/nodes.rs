//! Nodes: read and listed, with what each last said of itself; what no state knows is let go.

use crate::control::Control;
use crate::flow::{TRIES, Verb};
use crate::page::Part;
use crate::{fields, refusal};
use std::ops::Bound;
use weft_domain::census::Census;
use weft_domain::node::{Node, Orphans};
use weft_domain::object::{Key, Stored};
use weft_domain::{Fault, NodeId, Reason};
use weft_ports::api::{Call, GivenUp, ListQuery, Nodes, Page};
use weft_ports::link::Reach;
use weft_ports::store::{Commit, Refused};

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

    async fn release_orphans(&self, call: &Call, node: &str, which: &GivenUp) -> Result<Orphans, Fault> {
        let verb = Verb::begin(&self.core, call, "release-orphans")?;
        let reach = self.core.reach(Nodes::get(self, call, node).await?.value.id)?;
        let given_up = self.decided(&verb, reach.as_ref(), which).await?;
        tracing::warn!(node, ids = given_up.ids().collect::<Vec<_>>().join(", "), "what the state does not know goes");
        match verb.in_time(reach.release_orphans(&given_up)).await {
            Some(gone) => gone.map(|()| given_up),
            None => {
                let why = "not all of it is gone in the time that the caller gives; it goes on";
                Err(Fault::new(Reason::DeadlinePassed, why).fix("see what is left with `weft node get`"))
            }
        }
    }
}

impl Control {
    /// What goes: as it was decided when this request came first, else what is named and is an orphan. It is
    /// written down before anything goes, so that a repetition goes on with the same.
    async fn decided(&self, verb: &Verb<'_>, reach: &dyn Reach, which: &GivenUp) -> Result<Orphans, Fault> {
        let store = &self.core.store;
        for _ in 0..TRIES {
            let Some(request) = &verb.request else { return self.given_up(reach.orphans().await?, which) };
            if let Some(record) = store.get(&Key::Request(request.key)).await? {
                return request.answered_orphans(record);
            }
            let given_up = self.given_up(reach.orphans().await?, which)?;
            let writes = vec![request.answer_orphans(&given_up, self.core.now())];
            match store.commit(Commit { expect: vec![request.unanswered()], writes }).await {
                Ok(_) => return Ok(given_up),
                Err(Refused::Store(fault)) => return Err(fault),
                Err(refused @ Refused::Conflict { .. }) => self.core.count(&refused),
            }
        }
        Err(refusal::contended())
    }

    /// Those of the orphans that are named; a name that is none's is refused.
    fn given_up(&self, here: Orphans, which: &GivenUp) -> Result<Orphans, Fault> {
        let GivenUp::These(named) = which else { return Ok(here) };
        let strange = named.without(&here);
        let state = self.core.memory.read();
        if let Some(known) = strange.instances.iter().find(|id| state.instances.contains_key(id)) {
            let why = format!("{known} is a VM that the state knows, and no orphan");
            return Err(Fault::new(Reason::PhaseForbids, why).fix(format!("delete it with `weft vm delete {known}`")));
        }
        if let Some(known) = strange.snapshots.iter().find(|id| state.snapshots.contains_key(id)) {
            let why = format!("{known} is a snapshot that the state knows, and no orphan");
            let fix = format!("delete it with `weft snapshot delete {known}`");
            return Err(Fault::new(Reason::PhaseForbids, why).fix(fix));
        }
        let reason = if strange.instances.is_empty() { Reason::SnapshotNotFound } else { Reason::VmNotFound };
        match strange.ids().next() {
            None => Ok(named.clone()),
            Some(id) => Err(Fault::new(reason, format!("there is no orphan {id} on this node"))
                .fix("`weft node get` shows in its warnings what there is")),
        }
    }
}
