//! Starts the launcher and hands it the order; answers when the program has taken over.
//!
//! The launcher is carried in this program and executed from a sealed memory file, or from a file in the
//! run folder where the host forbids that. One of them stays, the nursery, and gives birth to those that take
//! orders, so that a launch costs the same however large we are. The order goes over a socket whose other end closes when the program takes over, so a
//! launch has an exact answer. `launcher/main.rs` beside the crate's sources tells the other side.
//!
//! With a jail the launcher gives birth to the process that becomes the program and tells us its pid; that
//! one goes on only after we hold it, and ends by itself if we are gone by then. It is our child too, so
//! from there on nothing differs.

mod answer;
mod calls;
mod nursery;
mod order;

use super::search;
use super::stat;
use crate::Error;
use answer::First;
use nursery::Nursery;
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command as Spawn, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use weft_ports::fault::{self, Point};
use weft_ports::processes::{Alive, Command, Showing};

const PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/launcher"));
/// The kernel passes no more than 253 at once, the launcher takes fewer.
const MAX_FDS: usize = 64;
/// A launch that takes longer is given up.
const LIMIT: Duration = Duration::from_secs(20);

/// The launcher, ready to be executed.
#[derive(Debug)]
pub(super) struct Launcher {
    path: PathBuf,
    /// Begun with the first launch; gone when it was found to have ended.
    nursery: Mutex<Option<Arc<Nursery>>>,
    /// Keeps the memory file.
    _memory: Option<OwnedFd>,
}

/// A process that was started and is ended again if nobody takes it.
#[derive(Debug)]
pub(super) struct Started {
    alive: Alive,
    pidfd: Option<OwnedFd>,
    /// Whether it may have given birth to a process that we were not told of yet.
    bears: bool,
}

impl Started {
    /// This child of ours, which is not reaped yet, so that the pid is its own.
    fn child(pid: u32, boot_id: &str) -> io::Result<Self> {
        let raw = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
        let pidfd = rustix::process::pidfd_open(raw, PidfdFlags::empty())?;
        let alive = Alive { pid, start_ticks: 0, boot_id: boot_id.to_owned() };
        let mut started = Self { alive, pidfd: Some(pidfd), bears: false };
        let stat = stat::of(pid).ok_or_else(|| io::Error::other("the new process is not in /proc"))?;
        started.alive.start_ticks = stat.start_ticks;
        Ok(started)
    }

    /// Who it is, and the descriptor by which it is waited for.
    pub(super) fn take(mut self) -> (Alive, Option<OwnedFd>) {
        (self.alive.clone(), self.pidfd.take())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let Some(pidfd) = self.pidfd.take() else { return };
        // What cannot be killed is dead already; then only its zombie is taken away.
        let _ = rustix::process::pidfd_send_signal(&pidfd, Signal::KILL);
        if self.bears {
            // Dead but not reaped, it bears nothing more, and its pid cannot name another session.
            let _ =
                rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
            end_session(self.alive.pid);
        }
        let _ = rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED);
    }
}

