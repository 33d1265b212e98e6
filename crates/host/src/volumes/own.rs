//! What weft makes: blank disks and folders, under its own folders and nowhere else.
//!
//! A disk is made beside its name and put there whole, so that a crash leaves none of a wrong size. A
//! link is removed, never followed.

use super::tree;
use crate::Error;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};
use weft_ports::fault::{self, Point};

/// Our own folders.
#[derive(Debug)]
pub(super) struct Own {
    /// As they were given, and without links.
    folders: Vec<(PathBuf, PathBuf)>,
}

impl Own {
    /// Makes them where they are missing.
    pub(super) fn make(folders: Vec<PathBuf>) -> Result<Self, Error> {
        let mut made = Vec::new();
        for folder in folders {
            make_folders(&folder, sync_parent)?;
            let act = |error| Error::host(format!("resolve {}", folder.display()), error);
            let real = fs::canonicalize(&folder).map_err(act)?;
            made.push((folder, real));
        }
        Ok(Self { folders: made })
    }

    /// The folders without links.
    pub(super) fn folders(&self) -> Vec<PathBuf> {
        self.folders.iter().map(|(_, real)| real.clone()).collect()
    }

    /// Refuses what is not inside one of our folders.
    pub(super) fn check(&self, path: &Path) -> Result<(), Error> {
        let is_root = self.folders.iter().any(|(given, real)| path == given || path == real);
        if is_root { Err(Error::NotOurs { path: path.to_owned() }) } else { self.check_inside_or_at(path) }
    }

    /// Refuses what is neither one of our folders nor inside one.
    pub(super) fn check_inside_or_at(&self, path: &Path) -> Result<(), Error> {
        let climbs = path.components().any(|part| part == Component::ParentDir);
        let spelt = self.folders.iter().any(|(given, real)| path.starts_with(given) || path.starts_with(real));
        if climbs || !spelt || !self.truly_holds(path) {
            return Err(Error::NotOurs { path: path.to_owned() });
        }
        Ok(())
    }

    /// Whether the nearest folder that is there lies in ours, links followed.
    fn truly_holds(&self, path: &Path) -> bool {
        let at_root = self.folders.iter().any(|(given, real)| path == given || path == real);
        let start = if at_root { Some(path) } else { path.parent() };
        let nearest = start.into_iter().flat_map(Path::ancestors).find_map(|folder| fs::canonicalize(folder).ok());
        nearest.is_some_and(|nearest| self.folders.iter().any(|(_, real)| nearest.starts_with(real)))
    }
}

/// Makes an empty raw disk of this size.
pub(super) fn make_blank(path: &Path, size_bytes: u64) -> Result<(), Error> {
    let act = |error: io::Error| Error::host(format!("make the disk {}", path.display()), error);
    match fs::symlink_metadata(path) {
        Ok(there) if there.is_file() && there.len() == size_bytes => return sync_place(path),
        Ok(there) => {
            let why = if there.is_file() {
                format!("is there already, with {} bytes instead of {size_bytes}", there.len())
            } else {
                "is there already, and no file".to_owned()
            };
            return Err(Error::Occupied { path: path.to_owned(), why });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(act(error)),
    }
    let fresh = beside(path);
    fault::hit(Point::DiskMaking);
    let made = write_blank(&fresh, size_bytes).and_then(|()| fs::rename(&fresh, path));
    if let Err(error) = made {
        // What was begun takes no space, and the next try overwrites it.
        let _ = fs::remove_file(&fresh);
        return Err(act(error));
    }
    fault::hit(Point::DiskMade);
    sync_place(path)
}

/// Makes a disk at least this long.
pub(super) fn grow(path: &Path, size_bytes: u64) -> Result<(), Error> {
    let act = |error: io::Error| Error::host(format!("grow the disk {}", path.display()), error);
    let no_disk = |why: &str| Error::Occupied { path: path.to_owned(), why: why.to_owned() };
    // A link would lead out of our folders.
    let options =
        OpenOptions::new().write(true).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()).open(path);
    let file = match options {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(no_disk("is not there")),
        Err(error) => return Err(act(error)),
    };
    let there = file.metadata().map_err(act)?;
    if !there.is_file() {
        return Err(no_disk("is no file"));
    }
    if there.len() < size_bytes {
        file.set_len(size_bytes).map_err(act)?;
    }
    fault::hit(Point::DiskGrown);
    // One that grew before may not be on the disk yet.
    file.sync_all().map_err(act)
}

