//! One preparation for all, and the real thing where the host can make it.

use super::*;
use crate::shelf::Bench;
use std::fs;
use std::sync::atomic::AtomicU32;
use weft_domain::Kind;
use weft_ports::images::{conformance, unwatched};

/// Counts how often it makes, and fails as often as it is told to.
#[derive(Default)]
struct Counted {
    made: AtomicU32,
    failures: AtomicU32,
}

struct Counting(Arc<Counted>);

impl Recipe for Counting {
    fn key(&self) -> String {
        "default-test".into()
    }

    fn make(&self, bench: &Bench, report: recipe::Report<'_>) -> Result<String, Error> {
        self.0.made.fetch_add(1, Ordering::SeqCst);
        for permille in [10, 500, 400, 900] {
            report(Progress { stage: "making".into(), permille });
        }
        if self.0.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
            return Err(Error::PackageUnknown { package: "linux-image".into() });
        }
        fs::write(bench.out.join(recipe::KERNEL), b"kernel").unwrap();
        fs::write(bench.out.join(recipe::INITRAMFS), b"initramfs").unwrap();
        Ok("default (test)".into())
    }
}

fn counting(dir: &tempfile::TempDir) -> (Images, Arc<Counted>) {
    let counted = Arc::new(Counted::default());
    let shelf = Shelf::open(dir.path()).unwrap();
    (Images::with(shelf, Box::new(Counting(Arc::clone(&counted))), Arc::default()), counted)
}

#[tokio::test]
async fn it_conforms_and_makes_once() {
    let dir = tempfile::tempdir().unwrap();
    let (images, counted) = counting(&dir);
    conformance::all(&images).await;
    assert_eq!(counted.made.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_damaged_image_is_made_anew_while_weft_runs() {
    let dir = tempfile::tempdir().unwrap();
    let (images, counted) = counting(&dir);
    let files = images.ensure(NAME, unwatched()).await.unwrap();
    fs::write(&files.kernel, b"something else").unwrap();
    assert_eq!(images.ensure(NAME, unwatched()).await, Ok(files.clone()));
    assert_eq!(fs::read(files.kernel).unwrap(), b"kernel");
    assert_eq!(counted.made.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_failure_is_shared_and_the_next_call_tries_again() {
    let dir = tempfile::tempdir().unwrap();
    let (images, counted) = counting(&dir);
    counted.failures.store(1, Ordering::SeqCst);
    let answers = futures::future::join_all((0..4).map(|_| images.ensure(NAME, unwatched()))).await;
    for answer in answers {
        assert_eq!(answer.map_err(|fault| fault.kind()), Err(Kind::FailedPrecondition));
    }
    assert_eq!(counted.made.load(Ordering::SeqCst), 1);
    assert!(images.ensure(NAME, unwatched()).await.is_ok());
}

#[tokio::test]
async fn a_second_adapter_uses_what_the_first_made() {
    let dir = tempfile::tempdir().unwrap();
    let (first, _) = counting(&dir);
    let files = first.ensure(NAME, unwatched()).await;
    drop(first);
    let (second, counted) = counting(&dir);
    assert_eq!(second.ensure(NAME, unwatched()).await, files);
    assert_eq!(counted.made.load(Ordering::SeqCst), 0);
}

/// Prepares the real image from this host and its packages.
#[tokio::test]
async fn the_default_image_is_prepared() {
    let dir = tempfile::tempdir().unwrap();
    let images = Images::open(Config::new(dir.path())).unwrap();
    let stages: Arc<Mutex<Vec<Progress>>> = Arc::default();
    let told = Arc::clone(&stages);
    let watcher: Watcher = Arc::new(move |progress| told.lock().unwrap().push(progress));
    let files = match images.ensure(NAME, watcher).await {
        Ok(files) => files,
        Err(fault) => {
            assert_eq!(fault.kind(), Kind::FailedPrecondition, "{fault}");
            assert!(!fault.fix.is_empty());
            println!("skipped: {fault}");
            return;
        }
    };
    assert!(files.title.starts_with("default (Linux "), "{}", files.title);
    let kernel = fs::read(&files.kernel).unwrap();
    assert!(kernel.starts_with(b"\x7fELF") || kernel.get(0x202..0x206) == Some(b"HdrS"));
    let initramfs = fs::read(files.initramfs.as_ref().unwrap()).unwrap();
    assert!(initramfs.starts_with(b"070701"));
    assert!(!stages.lock().unwrap().is_empty());
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "the image and the lock: {left:?}");
    conformance::all(&images).await;
}
