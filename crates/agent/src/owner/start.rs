//! How a machine begins: what is claimed, ordered and launched.

use super::alter::Made;
use super::origin::Beginning;
use super::{Owner, Running};
use crate::files::Access;
use crate::inventory::Held;
use crate::vet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use weft_domain::instance::{Exit, ExitCause, Power};
use weft_domain::lifecycle::Sight;
use weft_domain::spec::{Disk, DiskSource, Payload, Spec};
use weft_domain::{ClaimId, Fault, IncarnationId, Reason, needs};
use weft_ports::claims::{Claim, Claimed, Note, ProcessClaim};
use weft_ports::hypervisor::{Backing, Boot, Hypervisor, Machine, Order, State};
use weft_ports::images::HOSTNAME;
use weft_ports::link::Placed;
use weft_ports::processes::Confinement;
use weft_ports::volumes::Want;

/// Memory that a VMM may take beside its guest's before its cgroup stops it, in bytes. Software
/// translation keeps up to 1 GiB of translated code.
const VMM_MEMORY_LIMIT: u64 = 1536 << 20;
/// Threads of a VMM beside one for each virtual CPU.
const VMM_THREADS: u64 = 512;
/// Files that a VMM may open.
const VMM_FILES: u64 = 4096;

impl Owner {
    /// The process of an instance that will be launched as soon as its things are made, so that one
    /// record claims all.
    pub(super) async fn reservation(&self, placed: &Placed) -> Option<Held> {
        let desired = placed.desired;
        let first = self.ended.is_none() && self.restarts == 0 && self.reserved.is_none();
        let at_once = first && !desired.deleted && desired.power != Power::Off && desired.boot_epoch > 0;
        // An image may take long, and so does a snapshot; where there is no driver, the launch says so.
        let long = matches!(placed.spec.payload, Payload::Image { .. }) || desired.origin().is_some();
        if !at_once || long || self.live.is_some() {
            return None;
        }
        let driver = self.driver_for(&placed.spec, None).ok()?;
        let coming = Coming { boot_epoch: desired.boot_epoch, beginning: None };
        self.process_to_be(placed, driver.as_ref(), &coming).await.ok()
    }

    /// The claim that was reserved, if it is the one that this launch needs.
    fn take_reserved(&mut self, placed: &Placed, boot_epoch: u64) -> Option<Held> {
        let held = self.reserved.take()?;
        let (process, desired) = (&held.process, placed.desired);
        let fits = (process.generation, process.boot_epoch, process.restarts, held.note.reboot_epoch)
            == (placed.generation, boot_epoch, self.restarts, desired.reboot_epoch);
        if fits {
            return Some(*held);
        }
        self.unsettled.push(*held);
        None
    }

    /// Starts a machine; one that cannot be started has ended. A launch that is tried again because
    /// something else failed is not counted twice.
    pub(super) async fn launch(&mut self, boot_epoch: u64, again: bool) -> Result<(), Fault> {
        let before = self.restarts;
        self.restarts = if again { before.saturating_add(1) } else { 0 };
        let outcome = self.live_or_ended(boot_epoch).await;
        if self.live.is_none() {
            self.shared.files.free(self.id);
        }
        if outcome.is_err() {
            self.restarts = before;
        }
        outcome
    }

