//! The calls for which the standard library has no door, for the launcher itself.
//!
//! `mounts` and `users` have those that only a jail needs.

#![expect(unsafe_code, reason = "each is a plain system call on memory and descriptors that are ours")]

mod mounts;
mod users;

pub(crate) use mounts::{
    Devices, O_NOFOLLOW, O_PATH, attach, detach, detached, keep_mounts_private, make_node, mount_memory,
    mount_processes, pivot, protect, restrict,
};
pub(crate) use users::{
    bear, become_user, deliver, enter_mounts_of, enter_network, filter_calls, forgo_capabilities, forgo_nameless_sockets,
    forgo_new_privileges, mapping, separate, umask,
};

use super::{MAX_FDS, PARKED};
use std::ffi::{CStr, c_char, c_int, c_long, c_void};
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

#[repr(C)]
struct Limit {
    soft: u64,
    hard: u64,
}

#[repr(C)]
struct Piece {
    start: *mut c_void,
    len: usize,
}

/// `struct msghdr` as Linux has it on 64-bit machines.
#[repr(C)]
struct Message {
    name: *mut c_void,
    name_len: u32,
    pieces: *mut Piece,
    piece_count: usize,
    control: *mut c_void,
    control_len: usize,
    flags: c_int,
}

const CONTROL_HEAD: usize = 16;
#[repr(C, align(8))]
struct Control([u8; CONTROL_HEAD + 4 * MAX_FDS]);

const F_SETFD: c_int = 2;
const F_DUPFD_CLOEXEC: c_int = 1030;
const FD_CLOEXEC: c_int = 1;
const CLOSE_RANGE: i64 = 436;
const CLOSE_RANGE_CLOEXEC: c_long = 4;
const MSG_CMSG_CLOEXEC: c_int = 0x4000_0000;
const SIG_SETMASK: c_int = 2;
const RLIMIT_CORE: c_int = 4;
const RLIMIT_NOFILE: c_int = 7;
const RLIMIT_MEMLOCK: c_int = 8;

unsafe extern "C" {
    fn setsid() -> c_int;
    fn setrlimit(resource: c_int, limit: *const Limit) -> c_int;
    fn getrlimit(resource: c_int, limit: *mut Limit) -> c_int;
    fn fcntl(fd: c_int, command: c_int, ...) -> c_int;
    fn dup2(from: c_int, to: c_int) -> c_int;
    fn signal(number: c_int, handler: usize) -> usize;
    fn sigprocmask(how: c_int, set: *const [u64; 16], old: *mut [u64; 16]) -> c_int;
    fn recvmsg(socket: c_int, message: *mut Message, flags: c_int) -> isize;
    fn syscall(number: i64, ...) -> i64;
    static environ: *const *mut c_char;
}

fn checked(answer: c_int) -> io::Result<c_int> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

/// A duplicate above the numbers that programs ask for, closed when a program takes over.
fn park(fd: RawFd) -> io::Result<OwnedFd> {
    let parked = checked(unsafe { fcntl(fd, F_DUPFD_CLOEXEC, PARKED) })?;
    Ok(unsafe { OwnedFd::from_raw_fd(parked) })
}

pub(crate) fn control_socket() -> io::Result<UnixStream> {
    // Room to park in, whatever the limit was lowered to.
    let mut limit = Limit { soft: 0, hard: 0 };
    checked(unsafe { getrlimit(RLIMIT_NOFILE, &raw mut limit) })?;
    if limit.soft < 1024.min(limit.hard) {
        limit.soft = 1024.min(limit.hard);
        checked(unsafe { setrlimit(RLIMIT_NOFILE, &raw const limit) })?;
    }
    park(0).map(UnixStream::from)
}

pub(crate) fn new_session() -> io::Result<()> {
    checked(unsafe { setsid() }).map(drop)
}

/// Back to the default for all, and none held back.
pub(crate) fn reset_signals() {
    let none = [0; 16];
    unsafe { sigprocmask(SIG_SETMASK, &raw const none, std::ptr::null_mut()) };
    for number in 1..=64 {
        // Those that cannot be changed refuse, and need no change.
        unsafe { signal(number, 0) };
    }
}

