//! Snapshot files: the state with a checksum, and a memory file as large as the machine's memory.
//!
//! The state is `magic, CRC-32, JSON`; the guest's memory lies at the beginning of the sparse memory file,
//! and what is restored is what lies there. Anything that does not add up is refused, as is a state of
//! another snapshot version.

use crate::faults::{Fault, Faults};
use crate::version::Version;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, IoSlice, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

const MAGIC: &[u8] = b"weft stand-in of firecracker\n";

/// What a snapshot keeps.
#[derive(Debug)]
pub(crate) struct Kept {
    /// The configuration of the machine and its devices.
    pub(crate) state: Value,
    /// The guest's memory.
    pub(crate) guest: Value,
    /// How large the memory is.
    pub(crate) bytes: u64,
}

/// The version of the snapshot format that a Firecracker of this version writes.
#[must_use]
pub(crate) fn version(version: &Version) -> &'static str {
    if version.reached((1, 17)) {
        "11.0.0"
    } else if version.reached((1, 16)) {
        "10.0.0"
    } else {
        "7.0.0"
    }
}

/// Writes both files.
///
/// # Errors
/// When one cannot be written; with [`Fault::FillDisk`] it ends early.
pub(crate) fn write(kept: &Kept, (state, memory): (&Path, &Path), faults: &Faults) -> io::Result<()> {
    let json = json!({ "state": kept.state, "guest": kept.guest, "bytes": kept.bytes }).to_string();
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&crc32fast::hash(json.as_bytes()).to_le_bytes());
    bytes.extend_from_slice(json.as_bytes());
    let full = faults.on(Fault::FillDisk);
    if full {
        bytes.truncate(bytes.len() / 2);
    }
    File::create(state)?.write_all(&bytes)?;
    let mut file = File::create(memory)?;
    if full {
        file.set_len(kept.bytes / 2)?;
        return Err(rustix::io::Errno::NOSPC.into());
    }
    file.write_all(format!("{}\n", kept.guest).as_bytes())?;
    file.set_len(kept.bytes)?;
    file.sync_all()
}

/// Reads a state file.
///
/// # Errors
/// When it is none, is broken, or is of another version.
pub(crate) fn read_state(path: &Path, running: &Version) -> Result<Kept, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("the snapshot file cannot be opened: {error}"))?;
    let kept = read(&bytes)?;
    let found = kept.state.get("snapshot_version").and_then(Value::as_str).unwrap_or_default();
    if found != version(running) {
        return Err(format!("Invalid data version: {found}"));
    }
    Ok(kept)
}

/// The snapshot version of a state file.
///
/// # Errors
/// When it is none.
pub(crate) fn describe(path: &Path) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let kept = read(&bytes)?;
    Ok(kept.state.get("snapshot_version").and_then(Value::as_str).unwrap_or_default().to_owned())
}

fn read(bytes: &[u8]) -> Result<Kept, String> {
    let rest = bytes.strip_prefix(MAGIC).ok_or("Invalid magic value")?;
    let (sum, json) = rest.split_first_chunk::<4>().ok_or("the snapshot file is too short")?;
    if crc32fast::hash(json) != u32::from_le_bytes(*sum) {
        return Err("CRC64 validation failed".to_owned());
    }
    let value: Value = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let bytes = value.get("bytes").and_then(Value::as_u64).ok_or("the memory has no size")?;
    Ok(Kept { state: value["state"].clone(), guest: value["guest"].clone(), bytes })
}

/// Reads the guest's memory from where a load says that it is.
///
/// # Errors
/// When it is not there or not as large as it has to be.
pub(crate) fn read_memory(body: &Value, bytes: u64, guest: Value) -> Result<Value, String> {
    let text = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let backend = body.get("mem_backend").filter(|value| !value.is_null());
    let (path, uffd) = match backend {
        Some(backend) => (text(backend, "backend_path"), text(backend, "backend_type") == "Uffd"),
        None => (text(body, "mem_file_path"), false),
    };
    if uffd {
        hand_over(&path, bytes).map_err(|error| format!("the handler of page faults cannot be reached: {error}"))?;
        return Ok(guest);
    }
    if text(body, "huge_pages") == "2M" {
        return Err("hugetlbfs pages need a Uffd backend".to_owned());
    }
    let mut file = File::open(&path).map_err(|error| format!("the memory file cannot be opened: {error}"))?;
    let found = file.metadata().map_err(|error| error.to_string())?.len();
    if found < bytes {
        return Err(format!("the memory file is {found} bytes long and has to be {bytes}"));
    }
    let mut page = [0; 4096];
    file.read_exact(&mut page).map_err(|error| error.to_string())?;
    let end = page.iter().position(|byte| *byte == b'\n').ok_or("the memory holds no guest")?;
    serde_json::from_slice(&page[..end]).map_err(|error| error.to_string())
}

/// Tells a handler of page faults what is mapped; the descriptor stands in for a userfaultfd.
fn hand_over(path: &str, bytes: u64) -> io::Result<()> {
    let stream = UnixStream::connect(path)?;
    let mappings = json!([{
        "base_host_virt_addr": 0x7f00_0000_0000_u64, "size": bytes, "offset": 0, "page_size": 4096,
        "page_size_kib": 4096,
    }]);
    let file = File::open("/dev/null")?;
    let files = [file.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&files));
    sendmsg(&stream, &[IoSlice::new(mappings.to_string().as_bytes())], &mut control, SendFlags::empty())?;
    Ok(())
}