/// Ends the children of ours in this session, all but its leader.
fn end_session(session: u32) {
    let ours = |pid| {
        let stat = stat::of(pid)?;
        (stat.session == session && stat.parent == std::process::id()).then_some(())
    };
    for pid in search::pids().unwrap_or_default().into_iter().filter(|pid| *pid != session) {
        if ours(pid).is_none() {
            continue;
        }
        let Some(raw) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { continue };
        let Ok(pidfd) = rustix::process::pidfd_open(raw, PidfdFlags::empty()) else { continue };
        if ours(pid).is_some() {
            // It may be dead already; in either case it is reaped.
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
                return Ok(Self { path, nursery: Mutex::default(), _memory: Some(memory) });
            }
        }
        let act = |error| Error::host(format!("write the launcher to {}", run_dir.display()), error);
        let path = on_disk(run_dir).map_err(act)?;
        Ok(Self { path, nursery: Mutex::default(), _memory: None })
    }

    /// Whether it is executed from memory.
    pub(super) const fn in_memory(&self) -> bool {
        self._memory.is_some()
    }

    /// Starts the launcher of this command; it waits for its order.
    pub(super) fn spawn<'a>(&'a self, command: &'a Command, place: &Place<'a>) -> Result<Waiting<'a>, Error> {
        if command.fds.len() > MAX_FDS {
            return Err(Error::TooMuch { limit: MAX_FDS, what: "descriptors per process" });
        }
        let place = Place { cgroups: &[], ..*place };
        let waiting = match self.call(command, &place) {
            Some(socket) => Waiting { launcher: self, command, place, child: Child::Called, socket },
            None => self.spawn_directly(command, place)?,
        };
        Ok(waiting)
    }

    /// Calls the nursery for a newborn, which is to be met over this socket; nothing where it cannot be called.
    fn call(&self, command: &Command, place: &Place<'_>) -> Option<UnixStream> {
        let scope = place.scope?;
        let (ours, theirs) = pair().ok()?;
        // One may have ended since it was last called; then another is begun, once.
        for _ in 0..2 {
            let nursery = self.nursery(place)?;
            match nursery.call(command.claim, scope, &theirs) {
                Ok(()) => return Some(ours),
                Err(error) => self.miss(&nursery, &error),
            }
        }
        None
    }

    fn slot(&self) -> MutexGuard<'_, Option<Arc<Nursery>>> {
        self.nursery.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn nursery(&self, place: &Place<'_>) -> Option<Arc<Nursery>> {
        let mut slot = self.slot();
        if slot.is_none() {
            match Nursery::begin(&self.path, place) {
                Ok(nursery) => *slot = Some(Arc::new(nursery)),
                Err(error) => tracing::debug!(%error, "no launcher stays; each is executed"),
            }
        }
        slot.clone()
    }

    /// This nursery does not serve; another takes its place.
    fn miss(&self, nursery: &Arc<Nursery>, error: &io::Error) {
        tracing::warn!(%error, "the launcher that stays is gone");
        let mut slot = self.slot();
        if slot.as_ref().is_some_and(|now| Arc::ptr_eq(now, nursery)) {
            *slot = None;
        }
    }

    fn spawn_directly<'a>(&'a self, command: &'a Command, place: Place<'a>) -> Result<Waiting<'a>, Error> {
        let (ours, theirs) = pair().map_err(failed(command, "make a socket"))?;
        let started = self.execute(command, &place, theirs).map_err(failed(command, "start the launcher"))?;
        Ok(Waiting { launcher: self, command, place, child: Child::Met(started), socket: ours })
    }

    fn execute(&self, command: &Command, place: &Place<'_>, socket: UnixStream) -> io::Result<Started> {
        let mut spawn = self.bare(socket);
        spawn.env("PATH", place.path_variable);
        if let Some(scope) = place.scope {
            spawn.env(search::CLAIM, command.claim.to_string()).env(search::SCOPE, scope);
        }
        let child = spawn.spawn()?;
        // It cannot be reaped by another, so the pid is its own until we wait for it.
        let mut started = Started::child(child.id(), place.boot_id)?;
        started.bears = command.jail.is_some();
        Ok(started)
    }

    fn bare(&self, socket: UnixStream) -> Spawn {
        let mut spawn = Spawn::new(&self.path);
        spawn.env_clear().stdin(OwnedFd::from(socket)).stdout(Stdio::null()).stderr(Stdio::null());
        spawn
    }

    /// Changes what is seen in the jail of the process that is held by this descriptor.
    pub(super) fn visit(&self, process: BorrowedFd<'_>, user: (u32, u32), showing: &Showing) -> Result<(), Error> {
        let failed = |step: &str| {
            let step = step.to_owned();
            move |error: io::Error| Error::Visit { step, why: error.to_string() }
        };
        let (mut ours, theirs) = pair().map_err(failed("make a socket"))?;
        let child = self.bare(theirs).spawn().map_err(failed("start the launcher"))?;
        // Ended and reaped however this goes.
        let _launcher = Started::child(child.id(), "").map_err(failed("hold the launcher"))?;
        let sent = order::visit(user, showing).and_then(|order| order::send(&mut ours, &[process], &order));
        let mut answer = Vec::new();
        let heard = ours.read_to_end(&mut answer);
        answer::judge(&answer).map_err(answer::Refusal::of_visit)?;
        sent.and(heard.map(drop)).map_err(failed("speak to the launcher"))
    }
}

/// A launcher that waits for its order; without one it ends and has started nothing.
#[derive(Debug)]
pub(super) struct Waiting<'a> {
    launcher: &'a Launcher,
    command: &'a Command,
    place: Place<'a>,
    child: Child,
    socket: UnixStream,
}

/// What is known of a launcher.
#[derive(Debug)]
enum Child {
    /// The nursery was called; who it is will be told.
    Called,
    /// It is held.
    Met(Started),
    /// It has its order, or never was.
    Gone,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        // Who is held is ended and reaped.
        if matches!(self.child, Child::Called)
            && let Err(error) = self.meet()
        {
            tracing::debug!(%error, "a newborn was not met");
        }
    }
}

