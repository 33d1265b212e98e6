//! What of the host is seen in a jail: taken on the host, shown inside.
//!
//! ```text
//!  take   a detached copy of the mount from a path on, closed to all but what was granted; mapped to the
//!         jail's user where the file's mode would keep that user out
//!  show   an empty place in the jail's own file system, and the copy moved on it
//! ```
//!
//! What always holds: places are made in the jail's own file systems only, which nobody but root writes; so
//! nothing that a jailed process prepared in a folder of its own leads us anywhere.

use super::order::{Access, Bind};
use super::{Failure, at, kernel};
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt, lchown};
use std::path::{Component, Path, PathBuf};

/// Something of the host, ready to be shown.
pub(crate) struct Taken<'a> {
    bind: &'a Bind,
    sort: Sort,
}

enum Sort {
    /// A folder or file.
    Tree { tree: OwnedFd, found: Metadata },
    /// A device.
    Node { found: Metadata },
}

/// Whose the jail is, and the mappings that were already made for it.
pub(crate) struct Taker {
    uid: u32,
    gid: u32,
    mappings: Vec<(u32, u32, OwnedFd)>,
}

impl Taker {
    pub(crate) fn new(uid: u32, gid: u32) -> Self {
        Self { uid, gid, mappings: Vec::new() }
    }

    /// Takes what is on the host; called while it is seen.
    pub(crate) fn take<'a>(&mut self, bind: &'a Bind) -> Result<Taken<'a>, Failure> {
        let sort = self.sort(bind).map_err(at(shown(bind)))?;
        Ok(Taken { bind, sort })
    }

    fn sort(&mut self, bind: &Bind) -> io::Result<Sort> {
        // Held first, so that what is looked at is what is shown.
        let held = hold(bind)?;
        let found = held.metadata()?;
        let kind = found.file_type();
        if kind.is_symlink() {
            return Err(io::Error::other("it is a symbolic link, and somebody in a jail may have made it"));
        }
        if kind.is_char_device() || kind.is_block_device() {
            return Ok(Sort::Node { found });
        }
        let tree = kernel::detached(held.as_fd())?;
        let (owner, group) = (found.uid(), found.gid());
        if self.needs_mapping(&found, bind.access)? {
            let user = self.uid;
            let mapping = self.mapping(owner, group)?;
            kernel::restrict(tree.as_fd(), bind.access, Some(mapping)).map_err(|error| {
                io::Error::other(format!(
                    "it belongs to user {owner}, and its file system cannot lend it to user {user} ({error}): \
                     change its owner, or move it to another file system"
                ))
            })?;
        } else {
            kernel::restrict(tree.as_fd(), bind.access, None)?;
        }
        Ok(Sort::Tree { tree, found })
    }

    /// Whether its mode keeps the jail's user out.
    fn needs_mapping(&self, found: &Metadata, access: Access) -> io::Result<bool> {
        let needed = match (access, found.is_dir()) {
            (Access::Read, false) => 0o4,
            (Access::Write, false) => 0o6,
            (Access::Execute, false) | (Access::Read | Access::Execute, true) => 0o5,
            (Access::Write, true) => 0o7,
        };
        let grants = |shift: u32| (found.mode() >> shift) & needed == needed;
        let as_it_is = if found.uid() == self.uid {
            grants(6)
        } else if found.gid() == self.gid {
            grants(3)
        } else {
            grants(0)
        };
        if as_it_is {
            return Ok(false);
        }
        if !grants(6) || found.uid() == self.uid {
            return Err(io::Error::other(format!("its mode {:o} denies that to its owner too", found.mode() & 0o7777)));
        }
        Ok(true)
    }

    fn mapping(&mut self, owner: u32, group: u32) -> io::Result<BorrowedFd<'_>> {
        let known = self.mappings.iter().position(|(uid, gid, _)| (*uid, *gid) == (owner, group));
        let index = match known {
            Some(index) => index,
            None => {
                let users = kernel::mapping((owner, self.uid), (group, self.gid))?;
                self.mappings.push((owner, group, users));
                self.mappings.len() - 1
            }
        };
        Ok(self.mappings[index].2.as_fd())
    }
}

/// Opens what is bound, without any access to it. Where jails write, a link could lead anywhere; programs
/// and libraries are reached by links everywhere, and no jail writes those.
fn hold(bind: &Bind) -> io::Result<File> {
    let links = if bind.access == Access::Execute { 0 } else { kernel::O_NOFOLLOW };
    OpenOptions::new().read(true).custom_flags(kernel::O_PATH | links).open(&bind.from)
}

fn shown(bind: &Bind) -> String {
    format!("show {}", bind.from.display())
}

/// The file systems of a jail that are its own: `/` and `/dev`.
pub(crate) struct Own {
    root: u64,
    devices: u64,
    gid: u32,
}

