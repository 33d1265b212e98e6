//! What a specification needs of a driver, each with the field that asks for it.
//!
//! A field that no driver serves is refused by name; it is never ignored.

mod further;

use crate::capability::{Capabilities, Feature};
use crate::spec::payload::DEFAULT_IMAGE;
use crate::spec::{Attachment, ConsoleMode, DiskFormat, DiskSource, Draft, Machine, Payload, ReadinessProbe};
use crate::{Fault, Reason, Violation, spec::Accelerator};

/// A feature and the field that asks for it.
pub type Need = (Feature, String);

struct Needs(Vec<Need>);

impl Needs {
    fn when(&mut self, asked: bool, feature: Feature, field: impl Into<String>) {
        if asked {
            self.0.push((feature, field.into()));
        }
    }
}

impl Draft {
    /// Everything that it needs of a driver.
    #[must_use]
    pub fn needs(&self) -> Vec<Need> {
        let mut needs = Needs(Vec::new());
        let machine = self.machine != Machine::Auto;
        needs.when(machine, Feature::Machine(self.machine), "vm.spec.machine");
        let accelerator = self.accelerator != Accelerator::Auto;
        needs.when(accelerator, Feature::Accelerator(self.accelerator), "vm.spec.accelerator");
        cpu_and_memory(self, &mut needs);
        payload(self, &mut needs);
        disks(self, &mut needs);
        nics(self, &mut needs);
        devices(self, &mut needs);
        further::needs(self, &mut needs);
        readiness(self, &mut needs);
        needs.0
    }
}

fn cpu_and_memory(draft: &Draft, needs: &mut Needs) {
    use Feature as F;
    let (cpu, memory) = (&draft.cpu, &draft.memory);
    needs.when(cpu.max > cpu.boot, F::CpuHotplug, "vm.spec.cpu.max");
    needs.when(cpu.topology.is_some(), F::CpuTopology, "vm.spec.cpu.topology");
    needs.when(!cpu.features.is_empty(), F::CpuFeatures, "vm.spec.cpu.features");
    needs.when(!cpu.pinning.is_empty(), F::CpuPinning, "vm.spec.cpu.pinning");
    needs.when(memory.hotplug_bytes > 0, F::MemoryHotplug, "vm.spec.memory.hotplug_bytes");
    needs.when(memory.huge_page_bytes.is_some(), F::HugePages, "vm.spec.memory.huge_page_bytes");
    needs.when(memory.shared, F::SharedMemory, "vm.spec.memory.shared");
    needs.when(memory.mergeable, F::MergeableMemory, "vm.spec.memory.mergeable");
    needs.when(memory.prefault, F::Prefault, "vm.spec.memory.prefault");
    needs.when(memory.thp, F::TransparentHugePages, "vm.spec.memory.thp");
    needs.when(memory.balloon.is_some(), F::Balloon, "vm.spec.memory.balloon");
}

fn payload(draft: &Draft, needs: &mut Needs) {
    use Feature as F;
    match &draft.payload {
        Payload::Kernel { initramfs, .. } => {
            needs.when(true, F::Kernel, "vm.spec.payload.kernel");
            needs.when(initramfs.is_some(), F::Initramfs, "vm.spec.payload.initramfs");
        }
        Payload::Firmware { .. } => needs.when(true, F::Firmware, "vm.spec.payload.firmware"),
        Payload::Image { name, .. } => {
            let feature = if name == DEFAULT_IMAGE { F::DefaultImage } else { F::NamedImage };
            needs.when(true, feature, "vm.spec.payload.image");
        }
    }
}

fn disks(draft: &Draft, needs: &mut Needs) {
    use Feature as F;
    for (i, disk) in draft.disks.iter().enumerate() {
        let at = |name: &str| format!("vm.spec.disks[{i}].{name}");
        match &disk.source {
            DiskSource::Path(_) | DiskSource::Blank { .. } => {}
            DiskSource::Volume(_) => needs.when(true, F::DiskVolume, at("volume")),
            DiskSource::Image(_) => needs.when(true, F::DiskImage, at("image")),
            DiskSource::VhostUser { .. } => needs.when(true, F::DiskVhostUser, at("vhost_user_socket")),
        }
        let format = match disk.format {
            DiskFormat::Raw => F::DiskRaw,
            DiskFormat::Qcow2 => F::DiskQcow2,
        };
        needs.when(true, format, at("format"));
        needs.when(disk.direct, F::DiskDirect, at("direct"));
        needs.when(disk.queues > 0, F::DiskQueues, at("queues"));
        needs.when(disk.queue_size > 0, F::DiskQueues, at("queue_size"));
        needs.when(disk.rate_limit.is_some(), F::DiskRateLimit, at("rate_limit"));
        needs.when(disk.rate_limit_group.is_some(), F::DiskRateLimitGroup, at("rate_limit_group"));
        needs.when(disk.serial.is_some(), F::DiskSerial, at("serial"));
        needs.when(disk.pci_segment > 0, F::PciSegment, at("pci_segment"));
        needs.when(disk.iommu, F::Iommu, at("iommu"));
    }
}

