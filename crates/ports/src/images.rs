//! Kernels and root file systems, prepared on first use and kept.
//!
//! # Laws
//! `ensure` is idempotent; callers at the same time share one preparation. What is half made is never
//! used, and what was damaged is made anew.

use std::path::PathBuf;
use std::sync::Arc;
use weft_domain::Fault;

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
    /// How much of it, in thousandths.
    pub permille: u32,
}

/// Is told how far a preparation has come.
pub type Watcher = Arc<dyn Fn(Progress) + Send + Sync>;

/// Images on this node.
#[async_trait::async_trait]
pub trait Images: Send + Sync {
    /// Names of the images that can be had.
    fn names(&self) -> Vec<String>;
    /// The image of this name, prepared if it is not.
    async fn ensure(&self, name: &str, watcher: Watcher) -> Result<Files, Fault>;
}
