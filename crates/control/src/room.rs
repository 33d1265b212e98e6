//! What nodes can still promise: admission that racing creations never exceed.
//!
//! A decision reserves what it was decided on until memory holds the instance. A reservation counts
//! only for what memory does not count yet. One whose caller went away while the commit was under
//! way stays for a while, since the commit may still be made.

use crate::memory::Memory;
use crate::state::{State, less, node_of};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;
use weft_domain::admission::{Promise, admit};
use weft_domain::node::Facts;
use weft_domain::schedule::{Candidate, Choice, schedule};
use weft_domain::spec::Draft;
use weft_domain::{Fault, InstanceId, NodeId};

/// How long a reservation stays whose commit nobody waited for.
const UNSETTLED: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy)]
struct Reserved {
    id: InstanceId,
    node: NodeId,
    promise: Promise,
    until: Option<Instant>,
}

/// What is decided and not yet in memory.
#[derive(Debug, Default)]
pub(crate) struct Room(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    last: u64,
    reserved: HashMap<u64, Reserved>,
}

/// A reservation; given back when dropped, unless its commit is under way.
#[derive(Debug)]
pub(crate) struct Reservation {
    token: u64,
    room: Arc<Room>,
    committing: bool,
}

impl Room {
    /// Chooses among nodes, and reserves what is asked there.
    pub(crate) fn place(
        self: &Arc<Self>,
        memory: &Memory,
        nodes: &[(NodeId, Facts, u64)],
        id: InstanceId,
        spec: &Draft,
    ) -> Result<(Choice, Reservation), Fault> {
        let mut table = self.lock();
        let candidates: Vec<Candidate> = {
            let state = memory.read();
            let candidate = |(node, facts, most): &(NodeId, Facts, u64)| Candidate {
                node: *node,
                drivers: facts.drivers.clone(),
                capacity: capacity(facts, *most),
                promised: promised(&table, &state, *node),
            };
            nodes.iter().map(candidate).collect()
        };
        let choice = schedule(spec, &candidates)?;
        Ok((choice.clone(), self.reserve(&mut table, id, choice.node, spec)))
    }

    /// Reserves what an instance asks on the node that it is on, where it asked for `old` before.
    pub(crate) fn grow(
        self: &Arc<Self>,
        memory: &Memory,
        node: &(NodeId, Facts, u64),
        id: InstanceId,
        spec: &Draft,
    ) -> Result<Reservation, Fault> {
        let mut table = self.lock();
        let (promised, old) = {
            let state = memory.read();
            let old = state.instances.get(&id).map(|vm| Promise::of(&vm.value.spec)).unwrap_or_default();
            (promised(&table, &state, node.0), old)
        };
        admit(capacity(&node.1, node.2), less(promised, old), Promise::of(spec))?;
        Ok(self.reserve(&mut table, id, node.0, spec))
    }

    fn reserve(self: &Arc<Self>, table: &mut Table, id: InstanceId, node: NodeId, spec: &Draft) -> Reservation {
        let now = Instant::now();
        table.reserved.retain(|_, reserved| reserved.until.is_none_or(|until| until > now));
        table.last += 1;
        table.reserved.insert(table.last, Reserved { id, node, promise: Promise::of(spec), until: None });
        Reservation { token: table.last, room: Arc::clone(self), committing: false }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().expect("no lock of reservations is held over a panic")
    }
}

impl Reservation {
    /// From now on the commit may be made, whether or not somebody waits for it.
    pub(crate) const fn commits(&mut self) {
        self.committing = true;
    }

    /// The commit was refused, or memory holds what it made.
    pub(crate) fn settled(mut self) {
        self.committing = false;
        // Dropped here, which gives it back.
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut table = self.room.lock();
        if !self.committing {
            table.reserved.remove(&self.token);
        } else if let Some(reserved) = table.reserved.get_mut(&self.token) {
            reserved.until = Some(Instant::now() + UNSETTLED);
        }
    }
}

const fn capacity(facts: &Facts, most: u64) -> Promise {
    Promise { memory_bytes: facts.allocatable_memory_bytes, disk_bytes: facts.allocatable_disk_bytes, instances: most }
}

/// What a node has promised and is about to promise.
fn promised(table: &Table, state: &State, node: NodeId) -> Promise {
    let now = Instant::now();
    let counts = |reserved: &&Reserved| reserved.node == node && reserved.until.is_none_or(|until| until > now);
    let on_node = |id: &InstanceId| {
        let vm = state.instances.get(id).filter(|vm| node_of(&vm.value) == Some(node));
        vm.map(|vm| Promise::of(&vm.value.spec)).unwrap_or_default()
    };
    let beyond = table.reserved.values().filter(counts);
    let beyond = beyond.map(|reserved| less(reserved.promise, on_node(&reserved.id)));
    beyond.fold(state.promised(node), Promise::plus)
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_domain::{Reason, Time};

    const NODE: [u8; 10] = [1; 10];

    fn node(room_for: u64) -> (NodeId, Facts, u64) {
        let features = Draft::default().needs().into_iter().map(|(feature, _)| feature).collect();
        let driver = weft_domain::capability::Capabilities {
            driver: "sim".into(),
            version: String::new(),
            features,
            notes: vec![],
        };
        let facts = Facts {
            weft_version: String::new(),
            kernel: String::new(),
            architecture: String::new(),
            boot_id: String::new(),
            agent_start: Time::default(),
            cpus: 1,
            memory_bytes: 0,
            allocatable_memory_bytes: room_for * Promise::of(&Draft::default()).memory_bytes,
            allocatable_disk_bytes: 0,
            cgroups: String::new(),
            drivers: vec![driver],
            warnings: vec![],
        };
        (NodeId::new(Time::default(), NODE), facts, 100)
    }

    #[tokio::test(start_paused = true)]
    async fn a_reservation_is_given_back_unless_its_commit_may_still_be_made() {
        let (room, memory) = (Arc::new(Room::default()), Memory::new(State::default()));
        let (nodes, spec) = ([node(1)], Draft::default());
        let place = |n: u8| room.place(&memory, &nodes, InstanceId::new(Time::default(), [n; 10]), &spec);
        let (choice, first) = place(1).expect("there is room for one");
        assert_eq!(choice.node, nodes[0].0);
        assert_eq!(place(2).expect_err("not for two").reason, Reason::MemoryExhausted);
        drop(first);
        let (_, mut second) = place(2).expect("it was given back");
        second.commits();
        second.settled();
        let (_, mut third) = place(3).expect("it was settled");
        third.commits();
        drop(third);
        assert!(place(4).is_err(), "the commit of the third may still be made");
        tokio::time::advance(UNSETTLED).await;
        assert!(place(4).is_ok());
    }
}
