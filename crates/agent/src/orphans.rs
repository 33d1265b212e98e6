//! What the journal holds and the state does not know: kept until a person says otherwise.
//!
//! ```text
//!  journal ─┐            ┌─ placed, or told to go ─► its owner or keeper
//!           ├─ all told ─┤
//!  control ─┘            └─ never heard of ─► orphan: left as it is, told ─► released when a person gives it up
//! ```
//!
//! An instance is in the state before anything of it is claimed, and leaves the state after its last claim was
//! let go. So what is claimed and unknown was not deleted by anybody: the state is older than the journal,
//! as after the restoring of a backup. Nothing of it is touched; a state that knows it takes it up again. A
//! machine that lives and is not claimed shows the reverse, a journal that lost records: then nothing begins.

use crate::config::Ports;
use crate::inventory::Holdings;
use crate::layout::Layout;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};
use weft_domain::node::{Facts, Orphans as Ids};
use weft_domain::{ClaimId, Fault, InstanceId, Reason, SnapshotId};

/// So many are named in the node's warnings; the log names all.
const NAMED: usize = 16;

/// What is known of an orphan.
#[derive(Debug, Clone, Default)]
struct Orphan {
    /// What of it is here, for people.
    what: String,
    /// Memory that its process may take, in bytes.
    memory_bytes: u64,
}

/// What this run found that the state does not know.
#[derive(Debug, Default)]
pub(crate) struct Orphans {
    found: Mutex<Found>,
    news: Notify,
    /// Given up by a person, and not gone yet.
    going: watch::Sender<Ids>,
}

#[derive(Debug, Default)]
struct Found {
    instances: BTreeMap<InstanceId, Orphan>,
    snapshots: BTreeMap<SnapshotId, PathBuf>,
}

