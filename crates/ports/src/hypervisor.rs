//! One VMM or estate, and the machines that it runs.
//!
//! ```text
//!  agent ── launch(Order) ──► Hypervisor ──► Box<dyn Machine> ── pause, resume, …
//!                                              │
//!        ◄──────────── state() watch ──────────┘   Running | Held | Ended(End)
//! ```
//!
//! A process is launched under a claim that the agent made before, survives the agent, and is
//! adopted by the next agent from what the claim says.

pub mod conformance;
pub mod fake;

use crate::processes::{Alive, Confinement};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use weft_domain::capability::Capabilities;
use weft_domain::snapshot::{Content, Identity, Role, Scope};
use weft_domain::spec::change::Change;
use weft_domain::spec::{Accelerator, DiskFormat, Machine as Model, Spec};
use weft_domain::{ClaimId, Fault, IncarnationId, InstanceId, Name, Reason, Time};

/// What is to be launched; every path was made or vetted before.
#[derive(Debug, Clone)]
pub struct Order {
    /// The claim that the process bears.
    pub claim: ClaimId,
    /// The instance.
    pub instance: InstanceId,
    /// Its name.
    pub name: Name,
    /// The new incarnation.
    pub incarnation: IncarnationId,
    /// What was asked.
    pub spec: Arc<Spec>,
    /// What boots, resolved.
    pub boot: Boot,
    /// Disks in the order of the specification, resolved.
    pub disks: Vec<Backing>,
    /// An empty folder of the incarnation for sockets; its path is short.
    pub run_dir: PathBuf,
    /// Where the serial console is logged, appended from byte 0 of the instance.
    pub console_log: PathBuf,
    /// Where the VMM's own words go, anew for each incarnation.
    pub vmm_log: PathBuf,
    /// How the process is confined.
    pub confinement: Confinement,
    /// Whom it is jailed as; `None` where it is not jailed.
    pub ward: Option<Ward>,
    /// What the machine begins from.
    pub origin: Origin,
}

/// The user that a jailed process runs as; nobody else on the node has these ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ward {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

/// What a machine begins from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Its guest boots.
    Boot,
    /// A snapshot: its guest goes on from there. Its disks have been laid out already.
    Snapshot(Restore),
    /// Another machine, which sends itself here over a Unix socket that this one listens on.
    Incoming(PathBuf),
}

/// A snapshot that a machine begins from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restore {
    /// Its folder, which is only read and stays as it is while the machine lives.
    pub folder: PathBuf,
    /// What is in it.
    pub content: Content,
    /// The specification of the machine that it was taken of.
    pub spec: Arc<Spec>,
    /// Whether it is the same machine after it.
    pub identity: Identity,
}

/// What boots, resolved to files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Boot {
    /// A kernel.
    Kernel {
        /// The kernel.
        kernel: PathBuf,
        /// The initial RAM file system.
        initramfs: Option<PathBuf>,
        /// The whole command line.
        cmdline: String,
    },
    /// Firmware.
    Firmware {
        /// The firmware.
        firmware: PathBuf,
    },
}

/// A disk, resolved to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backing {
    /// The file or block device.
    pub path: PathBuf,
    /// How its bytes are laid out.
    pub format: DiskFormat,
}

/// What must be known to find a machine again: what the order said, and the process.
#[derive(Debug, Clone)]
pub struct Adoption {
    /// The instance.
    pub instance: InstanceId,
    /// The incarnation.
    pub incarnation: IncarnationId,
    /// The process as it was found alive.
    pub alive: Alive,
    /// What the machine was when it was launched.
    pub chosen: Chosen,
    /// Its folder.
    pub run_dir: PathBuf,
    /// Where the VMM's own words go.
    pub vmm_log: PathBuf,
    /// What the machine has become since it was launched.
    pub spec: Arc<Spec>,
    /// Whom it is jailed as.
    pub ward: Option<Ward>,
}

/// What the driver chose where it was free to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The driver with its version: `qemu 7.2.22`.
    pub driver: String,
    /// The machine model.
    pub machine: Model,
    /// What executes guest code.
    pub accelerator: Accelerator,
}

/// The state of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The virtual CPUs run.
    Running,
    /// They are held.
    Held,
    /// The process has ended, or its guest has, and it waits to be buried.
    Ended(End),
}

/// How a machine ended, as the driver saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The way.
    pub way: Way,
    /// When.
    pub at: Time,
    /// One sentence for people, with exit code or signal where known.
    pub message: String,
    /// The last lines of the VMM's own log, oldest first.
    pub log_tail: Vec<String>,
}

/// The ways in which a machine ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// The guest powered off.
    Poweroff,
    /// The guest reset itself where the machine ends on a reset.
    Reset,
    /// The guest's kernel panicked.
    Panic,
    /// We ended it.
    Killed,
    /// The VMM ended by itself with an error, or something else killed it.
    Died,
    /// It is gone, and nobody saw how: its driver was not its parent, and the VMM left no word.
    Gone,
    /// The kernel killed it for memory.
    OutOfMemory,
    /// It went on elsewhere.
    Moved,
}

/// A guest's address that the driver knows of, such as that of a user-mode network.
pub type Address = std::net::IpAddr;

