//! Namespaces, users and what a process gives up for good.

use super::{O_NOFOLLOW, O_PATH, checked};
use crate::order::Jail;
use std::ffi::{c_int, c_long, c_ulong};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

#[cfg(target_arch = "x86_64")]
mod number {
    pub(super) const CLONE: i64 = 56;
    pub(super) const CAPSET: i64 = 126;
}
#[cfg(not(target_arch = "x86_64"))]
mod number {
    pub(super) const CLONE: i64 = 220;
    pub(super) const CAPSET: i64 = 91;
}

const LANDLOCK_CREATE_RULESET: i64 = 444;
const LANDLOCK_RESTRICT_SELF: i64 = 446;
const LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET: u64 = 1;
const NS_GET_NSTYPE: c_ulong = 0xb703;
const CLONE_PARENT: c_int = 0x8000;
const CLONE_NEWNS: c_int = 0x2_0000;
const CLONE_NEWCGROUP: c_int = 0x200_0000;
const CLONE_NEWUTS: c_int = 0x400_0000;
const CLONE_NEWIPC: c_int = 0x800_0000;
const CLONE_NEWUSER: c_int = 0x1000_0000;
const CLONE_NEWPID: c_int = 0x2000_0000;
const CLONE_NEWNET: c_int = 0x4000_0000;
const SIGCHLD: c_int = 17;
const PR_SET_SECCOMP: c_int = 22;
const PR_CAPBSET_DROP: c_int = 24;
const PR_SET_SECUREBITS: c_int = 28;
const PR_SET_NO_NEW_PRIVS: c_int = 38;
const SECCOMP_MODE_FILTER: c_ulong = 2;
/// No capability by being root, by keeping or by raising ambient ones, and locked so; a change of user
/// still takes them away, and that is locked too.
const SECURE: c_ulong = 0x1 | 0x2 | 0x8 | 0x20 | 0x40 | 0x80;
/// Capabilities are numbered below this.
const MOST_CAPABILITIES: c_ulong = 64;
const EINVAL: i32 = 22;
const CAPABILITY_VERSION_3: u32 = 0x2008_0522;

/// `struct sock_fprog`.
#[repr(C)]
struct Filter {
    len: u16,
    steps: *const Step,
}

/// `struct sock_filter`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Step {
    code: u16,
    then: u8,
    otherwise: u8,
    value: u32,
}

