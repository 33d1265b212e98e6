//! One life of the daemon: started, awaited, held at a point, killed.

use crate::house::surroundings;
use anyhow::{Context, Result, anyhow};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::process::{Child, ChildStdout, Command};
use weft_api::Client;

/// The time that it is given to come up.
const PATIENCE: Duration = Duration::from_secs(60);
/// What it says when it is up begins so.
const UP: &str = "weft is up at ";

/// Where a daemon lives, and how it is started.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) program: PathBuf,
    pub(super) folder: PathBuf,
    pub(super) settings: Vec<String>,
}

impl Home {
    /// Its lasting state.
    pub(super) fn data_dir(&self) -> PathBuf {
        self.folder.join("d")
    }

    /// What it logs, over all lives.
    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("weft.log")
    }

    fn counts(&self) -> PathBuf {
        self.folder.join("counts")
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("hold.sock")
    }

    /// An address of its own on the loopback: a client that asks again never finds the daemon of another world
    /// on a port that was its own daemon's.
    fn address(&self) -> Ipv4Addr {
        let mut hash = DefaultHasher::new();
        (&self.folder, std::process::id()).hash(&mut hash);
        let [a, b, c, ..] = hash.finish().to_be_bytes();
        Ipv4Addr::new(127, a.max(1), b, c.clamp(1, 254))
    }

    fn command(&self, plan: Option<&str>) -> Result<Command> {
        let log = File::options().create(true).append(true).open(self.log())?;
        let mut command = Command::new(&self.program);
        command.arg("up").arg("--config").arg(self.folder.join("weft.toml"));
        command.arg("--data-dir").arg(self.data_dir());
        let listen = format!("{}:0", self.address());
        command.args(["--listen", &listen, "--metrics", &listen]);
        command.args(self.settings.iter().flat_map(|setting| ["--set", setting]));
        command.env_clear().envs(surroundings());
        if weft_ports::fault::BUILT {
            command.env("WEFT_FAULT", plan.unwrap_or_default());
            command.env("WEFT_FAULT_SOCKET", self.socket()).env("WEFT_FAULT_COUNTS", self.counts());
        }
        // A group of its own: a key that ends us must leave it to us to end it.
        command.process_group(0).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        Ok(command)
    }

    /// Starts a life with this plan.
    ///
    /// # Errors
    /// The program cannot be started.
    pub(super) fn start(&self, plan: Option<&str>) -> Result<Life> {
        // What a former life left of them counts no more.
        let _ = std::fs::remove_file(self.counts());
        let _ = std::fs::remove_file(self.socket());
        let holds = UnixListener::bind(self.socket()).context("no socket can be bound")?;
        let begun = Instant::now();
        let mut child = self.command(plan)?.spawn().with_context(|| format!("{}", self.program.display()))?;
        let said = BufReader::new(child.stdout.take().context("its output was piped")?);
        Ok(Life { child, said, holds, counts: self.counts(), begun })
    }

    /// The end of its log.
    pub(super) fn last_words(&self, lines: usize) -> String {
        let text = std::fs::read(self.log()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let text = text.unwrap_or_default();
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}

/// A daemon that was started.
pub(super) struct Life {
    child: Child,
    said: BufReader<ChildStdout>,
    holds: UnixListener,
    counts: PathBuf,
    begun: Instant,
}

/// A process that stands at a point and goes on when this is dropped.
pub(super) struct Hold {
    /// The process.
    pub(super) pid: Option<Pid>,
    _stream: UnixStream,
}

/// How a start went.
pub(super) enum Start {
    /// It serves; how long that took.
    Up(Box<Client>, Duration),
    /// It ended before.
    Died,
    /// It stands at a point.
    Held(Hold),
}

impl Life {
    /// Waits until it serves, ends or stands.
    ///
    /// # Errors
    /// It does none of these in time.
    pub(super) async fn up(&mut self) -> Result<Start> {
        let mut line = String::new();
        let waited = async {
            tokio::select! {
                read = self.said.read_line(&mut line) => Ok(read.map(|bytes| bytes > 0).unwrap_or(false)),
                hold = accept(&self.holds) => Err(hold),
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waited).await;
        match waited.map_err(|_| anyhow!("weft was not up in a minute"))? {
            Err(hold) => Ok(Start::Held(hold?)),
            Ok(false) => Ok(Start::Died),
            Ok(true) => {
                let url = line.strip_prefix(UP).and_then(|rest| rest.split(' ').next());
                let url = url.with_context(|| format!("it says {line:?} and not that it is up"))?;
                Ok(Start::Up(Box::new(Client::connect(url)?), self.begun.elapsed()))
            }
        }
    }

    /// Waits until it ends or stands at a point.
    pub(super) async fn disturbed(&mut self) -> Result<Option<Hold>> {
        tokio::select! {
            ended = self.child.wait() => ended.map(|_| None).context("it cannot be waited for"),
            hold = accept(&self.holds) => hold.map(Some),
        }
    }

    /// Whether it has ended.
    pub(super) fn is_over(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|ended| ended.is_some())
    }

    /// Its process, while it lives.
    pub(super) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Kills it and waits for its end.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub(super) async fn kill(&mut self) -> Result<()> {
        self.child.kill().await.context("the daemon cannot be killed")
    }

    /// Asks it to end, and waits.
    ///
    /// # Errors
    /// It does not end in time.
    pub(super) async fn terminate(&mut self) -> Result<()> {
        if let Some(pid) = self.pid().and_then(|pid| Pid::from_raw(pid.cast_signed())) {
            // One that is gone is what is wanted.
            let _ = kill_process(pid, Signal::TERM);
        }
        match tokio::time::timeout(PATIENCE, self.child.wait()).await {
            Ok(ended) => ended.map(drop).context("the daemon cannot be waited for"),
            Err(_) => Err(anyhow!("the daemon does not end when it is asked to")),
        }
    }

    /// How often each point was passed.
    pub(super) fn counts(&self) -> BTreeMap<String, u64> {
        counts(&self.counts)
    }
}

fn counts(file: &Path) -> BTreeMap<String, u64> {
    let text = std::fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines = text.lines().filter_map(|line| {
        let (name, count) = line.trim_matches('\0').trim().split_once(' ')?;
        Some((name.to_owned(), count.trim().parse().ok()?))
    });
    lines.collect()
}

async fn accept(holds: &UnixListener) -> Result<Hold> {
    let (mut stream, _) = holds.accept().await.context("nobody can be heard")?;
    let pid = stream.peer_cred().ok().and_then(|peer| Pid::from_raw(peer.pid()?));
    let mut point = Vec::new();
    // The name ends with its line; whoever dies before has said enough.
    while !point.ends_with(b"\n") {
        match stream.read_u8().await {
            Ok(byte) => point.push(byte),
            Err(_) => break,
        }
    }
    Ok(Hold { pid, _stream: stream })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::net::UnixStream as Peer;

    #[test]
    fn counts_are_read_whatever_pads_them() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("counts");
        std::fs::write(&file, b"a.b 3                 \n\0\0\0\0c.d 10\n\nbroken\n").unwrap();
        let read = counts(&file);
        assert_eq!(read.into_iter().collect::<Vec<_>>(), [("a.b".to_owned(), 3), ("c.d".to_owned(), 10)]);
        assert!(counts(&dir.path().join("none")).is_empty());
    }

    #[tokio::test]
    async fn who_stands_at_a_point_is_heard() {
        let dir = tempfile::tempdir().unwrap();
        let holds = UnixListener::bind(dir.path().join("s")).unwrap();
        let mut peer = Peer::connect(dir.path().join("s")).unwrap();
        peer.write_all(b"store.committed\n").unwrap();
        let hold = accept(&holds).await.unwrap();
        assert_eq!(hold.pid, Some(rustix::process::getpid()));
    }
}
