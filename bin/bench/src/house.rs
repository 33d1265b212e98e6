//! A weft of our own: `weft up` as a child in a temporary folder, and its end on every path.
//!
//! ```text
//!  during(program, body) ─► up ─► body ─► delete its VMs ─► SIGTERM, wait ─► folder away
//!                                  └ broken off by an error, Ctrl-C or SIGTERM: the same end
//! ```
//!
//! It hears nothing of the surroundings' configuration: neither variables nor files.

use crate::guest;
use anyhow::{Context, Result, anyhow};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::signal::unix::{SignalKind, signal};
use weft_api::Client;
use weft_domain::admission::Promise;
use weft_domain::object::Stored;
use weft_domain::spec::{Accelerator, Draft, Driver, Machine, Payload, Spec};
use weft_domain::{Fault, Instance, Labels, Name};
use weft_ports::api::{Call, CreateMode, ListQuery, NewVm, Nodes, Removal, VmRef, Vms};

/// The time that it is given to come up, and to go down.
const PATIENCE: Duration = Duration::from_secs(60);
/// The time that one call is given.
pub(crate) const CALL: Duration = Duration::from_secs(60);
/// How long is waited before the node is asked for again.
const PAUSE: Duration = Duration::from_millis(10);
/// weft-tiny, beside the guest that halts.
const TINY: &str = "weft-tiny.elf";
/// How much of its log is shown where it fails.
const LOG_LINES: usize = 20;

/// What a running weft writes of itself.
#[derive(Deserialize)]
struct Told {
    pid: u32,
    api: SocketAddr,
}

/// A weft that runs.
pub(crate) struct House {
    /// Speaks to it.
    pub(crate) client: Client,
    /// Where its API listens.
    pub(crate) api: SocketAddr,
    child: Child,
    _said: BufReader<ChildStdout>,
    kernel: PathBuf,
    log: PathBuf,
    program: PathBuf,
    settings: Vec<String>,
    folder: TempDir,
}

/// Runs a weft while `body` measures it.
///
/// # Errors
/// It did not come up, the body failed or was broken off, or not all could be taken away.
pub(crate) async fn during<T>(program: &Path, body: impl AsyncFnOnce(&House) -> Result<T>) -> Result<T> {
    during_with(program, &[], body).await
}

/// The same, with settings as `key=value`.
///
/// # Errors
/// As above.
pub(crate) async fn during_with<T>(
    program: &Path,
    settings: &[String],
    body: impl AsyncFnOnce(&House) -> Result<T>,
) -> Result<T> {
    let house = House::open(program, settings).await?;
    let outcome = tokio::select! {
        outcome = body(&house) => outcome.map_err(|error| house.explained(error)),
        why = interrupted() => Err(why),
    };
    let closed = house.close().await;
    match (outcome, closed) {
        (Ok(answer), Ok(())) => Ok(answer),
        (Err(error), Err(left)) => Err(error.context(format!("{left:#}"))),
        (Err(error), Ok(())) | (Ok(_), Err(error)) => Err(error),
    }
}

/// Why everything is to be broken off, when somebody asks for that.
pub(crate) async fn interrupted() -> anyhow::Error {
    let listen = || Ok::<_, std::io::Error>((signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?));
    match listen() {
        Ok((mut interrupt, mut terminate)) => {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            anyhow!("it was asked to end")
        }
        Err(why) => anyhow!("signals cannot be heard: {why}"),
    }
}

/// A folder of ours that goes with its holder.
pub(crate) fn folder() -> Result<TempDir> {
    tempfile::Builder::new().prefix("weft-bench-").tempdir().context("no temporary folder can be made")
}

