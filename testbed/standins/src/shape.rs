//! What a request's body may look like, as data: fields, kinds, ranges and since when they exist.
//!
//! JSON goes in; out comes the same object with every field of this version filled in, or why it is refused,
//! in the words of the library that both VMMs read JSON with. A strict shape refuses unknown fields, a lax
//! one drops them; a field that is newer than the version played is unknown.

use crate::version::{Since, Version};
use serde_json::{Map, Value};

/// What one value may be.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// Any text.
    Text,
    /// Text that this accepts.
    Checked(fn(&str) -> Result<(), String>),
    /// A whole number up to this.
    Whole(u64),
    /// A whole number up to this, and not zero.
    Positive(u64),
    /// A whole number of 32 bits with a sign.
    Signed,
    /// One of these.
    Choice(&'static [&'static str]),
    /// One of these, written in any case.
    AnyCase(&'static [&'static str]),
    /// An object of this shape.
    Object(&'static Shape),
    /// A list of this.
    List(&'static Self),
    /// An object whose values are text.
    Texts,
    /// Anything.
    Any,
}

/// Whether a field has to be there, and what it is where it is not.
#[derive(Debug, Clone, Copy)]
pub enum Need {
    /// Without it the body is refused.
    Required,
    /// May be missing or null.
    Nullable,
    /// As [`Need::Nullable`], and not written out where it is null.
    Silent,
    /// May be missing and is then this.
    Or(Default),
    /// As [`Need::Or`], and not written out where it is this.
    Quiet(Default),
}

/// What a missing field is.
#[derive(Debug, Clone, Copy)]
pub enum Default {
    /// No.
    No,
    /// Yes.
    Yes,
    /// A number.
    Number(u64),
    /// Text.
    Text(&'static str),
    /// An empty list.
    Empty,
    /// An object of this shape, read from this JSON.
    Of(&'static Shape, &'static str),
}

impl Default {
    fn value(self, version: &Version) -> Value {
        match self {
            Self::No => Value::Bool(false),
            Self::Yes => Value::Bool(true),
            Self::Number(number) => Value::from(number),
            Self::Text(text) => Value::from(text),
            Self::Empty => Value::Array(Vec::new()),
            Self::Of(shape, json) => shape.parse(json.as_bytes(), version).unwrap_or(Value::Null),
        }
    }
}

/// One field.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// Whether it has to be there.
    pub need: Need,
    /// The version that brought it.
    pub since: Since,
    /// Another name that it goes by.
    pub alias: Option<&'static str>,
}

/// A field that was always there.
#[must_use]
pub const fn field(name: &'static str, kind: Kind, need: Need) -> Field {
    Field { name, kind, need, since: crate::version::ALWAYS, alias: None }
}

/// A field that a version brought.
#[must_use]
pub const fn newer(since: Since, name: &'static str, kind: Kind, need: Need) -> Field {
    Field { name, kind, need, since, alias: None }
}

/// Whether unknown fields are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// They are refused.
    Strict,
    /// They are dropped.
    Lax,
}

/// An object.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// What it is called in refusals.
    pub name: &'static str,
    /// Whether it takes unknown fields.
    pub strictness: Strictness,
    /// Its fields, possibly from several tables.
    pub fields: &'static [&'static [Field]],
}

impl Shape {
    /// Reads a body.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn parse(&'static self, body: &[u8], version: &Version) -> Result<Value, String> {
        let value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        self.read(&value, version)
    }

    /// Reads a value.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn read(&'static self, value: &Value, version: &Version) -> Result<Value, String> {
        let Value::Object(given) = value else { return Err(mismatch(value, &format!("struct {}", self.name))) };
        let known = || self.fields.iter().flat_map(|table| table.iter()).filter(|field| version.reached(field.since));
        if self.strictness == Strictness::Strict {
            let stranger = given.keys().find(|key| !known().any(|field| field.name == *key));
            if let Some(stranger) = stranger {
                let names: Vec<_> = known().map(|field| format!("`{}`", field.name)).collect();
                return Err(format!("unknown field `{stranger}`, expected one of {}", names.join(", ")));
            }
        }
        let mut read = Map::new();
        for field in known() {
            let value = given.get(field.name).or_else(|| given.get(field.alias?));
            if let Some(value) = field.read(value, version)? {
                read.insert(field.name.to_owned(), value);
            }
        }
        Ok(Value::Object(read))
    }
}

