//! Disks, folders, logs, and the paths that callers name.
//!
//! ```text
//!  resolve   a caller's path ─► one look at what it truly leads to ─► under an allowed root, of use
//!  own       blank disks and folders: made beside, put in place, on the disk when answered
//!  parts     files of snapshots: copied with their holes, measured, laid out again
//!  log       bounded by a hole at its beginning, so that offsets stay
//! ```
//!
//! What always holds: nothing outside our own folders is made, changed or removed, but for a caller's disk
//! that gets what a snapshot kept of it; what callers name is never one of our own; each verb that touches the disk runs on a thread for that.

mod log;
mod own;
mod parts;
mod resolve;
mod tree;

use crate::Error;
use crate::error::blocking;
use bytes::Bytes;
use own::Own;
use resolve::Roots;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use weft_domain::Fault;
use weft_ports::volumes::{Volumes, Want};

/// Where things are.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folders in which weft makes and removes things; made where they are missing.
    pub own: Vec<PathBuf>,
    /// Folders under which callers may name files. One inside a folder of our own opens that part of it.
    pub roots: Vec<PathBuf>,
    /// The folder whose file system holds the disks.
    pub disks: PathBuf,
}

/// The disks, folders and logs of this node.
#[derive(Debug)]
pub struct Linux {
    own: Arc<Own>,
    roots: Arc<Roots>,
    disks: PathBuf,
}

/// Makes our own folders where they are missing.
///
/// # Errors
/// A folder that cannot be made, or a root that is not absolute.
pub fn open(config: Config) -> Result<Linux, Error> {
    if let Some(root) = config.roots.iter().chain(&config.own).find(|root| !root.is_absolute()) {
        let why = format!("must be absolute paths, not {}", root.display());
        return Err(Error::Setting { name: "roots", why });
    }
    let own = Own::make(config.own)?;
    let roots = Roots::new(config.roots, own.folders());
    Ok(Linux { own: Arc::new(own), roots: Arc::new(roots), disks: config.disks })
}

impl Linux {
    /// Does this with a path of ours.
    async fn with<T: Send + 'static>(
        &self,
        path: &Path,
        work: impl FnOnce(&Path) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Fault> {
        let (own, path) = (Arc::clone(&self.own), path.to_owned());
        let done = blocking(move || {
            own.check(&path)?;
            work(&path)
        });
        Ok(done.await?)
    }
}

#[async_trait::async_trait]
impl Volumes for Linux {
    async fn resolve(&self, path: &Path, want: Want, field: &str) -> Result<PathBuf, Fault> {
        let (roots, path, field) = (Arc::clone(&self.roots), path.to_owned(), field.to_owned());
        Ok(blocking(move || roots.resolve(&path, want, &field)).await?)
    }

    async fn make_blank(&self, path: &Path, size_bytes: u64) -> Result<(), Fault> {
        self.with(path, move |path| own::make_blank(path, size_bytes)).await
    }

    async fn grow(&self, path: &Path, size_bytes: u64) -> Result<(), Fault> {
        self.with(path, move |path| own::grow(path, size_bytes)).await
    }

    async fn make_folder(&self, path: &Path) -> Result<(), Fault> {
        self.with(path, own::make_folder).await
    }

    async fn make_passing_folder(&self, path: &Path) -> Result<(), Fault> {
        self.with(path, own::make_passing_folder).await
    }

    async fn remove(&self, path: &Path) -> Result<(), Fault> {
        self.with(path, own::remove).await
    }

    async fn length(&self, path: &Path) -> Result<Option<u64>, Fault> {
        self.with(path, own::length).await
    }

    async fn entries(&self, path: &Path) -> Result<Vec<String>, Fault> {
        let (own, path) = (Arc::clone(&self.own), path.to_owned());
        let listed = blocking(move || {
            own.check_inside_or_at(&path)?;
            own::entries(&path)
        });
        Ok(listed.await?)
    }

    async fn free_bytes(&self) -> Result<u64, Fault> {
        let disks = self.disks.clone();
        Ok(blocking(move || free(&disks)).await?)
    }

    async fn allocated_bytes(&self, path: &Path) -> Result<u64, Fault> {
        let (own, path) = (Arc::clone(&self.own), path.to_owned());
        let counted = blocking(move || {
            own.check_inside_or_at(&path)?;
            tree::allocated(&path).map_err(|error| Error::host(format!("measure {}", path.display()), error))
        });
        Ok(counted.await?)
    }

    async fn log_extent(&self, path: &Path) -> Result<(u64, u64), Fault> {
        self.with(path, log::extent).await
    }

    async fn read_log(&self, path: &Path, offset: u64, max: usize) -> Result<(u64, Bytes), Fault> {
        self.with(path, move |path| log::read(path, offset, max)).await
    }

    async fn bound_log(&self, path: &Path, keep_bytes: u64) -> Result<(), Fault> {
        // Most logs are short, which the kernel tells at once, so no thread is asked: thousands are looked at.
        if log::is_short(path, keep_bytes) {
            return Ok(());
        }
        self.with(path, move |path| log::bound(path, keep_bytes)).await
    }
}

/// Bytes that are free for us on the file system of this folder.
pub(crate) fn free(folder: &Path) -> Result<u64, Error> {
    let told = rustix::fs::statvfs(folder)
        .map_err(|error| Error::host(format!("ask how much is free on {}", folder.display()), error))?;
    Ok(told.f_bavail.saturating_mul(told.f_frsize))
}

/// Whether the file system of this file makes holes.
pub(crate) fn makes_holes(file: &Path) -> std::io::Result<()> {
    let file = std::fs::OpenOptions::new().write(true).open(file)?;
    Ok(log::punch(&file, 4096)?)
}
