//! The hypervisor port, for QEMU.
//!
//! Sockets are bound and the first commands are sent before QEMU is started, so its answer is the first
//! sign that the virtual CPUs run. A launch that fails leaves no process and no socket.

use super::client::{self, Client};
use super::config::consoles::wants_agent;
use super::config::{self, AGENT_FD, Begin, Blueprint, CONSOLE_FD, Layout, QMP_FD, SERIAL_FD, TAP_FD, choice};
use super::folder::{self, Folder};
use super::machine::journey::{LAYOUT, MEMORY, open_kept};
use super::machine::{Ask, Birth, Handle, Link, Shared};
use super::probe::{self, Facts};
use super::{Config, Error, NAME, backing, capabilities, cell};
use crate::cell::Cell;
use crate::{Finding, log, tap};
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use weft_domain::capability::Capabilities;
use weft_domain::needs;
use weft_domain::snapshot::Identity;
use weft_domain::spec::change::Change;
use weft_domain::spec::{Attachment, ConsoleMode, Nic, Spec};
use weft_domain::{Fault, Violation};
use weft_ports::clock::Clock;
use weft_ports::hypervisor::{Adoption, Alteration, Chosen, Hypervisor, Machine, Order, Origin, Restore};
use weft_ports::processes::{Alive, Command, Processes};

/// The time that QEMU is given to come up.
const LAUNCH_LIMIT: Duration = Duration::from_secs(30);
/// The same for each GiB of memory that is touched before.
const PREFAULT_LIMIT: Duration = Duration::from_secs(5);
/// The time in which the end of a process is told after its socket has closed.
const END_LIMIT: Duration = Duration::from_secs(2);

/// The driver. Made by [`open`].
pub struct Qemu {
    facts: Facts,
    capabilities: Arc<Capabilities>,
    tsc_khz: Option<u64>,
    processes: Arc<dyn Processes>,
    clock: Arc<dyn Clock>,
}

/// Finds QEMU and what it can do here. The first time this takes up to two seconds; what was found is
/// kept in the folder given.
///
/// # Errors
/// There is no QEMU, or none that can be used.
pub async fn open(config: Config, processes: Arc<dyn Processes>, clock: Arc<dyn Clock>) -> Result<Qemu, Error> {
    let facts = probe::probe(&config, &processes, &clock).await?;
    tracing::debug!(?facts, "QEMU was found");
    let capabilities = Arc::new(capabilities::of(&facts, processes.jails().is_ok()));
    Ok(Qemu { facts, capabilities, tsc_khz: config.tsc_khz, processes, clock })
}

impl Qemu {
    /// What was found, for people.
    #[must_use]
    pub fn finding(&self) -> Finding {
        capabilities::finding(&self.facts)
    }

    async fn start(&self, order: &Order) -> Result<Handle, Error> {
        let chosen = self.choose(&order.spec);
        self.refuse(order, &chosen)?;
        let layout = layout(order)?;
        let media = backing::inspect(&order.disks)?;
        let pmem_bytes = backing::pmem_bytes(&order.spec.devices)?;
        let folder = Folder(order.run_dir.clone());
        let mut fds = sockets(&folder, order)?;
        let taps = taps(&order.spec, &mut fds)?;
        let (tsc_khz, sandbox) = (self.tsc_khz, self.facts.sandbox);
        let blueprint = Blueprint {
            order,
            chosen: &chosen,
            tsc_khz,
            sandbox,
            media: &media,
            pmem_bytes: &pmem_bytes,
            taps: &taps,
            layout: &layout,
            begin: Begin::of(&order.spec),
        };
        let args = config::arguments(&blueprint)?;
        let cell = cell::of(order, &self.facts.program);
        folder.keep_addresses(&config::addresses(&order.spec))?;
        let arrival = arrival(order)?;
        let (client, introduction) = speak_first(&folder).await?;
        let (alive, client, status) = self.run(order, &cell, (args, fds), (client, introduction)).await?;
        let birth = Birth {
            instance: order.instance,
            chosen,
            folder: folder.clone(),
            vmm_log: order.vmm_log.clone(),
            cell,
            spec: order.spec.clone(),
        };
        let shared = self.shared(alive, birth);
        shared.saw(&status);
        let mut machine = Handle::new(shared, Link::of(client, folder.qmp()));
        self.begin(order, &mut machine, (arrival, layout.tag)).await?;
        Ok(machine)
    }

