//! How a default kernel and root file system are got and kept.
//!
//! The first VM that names no kernel asks for the image `default`. It is made once from what the host
//! has, or from its distribution's packages, which are downloaded and unpacked but never installed:
//!
//! ```text
//!  images   the port: one preparation for all who ask
//!  shelf    whole or not at all: temporary folder, manifest, fsync, rename; verified when opened
//!  recipe   kernel + BusyBox → vmlinux + initramfs
//!    host     a kernel and a BusyBox as they lie under a root folder
//!    apt      packages by apt-get and dpkg-deb, in a folder of their own (programs runs them)
//!    modules  which modules the guest loads, and in which order
//!    unpack   the ELF kernel within a bzImage, compressed modules
//!    guest    the scripts of the guest, and where everything lies in it
//!    cpio     the archive that the kernel unpacks
//! ```
//!
//! What it does not know: VMs, VMMs, where the cache is, and what a command line needs for one machine.

mod apt;
mod config;
mod cpio;
mod error;
mod guest;
mod host;
mod images;
mod modules;
mod programs;
mod recipe;
mod shelf;
mod unpack;

pub use config::Config;
pub use error::Error;
pub use images::Images;
