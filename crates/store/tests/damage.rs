//! A damaged, newer, missing or foreign file: a clear refusal that changes nothing, or the whole truth;
//! never an empty store.

use proptest::prelude::*;
use proptest::test_runner::{Config as Cases, TestRunner};
use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use weft_domain::Fault;
use weft_domain::Reason;
use weft_domain::object::Sort;
use weft_ports::codec::Codec;
use weft_ports::store::fake::{Text, sample};
use weft_ports::store::{Commit, Store, Write};
use weft_store::embedded::{self, Config, Embedded};

const OBJECTS: u64 = 300;

fn config(dir: &Path) -> Config {
    // A reserve has nothing to do with damage, and takes time to make.
    Config { reserve_bytes: 0, ..Config::at(dir) }
}

fn open(dir: &Path) -> Result<Embedded, Fault> {
    embedded::open(config(dir), Arc::new(Text)).map_err(Fault::from)
}

fn reason(dir: &Path) -> Option<Reason> {
    open(dir).err().map(|fault| {
        assert!(!fault.fix.is_empty(), "a refusal says what to do");
        fault.reason
    })
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// Fills a store with one commit for each object.
async fn fill(store: &Embedded) {
    for n in 1..=OBJECTS {
        let (key, object) = sample::event(n);
        store.commit(Commit { expect: vec![], writes: vec![Write::Put(key, object)] }).await.expect("it is taken");
    }
}

/// What a store holds must be all that was written up to its revision.
async fn assert_true(store: &Embedded) -> u64 {
    let (found, revision) = store.scan(Sort::Event, None, 10_000).await.expect("an open store scans");
    assert_eq!(found.len() as u64, revision.0, "nothing is missing");
    for (n, (key, stored)) in found.into_iter().enumerate() {
        let n = n as u64 + 1;
        assert_eq!((key, stored.value), sample::event(n));
        assert_eq!(stored.revision.0, n);
    }
    store.verify().await.expect("an opened store is whole");
    revision.0
}

/// The state and marker of a store that was closed in order, and of one that was killed.
fn images() -> [(Vec<u8>, Vec<u8>, u64); 2] {
    let dir = tempfile::tempdir().expect("a folder");
    let read = || {
        let of = |name| fs::read(dir.path().join(name)).expect("the file is there");
        (of("state.redb"), of("store"))
    };
    let killed = block_on(async {
        let store = open(dir.path()).expect("a store opens");
        fill(&store).await;
        let killed = read();
        store.close().await;
        killed
    });
    let closed = read();
    // A store that was killed may lose its last batch to damage, as it cannot be told from an unfinished one.
    [(closed.0, closed.1, OBJECTS), (killed.0, killed.1, OBJECTS - 1)]
}

fn place(state: &[u8], marker: &[u8]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("state.redb"), state).expect("it is written");
    fs::write(dir.path().join("store"), marker).expect("it is written");
    dir
}

#[derive(Debug, Clone)]
enum Harm {
    Flip(prop::sample::Index, u8),
    Zero(prop::sample::Index),
    Cut(prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        4 => (any::<prop::sample::Index>(), 0u8..8).prop_map(|(at, bit)| Harm::Flip(at, bit)),
        2 => any::<prop::sample::Index>().prop_map(Harm::Zero),
        1 => any::<prop::sample::Index>().prop_map(Harm::Cut),
        1 => (any::<prop::sample::Index>(), any::<prop::sample::Index>()).prop_map(|(a, b)| Harm::Swap(a, b)),
    ]
}

