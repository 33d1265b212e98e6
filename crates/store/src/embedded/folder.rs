//! The folder of a store: who holds it, and that there is a store in it.
//!
//! ```text
//! lock        held by flock while a store is open; says by whom
//! store       the marker: there is a store here, of this format, that has reached this revision
//! state.redb  the state; only ever put here whole, by a rename
//! state.new   the state while it is being made; of no worth
//! reserve     see `reserve`
//! ```
//!
//! The folder of a ledger is the same with names of its own.
//!
//! The lock's file is never removed, so that two processes cannot hold two files of one name.

use super::fail::is_full;
use super::row::FORMAT;
use crate::Error;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Whoever only looks whether a store is held has its lock for an instant, which is waited for.
const GLANCE: Duration = Duration::from_millis(50);
/// How long a wait is between.
const BREATH: Duration = Duration::from_millis(2);

/// What files in a folder are called, and what their marker says.
#[derive(Debug)]
pub(crate) struct Names {
    /// The file.
    pub(crate) file: &'static str,
    /// The file while it is being made.
    pub(crate) draft: &'static str,
    /// The marker.
    pub(crate) marker: &'static str,
    /// The marker's first line.
    pub(crate) title: &'static str,
    /// The newest format that is known.
    pub(crate) format: u64,
}

/// Those of a store.
pub(crate) const STORE: Names =
    Names { file: "state.redb", draft: "state.new", marker: "store", title: "a store of weft", format: FORMAT };

/// A folder that is held.
#[derive(Debug)]
pub(crate) struct Folder {
    dir: PathBuf,
    names: &'static Names,
    _lock: File,
    /// The folder itself is held as well: a file can be deleted under us, and another made in its place.
    _ground: File,
}

/// Takes a lock that nobody holds for longer than a glance.
fn taken(lock: &File) -> Result<(), TryLockError> {
    let begun = Instant::now();
    loop {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) if begun.elapsed() < GLANCE => std::thread::sleep(BREATH),
            answer => return answer,
        }
    }
}

impl Folder {
    /// Makes the folder of a store where it is not there, and holds it.
    pub(crate) fn hold(dir: &Path) -> Result<Self, Error> {
        Self::hold_as(dir, &STORE)
    }

    /// Makes a folder where it is not there, and holds it.
    pub(crate) fn hold_as(dir: &Path, names: &'static Names) -> Result<Self, Error> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(access("create", dir))?;
        let path = dir.join("lock");
        let opened = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let mut lock = opened.map_err(access("open", &path))?;
        match taken(&lock) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Held { dir: dir.to_owned(), holder: holder(&mut lock) });
            }
            Err(TryLockError::Error(why)) => return Err(access("lock", &path)(why)),
        }
        let ground = File::open(dir).map_err(access("open", dir))?;
        match ground.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Held { dir: dir.to_owned(), holder: holder(&mut lock) });
            }
            Err(TryLockError::Error(why)) => return Err(access("lock", dir)(why)),
        }
        let said = format!("process {} ({})\n", std::process::id(), program());
        // A full disk must not keep a store from being read: the lock holds without its text.
        let _ = lock.set_len(0).and_then(|()| lock.write_all(said.as_bytes()));
        Ok(Self { dir: dir.to_owned(), names, _lock: lock, _ground: ground })
    }

    /// Where it is.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where the state is.
    pub(crate) fn state(&self) -> PathBuf {
        self.dir.join(self.names.file)
    }

    /// Where the state is made before it is put in its place.
    pub(crate) fn draft(&self) -> PathBuf {
        self.dir.join(self.names.draft)
    }

    /// The revision that the marker says the store has reached; `None` where there was never a store.
    pub(crate) fn marker(&self) -> Result<Option<u64>, Error> {
        marker(&self.dir, self.names)
    }

    /// Says that there is a store that has reached this revision.
    pub(crate) fn mark(&self, revision: u64) -> Result<(), Error> {
        let Names { marker, title, format, .. } = self.names;
        let (path, draft) = (self.dir.join(marker), self.dir.join(format!("{marker}.new")));
        let text = format!("{title}\nformat {format}\nrevision {revision}\n");
        let written = File::create(&draft).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        written.and_then(|()| fs::rename(&draft, &path)).map_err(|why| self.refused("write", &path, why))?;
        self.sync()
    }

    /// Makes the disk hold the folder's names.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        sync(&self.dir).map_err(access("sync", &self.dir))
    }

    /// An act on a file of this folder was refused.
    pub(crate) fn refused(&self, act: &'static str, path: &Path, why: io::Error) -> Error {
        if is_full(&why) { Error::Full { dir: self.dir.clone() } } else { access(act, path)(why) }
    }
}

/// What the marker of a folder says, whoever holds it; see [`Folder::marker`].
pub(crate) fn marker(dir: &Path, names: &Names) -> Result<Option<u64>, Error> {
    let path = dir.join(names.marker);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(access("read", &path)(why)),
    };
    let number = |name| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
    let damaged = || Error::Damaged { dir: dir.to_owned(), what: format!("{} cannot be read", path.display()) };
    let found = number("format ").ok_or_else(damaged)?;
    if found > names.format {
        return Err(Error::Newer { dir: dir.to_owned(), found, known: names.format });
    }
    number("revision ").ok_or_else(damaged).map(Some)
}

/// Makes the disk hold the names in a folder.
pub(crate) fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// The operating system refused an act on a path.
pub(crate) fn access(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Access { act, path, source }
}

fn holder(lock: &mut File) -> String {
    let mut text = String::new();
    let read = lock.rewind().and_then(|()| lock.take(200).read_to_string(&mut text));
    match (read, text.trim()) {
        (Ok(_), said) if said.starts_with("process ") => said.to_owned(),
        _ => "another process".to_owned(),
    }
}

fn program() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    path.file_name().map_or_else(|| "unknown".to_owned(), |name| name.to_string_lossy().into_owned())
}
