//! The hypervisor port, for Firecracker.
//!
//! ```text
//!  refuse what is not served ─► folder, cell ─► process ─► its socket ─► plan, call by call ─► machine
//! ```
//!
//! A launch that fails leaves no process and no file in the run folder; its reason is what Firecracker said.

mod kernel;

use super::client::Client;
use super::config::{self, Blueprint, choice};
use super::folder::Folder;
use super::machine::{Ears, Handle, Held, Shared};
use super::probe::{self, Facts};
use super::version::Version;
use super::{Config, Error, NAME, capabilities};
use crate::cell::Cell;
use crate::program::Program;
use crate::told::{self, chain};
use crate::{Finding, http, log};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use weft_domain::capability::Capabilities;
use weft_domain::needs;
use weft_domain::spec::{Accelerator, Attachment, Spec};
use weft_domain::{Fault, Violation};
use weft_ports::clock::Clock;
use weft_ports::hypervisor::{Adoption, Boot, Chosen, Hypervisor, Machine, Order, Origin, State, Ward};
use weft_ports::processes::{Alive, Command, Processes};

/// The time in which Firecracker's socket is there.
const SOCKET_LIMIT: Duration = Duration::from_secs(30);
/// Between two looks for it while Firecracker says nothing: first, and at most.
const LOOKS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(20));
/// The time in which the end of a process is told after its socket has closed.
const END_LIMIT: Duration = Duration::from_secs(2);
/// Devices of the host that every Firecracker has.
const DEVICES: [&str; 2] = ["/dev/kvm", "/dev/urandom"];
/// What it says of itself before its guest was started.
const UNBEGUN: &str = "Not started";
/// The device through which taps are had.
const TUN: &str = "/dev/net/tun";

/// The driver. Made by [`open`].
pub struct Firecracker {
    facts: Facts,
    capabilities: Arc<Capabilities>,
    program: Program,
    processes: Arc<dyn Processes>,
    clock: Arc<dyn Clock>,
}

/// Finds Firecracker and what it can do here. The first time this takes up to two seconds; what was found is
/// kept in the folder given.
///
/// # Errors
/// There is no Firecracker, or none that can be used.
pub async fn open(config: Config, processes: Arc<dyn Processes>, clock: Arc<dyn Clock>) -> Result<Firecracker, Error> {
    let facts = probe::probe(&config, &processes, &clock).await?;
    tracing::debug!(?facts, "Firecracker was found");
    let capabilities = Arc::new(capabilities::of(&facts, processes.jails()));
    let program = Program::inspect(&facts.program);
    Ok(Firecracker { facts, capabilities, program, processes, clock })
}

impl Firecracker {
    /// What was found, for people.
    #[must_use]
    pub fn finding(&self) -> Finding {
        capabilities::finding(&self.facts)
    }

    async fn start(&self, order: &Order) -> Result<Handle, Error> {
        let chosen = self.choose(&order.spec);
        self.refuse(order, &chosen)?;
        self.look(order)?;
        let version = &self.facts.version;
        let blueprint = Blueprint { order, machine: chosen.machine, version };
        let plan = config::plan(&blueprint)?;
        let cell = self.cell(order);
        let folder = Folder::new(&order.run_dir, cell.sockets());
        folder.check()?;
        let made = cell.make().map_err(|source| Error::UseFolder { path: order.run_dir.clone(), source });
        let jail = made?;
        lay_out(&folder, order)?;
        let mut ears = Ears::open(&folder, &order.vmm_log, order.instance)?;
        let (input, output) = folder.serial(&order.spec.serial, &order.console_log)?;
        let command = Command {
            claim: order.claim,
            program: self.program.path.clone(),
            args: config::arguments(&blueprint),
            fds: vec![(input, 0), (output, 1)],
            log: order.vmm_log.clone(),
            dir: cell.sockets().to_owned(),
            confinement: order.confinement.clone(),
            jail,
        };
        let launched = self.processes.launch(command).await;
        let alive = launched.map_err(|source| Error::Run { program: self.program.path.clone(), source })?;
        let client = Client::new(folder.api());
        let made = tokio::select! {
            biased;
            made = make(&client, &plan, &mut ears) => made.map_err(Some),
            _ = self.processes.ended(&alive) => Err(None),
        };
        if let Err(error) = made {
            return Err(self.why_not(order, &alive, error, &mut ears).await);
        }
        let held = self.held((order.instance, alive, chosen), (folder, order.ward), ears.log());
        Ok(Handle::new(Arc::new(Shared::new(held)), ears))
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
        refused.extend(choice::refused(spec, chosen.machine, &self.facts.version));
        if refused.is_empty() { Ok(()) } else { Err(Error::Unserved(refused)) }
    }

