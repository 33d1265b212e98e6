//! What the writer publishes and readers hold: the newest view, and the commits of a moment ago.

use super::view::View;
use crate::Error;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use weft_domain::{Fault, Reason};
use weft_ports::codec::Codec;
use weft_ports::store::Change;

/// How long a reader waits while the store is being opened again.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the store is.
#[derive(Clone)]
pub(crate) enum Stage {
    /// Open, at this view.
    Open(Arc<View>),
    /// Being opened again after the disk refused something.
    Reopening,
    /// It could not be opened again, for this reason.
    Broken(Fault),
    /// Closed in order.
    Closed,
}

/// What the writer publishes.
pub(crate) struct Shared {
    pub(crate) codec: Arc<dyn Codec>,
    pub(crate) dir: PathBuf,
    pub(crate) stage: watch::Sender<Stage>,
    pub(crate) recent: Mutex<Recent>,
    pub(crate) revision: AtomicU64,
    pub(crate) compacted: AtomicU64,
    pub(crate) commits: AtomicU64,
}

impl Shared {
    pub(crate) fn new(codec: Arc<dyn Codec>, dir: PathBuf) -> Self {
        Self {
            codec,
            dir,
            stage: watch::Sender::new(Stage::Reopening),
            recent: Mutex::default(),
            revision: AtomicU64::default(),
            compacted: AtomicU64::default(),
            commits: AtomicU64::default(),
        }
    }

    /// From now on readers see this.
    pub(crate) fn publish(&self, view: View) {
        self.revision.store(view.stand.revision, Ordering::Relaxed);
        self.compacted.store(view.stand.compacted, Ordering::Relaxed);
        self.stage.send_replace(Stage::Open(Arc::new(view)));
    }

    /// The newest view; another than this one, where the disk has refused it something.
    pub(crate) async fn view(&self, lost: Option<&Arc<View>>) -> Result<Arc<View>, Fault> {
        let settled = |stage: &Stage| match stage {
            Stage::Open(view) => lost.is_none_or(|lost| !Arc::ptr_eq(lost, view)).then(|| Ok(Arc::clone(view))),
            Stage::Reopening => None,
            Stage::Broken(fault) => Some(Err(fault.clone())),
            Stage::Closed => Some(Err(Error::Closed.into())),
        };
        if let Some(settled) = settled(&self.stage.borrow()) {
            return settled;
        }
        let mut stages = self.stage.subscribe();
        let waited = tokio::time::timeout(PATIENCE, stages.wait_for(|stage| settled(stage).is_some())).await;
        let settled = waited.ok().and_then(Result::ok).and_then(|stage| settled(&stage));
        settled.unwrap_or_else(|| Err(Fault::new(Reason::Away, "the store is still being opened again")))
    }

    pub(crate) fn recent(&self) -> MutexGuard<'_, Recent> {
        // Nothing can panic between two steps of a change to it.
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The commits of a moment ago, so that a watcher that keeps up reads no disk.
#[derive(Default)]
pub(crate) struct Recent {
    commits: VecDeque<(u64, Arc<Vec<Change>>, usize)>,
    bytes: usize,
}

impl Recent {
    const COMMITS: usize = 1024;
    const BYTES: usize = 8 << 20;

    /// Adds the next commit, whose records have this many bytes.
    pub(crate) fn push(&mut self, revision: u64, changes: Arc<Vec<Change>>, bytes: usize) {
        self.commits.push_back((revision, changes, bytes));
        self.bytes += bytes;
        while self.commits.len() > Self::COMMITS || (self.bytes > Self::BYTES && self.commits.len() > 1) {
            self.bytes -= self.commits.pop_front().map_or(0, |(_, _, bytes)| bytes);
        }
    }

    /// The commits after a revision; `None` where some of them are older than all that is here.
    pub(crate) fn after(&self, told: u64, limit: usize) -> Option<Vec<(u64, Arc<Vec<Change>>)>> {
        let first = self.commits.front()?.0;
        if told + 1 < first {
            return None;
        }
        let skip = usize::try_from(told + 1 - first).ok()?;
        let newer = self.commits.iter().skip(skip).take(limit);
        Some(newer.map(|(revision, changes, _)| (*revision, Arc::clone(changes))).collect())
    }
}
