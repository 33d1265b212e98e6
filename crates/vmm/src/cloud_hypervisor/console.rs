//! weft's own console: what the guest says goes straight to a file, what it is told comes by a terminal.
//!
//! ```text
//!  guest ──► stdout of the process = the log, appended          ──► read from its end, as it grows
//!  guest ◄── stdin of the process = our end of a terminal ◄──── the other end ◄── what is typed
//! ```
//!
//! Cloud Hypervisor reads its input only where that is a terminal. The process holds both ends itself, so
//! neither is lost when we end: whoever comes later opens the other end by its name and goes on typing.
//! Output is never held up by one who does not read.

use crate::growing::Growing;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::net::unix::pipe::Sender;
use tokio::sync::watch;
use weft_ports::hypervisor::State;
use weft_ports::task::{self, Task};

/// What waits on its way, in bytes, each way.
const BUFFER: usize = 64 * 1024;

/// A terminal whose both ends go to the process.
pub(super) struct Terminal {
    /// Its input.
    pub(super) ours: OwnedFd,
    /// Held so that the terminal stays.
    pub(super) other: OwnedFd,
    /// By which the other end is opened.
    pub(super) name: PathBuf,
}

impl Terminal {
    /// A new one, which passes on bytes as they are.
    pub(super) fn make() -> io::Result<Self> {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        let name = PathBuf::from(ptsname(&ours, Vec::new())?.to_string_lossy().into_owned());
        let other = open_other(&name)?;
        let mut settings = tcgetattr(&other)?;
        settings.make_raw();
        tcsetattr(&other, OptionalActions::Now, &settings)?;
        Ok(Self { ours, other: other.into(), name })
    }
}

/// The other end of a terminal, or a terminal of the host that is given.
pub(super) fn open_other(name: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::NONBLOCK;
    File::options().read(true).write(true).custom_flags(flags.bits().cast_signed()).open(name)
}

/// Both ways of a console.
pub(super) struct Attached {
    stream: DuplexStream,
    _pump: Task<()>,
}

/// Opens the console that is logged here and typed to there, until the machine has ended.
pub(super) fn attach(log: &Path, terminal: &Path, state: watch::Receiver<State>) -> io::Result<Attached> {
    let growing = Growing::of(log)?;
    // It is no pipe and is written to as one.
    let terminal = Sender::from_file_unchecked(open_other(terminal)?)?;
    let (stream, theirs) = tokio::io::duplex(BUFFER);
    let pump = async move {
        if let Err(error) = pump(growing, terminal, (theirs, state)).await {
            tracing::debug!(%error, "a console has closed");
        }
    };
    Ok(Attached { stream, _pump: task::spawn("cloud-hypervisor-console", pump) })
}

async fn pump(
    growing: Growing,
    mut terminal: Sender,
    (stream, state): (DuplexStream, watch::Receiver<State>),
) -> io::Result<()> {
    let (mut typed, mut shown) = tokio::io::split(stream);
    let up = async {
        let mut bytes = [0; 1_024];
        loop {
            let read = typed.read(&mut bytes).await?;
            if read == 0 {
                // Nothing more is typed; what is shown goes on.
                std::future::pending::<()>().await;
            }
            terminal.write_all(&bytes[..read]).await?;
        }
    };
    tokio::select! {
        done = growing.show(state, &mut shown) => done,
        done = up => done,
    }
}

impl AsyncRead for Attached {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Attached {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use tokio::net::unix::pipe::Receiver;

    #[tokio::test]
    async fn what_is_typed_arrives_as_it_is_and_what_is_said_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        std::fs::write(&log, "before\n").unwrap();
        let terminal = Terminal::make().unwrap();
        let (_hold, state) = watch::channel(State::Running);
        let mut console = attach(&log, &terminal.name, state).unwrap();
        console.write_all(b"a\r\x03\n").await.unwrap();
        rustix::io::ioctl_fionbio(&terminal.ours, true).unwrap();
        let mut ours = Receiver::from_file_unchecked(terminal.ours.into()).unwrap();
        let mut typed = [0; 16];
        let read = ours.read(&mut typed).await.unwrap();
        assert_eq!(&typed[..read], b"a\r\x03\n");
        let mut guest = File::options().append(true).open(&log).unwrap();
        guest.write_all(b"hello\n").unwrap();
        let mut shown = [0; 6];
        console.read_exact(&mut shown).await.unwrap();
        assert_eq!(&shown, b"hello\n");
    }

    #[tokio::test]
    async fn it_closes_when_the_machine_ends_after_all_was_shown() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        std::fs::write(&log, "").unwrap();
        let terminal = Terminal::make().unwrap();
        let (sender, state) = watch::channel(State::Running);
        let mut console = attach(&log, &terminal.name, state).unwrap();
        std::fs::write(&log, "last").unwrap();
        let end = weft_ports::hypervisor::End {
            way: weft_ports::hypervisor::Way::Poweroff,
            at: weft_domain::Time::from_millis(1),
            message: "the guest powered off".to_owned(),
            log_tail: Vec::new(),
        };
        sender.send(State::Ended(end)).unwrap();
        let mut shown = String::new();
        console.read_to_string(&mut shown).await.unwrap();
        assert_eq!(shown, "last");
    }
}
