//! Disks, folders, logs and the paths that callers name.
//!
//! # Laws
//! A path of a caller's is resolved once, link by link, and must end under an allowed root. What weft
//! made is under its own folders, and only that is ever removed. Making what is there already, of the
//! same size, is success; what is made is on the disk when it is answered.

pub mod conformance;
pub mod fake;
pub mod parts;

use bytes::Bytes;
use std::path::{Path, PathBuf};
use weft_domain::Fault;

/// What a caller's path must lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Want {
    /// A regular file that can be read: a kernel, an initramfs, firmware.
    File,
    /// A file or block device that can be read.
    DiskToRead,
    /// A file or block device that can be read and written.
    DiskToWrite,
    /// A Unix socket that can be connected to.
    Socket,
    /// A regular file that can be written, or a free name for one in a folder that can.
    Output,
}

/// Disks, folders, logs and callers' paths on one node.
#[async_trait::async_trait]
pub trait Volumes: Send + Sync {
    /// Resolves a caller's path; `field` is named in a refusal.
    ///
    /// # Errors
    /// `PathNotAllowed` or `PathUnusable`, with what is wrong and which roots are allowed.
    async fn resolve(&self, path: &Path, want: Want, field: &str) -> Result<PathBuf, Fault>;
    /// Makes an empty raw disk of this size.
    async fn make_blank(&self, path: &Path, size_bytes: u64) -> Result<(), Fault>;
    /// Makes a disk of ours at least this long, what is added empty; a longer one stays as it is.
    async fn grow(&self, path: &Path, size_bytes: u64) -> Result<(), Fault>;
    /// Makes a folder that only we can enter, and its parents.
    async fn make_folder(&self, path: &Path) -> Result<(), Fault>;
    /// The same for one that means nothing after a loss of power, such as a folder for sockets: it need not
    /// be on the disk when it is answered.
    async fn make_passing_folder(&self, path: &Path) -> Result<(), Fault> {
        self.make_folder(path).await
    }
    /// Removes a disk or folder of ours with all in it; absence is success.
    async fn remove(&self, path: &Path) -> Result<(), Fault>;
    /// How long a disk of ours is, in bytes; `None` where there is none.
    async fn length(&self, path: &Path) -> Result<Option<u64>, Fault>;
    /// Entries of a folder of ours, by name; an absent folder is empty.
    async fn entries(&self, path: &Path) -> Result<Vec<String>, Fault>;
    /// Bytes that are free for disks.
    async fn free_bytes(&self) -> Result<u64, Fault>;
    /// Bytes that a disk or folder of ours takes up; an absent one takes none.
    async fn allocated_bytes(&self, path: &Path) -> Result<u64, Fault>;
    /// How long a log is, counted from the first byte ever written, and where its kept part begins.
    async fn log_extent(&self, path: &Path) -> Result<(u64, u64), Fault>;
    /// At most `max` bytes of a log from `offset`, or from where its kept part begins if that is later;
    /// answers the offset of the first byte as well.
    async fn read_log(&self, path: &Path, offset: u64, max: usize) -> Result<(u64, Bytes), Fault>;
    /// Drops a log's oldest bytes beyond this bound; offsets stay.
    async fn bound_log(&self, path: &Path, keep_bytes: u64) -> Result<(), Fault>;
}
