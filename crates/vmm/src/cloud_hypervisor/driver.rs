//! The hypervisor port, for Cloud Hypervisor.
//!
//! The socket is bound and the first call is sent before the process is started, so its answer is the first
//! sign that it is up. A launch that fails leaves no process and no socket.

mod bring;
mod origin;
mod outfit;

use super::config::{self, gates::Version};
use super::event::Events;
use super::folder::{Folder, Mark};
use super::machine::{Handle, Setting, Shared};
use super::model::VmState;
use super::probe::{self, Facts};
use super::{Config, Error, NAME, capabilities, client};
use crate::cell::Cell;
use crate::program::Program;
use crate::{Finding, log, told};
use outfit::Outfit;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use weft_domain::capability::Capabilities;
use weft_domain::spec::{Accelerator, Attachment, ConsoleMode, Machine as Model, Spec};
use weft_domain::{Fault, Violation, needs};
use weft_ports::clock::Clock;
use weft_ports::hypervisor::{Adoption, Chosen, Hypervisor, Machine, Order, Origin};
use weft_ports::processes::{Alive, Processes};

/// The time that it is given to come up, without what its memory takes.
const LAUNCH_LIMIT: Duration = Duration::from_secs(30);
/// The time in which the end of a process is told after its socket has closed.
const END_LIMIT: Duration = Duration::from_secs(2);

/// The driver. Made by [`open`].
pub struct CloudHypervisor {
    facts: Facts,
    program: Program,
    capabilities: Arc<Capabilities>,
    processes: Arc<dyn Processes>,
    clock: Arc<dyn Clock>,
}

/// Finds Cloud Hypervisor and what it can do here. The first time this takes a few seconds; what was found
/// is kept in the folder given.
///
/// # Errors
/// There is none, or none that can be used.
pub async fn open(
    config: Config,
    processes: Arc<dyn Processes>,
    clock: Arc<dyn Clock>,
) -> Result<CloudHypervisor, Error> {
    let facts = probe::probe(&config, &processes, &clock).await?;
    tracing::debug!(?facts, "Cloud Hypervisor was found");
    let capabilities = Arc::new(capabilities::of(&facts, processes.jails()));
    let program = Program::inspect(&facts.program);
    Ok(CloudHypervisor { facts, program, capabilities, processes, clock })
}

impl CloudHypervisor {
    /// What was found, for people.
    #[must_use]
    pub fn finding(&self) -> Finding {
        capabilities::finding(&self.facts)
    }

    fn version(&self) -> Version {
        self.facts.number
    }

    async fn start(&self, order: &Order) -> Result<Handle, Error> {
        self.refuse(order)?;
        let outfit = Outfit::make(order, self.version())?;
        let folder = Folder(order.run_dir.clone());
        let (command, cell) = outfit.command(order, &self.program)?;
        let launched = self.processes.launch(command).await;
        let alive = launched.map_err(|source| Error::Run { program: self.facts.program.clone(), source })?;
        let events =
            Events::open(&folder.events()).map_err(|source| Error::UseFolder { path: folder.events(), source })?;
        let setting = self.setting(folder, cell, &order.spec, &order.vmm_log);
        let handle = Handle::new(Arc::new(Shared::new(alive.clone(), self.choose(&order.spec), setting)), events);
        let brought = tokio::select! {
            brought = bring::up(handle, order, self.version()) => brought,
            () = tokio::time::sleep(limit(&order.spec)) => {
                let seconds = limit(&order.spec).as_secs();
                return Err(Error::Refused { doing: "come up", said: format!("not in {seconds} s: {}", said(order)) });
            }
        };
        match brought {
            Ok(handle) => Ok(handle),
            Err(error) => Err(self.why_not(order, &alive, error).await),
        }
    }

    /// What is asked and not served; the door has looked already, and the machine must not be another
    /// than was asked even so.
    fn refuse(&self, order: &Order) -> Result<(), Error> {
        let spec = &order.spec;
        let mut refused = needs::unserved(spec, &self.capabilities);
        refused.extend(config::refused(spec, self.version()));
        if order.ward.is_some() {
            refused.extend(refused_in_a_jail(spec));
        }
        let taps = |at: &Attachment| matches!(at, Attachment::Tap(_) | Attachment::Macvtap(_));
        if matches!(order.origin, Origin::Incoming(_)) {
            let found = spec.nics.iter().enumerate().filter(|(_, nic)| taps(&nic.attachment));
            refused.extend(found.map(|(i, _)| Violation {
                field: format!("vm.spec.nics[{i}]"),
                why: "cloud-hypervisor cannot be given a tap while another machine comes: unplug it first".to_owned(),
            }));
        }
        if refused.is_empty() { Ok(()) } else { Err(Error::Unserved(refused)) }
    }