    /// Starts the process and waits for its first words.
    async fn run(
        &self,
        order: &Order,
        cell: &Cell,
        (args, fds): (Vec<OsString>, Vec<(OwnedFd, i32)>),
        (mut client, introduction): (Client<UnixStream>, client::Introduction),
    ) -> Result<(Alive, Client<UnixStream>, client::Status), Error> {
        let prepared = cell.make();
        let jail = prepared.map_err(|source| Error::UseFolder { path: order.run_dir.clone(), source })?;
        let command = Command {
            claim: order.claim,
            program: self.facts.program.clone(),
            args,
            fds,
            log: order.vmm_log.clone(),
            dir: cell.sockets().to_owned(),
            confinement: order.confinement.clone(),
            jail,
        };
        let launched = self.processes.launch(command).await;
        let alive = launched.map_err(|source| Error::Run { program: self.facts.program.clone(), source })?;
        let status = tokio::select! {
            status = client.introduced(introduction) => status,
            () = tokio::time::sleep(limit(&order.spec)) => return Err(slow(order)),
        };
        match status {
            Ok(status) => Ok((alive, client, status)),
            Err(error) => Err(self.why_not(order, &alive, error).await),
        }
    }

    /// What is done before the virtual CPUs run, and that they run.
    async fn begin(
        &self,
        order: &Order,
        machine: &mut Handle,
        (arrival, tag): (Option<UnixListener>, Option<String>),
    ) -> Result<(), Error> {
        if let Some(listener) = arrival {
            machine.await_arrival(listener);
            return Ok(());
        }
        if let Origin::Snapshot(restore) = &order.origin {
            self.load(order, machine, (restore, tag)).await?;
        }
        let held = Begin::of(&order.spec) == Begin::Held;
        if held {
            machine.ask(Ask::Limit).await.map_err(Error::Begin)?;
        }
        if let Some(balloon) = order.spec.memory.balloon.clone() {
            // A machine that goes on has its balloon as it was, and its statistics do not come by themselves.
            let change = Change::Balloon(balloon);
            machine.ask(Ask::Alter(Box::new(Alteration { change, backing: None }))).await.map_err(Error::Begin)?;
        }
        if held || order.origin != Origin::Boot {
            machine.ask(Ask::Resume).await.map_err(Error::Begin)?;
        }
        if let Origin::Snapshot(Restore { identity: Identity::New, .. }) = &order.origin {
            readdress(&order.spec, machine).await;
        }
        Ok(())
    }

    /// Memory and devices, from inside the disks or from their file.
    async fn load(
        &self,
        order: &Order,
        machine: &Handle,
        (restore, tag): (&Restore, Option<String>),
    ) -> Result<(), Error> {
        if let Some(tag) = tag {
            if restore.identity == Identity::New {
                return Err(Error::Load { said: "it is inside the disks of the VM that it is of".to_owned() });
            }
            let returned = machine.ask(Ask::Return(tag)).await;
            return returned.map_err(|fault| Error::Load { said: fault.message });
        }
        let path = restore.folder.join(MEMORY);
        let file = open_kept(&path).map_err(|source| Error::UseFolder { path, source })?;
        if machine.ask(Ask::Receive(file.into())).await.is_err() {
            // It ends by itself, and its log says why.
            let _ = tokio::time::timeout(END_LIMIT, self.processes.ended(&machine.alive())).await;
            return Err(Error::Load { said: log::last_words(&order.vmm_log) });
        }
        Ok(())
    }

