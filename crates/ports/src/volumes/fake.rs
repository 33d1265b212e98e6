//! Disks, folders and logs in memory, for tests of those who order them.
//!
//! Clones share one disk. There are no links in it; a caller's path is allowed under the roots that it
//! was made with and usable where a test has [`Fake::put`] a file.

use super::parts::{Measure, Parts};
use super::{Volumes, Want};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use weft_domain::{Fault, Reason};

/// A disk in memory.
#[derive(Debug, Clone)]
pub struct Fake {
    own: PathBuf,
    roots: Vec<PathBuf>,
    disk: Arc<Mutex<Disk>>,
}

#[derive(Debug)]
struct Disk {
    free: u64,
    nodes: BTreeMap<PathBuf, Node>,
    refuse: Option<Fault>,
}

#[derive(Debug, Clone)]
enum Node {
    Folder,
    Socket,
    Blank(u64),
    File { bytes: Vec<u8>, start: usize },
}

impl Node {
    const fn len(&self) -> u64 {
        match self {
            Self::Folder | Self::Socket => 0,
            Self::Blank(size) => *size,
            Self::File { bytes, .. } => bytes.len() as u64,
        }
    }

    fn measure(&self) -> Measure {
        let mut hasher = Sha256::new();
        if let Self::File { bytes, .. } = self {
            hasher.update(bytes);
        } else {
            let (zeros, mut left) = ([0; 1 << 16], self.len());
            while left > 0 {
                let some = usize::try_from(left).unwrap_or(usize::MAX).min(zeros.len());
                hasher.update(&zeros[..some]);
                left -= some as u64;
            }
        }
        Measure { bytes: self.len(), sha256: hasher.finalize().into() }
    }
}

impl Fake {
    /// An empty disk. What weft makes is under `own`; callers' paths are under `root`.
    #[must_use]
    pub fn new(own: &Path, root: &Path) -> Self {
        let disk = Disk { free: 1 << 40, nodes: BTreeMap::new(), refuse: None };
        Self { own: own.to_owned(), roots: vec![root.to_owned()], disk: Arc::new(Mutex::new(disk)) }
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a file there, with these bytes; one that is there is replaced.
    pub fn put(&self, path: &Path, bytes: &[u8]) {
        self.disk().nodes.insert(path.to_owned(), Node::File { bytes: bytes.to_vec(), start: 0 });
    }

    /// Puts a Unix socket there.
    pub fn put_socket(&self, path: &Path) {
        self.disk().nodes.insert(path.to_owned(), Node::Socket);
    }

    /// Sets how many bytes are free.
    pub fn set_free(&self, bytes: u64) {
        self.disk().free = bytes;
    }

    /// Refuses the next verb that makes or removes with this.
    pub fn refuse_next(&self, fault: Fault) {
        self.disk().refuse = Some(fault);
    }

    /// Every path that there is, sorted.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        self.disk().nodes.keys().cloned().collect()
    }

    fn ours(&self, path: &Path) -> Result<MutexGuard<'_, Disk>, Fault> {
        let climbs = path.components().any(|part| part == Component::ParentDir);
        if climbs || path == self.own || !path.starts_with(&self.own) {
            return Err(Fault::internal(format!("{} is not in a folder of weft's", path.display())));
        }
        let mut disk = self.disk();
        match disk.refuse.take() {
            Some(fault) => Err(fault),
            None => Ok(disk),
        }
    }
}

impl Disk {
    fn take(&mut self, bytes: u64) -> Result<(), Fault> {
        let full = || Fault::new(Reason::DiskExhausted, "the disk is full");
        self.free = self.free.checked_sub(bytes).ok_or_else(full)?;
        Ok(())
    }

    /// Puts a node there in place of what is there; files take no space of a disk in memory, but none fits
    /// into one that is full.
    fn place(&mut self, path: &Path, node: Node) -> Result<(), Fault> {
        let (len, blank) = (node.len(), matches!(node, Node::Blank(_)));
        self.take(len)?;
        self.free += if blank { 0 } else { len };
        if let Some(Node::Blank(size)) = self.nodes.insert(path.to_owned(), node) {
            self.free += size;
        }
        Ok(())
    }

    fn file(&self, path: &Path) -> Result<Node, Fault> {
        match self.nodes.get(path) {
            Some(node @ (Node::Blank(_) | Node::File { .. })) => Ok(node.clone()),
            Some(Node::Folder | Node::Socket) | None => {
                Err(Fault::new(Reason::PathUnusable, format!("{} is no file", path.display())))
            }
        }
    }

    fn log(&self, path: &Path) -> (usize, &[u8]) {
        match self.nodes.get(path) {
            Some(Node::File { bytes, start }) => (*start, bytes),
            Some(Node::Folder | Node::Socket | Node::Blank(_)) | None => (0, &[]),
        }
    }
}

