//! Space that is kept for bad times: a file that holds blocks and is given up when the disk is full.
//!
//! While it is held, a commit that has begun can end even if something else takes the last byte; without
//! it only deletions are taken, until there is space to hold it again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The reserve of a folder.
#[derive(Debug)]
pub(crate) struct Reserve {
    path: PathBuf,
    bytes: u64,
    held: Mutex<bool>,
}

impl Reserve {
    /// A reserve of this many bytes in this folder; none for zero.
    pub(crate) fn new(dir: &Path, bytes: u64) -> Self {
        let path = dir.join("reserve");
        let held = fs::metadata(&path).is_ok_and(|found| found.len() == bytes);
        Self { path, bytes, held: Mutex::new(held) }
    }

    /// Whether there is space for more than deletions. Takes the reserve again where it can.
    pub(crate) fn is_roomy(&self) -> bool {
        if self.bytes == 0 {
            return true;
        }
        let Ok(space) = rustix::fs::statvfs(self.path.parent().unwrap_or(Path::new("/"))) else { return true };
        let free = space.f_bavail.saturating_mul(space.f_frsize);
        let margin = self.bytes / 4;
        let mut held = self.locked();
        if !*held && free >= self.bytes + margin {
            *held = self.hold();
            return *held;
        }
        *held && free >= margin
    }

    /// Gives it up; tells whether there was one.
    pub(crate) fn release(&self) -> bool {
        let mut held = self.locked();
        let had = *held;
        if had {
            tracing::warn!(path = %self.path.display(), "the disk is full: the reserve is given up");
            // Truncating gives the blocks back even where something still has the file open.
            let _ = File::create(&self.path);
            let _ = fs::remove_file(&self.path);
        }
        *held = false;
        had
    }

    fn hold(&self) -> bool {
        let made = File::create(&self.path).and_then(|file| {
            rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, self.bytes)?;
            Ok(())
        });
        if let Err(why) = &made {
            tracing::warn!(path = %self.path.display(), %why, "no reserve can be kept");
            let _ = fs::remove_file(&self.path);
        }
        made.is_ok()
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, bool> {
        self.held.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