    /// What can be seen of the files before Firecracker opens them.
    fn look(&self, order: &Order) -> Result<(), Error> {
        match (&order.origin, &order.boot) {
            (Origin::Boot, Boot::Kernel { kernel, .. }) => kernel::judge(kernel, &self.facts.version),
            (Origin::Snapshot(restore), _) => {
                // Its own words for a file of another version are hard to read.
                let driver = restore.content.driver.as_str();
                let ours = self.driver();
                if driver.is_empty() || driver == ours {
                    return Ok(());
                }
                Err(Error::Snapshot { why: format!("it was taken by {driver}, and this is {ours}") })
            }
            (Origin::Boot | Origin::Incoming(_), _) => Ok(()),
        }
    }

    fn driver(&self) -> String {
        format!("{NAME} {}", self.facts.version)
    }

    /// What Firecracker sees of the host, where it is jailed.
    fn cell(&self, order: &Order) -> Cell {
        let mut cell = Cell::of(order);
        cell.run(&self.program);
        DEVICES.iter().for_each(|device| cell.device(device));
        if order.spec.nics.iter().any(|nic| matches!(nic.attachment, Attachment::Tap(_))) {
            cell.device(TUN);
            // A tap is found in the network that it was made in.
            cell.share_network();
        }
        if let Some(namespace) = &order.spec.network_namespace {
            cell.enter(namespace);
        }
        for (path, access) in config::files(order) {
            cell.see(&path, access);
        }
        for (_, path, access) in config::links(order) {
            cell.see(&path, access);
        }
        cell
    }

    fn held(
        &self,
        (instance, alive, chosen): (weft_domain::InstanceId, Alive, Chosen),
        (folder, ward): (Folder, Option<Ward>),
        vmm_log: Arc<Path>,
    ) -> Held {
        let cell = Cell::settled(ward);
        let (processes, clock, version) = (self.processes.clone(), self.clock.clone(), self.facts.version.clone());
        Held { instance, alive, chosen, version, folder, cell, vmm_log, processes, clock }
    }

    /// Why Firecracker did not come up: what it refused, else its end where it ended.
    async fn why_not(&self, order: &Order, alive: &Alive, error: Option<http::Error>, ears: &mut Ears) -> Error {
        if let Some(error) = error.as_ref().filter(|error| error.is_refusal()) {
            return match order.origin {
                Origin::Snapshot(_) => Error::Load { said: error.said() },
                Origin::Boot | Origin::Incoming(_) => {
                    Error::Refused { doing: "take the machine", said: error.to_string() }
                }
            };
        }
        let ending = tokio::time::timeout(END_LIMIT, self.processes.ended(alive)).await;
        ears.catch_up();
        let said = log::last_words(&order.vmm_log);
        match (ending, error) {
            (Ok(ending), _) => Error::EndedEarly { how: told::ending(ending).1, said },
            (Err(_), Some(error)) if !error.is_absence() => Error::Talk(error),
            (Err(_), _) => Error::Slow { seconds: SOCKET_LIMIT.as_secs(), said },
        }
    }