    /// Why it did not come up: its end where it ended, else what was refused.
    async fn why_not(&self, order: &Order, alive: &Alive, error: Error) -> Error {
        let spoke = !matches!(error, Error::Talk(_));
        let limit = if spoke { Duration::ZERO } else { END_LIMIT };
        match tokio::time::timeout(limit, self.processes.ended(alive)).await {
            Ok(ending) if !spoke => {
                let (_, how) = told::ending(ending);
                Error::EndedEarly { how, said: said(order) }
            }
            Ok(_) | Err(_) => error,
        }
    }

    fn setting(&self, folder: Folder, cell: Cell, spec: &Spec, vmm_log: &Path) -> Setting {
        let zones = spec.memory.zones.iter().map(|zone| zone.hotplug_bytes);
        let plugged = zones.chain([spec.memory.hotplug_bytes]).fold(0, u64::saturating_add);
        Setting {
            processes: self.processes.clone(),
            clock: self.clock.clone(),
            capabilities: self.capabilities.clone(),
            version: self.version(),
            folder,
            cell,
            vmm_log: vmm_log.to_owned(),
            namespace: spec.network_namespace.clone(),
            memory: spec.memory.size_bytes.saturating_add(plugged),
        }
    }

    /// Leaves nothing of a launch that failed.
    async fn undo(&self, order: &Order) {
        if let Err(fault) = self.processes.clear(order.claim).await {
            tracing::error!(claim = %order.claim, %fault, "a process that failed to start could not be cleared");
        }
        Folder(order.run_dir.clone()).clear();
    }
}

/// A jailed process has no terminals of the host, and no file but those that are named.
fn refused_in_a_jail(spec: &Spec) -> Vec<Violation> {
    let consoles = [("serial", spec.serial.mode), ("console", spec.console.mode)];
    let consoles = consoles.into_iter().filter(|(_, mode)| *mode == ConsoleMode::Pty).map(|(name, _)| Violation {
        field: format!("vm.spec.{name}.mode"),
        why: "a jailed VMM makes no terminal of the host: use a socket or a file".to_owned(),
    });
    let layered = spec.disks.iter().enumerate().filter(|(_, disk)| disk.backing_files).map(|(i, _)| Violation {
        field: format!("vm.spec.disks[{i}].backing_files"),
        why: "a jailed VMM sees the image alone and not the layers below it: flatten it first".to_owned(),
    });
    consoles.chain(layered).collect()
}

fn said(order: &Order) -> String {
    log::last_words(&order.vmm_log)
}

fn limit(spec: &Spec) -> Duration {
    LAUNCH_LIMIT + client::whole(spec.memory.size_bytes)
}

#[async_trait::async_trait]
impl Hypervisor for CloudHypervisor {
    fn capabilities(&self) -> Arc<Capabilities> {
        self.capabilities.clone()
    }

    fn choose(&self, _: &Spec) -> Chosen {
        Chosen { driver: format!("{NAME} {}", self.facts.version), machine: Model::Q35, accelerator: Accelerator::Kvm }
    }

    async fn launch(&self, order: Order) -> Result<Box<dyn Machine>, Fault> {
        match self.start(&order).await {
            Ok(machine) => Ok(Box::new(machine)),
            Err(error) => {
                self.undo(&order).await;
                tracing::warn!(claim = %order.claim, error = %told::chain(&error), "Cloud Hypervisor was not started");
                Err(error.into())
            }
        }
    }

    async fn adopt(&self, adoption: Adoption) -> Result<Box<dyn Machine>, Fault> {
        let Adoption { alive, chosen, run_dir, vmm_log, spec, ward, .. } = adoption;
        let cell = Cell::standing(&run_dir, ward);
        let folder = Folder(run_dir);
        let events = Events::open(&folder.events())
            .or_else(|_| Events::none())
            .map_err(|source| Fault::from(Error::UseFolder { path: folder.events(), source }))?;
        let mark = folder.marked();
        let shared = Arc::new(Shared::new(alive.clone(), chosen, self.setting(folder, cell, &spec, &vmm_log)));
        match shared.client().info().await {
            Ok(info) => adopted(&shared, info.state, mark)?,
            Err(error) if client::says_absent(&error) => adopted(&shared, VmState::Created, mark)?,
            // It has ended meanwhile: its owner tells how.
            Err(_) if !self.processes.lives(&alive) => {}
            Err(error) => return Err(Error::Talk(error).into()),
        }
        Ok(Box::new(Handle::new(shared, events)))
    }
}

/// What a machine is that somebody else launched, from its state and how far it came.
pub(super) fn adopted(shared: &Shared, state: VmState, mark: Option<Mark>) -> Result<(), Error> {
    match (state, mark) {
        (_, Some(Mark::Panicked)) => shared.panicked(),
        (VmState::Created | VmState::Shutdown, Some(Mark::Booted)) => shared.saw(state),
        (VmState::Created | VmState::Shutdown, Some(Mark::Waits)) => {}
        (VmState::Created | VmState::Shutdown, None) => return Err(Error::Unbegun),
        (VmState::Running | VmState::Paused | VmState::BreakPoint, Some(Mark::Booted | Mark::Waits) | None) => {
            shared.saw(state);
        }
    }
    Ok(())
}
