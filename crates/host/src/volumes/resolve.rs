//! Vets the paths that callers name.
//!
//! A path must be spelt under an allowed root and, with every link on the way followed once, end under
//! one. It is held while it is looked at, so what is judged is what was found, whatever becomes of the
//! name meanwhile. The answer names it without links.

use crate::Error;
use rustix::fs::{Access, AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use weft_ports::volumes::Want;

/// The longest path that Linux takes.
const LONGEST: usize = 4095;

/// The roots that callers may name files under.
#[derive(Debug)]
pub(super) struct Roots {
    allowed: Vec<PathBuf>,
    /// Our own folders, without links.
    own: Vec<PathBuf>,
}

/// What is held of a path.
enum Use {
    Itself,
    /// The folder in which it is free.
    Place,
}

/// Why a path is refused.
enum Refusal {
    NotAllowed(String),
    Unusable(String),
}

impl Roots {
    pub(super) const fn new(allowed: Vec<PathBuf>, own: Vec<PathBuf>) -> Self {
        Self { allowed, own }
    }

    /// What a caller's path leads to, without links.
    pub(super) fn resolve(&self, path: &Path, want: Want, field: &str) -> Result<PathBuf, Error> {
        self.judge(path, want).map_err(|refusal| {
            let field = field.to_owned();
            match refusal {
                Refusal::NotAllowed(why) => Error::NotAllowed { field, why, roots: self.allowed.clone() },
                Refusal::Unusable(why) => Error::Unusable { field, why },
            }
        })
    }

    fn judge(&self, path: &Path, want: Want) -> Result<PathBuf, Refusal> {
        let shown = path.display();
        let refused = |why: &str| Refusal::NotAllowed(format!("{shown} {why}"));
        if path.as_os_str().is_empty() {
            return Err(Refusal::NotAllowed("is empty".to_owned()));
        }
        if !path.is_absolute() {
            return Err(refused("is not an absolute path"));
        }
        if path.components().any(|part| part == Component::ParentDir) {
            return Err(refused("contains '..'"));
        }
        if path.as_os_str().len() > LONGEST || path.as_os_str().as_bytes().contains(&0) {
            return Err(Refusal::NotAllowed("is no path that Linux takes".to_owned()));
        }
        // Roots may be made, or be links that change, while we run.
        let real: Vec<PathBuf> = self.allowed.iter().filter_map(|root| fs::canonicalize(root).ok()).collect();
        if !self.allowed.iter().chain(&real).any(|root| path.starts_with(root)) {
            return Err(refused("is outside of the allowed roots"));
        }
        let (held, found, use_of) = match (hold(path), want) {
            (Err(Errno::NOENT), Want::Output) if fs::symlink_metadata(path).is_err() => {
                let (held, name) = hold_place(path)?;
                let folder = fs::read_link(proc_path(&held)).map_err(|_| refused("cannot be resolved"))?;
                (held, folder.join(name), Use::Place)
            }
            (held, _) => {
                let held = held.map_err(|errno| why_not_there(path, errno))?;
                let found = fs::read_link(proc_path(&held)).map_err(|_| refused("cannot be resolved"))?;
                (held, found, Use::Itself)
            }
        };
        if !real.iter().any(|root| found.starts_with(root)) {
            return Err(refused("leads out of the allowed roots by a symbolic link"));
        }
        if !real.iter().any(|root| found.starts_with(root) && self.opens(root, &found)) {
            return Err(refused("is in a folder that weft keeps for itself"));
        }
        let checked = match use_of {
            Use::Itself => check_use(&held, want),
            Use::Place => check_place(&held),
        };
        checked.map_err(|why| Refusal::Unusable(format!("{shown} {why}")))?;
        Ok(found)
    }

    /// Whether no folder of our own lies between this root and what was found.
    fn opens(&self, root: &Path, found: &Path) -> bool {
        !self.own.iter().any(|own| own.starts_with(root) && found.starts_with(own) && own != root)
    }
}

/// Holds what the path leads to without opening it.
fn hold(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    match rustix::fs::openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_MAGICLINKS) {
        // Kernels before 5.6, and sandboxes that do not know the call.
        Err(Errno::NOSYS | Errno::PERM) => {
            let real = fs::canonicalize(path).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
            rustix::fs::open(real, flags | OFlags::NOFOLLOW, Mode::empty())
        }
        other => other,
    }
}

