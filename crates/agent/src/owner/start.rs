//! How an instance begins: what is prepared, launched, or taken up from a former agent.

use super::{Owner, Running};
use crate::inventory::Held;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use weft_domain::instance::{Exit, ExitCause};
use weft_domain::lifecycle::Sight;
use weft_domain::spec::{Disk, DiskSource, Payload, Spec};
use weft_domain::{ClaimId, Fault, IncarnationId, Reason, needs};
use weft_ports::claims::{Claim, Claimed, Note, ProcessClaim};
use weft_ports::hypervisor::{Adoption, Backing, Boot, Hypervisor, Order};
use weft_ports::images::{HOSTNAME, Progress};
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
    fn placed(&self) -> Result<Arc<Placed>, Fault> {
        self.placed.clone().ok_or_else(|| Fault::internal("a step needs a placement and there is none"))
    }

    /// Makes folder and disks, claims first; prepares the image that it boots.
    pub(super) async fn prepare(&mut self) -> Result<(), Fault> {
        let placed = self.placed()?;
        if self.told.sight().is_none() && self.things.is_empty() {
            self.tell(Sight::Preparing).await?;
        }
        let folder = self.shared.layout.folder(self.id);
        let mut wanted = vec![(folder.clone(), None)];
        for disk in &placed.spec.disks {
            if let DiskSource::Blank { size_bytes } = disk.source {
                wanted.push((self.shared.layout.disk(self.id, &disk.name), Some(size_bytes)));
            }
        }
        self.claim_things(&wanted).await?;
        let volumes = &self.shared.ports.volumes;
        for (path, size) in &wanted {
            match size {
                None => volumes.make_folder(path).await?,
                Some(size) => volumes.make_blank(path, *size).await?,
            }
        }
        if let Payload::Image { name, .. } = &placed.spec.payload {
            self.prepare_image(name).await?;
        }
        self.prepared_for = Some(placed.generation);
        self.told.clear("StepSucceeded");
        tracing::info!("prepared");
        Ok(())
    }

    async fn claim_things(&mut self, wanted: &[(PathBuf, Option<u64>)]) -> Result<(), Fault> {
        let mut claims = Vec::new();
        for (path, size) in wanted.iter().filter(|(path, _)| !self.things.contains_key(path)) {
            let what = if size.is_some() { Claimed::Disk(path.clone()) } else { Claimed::Folder(path.clone()) };
            claims.push(Claim { id: self.new_claim(), instance: self.id, what });
        }
        if claims.is_empty() {
            return Ok(());
        }
        self.shared.ports.claims.claim(claims.clone()).await?;
        for claim in claims {
            if let Claimed::Folder(path) | Claimed::Disk(path) = claim.what {
                self.things.insert(path, claim.id);
            }
        }
        Ok(())
    }

    /// Preparing takes long on first use: how far it has come is told as a condition.
    async fn prepare_image(&mut self, name: &str) -> Result<(), Fault> {
        let (sender, mut progress) = tokio::sync::watch::channel(None);
        let images = Arc::clone(&self.shared.ports.images);
        let watcher = Arc::new(move |step: Progress| {
            sender.send_replace(Some(step));
        });
        let ensure = images.ensure(name, watcher);
        tokio::pin!(ensure);
        let outcome = loop {
            tokio::select! {
                outcome = &mut ensure => break outcome,
                Ok(()) = progress.changed() => {
                    let step = progress.borrow_and_update().clone();
                    if let Some(step) = step {
                        let message = format!("{}, {} %", step.stage, step.permille / 10);
                        self.told.condition(self.now(), "ImagePrepared", false, ("Preparing", &message));
                        self.tell(Sight::Preparing).await?;
                    }
                }
            }
        };
        match outcome {
            Ok(files) => {
                self.told.condition(self.now(), "ImagePrepared", true, ("Prepared", &files.title));
                Ok(())
            }
            Err(fault) => {
                self.told.condition(self.now(), "ImagePrepared", false, ("Failed", &fault.to_string()));
                Err(fault)
            }
        }
    }

    /// Starts a machine; one that cannot be started has ended.
    pub(super) async fn launch(&mut self, boot_epoch: u64, again: bool) -> Result<(), Fault> {
        let placed = self.placed()?;
        self.restarts = if again { self.restarts.saturating_add(1) } else { 0 };
        self.told.clear("StepSucceeded");
        self.tell(Sight::Starting).await?;
        let begun = Instant::now();
        match self.try_launch(&placed, boot_epoch).await {
            Ok(running) => {
                let chosen = running.machine.chosen();
                self.shared.figures.launched(&running.held.process.driver, begun.elapsed());
                tracing::info!(pid = running.machine.alive().pid, driver = chosen.driver, boot_epoch, "running");
                self.become_live(running);
            }
            Err(fault) if fault.reason == Reason::StoreFull => return Err(fault),
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

    async fn try_launch(&self, placed: &Placed, boot_epoch: u64) -> Result<Running, Fault> {
        let ports = &self.shared.ports;
        let driver = self.driver_for(&placed.spec)?;
        let (kernel, disks) = tokio::try_join!(self.resolve_boot(placed), self.resolve_disks(&placed.spec))?;
        let (claim, incarnation) = (self.new_claim(), IncarnationId::new(self.now(), ports.clock.random()));
        let console_log = self.shared.layout.console_log(self.id);
        let (console_offset, _) = ports.volumes.log_extent(&console_log).await?;
        let process = ProcessClaim {
            incarnation,
            driver: driver.capabilities().driver.clone(),
            chosen: driver.choose(&placed.spec),
            boot_epoch,
            generation: placed.generation,
            at: self.now(),
            run_dir: self.shared.layout.sockets(claim),
            vmm_log: self.shared.layout.vmm_log(self.id),
            restarts: self.restarts,
            console_offset,
        };
        let what = Claimed::Process(process.clone());
        ports.claims.claim(vec![Claim { id: claim, instance: self.id, what }]).await?;
        let order = Order {
            claim,
            instance: self.id,
            name: placed.name.clone(),
            incarnation,
            spec: Arc::clone(&placed.spec),
            boot: kernel,
            disks,
            run_dir: process.run_dir.clone(),
            console_log,
            vmm_log: process.vmm_log.clone(),
            confinement: confinement(&placed.spec),
        };
        let note = Note { reboot_epoch: placed.desired.reboot_epoch, ..Note::default() };
        let mut held = Held { claim, process, note };
        match self.start(driver.as_ref(), order).await {
            Ok(machine) => {
                held.note.alive = Some(machine.alive());
                ports.claims.note(claim, held.note.clone()).await?;
                let state = machine.state();
                Ok(Running { held, machine, state })
            }
            Err(fault) => {
                self.clear_away(&held).await?;
                Err(fault)
            }
        }
    }

    async fn start(
        &self,
        driver: &dyn Hypervisor,
        order: Order,
    ) -> Result<Box<dyn weft_ports::hypervisor::Machine>, Fault> {
        self.shared.ports.volumes.make_folder(&order.run_dir).await?;
        driver.launch(order).await
    }

    fn driver_for(&self, spec: &Spec) -> Result<Arc<dyn Hypervisor>, Fault> {
        let drivers = &self.shared.ports.drivers;
        let capabilities: Vec<_> = drivers.iter().map(|driver| driver.capabilities().as_ref().clone()).collect();
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

    async fn resolve_disk(&self, disk: &Disk, index: usize) -> Result<PathBuf, Fault> {
        match &disk.source {
            DiskSource::Path(path) => {
                let want = if disk.read_only { Want::DiskToRead } else { Want::DiskToWrite };
                self.shared.ports.volumes.resolve(path, want, &format!("vm.spec.disks[{index}].path")).await
            }
            DiskSource::Blank { .. } => Ok(self.shared.layout.disk(self.id, &disk.name)),
            DiskSource::Volume(_) | DiskSource::Image(_) | DiskSource::VhostUser { .. } => Err(Fault::field(
                Reason::FieldUnsupported,
                format!("vm.spec.disks[{index}]"),
                "this source of a disk is not served by this node",
            )),
        }
    }

    /// Takes up or buries what the journal holds from a former agent.
    pub(super) async fn settle(&mut self) -> Result<(), Fault> {
        while let Some(held) = self.unsettled.last().cloned() {
            let lives = held.note.alive.as_ref().filter(|alive| self.shared.ports.processes.lives(alive)).cloned();
            match (lives, &held.note.exit) {
                (Some(alive), None) if self.live.is_none() => self.adopt(held, alive).await?,
                (_, _) => self.bury_stranger(held).await?,
            }
            self.unsettled.pop();
        }
        Ok(())
    }

    async fn adopt(&mut self, held: Held, alive: weft_ports::processes::Alive) -> Result<(), Fault> {
        if self.placed.is_none() || self.wanted().desired.deleted {
            // Nobody wants it: whether it answers does not matter.
            return self.bury_stranger(held).await;
        }
        let drivers = &self.shared.ports.drivers;
        let driver = drivers.iter().find(|driver| driver.capabilities().driver == held.process.driver);
        let driver = driver.cloned().ok_or_else(|| {
            Fault::new(Reason::DriverUnavailable, format!("driver {} is not here any more", held.process.driver))
                .fix("install it again; the machine runs on until then")
        })?;
        let pid = alive.pid;
        let adoption = Adoption {
            instance: self.id,
            incarnation: held.process.incarnation,
            alive,
            chosen: held.process.chosen.clone(),
            run_dir: held.process.run_dir.clone(),
            vmm_log: held.process.vmm_log.clone(),
        };
        let machine = driver.adopt(adoption).await?;
        tracing::info!(pid, "taken up from a former agent");
        self.shared.figures.adopted();
        self.restarts = held.process.restarts;
        let state = machine.state();
        self.become_live(Running { held, machine, state });
        Ok(())
    }

    fn become_live(&mut self, running: Running) {
        let (cgroups, warning) = self.shared.ports.processes.cgroups();
        let message = warning.unwrap_or_else(|| format!("in a cgroup of its own ({cgroups:?})"));
        let confined = cgroups != weft_ports::processes::Cgroups::None;
        let reason = if confined { "Cgroup" } else { "NoCgroup" };
        self.told.condition(self.now(), "Confined", confined, (reason, &message));
        self.told.clear("StepSucceeded");
        self.begin_readiness(&running.held);
        self.hub = None;
        self.live = Some(running);
    }

    fn new_claim(&self) -> ClaimId {
        let clock = &self.shared.ports.clock;
        ClaimId::new(clock.now(), clock.random())
    }
}

fn confinement(spec: &Spec) -> Confinement {
    let guest = spec.memory.size_bytes.saturating_add(spec.memory.hotplug_bytes);
    Confinement {
        memory_bytes: Some(guest.saturating_add(guest / 8).saturating_add(VMM_MEMORY_LIMIT)),
        cpu_millis: None,
        pids: Some(VMM_THREADS + u64::from(spec.cpu.max)),
        open_files: Some(VMM_FILES),
    }
}
