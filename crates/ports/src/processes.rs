//! Processes that outlive us, each in its own session and cgroup, found again by claim.
//!
//! # Laws
//! `launch` answers after the program was executed, or leaves nothing behind. A process is named by
//! pid, start time and boot id together, so that a pid that was given anew is never taken for it. A
//! zombie is dead. `find` finds a process by the claim it bears even if we died right after `launch`
//! began. `clear` leaves neither process nor cgroup of the claim. Nothing but `signal`, `kill` and
//! `clear` ends a process; dropping a handle does not.
//!
//! A process with a [`Jail`] sees the files that were bound for it and nothing else of the host, runs as
//! the jail's user without any capability, and can get neither back; what it starts cannot either. What a
//! bind grants is granted to that user whoever owns the file, and neither owner nor mode of the file
//! changes on the host. When the process is gone, nothing of its jail is left, in `root` neither.

pub mod conformance;
pub mod fake;

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use weft_domain::{ClaimId, Fault};

/// What is to be started.
#[derive(Debug)]
pub struct Command {
    /// The claim that it bears, visible from outside.
    pub claim: ClaimId,
    /// The program, as a path.
    pub program: PathBuf,
    /// Its arguments. Never a secret.
    pub args: Vec<OsString>,
    /// Descriptors it inherits, each under this number; all others are closed. Under 0 and 1 they take the
    /// place of its standard input, which is otherwise empty, and output; never under 2.
    pub fds: Vec<(OwnedFd, i32)>,
    /// Where its standard output and error go; appended.
    pub log: PathBuf,
    /// The folder it starts in.
    pub dir: PathBuf,
    /// How it is confined.
    pub confinement: Confinement,
    /// What it sees and may; `None` leaves it our user, files and network. With a jail, `program`, `args`
    /// and `dir` are paths inside; `log` stays one of the host.
    pub jail: Option<Jail>,
}

/// What a process sees of the host, and as whom it runs.
///
/// Inside, `/` is a small file system in memory that only root could write: it holds `/dev` with the
/// `devices`, and the places of the binds. A program that is not linked statically needs its libraries
/// bound too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jail {
    /// Its user, never 0.
    pub uid: u32,
    /// Its only group, never 0.
    pub gid: u32,
    /// A folder of ours on the host that becomes `/` of the process; nothing is ever written to it, and it
    /// can be removed when the process is gone.
    pub root: PathBuf,
    /// What it sees of the host's files. None lies inside another.
    pub binds: Vec<Bind>,
    /// Device nodes that are made anew inside under the same path, open to `gid` and to nobody's changes:
    /// `/dev/kvm`, `/dev/net/tun`, `/dev/urandom`. One that the host does not have is an error that names it.
    pub devices: Vec<PathBuf>,
    /// Which network it has.
    pub net: Net,
    /// Which `/proc` it has.
    pub proc: Proc,
    /// Whether it may give the kernel work by rings.
    pub rings: Rings,
}

/// One file or folder of the host that a jailed process sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bind {
    /// Where it is on the host. A device node is made anew. The file itself, not a symbolic link to it,
    /// unless it is only executed: what a jail writes to may hold links that lead anywhere.
    pub from: PathBuf,
    /// Where it is inside: an absolute path without `..`; under `/dev` where it is a device.
    pub to: PathBuf,
    /// What may be done with it.
    pub access: Access,
}

/// What a jailed process may do with what is bound. Of a folder, it holds for all that is in it and has the
/// folder's owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Read it.
    Read,
    /// Read and write it; what is made in a folder belongs to the folder's owner on the host.
    Write,
    /// Read and execute it.
    Execute,
}

/// Which `/proc` a jailed process has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Proc {
    /// None.
    None,
    /// One that shows itself and what it started, and nothing of the kernel.
    Own,
}

/// Which network a jailed process has.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Net {
    /// One of its own, with nothing in it but a loopback that is down.
    Own,
    /// The host's, all but its sockets without a file.
    Host,
    /// The network namespace that this file of the host is, and not a link to it: `/run/netns/blue`.
    Named(PathBuf),
}

