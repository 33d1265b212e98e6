//! Verbs on VMs that exist: boot, shutdown, pause, resume, reboot, delete. Several VMs are asked at once;
//! each refusal is told, and none keeps the others from being done.

use super::outcome::{Wanted, is, ran, show};
use super::{BRIEF, LONG, USUAL};
use crate::Error;
use crate::args::terms::WaitArgs;
use crate::args::vm::{NamesArgs, StopArgs};
use crate::desk::{Desk, Services, Shape};
use crate::progress::{Waited, wait};
use futures::{StreamExt, stream};
use std::time::Duration;
use weft_domain::instance::{ExitCause, StopHow};
use weft_domain::{Fault, Kind, Phase};
use weft_ports::api::{Call, Removal, Vm, VmRef};

/// So many VMs are asked at once.
const AT_ONCE: usize = 8;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Run it.
    Boot,
    /// Stop it.
    Shutdown(StopHow),
    /// Hold it.
    Pause,
    /// Let it go on.
    Resume,
    /// Start the guest anew.
    Reboot(StopHow),
    /// Remove it.
    Delete {
        /// Even while it runs.
        force: bool,
        /// Absence is success.
        allow_missing: bool,
    },
}

/// Whether the caller minds that it is not so yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patience {
    Waits,
    None,
}

/// What there is after an act.
enum After {
    /// The VM.
    Is(Box<Vm>),
    /// It is gone, and was this.
    Gone(Box<Vm>),
    /// It was not there.
    Absent,
}

impl Act {
    const fn wanted(self) -> Wanted {
        match self {
            Self::Boot | Self::Resume => Wanted::Running,
            Self::Shutdown(_) => Wanted::Stopped,
            Self::Pause => Wanted::Paused,
            Self::Reboot(_) => Wanted::Rebooted,
            Self::Delete { .. } => Wanted::Gone,
        }
    }

    const fn doing(self) -> &'static str {
        match self {
            Self::Boot => "booting",
            Self::Shutdown(_) => "stopping",
            Self::Pause => "pausing",
            Self::Resume => "resuming",
            Self::Reboot(_) => "rebooting",
            Self::Delete { .. } => "deleting",
        }
    }

    fn usual(self) -> Duration {
        match self {
            Self::Boot => LONG,
            // The guest's own time comes first.
            Self::Shutdown(StopHow::Graceful { timeout }) | Self::Reboot(StopHow::Graceful { timeout }) => {
                USUAL + timeout
            }
            Self::Shutdown(StopHow::Force)
            | Self::Reboot(StopHow::Force)
            | Self::Pause
            | Self::Resume
            | Self::Delete { .. } => USUAL,
        }
    }
}

/// How a guest is stopped, as the caller said.
pub(crate) const fn how(args: &StopArgs) -> StopHow {
    if args.force { StopHow::Force } else { StopHow::Graceful { timeout: args.grace } }
}

/// Does this to these VMs.
pub(crate) async fn act(desk: &mut Desk, names: NamesArgs, terms: WaitArgs, act: Act) -> Result<(), Error> {
    let vms = names.vms.iter().map(|word| desk.vm(word)).collect::<Result<Vec<_>, _>>()?;
    if terms.request_id.is_some() && vms.len() > 1 {
        return Err(Error::Usage {
            message: "--request-id is for one VM, and several are named".to_owned(),
            fix: "name one VM, or leave --request-id out".to_owned(),
        });
    }
    let usual = if terms.no_wait { BRIEF } else { act.usual() };
    let call = Call { request_id: terms.request_id.clone(), ..desk.call(Some(usual)) };
    let waited = Waited {
        title: match names.vms.as_slice() {
            [one] => format!("{} {one}", act.doing()),
            many => format!("{} {} VMs", act.doing(), many.len()),
        },
        vm: if let [one] = vms.as_slice() { Some(one.clone()) } else { None },
        follow: format!("weft vm watch {}", if let [one] = names.vms.as_slice() { one } else { "" }).trim().to_owned(),
    };
    let services = desk.services.clone();
    let all = stream::iter(vms).map(|vm| one(services.clone(), call.clone(), vm, act)).buffered(AT_ONCE);
    let answers = wait(desk, waited, async { Ok(all.collect::<Vec<_>>().await) }).await?;
    let patience = if terms.no_wait { Patience::None } else { Patience::Waits };
    tell(desk, &names.vms, answers, (act, patience))
}

