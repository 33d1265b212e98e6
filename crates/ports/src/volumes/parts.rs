//! The files of snapshots: copied with their holes, measured, laid out again.
//!
//! ```text
//!  a VM's disks ── copy ──► a folder of ours ── measure ──► manifest, written last
//!  a parent's memory ── fill ──► a difference's memory, now whole
//!  a folder of ours ── copy ──► a disk of ours        ── lay ──► a disk of a caller's
//! ```
//!
//! # Laws
//! Holes stay holes and count as zeros. Nothing outside of weft's folders is changed but by `lay`, which
//! keeps the file and changes what is in it. What is made is whole or not there: it is made beside its
//! name and put in place, on the disk when answered. A verb whose answer nobody waits for any more soon
//! ends. A full disk is `DiskExhausted`, and what was begun is taken away.

pub mod conformance;

use bytes::Bytes;
use std::path::Path;
use weft_domain::Fault;

/// How long a file is, and the SHA-256 of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// Its length in bytes; holes count.
    pub bytes: u64,
    /// The SHA-256 of its bytes; holes count as zeros.
    pub sha256: [u8; 32],
}

/// What is done with the files of snapshots.
#[async_trait::async_trait]
pub trait Parts: Send + Sync {
    /// Copies a file, or a disk that was resolved, to a path of ours; a file that is there is replaced.
    async fn copy(&self, from: &Path, to: &Path) -> Result<(), Fault>;
    /// Gives the holes of a file of ours what another of the same length has there.
    ///
    /// # Errors
    /// `PathUnusable` where their lengths differ.
    async fn fill(&self, path: &Path, from: &Path) -> Result<(), Fault>;
    /// Makes a caller's disk, which was resolved, have just the bytes of a file of ours.
    ///
    /// # Errors
    /// `PathUnusable` where it is a device that is too short.
    async fn lay(&self, from: &Path, disk: &Path) -> Result<(), Fault>;
    /// How long a file of ours is, and its sum; `None` where there is none.
    async fn measure(&self, path: &Path) -> Result<Option<Measure>, Fault>;
    /// Writes a small file of ours; one that is there is replaced.
    async fn write(&self, path: &Path, bytes: Bytes) -> Result<(), Fault>;
    /// Reads a small file of ours; `None` where there is none.
    async fn read(&self, path: &Path) -> Result<Option<Bytes>, Fault>;
}
