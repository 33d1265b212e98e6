//! The VMMs that are found, and machines of them without a daemon.
//!
//! Claims are drawn and kept nowhere: what was launched is found again by its scope, which is that of the
//! stage's own folder, and cleared at the end on every path.

use crate::by_hand::{Plain, Recipe};
use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use weft_domain::spec::{Draft, Driver, Payload};
use weft_domain::{ClaimId, IncarnationId, InstanceId};
use weft_ports::clock::{Clock, System};
use weft_ports::hypervisor::{Boot, Hypervisor, Machine, Order, Origin, State, Ward};
use weft_ports::processes::{Confinement, Processes};
use weft_vmm::{Config, Finding, cloud_hypervisor, firecracker, qemu};

/// Memory of each guest, in MiB.
pub(super) const MEBIBYTES: u64 = 32;
/// The user of the first jailed machine; nobody has these.
const FIRST_USER: u32 = 1_800_000_000;

/// How a machine is confined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Confined {
    /// By limits alone.
    Cgroup,
    /// In a jail.
    Jail,
}

/// A VMM that is measured.
pub(super) struct Contender {
    /// Its driver's name.
    pub(super) name: String,
    /// Its program.
    pub(super) program: PathBuf,
    driver: Arc<dyn Hypervisor>,
}

/// Where machines are made.
pub(super) struct Stage {
    /// The VMMs that are found.
    pub(super) contenders: Vec<Contender>,
    /// Why others are not.
    pub(super) missing: Vec<String>,
    folder: TempDir,
    kernel: PathBuf,
    processes: Arc<dyn Processes>,
    made: AtomicU32,
}

/// A machine that runs, and the claim of its process.
pub(super) struct Running {
    machine: Box<dyn Machine>,
    claim: ClaimId,
}

impl Stage {
    /// Looks for all VMMs.
    pub(super) async fn open() -> Result<Self> {
        let guest = weft_guest::ELF.context("its guest is for x86-64 processors")?;
        let folder = crate::house::folder()?;
        let kernel = folder.path().join("weft-tiny.elf");
        std::fs::write(&kernel, guest)?;
        let processes = processes(folder.path(), folder.path())?;
        let opened = weft_vmm::open(configs(folder.path()), processes.clone(), Arc::new(System)).await;
        let mut stage =
            Self { contenders: Vec::new(), missing: Vec::new(), folder, kernel, processes, made: AtomicU32::new(0) };
        for Finding { driver: name, program, missing, .. } in opened.findings {
            let driver = opened.drivers.iter().find(|driver| driver.capabilities().driver == name).cloned();
            match (driver, program) {
                (Some(driver), Some(program)) => stage.contenders.push(Contender { name, program, driver }),
                (Some(_) | None, _) => {
                    let why = missing.unwrap_or_else(|| "it is not found".to_owned());
                    stage.missing.push(format!("{name}: {why}"));
                }
            }
        }
        Ok(stage)
    }

    /// An empty folder of a machine.
    pub(super) fn folder(&self) -> Result<PathBuf> {
        let folder = self.folder.path().join(self.made.fetch_add(1, Ordering::Relaxed).to_string());
        std::fs::create_dir(&folder)?;
        Ok(folder)
    }

    /// How this VMM is driven by hand; `None` where nobody said.
    pub(super) async fn recipe(&self, contender: &Contender) -> Result<Option<Recipe>> {
        let (program, kernel) = (contender.program.clone(), self.kernel.clone());
        let plain = Plain { program, kernel, mebibytes: MEBIBYTES };
        Ok(match contender.name.as_str() {
            qemu::NAME => {
                let (running, _) = self.launch(contender, Confined::Cgroup).await?;
                let recipe = Recipe::of_qemu(running.machine.alive().pid);
                self.end(running).await?;
                Some(recipe?)
            }
            firecracker::NAME => Some(Recipe::Firecracker(plain)),
            cloud_hypervisor::NAME => Some(Recipe::CloudHypervisor(plain)),
            _ => None,
        })
    }

    /// Whether machines of this VMM are jailed here when it is asked.
    pub(super) async fn jails(&self, contender: &Contender) -> Result<()> {
        if let Err(why) = self.processes.jails() {
            bail!("{why}");
        }
        let (running, _) = self.launch(contender, Confined::Jail).await?;
        let user = user_of(running.machine.alive().pid);
        self.end(running).await?;
        ensure!(user.is_some_and(|user| user >= FIRST_USER), "its driver does not jail");
        Ok(())
    }

