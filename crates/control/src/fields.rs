//! What lists can be filtered by: the fields of each resource, as texts.

use std::borrow::Cow;
use weft_domain::event::{Event, Severity};
use weft_domain::filter::{Field, Filter};
use weft_domain::node::Node;
use weft_domain::snapshot::{Snapshot, SnapshotPhase};
use weft_domain::{Fault, Instance, Labels, Phase};

const PHASES: &str =
    "PENDING, CREATING, CREATED, STARTING, RUNNING, PAUSED, STOPPING, STOPPED, MIGRATING, FAILED, LOST or DELETING";

const PHASE: Field = Field { name: "phase", accepts: |text| Phase::parse(text).is_some(), values: PHASES };

const VM: &[Field] = &[
    PHASE,
    Field::text("id"),
    Field::text("name"),
    Field::text("project"),
    Field::text("node"),
    Field::text("driver"),
    Field::text("labels."),
];

const NODE: &[Field] = &[Field::text("name"), Field::text("id"), Field::text("architecture"), Field::text("labels.")];

const EVENT: &[Field] = &[
    Field::text("reason"),
    Field { name: "severity", accepts: |text| matches!(text, "NORMAL" | "WARNING"), values: "NORMAL or WARNING" },
    Field::text("instance"),
    Field::text("instance_name"),
    Field::text("node"),
    Field::text("project"),
    PHASE,
];

const SNAPSHOT: &[Field] = &[
    Field {
        name: "phase",
        accepts: |text| SnapshotPhase::ALL.iter().any(|phase| phase.as_str() == text),
        values: "PENDING, READY, FAILED or DELETING",
    },
    Field::text("id"),
    Field::text("name"),
    Field::text("vm"),
    Field::text("vm_name"),
    Field::text("node"),
    Field::text("project"),
    Field::text("labels."),
];

/// A filter of snapshots.
pub(crate) fn of_snapshots(text: &str) -> Result<Filter, Fault> {
    Filter::parse(text, SNAPSHOT)
}

/// A filter of VMs.
pub(crate) fn of_vms(text: &str) -> Result<Filter, Fault> {
    Filter::parse(text, VM)
}

/// A filter of nodes.
pub(crate) fn of_nodes(text: &str) -> Result<Filter, Fault> {
    Filter::parse(text, NODE)
}

/// A filter of events.
pub(crate) fn of_events(text: &str) -> Result<Filter, Fault> {
    Filter::parse(text, EVENT)
}

/// A field of a VM.
pub(crate) fn vm<'a>(it: &'a Instance, field: &str) -> Option<Cow<'a, str>> {
    match field {
        "phase" => Some(it.status.phase.as_str().into()),
        "id" => Some(it.meta.id.to_string().into()),
        "name" => Some(it.meta.name.as_str().into()),
        "project" => Some(it.meta.project.as_str().into()),
        "node" => it.placement.map(|placement| placement.node.to_string().into()),
        "driver" => it.status.running.as_ref().map(|running| running.driver.as_str().into()),
        _ => label(&it.meta.labels, field),
    }
}

/// A field of a snapshot.
pub(crate) fn snapshot<'a>(it: &'a Snapshot, field: &str) -> Option<Cow<'a, str>> {
    match field {
        "phase" => Some(it.phase.as_str().into()),
        "id" => Some(it.id.to_string().into()),
        "name" => Some(it.name.as_str().into()),
        "vm" => Some(it.instance.to_string().into()),
        "vm_name" => Some(it.instance_name.as_str().into()),
        "node" => Some(it.node.to_string().into()),
        "project" => Some(it.project.as_str().into()),
        _ => label(&it.labels, field),
    }
}

/// A field of a node.
pub(crate) fn node<'a>(it: &'a Node, field: &str) -> Option<Cow<'a, str>> {
    match field {
        "name" => Some(it.name.as_str().into()),
        "id" => Some(it.id.to_string().into()),
        "architecture" => Some(it.facts.architecture.as_str().into()),
        _ => label(&it.labels, field),
    }
}

/// A field of an event.
pub(crate) fn event<'a>(it: &'a Event, field: &str) -> Option<Cow<'a, str>> {
    match field {
        "reason" => Some(it.reason.as_str().into()),
        "severity" => Some(
            match it.severity {
                Severity::Normal => "NORMAL",
                Severity::Warning => "WARNING",
            }
            .into(),
        ),
        "instance" => it.instance.map(|id| id.to_string().into()),
        "instance_name" => it.instance_name.as_ref().map(|name| name.as_str().into()),
        "node" => it.node.map(|id| id.to_string().into()),
        "project" => Some(it.project.as_str().into()),
        "phase" => it.phase.map(|phase| phase.as_str().into()),
        _ => None,
    }
}

fn label<'a>(labels: &'a Labels, field: &str) -> Option<Cow<'a, str>> {
    labels.as_map().get(field.strip_prefix("labels.")?).map(|value| value.as_str().into())
}