#[async_trait::async_trait]
impl Volumes for Fake {
    async fn resolve(&self, path: &Path, want: Want, field: &str) -> Result<PathBuf, Fault> {
        let refused = |reason, why: &str| Fault::field(reason, field, format!("{} {why}", path.display()));
        if path.components().any(|part| part == Component::ParentDir) {
            return Err(refused(Reason::PathNotAllowed, "contains '..'"));
        }
        if !self.roots.iter().any(|root| path.starts_with(root) && path != root) {
            return Err(refused(Reason::PathNotAllowed, "is outside of the allowed roots"));
        }
        let unusable = |why| Err(refused(Reason::PathUnusable, why));
        match (self.disk().nodes.get(path), want) {
            (Some(Node::Socket), Want::Socket) => Ok(path.to_owned()),
            (Some(Node::Socket), _) => unusable("is a socket, not a file"),
            (Some(Node::File { .. } | Node::Blank(_)), Want::Socket) => unusable("is a file, not a socket"),
            (None | Some(Node::File { .. } | Node::Blank(_)), Want::Output) => Ok(path.to_owned()),
            (Some(Node::File { bytes, .. }), _) if bytes.is_empty() => unusable("is empty"),
            (Some(Node::Blank(_)), Want::File) => unusable("is empty"),
            (Some(Node::File { .. } | Node::Blank(_)), _) => Ok(path.to_owned()),
            (Some(Node::Folder), _) => unusable("is a folder, not a file"),
            (None, _) => unusable("does not exist"),
        }
    }

    async fn make_blank(&self, path: &Path, size_bytes: u64) -> Result<(), Fault> {
        let mut disk = self.ours(path)?;
        match disk.nodes.get(path) {
            Some(Node::Blank(size)) if *size == size_bytes => return Ok(()),
            Some(_) => return Err(Fault::new(Reason::PathUnusable, format!("{} is there already", path.display()))),
            None => {}
        }
        disk.take(size_bytes)?;
        disk.nodes.insert(path.to_owned(), Node::Blank(size_bytes));
        Ok(())
    }

    async fn grow(&self, path: &Path, size_bytes: u64) -> Result<(), Fault> {
        let mut disk = self.ours(path)?;
        match disk.nodes.get(path) {
            Some(Node::Blank(size)) if *size < size_bytes => {
                let more = size_bytes - *size;
                disk.take(more)?;
                disk.nodes.insert(path.to_owned(), Node::Blank(size_bytes));
            }
            Some(Node::Blank(_)) => {}
            Some(Node::File { bytes, .. }) => {
                let (mut bytes, least) = (bytes.clone(), usize::try_from(size_bytes).unwrap_or(usize::MAX));
                bytes.resize(bytes.len().max(least), 0);
                disk.nodes.insert(path.to_owned(), Node::File { bytes, start: 0 });
            }
            Some(Node::Folder | Node::Socket) | None => {
                return Err(Fault::new(Reason::PathUnusable, format!("{} is no disk", path.display())));
            }
        }
        Ok(())
    }

    async fn length(&self, path: &Path) -> Result<Option<u64>, Fault> {
        match self.disk().nodes.get(path) {
            Some(node @ (Node::Blank(_) | Node::File { .. })) => Ok(Some(node.len())),
            Some(Node::Folder | Node::Socket) | None => Ok(None),
        }
    }

    async fn make_folder(&self, path: &Path) -> Result<(), Fault> {
        let mut disk = self.ours(path)?;
        for folder in path.ancestors().take_while(|folder| *folder != self.own) {
            match disk.nodes.get(folder) {
                None | Some(Node::Folder) => disk.nodes.insert(folder.to_owned(), Node::Folder),
                Some(_) => {
                    return Err(Fault::new(Reason::PathUnusable, format!("{} is a file", folder.display())));
                }
            };
        }
        Ok(())
    }

    async fn remove(&self, path: &Path) -> Result<(), Fault> {
        let mut disk = self.ours(path)?;
        let (gone, left) = std::mem::take(&mut disk.nodes).into_iter().partition(|(at, _)| at.starts_with(path));
        disk.nodes = left;
        let gone: BTreeMap<PathBuf, Node> = gone;
        disk.free += gone.values().map(|node| if let Node::Blank(size) = node { *size } else { 0 }).sum::<u64>();
        Ok(())
    }

    async fn entries(&self, path: &Path) -> Result<Vec<String>, Fault> {
        let disk = self.disk();
        let inside = disk.nodes.keys().filter(|at| at.parent() == Some(path));
        Ok(inside.filter_map(|at| Some(at.file_name()?.to_string_lossy().into_owned())).collect())
    }

