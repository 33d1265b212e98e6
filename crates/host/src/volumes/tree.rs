//! Folders with all that is in them, where somebody in a jail may have made what is in them.
//!
//! Nothing here goes down as deep as a tree does: a process can make one that is deeper than there are
//! descriptors, and deeper than a thread's stack. What lies deeper is lifted up before it is removed. What
//! is mounted in it is another's, and never gone into.

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::ffi::CStr;
use std::fs::{self, File, OpenOptions, ReadDir};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Folders of ours are not nested deeper.
const DEEPEST: usize = 64;

/// Opens a file or disk and nothing else: a link would lead elsewhere, and a pipe would hold us up.
pub(super) fn open_plain(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = options.custom_flags(flags.bits().cast_signed()).open(path)?;
    let sort = file.metadata()?.file_type();
    if sort.is_file() || sort.is_block_device() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "it is neither a file nor a disk"))
}

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Opens a folder in this one, where nothing is mounted on it.
fn opened(at: impl AsFd, name: impl rustix::path::Arg + Copy) -> Result<OwnedFd, Errno> {
    loop {
        match rustix::fs::openat2(at.as_fd(), name, FOLDER, Mode::empty(), ResolveFlags::NO_XDEV) {
            // Something was renamed meanwhile.
            Err(Errno::AGAIN) => {}
            // Linux before 5.6, or a filter of system calls that does not know it.
            Err(Errno::NOSYS) => return rustix::fs::openat(at.as_fd(), name, FOLDER, Mode::empty()),
            answer => return answer,
        }
    }
}

/// Removes a folder with all in it; nobody may live who still adds to it.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no folder in another"));
    };
    let parent = rustix::fs::openat(CWD, parent, FOLDER.difference(OFlags::NOFOLLOW), Mode::empty())?;
    let top = opened(&parent, name)?;
    let mut lifted = 0;
    while pass(&top, &mut lifted)? {}
    fs::remove_dir(path)
}

/// Removes what is in it now, with what lies deeper lifted into it; whether anything was there.
fn pass(top: &OwnedFd, lifted: &mut u64) -> io::Result<bool> {
    let mut any = false;
    each(top, |name| {
        any = true;
        if removed(top, name)? {
            return Ok(());
        }
        let folder = match opened(top, name) {
            Err(Errno::NOENT) => return Ok(()),
            other => other?,
        };
        each(&folder, |inner| if removed(&folder, inner)? { Ok(()) } else { lift(&folder, inner, top, lifted) })?;
        rustix::fs::unlinkat(top, name, AtFlags::REMOVEDIR)
    })?;
    Ok(any)
}

fn each(folder: &OwnedFd, mut act: impl FnMut(&CStr) -> Result<(), Errno>) -> Result<(), Errno> {
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        if ![c".", c".."].contains(&entry.file_name()) {
            act(entry.file_name())?;
        }
    }
    Ok(())
}

/// Removes it if it is no folder; whether it is gone.
fn removed(folder: &OwnedFd, name: &CStr) -> Result<bool, Errno> {
    match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(true),
        // The first is Linux, the second what the standard says.
        Err(Errno::ISDIR | Errno::PERM) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Moves a folder to the top, under a name that is free there.
fn lift(folder: &OwnedFd, name: &CStr, top: &OwnedFd, lifted: &mut u64) -> Result<(), Errno> {
    loop {
        *lifted += 1;
        match rustix::fs::renameat(folder, name, top, format!(".lifted-{lifted}")) {
            Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR) => {}
            answer => return answer,
        }
    }
}

/// Bytes that this and all in it take up on the disk.
pub(super) fn allocated(path: &Path) -> io::Result<u64> {
    let Some((mut sum, folder)) = measured(path)? else { return Ok(0) };
    let mut open: Vec<ReadDir> = folder.into_iter().collect();
    while let Some(folder) = open.last_mut() {
        let Some(entry) = folder.next() else {
            open.pop();
            continue;
        };
        let Some((bytes, folder)) = measured(&entry?.path())? else { continue };
        sum += bytes;
        open.extend(folder);
        if open.len() > DEEPEST {
            return Err(io::Error::other("its folders are nested too deep"));
        }
    }
    Ok(sum)
}

