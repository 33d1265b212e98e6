//! The store on a disk that can be made to fail: power that is lost at any moment, and refusals of any act.

pub(crate) mod platter;

use super::folder::Folder;
use super::{Config, Embedded, engine, schema, start};
use platter::{Platter, Refusal};
use rand::RngExt;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use weft_domain::object::{Object, Sort};
use weft_domain::{Fault, Reason};
use weft_ports::store::fake::{Text, sample};
use weft_ports::store::{Commit, Refused, Store, Write};
use weft_ports::task;

const TASKS: u64 = 4;

/// What was acknowledged: the event's number and its revision.
type Acknowledged = Arc<Mutex<BTreeMap<u64, u64>>>;

fn made() -> Platter {
    let platter = Platter::default();
    engine::create(platter.file(), schema::Stand::default()).expect("a file is made");
    platter
}

fn opened(platter: &Platter, dir: &tempfile::TempDir) -> Result<Embedded, Fault> {
    let config = Config { log_commits: 64, ..Config::at(dir.path()) };
    let folder = Folder::hold(dir.path())?;
    Ok(start(&config, Arc::new(Text), Arc::new(platter.clone()), folder)?)
}

fn commit(n: u64) -> Commit {
    let (key, event) = sample::event_of(n, usize::try_from(n * 37 % 3000).expect("it is small"));
    let name = |which: u64| Write::Put(sample::name(n % TASKS * 2 + which).0, Object::Name(sample::id(n)));
    Commit { expect: vec![], writes: vec![name(0), Write::Put(key, event), name(1)] }
}

/// Commits of one task: the numbers n with n % TASKS == task.
async fn work(store: &dyn Store, task: u64, begin: u64, commits: u64, done: &Acknowledged) -> Vec<Refused> {
    let mut refused = Vec::new();
    for step in 0..commits {
        let n = begin + step * TASKS + task;
        match store.commit(commit(n)).await {
            Ok(revision) => {
                done.lock().expect("no test panics here").insert(n, revision.0);
            }
            Err(refusal) => refused.push(refusal),
        }
    }
    refused
}

/// All that was acknowledged is there, what is there is whole, and there is one event for each revision.
async fn assert_kept(store: &Embedded, done: &BTreeMap<u64, u64>) {
    let (events, newest) = store.scan(Sort::Event, None, 1_000_000).await.expect("an open store scans");
    assert_eq!(events.len() as u64, newest.0, "a commit is there in part");
    for (n, revision) in done {
        let expected = commit(*n).writes.into_iter().nth(1);
        let Some(Write::Put(key, object)) = expected else { panic!("a commit puts an event") };
        let found = store.get(&key).await.expect("an open store reads").expect("it was acknowledged");
        assert_eq!((found.value, found.revision.0), (object, *revision));
    }
    let (names, _) = store.scan(Sort::Name, None, 100).await.expect("an open store scans");
    for task in 0..TASKS {
        let of = |which| names.iter().find(|(key, _)| *key == sample::name(task * 2 + which).0).map(|(_, s)| s);
        assert_eq!(of(0), of(1), "a commit is there in part");
    }
    store.verify().await.expect("it is whole");
}

/// Four tasks commit; meanwhile the power is lost again and again, each time at another moment and with
/// another choice of what the disk had of the unsynced writes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_acknowledged_survives_loss_of_power() {
    let (platter, dir, done) = (made(), tempfile::tempdir().expect("a folder"), Acknowledged::default());
    let store = Arc::new(opened(&platter, &dir).expect("it opens"));
    let writers: Vec<_> = (0..TASKS)
        .map(|task| {
            let (store, done) = (Arc::clone(&store), Arc::clone(&done));
            task::spawn("writer", async move { work(&*store, task, 0, 150, &done).await })
        })
        .collect();
    let mut random = SmallRng::seed_from_u64(7);
    let mut images = Vec::new();
    while !writers.iter().all(task::Task::is_finished) {
        // First what was promised, then the picture: everything promised must be in it.
        let promised = done.lock().expect("no test panics here").clone();
        images.push((promised, platter.after_loss_of_power(&mut random)));
        for _ in 0..random.random_range(0..300) {
            tokio::task::yield_now().await;
        }
    }
    for writer in writers {
        assert!(writer.await.expect("a writer ends").is_empty(), "nothing was refused");
    }
    images.push((done.lock().expect("no test panics here").clone(), platter.after_loss_of_power(&mut random)));
    let step = images.len().div_ceil(60);
    let count = images.len();
    for (promised, image) in images.into_iter().rev().step_by(step) {
        let dir = tempfile::tempdir().expect("a folder");
        let store = opened(&image, &dir).expect("it opens after a loss of power");
        assert_kept(&store, &promised).await;
        let next = store.revision().await.expect("an open store has a revision").0 + 1;
        assert_eq!(store.commit(commit(1_000_000)).await.map(|revision| revision.0), Ok(next));
    }
    assert!(count > 20, "{count} moments");
}

