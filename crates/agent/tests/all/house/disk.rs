//! The disk in memory, with logs where the fake guests write them: in a real folder.

use bytes::Bytes;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use weft_domain::Fault;
use weft_ports::volumes::fake::Fake;
use weft_ports::volumes::parts::{Measure, Parts};
use weft_ports::volumes::{Volumes, Want};

pub(crate) struct Disk {
    pub(crate) fake: Fake,
    starts: Mutex<BTreeMap<PathBuf, usize>>,
}

impl Disk {
    pub(crate) fn new(own: &Path, root: &Path) -> Self {
        Self { fake: Fake::new(own, root), starts: Mutex::default() }
    }

    fn log(&self, path: &Path) -> (usize, Vec<u8>) {
        let bytes = std::fs::read(path).unwrap_or_default();
        (self.starts.lock().unwrap().get(path).copied().unwrap_or(0), bytes)
    }
}

#[async_trait::async_trait]
impl Volumes for Disk {
    async fn resolve(&self, path: &Path, want: Want, field: &str) -> Result<PathBuf, Fault> {
        self.fake.resolve(path, want, field).await
    }

    async fn make_blank(&self, path: &Path, size_bytes: u64) -> Result<(), Fault> {
        self.fake.make_blank(path, size_bytes).await
    }

    async fn grow(&self, path: &Path, size_bytes: u64) -> Result<(), Fault> {
        self.fake.grow(path, size_bytes).await
    }

    async fn length(&self, path: &Path) -> Result<Option<u64>, Fault> {
        self.fake.length(path).await
    }

    async fn make_folder(&self, path: &Path) -> Result<(), Fault> {
        self.fake.make_folder(path).await?;
        std::fs::create_dir_all(path).expect("a folder can be made");
        Ok(())
    }

    async fn remove(&self, path: &Path) -> Result<(), Fault> {
        self.fake.remove(path).await?;
        let _ = std::fs::remove_dir_all(path);
        Ok(())
    }

    async fn entries(&self, path: &Path) -> Result<Vec<String>, Fault> {
        self.fake.entries(path).await
    }

    async fn free_bytes(&self) -> Result<u64, Fault> {
        self.fake.free_bytes().await
    }

    async fn allocated_bytes(&self, path: &Path) -> Result<u64, Fault> {
        self.fake.allocated_bytes(path).await
    }

    async fn log_extent(&self, path: &Path) -> Result<(u64, u64), Fault> {
        let (start, bytes) = self.log(path);
        Ok((bytes.len() as u64, start as u64))
    }

    async fn read_log(&self, path: &Path, offset: u64, max: usize) -> Result<(u64, Bytes), Fault> {
        let (start, bytes) = self.log(path);
        let from = usize::try_from(offset).unwrap_or(usize::MAX).max(start).min(bytes.len());
        let to = from.saturating_add(max).min(bytes.len());
        Ok((from as u64, Bytes::copy_from_slice(&bytes[from..to])))
    }

    async fn bound_log(&self, path: &Path, keep_bytes: u64) -> Result<(), Fault> {
        let (start, bytes) = self.log(path);
        let keep = usize::try_from(keep_bytes).unwrap_or(usize::MAX);
        self.starts.lock().unwrap().insert(path.to_owned(), bytes.len().saturating_sub(keep).max(start));
        Ok(())
    }
}

impl Disk {
    /// What a fake VMM wrote into the real folder is on the disk in memory too.
    fn take_in(&self, path: &Path) {
        if let Ok(bytes) = std::fs::read(path) {
            self.fake.put(path, &bytes);
        }
    }
}

#[async_trait::async_trait]
impl Parts for Disk {
    async fn copy(&self, from: &Path, to: &Path) -> Result<(), Fault> {
        self.fake.copy(from, to).await
    }

    async fn fill(&self, path: &Path, from: &Path) -> Result<(), Fault> {
        self.take_in(path);
        self.take_in(from);
        self.fake.fill(path, from).await
    }

    async fn lay(&self, from: &Path, disk: &Path) -> Result<(), Fault> {
        self.fake.lay(from, disk).await
    }

    async fn measure(&self, path: &Path) -> Result<Option<Measure>, Fault> {
        self.take_in(path);
        self.fake.measure(path).await
    }

    async fn write(&self, path: &Path, bytes: Bytes) -> Result<(), Fault> {
        self.fake.write(path, bytes).await
    }

    async fn read(&self, path: &Path) -> Result<Option<Bytes>, Fault> {
        self.fake.read(path).await
    }
}
