//! The keepers of one run: one per snapshot that is here or should be.

use crate::inventory::{self, Stock};
use crate::keeper::{Keeper, Owners, Wish};
use crate::shared::Shared;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::{FuturesUnordered, StreamExt};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;
use weft_domain::snapshot::Snapshot;
use weft_domain::{ClaimId, SnapshotId};
use weft_ports::task;

/// The claim of a snapshot's folder.
type Folder = (ClaimId, PathBuf);

/// The keepers, and what the journal holds of snapshots that have none yet.
pub(super) struct Keepers {
    shared: Arc<Shared>,
    owners: Owners,
    inherited: BTreeMap<SnapshotId, Folder>,
    wants: BTreeMap<SnapshotId, watch::Sender<Wish>>,
    running: FuturesUnordered<BoxFuture<'static, (SnapshotId, Ended)>>,
    /// Told by this subscription before it told all, those of which nothing should be left too: their VMs may
    /// have no owner yet.
    waiting: BTreeMap<SnapshotId, Option<Arc<Snapshot>>>,
    synced: bool,
    link: u64,
}

/// How a keeper ended.
pub(super) enum Ended {
    /// Nothing of it is left, or the agent ends; with what was wanted then.
    Concluded(Option<Arc<Snapshot>>),
    /// It panicked; what the journal holds of it is for the next.
    Fell(Option<Folder>),
}

impl Keepers {
    pub(super) fn new(shared: Arc<Shared>, owners: Owners, stock: &mut Stock) -> Self {
        Self {
            shared,
            owners,
            inherited: std::mem::take(&mut stock.snapshots),
            wants: BTreeMap::new(),
            running: FuturesUnordered::new(),
            waiting: BTreeMap::new(),
            synced: false,
            link: 0,
        }
    }

    /// A subscription begins.
    pub(super) fn begin(&mut self) {
        self.link += 1;
        self.synced = false;
        self.waiting.clear();
    }

    /// This should be kept here.
    pub(super) fn set(&mut self, snapshot: Arc<Snapshot>) {
        if self.synced {
            self.want(snapshot.id, Some(snapshot));
        } else {
            self.waiting.insert(snapshot.id, Some(snapshot));
        }
    }

    /// Nothing of this should be left here.
    pub(super) fn remove(&mut self, id: SnapshotId) {
        if self.synced {
            self.want(id, None);
        } else {
            self.waiting.insert(id, None);
        }
    }

    /// All was told: what is here and was not told goes.
    pub(super) fn sync(&mut self) {
        self.synced = true;
        let told = std::mem::take(&mut self.waiting);
        let here: BTreeSet<_> = self.wants.keys().chain(self.inherited.keys()).copied().collect();
        for id in here.into_iter().filter(|id| !told.contains_key(id)) {
            let given_up = self.shared.orphans.going().borrow().snapshots.contains(&id);
            tracing::warn!(snapshot = %id, given_up, "a snapshot is here, and the state does not know it");
            self.wish(id, Wish { snapshot: None, orphan: !given_up, link: self.link });
        }
        for (id, snapshot) in told {
            self.want(id, snapshot);
        }
    }

    fn want(&mut self, id: SnapshotId, snapshot: Option<Arc<Snapshot>>) {
        self.wish(id, Wish { snapshot, orphan: false, link: self.link });
    }

    fn wish(&mut self, id: SnapshotId, wish: Wish) {
        if let Some(wants) = self.wants.get(&id) {
            wants.send_if_modified(|old| std::mem::replace(old, wish.clone()) != wish);
            return;
        }
        let (wants, wanted) = watch::channel(wish);
        let claim = self.inherited.remove(&id);
        let (shared, owners) = (Arc::clone(&self.shared), Arc::clone(&self.owners));
        let keeper = Keeper { id, shared: Arc::clone(&shared), owners, wants: wanted, claim, failed: None };
        let task = task::spawn("keeper", keeper.run());
        let ended = async move {
            match task.await {
                Ok(wish) => (id, Ended::Concluded(wish)),
                Err(why) => (id, Ended::Fell(mourn(&shared, id, &why).await)),
            }
        };
        self.running.push(ended.boxed());
        self.wants.insert(id, wants);
    }

    /// The next keeper that ends; pending where none runs.
    pub(super) async fn next(&mut self) -> (SnapshotId, Ended) {
        match self.running.next().await {
            Some(ended) => ended,
            None => std::future::pending().await,
        }
    }

    pub(super) fn forget(&mut self, id: SnapshotId, ended: Ended) {
        let last = self.wants.remove(&id).and_then(|wants| wants.borrow().snapshot.clone());
        let again = match ended {
            // It may have been wanted again while its keeper ended.
            Ended::Concluded(wish) => {
                self.shared.orphans.gone_snapshot(id);
                last.is_some() && last != wish
            }
            Ended::Fell(folder) => {
                self.inherited.extend(folder.map(|folder| (id, folder)));
                true
            }
        };
        if again {
            self.want(id, last);
        }
    }

    /// The agent ends; what is under way is left to the next one.
    pub(super) async fn end(mut self) {
        self.wants.clear();
        while self.running.next().await.is_some() {}
    }
}

/// Waits a while, then looks what a keeper left that panicked.
async fn mourn(shared: &Shared, id: SnapshotId, why: &task::Ended) -> Option<Folder> {
    tracing::error!(%why, snapshot = %id, "a keeper ended without its snapshot; another takes it up");
    loop {
        tokio::time::sleep(shared.config.retry).await;
        match inventory::read(&shared.ports).await {
            Ok(mut stock) => return stock.snapshots.remove(&id),
            Err(fault) => tracing::warn!(%fault, snapshot = %id, "the journal cannot be read; trying again"),
        }
    }
}
