//! What is in a snapshot's folder, written there last: a folder without it is garbage.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use weft_domain::Time;
use weft_domain::snapshot::{Content, Part, Role};

/// Its name in the folder.
pub(super) const FILE: &str = "manifest.json";

#[derive(Serialize, Deserialize)]
struct Manifest {
    driver: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    taken_nanos: Option<i64>,
    parts: Vec<Entry>,
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

pub(super) fn write(content: &Content) -> Result<Bytes, serde_json::Error> {
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
    let manifest = Manifest { driver: content.driver.clone(), taken_nanos, parts: parts.collect() };
    serde_json::to_vec_pretty(&manifest).map(Bytes::from)
}

/// What a manifest says; `None` where it is none.
pub(super) fn read(bytes: &[u8]) -> Option<Content> {
    let manifest: Manifest = serde_json::from_slice(bytes).ok()?;
    let part = |entry: Entry| {
        let role = match entry.role {
            Named::Memory => Role::Memory,
            Named::State => Role::State,
            Named::Config => Role::Config,
            Named::Disk(name) => Role::Disk(name),
        };
        Some(Part { role, file: entry.file, bytes: entry.bytes, sha256: unhex(&entry.sha256)? })
    };
    let parts = manifest.parts.into_iter().map(part).collect::<Option<_>>()?;
    Some(Content { driver: manifest.driver, taken: manifest.taken_nanos.map(Time::from_nanos), parts })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let mut bytes = [0; 32];
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
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
        let bytes = write(&content).unwrap();
        assert_eq!(read(&bytes), Some(content));
        assert_eq!(read(&bytes[..bytes.len() - 9]), None, "cut short");
        assert_eq!(read(&[]), None);
    }
}
