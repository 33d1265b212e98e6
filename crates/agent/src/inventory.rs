//! What the journal holds when an agent starts, with processes that it does not name yet.
//!
//! ```text
//!  journal ─┐                  ┌─ process lives → adopted by its owner
//!           ├─► by instance ───┤
//!  host ────┘                  └─ process gone  → its end is told, then buried
//! ```
//!
//! What the host has and nobody claims is the census's.

use crate::config::Ports;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use weft_domain::{ClaimId, Fault, InstanceId, SnapshotId};
use weft_ports::claims::{Claimed, Note, ProcessClaim};

/// A process that was claimed.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) claim: ClaimId,
    pub(crate) process: Arc<ProcessClaim>,
    pub(crate) note: Note,
    /// It was found by its claim, and nobody has written down that it runs: it may be the launcher of an agent
    /// that is no more, which is about to end.
    pub(crate) found: bool,
}

/// A folder or disk that was claimed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thing {
    pub(crate) claim: ClaimId,
    /// How long a disk was made, in bytes; zero while it may not have been.
    pub(crate) made_bytes: u64,
    /// The same as the journal has it.
    pub(crate) noted_bytes: u64,
}

/// Folders and disks by their paths. Most instances have one or two, and there are thousands of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Things(Vec<(PathBuf, Thing)>);

impl Things {
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.0 = Vec::new();
    }

    pub(crate) fn get(&self, path: &Path) -> Option<&Thing> {
        self.0.iter().find(|(own, _)| own == path).map(|(_, thing)| thing)
    }

    pub(crate) fn get_mut(&mut self, path: &Path) -> Option<&mut Thing> {
        self.0.iter_mut().find(|(own, _)| own == path).map(|(_, thing)| thing)
    }

    pub(crate) fn insert(&mut self, path: PathBuf, thing: Thing) {
        if let Some(old) = self.get_mut(&path) {
            *old = thing;
            return;
        }
        self.0.reserve_exact(1);
        self.0.push((path, thing));
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.0.iter().map(|(path, _)| path)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &Thing> {
        self.0.iter().map(|(_, thing)| thing)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut Thing> {
        self.0.iter_mut().map(|(_, thing)| thing)
    }
}

/// What the journal holds for one instance.
#[derive(Debug, Clone, Default)]
pub(crate) struct Holdings {
    /// Folders and disks.
    pub(crate) things: Things,
    /// Processes, oldest first; more than one only if an agent died between an end and its burial.
    pub(crate) processes: Vec<Held>,
}

/// What the journal holds.
#[derive(Debug, Default)]
pub(crate) struct Stock {
    pub(crate) instances: BTreeMap<InstanceId, Holdings>,
    /// Folders of snapshots.
    pub(crate) snapshots: BTreeMap<SnapshotId, (ClaimId, PathBuf)>,
}

impl Stock {
    /// Processes of every instance.
    pub(crate) fn processes(&self) -> impl Iterator<Item = &Held> {
        self.instances.values().flat_map(|holdings| &holdings.processes)
    }
}

/// Reads the journal and finds processes that it does not yet name.
pub(crate) async fn read(ports: &Ports) -> Result<Stock, Fault> {
    let mut held = Stock::default();
    for entry in ports.claims.list().await? {
        let (id, instance) = (entry.claim.id, entry.claim.instance);
        match entry.claim.what {
            Claimed::Folder(path) | Claimed::Disk(path) => {
                let made = entry.note.made_bytes;
                let thing = Thing { claim: id, made_bytes: made, noted_bytes: made };
                held.instances.entry(instance).or_default().things.insert(path, thing);
            }
            Claimed::Process(process) => {
                let process = Held { claim: id, process, note: entry.note, found: false };
                held.instances.entry(instance).or_default().processes.push(process);
            }
            Claimed::Snapshot(snapshot, folder) => {
                held.snapshots.insert(snapshot, (id, folder));
            }
        }
    }
    name_unnoted(ports, &mut held.instances).await?;
    Ok(held)
}

/// An agent may have died after a process was started and before its pid was written down: the process
/// bears the claim, so it is found by that. It is written down when it is taken up.
async fn name_unnoted(ports: &Ports, held: &mut BTreeMap<InstanceId, Holdings>) -> Result<(), Fault> {
    let found: BTreeMap<_, _> = ports.processes.find().await?.into_iter().collect();
    for process in held.values_mut().flat_map(|holdings| &mut holdings.processes) {
        let unnoted = process.note.alive.is_none() && process.note.exit.is_none();
        if let Some(alive) = found.get(&process.claim).filter(|_| unnoted) {
            process.note.alive = Some(alive.clone());
            process.found = true;
        }
    }
    Ok(())
}
