//! Text ⇄ domain: manifests that people write, and answers in the forms that programs read.

use crate::api::{KeptSnapshot, NewVm, UsageLine, Vm};
use crate::hypervisor::Counters;
use weft_domain::Fault;
use weft_domain::census::Census;
use weft_domain::event::Event;
use weft_domain::node::Node;

/// The forms of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// JSON, as on the wire.
    Json,
    /// YAML of the same shape.
    Yaml,
}

/// One document of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// `kind: Vm`.
    Vm(Box<NewVm>),
}

/// A thing that can be written.
#[derive(Debug, Clone, Copy)]
pub enum Item<'a> {
    /// A VM.
    Vm(&'a Vm),
    /// A node.
    Node(&'a Node),
    /// An event.
    Event(&'a Event),
    /// A snapshot.
    Snapshot(&'a KeptSnapshot),
    /// Counters of a VM's devices.
    Counters(&'a Counters),
    /// A census of a node.
    Census(&'a Census),
    /// What one VM used in one span.
    Usage(&'a UsageLine),
}

/// Reads manifests and writes answers.
///
/// # Laws
/// What `write` wrote of a VM, `read` accepts as a manifest: output-only fields are passed over.
pub trait Documents: Send + Sync {
    /// All documents of a text, YAML or JSON, in order.
    ///
    /// # Errors
    /// What is wrong, with the document's number and the line, and the field at fault.
    fn read(&self, text: &str) -> Result<Vec<Document>, Fault>;

    /// One thing in this form, with a line's end after it.
    fn write(&self, item: Item<'_>, form: Form) -> String;

    /// Many things as one list in this form.
    fn write_list(&self, items: &[Item<'_>], form: Form) -> String;
}
