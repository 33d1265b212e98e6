//! How memory comes from the store: loaded once by scans, then fed by the watch.
//!
//! A watch that ended is begun again where it ended; where the store no longer holds that, all is
//! loaded anew. So a fault of the store makes memory late, never wrong.

use crate::memory::Memory;
use crate::state::State;
use futures::StreamExt;
use std::time::Duration;
use weft_domain::object::Sort;
use weft_domain::{Fault, Reason};
use weft_ports::store::{Change, Store};

/// Objects in one scan.
const AT_ONCE: usize = 1_000;
/// The wait before a watch that ended is begun again.
const AGAIN: Duration = Duration::from_millis(200);

/// Loads all objects.
pub(crate) async fn load(store: &dyn Store) -> Result<State, Fault> {
    // Read first: what is committed while it is loaded comes again with the watch.
    let mut state = State::at(store.revision().await?);
    for sort in Sort::ALL {
        let mut after = None;
        loop {
            let (found, _) = store.scan(sort, after, AT_ONCE).await?;
            let full = found.len() == AT_ONCE;
            after = found.last().map(|(key, _)| key.clone());
            for (key, stored) in found {
                state.apply(Change { revision: stored.revision, key, object: Some(stored.value) });
            }
            if !full {
                break;
            }
        }
    }
    Ok(state)
}

/// Feeds memory, for ever.
pub(crate) async fn follow(store: &dyn Store, memory: &Memory) {
    loop {
        let fault = watch(store, memory).await;
        if fault.reason == Reason::RevisionCompacted {
            tracing::info!("the store's log no longer holds what comes next; loading all objects anew");
            match load(store).await {
                Ok(state) => {
                    memory.replace(state);
                    continue;
                }
                Err(fault) => tracing::warn!(%fault, "the store cannot be read"),
            }
        } else if fault.reason != Reason::WatcherTooSlow {
            tracing::warn!(%fault, "the store's watch ended; it is begun again");
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn watch(store: &dyn Store, memory: &Memory) -> Fault {
    let mut changes = match store.watch(memory.revision()).await {
        Ok(changes) => changes,
        Err(fault) => return fault,
    };
    while let Some(next) = changes.next().await {
        match next {
            Ok(commit) => memory.take(commit),
            Err(fault) => return fault,
        }
    }
    Fault::new(Reason::Away, "the store ended the watch")
}
