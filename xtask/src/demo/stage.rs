//! Where the demo plays: a folder, one `weft up`, and the commands sent to it.
//!
//! The running `weft` is ended by its own process id on every way out; when a
//! step fails, the end of its log is shown before the folder goes away.

use crate::shell;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A first start prepares the default kernel and root, which takes a while.
const START_LIMIT: Duration = Duration::from_secs(120);
const STOP_LIMIT: Duration = Duration::from_secs(60);
/// How much of the log is shown after a failure.
const LOG_LINES: usize = 40;

/// The stage.
pub(crate) struct Stage {
    weft: PathBuf,
    room: tempfile::TempDir,
    running: Option<Child>,
    server: Option<String>,
    titles: usize,
}

impl Stage {
    /// An empty stage for the program at `weft`.
    pub(crate) fn open(weft: &Path) -> Result<Self> {
        // Paths of sockets below must stay short.
        let room = tempfile::Builder::new().prefix("weft-demo-").tempdir().context("make a temporary folder")?;
        Ok(Self { weft: weft.to_owned(), room, running: None, server: None, titles: 0 })
    }

    /// Announces the next part.
    pub(crate) fn title(&mut self, text: &str) {
        self.titles += 1;
        println!("\n=== {}. {text}", self.titles);
    }

    fn data(&self) -> PathBuf {
        self.room.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.room.path().join("weft.log")
    }

    /// Starts `weft up` on a free port and waits until it says where it listens.
    pub(crate) fn start(&mut self) -> Result<()> {
        let log =
            std::fs::File::options().create(true).append(true).open(self.log()).context("open the log of weft")?;
        let mut command = Command::new(&self.weft);
        command.arg("up").arg("--data-dir").arg(self.data());
        command.args(["--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]);
        println!("$ {}", shell::line(&command));
        command.stdin(Stdio::null()).stdout(log.try_clone().context("share the log")?).stderr(log);
        self.running = Some(command.spawn().context("start weft up")?);
        let told = self.data().join("up.json");
        let pid = self.running.as_ref().map(Child::id);
        let said = |told: &Path| {
            let told: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(told).ok()?).ok()?;
            // What a killed weft said before is still there for a moment.
            let ours = told["pid"].as_u64() == pid.map(u64::from);
            told["api"].as_str().filter(|_| ours).map(str::to_owned)
        };
        self.until(START_LIMIT, "weft did not say where it listens", |_| said(&told).is_some())?;
        let address = said(&told).context("weft did not say where it listens")?;
        self.server = Some(format!("http://{address}"));
        println!("weft listens on {address}");
        Ok(())
    }

    /// Runs one command against the running `weft`, its output to the terminal.
    pub(crate) fn weft(&self, arguments: &[&str]) -> Result<()> {
        let server = self.server.as_deref().context("weft was not started")?;
        let mut shown = Command::new("weft");
        println!("$ {}", shell::line(shown.args(arguments)));
        shell::run(Command::new(&self.weft).args(["--server", server]).args(arguments))
    }

    /// Kills `weft` as a power failure of its process would: no goodbye.
    pub(crate) fn kill(&mut self) -> Result<()> {
        let mut child = self.running.take().context("weft was not started")?;
        println!("$ kill -9 {}", child.id());
        child.kill().context("kill weft")?;
        child.wait().context("wait for weft")?;
        Ok(())
    }

    /// Processes whose command line names the stage's folder: `weft` and its machines.
    fn processes(&self) -> Result<Vec<String>> {
        let data = self.data().display().to_string();
        let entries = std::fs::read_dir("/proc").context("list processes")?.flatten();
        let ours = entries.filter(|entry| {
            let words = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&words).contains(&data)
        });
        Ok(ours.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
    }

    /// Fails if a process or a folder of a VM is left.
    pub(crate) fn nothing_is_left(&self) -> Result<()> {
        if let Some(pid) = self.processes()?.first() {
            bail!("process {pid} is left");
        }
        for folder in ["vms", "run/vms"] {
            let left = std::fs::read_dir(self.data().join(folder)).map(Iterator::count).unwrap_or(0);
            if left > 0 {
                bail!("{left} entries are left in {folder}/");
            }
        }
        println!("no process, no socket, no folder of a VM is left");
        Ok(())
    }

    /// Stops `weft` in order and waits for its end.
    pub(crate) fn stop(&mut self) -> Result<()> {
        let data = self.data().display().to_string();
        self.weft(&["down", "--data-dir", &data])?;
        self.until(STOP_LIMIT, "weft did not stop", |child| matches!(child.try_wait(), Ok(Some(_))))?;
        let status = self.running.take().context("weft was not started")?.wait();
        let status = status.context("wait for weft")?;
        if !status.success() {
            bail!("weft ended with {status}");
        }
        Ok(())
    }

    /// Ends whatever still runs, says how it went, removes the folder.
    pub(crate) fn close(mut self, outcome: Result<()>) -> Result<()> {
        if let Some(mut child) = self.running.take() {
            // It ends by itself or by this; either way it is waited for.
            drop(child.kill());
            child.wait().context("wait for weft")?;
        }
        // Machines outlive a killed weft; a demo that broke off must not leave one.
        for pid in self.processes()? {
            shell::run(Command::new("kill").args(["-KILL", &pid]))?;
        }
        if let Err(error) = outcome {
            println!("\n--- the end of weft's log\n{}", self.log_tail());
            return Err(error.context("the demo did not get through"));
        }
        let folder = self.room.path().display().to_string();
        self.room.close().with_context(|| format!("remove {folder}"))?;
        println!("\nThe demo is over; {folder} is removed.");
        Ok(())
    }

    /// Waits for `reached`; the end of `weft` before that is a failure.
    fn until(&mut self, limit: Duration, otherwise: &str, reached: impl Fn(&mut Child) -> bool) -> Result<()> {
        let child = self.running.as_mut().context("weft was not started")?;
        let started = Instant::now();
        while !reached(child) {
            if let Some(status) = child.try_wait().context("look at weft")? {
                bail!("weft ended with {status}");
            }
            if started.elapsed() > limit {
                bail!("{otherwise} within {} s", limit.as_secs());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn log_tail(&self) -> String {
        let text = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }
}