impl House {
    async fn open(program: &Path, settings: &[String]) -> Result<Self> {
        let folder = folder()?;
        let path = |name: &str| folder.path().join(name);
        let (kernel, log) = (path("guest").join("halt.elf"), path("weft.log"));
        std::fs::create_dir(path("guest"))?;
        std::fs::write(&kernel, guest::image())?;
        std::fs::write(kernel.with_file_name(TINY), weft_guest::ELF.unwrap_or_default())?;
        std::fs::write(path("weft.toml"), "")?;
        let mut command = command(program, folder.path(), settings);
        command.kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(std::fs::File::create(&log)?);
        let mut child = command.spawn().with_context(|| format!("{} cannot be started", program.display()))?;
        let mut said = BufReader::new(child.stdout.take().context("its output was piped")?);
        let up = tokio::time::timeout(PATIENCE, said.read_line(&mut String::new())).await;
        let words = log.clone();
        let failed = |why: &str| anyhow!("`weft up` {why}{}", last_words(&words));
        match up {
            Ok(Ok(1..)) => {}
            Ok(Ok(0)) | Ok(Err(_)) => return Err(failed("ended before it was up")),
            Err(_) => return Err(failed("was not up in a minute")),
        }
        let told = std::fs::read(path("state").join("up.json")).context("it does not tell where it listens")?;
        let api = serde_json::from_slice::<Told>(&told)?.api;
        let client = Client::connect(&format!("http://{api}"))?;
        let (program, settings) = (program.to_owned(), settings.to_vec());
        let house = Self { client, api, child, _said: said, kernel, log, program, settings, folder };
        let ready = tokio::time::timeout(PATIENCE, house.ready()).await;
        ready.map_err(|_| failed("had no node in a minute"))??;
        Ok(house)
    }

