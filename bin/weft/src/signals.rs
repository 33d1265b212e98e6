//! Signals as values: an end that was asked for, and the size of the terminal.

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use weft_cli::terminal::{Size, process_size};
use weft_ports::task::{self, Task};

/// Fires once when the process is asked to end: interrupt, terminate or hang-up.
///
/// # Errors
/// The kernel refuses a handler.
pub(crate) fn end() -> Result<(CancellationToken, Task<()>)> {
    let token = CancellationToken::new();
    let mut interrupt = signal(SignalKind::interrupt()).context("no handler for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("no handler for SIGTERM")?;
    let mut hangup = signal(SignalKind::hangup()).context("no handler for SIGHUP")?;
    let fired = token.clone();
    let task = task::spawn("signals", async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
        fired.cancel();
    });
    Ok((token, task))
}

/// The size of the terminal, and its changes.
///
/// # Errors
/// The kernel refuses a handler.
pub(crate) fn size() -> Result<(watch::Receiver<Size>, Task<()>)> {
    let (sender, receiver) = watch::channel(process_size());
    let mut changed = signal(SignalKind::window_change()).context("no handler for SIGWINCH")?;
    let task = task::spawn("resize", async move {
        while changed.recv().await.is_some() {
            sender.send_replace(process_size());
        }
    });
    Ok((receiver, task))
}
