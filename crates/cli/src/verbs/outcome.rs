//! Whether a VM got where it was asked to be, and how that is told.

use crate::Error;
use crate::args::Output;
use crate::desk::{Desk, Shape, waits_for};
use weft_domain::instance::ExitCause;
use weft_domain::{Instance, Phase};
use weft_ports::api::Vm;
use weft_ports::documents::Item;

/// Where a VM was asked to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Made.
    Created,
    /// Running.
    Running,
    /// Not running.
    Stopped,
    /// Held.
    Paused,
    /// Running, all asked reboots done.
    Rebooted,
    /// No more.
    Gone,
}

impl Wanted {
    /// In a sentence.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Running => "RUNNING",
            Self::Stopped => "STOPPED",
            Self::Paused => "PAUSED",
            Self::Rebooted => "rebooted",
            Self::Gone => "gone",
        }
    }

    fn reached(self, vm: &Instance) -> bool {
        let phase = vm.status.phase;
        match self {
            Self::Created => !matches!(phase, Phase::Pending | Phase::Creating | Phase::Failed | Phase::Lost),
            Self::Running => matches!(phase, Phase::Running | Phase::Paused) || ran(vm),
            Self::Stopped => matches!(phase, Phase::Stopped | Phase::Created),
            Self::Paused => phase == Phase::Paused,
            Self::Rebooted => {
                let done = vm.status.running.as_ref().map(|running| running.reboot_epoch);
                phase == Phase::Running && done >= Some(vm.desired.reboot_epoch)
            }
            Self::Gone => false,
        }
    }

    /// That the VM is there.
    ///
    /// # Errors
    /// It failed, or is not there yet.
    pub(crate) fn judge(self, vm: &Instance) -> Result<(), Error> {
        if self.reached(vm) {
            return Ok(());
        }
        if vm.status.phase == Phase::Failed && self != Self::Gone {
            return Err(Error::Failed { vm: Box::new(vm.clone()) });
        }
        Err(Error::NotYet {
            name: vm.meta.name.to_string(),
            phase: vm.status.phase,
            wanted: self.as_str().to_owned(),
            message: waits_for(vm).or_else(|| ended(vm)),
        })
    }
}

/// How the last run of this boot ended, where it is tried again.
fn ended(vm: &Instance) -> Option<String> {
    let exit = vm.status.last_exit.as_ref().filter(|exit| exit.boot_epoch >= vm.desired.boot_epoch)?;
    Some(format!("its last run ended with {}: {}", exit.cause.as_str(), exit.message))
}

/// Whether the last boot that was asked has run and ended by the guest's own will.
pub(crate) fn ran(vm: &Instance) -> bool {
    let ended = vm
        .status
        .last_exit
        .as_ref()
        .is_some_and(|exit| exit.boot_epoch >= vm.desired.boot_epoch && exit.cause == ExitCause::GuestPoweroff);
    ended && vm.status.phase == Phase::Stopped
}

/// Shows VMs after a verb: one line for each for people, or what the caller asked for.
pub(crate) fn show(desk: &mut Desk, vms: &[Vm], shape: Shape, line: impl Fn(&Instance) -> String) -> Result<(), Error> {
    if vms.is_empty() && shape == Shape::One {
        return Ok(());
    }
    if let Some(form) = desk.form() {
        let items: Vec<_> = vms.iter().map(Item::Vm).collect();
        let text = desk.written(&items, shape, form);
        return desk.answer(&text);
    }
    let text: String = match desk.globals.output {
        Output::Name => vms.iter().map(|vm| format!("{}\n", vm.value.meta.name)).collect(),
        Output::Table | Output::Wide | Output::Json | Output::Yaml if desk.globals.quiet => String::new(),
        Output::Table | Output::Wide | Output::Json | Output::Yaml => {
            vms.iter().map(|vm| format!("{}\n", line(&vm.value))).collect()
        }
    };
    desk.answer(&text)
}

/// `VM demo is RUNNING`.
pub(crate) fn is(desk: &Desk) -> impl Fn(&Instance) -> String + use<> {
    let paint = desk.paint();
    move |vm| format!("VM {} is {}", vm.meta.name, paint.phase(vm.status.phase))
}