    async fn live_or_ended(&mut self, boot_epoch: u64) -> Result<(), Fault> {
        let placed = self.placed()?;
        self.told.clear("StepSucceeded");
        self.mention(Sight::Starting);
        let begun = Instant::now();
        match self.try_launch(&placed, boot_epoch).await {
            Ok(running) => {
                let chosen = running.machine.chosen();
                self.shared.figures.launched(&running.held.process.driver, begun.elapsed());
                tracing::info!(pid = running.machine.alive().pid, driver = chosen.driver, boot_epoch, "running");
                let note = (running.held.claim, running.held.note.clone());
                self.begun = boot_epoch;
                self.become_live(running);
                self.put_off_upkeep();
                let measured = self.measure();
                tokio::join!(measured, self.note_and_tell(note));
            }
            // Neither was it tried, nor has it failed.
            Err(fault) if matches!(fault.reason, Reason::StoreFull | Reason::Away) => return Err(fault),
            Err(fault) => {
                tracing::warn!(%fault, reason = fault.reason.as_str(), "the machine could not be started");
                self.shared.figures.exited(ExitCause::LaunchFailed);
                let message = format!("the VMM could not be started: {fault}");
                let (log_tail, console_tail) = self.tails(&self.shared.layout.vmm_log(self.id)).await;
                let reboot_epoch = placed.desired.reboot_epoch;
                let (at, cause) = (self.now(), ExitCause::LaunchFailed);
                self.ended = Some(Exit { boot_epoch, reboot_epoch, at, cause, message, log_tail, console_tail });
            }
        }
        Ok(())
    }

    async fn try_launch(&mut self, placed: &Placed, boot_epoch: u64) -> Result<Running, Fault> {
        let coming = Coming { boot_epoch, beginning: self.beginning(placed, boot_epoch).await? };
        let driver = self.driver_for(&placed.spec, coming.beginning.as_ref())?;
        if let Some(beginning) = &coming.beginning {
            self.unless_forced(self.lay_out(placed, beginning)).await?;
        }
        vet::devices(self.shared.ports.volumes.as_ref(), &placed.spec).await?;
        let (boot, disks) = tokio::try_join!(self.resolve_boot(placed), self.resolve_disks(&placed.spec))?;
        let mut held = match self.take_reserved(placed, boot_epoch) {
            Some(held) => held,
            None => self.claim_process(placed, driver.as_ref(), &coming).await?,
        };
        let made = Made::of(&coming.spec(placed));
        let order = Order {
            claim: held.claim,
            instance: self.id,
            name: placed.name.clone(),
            incarnation: held.process.incarnation,
            spec: Arc::clone(&placed.spec),
            boot,
            disks,
            run_dir: held.process.run_dir.clone(),
            console_log: self.shared.layout.console_log(self.id),
            vmm_log: held.process.vmm_log.clone(),
            confinement: confinement(&placed.spec),
            ward: held.process.ward,
            origin: self.origin(coming.beginning.as_ref()),
        };
        match self.start(&held, driver.as_ref(), order).await {
            Ok(machine) => {
                held.note.alive = Some(machine.alive());
                Ok(Running::new(held, machine, Some(made)))
            }
            Err(fault) => {
                // Its claim is let go by the next round, after whatever is left of it.
                self.unsettled.push(held);
                Err(fault)
            }
        }
    }

    /// Writes down which process it is, and tells that it runs.
    async fn note_and_tell(&mut self, (claim, note): (ClaimId, Note)) {
        let claims = Arc::clone(&self.shared.ports.claims);
        let sight = self.up().map(|live| match *live.state.borrow() {
            State::Held => Sight::Paused,
            State::Running | State::Ended(_) => Sight::Running,
        });
        let tell = async {
            if let Some(sight) = sight {
                // What control does not take now is told again by the next round.
                drop(self.tell(sight).await);
            }
        };
        let (noted, ()) = tokio::join!(claims.note(claim, note), tell);
        // The process bears its claim, by which it is found where this is not written down.
        if let Err(fault) = noted {
            tracing::warn!(%fault, "the journal did not take the process of a machine that runs");
        }
    }

    async fn claim_process(&self, placed: &Placed, driver: &dyn Hypervisor, coming: &Coming) -> Result<Held, Fault> {
        let held = self.process_to_be(placed, driver, coming).await?;
        if let Err(fault) = self.shared.ports.claims.claim(vec![self.claim_of(&held)]).await {
            self.shared.wards.free(held.claim);
            return Err(fault);
        }
        Ok(held)
    }

