//! A node: a machine that runs instances.

use crate::capability::Capabilities;
use crate::{InstanceId, Labels, Name, NodeId, SnapshotId, Time};
use std::collections::BTreeSet;

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

/// What is on a node and unknown to the state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Orphans {
    /// Instances, with their disks.
    pub instances: BTreeSet<InstanceId>,
    /// Snapshots.
    pub snapshots: BTreeSet<SnapshotId>,
}

impl Orphans {
    /// Those of these ids.
    ///
    /// # Errors
    /// The first text that is the id of neither an instance nor a snapshot.
    pub fn parse<'a>(ids: impl IntoIterator<Item = &'a str>) -> Result<Self, &'a str> {
        let mut orphans = Self::default();
        for id in ids {
            match (id.parse(), id.parse()) {
                (Ok(instance), _) => _ = orphans.instances.insert(instance),
                (Err(_), Ok(snapshot)) => _ = orphans.snapshots.insert(snapshot),
                (Err(_), Err(_)) => return Err(id),
            }
        }
        Ok(orphans)
    }

    /// Their ids, as texts.
    pub fn ids(&self) -> impl Iterator<Item = String> {
        let snapshots = self.snapshots.iter().map(ToString::to_string);
        self.instances.iter().map(ToString::to_string).chain(snapshots)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.instances.is_empty() && self.snapshots.is_empty()
    }

    /// Those of them that are not among others.
    #[must_use]
    pub fn without(&self, others: &Self) -> Self {
        Self { instances: &self.instances - &others.instances, snapshots: &self.snapshots - &others.snapshots }
    }
}