impl Shape {
    /// The fields of a body that this version does not know, by their paths.
    ///
    /// # Errors
    /// When it is no JSON.
    pub fn strangers(&'static self, body: &[u8], version: &Version) -> Result<Vec<String>, String> {
        let value: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let mut found = Vec::new();
        self.search(&value, "", version, &mut found);
        Ok(found)
    }

    fn search(&self, value: &Value, path: &str, version: &Version, found: &mut Vec<String>) {
        for (key, value) in value.as_object().into_iter().flatten() {
            let fields = self.fields.iter().flat_map(|table| table.iter());
            let mut known = fields.filter(|field| version.reached(field.since));
            let path = format!("{path}/{key}");
            match known.find(|field| field.name == key || field.alias == Some(key)) {
                Some(field) => field.kind.search(value, &path, version, found),
                None => found.push(path),
            }
        }
    }
}

impl Field {
    fn read(&self, given: Option<&Value>, version: &Version) -> Result<Option<Value>, String> {
        let given = match (given, self.need) {
            (None, Need::Required) => return Err(format!("missing field `{}`", self.name)),
            (None | Some(Value::Null), Need::Nullable) => return Ok(Some(Value::Null)),
            (None | Some(Value::Null), Need::Silent) => return Ok(None),
            (None, Need::Or(default)) => return Ok(Some(default.value(version))),
            (None, Need::Quiet(_)) => return Ok(None),
            (Some(given), _) => given,
        };
        let value = self.kind.read(given, version)?;
        let left_out = matches!(self.need, Need::Quiet(default) if default.value(version) == value);
        Ok((!left_out).then_some(value))
    }
}

impl Kind {
    fn search(&self, value: &Value, path: &str, version: &Version, found: &mut Vec<String>) {
        match self {
            Self::Object(shape) => shape.search(value, path, version, found),
            Self::List(kind) => {
                for (at, item) in value.as_array().into_iter().flatten().enumerate() {
                    kind.search(item, &format!("{path}/{at}"), version, found);
                }
            }
            Self::Flag
            | Self::Text
            | Self::Checked(_)
            | Self::Whole(_)
            | Self::Positive(_)
            | Self::Signed
            | Self::Choice(_)
            | Self::AnyCase(_)
            | Self::Texts
            | Self::Any => {}
        }
    }

    fn read(&self, value: &Value, version: &Version) -> Result<Value, String> {
        match self {
            Self::Flag => value.is_boolean().then(|| value.clone()).ok_or_else(|| mismatch(value, "a boolean")),
            Self::Text => value.is_string().then(|| value.clone()).ok_or_else(|| mismatch(value, "a string")),
            Self::Checked(check) => {
                let text = value.as_str().ok_or_else(|| mismatch(value, "a string"))?;
                check(text).map(|()| value.clone())
            }
            Self::Whole(most) => whole(value, 0, *most),
            Self::Positive(most) => whole(value, 1, *most),
            Self::Signed => {
                let number = value.as_i64().filter(|number| i32::try_from(*number).is_ok());
                number.map(Value::from).ok_or_else(|| mismatch(value, "i32"))
            }
            Self::Choice(names) => choice(value, names),
            Self::AnyCase(names) => {
                let text = value.as_str().ok_or_else(|| mismatch(value, "a string"))?;
                let known = names.iter().find(|name| name.eq_ignore_ascii_case(text));
                known.map(|name| Value::from(*name)).ok_or_else(|| format!("`{text}` is none of {}", names.join(", ")))
            }
            Self::Object(shape) => shape.read(value, version),
            Self::List(kind) => {
                let items = value.as_array().ok_or_else(|| mismatch(value, "a sequence"))?;
                items.iter().map(|item| kind.read(item, version)).collect()
            }
            Self::Texts => {
                let map = value.as_object().ok_or_else(|| mismatch(value, "a map"))?;
                match map.values().find(|value| !value.is_string()) {
                    Some(odd) => Err(mismatch(odd, "a string")),
                    None => Ok(value.clone()),
                }
            }
            Self::Any => Ok(value.clone()),
        }
    }
}