impl Own {
    /// Looked at from inside, for this group.
    pub(crate) fn look(gid: u32) -> io::Result<Self> {
        Ok(Self { root: fs::symlink_metadata("/")?.dev(), devices: fs::symlink_metadata("/dev")?.dev(), gid })
    }

    /// Shows it; called inside. What is shown already is success.
    pub(crate) fn show(&self, taken: &Taken<'_>) -> Result<(), Failure> {
        let bind = taken.bind;
        let tried = self.place(&bind.to).and_then(|place| match &taken.sort {
            Sort::Tree { tree, found } => Self::show_tree(&place, tree, found),
            Sort::Node { found } => self.show_node(&place, found, bind.access),
        });
        tried.map_err(at(shown(bind)))
    }

    fn show_tree(place: &Path, tree: &OwnedFd, found: &Metadata) -> io::Result<()> {
        match fs::symlink_metadata(place) {
            Ok(there) if (there.dev(), there.ino()) == (found.dev(), found.ino()) => return Ok(()),
            Ok(_) => return Err(taken_place(place)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        if found.is_dir() {
            fs::create_dir(place)?;
        } else {
            OpenOptions::new().write(true).create_new(true).mode(0o400).open(place)?;
        }
        kernel::attach(tree.as_fd(), place).inspect_err(|_| {
            // An empty place is no harm; the error that counts is the other.
            let _ = remove(place);
        })
    }

    fn show_node(&self, place: &Path, found: &Metadata, access: Access) -> io::Result<()> {
        if fs::symlink_metadata(place.parent().unwrap_or(place))?.dev() != self.devices {
            return Err(io::Error::other("a device can be shown under /dev only"));
        }
        let mode = if access == Access::Write { 0o660 } else { 0o440 };
        match fs::symlink_metadata(place) {
            Ok(there) if there.file_type() == found.file_type() && there.rdev() == found.rdev() => return Ok(()),
            Ok(_) => return Err(taken_place(place)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        kernel::make_node(place, found.mode() & S_IFMT, found.rdev())?;
        // By its group alone: an owner could grant himself what the mode withholds.
        lchown(place, Some(0), Some(self.gid))?;
        fs::set_permissions(place, Permissions::from_mode(mode))
    }

    /// The path itself, with the folders that lead to it made where they are missing.
    fn place(&self, to: &Path) -> io::Result<PathBuf> {
        let mut place = PathBuf::from("/");
        let mut parts = to.components().peekable();
        if parts.next() != Some(Component::RootDir) || parts.peek().is_none() {
            return Err(io::Error::other(format!("{} is no place in a jail", to.display())));
        }
        while let Some(part) = parts.next() {
            let Component::Normal(name) = part else {
                return Err(io::Error::other(format!("{} is no place in a jail", to.display())));
            };
            place.push(name);
            if parts.peek().is_some() {
                self.lead(&place)?;
            }
        }
        Ok(place)
    }

    fn lead(&self, folder: &Path) -> io::Result<()> {
        match fs::symlink_metadata(folder) {
            Ok(there) if there.is_dir() && self.has(&there) => Ok(()),
            Ok(_) => Err(io::Error::other(format!("{} is a bind itself", folder.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir(folder),
            Err(error) => Err(error),
        }
    }

    fn has(&self, there: &Metadata) -> bool {
        there.dev() == self.root || there.dev() == self.devices
    }

    /// Takes away what is shown at this path; absence is success.
    pub(crate) fn hide(&self, path: &Path) -> io::Result<()> {
        let mut folder = PathBuf::new();
        for part in path.parent().into_iter().flat_map(Path::components) {
            folder.push(part);
            match fs::symlink_metadata(&folder) {
                Ok(there) if there.is_dir() && self.has(&there) => {}
                // Nothing is ever shown below such a place.
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        let there = match fs::symlink_metadata(path) {
            Ok(there) => there,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        if self.has(&there) {
            return remove(path);
        }
        // Whoever holds a folder of it open could make more in it for as long as he lives.
        let protected = if there.is_dir() { kernel::protect(path) } else { Ok(()) };
        kernel::detach(path)?;
        remove(path)?;
        protected.map_err(|error| match error.kind() {
            io::ErrorKind::ResourceBusy => io::Error::other("a file in it is still open for writing"),
            _ => error,
        })
    }
}

/// The bits of a mode that say what sort of file it is.
const S_IFMT: u32 = 0o170_000;

fn taken_place(place: &Path) -> io::Error {
    io::Error::other(format!("something else is at {} in the jail", place.display()))
}

fn remove(place: &Path) -> io::Result<()> {
    if fs::symlink_metadata(place)?.is_dir() { fs::remove_dir(place) } else { fs::remove_file(place) }
}
