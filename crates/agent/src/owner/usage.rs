//! What an owner tells the sampler: where a process begins and ends, and the boundaries between.
//!
//! Where usage is not measured, none of it does anything.

use super::Owner;
use crate::inventory::Held;
use crate::sampler::{Origin, Subject};
use weft_domain::Fault;
use weft_domain::spec::{Attachment, Draft};
use weft_domain::usage::Edge;
use weft_ports::hypervisor::{State, Way};
use weft_ports::meters::{Tap, Target};
use weft_ports::processes::Alive;

/// Memory that is granted, in bytes, and the host ends of the nics. What a macvtap or another process counts is
/// not seen from the host as a tap's is.
fn granted(made: &Draft) -> (u64, Vec<Tap>) {
    let tap = |attachment: &Attachment| match attachment {
        Attachment::Tap(name) => Some(Tap { name: name.clone(), namespace: made.network_namespace.clone() }),
        Attachment::Macvtap(_) | Attachment::User { .. } | Attachment::Network(_) | Attachment::VhostUser { .. } => {
            None
        }
    };
    (made.memory.size_bytes, made.nics.iter().filter_map(|nic| tap(&nic.attachment)).collect())
}

impl Owner {
    /// The live machine was launched just now: it is measured from when this is polled.
    pub(super) fn measure(&self) -> impl Future<Output = ()> + use<> {
        let launched = self.live.as_ref().map(|live| {
            let made = live.made.as_ref().map(|made| granted(&made.running)).unwrap_or_default();
            self.subject(&live.held, live.machine.alive(), made)
        });
        let sampler = self.shared.sampler();
        async move {
            if let (Some(sampler), Some(subject)) = (sampler, launched) {
                sampler.begin(subject, Origin::Launched).await;
            }
        }
    }

    /// A process of a former agent lives, whether its VMM answers or not.
    pub(super) async fn measure_on(&self, held: &Held, alive: &Alive) {
        let Some(sampler) = self.shared.sampler() else { return };
        let made = self.spec_of(held).map(|spec| granted(&spec)).unwrap_or_default();
        let subject = self.subject(held, alive.clone(), made);
        sampler.begin(subject, Origin::Adopted(held.process.at)).await;
    }

    fn subject(&self, held: &Held, alive: Alive, (granted_bytes, taps): (u64, Vec<Tap>)) -> Subject {
        let target = Target { claim: held.claim, alive, taps };
        Subject { instance: self.id, incarnation: held.process.incarnation, target, granted_bytes }
    }

    /// A boundary in the life of the live machine.
    pub(super) async fn mark(&self, edge: Edge) {
        if let (Some(sampler), Some(live)) = (self.shared.sampler(), &self.live) {
            sampler.mark(live.held.process.incarnation, edge).await;
        }
    }

    /// The live machine may have been given other memory or nics.
    pub(super) async fn measure_change(&self) {
        let (Some(sampler), Some(live)) = (self.shared.sampler(), &self.live) else { return };
        let Some(made) = &live.made else { return };
        let (granted_bytes, taps) = granted(&made.running);
        sampler.change(live.held.process.incarnation, granted_bytes, taps).await;
    }

    /// The machine has ended and its process goes: what only a process tells is read once more.
    pub(super) async fn mark_end(&self) {
        let moved = |state: &State| matches!(state, State::Ended(end) if end.way == Way::Moved);
        let moved = self.live.as_ref().is_some_and(|live| moved(&live.state.borrow()));
        self.mark(if moved { Edge::Migrate } else { Edge::Tick }).await;
    }

    /// The last reading of a process, while its control group is there. One that lives and must end is ended first.
    pub(super) async fn last_reading(&self, held: &Held) -> Result<(), Fault> {
        let Some(sampler) = self.shared.sampler() else { return Ok(()) };
        let processes = &self.shared.ports.processes;
        let alive = held.note.alive.as_ref();
        if let Some(alive) = alive.filter(|alive| processes.lives(alive)) {
            self.measure_on(held, alive).await;
            sampler.mark(held.process.incarnation, Edge::Tick).await;
            processes.kill(alive).await?;
        }
        let target = alive.map(|alive| Target { claim: held.claim, alive: alive.clone(), taps: Vec::new() });
        sampler.end(held.process.incarnation, target).await
    }
}
