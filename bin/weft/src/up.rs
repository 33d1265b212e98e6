//! `weft up`: server, store and agent in one process, for one machine.
//!
//! ```text
//!  sockets (bound, or a predecessor's) ─► store (locks the data folder) ─► journal ─► control ─► agent ─► serve
//!  signal ────► no new requests ─► agent ─► control ─► store closed                    VMs go on
//!  successor ─► the same, but the sockets stay ─► it serves: end ─► it does not: open all again
//! ```

mod doors;
mod ground;
mod guests;
mod handover;
mod house;
mod limits;
mod listen;
mod metering;
mod ready;
mod reign;
mod routes;

use crate::observe::{self, Figures};
use crate::settings::Settings;
use crate::signals;
use anyhow::Result;
use doors::Doors;
use handover::Predecessor;
use ready::Ready;
use reign::{Left, Locks, Realm};
use weft_cli::Exit;

/// What is done where a weft runs already on the data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// It is told who holds it.
    Alone,
    /// Its place is taken.
    Replacing,
}

/// Runs until it is asked to end, or another has taken its place.
///
/// # Errors
/// What this machine lacks, or who holds what is needed.
pub(crate) async fn run(settings: Settings, start: Start) -> Result<Exit> {
    observe::log(&settings.log_filter, settings.log_format)?;
    for notice in &settings.notices {
        tracing::warn!("{notice}");
    }
    limits::raise();
    let _trim = weft_ports::task::spawn("trim", limits::trim());
    let (end, _signals) = signals::end()?;
    let figures = Figures::begin()?;
    let (ready, doors, mut predecessor) = tokio::select! {
        begun = begin(&settings, start) => begun?,
        // A predecessor sees that we are gone, and goes on.
        () = end.cancelled() => return Ok(if start == Start::Alone { Exit::DONE } else { Exit::INTERRUPTED }),
    };
    let realm = Realm { settings, ready, doors, figures, end };
    let mut locks = if start == Start::Alone { Locks::Refuse } else { Locks::Wait };
    loop {
        match realm.reign(predecessor.take(), std::mem::replace(&mut locks, Locks::Wait)).await? {
            Left::Ended => return Ok(Exit::DONE),
            Left::Interrupted => return Ok(Exit::INTERRUPTED),
            Left::Needed(why) => tracing::error!("{why:#}; going on as before"),
        }
    }
}

/// All that is done before the state is held.
async fn begin(settings: &Settings, start: Start) -> Result<(Ready, Doors, Option<Predecessor>)> {
    if start == Start::Alone {
        let doors = Doors::open(settings, None).await?;
        return Ok((Ready::of(settings).await?, doors, None));
    }
    // What takes time, and what may fail, comes before a predecessor is asked.
    let ready = Ready::of(settings).await?;
    let mut predecessor = handover::begin(settings).await?;
    let handed = predecessor.as_mut().and_then(|it| it.sockets.take());
    let doors = Doors::open(settings, handed).await?;
    if let Some(predecessor) = &mut predecessor {
        tracing::info!(pid = predecessor.pid, version = predecessor.version, "taking the place of a weft");
        predecessor.release().await?;
    }
    Ok((ready, doors, predecessor))
}