    /// What is asked and not served; the door has looked already, and the machine must not be another
    /// than was asked even so.
    fn refuse(&self, order: &Order, chosen: &Chosen) -> Result<(), Error> {
        let spec = &order.spec;
        let mut refused = needs::unserved(spec, &self.capabilities);
        if spec.network_namespace.is_some() && order.ward.is_none() {
            let why = "only a jailed machine enters a network namespace: let weft run as root, with jails".to_owned();
            refused.push(Violation { field: "vm.spec.network_namespace".to_owned(), why });
        }
        refused.extend(choice::refused(spec, chosen.machine));
        if refused.is_empty() { Ok(()) } else { Err(Error::Unserved(refused)) }
    }

    /// Why QEMU did not come up: its end where it ended, else what is wrong with its answer.
    async fn why_not(&self, order: &Order, alive: &Alive, error: client::Error) -> Error {
        match tokio::time::timeout(END_LIMIT, self.processes.ended(alive)).await {
            Ok(ending) => {
                let (_, how) = crate::told::ending(ending);
                Error::EndedEarly { how, said: log::last_words(&order.vmm_log) }
            }
            Err(_) => Error::Talk(error),
        }
    }

    fn shared(&self, alive: Alive, birth: Birth) -> Arc<Shared> {
        Arc::new(Shared::new(alive, birth, (self.processes.clone(), self.clock.clone())))
    }

    /// Leaves nothing of a launch that failed.
    async fn undo(&self, order: &Order) {
        if let Err(fault) = self.processes.clear(order.claim).await {
            tracing::error!(claim = %order.claim, %fault, "a process that failed to start could not be cleared");
        }
        Folder(order.run_dir.clone()).clear();
    }
}

/// Gives the guest of another machine interfaces of its own in place of those that it remembers, for their
/// addresses came with its memory. A user-mode network is nobody else's, so there they do no harm.
async fn readdress(spec: &Spec, machine: &Handle) {
    let shared = |nic: &&Nic| !matches!(nic.attachment, Attachment::User { .. });
    for nic in spec.nics.iter().filter(shared) {
        for change in [Change::RemoveNic(nic.name.clone()), Change::AddNic(nic.clone())] {
            if let Err(fault) = machine.ask(Ask::Alter(Box::new(Alteration { change, backing: None }))).await {
                tracing::warn!(%fault, nic = nic.name, "a fork keeps the hardware address that it had");
                break;
            }
        }
    }
}

/// Where devices sit: as in the machine that it goes on from, else as the specification says.
fn layout(order: &Order) -> Result<Layout, Error> {
    let Origin::Snapshot(restore) = &order.origin else { return Ok(Layout::of(&order.spec)) };
    let path = restore.folder.join(LAYOUT);
    let unusable = |source| Error::UseFolder { path: path.clone(), source };
    let file = open_kept(&path).map_err(unusable)?;
    serde_json::from_reader(std::io::BufReader::new(file)).map_err(|error| Error::Load { said: error.to_string() })
}

/// The socket over which another machine comes.
fn arrival(order: &Order) -> Result<Option<UnixListener>, Error> {
    let Origin::Incoming(path) = &order.origin else { return Ok(None) };
    let failed = |source| Error::Listen { path: path.clone(), source };
    let listener = std::os::unix::net::UnixListener::from(folder::listen(path)?);
    listener.set_nonblocking(true).map_err(failed)?;
    UnixListener::from_std(listener).map(Some).map_err(failed)
}

/// Opens the taps, each with the number under which QEMU inherits it; answers the numbers by interface.
fn taps(spec: &Spec, fds: &mut Vec<(OwnedFd, i32)>) -> Result<Vec<Vec<i32>>, Error> {
    let mut next = TAP_FD;
    let mut numbers = Vec::new();
    for nic in &spec.nics {
        let mut own = Vec::new();
        for file in tap::open(nic, spec.network_namespace.as_deref())? {
            fds.push((file, next));
            own.push(next);
            next += 1;
        }
        numbers.push(own);
    }
    Ok(numbers)
}