/// What it takes up itself, or what is in it; `None` where it is gone: it may be removed while we count.
fn measured(path: &Path) -> io::Result<Option<(u64, Option<ReadDir>)>> {
    let present = |error: io::Error| if error.kind() == io::ErrorKind::NotFound { Ok(None) } else { Err(error) };
    match fs::symlink_metadata(path) {
        Ok(there) if there.is_dir() => fs::read_dir(path).map(|folder| Some((0, Some(folder)))).or_else(present),
        Ok(there) => Ok(Some((there.blocks() * 512, None))),
        Err(error) => present(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A tree deeper than any path, than the descriptors of a process, and than the stack of a thread.
    fn deep(folder: &Path, levels: u32) {
        let mut at = rustix::fs::openat(CWD, folder, FOLDER, Mode::empty()).unwrap();
        for level in 0..levels {
            rustix::fs::mkdirat(&at, "d", Mode::RWXU).unwrap();
            if level % 1000 == 0 {
                rustix::fs::mkdirat(&at, ".lifted-1", Mode::RWXU).unwrap();
                rustix::fs::symlinkat("/", &at, "leads").unwrap();
            }
            at = opened(&at, "d").unwrap();
        }
    }

    #[test]
    fn a_tree_of_any_depth_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let (tree, kept) = (dir.path().join("tree"), dir.path().join("kept"));
        fs::create_dir(&tree).unwrap();
        fs::create_dir(&kept).unwrap();
        fs::write(kept.join("file"), "kept").unwrap();
        symlink(&kept, tree.join("link")).unwrap();
        deep(&tree, 5_000);
        assert!(allocated(&tree).unwrap_err().to_string().contains("too deep"));
        remove(&tree).unwrap();
        assert!(!tree.exists());
        assert_eq!(fs::read_to_string(kept.join("file")).unwrap(), "kept", "a link is removed, never followed");
    }

    #[test]
    fn what_is_mounted_in_a_tree_is_not_gone_into() {
        let dir = tempfile::tempdir().unwrap();
        let (tree, kept) = (dir.path().join("tree"), dir.path().join("kept"));
        fs::create_dir_all(tree.join("inside")).unwrap();
        fs::create_dir(&kept).unwrap();
        fs::write(kept.join("file"), "kept").unwrap();
        for place in [tree.join("inside"), tree.clone()] {
            if let Err(why) = rustix::mount::mount_bind(&kept, &place) {
                return println!("skipped: nothing can be mounted here: {why}");
            }
            let removed = remove(&tree);
            rustix::mount::unmount(&place, rustix::mount::UnmountFlags::DETACH).unwrap();
            assert!(removed.is_err());
            assert_eq!(fs::read_to_string(kept.join("file")).unwrap(), "kept");
        }
        remove(&tree).unwrap();
    }

    #[test]
    fn a_pipe_holds_nobody_up_and_a_link_leads_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let (pipe, link, file) = (dir.path().join("pipe"), dir.path().join("link"), dir.path().join("file"));
        rustix::fs::mknodat(CWD, &pipe, rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
        symlink("/etc/passwd", &link).unwrap();
        fs::write(&file, "file").unwrap();
        for path in [&pipe, &link, dir.path(), Path::new("/dev/zero")] {
            assert!(open_plain(path, OpenOptions::new().read(true)).is_err(), "{}", path.display());
        }
        open_plain(&file, OpenOptions::new().read(true)).unwrap();
        assert!(allocated(dir.path()).unwrap() >= 512);
        assert_eq!(allocated(&dir.path().join("absent")).unwrap(), 0);
    }
}
