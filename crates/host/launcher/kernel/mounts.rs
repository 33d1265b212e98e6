//! Mounts, by the calls of Linux 5.12 and later: copies that nobody sees yet, restricted, then attached.

use super::checked;
use crate::order::Access;
use std::ffi::{CStr, CString, c_char, c_int, c_long, c_ulong, c_void};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// `struct mount_attr`.
#[repr(C)]
struct Attributes {
    set: u64,
    clear: u64,
    propagation: u64,
    users: u64,
}

#[cfg(target_arch = "x86_64")]
mod number {
    pub(super) const PIVOT_ROOT: i64 = 155;
    pub(super) const MKNODAT: i64 = 259;
}
#[cfg(not(target_arch = "x86_64"))]
mod number {
    pub(super) const PIVOT_ROOT: i64 = 41;
    pub(super) const MKNODAT: i64 = 33;
}
const OPEN_TREE: c_long = 428;
const MOVE_MOUNT: c_long = 429;
const MOUNT_SETATTR: c_long = 442;

const AT_FDCWD: c_int = -100;
const AT_EMPTY_PATH: c_int = 0x1000;
const OPEN_TREE_CLONE: c_int = 1;
const O_CLOEXEC: c_int = 0o2_000_000;
/// Opens without access.
pub(crate) const O_PATH: c_int = 0o10_000_000;
/// Opens a link itself.
#[cfg(target_arch = "x86_64")]
pub(crate) const O_NOFOLLOW: c_int = 0o400_000;
#[cfg(not(target_arch = "x86_64"))]
pub(crate) const O_NOFOLLOW: c_int = 0o100_000;
const AT_SYMLINK_NOFOLLOW: c_int = 0x100;
const MOVE_MOUNT_F_EMPTY_PATH: c_int = 0x4;
const MOUNT_ATTR_RDONLY: u64 = 0x1;
const MOUNT_ATTR_NOSUID: u64 = 0x2;
const MOUNT_ATTR_NODEV: u64 = 0x4;
const MOUNT_ATTR_NOEXEC: u64 = 0x8;
const MOUNT_ATTR_IDMAP: u64 = 0x10_0000;
const MS_NOSUID: c_ulong = 2;
const MS_NODEV: c_ulong = 4;
const MS_NOEXEC: c_ulong = 8;
const MS_REC: c_ulong = 0x4000;
const MS_PRIVATE: c_ulong = 1 << 18;
const MNT_DETACH: c_int = 2;
const UMOUNT_NOFOLLOW: c_int = 8;

unsafe extern "C" {
    fn mount(
        from: *const c_char,
        to: *const c_char,
        kind: *const c_char,
        flags: c_ulong,
        options: *const c_void,
    ) -> c_int;
    fn umount2(path: *const c_char, flags: c_int) -> c_int;
    fn syscall(number: c_long, ...) -> c_long;
}

fn text(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| io::ErrorKind::InvalidInput.into())
}

fn answered(answer: c_long) -> io::Result<c_long> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

/// Nothing that is mounted from here on is seen by another namespace, nor the other way round.
pub(crate) fn keep_mounts_private() -> io::Result<()> {
    let none = std::ptr::null();
    checked(unsafe { mount(none, c"/".as_ptr(), none, MS_REC | MS_PRIVATE, none.cast()) }).map(drop)
}

/// Whether device nodes work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Devices {
    None,
    Allowed,
}

/// Mounts a file system in memory.
pub(crate) fn mount_memory(on: &Path, options: &str, devices: Devices) -> io::Result<()> {
    let options = CString::new(options).map_err(|_| io::ErrorKind::InvalidInput)?;
    let flags = match devices {
        Devices::None => MS_NOSUID | MS_NOEXEC | MS_NODEV,
        Devices::Allowed => MS_NOSUID | MS_NOEXEC,
    };
    mount_new(c"tmpfs", on, flags, &options)
}

/// Mounts a `/proc` that shows the processes of this namespace, each to its own user, and nothing else.
pub(crate) fn mount_processes(on: &Path) -> io::Result<()> {
    mount_new(c"proc", on, MS_NOSUID | MS_NOEXEC | MS_NODEV, c"subset=pid,hidepid=invisible")
}

