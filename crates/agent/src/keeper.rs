//! One task keeps one snapshot, for as long as it should be kept here.
//!
//! ```text
//!  PENDING ─► claim ─► the VM's owner holds and writes it ─► memory made whole ─► sums ─► manifest ─► told
//!     └──── whatever fails ─► nothing of it is left ─► told
//!  DELETING, or not ours any more ─► folder gone ─► claim let go ─► told
//! ```
//!
//! What always holds: the folder is claimed before it is made; a folder without a manifest is garbage, and
//! is taken away before anything else is put there. A difference is made whole with its parent's memory as
//! soon as it is taken, so that each snapshot can be read, and each parent removed, by itself.

mod inside;

use crate::manifest::{self, Manifest};
use crate::owner::{Ask, Taken, Taking};
use crate::shared::Shared;
use futures::SinkExt;
use futures::channel::mpsc;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{oneshot, watch};
use tracing::Instrument;
use weft_domain::snapshot::{Content, Part, Role, Scope, Snapshot, SnapshotPhase};
use weft_domain::{ClaimId, Fault, InstanceId, Kind, Reason, SnapshotId};
use weft_ports::claims::{Claim, Claimed};
use weft_ports::fault::{self, Point};
use weft_ports::link::{SnapshotReport, SnapshotSight};

/// What is wanted of a snapshot; `None` where it is not this node's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) snapshot: Option<Arc<Snapshot>>,
    /// Nobody said that it should go: control has never heard of it.
    pub(crate) orphan: bool,
    /// The subscription that told it.
    pub(crate) link: u64,
}

/// The way to the owner of an instance, if it is here.
pub(crate) type Owners = Arc<dyn Fn(InstanceId) -> Option<mpsc::Sender<Ask>> + Send + Sync>;

/// The keeper of one snapshot.
pub(crate) struct Keeper {
    pub(crate) id: SnapshotId,
    pub(crate) shared: Arc<Shared>,
    pub(crate) owners: Owners,
    pub(crate) wants: watch::Receiver<Wish>,
    /// The claim of its folder, if it was made.
    pub(crate) claim: Option<(ClaimId, PathBuf)>,
    /// Why it could not be taken.
    pub(crate) failed: Option<String>,
}

impl Keeper {
    /// Keeps it until nothing of it should be left and nothing is, or the agent ends; answers what was
    /// wanted then.
    pub(crate) async fn run(mut self) -> Option<Arc<Snapshot>> {
        let span = tracing::info_span!("snapshot", snapshot = %self.id);
        async {
            loop {
                let wish = self.wants.borrow_and_update().clone();
                if !self.round(wish.clone()).await {
                    return wish.snapshot;
                }
            }
        }
        .instrument(span)
        .await
    }

    /// Does what is wanted now, then waits for another wish; whether it goes on.
    async fn round(&mut self, wish: Wish) -> bool {
        let phase = wish.snapshot.as_ref().map(|snapshot| snapshot.phase);
        let done = match (wish.snapshot, phase) {
            (None, _) if wish.orphan => match self.keep_orphan().await {
                Ok(true) => Ok(()),
                Ok(false) => return false,
                Err(fault) => Err(fault),
            },
            (Some(snapshot), Some(SnapshotPhase::Pending)) => self.ensure(&snapshot).await,
            (_, Some(SnapshotPhase::Ready | SnapshotPhase::Pending)) => Ok(()),
            (_, Some(SnapshotPhase::Failed)) => self.clear().await,
            (_, Some(SnapshotPhase::Deleting) | None) => match self.release().await {
                Ok(()) => return false,
                Err(fault) => Err(fault),
            },
        };
        match done {
            Ok(()) => self.wants.changed().await.is_ok(),
            Err(fault) => {
                if fault.reason == Reason::PhaseForbids {
                    tracing::debug!(%fault, "a snapshot waits for its VM");
                } else {
                    tracing::warn!(%fault, reason = fault.reason.as_str(), "a snapshot is not as it should be yet");
                }
                tokio::select! {
                    changed = self.wants.changed() => changed.is_ok(),
                    () = tokio::time::sleep(self.shared.config.retry) => true,
                }
            }
        }
    }

