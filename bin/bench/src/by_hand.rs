//! VMMs driven by hand: the shortest way from a program to virtual CPUs that run, with nothing of weft.
//!
//! ```text
//!  Recipe ─► start ─┬─ qemu              sockets bound before, QMP says "running"
//!                   ├─ firecracker       calls to its API; the last answers when it runs
//!                   └─ cloud_hypervisor  the same, over a socket bound before
//!                           └─► Started: the process, and how long it took
//! ```
//!
//! Each call blocks. A process never outlives the holder of what `start` answered.

mod calls;
mod cloud_hypervisor;
mod firecracker;
mod qemu;

use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

/// The time that a VMM is given to come up.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a VMM is started.
#[derive(Debug, Clone)]
pub(crate) enum Recipe {
    /// QEMU, as weft started one.
    Qemu(qemu::Recipe),
    /// Firecracker.
    Firecracker(Plain),
    /// Cloud Hypervisor.
    CloudHypervisor(Plain),
}

/// A machine that is told to a VMM over its API.
#[derive(Debug, Clone)]
pub(crate) struct Plain {
    /// The program.
    pub(crate) program: PathBuf,
    /// What boots.
    pub(crate) kernel: PathBuf,
    /// Memory in MiB.
    pub(crate) mebibytes: u64,
}

impl Recipe {
    /// The recipe of a QEMU that runs.
    ///
    /// # Errors
    /// It does not run any more.
    pub(crate) fn of_qemu(pid: u32) -> Result<Self> {
        qemu::Recipe::of(pid).map(Self::Qemu)
    }
}

/// A VMM whose virtual CPUs run.
pub(crate) struct Started {
    /// From nothing until it ran.
    pub(crate) took: Duration,
    /// Ends with its holder.
    vmm: Vmm,
}

impl Started {
    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.vmm.0.id()
    }
}

/// A process that ends with its holder.
struct Vmm(Child);

impl Drop for Vmm {
    fn drop(&mut self) {
        // One that has ended already cannot be killed, and is only reaped.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// From nothing until the VMM says that the virtual CPUs run. Blocks.
///
/// # Errors
/// It did not come up.
pub(crate) fn start(recipe: &Recipe, folder: &Path) -> Result<Started> {
    match recipe {
        Recipe::Qemu(recipe) => qemu::start(recipe, folder),
        Recipe::Firecracker(machine) => firecracker::start(machine, folder),
        Recipe::CloudHypervisor(machine) => cloud_hypervisor::start(machine, folder),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program as tests find it.
    #[expect(clippy::disallowed_methods, reason = "a test is run by hand and looks where its shell looks")]
    fn program(variable: &str, name: &str) -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = || std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file());
        std::env::var_os(variable).map(PathBuf::from).or_else(found)
    }

    /// Starts one of these and sees weft-tiny come up.
    fn comes_up(variable: &str, name: &str, recipe: fn(Plain) -> Recipe) {
        let Some(program) = program(variable, name) else {
            println!("skipped: no {name} binary");
            return;
        };
        if let Err(why) = std::fs::File::options().read(true).write(true).open("/dev/kvm") {
            println!("skipped: no /dev/kvm: {why}");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let recipe = recipe(Plain { program, kernel: weft_guest::PATH.into(), mebibytes: 32 });
        let started = start(&recipe, folder.path()).unwrap();
        assert!(started.took > Duration::ZERO);
        let said = || std::fs::read_to_string(folder.path().join("console.log")).unwrap_or_default();
        let from = std::time::Instant::now();
        while !said().contains(weft_guest::READY) {
            assert!(from.elapsed() < PATIENCE, "{name}: {}", said());
            std::thread::yield_now();
        }
    }

    #[test]
    fn weft_tiny_runs_in_a_real_firecracker() {
        comes_up("WEFT_FIRECRACKER", "firecracker", Recipe::Firecracker);
    }

    #[test]
    fn weft_tiny_runs_in_a_real_cloud_hypervisor() {
        comes_up("WEFT_CLOUD_HYPERVISOR", "cloud-hypervisor", Recipe::CloudHypervisor);
    }
}