/// Each act of the disk is refused once, in turn: what is acknowledged stays, nothing is there in part,
/// and the store goes on by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_of_the_disk_is_outlived() {
    let mut random = SmallRng::seed_from_u64(11);
    let mut refusals = 0;
    for round in 0..40 {
        let (platter, dir, done) = (made(), tempfile::tempdir().expect("a folder"), Acknowledged::default());
        let store = Arc::new(opened(&platter, &dir).expect("it opens"));
        work(&*store, 0, 0, 5, &done).await;
        let refusal = if round % 2 == 0 { Refusal::Full } else { Refusal::Broken };
        platter.refuse_after(random.random_range(0..40), refusal);
        let writers: Vec<_> = (0..TASKS)
            .map(|task| {
                let (store, done) = (Arc::clone(&store), Arc::clone(&done));
                task::spawn("writer", async move { work(&*store, task, 1000, 12, &done).await })
            })
            .collect();
        for writer in writers {
            for refused in writer.await.expect("a writer ends") {
                let Refused::Store(fault) = refused else { panic!("nothing was in the way") };
                assert!([Reason::StoreFull, Reason::Away].contains(&fault.reason), "{fault}");
                refusals += 1;
            }
        }
        assert!(work(&*store, 0, 5000, 3, &done).await.is_empty(), "round {round}: it goes on by itself");
        // A commit that was refused may be there, if the disk had it all: then it is there whole.
        let promised = done.lock().expect("no test panics here").clone();
        assert_kept(&store, &promised).await;
        let image = platter.after_loss_of_power(&mut random);
        store.close().await;
        for platter in [&platter, &image] {
            let dir = tempfile::tempdir().expect("a folder");
            assert_kept(&opened(platter, &dir).expect("it opens"), &promised).await;
        }
    }
    assert!(refusals > 20, "{refusals} commits met the refusal");
}

/// A read that the disk refuses is done again after the file was opened again.
#[tokio::test]
async fn a_refused_read_is_done_again() {
    let (platter, dir, done) = (made(), tempfile::tempdir().expect("a folder"), Acknowledged::default());
    let config = Config { cache_bytes: 0, ..Config::at(dir.path()) };
    let folder = Folder::hold(dir.path()).expect("nobody holds it");
    let store = start(&config, Arc::new(Text), Arc::new(platter.clone()), folder).expect("it opens");
    work(&store, 0, 0, 30, &done).await;
    let promised = done.lock().expect("no test panics here").clone();
    for after in 0..30 {
        platter.refuse_after(after, Refusal::Broken);
        assert_kept(&store, &promised).await;
    }
}

/// A watcher sees every revision once, also across refusals of the disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_outlives_a_refusal() {
    use futures::StreamExt;
    for after in 0..20 {
        let (platter, dir, done) = (made(), tempfile::tempdir().expect("a folder"), Acknowledged::default());
        let store = opened(&platter, &dir).expect("it opens");
        let mut changes = store.watch(weft_domain::object::Revision(0)).await.expect("it is in the log");
        platter.refuse_after(after, Refusal::Broken);
        work(&store, 0, 0, 20, &done).await;
        let newest = store.revision().await.expect("it was opened again").0;
        for revision in 1..=newest {
            let told = changes.next().await.expect("the watch goes on").expect("the log is long enough");
            assert_eq!((told.len(), told[0].revision.0), (3, revision));
        }
    }
}
