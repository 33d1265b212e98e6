//! The serial line, attached: what is added to the console's log from now on, and a FIFO that is the guest's
//! keyboard. Any number may be attached at once; none is needed.

use super::shared::Shared;
use rustix::fs::inotify;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::net::unix::pipe;
use weft_ports::hypervisor::State;
use weft_ports::task::{self, Task};

/// What waits for one who is attached, in bytes.
const WAITING: usize = 64 * 1024;
/// Writes of the guest within this time are shown together.
const TOGETHER: Duration = Duration::from_millis(2);

/// One who is attached.
pub(super) struct Console {
    screen: DuplexStream,
    keyboard: pipe::Sender,
    _pump: Task<()>,
}

/// Attaches to the serial line of this machine.
pub(super) fn open(shared: &Arc<Shared>) -> io::Result<Console> {
    let path = shared.held.folder.console_log();
    let keyboard = shared.held.folder.typewriter()?;
    let mut log = File::open(&path)?;
    log.seek(SeekFrom::End(0))?;
    let changes = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
    inotify::add_watch(&changes, &path, inotify::WatchFlags::MODIFY)?;
    let changes = watched(changes)?;
    let (screen, far) = tokio::io::duplex(WAITING);
    let state = shared.state();
    let pump = task::spawn("firecracker-console", async move {
        if let Err(error) = pump(log, changes, state, far).await {
            tracing::debug!(%error, "a console is closed");
        }
    });
    Ok(Console { screen, keyboard, _pump: pump })
}

#[expect(deprecated, reason = "the other way is unsafe code; this descriptor stays the watcher's own")]
fn watched(changes: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(changes)
}

/// Shows what is added to the log, until the machine has ended and all was shown.
async fn pump(
    mut log: File,
    changes: AsyncFd<OwnedFd>,
    mut state: tokio::sync::watch::Receiver<State>,
    mut screen: DuplexStream,
) -> io::Result<()> {
    let mut bytes = vec![0; WAITING];
    loop {
        let has_ended = matches!(*state.borrow_and_update(), State::Ended(_));
        loop {
            let read = log.read(&mut bytes)?;
            if read == 0 {
                break;
            }
            screen.write_all(&bytes[..read]).await?;
        }
        if has_ended {
            return screen.shutdown().await;
        }
        tokio::select! {
            ready = changes.readable() => {
                drain(changes.get_ref());
                ready?.clear_ready();
                tokio::time::sleep(TOGETHER).await;
            }
            changed = state.changed() => if changed.is_err() { return Ok(()) },
        }
    }
}

/// Only that something changed is of use, not what.
fn drain(changes: &OwnedFd) {
    let mut buffer = [MaybeUninit::uninit(); 4_096];
    let mut reader = inotify::Reader::new(changes, &mut buffer);
    while reader.next().is_ok() {}
}

impl AsyncRead for Console {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.screen).poll_read(cx, buf)
    }
}

impl AsyncWrite for Console {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.keyboard).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.keyboard).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Others may type as well: the line has no end.
        Poll::Ready(Ok(()))
    }
}
