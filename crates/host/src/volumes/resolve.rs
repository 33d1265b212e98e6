//! Vets the paths that callers name.
//!
//! A path must be spelt under an allowed root and, with every link on the way followed once, end under
//! one. It is held while it is looked at, so what is judged is what was found, whatever becomes of the
//! name meanwhile. The answer names it without links.

use crate::Error;
use rustix::fs::{Access, AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
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
        let held = hold(path).map_err(|errno| why_not_there(path, errno))?;
        let found = fs::read_link(proc_path(&held)).map_err(|_| refused("cannot be resolved"))?;
        if !real.iter().any(|root| found.starts_with(root)) {
            return Err(refused("leads out of the allowed roots by a symbolic link"));
        }
        if !real.iter().any(|root| found.starts_with(root) && self.opens(root, &found)) {
            return Err(refused("is in a folder that weft keeps for itself"));
        }
        check_use(&held, want).map_err(|why| Refusal::Unusable(format!("{shown} {why}")))?;
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
    let fits = kind == FileType::RegularFile || (kind == FileType::BlockDevice && want != Want::File);
    if !fits {
        let wanted = if want == Want::File { "a file" } else { "a file or block device" };
        return Err(format!("is {}, not {wanted}", named(kind)));
    }
    if kind == FileType::RegularFile && stat.st_size == 0 {
        return Err("is empty".to_owned());
    }
    let may = |access: Access| rustix::fs::accessat(CWD, proc_path(held), access, AtFlags::EACCESS);
    // What nobody may read was closed on purpose, even where the kernel would let root.
    if stat.st_mode & 0o444 == 0 || may(Access::READ_OK).is_err() {
        return Err("cannot be read by weft: permission denied".to_owned());
    }
    if want != Want::DiskToWrite {
        return Ok(());
    }
    if stat.st_mode & 0o222 == 0 {
        return Err("is write-protected: attach it read-only".to_owned());
    }
    may(Access::WRITE_OK).map_err(|errno| match errno {
        Errno::ROFS => "is on a read-only file system: attach it read-only".to_owned(),
        _ => "cannot be written by weft: permission denied".to_owned(),
    })
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
