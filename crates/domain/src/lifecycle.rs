//! The life of an instance as one total function.
//!
//! ```text
//!  PENDING → CREATING → CREATED → STARTING → RUNNING ⇄ PAUSED → STOPPING → STOPPED
//!                          ↑___________________________________________________|  boot
//!  any → FAILED (boot tries again) · any placed → LOST (a report finds it) · any → DELETING → gone
//! ```
//!
//! Verbs come from callers and may be refused; sights come from the node and never are: one that
//! says nothing new leaves the phase as it is. What must follow is told as [`Action`]s.

use std::fmt;

/// Where an instance is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// Accepted, not yet taken up by a node.
    Pending,
    /// The node makes its disks and folders.
    Creating,
    /// Made, never booted.
    Created,
    /// A VMM is being started, or waits for its next try.
    Starting,
    /// The VMM reports that the virtual CPUs run.
    Running,
    /// The virtual CPUs are held.
    Paused,
    /// The guest was asked to stop, or its VMM is being ended.
    Stopping,
    /// It does not run, as was asked or as the guest chose.
    Stopped,
    /// It moves to another node.
    Migrating,
    /// It does not run and should; the status says why.
    Failed,
    /// Its node is out of reach: nothing is known, nothing assumed.
    Lost,
    /// It is being removed.
    Deleting,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 12] = [
        Self::Pending,
        Self::Creating,
        Self::Created,
        Self::Starting,
        Self::Running,
        Self::Paused,
        Self::Stopping,
        Self::Stopped,
        Self::Migrating,
        Self::Failed,
        Self::Lost,
        Self::Deleting,
    ];

    /// Its name, as people write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Creating => "CREATING",
            Self::Created => "CREATED",
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Paused => "PAUSED",
            Self::Stopping => "STOPPING",
            Self::Stopped => "STOPPED",
            Self::Migrating => "MIGRATING",
            Self::Failed => "FAILED",
            Self::Lost => "LOST",
            Self::Deleting => "DELETING",
        }
    }

    /// The phase of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.as_str() == text)
    }

    /// Whether the specification may change: nothing runs that was made from it.
    #[must_use]
    pub const fn at_rest(self) -> bool {
        match self {
            Self::Created | Self::Stopped | Self::Failed => true,
            Self::Pending
            | Self::Creating
            | Self::Starting
            | Self::Running
            | Self::Paused
            | Self::Stopping
            | Self::Migrating
            | Self::Lost
            | Self::Deleting => false,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a caller asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Run it.
    Boot,
    /// Stop it.
    Shutdown,
    /// Hold its virtual CPUs.
    Pause,
    /// Let them go on.
    Resume,
    /// Start the guest anew.
    Reboot,
    /// Remove it, if it does not run.
    Delete,
    /// Remove it, whatever it does.
    DeleteForce,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 7] =
        [Self::Boot, Self::Shutdown, Self::Pause, Self::Resume, Self::Reboot, Self::Delete, Self::DeleteForce];

    /// Its name in a sentence.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Boot => "boot",
            Self::Shutdown => "shutdown",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Reboot => "reboot",
            Self::Delete | Self::DeleteForce => "delete",
        }
    }
}

/// What the node saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sight {
    /// It makes disks and folders.
    Preparing,
    /// They are made.
    Prepared,
    /// A VMM is being started.
    Starting,
    /// The virtual CPUs run.
    Running,
    /// They are held.
    Paused,
    /// It ended as was asked, or by the guest's own power-off.
    Stopped,
    /// It ended otherwise, or could not begin.
    Failed,
    /// It ended and will be started again by its restart policy.
    Waiting,
    /// Nothing of it is left on the node.
    Released,
    /// The node is out of reach.
    NodeLost,
}

impl Sight {
    /// Every sight.
    pub const ALL: [Self; 10] = [
        Self::Preparing,
        Self::Prepared,
        Self::Starting,
        Self::Running,
        Self::Paused,
        Self::Stopped,
        Self::Failed,
        Self::Waiting,
        Self::Released,
        Self::NodeLost,
    ];
}

/// What happens to an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// A caller asks.
    Asked(Verb),
    /// The node saw.
    Saw(Sight),
}

/// What must follow a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Desire that it runs.
    PowerOn,
    /// Desire that it does not run.
    PowerOff,
    /// Desire that it is held.
    Hold,
    /// Count a new boot: an exit of an older one no longer matters.
    CountBoot,
    /// Count a new reboot.
    CountReboot,
    /// Desire that nothing of it is left.
    MarkDeleted,
    /// Drop the record: nothing of it is left.
    Forget,
}

/// A verb that is not lawful now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot {} a VM that is {phase}", verb.as_str())]
pub struct Refused {
    /// The verb.
    pub verb: Verb,
    /// The phase that forbids it.
    pub phase: Phase,
}

