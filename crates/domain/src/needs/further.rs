//! What the rarer fields need of a driver.

use super::Needs;
use crate::capability::Feature as F;
use crate::spec::{CoreScheduling, DeviceKind, DiskCache, Draft, HotplugMethod, IoEngine, VhostMode};

pub(super) fn needs(draft: &Draft, needs: &mut Needs) {
    cpu_and_memory(draft, needs);
    disks_and_nics(draft, needs);
    let limited = draft.serial.rate_limit.is_some();
    needs.when(limited, F::SerialRateLimit, "vm.spec.serial.rate_limit");
    let limited = draft.rng.as_ref().is_some_and(|rng| rng.rate_limit.is_some());
    needs.when(limited, F::RngRateLimit, "vm.spec.rng.rate_limit");
    needs.when(!draft.rate_limit_groups.is_empty(), F::DiskRateLimitGroup, "vm.spec.rate_limit_groups");
    for (i, device) in draft.devices.iter().enumerate() {
        let at = |name: &str| format!("vm.spec.devices[{i}].{name}");
        match &device.kind {
            DeviceKind::Pmem { .. } => needs.when(true, F::Pmem, at("pmem")),
            DeviceKind::Share { .. } => needs.when(true, F::Share, at("share")),
            DeviceKind::Vdpa { .. } => needs.when(true, F::Vdpa, at("vdpa")),
            DeviceKind::Passthrough { .. } => needs.when(true, F::Passthrough, at("passthrough")),
            DeviceKind::VfioUser { .. } => needs.when(true, F::VfioUser, at("vfio_user")),
            DeviceKind::VhostUser { .. } => needs.when(true, F::VhostUser, at("vhost_user")),
        }
        needs.when(device.pci_segment > 0, F::PciSegment, at("pci_segment"));
        needs.when(device.iommu, F::Iommu, at("iommu"));
    }
    machine(draft, needs);
}

fn machine(draft: &Draft, needs: &mut Needs) {
    needs.when(draft.platform.is_some(), F::Platform, "vm.spec.platform");
    needs.when(!draft.numa.is_empty(), F::Numa, "vm.spec.numa");
    needs.when(draft.watchdog, F::Watchdog, "vm.spec.watchdog");
    needs.when(draft.tpm.is_some(), F::Tpm, "vm.spec.tpm_socket");
    needs.when(draft.network_namespace.is_some(), F::NetworkNamespace, "vm.spec.network_namespace");
}

fn cpu_and_memory(draft: &Draft, needs: &mut Needs) {
    let (cpu, memory) = (&draft.cpu, &draft.memory);
    needs.when(cpu.template.is_some(), F::CpuTemplate, "vm.spec.cpu.template");
    needs.when(cpu.custom_template.is_some(), F::CpuCustomTemplate, "vm.spec.cpu.custom_template");
    needs.when(cpu.physical_bits > 0, F::CpuPhysicalBits, "vm.spec.cpu.physical_bits");
    needs.when(cpu.core_scheduling != CoreScheduling::Auto, F::CoreScheduling, "vm.spec.cpu.core_scheduling");
    needs.when(!memory.zones.is_empty(), F::MemoryZones, "vm.spec.memory.zones");
    needs.when(memory.reserve, F::MemoryReserve, "vm.spec.memory.reserve");
    match memory.hotplug_method {
        HotplugMethod::Auto => {}
        HotplugMethod::Acpi => needs.when(true, F::MemoryAcpi, "vm.spec.memory.hotplug_method"),
        HotplugMethod::VirtioMem => needs.when(true, F::MemoryVirtioMem, "vm.spec.memory.hotplug_method"),
    }
    let Some(balloon) = &memory.balloon else { return };
    needs.when(balloon.free_page_reporting, F::FreePageReporting, "vm.spec.memory.balloon.free_page_reporting");
    needs.when(balloon.free_page_hinting, F::FreePageHinting, "vm.spec.memory.balloon.free_page_hinting");
    needs.when(balloon.statistics_seconds > 0, F::BalloonStatistics, "vm.spec.memory.balloon.statistics_seconds");
}

fn disks_and_nics(draft: &Draft, needs: &mut Needs) {
    for (i, disk) in draft.disks.iter().enumerate() {
        let at = |name: &str| format!("vm.spec.disks[{i}].{name}");
        needs.when(disk.cache == DiskCache::Unsafe, F::DiskCacheUnsafe, at("cache"));
        needs.when(disk.io_engine == IoEngine::Sync, F::DiskIoSync, at("io_engine"));
        needs.when(disk.io_engine == IoEngine::Async, F::DiskIoAsync, at("io_engine"));
        needs.when(disk.partuuid.is_some(), F::DiskPartuuid, at("partuuid"));
        needs.when(disk.backing_files, F::DiskBackingFiles, at("backing_files"));
        needs.when(disk.sparse.is_some(), F::DiskSparse, at("sparse"));
        needs.when(!disk.queue_pinning.is_empty(), F::QueuePinning, at("queue_pinning"));
    }
    for (i, nic) in draft.nics.iter().enumerate() {
        let server = nic.vhost_mode == VhostMode::Server;
        needs.when(server, F::NicVhostServer, format!("vm.spec.nics[{i}].vhost_mode"));
    }
}
