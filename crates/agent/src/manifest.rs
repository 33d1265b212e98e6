//! What is in a snapshot's folder, written there last: a folder without it is garbage.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use weft_domain::Time;
use weft_domain::snapshot::{Content, Part, Role};

/// Its name in the folder.
pub(crate) const FILE: &str = "manifest.json";

/// What is in a snapshot's folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) content: Content,
    /// What the machine was made of at that moment, as the codec wrote it; empty where that was not known.
    pub(crate) spec: Bytes,
}

#[derive(Serialize, Deserialize)]
struct Written {
    driver: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    taken_nanos: Option<i64>,
    parts: Vec<Entry>,
    /// In hexadecimal digits.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    spec: String,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    role: Named,
    file: String,
    bytes: u64,
    sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Named {
    Memory,
    State,
    Config,
    Disk(String),
}

pub(crate) fn write(manifest: &Manifest) -> Result<Bytes, serde_json::Error> {
    let content = &manifest.content;
    let parts = content.parts.iter().map(|part| Entry {
        role: match &part.role {
            Role::Memory => Named::Memory,
            Role::State => Named::State,
            Role::Config => Named::Config,
            Role::Disk(name) => Named::Disk(name.clone()),
        },
        file: part.file.clone(),
        bytes: part.bytes,
        sha256: hex(&part.sha256),
    });
    let taken_nanos = content.taken.map(Time::as_nanos);
    let (driver, spec) = (content.driver.clone(), hex(&manifest.spec));
    let written = Written { driver, taken_nanos, parts: parts.collect(), spec };
    serde_json::to_vec_pretty(&written).map(Bytes::from)
}

/// What a manifest says; `None` where it is none.
pub(crate) fn read(bytes: &[u8]) -> Option<Manifest> {
    let written: Written = serde_json::from_slice(bytes).ok()?;
    let part = |entry: Entry| {
        let role = match entry.role {
            Named::Memory => Role::Memory,
            Named::State => Role::State,
            Named::Config => Role::Config,
            Named::Disk(name) => Role::Disk(name),
        };
        Some(Part { role, file: entry.file, bytes: entry.bytes, sha256: unhex(&entry.sha256)?.try_into().ok()? })
    };
    let parts = written.parts.into_iter().map(part).collect::<Option<_>>()?;
    let content = Content { driver: written.driver, taken: written.taken_nanos.map(Time::from_nanos), parts };
    Some(Manifest { content, spec: unhex(&written.spec)?.into() })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let part = |role| Part { role, file: "f".into(), bytes: 1 << 40, sha256: [0xa5; 32] };
        let roles = [Role::Memory, Role::State, Role::Config, Role::Disk("data".into())];
        let taken = Some(Time::from_nanos(-3));
        let content = Content { driver: "fake 1".into(), taken, parts: roles.map(part).to_vec() };
        let manifest = Manifest { content, spec: Bytes::from_static(b"\0\xffspec") };
        let bytes = write(&manifest).unwrap();
        assert_eq!(read(&bytes), Some(manifest));
        assert_eq!(read(&bytes[..bytes.len() - 9]), None, "cut short");
        assert_eq!(read(&[]), None);
    }
}
