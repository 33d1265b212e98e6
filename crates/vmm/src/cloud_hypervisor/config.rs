//! From an order to Cloud Hypervisor's configuration: pure, so that it can be read and compared.
//!
//! Everything that weft decides is said, also where it is the default there, for defaults differ between
//! versions: no console on its own output, no nesting, no huge pages behind the guest's back, the format
//! of every disk. Nothing that was asked is left out: what cannot be said is not among the driver's
//! features, and [`refused`] names what cannot be had together.

mod devices;
mod files;
pub(super) mod gates;
mod refused;

pub(super) use devices::{Further, VSOCK, device, device_id, disk, disk_id, nic, nic_id, plugged_nic, vsock};
pub(super) use files::{files, files_of_change};
pub(super) use refused::refused;

use super::model::{
    BalloonConfig, CoreScheduling as Sched, CpuAffinity, CpuFeatures, CpuTopology, CpusConfig, HotplugMethod as Plug,
    MemoryConfig, MemoryZoneConfig, NumaConfig, NumaDistance, PayloadConfig, PciSegmentConfig, PlatformConfig,
    RngConfig, VmConfig,
};
use devices::list;
use gates::Version;
use std::path::Path;
use weft_domain::spec::{Attachment, CoreScheduling, CpuFeature, HotplugMethod, Spec};
use weft_ports::hypervisor::{Boot, Order};

/// Where randomness comes from where nothing is asked.
pub(super) const RANDOM: &str = "/dev/urandom";

/// All that a configuration is made from.
pub(super) struct Blueprint<'a> {
    /// What was ordered.
    pub(super) order: &'a Order,
    /// What will read it.
    pub(super) version: Version,
    /// The folder that the VMM makes its sockets in.
    pub(super) sockets: &'a Path,
}

/// The whole machine, but for the interfaces that travel with open files.
pub(super) fn machine(blueprint: &Blueprint<'_>) -> VmConfig {
    let (order, spec, version) = (blueprint.order, &*blueprint.order.spec, blueprint.version);
    let disks = spec.disks.iter().enumerate().map(|(i, asked)| disk(asked, order.disks.get(i), version));
    let nics = spec.nics.iter().enumerate().filter(|(_, nic)| is_vhost_user(&nic.attachment));
    let sorted = devices::sorted(&spec.devices);
    VmConfig {
        cpus: processors(spec, version),
        memory: memory(spec, version),
        payload: payload(&order.boot),
        serial: devices::serial(&spec.serial),
        console: devices::console(&spec.console),
        rate_limit_groups: list(spec.rate_limit_groups.iter().map(devices::group)),
        disks: list(disks),
        net: list(nics.map(|(i, asked)| nic(asked, i, order))),
        rng: Some(rng(spec)),
        balloon: spec.memory.balloon.as_ref().map(|balloon| BalloonConfig {
            size: balloon.size_bytes,
            deflate_on_oom: Some(balloon.deflate_on_oom),
            free_page_reporting: Some(balloon.free_page_reporting),
        }),
        fs: sorted.fs,
        generic_vhost_user: sorted.generic_vhost_user,
        pmem: sorted.pmem,
        debug_console: None,
        devices: sorted.devices,
        user_devices: sorted.user_devices,
        vdpa: sorted.vdpa,
        vsock: spec.vsock.as_ref().map(|asked| vsock(asked, blueprint.sockets)),
        numa: list(spec.numa.iter().map(numa)),
        pvpanic: Some(true),
        iommu: None,
        watchdog: spec.watchdog.then_some(true),
        pci_segments: segments(spec),
        platform: platform(spec, version),
        tpm: spec.tpm.as_ref().map(|socket| super::model::TpmConfig { socket: socket.clone() }),
        landlock_enable: None,
    }
}

/// Whether an interface needs no open file of ours.
pub(super) const fn is_vhost_user(attachment: &Attachment) -> bool {
    matches!(attachment, Attachment::VhostUser { .. })
}

fn processors(spec: &Spec, version: Version) -> CpusConfig {
    let cpu = &spec.cpu;
    let asks = |feature| cpu.features.contains(&feature);
    let pins = cpu.pinning.iter();
    let pins = pins.map(|pin| CpuAffinity { vcpu: pin.vcpu, host_cpus: pin.host_cpus.iter().copied().collect() });
    CpusConfig {
        boot_vcpus: cpu.boot,
        max_vcpus: cpu.max,
        topology: cpu.topology.map(|shape| CpuTopology {
            threads_per_core: shape.threads_per_core,
            cores_per_die: shape.cores_per_die,
            dies_per_package: shape.dies_per_package,
            packages: shape.packages,
        }),
        kvm_hyperv: Some(asks(CpuFeature::KvmHyperv)),
        max_phys_bits: (cpu.physical_bits > 0).then_some(cpu.physical_bits),
        affinity: list(pins),
        features: Some(CpuFeatures { amx: asks(CpuFeature::Amx) }),
        nested: version.has(gates::NESTED).then(|| asks(CpuFeature::Nested)),
        core_scheduling: match cpu.core_scheduling {
            CoreScheduling::Auto => None,
            CoreScheduling::Off => Some(Sched::Off),
            CoreScheduling::Vm => Some(Sched::Vm),
            CoreScheduling::Vcpu => Some(Sched::Vcpu),
        },
    }
}

