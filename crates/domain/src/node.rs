//! A node: a machine that runs instances.

use crate::capability::Capabilities;
use crate::{Labels, Name, NodeId, Time};

/// A machine that runs instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its id, kept in its data folder.
    pub id: NodeId,
    /// Its name: the host's, as a DNS label.
    pub name: Name,
    /// What it is selected by.
    pub labels: Labels,
    /// When it was first seen.
    pub create_time: Time,
    /// What it is.
    pub facts: Facts,
}

/// What a node found about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The version of weft that runs there.
    pub weft_version: String,
    /// The kernel's release.
    pub kernel: String,
    /// The processor's architecture: `x86_64`.
    pub architecture: String,
    /// Changes with each start of the machine.
    pub boot_id: String,
    /// When the agent started.
    pub agent_start: Time,
    /// Processors.
    pub cpus: u32,
    /// Memory of the machine in bytes.
    pub memory_bytes: u64,
    /// Memory that instances may have in bytes.
    pub allocatable_memory_bytes: u64,
    /// Disk space that instances may have in bytes: what is free now and what they have already.
    pub allocatable_disk_bytes: u64,
    /// How VMMs are confined: `cgroup-v1`, `cgroup-v2` or `none`.
    pub cgroups: String,
    /// Drivers, in the order in which `auto` tries them.
    pub drivers: Vec<Capabilities>,
    /// What a person should know.
    pub warnings: Vec<String>,
}
