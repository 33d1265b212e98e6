//! A moment of the instance, kept: held, written, its disks copied, and let go again.
//!
//! ```text
//!  pause ─► memory and devices by the driver ─► disks that can be written ─► resume
//!    └──────────────── whatever fails, it goes on as it was ───────────────────┘
//! ```
//!
//! What takes long and needs no held machine, such as sums, is the keeper's.

use super::Owner;
use super::patience::{is_forced, is_gone};
use bytes::Bytes;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use weft_domain::snapshot::{Role, Scope};
use weft_domain::spec::{Disk, DiskFormat, DiskSource};
use weft_domain::usage::Edge;
use weft_domain::{Fault, Reason, SnapshotId, Time};
use weft_ports::hypervisor::{Keep, Machine, State};
use weft_ports::volumes::Want;

/// What is to be kept.
#[derive(Debug, Clone)]
pub(crate) struct Taking {
    pub(crate) id: SnapshotId,
    /// Its folder, which is empty.
    pub(crate) folder: PathBuf,
    pub(crate) scope: Scope,
    /// The snapshot whose memory this one's may complete.
    pub(crate) parent: Option<SnapshotId>,
}

/// What was kept.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    /// The driver that wrote it, with its version; empty where none did.
    pub(crate) driver: String,
    /// When the machine was held.
    pub(crate) at: Time,
    /// [`Scope::Full`] where a difference was asked and the VMM does not count from the parent.
    pub(crate) scope: Scope,
    pub(crate) parts: Vec<(Role, String)>,
    /// What the machine was made of, as the codec wrote it; empty where that is not known.
    pub(crate) spec: Bytes,
}

impl Owner {
    /// Keeps this moment; a machine that ran goes on, whatever came of it.
    pub(super) async fn keep(&mut self, taking: &Taking) -> Result<Taken, Fault> {
        let Some(live) = self.up() else { return self.keep_at_rest(taking).await };
        let (machine, held) = (Arc::clone(&live.machine), *live.state.borrow() == State::Held);
        if held {
            return self.keep_held(machine.as_ref(), taking).await;
        }
        self.unless_forced(machine.pause()).await?;
        self.until(|state| *state == State::Held).await?;
        self.mark(Edge::Pause).await;
        let kept = match self.up().map(|live| live.state.borrow().clone()) {
            Some(State::Held) => self.keep_held(machine.as_ref(), taking).await,
            Some(State::Running | State::Ended(_)) | None => {
                Err(Fault::new(Reason::SnapshotFailed, "the machine could not be held"))
            }
        };
        if self.up().is_some()
            && let Err(fault) = self.unless_forced(machine.resume()).await
        {
            // The next round lets it go on, as that is what is wanted.
            tracing::warn!(%fault, "a machine that was held for a snapshot does not go on yet");
        }
        self.until(|state| *state == State::Running).await?;
        self.mark(Edge::Resume).await;
        kept
    }

    async fn keep_held(&mut self, machine: &dyn Machine, taking: &Taking) -> Result<Taken, Fault> {
        let at = self.now();
        // Whatever comes of it, the VMM may count from here on.
        let base = self.live.as_mut().and_then(|live| live.base.take());
        let apart = taking.scope == Scope::Difference && (base.is_none() || base != taking.parent);
        let scope = if apart { Scope::Full } else { taking.scope };
        let mut parts = Vec::new();
        let mut driver = String::new();
        if scope != Scope::Disks {
            let keep = Keep { folder: taking.folder.clone(), scope };
            parts = self.unless(is_forced, machine.keep(&keep)).await?;
            driver = machine.chosen().driver;
        }
        if scope != Scope::Internal {
            parts.extend(self.unless(is_forced, self.keep_disks(taking)).await?);
        }
        if let Some(live) = self.live.as_mut() {
            live.base = match scope {
                Scope::Full | Scope::Difference => Some(taking.id),
                Scope::Disks | Scope::Internal => base,
            };
        }
        let made = self.live.as_ref().and_then(|live| live.made.as_ref());
        let spec = made.and_then(|made| made.running.spec());
        let spec = spec.map(|spec| self.shared.ports.specs.encode_spec(&spec).into()).unwrap_or_default();
        Ok(Taken { driver, at, scope, parts, spec })
    }

    /// Takes away what is inside its disks of the snapshot of this folder.
    pub(super) async fn forget(&mut self, folder: &Path) -> Result<(), Fault> {
        let Some(live) = self.up() else {
            return Err(Fault::new(Reason::PhaseForbids, "what is inside the disks of a VM goes when the VM runs"));
        };
        let machine = Arc::clone(&live.machine);
        self.unless(is_forced, machine.forget(folder)).await
    }

    async fn keep_at_rest(&mut self, taking: &Taking) -> Result<Taken, Fault> {
        let stopped = self.live.is_none() && self.unsettled.is_empty() && self.reserved.is_none();
        if !stopped || taking.scope != Scope::Disks {
            let why = if stopped { "the VM does not run" } else { "the VM is neither running nor stopped" };
            return Err(Fault::new(Reason::SnapshotFailed, why));
        }
        let at = self.now();
        let parts = self.unless(is_gone, self.keep_disks(taking)).await?;
        let spec = self.shared.ports.specs.encode_spec(&self.placed()?.spec).into();
        Ok(Taken { driver: String::new(), at, scope: Scope::Disks, parts, spec })
    }

    /// Copies the disks that its guest can write.
    async fn keep_disks(&self, taking: &Taking) -> Result<Vec<(Role, String)>, Fault> {
        let placed = self.placed()?;
        let made = self.live.as_ref().and_then(|live| live.made.as_ref());
        let disks = made.map_or(&placed.spec.disks, |made| &made.running.disks);
        let mut parts = Vec::new();
        for (i, disk) in disks.iter().enumerate().filter(|(_, disk)| !disk.read_only) {
            let Some(path) = self.disk_to_keep(disk, i).await? else { continue };
            let ending = match disk.format {
                DiskFormat::Raw => "raw",
                DiskFormat::Qcow2 => "qcow2",
            };
            let file = format!("disk-{}.{ending}", disk.name);
            self.shared.ports.parts.copy(&path, &taking.folder.join(&file)).await?;
            parts.push((Role::Disk(disk.name.clone()), file));
        }
        Ok(parts)
    }

    async fn disk_to_keep(&self, disk: &Disk, at: usize) -> Result<Option<PathBuf>, Fault> {
        match &disk.source {
            DiskSource::Blank { .. } => Ok(Some(self.shared.layout.disk(self.id, &disk.name))),
            DiskSource::Path(path) => {
                let field = format!("vm.spec.disks[{at}].path");
                self.shared.ports.volumes.resolve(path, Want::DiskToRead, &field).await.map(Some)
            }
            // What another process serves is that process's to keep.
            DiskSource::Volume(_) | DiskSource::Image(_) | DiskSource::VhostUser { .. } => Ok(None),
        }
    }
}
