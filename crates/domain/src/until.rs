//! When a verb has reached what it asked for, told from the instance alone.
//!
//! A verb that was overtaken (the VM was deleted, booted again, resumed by somebody else) or that can
//! no longer be reached (it FAILED) is over as well: the caller gets the resource as it is.

use crate::ask::Ask;
use crate::instance::Power;
use crate::{Instance, Phase};

/// What a verb waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Until {
    /// Nothing.
    Now,
    /// It is made.
    Created,
    /// This boot runs, or has ended.
    Booted(u64),
    /// This boot has ended.
    Stopped(u64),
    /// It is held.
    Paused,
    /// It goes on.
    Resumed,
    /// This reboot is done.
    Rebooted(u64),
    /// The machine has taken up this generation of the specification as far as it can, could not, or
    /// does not run.
    Applied(u64),
    /// Nothing of it is left.
    Gone,
}

impl Until {
    /// What an ask waits for that made this of an instance.
    #[must_use]
    pub const fn of(ask: Ask, after: &Instance) -> Self {
        match ask {
            Ask::Boot => Self::Booted(after.desired.boot_epoch),
            Ask::Shutdown(_) => Self::Stopped(after.desired.boot_epoch),
            Ask::Pause => Self::Paused,
            Ask::Resume => Self::Resumed,
            Ask::Reboot(_) => Self::Rebooted(after.desired.reboot_epoch),
            Ask::Delete | Ask::DeleteForce => Self::Gone,
        }
    }

    /// What a creation of this instance waits for.
    #[must_use]
    pub const fn born(new: &Instance) -> Self {
        match new.desired.power {
            Power::Off => Self::Created,
            Power::On | Power::Paused => Self::Booted(new.desired.boot_epoch),
        }
    }

    /// Whether it is reached; `None` is an instance that is gone.
    #[must_use]
    pub fn reached(self, instance: Option<&Instance>) -> bool {
        let Some(it) = instance else { return true };
        match self {
            Self::Now => true,
            Self::Gone => false,
            Self::Created
            | Self::Booted(_)
            | Self::Stopped(_)
            | Self::Paused
            | Self::Resumed
            | Self::Rebooted(_)
            | Self::Applied(_) => it.desired.deleted || self.reached_alive(it),
        }
    }

    fn reached_alive(self, it: &Instance) -> bool {
        let (phase, desired) = (it.status.phase, &it.desired);
        let off = desired.power == Power::Off;
        match self {
            Self::Now => true,
            Self::Gone => false,
            Self::Created => !matches!(phase, Phase::Pending | Phase::Creating),
            Self::Booted(epoch) => {
                let ended = it.status.last_exit.as_ref().is_some_and(|exit| exit.boot_epoch >= epoch);
                desired.boot_epoch > epoch || off || ended || booted(it, epoch)
            }
            Self::Stopped(epoch) => desired.boot_epoch > epoch || phase.at_rest(),
            Self::Paused => phase != Phase::Running || desired.power != Power::Paused,
            Self::Resumed => phase != Phase::Paused || desired.power != Power::On,
            Self::Rebooted(epoch) => {
                let done = it.status.running.as_ref().is_some_and(|running| running.reboot_epoch >= epoch);
                // It may be down for a moment while it is rebooted; off, it will not come back.
                (matches!(phase, Phase::Running | Phase::Paused) && done) || phase == Phase::Failed || off
            }
            Self::Applied(generation) => applied(it, generation),
        }
    }
}

fn booted(it: &Instance, epoch: u64) -> bool {
    match it.status.phase {
        Phase::Running | Phase::Paused => it.status.running.as_ref().is_none_or(|running| running.boot_epoch >= epoch),
        Phase::Stopping | Phase::Stopped | Phase::Failed | Phase::Deleting => true,
        Phase::Pending | Phase::Creating | Phase::Created | Phase::Starting | Phase::Migrating | Phase::Lost => false,
    }
}

fn applied(it: &Instance, generation: u64) -> bool {
    let Some(running) = &it.status.running else { return true };
    let failed = |one: &crate::instance::Condition| one.kind == "StepSucceeded" && one.holds == Some(false);
    let tried = it.status.observed_generation >= generation && it.status.conditions.iter().any(failed);
    // What is being stopped or out of reach takes nothing up now.
    let away = matches!(it.status.phase, Phase::Lost | Phase::Stopping);
    running.applied_generation >= generation || tried || away
}

#[cfg(test)]
mod tests;
