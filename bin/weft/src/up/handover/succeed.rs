//! The successor's part: finds who runs, asks for its sockets, and tells when it serves.
//!
//! A predecessor that goes at any moment is no obstacle: what it left is opened as after a crash.

use super::wire::Line;
use super::{Formats, PROTOCOL, Word};
use crate::settings::Settings;
use crate::state::Running;
use anyhow::{Context, Result, anyhow, bail, ensure};
use rustix::net::sockopt::socket_acceptconn;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::net::UnixStream;
use tokio::time::{sleep, timeout};
use weft_domain::{Fault, Reason};

/// How long is asked again where a predecessor goes while it is asked.
const ASKING: Duration = Duration::from_secs(5);
/// How long a wait is between.
const BREATH: Duration = Duration::from_millis(20);
/// How long a predecessor may take to answer a question; others may be before us.
const ANSWER: Duration = Duration::from_secs(15);
/// How long a predecessor may take from `go` to `released`; its own limits are within this.
const RELEASE: Duration = Duration::from_secs(45);

/// Who runs, and what it has offered.
#[derive(Debug)]
pub(crate) struct Predecessor {
    line: Line,
    /// Its process, as it says.
    pub(crate) pid: u32,
    /// Its version.
    pub(crate) version: String,
    /// Its listening sockets, of the API and of the metrics.
    pub(crate) sockets: Option<(TcpListener, TcpListener)>,
}

/// Asks whoever runs on this data folder for its sockets; nothing where nobody runs.
///
/// # Errors
/// It refuses, or knows no hand-over; or the state is of a newer format.
pub(crate) async fn begin(settings: &Settings) -> Result<Option<Predecessor>> {
    weft_store::embedded::readable(&settings.data_dir.join("store")).map_err(Fault::from)?;
    weft_host::journal::readable(&settings.data_dir.join("journal")).map_err(Fault::from)?;
    let begun = Instant::now();
    loop {
        let Some(running) = Running::find(&settings.data_dir).filter(|it| it.lives(&settings.data_dir)) else {
            return Ok(None);
        };
        let asked = match connect(&running).await {
            Ok(line) => timeout(ANSWER, ask(line)).await.context("the weft that runs does not answer").flatten(),
            Err(why) => Err(why),
        };
        match asked {
            Ok(predecessor) => return Ok(Some(predecessor)),
            Err(why) if why.downcast_ref::<Fault>().is_some() || begun.elapsed() > ASKING => {
                return Err(why.context(format!("weft (process {}) does not hand over", running.pid)));
            }
            // It may be ending or just beginning.
            Err(why) => tracing::debug!("asking again: {why:#}"),
        }
        sleep(BREATH).await;
    }
}

async fn connect(running: &Running) -> Result<Line> {
    let gate: &Path = running.gate.as_deref().ok_or_else(|| {
        Fault::new(Reason::StoreHeld, format!("weft (process {}) knows no hand-over", running.pid))
            .fix("end it with `weft down --keep-vms`, then start this one")
    })?;
    let stream = UnixStream::connect(gate).await.with_context(|| format!("nobody answers at {}", gate.display()))?;
    Line::with(stream)
}

async fn ask(mut line: Line) -> Result<Predecessor> {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let question = Word::Ask { protocol: PROTOCOL, version, pid: std::process::id(), reads: Formats::OURS };
    line.say(&question, &[]).await?;
    match line.hear().await? {
        Word::Offer { version, pid, api, metrics, .. } => {
            let fds = line.take_fds();
            let [first, second] = <[OwnedFd; 2]>::try_from(fds).map_err(|fds| anyhow!("{} sockets came", fds.len()))?;
            let sockets = Some((listening(first, api)?, listening(second, metrics)?));
            Ok(Predecessor { line, pid, version, sockets })
        }
        Word::Refused { why, fix } => Err(Fault::new(Reason::StoreHeld, why).fix(fix).into()),
        other @ (Word::Ask { .. } | Word::Go | Word::Released | Word::Taken) => {
            bail!("the answer to a question is an offer, not {other:?}")
        }
    }
}

/// The listening socket of this descriptor, which must be what it is said to be.
fn listening(fd: OwnedFd, told: SocketAddr) -> Result<TcpListener> {
    ensure!(socket_acceptconn(&fd).unwrap_or(false), "what came for {told} is no listening socket");
    let listener = TcpListener::from(fd);
    let found = listener.local_addr().with_context(|| format!("what came for {told} is no TCP socket"))?;
    ensure!(found == told && found.ip().is_loopback(), "what came for {told} listens at {found}");
    listener.set_nonblocking(true)?;
    Ok(listener)
}

impl Predecessor {
    /// Asks it to let all go, and waits until it has, or is no more.
    ///
    /// # Errors
    /// It does not let go, and goes on.
    pub(crate) async fn release(&mut self) -> Result<()> {
        let released = async {
            self.line.say(&Word::Go, &[]).await?;
            self.line.hear().await
        };
        match timeout(RELEASE, released).await {
            Ok(Ok(Word::Released)) => Ok(()),
            Ok(Ok(other)) => bail!("weft (process {}) was asked to let go, and says {other:?}", self.pid),
            Ok(Err(why)) => {
                tracing::warn!("weft (process {}) went while it handed over ({why:#}); taking what it left", self.pid);
                Ok(())
            }
            Err(_) => bail!("weft (process {}) did not let go within {} s, and goes on", self.pid, RELEASE.as_secs()),
        }
    }

    /// Tells it that it is no longer needed.
    pub(crate) async fn dismiss(self) {
        // One that is gone needs not be told.
        if let Err(why) = self.line.say(&Word::Taken, &[]).await {
            tracing::debug!("the predecessor could not be told: {why:#}");
        }
    }
}
