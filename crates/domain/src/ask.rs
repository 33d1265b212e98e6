//! What a verb makes of an instance: the moves of [`lifecycle`](crate::lifecycle) written into it.
//!
//! The instance comes in as it is and goes out as it is desired to be; an equal one means that there
//! is nothing left to commit. A verb that asks again for what is under way never weakens it.

use crate::instance::{Desired, Power, StopHow};
use crate::lifecycle::{Action, Event, Refused, Verb, next};
use crate::{Instance, Phase, Time};

/// What a caller asks, with how it is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ask {
    /// Run it.
    Boot,
    /// Stop it so.
    Shutdown(StopHow),
    /// Hold it.
    Pause,
    /// Let it go on.
    Resume,
    /// Start the guest anew, stopping it so.
    Reboot(StopHow),
    /// Remove it, if it does not run.
    Delete,
    /// Remove it, whatever it does.
    DeleteForce,
}

impl Ask {
    /// The verb.
    #[must_use]
    pub const fn verb(self) -> Verb {
        match self {
            Self::Boot => Verb::Boot,
            Self::Shutdown(_) => Verb::Shutdown,
            Self::Pause => Verb::Pause,
            Self::Resume => Verb::Resume,
            Self::Reboot(_) => Verb::Reboot,
            Self::Delete => Verb::Delete,
            Self::DeleteForce => Verb::DeleteForce,
        }
    }

    const fn how(self) -> StopHow {
        match self {
            Self::Shutdown(how) | Self::Reboot(how) => how,
            Self::Boot | Self::Pause | Self::Resume | Self::Delete | Self::DeleteForce => StopHow::Force,
        }
    }
}

/// The instance as it is after the ask.
///
/// # Errors
/// The verb is not lawful in the instance's phase.
///
/// # Laws
/// Asking twice is as good as asking once, until the node reports something new.
pub fn ask(instance: &Instance, ask: Ask, at: Time) -> Result<Instance, Refused> {
    let mut after = instance.clone();
    if ask == Ask::Boot && boot_is_asked(instance) {
        return Ok(after);
    }
    let (phase, actions) = next(instance.status.phase, Event::Asked(ask.verb()))?;
    for action in actions {
        apply(&mut after, action, ask, at);
    }
    after.status.phase = phase;
    if after != *instance {
        after.meta.update_time = at;
    }
    Ok(after)
}

/// It was created to run, and its node has made it but not yet begun to start it.
fn boot_is_asked(instance: &Instance) -> bool {
    let Desired { power, boot_epoch, .. } = instance.desired;
    let unserved = instance.status.last_exit.as_ref().is_none_or(|exit| exit.boot_epoch < boot_epoch);
    instance.status.phase == Phase::Created && power == Power::On && boot_epoch > 0 && unserved
}

fn apply(after: &mut Instance, action: Action, ask: Ask, at: Time) {
    let desired = &mut after.desired;
    match action {
        Action::PowerOn => desired.power = Power::On,
        Action::Hold => desired.power = Power::Paused,
        Action::PowerOff => {
            let under_way = desired.power == Power::Off;
            desired.power = Power::Off;
            match (ask, under_way, after.status.phase) {
                (Ask::DeleteForce, _, _) | (Ask::Delete, false, _) => desired.stop = StopHow::Force,
                (Ask::Shutdown(how), false, _) => desired.stop = how,
                (Ask::Shutdown(how), true, Phase::Stopping) => desired.stop = stronger(desired.stop, how),
                _ => {}
            }
        }
        Action::CountBoot => {
            desired.boot_epoch += 1;
            after.status.restarts = 0;
        }
        Action::CountReboot => {
            let done = after.status.running.as_ref().map(|running| running.reboot_epoch);
            if done.is_some_and(|done| done < desired.reboot_epoch) {
                desired.reboot = stronger(desired.reboot, ask.how());
            } else {
                desired.reboot_epoch += 1;
                desired.reboot = ask.how();
            }
        }
        Action::MarkDeleted => {
            desired.deleted = true;
            after.meta.delete_time = Some(at);
        }
        // Told of a sight only; the record goes with the commit that follows it.
        Action::Forget => {}
    }
}

fn stronger(a: StopHow, b: StopHow) -> StopHow {
    match (a, b) {
        (StopHow::Graceful { timeout: a }, StopHow::Graceful { timeout: b }) => StopHow::Graceful { timeout: a.min(b) },
        (StopHow::Force, _) | (_, StopHow::Force) => StopHow::Force,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IncarnationId;
    use crate::instance::{self, Running};
    use crate::spec::{Accelerator, Machine};
    use std::time::Duration;

    fn at(phase: Phase, power: Power) -> Instance {
        instance::sample(phase, power, 1)
    }

    fn asks() -> [Ask; 7] {
        let soft = StopHow::Graceful { timeout: Duration::from_secs(9) };
        [Ask::Boot, Ask::Shutdown(soft), Ask::Pause, Ask::Resume, Ask::Reboot(soft), Ask::Delete, Ask::DeleteForce]
    }

    #[test]
    fn asking_twice_is_asking_once() {
        let later = Time::from_millis(9);
        for phase in Phase::ALL {
            for power in [Power::Off, Power::On, Power::Paused] {
                for what in asks() {
                    // A reboot is known to be under way by the process that has not done it yet.
                    let mut before = at(phase, power);
                    before.status.running = Some(Running {
                        incarnation: IncarnationId::new(later, [2; 10]),
                        pid: 1,
                        boot_epoch: 1,
                        reboot_epoch: 0,
                        start_time: later,
                        driver: String::new(),
                        machine: Machine::Pc,
                        accelerator: Accelerator::Tcg,
                        jail: None,
                        applied_generation: 1,
                        resets: 0,
                    });
                    if let Ok(once) = ask(&before, what, later) {
                        assert_eq!(ask(&once, what, later), Ok(once), "{what:?} in {phase}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_shutdown_under_way_is_only_made_stronger() {
        let soft = |s| StopHow::Graceful { timeout: Duration::from_secs(s) };
        let now = Time::from_millis(5);
        let stopping = ask(&at(Phase::Running, Power::On), Ask::Shutdown(soft(30)), now).expect("lawful");
        assert_eq!((stopping.status.phase, stopping.desired.stop), (Phase::Stopping, soft(30)));
        let longer = ask(&stopping, Ask::Shutdown(soft(60)), now).expect("lawful");
        assert_eq!(longer, stopping);
        let forced = ask(&stopping, Ask::Shutdown(StopHow::Force), now).expect("lawful");
        assert_eq!(forced.desired.stop, StopHow::Force);
        assert_eq!(ask(&forced, Ask::Shutdown(soft(1)), now), Ok(forced));
    }

    #[test]
    fn a_boot_counts_and_forgets_old_restarts() {
        let mut failed = at(Phase::Failed, Power::On);
        failed.status.restarts = 4;
        let booted = ask(&failed, Ask::Boot, Time::from_millis(5)).expect("lawful");
        assert_eq!((booted.desired.boot_epoch, booted.status.restarts), (2, 0));
        assert_eq!(booted.status.phase, Phase::Starting);
    }

    #[test]
    fn what_was_created_to_run_is_not_booted_twice() {
        let made = at(Phase::Created, Power::On);
        assert_eq!(ask(&made, Ask::Boot, Time::from_millis(5)), Ok(made));
    }
}