/// Holds the folder in which a name is free, and that name.
fn hold_place(path: &Path) -> Result<(OwnedFd, &OsStr), Refusal> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Refusal::NotAllowed(format!("{} names no file", path.display())));
    };
    Ok((hold(folder).map_err(|errno| why_not_there(folder, errno))?, name))
}

fn proc_path(held: &OwnedFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", held.as_raw_fd()))
}

fn why_not_there(path: &Path, errno: Errno) -> Refusal {
    let shown = path.display();
    let why = match errno {
        Errno::NOENT if fs::symlink_metadata(path).is_ok() => "is a symbolic link to nothing".to_owned(),
        Errno::NOENT => "does not exist".to_owned(),
        Errno::ACCESS => "cannot be reached by weft: permission denied".to_owned(),
        Errno::NOTDIR => "leads through a file as if it were a folder".to_owned(),
        Errno::LOOP => "leads through too many symbolic links, or in a circle".to_owned(),
        Errno::NAMETOOLONG => "has a name that is too long".to_owned(),
        other => format!("cannot be opened: {other}"),
    };
    Refusal::Unusable(format!("{shown} {why}"))
}

fn check_use(held: &OwnedFd, want: Want) -> Result<(), String> {
    let stat = rustix::fs::fstat(held).map_err(|errno| format!("cannot be looked at: {errno}"))?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    let (fitting, wanted): (&[FileType], _) = match want {
        Want::File => (&[FileType::RegularFile], "a file"),
        Want::DiskToRead | Want::DiskToWrite => {
            (&[FileType::RegularFile, FileType::BlockDevice], "a file or block device")
        }
        Want::Socket => (&[FileType::Socket], "a Unix socket"),
        Want::Output => (&[FileType::RegularFile], "a file"),
    };
    if !fitting.contains(&kind) {
        return Err(format!("is {}, not {wanted}", named(kind)));
    }
    let may_write = matches!(want, Want::Socket | Want::Output);
    if kind == FileType::RegularFile && stat.st_size == 0 && !may_write {
        return Err("is empty".to_owned());
    }
    let may = |access: Access| rustix::fs::accessat(CWD, proc_path(held), access, AtFlags::EACCESS);
    // What nobody may read was closed on purpose, even where the kernel would let root.
    if !may_write && (stat.st_mode & 0o444 == 0 || may(Access::READ_OK).is_err()) {
        return Err("cannot be read by weft: permission denied".to_owned());
    }
    if want != Want::DiskToWrite && !may_write {
        return Ok(());
    }
    if stat.st_mode & 0o222 == 0 {
        let fix = if may_write { "" } else { ": attach it read-only" };
        return Err(format!("is write-protected{fix}"));
    }
    may(Access::WRITE_OK).map_err(|errno| match errno {
        Errno::ROFS if may_write => "is on a read-only file system".to_owned(),
        Errno::ROFS => "is on a read-only file system: attach it read-only".to_owned(),
        _ => "cannot be written by weft: permission denied".to_owned(),
    })
}

/// Whether a file can be made in this folder.
fn check_place(folder: &OwnedFd) -> Result<(), String> {
    let stat = rustix::fs::fstat(folder).map_err(|errno| format!("cannot be looked at: {errno}"))?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    if kind != FileType::Directory {
        return Err(format!("would be in what is {}, not a folder", named(kind)));
    }
    rustix::fs::accessat(CWD, proc_path(folder), Access::WRITE_OK, AtFlags::EACCESS)
        .map_err(|_| "does not exist, and weft may not make it: permission denied".to_owned())
}

const fn named(kind: FileType) -> &'static str {
    match kind {
        FileType::Directory => "a folder",
        FileType::RegularFile => "a file",
        FileType::Symlink => "a symbolic link",
        FileType::Fifo => "a pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice => "a character device",
        FileType::BlockDevice => "a block device",
        FileType::Unknown => "of an unknown sort",
    }
}
