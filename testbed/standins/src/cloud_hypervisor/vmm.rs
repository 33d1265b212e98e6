//! Cloud Hypervisor's state machine: what each request does, what it tells, and when it is refused.
//!
//! ```text
//!  nothing ── create ──► Created ── boot ──► Running ◄── resume / pause ──► Paused ── snapshot, migration
//!     ▲                     ▲ ▲                 │  ▲                           │
//!     └────── delete ───────┘ └── shutdown ─────┘  └────────── reboot ─────────┘
//! ```
//!
//! `vm.create` looks at nothing but the consoles; what is wrong shows when it boots. A boot that fails at its
//! kernel leaves a machine that was made and never ran. After a shutdown the configuration stays and the state
//! is `Created` again.

mod devices;
mod size;
mod travel;

use super::consoles::Consoles;
use super::endpoints::Deed;
use super::events::Monitor;
use super::machine::{self, Machine};
use super::refusal::Why;
use super::rules::{self, memory_size};
use crate::faults::Faults;
use crate::guest::{Found, Guest, is_image};
use crate::version::Version;
use crate::wire::Reply;
use devices::Devices;
use serde_json::{Value, json};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Weak};

/// Where a machine that was made stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Created,
    Running,
    Paused,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Created => "Created",
            Self::Running => "Running",
            Self::Paused => "Paused",
        }
    }
}

/// A machine that was made.
struct Made {
    state: State,
    devices: Devices,
    /// Memory that it has, before the balloon.
    ram: u64,
    balloon: u64,
}

/// What the command line settles.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) version: Version,
    pub(crate) no_shutdown: bool,
}

/// The VMM.
pub(crate) struct Vmm {
    pub(crate) setup: Setup,
    config: Option<Value>,
    consoles: Option<Consoles>,
    made: Option<Made>,
    /// What is told of a machine while it migrates.
    migrating: Option<Value>,
    machine: Arc<Machine>,
    pub(crate) monitor: Arc<Monitor>,
    faults: Faults,
    /// Itself, for those who finish what takes longer than a request.
    pub(crate) myself: Weak<std::sync::Mutex<Self>>,
}

/// What comes of a request.
pub(crate) type Outcome = Result<Reply, Why>;

fn done(result: Result<(), Why>) -> Outcome {
    result.map(|()| Reply::empty())
}

impl Vmm {
    /// A VMM that nothing was asked of yet.
    pub(crate) fn new(setup: Setup, machine: Arc<Machine>, monitor: Monitor, faults: Faults) -> Self {
        monitor.tell("vmm", "starting");
        Self {
            setup,
            config: None,
            consoles: None,
            made: None,
            migrating: None,
            machine,
            monitor: Arc::new(monitor),
            faults,
            myself: Weak::new(),
        }
    }

    /// Does what a request asks.
    pub(crate) fn obey(&mut self, deed: Deed, body: Value, files: Vec<OwnedFd>) -> Outcome {
        match deed {
            Deed::Ping => Ok(Reply::json(200, &self.ping())),
            Deed::EndVmm => self.end().map(|()| Reply { status: 200, exit: Some(0), ..Reply::default() }),
            Deed::Create => done(self.create(body)),
            Deed::Delete => done(self.delete()),
            Deed::Boot => done(self.boot()),
            Deed::Pause => done(self.pause()),
            Deed::Resume => done(self.resume()),
            Deed::Shutdown => done(self.shutdown()),
            Deed::Reboot => done(self.reboot()),
            Deed::PowerButton => done(self.made().map(|_| ()).inspect(|()| self.machine.power_button())),
            Deed::Nmi => done(self.made().map(|_| ())),
            Deed::Describe => self.describe().map(|value| Reply::json(200, &value)),
            Deed::Count => self.made().map(|made| Reply::json(200, &made.devices.counters())),
            Deed::Resize => done(self.resize(&body)),
            Deed::ResizeDisk => done(self.resize_disk(&body)),
            Deed::ResizeZone => done(self.resize_zone(&body)),
            Deed::Add(slot) => self.add(slot, body, files),
            Deed::Remove => done(self.remove(body["id"].as_str().unwrap_or_default())),
            Deed::Snapshot => done(self.snapshot(&body)),
            Deed::Restore => done(self.restore(&body)),
            Deed::Receive => done(self.receive(&body)),
            Deed::Send => self.send(&body),
        }
    }

