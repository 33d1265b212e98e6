//! Law 5: a backup is of one revision, taken while the store works, and opens as a store of it.

use super::{Setting, commit, put, sample, scan, write};
use crate::store::Write;
use crate::task;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use weft_domain::object::{Object, Revision, Sort};

pub(super) async fn open_at_their_revision(setting: &dyn Setting) {
    let store = setting.fresh().await;
    for n in 1..=20 {
        commit(&*store, vec![], vec![write(sample::event(n)), write(sample::name(n))]).await.expect("it is taken");
    }
    let to = setting.folder().join("first.backup");
    assert_eq!(store.backup(&to).await, Ok(Revision(20)));
    assert!(store.backup(&to).await.is_err(), "a file that is there is not overwritten");
    put(&*store, sample::event(21)).await;

    let copy = setting.opened(&to).await;
    assert_eq!(copy.revision().await, Ok(Revision(20)));
    for sort in [Sort::Event, Sort::Name] {
        let mut kept = scan(&*store, sort, None, 100).await;
        kept.retain(|(_, stored)| stored.revision <= Revision(20));
        assert_eq!(scan(&*copy, sort, None, 100).await, kept, "objects keep their revisions");
    }
    assert_eq!(put(&*copy, sample::event(30)).await, Revision(21), "revisions go on");
    assert!(copy.watch(Revision(20)).await.is_ok());
}

pub(super) async fn are_of_one_revision_under_writes(setting: &dyn Setting) {
    let store = setting.fresh().await;
    let done = Arc::new(AtomicBool::new(false));
    let writer = {
        let (store, done) = (Arc::clone(&store), Arc::clone(&done));
        task::spawn("writer", async move {
            let mut n = 0;
            while !done.load(Ordering::Acquire) {
                let object = Object::Name(sample::id(n));
                let writes = (0..40).map(|key| Write::Put(sample::name(key).0, object.clone())).collect();
                commit(&*store, vec![], writes).await.expect("it is taken");
                n += 1;
            }
            n
        })
    };
    let mut before = 0;
    for round in 0..4 {
        while store.figures().revision <= before {
            tokio::task::yield_now().await;
        }
        let to = setting.folder().join(format!("round-{round}.backup"));
        let revision = store.backup(&to).await.expect("a live store is backed up");
        before = revision.0;
        let copy = setting.opened(&to).await;
        let (found, read) = copy.scan(Sort::Name, None, 100).await.expect("the copy scans");
        assert_eq!((read, found.len()), (revision, 40));
        for (_, stored) in found {
            assert_eq!(stored.revision, revision, "a backup is of one revision");
            assert_eq!(stored.value, Object::Name(sample::id(revision.0 - 1)));
        }
    }
    done.store(true, Ordering::Release);
    let commits = writer.await.expect("the writer ends");
    assert_eq!(store.revision().await, Ok(Revision(commits)));
}
