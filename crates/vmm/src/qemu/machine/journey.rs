//! A machine's memory and devices on their way: into a file, out of one, or to another machine.
//!
//! ```text
//!  keep     held ── migrate ──► file            then held as before
//!  send     runs ── migrate ──► socket          then ended: it goes on there
//!  receive  waits ◄── file or socket            then held or running, as it was there
//! ```
//!
//! QEMU is handed an open descriptor, so it needs no right to any path. That it has arrived is told by an
//! event; QEMU's own words tell why it has not.

use super::owner::{Owner, Trouble};
use crate::qemu::client::{Event, Moved};
use crate::qemu::config::Layout;
use rustix::fs::OFlags;
use serde_json::{Value, json};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;
use weft_domain::snapshot::Scope;
use weft_domain::{Fault, Reason};
use weft_ports::hypervisor::{Keep, Way};

/// The file with memory and devices, in a snapshot's folder.
pub(in crate::qemu) const MEMORY: &str = "memory";
/// The file that says where devices sit.
pub(in crate::qemu) const LAYOUT: &str = "layout.json";

/// The longest that any of it takes.
const LIMIT: Duration = Duration::from_secs(900);
/// The time in which one that is given up has ended.
const CANCEL_LIMIT: Duration = Duration::from_secs(10);
/// The longest that the guest stands still when it changes places, in milliseconds.
const STANDSTILL_MS: u64 = 150;
/// No bound: bytes in a second.
const BANDWIDTH: u64 = 1 << 40;

impl Owner {
    pub(super) async fn keep(&mut self, keep: &Keep) -> Result<(), Trouble> {
        if !matches!(keep.scope, Scope::Full | Scope::Internal) {
            let why = "driver qemu keeps the whole memory, not what changed of it";
            return Err(Fault::new(Reason::VerbUnsupported, why).into());
        }
        if !self.shared.is_held() {
            let fault = Fault::new(Reason::PhaseForbids, "cannot take the snapshot: the machine is not held");
            return Err(fault.fix("pause it first").into());
        }
        if keep.scope == Scope::Internal {
            return self.keep_inside(&keep.folder).await;
        }
        let layout = self.layout().await?;
        let (path, told) = (keep.folder.join(MEMORY), keep.folder.join(LAYOUT));
        let kept = match create(&path, &told, &layout) {
            Ok(file) => {
                let kept = self.migrate("snapshot", file.as_fd()).await;
                // QEMU's copy of the descriptor is closed by now; what it wrote must be on the disk.
                kept.and_then(|()| file.sync_all().map_err(|error| failed(&error.to_string()).into()))
            }
            Err(error) => Err(failed(&error.to_string()).into()),
        };
        if kept.is_err() {
            for path in [path, told] {
                // It may never have been made.
                let _ = std::fs::remove_file(path);
            }
        }
        self.refresh().await;
        kept
    }

    pub(super) async fn send(&mut self, socket: BorrowedFd<'_>) -> Result<(), Trouble> {
        let (seen, made) = (self.layout().await?, Layout::of(&self.shared.running()));
        let moved = seen.slots.iter().any(|(id, slot)| made.slots.get(id).is_some_and(|place| place != slot));
        if moved || !seen.modules.is_empty() || seen.asked_bytes > 0 {
            let why = "what was plugged while it ran sits where a machine that is made anew would not have it";
            return Err(Fault::new(Reason::MigrationFailed, why).fix("boot it again, then move it").into());
        }
        let parameters = json!({"downtime-limit": STANDSTILL_MS});
        self.call("migrate-set-parameters", parameters).await?;
        self.migrate("journey", socket).await?;
        self.shared.end(Way::Moved, "it goes on in another machine".to_owned());
        Ok(())
    }

    pub(super) async fn receive(&mut self, source: BorrowedFd<'_>) -> Result<(), Trouble> {
        self.tell_of_journeys().await?;
        self.link.hand("arrival", source).await?;
        self.call("migrate-incoming", json!({"uri": "fd:arrival"})).await?;
        // One that cannot be read ends QEMU, so nothing else is to be waited for.
        let arrived = self.until(LIMIT, whole_or_failed).await?;
        self.refresh().await;
        match arrived {
            Some(true) => Ok(()),
            Some(false) | None => Err(Fault::new(Reason::SnapshotUnusable, "what comes is not whole").into()),
        }
    }

    async fn tell_of_journeys(&mut self) -> Result<(), Trouble> {
        let capability = |name: &str| json!({"capability": name, "state": true});
        let capabilities = json!({"capabilities": [capability("events"), capability("auto-converge")]});
        self.call("migrate-set-capabilities", capabilities).await?;
        Ok(())
    }

    /// All of the machine into this descriptor.
    async fn migrate(&mut self, name: &'static str, target: BorrowedFd<'_>) -> Result<(), Trouble> {
        self.tell_of_journeys().await?;
        self.call("migrate-set-parameters", json!({"max-bandwidth": BANDWIDTH})).await?;
        self.link.hand(name, target).await?;
        self.call("migrate", json!({"uri": format!("fd:{name}")})).await?;
        let arrived = self.until(LIMIT, whole_or_failed).await?;
        let journey = self.call("query-migrate", Value::Null).await?;
        if arrived == Some(true) || journey["status"] == "completed" {
            return Ok(());
        }
        if arrived.is_none() && journey["status"] != "failed" {
            self.call("migrate_cancel", Value::Null).await?;
            self.until(CANCEL_LIMIT, whole_or_failed).await?;
        }
        let words = journey["error-desc"].as_str().unwrap_or("it did not come to its end in time").to_owned();
        Err(crate::qemu::client::Error::Refused { command: "migrate".to_owned(), why: words }.into())
    }
}

pub(super) fn failed(why: &str) -> Fault {
    Fault::new(Reason::SnapshotFailed, format!("cannot take the snapshot: {why}"))
}

fn whole_or_failed(event: &Event) -> Option<bool> {
    match event {
        Event::Moved(Moved::Whole) => Some(true),
        Event::Moved(Moved::Failed) => Some(false),
        Event::Moved(Moved::Going)
        | Event::Shutdown(_)
        | Event::Reset { .. }
        | Event::Panicked
        | Event::Turned
        | Event::Unplugged(_)
        | Event::Clung(_)
        | Event::Resized(..)
        | Event::Concluded(_)
        | Event::Other => None,
    }
}

/// The file for memory and devices, beside the one that says where devices sit.
fn create(path: &Path, told: &Path, layout: &Layout) -> io::Result<File> {
    write(told, layout)?;
    fresh().open(path)
}

/// Says where devices sit.
pub(super) fn write(told: &Path, layout: &Layout) -> io::Result<()> {
    let file = fresh().open(told)?;
    serde_json::to_writer(&file, layout)?;
    file.sync_all()
}

/// A file that is not there yet, and is for nobody else.
fn fresh() -> std::fs::OpenOptions {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options
}

/// Opens a file of a snapshot; a link is not followed, and nothing but a file is waited on or read.
pub(in crate::qemu) fn open_kept(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "it is no file"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{CWD, FileType, Mode};

    #[test]
    fn a_snapshot_is_of_files_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link, fifo) = (folder.path().join(MEMORY), folder.path().join("link"), folder.path().join("fifo"));
        std::fs::write(&file, "memory").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        assert_eq!(io::read_to_string(open_kept(&file).unwrap()).unwrap(), "memory");
        for path in [&link, &fifo, &folder.path().to_owned(), &folder.path().join("none")] {
            assert!(open_kept(path).is_err(), "{}", path.display());
        }
    }
}