/// How memory is plugged: by virtio-mem where nothing is asked, for it can go both ways.
pub(super) fn plugging(spec: &Spec) -> Plug {
    match spec.memory.hotplug_method {
        HotplugMethod::Acpi => Plug::Acpi,
        HotplugMethod::Auto | HotplugMethod::VirtioMem => Plug::VirtioMem,
    }
}

fn memory(spec: &Spec, version: Version) -> MemoryConfig {
    let memory = &spec.memory;
    let huge = memory.huge_page_bytes;
    let zones = memory.zones.iter().map(|zone| MemoryZoneConfig {
        id: zone.name.clone(),
        size: zone.size_bytes,
        shared: Some(memory.shared),
        hugepages: Some(huge.is_some()),
        hugepage_size: huge,
        host_numa_node: zone.host_numa_node,
        hotplug_size: (zone.hotplug_bytes > 0).then_some(zone.hotplug_bytes),
        prefault: Some(memory.prefault),
        reserve: memory.reserve.then_some(true),
        mergeable: version.has(gates::ZONE_MERGEABLE).then_some(memory.mergeable),
    });
    let zones = list(zones);
    let plain = zones.is_none();
    let plugs = memory.hotplug_bytes > 0 || memory.zones.iter().any(|zone| zone.hotplug_bytes > 0);
    MemoryConfig {
        // Where there are zones, this must be nothing: their sizes add up.
        size: if plain { memory.size_bytes } else { 0 },
        mergeable: Some(memory.mergeable),
        hotplug_method: plugs.then(|| plugging(spec)),
        hotplug_size: (plain && memory.hotplug_bytes > 0).then_some(memory.hotplug_bytes),
        shared: Some(memory.shared),
        hugepages: Some(huge.is_some()),
        hugepage_size: huge,
        prefault: Some(memory.prefault),
        reserve: memory.reserve.then_some(true),
        thp: Some(memory.thp),
        zones,
    }
}

fn payload(boot: &Boot) -> PayloadConfig {
    match boot {
        Boot::Kernel { kernel, initramfs, cmdline } => PayloadConfig {
            firmware: None,
            kernel: Some(kernel.clone()),
            cmdline: Some(cmdline.clone()),
            initramfs: initramfs.clone(),
        },
        Boot::Firmware { firmware } => {
            PayloadConfig { firmware: Some(firmware.clone()), kernel: None, cmdline: None, initramfs: None }
        }
    }
}

fn rng(spec: &Spec) -> RngConfig {
    let iommu = spec.rng.as_ref().is_some_and(|rng| rng.iommu);
    let src = spec.rng.as_ref().map_or_else(|| RANDOM.into(), |rng| rng.source.clone());
    RngConfig { src, iommu: iommu.then_some(true) }
}

fn numa(node: &weft_domain::spec::NumaNode) -> NumaConfig {
    let distances = node.distances.iter();
    NumaConfig {
        guest_numa_id: node.id,
        cpus: list(node.cpus.iter().copied()),
        distances: list(distances.map(|(to, distance)| NumaDistance { destination: *to, distance: *distance })),
        memory_zones: list(node.zones.iter().cloned()),
        pci_segments: list(node.pci_segments.iter().copied()),
    }
}

/// Every segment has the same share of the address space.
fn segments(spec: &Spec) -> Option<Vec<PciSegmentConfig>> {
    let count = spec.platform.as_ref().map_or(0, |platform| platform.pci_segments);
    let share = |pci_segment| PciSegmentConfig {
        pci_segment,
        mmio32_aperture_weight: Some(1),
        mmio64_aperture_weight: Some(1),
    };
    if count > 1 { list((0..count).map(share)) } else { None }
}

fn platform(spec: &Spec, version: Version) -> Option<PlatformConfig> {
    let asked = spec.platform.as_ref()?;
    let scoped = version.has(gates::SMBIOS);
    let (serial, uuid) = (asked.serial_number.clone(), asked.uuid.clone());
    Some(PlatformConfig {
        num_pci_segments: (asked.pci_segments > 0).then_some(asked.pci_segments),
        iommu_segments: list(asked.iommu_segments.iter().copied()),
        iommu_address_width_bits: (asked.iommu_address_bits > 0).then_some(asked.iommu_address_bits),
        serial_number: serial.clone().filter(|_| !scoped),
        system_serial_number: serial.filter(|_| scoped),
        uuid: uuid.clone().filter(|_| !scoped),
        system_uuid: uuid.filter(|_| scoped),
        oem_strings: list(asked.oem_strings.iter().cloned()),
        system_manufacturer: asked.manufacturer.clone(),
        system_product_name: asked.product.clone(),
        system_version: asked.version.clone(),
        system_family: asked.family.clone(),
        system_sku_number: asked.sku.clone(),
        chassis_asset_tag: asked.asset_tag.clone(),
    })
}

#[cfg(test)]
mod tests;
