//! What verbs say and what they are answered.

use super::form;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use weft_ports::hypervisor::Counters;

form! {
    /// Other sizes.
    VmResize {
    } {
        desired_vcpus: u32,
        desired_ram: u64,
        desired_balloon: u64,
    }
}

form! {
    /// Another size of a disk.
    VmResizeDisk {
        id: String,
        desired_size: u64,
    }
}

form! {
    /// A device that is to go.
    VmRemoveDevice {
        id: String,
    }
}

form! {
    /// Where a snapshot is put.
    VmSnapshotConfig {
        destination_url: String,
    }
}

form! {
    /// Where a machine begins from.
    RestoreConfig {
        source_url: String,
    } {
        prefault: bool,
        resume: bool,
        net_fds: Vec<RestoredNet>,
    }
}

form! {
    /// How many open files an interface of a snapshot is given anew.
    RestoredNet {
        id: String,
        num_fds: u32,
    }
}

form! {
    /// Where a machine is waited for.
    ReceiveMigrationData {
        receiver_url: String,
    }
}

form! {
    /// Where a machine is sent.
    SendMigrationData {
        destination_url: String,
    } {
        timeout_s: u64,
    }
}

/// Where a machine is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(in crate::cloud_hypervisor) enum VmState {
    /// It does not run: it never did, or its guest powered off.
    Created,
    Running,
    Shutdown,
    Paused,
    /// A debugger holds it.
    BreakPoint,
}

/// What a machine is.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::cloud_hypervisor) struct VmSeen {
    /// Its configuration, with fields that are not ours.
    pub(in crate::cloud_hypervisor) config: Value,
    pub(in crate::cloud_hypervisor) state: VmState,
    /// Its devices by id, where it was booted.
    #[serde(default)]
    pub(in crate::cloud_hypervisor) device_tree: Option<BTreeMap<String, Value>>,
}

/// Counters by device and name.
pub(in crate::cloud_hypervisor) type VmCounters = Counters;
