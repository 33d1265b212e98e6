//! Law 3: a scan is of one revision, in the order of keys.

use super::{commit, put, sample, scan, write};
use crate::store::{Store, Write};
use crate::task;
use std::sync::Arc;
use weft_domain::object::{Key, Object, Revision, Sort};

pub(super) async fn are_in_the_order_of_keys(store: &dyn Store) {
    assert_eq!(store.scan(Sort::Event, None, 10).await, Ok((vec![], Revision(0))));
    let mut keys: Vec<Key> = Vec::new();
    for n in [30, 2, 500, 1, 7, 70_000, 41] {
        let (key, object) = sample::event(n);
        put(store, (key.clone(), object)).await;
        keys.push(key);
    }
    keys.sort();
    let all: Vec<Key> = scan(store, Sort::Event, None, 100).await.into_iter().map(|(key, _)| key).collect();
    assert_eq!(all, keys);
    let mut paged = Vec::new();
    let mut after = None;
    loop {
        let page = scan(store, Sort::Event, after.clone(), 2).await;
        assert!(page.len() <= 2, "a page has at most its limit");
        let Some((last, _)) = page.last() else { break };
        after = Some(last.clone());
        paged.extend(page.into_iter().map(|(key, _)| key));
    }
    assert_eq!(paged, keys, "pages neither skip nor repeat");
    assert!(scan(store, Sort::Event, None, 0).await.is_empty());
    let between = sample::event(8).0;
    let rest = scan(store, Sort::Event, Some(between), 100).await;
    assert_eq!(rest.len(), 4, "a scan begins after a key that need not be there");
}

pub(super) async fn do_not_mix_sorts(store: &dyn Store) {
    for n in 0..4 {
        commit(store, vec![], vec![write(sample::event(n)), write(sample::name(n))]).await.expect("it is taken");
    }
    let project = |text: &str| text.parse().expect("a name");
    let tricky = [("a", "z"), ("a", "a"), ("a-b", "a"), ("ab", "a"), ("a", "ab"), ("a", "a-b"), ("b", "a0")];
    for (first, second) in tricky {
        let key = Key::Name(project(first), project(second));
        put(store, (key, Object::Name(sample::id(1)))).await;
    }
    let names = scan(store, Sort::Name, None, 100).await;
    assert_eq!(names.len(), 11);
    assert!(names.iter().all(|(key, stored)| key.sort() == Sort::Name && stored.value.sort() == Sort::Name));
    assert!(names.is_sorted_by(|(a, _), (b, _)| a < b), "names are in the order of their fields");
    assert_eq!(scan(store, Sort::Event, None, 100).await.len(), 4);
    for empty in [Sort::Instance, Sort::Request, Sort::Node] {
        assert!(scan(store, empty, None, 100).await.is_empty());
    }
}

/// A writer keeps two objects equal in each commit and moves a third: a scan never sees them differ.
pub(super) async fn are_of_one_revision_under_writes(store: Arc<dyn Store>) {
    const COMMITS: u64 = 60;
    let keys: Vec<Key> = (0..3).map(|n| sample::name(n).0).collect();
    let writer = {
        let (store, keys) = (Arc::clone(&store), keys.clone());
        task::spawn("writer", async move {
            for n in 0..COMMITS {
                let object = Object::Name(sample::id(n));
                let mut writes =
                    vec![Write::Put(keys[0].clone(), object.clone()), Write::Put(keys[2].clone(), object.clone())];
                writes.push(match n % 2 {
                    0 => Write::Put(keys[1].clone(), object),
                    _ => Write::Delete(keys[1].clone()),
                });
                commit(&*store, vec![], writes).await.expect("it is taken");
            }
        })
    };
    let mut newest = Revision(0);
    while newest.0 < COMMITS {
        let (found, revision) = store.scan(Sort::Name, None, 10).await.expect("an open store scans");
        assert!(revision >= newest, "revisions that are read do not go back");
        newest = revision;
        assert_eq!(found.len(), if revision.0 == 0 { 0 } else { 2 + usize::from(revision.0 % 2 == 1) });
        for (_, stored) in found {
            assert_eq!(stored.revision, revision, "all is of the scan's revision");
            assert_eq!(stored.value, Object::Name(sample::id(revision.0 - 1)));
        }
        tokio::task::yield_now().await;
    }
    writer.await.expect("the writer ends");
}
