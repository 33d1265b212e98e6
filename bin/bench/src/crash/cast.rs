//! Who plays: which programs stand for VMMs, and the machines that are made of them.

use super::model::{Form, Power};
use crate::boot::named;
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use weft_domain::Fault;
use weft_domain::spec::{Disk, DiskSource, Draft, Driver, Machine, Payload, RestartPolicy, Spec};
use weft_vmm::{cloud_hypervisor, firecracker, qemu};

/// The disk of a VM's own, which weft makes.
pub(super) const SCRATCH: &str = "scratch";
/// Its size in bytes.
pub(super) const SCRATCH_BYTES: u64 = 1 << 20;

/// Which drivers take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Drivers {
    /// Programs that stand in for Firecracker and Cloud Hypervisor, found beside this one.
    #[default]
    StandIns,
    /// Real VMMs, as many as are found.
    Real,
    /// Worlds of stand-ins and worlds of real VMMs take turns.
    Both,
}

/// How a new VM is asked for.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    /// Whose it is.
    pub(super) actor: Actor,
    /// It runs at once.
    pub(super) boot: bool,
    /// It has a disk of its own.
    pub(super) scratch: bool,
    /// What happens when it ends unasked.
    pub(super) restart: RestartPolicy,
}

impl Wish {
    /// What it is asked to be.
    ///
    /// # Errors
    /// Never, unless the bench is wrong.
    pub(super) fn spec(&self) -> Result<Spec, Fault> {
        let mut draft = self.actor.draft();
        draft.restart = self.restart;
        if self.scratch {
            draft.disks.push(Disk::new(SCRATCH, DiskSource::Blank { size_bytes: SCRATCH_BYTES }));
        }
        draft.check().map_err(|why| Fault::internal(format!("the guest is refused: {why:?}")))
    }

    /// What it then is.
    pub(super) fn form(&self) -> Form {
        let disks = if self.scratch { BTreeSet::from([SCRATCH.to_owned()]) } else { BTreeSet::new() };
        let power = if self.boot { Power::Runs } else { Power::Made };
        Form { power, cpus: 1, disks, again: self.restart != RestartPolicy::Never }
    }
}

/// A driver that takes part.
#[derive(Debug, Clone)]
pub(super) struct Actor {
    /// The driver's name.
    pub(super) driver: &'static str,
    /// The program.
    pub(super) program: PathBuf,
    /// What its guests boot.
    kernel: Arc<PathBuf>,
    /// Memory of its guests.
    mebibytes: u64,
    /// Whether it is the real one.
    pub(super) real: bool,
}

impl Actor {
    /// The name that reports know it by.
    pub(super) fn name(&self) -> String {
        if self.real { self.driver.to_owned() } else { format!("{} (stand-in)", self.driver) }
    }

    /// The setting that names its program.
    pub(super) fn setting(&self) -> String {
        format!("{}.binary={}", self.driver.replace('-', "_"), self.program.display())
    }

    /// Where its guest lies.
    pub(super) fn folder(&self) -> PathBuf {
        self.kernel.parent().map(Path::to_owned).unwrap_or_default()
    }

    /// The least that its guests are asked to be.
    fn draft(&self) -> Draft {
        let kernel = self.kernel.as_ref().clone();
        let payload = Payload::Kernel { kernel, initramfs: None, cmdline: String::new() };
        let machine = if self.driver == qemu::NAME { Machine::Q35 } else { Machine::Auto };
        let mut draft = Draft { driver: Driver::Named(self.driver.to_owned()), machine, payload, ..Draft::default() };
        draft.memory.size_bytes = self.mebibytes << 20;
        draft
    }
}

/// The casts of worlds: they take turns.
#[derive(Debug)]
pub(super) struct Casts {
    /// Each plays a world.
    pub(super) casts: Vec<Vec<Actor>>,
    /// Who was not found.
    pub(super) missing: Vec<String>,
}

impl Casts {
    /// Looks for all that take part; their guest is written into this folder.
    ///
    /// # Errors
    /// None is found.
    pub(super) fn find(drivers: Drivers, program: &Path, folder: &Path) -> Result<Self> {
        let guest = weft_guest::ELF.context("its guest is for x86-64 processors")?;
        std::fs::create_dir_all(folder)?;
        let kernel = Arc::new(folder.join("weft-tiny.elf"));
        std::fs::write(kernel.as_ref(), guest)?;
        let mut found = Self { casts: Vec::new(), missing: Vec::new() };
        if matches!(drivers, Drivers::StandIns | Drivers::Both) {
            found.stand_ins(program, &kernel);
        }
        if matches!(drivers, Drivers::Real | Drivers::Both) {
            found.real(&kernel);
        }
        if found.casts.is_empty() {
            bail!("no VMM takes part: {}", found.missing.join("; "));
        }
        Ok(found)
    }

    fn stand_ins(&mut self, program: &Path, kernel: &Arc<PathBuf>) {
        let mut cast = Vec::new();
        for (driver, mebibytes) in [(firecracker::NAME, 8), (cloud_hypervisor::NAME, 8)] {
            let path = program.with_file_name(format!("standin-{driver}"));
            if path.is_file() {
                cast.push(Actor { driver, program: path, kernel: Arc::clone(kernel), mebibytes, real: false });
            } else {
                let why = "build it with `cargo build -p weft-standins`, with the same profile";
                self.missing.push(format!("{} is not there: {why}", path.display()));
            }
        }
        if !cast.is_empty() {
            self.casts.push(cast);
        }
    }

    /// Real ones get a world each, since their speeds differ much.
    fn real(&mut self, kernel: &Arc<PathBuf>) {
        let qemu_program = format!("qemu-system-{}", std::env::consts::ARCH);
        let all = [
            (qemu::NAME, qemu_program.as_str(), 32),
            (firecracker::NAME, "firecracker", 32),
            (cloud_hypervisor::NAME, "cloud-hypervisor", 32),
        ];
        for (driver, name, mebibytes) in all {
            match named(driver).or_else(|| in_path(name)) {
                Some(program) => {
                    let actor = Actor { driver, program, kernel: Arc::clone(kernel), mebibytes, real: true };
                    self.casts.push(vec![actor]);
                }
                None => self.missing.push(format!("{driver}: no {name} in PATH")),
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench is run by hand and looks where its shell looks")]
fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}