    pub(super) fn claim_of(&self, held: &Held) -> Claim {
        Claim { id: held.claim, instance: self.id, what: Claimed::Process(Arc::clone(&held.process)) }
    }

    /// What will be claimed for a launch.
    async fn process_to_be(&self, placed: &Placed, driver: &dyn Hypervisor, coming: &Coming) -> Result<Held, Fault> {
        let ports = &self.shared.ports;
        let claim = self.new_claim();
        // In a folder that is not made yet there is no log.
        let console_offset = match self.things.is_empty() {
            true => 0,
            false => ports.volumes.log_extent(&self.shared.layout.console_log(self.id)).await?.0,
        };
        let made = coming.spec(placed);
        let capabilities = driver.capabilities();
        let process = ProcessClaim {
            incarnation: IncarnationId::new(self.now(), ports.clock.random()),
            driver: capabilities.driver.clone(),
            chosen: driver.choose(&placed.spec),
            boot_epoch: coming.boot_epoch,
            generation: placed.generation,
            at: self.now(),
            run_dir: self.shared.layout.sockets(claim),
            vmm_log: self.shared.layout.vmm_log(self.id),
            restarts: self.restarts,
            console_offset,
            spec: ports.specs.encode_spec(&made).into(),
            ward: self.ward_for(claim, &capabilities)?,
            origin: coming.beginning.as_ref().map(|beginning| beginning.snapshot.id),
        };
        let note = Note { reboot_epoch: placed.desired.reboot_epoch, ..Note::default() };
        Ok(Held { claim, process: Arc::new(process), note, found: false })
    }

    async fn start(&self, held: &Held, driver: &dyn Hypervisor, order: Order) -> Result<Box<dyn Machine>, Fault> {
        if held.note.reboot_epoch > 0 {
            // Written down first, or an agent that finds the process would do that reboot once more.
            self.shared.ports.claims.note(held.claim, held.note.clone()).await?;
        }
        self.shared.ports.volumes.make_passing_folder(&order.run_dir).await?;
        driver.launch(order).await
    }

    fn driver_for(&self, spec: &Spec, from: Option<&Beginning>) -> Result<Arc<dyn Hypervisor>, Fault> {
        let drivers = &self.shared.ports.drivers;
        let mut capabilities: Vec<_> = drivers.iter().map(|driver| driver.capabilities().as_ref().clone()).collect();
        // Memory and devices can be read only by the driver that wrote them.
        if let Some(from) = from.filter(|from| from.goes_on()) {
            capabilities.retain(|capabilities| capabilities.driver == from.driver());
            if capabilities.is_empty() {
                let why = format!("the snapshot was written by {}, which is not here", from.snapshot.content.driver);
                return Err(Fault::new(Reason::SnapshotUnusable, why).fix("install that driver again"));
            }
        }
        let name = needs::choose(spec, &capabilities)?.driver.clone();
        let driver = drivers.iter().find(|driver| driver.capabilities().driver == name);
        driver.cloned().ok_or_else(|| Fault::internal("a driver that was chosen is not there"))
    }

    async fn resolve_boot(&self, placed: &Placed) -> Result<Boot, Fault> {
        let ports = &self.shared.ports;
        let file = async |path: &PathBuf, field| ports.volumes.resolve(path, Want::File, field).await;
        match &placed.spec.payload {
            Payload::Image { name, cmdline } => {
                let files = ports.images.ensure(name, Arc::new(|_| {})).await?;
                let words = [files.cmdline, format!("{HOSTNAME}={}", placed.name), cmdline.clone()];
                let cmdline = words.join(" ").trim().to_owned();
                Ok(Boot::Kernel { kernel: files.kernel, initramfs: files.initramfs, cmdline })
            }
            Payload::Kernel { kernel, initramfs, cmdline } => {
                let kernel = file(kernel, "vm.spec.payload.kernel").await?;
                let initramfs = match initramfs {
                    Some(path) => Some(file(path, "vm.spec.payload.initramfs").await?),
                    None => None,
                };
                Ok(Boot::Kernel { kernel, initramfs, cmdline: cmdline.clone() })
            }
            Payload::Firmware { firmware } => {
                Ok(Boot::Firmware { firmware: file(firmware, "vm.spec.payload.firmware").await? })
            }
        }
    }

