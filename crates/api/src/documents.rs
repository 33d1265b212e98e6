//! Manifests and answers as text.
//!
//! A document is the resource's own proto JSON with its kind beside it, in YAML or JSON:
//!
//! ```yaml
//! kind: Vm
//! name: web
//! labels: {tier: front}
//! spec:
//!   cpu: {boot: 2}
//!   memory: {sizeBytes: 536870912}
//! ```
//!
//! Names may be written as in JSON (`sizeBytes`) or as in the protos (`size_bytes`); what is written
//! here uses the former. A field that does not exist is refused, a field that is output only is
//! passed over. `kind: List` holds further documents under `items`.

mod text;

use crate::asks::new_vm;
use crate::convert::{census, event, node, snapshot, usage, vm};
use crate::proto::weft::v1 as wire;
use crate::schema::{self, SCHEMA};
use serde::Serialize;
use serde_json::{Map, Value};
use text::Part;
use weft_domain::{Fault, Reason};
use weft_ports::api::CreateMode;
use weft_ports::documents::{self as port, Document, Form, Item};

/// The most documents of one text.
const MOST: usize = 256;

/// Manifests and answers in proto JSON.
#[derive(Debug, Clone, Copy, Default)]
pub struct Documents;

impl port::Documents for Documents {
    fn read(&self, text: &str) -> Result<Vec<Document>, Fault> {
        let mut documents = Vec::new();
        for part in text::parts(text)? {
            read_part(part, &mut documents)?;
        }
        if documents.is_empty() {
            let fault = Fault::new(Reason::BodyMalformed, "the text has no document");
            return Err(fault.fix("begin with `kind: Vm`"));
        }
        Ok(documents)
    }

    fn write(&self, item: Item<'_>, form: Form) -> String {
        text::write(&value(item), form)
    }

    fn write_list(&self, items: &[Item<'_>], form: Form) -> String {
        let items: Vec<Value> = items.iter().map(|item| value(*item)).collect();
        text::write(&serde_json::json!({ "kind": "List", "items": items }), form)
    }
}

fn read_part(part: Part, documents: &mut Vec<Document>) -> Result<(), Fault> {
    let Part { place, value } = part;
    let Value::Object(mut object) = value else {
        return Err(refused(&place, Reason::BodyMalformed, "", "must be an object with a kind"));
    };
    let kind = object.remove("kind");
    // Accepted where somebody writes it, as elsewhere; there is one version.
    if let Some(version) = object.remove("apiVersion").filter(|v| v != "weft/v1" && v != "weft.v1") {
        return Err(refused(&place, Reason::FieldInvalid, "apiVersion", &format!("must be weft/v1, not {version}")));
    }
    if documents.len() >= MOST {
        return Err(refused(
            &place,
            Reason::FieldInvalid,
            "",
            &format!("is one too many; at most {MOST} are taken at once"),
        ));
    }
    match kind.as_ref().and_then(Value::as_str) {
        Some("Vm") => documents.push(read_vm(&place, object)?),
        Some("List") => {
            let items =
                object.remove("items").and_then(|v| if let Value::Array(items) = v { Some(items) } else { None });
            for (i, value) in items.unwrap_or_default().into_iter().enumerate() {
                read_part(Part { place: format!("{place}, item {}", i + 1), value }, documents)?;
            }
        }
        Some(other) => {
            let why = format!("{other:?} is not a kind that can be applied; there is Vm");
            return Err(refused(&place, Reason::FieldInvalid, "kind", &why));
        }
        None => return Err(refused(&place, Reason::FieldRequired, "kind", "is required, such as Vm")),
    }
    Ok(())
}

fn refused(place: &str, reason: Reason, field: &str, why: &str) -> Fault {
    let what = if field.is_empty() { format!("{place} {why}") } else { format!("{place}: {field}: {why}") };
    let fault = Fault::new(reason, what).fix("correct the manifest and apply it again");
    if field.is_empty() { fault } else { fault.at(field, why) }
}

fn read_vm(place: &str, object: Map<String, Value>) -> Result<Document, Fault> {
    let value = Value::Object(object);
    if let Some(fault) = schema::check(&SCHEMA, "weft.v1.Vm", &value, "").into_fault() {
        return Err(located(place, fault));
    }
    let vm: wire::Vm = serde_json::from_value(value)
        .map_err(|e| refused(place, Reason::BodyMalformed, "", &format!("cannot be read: {e}")))?;
    let new = new_vm(vm, CreateMode::Create).map_err(|fault| located(place, fault))?;
    Ok(Document::Vm(Box::new(new)))
}

/// The refusal with its place in the text, and fields as they are in a manifest.
fn located(place: &str, mut fault: Fault) -> Fault {
    for violation in &mut fault.violations {
        if let Some(field) = violation.field.strip_prefix("vm.") {
            fault.message = fault.message.replacen(&violation.field, field, 1);
            violation.field = field.to_owned();
        }
    }
    fault.message = format!("{place}: {}", fault.message);
    fault.fix("correct the manifest and apply it again")
}

/// A thing in proto JSON, its kind first.
fn value(item: Item<'_>) -> Value {
    match item {
        Item::Vm(one) => kinded("Vm", &vm::stored(one)),
        Item::Node(one) => kinded("Node", &node::node(one)),
        Item::Event(one) => kinded("Event", &event::event(one)),
        Item::Snapshot(one) => kinded("Snapshot", &snapshot::stored(one)),
        Item::Census(one) => kinded("NodeCensus", &census::census(one)),
        Item::Usage(one) => kinded("Usage", &usage::line(one)),
        Item::Counters(one) => kinded("Counters", &serde_json::json!({ "devices": one })),
    }
}

fn kinded(kind: &str, message: &impl Serialize) -> Value {
    // A message of ours has text keys and finite numbers only, which JSON can always write.
    let mut value = serde_json::to_value(message).unwrap_or_default();
    if let Value::Object(object) = &mut value {
        object.insert("kind".to_owned(), Value::from(kind));
    }
    value
}

#[cfg(test)]
mod tests;
