//! The journal of a node: claim first, make second.
//!
//! # Laws
//! When `claim`, `note` or `release` answers, a `kill -9` or a loss of power does not undo it. A record
//! cut short by either is as if it had never been asked. `list` gives each claim that was made and not
//! released, with its newest note. Damage elsewhere is an error, never a shorter list.

pub mod conformance;
pub mod fake;

use crate::hypervisor::{Chosen, Ward};
use crate::processes::Alive;
use bytes::Bytes;
use std::path::PathBuf;
use std::sync::Arc;
use weft_domain::instance::Exit;
use weft_domain::{ClaimId, Fault, IncarnationId, InstanceId, SnapshotId, Time};

/// A record that names a host resource before it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Its id, which the resource's name bears.
    pub id: ClaimId,
    /// The instance that it is for; for a snapshot, the one that it is of.
    pub instance: InstanceId,
    /// What is claimed.
    pub what: Claimed,
}

/// What is claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// A folder and all in it.
    Folder(PathBuf),
    /// A disk that weft makes.
    Disk(PathBuf),
    /// A process with its folder for sockets. It never changes, so all who hold one share it.
    Process(Arc<ProcessClaim>),
    /// A snapshot's folder and all in it, which outlives the instance.
    Snapshot(SnapshotId, PathBuf),
}

/// A process that is going to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessClaim {
    /// Its incarnation.
    pub incarnation: IncarnationId,
    /// The driver's name.
    pub driver: String,
    /// What the driver will choose.
    pub chosen: Chosen,
    /// The boot that it serves.
    pub boot_epoch: u64,
    /// The generation of the specification that it is made from.
    pub generation: u64,
    /// When.
    pub at: Time,
    /// Its folder for sockets.
    pub run_dir: PathBuf,
    /// Where the VMM's own words go.
    pub vmm_log: PathBuf,
    /// How often the restart policy has started the instance, with this one.
    pub restarts: u32,
    /// Where the console's log stood when it was started.
    pub console_offset: u64,
    /// The specification that it is made from, as the codec wrote it.
    pub spec: Bytes,
    /// Whom it is jailed as; no other process of the node is while this is claimed.
    pub ward: Option<Ward>,
    /// The snapshot that it begins from.
    pub origin: Option<SnapshotId>,
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Note {
    /// The process that was started.
    pub alive: Option<Alive>,
    /// The last reboot that it has done.
    pub reboot_epoch: u64,
    /// When its guest was asked to stop.
    pub asked: Option<Time>,
    /// How it ended, until it is reported and buried.
    pub exit: Option<Box<Exit>>,
    /// What it has become since, as the codec wrote it; empty for what it was made from.
    pub spec: Bytes,
    /// The generation that was last taken up as far as it could be; zero for the one it was made from.
    pub applied_generation: u64,
    /// How long a disk is that was made, in bytes; zero while it may not have been.
    pub made_bytes: u64,
}

/// A claim with its newest note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The claim.
    pub claim: Claim,
    /// What became of it.
    pub note: Note,
}

/// The journal.
#[async_trait::async_trait]
pub trait Claims: Send + Sync {
    /// Makes claims, all or none.
    async fn claim(&self, claims: Vec<Claim>) -> Result<(), Fault>;
    /// Replaces the note of a claim.
    async fn note(&self, id: ClaimId, note: Note) -> Result<(), Fault>;
    /// Lets claims go, all or none; absence is success.
    async fn release(&self, ids: Vec<ClaimId>) -> Result<(), Fault>;
    /// All that are held, oldest first.
    async fn list(&self) -> Result<Vec<Entry>, Fault>;
    /// Answers when it takes nothing more, as where what writes has fallen: only an opening anew helps. One that
    /// cannot fall never answers.
    async fn fallen(&self) {
        std::future::pending().await
    }
}
