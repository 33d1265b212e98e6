//! The ledger's file: made, opened, written.
//!
//! ```text
//!  commit(act) ─► begin, act, count, commit ─► a new view
//!                    │ refused
//!                    ▼
//!                 open again ─► did it land? yes: as above; no: the refusal
//! ```
//!
//! Opening is the rehearsal that the store's is: every page's checksum is looked at before anything is written.
//! Rows are looked at as they are read, by their own checksums, because there are too many to read them all.

use super::schema::{self, META, NAMES};
use super::view::View;
use crate::Error;
use crate::embedded::disk::{Backing, Ground, OnDisk};
use crate::embedded::fail::{Failure, guarded};
use crate::embedded::folder::{self, Folder};
use redb::{Builder, Database, ReadableDatabase, StorageBackend, WriteTransaction};
use std::fs::{self, File};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a file that could not be opened again is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// What a transaction does; it answers whether that changed anything.
pub(crate) type Act<'a> = &'a mut dyn FnMut(&WriteTransaction) -> Result<bool, Failure>;

/// An open file.
struct Open {
    db: Database,
    commits: u64,
}

/// The one who writes the file.
pub(crate) struct Engine {
    ground: Arc<dyn Ground>,
    folder: Folder,
    cache: usize,
    /// `None` while it could not be opened again.
    open: Option<Open>,
    /// How often the file was written, as far as is known.
    reached: u64,
    failed: Option<Instant>,
}

/// Makes a folder's file: whole under another name first.
pub(crate) fn create(folder: &Folder) -> Result<(), Error> {
    let draft = folder.draft();
    let made = File::options().read(true).write(true).create(true).truncate(true).open(&draft);
    let file = made.map_err(|why| folder.refused("create", &draft, why))?;
    fill(Box::new(OnDisk::plain(file))).map_err(|why| told(why, folder))?;
    fs::rename(&draft, folder.state()).map_err(folder::access("rename", &draft))?;
    folder.sync()
}

/// Makes an empty file into a ledger's, and closes it.
pub(crate) fn fill(file: Box<dyn StorageBackend>) -> Result<(), Failure> {
    guarded(|| {
        let db = Builder::new().set_cache_size(1 << 20).create_with_backend(Backing::direct(file))?;
        let txn = db.begin_write()?;
        schema::initialise(&txn)?;
        Ok(txn.commit()?)
    })
}

/// What a failure is, in this folder.
pub(crate) fn told(failure: Failure, folder: &Folder) -> Error {
    match failure {
        Failure::Newer(found) => Error::Newer { dir: folder.dir().to_owned(), found, known: schema::FORMAT },
        failure @ (Failure::Damaged(_) | Failure::Full | Failure::Disk(_) | Failure::Lost) => failure.at(folder.dir()),
    }
}

impl Engine {
    /// Opens a folder's file.
    pub(crate) fn open(ground: Arc<dyn Ground>, folder: Folder, cache: usize) -> Result<(Self, View), Error> {
        let least = folder.marker()?.unwrap_or(0);
        let mut engine = Self { ground, folder, cache, open: None, reached: least, failed: None };
        let view = engine.reopened().map_err(|why| told(why, &engine.folder))?;
        // A full disk must not keep a ledger from being read; the marker then stays as it was.
        match engine.folder.mark(engine.reached) {
            Err(Error::Full { .. }) if least > 0 => {}
            marked => marked?,
        }
        Ok((engine, view))
    }

    fn let_go(&mut self) {
        if let Some(open) = self.open.take() {
            // The engine may panic on its way out, over what made it be let go.
            let _ = guarded(|| {
                drop(open);
                Ok(())
            });
        }
    }

    fn reopened(&mut self) -> Result<View, Failure> {
        self.let_go();
        let backing = Backing::rehearsing(self.ground.open()?);
        let (open, view) = guarded(|| rehearse(&backing, self.cache))?;
        if open.commits < self.reached {
            let what = format!("it was written {} times, but had been {} times", open.commits, self.reached);
            return Err(Failure::Damaged(what));
        }
        backing.perform()?;
        self.reached = open.commits;
        self.failed = None;
        self.open = Some(open);
        Ok(view)
    }

    /// Opens the file again; the error tells why it cannot be.
    pub(crate) fn reopen(&mut self) -> Result<View, Error> {
        let view = self.reopened().map_err(|why| told(why, &self.folder));
        match &view {
            Ok(_) => tracing::warn!(dir = %self.folder.dir().display(), "the ledger was opened again"),
            Err(why) => {
                tracing::error!(%why, "the ledger could not be opened again");
                self.failed = Some(Instant::now());
            }
        }
        view
    }

    /// Whether it is open.
    pub(crate) const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether it was found broken a moment ago.
    pub(crate) fn has_just_failed(&self) -> bool {
        self.failed.is_some_and(|at| at.elapsed() < PAUSE)
    }

    /// Whether there is space for more than what shrinks it.
    pub(crate) fn is_roomy(&self) -> bool {
        self.ground.is_roomy()
    }

    /// How often the file was written.
    pub(crate) const fn commits(&self) -> u64 {
        self.reached
    }

    /// Bytes that it takes on the disk.
    pub(crate) fn bytes(&self) -> u64 {
        self.ground.bytes()
    }

    /// Does this in one transaction, unless it changes nothing, and answers what there is to see then. After a
    /// refusal the file must be opened again, and tells by its count whether it landed.
    pub(crate) fn commit(&mut self, act: Act<'_>) -> Result<View, Failure> {
        let Some(open) = &mut self.open else { return Err(Failure::Lost) };
        let view = guarded(|| {
            let txn = open.db.begin_write()?;
            if act(&txn)? {
                schema::count(&txn, open.commits + 1)?;
                txn.commit()?;
                open.commits += 1;
            } else {
                txn.abort()?;
            }
            View::of(&open.db)
        });
        self.reached = self.reached.max(open.commits);
        view
    }

    /// What this failure is.
    pub(crate) fn told(&self, failure: Failure) -> Error {
        told(failure, &self.folder)
    }

    /// Closes it in order.
    pub(crate) fn close(mut self) {
        self.let_go();
        if let Err(why) = self.folder.mark(self.reached) {
            tracing::warn!(%why, "the ledger's marker stays as it was");
        }
    }
}

fn rehearse(backing: &Backing, cache: usize) -> Result<(Open, View), Failure> {
    if backing.len()? == 0 {
        return Err(Failure::damaged("its file is empty"));
    }
    let repaired = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&repaired);
    let mut builder = Builder::new();
    builder.set_cache_size(cache).set_repair_callback(move |_| seen.store(true, Ordering::Relaxed));
    let mut db = builder.create_with_backend(backing.clone())?;
    // The repair that follows a crash has looked at every page already.
    if !repaired.load(Ordering::Relaxed) && !db.check_integrity()? {
        tracing::warn!("the ledger's file was not as it was left, and the engine has mended it");
    }
    let commits = schema::commits(&db.begin_read()?.open_table(META)?)?;
    let view = View::of(&db)?;
    Ok((Open { db, commits }, view))
}

/// Makes sure that there is a file where there should be one.
pub(crate) fn placed(folder: &Folder) -> Result<(), Error> {
    let path = folder.state();
    match fs::metadata(&path) {
        Ok(_) => Ok(()),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => match folder.marker()? {
            None => create(folder),
            Some(commits) => {
                let what =
                    format!("there was a ledger that was written {commits} times, but no {} is here", NAMES.file);
                Err(Error::Damaged { dir: folder.dir().to_owned(), what })
            }
        },
        Err(why) => Err(folder::access("read", &path)(why)),
    }
}