    fn ping(&self) -> Value {
        let version = &self.setup.version;
        json!({
            "build_version": format!("v{version}"), "version": version.to_string(), "pid": std::process::id(),
            "features": ["io_uring", "kvm"],
        })
    }

    /// The machine that was made.
    fn made(&self) -> Result<&Made, Why> {
        self.free()?;
        self.made.as_ref().ok_or(Why::NotRunning)
    }

    /// Refused while a migration runs.
    fn free(&self) -> Result<(), Why> {
        if self.migrating.is_some() { Err(Why::Migrating) } else { Ok(()) }
    }

    fn create(&mut self, config: Value) -> Result<(), Why> {
        self.free()?;
        if self.config.is_some() {
            return Err(Why::AlreadyCreated);
        }
        let config = self.config.insert(config);
        for net in config.get_mut("net").and_then(Value::as_array_mut).into_iter().flatten() {
            net.as_object_mut().map(|net| net.remove("fds"));
        }
        self.consoles = Some(Consoles::open(config)?);
        Ok(())
    }

    fn boot(&mut self) -> Result<(), Why> {
        self.free()?;
        if self.made.is_some() {
            return Err(Why::AlreadyCreated);
        }
        self.monitor.tell("vm", "booting");
        let config = self.config.as_mut().ok_or(Why::NoConfig)?;
        if self.consoles.is_none() {
            self.consoles = Some(Consoles::open(config)?);
        }
        self.make()?;
        self.run_kernel()?;
        self.monitor.tell("vm", "booted");
        Ok(())
    }

    /// Makes the devices of a configuration that is right.
    fn make(&mut self) -> Result<(), Why> {
        let config = self.config.as_mut().ok_or(Why::NoConfig)?;
        rules::check(config)?;
        let devices = Devices::make(config)?;
        let balloon = config["balloon"]["size"].as_u64().unwrap_or_default();
        self.made = Some(Made { state: State::Created, devices, ram: memory_size(config), balloon });
        Ok(())
    }

    fn run_kernel(&mut self) -> Result<(), Why> {
        let (Some(config), Some(made)) = (&self.config, &mut self.made) else { return Err(Why::NotCreated) };
        let payload = &config["payload"];
        let mut image = Vec::new();
        for name in ["kernel", "firmware", "initramfs"] {
            if let Some(path) = payload.get(name).and_then(Value::as_str) {
                let bytes = loadable(name, path);
                let bytes = bytes.map_err(|why| Why::Failed(vec![format!("Cannot open {name} file"), why]))?;
                if name == "kernel" {
                    image = bytes;
                }
            }
        }
        made.state = State::Running;
        for id in made.devices.virtio() {
            self.monitor.tell_of("virtio-device", "activated", &json!({ "id": id }));
        }
        let found = Found {
            mebibytes: made.ram >> 20,
            cpus: config["cpus"]["boot_vcpus"].as_u64().unwrap_or(1),
            command_line: payload["cmdline"].as_str().unwrap_or_default().to_owned(),
        };
        if let Some(consoles) = self.consoles.take() {
            let (serial, kept) = consoles.split();
            self.machine.boot(Guest::boot(&image, found), serial, kept);
        }
        Ok(())
    }

    fn pause(&mut self) -> Result<(), Why> {
        self.made()?;
        self.monitor.tell("vm", "pausing");
        self.turn(State::Paused)?;
        self.monitor.tell("vm", "paused");
        Ok(())
    }

