//! Devices. Each of those on PCI has an id of our own, for the ids that are made up are given anew.

use super::form;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

form! {
    /// A disk.
    DiskConfig {
        id: String,
    } {
        path: PathBuf,
        readonly: bool,
        direct: bool,
        iommu: bool,
        num_queues: u32,
        queue_size: u32,
        vhost_user: bool,
        vhost_socket: PathBuf,
        rate_limiter_config: RateLimiterConfig,
        rate_limit_group: String,
        pci_segment: u32,
        serial: String,
        queue_affinity: Vec<VirtQueueAffinity>,
        backing_files: bool,
        sparse: bool,
        image_type: ImageType,
    }
}

/// How a disk's bytes are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cloud_hypervisor) enum ImageType {
    Raw,
    Qcow2,
    FixedVhd,
    Vhdx,
    FlatVmdk,
    Unknown,
}

form! {
    /// The host CPUs of one queue.
    VirtQueueAffinity {
        queue_index: u32,
        host_cpus: Vec<u32>,
    }
}

form! {
    /// A network interface. Taps travel beside the request as open files.
    NetConfig {
        id: String,
    } {
        mac: String,
        mtu: u32,
        iommu: bool,
        num_queues: u32,
        queue_size: u32,
        vhost_user: bool,
        vhost_socket: PathBuf,
        vhost_mode: VhostMode,
        pci_segment: u32,
        rate_limiter_config: RateLimiterConfig,
        offload_tso: bool,
        offload_ufo: bool,
        offload_csum: bool,
    }
}

/// Which end of a vhost-user socket it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cloud_hypervisor) enum VhostMode {
    Client,
    Server,
}

form! {
    /// A rate limit. Of all messages this one alone refuses fields that it does not know.
    RateLimiterConfig {
    } {
        bandwidth: TokenBucket,
        ops: TokenBucket,
    }
}

form! {
    /// A token bucket.
    TokenBucket {
        size: u64,
        refill_time: u64,
    } {
        one_time_burst: u64,
    }
}

form! {
    /// A rate limit that disks share.
    RateLimitGroupConfig {
        id: String,
        rate_limiter_config: RateLimiterConfig,
    }
}

form! {
    /// A source of randomness.
    RngConfig {
        src: PathBuf,
    } {
        iommu: bool,
    }
}

form! {
    /// A balloon.
    BalloonConfig {
        size: u64,
    } {
        deflate_on_oom: bool,
        free_page_reporting: bool,
    }
}

form! {
    /// A folder that a daemon serves.
    FsConfig {
        id: String,
        tag: String,
        socket: PathBuf,
        num_queues: u32,
        queue_size: u32,
    } {
        pci_segment: u32,
    }
}

form! {
    /// A virtio device that another process plays.
    GenericVhostUserConfig {
        id: String,
        socket: PathBuf,
        queue_sizes: Vec<u32>,
        device_type: u32,
    } {
        pci_segment: u32,
    }
}

form! {
    /// Persistent memory.
    PmemConfig {
        id: String,
        file: PathBuf,
    } {
        size: u64,
        iommu: bool,
        discard_writes: bool,
        pci_segment: u32,
    }
}

/// Where a console leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cloud_hypervisor) enum ConsoleMode {
    Off,
    Pty,
    Tty,
    File,
    Null,
}

form! {
    /// The serial port.
    SerialConfig {
        mode: ConsoleMode,
    } {
        file: PathBuf,
    }
}

form! {
    /// The virtio console.
    ConsoleConfig {
        mode: ConsoleMode,
    } {
        file: PathBuf,
        iommu: bool,
    }
}

form! {
    /// A port that firmware writes to when it is debugged.
    DebugConsoleConfig {
        mode: ConsoleMode,
    }
}

form! {
    /// A PCI device of the host.
    DeviceConfig {
        id: String,
        path: PathBuf,
    } {
        iommu: bool,
        pci_segment: u32,
    }
}

form! {
    /// A PCI device that another process plays.
    UserDeviceConfig {
        id: String,
        socket: PathBuf,
    } {
        pci_segment: u32,
    }
}

form! {
    /// A vDPA device of the host.
    VdpaConfig {
        id: String,
        path: PathBuf,
        num_queues: u32,
    } {
        iommu: bool,
        pci_segment: u32,
    }
}

form! {
    /// The guest's vsock.
    VsockConfig {
        id: String,
        cid: u32,
        socket: PathBuf,
    } {
        iommu: bool,
        pci_segment: u32,
    }
}

form! {
    /// A TPM that another process plays.
    TpmConfig {
        socket: PathBuf,
    }
}
