//! A codec for tests: names and events as checksummed text. Other sorts it writes but does not read.
//!
//! ```text
//! weft-text <format> <checksum>
//! <sort>
//! <field>\n…            newlines and backslashes inside a field are escaped
//! ```

use crate::codec::{Codec, Error};
use weft_domain::event::{Event, Severity};
use weft_domain::object::{Object, Sort};
use weft_domain::{EventId, InstanceId, Name, Phase, Time};

/// The format that is written.
const FORMAT: u32 = 1;

/// The codec; see the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct Text;

impl Codec for Text {
    fn encode(&self, object: &Object) -> Vec<u8> {
        let body = match object {
            Object::Name(id) => vec!["name".to_owned(), id.to_string()],
            Object::Event(event) => fields(event),
            Object::Instance(_)
            | Object::Request(_)
            | Object::Node(_)
            | Object::Snapshot(_)
            | Object::SnapshotName(_) => vec!["unread".to_owned()],
        };
        let body = body.iter().map(|field| escape(field)).collect::<Vec<_>>().join("\n");
        format!("weft-text {FORMAT} {:016x}\n{body}", checksum(body.as_bytes())).into_bytes()
    }

    fn decode(&self, sort: Sort, bytes: &[u8]) -> Result<Object, Error> {
        let text = std::str::from_utf8(bytes).map_err(|_| damaged("it is not text"))?;
        let (head, body) = text.split_once('\n').ok_or_else(|| damaged("it has no body"))?;
        let mut head = head.split(' ');
        if head.next() != Some("weft-text") {
            return Err(damaged("its first word is another"));
        }
        let found = head.next().and_then(|word| word.parse().ok()).ok_or_else(|| damaged("it has no format"))?;
        if found > FORMAT {
            return Err(Error::Newer { found, known: FORMAT });
        }
        if head.next() != Some(format!("{:016x}", checksum(body.as_bytes())).as_str()) {
            return Err(damaged("its checksum is another"));
        }
        let fields: Vec<String> = body.split('\n').map(unescape).collect();
        read(sort, &fields).ok_or_else(|| damaged("it is of another sort"))
    }
}

fn damaged(what: &str) -> Error {
    Error::Damaged(what.to_owned())
}

fn fields(event: &Event) -> Vec<String> {
    let optional = |text: Option<String>| text.unwrap_or_default();
    vec![
        "event".to_owned(),
        event.id.to_string(),
        event.at.as_nanos().to_string(),
        event.project.to_string(),
        optional(event.instance.map(|id| id.to_string())),
        optional(event.instance_name.as_ref().map(ToString::to_string)),
        optional(event.node.map(|id| id.to_string())),
        match event.severity {
            Severity::Normal => "normal".to_owned(),
            Severity::Warning => "warning".to_owned(),
        },
        event.reason.clone(),
        event.message.clone(),
        optional(event.phase.map(|phase| phase.as_str().to_owned())),
    ]
}

fn read(sort: Sort, fields: &[String]) -> Option<Object> {
    let texts: Vec<&str> = fields.iter().map(String::as_str).collect();
    match (sort, texts.as_slice()) {
        (Sort::Name, ["name", id]) => Some(Object::Name(id.parse::<InstanceId>().ok()?)),
        (Sort::Event, ["event", id, at, project, instance, name, node, severity, reason, message, phase]) => {
            Some(Object::Event(Box::new(Event {
                id: id.parse::<EventId>().ok()?,
                at: Time::from_nanos(at.parse().ok()?),
                project: project.parse::<Name>().ok()?,
                instance: optional(instance)?,
                instance_name: optional(name)?,
                node: optional(node)?,
                severity: if *severity == "warning" { Severity::Warning } else { Severity::Normal },
                reason: (*reason).to_owned(),
                message: (*message).to_owned(),
                phase: if phase.is_empty() { None } else { Some(Phase::parse(phase)?) },
            })))
        }
        _ => None,
    }
}

/// `Some(None)` for nothing, `None` for what cannot be read.
fn optional<T: std::str::FromStr>(text: &str) -> Option<Option<T>> {
    if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('n')) => out.push('\n'),
            ('\\', Some(other)) => out.push(other),
            (c, _) => out.push(c),
        }
    }
    out
}

/// FNV-1a: enough to notice an accident in a test.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fake::sample;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn objects_read_back(n: u64, message in "\\PC{0,20}[\\\\\n]{0,3}.{0,9}") {
            let Object::Event(mut event) = sample::event(n).1 else { panic!("an event") };
            event.message = message;
            for object in [sample::name(n).1, Object::Event(event)] {
                prop_assert_eq!(Text.decode(object.sort(), &Text.encode(&object)), Ok(object));
            }
        }

        #[test]
        fn a_changed_byte_is_an_error(n: u64, at: prop::sample::Index, flip in 1u8..) {
            let mut bytes = Text.encode(&sample::event(n).1);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert!(Text.decode(Sort::Event, &bytes).is_err());
        }
    }
}
