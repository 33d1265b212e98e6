//! The store's laws, on the embedded store.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use weft_ports::store::Store;
use weft_ports::store::conformance::{self, Setting};
use weft_ports::store::fake::Text;
use weft_store::embedded::{self, Config};

struct Folders {
    root: tempfile::TempDir,
    next: AtomicU32,
}

impl Folders {
    fn fresh_dir(&self) -> PathBuf {
        self.root.path().join(format!("store-{}", self.next.fetch_add(1, Ordering::Relaxed)))
    }

    fn open(config: Config) -> Arc<dyn Store> {
        Arc::new(embedded::open(config, Arc::new(Text)).expect("a store opens"))
    }
}

#[async_trait::async_trait]
impl Setting for Folders {
    async fn fresh(&self) -> Arc<dyn Store> {
        Self::open(Config::at(self.fresh_dir()))
    }

    async fn short(&self, keep: usize) -> Arc<dyn Store> {
        Self::open(Config { log_commits: keep as u64, ..Config::at(self.fresh_dir()) })
    }

    async fn opened(&self, backup: &Path) -> Arc<dyn Store> {
        let dir = self.fresh_dir();
        embedded::restore(backup, &dir, &Text).expect("a backup is restored");
        Self::open(Config::at(dir))
    }

    fn folder(&self) -> PathBuf {
        self.root.path().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_embedded_store_obeys_the_laws() {
    let root = tempfile::tempdir().expect("a folder");
    conformance::run(&Folders { root, next: AtomicU32::new(0) }).await;
}
