//! Laws 1 and 2: all or none, revisions that grow by one, preconditions that name the key.

use super::{commit, get, put, sample, write};
use crate::store::{Expect, Refused, Store, Write};
use crate::task;
use std::collections::BTreeSet;
use std::sync::Arc;
use weft_domain::object::{Object, Revision, Stored};

pub(super) async fn begin_at_one(store: &dyn Store) {
    assert_eq!(store.revision().await, Ok(Revision(0)));
    for n in 1..=3 {
        assert_eq!(put(store, sample::event(n)).await, Revision(n), "revisions grow by one");
    }
    assert_eq!(commit(store, vec![], vec![]).await, Ok(Revision(4)), "an empty commit is one");
    assert_eq!(store.revision().await, Ok(Revision(4)));
    let (key, value) = sample::event(2);
    assert_eq!(get(store, &key).await, Some(Stored { value, revision: Revision(2) }));
    assert_eq!(get(store, &sample::event(9).0).await, None);
    assert_eq!(store.figures().revision, 4);
    assert!(store.figures().commits >= 4);
}

pub(super) async fn are_all_or_none(store: &dyn Store) {
    let (taken, object) = sample::name(1);
    let first = put(store, (taken.clone(), object.clone())).await;
    let writes = vec![write(sample::event(1)), Write::Delete(taken.clone()), write(sample::event(2))];
    let refused = commit(store, vec![Expect::Absent(taken.clone())], writes.clone()).await;
    assert_eq!(refused, Err(Refused::Conflict { key: taken.clone(), found: Some(first) }));
    assert_eq!(get(store, &sample::event(1).0).await, None, "nothing of a refused commit is there");
    assert_eq!(get(store, &taken).await, Some(Stored { value: object, revision: first }));
    assert_eq!(store.revision().await, Ok(first), "a refused commit has no revision");

    let second = commit(store, vec![Expect::At(taken.clone(), first)], writes).await.expect("it holds");
    assert_eq!(second, Revision(first.0 + 1));
    assert_eq!(get(store, &taken).await, None);
    for n in [1, 2] {
        let found = get(store, &sample::event(n).0).await.map(|stored| stored.revision);
        assert_eq!(found, Some(second), "all writes of a commit have its revision");
    }
}

pub(super) async fn name_the_key_in_the_way(store: &dyn Store) {
    let ((one, object), (two, other)) = (sample::name(1), sample::name(2));
    let first = put(store, (one.clone(), object)).await;
    let expect = vec![Expect::At(one.clone(), first), Expect::At(two.clone(), first)];
    let refused = commit(store, expect, vec![]).await;
    assert_eq!(refused, Err(Refused::Conflict { key: two.clone(), found: None }));

    let second = put(store, (one.clone(), other)).await;
    let refused = commit(store, vec![Expect::At(one.clone(), first)], vec![]).await;
    assert_eq!(refused, Err(Refused::Conflict { key: one.clone(), found: Some(second) }));

    commit(store, vec![Expect::Absent(two)], vec![Write::Delete(one.clone())]).await.expect("it holds");
    let refused = commit(store, vec![Expect::At(one.clone(), second)], vec![]).await;
    assert_eq!(refused, Err(Refused::Conflict { key: one, found: None }), "what was deleted is not there");
}

pub(super) async fn write_in_order(store: &dyn Store) {
    let (key, object) = sample::name(1);
    let other = Object::Name(sample::id(7));
    let writes = vec![
        Write::Put(key.clone(), object.clone()),
        Write::Delete(key.clone()),
        Write::Delete(key.clone()),
        Write::Put(key.clone(), other.clone()),
    ];
    let revision = commit(store, vec![Expect::Absent(key.clone())], writes).await.expect("it holds");
    assert_eq!(get(store, &key).await, Some(Stored { value: other.clone(), revision }));
    let told = super::next(&mut super::watch(store, Revision(0)).await).await.expect("it is in the log");
    let told: Vec<_> = told.into_iter().map(|change| change.object).collect();
    assert_eq!(told, vec![Some(object), None, Some(other)], "the deletion of nothing is no change");
}

/// Sixteen tasks count on one key by compare-and-set: every step has one winner.
pub(super) async fn race_and_one_wins(store: Arc<dyn Store>) {
    const TASKS: u64 = 16;
    const STEPS: u64 = 8;
    let (key, object) = sample::name(0);
    put(&*store, (key.clone(), object)).await;
    for step in 0..STEPS {
        let seen = get(&*store, &key).await.expect("it was put").revision;
        let racers: Vec<_> = (0..TASKS)
            .map(|n| {
                let (store, key) = (Arc::clone(&store), key.clone());
                task::spawn("racer", async move {
                    let object = Object::Name(sample::id(step * TASKS + n));
                    let put = Write::Put(key.clone(), object.clone());
                    commit(&*store, vec![Expect::At(key, seen)], vec![put]).await.map(|revision| (revision, object))
                })
            })
            .collect();
        let mut won = Vec::new();
        for racer in racers {
            match racer.await.expect("a racer ends") {
                Ok(winner) => won.push(winner),
                Err(Refused::Conflict { key: named, found }) => {
                    assert_eq!(named, key);
                    assert!(found > Some(seen), "the loser is told what came first");
                }
                Err(Refused::Store(fault)) => panic!("{fault}"),
            }
        }
        let [(revision, value)] = won.as_slice() else { panic!("{} of {TASKS} won", won.len()) };
        let stored = Stored { value: value.clone(), revision: *revision };
        assert_eq!(get(&*store, &key).await, Some(stored));
    }
}

/// Many writers, some of whose commits are refused: revisions are without gaps and without repetition.
pub(super) async fn count_without_gaps_under_load(store: Arc<dyn Store>) {
    const TASKS: u64 = 8;
    const COMMITS: u64 = 25;
    let first = put(&*store, sample::name(0)).await;
    let writers: Vec<_> = (0..TASKS)
        .map(|task| {
            let store = Arc::clone(&store);
            task::spawn("writer", async move {
                let mut mine = Vec::new();
                for n in 0..COMMITS {
                    let absent = Expect::Absent(sample::name(0).0);
                    assert!(commit(&*store, vec![absent], vec![write(sample::event(999))]).await.is_err());
                    let (key, object) = sample::event(1000 + task * COMMITS + n);
                    let revision = put(&*store, (key.clone(), object)).await;
                    let found = get(&*store, &key).await.map(|stored| stored.revision);
                    assert_eq!(found, Some(revision), "what was acknowledged is read");
                    mine.push(revision.0);
                }
                mine
            })
        })
        .collect();
    let mut all = BTreeSet::new();
    for writer in writers {
        let mine = writer.await.expect("a writer ends");
        assert!(mine.is_sorted(), "one writer's revisions grow");
        all.extend(mine);
    }
    assert_eq!(all, (first.0 + 1..=first.0 + TASKS * COMMITS).collect());
    assert_eq!(get(&*store, &sample::event(999).0).await, None);
}