    /// Leaves nothing of a launch that failed.
    async fn undo(&self, order: &Order) {
        if let Err(fault) = self.processes.clear(order.claim).await {
            tracing::error!(claim = %order.claim, %fault, "a process that failed to start could not be cleared");
        }
        Folder::new(&order.run_dir, Cell::standing(&order.run_dir, order.ward).sockets()).clear();
    }

    async fn take_up(&self, adoption: Adoption) -> Result<Handle, Error> {
        let Adoption { instance, alive, chosen, run_dir, vmm_log, ward, .. } = adoption;
        let folder = Folder::new(&run_dir, Cell::standing(&run_dir, ward).sockets());
        let ears = Ears::open(&folder, &vmm_log, instance)?;
        let found = Client::new(folder.api()).instance().await;
        let mut held = self.held((instance, alive.clone(), chosen), (folder, ward), ears.log());
        // What runs is what was started then, not what is installed now.
        if let Some(version) = launched_version(&held.chosen) {
            held.version = version;
        }
        let shared = Arc::new(Shared::new(held));
        shared.recall();
        match found {
            Ok(found) if found.id != instance.to_string() => return Err(Error::Stranger { id: found.id }),
            // Started, or gone on from a snapshot, it is never so again.
            Ok(found) if found.state == UNBEGUN => return Err(Error::Unbegun),
            Ok(found) => shared.saw(if found.state == "Paused" { State::Held } else { State::Running }),
            // It has ended meanwhile: its owner tells how.
            Err(_) if !self.processes.lives(&alive) => {}
            Err(error) => return Err(Error::Talk(error)),
        }
        Ok(Handle::new(shared, ears))
    }
}

fn launched_version(chosen: &Chosen) -> Option<Version> {
    let text = chosen.driver.strip_prefix(NAME)?.trim();
    Version::read(&format!("Firecracker v{text}"))
}

/// Everything that Firecracker finds in its folder.
fn lay_out(folder: &Folder, order: &Order) -> Result<(), Error> {
    folder.prepare()?;
    for (name, path, _) in config::links(order) {
        folder.link(&name, &path).map_err(|source| Error::UseFolder { path, source })?;
    }
    Ok(())
}

/// Makes the machine, call by call; the first waits for the socket.
async fn make(client: &Client, plan: &[http::Call], ears: &mut Ears) -> Result<(), http::Error> {
    let mut line = await_socket(client, ears).await?;
    for call in plan {
        client.send_over(&mut line, call).await?;
    }
    Ok(())
}

/// Firecracker says in its log that it listens, so each word of it is a reason to look. An inotify of its own
/// would cost more than the whole start: to close one waits for all processors.
async fn await_socket(client: &Client, ears: &mut Ears) -> Result<http::Line, http::Error> {
    let started = tokio::time::Instant::now();
    let mut pause = LOOKS.0;
    loop {
        match client.connect().await {
            Err(error) if error.is_absence() && started.elapsed() < SOCKET_LIMIT => {}
            answer => return answer,
        }
        tokio::select! {
            Ok(true) = ears.listen() => {}
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LOOKS.1),
        }
    }
}

#[async_trait::async_trait]
impl Hypervisor for Firecracker {
    fn capabilities(&self) -> Arc<Capabilities> {
        self.capabilities.clone()
    }

    fn choose(&self, spec: &Spec) -> Chosen {
        let machine = choice::machine(spec, &self.facts.version);
        Chosen { driver: self.driver(), machine, accelerator: Accelerator::Kvm }
    }

    async fn launch(&self, order: Order) -> Result<Box<dyn Machine>, Fault> {
        match self.start(&order).await {
            Ok(machine) => Ok(Box::new(machine)),
            Err(error) => {
                self.undo(&order).await;
                tracing::warn!(claim = %order.claim, error = %chain(&error), "Firecracker was not started");
                Err(error.into())
            }
        }
    }

    async fn adopt(&self, adoption: Adoption) -> Result<Box<dyn Machine>, Fault> {
        let machine = self.take_up(adoption).await?;
        Ok(Box::new(machine))
    }
}
