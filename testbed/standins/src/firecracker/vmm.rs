//! Firecracker's state machine: what each order does, and when it is refused.
//!
//! ```text
//!  Not started ── InstanceStart ──► Running ◄── Resumed / Paused ──► Paused ── snapshot/create
//!       └──────── snapshot/load ──────────────────────────────────────┘
//! ```
//!
//! What configures the machine for a boot closes the way to `snapshot/load`. A failed start leaves a process
//! that can be configured again; a failed load ends it.

mod power;

use super::devices::{Devices, Kind};
use super::endpoints::{Deed, Order, When};
use super::machine::Machine;
use super::memory::{Hint, Memory};
use super::metadata::Metadata;
use super::output::{Log, Metrics};
use super::refusal::Refusal;
use crate::faults::Faults;
use crate::version::Version;
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Where the machine stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    NotStarted,
    Running,
    Paused,
}

impl Phase {
    fn name(self) -> &'static str {
        match self {
            Self::NotStarted => "Not started",
            Self::Running => "Running",
            Self::Paused => "Paused",
        }
    }
}

/// What the command line settles.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// The microVM's id.
    pub(crate) id: String,
    /// The version played.
    pub(crate) version: Version,
    /// Whether devices hang on PCI.
    pub(crate) pci: bool,
    /// How large metadata may be.
    pub(crate) metadata_limit: usize,
}

/// The VMM.
#[derive(Debug)]
pub(crate) struct Vmm {
    setup: Setup,
    phase: Phase,
    boot_path: bool,
    pub(crate) memory: Memory,
    pub(crate) devices: Devices,
    boot: Option<Value>,
    entropy: Option<Value>,
    serial: Option<Value>,
    cpu: Option<Value>,
    mmds: Option<Value>,
    metadata: Option<Metadata>,
    machine: Arc<Machine>,
    log: Arc<Log>,
    metrics: Arc<Metrics>,
    faults: Faults,
}

/// What an order comes to: nothing, a document, or a refusal.
pub(crate) type Outcome = Result<Option<Value>, Refusal>;

fn done(result: Result<(), Refusal>) -> Outcome {
    result.map(|()| None)
}

impl Vmm {
    /// A VMM that nothing was asked of yet.
    #[must_use]
    pub(crate) fn new(setup: Setup, log: Arc<Log>, metrics: Arc<Metrics>, faults: Faults) -> Self {
        Self {
            setup,
            phase: Phase::NotStarted,
            boot_path: false,
            memory: Memory::default(),
            devices: Devices::default(),
            boot: None,
            entropy: None,
            serial: None,
            cpu: None,
            mmds: None,
            metadata: None,
            machine: Machine::new(log.clone(), metrics.clone(), faults.clone()),
            log,
            metrics,
            faults,
        }
    }

    /// Does what an order asks.
    ///
    /// # Errors
    /// Why it is not done.
    pub(crate) fn obey(&mut self, order: Order) -> Outcome {
        let started = self.phase != Phase::NotStarted;
        match order.endpoint.when {
            When::Before if started => return Err(Refusal::started()),
            When::After if !started => return Err(Refusal::not_started()),
            When::Any | When::Before | When::After => {}
        }
        self.boot_path |= order.endpoint.boots && !started;
        match order.endpoint.deed {
            Deed::Describe => Ok(Some(self.describe())),
            Deed::TellVersion => Ok(Some(json!({ "firecracker_version": self.setup.version.to_string() }))),
            Deed::Export => Ok(Some(self.export())),
            Deed::GetMachine => Ok(Some(self.memory.machine.clone())),
            Deed::GetMmds => self.metadata(started).map(|store| Some(store.document())),
            Deed::GetBalloon => self.memory.balloon(started).map(Some),
            Deed::GetBalloonStats => self.memory.balloon_stats().map(Some),
            Deed::GetHinting => self.memory.hint(None, self.driven()).map(Some),
            Deed::GetHotplug => self.memory.hotplug_status().map(Some),
            Deed::PutDrive => self.put_device(Kind::Drive, order.body),
            Deed::PutNic => self.put_device(Kind::Nic, order.body),
            Deed::PutPmem => self.put_device(Kind::Pmem, order.body),
            Deed::PatchDrive => done(self.devices.patch(Kind::Drive, &order.body)),
            Deed::PatchNic => done(self.devices.patch(Kind::Nic, &order.body)),
            Deed::PatchPmem => done(self.devices.patch(Kind::Pmem, &order.body)),
            Deed::DeleteDrive => self.unplug(Kind::Drive, &order.id),
            Deed::DeleteNic => self.unplug(Kind::Nic, &order.id),
            Deed::DeletePmem => self.unplug(Kind::Pmem, &order.id),
            Deed::PutMachine | Deed::PatchMachine => self.configure(&order),
            Deed::PutBalloon => done(self.memory.put_balloon(order.body)),
            Deed::PatchBalloon => done(self.memory.patch_balloon(&order.body, self.driven())),
            Deed::PatchBalloonStats => done(self.memory.patch_balloon_stats(&order.body)),
            Deed::StartHinting => self.memory.hint(Some(Hint::Start), self.driven()).map(|_| None),
            Deed::StopHinting => self.memory.hint(Some(Hint::Stop), self.driven()).map(|_| None),
            Deed::PutHotplug => done(self.memory.put_hotplug(order.body)),
            Deed::PatchHotplug => done(self.memory.patch_hotplug(&order.body, self.driven())),
            Deed::PutMmds => done(self.metadata(started).and_then(|store| store.put(order.body))),
            Deed::PatchMmds => done(self.metadata(started).and_then(|store| store.patch(&order.body))),
            Deed::PutMmdsConfig => done(self.put_mmds_config(order.body)),
            Deed::PutBoot => done(self.put_boot(order.body)),
            Deed::PutCpu => Ok(self.cpu.insert(order.body)).map(|_| None),
            Deed::PutVsock => done(self.devices.put_vsock(order.body)),
            Deed::PutEntropy => Ok(self.entropy.insert(order.body)).map(|_| None),
            Deed::PutSerial => Ok(self.serial.insert(order.body)).map(|_| None),
            Deed::PutLogger => done(self.put_logger(&order.body)),
            Deed::PutMetrics => done(self.put_metrics(&order.body)),
            Deed::Act => self.act(&order.body),
            Deed::PatchVm => self.turn(&order.body),
            Deed::CreateSnapshot => self.create_snapshot(&order.body),
            Deed::LoadSnapshot => self.load_snapshot(&order.body),
        }
    }