    fn resume(&mut self) -> Result<(), Why> {
        self.made()?;
        self.monitor.tell("vm", "resuming");
        self.turn(State::Running)?;
        self.monitor.tell("vm", "resumed");
        Ok(())
    }

    fn turn(&mut self, to: State) -> Result<(), Why> {
        let made = self.made.as_mut().ok_or(Why::NotRunning)?;
        let lawful = matches!(
            (made.state, to),
            (State::Running | State::Created, State::Paused) | (State::Paused, State::Running)
        );
        if !lawful {
            let transition = format!("Invalid transition: InvalidStateTransition({:?}, {to:?})", made.state);
            let what = if to == State::Paused { "Cannot pause VM" } else { "Cannot resume VM" };
            return Err(Why::Failed(vec![what.to_owned(), transition]));
        }
        made.state = to;
        self.machine.run(to == State::Running);
        Ok(())
    }

    fn shutdown(&mut self) -> Result<(), Why> {
        self.free()?;
        if self.made.take().is_none() {
            return Err(Why::NotRunning);
        }
        self.consoles = None;
        self.machine.off();
        self.monitor.tell("vm", "shutdown");
        Ok(())
    }

    fn reboot(&mut self) -> Result<(), Why> {
        self.free()?;
        self.monitor.tell("vm", "rebooting");
        if self.made.take().is_none() {
            return Err(Why::NotCreated);
        }
        self.machine.off();
        let config = self.config.as_mut().ok_or(Why::NotCreated)?;
        self.consoles = Some(Consoles::open(config)?);
        self.make()?;
        self.run_kernel()?;
        self.monitor.tell("vm", "rebooted");
        Ok(())
    }

    fn delete(&mut self) -> Result<(), Why> {
        if self.config.is_none() {
            return Ok(());
        }
        self.free()?;
        if self.made.is_some() {
            self.shutdown()?;
        }
        self.consoles = None;
        self.config = None;
        self.monitor.tell("vm", "deleted");
        Ok(())
    }

    fn end(&mut self) -> Result<(), Why> {
        self.delete()?;
        self.monitor.tell("vmm", "shutdown");
        Ok(())
    }

    fn describe(&self) -> Result<Value, Why> {
        if let Some(told) = &self.migrating {
            return Ok(told.clone());
        }
        let config = self.config.as_ref().ok_or(Why::NotCreated)?;
        let base = memory_size(config);
        Ok(match &self.made {
            None => json!({ "config": config, "state": "Created", "memory_actual_size": base }),
            Some(made) => json!({
                "config": config, "state": made.state.name(),
                "memory_actual_size": base.saturating_sub(made.balloon), "device_tree": made.devices.tree(),
            }),
        })
    }

    /// What a guest did to its machine; whether the process ends with it.
    pub(crate) fn suffer(&mut self, boot: u64, deed: machine::Deed) -> bool {
        if boot != self.machine.boots() || self.migrating.is_some() {
            return false;
        }
        match deed {
            machine::Deed::Reset => {
                let _ = self.reboot();
                false
            }
            machine::Deed::PowerOff if self.setup.no_shutdown => {
                let _ = self.shutdown();
                false
            }
            machine::Deed::PowerOff => {
                let _ = self.end();
                true
            }
            machine::Deed::Panic => {
                if self.config.as_ref().is_some_and(|config| config["pvpanic"] == true) {
                    self.monitor.tell_of("guest", "panic", &json!({ "event": "panic" }));
                }
                false
            }
        }
    }
}

/// What a file holds, which is an image that can be run where it has to be.
fn loadable(name: &str, path: &str) -> Result<Vec<u8>, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    if name == "kernel" && !is_image(&bytes) {
        Err("it is neither an ELF image nor a bzImage".to_owned())
    } else {
        Ok(bytes)
    }
}
