//! Backups: a store's file of one revision, without its log; and the way back.
//!
//! A backup is written beside its name, made to last, checked by reading it back, and only then given the
//! name; a name that is taken is refused. Restoring reads every row before the folder becomes a store's.

use super::disk::{Backing, OnDisk};
use super::engine;
use super::fail::{Failure, guarded, is_full};
use super::folder::{self, Folder};
use super::schema::{self, OBJECTS, Stand};
use super::view::{Verified, View};
use crate::Error;
use redb::Builder;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use weft_domain::object::Revision;
use weft_ports::codec::Codec;

/// A file that is removed unless it was given its name.
struct Draft {
    path: PathBuf,
    file: File,
}

impl Draft {
    fn beside(to: &Path) -> Result<Self, Error> {
        let name =
            to.file_name().ok_or_else(|| Error::Backup { path: to.to_owned(), what: "it has no name".into() })?;
        let path = to.with_file_name(format!(".{}.{}.partial", name.to_string_lossy(), std::process::id()));
        let _ = fs::remove_file(&path);
        let made = File::options().read(true).write(true).create_new(true).open(&path);
        Ok(Self { file: made.map_err(folder::access("create", &path))?, path })
    }

    fn backing(&self) -> io::Result<Box<dyn redb::StorageBackend>> {
        Ok(Box::new(OnDisk::plain(self.file.try_clone()?)))
    }

    /// Gives it its name, where that is free.
    fn keep(self, to: &Path) -> Result<(), Error> {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        self.file.sync_all().map_err(folder::access("sync", &self.path))?;
        match renameat_with(CWD, &self.path, CWD, to, RenameFlags::NOREPLACE) {
            Ok(()) => {}
            Err(rustix::io::Errno::EXIST) => return Err(Error::Exists { path: to.to_owned() }),
            Err(why) => return Err(folder::access("create", to)(why.into())),
        }
        folder::sync(parent(to)).map_err(folder::access("sync", parent(to)))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After a rename there is nothing under this name.
        let _ = fs::remove_file(&self.path);
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes a view to a new file.
pub(crate) fn write(view: &View, to: &Path, dir: &Path) -> Result<Revision, Error> {
    if fs::symlink_metadata(to).is_ok() {
        return Err(Error::Exists { path: to.to_owned() });
    }
    let draft = Draft::beside(to)?;
    let outcome = copy(view, &draft);
    outcome.map_err(|failure| match failure {
        Failure::Full => Error::Full { dir: parent(to).to_owned() },
        Failure::Disk(source) => Error::Access { act: "write", path: to.to_owned(), source },
        Failure::Damaged(_) | Failure::Newer(_) | Failure::Lost => failure.at(dir),
    })?;
    draft.keep(to)?;
    Ok(Revision(view.stand.revision))
}

fn copy(view: &View, draft: &Draft) -> Result<(), Failure> {
    let file = draft.backing()?;
    guarded(|| {
        let db = Builder::new().set_cache_size(8 << 20).create_with_backend(Backing::direct(file))?;
        let txn = db.begin_write()?;
        let revision = view.stand.revision;
        schema::initialise(&txn, Stand { revision, compacted: revision }, engine::now())?;
        let mut objects = txn.open_table(OBJECTS)?;
        view.rows(|key, row| {
            objects.insert(key, row)?;
            Ok(())
        })?;
        drop(objects);
        Ok(txn.commit()?)
    })?;
    let copied = engine::open_copy(draft.file.try_clone()?)?;
    if copied.stand.revision != view.stand.revision {
        return Err(Failure::damaged("the copy does not stand where it should"));
    }
    Ok(())
}

/// Makes a folder into the store that a backup holds, and tells what was in it. The folder must be empty
/// or absent; a restore that fails leaves it empty.
///
/// # Errors
/// The folder holds something, the file is no backup or damaged or newer, or there is no space.
pub fn restore(from: &Path, dir: &Path, codec: &dyn Codec) -> Result<Verified, Error> {
    let mut source = File::open(from).map_err(folder::access("open", from))?;
    match fs::read_dir(dir) {
        Ok(entries) => {
            if entries.count() > 0 {
                return Err(Error::NotEmpty { dir: dir.to_owned() });
            }
        }
        Err(why) if why.kind() == io::ErrorKind::NotFound => {}
        Err(why) => return Err(folder::access("read", dir)(why)),
    }
    let unusable = |failure: Failure| match failure {
        Failure::Damaged(what) => Error::Backup { path: from.to_owned(), what },
        Failure::Newer(_) | Failure::Full | Failure::Disk(_) | Failure::Lost => failure.at(dir),
    };
    let verified = verify(&source, codec).map_err(unusable)?;
    let folder = Folder::hold(dir)?;
    let draft = folder.draft();
    let copied = File::create_new(&draft).and_then(|mut file| {
        io::Seek::rewind(&mut source)?;
        io::copy(&mut source, &mut file)?;
        file.sync_all()
    });
    let placed = copied.and_then(|()| fs::rename(&draft, folder.state()));
    let placed = placed.map_err(|why| {
        let _ = fs::remove_file(&draft);
        if is_full(&why) { Error::Full { dir: dir.to_owned() } } else { folder::access("write", &draft)(why) }
    });
    if let Err(why) = placed.and_then(|()| folder.sync()).and_then(|()| folder.mark(verified.revision)) {
        for name in ["state.redb", "store", "store.new", "lock"] {
            let _ = fs::remove_file(dir.join(name));
        }
        return Err(why);
    }
    Ok(verified)
}

fn verify(source: &File, codec: &dyn Codec) -> Result<Verified, Failure> {
    let engine = engine::open_copy(source.try_clone()?)?;
    let verified = guarded(|| View::of(&engine.db, engine.stand))?.verify(codec)?;
    Ok(verified)
}
