//! Changes of a VM: committed at any time, then waited for until the running machine has taken them up.
//!
//! What the machine takes up as it runs and what waits for its next boot is for its node to find; the
//! status tells it. An edit is made anew of what the VM is at each attempt.

use super::create::{complete, makeable};
use crate::core::{Core, Move};
use crate::flow::{TRIES, Verb};
use crate::refusal;
use crate::room::Reservation;
use std::sync::Arc;
use tracing::Instrument;
use weft_domain::admission::Promise;
use weft_domain::label::Annotations;
use weft_domain::object::{Revision, Stored};
use weft_domain::spec::{Spec, changes};
use weft_domain::until::Until;
use weft_domain::{Fault, Instance, Labels, Reason, needs};
use weft_ports::api::{Call, Vm, VmRef};
use weft_ports::store::Refused;

/// What a VM becomes: `None` leaves a part as it is.
#[derive(Debug, Default)]
pub(crate) struct Edit {
    /// All labels.
    pub(crate) labels: Option<Labels>,
    /// All annotations.
    pub(crate) annotations: Option<Annotations>,
    /// The whole specification.
    pub(crate) spec: Option<Spec>,
}

/// A change that is asked for.
pub(crate) struct Asked<'a> {
    /// Which VM.
    pub(crate) vm: &'a VmRef,
    /// Only if this is its revision.
    pub(crate) etag: Option<Revision>,
    /// Whether anything is changed or only checked.
    pub(crate) validate_only: bool,
    /// What it becomes, by what it is.
    pub(crate) edit: &'a (dyn Fn(&Instance) -> Result<Edit, Fault> + Sync),
}

/// Changes a VM by this verb.
pub(crate) async fn run(core: &Core, call: &Call, name: &'static str, asked: Asked<'_>) -> Result<Vm, Fault> {
    let span = tracing::info_span!("verb", verb = name, instance = tracing::field::Empty);
    async {
        let verb = Verb::begin(core, call, name)?;
        if !asked.validate_only
            && let Some(first) = verb.repeated(until).await?
        {
            return Ok(first);
        }
        for _ in 0..TRIES {
            if let Some(vm) = attempt(&verb, &asked).await? {
                return Ok(vm);
            }
        }
        Err(refusal::contended())
    }
    .instrument(span)
    .await
}

/// What a change waits for that made this of an instance.
const fn until(after: &Instance) -> Until {
    Until::Applied(after.meta.generation)
}

async fn attempt(verb: &Verb<'_>, asked: &Asked<'_>) -> Result<Option<Vm>, Fault> {
    let core = verb.core;
    let before = core.memory.find(asked.vm)?;
    tracing::Span::current().record("instance", tracing::field::display(before.value.meta.id));
    if asked.etag.is_some_and(|etag| etag != before.revision) {
        return Err(refusal::etag("vm.etag"));
    }
    let (after, reservation) = changed(core, &before.value, (asked.edit)(&before.value)?).await?;
    if asked.validate_only {
        return Ok(Some(Stored { value: after, revision: Revision::default() }));
    }
    commit(verb, before, after, reservation).await
}

async fn commit(
    verb: &Verb<'_>,
    before: Arc<Vm>,
    after: Instance,
    mut reservation: Option<Reservation>,
) -> Result<Option<Vm>, Fault> {
    let core = verb.core;
    reservation.iter_mut().for_each(Reservation::commits);
    let grown = after.meta.generation > before.value.meta.generation;
    let until = if grown { until(&after) } else { Until::Now };
    let place = verb.enter_before(before.revision, &after, until);
    let committed = if after != before.value {
        let request = verb.request.as_ref();
        core.commit(Move { before: Some(&before), after: Some(&after), request, ..Move::default() }).await
    } else if let Some(request) = &verb.request {
        core.commit_answer(&before, request).await.map(|_| before.revision)
    } else {
        Ok(before.revision)
    };
    match committed {
        Ok(revision) => {
            place.answers(verb.request);
            core.memory.reached(revision).await;
            reservation.into_iter().for_each(Reservation::settled);
            verb.wait(place, Stored { value: after, revision }, until).await.map(Some)
        }
        Err(Refused::Conflict { key, found }) => {
            drop(place);
            reservation.into_iter().for_each(Reservation::settled);
            match (verb.lost(&key, found).await?, &verb.request) {
                (true, Some(request)) => verb.first_answer(request, self::until).await,
                (_, _) => Ok(None),
            }
        }
        Err(Refused::Store(fault)) => Err(fault),
    }
}

/// What the instance becomes, with what is reserved where it grows.
async fn changed(core: &Core, before: &Instance, edit: Edit) -> Result<(Instance, Option<Reservation>), Fault> {
    let mut after = before.clone();
    after.meta.labels = edit.labels.unwrap_or(after.meta.labels);
    after.meta.annotations = edit.annotations.unwrap_or(after.meta.annotations);
    let mut reservation = None;
    if let Some(spec) = edit.spec {
        let spec = complete(spec, &before.meta.id, &before.spec.nics)?;
        if spec != before.spec {
            lawful(before, &spec)?;
            reservation = admitted(core, before, &spec).await?;
            after.spec = spec;
            after.meta.generation += 1;
        }
    }
    if after != *before {
        after.meta.update_time = core.now();
    }
    Ok((after, reservation))
}

/// Whether the specification may become this: the content of disks that weft made is never lost by it.
fn lawful(before: &Instance, spec: &Spec) -> Result<(), Fault> {
    makeable(&before.spec.disks, spec)?;
    let losing = Fault::from_violations(Reason::FieldInvalid, changes::losing_disks(&before.spec, spec));
    losing.map_or(Ok(()), |fault| {
        Err(fault.fix("keep the disk, which can grow and not shrink; disks that weft made go with their VM"))
    })
}

/// Asks the node whether it can have the VM as it becomes.
pub(crate) async fn admitted(core: &Core, before: &Instance, spec: &Spec) -> Result<Option<Reservation>, Fault> {
    let Some(placement) = before.placement else { return Ok(None) };
    let nodes = core.nodes();
    let node = nodes.iter().find(|(id, ..)| *id == placement.node);
    let node = node.ok_or_else(|| refusal::node_away(Some(placement.node)))?;
    needs::choose(spec, &node.1.drivers)?;
    let (old, new) = (Promise::of(&before.spec), Promise::of(spec));
    // What does not grow is not refused, even where the node has shrunk.
    let grows = new.memory_bytes > old.memory_bytes || new.disk_bytes > old.disk_bytes;
    let id = before.meta.id;
    let reservation = if grows { Some(core.room.grow(&core.memory, node, id, spec)?) } else { None };
    crate::files::free(&core.memory, placement.node, id, spec)?;
    core.reach(placement.node)?.vet(spec).await?;
    Ok(reservation)
}