impl Waiting<'_> {
    /// Lets it become the program of this command, confined by these cgroups.
    pub(super) fn order(mut self, cgroups: &[PathBuf]) -> Result<Started, Error> {
        self.meet_or_execute()?;
        fault::hit(Point::LauncherSpawned);
        let command = self.command;
        let failed = |step| failed(command, step);
        let order = order::launch(command, &Place { cgroups, ..self.place }).map_err(failed("write the order"))?;
        let sent = match order::send(&mut self.socket, &order::descriptors(command), &order) {
            // A launcher that failed early has closed the socket, and its answer says why.
            Err(error) if hung_up(&error) => Err(error),
            other => Ok(other.map_err(failed("send the order"))?),
        };
        fault::hit(Point::LauncherOrdered);
        let mut answer = Vec::new();
        if command.jail.is_some() {
            answer = self.hold_newborn().map_err(failed("wait for the launcher"))?;
        }
        let heard = self.socket.read_to_end(&mut answer);
        answer::judge(&answer).map_err(|refusal| refusal.of_launch(&command.program))?;
        sent.map_err(failed("send the order"))?;
        heard.map_err(failed("wait for the launcher"))?;
        fault::hit(Point::LauncherDone);
        match std::mem::replace(&mut self.child, Child::Gone) {
            Child::Met(started) => Ok(started),
            Child::Called | Child::Gone => Err(failed("hold the launcher")(io::ErrorKind::NotFound.into())),
        }
    }

    /// A nursery that ended before it gave birth is no reason not to launch.
    fn meet_or_execute(&mut self) -> Result<(), Error> {
        if !matches!(self.child, Child::Called) {
            return Ok(());
        }
        let Err(error) = self.meet() else { return Ok(()) };
        tracing::warn!(%error, claim = %self.command.claim, "no launcher was born; it is executed");
        self.child = Child::Gone;
        let mut direct = self.launcher.spawn_directly(self.command, Place { ..self.place })?;
        std::mem::swap(&mut self.child, &mut direct.child);
        std::mem::swap(&mut self.socket, &mut direct.socket);
        Ok(())
    }

    /// Takes hold of the newborn.
    fn meet(&mut self) -> io::Result<()> {
        let mut told = [0; 5];
        self.socket.read_exact(&mut told)?;
        let [b'B', pid @ ..] = told else { return Err(io::Error::other("it could not be born")) };
        let mut started = Started::child(u32::from_le_bytes(pid), self.place.boot_id)?;
        started.bears = self.command.jail.is_some();
        self.child = Child::Met(started);
        Ok(())
    }

    /// Takes the process that becomes the program in the launcher's place and lets it go on; or answers
    /// what the launcher said instead.
    fn hold_newborn(&mut self) -> io::Result<Vec<u8>> {
        let Child::Met(launcher) = &mut self.child else { return Ok(Vec::new()) };
        let pidfd = launcher.pidfd.as_ref().expect("it was not taken yet").as_fd();
        match answer::first(&mut self.socket, pidfd, LIMIT)? {
            First::Else(answer) => Ok(answer),
            First::Born(pid) => {
                let newborn = Started::child(pid, self.place.boot_id)?;
                fault::hit(Point::LauncherBorne);
                self.socket.write_all(&[0])?;
                launcher.bears = false;
                self.child = Child::Met(newborn);
                Ok(Vec::new())
            }
        }
    }
}

/// Both ends of a socket, ours with a limit of time.
fn pair() -> io::Result<(UnixStream, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_read_timeout(Some(LIMIT))?;
    ours.set_write_timeout(Some(LIMIT))?;
    Ok((ours, theirs))
}

/// A step of this launch failed.
fn failed(command: &Command, step: &'static str) -> impl FnOnce(io::Error) -> Error + use<> {
    let program = command.program.clone();
    move |error| Error::Launch { program, step: step.to_owned(), why: error.to_string() }
}

/// Where a process is put.
#[derive(Debug)]
pub(super) struct Place<'a> {
    /// The scope that it bears; `None` for one that bears no claim either.
    pub(super) scope: Option<&'a str>,
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

#[cfg(test)]
mod tests {
    use super::*;
    use weft_ports::processes::conformance;