    /// Takes it, unless that was done or has failed before; tells what came of it.
    async fn ensure(&mut self, snapshot: &Snapshot) -> Result<(), Fault> {
        if self.failed.is_none() {
            let folder = self.shared.layout.snapshot(self.id);
            let kept = match self.kept(&folder).await? {
                Some(content) => Ok(content),
                None => match self.claim_folder(snapshot, &folder).await {
                    Ok(()) => self.make(snapshot, &folder).await,
                    Err(fault) => Err(fault),
                },
            };
            match kept {
                Ok(content) => return self.tell(SnapshotSight::Kept(content)).await,
                // The next agent takes it anew.
                Err(fault) if self.wants.has_changed().is_err() => return Err(fault),
                Err(fault) => {
                    tracing::warn!(%fault, reason = fault.reason.as_str(), "the snapshot could not be taken");
                    self.failed = Some(fault.to_string());
                }
            }
        }
        let cleared = self.clear().await;
        // A disk too full to write that down is no reason to say nothing.
        self.tell(SnapshotSight::Failed(self.failed.clone().unwrap_or_default())).await?;
        cleared
    }

    /// What is in its folder, if it is whole; what is not is taken away.
    async fn kept(&self, folder: &Path) -> Result<Option<Content>, Fault> {
        if self.claim.is_none() {
            return Ok(None);
        }
        let bytes = self.shared.ports.parts.read(&folder.join(manifest::FILE)).await?;
        let content = bytes.and_then(|bytes| manifest::read(&bytes)).map(|manifest| manifest.content);
        if content.is_none() {
            self.shared.ports.volumes.remove(folder).await?;
        }
        Ok(content)
    }

    /// One that was ever whole stays; garbage goes. Whether it stays.
    async fn keep_orphan(&mut self) -> Result<bool, Fault> {
        let folder = self.shared.layout.snapshot(self.id);
        if self.shared.ports.parts.read(&folder.join(manifest::FILE)).await?.is_some() {
            self.shared.orphans.add_snapshot(self.id, folder);
            return Ok(true);
        }
        self.release().await?;
        Ok(false)
    }

    async fn claim_folder(&mut self, snapshot: &Snapshot, folder: &Path) -> Result<(), Fault> {
        if self.claim.is_some() {
            return Ok(());
        }
        let clock = &self.shared.ports.clock;
        let id = ClaimId::new(clock.now(), clock.random());
        let what = Claimed::Snapshot(self.id, folder.to_owned());
        self.shared.ports.claims.claim(vec![Claim { id, instance: snapshot.instance, what }]).await?;
        self.claim = Some((id, folder.to_owned()));
        Ok(())
    }

    async fn make(&self, snapshot: &Snapshot, folder: &Path) -> Result<Content, Fault> {
        fault::hit(Point::AgentKeeping);
        self.check_room(snapshot).await?;
        self.shared.ports.volumes.make_folder(folder).await?;
        let parent = match snapshot.parent.filter(|_| snapshot.scope == Scope::Difference) {
            Some(parent) => self.memory_of(parent).await?.map(|memory| (parent, memory)),
            None => None,
        };
        if snapshot.scope == Scope::Internal {
            self.mark_inside(snapshot.instance, folder).await?;
        }
        let taking = Taking {
            id: self.id,
            folder: folder.to_owned(),
            scope: snapshot.scope,
            parent: parent.as_ref().map(|(id, _)| *id),
        };
        let taken = self.ask(snapshot.instance, taking).await?;
        if let (Scope::Difference, Some((_, memory))) = (taken.scope, &parent) {
            for (_, file) in taken.parts.iter().filter(|(role, _)| *role == Role::Memory) {
                self.shared.ports.parts.fill(&folder.join(file), memory).await?;
            }
        }
        let spec = taken.spec.clone();
        let manifest = Manifest { content: self.sum(taken, folder).await?, spec };
        let written = manifest::write(&manifest);
        let bytes = written.map_err(|error| Fault::internal(format!("a manifest cannot be written: {error}")))?;
        fault::hit(Point::AgentKept);
        self.shared.ports.parts.write(&folder.join(manifest::FILE), bytes).await?;
        fault::hit(Point::AgentListed);
        let content = manifest.content;
        tracing::info!(bytes = content.bytes(), parts = content.parts.len(), "a snapshot was taken");
        Ok(content)
    }

