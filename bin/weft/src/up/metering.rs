//! Metering of a house: the node's spool, control's ledger, and what joins the two.
//!
//! ```text
//!  agent's sampler ─► spool (data folder, usage/) ─► desk ─► ledger (data folder, ledger/) ─► UsageService
//! ```
//!
//! Both files are locked as the store is. The ledger is closed last, when no agent hands anything on any more.

use super::ready::Ready;
use crate::rooms::private_folder;
use crate::settings::{Metered, Settings};
use anyhow::{Context, Result};
use std::sync::Arc;
use tokio::sync::oneshot;
use weft_control::{Control, Metering as Desk};
use weft_domain::{Fault, NodeId};
use weft_ports::link::UsageReach;
use weft_ports::spool::Consumer;
use weft_ports::task::{self, Task};

/// What is open for metering.
pub(super) struct Metering {
    /// Control's side, which answers for usage.
    pub(super) desk: Desk,
    /// What the agent is given.
    pub(super) given: weft_agent::Metering,
}

impl Metering {
    /// Each to its own.
    pub(super) fn apart(self) -> (Desk, weft_agent::Metering) {
        (self.desk, self.given)
    }
}

/// Opens spool and ledger; nothing where usage is not measured.
///
/// # Errors
/// Another process holds one of them, or it is damaged.
pub(super) async fn open(
    settings: &Settings,
    id: NodeId,
    ready: &Ready,
    control: &Control,
) -> Result<Option<Metering>> {
    let Some(metered) = settings.metering.clone() else { return Ok(None) };
    let dir = settings.data_dir.join("ledger");
    private_folder(&dir)?;
    let opened = tokio::task::spawn_blocking(move || weft_store::ledger::open(&weft_store::ledger::Config::at(dir)));
    let ledger = opened.await.context("the ledger's opening was broken off")?.map_err(Fault::from)?;
    let desk = Desk::open(control, Arc::new(ledger)).await?;
    let config = spool(settings, &metered, id);
    private_folder(&config.dir)?;
    let opened = tokio::task::spawn_blocking(move || weft_host::spool::open(config));
    let spool = opened.await.context("the spool's opening was broken off")?.map_err(Fault::from)?;
    let given = weft_agent::Metering {
        interval: metered.interval,
        meters: Arc::clone(&ready.meters),
        spool: Arc::new(spool),
        desk: Arc::new(desk.clone()),
    };
    Ok(Some(Metering { desk, given }))
}

fn spool(settings: &Settings, metered: &Metered, id: NodeId) -> weft_host::spool::Config {
    weft_host::spool::Config {
        room_bytes: metered.spool_bytes,
        segment_bytes: (metered.spool_bytes / SEGMENTS).clamp(LEAST_SEGMENT, MOST_SEGMENT),
        keep: metered.keep_records,
        consumers: vec![Consumer::Ledger],
        ..weft_host::spool::Config::of(settings.data_dir.join("usage"), id)
    }
}

/// Segments that a spool has, where they are neither too short nor too long.
const SEGMENTS: u64 = 64;
/// Bytes of a segment.
const LEAST_SEGMENT: u64 = 256 << 10;
const MOST_SEGMENT: u64 = 8 << 20;

/// The running desk.
pub(super) struct Running {
    task: Task<()>,
    stop: oneshot::Sender<()>,
}

impl Running {
    /// Runs the desk of this node, whose records are reached so.
    pub(super) fn begin(desk: Desk, node: NodeId, reach: Arc<dyn UsageReach>) -> Self {
        desk.attach_node(node, reach);
        let (stop, stopped) = oneshot::channel();
        let run = async move {
            let stopped = async move {
                // A sender that is gone means the same.
                let _ = stopped.await;
            };
            desk.run(stopped).await;
        };
        Self { task: task::spawn("metering", run), stop }
    }

    /// Makes what was taken lasting, and ends.
    pub(super) async fn end(self) {
        // One that broke is told where it broke.
        let _ = self.stop.send(());
        drop(self.task.await);
    }
}
