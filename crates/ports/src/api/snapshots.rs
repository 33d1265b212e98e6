//! Snapshots of VMs as resources; what begins from them.

use super::{Call, ListQuery, Page, Vm, VmRef};
use weft_domain::label::Annotations;
use weft_domain::object::{Revision, Stored};
use weft_domain::snapshot::{Scope, Snapshot};
use weft_domain::{Fault, Labels, Name, SnapshotId};

/// A snapshot with its revision, which is its etag.
pub type KeptSnapshot = Stored<Snapshot>;

/// Which snapshot is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SnapshotRef {
    /// The one with this id.
    Id(SnapshotId),
    /// The one with this name in this project.
    Named {
        /// The project.
        project: Name,
        /// The name.
        name: Name,
    },
}

/// A snapshot that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSnapshot {
    /// Of which VM.
    pub vm: VmRef,
    /// Its name; made from its id where none is given.
    pub name: Option<Name>,
    /// What it is selected by.
    pub labels: Labels,
    /// Text that weft keeps and never reads.
    pub annotations: Annotations,
    /// What is kept.
    pub scope: Scope,
    /// For a difference: the snapshot that it completes.
    pub parent: Option<SnapshotRef>,
    /// Checks everything and takes nothing.
    pub validate_only: bool,
}

/// A removal of a snapshot that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRemoval {
    /// Which snapshot.
    pub snapshot: SnapshotRef,
    /// Only if this is its revision.
    pub etag: Option<Revision>,
    /// Absence is success.
    pub allow_missing: bool,
}

/// A VM that begins from a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// The snapshot.
    pub snapshot: SnapshotRef,
    /// The new VM's name; made from its id where none is given.
    pub name: Option<Name>,
    /// What it is selected by.
    pub labels: Labels,
    /// What its metadata service tells, as a JSON document; `None` for what the snapshot's did.
    pub metadata: Option<String>,
}

/// Snapshots.
#[async_trait::async_trait]
pub trait Snapshots: Send + Sync {
    /// Takes one; answers when it is READY or FAILED.
    async fn create(&self, call: &Call, new: NewSnapshot) -> Result<KeptSnapshot, Fault>;
    /// The one.
    async fn get(&self, call: &Call, snapshot: &SnapshotRef) -> Result<KeptSnapshot, Fault>;
    /// A page of them, by id; the filter knows `vm`, `name`, `phase` and labels.
    async fn list(&self, call: &Call, query: &ListQuery) -> Result<Page<KeptSnapshot>, Fault>;
    /// Removes one that nothing needs; answers it as it was, or nothing where it was absent and that was
    /// allowed.
    async fn delete(&self, call: &Call, removal: SnapshotRemoval) -> Result<Option<KeptSnapshot>, Fault>;
    /// Puts a VM back to where it was: its machine is ended, its disks are laid out as they were, and it
    /// goes on from there.
    async fn restore(&self, call: &Call, vm: &VmRef, snapshot: &SnapshotRef) -> Result<Vm, Fault>;
    /// Begins another VM from one; answers when it is RUNNING.
    async fn fork(&self, call: &Call, fork: Fork) -> Result<Vm, Fault>;
}
