//! A `weft up` of its own in a temporary folder.
//!
//! It listens on ports that the kernel chose, is ended by its own pid on every way out, and so are the VMMs
//! that it started: a failing test leaves nothing behind.

use anyhow::{Context, Result, bail};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use weft_api::client::Client;

/// How long a start or an end may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// How long processes that were killed may take to be gone.
const GONE: Duration = Duration::from_secs(5);

/// A running weft.
pub struct Daemon {
    folder: TempDir,
    child: Option<Child>,
    through: Vec<String>,
    settings: Vec<String>,
    api: String,
    metrics: String,
}

impl Daemon {
    /// Starts one with these settings, each `key=value`.
    ///
    /// # Errors
    /// It does not come up; its log is in the error.
    pub fn start(settings: &[&str]) -> Result<Self> {
        Self::start_through(&[], settings)
    }

    /// The same, by a program that becomes what it is told to run: `setpriv --bounding-set=-sys_admin`.
    ///
    /// # Errors
    /// It does not come up; its log is in the error.
    pub fn start_through(through: &[&str], settings: &[&str]) -> Result<Self> {
        // Short, since sockets are below it.
        let folder = tempfile::Builder::new().prefix("weft-").tempdir().context("a temporary folder")?;
        // The image is the same for all: it is prepared once.
        let cache = format!("paths.cache_dir={}", program().with_file_name("testbed-cache").display());
        let settings = settings.iter().map(|setting| (*setting).to_owned()).chain([cache]).collect();
        let through = through.iter().map(|word| (*word).to_owned()).collect();
        let mut daemon = Self { folder, child: None, through, settings, api: String::new(), metrics: String::new() };
        daemon.up()?;
        Ok(daemon)
    }

    /// Starts it again on the same folder.
    ///
    /// # Errors
    /// It does not come up; its log is in the error.
    pub fn up(&mut self) -> Result<()> {
        let log = File::options().create(true).append(true).open(self.log_file()).context("the log")?;
        let mut command = self.daemon_command();
        command.arg("up").args(["--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]);
        for setting in &self.settings {
            command.args(["--set", setting]);
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().context("weft up")?;
        let pid = child.id();
        self.child = Some(child);
        let told = self.until(|daemon| daemon.told().filter(|told| told["pid"] == pid))?;
        self.follow_to(&told);
        Ok(())
    }

    /// Asks where it says that it listens.
    fn follow_to(&mut self, told: &serde_json::Value) {
        let address = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
        (self.api, self.metrics) = (address("api"), address("metrics"));
    }

    /// What would take its place, with its settings and these words more; not started yet.
    ///
    /// # Errors
    /// Its log cannot be written.
    pub fn successor(&self, more: &[&str]) -> Result<Command> {
        let log = File::options().create(true).append(true).open(self.log_file()).context("the log")?;
        let mut command = self.daemon_command();
        command.args(["up", "--replace", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]);
        for setting in &self.settings {
            command.args(["--set", setting]);
        }
        command.args(more).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(command)
    }

    /// Starts a successor, waits until it has taken over and this one has ended well, and follows it.
    ///
    /// # Errors
    /// It does not take over; the log is in the error.
    pub fn replace(&mut self) -> Result<()> {
        let successor = self.successor(&[])?.spawn().context("weft up --replace")?;
        self.follow(successor)
    }

    /// Follows a successor that was started: waits until it has taken over and this one has ended well.
    ///
    /// # Errors
    /// It does not take over; the log is in the error.
    pub fn follow(&mut self, successor: Child) -> Result<()> {
        let pid = successor.id();
        let former = self.child.replace(successor);
        let told = self.until(|daemon| daemon.told().filter(|told| told["pid"] == pid))?;
        self.follow_to(&told);
        let successor = std::mem::replace(&mut self.child, former);
        let ended = if self.child.is_some() { self.wait_for_end() } else { Ok(()) };
        self.child = successor;
        ended
    }

    /// After a successor is gone: waits until this one tells again that it serves, or starts one where the
    /// successor had taken its place.
    ///
    /// # Errors
    /// Nobody serves; the log is in the error.
    pub fn recover(&mut self) -> Result<()> {
        let begun = Instant::now();
        loop {
            let child = self.child.as_mut().context("the daemon does not run")?;
            let (pid, ended) = (child.id(), child.try_wait()?);
            match ended {
                Some(status) if status.success() => return self.up(),
                Some(status) => bail!("weft ended with {status}:\n{}", self.log()),
                None if self.told().is_some_and(|told| told["pid"] == pid) => return Ok(()),
                None if begun.elapsed() > LIMIT => bail!("weft does not go on:\n{}", self.log()),
                None => pause(),
            }
        }
    }

    /// Sets `key=value` for the next starts.
    pub fn set(&mut self, setting: &str) {
        self.settings.push(setting.to_owned());
    }

    fn daemon_command(&self) -> Command {
        let [first, rest @ ..] = self.through.as_slice() else { return self.command() };
        let mut command = Command::new(first);
        command.args(rest).arg(program()).arg("--data-dir").arg(self.data_dir());
        command
    }

    /// The `weft` program on this daemon's data folder, without a command.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(program());
        command.arg("--data-dir").arg(self.data_dir());
        command
    }

    /// The `weft` program as its client.
    #[must_use]
    pub fn client_command(&self) -> Command {
        let mut command = Command::new(program());
        command.arg("--server").arg(self.url());
        command
    }

    /// A client of it.
    ///
    /// # Panics
    /// Never: its address is right.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::connect(&self.url()).expect("the daemon told a right address")
    }

    /// Its API's address: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.api)
    }

