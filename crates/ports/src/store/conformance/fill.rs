//! Law 6: a store without space refuses writes, keeps what it has, reads, and recovers.
//!
//! How a disk is filled is the implementation's own knowledge, so it calls this part itself.

use super::{commit, get, put, sample, scan, write};
use crate::store::{Expect, Refused, Store, Write};
use weft_domain::object::Sort;
use weft_domain::{Kind, Reason};

/// Fills the disk of an empty store and frees it again.
///
/// # Panics
/// The law does not hold.
pub async fn run(store: &dyn Store, fill: impl Fn(), free: impl Fn()) {
    for n in 1..=20 {
        put(store, sample::event(n)).await;
    }
    let mut kept = 20;
    for round in 0..2 {
        fill();
        // What the store has of its own may take some more.
        let fault = loop {
            match commit(store, vec![], vec![write(sample::event_of(kept + 1, 20_000))]).await {
                Ok(_) => kept += 1,
                Err(Refused::Store(fault)) => break fault,
                Err(Refused::Conflict { key, .. }) => panic!("no precondition was given for {key:?}"),
            }
        };
        assert_eq!((fault.reason, fault.kind()), (Reason::StoreFull, Kind::ResourceExhausted), "{fault}");
        let found = scan(store, Sort::Event, None, 100_000).await;
        assert_eq!(found.len() as u64, kept - round, "nothing is lost, and reads go on");
        assert_eq!(get(store, &sample::event(kept + 1).0).await, None, "nothing of what was refused is there");
        if round == 0 {
            let key = sample::event(2).0;
            let revision = get(store, &key).await.expect("it was put").revision;
            let expect = vec![Expect::At(key.clone(), revision)];
            commit(store, expect, vec![Write::Delete(key.clone())]).await.expect("a deletion is still taken");
            assert_eq!(get(store, &key).await, None);
        }
        let before = store.revision().await.expect("an open store has a revision");
        free();
        let after = put(store, sample::event_of(kept + 1, 20_000)).await;
        assert_eq!(after.0, before.0 + 1, "refused commits have no revision");
        kept += 1;
    }
}
