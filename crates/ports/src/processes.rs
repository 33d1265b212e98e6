//! Processes that outlive us, each in its own session and cgroup, found again by claim.
//!
//! # Laws
//! `launch` answers after the program was executed, or leaves nothing behind. A process is named by
//! pid, start time and boot id together, so that a pid that was given anew is never taken for it. A
//! zombie is dead. `find` finds a process by the claim it bears even if we died right after `launch`
//! began. `clear` leaves neither process nor cgroup of the claim. Nothing but `signal`, `kill` and
//! `clear` ends a process; dropping a handle does not.

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
    /// Descriptors it inherits, each under this number (3 and up); all others are closed.
    pub fds: Vec<(OwnedFd, i32)>,
    /// Where its standard output and error go; appended.
    pub log: PathBuf,
    /// The folder it starts in.
    pub dir: PathBuf,
    /// How it is confined.
    pub confinement: Confinement,
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
    /// Please end.
    Terminate,
    /// End.
    Kill,
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
    /// Starts one.
    async fn launch(&self, command: Command) -> Result<Alive, Fault>;
    /// Whether this very process lives. A zombie does not.
    fn lives(&self, alive: &Alive) -> bool;
    /// Living processes that bear a claim of ours, whoever started them.
    async fn find(&self) -> Result<Vec<(ClaimId, Alive)>, Fault>;
    /// Waits until it has ended.
    async fn ended(&self, alive: &Alive) -> Ending;
    /// Sends a signal; a process that is gone is no error.
    async fn signal(&self, alive: &Alive, signal: Signal) -> Result<(), Fault>;
    /// Kills it and waits until it is gone.
    async fn kill(&self, alive: &Alive) -> Result<Ending, Fault>;
    /// Kills whatever bears this claim and removes its cgroup; absence is success.
    async fn clear(&self, claim: ClaimId) -> Result<(), Fault>;
    /// Claims that have a cgroup here, with or without processes in it.
    async fn confined(&self) -> Result<Vec<ClaimId>, Fault>;
}
