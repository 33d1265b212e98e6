//! What was asked: the whole specification of a VM.
//!
//! A [`Draft`] is what a caller wrote, with defaults filled in; [`Draft::check`] turns it into a
//! [`Spec`], which cannot hold a wrong value and is only read from then on. What is lawful but
//! served by no driver is told by [`Draft::needs`], against a driver's capabilities.
//!
//! Field paths in violations are those of the proto, from the request's root: `vm.spec.cpu.boot`.

pub mod change;
pub mod changes;
pub mod check;
pub mod cpu;
pub mod device;
pub mod disk;
pub mod memory;
pub mod nic;
pub mod payload;
pub mod policy;

pub use crate::machine::{Accelerator, Machine};
pub use cpu::{CoreScheduling, Cpu, CpuFeature, Pin, Topology};
pub use device::{
    CloudInit, Console, ConsoleMode, Device, DeviceKind, Metadata, MetadataVersion, NumaNode, Platform, RateLimit,
    RateLimitGroup, Rng, TokenBucket, Vsock,
};
pub use disk::{Disk, DiskCache, DiskFormat, DiskSource, IoEngine, QueuePin};
pub use memory::{Balloon, HotplugMethod, Memory, Zone};
pub use nic::{Attachment, Forward, Mac, Nic, Offloads, Transport, VhostMode};
pub use payload::{Driver, Payload};
pub use policy::{Readiness, ReadinessProbe, RestartPolicy};

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

/// A specification as a caller wrote it, defaults filled in, not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Which driver runs it.
    pub driver: Driver,
    /// The machine model.
    pub machine: Machine,
    /// What executes guest code.
    pub accelerator: Accelerator,
    /// Virtual CPUs.
    pub cpu: Cpu,
    /// Memory.
    pub memory: Memory,
    /// What boots.
    pub payload: Payload,
    /// Block devices, in order.
    pub disks: Vec<Disk>,
    /// Network interfaces, in order.
    pub nics: Vec<Nic>,
    /// The serial port.
    pub serial: Console,
    /// The virtio console.
    pub console: Console,
    /// The source of randomness for the guest.
    pub rng: Option<Rng>,
    /// The guest's vsock.
    pub vsock: Option<Vsock>,
    /// The metadata service.
    pub metadata: Option<Metadata>,
    /// The cloud-init seed.
    pub cloud_init: Option<CloudInit>,
    /// Rate limits that disks share, by name.
    pub rate_limit_groups: Vec<RateLimitGroup>,
    /// Further devices, in order.
    pub devices: Vec<Device>,
    /// What the guest reads about its machine.
    pub platform: Option<Platform>,
    /// NUMA nodes of the guest.
    pub numa: Vec<NumaNode>,
    /// A watchdog that resets a guest which no longer feeds it.
    pub watchdog: bool,
    /// The Unix socket of a TPM that another process plays.
    pub tpm: Option<PathBuf>,
    /// The network namespace that the VMM runs in, as a file; `None` for one of its own where it is jailed.
    pub network_namespace: Option<PathBuf>,
    /// What happens after an exit.
    pub restart: RestartPolicy,
    /// When the guest counts as ready.
    pub readiness: Option<Readiness>,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            driver: Driver::Auto,
            machine: Machine::Auto,
            accelerator: Accelerator::Auto,
            cpu: Cpu::default(),
            memory: Memory::default(),
            payload: Payload::default(),
            disks: Vec::new(),
            nics: Vec::new(),
            serial: Console::new(ConsoleMode::Socket),
            console: Console::new(ConsoleMode::Off),
            rng: None,
            vsock: None,
            metadata: None,
            cloud_init: None,
            rate_limit_groups: Vec::new(),
            devices: Vec::new(),
            platform: None,
            numa: Vec::new(),
            watchdog: false,
            tpm: None,
            network_namespace: None,
            restart: RestartPolicy::default(),
            readiness: None,
        }
    }
}

/// A checked specification. Read it like a [`Draft`]; to change it, take the draft and check again. It never
/// changes, so all who hold one share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec(Arc<Draft>);

impl Spec {
    /// The draft again, to be changed.
    #[must_use]
    pub fn into_draft(self) -> Draft {
        Arc::unwrap_or_clone(self.0)
    }
}

impl Deref for Spec {
    type Target = Draft;
    fn deref(&self) -> &Draft {
        &self.0
    }
}
