//! The whole machine: processors, memory, payload, platform, NUMA, and the lists of its devices.

use super::{
    BalloonConfig, ConsoleConfig, DebugConsoleConfig, DeviceConfig, DiskConfig, FsConfig, GenericVhostUserConfig,
    NetConfig, PmemConfig, RateLimitGroupConfig, RngConfig, SerialConfig, TpmConfig, UserDeviceConfig, VdpaConfig,
    VsockConfig, form,
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

form! {
    /// A machine.
    VmConfig {
        cpus: CpusConfig,
        memory: MemoryConfig,
        payload: PayloadConfig,
        serial: SerialConfig,
        console: ConsoleConfig,
    } {
        rate_limit_groups: Vec<RateLimitGroupConfig>,
        disks: Vec<DiskConfig>,
        net: Vec<NetConfig>,
        rng: RngConfig,
        balloon: BalloonConfig,
        fs: Vec<FsConfig>,
        generic_vhost_user: Vec<GenericVhostUserConfig>,
        pmem: Vec<PmemConfig>,
        debug_console: DebugConsoleConfig,
        devices: Vec<DeviceConfig>,
        user_devices: Vec<UserDeviceConfig>,
        vdpa: Vec<VdpaConfig>,
        vsock: VsockConfig,
        numa: Vec<NumaConfig>,
        pvpanic: bool,
        iommu: bool,
        watchdog: bool,
        pci_segments: Vec<PciSegmentConfig>,
        platform: PlatformConfig,
        tpm: TpmConfig,
        landlock_enable: bool,
    }
}

form! {
    /// Virtual CPUs.
    CpusConfig {
        boot_vcpus: u32,
        max_vcpus: u32,
    } {
        topology: CpuTopology,
        kvm_hyperv: bool,
        max_phys_bits: u32,
        affinity: Vec<CpuAffinity>,
        features: CpuFeatures,
        nested: bool,
        core_scheduling: CoreScheduling,
    }
}

form! {
    /// Their shape.
    CpuTopology {
        threads_per_core: u32,
        cores_per_die: u32,
        dies_per_package: u32,
        packages: u32,
    }
}

form! {
    /// The host CPUs of one virtual CPU.
    CpuAffinity {
        vcpu: u32,
        host_cpus: Vec<u32>,
    }
}

form! {
    /// Extensions that must be asked for.
    CpuFeatures {
        amx: bool,
    }
}

/// Which threads may share a core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cloud_hypervisor) enum CoreScheduling {
    Vm,
    Vcpu,
    Off,
}

form! {
    /// Memory.
    MemoryConfig {
        size: u64,
    } {
        mergeable: bool,
        hotplug_method: HotplugMethod,
        hotplug_size: u64,
        shared: bool,
        hugepages: bool,
        hugepage_size: u64,
        prefault: bool,
        reserve: bool,
        thp: bool,
        zones: Vec<MemoryZoneConfig>,
    }
}

/// How memory is plugged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cloud_hypervisor) enum HotplugMethod {
    Acpi,
    VirtioMem,
}

form! {
    /// A part of the memory.
    MemoryZoneConfig {
        id: String,
        size: u64,
    } {
        shared: bool,
        hugepages: bool,
        hugepage_size: u64,
        host_numa_node: u32,
        hotplug_size: u64,
        prefault: bool,
        reserve: bool,
        mergeable: bool,
    }
}

form! {
    /// What boots.
    PayloadConfig {
    } {
        firmware: PathBuf,
        kernel: PathBuf,
        cmdline: String,
        initramfs: PathBuf,
    }
}

form! {
    /// What the guest reads about its machine, and how that is laid out.
    PlatformConfig {
    } {
        num_pci_segments: u32,
        iommu_segments: Vec<u32>,
        iommu_address_width_bits: u32,
        serial_number: String,
        system_serial_number: String,
        uuid: String,
        system_uuid: String,
        oem_strings: Vec<String>,
        system_manufacturer: String,
        system_product_name: String,
        system_version: String,
        system_family: String,
        system_sku_number: String,
        chassis_asset_tag: String,
    }
}

form! {
    /// How much of the address space a PCI segment has.
    PciSegmentConfig {
        pci_segment: u32,
    } {
        mmio32_aperture_weight: u32,
        mmio64_aperture_weight: u32,
    }
}

form! {
    /// A NUMA node of the guest.
    NumaConfig {
        guest_numa_id: u32,
    } {
        cpus: Vec<u32>,
        distances: Vec<NumaDistance>,
        memory_zones: Vec<String>,
        pci_segments: Vec<u32>,
    }
}

form! {
    /// How far another node is.
    NumaDistance {
        destination: u32,
        distance: u32,
    }
}