/// Both ways of a console.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// One VMM on this node, or one estate.
///
/// # Laws
/// `launch` answers when the virtual CPUs run, or leaves no process behind. It never touches what the
/// order does not name. `adopt` never starts, ends or changes a machine, and takes up none whose launch was
/// broken off before its virtual CPUs ran.
#[async_trait::async_trait]
pub trait Hypervisor: Send + Sync {
    /// What it can do, probed once.
    fn capabilities(&self) -> Arc<Capabilities>;
    /// The machine model and accelerator that it would choose.
    fn choose(&self, spec: &Spec) -> Chosen;
    /// Starts a machine.
    ///
    /// # Errors
    /// `LaunchFailed` with the VMM's own last words.
    async fn launch(&self, order: Order) -> Result<Box<dyn Machine>, Fault>;
    /// Takes up a machine that a former agent launched.
    ///
    /// # Errors
    /// `VmmSilent` where the process lives and does not answer; `LaunchFailed` where its launch was broken
    /// off: what is left of it is no machine.
    async fn adopt(&self, adoption: Adoption) -> Result<Box<dyn Machine>, Fault>;
}

/// One change of a running machine, with what it needs resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alteration {
    /// The change.
    pub change: Change,
    /// The file behind a disk that is plugged or swapped.
    pub backing: Option<Backing>,
}

/// Where a snapshot is put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    /// A folder of ours, which only we can enter and where nothing of a snapshot is yet. No other snapshot's has this path, and what is kept
    /// inside disks is found again by it.
    pub folder: PathBuf,
    /// What is kept: never [`Scope::Disks`], which needs no VMM.
    pub scope: Scope,
}

/// Counters of a machine since it was launched, by device and name, as its VMM counts them.
pub type Counters = BTreeMap<String, BTreeMap<String, u64>>;

/// What can be done with a machine beside its life.
///
/// # Laws
/// What the driver's [`Capabilities`] do not name answers `VerbUnsupported`, and changes nothing.
#[async_trait::async_trait]
pub trait Body: Send + Sync {
    /// Gives the machine one change; answers when it has it. Lawful while running or held. A machine
    /// that has it already stays as it is; one that refuses stays as it was.
    ///
    /// # Errors
    /// `ChangeRefused` with the VMM's words, where the guest does not let a device go as well.
    async fn alter(&self, alteration: &Alteration) -> Result<(), Fault>;
    /// Keeps memory and devices; answers the parts without their sums. Lawful while held, and it stays
    /// so. A snapshot that fails leaves the machine as it was.
    ///
    /// # Errors
    /// `SnapshotFailed` with the VMM's words.
    async fn keep(&self, keep: &Keep) -> Result<Vec<(Role, String)>, Fault>;
    /// Takes away what was kept inside its disks for the snapshot of this folder; absence is success. Lawful
    /// while running or held.
    ///
    /// # Errors
    /// `SnapshotFailed` with the VMM's words.
    async fn forget(&self, folder: &Path) -> Result<(), Fault> {
        let why = format!("nothing was kept inside a disk for {}: this driver cannot", folder.display());
        Err(Fault::new(Reason::VerbUnsupported, why))
    }
    /// Sends the machine to one that was launched from [`Origin::Incoming`] on this socket. After it
    /// this one has ended by [`Way::Moved`] and that one runs, or this one goes on.
    ///
    /// # Errors
    /// `MigrationFailed` with the VMM's words.
    async fn send(&self, socket: &Path) -> Result<(), Fault>;
    /// Counters of its devices.
    async fn counters(&self) -> Result<Counters, Fault>;
    /// Interrupts the guest in a way that it cannot mask.
    async fn nmi(&self) -> Result<(), Fault>;
    /// Answers when the guest's own agent has answered. Lawful while running.
    ///
    /// # Errors
    /// `VmmSilent` where it does not yet.
    async fn greet_agent(&self) -> Result<(), Fault>;
}

/// A machine with one owner.
///
/// # Laws
/// Every verb is idempotent and bounded in time. After [`State::Ended`] the state does not change, and
/// verbs other than `bury` and `kill` answer `FailedPrecondition`. Dropping a machine leaves the process
/// as it is.
#[async_trait::async_trait]
pub trait Machine: Body {
    /// Its process.
    fn alive(&self) -> Alive;
    /// What the driver chose.
    fn chosen(&self) -> Chosen;
    /// Its state, and every change of it.
    fn state(&self) -> watch::Receiver<State>;
    /// Counts resets of the guest that did not end the machine.
    fn resets(&self) -> watch::Receiver<u64>;
    /// Addresses of the guest that the VMM itself gives out.
    fn addresses(&self) -> Vec<Address>;
    /// Holds the virtual CPUs. Lawful while running.
    async fn pause(&self) -> Result<(), Fault>;
    /// Lets them go on. Lawful while held.
    async fn resume(&self) -> Result<(), Fault>;
    /// Asks the guest to power off; answers when the guest was asked.
    async fn ask_to_stop(&self) -> Result<(), Fault>;
    /// Resets the guest in place.
    async fn reset(&self) -> Result<(), Fault>;
    /// Ends the process; answers when it has ended.
    async fn kill(&self) -> Result<(), Fault>;
    /// Opens the serial console. The caller must read all that comes.
    async fn console(&self) -> Result<Box<dyn Duplex>, Fault>;
    /// After the end: makes sure that no process is left and takes away its sockets.
    async fn bury(&self) -> Result<(), Fault>;
}
