//! The launcher: a small program that makes itself ready and then becomes the program it was told.
//!
//! It is started with one end of a Unix socket as its standard input. Over that socket comes the order,
//! with the descriptors that the program inherits; back go the answers, and the socket closes at the
//! moment when the program takes over:
//!
//! ```text
//!  order   byte 0 (with the descriptors), then fields: tag, length (u32 LE), bytes; the last is `E`
//!  answer  nothing         it was ended before it could answer
//!          "J" pid (u32 LE)  with a jail: who becomes the program; it waits for one byte, and ends without
//!          "R"             the program took over, or what was to be done in a jail is done
//!          "F" step 0 errno words   where and why it failed; it then ends with 127
//! ```
//!
//! With the word `nursery` it stays, and gives birth to launchers; see there.
//!
//! A process that is to be the first of its process namespace has to be born in it: with a jail the launcher
//! builds it, gives birth to a sibling of its own, tells who that is, and ends.
//!
//! What always holds: an order that is cut short starts nothing; without a jail the process keeps its pid;
//! nothing but the descriptors that were sent reaches the program; the variables it was itself started
//! with are passed on as they are, because they name the claim; what it inherited otherwise is put back
//! to what a fresh process has.

#![deny(unsafe_code)]

mod files;
mod jail;
mod kernel;
mod nursery;
mod order;
mod visit;

use order::{Order, Task};
use std::convert::Infallible;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// At most this many descriptors come with an order.
const MAX_FDS: usize = 64;
/// Descriptors are parked from here on until each gets its number.
const PARKED: RawFd = 256;

/// A step that failed.
type Failure = (String, io::Error);

/// Names the step that an error belongs to.
fn at(step: impl Into<String>) -> impl FnOnce(io::Error) -> Failure {
    let step = step.into();
    move |error| (step, error)
}

fn main() -> ExitCode {
    let Ok(mut socket) = kernel::control_socket() else { return ExitCode::from(126) };
    kernel::reset_signals();
    if std::env::args_os().nth(1).is_some_and(|word| word == nursery::WORD) {
        socket = match nursery::serve(socket) {
            Ok(Some(socket)) => socket,
            Ok(None) => return ExitCode::SUCCESS,
            Err(_) => return ExitCode::from(126),
        };
    }
    match obey(&mut socket) {
        Ok(()) => ExitCode::SUCCESS,
        Err((step, error)) => {
            let errno = error.raw_os_error().unwrap_or(0);
            // Nobody is left to tell where the answer cannot be sent.
            let _ = socket.write_all(format!("F{step}\0{errno}\0{error}").as_bytes());
            ExitCode::from(127)
        }
    }
}

fn obey(socket: &mut UnixStream) -> Result<(), Failure> {
    let fds = kernel::receive(socket).map_err(at("receive its order"))?;
    let order = order::read(socket).map_err(at("read its order"))?;
    match order.task {
        Task::Launch => launch(socket, &order, fds),
        Task::Visit => {
            visit::pay(&order, fds)?;
            socket.write_all(b"R").map_err(at("answer"))
        }
    }
}

/// What the program has as its standard input, output and error.
struct Streams {
    input: OwnedFd,
    output: OwnedFd,
    errors: File,
}

fn launch(socket: &mut UnixStream, order: &Order, fds: Vec<OwnedFd>) -> Result<(), Failure> {
    let streams = prepare(order, fds)?;
    if let Some(jail) = &order.jail {
        jail::build(jail)?;
        if let Some(pid) = kernel::bear().map_err(at("begin a process namespace"))? {
            let mut told = [b'J', 0, 0, 0, 0];
            told[1..].copy_from_slice(&pid.to_le_bytes());
            return socket.write_all(&told).map_err(at("answer"));
        }
        // Whoever started us knows of the newborn, or is gone; then it ends here.
        socket.read_exact(&mut [0]).map_err(at("wait for a word"))?;
        kernel::new_session().map_err(at("begin a session"))?;
        jail::submit(jail, &order.dir)?;
    }
    if let Some(files) = order.open_files {
        kernel::limit_open_files(files).map_err(at("limit its open files"))?;
    }
    for filter in order.jail.iter().flat_map(|jail| &jail.filters) {
        kernel::filter_calls(filter).map_err(at("filter its system calls"))?;
    }
    if order.program.is_empty() {
        // A jail that was built only to see whether it can be.
        return socket.write_all(b"R").map_err(at("answer"));
    }
    match become_program(socket, order, streams)? {}
}

/// Everything that is the same with a jail and without.
fn prepare(order: &Order, fds: Vec<OwnedFd>) -> Result<Streams, Failure> {
    kernel::new_session().map_err(at("begin a session"))?;
    for procs in &order.cgroups {
        fs::write(procs, "0").map_err(at(format!("join the cgroup {}", procs.display())))?;
    }
    kernel::limit_core().map_err(at("forbid core dumps"))?;
    if let Some(wanted) = order.oom_score {
        // Only ever towards being chosen sooner: the other way needs privileges.
        let now = fs::read_to_string("/proc/self/oom_score_adj").unwrap_or_default();
        if now.trim().parse().is_ok_and(|now: i32| now < wanted) {
            fs::write("/proc/self/oom_score_adj", wanted.to_string()).map_err(at("set its OOM score"))?;
        }
    }
    if order.jail.is_none() {
        std::env::set_current_dir(&order.dir).map_err(at(format!("enter its folder {}", order.dir.display())))?;
    }
    kernel::close_on_exec_from_3().map_err(at("close what it inherited"))?;
    let [input, output] = place(fds, &order.numbers).map_err(at("place its descriptors"))?;
    // After the others have their numbers: its own could be one of theirs.
    let step = format!("open its log {}", order.log.display());
    let errors = OpenOptions::new().append(true).create(true).mode(0o600).open(&order.log).map_err(at(step))?;
    let input = match input {
        Some(given) => given,
        None => File::open("/dev/null").map_err(at("open /dev/null"))?.into(),
    };
    let output = match output {
        Some(given) => given,
        None => errors.try_clone().map_err(at("open its log"))?.into(),
    };
    Ok(Streams { input, output, errors })
}

fn become_program(socket: &mut UnixStream, order: &Order, streams: Streams) -> Result<Infallible, Failure> {
    socket.write_all(b"R").map_err(at("answer"))?;
    let Streams { input, output, errors } = streams;
    let error = Command::new(&order.program).args(&order.args).stdin(input).stdout(output).stderr(errors).exec();
    Err(("execute".to_owned(), error))
}

/// Gives each descriptor its number, and hands back those for standard input and output, which are given
/// last. All were parked above every number that can be asked for.
fn place(fds: Vec<OwnedFd>, numbers: &[RawFd]) -> io::Result<[Option<OwnedFd>; 2]> {
    let lawful = |number: &RawFd| matches!(number, 0 | 1) || (3..PARKED).contains(number);
    if fds.len() != numbers.len() || !numbers.iter().all(lawful) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "descriptors and numbers do not fit"));
    }
    let [mut input, mut output] = [None, None];
    for (fd, number) in fds.into_iter().zip(numbers) {
        match number {
            0 => input = Some(fd),
            1 => output = Some(fd),
            _ => kernel::duplicate_to(fd.as_raw_fd(), *number)?,
        }
    }
    Ok([input, output])
}