fn inflict(state: &mut Vec<u8>, harm: &Harm) {
    const PAGE: usize = 4096;
    if state.len() < PAGE {
        // A harm before this one cut the file to less than a page: it is damaged enough.
        return;
    }
    let page = |at: &prop::sample::Index, state: &Vec<u8>| at.index(state.len() / PAGE) * PAGE;
    match harm {
        Harm::Flip(at, bit) => {
            let at = at.index(state.len());
            state[at] ^= 1 << bit;
        }
        Harm::Zero(at) => {
            let from = page(at, state);
            state[from..from + PAGE].fill(0);
        }
        Harm::Cut(at) => {
            let to = at.index(state.len());
            state.truncate(to);
        }
        Harm::Swap(a, b) => {
            let (a, b) = (page(a, state), page(b, state));
            for n in 0..PAGE {
                state.swap(a + n, b + n);
            }
        }
    }
}

#[test]
fn random_damage_is_refused_or_harmless() {
    let images = images();
    let cases = Cases { failure_persistence: None, ..Cases::with_cases(300) };
    let seen = [const { Cell::new(0) }; 2];
    let strategy = (0usize..2, prop::collection::vec(harm(), 1..3));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    TestRunner::new(cases)
        .run(&strategy, |(which, harms)| {
            let (state, marker, least) = &images[which];
            let mut state = state.clone();
            harms.iter().for_each(|harm| inflict(&mut state, harm));
            let dir = place(&state, marker);
            match open(dir.path()) {
                Ok(store) => {
                    let revision = runtime.block_on(assert_true(&store));
                    prop_assert!(revision >= *least, "revision {} of {}", revision, OBJECTS);
                    seen[0].set(seen[0].get() + 1);
                }
                Err(fault) => {
                    prop_assert_eq!(fault.reason, Reason::StoreDamaged);
                    let after = fs::read(dir.path().join("state.redb")).expect("the file is there");
                    prop_assert!(after == state, "a damaged file is left as it was");
                    seen[1].set(seen[1].get() + 1);
                }
            }
            Ok(())
        })
        .expect("no damage passes for the truth");
    assert!(seen.iter().all(|seen| seen.get() > 10), "both outcomes were seen: {seen:?}");
}

/// Every page that is not free, one by one: a store that was closed in order notices each.
#[test]
fn every_used_page_is_watched_over() {
    let [(state, marker, _), _] = images();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let mut noticed = 0;
    for page in (0..state.len() / 4096).filter(|page| state[page * 4096..(page + 1) * 4096].iter().any(|b| *b != 0)) {
        let mut state = state.clone();
        state[page * 4096 + 40] ^= 0x10;
        let dir = place(&state, &marker);
        match open(dir.path()) {
            Ok(store) => assert_eq!(runtime.block_on(assert_true(&store)), OBJECTS, "page {page} was free"),
            Err(fault) => {
                assert_eq!(fault.reason, Reason::StoreDamaged);
                noticed += 1;
            }
        }
    }
    assert!(noticed > 10, "{noticed} pages are in use");
}

#[test]
fn files_that_are_none_are_refused() {
    let [(state, marker, _), _] = images();
    let newer = String::from_utf8(marker.clone()).expect("it is text").replace("format 1", "format 2");
    let ahead = String::from_utf8(marker.clone()).expect("it is text").replace("revision 300", "revision 301");
    let cases: [(&str, &[u8], &[u8], Reason); 7] = [
        ("empty", b"", &marker, Reason::StoreDamaged),
        ("short", b"redb", &marker, Reason::StoreDamaged),
        ("foreign", &[7; 9000], &marker, Reason::StoreDamaged),
        ("half", &state[..state.len() / 2], &marker, Reason::StoreDamaged),
        ("marker of a newer weft", &state, newer.as_bytes(), Reason::StoreNewer),
        ("marker that is none", &state, b"?", Reason::StoreDamaged),
        ("older than the marker says", &state, ahead.as_bytes(), Reason::StoreDamaged),
    ];
    for (name, state, marker, expected) in cases {
        let dir = place(state, marker);
        assert_eq!(reason(dir.path()), Some(expected), "{name}");
        assert_eq!(fs::read(dir.path().join("state.redb")).expect("the file is there"), state, "{name}: untouched");
    }
}

