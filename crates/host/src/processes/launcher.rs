//! Starts the launcher and hands it the order; answers when the program has taken over.
//!
//! The launcher is carried in this program and executed from a sealed memory file, or from a file in the
//! run folder where the host forbids that. Spawning it is cheap however large we are, since nothing of us
//! is copied. The order goes over a socket whose other end closes when the program takes over, so a
//! launch has an exact answer. `launcher/main.rs` tells the other side.

use super::search;
use super::stat;
use crate::Error;
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command as Spawn, Stdio};
use std::time::Duration;
use weft_ports::processes::{Alive, Command};

const PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/launcher"));
/// The kernel passes no more than 253 at once, the launcher takes fewer.
const MAX_FDS: usize = 64;
/// A launch that takes longer is given up.
const LIMIT: Duration = Duration::from_secs(20);

/// The launcher, ready to be executed.
#[derive(Debug)]
pub(super) struct Launcher {
    path: PathBuf,
    /// Keeps the memory file.
    _memory: Option<OwnedFd>,
}

/// A process that was started and is ended again if nobody takes it.
#[derive(Debug)]
pub(super) struct Started {
    alive: Alive,
    pidfd: Option<OwnedFd>,
}

impl Started {
    /// Who it is, and the descriptor by which it is waited for.
    pub(super) fn take(mut self) -> (Alive, Option<OwnedFd>) {
        (self.alive.clone(), self.pidfd.take())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Some(pidfd) = self.pidfd.take() {
            // What cannot be killed is dead already; then only its zombie is taken away.
            let _ = rustix::process::pidfd_send_signal(&pidfd, Signal::KILL);
            let _ = rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED);
        }
    }
}

impl Launcher {
    /// Makes it ready: in memory where the host lets us execute that, else in this folder.
    pub(super) fn prepare(run_dir: &Path) -> Result<Self, Error> {
        if let Ok(memory) = memory_file() {
            let path = PathBuf::from(format!("/proc/self/fd/{}", memory.as_raw_fd()));
            if executes(&path) {
                return Ok(Self { path, _memory: Some(memory) });
            }
        }
        let act = |error| Error::host(format!("write the launcher to {}", run_dir.display()), error);
        let path = on_disk(run_dir).map_err(act)?;
        Ok(Self { path, _memory: None })
    }

    /// Whether it is executed from memory.
    pub(super) const fn in_memory(&self) -> bool {
        self._memory.is_some()
    }

    /// Starts the launcher of this command; it waits for its order.
    pub(super) fn spawn(&self, command: &Command, place: &Place<'_>) -> Result<Waiting, Error> {
        let failed = |step| failed(command, step);
        if command.fds.len() > MAX_FDS {
            return Err(Error::TooMuch { limit: MAX_FDS, what: "descriptors per process" });
        }
        let (ours, theirs) = UnixStream::pair().map_err(failed("make a socket"))?;
        let started = self.execute(command, place, theirs).map_err(failed("start the launcher"))?;
        ours.set_read_timeout(Some(LIMIT)).map_err(failed("set a time limit"))?;
        ours.set_write_timeout(Some(LIMIT)).map_err(failed("set a time limit"))?;
        Ok(Waiting { started, socket: ours })
    }

    fn execute(&self, command: &Command, place: &Place<'_>, socket: UnixStream) -> io::Result<Started> {
        let mut spawn = Spawn::new(&self.path);
        spawn.env_clear().env("PATH", place.path_variable);
        spawn.env(search::CLAIM, command.claim.to_string()).env(search::SCOPE, place.scope);
        spawn.stdin(OwnedFd::from(socket)).stdout(Stdio::null()).stderr(Stdio::null());
        let child = spawn.spawn()?;
        // It cannot be reaped by another, so the pid is its own until we wait for it.
        let pid = Pid::from_child(&child);
        let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty())?;
        let mut started = Started {
            alive: Alive { pid: child.id(), start_ticks: 0, boot_id: place.boot_id.to_owned() },
            pidfd: Some(pidfd),
        };
        let stat = stat::of(child.id()).ok_or_else(|| io::Error::other("the new process is not in /proc"))?;
        started.alive.start_ticks = stat.start_ticks;
        Ok(started)
    }
}