fn mount_new(kind: &CStr, on: &Path, flags: c_ulong, options: &CStr) -> io::Result<()> {
    let (on, kind) = (text(on)?, kind.as_ptr());
    checked(unsafe { mount(kind, on.as_ptr(), kind, flags, options.as_ptr().cast()) }).map(drop)
}

/// A copy of the mount that this is in, from this on, that is nowhere yet.
pub(crate) fn detached(from: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let flags = OPEN_TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH;
    let tree = answered(unsafe { syscall(OPEN_TREE, from.as_raw_fd(), c"".as_ptr(), flags) })?;
    let tree = c_int::try_from(tree).map_err(|_| io::ErrorKind::InvalidData)?;
    Ok(unsafe { OwnedFd::from_raw_fd(tree) })
}

/// Leaves a detached copy nothing but what is granted, with owners mapped as in this user namespace.
pub(crate) fn restrict(tree: BorrowedFd<'_>, access: Access, users: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let sort = match access {
        Access::Read => MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC,
        Access::Write => MOUNT_ATTR_NOEXEC,
        Access::Execute => MOUNT_ATTR_RDONLY,
    };
    let mapped = if users.is_some() { MOUNT_ATTR_IDMAP } else { 0 };
    let attributes = Attributes {
        set: MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | sort | mapped,
        clear: 0,
        propagation: MS_PRIVATE,
        users: users.map_or(0, |users| u64::from(users.as_raw_fd().unsigned_abs())),
    };
    let size = size_of::<Attributes>();
    let (empty, pointer) = (c"".as_ptr(), &raw const attributes);
    answered(unsafe { syscall(MOUNT_SETATTR, tree.as_raw_fd(), empty, AT_EMPTY_PATH, pointer, size) }).map(drop)
}

/// Puts a detached copy on this place.
pub(crate) fn attach(tree: BorrowedFd<'_>, on: &Path) -> io::Result<()> {
    let (on, empty) = (text(on)?, c"".as_ptr());
    let answer =
        unsafe { syscall(MOVE_MOUNT, tree.as_raw_fd(), empty, AT_FDCWD, on.as_ptr(), MOVE_MOUNT_F_EMPTY_PATH) };
    answered(answer).map(drop)
}

/// Nothing is written to the mount at this path any more, not by a descriptor of one of its folders either.
/// Busy while a file of it is open for writing.
pub(crate) fn protect(path: &Path) -> io::Result<()> {
    let path = text(path)?;
    let attributes = Attributes { set: MOUNT_ATTR_RDONLY, clear: 0, propagation: 0, users: 0 };
    let (pointer, size) = (&raw const attributes, size_of::<Attributes>());
    answered(unsafe { syscall(MOUNT_SETATTR, AT_FDCWD, path.as_ptr(), AT_SYMLINK_NOFOLLOW, pointer, size) }).map(drop)
}

/// Takes the mount at this path away; what is open stays open.
pub(crate) fn detach(path: &Path) -> io::Result<()> {
    let path = text(path)?;
    checked(unsafe { umount2(path.as_ptr(), MNT_DETACH | UMOUNT_NOFOLLOW) }).map(drop)
}

/// Makes what is mounted at this path `/`, and lets the old one go.
pub(crate) fn pivot(path: &Path) -> io::Result<()> {
    std::env::set_current_dir(path)?;
    let here = c".".as_ptr();
    // The old root comes to lie on the new one, and is what `.` means until it is gone.
    answered(unsafe { syscall(number::PIVOT_ROOT, here, here) })?;
    checked(unsafe { umount2(here, MNT_DETACH) })?;
    std::env::set_current_dir("/")
}

/// Makes a device node.
pub(crate) fn make_node(path: &Path, mode: u32, device: u64) -> io::Result<()> {
    let path = text(path)?;
    // The call takes the device as 32 bits, minor and major interleaved, as the C library has it too.
    let device = u32::try_from(device).map_err(|_| io::ErrorKind::InvalidInput)?;
    answered(unsafe { syscall(number::MKNODAT, AT_FDCWD, path.as_ptr(), mode, device) }).map(drop)
}