#[test]
fn a_file_that_is_gone_is_not_replaced() {
    let [(state, marker, _), _] = images();
    let dir = place(&state, &marker);
    fs::remove_file(dir.path().join("state.redb")).expect("it is removed");
    assert_eq!(reason(dir.path()), Some(Reason::StoreDamaged));
    assert!(!dir.path().join("state.redb").exists());
}

#[test]
fn a_creation_that_was_cut_short_is_begun_again() {
    let [(state, _, _), _] = images();
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("state.new"), &state[..5000]).expect("it is written");
    let store = open(dir.path()).expect("there was never a store");
    assert_eq!(block_on(store.revision()).map(|revision| revision.0), Ok(0));
    drop(store);
    assert!(dir.path().join("store").exists() && !dir.path().join("state.new").exists());
    fs::remove_file(dir.path().join("store")).expect("as if it was killed before the marker");
    assert!(open(dir.path()).is_ok());
    assert!(dir.path().join("store").exists());
}

/// A codec of a later format, which today's must refuse.
struct Later;

impl Codec for Later {
    fn encode(&self, object: &weft_domain::object::Object) -> Vec<u8> {
        let text = String::from_utf8(Text.encode(object)).expect("it is text");
        text.replacen("weft-text 1", "weft-text 2", 1).into_bytes()
    }
    fn decode(&self, _: Sort, _: &[u8]) -> Result<weft_domain::object::Object, weft_ports::codec::Error> {
        Err(weft_ports::codec::Error::Damaged("it only writes".to_owned()))
    }
}

#[test]
fn a_record_of_a_newer_weft_is_told_as_that() {
    let dir = tempfile::tempdir().expect("a folder");
    let (key, object) = sample::event(1);
    let store = embedded::open(config(dir.path()), Arc::new(Later)).expect("a store opens");
    let put = Commit { expect: vec![], writes: vec![Write::Put(key.clone(), object)] };
    block_on(store.commit(put)).expect("it is taken");
    drop(store);
    let store = open(dir.path()).expect("the file is whole");
    assert_eq!(block_on(store.get(&key)).map_err(|fault| fault.reason), Err(Reason::StoreNewer));
    assert_eq!(block_on(store.verify()).map_err(|fault| fault.reason), Err(Reason::StoreNewer));
}

#[test]
fn a_damaged_backup_is_no_store() {
    let dir = tempfile::tempdir().expect("a folder");
    let good = dir.path().join("good.backup");
    block_on(async {
        let store = open(&dir.path().join("store")).expect("a store opens");
        fill(&store).await;
        store.backup(&good).await.expect("a backup is made");
    });
    let bytes = fs::read(&good).expect("it is there");
    let bad = dir.path().join("bad.backup");
    for cut in [0, 100, bytes.len() / 2] {
        fs::write(&bad, &bytes[..cut]).expect("it is written");
        let to = dir.path().join("new");
        let refused = embedded::restore(&bad, &to, &Text).expect_err("a cut backup is none");
        assert_eq!(refused.reason(), Reason::StoreDamaged);
        assert!(!to.exists(), "nothing was made of it");
    }
    let to = dir.path().join("full");
    fs::create_dir(&to).expect("a folder");
    fs::write(to.join("something"), "else").expect("it is written");
    let refused = embedded::restore(&good, &to, &Text).expect_err("the folder holds something");
    assert_eq!(refused.reason(), Reason::PathUnusable);

    let to = dir.path().join("new");
    let verified = embedded::restore(&good, &to, &Text).expect("a backup is restored");
    assert_eq!((verified.revision, verified.objects), (OBJECTS, OBJECTS));
    assert_eq!(fs::read(&good).expect("it is there"), bytes, "a backup is only read");
    let store = open(&to).expect("the restored store opens");
    assert_eq!(block_on(assert_true(&store)), OBJECTS);
}