    /// Waits until a node has registered, without which no VM can be made.
    async fn ready(&self) -> Result<(), Fault> {
        while Nodes::list(&self.client, &call(), &ListQuery::default()).await?.items.is_empty() {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// A VM that costs nothing but what is measured: a guest that halts at once, on the smallest machine.
    pub(crate) fn vm(&self, name: &str, mode: CreateMode) -> Result<NewVm> {
        let payload = Payload::Kernel { kernel: self.kernel.clone(), initramfs: None, cmdline: String::new() };
        let mut draft = Draft {
            driver: Driver::Named("qemu".to_owned()),
            machine: Machine::Microvm,
            accelerator: Accelerator::Tcg,
            payload,
            ..Draft::default()
        };
        draft.memory.size_bytes = 64 << 20;
        new(name, draft, mode)
    }

    /// A VM of this driver that boots weft-tiny at once.
    pub(crate) fn tiny(&self, name: &str, driver: &str, mebibytes: u64) -> Result<NewVm> {
        new(name, self.tiny_draft(driver, mebibytes), CreateMode::Boot)
    }

    fn tiny_draft(&self, driver: &str, mebibytes: u64) -> Draft {
        let kernel = self.kernel.with_file_name(TINY);
        let payload = Payload::Kernel { kernel, initramfs: None, cmdline: String::new() };
        let mut draft = Draft { driver: Driver::Named(driver.to_owned()), payload, ..Draft::default() };
        draft.memory.size_bytes = mebibytes << 20;
        draft
    }

    /// For how many such VMs its node has memory.
    pub(crate) async fn room(&self, driver: &str, mebibytes: u64) -> Result<u32> {
        let nodes = Nodes::list(&self.client, &call(), &ListQuery::default()).await?;
        let node = nodes.items.first().context("it has no node")?;
        let each = Promise::of(&self.tiny_draft(driver, mebibytes)).memory_bytes.max(1);
        Ok(u32::try_from(node.value.facts.allocatable_memory_bytes / each).unwrap_or(u32::MAX))
    }

    /// Starts the same program beside it, which takes its place, and waits until it has.
    ///
    /// # Errors
    /// It does not take over in a minute.
    pub(crate) async fn replace(&self) -> Result<()> {
        let log = std::fs::File::options().append(true).open(&self.log)?;
        let mut command = command(&self.program, self.folder.path(), &self.settings);
        command.arg("--replace").stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        // It serves on until all is taken away: then whatever names our folder is ended.
        let mut successor = command.spawn().context("`weft up --replace` cannot be started")?;
        let pid = successor.id();
        let taken = async {
            loop {
                let told = std::fs::read(self.data_dir().join("up.json")).unwrap_or_default();
                let told = serde_json::from_slice::<Told>(&told).ok();
                if told.is_some_and(|told| Some(told.pid) == pid) {
                    return Ok(());
                }
                if let Some(status) = successor.try_wait()? {
                    return Err(anyhow!("`weft up --replace` ended with {status}"));
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        tokio::time::timeout(PATIENCE, taken).await.context("it was not replaced in a minute")?
    }

    /// Its process.
    pub(crate) fn pid(&self) -> Result<u32> {
        self.child.id().context("`weft up` has ended")
    }

    /// Where its state is.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// A folder that goes with it and is not its own.
    pub(crate) fn scratch(&self) -> Result<PathBuf> {
        let folder = self.folder.path().join("scratch");
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Deletes a VM, whatever it does.
    pub(crate) async fn delete(&self, vm: &Stored<Instance>) -> Result<(), Fault> {
        let vm = VmRef::Id(vm.value.meta.id);
        let removal = Removal { vm, etag: None, force: true, allow_missing: true };
        self.client.delete(&call(), removal).await.map(|_| ())
    }

    /// Takes everything away.
    async fn close(mut self) -> Result<()> {
        let emptied = tokio::time::timeout(PATIENCE, self.empty()).await;
        if let Some(pid) = self.child.id().and_then(|pid| Pid::from_raw(pid.cast_signed())) {
            // A process that is gone is what is wanted.
            let _ = kill_process(pid, Signal::TERM);
        }
        if tokio::time::timeout(PATIENCE, self.child.wait()).await.is_err() {
            self.child.kill().await.context("`weft up` could not be ended")?;
        }
        for pid in left(self.folder.path()) {
            let _ = kill_process(pid, Signal::KILL);
        }
        self.folder.close().context("the temporary folder could not be removed")?;
        emptied.context("its VMs could not be deleted in a minute")?.context("its VMs were ended by force")
    }

    async fn empty(&self) -> Result<()> {
        loop {
            let page = Vms::list(&self.client, &call(), &ListQuery::default()).await?;
            if page.items.is_empty() {
                return Ok(());
            }
            for vm in &page.items {
                self.delete(vm).await?;
            }
        }
    }

    fn explained(&self, error: anyhow::Error) -> anyhow::Error {
        let words = last_words(&self.log);
        if words.is_empty() { error } else { error.context(format!("a measurement failed{words}")) }
    }
}

/// `weft up` on this folder.
fn command(program: &Path, folder: &Path, settings: &[String]) -> Command {
    let mut roots = OsString::from("paths.allowed_roots=");
    roots.push(folder.join("guest"));
    let mut command = Command::new(program);
    command.arg("up").arg("--config").arg(folder.join("weft.toml")).arg("--data-dir").arg(folder.join("state"));
    command.args(["--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--set"]).arg(roots);
    command.args(settings.iter().flat_map(|setting| ["--set", setting]));
    // A group of its own: a key that ends us must leave it to us to end it.
    command.env_clear().envs(surroundings()).process_group(0);
    command
}

/// What is asked for to make a VM of this draft.
fn new(name: &str, draft: Draft, mode: CreateMode) -> Result<NewVm> {
    let spec: Spec = draft.check().map_err(|violations| anyhow!("the guest is refused: {violations:?}"))?;
    Ok(NewVm {
        project: Name::default_project(),
        name: Some(name.parse().map_err(|why| anyhow!("{why}"))?),
        labels: Labels::default(),
        annotations: Default::default(),
        spec,
        mode,
    })
}

/// The terms of a call of ours.
pub(crate) fn call() -> Call {
    Call { timeout: Some(CALL), ..Call::by("bench") }
}

/// The variables that a child is given: ours, without those that would configure it.
pub(crate) fn surroundings() -> impl Iterator<Item = (OsString, OsString)> {
    let ours = |name: &OsString| {
        let name = name.to_string_lossy();
        name.starts_with("WEFT_") || name.starts_with("UNKEY_METALD_")
    };
    std::env::vars_os().filter(move |(name, _)| !ours(name))
}

/// Processes that outlived a weft which was killed: VMs whose command line names our folder.
fn left(folder: &Path) -> Vec<Pid> {
    let ours = folder.as_os_str().as_bytes();
    let pids = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
    let bears = |pid: &Pid| {
        let line = std::fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
        line.windows(ours.len()).any(|part| part == ours)
    };
    pids.filter(bears).collect()
}

pub(crate) fn last_words(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n  ");
    if last.is_empty() { last } else { format!("; its log ends:\n  {last}") }
}