/// The listening sockets, each with the number under which QEMU inherits it.
fn sockets(folder: &Folder, order: &Order) -> Result<Vec<(OwnedFd, i32)>, Error> {
    let mut fds = vec![(folder::listen(&folder.qmp())?, QMP_FD)];
    if order.spec.console.mode == ConsoleMode::Socket {
        fds.push((folder::listen(&folder.console())?, CONSOLE_FD));
    }
    if wants_agent(&order.spec) {
        fds.push((folder::listen(&folder.agent())?, AGENT_FD));
    }
    if order.spec.serial.mode == ConsoleMode::Socket {
        fds.push((folder::listen(&folder.serial())?, SERIAL_FD));
        // QEMU would make the log readable for everybody.
        let mut options = std::fs::OpenOptions::new();
        let made = options.create(true).append(true).mode(0o600).open(&order.console_log);
        made.map_err(|source| Error::UseFolder { path: order.console_log.clone(), source })?;
    }
    Ok(fds)
}

/// Says the first words to a QEMU that is not there yet.
async fn speak_first(folder: &Folder) -> Result<(Client<UnixStream>, client::Introduction), Error> {
    let path = folder.qmp();
    let stream = UnixStream::connect(&path).await.map_err(|source| Error::Listen { path, source })?;
    let mut client = Client::new(stream);
    let introduction = client.introduce().await.map_err(Error::Talk)?;
    Ok((client, introduction))
}

fn limit(spec: &Spec) -> Duration {
    let touched = if spec.memory.prefault { spec.memory.size_bytes >> 30 } else { 0 };
    LAUNCH_LIMIT + PREFAULT_LIMIT * u32::try_from(touched).unwrap_or(u32::MAX)
}

fn slow(order: &Order) -> Error {
    Error::Slow { seconds: limit(&order.spec).as_secs(), said: log::last_words(&order.vmm_log) }
}

#[async_trait::async_trait]
impl Hypervisor for Qemu {
    fn capabilities(&self) -> Arc<Capabilities> {
        self.capabilities.clone()
    }

    fn choose(&self, spec: &Spec) -> Chosen {
        let accelerator = choice::accelerator(spec, self.facts.preferred());
        let machine = choice::machine(spec, accelerator, self.tsc_khz);
        Chosen { driver: format!("{NAME} {}", self.facts.version), machine, accelerator }
    }

    async fn launch(&self, order: Order) -> Result<Box<dyn Machine>, Fault> {
        match self.start(&order).await {
            Ok(machine) => Ok(Box::new(machine)),
            Err(error) => {
                self.undo(&order).await;
                tracing::warn!(claim = %order.claim, error = %super::chain(&error), "QEMU was not started");
                Err(error.into())
            }
        }
    }

    async fn adopt(&self, adoption: Adoption) -> Result<Box<dyn Machine>, Fault> {
        let Adoption { instance, alive, chosen, run_dir, vmm_log, spec, ward, .. } = adoption;
        let (folder, cell) = (Folder(run_dir.clone()), Cell::standing(&run_dir, ward));
        let birth = Birth { instance, chosen, folder: folder.clone(), vmm_log, cell, spec };
        let shared = self.shared(alive.clone(), birth);
        let link = match Link::open(folder.qmp()).await {
            Ok((link, status)) => {
                shared.saw(&status);
                link
            }
            // It has ended meanwhile: its owner tells how.
            Err(_) if !self.processes.lives(&alive) => Link::lost(folder.qmp()),
            Err(error) => return Err(Error::Talk(error).into()),
        };
        Ok(Box::new(Handle::new(shared, link)))
    }
}