/// A launcher that waits for its order; without one it ends and has started nothing.
#[derive(Debug)]
pub(super) struct Waiting {
    started: Started,
    socket: UnixStream,
}

impl Waiting {
    /// Lets it become the program of this command, confined by these cgroups.
    pub(super) fn order(mut self, command: &Command, place: &Place<'_>) -> Result<Started, Error> {
        let failed = |step| failed(command, step);
        let sent = send(&mut self.socket, command, place);
        let sent = match sent {
            // A launcher that failed early has closed the socket, and its answer says why.
            Err(error) if hung_up(&error) => Err(error),
            other => Ok(other.map_err(failed("send the order"))?),
        };
        let mut answer = Vec::new();
        let heard = self.socket.read_to_end(&mut answer);
        judge(command, &answer)?;
        sent.map_err(failed("send the order"))?;
        heard.map_err(failed("wait for the launcher"))?;
        Ok(self.started)
    }
}

/// A step of this launch failed.
fn failed(command: &Command, step: &'static str) -> impl FnOnce(io::Error) -> Error + use<> {
    let program = command.program.clone();
    move |error| Error::Launch { program, step: step.to_owned(), why: error.to_string() }
}

/// Where a process is put.
#[derive(Debug)]
pub(super) struct Place<'a> {
    /// The scope that it bears.
    pub(super) scope: &'a str,
    /// This start of the machine.
    pub(super) boot_id: &'a str,
    /// Its `PATH`.
    pub(super) path_variable: &'a OsStr,
    /// The files that it enters its cgroups by: `tasks` in older hierarchies, `cgroup.procs` in version 2.
    pub(super) cgroups: &'a [PathBuf],
    /// How likely the kernel chooses it when memory is short, at least.
    pub(super) oom_score: i32,
}