fn nics(draft: &Draft, needs: &mut Needs) {
    use Feature as F;
    for (i, nic) in draft.nics.iter().enumerate() {
        let at = |name: &str| format!("vm.spec.nics[{i}].{name}");
        match &nic.attachment {
            Attachment::User { forwards } => {
                needs.when(true, F::NicUser, at("user"));
                needs.when(!forwards.is_empty(), F::NicForward, at("user.forwards"));
            }
            Attachment::Network(_) => needs.when(true, F::NicNetwork, at("network")),
            Attachment::Tap(_) => needs.when(true, F::NicTap, at("tap")),
            Attachment::Macvtap(_) => needs.when(true, F::NicMacvtap, at("macvtap")),
            Attachment::VhostUser { .. } => needs.when(true, F::NicVhostUser, at("vhost_user_socket")),
        }
        needs.when(nic.ip.is_some(), F::NicAddress, at("ip"));
        needs.when(nic.mtu > 0, F::NicMtu, at("mtu"));
        needs.when(nic.queues > 0, F::NicQueues, at("queues"));
        needs.when(nic.queue_size > 0, F::NicQueues, at("queue_size"));
        needs.when(nic.offloads.is_some(), F::NicOffloads, at("offloads"));
        needs.when(nic.rx_rate_limit.is_some(), F::NicRateLimit, at("rx_rate_limit"));
        needs.when(nic.tx_rate_limit.is_some(), F::NicRateLimit, at("tx_rate_limit"));
        needs.when(nic.pci_segment > 0, F::PciSegment, at("pci_segment"));
        needs.when(nic.iommu, F::Iommu, at("iommu"));
    }
}

fn devices(draft: &Draft, needs: &mut Needs) {
    use Feature as F;
    match draft.serial.mode {
        ConsoleMode::Off | ConsoleMode::Null => {}
        ConsoleMode::Socket => needs.when(true, F::SerialLog, "vm.spec.serial.mode"),
        ConsoleMode::Pty => needs.when(true, F::SerialPty, "vm.spec.serial.mode"),
        ConsoleMode::Tty => needs.when(true, F::SerialTty, "vm.spec.serial.mode"),
        ConsoleMode::File => needs.when(true, F::SerialFile, "vm.spec.serial.mode"),
    }
    needs.when(draft.console.mode != ConsoleMode::Off, F::VirtioConsole, "vm.spec.console.mode");
    needs.when(draft.rng.is_some(), F::Rng, "vm.spec.rng");
    needs.when(draft.vsock.is_some(), F::Vsock, "vm.spec.vsock");
    needs.when(draft.metadata.is_some(), F::MetadataService, "vm.spec.metadata");
    needs.when(draft.cloud_init.is_some(), F::CloudInit, "vm.spec.cloud_init");
}

fn readiness(draft: &Draft, needs: &mut Needs) {
    use Feature as F;
    let Some(readiness) = &draft.readiness else { return };
    let (feature, field) = match readiness.probe {
        ReadinessProbe::Serial { .. } => (F::ReadinessSerial, "serial_text"),
        ReadinessProbe::Vsock { .. } => (F::ReadinessVsock, "vsock_port"),
        ReadinessProbe::Tcp { .. } => (F::ReadinessTcp, "tcp_port"),
        ReadinessProbe::Http { .. } => (F::ReadinessHttp, "http"),
        ReadinessProbe::GuestAgent => (F::ReadinessGuestAgent, "guest_agent"),
    };
    needs.when(true, feature, format!("vm.spec.readiness.{field}"));
}

/// The fields of `draft` that this driver does not serve.
#[must_use]
pub fn unserved(draft: &Draft, driver: &Capabilities) -> Vec<Violation> {
    let missing = draft.needs().into_iter().filter(|(feature, _)| !driver.features.contains(feature));
    missing
        .map(|(_, field)| Violation {
            field,
            why: format!("is not served by driver {} {}", driver.driver, driver.version),
        })
        .collect()
}

/// The driver that runs `draft`: the one it names, or the first that serves all of it.
///
/// # Errors
/// No driver of that name, or the fields that the best candidate does not serve.
pub fn choose<'a>(draft: &Draft, drivers: &'a [Capabilities]) -> Result<&'a Capabilities, Fault> {
    let named = |driver: &&Capabilities| match &draft.driver {
        crate::spec::Driver::Auto => true,
        crate::spec::Driver::Named(name) => driver.driver == *name,
    };
    let mut best: Option<Vec<Violation>> = None;
    for driver in drivers.iter().filter(named) {
        let missing = unserved(draft, driver);
        if missing.is_empty() {
            return Ok(driver);
        }
        if best.as_ref().is_none_or(|least| missing.len() < least.len()) {
            best = Some(missing);
        }
    }
    let here: Vec<_> = drivers.iter().map(|driver| driver.driver.as_str()).collect();
    let fix = "run `weft doctor` on the node to see what it can run, and what to install for the rest";
    match best.and_then(|missing| Fault::from_violations(Reason::FieldUnsupported, missing)) {
        Some(fault) => {
            Err(fault.fix("leave the field out, or name another driver; `weft node get` lists what each can do"))
        }
        None => {
            let why = if here.is_empty() {
                "the node has no driver".to_owned()
            } else {
                format!("the node has: {}", here.join(", "))
            };
            Err(Fault::field(Reason::DriverUnavailable, "vm.spec.driver", why).fix(fix))
        }
    }
}