    /// Its API's address without a scheme.
    #[must_use]
    pub fn api(&self) -> &str {
        &self.api
    }

    /// Its metrics' address without a scheme.
    #[must_use]
    pub fn metrics(&self) -> &str {
        &self.metrics
    }

    /// Its process.
    ///
    /// # Panics
    /// It was ended.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("the daemon runs").id()
    }

    /// Its data folder.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Its log.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("weft.log")
    }

    fn told(&self) -> Option<serde_json::Value> {
        let text = std::fs::read_to_string(self.data_dir().join("up.json")).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Ends it with SIGKILL.
    ///
    /// # Errors
    /// It does not run.
    pub fn kill(&mut self) -> Result<()> {
        let mut child = self.child.take().context("the daemon does not run")?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Ends it with SIGTERM and waits.
    ///
    /// # Errors
    /// It does not end in time, or not well.
    pub fn terminate(&mut self) -> Result<()> {
        let child = self.child.as_ref().context("the daemon does not run")?;
        let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).context("a pid")?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        self.wait_for_end()
    }

    /// Waits until it has ended well by itself.
    ///
    /// # Errors
    /// It does not end in time, or not well.
    pub fn wait_for_end(&mut self) -> Result<()> {
        let begun = Instant::now();
        let child = self.child.as_mut().context("the daemon does not run")?;
        loop {
            match child.try_wait()? {
                Some(status) if status.success() => break,
                Some(status) => bail!("weft ended with {status}:\n{}", self.log()),
                None if begun.elapsed() > LIMIT => bail!("weft does not end:\n{}", self.log()),
                None => pause(),
            }
        }
        self.child = None;
        Ok(())
    }

    fn until<T>(&mut self, look: impl Fn(&Self) -> Option<T>) -> Result<T> {
        let begun = Instant::now();
        loop {
            if let Some(found) = look(self) {
                return Ok(found);
            }
            let ended = self.child.as_mut().map(Child::try_wait).transpose()?.flatten();
            if let Some(status) = ended {
                bail!("weft ended with {status}:\n{}", self.log());
            }
            if begun.elapsed() > LIMIT {
                bail!("weft does not come up:\n{}", self.log());
            }
            pause();
        }
    }

    /// Living processes of this daemon, but for itself: their command line names its data folder, or their
    /// environment the scope of its claims.
    #[must_use]
    pub fn vmms(&self) -> Vec<u32> {
        let own = self.child.as_ref().map(Child::id);
        let mut found = processes_of(&self.data_dir());
        found.retain(|pid| Some(*pid) != own);
        found
    }

    /// Its cgroups that are there, one in each tree.
    #[must_use]
    pub fn cgroups(&self) -> Vec<PathBuf> {
        cgroups(&self.data_dir())
    }

    /// Entries of a folder below the data folder; an absent one has none.
    #[must_use]
    pub fn entries(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.data_dir().join(folder)).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already, or never begun.
        let _ = self.kill();
        end_all(&processes_of(&self.data_dir()));
        let begun = Instant::now();
        while !processes_of(&self.data_dir()).is_empty() && begun.elapsed() < GONE {
            pause();
        }
        retire(&self.data_dir());
    }
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// The cgroups of a data folder that are there, one in each tree.
fn cgroups(data_dir: &Path) -> Vec<PathBuf> {
    let ours = Path::new("weft").join(weft_host::processes::scope_of(data_dir));
    let root = PathBuf::from("/sys/fs/cgroup");
    let trees = folders(&root).into_iter().chain([root]);
    trees.map(|tree| tree.join(&ours)).filter(|scope| scope.is_dir()).collect()
}

/// Takes away the cgroups of a daemon that can no longer do so itself.
fn retire(data_dir: &Path) {
    for scope in cgroups(data_dir) {
        for claim in folders(&scope) {
            // Busy where a process does not die: it is only a folder.
            let _ = std::fs::remove_dir(claim);
        }
        let _ = std::fs::remove_dir(scope);
    }
}

/// Ends every process whose command line names this folder.
pub fn end_all_naming(folder: &Path) {
    end_all(&processes_naming(folder));
}

fn end_all(pids: &[u32]) {
    for pid in pids {
        if let Some(pid) = i32::try_from(*pid).ok().and_then(rustix::process::Pid::from_raw) {
            // It may have ended by itself since.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

/// The `weft` program that the workspace built.
///
/// # Panics
/// It was not built: `cargo build -p weft`, or `cargo xtask test`, does.
#[must_use]
pub fn program() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let built = test.parent().and_then(Path::parent).map(|folder| folder.join("weft")).unwrap_or_default();
    assert!(built.is_file(), "{} is not there: run `cargo build -p weft` first", built.display());
    built
}

fn processes_naming(folder: &Path) -> Vec<u32> {
    let needle = folder.as_os_str().as_encoded_bytes();
    pids().filter(|pid| says(*pid, "cmdline", needle)).collect()
}

fn processes_of(data_dir: &Path) -> Vec<u32> {
    let scope = format!("WEFT_SCOPE={}", weft_host::processes::scope_of(data_dir));
    let folder = data_dir.as_os_str().as_encoded_bytes();
    pids().filter(|pid| says(*pid, "cmdline", folder) || says(*pid, "environ", scope.as_bytes())).collect()
}

fn pids() -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Whether this is in a file of a process that lives.
fn says(pid: u32, file: &str, needle: &[u8]) -> bool {
    let words = std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    words.windows(needle.len()).any(|window| window == needle)
}

/// A moment between two looks.
fn pause() {
    // why: another process is waited for, which tells us nothing.
    std::thread::sleep(Duration::from_millis(10));
}
