//! Law 4: every change after a revision exactly once and in order, or a refusal; never a silent gap.

use super::{commit, next, put, sample, watch, write};
use crate::store::{Change, Store, Write};
use crate::task;
use std::sync::Arc;
use weft_domain::Reason;
use weft_domain::object::Revision;

pub(super) async fn tell_the_past_and_the_present(store: &dyn Store) {
    let (key, object) = sample::name(1);
    for n in 1..=3 {
        put(store, sample::event(n)).await;
    }
    let mut all = watch(store, Revision(0)).await;
    let mut rest = watch(store, Revision(2)).await;
    commit(store, vec![], vec![Write::Delete(sample::event(77).0)]).await.expect("it is taken");
    let writes = vec![write((key.clone(), object.clone())), Write::Delete(sample::event(1).0)];
    let last = commit(store, vec![], writes).await.expect("it is taken");
    let change = |revision, (key, object)| Change { revision, key, object: Some(object) };
    for n in 1..=3 {
        assert_eq!(next(&mut all).await, Ok(vec![change(Revision(n), sample::event(n))]));
    }
    assert_eq!(next(&mut rest).await, Ok(vec![change(Revision(3), sample::event(3))]));
    let gone = Change { revision: last, key: sample::event(1).0, object: None };
    let expected = vec![change(last, (key, object)), gone];
    assert_eq!(last, Revision(5), "a commit that changes nothing has a revision and is passed over");
    assert_eq!(next(&mut all).await, Ok(expected.clone()), "a commit comes whole, in the order of its writes");
    assert_eq!(next(&mut rest).await, Ok(expected));
}

/// Four writers, six watchers that begin at different moments: each sees every later revision once.
pub(super) async fn tell_every_change_once_under_writes(store: Arc<dyn Store>) {
    const WRITERS: u64 = 4;
    const COMMITS: u64 = 40;
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = Arc::clone(&store);
            task::spawn("writer", async move {
                for n in 0..COMMITS {
                    let n = writer * COMMITS + n;
                    let writes = vec![write(sample::event(n)), write(sample::name(n))];
                    commit(&*store, vec![], writes).await.expect("it is taken");
                }
            })
        })
        .collect();
    let mut watchers = Vec::new();
    for _ in 0..6 {
        let from = store.revision().await.expect("an open store has a revision");
        let mut changes = watch(&*store, from).await;
        watchers.push(task::spawn("watcher", async move {
            for revision in from.0 + 1..=WRITERS * COMMITS {
                let told = next(&mut changes).await.expect("the log is long enough");
                assert_eq!(told.len(), 2, "a commit comes whole");
                assert!(told.iter().all(|change| change.revision == Revision(revision)), "in order, none twice");
            }
        }));
        put_nothing(&*store).await;
    }
    for task in writers.into_iter().chain(watchers) {
        task.await.expect("all writers and watchers end");
    }
}

/// A step of the writers' side that gives them time and has no revision.
async fn put_nothing(store: &dyn Store) {
    let expect = vec![crate::store::Expect::At(sample::name(0).0, Revision(u64::MAX))];
    assert!(commit(store, expect, vec![]).await.is_err());
}

pub(super) async fn refuse_a_compacted_revision(store: &dyn Store) {
    for n in 1..=40 {
        put(store, sample::event(n)).await;
    }
    let compacted = store.figures().compacted;
    assert!((40 - 16..=40 - 8).contains(&compacted), "the log is bounded: {compacted}");
    let refused = store.watch(Revision(compacted - 1)).await.err().map(|fault| fault.reason);
    assert_eq!(refused, Some(Reason::RevisionCompacted));
    let mut changes = watch(store, Revision(compacted)).await;
    for n in compacted + 1..=40 {
        let told = next(&mut changes).await.expect("it is in the log");
        assert_eq!(told[0].revision, Revision(n));
    }
}

pub(super) async fn refuse_a_future_revision(store: &dyn Store) {
    put(store, sample::event(1)).await;
    let refused = store.watch(Revision(2)).await.err().map(|fault| fault.reason);
    assert_eq!(refused, Some(Reason::RevisionCompacted), "a client of another store must list again");
}

pub(super) async fn never_skip_when_slow(store: &dyn Store) {
    let mut slow = watch(store, Revision(0)).await;
    for n in 1..=40 {
        put(store, sample::event(n)).await;
    }
    let mut expected = 1;
    loop {
        match next(&mut slow).await {
            Ok(told) => assert_eq!(told[0].revision, Revision(expected), "what is told is without a gap"),
            Err(fault) => {
                assert!(matches!(fault.reason, Reason::WatcherTooSlow | Reason::RevisionCompacted), "{fault}");
                break;
            }
        }
        expected += 1;
        if expected > 40 {
            break;
        }
    }
}
