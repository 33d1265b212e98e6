//! The serial line, attached: what is added to the console's log from now on, and a FIFO that is the guest's
//! keyboard. Any number may be attached at once; none is needed.

use super::shared::Shared;
use crate::growing::Growing;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::unix::pipe;
use weft_ports::task::{self, Task};

/// What waits for one who is attached, in bytes.
const WAITING: usize = 64 * 1024;

/// One who is attached.
pub(super) struct Console {
    screen: DuplexStream,
    keyboard: pipe::Sender,
    _pump: Task<()>,
}

/// Attaches to the serial line of this machine.
pub(super) fn open(shared: &Arc<Shared>) -> io::Result<Console> {
    let keyboard = shared.held.folder.typewriter()?;
    let growing = Growing::of(&shared.held.folder.console_log())?;
    let (screen, mut far) = tokio::io::duplex(WAITING);
    let state = shared.state();
    let pump = task::spawn("firecracker-console", async move {
        if let Err(error) = growing.show(state, &mut far).await {
            tracing::debug!(%error, "a console is closed");
        }
    });
    Ok(Console { screen, keyboard, _pump: pump })
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
