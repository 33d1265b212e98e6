//! Where images are kept and what they are made from.

use std::path::PathBuf;
use std::time::Duration;

/// Where images are kept and what they are made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The folder where prepared images are kept.
    pub cache_dir: PathBuf,
    /// The root under which an installed kernel and BusyBox are looked for.
    pub root: PathBuf,
    /// Packages that bring a kernel, the first that is known is taken.
    pub kernel_packages: Vec<String>,
    /// Packages that bring a static BusyBox, the first that is known is taken.
    pub busybox_packages: Vec<String>,
    /// How long one program, a download for the most part, may take.
    pub patience: Duration,
}

impl Config {
    /// Images of this host and its packages, kept in this folder.
    #[must_use]
    pub fn new(cache_dir: impl Into<PathBuf>) -> Self {
        let kernels: &[&str] = if cfg!(target_arch = "aarch64") {
            &["linux-image-cloud-arm64", "linux-image-virtual"]
        } else {
            &["linux-image-cloud-amd64", "linux-image-virtual"]
        };
        Self {
            cache_dir: cache_dir.into(),
            root: "/".into(),
            kernel_packages: kernels.iter().map(|name| (*name).to_owned()).collect(),
            busybox_packages: vec!["busybox-static".into()],
            patience: Duration::from_secs(600),
        }
    }
}
