//! The journal's file: opened with its lock, appended durably, rewritten when it has grown.
//!
//! What always holds: only the holder of the lock touches the file; a failed append leaves it as it was;
//! a rewrite is in place whole or not at all.

use super::frame::{self, Frame, Spoilt};
use crate::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use weft_ports::fault::{self, Point};

/// A file is rewritten when it is longer than this and than [`GROWTH`] times what it was.
const WORTH: u64 = 1 << 20;
const GROWTH: u64 = 4;

/// The journal's file.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    path: PathBuf,
    length: u64,
    number: u64,
    rewrite_at: u64,
}

/// The lock of a folder, held until this is dropped.
pub(super) type Lock = crate::lock::Lock;

/// Takes the lock of a folder.
pub(super) fn lock(dir: &Path) -> Result<Lock, Error> {
    crate::lock::take(dir, "claims.lock")
}

/// Opens the file, or makes it where there is none; answers the payloads of its commits.
pub(super) fn open(dir: &Path) -> Result<(Journal, Vec<Vec<u8>>), Error> {
    let path = dir.join("claims.log");
    let act = |error: io::Error| Error::host(format!("open the journal {}", path.display()), error);
    if !path.try_exists().map_err(act)? {
        write_anew(&path, &frame::header()).map_err(|error| full_or(&path, "make", error))?;
    }
    let mut file = OpenOptions::new().read(true).write(true).open(&path).map_err(act)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(act)?;
    let read = frame::read(&bytes).map_err(|spoilt| told(&path, spoilt))?;
    let commits = read.commits.iter().map(|commit| commit.to_vec()).collect();
    let length = read.whole as u64;
    if read.whole < bytes.len() {
        let lost = bytes.len() - read.whole;
        tracing::warn!(path = %path.display(), lost, "the journal's end was cut short and is dropped");
        file.set_len(length).and_then(|()| file.sync_data()).map_err(act)?;
    }
    let mut journal = Journal { file, length, number: read.next, rewrite_at: (length * GROWTH).max(WORTH), path };
    if read.unsealed {
        // A commit that is whole counts, so it must be on the disk before anything follows it.
        journal.file.sync_data().map_err(|error| full_or(&journal.path, "sync", error))?;
        journal.seal();
    }
    Ok((journal, commits))
}

/// The payloads of the commits of a folder's journal; `None` where there is none. Nothing is changed.
pub(super) fn read(dir: &Path) -> Result<Option<Vec<Vec<u8>>>, Error> {
    let path = dir.join("claims.log");
    if !path.exists() {
        return Ok(None);
    }
    let _lock = lock(dir)?;
    let bytes = fs::read(&path).map_err(|error| Error::host(format!("read the journal {}", path.display()), error))?;
    let read = frame::read(&bytes).map_err(|spoilt| told(&path, spoilt))?;
    Ok(Some(read.commits.iter().map(|commit| commit.to_vec()).collect()))
}

/// Looks at the first bytes of a folder's journal, whoever holds it.
pub(super) fn readable(dir: &Path) -> Result<(), Error> {
    let path = dir.join("claims.log");
    let act = |error: io::Error| Error::host(format!("read the journal {}", path.display()), error);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(act(error)),
    };
    let mut head = Vec::new();
    file.take(frame::HEADER as u64).read_to_end(&mut head).map_err(act)?;
    frame::read(&head).map(drop).map_err(|spoilt| told(&path, spoilt))
}

fn told(path: &Path, spoilt: Spoilt) -> Error {
    match spoilt {
        Spoilt::Newer(version) => Error::Newer { path: path.to_owned(), version },
        Spoilt::Damaged(at, why) => Error::Damaged { path: path.to_owned(), offset: at as u64, why },
    }
}

/// Writes a file of this content beside the path and puts it in its place.
fn write_anew(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let fresh = path.with_extension("new");
    let mut options = OpenOptions::new();
    let mut file = options.read(true).write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fault::hit(Point::JournalRewriting);
    fs::rename(&fresh, path)?;
    fault::hit(Point::JournalRewritten);
    let dir = path.parent().unwrap_or_else(|| Path::new("."));
    File::open(dir)?.sync_all()?;
    Ok(file)
}

fn full_or(path: &Path, act: &str, error: io::Error) -> Error {
    let error = Error::host(format!("{act} the journal {}", path.display()), error);
    if matches!(error, Error::DiskFull { .. }) { Error::JournalFull { path: path.to_owned() } } else { error }
}

/// Why an append failed.
#[derive(Debug)]
pub(super) enum Failed {
    /// It is as if it had not been tried.
    Clean(Error),
    /// What is on the disk is not known: nothing more can be promised.
    Unknown(Error),
}