    fn place() -> Place<'static> {
        Place { scope: Some("s"), boot_id: "b", path_variable: OsStr::new("/bin"), cgroups: &[], oom_score: 0 }
    }

    #[test]
    fn it_is_executed_from_a_file_where_memory_is_forbidden() {
        let dir = tempfile::tempdir().unwrap();
        let path = on_disk(dir.path()).unwrap();
        assert_eq!(on_disk(dir.path()).unwrap(), path, "it is written once");
        assert_eq!(dir.path().read_dir().unwrap().count(), 1);
        let launcher = Launcher { path, nursery: Mutex::default(), _memory: None };
        let started = {
            let command = conformance::sleeper(dir.path());
            launcher.spawn(&command, &place()).unwrap().order(&[]).unwrap()
        };
        let (alive, pidfd) = (started.alive.clone(), started.pidfd.as_ref().map(|fd| fd.try_clone().unwrap()));
        drop(started);
        assert!(stat::of(alive.pid).is_none_or(|stat| stat.start_ticks != alive.start_ticks), "untaken, it is ended");
        let gone = rustix::process::pidfd_send_signal(pidfd.unwrap(), Signal::KILL);
        assert_eq!(gone, Err(rustix::io::Errno::SRCH), "and reaped");
    }

    /// Where each field of an order begins, and the middle of each.
    fn cuts(order: &[u8]) -> Vec<usize> {
        let (mut cuts, mut at) = (Vec::new(), 0);
        while at < order.len() {
            let length: [u8; 4] = order[at + 1..at + 5].try_into().unwrap();
            let next = at + 5 + usize::try_from(u32::from_le_bytes(length)).unwrap();
            cuts.extend([at, at + 3, usize::midpoint(at + 5, next)]);
            at = next;
        }
        cuts.retain(|cut| *cut < order.len());
        cuts
    }

    #[test]
    fn an_order_that_is_cut_short_starts_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let launcher = Launcher::prepare(dir.path()).unwrap();
        let jailed = conformance::jailed(dir.path(), conformance::sleeper(dir.path()));
        for command in [conformance::sleeper(dir.path()), jailed] {
            let order = order::launch(&command, &place()).unwrap();
            for end in cuts(&order) {
                let (mut ours, theirs) = UnixStream::pair().unwrap();
                let started = launcher.execute(&command, &place(), theirs).unwrap();
                ours.write_all(&[0]).unwrap();
                ours.write_all(&order[..end]).unwrap();
                ours.shutdown(std::net::Shutdown::Write).unwrap();
                let mut answer = Vec::new();
                ours.read_to_end(&mut answer).unwrap();
                assert!(answer::judge(&answer).unwrap_err().step.contains("read its order"), "{end}");
                drop(started);
            }
            assert!(!command.log.exists());
        }
    }

    /// A command in a jail, and the jail's child when it was just born and waits for a word.
    fn newborn<'a>(launcher: &'a Launcher, command: &'a Command) -> (Waiting<'a>, Started) {
        let mut waiting = launcher.spawn(command, &place()).unwrap();
        waiting.meet().unwrap();
        let order = order::launch(command, &place()).unwrap();
        order::send(&mut waiting.socket, &[], &order).unwrap();
        let Child::Met(started) = &waiting.child else { panic!("not met") };
        let held = started.pidfd.as_ref().unwrap().as_fd();
        let First::Born(pid) = answer::first(&mut waiting.socket, held, LIMIT).unwrap() else { panic!("not born") };
        (waiting, Started::child(pid, "b").unwrap())
    }

    fn jails(launcher: &Launcher) -> bool {
        super::super::jail::probe(launcher).inspect_err(|why| println!("skipped: {why}")).is_ok()
    }

    #[test]
    fn a_newborn_that_nobody_holds_ends_by_itself() {
        let dir = tempfile::tempdir().unwrap();
        let launcher = Launcher::prepare(dir.path()).unwrap();
        if !jails(&launcher) {
            return;
        }
        let command = conformance::jailed(dir.path(), conformance::sleeper(dir.path()));
        let (waiting, born) = newborn(&launcher, &command);
        let pidfd = born.pidfd.as_ref().unwrap().as_fd();
        waiting.socket.shutdown(std::net::Shutdown::Write).unwrap();
        let status = rustix::process::waitid(WaitId::PidFd(pidfd), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
        assert_eq!(status.unwrap().unwrap().exit_status(), Some(127), "without the word it is no program");
    }

    #[test]
    fn a_newborn_that_was_not_told_of_is_ended_with_its_launcher() {
        let dir = tempfile::tempdir().unwrap();
        let launcher = Launcher::prepare(dir.path()).unwrap();
        if !jails(&launcher) {
            return;
        }
        let command = conformance::jailed(dir.path(), conformance::sleeper(dir.path()));
        let (mut waiting, mut born) = newborn(&launcher, &command);
        // As if it had not been told: nobody holds it, and its socket is still open.
        let (pid, _pidfd) = (born.alive.pid, born.pidfd.take());
        assert!(stat::of(pid).is_some_and(|stat| stat.is_living()));
        let Child::Met(mut launcher) = std::mem::replace(&mut waiting.child, Child::Gone) else { panic!("not met") };
        launcher.bears = true;
        drop(launcher);
        assert!(stat::of(pid).is_none_or(|stat| stat.start_ticks != born.alive.start_ticks), "ended and reaped");
        drop(waiting);
    }
}