unsafe extern "C" {
    fn unshare(flags: c_int) -> c_int;
    fn setns(fd: c_int, kinds: c_int) -> c_int;
    fn ioctl(fd: c_int, what: c_ulong, ...) -> c_int;
    fn prctl(what: c_int, ...) -> c_int;
    fn setgroups(count: usize, groups: *const u32) -> c_int;
    fn setresuid(real: u32, effective: u32, saved: u32) -> c_int;
    fn setresgid(real: u32, effective: u32, saved: u32) -> c_int;
    fn waitpid(pid: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn syscall(number: c_long, ...) -> c_long;
    #[link_name = "umask"]
    fn set_umask(mask: u32) -> u32;
    fn _exit(code: c_int) -> !;
}

/// Like `fork`, with these flags: in the parent the child's pid, in the child `None`.
fn fork(flags: c_int) -> io::Result<Option<u32>> {
    let none = 0 as c_ulong;
    let answer = unsafe { syscall(number::CLONE, (flags | SIGCHLD) as c_ulong, none, none, none, none) };
    if answer < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(u32::try_from(answer).ok().filter(|pid| *pid != 0))
}

/// Enters the network namespace that this file is. What is no file is not opened, and a link not followed.
pub(crate) fn enter_network(path: &Path) -> io::Result<()> {
    let held = OpenOptions::new().read(true).custom_flags(O_PATH | O_NOFOLLOW).open(path)?;
    let none = || io::Error::other("it is no network namespace");
    if !held.metadata()?.is_file() {
        return Err(none());
    }
    let file = File::open(format!("/proc/self/fd/{}", held.as_raw_fd()))?;
    match checked(unsafe { ioctl(file.as_raw_fd(), NS_GET_NSTYPE) }) {
        Ok(CLONE_NEWNET) => checked(unsafe { setns(file.as_raw_fd(), CLONE_NEWNET) }).map(drop),
        Ok(_) | Err(_) => Err(none()),
    }
}

/// `struct landlock_ruleset_attr`.
#[repr(C)]
struct Ruleset {
    files: u64,
    network: u64,
    scoped: u64,
}

/// Keeps to itself where sockets have names without files, which a network namespace shares with all that
/// are in it. Kernels before 6.12 cannot.
pub(crate) fn forgo_nameless_sockets() -> io::Result<()> {
    let rules = Ruleset { files: 0, network: 0, scoped: LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET };
    let none = 0 as c_ulong;
    let made = unsafe { syscall(LANDLOCK_CREATE_RULESET, &raw const rules, size_of::<Ruleset>(), none) };
    let Some(fd) = c_int::try_from(made).ok().filter(|fd| *fd >= 0) else { return Ok(()) };
    let ruleset = unsafe { OwnedFd::from_raw_fd(fd) };
    let answer = unsafe { syscall(LANDLOCK_RESTRICT_SELF, ruleset.as_raw_fd(), none) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Leaves the host's namespaces, all but those of processes and users.
pub(crate) fn separate(jail: &Jail) -> io::Result<()> {
    let net = if jail.own_net { CLONE_NEWNET } else { 0 };
    checked(unsafe { unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | net) }).map(drop)
}

/// Gives birth to a sibling that is the first of a process namespace of its own: here its pid, there `None`.
pub(crate) fn bear() -> io::Result<Option<u32>> {
    checked(unsafe { unshare(CLONE_NEWPID) })?;
    fork(CLONE_PARENT)
}

/// Gives birth to a sibling that is as we are: here its pid, there `None`.
pub(crate) fn deliver() -> io::Result<Option<u32>> {
    fork(CLONE_PARENT)
}

/// Enters the mount namespace of a process, by its descriptor.
pub(crate) fn enter_mounts_of(process: &OwnedFd) -> io::Result<()> {
    checked(unsafe { setns(process.as_raw_fd(), CLONE_NEWNS) }).map(drop)
}

/// A user namespace that maps one user and one group, each from the first to the second number.
pub(crate) fn mapping(user: (u32, u32), group: (u32, u32)) -> io::Result<OwnedFd> {
    // Whoever is in it ends when the other end is closed, so also when we are ended.
    let (mut wait, hold) = io::pipe()?;
    let Some(child) = fork(CLONE_NEWUSER)? else {
        drop(hold);
        let _ = wait.read(&mut [0]);
        unsafe { _exit(0) }
    };
    let line = |(from, to): (u32, u32)| format!("{from} {to} 1\n");
    let users = fs::write(format!("/proc/{child}/uid_map"), line(user))
        .and_then(|()| fs::write(format!("/proc/{child}/gid_map"), line(group)))
        .and_then(|()| File::open(format!("/proc/{child}/ns/user")));
    drop(hold);
    let child = c_int::try_from(child).map_err(|_| io::ErrorKind::InvalidData)?;
    checked(unsafe { waitpid(child, std::ptr::null_mut(), 0) })?;
    users.map(OwnedFd::from)
}

/// What new files are not allowed to be.
pub(crate) fn umask(mask: u32) {
    unsafe { set_umask(mask) };
}

/// No capability can be had again, by whatever is executed.
pub(crate) fn forgo_capabilities() -> io::Result<()> {
    for capability in 0..MOST_CAPABILITIES {
        match checked(unsafe { prctl(PR_CAPBSET_DROP, capability) }) {
            Err(error) if error.raw_os_error() == Some(EINVAL) => break,
            answer => answer?,
        };
    }
    checked(unsafe { prctl(PR_SET_SECUREBITS, SECURE) }).map(drop)
}

/// Becomes this user in this group only, and gives up the capabilities that are left.
pub(crate) fn become_user(uid: u32, gid: u32) -> io::Result<()> {
    checked(unsafe { setgroups(0, std::ptr::null()) })?;
    checked(unsafe { setresgid(gid, gid, gid) })?;
    checked(unsafe { setresuid(uid, uid, uid) })?;
    let (head, none) = ([CAPABILITY_VERSION_3, 0], [0_u32; 6]);
    let answer = unsafe { syscall(number::CAPSET, head.as_ptr(), none.as_ptr()) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Nothing that is executed gives more than there is.
pub(crate) fn forgo_new_privileges() -> io::Result<()> {
    let (yes, none): (c_ulong, c_ulong) = (1, 0);
    checked(unsafe { prctl(PR_SET_NO_NEW_PRIVS, yes, none, none, none) }).map(drop)
}

/// Loads a filter of system calls, as the kernel has it: steps of eight bytes.
pub(crate) fn filter_calls(program: &[u8]) -> io::Result<()> {
    let (steps, rest) = program.as_chunks::<8>();
    let steps: Vec<Step> = steps
        .iter()
        .map(|step| Step {
            code: u16::from_ne_bytes([step[0], step[1]]),
            then: step[2],
            otherwise: step[3],
            value: u32::from_ne_bytes([step[4], step[5], step[6], step[7]]),
        })
        .collect();
    let len = u16::try_from(steps.len()).ok().filter(|len| *len > 0 && rest.is_empty());
    let filter = Filter { len: len.ok_or(io::ErrorKind::InvalidData)?, steps: steps.as_ptr() };
    checked(unsafe { prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &raw const filter) }).map(drop)
}
