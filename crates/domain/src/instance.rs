//! An instance: one VM that was asked for. It outlives crashes and moves.

use crate::label::Annotations;
use crate::snapshot::Identity;
use crate::spec::{Accelerator, Machine, Spec};
use crate::{IncarnationId, InstanceId, Labels, Name, NodeId, Phase, SnapshotId, Time};
use std::net::IpAddr;
use std::time::Duration;

/// One VM that was asked for: what was asked, what was decided, what was observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Who it is.
    pub meta: Meta,
    /// What was asked.
    pub spec: Spec,
    /// Whether it should run, and how it should stop.
    pub desired: Desired,
    /// Where it was put.
    pub placement: Option<Placement>,
    /// What was observed.
    pub status: Status,
}

/// Who a resource is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Its id.
    pub id: InstanceId,
    /// Its name, unique in the project.
    pub name: Name,
    /// The project that owns it.
    pub project: Name,
    /// What it is selected by.
    pub labels: Labels,
    /// Text that weft keeps and never reads.
    pub annotations: Annotations,
    /// Counts changes of the specification, from 1.
    pub generation: u64,
    /// When it was created.
    pub create_time: Time,
    /// When its specification, labels or desired state last changed.
    pub update_time: Time,
    /// When it was asked to be deleted.
    pub delete_time: Option<Time>,
}

/// The desired state, level-triggered: a reader needs no history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Desired {
    /// Whether it should run.
    pub power: Power,
    /// Counts boots that were asked; an exit carries the one that it ended.
    pub boot_epoch: u64,
    /// Counts reboots that were asked.
    pub reboot_epoch: u64,
    /// How the last asked reboot is done.
    pub reboot: StopHow,
    /// How it stops when it should not run.
    pub stop: StopHow,
    /// Nothing of it should be left.
    pub deleted: bool,
    /// The snapshot that the boot of this number begins from; other boots begin anew.
    pub origin: Option<Origin>,
}

/// What a boot begins from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The boot.
    pub boot_epoch: u64,
    /// The snapshot.
    pub snapshot: SnapshotId,
    /// Whether it is the same VM after it.
    pub identity: Identity,
}

impl Desired {
    /// What the boot that is asked now begins from.
    #[must_use]
    pub fn origin(&self) -> Option<Origin> {
        self.origin.filter(|origin| origin.boot_epoch == self.boot_epoch)
    }
}

impl Default for Desired {
    fn default() -> Self {
        Self {
            power: Power::Off,
            boot_epoch: 0,
            reboot_epoch: 0,
            reboot: StopHow::Force,
            stop: StopHow::Force,
            deleted: false,
            origin: None,
        }
    }
}

/// Whether an instance should run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Power {
    /// It should not run.
    Off,
    /// It should run.
    On,
    /// It should be held.
    Paused,
}

/// How a guest is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StopHow {
    /// The guest is asked and given this long; then its VMM is ended.
    Graceful {
        /// How long the guest is given.
        timeout: Duration,
    },
    /// Its VMM is ended.
    Force,
}

/// Where an instance was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// The node.
    pub node: NodeId,
    /// Counts placements; a node refuses an older one.
    pub generation: u64,
}

/// What was observed of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Where it is in its life.
    pub phase: Phase,
    /// The generation of the specification that this was observed for.
    pub observed_generation: u64,
    /// Further observations, one per type.
    pub conditions: Vec<Condition>,
    /// The process that runs it.
    pub running: Option<Running>,
    /// How the last process ended.
    pub last_exit: Option<Exit>,
    /// How often its restart policy has started it since it was last asked to boot.
    pub restarts: u32,
    /// The guest's addresses.
    pub addresses: Vec<IpAddr>,
    /// Fields of the specification that the running machine does not have and takes up with its next
    /// boot: `vm.spec.cpu`.
    pub restart_required: Vec<String>,
}

impl Status {
    /// The status of an instance that nobody has seen yet.
    #[must_use]
    pub const fn unseen() -> Self {
        Self {
            phase: Phase::Pending,
            observed_generation: 0,
            conditions: Vec::new(),
            running: None,
            last_exit: None,
            restarts: 0,
            addresses: Vec::new(),
            restart_required: Vec::new(),
        }
    }
}

