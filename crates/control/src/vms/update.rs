//! Changes of a VM: labels and annotations at any time, the specification while nothing runs from it.

use super::create::complete;
use crate::core::{Core, Move};
use crate::flow::{TRIES, Verb};
use crate::refusal;
use crate::room::Reservation;
use std::sync::Arc;
use tracing::Instrument;
use weft_domain::admission::Promise;
use weft_domain::object::{Revision, Stored};
use weft_domain::spec::{Spec, changes};
use weft_domain::until::Until;
use weft_domain::{Fault, Instance, Reason, needs};
use weft_ports::api::{Call, Change, Vm};
use weft_ports::store::Refused;

/// Changes a VM.
pub(crate) async fn run(core: &Core, call: &Call, change: Change) -> Result<Vm, Fault> {
    let span = tracing::info_span!("verb", verb = "update", instance = tracing::field::Empty);
    async {
        let verb = Verb::begin(core, call, "update")?;
        if !change.validate_only
            && let Some(first) = verb.repeated(|_| Until::Now).await?
        {
            return Ok(first);
        }
        for _ in 0..TRIES {
            if let Some(vm) = attempt(&verb, &change).await? {
                return Ok(vm);
            }
        }
        Err(refusal::contended())
    }
    .instrument(span)
    .await
}

async fn attempt(verb: &Verb<'_>, change: &Change) -> Result<Option<Vm>, Fault> {
    let core = verb.core;
    let before = core.memory.find(&change.vm)?;
    tracing::Span::current().record("instance", tracing::field::display(before.value.meta.id));
    if change.etag.is_some_and(|etag| etag != before.revision) {
        return Err(refusal::etag("vm.etag"));
    }
    let (after, reservation) = changed(core, &before.value, change).await?;
    if change.validate_only {
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
    let committed = if after != before.value {
        core.commit(Move { before: Some(&before), after: Some(&after), request: verb.request.as_ref() }).await
    } else if let Some(request) = &verb.request {
        core.commit_answer(&before, request).await.map(|_| before.revision)
    } else {
        Ok(before.revision)
    };
    match committed {
        Ok(revision) => {
            core.memory.reached(revision).await;
            reservation.into_iter().for_each(Reservation::settled);
            Ok(Some(Stored { value: after, revision }))
        }
        Err(Refused::Conflict { key, found }) => {
            reservation.into_iter().for_each(Reservation::settled);
            match (verb.lost(&key, found).await?, &verb.request) {
                (true, Some(request)) => verb.first_answer(request, |_| Until::Now).await,
                (_, _) => Ok(None),
            }
        }
        Err(Refused::Store(fault)) => Err(fault),
    }
}

/// What the instance becomes, with what is reserved where it grows.
async fn changed(core: &Core, before: &Instance, change: &Change) -> Result<(Instance, Option<Reservation>), Fault> {
    let mut after = before.clone();
    if let Some(labels) = &change.labels {
        after.meta.labels = labels.clone();
    }
    if let Some(annotations) = &change.annotations {
        after.meta.annotations = annotations.clone();
    }
    let mut reservation = None;
    if let Some(spec) = &change.spec {
        let spec = complete(spec.clone(), &before.meta.id, &before.spec.nics)?;
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

/// Whether the specification may become this in the phase that the instance is in.
fn lawful(before: &Instance, spec: &Spec) -> Result<(), Fault> {
    if let Some(fault) = Fault::from_violations(Reason::FieldInvalid, changes::losing_disks(&before.spec, spec)) {
        return Err(fault.fix("keep the disk as it is; disks that weft made go with their VM"));
    }
    let (phase, fields) = (before.status.phase, changes::needing_rest(&before.spec, spec));
    if fields.is_empty() || phase.at_rest() {
        return Ok(());
    }
    let message = format!("{} cannot change while the VM is {phase}", fields.join(", "));
    let fault = Fault::new(Reason::ChangeNeedsStop, message).fix("shut the VM down, change it, and boot it again");
    Err(fields
        .into_iter()
        .fold(fault, |fault, field| fault.at(field, format!("cannot change while the VM is {phase}"))))
}

/// Asks the node whether it can have the VM as it becomes.
async fn admitted(core: &Core, before: &Instance, spec: &Spec) -> Result<Option<Reservation>, Fault> {
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
    core.reach(placement.node)?.vet(spec).await?;
    Ok(reservation)
}