fn whole(value: &Value, least: u64, most: u64) -> Result<Value, String> {
    let bits = if most == u64::from(u8::MAX) {
        "u8"
    } else if most == u64::from(u16::MAX) {
        "u16"
    } else if most == u64::from(u32::MAX) {
        "u32"
    } else {
        "u64"
    };
    match value.as_u64() {
        Some(number) if (least..=most).contains(&number) => Ok(value.clone()),
        Some(number) => Err(format!("invalid value: integer `{number}`, expected {bits}")),
        None if value.is_i64() => Err(format!("invalid value: integer `{value}`, expected {bits}")),
        None => Err(mismatch(value, bits)),
    }
}

fn choice(value: &Value, names: &[&str]) -> Result<Value, String> {
    let text = value.as_str().ok_or_else(|| mismatch(value, "a variant"))?;
    let known = names.iter().find(|name| **name == text);
    known.map(|name| Value::from(*name)).ok_or_else(|| {
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        format!("unknown variant `{text}`, expected one of {}", names.join(", "))
    })
}

fn mismatch(value: &Value, expected: &str) -> String {
    let found = match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => format!("boolean `{flag}`"),
        Value::Number(number) => format!("number `{number}`"),
        Value::String(text) => format!("string \"{text}\""),
        Value::Array(_) => "sequence".to_owned(),
        Value::Object(_) => "map".to_owned(),
    };
    format!("invalid type: {found}, expected {expected}")
}

#[cfg(test)]
mod tests {
    use super::*;

    static INNER: Shape =
        Shape { name: "Inner", strictness: Strictness::Strict, fields: &[&[field("a", Kind::Flag, Need::Required)]] };
    static OUTER: Shape = Shape {
        name: "Outer",
        strictness: Strictness::Lax,
        fields: &[&[
            field("list", Kind::List(&Kind::Object(&INNER)), Need::Or(Default::Empty)),
            newer((2, 0), "late", Kind::Whole(9), Need::Quiet(Default::Number(1))),
            field("word", Kind::Choice(&["A", "B"]), Need::Silent),
        ]],
    };

    fn read(text: &str, version: &str) -> Result<Value, String> {
        OUTER.parse(text.as_bytes(), &Version::parse(version).unwrap())
    }

    #[test]
    fn bodies_are_filled_in_or_refused() {
        assert_eq!(read("{}", "1.0.0").unwrap().to_string(), r#"{"list":[]}"#);
        assert_eq!(read(r#"{"late":7,"odd":1}"#, "1.0.0").unwrap().to_string(), r#"{"list":[]}"#);
        assert_eq!(read(r#"{"late":7}"#, "2.0.0").unwrap()["late"], 7);
        assert!(read(r#"{"late":10}"#, "2.0.0").unwrap_err().contains("invalid value"));
        assert!(read(r#"{"list":[{}]}"#, "1.0.0").unwrap_err().contains("missing field `a`"));
        assert!(read(r#"{"list":[{"a":true,"b":1}]}"#, "1.0.0").unwrap_err().contains("unknown field `b`"));
        assert!(read(r#"{"word":"C"}"#, "1.0.0").unwrap_err().contains("unknown variant `C`"));
        assert!(read("[]", "1.0.0").unwrap_err().contains("invalid type"));
    }

    #[test]
    fn strangers_are_found_at_every_depth() {
        let body = br#"{"odd":1,"late":1,"list":[{"a":true},{"b":2}]}"#;
        let found = |version| OUTER.strangers(body, &Version::parse(version).unwrap()).unwrap();
        assert_eq!(found("1.0.0"), ["/late", "/list/1/b", "/odd"]);
        assert_eq!(found("2.0.0"), ["/list/1/b", "/odd"]);
    }
}
