//! The launcher: a small program that makes itself ready and then becomes the program it was told.
//!
//! It is started with one end of a Unix socket as its standard input. Over that socket comes the order,
//! with the descriptors that the program inherits; back go the answers, and the socket closes at the
//! moment when the program takes over:
//!
//! ```text
//!  order   byte 0 (with the descriptors), then fields: tag, length (u32 LE), bytes; the last is `E`
//!  answer  nothing         it was ended before it could answer
//!          "R"             the program took over
//!          "F" step 0 errno words   where and why it failed; it then ends with 127
//! ```
//!
//! What always holds: an order that is cut short starts nothing; the process keeps its pid; nothing but
//! the descriptors that were sent reaches the program; the variables it was itself started with are
//! passed on as they are, because they name the claim; what it inherited otherwise is put back to what
//! a fresh process has.

#![deny(unsafe_code)]

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};

/// At most this many descriptors come with an order.
const MAX_FDS: usize = 64;
/// Descriptors are parked from here on until each gets its number.
const PARKED: RawFd = 256;

/// What is to be done, as it was sent.
#[derive(Default)]
struct Order {
    cgroups: Vec<OsString>,
    open_files: Option<u64>,
    oom_score: Option<i32>,
    log: OsString,
    dir: OsString,
    program: OsString,
    args: Vec<OsString>,
    numbers: Vec<RawFd>,
}

/// A step that failed.
type Failure = (String, io::Error);

fn main() -> ExitCode {
    let Ok(mut socket) = kernel::control_socket() else { return ExitCode::from(126) };
    let Err((step, error)) = launch(&mut socket);
    let errno = error.raw_os_error().unwrap_or(0);
    // Nobody is left to tell where the answer cannot be sent.
    let _ = socket.write_all(format!("F{step}\0{errno}\0{error}").as_bytes());
    ExitCode::from(127)
}

fn launch(socket: &mut UnixStream) -> Result<std::convert::Infallible, Failure> {
    let at = |step: &str| {
        let step = step.to_owned();
        move |error| (step, error)
    };
    let fds = kernel::receive(socket).map_err(at("receive its order"))?;
    let order = read_order(socket).map_err(at("read its order"))?;
    kernel::new_session().map_err(at("begin a session"))?;
    kernel::reset_signals();
    for procs in &order.cgroups {
        let step = format!("join the cgroup {}", procs.display());
        fs::write(procs, "0").map_err(at(&step))?;
    }
    kernel::limit_core().map_err(at("forbid core dumps"))?;
    if let Some(wanted) = order.oom_score {
        // Only ever towards being chosen sooner: the other way needs privileges.
        let now = fs::read_to_string("/proc/self/oom_score_adj").unwrap_or_default();
        if now.trim().parse().is_ok_and(|now: i32| now < wanted) {
            fs::write("/proc/self/oom_score_adj", wanted.to_string()).map_err(at("set its OOM score"))?;
        }
    }
    let step = format!("enter its folder {}", order.dir.display());
    std::env::set_current_dir(&order.dir).map_err(at(&step))?;
    kernel::close_on_exec_from_3().map_err(at("close what it inherited"))?;
    place(fds, &order.numbers).map_err(at("place its descriptors"))?;
    // After the others have their numbers: its own could be one of theirs.
    let step = format!("open its log {}", order.log.display());
    let log = OpenOptions::new().append(true).create(true).mode(0o600).open(&order.log).map_err(at(&step))?;
    if let Some(files) = order.open_files {
        kernel::limit_open_files(files).map_err(at("limit its open files"))?;
    }
    become_program(socket, &order, log)
}

fn become_program(socket: &mut UnixStream, order: &Order, log: File) -> Result<std::convert::Infallible, Failure> {
    let log_too = log.try_clone().map_err(|error| ("open its log".to_owned(), error))?;
    socket.write_all(b"R").map_err(|error| ("answer".to_owned(), error))?;
    let error = Command::new(&order.program)
        .args(&order.args)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(log_too)
        .exec();
    Err(("execute".to_owned(), error))
}

fn read_order(socket: &mut UnixStream) -> io::Result<Order> {
    let malformed = |what| io::Error::new(io::ErrorKind::InvalidData, what);
    let mut order = Order::default();
    // Nothing follows an order, so what is read ahead is lost to nobody.
    let mut socket = io::BufReader::new(socket);
    loop {
        let mut head = [0; 5];
        socket.read_exact(&mut head)?;
        let length = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
        let mut bytes = Vec::new();
        let got = (&mut socket).take(u64::from(length)).read_to_end(&mut bytes)?;
        if got as u64 != u64::from(length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let number = |bytes: &[u8]| String::from_utf8_lossy(bytes).parse::<i64>().map_err(|_| malformed("no number"));
        let narrow = |number: i64| i32::try_from(number).map_err(|_| malformed("no small number"));
        match head[0] {
            b'C' => order.cgroups.push(OsString::from_vec(bytes)),
            b'N' => order.open_files = Some(number(&bytes)?.unsigned_abs()),
            b'O' => order.oom_score = Some(narrow(number(&bytes)?)?),
            b'L' => order.log = OsString::from_vec(bytes),
            b'D' => order.dir = OsString::from_vec(bytes),
            b'P' => order.program = OsString::from_vec(bytes),
            b'A' => order.args.push(OsString::from_vec(bytes)),
            b'F' => order.numbers.push(narrow(number(&bytes)?)?),
            b'E' => return Ok(order),
            _ => return Err(malformed("an unknown field")),
        }
    }
}

/// Gives each descriptor its number. All were parked above every number that can be asked for.
fn place(fds: Vec<OwnedFd>, numbers: &[RawFd]) -> io::Result<()> {
    if fds.len() != numbers.len() || numbers.iter().any(|number| !(3..PARKED).contains(number)) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "descriptors and numbers do not fit"));
    }
    for (fd, number) in fds.iter().zip(numbers) {
        kernel::duplicate_to(fd.as_raw_fd(), *number)?;
    }
    Ok(())
}

