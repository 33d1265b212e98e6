//! A disk that is full, for real: a small file system of its own, filled by something else.

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use weft_domain::object::Sort;
use weft_domain::{Fault, Reason};
use weft_ports::store::fake::{Text, sample};
use weft_ports::store::{Commit, Refused, Store, Write as Put, conformance};
use weft_store::embedded::{self, Config};

/// A file system in memory, which goes when this is dropped.
struct Disk {
    root: tempfile::TempDir,
}

impl Disk {
    /// `None`, with a word to the summary, where it cannot be had.
    #[expect(clippy::print_stdout, reason = "a skipped test says so on its output")]
    fn of(bytes: u64) -> Option<Self> {
        let root = tempfile::tempdir().expect("a folder");
        let size = std::ffi::CString::new(format!("size={bytes}")).expect("digits");
        match mount("weft-test", root.path(), "tmpfs", MountFlags::empty(), size.as_c_str()) {
            Ok(()) => Some(Self { root }),
            Err(why) => {
                println!("skipped: a small file system cannot be mounted here ({why})");
                None
            }
        }
    }

    fn store(&self) -> PathBuf {
        self.root.path().join("store")
    }

    fn ballast(&self) -> PathBuf {
        self.root.path().join("ballast")
    }

    /// Takes all space that is left.
    fn fill(&self) {
        let mut file = File::options().create(true).append(true).open(self.ballast()).expect("a file");
        for size in [1 << 16, 4096, 512] {
            while file.write_all(&vec![1; size]).is_ok() {}
        }
    }

    fn free(&self) {
        fs::remove_file(self.ballast()).expect("it was made");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = unmount(self.root.path(), UnmountFlags::DETACH);
    }
}

fn config(dir: &Path, reserve_bytes: u64) -> Config {
    Config { reserve_bytes, batch_bytes: 256 << 10, ..Config::at(dir) }
}

fn put(n: u64, bytes: usize) -> Commit {
    let (key, object) = sample::event_of(n, bytes);
    Commit { expect: vec![], writes: vec![Put::Put(key, object)] }
}

#[tokio::test]
async fn a_full_disk_with_a_reserve() {
    let Some(disk) = Disk::of(16 << 20) else { return };
    let store = embedded::open(config(&disk.store(), 2 << 20), Arc::new(Text)).expect("a store opens");
    conformance::fill::run(&store, || disk.fill(), || disk.free()).await;
    let kept = store.verify().await.expect("it is whole");
    store.close().await;
    disk.fill();
    let store = embedded::open(config(&disk.store(), 2 << 20), Arc::new(Text)).expect("a full disk can be read");
    assert_eq!(store.verify().await, Ok(kept));
}

/// Nothing is kept for deletions: the engine itself meets the full disk, and is opened again, many times.
#[tokio::test]
async fn a_full_disk_without_a_reserve() {
    let Some(disk) = Disk::of(12 << 20) else { return };
    let store = embedded::open(config(&disk.store(), 0), Arc::new(Text)).expect("a store opens");
    let mut kept = 0;
    for _ in 0..5 {
        disk.fill();
        let refused = loop {
            match store.commit(put(kept + 1, 20_000)).await {
                Ok(revision) => kept = revision.0,
                Err(refused) => break refused,
            }
        };
        assert!(is_full(&refused), "{refused}");
        let (found, revision) = store.scan(Sort::Event, None, 10_000).await.expect("reads go on");
        assert_eq!((found.len() as u64, revision.0), (kept, kept), "nothing is lost");
        disk.free();
        kept = store.commit(put(kept + 1, 20_000)).await.expect("there is space again").0;
        assert_eq!(kept, revision.0 + 1);
    }
    assert_eq!(store.verify().await.map(|verified| verified.objects), Ok(kept));
}

fn is_full(refused: &Refused) -> bool {
    matches!(refused, Refused::Store(fault) if fault.reason == Reason::StoreFull)
}

/// Something else takes the last byte while commits of many tasks are under way.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_disk_that_fills_in_the_middle_of_work() {
    for reserve_bytes in [0, 2 << 20] {
        let Some(disk) = Disk::of(12 << 20) else { return };
        let store = embedded::open(config(&disk.store(), reserve_bytes), Arc::new(Text)).expect("a store opens");
        let store: Arc<dyn Store> = Arc::new(store);
        let (begun, mut first) = tokio::sync::mpsc::channel(1);
        let writers: Vec<_> = (0..4u64)
            .map(|task| {
                let (store, begun) = (Arc::clone(&store), begun.clone());
                weft_ports::task::spawn("writer", async move {
                    let mut taken = Vec::new();
                    for n in 0.. {
                        let (key, object) = sample::event_of(task * 100_000 + n, 3000);
                        let put = Commit { expect: vec![], writes: vec![Put::Put(key.clone(), object)] };
                        match store.commit(put).await {
                            Ok(revision) => {
                                taken.push((key, revision));
                                let _ = begun.try_send(());
                            }
                            Err(refused) => {
                                assert!(is_full(&refused), "{refused}");
                                break;
                            }
                        }
                    }
                    taken
                })
            })
            .collect();
        first.recv().await.expect("a commit is taken before the disk fills");
        disk.fill();
        let mut taken = Vec::new();
        for writer in writers {
            taken.extend(writer.await.expect("a writer ends"));
        }
        assert!(!taken.is_empty());
        for (key, revision) in &taken {
            let found = store.get(key).await.expect("reads go on").map(|stored| stored.revision);
            assert_eq!(found, Some(*revision), "what was acknowledged is there");
        }
        disk.free();
        let next = store.commit(put(1, 10)).await.expect("there is space again");
        assert_eq!(next.0, taken.len() as u64 + 1, "a refused commit has no revision");
        store.close().await;
    }
}

#[tokio::test]
async fn a_backup_that_finds_no_space_leaves_nothing() {
    let Some(disk) = Disk::of(1 << 20) else { return };
    let root = tempfile::tempdir().expect("a folder");
    let store = embedded::open(config(&root.path().join("store"), 0), Arc::new(Text)).expect("a store opens");
    for n in 0..40 {
        store.commit(put(n, 100_000)).await.expect("it is taken");
    }
    let refused = store.backup(&disk.root.path().join("backup")).await.expect_err("there is no space");
    assert_eq!(refused.reason, Reason::StoreFull, "{refused}");
    assert_eq!(fs::read_dir(disk.root.path()).expect("a folder").count(), 0);
    assert!(store.verify().await.is_ok());

    let fits = root.path().join("backup");
    store.backup(&fits).await.expect("there is space here");
    let refused = embedded::restore(&fits, &disk.store(), &Text).map_err(Fault::from).expect_err("there is no space");
    assert_eq!(refused.reason, Reason::StoreFull, "{refused}");
    assert_eq!(fs::read_dir(disk.store()).map_or(0, Iterator::count), 0, "a failed restore leaves nothing");
    let opened = embedded::open(config(&disk.store(), 0), Arc::new(Text)).map(drop).map_err(Fault::from);
    assert_eq!(opened.map_err(|fault| fault.reason), Ok(()), "there is space for an empty one");
}
