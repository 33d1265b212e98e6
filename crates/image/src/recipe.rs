//! How the default image is made: a kernel, BusyBox, and the two files that they become.
//!
//! ```text
//!  installed cloud kernel ─┐
//!  packages by apt ────────┼─► kernel, modules ─► vmlinux
//!  any installed kernel ───┘             └──┐
//!  installed or packaged BusyBox ───────────┴──► initramfs
//! ```
//!
//! The first source that serves is taken. Runs on a thread where it may block.

use crate::apt::Apt;
use crate::config::Config;
use crate::error::Error;
use crate::guest::{self, Busybox};
use crate::host::{self, Flavour, Kernel};
use crate::programs::Programs;
use crate::shelf::{self, Bench};
use sha2::{Digest, Sha256};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use weft_ports::images::Progress;

/// The kernel's file on the shelf.
pub(crate) const KERNEL: &str = "vmlinux";
/// The initial RAM file system's file on the shelf.
pub(crate) const INITRAMFS: &str = "initramfs";
/// Changes when the way of making changes without a script changing.
const EDITION: &str = "1";

/// Is told how far it has come.
pub(crate) type Report<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// How an image is made.
pub(crate) trait Recipe: Send + Sync {
    /// Names what it makes on the shelf: another recipe has another key.
    fn key(&self) -> String;
    /// Makes the files and answers their title.
    fn make(&self, bench: &Bench, report: Report<'_>) -> Result<String, Error>;
}

/// The default image, from this host or its packages.
#[derive(Debug)]
pub(crate) struct Default {
    pub(crate) config: Config,
    pub(crate) closing: Arc<AtomicBool>,
}

impl Recipe for Default {
    fn key(&self) -> String {
        let mut sum = Sha256::new();
        sum.update(EDITION);
        for script in guest::SCRIPTS {
            sum.update([0]);
            sum.update(script);
        }
        format!("default-{}", &shelf::hex(&sum.finalize())[..12])
    }

    fn make(&self, bench: &Bench, report: Report<'_>) -> Result<String, Error> {
        let programs =
            Programs { dir: bench.work.clone(), patience: self.config.patience, closing: Arc::clone(&self.closing) };
        tell(report, "looking for a kernel", 0);
        let kernel = self.kernel(bench, &programs, report)?;
        tell(report, "looking for BusyBox", 650);
        let busybox = self.busybox(bench, &programs)?;
        tell(report, "unpacking the kernel", 700);
        write(bench, KERNEL, &host::unpacked(&kernel.image)?)?;
        tell(report, "building the root file system", 900);
        write(bench, INITRAMFS, &guest::initramfs(&busybox, &kernel.modules))?;
        tell(report, "keeping it", 950);
        Ok(format!("default (Linux {}, BusyBox {})", kernel.version, busybox.version))
    }
}

impl Default {
    fn kernel(&self, bench: &Bench, programs: &Programs, report: Report<'_>) -> Result<Kernel, Error> {
        if let Ok(kernel) = host::kernel(&self.config.root, Flavour::Cloud) {
            return Ok(kernel);
        }
        let mut watch = |came: u64, total: u64| {
            let part = came.min(total).saturating_mul(500).checked_div(total).unwrap_or(0);
            tell(report, "downloading the kernel", 50 + u32::try_from(part).unwrap_or(500));
        };
        watch(0, 0);
        let packaged = Apt::new(programs, &bench.work)
            .unpack(&self.config.kernel_packages, &mut watch)
            .and_then(|tree| host::kernel(&tree, Flavour::Any));
        packaged.or_else(|why| {
            if matches!(why, Error::Closing) {
                return Err(why);
            }
            tracing::warn!(error = &why as &dyn std::error::Error, "no packaged kernel; any installed one will do");
            host::kernel(&self.config.root, Flavour::Any).map_err(|_| why)
        })
    }

    fn busybox(&self, bench: &Bench, programs: &Programs) -> Result<Busybox, Error> {
        if let Ok(busybox) = host::busybox(&self.config.root, programs) {
            return Ok(busybox);
        }
        let tree = Apt::new(programs, &bench.work).unpack(&self.config.busybox_packages, &mut |_, _| {})?;
        host::busybox(&tree, programs)
    }
}

fn tell(report: Report<'_>, stage: &str, permille: u32) {
    report(Progress { stage: stage.to_owned(), permille });
}

fn write(bench: &Bench, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let path = bench.out.join(name);
    fs::write(&path, bytes).map_err(Error::file("write", &path))
}
