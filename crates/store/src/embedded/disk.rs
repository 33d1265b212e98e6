//! The file under the engine: what the engine reads and writes through.
//!
//! Opening is a rehearsal: until the file is found whole, everything that the engine would write is kept
//! in memory, in order, and then either written or forgotten. So a damaged file is left as it was found.
//!
//! ```text
//! engine ── StorageBackend ──► Backing ──► rehearsal (until `perform`) ──► Ground's file
//! ```

use super::fail::is_full;
use super::reserve::Reserve;
use redb::StorageBackend;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Where the file is; it is opened again after the disk has refused something.
pub(crate) trait Ground: Send + Sync + fmt::Debug {
    /// The file, which must be there.
    fn open(&self) -> io::Result<Box<dyn StorageBackend>>;
    /// Whether there is space for more than deletions.
    fn is_roomy(&self) -> bool;
    /// Bytes that it takes on the disk.
    fn bytes(&self) -> u64;
    /// How often the disk was made to hold what was written.
    fn syncs(&self) -> u64;
}

/// A file in a folder.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    reserve: Arc<Reserve>,
    syncs: Arc<AtomicU64>,
}

impl Folder {
    pub(crate) fn new(path: PathBuf, reserve: Reserve) -> Self {
        Self { path, reserve: Arc::new(reserve), syncs: Arc::default() }
    }
}

impl Ground for Folder {
    fn open(&self) -> io::Result<Box<dyn StorageBackend>> {
        let file = File::options().read(true).write(true).open(&self.path)?;
        // After a failed write the kernel may hold pages that the disk does not: read what the disk has.
        let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
        Ok(Box::new(OnDisk { file, reserve: Some(Arc::clone(&self.reserve)), syncs: Arc::clone(&self.syncs) }))
    }

    fn is_roomy(&self) -> bool {
        self.reserve.is_roomy()
    }

    fn bytes(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |found| found.blocks() * 512)
    }

    fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }
}

/// An open file. Where the disk is full, what was kept in reserve is given up once.
#[derive(Debug)]
pub(crate) struct OnDisk {
    file: File,
    reserve: Option<Arc<Reserve>>,
    syncs: Arc<AtomicU64>,
}

impl OnDisk {
    /// A file without a reserve: a backup, or a store that is being made.
    pub(crate) fn plain(file: File) -> Self {
        Self { file, reserve: None, syncs: Arc::default() }
    }

    fn retried<T>(&self, act: impl Fn() -> io::Result<T>) -> io::Result<T> {
        match act() {
            Err(why) if is_full(&why) && self.reserve.as_ref().is_some_and(|reserve| reserve.release()) => act(),
            other => other,
        }
    }
}

impl StorageBackend for OnDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.retried(|| self.file.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::Relaxed);
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.retried(|| self.file.write_all_at(data, offset))
    }
}

/// What the engine is given: a file, and the rehearsal that is on while it is being opened.
#[derive(Debug, Clone)]
pub(crate) struct Backing(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: Box<dyn StorageBackend>,
    rehearsal: Mutex<Option<Vec<Act>>>,
}

enum Act {
    Write(u64, Vec<u8>),
    SetLen(u64),
    Sync,
}

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(offset, data) => write!(f, "write {} bytes at {offset}", data.len()),
            Self::SetLen(len) => write!(f, "set the length to {len}"),
            Self::Sync => f.write_str("sync"),
        }
    }
}

impl Backing {
    /// This file, with nothing written until [`Self::perform`].
    pub(crate) fn rehearsing(file: Box<dyn StorageBackend>) -> Self {
        Self(Arc::new(Inner { file, rehearsal: Mutex::new(Some(Vec::new())) }))
    }

    /// This file.
    pub(crate) fn direct(file: Box<dyn StorageBackend>) -> Self {
        Self(Arc::new(Inner { file, rehearsal: Mutex::new(None) }))
    }

    /// Writes what was rehearsed, in its order, and everything later at once.
    pub(crate) fn perform(&self) -> io::Result<()> {
        let mut rehearsal = self.rehearsal();
        for act in rehearsal.take().unwrap_or_default() {
            match act {
                Act::Write(offset, data) => self.0.file.write(offset, &data)?,
                Act::SetLen(len) => self.0.file.set_len(len)?,
                Act::Sync => self.0.file.sync_data()?,
            }
        }
        Ok(())
    }

    fn rehearsal(&self) -> std::sync::MutexGuard<'_, Option<Vec<Act>>> {
        self.0.rehearsal.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn rehearsed(&self, act: impl FnOnce() -> Act) -> bool {
        match &mut *self.rehearsal() {
            Some(acts) => {
                acts.push(act());
                true
            }
            None => false,
        }
    }
}

/// The file's part of a read and what was rehearsed over it, in order.
fn overlay(file: &dyn StorageBackend, acts: &[Act], offset: u64, out: &mut [u8]) -> io::Result<()> {
    let there = file.len()?.saturating_sub(offset).min(out.len() as u64);
    let there = usize::try_from(there).unwrap_or(out.len());
    file.read(offset, &mut out[..there])?;
    out[there..].fill(0);
    let range = offset..offset + out.len() as u64;
    let place = |at: u64| usize::try_from(at.clamp(range.start, range.end) - range.start).unwrap_or(0);
    for act in acts {
        match act {
            Act::Write(at, data) => {
                let (from, to) = (place(*at), place(*at + data.len() as u64));
                if from < to {
                    let skip = usize::try_from(range.start.saturating_sub(*at)).unwrap_or(0);
                    out[from..to].copy_from_slice(&data[skip..skip + to - from]);
                }
            }
            Act::SetLen(len) => out[place(*len)..].fill(0),
            Act::Sync => {}
        }
    }
    Ok(())
}

impl StorageBackend for Backing {
    fn len(&self) -> io::Result<u64> {
        let mut len = self.0.file.len()?;
        for act in self.rehearsal().iter().flatten() {
            match act {
                Act::SetLen(to) => len = *to,
                Act::Write(at, data) => len = len.max(*at + data.len() as u64),
                Act::Sync => {}
            }
        }
        Ok(len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let rehearsal = self.rehearsal();
        let Some(acts) = rehearsal.as_deref().filter(|acts| !acts.is_empty()) else {
            drop(rehearsal);
            return self.0.file.read(offset, out);
        };
        overlay(&*self.0.file, acts, offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        if self.rehearsed(|| Act::SetLen(len)) { Ok(()) } else { self.0.file.set_len(len) }
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.rehearsed(|| Act::Sync) { Ok(()) } else { self.0.file.sync_data() }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if self.rehearsed(|| Act::Write(offset, data.to_vec())) { Ok(()) } else { self.0.file.write(offset, data) }
    }

    fn close(&self) -> io::Result<()> {
        self.0.file.close()
    }
}
