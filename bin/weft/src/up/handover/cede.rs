//! The predecessor's part: a socket where a successor asks, and what it is told.
//!
//! Only the same user is spoken to, one at a time, and nobody may keep the socket by silence. While a
//! successor takes over, others are told so.

use super::wire::Line;
use super::{Formats, PROTOCOL, Word};
use crate::settings::Settings;
use crate::up::doors::Doors;
use anyhow::{Context, Result, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::time::{sleep, timeout};

/// How long a peer may be silent before it has said `go`; it has done its own work before it asks.
const SILENCE: Duration = Duration::from_secs(5);
/// How long a successor may take from `released` to `taken`.
const TAKING: Duration = Duration::from_secs(60);
/// How long a wait is after a connection could not be taken.
const BREATH: Duration = Duration::from_millis(50);

/// Where successors ask.
#[derive(Debug)]
pub(crate) struct Gate {
    listener: UnixListener,
    path: PathBuf,
}

/// A successor that said `go`.
#[derive(Debug)]
pub(crate) struct Heir {
    line: Line,
    process: OwnedFd,
    /// Its process.
    pub(crate) pid: i32,
    /// Its version.
    pub(crate) version: String,
}

impl Gate {
    /// Opens it in the run folder, in the place of a former one.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(crate) fn open(settings: &Settings) -> Result<Self> {
        let scope = weft_host::processes::scope_of(&settings.data_dir);
        let path = settings.run_dir.join(format!("up-{scope}.sock"));
        let fresh = settings.run_dir.join(format!("up-{scope}.{}", std::process::id()));
        let failed = || format!("the socket {} cannot be made", path.display());
        // One that is left of a process of this number is of no worth.
        let _ = std::fs::remove_file(&fresh);
        let listener = UnixListener::bind(&fresh).with_context(failed)?;
        let private = std::fs::Permissions::from_mode(0o600);
        let placed = std::fs::set_permissions(&fresh, private).and_then(|()| std::fs::rename(&fresh, &path));
        placed.with_context(failed)?;
        Ok(Self { listener, path })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes it away, where nobody follows.
    pub(crate) fn close(self) {
        // A socket that is left refuses every connection.
        let _ = std::fs::remove_file(&self.path);
    }

    /// Answers when a successor has been offered the sockets and said `go`.
    pub(crate) async fn asked(&self, doors: &Doors) -> Heir {
        loop {
            match timeout(SILENCE * 2, offered(self.peer().await, doors)).await {
                Ok(Ok(heir)) => return heir,
                Ok(Err(why)) => tracing::warn!("a hand-over was asked for and did not begin: {why:#}"),
                Err(_) => tracing::warn!("a hand-over was asked for and did not begin: nothing more was said"),
            }
        }
    }

    /// Tells everybody else that a successor is taking over.
    pub(crate) async fn refuse(&self, heir: i32) -> std::convert::Infallible {
        let why = format!("process {heir} is taking over already");
        let fix = "ask that one, when it serves".to_owned();
        loop {
            let told = async {
                let mut line = self.peer().await?;
                line.hear().await?;
                line.say(&Word::Refused { why: why.clone(), fix: fix.clone() }, &[]).await
            };
            // Whoever asked may have gone, or be nobody that is told anything.
            if let Ok(Err(why)) = timeout(SILENCE, told).await {
                tracing::debug!("nobody could be told of the hand-over: {why:#}");
            }
        }
    }

    async fn peer(&self) -> Result<Line> {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => return Line::with(stream),
                Err(why) => {
                    tracing::warn!(%why, "a connection for a hand-over could not be taken");
                    sleep(BREATH).await;
                }
            }
        }
    }
}

