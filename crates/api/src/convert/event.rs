//! Events, both ways.

use super::{Choice as _, Found, choice, timestamp};
use crate::convert::vm::project;
use crate::proto::weft::v1 as wire;
use weft_domain::Fault;
use weft_domain::event::{Event, Severity};
use weft_domain::object::{Revision, Stored};

choice!(Severity, Severity, Severity::Normal, {
    Severity::Normal = SEVERITY_NORMAL,
    Severity::Warning = SEVERITY_WARNING,
} else {
    SEVERITY_UNSPECIFIED => Ok(Severity::Normal),
});

/// The written form of an event, with its revision.
pub(crate) fn stored(event: &Stored<Event>) -> wire::Event {
    wire::Event { revision: event.revision.0, ..self::event(&event.value) }
}

/// Reads an event with its revision, as another server told it.
pub(crate) fn read_stored(event: wire::Event) -> Result<Stored<Event>, Fault> {
    let revision = Revision(event.revision);
    Ok(Stored { value: read(event)?, revision })
}

/// The written form of an event, without its revision.
pub(crate) fn event(event: &Event) -> wire::Event {
    let text = |value: Option<String>| value.unwrap_or_default();
    wire::Event {
        id: event.id.to_string(),
        time: timestamp(event.at).into(),
        project: event.project.to_string(),
        vm: text(event.instance.map(|id| id.to_string())),
        vm_name: text(event.instance_name.as_ref().map(ToString::to_string)),
        node: text(event.node.map(|id| id.to_string())),
        severity: event.severity.write().into(),
        reason: event.reason.clone(),
        message: event.message.clone(),
        phase: event.phase.map(|p| p.write().into()).unwrap_or_default(),
        ..Default::default()
    }
}

/// Reads an event.
pub(crate) fn read(event: wire::Event) -> Result<Event, Fault> {
    let mut found = Found::default();
    let id = found.parse(&event.id, "event.id");
    let none = wire::VmPhase::VM_PHASE_UNSPECIFIED;
    let read = (
        found.time(&event.time, "event.time"),
        project(&event.project, "event.project", &mut found),
        found.parse_some(&event.vm, "event.vm"),
        found.parse_some(&event.vm_name, "event.vm_name"),
        found.parse_some(&event.node, "event.node"),
        found.choice(event.severity, "event.severity"),
        (event.phase != none).then(|| found.choice(event.phase, "event.phase")),
    );
    found.done()?;
    let (at, project, instance, instance_name, node, severity, phase) = read;
    let Some(id) = id else { return Err(Fault::internal("an id was refused unsaid")) };
    let (reason, message) = (event.reason, event.message);
    Ok(Event { id, at, project, instance, instance_name, node, severity, reason, message, phase })
}
