//! YAML and JSON as values, and back.
//!
//! JSON is read as YAML, which holds it; a text that begins with `{` or `[` is read as JSON so that
//! its errors speak of JSON. The order of keys when writing is ours: kind and identity first.

use serde::de::Deserialize as _;
use serde_json::{Map, Value};
use weft_domain::{Fault, Reason};
use weft_ports::documents::Form;

/// One document, and where it stands.
pub(super) struct Part {
    /// `document 2`.
    pub(super) place: String,
    /// What is in it.
    pub(super) value: Value,
}

/// The documents of a text; empty ones are passed over.
pub(super) fn parts(text: &str) -> Result<Vec<Part>, Fault> {
    let json = text.trim_start().starts_with(['{', '[']);
    let values: Box<dyn Iterator<Item = Result<Value, String>> + '_> = if json {
        let read = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        Box::new(read.map(|v| v.map_err(|e| e.to_string())))
    } else {
        let read = serde_yaml_ng::Deserializer::from_str(text);
        Box::new(read.map(|d| Value::deserialize(d).map_err(|e| e.to_string())))
    };
    let mut parts = Vec::new();
    for (i, value) in values.enumerate() {
        let place = format!("document {}", i + 1);
        let value = value.map_err(|why| {
            Fault::new(Reason::BodyMalformed, format!("{place} cannot be read: {why}"))
                .fix("correct the manifest and apply it again")
        })?;
        match value {
            Value::Null => {}
            Value::Array(items) => {
                let item = |(j, value)| Part { place: format!("{place}, item {}", j + 1), value };
                parts.extend(items.into_iter().enumerate().map(item));
            }
            value @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
                parts.push(Part { place, value });
            }
        }
    }
    Ok(parts)
}

/// A value as text, with a line's end after it.
pub(super) fn write(value: &Value, form: Form) -> String {
    let ordered = Ordered(value);
    let mut text = match form {
        Form::Json => serde_json::to_string_pretty(&ordered).unwrap_or_default(),
        Form::Yaml => serde_yaml_ng::to_string(&ordered).unwrap_or_default(),
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// A value whose objects are written identity first, the rest as they are.
struct Ordered<'a>(&'a Value);

const FIRST: [&str; 5] = ["kind", "name", "project", "id", "type"];
const LAST: [&str; 3] = ["spec", "status", "items"];

fn rank(key: &str) -> usize {
    if let Some(i) = FIRST.iter().position(|k| *k == key) {
        return i;
    }
    LAST.iter().position(|k| *k == key).map_or(FIRST.len(), |i| FIRST.len() + 1 + i)
}

impl serde::Serialize for Ordered<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(object) => serializer.collect_map(sorted(object).into_iter().map(|(k, v)| (k, Ordered(v)))),
            Value::Array(items) => serializer.collect_seq(items.iter().map(Ordered)),
            plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => plain.serialize(serializer),
        }
    }
}

fn sorted(object: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut entries: Vec<_> = object.iter().collect();
    entries.sort_by_key(|(key, _)| (rank(key), key.as_str()));
    entries
}