impl Orphans {
    fn lock(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A subscription begins: what is known is told anew.
    pub(crate) fn clear(&self) {
        *self.lock() = Found::default();
    }

    /// Nobody placed this instance, and nobody deleted it.
    pub(crate) fn add(&self, ports: &Ports, layout: &Layout, id: InstanceId, held: Option<&Holdings>) {
        let orphan = describe(ports, layout, id, held);
        tracing::error!(instance = %id, here = orphan.what, fix = FIX, "the state does not know it: kept");
        self.lock().instances.insert(id, orphan);
        self.news.notify_one();
    }

    /// The same of a snapshot, which is in this folder.
    pub(crate) fn add_snapshot(&self, id: SnapshotId, folder: PathBuf) {
        tracing::error!(snapshot = %id, folder = %folder.display(), fix = FIX, "the state does not know it: kept");
        self.lock().snapshots.insert(id, folder);
        self.news.notify_one();
    }

    /// Answers when there is one that the node has not told yet.
    pub(crate) async fn news(&self) {
        self.news.notified().await;
    }

    /// A person gives these up. What is no orphan is left alone.
    pub(crate) fn give_up(&self, which: &Ids) {
        let given_up = {
            let mut found = self.lock();
            let instances = which.instances.iter().filter(|id| found.instances.contains_key(id)).copied().collect();
            let snapshots = which.snapshots.iter().filter(|id| found.snapshots.contains_key(id)).copied().collect();
            let given_up = Ids { instances, snapshots };
            found.instances.retain(|id, _| !given_up.instances.contains(id));
            found.snapshots.retain(|id, _| !given_up.snapshots.contains(id));
            given_up
        };
        if !given_up.is_empty() {
            self.going.send_modify(|going| {
                going.instances.extend(given_up.instances);
                going.snapshots.extend(given_up.snapshots);
            });
        }
    }

    /// What a person gave up, as it changes.
    pub(crate) fn going(&self) -> watch::Receiver<Ids> {
        self.going.subscribe()
    }

    /// Nothing of this instance is left, or the state knows it again.
    pub(crate) fn gone(&self, id: InstanceId) {
        if self.going.send_if_modified(|going| going.instances.remove(&id)) {
            self.news.notify_one();
        }
    }

    /// The same of a snapshot.
    pub(crate) fn gone_snapshot(&self, id: SnapshotId) {
        if self.going.send_if_modified(|going| going.snapshots.remove(&id)) {
            self.news.notify_one();
        }
    }

    /// The instances among them.
    pub(crate) fn instances(&self) -> Vec<InstanceId> {
        self.lock().instances.keys().copied().collect()
    }

    /// The snapshots among them.
    pub(crate) fn snapshots(&self) -> Vec<SnapshotId> {
        self.lock().snapshots.keys().copied().collect()
    }

    /// Writes into what the node tells of itself what they are, and that they take memory and disk.
    pub(crate) fn tell(&self, facts: &mut Facts, disk_bytes: u64) {
        let found = self.lock();
        let memory = found.instances.values().fold(0u64, |sum, orphan| sum.saturating_add(orphan.memory_bytes));
        facts.allocatable_memory_bytes = facts.allocatable_memory_bytes.saturating_sub(memory);
        facts.allocatable_disk_bytes = facts.allocatable_disk_bytes.saturating_sub(disk_bytes);
        let instances = found.instances.iter().map(|(id, orphan)| format!("{id} ({})", orphan.what));
        let snapshots = found.snapshots.iter().map(|(id, folder)| format!("{id} (in {})", folder.display()));
        let all: Vec<_> = instances.chain(snapshots).collect();
        if all.is_empty() {
            return;
        }
        let more = all.len().saturating_sub(NAMED);
        let mut text = format!("unknown to the state, and kept: {}", all[..all.len() - more].join(", "));
        if more > 0 {
            // Writing to a text does not fail.
            let _ = write!(text, ", and {more} more");
        }
        facts.warnings.push(format!("{text}; {FIX}"));
    }
}

/// What a person can do about them.
const FIX: &str = "the state is older than what runs here, as after restoring a backup: restore a newer backup, or \
                   save what is worth it and let the rest go with weft node release-orphans";

fn describe(ports: &Ports, layout: &Layout, id: InstanceId, held: Option<&Holdings>) -> Orphan {
    let folder = layout.folder(id).display().to_string();
    let process = held.and_then(|held| held.processes.last());
    let alive = process.and_then(|it| it.note.alive.clone()).filter(|alive| ports.processes.lives(alive));
    let Some((process, alive)) = process.zip(alive) else {
        return Orphan { what: format!("does not run, {folder}"), memory_bytes: 0 };
    };
    let spec = ports.specs.decode_spec(&process.process.spec);
    Orphan {
        what: format!("runs as process {}, {folder}", alive.pid),
        memory_bytes: spec.map_or(0, |spec| spec.memory.size_bytes),
    }
}

/// A machine is claimed before it is started and let go after it has ended, so one that lives in a folder of
/// ours and is not claimed shows that the journal has lost records: to go on would end it, or start it twice.
pub(crate) async fn refuse_lost(ports: &Ports, layout: &Layout) -> Result<(), Fault> {
    let claimed: BTreeSet<ClaimId> = ports.claims.list().await?.into_iter().map(|entry| entry.claim.id).collect();
    let mut folders: BTreeSet<PathBuf> =
        ports.volumes.entries(layout.run()).await?.into_iter().map(|name| layout.run().join(name)).collect();
    // Whoever may start processes can write any claim into their variables, also one that only ends as that
    // of a machine does: a folder that is claimed shows nothing but its own.
    claimed.iter().for_each(|claim| _ = folders.remove(&layout.sockets(*claim)));
    // A program that was only looked at has no folder there.
    let lost = |claim: &ClaimId| !claimed.contains(claim) && folders.contains(&layout.sockets(*claim));
    let found = ports.processes.find().await?;
    let pids: Vec<_> = found.iter().filter(|(claim, _)| lost(claim)).map(|(_, alive)| alive.pid.to_string()).collect();
    if pids.is_empty() {
        return Ok(());
    }
    let pids = pids.join(", ");
    let why = format!("the journal, journal/claims.log in the data folder, does not hold the VMs that run as {pids}");
    Err(Fault::new(Reason::StoreDamaged, format!("{why}: it has lost records, and nothing was changed")).fix(
        "put the journal back as it was; or end these processes by hand where their VMs may be cut off, and start \
         weft again: it boots those that should run from their disks",
    ))
}