    /// What runs on the same disk must not run into a full one.
    async fn check_room(&self, snapshot: &Snapshot) -> Result<(), Fault> {
        let volumes = &self.shared.ports.volumes;
        let disks = volumes.allocated_bytes(&self.shared.layout.folder(snapshot.instance)).await?;
        let memory = match snapshot.scope {
            Scope::Full | Scope::Difference => snapshot.spec.memory.size_bytes,
            Scope::Disks => 0,
            // What its disks lie on is not ours to count; QEMU says where it is full.
            Scope::Internal => return Ok(()),
        };
        let free = volumes.free_bytes().await?.saturating_sub(self.shared.config.reserved_disk_bytes);
        let needed = disks.saturating_add(memory);
        if needed > free {
            let why = format!("the snapshot may take {needed} bytes, and {free} are free on the node");
            return Err(Fault::new(Reason::DiskExhausted, why).fix("remove what is not needed any more"));
        }
        Ok(())
    }

    /// The memory of another snapshot, if it is whole and here.
    async fn memory_of(&self, id: SnapshotId) -> Result<Option<PathBuf>, Fault> {
        let folder = self.shared.layout.snapshot(id);
        let bytes = self.shared.ports.parts.read(&folder.join(manifest::FILE)).await?;
        let manifest = bytes.and_then(|bytes| manifest::read(&bytes)).unwrap_or_default();
        let memory = manifest.content.parts.into_iter().find(|part| part.role == Role::Memory);
        Ok(memory.map(|part| folder.join(part.file)))
    }

    async fn ask(&self, instance: InstanceId, taking: Taking) -> Result<Taken, Fault> {
        let away = || Fault::new(Reason::SnapshotFailed, "the VM is not on this node, or went away");
        let mut owner = (self.owners)(instance).ok_or_else(away)?;
        let (answer, taken) = oneshot::channel();
        owner.send(Ask::Keep(Box::new(taking), answer)).await.map_err(|_| away())?;
        taken.await.map_err(|_| away())?
    }

    async fn sum(&self, taken: Taken, folder: &Path) -> Result<Content, Fault> {
        let mut parts = Vec::with_capacity(taken.parts.len());
        for (role, file) in taken.parts {
            let measured = self.shared.ports.parts.measure(&folder.join(&file)).await?;
            let measured = measured.ok_or_else(|| {
                Fault::new(Reason::SnapshotFailed, format!("the VMM wrote no file {file}, which it named"))
            })?;
            parts.push(Part { role, file, bytes: measured.bytes, sha256: measured.sha256 });
        }
        Ok(Content { driver: taken.driver, taken: Some(taken.at), parts })
    }

    /// Nothing of it is left, and its claim is let go.
    async fn clear(&mut self) -> Result<(), Fault> {
        let Some((claim, folder)) = &self.claim else { return Ok(()) };
        self.empty_inside(folder).await?;
        self.shared.ports.volumes.remove(folder).await?;
        self.shared.ports.claims.release(vec![*claim]).await?;
        self.claim = None;
        Ok(())
    }

    async fn release(&mut self) -> Result<(), Fault> {
        self.clear().await?;
        tracing::info!("a snapshot was removed");
        match self.tell(SnapshotSight::Released).await {
            // Control has forgotten it by itself.
            Err(fault) if fault.kind() == Kind::NotFound => Ok(()),
            other => other,
        }
    }

    async fn tell(&self, sight: SnapshotSight) -> Result<(), Fault> {
        let node = self.shared.config.node.id;
        self.shared.ports.placements.report_snapshot(node, SnapshotReport { id: self.id, sight }).await
    }
}
