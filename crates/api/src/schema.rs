//! What the protos say, at run time: which fields a message has and what JSON each takes.
//!
//! The generated decoder ignores fields it does not know and tells a wrong type without a path, so
//! JSON is held against the descriptors first. Read once from the embedded descriptor set; every
//! answer is a list of [`Violation`]s with paths in proto names (`vm.spec.disks[1].path`).

mod read;
mod walk;

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;
pub(crate) use walk::check;

/// The descriptor set of all protos, with comments.
pub(crate) const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/weft.binpb"));

/// The protos of this build.
pub(crate) static SCHEMA: LazyLock<Schema> = LazyLock::new(|| read::schema(DESCRIPTORS));

/// Messages, enums and methods by their full names.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    messages: HashMap<String, Message>,
    enums: HashMap<String, Vec<String>>,
    /// Request messages by procedure: `/weft.v1.VmService/GetVm`.
    inputs: HashMap<String, String>,
    /// Full names of services.
    services: Vec<String>,
}

/// The fields of one message, by proto name and by JSON name.
#[derive(Debug, Default)]
pub(crate) struct Message {
    fields: BTreeMap<String, Field>,
    by_json: HashMap<String, String>,
}

/// What JSON one field takes.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    shape: Shape,
    repeated: bool,
    /// The oneof that it belongs to, where it has siblings.
    oneof: Option<i32>,
}

/// What JSON one value takes.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    Bool,
    /// A whole number between these, as number or text.
    Whole(i128, i128),
    Number,
    Text,
    Bytes,
    Enum(String),
    Message(String),
    Map(Box<Shape>),
    /// A span such as `1.5s`.
    Span,
    /// Any JSON: the decoder alone judges.
    Any,
}

impl Schema {
    /// The request message of a procedure such as `/weft.v1.VmService/GetVm`.
    pub(crate) fn input(&self, procedure: &str) -> Option<&str> {
        self.inputs.get(procedure).map(String::as_str)
    }

    /// Full names of all services.
    pub(crate) fn services(&self) -> &[String] {
        &self.services
    }
}

impl Message {
    /// The proto name and the field that JSON calls so.
    fn field(&self, json: &str) -> Option<(&str, &Field)> {
        let name = self.by_json.get(json).map_or(json, String::as_str);
        self.fields.get_key_value(name).map(|(name, field)| (name.as_str(), field))
    }

    /// The known field nearest to this name, where one is near enough to be meant.
    fn nearest(&self, unknown: &str) -> Option<&str> {
        let limit = (unknown.len() / 3).max(1);
        self.fields
            .keys()
            .map(|known| (distance(known, &unknown.to_ascii_lowercase()), known.as_str()))
            .filter(|(d, _)| *d <= limit)
            .min()
            .map(|(_, known)| known)
    }
}

/// Letters to change, add or drop to make one text the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let swap = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = swap.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
