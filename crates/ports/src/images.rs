//! Kernels and root file systems, prepared on first use and kept.
//!
//! # Laws
//! `ensure` is idempotent; callers at the same time share one preparation, and one that gives up takes
//! nothing from the others. What is half made is never used, and what was damaged is made anew. A path
//! that was answered stays good while the machines made from it live.

pub mod conformance;
pub mod fake;

use std::path::PathBuf;
use std::sync::Arc;
use weft_domain::Fault;

/// The word on the default image's command line that names the guest: `weft.hostname=demo`.
pub const HOSTNAME: &str = "weft.hostname";

/// What the default image's guest writes on its serial port when it is up; its host name and its address
/// (or `-`) follow. It needs at least so many bytes of memory.
pub use weft_domain::spec::payload::{DEFAULT_IMAGE_LEAST_BYTES, DEFAULT_IMAGE_READY};

/// An image as files on this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// Its name and version, for people: `default (Linux 6.1.0-44-cloud-amd64, BusyBox 1.35)`.
    pub title: String,
    /// The kernel.
    pub kernel: PathBuf,
    /// The initial RAM file system that is its root.
    pub initramfs: Option<PathBuf>,
    /// The command line it needs.
    pub cmdline: String,
}

/// How far a preparation has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// What is being done, as a phrase: `downloading the kernel`.
    pub stage: String,
    /// How much of the whole, in thousandths.
    pub permille: u32,
}

/// Is told how far a preparation has come; it must not block.
pub type Watcher = Arc<dyn Fn(Progress) + Send + Sync>;

/// A watcher that looks away.
#[must_use]
pub fn unwatched() -> Watcher {
    Arc::new(|_| {})
}

/// Images on this node.
#[async_trait::async_trait]
pub trait Images: Send + Sync {
    /// Names of the images that can be had.
    fn names(&self) -> Vec<String>;
    /// The image of this name, prepared if it is not.
    ///
    /// # Errors
    /// `InvalidArgument` for an unknown name; `ImageUnavailable` or `ProgramMissing` where it cannot be
    /// prepared, with what to install; `DiskExhausted` where there is no room for it.
    async fn ensure(&self, name: &str, watcher: Watcher) -> Result<Files, Fault>;
}