/// One observation that is true, false or unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What is observed, in upper camel case: `Ready`, `Confined`, `ImagePrepared`.
    pub kind: String,
    /// Whether it is so; `None` where it is not known.
    pub holds: Option<bool>,
    /// One word for machines, in upper camel case.
    pub reason: String,
    /// One sentence for people.
    pub message: String,
    /// When it last changed.
    pub since: Time,
}

/// The process that runs an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Its incarnation.
    pub incarnation: IncarnationId,
    /// Its process id on the node.
    pub pid: u32,
    /// The boot that it serves.
    pub boot_epoch: u64,
    /// The last reboot that it has done.
    pub reboot_epoch: u64,
    /// When it was started.
    pub start_time: Time,
    /// The driver that runs it, with its version: `qemu 7.2.22`.
    pub driver: String,
    /// The machine model that was chosen.
    pub machine: Machine,
    /// What executes guest code.
    pub accelerator: Accelerator,
    /// The user that it is jailed as; `None` where it is not jailed.
    pub jail: Option<u32>,
    /// Generation of the specification that it has taken up, as far as it can while it runs.
    pub applied_generation: u64,
    /// How often its guest has reset itself.
    pub resets: u64,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// The boot that it ended.
    pub boot_epoch: u64,
    /// The last reboot that it had done.
    pub reboot_epoch: u64,
    /// When.
    pub at: Time,
    /// Why.
    pub cause: ExitCause,
    /// One sentence for people.
    pub message: String,
    /// The last lines of the VMM's own log, oldest first.
    pub log_tail: Vec<String>,
    /// The last lines of the guest's console, oldest first.
    pub console_tail: Vec<String>,
}

/// Why a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ExitCause {
    /// The guest powered itself off, unasked.
    GuestPoweroff,
    /// It was asked to stop, and the guest did.
    Shutdown,
    /// It was ended by force, as was asked or after the guest's time was up.
    Forced,
    /// The guest's kernel panicked.
    GuestPanic,
    /// The guest reset itself where the machine ends on a reset.
    GuestReset,
    /// The VMM ended by itself with an error, or was killed by something else.
    VmmDied,
    /// The kernel killed the VMM for memory.
    OutOfMemory,
    /// The VMM could not be started.
    LaunchFailed,
    /// The host was restarted.
    HostRestarted,
}

impl ExitCause {
    /// Every cause.
    pub const ALL: [Self; 9] = [
        Self::GuestPoweroff,
        Self::Shutdown,
        Self::Forced,
        Self::GuestPanic,
        Self::GuestReset,
        Self::VmmDied,
        Self::OutOfMemory,
        Self::LaunchFailed,
        Self::HostRestarted,
    ];

    /// Whether it counts as a failure: not asked by a caller, not chosen by the guest.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        match self {
            Self::GuestPoweroff | Self::Shutdown | Self::Forced => false,
            Self::GuestPanic
            | Self::GuestReset
            | Self::VmmDied
            | Self::OutOfMemory
            | Self::LaunchFailed
            | Self::HostRestarted => true,
        }
    }

    /// Its name, in upper camel case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GuestPoweroff => "GuestPoweroff",
            Self::Shutdown => "Shutdown",
            Self::Forced => "Forced",
            Self::GuestPanic => "GuestPanic",
            Self::GuestReset => "GuestReset",
            Self::VmmDied => "VmmDied",
            Self::OutOfMemory => "OutOfMemory",
            Self::LaunchFailed => "LaunchFailed",
            Self::HostRestarted => "HostRestarted",
        }
    }
}

/// An instance for tests: in this phase, desired so, and nothing else said of it.
#[cfg(test)]
pub(crate) fn sample(phase: Phase, power: Power, boot_epoch: u64) -> Instance {
    let now = Time::from_millis(1);
    let mut status = Status::unseen();
    status.phase = phase;
    Instance {
        meta: Meta {
            id: InstanceId::new(now, [1; 10]),
            name: "a".parse().expect("a name"),
            project: Name::default_project(),
            labels: Labels::default(),
            annotations: Annotations::default(),
            generation: 1,
            create_time: now,
            update_time: now,
            delete_time: None,
        },
        spec: crate::spec::Draft::default().check().expect("the default is lawful"),
        desired: Desired { power, boot_epoch, ..Desired::default() },
        placement: None,
        status,
    }
}
