//! A watch: it follows the log at its own pace and is woken by the writer.
//!
//! A watcher has no queue that could overflow: it knows the last revision that it told and reads what is
//! newer, from memory while it keeps up, from the log where it does not. When the log has been compacted
//! past it, it ends with `WatcherTooSlow`. So it tells everything once, or says that it cannot.

use super::shared::{Shared, Stage};
use crate::Error;
use futures::StreamExt;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::watch;
use weft_domain::object::Revision;
use weft_domain::{Fault, Reason};
use weft_ports::store::{Change, Changes};

/// How many commits are read at a time.
const CHUNK: usize = 128;

struct Watcher {
    shared: Arc<Shared>,
    stages: watch::Receiver<Stage>,
    told: u64,
    ready: VecDeque<Vec<Change>>,
}

/// The changes after a revision.
pub(crate) async fn begin(shared: Arc<Shared>, after: Revision) -> Result<Changes, Fault> {
    let stages = shared.stage.subscribe();
    let stand = shared.view(None).await?.stand;
    if after.0 < stand.compacted || after.0 > stand.revision {
        let (oldest, newest) = (stand.compacted, stand.revision);
        let why = format!("a watch can begin from revision {oldest} to {newest}, not from {after}");
        return Err(Fault::new(Reason::RevisionCompacted, why).fix("list, and watch from the list's revision"));
    }
    let watcher = Watcher { shared, stages, told: after.0, ready: VecDeque::new() };
    Ok(futures::stream::unfold(Some(watcher), |watcher| async { watcher?.next().await }).boxed())
}

impl Watcher {
    async fn next(mut self) -> Option<(Result<Vec<Change>, Fault>, Option<Self>)> {
        loop {
            if let Some(changes) = self.ready.pop_front() {
                return Some((Ok(changes), Some(self)));
            }
            if let Err(fault) = self.fill().await {
                return Some((Err(fault), None));
            }
        }
    }

    /// Reads the next commits, or waits until there may be some.
    async fn fill(&mut self) -> Result<(), Fault> {
        let stage = self.stages.borrow_and_update().clone();
        let newest = match stage {
            Stage::Open(view) => view.stand.revision,
            Stage::Reopening | Stage::Broken(_) => self.told,
            Stage::Closed => return Err(Error::Closed.into()),
        };
        if newest <= self.told {
            // The sender lives as long as `shared` does.
            return self.stages.changed().await.map_err(|_| Error::Closed.into());
        }
        let recent = self.shared.recent().after(self.told, CHUNK).filter(|recent| !recent.is_empty());
        match recent {
            Some(recent) => {
                for (revision, changes) in recent {
                    self.tell(revision, || changes.as_ref().clone());
                }
            }
            None => self.read_log().await?,
        }
        Ok(())
    }

    fn tell(&mut self, revision: u64, changes: impl FnOnce() -> Vec<Change>) {
        self.told = revision;
        self.ready.extend(Some(changes()).filter(|changes| !changes.is_empty()));
    }

    async fn read_log(&mut self) -> Result<(), Fault> {
        let view = self.shared.view(None).await?;
        if self.told < view.stand.compacted {
            let why = "the watcher was slower than the log of changes is long";
            return Err(Fault::new(Reason::WatcherTooSlow, why).fix("list, and watch from the list's revision"));
        }
        let (after, shared) = (self.told, Arc::clone(&self.shared));
        let read = tokio::task::spawn_blocking(move || {
            view.log(after, CHUNK, &*shared.codec).map_err(|failure| Fault::from(failure.at(&shared.dir)))
        });
        let commits = read.await.map_err(|_| Fault::internal("the reading of the log was ended"))??;
        for (revision, changes) in commits {
            self.tell(revision, || changes);
        }
        Ok(())
    }
}