    /// Launches one; how long it took until it ran.
    pub(super) async fn launch(&self, contender: &Contender, confined: Confined) -> Result<(Running, Duration)> {
        let order = self.order(contender, confined)?;
        let claim = order.claim;
        let start = Instant::now();
        let machine = contender.driver.launch(order).await?;
        let took = start.elapsed();
        let state = machine.state().borrow().clone();
        ensure!(state == State::Running, "{} is {state:?} and not running", contender.name);
        Ok((Running { machine, claim }, took))
    }

    /// Ends one, and takes away what is left of it.
    pub(super) async fn end(&self, running: Running) -> Result<()> {
        running.machine.kill().await?;
        running.machine.bury().await?;
        Ok(self.processes.clear(running.claim).await?)
    }

    /// Ends whatever still runs.
    pub(super) async fn clear(&self) -> Result<()> {
        for (claim, _) in self.processes.find().await? {
            self.processes.clear(claim).await?;
        }
        for claim in self.processes.confined().await? {
            self.processes.clear(claim).await?;
        }
        Ok(())
    }

    fn order(&self, contender: &Contender, confined: Confined) -> Result<Order> {
        let folder = self.folder()?;
        let run_dir = folder.join("run");
        std::fs::create_dir(&run_dir)?;
        let kernel = self.kernel.clone();
        let payload = Payload::Kernel { kernel: kernel.clone(), initramfs: None, cmdline: String::new() };
        let mut draft = Draft { driver: Driver::Named(contender.name.clone()), payload, ..Draft::default() };
        draft.memory.size_bytes = MEBIBYTES << 20;
        let spec = draft.check().map_err(|why| anyhow::anyhow!("the guest is refused: {why:?}"))?;
        let id = || (System.now(), System.random());
        let ((at, first), (_, second), (_, third)) = (id(), id(), id());
        let user = FIRST_USER + self.made.load(Ordering::Relaxed);
        Ok(Order {
            claim: ClaimId::new(at, first),
            instance: InstanceId::new(at, second),
            name: "guest".parse().map_err(|why| anyhow::anyhow!("{why}"))?,
            incarnation: IncarnationId::new(at, third),
            spec: Arc::new(spec),
            boot: Boot::Kernel { kernel, initramfs: None, cmdline: String::new() },
            disks: Vec::new(),
            console_log: folder.join("console.log"),
            vmm_log: folder.join("vmm.log"),
            run_dir,
            confinement: Confinement {
                memory_bytes: Some((MEBIBYTES << 20) + (256 << 20)),
                pids: Some(64),
                open_files: Some(1024),
                ..Confinement::default()
            },
            ward: (confined == Confined::Jail).then_some(Ward { uid: user, gid: user }),
            origin: Origin::Boot,
        })
    }
}

/// The processes of this machine that bear claims of a data folder.
pub(super) fn processes(data: &Path, run: &Path) -> Result<Arc<dyn Processes>> {
    let opened = weft_host::processes::open(weft_host::processes::Config::of(data, run));
    Ok(Arc::new(opened.context("processes cannot be launched")?))
}

/// Where a driver's program is, as the surroundings name it.
#[expect(clippy::disallowed_methods, reason = "a bench is run by hand and looks where its shell looks")]
pub(crate) fn named(driver: &str) -> Option<PathBuf> {
    let variable = format!("WEFT_{}", driver.to_uppercase().replace('-', "_"));
    std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from)
}

#[expect(clippy::disallowed_methods, reason = "as above")]
fn configs(cache: &Path) -> Vec<Config> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let search: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let cache_dir = |name: &str| cache.join("cache").join(name);
    vec![
        Config::Qemu(qemu::Config {
            program: named(qemu::NAME),
            search: search.clone(),
            cache_dir: cache_dir(qemu::NAME),
            tsc_khz: weft_host::tsc::khz(),
        }),
        Config::Firecracker(firecracker::Config {
            program: named(firecracker::NAME),
            search: search.clone(),
            cache_dir: cache_dir(firecracker::NAME),
        }),
        Config::CloudHypervisor(cloud_hypervisor::Config {
            program: named(cloud_hypervisor::NAME),
            search,
            cache_dir: cache_dir(cloud_hypervisor::NAME),
        }),
    ]
}

/// The user that a process runs as.
pub(super) fn user_of(pid: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_whitespace().next()?.parse().ok()
}