fn hung_up(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

fn memory_file() -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let memory = rustix::fs::memfd_create("weft-launcher", flags | MemfdFlags::EXEC)
        // Kernels before 6.3 do not know the flag and need none.
        .or_else(|_| rustix::fs::memfd_create("weft-launcher", flags))?;
    let mut file = File::from(memory);
    file.write_all(PROGRAM)?;
    let memory = OwnedFd::from(file);
    rustix::fs::fcntl_add_seals(&memory, SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
    Ok(memory)
}

/// Without an order the launcher ends at once.
fn executes(path: &Path) -> bool {
    let tried = Spawn::new(path).env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    tried.is_ok()
}

fn on_disk(run_dir: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(run_dir)?;
    let path = run_dir.join(format!("launcher-{:08x}", crc32fast::hash(PROGRAM)));
    if fs::read(&path).is_ok_and(|bytes| bytes == PROGRAM) {
        return Ok(path);
    }
    let fresh = run_dir.join(format!("launcher-{}.new", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o700).open(&fresh)?.write_all(PROGRAM)?;
    fs::rename(&fresh, &path)?;
    Ok(path)
}

fn send(socket: &mut UnixStream, command: &Command, place: &Place<'_>) -> io::Result<()> {
    let fds: Vec<BorrowedFd<'_>> = command.fds.iter().map(|(fd, _)| fd.as_fd()).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(&fds)) {
        return Err(io::Error::other("too many descriptors"));
    }
    rustix::net::sendmsg(&*socket, &[IoSlice::new(&[0])], &mut control, SendFlags::NOSIGNAL)?;
    socket.write_all(&encode(command, place)?)?;
    socket.shutdown(std::net::Shutdown::Write)
}

/// The order as the launcher reads it.
fn encode(command: &Command, place: &Place<'_>) -> io::Result<Vec<u8>> {
    let mut fields: Vec<(u8, Vec<u8>)> = Vec::new();
    let mut text = |tag: u8, bytes: &[u8]| fields.push((tag, bytes.to_vec()));
    for procs in place.cgroups {
        text(b'C', procs.as_os_str().as_bytes());
    }
    if let Some(files) = command.confinement.open_files {
        text(b'N', files.min(i64::MAX.unsigned_abs()).to_string().as_bytes());
    }
    text(b'O', place.oom_score.to_string().as_bytes());
    text(b'L', command.log.as_os_str().as_bytes());
    text(b'D', command.dir.as_os_str().as_bytes());
    text(b'P', command.program.as_os_str().as_bytes());
    for arg in &command.args {
        text(b'A', arg.as_bytes());
    }
    for (_, number) in &command.fds {
        text(b'F', number.to_string().as_bytes());
    }
    text(b'E', b"");
    let mut order = Vec::new();
    for (tag, bytes) in fields {
        let length = u32::try_from(bytes.len()).map_err(|_| io::Error::other("an argument is too long"))?;
        order.push(tag);
        order.extend_from_slice(&length.to_le_bytes());
        order.extend_from_slice(&bytes);
    }
    Ok(order)
}

/// What the launcher's answer means.
fn judge(command: &Command, answer: &[u8]) -> Result<(), Error> {
    let program = || command.program.clone();
    let text = String::from_utf8_lossy(answer);
    let (took_over, failure) = match text.strip_prefix('R') {
        Some(rest) => (true, rest),
        None => (false, &*text),
    };
    let Some(failure) = failure.strip_prefix('F') else {
        let (step, why) = ("start the launcher", "it was ended before it could answer");
        let silent = Error::Launch { program: program(), step: step.to_owned(), why: why.to_owned() };
        return if took_over { Ok(()) } else { Err(silent) };
    };
    let mut parts = failure.splitn(3, '\0');
    let step = parts.next().unwrap_or_default();
    let errno = parts.next().and_then(|errno| errno.parse().ok()).unwrap_or(0);
    if step == "execute" && errno == rustix::io::Errno::NOENT.raw_os_error() {
        return Err(Error::ProgramMissing { program: program() });
    }
    Err(Error::Launch { program: program(), step: step.to_owned(), why: parts.next().unwrap_or_default().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_ports::processes::conformance;

    fn place() -> Place<'static> {
        Place { scope: "s", boot_id: "b", path_variable: OsStr::new("/bin"), cgroups: &[], oom_score: 0 }
    }

    #[test]
    fn it_is_executed_from_a_file_where_memory_is_forbidden() {
        let dir = tempfile::tempdir().unwrap();
        let path = on_disk(dir.path()).unwrap();
        assert_eq!(on_disk(dir.path()).unwrap(), path, "it is written once");
        assert_eq!(dir.path().read_dir().unwrap().count(), 1);
        let launcher = Launcher { path, _memory: None };
        let started = {
            let command = conformance::sleeper(dir.path());
            launcher.spawn(&command, &place()).unwrap().order(&command, &place()).unwrap()
        };
        let (alive, pidfd) = (started.alive.clone(), started.pidfd.as_ref().map(|fd| fd.try_clone().unwrap()));
        drop(started);
        assert!(stat::of(alive.pid).is_none_or(|stat| stat.start_ticks != alive.start_ticks), "untaken, it is ended");
        let gone = rustix::process::pidfd_send_signal(pidfd.unwrap(), Signal::KILL);
        assert_eq!(gone, Err(rustix::io::Errno::SRCH), "and reaped");
    }

    #[test]
    fn an_order_that_is_cut_short_starts_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let launcher = Launcher::prepare(dir.path()).unwrap();
        let command = conformance::sleeper(dir.path());
        let order = encode(&command, &place()).unwrap();
        for end in [0, 1, 5, order.len() / 2, order.len() - 1] {
            let (mut ours, theirs) = UnixStream::pair().unwrap();
            let started = launcher.execute(&command, &place(), theirs).unwrap();
            ours.write_all(&[0]).unwrap();
            ours.write_all(&order[..end]).unwrap();
            ours.shutdown(std::net::Shutdown::Write).unwrap();
            let mut answer = Vec::new();
            ours.read_to_end(&mut answer).unwrap();
            assert!(judge(&command, &answer).unwrap_err().to_string().contains("read its order"), "{end}");
            drop(started);
        }
        assert!(!command.log.exists());
    }

    #[test]
    fn a_launcher_that_says_nothing_was_ended() {
        let command = conformance::sleeper(Path::new("/"));
        assert!(judge(&command, b"").unwrap_err().to_string().contains("was ended before"));
        assert!(judge(&command, b"R").is_ok());
        let refused = judge(&command, b"RFexecute\x0013\0Permission denied").unwrap_err();
        assert!(matches!(refused, Error::Launch { .. }), "{refused}");
        assert!(matches!(judge(&command, b"RFexecute\x002\0x"), Err(Error::ProgramMissing { .. })));
    }
}