async fn one(services: Services, call: Call, vm: VmRef, act: Act) -> Result<After, Fault> {
    let power = &services.power;
    let vm = match act {
        Act::Boot => power.boot(&call, &vm).await?,
        Act::Shutdown(how) => power.shutdown(&call, &vm, how).await?,
        Act::Pause => power.pause(&call, &vm).await?,
        Act::Resume => power.resume(&call, &vm).await?,
        Act::Reboot(how) => power.reboot(&call, &vm, how).await?,
        Act::Delete { force, allow_missing } => {
            let removal = Removal { vm, etag: None, force, allow_missing };
            return removed(&services, &call, removal).await;
        }
    };
    Ok(After::Is(Box::new(vm)))
}

/// A delete that ran out of time answers a VM that is still there: look again to tell which it was.
async fn removed(services: &Services, call: &Call, removal: Removal) -> Result<After, Fault> {
    let Some(was) = services.vms.delete(call, removal).await? else { return Ok(After::Absent) };
    let look = Call { request_id: None, timeout: Some(USUAL), ..call.clone() };
    match services.vms.get(&look, &VmRef::Id(was.value.meta.id)).await {
        Ok(vm) if vm.value.status.phase == Phase::Deleting => Ok(After::Is(Box::new(vm))),
        Err(fault) if fault.kind() != Kind::NotFound => Err(fault),
        Ok(_) | Err(_) => Ok(After::Gone(Box::new(was))),
    }
}

fn tell(
    desk: &mut Desk,
    names: &[String],
    answers: Vec<Result<After, Fault>>,
    (act, patience): (Act, Patience),
) -> Result<(), Error> {
    let (mut done, mut errors) = (Vec::new(), Vec::new());
    for (name, answer) in names.iter().zip(answers) {
        match answer {
            Ok(After::Is(vm)) => match (act.wanted().judge(&vm.value), patience) {
                (Err(error), Patience::Waits) => errors.push(error),
                (Err(_), Patience::None) if act.wanted() == Wanted::Gone => {
                    desk.remark(&format!("VM {name} is being deleted"));
                }
                (Ok(()), _) | (Err(_), Patience::None) => {
                    notice(desk, &vm, act);
                    done.push(*vm);
                }
            },
            Ok(After::Gone(vm)) => done.push(*vm),
            Ok(After::Absent) => desk.remark(&format!("VM {name} is not there")),
            Err(mut fault) => {
                // Of several, which it was must be told.
                if names.len() > 1 && !fault.message.contains(name.as_str()) {
                    fault.message = format!("{name}: {}", fault.message);
                }
                errors.push(fault.into());
            }
        }
    }
    let shape = Shape::of(names.len());
    if act.wanted() == Wanted::Gone {
        show(desk, &done, shape, |vm| format!("VM {} is gone", vm.meta.name))?;
    } else {
        let is = is(desk);
        show(desk, &done, shape, is)?;
    }
    if names.len() == 1 {
        return errors.pop().map_or(Ok(()), Err);
    }
    let first = errors.first().map(Error::exit);
    for error in &errors {
        desk.complain(error);
    }
    first.map_or(Ok(()), |exit| Err(Error::Several { failed: errors.len(), all: names.len(), exit }))
}

/// What a person may wonder about although the verb was done.
fn notice(desk: &mut Desk, vm: &Vm, act: Act) {
    let vm = &vm.value;
    let name = &vm.meta.name;
    let forced = vm.status.last_exit.as_ref().is_some_and(|exit| exit.cause == ExitCause::Forced);
    match act {
        Act::Boot if ran(vm) => desk.remark(&format!("the guest of {name} has powered itself off already")),
        Act::Boot => desk.hint(&format!("its console: weft vm console {name}")),
        Act::Shutdown(StopHow::Graceful { timeout }) if forced => {
            let span = crate::show::units::age(timeout);
            desk.remark(&format!("the guest of {name} did not stop within {span} and was ended"));
        }
        Act::Shutdown(_) | Act::Pause | Act::Resume | Act::Reboot(_) | Act::Delete { .. } => {}
    }
}
