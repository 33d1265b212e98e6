//! The files of snapshots.
//!
//! ```text
//!  copy   one clone where the file system shares blocks, else each stretch of data in turn
//!  fill   each hole in turn
//!  lay    a caller's file is emptied first; a device keeps its length
//! ```
//!
//! What is long looks again and again whether somebody still waits for it: a thread that nobody waits for
//! would hold up the end of the process.

use super::own::{beside, sync_place};
use super::tree::open_plain;
use super::{Linux, Own};
use crate::Error;
use crate::error::blocking;
use bytes::Bytes;
use rustix::fs::{FallocateFlags, SeekFrom};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use weft_domain::Fault;
use weft_ports::fault::{self, Point};
use weft_ports::volumes::parts::{Measure, Parts};

/// How much is done at once.
const CHUNK: usize = 1 << 20;
/// The longest small file.
const SMALL: u64 = 1 << 20;

/// Whether somebody still waits for the answer.
#[derive(Clone, Default)]
struct Waited(Arc<AtomicBool>);

impl Waited {
    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::Relaxed) { Err(io::Error::other("nobody waits for it any more")) } else { Ok(()) }
    }
}

/// With this goes the one who waits.
struct Waiter(Waited);

impl Drop for Waiter {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

impl Linux {
    async fn at_length<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Own, &Waited) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Fault> {
        let (own, waited) = (Arc::clone(&self.own), Waited::default());
        let _waiter = Waiter(waited.clone());
        Ok(blocking(move || work(&own, &waited)).await?)
    }
}

#[async_trait::async_trait]
impl Parts for Linux {
    async fn copy(&self, from: &Path, to: &Path) -> Result<(), Fault> {
        let (from, to) = (from.to_owned(), to.to_owned());
        let work = move |own: &Own, waited: &Waited| {
            own.check(&to)?;
            put(&to, |file| copy_into(&open(&from)?, file, waited))
        };
        self.at_length(work).await
    }

    async fn fill(&self, path: &Path, from: &Path) -> Result<(), Fault> {
        let (path, from) = (path.to_owned(), from.to_owned());
        let work = move |own: &Own, waited: &Waited| {
            own.check(&path)?;
            let act = |error| Error::host(format!("complete {}", path.display()), error);
            let file = open_plain(&path, OpenOptions::new().read(true).write(true)).map_err(act)?;
            let whole = open(&from).map_err(act)?;
            let (len, other) = (file.metadata().map_err(act)?.len(), length(&whole).map_err(act)?);
            if len != other {
                let why = format!("has {len} bytes, and what completes it {other}");
                return Err(Error::Occupied { path: path.clone(), why });
            }
            fill_holes(&file, &whole, len, waited).and_then(|()| file.sync_all()).map_err(act)
        };
        self.at_length(work).await
    }

    async fn lay(&self, from: &Path, disk: &Path) -> Result<(), Fault> {
        let (from, disk) = (from.to_owned(), disk.to_owned());
        let work = move |own: &Own, waited: &Waited| {
            own.check(&from)?;
            let act = |error| Error::host(format!("lay out the disk {}", disk.display()), error);
            let part = open(&from).map_err(act)?;
            let file = OpenOptions::new().read(true).write(true).open(&disk).map_err(act)?;
            let (len, there) = (length(&part).map_err(act)?, length(&file).map_err(act)?);
            if !file.metadata().map_err(act)?.file_type().is_block_device() {
                file.set_len(0).map_err(act)?;
                return copy_into(&part, &file, waited).and_then(|()| file.sync_all()).map_err(act);
            }
            if there < len {
                let why = format!("is a device of {there} bytes, and {len} are to be laid on it");
                return Err(Error::Occupied { path: disk, why });
            }
            write_over(&part, &file, len, waited).and_then(|()| file.sync_all()).map_err(act)
        };
        self.at_length(work).await
    }

    async fn measure(&self, path: &Path) -> Result<Option<Measure>, Fault> {
        let path = path.to_owned();
        let work = move |own: &Own, waited: &Waited| {
            own.check(&path)?;
            let act = |error| Error::host(format!("measure {}", path.display()), error);
            match open(&path) {
                Ok(file) => measured(&file, waited).map(Some).map_err(act),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(act(error)),
            }
        };
        self.at_length(work).await
    }

    async fn write(&self, path: &Path, bytes: Bytes) -> Result<(), Fault> {
        let path = path.to_owned();
        let work = move |own: &Own, _: &Waited| {
            own.check(&path)?;
            put(&path, |file| file.write_all_at(&bytes, 0))
        };
        self.at_length(work).await
    }

    async fn read(&self, path: &Path) -> Result<Option<Bytes>, Fault> {
        let path = path.to_owned();
        let work = move |own: &Own, _: &Waited| {
            own.check(&path)?;
            let read = open(&path).and_then(|file| {
                let mut bytes = Vec::new();
                file.take(SMALL).read_to_end(&mut bytes)?;
                Ok(Some(bytes.into()))
            });
            match read {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                other => other.map_err(|error| Error::host(format!("read {}", path.display()), error)),
            }
        };
        self.at_length(work).await
    }
}

