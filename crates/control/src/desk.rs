//! The desk of the nodes: who registers, what should be there, what was seen there.

mod absorb;
mod snapshots;
mod subscription;

use crate::control::Control;
use crate::core::{Core, Move};
use crate::refusal;
use absorb::{Absorbed, absorb};
use futures::stream::BoxStream;
use std::sync::Arc;
use weft_domain::node::{Facts, Node};
use weft_domain::object::{Key, Object, Revision};
use weft_domain::{Fault, NodeId};
use weft_ports::fault::{self, Point};
use weft_ports::link::{Placement, Placements, Report, SnapshotReport};
use weft_ports::store::{Commit, Expect, Refused, Write};

/// How often a report is taken anew because another write came first.
const TRIES: usize = 64;

#[async_trait::async_trait]
impl Placements for Control {
    async fn register(&self, node: Node) -> Result<(), Fault> {
        let core = &self.core;
        core.memory.see(node.clone());
        for _ in 0..TRIES {
            let stored = core.memory.read().nodes.get(&node.id).cloned();
            let mut node = node.clone();
            if let Some(stored) = &stored {
                node.create_time = stored.value.create_time;
                if lasting(&stored.value) == lasting(&node) {
                    return Ok(());
                }
            }
            match commit(core, node, stored.map(|stored| stored.revision)).await {
                Ok(revision) => {
                    core.memory.reached(revision).await;
                    return Ok(());
                }
                Err(Refused::Conflict { found, .. }) => core.memory.reached(found.unwrap_or_default()).await,
                Err(Refused::Store(fault)) => return Err(fault),
            }
        }
        Err(refusal::contended())
    }

    async fn subscribe(&self, node: NodeId) -> Result<BoxStream<'static, Placement>, Fault> {
        Ok(subscription::open(Arc::clone(&self.core.memory), node, self.core.closing.clone()))
    }

    async fn report(&self, node: NodeId, report: Report) -> Result<(), Fault> {
        let core = &self.core;
        fault::hit(Point::ControlReported);
        for _ in 0..TRIES {
            let Some(before) = core.memory.get(report.id) else { return Ok(()) };
            let after = match absorb(&before.value, node, &report, core.now()) {
                Absorbed::Nothing => return Ok(()),
                Absorbed::Change(after) => Some(after),
                Absorbed::Gone => None,
            };
            if let (None, Some(subjects)) = (&after, core.subjects.get()) {
                subjects.leaves(&before.value).await;
            }
            let change = Move { before: Some(&before), after: after.as_deref(), ..Move::default() };
            match core.commit(change).await {
                Ok(revision) => {
                    core.memory.reached(revision).await;
                    return Ok(());
                }
                Err(Refused::Conflict { found: Some(found), .. }) => core.memory.reached(found).await,
                // It went away meanwhile: memory will say so in a moment.
                Err(Refused::Conflict { found: None, .. }) => return Ok(()),
                Err(Refused::Store(fault)) => return Err(fault),
            }
        }
        Err(refusal::contended())
    }

    async fn report_snapshot(&self, node: NodeId, report: SnapshotReport) -> Result<(), Fault> {
        snapshots::take(&self.core, node, report).await
    }
}

async fn commit(core: &Core, node: Node, known: Option<Revision>) -> Result<Revision, Refused> {
    let (id, key) = (node.id, Key::Node(node.id));
    let expect = match known {
        Some(revision) => Expect::At(key.clone(), revision),
        None => Expect::Absent(key.clone()),
    };
    let name = node.name.clone();
    let writes = vec![Write::Put(key, Object::Node(Box::new(node)))];
    let revision = core.store.commit(Commit { expect: vec![expect], writes }).await?;
    tracing::info!(node = %id, %name, known = known.is_some(), "a node has registered");
    Ok(revision)
}

/// What of a node is worth a commit: not what changes with each start or by itself.
fn lasting(node: &Node) -> Node {
    let facts = Facts {
        boot_id: String::new(),
        agent_start: weft_domain::Time::default(),
        allocatable_disk_bytes: 0,
        warnings: Vec::new(),
        ..node.facts.clone()
    };
    Node { facts, ..node.clone() }
}
