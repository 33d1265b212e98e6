//! What an agent is given: its settings and the ports it works through.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use weft_domain::node::Node;
use weft_ports::claims::Claims;
use weft_ports::clock::Clock;
use weft_ports::codec::SpecCodec;
use weft_ports::hypervisor::Hypervisor;
use weft_ports::images::Images;
use weft_ports::link::{Placements, UsageDesk};
use weft_ports::meters::Meters;
use weft_ports::processes::Processes;
use weft_ports::sightings::Sightings;
use weft_ports::spool::Spool;
use weft_ports::volumes::Volumes;
use weft_ports::volumes::parts::Parts;

/// An agent's settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// The node as it introduces itself; drivers and disk space are filled in by the agent.
    pub node: Node,
    /// Where instances have their folders.
    pub data_dir: PathBuf,
    /// Where incarnations have their sockets; a short path.
    pub run_dir: PathBuf,
    /// Bytes of a serial console's log that are kept.
    pub console_log_bytes: u64,
    /// Bytes of a VMM's own log that are kept.
    pub vmm_log_bytes: u64,
    /// Disk space that instances are not given, in bytes.
    pub reserved_disk_bytes: u64,
    /// How often logs are bounded and free space is told.
    pub upkeep: Duration,
    /// How often a census is taken.
    pub census: Duration,
    /// How long an owner waits before it tries a failed step again.
    pub retry: Duration,
    /// Whether VMMs are jailed.
    pub jail: JailPolicy,
}

/// Whether VMMs are jailed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JailPolicy {
    /// None is, as a person chose.
    Off,
    /// Each is where host and driver can, as a user of its own.
    Auto {
        /// Users, and groups of the same numbers, that nobody else on the node has.
        uids: RangeInclusive<u32>,
    },
    /// Each is; one that cannot be is not started.
    Required {
        /// Users, and groups of the same numbers, that nobody else on the node has.
        uids: RangeInclusive<u32>,
    },
}

/// The ports that an agent works through.
#[derive(Clone)]
pub struct Ports {
    /// Control's side of the link.
    pub placements: Arc<dyn Placements>,
    /// Drivers, in the order in which `auto` tries them.
    pub drivers: Vec<Arc<dyn Hypervisor>>,
    /// Processes of the host.
    pub processes: Arc<dyn Processes>,
    /// What is on the host.
    pub sightings: Arc<dyn Sightings>,
    /// The journal.
    pub claims: Arc<dyn Claims>,
    /// Disks, folders and logs of the host.
    pub volumes: Arc<dyn Volumes>,
    /// Files of snapshots.
    pub parts: Arc<dyn Parts>,
    /// How specifications are written into the journal.
    pub specs: Arc<dyn SpecCodec>,
    /// Kernels and root file systems.
    pub images: Arc<dyn Images>,
    /// Time and randomness.
    pub clock: Arc<dyn Clock>,
    /// What measures usage; `None` where it is not measured.
    pub metering: Option<Metering>,
}

/// How usage is measured, kept and handed on.
#[derive(Clone)]
pub struct Metering {
    /// Between two measurements: at least [`SHORTEST`](crate::sampler::SHORTEST), at most
    /// [`LONGEST`](crate::sampler::LONGEST).
    pub interval: Duration,
    /// Counters of processes.
    pub meters: Arc<dyn Meters>,
    /// Where it is written down first.
    pub spool: Arc<dyn Spool>,
    /// Control's ledger.
    pub desk: Arc<dyn UsageDesk>,
}
