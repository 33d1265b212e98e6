//! What one look at the host leaves for the next.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use weft_domain::SnapshotId;
use weft_domain::census::{Held, Hold, Leaks, What};

/// What one look leaves for the next.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    pub(crate) leaks: Mutex<Leaks>,
    /// Leaked and left alone, as the last look told it.
    pub(crate) told: Mutex<BTreeSet<What>>,
    /// Snapshots that the state let go and that may still be here.
    ending: Mutex<BTreeSet<SnapshotId>>,
}

/// What is in it, whoever panicked with it.
pub(crate) fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Looks {
    /// A run begins: no owner works yet.
    pub(crate) fn begin(&self) {
        *lock(&self.leaks) = Leaks::default();
        lock(&self.told).clear();
    }

    /// The state lets this snapshot go.
    pub(crate) fn ends(&self, id: SnapshotId) {
        lock(&self.ending).insert(id);
    }

    /// Those of the snapshots that were let go that are still claimed.
    pub(crate) fn ending(&self, holds: &[Hold]) -> BTreeSet<SnapshotId> {
        let mut ending = lock(&self.ending);
        if !ending.is_empty() {
            let snapshot = |hold: &Hold| match &hold.held {
                Held::Snapshot(id, _) => Some(*id),
                Held::Folder(_) | Held::Disk(_) | Held::Process { .. } => None,
            };
            let here: BTreeSet<_> = holds.iter().filter_map(snapshot).collect();
            ending.retain(|id| here.contains(id));
        }
        ending.clone()
    }
}
