//! The laws of the store as a suite: any implementation can be put through it.
//!
//! An implementation says in a [`Setting`] how a store is made; [`run`] panics at the first law that does
//! not hold. Objects are names and events, so that a simple codec is enough. What survives a kill or a
//! loss of power is for the implementation's own tests, as is how its disk is filled (see [`fill`]).

mod backups;
mod commits;
pub mod fill;
mod scans;
mod watches;

use super::fake::sample;
use super::{Change, Changes, Commit, Expect, Refused, Store, Write};
use futures::StreamExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use weft_domain::object::{Key, Object, Revision, Sort, Stored};
use weft_domain::{Fault, Reason};

/// How the suite gets its stores.
#[async_trait::async_trait]
pub trait Setting: Send + Sync {
    /// An empty store with its usual limits.
    async fn fresh(&self) -> Arc<dyn Store>;
    /// An empty store whose log keeps at least this many commits and at most twice as many.
    async fn short(&self, keep: usize) -> Arc<dyn Store>;
    /// The store that this backup holds.
    async fn opened(&self, backup: &Path) -> Arc<dyn Store>;
    /// A folder for backups.
    fn folder(&self) -> PathBuf;
}

/// Puts stores of this setting through every law.
///
/// # Panics
/// A law does not hold.
pub async fn run(setting: &dyn Setting) {
    commits::begin_at_one(&*setting.fresh().await).await;
    commits::are_all_or_none(&*setting.fresh().await).await;
    commits::name_the_key_in_the_way(&*setting.fresh().await).await;
    commits::write_in_order(&*setting.fresh().await).await;
    commits::race_and_one_wins(setting.fresh().await).await;
    commits::count_without_gaps_under_load(setting.fresh().await).await;
    scans::are_in_the_order_of_keys(&*setting.fresh().await).await;
    scans::do_not_mix_sorts(&*setting.fresh().await).await;
    scans::are_of_one_revision_under_writes(setting.fresh().await).await;
    watches::tell_the_past_and_the_present(&*setting.fresh().await).await;
    watches::tell_every_change_once_under_writes(setting.fresh().await).await;
    watches::refuse_a_compacted_revision(&*setting.short(8).await).await;
    watches::refuse_a_future_revision(&*setting.fresh().await).await;
    watches::never_skip_when_slow(&*setting.short(8).await).await;
    backups::open_at_their_revision(setting).await;
    backups::are_of_one_revision_under_writes(setting).await;
    closing_is_final(&*setting.fresh().await).await;
}

/// A closed store answers `Away` and ends its watches with it.
async fn closing_is_final(store: &dyn Store) {
    put(store, sample::name(1)).await;
    let mut changes = watch(store, Revision(1)).await;
    store.close().await;
    store.close().await;
    let (key, object) = sample::name(2);
    let refused = store.commit(Commit { expect: vec![], writes: vec![Write::Put(key.clone(), object)] }).await;
    assert!(matches!(refused, Err(Refused::Store(fault)) if fault.reason == Reason::Away));
    assert_eq!(store.get(&key).await.map_err(|fault| fault.reason), Err(Reason::Away));
    assert_eq!(store.scan(Sort::Name, None, 1).await.map_err(|fault| fault.reason), Err(Reason::Away));
    assert_eq!(store.revision().await.map_err(|fault| fault.reason), Err(Reason::Away));
    assert_eq!(store.watch(Revision(1)).await.err().map(|fault| fault.reason), Some(Reason::Away));
    assert_eq!(next(&mut changes).await.map_err(|fault| fault.reason), Err(Reason::Away));
    assert!(changes.next().await.is_none(), "a refusal ends the stream");
}

fn write((key, object): (Key, Object)) -> Write {
    Write::Put(key, object)
}

async fn put(store: &dyn Store, what: (Key, Object)) -> Revision {
    commit(store, vec![], vec![write(what)]).await.expect("a put without preconditions is taken")
}

async fn commit(store: &dyn Store, expect: Vec<Expect>, writes: Vec<Write>) -> Result<Revision, Refused> {
    store.commit(Commit { expect, writes }).await
}

async fn get(store: &dyn Store, key: &Key) -> Option<Stored<Object>> {
    store.get(key).await.expect("an open store reads")
}

async fn scan(store: &dyn Store, sort: Sort, after: Option<Key>, limit: usize) -> Vec<(Key, Stored<Object>)> {
    store.scan(sort, after, limit).await.expect("an open store scans").0
}

async fn watch(store: &dyn Store, after: Revision) -> Changes {
    store.watch(after).await.expect("the revision is in the log")
}

/// The next commit that a watch tells; the suite waits a minute for what must come.
async fn next(changes: &mut Changes) -> Result<Vec<Change>, Fault> {
    let waited = tokio::time::timeout(Duration::from_secs(60), changes.next()).await;
    waited.expect("a change comes within a minute").expect("a stream ends with a refusal")
}
