//! What all services of control share: memory, the store, and the one way to change an instance.

use crate::config::Config;
use crate::figures::Figures;
use crate::ids::Ids;
use crate::memory::Memory;
use crate::requests::Request;
use crate::room::Room;
use crate::subjects::Subjects;
use crate::{feed, refusal};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, RwLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use weft_domain::event::Event;
use weft_domain::instance::Power;
use weft_domain::node::Facts;
use weft_domain::object::{Key, Object, Revision};
use weft_domain::told::{Told, tell};
use weft_domain::{EventId, Fault, Instance, InstanceId, NodeId, Reason, SnapshotId, Time};
use weft_ports::api::{KeptSnapshot, Vm};
use weft_ports::clock::Clock;
use weft_ports::fault::{self, Point};
use weft_ports::link::Reach;
use weft_ports::store::{Commit, Expect, Refused, Store, Write};

/// Events that a full store gives up for one commit after which less is wanted.
const EVENTS_FOR_ROOM: usize = 64;

/// What all services share.
pub(crate) struct Core {
    pub(crate) config: Config,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) room: Arc<Room>,
    pub(crate) figures: Figures,
    pub(crate) watches: Arc<Semaphore>,
    /// Ends streams when the loops end.
    pub(crate) closing: CancellationToken,
    /// Whose usage is known, where usage is kept.
    pub(crate) subjects: OnceLock<Arc<Subjects>>,
    ids: Ids,
    reach: RwLock<HashMap<NodeId, Arc<dyn Reach>>>,
}

/// A change of one instance: what it was, what it becomes.
#[derive(Default)]
pub(crate) struct Move<'a> {
    /// What it was; nothing for a birth.
    pub(crate) before: Option<&'a Vm>,
    /// What it becomes; nothing for an end.
    pub(crate) after: Option<&'a Instance>,
    /// The request that is answered by it.
    pub(crate) request: Option<&'a Request>,
    /// The snapshot that it begins from, which must still be as it was decided on.
    pub(crate) origin: Option<&'a KeptSnapshot>,
}