fn open(path: &Path) -> io::Result<File> {
    open_plain(path, OpenOptions::new().read(true))
}

/// Makes a file beside its name and puts it in place, whole.
fn put(path: &Path, write: impl FnOnce(&File) -> io::Result<()>) -> Result<(), Error> {
    let draft = Draft(beside(path));
    let made = make_anew(&draft.0).and_then(|file| {
        write(&file)?;
        fault::hit(Point::PartWritten);
        file.sync_all()
    });
    if let Err(error) = made.and_then(|()| fs::rename(&draft.0, path)) {
        return Err(Error::host(format!("write {}", path.display()), error));
    }
    sync_place(path)
}

/// A file that is being made: what was begun takes space that others need, and goes however its making ends.
struct Draft(PathBuf);

impl Drop for Draft {
    fn drop(&mut self) {
        // It is gone where it was put in its place.
        let _ = fs::remove_file(&self.0);
    }
}

fn make_anew(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

/// The length of a file or device.
fn length(file: &File) -> io::Result<u64> {
    let there = file.metadata()?;
    if there.is_file() {
        return Ok(there.len());
    }
    let end = rustix::fs::seek(file, SeekFrom::End(0))?;
    rustix::fs::seek(file, SeekFrom::Start(0))?;
    Ok(end)
}

/// Copies into an empty file.
fn copy_into(from: &File, to: &File, waited: &Waited) -> io::Result<()> {
    if rustix::fs::ioctl_ficlone(to, from).is_ok() {
        return Ok(());
    }
    let len = length(from)?;
    to.set_len(len)?;
    each_stretch(from, len, |stretch, at, end| match stretch {
        Stretch::Data => copy_data(from, to, (at, end), waited),
        Stretch::Hole => Ok(()),
    })
}

/// A part of a file.
#[derive(Clone, Copy)]
enum Stretch {
    Data,
    Hole,
}

/// Calls with each stretch of data or hole, in order.
fn each_stretch(file: &File, len: u64, mut act: impl FnMut(Stretch, u64, u64) -> io::Result<()>) -> io::Result<()> {
    let mut at = 0;
    while at < len {
        let data = match rustix::fs::seek(file, SeekFrom::Data(at)) {
            Ok(data) => data.min(len),
            Err(Errno::NXIO) => len,
            // A device or a file system that does not tell holes has none.
            Err(_) => at,
        };
        if data > at {
            act(Stretch::Hole, at, data)?;
        }
        if data == len {
            return Ok(());
        }
        let hole = rustix::fs::seek(file, SeekFrom::Hole(data)).map_or(len, |hole| hole.min(len)).max(data + 1);
        act(Stretch::Data, data, hole)?;
        at = hole;
    }
    Ok(())
}

/// Copies a stretch of data; blocks of zeros become holes where the destination has none yet.
fn copy_data(from: &File, to: &File, (mut at, end): (u64, u64), waited: &Waited) -> io::Result<()> {
    let mut buffer = Vec::new();
    while at < end {
        waited.check()?;
        let some = usize::try_from(end - at).unwrap_or(CHUNK).min(CHUNK);
        let (mut off_in, mut off_out) = (at, at);
        // In the kernel where it can, which may share blocks.
        match rustix::fs::copy_file_range(from, Some(&mut off_in), to, Some(&mut off_out), some) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(copied) => at += copied as u64,
            Err(Errno::INTR) => {}
            Err(Errno::XDEV | Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS | Errno::IO | Errno::PERM) => {
                buffer.resize(some, 0);
                from.read_exact_at(&mut buffer, at)?;
                if buffer.iter().any(|byte| *byte != 0) {
                    to.write_all_at(&buffer, at)?;
                }
                at += some as u64;
            }
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// Copies all, holes too, over what is there.
fn write_over(from: &File, to: &File, len: u64, waited: &Waited) -> io::Result<()> {
    let zeros = vec![0; CHUNK];
    let mut buffer = vec![0; CHUNK];
    each_stretch(from, len, |stretch, mut at, end| {
        if matches!(stretch, Stretch::Hole) && punch(to, at, end) {
            return Ok(());
        }
        while at < end {
            waited.check()?;
            let some = usize::try_from(end - at).unwrap_or(CHUNK).min(CHUNK);
            if matches!(stretch, Stretch::Data) {
                from.read_exact_at(&mut buffer[..some], at)?;
                to.write_all_at(&buffer[..some], at)?;
            } else {
                to.write_all_at(&zeros[..some], at)?;
            }
            at += some as u64;
        }
        Ok(())
    })
}

/// Lets a stretch of a device read as zeros; whether it could.
fn punch(device: &File, at: u64, end: u64) -> bool {
    let flags = FallocateFlags::ZERO_RANGE | FallocateFlags::KEEP_SIZE;
    rustix::fs::fallocate(device, flags, at, end - at).is_ok()
}

/// Gives each hole what the other file has there.
fn fill_holes(file: &File, whole: &File, len: u64, waited: &Waited) -> io::Result<()> {
    let mut holes = Vec::new();
    each_stretch(file, len, |stretch, at, end| {
        if matches!(stretch, Stretch::Hole) {
            holes.push((at, end));
        }
        Ok(())
    })?;
    each_stretch(whole, len, |stretch, at, end| {
        if matches!(stretch, Stretch::Hole) {
            return Ok(());
        }
        let first = holes.partition_point(|hole| hole.1 <= at);
        for hole in holes[first..].iter().take_while(|hole| hole.0 < end) {
            copy_data(whole, file, (hole.0.max(at), hole.1.min(end)), waited)?;
        }
        Ok(())
    })
}

fn measured(file: &File, waited: &Waited) -> io::Result<Measure> {
    let len = length(file)?;
    let (mut hasher, zeros, mut buffer) = (Sha256::new(), vec![0; CHUNK], vec![0; CHUNK]);
    each_stretch(file, len, |stretch, mut at, end| {
        while at < end {
            waited.check()?;
            let some = usize::try_from(end - at).unwrap_or(CHUNK).min(CHUNK);
            match stretch {
                Stretch::Hole => hasher.update(&zeros[..some]),
                Stretch::Data => {
                    file.read_exact_at(&mut buffer[..some], at)?;
                    hasher.update(&buffer[..some]);
                }
            }
            at += some as u64;
        }
        Ok(())
    })?;
    Ok(Measure { bytes: len, sha256: hasher.finalize().into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    const MIB: u64 = 1 << 20;

    fn sparse(path: &Path, len: u64, data: &[(u64, u8)]) {
        let file = File::create(path).unwrap();
        file.set_len(len).unwrap();
        for (at, byte) in data {
            file.write_all_at(&[*byte; 4096], *at).unwrap();
        }
    }

    #[test]
    fn holes_stay_holes() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        sparse(&from, 64 * MIB + 7, &[(0, 1), (40 * MIB, 2)]);
        put(&to, |file| copy_into(&open(&from).unwrap(), file, &Waited::default())).unwrap();
        let (before, after) = (fs::metadata(&from).unwrap(), fs::metadata(&to).unwrap());
        assert_eq!(before.len(), after.len());
        assert!(after.blocks() * 512 < MIB, "{} blocks", after.blocks());
        let sum = |path: &Path| measured(&open(path).unwrap(), &Waited::default()).unwrap();
        assert_eq!(sum(&from), sum(&to));
        assert_eq!(sum(&from).sha256, <[u8; 32]>::from(Sha256::digest(fs::read(&from).unwrap())));
    }

    #[test]
    fn a_hole_gets_what_the_other_has() {
        let dir = tempfile::tempdir().unwrap();
        let (diff, base) = (dir.path().join("diff"), dir.path().join("base"));
        sparse(&base, 4 * MIB, &[(0, 1), (MIB, 1), (3 * MIB, 1)]);
        // A page of zeros that was written overrides too.
        sparse(&diff, 4 * MIB, &[(MIB, 0), (2 * MIB, 2)]);
        let file = OpenOptions::new().read(true).write(true).open(&diff).unwrap();
        fill_holes(&file, &open(&base).unwrap(), 4 * MIB, &Waited::default()).unwrap();
        let bytes = fs::read(&diff).unwrap();
        let at = |mib: usize| bytes[mib << 20];
        assert_eq!([at(0), at(1), at(2), at(3)], [1, 0, 2, 1]);
    }

    #[test]
    fn all_is_written_over_what_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let (part, disk) = (dir.path().join("part"), dir.path().join("disk"));
        sparse(&part, 2 * MIB, &[(MIB, 5)]);
        fs::write(&disk, vec![9; 3 << 20]).unwrap();
        let file = OpenOptions::new().read(true).write(true).open(&disk).unwrap();
        write_over(&open(&part).unwrap(), &file, 2 * MIB, &Waited::default()).unwrap();
        let bytes = fs::read(&disk).unwrap();
        assert_eq!(bytes[..2 << 20], fs::read(&part).unwrap());
        assert_eq!((bytes.len(), bytes[2 << 20]), (3 << 20, 9), "what is behind it stays");
    }

    #[test]
    fn what_nobody_waits_for_ends_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fs::write(&from, vec![1; 3 << 20]).unwrap();
        let waited = Waited::default();
        drop(Waiter(waited.clone()));
        assert!(measured(&open(&from).unwrap(), &waited).is_err());
        let copied = put(&to, |file| copy_data(&open(&from).unwrap(), file, (0, 3 << 20), &waited));
        assert!(copied.is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