impl Refused {
    /// What would help.
    #[must_use]
    pub const fn fix(&self) -> &'static str {
        match (self.verb, self.phase) {
            (Verb::Delete, _) => "shut it down first, or delete with force",
            (_, Phase::Pending | Phase::Creating) => "wait until it is CREATED",
            (_, Phase::Deleting) => "it is being deleted; create another",
            (_, Phase::Lost) => "its node is out of reach; wait until the node is back",
            (_, Phase::Migrating) => "wait until the migration has ended",
            (Verb::Boot, Phase::Paused) => "resume it",
            (Verb::Boot, Phase::Stopping) => "wait until it is STOPPED, then boot it",
            (Verb::Shutdown, Phase::Failed) => "it does not run; boot it, or delete it",
            (Verb::Reboot | Verb::Pause, Phase::Paused) => "resume it first",
            (Verb::Pause | Verb::Reboot, Phase::Starting) => "wait until it is RUNNING",
            (Verb::Resume, Phase::Starting) => "it will run by itself; wait until it is RUNNING",
            _ => "boot it first",
        }
    }
}

/// The phase that follows, and what must be done for it.
pub type Move = (Phase, Vec<Action>);

/// The one function of an instance's life.
///
/// # Errors
/// A verb that is not lawful in this phase. A sight is never refused.
///
/// # Laws
/// Total. A verb twice is as good as once. A sight never changes what is desired. Nothing but
/// [`Sight::Released`] leaves [`Phase::Deleting`], and only by [`Action::Forget`].
pub fn next(phase: Phase, event: Event) -> Result<Move, Refused> {
    match event {
        Event::Asked(verb) => asked(phase, verb),
        Event::Saw(sight) => Ok(saw(phase, sight)),
    }
}

fn asked(phase: Phase, verb: Verb) -> Result<Move, Refused> {
    use Phase as P;
    let refused = Err(Refused { verb, phase });
    let stay = |actions: &[Action]| Ok((phase, actions.to_vec()));
    let go = |to: Phase, actions: &[Action]| Ok((to, actions.to_vec()));
    match (verb, phase) {
        (Verb::Boot, P::Created | P::Stopped | P::Failed) => go(P::Starting, &[Action::PowerOn, Action::CountBoot]),
        (Verb::Boot, P::Starting | P::Running) => stay(&[]),
        (Verb::Boot, P::Pending | P::Creating | P::Paused | P::Stopping | P::Migrating | P::Lost | P::Deleting) => {
            refused
        }

        (Verb::Shutdown, P::Running | P::Paused | P::Starting) => go(P::Stopping, &[Action::PowerOff]),
        (Verb::Shutdown, P::Stopping | P::Stopped | P::Created) => stay(&[Action::PowerOff]),
        (Verb::Shutdown, P::Pending | P::Creating | P::Migrating | P::Failed | P::Lost | P::Deleting) => refused,

        (Verb::Pause, P::Running | P::Paused) => stay(&[Action::Hold]),
        (Verb::Resume, P::Running | P::Paused) => stay(&[Action::PowerOn]),
        (Verb::Reboot, P::Running) => stay(&[Action::CountReboot]),
        (
            Verb::Pause | Verb::Resume | Verb::Reboot,
            P::Pending
            | P::Creating
            | P::Created
            | P::Starting
            | P::Stopping
            | P::Stopped
            | P::Migrating
            | P::Failed
            | P::Lost
            | P::Deleting,
        )
        | (Verb::Reboot, P::Paused) => refused,

        (Verb::Delete, P::Running | P::Paused) => refused,
        (Verb::Delete | Verb::DeleteForce, P::Deleting) => stay(&[]),
        (
            Verb::Delete | Verb::DeleteForce,
            P::Pending
            | P::Creating
            | P::Created
            | P::Starting
            | P::Stopping
            | P::Stopped
            | P::Migrating
            | P::Failed
            | P::Lost,
        )
        | (Verb::DeleteForce, P::Running | P::Paused) => go(P::Deleting, &[Action::PowerOff, Action::MarkDeleted]),
    }
}

fn saw(phase: Phase, sight: Sight) -> Move {
    use Phase as P;
    let to = match (sight, phase) {
        (Sight::Released, P::Deleting) => return (P::Deleting, vec![Action::Forget]),
        (_, P::Deleting) | (Sight::Released, _) => phase,

        (Sight::NodeLost, P::Pending) => P::Pending,
        (Sight::NodeLost, _) => P::Lost,

        (Sight::Preparing, P::Pending | P::Creating) => P::Creating,
        (Sight::Prepared, P::Pending | P::Creating) => P::Created,
        // A preparation that failed before has now succeeded, or the node is back.
        (Sight::Prepared, P::Lost | P::Failed) => P::Created,
        (
            Sight::Preparing | Sight::Prepared,
            P::Created
            | P::Starting
            | P::Running
            | P::Paused
            | P::Stopping
            | P::Stopped
            | P::Migrating
            | P::Failed
            | P::Lost,
        ) => phase,

        // While it is being stopped, that it still runs is no news.
        (Sight::Starting | Sight::Waiting | Sight::Running | Sight::Paused, P::Stopping) => P::Stopping,
        (Sight::Starting | Sight::Waiting, _) => P::Starting,
        (Sight::Running, _) => P::Running,
        (Sight::Paused, _) => P::Paused,
        (Sight::Stopped, _) => P::Stopped,
        (Sight::Failed, _) => P::Failed,
    };
    (to, Vec::new())
}

#[cfg(test)]
mod tests;
