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
        let log = std::fs::File::create(self.log()).context("make the log of weft")?;
        let mut command = Command::new(&self.weft);
        command.arg("up").arg("--data-dir").arg(self.data()).args(["--listen", "127.0.0.1:0"]);
        println!("$ {}", shell::line(&command));
        command.stdin(Stdio::null()).stdout(log.try_clone().context("share the log")?).stderr(log);
        self.running = Some(command.spawn().context("start weft up")?);
        let address = self.data().join("run/api.addr");
        self.until(START_LIMIT, "weft did not say where it listens", |_| address.is_file())?;
        let text = std::fs::read_to_string(&address).context("read where weft listens")?;
        self.server = Some(format!("http://{}", text.trim()));
        println!("weft listens on {}", text.trim());
        Ok(())
    }

    /// Runs one command against the running `weft`, its output to the terminal.
    pub(crate) fn weft(&self, arguments: &[&str]) -> Result<()> {
        let server = self.server.as_deref().context("weft was not started")?;
        let mut shown = Command::new("weft");
        println!("$ {}", shell::line(shown.args(arguments)));
        shell::run(Command::new(&self.weft).args(["--server", server]).args(arguments))
    }

    /// Stops `weft` in order and waits for its end.
    pub(crate) fn stop(&mut self) -> Result<()> {
        self.weft(&["down"])?;
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
