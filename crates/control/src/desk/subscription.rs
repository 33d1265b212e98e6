//! What a node is told: all that is placed on it, that this was all, then changes.
//!
//! Only ids wait for a slow reader; what an instance or a snapshot should be is read when it is its turn.
//! So the newest state is never lost, and what waits is bounded by their number.

use crate::memory::{Dirty, Memory};
use crate::state::{Subject, node_of};
use futures::StreamExt;
use futures::stream::BoxStream;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use weft_domain::instance::Desired;
use weft_domain::snapshot::{Snapshot, SnapshotPhase};
use weft_domain::{InstanceId, NodeId, SnapshotId, Spec};
use weft_ports::api::Vm;
use weft_ports::link::{Placed, PlacedSnapshot, Placement};

/// Begins a subscription.
pub(super) fn open(memory: Arc<Memory>, node: NodeId, closing: CancellationToken) -> BoxStream<'static, Placement> {
    let dirty = memory.subscribe(node);
    let ids: VecDeque<_> = memory.read().on(node).collect();
    let subscription =
        Subscription { memory, node, dirty, ids, synced: false, told: HashMap::new(), kept: HashMap::new() };
    let steps = futures::stream::unfold(subscription, |mut subscription| async {
        let step = subscription.next().await;
        Some((step, subscription))
    });
    steps.take_until(closing.cancelled_owned()).boxed()
}

struct Subscription {
    memory: Arc<Memory>,
    node: NodeId,
    dirty: Arc<Dirty>,
    ids: VecDeque<Subject>,
    synced: bool,
    told: HashMap<InstanceId, Told>,
    kept: HashMap<SnapshotId, Kept>,
}

/// What the node was told of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// That it should be kept.
    Here,
    /// That nothing should be left of it.
    Gone,
}

/// What the node was told of an instance: what it reports itself is no news to it.
struct Told {
    placement: u64,
    generation: u64,
    desired: Desired,
    spec: Arc<Spec>,
}

impl Subscription {
    async fn next(&mut self) -> Placement {
        loop {
            while let Some(id) = self.ids.pop_front() {
                let step = match id {
                    Subject::Instance(id) => self.look(id),
                    Subject::Snapshot(id) => self.look_at_snapshot(id),
                };
                if let Some(step) = step {
                    return step;
                }
            }
            if !self.synced {
                self.synced = true;
                return Placement::Synced;
            }
            self.ids = self.dirty.take().await.into_iter().collect();
        }
    }

    fn look(&mut self, id: InstanceId) -> Option<Placement> {
        let vm = self.memory.get(id).filter(|vm| node_of(&vm.value) == Some(self.node));
        let Some(vm) = vm else { return self.told.remove(&id).map(|_| Placement::Removed(id)) };
        let it = &vm.value;
        let placement = it.placement.map_or(0, |placement| placement.generation);
        let generation = it.meta.generation;
        let old = self.told.get(&id).filter(|told| told.generation == generation);
        if old.is_some_and(|told| told.placement == placement && told.desired == it.desired) {
            return None;
        }
        let spec = old.map_or_else(|| Arc::new(it.spec.clone()), |told| Arc::clone(&told.spec));
        let told = Told { placement, generation, desired: it.desired, spec: Arc::clone(&spec) };
        self.told.insert(id, told);
        let origin = it.desired.origin().and_then(|origin| self.memory.snapshot(origin.snapshot));
        let origin = origin.map(|snapshot| Arc::new(snapshot.value.clone()));
        Some(Placement::Set(Box::new(placed(&vm, placement, spec, origin))))
    }

    fn look_at_snapshot(&mut self, id: SnapshotId) -> Option<Placement> {
        let snapshot = self.memory.snapshot(id).filter(|snapshot| snapshot.value.node == self.node);
        let Some(snapshot) = snapshot else {
            let known = self.kept.remove(&id);
            return known.filter(|kept| *kept == Kept::Here).map(|_| Placement::SnapshotRemoved(id));
        };
        let wanted = match snapshot.value.phase {
            SnapshotPhase::Pending | SnapshotPhase::Ready => Kept::Here,
            SnapshotPhase::Deleting => Kept::Gone,
            // Nothing of it is kept, and nobody wants it back.
            SnapshotPhase::Failed => return None,
        };
        if self.kept.insert(id, wanted) == Some(wanted) {
            return None;
        }
        Some(match wanted {
            Kept::Here => Placement::Snapshot(PlacedSnapshot { snapshot: Arc::new(snapshot.value.clone()) }),
            Kept::Gone => Placement::SnapshotRemoved(id),
        })
    }
}

fn placed(vm: &Vm, placement: u64, spec: Arc<Spec>, origin: Option<Arc<Snapshot>>) -> Placed {
    let it = &vm.value;
    Placed {
        id: it.meta.id,
        name: it.meta.name.clone(),
        placement,
        generation: it.meta.generation,
        spec,
        desired: it.desired,
        last_exit: it.status.last_exit.clone(),
        restarts: it.status.restarts,
        origin,
    }
}
