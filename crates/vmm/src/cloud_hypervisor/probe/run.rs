//! Runs Cloud Hypervisor once for the probe and hears what it and its guest say.
//!
//! Each run bears a claim of its own: were we to end in the middle, whoever clears the host finds it.

use super::guest::WORD;
use crate::cloud_hypervisor::Error;
use crate::cloud_hypervisor::client::{Client, Request};
use crate::cloud_hypervisor::folder::Folder;
use crate::cloud_hypervisor::model::{
    ConsoleConfig, ConsoleMode, CpusConfig, MemoryConfig, PayloadConfig, SerialConfig, VmConfig,
};
use crate::http;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use weft_domain::{ClaimId, Fault};
use weft_ports::clock::Clock;
use weft_ports::processes::{Alive, Command, Confinement, Processes};

/// The number under which it inherits its socket.
const API: i32 = 3;
/// The most that is read of what it says.
const MAX_WORDS: usize = 64 * 1024;

/// What is needed to run it.
pub(super) struct Runner {
    pub(super) program: PathBuf,
    pub(super) folder: PathBuf,
    pub(super) processes: Arc<dyn Processes>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Runner {
    /// What it says of its version.
    pub(super) async fn version(&self, limit: Duration) -> Result<String, Error> {
        let place = Place::make(self)?;
        let alive = self.launch(&place, vec!["--version".into()], Vec::new()).await;
        if let Ok(alive) = &alive {
            let _ = tokio::time::timeout(limit, self.processes.ended(alive)).await;
        }
        let said = place.said();
        self.leave(place, alive).await?;
        Ok(said)
    }

    /// Whether a guest from this kernel is heard in time; if not, what the VMM says.
    pub(super) async fn hears(&self, kernel: &[u8], limit: Duration) -> Result<Result<(), String>, Error> {
        let place = Place::make(self)?;
        let image = put(&place.folder.0, "guest", kernel)?;
        let socket = place.folder.listen()?;
        let args = vec!["--api-socket".into(), format!("fd={API}").into()];
        let alive = self.launch(&place, args, vec![(socket, API)]).await;
        let mut why = None;
        if let Ok(alive) = &alive {
            let whole = async {
                why = boot(&place.folder, &image).await.err().map(|error| error.said());
                // The guest powers off when it has spoken, and the process ends with it.
                self.processes.ended(alive).await;
            };
            let _ = tokio::time::timeout(limit, whole).await;
        }
        let said = place.said();
        self.leave(place, alive).await?;
        if said.contains(WORD) { Ok(Ok(())) } else { Ok(Err(why.unwrap_or_else(|| last(&said)))) }
    }

    async fn launch(&self, place: &Place, args: Vec<OsString>, fds: Vec<(OwnedFd, i32)>) -> Result<Alive, Fault> {
        let command = Command {
            claim: place.claim,
            program: self.program.clone(),
            args,
            fds,
            log: place.log(),
            dir: place.folder.0.clone(),
            confinement: Confinement::default(),
            jail: None,
        };
        self.processes.launch(command).await
    }

    /// Leaves nothing of a run.
    async fn leave(&self, place: Place, alive: Result<Alive, Fault>) -> Result<(), Error> {
        let cleared = self.processes.clear(place.claim).await;
        let _ = std::fs::remove_dir_all(&place.folder.0);
        let run = |source| Error::Run { program: self.program.clone(), source };
        alive.map_err(run)?;
        cleared.map_err(run)
    }
}

/// The folder of one run.
struct Place {
    claim: ClaimId,
    folder: Folder,
}

impl Place {
    fn make(runner: &Runner) -> Result<Self, Error> {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        let claim = ClaimId::new(runner.clock.now(), runner.clock.random());
        let name = format!("ch-{}-{}", std::process::id(), RUNS.fetch_add(1, Ordering::Relaxed));
        let path = runner.folder.join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).map_err(|source| Error::UseFolder { path: path.clone(), source })?;
        Ok(Self { claim, folder: Folder(path) })
    }

    fn log(&self) -> PathBuf {
        self.folder.0.join("log")
    }

    fn said(&self) -> String {
        let mut words = std::fs::read(self.log()).unwrap_or_default();
        words.truncate(MAX_WORDS);
        String::from_utf8_lossy(&words).into_owned()
    }
}

async fn boot(folder: &Folder, kernel: &Path) -> Result<(), http::Error> {
    let client = Client::new(folder.api());
    client.ask(&Request::Create(Box::new(plainest(kernel)))).await?;
    client.ask(&Request::Boot).await?;
    Ok(())
}

/// The plainest machine; its serial line goes where the process's own words go.
fn plainest(kernel: &Path) -> VmConfig {
    VmConfig {
        cpus: CpusConfig {
            boot_vcpus: 1,
            max_vcpus: 1,
            topology: None,
            kvm_hyperv: None,
            max_phys_bits: None,
            affinity: None,
            features: None,
            nested: None,
            core_scheduling: None,
        },
        memory: MemoryConfig {
            size: 64 << 20,
            mergeable: None,
            hotplug_method: None,
            hotplug_size: None,
            shared: None,
            hugepages: None,
            hugepage_size: None,
            prefault: None,
            reserve: None,
            thp: None,
            zones: None,
        },
        payload: PayloadConfig { firmware: None, kernel: Some(kernel.to_owned()), cmdline: None, initramfs: None },
        serial: SerialConfig { mode: ConsoleMode::Tty, file: None },
        console: ConsoleConfig { mode: ConsoleMode::Off, file: None, iommu: None },
        rate_limit_groups: None,
        disks: None,
        net: None,
        rng: None,
        balloon: None,
        fs: None,
        generic_vhost_user: None,
        pmem: None,
        debug_console: None,
        devices: None,
        user_devices: None,
        vdpa: None,
        vsock: None,
        numa: None,
        pvpanic: None,
        iommu: None,
        watchdog: None,
        pci_segments: None,
        platform: None,
        tpm: None,
        landlock_enable: None,
    }
}

/// The last line that says something.
fn last(said: &str) -> String {
    let line = said.lines().rev().map(str::trim).find(|line| !line.is_empty());
    line.unwrap_or("it does not say why").to_owned()
}

/// Writes a file of the probe's folder, whole or not at all: another probe may be reading it.
pub(super) fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, Error> {
    static PARTS: AtomicU64 = AtomicU64::new(0);
    let (process, number) = (std::process::id(), PARTS.fetch_add(1, Ordering::Relaxed));
    let (path, part) = (folder.join(name), folder.join(format!("{name}.{process}-{number}")));
    let written = std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, &path));
    match written {
        Ok(()) => Ok(path),
        Err(source) => {
            // It may never have been made.
            let _ = std::fs::remove_file(&part);
            Err(Error::UseFolder { path, source })
        }
    }
}
