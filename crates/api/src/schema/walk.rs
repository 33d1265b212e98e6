//! JSON held against a message: unknown fields and wrong types, each with its path.

use super::{Field, Message, Schema, Shape};
use serde_json::Value;
use weft_domain::{Fault, Reason, Violation};

/// More findings than this tell nobody more.
const MOST: usize = 16;

/// The longest span that protobuf's `Duration` allows, in seconds: some 10,000 years.
const LONGEST_SPAN: f64 = 315_576_000_000.0;

/// What is wrong with a JSON text.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    unknown: Vec<Violation>,
    invalid: Vec<Violation>,
}

impl Findings {
    /// All as one refusal; `None` where nothing is wrong. Unknown fields come first, since a
    /// misspelt name often explains the rest.
    pub(crate) fn into_fault(self) -> Option<Fault> {
        let reason = if self.unknown.is_empty() { Reason::FieldInvalid } else { Reason::FieldUnknown };
        let all = self.unknown.into_iter().chain(self.invalid).collect();
        Some(Fault::from_violations(reason, all)?.fix("correct these fields and send it again"))
    }

    fn invalid(&mut self, path: &str, why: impl Into<String>) {
        if self.invalid.len() < MOST {
            self.invalid.push(Violation { field: path.to_owned(), why: why.into() });
        }
    }
}

/// Holds a JSON value against the message of this full name. Paths begin below `root`.
pub(crate) fn check(schema: &Schema, message: &str, value: &Value, root: &str) -> Findings {
    let mut findings = Findings::default();
    walk_message(schema, message, value, root, &mut findings);
    findings
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn walk_message(schema: &Schema, full: &str, value: &Value, path: &str, findings: &mut Findings) {
    let Some(message) = schema.messages.get(full) else { return };
    let Value::Object(object) = value else {
        findings.invalid(path, format!("must be an object, not {}", sort(value)));
        return;
    };
    let mut chosen: Vec<(i32, &str)> = Vec::new();
    for (key, value) in object {
        let Some((name, field)) = message.field(key) else {
            unknown(message, full, &join(path, key), key, findings);
            continue;
        };
        let at = join(path, name);
        if value.is_null() {
            continue;
        }
        if let Some(oneof) = field.oneof {
            if let Some((_, other)) = chosen.iter().find(|(o, _)| *o == oneof) {
                findings.invalid(&at, format!("cannot be given together with {other}"));
            }
            chosen.push((oneof, name));
        }
        walk_field(schema, field, value, &at, findings);
    }
}

fn unknown(message: &Message, full: &str, path: &str, key: &str, findings: &mut Findings) {
    if findings.unknown.len() >= MOST {
        return;
    }
    let short = full.rsplit('.').next().unwrap_or(full);
    let hint = message.nearest(key).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    findings.unknown.push(Violation { field: path.to_owned(), why: format!("is not a field of {short}{hint}") });
}

fn walk_field(schema: &Schema, field: &Field, value: &Value, path: &str, findings: &mut Findings) {
    if !field.repeated {
        return walk_value(schema, &field.shape, value, path, findings);
    }
    let Value::Array(items) = value else {
        findings.invalid(path, format!("must be a list, not {}", sort(value)));
        return;
    };
    for (i, item) in items.iter().enumerate() {
        walk_value(schema, &field.shape, item, &format!("{path}[{i}]"), findings);
    }
}

fn walk_value(schema: &Schema, shape: &Shape, value: &Value, path: &str, findings: &mut Findings) {
    let wanted = match shape {
        Shape::Any => return,
        Shape::Message(full) => return walk_message(schema, full, value, path, findings),
        Shape::Map(inner) => return walk_map(schema, inner, value, path, findings),
        Shape::Enum(full) => return walk_enum(schema, full, value, path, findings),
        Shape::Whole(least, most) => return walk_whole((*least, *most), value, path, findings),
        Shape::Bool => value.is_boolean().then_some(()).ok_or("true or false"),
        Shape::Text => value.is_string().then_some(()).ok_or("text"),
        Shape::Bytes => value.as_str().filter(|t| is_base64(t)).map(|_| ()).ok_or("bytes in base64"),
        Shape::Span => value.as_str().filter(|t| is_span(t)).map(|_| ()).ok_or("a span such as \"1.5s\""),
        Shape::Number => is_number(value).then_some(()).ok_or("a number"),
    };
    if let Err(wanted) = wanted {
        findings.invalid(path, format!("must be {wanted}, not {}", sort(value)));
    }
}

fn walk_map(schema: &Schema, inner: &Shape, value: &Value, path: &str, findings: &mut Findings) {
    let Value::Object(object) = value else {
        findings.invalid(path, format!("must be an object, not {}", sort(value)));
        return;
    };
    for (key, value) in object {
        walk_value(schema, inner, value, &format!("{path}[{key:?}]"), findings);
    }
}

fn walk_enum(schema: &Schema, full: &str, value: &Value, path: &str, findings: &mut Findings) {
    let known = schema.enums.get(full).map(Vec::as_slice).unwrap_or_default();
    let fits = match value {
        Value::String(name) => known.iter().any(|k| k == name),
        Value::Number(n) => n.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
    };
    if !fits {
        findings.invalid(path, format!("must be one of {}, not {}", known.join(", "), sort(value)));
    }
}

fn walk_whole((least, most): (i128, i128), value: &Value, path: &str, findings: &mut Findings) {
    let Some(number) = whole(value) else {
        findings.invalid(path, format!("must be a whole number, not {}", sort(value)));
        return;
    };
    if number < least || number > most {
        findings.invalid(path, format!("must be a whole number from {least} to {most}"));
    }
}

/// The whole number that this is, written as number or text.
fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::Number(n) => {
            let exact = n.as_u64().map(i128::from).or_else(|| n.as_i64().map(i128::from));
            exact.or_else(|| {
                n.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < 1e30).and_then(|f| format!("{f:.0}").parse().ok())
            })
        }
        Value::String(text) => text.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn is_number(value: &Value) -> bool {
    let named = |t: &str| matches!(t, "NaN" | "Infinity" | "-Infinity") || t.parse::<f64>().is_ok();
    value.is_number() || value.as_str().is_some_and(named)
}

fn is_span(text: &str) -> bool {
    let seconds = text.strip_suffix('s').filter(|t| t.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-')));
    seconds.and_then(|t| t.parse::<f64>().ok()).is_some_and(|seconds| seconds.abs() <= LONGEST_SPAN)
}

fn is_base64(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_' | b'='))
}

/// What sort of JSON a value is, without showing it: it may be long, or a secret.
fn sort(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "this number",
        Value::String(_) => "this text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
