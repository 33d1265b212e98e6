//! A `weft up` that can be killed and started again on the same folders, with the stub as its only VMM.

use crate::house;
use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};
use weft_api::Client;
use weft_domain::spec::{Draft, Driver, Payload};
use weft_domain::{Labels, Name, Phase};
use weft_ports::api::{CreateMode, ListQuery, NewVm, Removal, Vm, VmRef, Vms};
use weft_ports::processes::Processes;

/// Memory of each VM in MiB: the least that there is.
pub(super) const MEBIBYTES: u64 = 8;
/// The time in which a daemon comes up, takes up its machines, or goes down.
const PATIENCE: Duration = Duration::from_secs(300);
/// How many times the host's memory is promised, in percent: stubs touch none of theirs.
const OVERCOMMIT: &str = "node.memory_overcommit=10000";
/// What measuring usage costs is not this suite's question.
const UNMETERED: &str = "metering.interval=off";
/// Between two looks at how many were taken up.
const LOOK: Duration = Duration::from_millis(5);
/// VMs on a page when all are read.
const PAGE: u32 = 1_000;

/// What a running weft writes of itself.
#[derive(Deserialize)]
struct Told {
    api: SocketAddr,
    metrics: SocketAddr,
}

/// The daemon and its folders.
pub(super) struct Daemon {
    pub(super) client: Client,
    metrics: SocketAddr,
    running: Option<(Child, BufReader<ChildStdout>)>,
    program: PathBuf,
    jail: &'static str,
    folder: TempDir,
    /// What passes with a start of the machine: sockets.
    run: TempDir,
}

/// A file system in memory, where a host has `/run` on one too.
const IN_MEMORY: &str = "/dev/shm";

/// A fresh folder in memory, or where there is none, in this folder.
fn passing(folder: &Path) -> Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix("weft-bench-");
    let made = builder.tempdir_in(IN_MEMORY).or_else(|_| builder.tempdir_in(folder))?;
    std::fs::set_permissions(made.path(), std::fs::Permissions::from_mode(0o755))?;
    Ok(made)
}

impl Daemon {
    /// Starts one in fresh folders.
    pub(super) async fn open(program: &Path, jail: &'static str) -> Result<Self> {
        let folder = house::folder()?;
        // Jailed VMMs, which are other users, look for their program and guest in here.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("guest"))?;
        std::fs::write(path("guest").join("tiny.elf"), weft_guest::ELF.unwrap_or_default())?;
        std::fs::write(path("weft.toml"), "")?;
        std::fs::write(path("weft-stub"), weft_stub::PROGRAM)?;
        std::fs::set_permissions(path("weft-stub"), std::fs::Permissions::from_mode(0o755))?;
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
        let client = Client::connect(&format!("http://{nowhere}"))?;
        let program = program.to_owned();
        let run = passing(folder.path())?;
        let mut daemon = Self { client, metrics: nowhere, running: None, program, jail, folder, run };
        daemon.start().await?;
        Ok(daemon)
    }

