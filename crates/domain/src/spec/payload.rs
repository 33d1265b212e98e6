//! What boots, and which driver runs it.

use std::path::PathBuf;

/// The name of the image that weft prepares itself.
pub const DEFAULT_IMAGE: &str = "default";
/// What the guest of [`DEFAULT_IMAGE`] writes to its serial console when it is up.
pub const DEFAULT_IMAGE_READY: &str = "weft-guest: ready";
/// The least memory that [`DEFAULT_IMAGE`] boots with, in bytes.
pub const DEFAULT_IMAGE_LEAST_BYTES: u64 = 96 << 20;
/// The longest kernel command line, in bytes (the limit of x86 Linux).
pub const MAX_CMDLINE: usize = 2047;

/// What boots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// A kernel, given directly.
    Kernel {
        /// The kernel file, under an allowed root.
        kernel: PathBuf,
        /// The initial RAM file system, under an allowed root.
        initramfs: Option<PathBuf>,
        /// The kernel's command line.
        cmdline: String,
    },
    /// Firmware that finds its own loader on a disk.
    Firmware {
        /// The firmware file, under an allowed root.
        firmware: PathBuf,
    },
    /// A named image: kernel, root and command line in one.
    Image {
        /// Its name.
        name: String,
        /// Words added to the image's own command line.
        cmdline: String,
    },
}

impl Default for Payload {
    fn default() -> Self {
        Self::Image { name: DEFAULT_IMAGE.to_owned(), cmdline: String::new() }
    }
}

/// Which driver runs the VM.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Driver {
    /// The first on the node that can do all that is asked.
    #[default]
    Auto,
    /// The driver of this name.
    Named(String),
}
