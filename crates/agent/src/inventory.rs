//! What is on the node when an agent starts, set against the journal.
//!
//! ```text
//!  journal ─┐                    ┌─ claimed, process lives → adopted by its owner
//!           ├─► by instance ─────┼─ claimed, process gone  → its end is told, then buried
//!  host ────┘                    └─ bears our name, no claim → taken away here
//! ```

use crate::config::Ports;
use crate::figures::Figures;
use crate::layout::Layout;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use weft_domain::{ClaimId, Fault, InstanceId, SnapshotId};
use weft_ports::claims::{Claimed, Note, ProcessClaim};

/// A process that was claimed.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) claim: ClaimId,
    pub(crate) process: ProcessClaim,
    pub(crate) note: Note,
}

/// What the journal holds for one instance.
#[derive(Debug, Clone, Default)]
pub(crate) struct Holdings {
    /// Folders and disks.
    pub(crate) things: BTreeMap<PathBuf, ClaimId>,
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

/// Reads the journal, finds processes that it does not yet name, and takes away what nobody claimed.
pub(crate) async fn take(ports: &Ports, layout: &Layout, figures: &Figures) -> Result<Stock, Fault> {
    let held = read(ports).await?;
    sweep(ports, layout, figures, &held).await?;
    Ok(held)
}

/// Reads the journal and finds processes that it does not yet name.
pub(crate) async fn read(ports: &Ports) -> Result<Stock, Fault> {
    let mut held = Stock::default();
    for entry in ports.claims.list().await? {
        let (id, instance) = (entry.claim.id, entry.claim.instance);
        match entry.claim.what {
            Claimed::Folder(path) | Claimed::Disk(path) => {
                held.instances.entry(instance).or_default().things.insert(path, id);
            }
            Claimed::Process(process) => {
                let process = Held { claim: id, process, note: entry.note };
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
/// bears the claim, so it is found by that.
async fn name_unnoted(ports: &Ports, held: &mut BTreeMap<InstanceId, Holdings>) -> Result<(), Fault> {
    let found: BTreeMap<_, _> = ports.processes.find().await?.into_iter().collect();
    for process in held.values_mut().flat_map(|holdings| &mut holdings.processes) {
        let unnoted = process.note.alive.is_none() && process.note.exit.is_none();
        if let Some(alive) = found.get(&process.claim).filter(|_| unnoted) {
            process.note.alive = Some(alive.clone());
            // A journal that is full is no reason to leave machines alone: it is found again next time.
            if let Err(fault) = ports.claims.note(process.claim, process.note.clone()).await {
                tracing::warn!(%fault, claim = %process.claim, "the journal did not take a process that was found");
            }
        }
    }
    Ok(())
}

async fn sweep(ports: &Ports, layout: &Layout, figures: &Figures, held: &Stock) -> Result<(), Fault> {
    let claimed: BTreeSet<ClaimId> = held.processes().map(|held| held.claim).collect();
    let mut unclaimed: BTreeSet<ClaimId> = ports.processes.find().await?.into_iter().map(|(claim, _)| claim).collect();
    unclaimed.extend(ports.processes.confined().await?);
    for claim in unclaimed.difference(&claimed) {
        tracing::warn!(%claim, "a process or cgroup bears a claim that the journal does not hold: taken away");
        match ports.processes.clear(*claim).await {
            Ok(()) => figures.released("process"),
            Err(fault) => tracing::warn!(%fault, %claim, "it could not be taken away; the next start tries again"),
        }
    }
    let sockets: BTreeSet<PathBuf> = held.processes().map(|held| held.process.run_dir.clone()).collect();
    for path in unknown(ports, layout.run(), &sockets).await?.into_iter().filter(|path| Layout::holds_sockets(path)) {
        tracing::info!(path = %path.display(), "sockets of a process that is gone: taken away");
        match ports.volumes.remove(&path).await {
            Ok(()) => figures.released("sockets"),
            Err(fault) => tracing::warn!(%fault, "they could not be taken away; the next start tries again"),
        }
    }
    // A folder is claimed before it is made and let go after it is removed, so one that nobody claims
    // was not lost by us. It may hold somebody's disk: it is told and left alone.
    let things = held.instances.values().flat_map(|holdings| holdings.things.keys());
    let folders = things.chain(held.snapshots.values().map(|(_, folder)| folder)).cloned().collect();
    let mut left = unknown(ports, layout.vms(), &folders).await?;
    left.extend(unknown(ports, layout.snapshots(), &folders).await?);
    for path in left {
        tracing::warn!(path = %path.display(), "a folder that the journal does not hold: left alone");
    }
    Ok(())
}

async fn unknown(ports: &Ports, parent: &Path, known: &BTreeSet<PathBuf>) -> Result<Vec<PathBuf>, Fault> {
    let names = ports.volumes.entries(parent).await?;
    Ok(names.into_iter().map(|name| parent.join(name)).filter(|path| !known.contains(path)).collect())
}