    /// Starts it on what is there; it is up when this answers.
    pub(super) async fn start(&mut self) -> Result<()> {
        let path = |name: &str| self.folder.path().join(name);
        let mut command = Command::new(&self.program);
        command.arg("up").arg("--config").arg(path("weft.toml")).arg("--data-dir").arg(path("state"));
        command.args(["--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]);
        let guest = format!("paths.allowed_roots={}", path("guest").display());
        let stub = format!("firecracker.binary={}", self.stub().display());
        let jail = format!("jail.mode={}", self.jail);
        let run = format!("paths.run_dir={}", self.run.path().display());
        let plain = ["node.drivers=firecracker", OVERCOMMIT, UNMETERED, "log.filter=warn"];
        for setting in [guest.as_str(), &stub, &jail, &run].into_iter().chain(plain) {
            command.args(["--set", setting]);
        }
        let log = std::fs::File::options().append(true).create(true).open(path("weft.log"))?;
        command.env_clear().envs(house::surroundings()).kill_on_drop(true).process_group(0);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn()?;
        let mut said = BufReader::new(child.stdout.take().context("its output was piped")?);
        let up = tokio::time::timeout(PATIENCE, said.read_line(&mut String::new())).await;
        if !matches!(up, Ok(Ok(1..))) {
            bail!("`weft up` did not come up{}", house::last_words(&path("weft.log")));
        }
        let told = std::fs::read(path("state").join("up.json")).context("it does not tell where it listens")?;
        let told: Told = serde_json::from_slice(&told)?;
        (self.client, self.metrics) = (Client::connect(&format!("http://{}", told.api))?, told.metrics);
        self.running = Some((child, said));
        Ok(())
    }

    /// Ends it as a crash would; VMMs go on.
    pub(super) async fn kill(&mut self) -> Result<()> {
        let (mut child, _) = self.running.take().context("no daemon runs")?;
        child.kill().await.context("the daemon cannot be killed")
    }

    /// Waits until it has taken up so many machines of its forerunner.
    pub(super) async fn adopted(&self, machines: u64) -> Result<()> {
        let begun = Instant::now();
        loop {
            let adopted = self.counter("weft_agent_adopted").await?;
            if adopted >= machines {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                bail!(
                    "{adopted} of {machines} were taken up{}",
                    house::last_words(&self.folder.path().join("weft.log"))
                );
            }
            // why: each look is a request, which takes processor time of what is measured.
            tokio::time::sleep(LOOK).await;
        }
    }

    /// A counter of its own; 0 where it was not counted yet.
    async fn counter(&self, name: &str) -> Result<u64> {
        let mut stream = TcpStream::connect(self.metrics).await?;
        stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n").await?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await?;
        let value = text.lines().filter(|line| line.starts_with(name)).find_map(|line| line.rsplit(' ').next());
        Ok(value.and_then(|value| value.parse().ok()).unwrap_or_default())
    }

    /// How many of its VMs are RUNNING.
    pub(super) async fn running(&self) -> Result<usize> {
        let (mut running, mut page_token) = (0, String::new());
        loop {
            let query = ListQuery { page_size: PAGE, page_token, ..ListQuery::default() };
            let page = Vms::list(&self.client, &house::call(), &query).await?;
            running += page.items.iter().filter(|vm| vm.value.status.phase == Phase::Running).count();
            if page.next_page_token.is_empty() {
                return Ok(running);
            }
            page_token = page.next_page_token;
        }
    }

    /// A VM that boots at once.
    pub(super) fn vm(&self, number: u32) -> Result<NewVm> {
        let payload = Payload::Kernel { kernel: self.kernel(), initramfs: None, cmdline: String::new() };
        let mut draft = Draft { driver: Driver::Named("firecracker".to_owned()), payload, ..Draft::default() };
        draft.memory.size_bytes = MEBIBYTES << 20;
        Ok(NewVm {
            project: Name::default_project(),
            name: Some(format!("stub-{number}").parse().map_err(|why| anyhow!("{why}"))?),
            labels: Labels::default(),
            annotations: Default::default(),
            spec: draft.check().map_err(|why| anyhow!("the VM is refused: {why:?}"))?,
            mode: CreateMode::Boot,
        })
    }

    /// Deletes a VM, whatever it does.
    pub(super) async fn delete(&self, vm: &Vm) -> Result<()> {
        let vm = VmRef::Id(vm.value.meta.id);
        let removal = Removal { vm, etag: None, force: true, allow_missing: true };
        self.client.delete(&house::call(), removal).await?;
        Ok(())
    }

    /// Its process.
    pub(super) fn pid(&self) -> Result<u32> {
        self.running.as_ref().and_then(|(child, _)| child.id()).context("the daemon has ended")
    }

    /// The stub.
    pub(super) fn stub(&self) -> PathBuf {
        self.folder.path().join("weft-stub")
    }

    /// What the stubs are told to boot.
    pub(super) fn kernel(&self) -> PathBuf {
        self.folder.path().join("guest").join("tiny.elf")
    }

    /// A fresh folder beside its own.
    pub(super) fn scratch(&self) -> Result<TempDir> {
        Ok(tempfile::Builder::new().prefix("scratch-").tempdir_in(self.folder.path())?)
    }

    /// A fresh folder for what passes.
    pub(super) fn passing(&self) -> Result<TempDir> {
        passing(self.folder.path())
    }

    /// The stubs that run.
    pub(super) fn stubs(&self) -> Result<Vec<u32>> {
        let ours = self.stub();
        let ours = ours.as_os_str().as_bytes();
        let pids = std::fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        Ok(pids.filter(|pid| is_stub(*pid, ours)).collect())
    }

    /// Takes everything away; how many stubs had to be ended by force.
    pub(super) async fn close(mut self) -> Result<usize> {
        if let Some((mut child, _)) = self.running.take() {
            if let Some(pid) = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed())) {
                // A process that is gone is what is wanted.
                let _ = kill_process(pid, Signal::TERM);
            }
            if tokio::time::timeout(PATIENCE, child.wait()).await.is_err() {
                child.kill().await.context("`weft up` could not be ended")?;
            }
        }
        let left = self.stubs()?;
        for pid in left.iter().filter_map(|pid| Pid::from_raw(pid.cast_signed())) {
            let _ = kill_process(pid, Signal::KILL);
        }
        if !left.is_empty() {
            clear(&self.folder.path().join("state")).await?;
        }
        self.run.close().context("the temporary folder in memory could not be removed")?;
        self.folder.close().context("the temporary folder could not be removed")?;
        Ok(left.len())
    }
}

/// Takes the cgroups away that VMMs leave which nobody ended.
async fn clear(data_dir: &Path) -> Result<()> {
    let processes = weft_host::processes::open(weft_host::processes::Config::of(data_dir, data_dir))?;
    for claim in processes.confined().await? {
        processes.clear(claim).await?;
    }
    Ok(())
}

/// Whether the first word of its command line is the stub, or it is the stub that its cell holds.
fn is_stub(pid: u32, stub: &[u8]) -> bool {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0).next() == Some(stub)
}
