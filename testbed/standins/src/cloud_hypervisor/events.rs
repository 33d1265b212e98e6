//! The event monitor: what happened, as pretty JSON with an empty line behind it.
//!
//! A file is truncated and a descriptor is taken as it is, both without waiting: what does not fit into a pipe
//! is lost. [`Fault::DropEvents`] loses everything.

use crate::faults::{Fault, Faults};
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Who is told what happens.
#[derive(Debug)]
pub(crate) struct Monitor {
    begun: Instant,
    file: Option<Mutex<File>>,
    faults: Faults,
}

impl Monitor {
    /// A monitor that writes here, or to nobody.
    pub(crate) fn new(file: Option<File>, faults: Faults) -> Self {
        Self { begun: Instant::now(), file: file.map(Mutex::new), faults }
    }

    /// Tells that something happened.
    pub(crate) fn tell(&self, source: &str, event: &str) {
        self.write(source, event, &Value::Null);
    }

    /// Tells that something happened, and to whom.
    pub(crate) fn tell_of(&self, source: &str, event: &str, properties: &Value) {
        self.write(source, event, properties);
    }

    fn write(&self, source: &str, event: &str, properties: &Value) {
        let Some(file) = &self.file else { return };
        if self.faults.on(Fault::DropEvents) {
            return;
        }
        let since = self.begun.elapsed();
        let event = json!({
            "timestamp": { "secs": since.as_secs(), "nanos": since.subsec_nanos() },
            "source": source, "event": event, "properties": properties,
        });
        let text = format!("{event:#}\n\n");
        let _ = file.lock().unwrap_or_else(PoisonError::into_inner).write_all(text.as_bytes());
    }
}

/// Opens a file or a FIFO for events.
///
/// # Errors
/// When it cannot be opened.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    OpenOptions::new().read(true).write(true).create(true).truncate(true).custom_flags(flags).open(path)
}

/// Takes a descriptor for events.
///
/// # Errors
/// When it cannot be kept from waiting.
pub(crate) fn take(descriptor: OwnedFd) -> io::Result<File> {
    let flags = rustix::fs::fcntl_getfl(&descriptor)?;
    rustix::fs::fcntl_setfl(&descriptor, flags | rustix::fs::OFlags::NONBLOCK)?;
    Ok(File::from(descriptor))
}