/// One conversation up to `go`.
async fn offered(line: Result<Line>, doors: &Doors) -> Result<Heir> {
    let mut line = line?;
    let (version, pid) = match timeout(SILENCE, line.hear()).await.context("nothing was said")?? {
        Word::Ask { protocol, version, pid, reads } => {
            if let Some((why, fix)) = refusal(protocol, reads) {
                line.say(&Word::Refused { why: why.clone(), fix }, &[]).await?;
                bail!("process {pid} (weft {version}) was refused: {why}");
            }
            (version, pid)
        }
        other @ (Word::Offer { .. } | Word::Go | Word::Released | Word::Taken | Word::Refused { .. }) => {
            bail!("a hand-over begins with a question, not with {other:?}")
        }
    };
    let peer = line.peer().with_context(|| format!("process {pid} is not seen from here"))?;
    let process = pidfd_open(peer, PidfdFlags::empty()).context("who asked is gone")?;
    let offer = Word::Offer {
        protocol: PROTOCOL,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        api: doors.api()?,
        metrics: doors.metrics()?,
    };
    line.say(&offer, &[doors.api.as_fd(), doors.metrics.as_fd()]).await?;
    match timeout(SILENCE, line.hear()).await.context("nothing was said to the offer")?? {
        Word::Go => Ok(Heir { line, process, pid: peer.as_raw_nonzero().get(), version }),
        other @ (Word::Ask { .. } | Word::Offer { .. } | Word::Released | Word::Taken | Word::Refused { .. }) => {
            bail!("the answer to an offer is go, not {other:?}")
        }
    }
}

/// Why a successor is not let in, and what would help.
fn refusal(protocol: u32, reads: Formats) -> Option<(String, String)> {
    if protocol != PROTOCOL {
        let why = format!("it speaks version {protocol} of the hand-over, and the weft that runs version {PROTOCOL}");
        return Some((why, "end the weft that runs with `weft down --keep-vms`, then start the other".to_owned()));
    }
    if !reads.cover_ours() {
        let why = format!("it reads {reads:?}, and the weft that runs writes {:?}", Formats::OURS);
        return Some((why, "start a weft that is not older than the one that runs".to_owned()));
    }
    None
}

impl Heir {
    /// Whether it is there still: it says nothing while it waits.
    pub(crate) async fn lives(&mut self) -> bool {
        // It has no reason to speak, so that what comes is its end.
        timeout(Duration::ZERO, self.line.hear()).await.is_err()
    }

    /// Tells it that all is let go, and waits until it serves.
    ///
    /// # Errors
    /// It went before, or took too long and was ended: its predecessor is needed again.
    pub(crate) async fn enthrone(&mut self) -> Result<()> {
        let gone = |pid: i32| format!("the successor, process {pid}, has not taken over");
        self.line.say(&Word::Released, &[]).await.with_context(|| gone(self.pid))?;
        let heard = timeout(TAKING, self.line.hear()).await;
        match heard {
            Ok(Ok(Word::Taken)) => Ok(()),
            Ok(Ok(other)) => self.end(&format!("it said {other:?}")).await,
            // It has given up by itself; the locks tell when it holds nothing any more.
            Ok(Err(why)) => Err(why.context(gone(self.pid))),
            Err(_) => self.end(&format!("it did not serve within {} s", TAKING.as_secs())).await,
        }
    }

    /// Ends it for certain, so that two never serve.
    async fn end(&self, why: &str) -> Result<()> {
        // It may have ended by itself, which is as good.
        let _ = pidfd_send_signal(&self.process, Signal::KILL);
        let process = self.process.try_clone()?;
        let gone = tokio::task::spawn_blocking(move || {
            let limit = Timespec::try_from(SILENCE).ok();
            poll(&mut [PollFd::new(&process, PollFlags::IN)], limit.as_ref())
        });
        // The locks tell in the end who holds the state.
        let _ = gone.await;
        bail!("the successor, process {}, has not taken over: {why}", self.pid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_weft_and_another_conversation_are_refused() {
        let ours = Formats::OURS;
        assert!(refusal(PROTOCOL, ours).is_none());
        assert!(refusal(PROTOCOL, Formats { store: ours.store + 1, ..ours }).is_none());
        assert!(refusal(PROTOCOL, Formats { journal: ours.journal - 1, ..ours }).unwrap().1.contains("older"));
        assert!(refusal(PROTOCOL + 1, ours).unwrap().0.contains("version"));
    }
}