    async fn resolve_disks(&self, spec: &Spec) -> Result<Vec<Backing>, Fault> {
        let mut disks = Vec::with_capacity(spec.disks.len());
        for (i, disk) in spec.disks.iter().enumerate() {
            disks.push(Backing { path: self.resolve_disk(disk, i).await?, format: disk.format });
        }
        Ok(disks)
    }

    pub(super) async fn resolve_disk(&self, disk: &Disk, index: usize) -> Result<PathBuf, Fault> {
        match &disk.source {
            DiskSource::Path(path) => {
                let want = if disk.read_only { Want::DiskToRead } else { Want::DiskToWrite };
                let field = format!("vm.spec.disks[{index}].path");
                let path = self.shared.ports.volumes.resolve(path, want, &field).await?;
                self.shared.files.hold(self.id, &path, Access::of(disk), &field)?;
                Ok(path)
            }
            DiskSource::Blank { .. } => self.blank_that_is_whole(&disk.name).await,
            DiskSource::VhostUser { socket } => {
                let field = format!("vm.spec.disks[{index}].vhost_user_socket");
                self.shared.ports.volumes.resolve(socket, Want::Socket, &field).await
            }
            DiskSource::Volume(_) | DiskSource::Image(_) => Err(Fault::field(
                Reason::FieldUnsupported,
                format!("vm.spec.disks[{index}]"),
                "this source of a disk is not served by this node",
            )),
        }
    }

    pub(super) fn become_live(&mut self, running: Running) {
        self.told.clear("StepSucceeded");
        self.forsaken = false;
        self.begin_readiness(running.held.process.at, running.held.process.console_offset);
        self.hub = None;
        self.begun = self.begun.max(running.held.process.boot_epoch);
        self.live = Some(running);
        self.tell_confined();
        self.tell_origin();
    }

    /// The machine is let out of hand, and with it what was told of it alone.
    pub(super) fn part(&mut self) -> Option<Running> {
        self.told.clear("DisksPresent");
        self.told.clear("NicsPresent");
        self.hub = None;
        self.told.end_readiness();
        self.told.clear("Confined");
        self.told.clear("Identity");
        self.live.take()
    }

    pub(super) fn new_claim(&self) -> ClaimId {
        let clock = &self.shared.ports.clock;
        ClaimId::new(clock.now(), clock.random())
    }
}

/// What is going to be launched.
struct Coming {
    /// The boot that it serves.
    boot_epoch: u64,
    /// The snapshot that it begins from.
    beginning: Option<Beginning>,
}

impl Coming {
    /// What the machine is made of.
    fn spec(&self, placed: &Placed) -> Arc<Spec> {
        let goes_on = self.beginning.as_ref().filter(|beginning| beginning.goes_on());
        let made = goes_on.and_then(|beginning| beginning.made_of(&placed.spec).check().ok());
        made.map_or_else(|| Arc::clone(&placed.spec), Arc::new)
    }
}

pub(super) fn confinement(spec: &Spec) -> Confinement {
    let guest = spec.memory.size_bytes.saturating_add(spec.memory.hotplug_bytes);
    Confinement {
        memory_bytes: Some(guest.saturating_add(guest / 8).saturating_add(VMM_MEMORY_LIMIT)),
        cpu_millis: None,
        pids: Some(VMM_THREADS + u64::from(spec.cpu.max)),
        open_files: Some(VMM_FILES),
    }
}
