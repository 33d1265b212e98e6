//! Logs that others append to: read by offset, and bounded by a hole at the beginning.
//!
//! The writer keeps its descriptor and its place; the space of the dropped part goes back to the file
//! system, and every byte that is kept stays where it was. The first byte that is not a hole is where the
//! kept part begins, so nothing else has to be remembered.

use super::tree::open_plain;
use crate::Error;
use bytes::Bytes;
use rustix::fs::{FallocateFlags, SeekFrom};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

/// The most that is read at once.
const MOST: usize = 16 << 20;
/// Holes are made of whole blocks; no usual file system has smaller ones.
const BLOCK: u64 = 4096;

fn act(verb: &str, path: &Path, error: impl Into<io::Error>) -> Error {
    Error::host(format!("{verb} the log {}", path.display()), error)
}

fn opened(path: &Path, options: &mut OpenOptions) -> Result<Option<File>, Error> {
    match open_plain(path, options) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(act("open", path, error)),
    }
}

/// Its length, and where its kept part begins.
pub(super) fn extent(path: &Path) -> Result<(u64, u64), Error> {
    let Some(file) = opened(path, OpenOptions::new().read(true))? else { return Ok((0, 0)) };
    extent_of(&file).map_err(|error| act("measure", path, error))
}

fn extent_of(file: &File) -> io::Result<(u64, u64)> {
    // Looked for before the length: what is appended meanwhile only makes it longer.
    let start = match rustix::fs::seek(file, SeekFrom::Data(0)) {
        Ok(start) => Some(start),
        Err(Errno::NXIO) => None,
        // A file system that does not tell holes has none.
        Err(_) => Some(0),
    };
    let len = file.metadata()?.len();
    Ok((len, start.unwrap_or(len).min(len)))
}

/// Bytes from this offset, or from where the kept part begins if that is later.
pub(super) fn read(path: &Path, offset: u64, max: usize) -> Result<(u64, Bytes), Error> {
    let Some(file) = opened(path, OpenOptions::new().read(true))? else { return Ok((0, Bytes::new())) };
    let failed = |error| act("read", path, error);
    let (len, start) = extent_of(&file).map_err(failed)?;
    let from = offset.max(start).min(len);
    let wanted = usize::try_from(len - from).unwrap_or(MOST).min(max).min(MOST);
    let mut bytes = vec![0; wanted];
    let mut got = 0;
    while got < wanted {
        match file.read_at(&mut bytes[got..], from + got as u64) {
            Ok(0) => break,
            Ok(more) => got += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    bytes.truncate(got);
    Ok((from, bytes.into()))
}

/// Whether a log is within this bound, by its length alone.
pub(super) fn is_short(path: &Path, keep_bytes: u64) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|told| told.is_file() && told.len() <= keep_bytes)
}

/// Drops the oldest bytes beyond this bound, in whole blocks.
pub(super) fn bound(path: &Path, keep_bytes: u64) -> Result<(), Error> {
    let Some(file) = opened(path, OpenOptions::new().read(true).write(true))? else { return Ok(()) };
    let failed = |error| act("bound", path, error);
    let (len, start) = extent_of(&file).map_err(failed)?;
    let block = file.metadata().map_err(failed)?.blksize().max(BLOCK);
    let cut = len.saturating_sub(keep_bytes) / block * block;
    if cut <= start {
        return Ok(());
    }
    match punch(&file, cut) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => shift(&file, cut, len).map_err(failed),
        other => other.map_err(|errno| failed(errno.into())),
    }
}

/// Makes a hole from the beginning to here.
pub(super) fn punch(file: &File, cut: u64) -> rustix::io::Result<()> {
    rustix::fs::fallocate(file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, 0, cut)
}

/// The same where the file system makes no holes: emptied, lengthened again and the kept part put back.
/// What is appended in that instant may be lost, which is better than a disk that fills up.
fn shift(file: &File, cut: u64, len: u64) -> io::Result<()> {
    let mut kept = vec![0; usize::try_from(len - cut).unwrap_or(MOST).min(MOST)];
    let from = len - kept.len() as u64;
    file.read_exact_at(&mut kept, from)?;
    file.set_len(0)?;
    file.set_len(from)?;
    file.write_all_at(&kept, from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn an_appender_goes_on_where_it_was() {
        for by_shifting in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("log");
            let mut writer = OpenOptions::new().append(true).create(true).open(&path).unwrap();
            writer.write_all(&vec![b'a'; 100_000]).unwrap();
            if by_shifting {
                let file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
                shift(&file, 81_920, 100_000).unwrap();
            } else {
                bound(&path, 18_000).unwrap();
            }
            writer.write_all(b"more").unwrap();
            assert_eq!(extent(&path).unwrap(), (100_004, 81_920));
            let (at, bytes) = read(&path, 0, usize::MAX).unwrap();
            assert_eq!((at, bytes.len()), (81_920, 18_084));
            assert!(bytes.starts_with(b"aaaa") && bytes.ends_with(b"amore"));
        }
    }

    #[test]
    fn a_bound_of_nothing_keeps_less_than_a_block() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        std::fs::write(&path, vec![b'x'; 8192]).unwrap();
        assert!(is_short(&path, 8192) && !is_short(&path, 8191) && !is_short(dir.path(), u64::MAX));
        bound(&path, 0).unwrap();
        assert_eq!(extent(&path).unwrap(), (8192, 8192), "all dropped: it begins where it ends");
        assert_eq!(read(&path, 0, 10).unwrap(), (8192, Bytes::new()));
        bound(&dir.path().join("absent"), 0).unwrap();
    }
}