impl Journal {
    /// Appends a commit; it is on the disk when this answers.
    pub(super) fn append(&mut self, payload: &[u8]) -> Result<(), Failed> {
        let mut bytes = Vec::with_capacity(frame::HEAD + payload.len());
        frame::write(Frame::Commit(payload), self.number, &mut bytes);
        fault::hit(Point::JournalAppending);
        if let Err(error) = self.file.write_all_at(&bytes, self.length) {
            let error = full_or(&self.path, "write", error);
            // A part may have been written: it must not stand before the next commit.
            return Err(match self.file.set_len(self.length) {
                Ok(()) => Failed::Clean(error),
                Err(_) => Failed::Unknown(error),
            });
        }
        fault::hit(Point::JournalWritten);
        // After a failed sync the kernel may drop what it held, so a second try would promise too much.
        self.file.sync_data().map_err(|error| Failed::Unknown(full_or(&self.path, "sync", error)))?;
        fault::hit(Point::JournalSynced);
        self.length += bytes.len() as u64;
        self.number += 1;
        self.seal();
        Ok(())
    }

    /// Marks what is written as being on the disk. A seal that is lost costs nothing but certainty.
    fn seal(&mut self) {
        let mut bytes = Vec::with_capacity(frame::HEAD);
        frame::write(Frame::Seal, self.number, &mut bytes);
        match self.file.write_all_at(&bytes, self.length) {
            Ok(()) => {
                self.length += bytes.len() as u64;
                self.number += 1;
            }
            Err(error) => {
                tracing::debug!(%error, "a seal could not be written");
                // The next commit overwrites whatever was written of it.
            }
        }
    }

    /// Whether it has grown enough to be rewritten.
    pub(super) const fn is_grown(&self) -> bool {
        self.length > self.rewrite_at
    }

    /// Puts a file with only these commits in its place.
    pub(super) fn rewrite(&mut self, commits: &[Vec<u8>]) -> Result<(), Error> {
        let mut bytes = frame::header().to_vec();
        let mut number = 0;
        for payload in commits {
            frame::write(Frame::Commit(payload), number, &mut bytes);
            frame::write(Frame::Seal, number + 1, &mut bytes);
            number += 2;
        }
        let before = self.length;
        // Tried again only after as much growth, so that a failing rewrite costs little.
        self.rewrite_at = self.length.saturating_mul(2);
        let mut file = write_anew(&self.path, &bytes).map_err(|error| full_or(&self.path, "rewrite", error))?;
        self.length = file.seek(SeekFrom::End(0)).map_err(|error| full_or(&self.path, "rewrite", error))?;
        self.file = file;
        self.number = number;
        self.rewrite_at = (self.length * GROWTH).max(WORTH);
        tracing::debug!(before, after = self.length, "the journal was rewritten");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_is_read_and_numbers_go_on() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, commits) = open(dir.path()).unwrap();
        assert!(commits.is_empty());
        journal.append(b"one").unwrap();
        journal.append(b"two").unwrap();
        drop(journal);
        let (mut journal, commits) = open(dir.path()).unwrap();
        assert_eq!(commits, [b"one", b"two"]);
        journal.append(b"three").unwrap();
        journal.rewrite(&[b"all".to_vec()]).unwrap();
        journal.append(b"more").unwrap();
        drop(journal);
        let (_, commits) = open(dir.path()).unwrap();
        assert_eq!(commits, [&b"all"[..], b"more"]);
        let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["claims.log"]);
    }

    #[test]
    fn what_is_read_is_not_changed_and_not_read_while_it_is_held() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path()).unwrap(), None);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is begun");
        let (mut journal, _) = open(dir.path()).unwrap();
        journal.append(b"one").unwrap();
        drop(journal);
        let path = dir.path().join("claims.log");
        // A commit that was cut short stays as it is for the one who opens the journal.
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(&[1; 10]).unwrap();
        let before = fs::read(&path).unwrap();
        assert_eq!(read(dir.path()).unwrap(), Some(vec![b"one".to_vec()]));
        assert_eq!(fs::read(&path).unwrap(), before);
        let _held = lock(dir.path()).unwrap();
        assert!(matches!(read(dir.path()), Err(Error::Held { .. })));
    }

    #[test]
    fn the_lock_names_its_holder() {
        let dir = tempfile::tempdir().unwrap();
        let held = lock(dir.path()).unwrap();
        let Err(Error::Held { holder, .. }) = lock(dir.path()) else { panic!("it is held") };
        assert_eq!(holder, Some(std::process::id()));
        drop(held);
        lock(dir.path()).unwrap();
    }

    #[test]
    fn a_full_disk_leaves_the_journal_as_it_was() {
        // This device refuses every write as a full disk does, and takes no truncation.
        let Ok(full) = OpenOptions::new().read(true).write(true).open("/dev/full") else {
            println!("skipped: no /dev/full");
            return;
        };
        let path = PathBuf::from("/dev/full");
        let mut journal = Journal { file: full, path, length: 0, number: 0, rewrite_at: WORTH };
        let (Failed::Clean(error) | Failed::Unknown(error)) = journal.append(b"x").unwrap_err();
        assert!(matches!(error, Error::JournalFull { .. }), "{error}");
        assert_eq!((journal.length, journal.number), (0, 0));
    }
}