/// How long a disk is; `None` where there is no file.
pub(super) fn length(path: &Path) -> Result<Option<u64>, Error> {
    match fs::symlink_metadata(path) {
        Ok(there) => Ok(there.is_file().then_some(there.len())),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(Error::host(format!("look at the disk {}", path.display()), error)),
    }
}

pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

fn write_blank(path: &Path, size_bytes: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.set_len(size_bytes)?;
    file.sync_all()
}

pub(super) fn sync_parent(path: &Path) -> Result<(), Error> {
    let parent = path.parent().unwrap_or_else(|| Path::new("/"));
    let synced = File::open(parent).and_then(|folder| folder.sync_all());
    synced.map_err(|error| Error::host(format!("sync the folder {}", parent.display()), error))
}

/// The folder of a disk may have been made in passing, before there was a disk.
pub(super) fn sync_place(path: &Path) -> Result<(), Error> {
    sync_parent(path)?;
    path.parent().map_or(Ok(()), sync_parent)
}

/// Makes a folder that only we can enter, and its parents.
pub(super) fn make_folder(path: &Path) -> Result<(), Error> {
    make_folders(path, sync_parent)?;
    close(path)
}

/// The same without a wait for the disk.
pub(super) fn make_passing_folder(path: &Path) -> Result<(), Error> {
    make_folders(path, |_| Ok(()))?;
    close(path)
}

fn close(path: &Path) -> Result<(), Error> {
    let act = |error| Error::host(format!("close the folder {} to others", path.display()), error);
    let mode = fs::symlink_metadata(path).map_err(act)?.permissions().mode() & 0o7777;
    if mode != 0o700 {
        fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(act)?;
    }
    Ok(())
}

fn make_folders(path: &Path, made: impl Fn(&Path) -> Result<(), Error>) -> Result<(), Error> {
    let missing: Vec<&Path> = path.ancestors().take_while(|folder| fs::symlink_metadata(folder).is_err()).collect();
    for folder in missing.into_iter().rev() {
        fault::hit(Point::FolderMaking);
        match DirBuilder::new().mode(0o700).create(folder) {
            Ok(()) => {
                fault::hit(Point::FolderMade);
                made(folder)?;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                let why = "leads through a file as if it were a folder".to_owned();
                return Err(Error::Occupied { path: folder.to_owned(), why });
            }
            Err(error) => return Err(Error::host(format!("make the folder {}", folder.display()), error)),
        }
    }
    match fs::metadata(path) {
        Ok(there) if there.is_dir() => Ok(()),
        Ok(_) => Err(Error::Occupied { path: path.to_owned(), why: "is there already, and no folder".to_owned() }),
        Err(error) => Err(Error::host(format!("look at the folder {}", path.display()), error)),
    }
}

/// Removes a disk or folder with all in it; absence is success.
pub(super) fn remove(path: &Path) -> Result<(), Error> {
    let gone = |answer: io::Result<()>| match answer {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(|error| Error::host(format!("remove {}", path.display()), error)),
    };
    fault::hit(Point::Removing);
    // A disk whose making was cut short.
    gone(fs::remove_file(beside(path)))?;
    match fs::symlink_metadata(path) {
        Ok(there) if there.is_dir() => gone(tree::remove(path))?,
        Ok(_) => gone(fs::remove_file(path))?,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(()),
        Err(error) => return gone(Err(error)),
    }
    fault::hit(Point::Removed);
    sync_parent(path)
}

/// Entries of a folder, by name; an absent folder is empty.
pub(super) fn entries(path: &Path) -> Result<Vec<String>, Error> {
    let act = |error| Error::host(format!("list {}", path.display()), error);
    let listed = match fs::read_dir(path) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(act(error)),
    };
    let mut names = Vec::new();
    for entry in listed {
        names.push(entry.map_err(act)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