/// A host that pipes cores to a program of its own does so whatever the limit is, but for this one: at one
/// byte the kernel makes no core of any sort.
pub(crate) fn limit_core() -> io::Result<()> {
    let limit = |bytes| {
        let limit = Limit { soft: bytes, hard: bytes };
        checked(unsafe { setrlimit(RLIMIT_CORE, &raw const limit) }).map(drop)
    };
    // Who is no root and has less already keeps less.
    limit(1).or_else(|_| limit(0))
}

/// Without privileges nothing can be locked in memory, which devices that are passed through need; what
/// memory there is, is limited by the cgroup.
pub(crate) fn let_lock_memory() {
    let any = Limit { soft: u64::MAX, hard: u64::MAX };
    // Where we may not raise it, it stays as it is.
    let _ = checked(unsafe { setrlimit(RLIMIT_MEMLOCK, &raw const any) });
}

pub(crate) fn limit_open_files(files: u64) -> io::Result<()> {
    let limit = Limit { soft: files, hard: files };
    checked(unsafe { setrlimit(RLIMIT_NOFILE, &raw const limit) }).map(drop)
}

pub(crate) fn duplicate_to(from: RawFd, to: RawFd) -> io::Result<()> {
    checked(unsafe { dup2(from, to) }).map(drop)
}

pub(crate) fn close_on_exec_from_3() -> io::Result<()> {
    let (first, last) = (3 as c_long, c_long::from(c_int::MAX));
    if unsafe { syscall(CLOSE_RANGE, first, last, CLOSE_RANGE_CLOEXEC) } == 0 {
        return Ok(());
    }
    // Kernels before 5.11 do not know that.
    let mut numbers = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        numbers.extend(entry?.file_name().to_str().and_then(|name| name.parse::<RawFd>().ok()));
    }
    for number in numbers.into_iter().filter(|number| *number >= 3) {
        // The folder's own descriptor is among them and closed by now.
        unsafe { fcntl(number, F_SETFD, FD_CLOEXEC) };
    }
    Ok(())
}

/// Takes the order's first byte and the descriptors that came with it, each parked.
pub(crate) fn receive(socket: &UnixStream) -> io::Result<Vec<OwnedFd>> {
    match hear(socket, &mut [0])? {
        (1, fds) => Ok(fds),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Takes bytes, up to so many, and the descriptors that came with them, each parked; no bytes at the end.
pub(crate) fn hear(socket: &UnixStream, bytes: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut control = Control([0; CONTROL_HEAD + 4 * MAX_FDS]);
    let mut piece = Piece { start: bytes.as_mut_ptr().cast(), len: bytes.len() };
    let mut message = Message {
        name: std::ptr::null_mut(),
        name_len: 0,
        pieces: &raw mut piece,
        piece_count: 1,
        control: control.0.as_mut_ptr().cast(),
        control_len: control.0.len(),
        flags: 0,
    };
    let got = unsafe { recvmsg(socket.as_raw_fd(), &raw mut message, MSG_CMSG_CLOEXEC) };
    let got = usize::try_from(got).map_err(|_| io::Error::last_os_error())?;
    if message.control_len < CONTROL_HEAD {
        return Ok((got, Vec::new()));
    }
    // The kernel writes the length of head and descriptors as the first word.
    let mut length = [0; 8];
    length.copy_from_slice(&control.0[..8]);
    let length = usize::try_from(u64::from_ne_bytes(length)).unwrap_or(0).clamp(CONTROL_HEAD, control.0.len());
    let fds = control.0[CONTROL_HEAD..length].as_chunks::<4>().0.iter().map(|chunk| {
        let came = unsafe { OwnedFd::from_raw_fd(c_int::from_ne_bytes(*chunk)) };
        park(came.as_raw_fd())
    });
    Ok((got, fds.collect::<io::Result<_>>()?))
}

/// Writes another value over that of a variable with which this process was started, where all can read it;
/// false where there is none of this name with a value of that length.
pub(crate) fn write_over(name: &str, value: &[u8]) -> bool {
    let mut at = unsafe { environ };
    while !at.is_null() {
        let variable = unsafe { *at };
        if variable.is_null() {
            break;
        }
        let text = unsafe { CStr::from_ptr(variable) }.to_bytes();
        let old = text.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
        if let Some(old) = old.filter(|old| old.len() == value.len()) {
            let from = text.len() - old.len();
            // The text is not looked at any more, and its end stays.
            unsafe { std::ptr::copy_nonoverlapping(value.as_ptr(), variable.add(from).cast(), value.len()) };
            return true;
        }
        at = unsafe { at.add(1) };
    }
    false
}