    async fn free_bytes(&self) -> Result<u64, Fault> {
        Ok(self.disk().free)
    }

    async fn allocated_bytes(&self, path: &Path) -> Result<u64, Fault> {
        let disk = self.disk();
        let inside = disk.nodes.iter().filter(|(at, _)| at.starts_with(path));
        Ok(inside
            .map(|(_, node)| match node {
                Node::Folder | Node::Socket => 0,
                Node::Blank(size) => *size,
                Node::File { bytes, start } => (bytes.len() - start) as u64,
            })
            .sum())
    }

    async fn log_extent(&self, path: &Path) -> Result<(u64, u64), Fault> {
        let disk = self.disk();
        let (start, bytes) = disk.log(path);
        Ok((bytes.len() as u64, start as u64))
    }

    async fn read_log(&self, path: &Path, offset: u64, max: usize) -> Result<(u64, Bytes), Fault> {
        let disk = self.disk();
        let (start, bytes) = disk.log(path);
        let from = usize::try_from(offset).unwrap_or(usize::MAX).max(start).min(bytes.len());
        let to = from.saturating_add(max).min(bytes.len());
        Ok((from as u64, Bytes::copy_from_slice(&bytes[from..to])))
    }

    async fn bound_log(&self, path: &Path, keep_bytes: u64) -> Result<(), Fault> {
        let mut disk = self.ours(path)?;
        if let Some(Node::File { bytes, start }) = disk.nodes.get_mut(path) {
            let keep = usize::try_from(keep_bytes).unwrap_or(usize::MAX);
            *start = bytes.len().saturating_sub(keep).max(*start);
        }
        Ok(())
    }
}

/// What is blank is one hole; a file has none.
#[async_trait::async_trait]
impl Parts for Fake {
    async fn copy(&self, from: &Path, to: &Path) -> Result<(), Fault> {
        let mut disk = self.ours(to)?;
        let node = disk.file(from)?;
        disk.place(to, node)
    }

    async fn fill(&self, path: &Path, from: &Path) -> Result<(), Fault> {
        let mut disk = self.ours(path)?;
        let (holey, whole) = (disk.file(path)?, disk.file(from)?);
        if holey.len() != whole.len() {
            return Err(Fault::new(Reason::PathUnusable, "the files are not of the same length"));
        }
        match holey {
            Node::Blank(_) => disk.place(path, whole),
            Node::File { .. } | Node::Folder | Node::Socket => Ok(()),
        }
    }

    async fn lay(&self, from: &Path, to: &Path) -> Result<(), Fault> {
        let mut disk = self.ours(from)?;
        let (node, _) = (disk.file(from)?, disk.file(to)?);
        disk.place(to, node)
    }

    async fn measure(&self, path: &Path) -> Result<Option<Measure>, Fault> {
        Ok(self.disk().file(path).ok().map(|node| node.measure()))
    }

    async fn write(&self, path: &Path, bytes: Bytes) -> Result<(), Fault> {
        self.ours(path)?.place(path, Node::File { bytes: bytes.to_vec(), start: 0 })
    }

    async fn read(&self, path: &Path) -> Result<Option<Bytes>, Fault> {
        Ok(self.disk().nodes.get(path).and_then(|node| match node {
            Node::File { bytes, .. } => Some(Bytes::copy_from_slice(bytes)),
            Node::Blank(_) | Node::Folder | Node::Socket => None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volumes::{conformance, parts};

    #[tokio::test]
    async fn keeps_the_laws() {
        let (own, root) = (Path::new("/own"), Path::new("/root-of-callers"));
        let fake = Fake::new(own, root);
        conformance::all(&fake, own, root, &|path, bytes| fake.put(path, bytes)).await;
        assert_eq!(fake.free_bytes().await, Ok(1 << 40), "what was taken was given back");
    }

    #[tokio::test]
    async fn keeps_the_laws_of_parts() {
        let (own, root) = (Path::new("/own"), Path::new("/root-of-callers"));
        let fake = Fake::new(own, root);
        let bench = parts::conformance::Bench {
            parts: &fake,
            volumes: &fake,
            own,
            root,
            put: &|path, bytes| fake.put(path, bytes),
            get: &|path| fake.disk().log(path).1.to_vec(),
        };
        parts::conformance::all(&bench).await;
        assert_eq!(fake.free_bytes().await, Ok(1 << 40), "what was taken was given back");
    }

    #[tokio::test]
    async fn a_full_disk_is_said() {
        let fake = Fake::new(Path::new("/own"), Path::new("/r"));
        fake.set_free(10);
        let fault = fake.make_blank(Path::new("/own/d"), 11).await.unwrap_err();
        assert_eq!(fault.reason, Reason::DiskExhausted);
    }
}