impl Core {
    pub(crate) async fn open(config: Config, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Result<Self, Fault> {
        let state = feed::load(store.as_ref()).await?;
        let ids = Ids::after(state.events.last_key_value().map(|(id, _)| id));
        let memory = Arc::new(Memory::new(state));
        Ok(Self {
            watches: Arc::new(Semaphore::new(config.watches)),
            figures: Figures::new(&memory),
            closing: CancellationToken::new(),
            room: Arc::default(),
            subjects: OnceLock::new(),
            reach: RwLock::default(),
            config,
            store,
            clock,
            memory,
            ids,
        })
    }

    pub(crate) fn now(&self) -> Time {
        self.clock.now()
    }

    pub(crate) fn new_snapshot(&self) -> SnapshotId {
        self.ids.snapshot(self.now(), self.clock.random())
    }

    pub(crate) fn new_event(&self, now: Time) -> EventId {
        self.ids.event(now, self.clock.random())
    }

    pub(crate) fn new_instance(&self) -> InstanceId {
        self.ids.instance(self.now(), self.clock.random())
    }

    /// Gives the way to a node's agent.
    pub(crate) fn attach(&self, node: NodeId, reach: Arc<dyn Reach>) {
        self.reach.write().expect("no lock of ways is held over a panic").insert(node, reach);
    }

    /// No agent is asked any more. An agent holds control and control its agent: so they let each other go.
    pub(crate) fn detach(&self) {
        self.reach.write().expect("no lock of ways is held over a panic").clear();
    }

    /// The way to a node's agent.
    pub(crate) fn reach(&self, node: NodeId) -> Result<Arc<dyn Reach>, Fault> {
        let reach = self.reach.read().expect("no lock of ways is held over a panic");
        reach.get(&node).cloned().ok_or_else(|| refusal::node_away(Some(node)))
    }

    /// The nodes that can be asked, with what they are and how many instances they may have.
    pub(crate) fn nodes(&self) -> Vec<(NodeId, Facts, u64)> {
        let nodes: Vec<_> = self.memory.read().nodes.values().cloned().collect();
        let in_reach = nodes.iter().filter(|node| self.reach(node.value.id).is_ok());
        in_reach
            .map(|node| (node.value.id, self.memory.node(node).value.facts, self.config.instances_per_node))
            .collect()
    }

    /// Commits a change with its events, its name, and the answers that it gives. It does not wait for
    /// memory: see [`Memory::reached`].
    pub(crate) async fn commit(&self, change: Move<'_>) -> Result<Revision, Refused> {
        let now = self.now();
        let told = tell(change.before.map(|vm| &vm.value), change.after);
        let Some(subject) = change.after.or(change.before.map(|vm| &vm.value)) else {
            return Err(Fault::internal("a change of nothing was committed").into());
        };
        let mut commit = self.instance_writes(&change, subject);
        commit.writes.extend(told.iter().map(|told| self.event(subject, told, now)));
        if let (Some(request), Some(after)) = (change.request, change.after) {
            commit.writes.push(request.answer(after, now));
        }
        if let Some(after) = change.after {
            let answered = self.memory.waiters.answered_by(after);
            commit.writes.extend(answered.iter().map(|request| request.answer(after, now)));
        }
        fault::hit(Point::ControlDeciding);
        let spare = gives_up(&change).then(|| commit.clone());
        let revision = match (self.store.commit(commit).await, spare) {
            (Err(Refused::Store(fault)), Some(spare)) if fault.reason == Reason::StoreFull => {
                self.store.commit(self.for_room(spare)).await
            }
            (other, _) => other,
        };
        let revision = revision.inspect_err(|refused| self.count(refused))?;
        fault::hit(Point::ControlDecided);
        self.say(&change, subject, &told);
        Ok(revision)
    }

    /// The same, paid for with the oldest events.
    fn for_room(&self, mut commit: Commit) -> Commit {
        let state = self.memory.read();
        let oldest = state.events.keys().take(EVENTS_FOR_ROOM);
        commit.writes.extend(oldest.map(|id| Write::Delete(Key::Event(*id))));
        commit
    }

    /// A place among the streams that callers may have open: watches, consoles, logs.
    pub(crate) fn stream(&self) -> Result<OwnedSemaphorePermit, Fault> {
        Arc::clone(&self.watches).try_acquire_owned().map_err(|_| {
            let limit = self.config.watches;
            Fault::new(Reason::LimitReached, format!("{limit} watches, consoles and logs are open, which is the limit"))
                .fix("end those that are not needed")
                .retry_after(1_000)
        })
    }

    /// Records the answer to a request that leaves an instance as it is.
    pub(crate) async fn commit_answer(&self, vm: &Vm, request: &Request) -> Result<Revision, Refused> {
        let at = Expect::At(Key::Instance(vm.value.meta.id), vm.revision);
        let writes = vec![request.answer_as_is(vm, self.now())];
        let commit = Commit { expect: vec![request.unanswered(), at], writes };
        self.store.commit(commit).await.inspect_err(|refused| self.count(refused))
    }

    /// Records the answer to a request that was done already, whatever has become of the instance since.
    pub(crate) async fn commit_done(&self, vm: &Vm, request: &Request) -> Result<Revision, Refused> {
        let writes = vec![request.answer_as_is(vm, self.now())];
        let commit = Commit { expect: vec![request.unanswered()], writes };
        self.store.commit(commit).await.inspect_err(|refused| self.count(refused))
    }

    /// Records that what a request was to remove is not there. Tells whether that is so now; where it was seen
    /// as absent and something came first, memory has that then.
    pub(crate) async fn commit_absent(&self, missing: Key, request: &Request) -> Result<bool, Fault> {
        match self.store.commit(request.answer_absent(missing, self.now())).await {
            Ok(revision) => {
                self.memory.reached(revision).await;
                Ok(true)
            }
            Err(refused @ Refused::Conflict { .. }) => {
                self.count(&refused);
                self.memory.reached(self.store.revision().await?).await;
                Ok(false)
            }
            Err(Refused::Store(fault)) => Err(fault),
        }
    }

    pub(crate) fn count(&self, refused: &Refused) {
        if matches!(refused, Refused::Conflict { .. }) {
            self.figures.lost();
        }
    }

    fn instance_writes(&self, change: &Move<'_>, subject: &Instance) -> Commit {
        let meta = &subject.meta;
        let key = Key::Instance(meta.id);
        let name = Key::Name(meta.project.clone(), meta.name.clone());
        // The request first: its repetition must be told from a name that is taken.
        let mut commit = Commit::default();
        commit.expect.extend(change.request.map(Request::unanswered));
        match change.before {
            Some(before) => commit.expect.push(Expect::At(key.clone(), before.revision)),
            None => commit.expect.extend([Expect::Absent(key.clone()), Expect::Absent(name.clone())]),
        }
        match (change.before, change.after) {
            (None, Some(after)) => commit.writes.extend([
                Write::Put(key, Object::Instance(Box::new(after.clone()))),
                Write::Put(name, Object::Name(meta.id)),
            ]),
            (_, Some(after)) => commit.writes.push(Write::Put(key, Object::Instance(Box::new(after.clone())))),
            (_, None) => commit.writes.extend([Write::Delete(key), Write::Delete(name)]),
        }
        if let Some(origin) = change.origin {
            // Written as it is: so that who decides to remove it at the same time loses the race.
            let key = Key::Snapshot(origin.value.id);
            commit.expect.push(Expect::At(key.clone(), origin.revision));
            commit.writes.push(Write::Put(key, Object::Snapshot(Box::new(origin.value.clone()))));
        }
        commit
    }

    fn event(&self, subject: &Instance, told: &Told, now: Time) -> Write {
        let id = self.new_event(now);
        let event = Event {
            id,
            at: now,
            project: subject.meta.project.clone(),
            instance: Some(subject.meta.id),
            instance_name: Some(subject.meta.name.clone()),
            node: subject.placement.map(|placement| placement.node),
            severity: told.severity,
            reason: told.reason.to_owned(),
            message: told.message.clone(),
            phase: Some(subject.status.phase),
        };
        Write::Put(Key::Event(id), Object::Event(Box::new(event)))
    }

    fn say(&self, change: &Move<'_>, subject: &Instance, told: &[Told]) {
        let (id, name, phase) = (subject.meta.id, &subject.meta.name, subject.status.phase);
        for told in told {
            tracing::info!(instance = %id, %name, %phase, reason = told.reason, "{}", told.message);
        }
        if change.before.is_none_or(|before| before.value.status.phase != phase) {
            self.figures.moved(phase);
        }
    }
}

/// Whether less is wanted after it: a full disk must not stand in the way of that.
fn gives_up(change: &Move<'_>) -> bool {
    match (change.before.map(|vm| &vm.value), change.after) {
        (Some(before), Some(after)) => {
            let off = after.desired.power == Power::Off && after.meta.generation == before.meta.generation;
            after.desired.deleted || off
        }
        (Some(_), None) => true,
        (None, _) => false,
    }
}