/// Whether a jailed process may give the kernel work by rings (`io_uring`), past the filter of its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rings {
    /// It may not; programs fall back to plain calls.
    None,
    /// It may.
    Allowed,
}

/// What is to change in what a jailed process sees: what goes, goes first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Showing {
    /// What it sees from now on. What is there already is success, another thing in its place is not.
    pub admit: Vec<Bind>,
    /// Paths inside at which it sees nothing any more; absence is success. A file that it holds open stays
    /// open to it until it closes it; a folder takes nothing new, and one in which it still writes is an
    /// error.
    pub expel: Vec<PathBuf>,
}

/// How a process is confined.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Confinement {
    /// Memory in bytes; `None` for no limit.
    pub memory_bytes: Option<u64>,
    /// Processor time in thousandths of a processor; `None` for no limit.
    pub cpu_millis: Option<u64>,
    /// Processes and threads; `None` for no limit.
    pub pids: Option<u64>,
    /// Open files; `None` leaves it as it is.
    pub open_files: Option<u64>,
}

/// A process by which it can never be mistaken for another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Alive {
    /// The process id.
    pub pid: u32,
    /// When it started, in clock ticks since the machine started.
    pub start_ticks: u64,
    /// Which start of the machine.
    pub boot_id: String,
}

/// How a process ended, as far as it can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// With this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// By the kernel, for memory.
    OutOfMemory,
    /// It is gone; nothing more can be told, for it was not our child.
    Unknown,
}

/// What can be sent to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signal {
    /// Please end. A jailed process that does not handle it does not see it.
    Terminate,
    /// End.
    Kill,
}

/// Where a process was found that belongs into a cgroup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hold {
    /// In it, or nothing is confined here.
    Inside,
    /// Outside of it; now it is in again.
    PutBack,
}

/// How processes are confined on this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cgroups {
    /// The unified hierarchy.
    V2,
    /// A hierarchy per controller.
    V1,
    /// Not at all; limits are not held.
    None,
}

/// Starts, finds, watches and ends processes.
#[async_trait::async_trait]
pub trait Processes: Send + Sync {
    /// How processes are confined here, and what a person should know of it.
    fn cgroups(&self) -> (Cgroups, Option<String>);
    /// Which start of the machine this is.
    fn boot_id(&self) -> String;
    /// Whether this node can jail at all; if not, a sentence that says what it lacks.
    ///
    /// # Errors
    /// What it lacks, for a person.
    fn jails(&self) -> Result<(), String>;
    /// Starts one. One with a jail is `Unsupported` where none can be made.
    async fn launch(&self, command: Command) -> Result<Alive, Fault>;
    /// Whether this very process lives. A zombie does not.
    fn lives(&self, alive: &Alive) -> bool;
    /// Living processes that bear a claim of ours, whoever started them.
    async fn find(&self) -> Result<Vec<(ClaimId, Alive)>, Fault>;
    /// Waits until it has ended. To wait costs a descriptor, and nobody need: it can be asked after the end as well.
    async fn ended(&self, alive: &Alive) -> Ending;
    /// Sends a signal; a process that is gone is no error.
    async fn signal(&self, alive: &Alive, signal: Signal) -> Result<(), Fault>;
    /// Kills it and waits until it is gone.
    async fn kill(&self, alive: &Alive) -> Result<Ending, Fault>;
    /// Kills whatever bears this claim and removes its cgroup; absence is success.
    async fn clear(&self, claim: ClaimId) -> Result<(), Fault>;
    /// Changes what of the host is seen in the jail of a living process. Either all that is admitted is there
    /// afterwards, or an error says what is not. Taking away from a process that is gone is success.
    async fn show(&self, alive: &Alive, showing: Showing) -> Result<(), Fault>;
    /// Sees to it that a living process is in the cgroup of its claim. One that is not gets one with these
    /// limits; what it took meanwhile does not count there.
    async fn hold(&self, claim: ClaimId, alive: &Alive, limits: &Confinement) -> Result<Hold, Fault>;
    /// Claims that have a cgroup here, with or without processes in it.
    async fn confined(&self) -> Result<Vec<ClaimId>, Fault>;
}
