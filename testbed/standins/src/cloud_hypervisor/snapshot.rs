//! What of a machine travels, into a folder or over a stream: its configuration, its state and its memory.
//!
//! A folder holds `config.json`, `state.json` and the sparse `memory-ranges`, at whose beginning the guest's
//! memory lies. A stream carries one line of JSON and is answered with one line.

use super::refusal::Why;
use crate::faults::{Fault, Faults};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// A machine that travels.
#[derive(Debug, Clone)]
pub(crate) struct Luggage {
    pub(crate) config: Value,
    pub(crate) state: Value,
    pub(crate) guest: Value,
}

impl Luggage {
    /// As one document.
    pub(crate) fn document(&self) -> Value {
        json!({ "config": self.config, "state": self.state, "guest": self.guest })
    }

    /// From one document.
    pub(crate) fn of(document: &Value) -> Option<Self> {
        let part = |name: &str| document.get(name).filter(|part| part.is_object()).cloned();
        Some(Self { config: part("config")?, state: part("state")?, guest: part("guest")? })
    }
}

/// The folder that a `file://` URL names.
pub(crate) fn folder(url: &str) -> Result<PathBuf, Why> {
    let path = url.strip_prefix("file://").map(PathBuf::from);
    let path = path.ok_or_else(|| failed(&format!("the URL {url} does not begin with file://")))?;
    if path.is_dir() { Ok(path) } else { Err(failed(&format!("Destination is not a directory: {}", path.display()))) }
}

fn failed(why: &str) -> Why {
    Why::Failed(vec!["the snapshot cannot be sent or received".to_owned(), why.to_owned()])
}

/// Writes a machine into a folder.
pub(crate) fn write(luggage: &Luggage, folder: &Path, bytes: u64, faults: &Faults) -> Result<(), Why> {
    let written = (|| -> io::Result<()> {
        std::fs::write(folder.join("config.json"), luggage.config.to_string())?;
        let mut memory = File::create(folder.join("memory-ranges"))?;
        if faults.on(Fault::FillDisk) {
            memory.set_len(bytes / 2)?;
            return Err(rustix::io::Errno::NOSPC.into());
        }
        memory.write_all(format!("{}\n", luggage.guest).as_bytes())?;
        memory.set_len(bytes)?;
        let sum = crc32fast::hash(luggage.state.to_string().as_bytes());
        let state = json!({ "state": luggage.state, "bytes": bytes, "checksum": sum });
        std::fs::write(folder.join("state.json"), state.to_string())
    })();
    written.map_err(|error| failed(&error.to_string()))
}

/// Reads a machine from a folder.
pub(crate) fn read(folder: &Path) -> Result<Luggage, Why> {
    let text = |name: &str| {
        let text = std::fs::read_to_string(folder.join(name)).map_err(|error| failed(&format!("{name}: {error}")))?;
        serde_json::from_str::<Value>(&text).map_err(|error| failed(&format!("{name}: {error}")))
    };
    let (config, kept) = (text("config.json")?, text("state.json")?);
    let state = kept.get("state").cloned().unwrap_or_default();
    if kept.get("checksum").and_then(Value::as_u64) != Some(crc32fast::hash(state.to_string().as_bytes()).into()) {
        return Err(failed("state.json: it is not whole"));
    }
    let mut memory =
        File::open(folder.join("memory-ranges")).map_err(|error| failed(&format!("memory-ranges: {error}")))?;
    let found = memory.metadata().map_err(|error| failed(&error.to_string()))?.len();
    if Some(found) != kept.get("bytes").and_then(Value::as_u64) {
        return Err(failed("memory-ranges: it is not as long as the memory"));
    }
    let mut page = vec![0; usize::try_from(found.min(16384)).unwrap_or_default()];
    memory.read_exact(&mut page).map_err(|error| failed(&error.to_string()))?;
    let end = page.iter().position(|byte| *byte == b'\n').unwrap_or_default();
    let guest = serde_json::from_slice(&page[..end]).map_err(|_| failed("memory-ranges: it holds no guest"))?;
    Ok(Luggage { config, state, guest })
}