/// The calls for which the standard library has no door.
#[expect(unsafe_code, reason = "each is a plain system call on memory and descriptors that are ours")]
mod kernel {
    use super::*;
    use std::ffi::{c_int, c_void};

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
    const MSG_CMSG_CLOEXEC: c_int = 0x4000_0000;
    const SIG_SETMASK: c_int = 2;
    const RLIMIT_CORE: c_int = 4;
    const RLIMIT_NOFILE: c_int = 7;

    unsafe extern "C" {
        fn setsid() -> c_int;
        fn setrlimit(resource: c_int, limit: *const Limit) -> c_int;
        fn getrlimit(resource: c_int, limit: *mut Limit) -> c_int;
        fn fcntl(fd: c_int, command: c_int, ...) -> c_int;
        fn dup2(from: c_int, to: c_int) -> c_int;
        fn signal(number: c_int, handler: usize) -> usize;
        fn sigprocmask(how: c_int, set: *const [u64; 16], old: *mut [u64; 16]) -> c_int;
        fn recvmsg(socket: c_int, message: *mut Message, flags: c_int) -> isize;
    }

    fn checked(answer: c_int) -> io::Result<c_int> {
        if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
    }

    /// A duplicate above the numbers that programs ask for, closed when a program takes over.
    fn park(fd: RawFd) -> io::Result<OwnedFd> {
        let parked = checked(unsafe { fcntl(fd, F_DUPFD_CLOEXEC, PARKED) })?;
        Ok(unsafe { OwnedFd::from_raw_fd(parked) })
    }

    pub(super) fn control_socket() -> io::Result<UnixStream> {
        // Room to park in, whatever the limit was lowered to.
        let mut limit = Limit { soft: 0, hard: 0 };
        checked(unsafe { getrlimit(RLIMIT_NOFILE, &raw mut limit) })?;
        if limit.soft < 1024.min(limit.hard) {
            limit.soft = 1024.min(limit.hard);
            checked(unsafe { setrlimit(RLIMIT_NOFILE, &raw const limit) })?;
        }
        park(0).map(UnixStream::from)
    }

    pub(super) fn new_session() -> io::Result<()> {
        checked(unsafe { setsid() }).map(drop)
    }

    /// Back to the default for all, and none held back.
    pub(super) fn reset_signals() {
        let none = [0; 16];
        unsafe { sigprocmask(SIG_SETMASK, &raw const none, std::ptr::null_mut()) };
        for number in 1..=64 {
            // Those that cannot be changed refuse, and need no change.
            unsafe { signal(number, 0) };
        }
    }

    pub(super) fn limit_core() -> io::Result<()> {
        let none = Limit { soft: 0, hard: 0 };
        checked(unsafe { setrlimit(RLIMIT_CORE, &raw const none) }).map(drop)
    }

    pub(super) fn limit_open_files(files: u64) -> io::Result<()> {
        let limit = Limit { soft: files, hard: files };
        checked(unsafe { setrlimit(RLIMIT_NOFILE, &raw const limit) }).map(drop)
    }

    pub(super) fn duplicate_to(from: RawFd, to: RawFd) -> io::Result<()> {
        checked(unsafe { dup2(from, to) }).map(drop)
    }

    pub(super) fn close_on_exec_from_3() -> io::Result<()> {
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
    pub(super) fn receive(socket: &UnixStream) -> io::Result<Vec<OwnedFd>> {
        let mut byte = 0_u8;
        let mut control = Control([0; CONTROL_HEAD + 4 * MAX_FDS]);
        let mut piece = Piece { start: (&raw mut byte).cast(), len: 1 };
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
        match got {
            1 => {}
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            _ => return Err(io::Error::last_os_error()),
        }
        if message.control_len < CONTROL_HEAD {
            return Ok(Vec::new());
        }
        // The kernel writes the length of head and descriptors as the first word.
        let mut length = [0; 8];
        length.copy_from_slice(&control.0[..8]);
        let length = usize::try_from(u64::from_ne_bytes(length)).unwrap_or(0).clamp(CONTROL_HEAD, control.0.len());
        control.0[CONTROL_HEAD..length]
            .as_chunks::<4>()
            .0
            .iter()
            .map(|chunk| {
                let came = unsafe { OwnedFd::from_raw_fd(c_int::from_ne_bytes(*chunk)) };
                park(came.as_raw_fd())
            })
            .collect()
    }
}