    fn describe(&self) -> Value {
        json!({
            "id": self.setup.id, "state": self.phase.name(),
            "vmm_version": self.setup.version.to_string(), "app_name": "Firecracker",
        })
    }

    fn export(&self) -> Value {
        let unset = json!({ "kernel_image_path": "", "initrd_path": null, "boot_args": null });
        json!({
            "balloon": self.memory.balloon, "drives": self.devices.of(Kind::Drive),
            "boot-source": self.boot.clone().unwrap_or(unset), "cpu-config": self.cpu, "logger": null,
            "machine-config": self.memory.machine, "metrics": null, "mmds-config": self.mmds,
            "network-interfaces": self.devices.of(Kind::Nic), "vsock": self.devices.vsock,
            "entropy": self.entropy, "pmem": self.devices.of(Kind::Pmem), "memory-hotplug": self.memory.hotplug(),
        })
    }

    fn configure(&mut self, order: &Order) -> Outcome {
        if order.endpoint.deed == Deed::PatchMachine && order.body.as_object().is_none_or(serde_json::Map::is_empty) {
            return Err(Refusal::bad("Empty PATCH request."));
        }
        done(self.memory.configure(&order.body))
    }

    fn put_logger(&self, body: &Value) -> Result<(), Refusal> {
        let set = self.log.configure(body);
        set.map_err(|error| Refusal::bad(format!("Logger error: the log cannot be opened: {error}")))
    }

    fn put_metrics(&self, body: &Value) -> Result<(), Refusal> {
        let set = self.metrics.configure(body, &self.setup.id);
        set.map_err(|why| Refusal::bad(format!("Metrics error: Cannot initialize the metrics system: {why}")))
    }

    fn put_boot(&mut self, body: Value) -> Result<(), Refusal> {
        for (name, what) in [("kernel_image_path", "kernel"), ("initrd_path", "initrd")] {
            if let Some(path) = body.get(name).and_then(Value::as_str) {
                std::fs::File::open(path).map_err(|error| {
                    Refusal::bad(format!("Boot source error: The {what} file cannot be opened: {error}"))
                })?;
            }
        }
        self.boot = Some(body);
        Ok(())
    }

    fn put_device(&mut self, kind: Kind, body: Value) -> Outcome {
        let id = body.get(kind.id()).and_then(Value::as_str).unwrap_or_default().to_owned();
        if self.phase == Phase::NotStarted {
            done(self.devices.put(kind, body))?;
        } else {
            if !self.setup.version.reached((1, 16)) {
                return Err(Refusal::started());
            }
            self.needs_pci()?;
            done(self.devices.plug(kind, body))?;
        }
        let group = match kind {
            Kind::Drive => "block",
            Kind::Nic => "net",
            Kind::Pmem => "pmem",
        };
        self.metrics.device(group, &id);
        Ok(None)
    }

    fn unplug(&mut self, kind: Kind, id: &str) -> Outcome {
        self.needs_pci()?;
        done(self.devices.unplug(kind, id))
    }

    fn needs_pci(&self) -> Result<(), Refusal> {
        if self.setup.pci { Ok(()) } else { Err(Refusal::bad("PCI is not enabled")) }
    }

    /// The metadata store, which is made on demand before the start and has to be there after it.
    pub(crate) fn metadata(&mut self, started: bool) -> Result<&mut Metadata, Refusal> {
        if started && self.metadata.is_none() {
            return Err(Metadata::missing());
        }
        Ok(self.metadata.get_or_insert_with(|| Metadata::new(self.setup.metadata_limit)))
    }

    fn put_mmds_config(&mut self, mut body: Value) -> Result<(), Refusal> {
        let refuse = |why: &str| Refusal::bad(format!("MMMDS config error: {why}"));
        let nics = body.get("network_interfaces").and_then(Value::as_array).cloned().unwrap_or_default();
        if nics.is_empty() {
            return Err(refuse("The list of network interfaces is empty."));
        }
        let address = body.get("ipv4_address").and_then(Value::as_str).unwrap_or("169.254.169.254").to_owned();
        let local = address.parse::<Ipv4Addr>().is_ok_and(|ip| {
            let [first, second, third, _] = ip.octets();
            (first, second) == (169, 254) && (1..=254).contains(&third)
        });
        if !local {
            return Err(refuse("The MMDS IPv4 address is not link local."));
        }
        if !nics.iter().filter_map(Value::as_str).all(|id| self.devices.has(Kind::Nic, id)) {
            return Err(refuse("The list names a network interface that does not exist."));
        }
        body["ipv4_address"] = json!(address);
        self.metadata(false)?;
        self.mmds = Some(body);
        Ok(())
    }

    /// Whether the guest drives a balloon and hotplugged memory.
    fn driven(&self) -> bool {
        let args = self.boot.as_ref().and_then(|boot| boot.get("boot_args")).and_then(Value::as_str);
        !args.unwrap_or_default().contains("standin.virtio=off")
    }
}
