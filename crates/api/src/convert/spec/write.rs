//! From a specification to its written form: everything is said, nothing is left to defaults.

use super::device;
use super::limit::{rate, text, write_bucket};
use crate::convert::{Choice as _, duration};
use crate::proto::weft::v1 as wire;
use weft_domain::spec::{
    Attachment, Console, Cpu, Disk, DiskSource, Draft, Driver, Forward, Memory, Metadata, Nic, Payload, Readiness,
    ReadinessProbe, Rng, Vsock,
};

/// The written form of a specification.
pub(crate) fn spec(draft: &Draft) -> wire::VmSpec {
    wire::VmSpec {
        driver: match &draft.driver {
            Driver::Auto => "auto".to_owned(),
            Driver::Named(name) => name.clone(),
        },
        machine: draft.machine.write().into(),
        accelerator: draft.accelerator.write().into(),
        cpu: cpu(&draft.cpu).into(),
        memory: memory(&draft.memory).into(),
        payload: payload(&draft.payload).into(),
        disks: draft.disks.iter().map(disk).collect(),
        nics: draft.nics.iter().map(nic).collect(),
        serial: console(&draft.serial).into(),
        console: console(&draft.console).into(),
        rng: draft.rng.as_ref().map(rng).into(),
        vsock: draft.vsock.map(vsock).into(),
        metadata: draft.metadata.as_ref().map(metadata).into(),
        cloud_init: draft
            .cloud_init
            .as_ref()
            .map(|c| wire::CloudInit {
                user_data: c.user_data.clone(),
                meta_data: c.meta_data.clone(),
                network_config: c.network_config.clone(),
                ..Default::default()
            })
            .into(),
        restart: draft.restart.write().into(),
        readiness: draft.readiness.as_ref().map(readiness).into(),
        rate_limit_groups: draft.rate_limit_groups.iter().map(device::write_group).collect(),
        devices: draft.devices.iter().map(device::write_device).collect(),
        platform: draft.platform.as_ref().map(device::write_platform).into(),
        numa: draft.numa.iter().map(device::write_node).collect(),
        watchdog: draft.watchdog,
        tpm_socket: draft.tpm.as_deref().map(text).unwrap_or_default(),
        network_namespace: draft.network_namespace.as_deref().map(text).unwrap_or_default(),
        ..Default::default()
    }
}

fn rng(rng: &Rng) -> wire::Rng {
    wire::Rng { source: text(&rng.source), rate_limit: rate(rng.rate_limit), iommu: rng.iommu, ..Default::default() }
}

/// The written form of a vsock.
pub(crate) fn vsock(vsock: Vsock) -> wire::Vsock {
    wire::Vsock { cid: vsock.cid, pci_segment: vsock.pci_segment, iommu: vsock.iommu, ..Default::default() }
}

fn metadata(metadata: &Metadata) -> wire::Metadata {
    wire::Metadata {
        json: metadata.json.clone(),
        nics: metadata.nics.clone(),
        version: metadata.version.write().into(),
        address: metadata.address.map(|ip| ip.to_string()).unwrap_or_default(),
        imds_compatible: metadata.imds_compatible,
        ..Default::default()
    }
}

fn cpu(cpu: &Cpu) -> wire::Cpu {
    wire::Cpu {
        boot: Some(cpu.boot),
        max: Some(cpu.max),
        topology: cpu
            .topology
            .map(|t| wire::Topology {
                threads_per_core: t.threads_per_core,
                cores_per_die: t.cores_per_die,
                dies_per_package: t.dies_per_package,
                packages: t.packages,
                ..Default::default()
            })
            .into(),
        features: cpu.features.iter().map(|f| f.write().into()).collect(),
        pinning: cpu
            .pinning
            .iter()
            .map(|p| wire::Pin { vcpu: p.vcpu, host_cpus: p.host_cpus.iter().copied().collect(), ..Default::default() })
            .collect(),
        physical_bits: cpu.physical_bits,
        core_scheduling: cpu.core_scheduling.write().into(),
        template: cpu.template.clone().unwrap_or_default(),
        custom_template: cpu.custom_template.clone().unwrap_or_default(),
        ..Default::default()
    }
}

fn memory(memory: &Memory) -> wire::Memory {
    wire::Memory {
        size_bytes: Some(memory.size_bytes),
        hotplug_bytes: memory.hotplug_bytes,
        hotplug_method: memory.hotplug_method.write().into(),
        reserve: memory.reserve,
        huge_page_bytes: memory.huge_page_bytes,
        shared: memory.shared,
        mergeable: memory.mergeable,
        prefault: memory.prefault,
        thp: memory.thp,
        balloon: memory
            .balloon
            .as_ref()
            .map(|b| wire::Balloon {
                size_bytes: b.size_bytes,
                deflate_on_oom: b.deflate_on_oom,
                free_page_reporting: b.free_page_reporting,
                free_page_hinting: b.free_page_hinting,
                statistics_seconds: b.statistics_seconds,
                ..Default::default()
            })
            .into(),
        zones: memory
            .zones
            .iter()
            .map(|z| wire::MemoryZone {
                name: z.name.clone(),
                size_bytes: z.size_bytes,
                hotplug_bytes: z.hotplug_bytes,
                host_numa_node: z.host_numa_node,
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    }
}

fn payload(payload: &Payload) -> wire::Payload {
    use wire::payload::Source;
    match payload {
        Payload::Kernel { kernel, initramfs, cmdline } => wire::Payload {
            source: Some(Source::Kernel(text(kernel))),
            initramfs: initramfs.as_deref().map(text).unwrap_or_default(),
            cmdline: cmdline.clone(),
            ..Default::default()
        },
        Payload::Firmware { firmware } => {
            wire::Payload { source: Some(Source::Firmware(text(firmware))), ..Default::default() }
        }
        Payload::Image { name, cmdline } => {
            wire::Payload { source: Some(Source::Image(name.clone())), cmdline: cmdline.clone(), ..Default::default() }
        }
    }
}

/// The written form of a disk.
pub(crate) fn disk(disk: &Disk) -> wire::Disk {
    use wire::disk::Source;
    let source = match &disk.source {
        DiskSource::Path(path) => Source::Path(text(path)),
        DiskSource::Blank { size_bytes } => {
            Source::from(wire::BlankDisk { size_bytes: *size_bytes, ..Default::default() })
        }
        DiskSource::Volume(name) => Source::Volume(name.clone()),
        DiskSource::Image(name) => Source::Image(name.clone()),
        DiskSource::VhostUser { socket } => Source::VhostUserSocket(text(socket)),
    };
    wire::Disk {
        name: disk.name.clone(),
        source: Some(source),
        format: disk.format.write().into(),
        read_only: disk.read_only,
        root: disk.root,
        direct: disk.direct,
        queues: disk.queues,
        queue_size: disk.queue_size,
        rate_limit: rate(disk.rate_limit),
        rate_limit_group: disk.rate_limit_group.clone().unwrap_or_default(),
        serial: disk.serial.clone().unwrap_or_default(),
        pci_segment: disk.pci_segment,
        iommu: disk.iommu,
        cache: disk.cache.write().into(),
        io_engine: disk.io_engine.write().into(),
        partuuid: disk.partuuid.clone().unwrap_or_default(),
        backing_files: disk.backing_files,
        sparse: disk.sparse,
        queue_pinning: disk
            .queue_pinning
            .iter()
            .map(|p| wire::QueuePin {
                queue: p.queue,
                host_cpus: p.host_cpus.iter().copied().collect(),
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    }
}

/// The written form of an interface.
pub(crate) fn nic(nic: &Nic) -> wire::Nic {
    use wire::nic::Attachment as A;
    let attachment = match &nic.attachment {
        Attachment::User { forwards } => {
            A::from(wire::UserNetwork { forwards: forwards.iter().map(forward).collect(), ..Default::default() })
        }
        Attachment::Network(name) => A::Network(name.clone()),
        Attachment::Tap(name) => A::Tap(name.clone()),
        Attachment::Macvtap(name) => A::Macvtap(name.clone()),
        Attachment::VhostUser { socket } => A::VhostUserSocket(text(socket)),
    };
    wire::Nic {
        name: nic.name.clone(),
        attachment: Some(attachment),
        mac: nic.mac.map(|m| m.to_string()).unwrap_or_default(),
        ip: nic.ip.map(|ip| ip.to_string()).unwrap_or_default(),
        mtu: nic.mtu,
        queues: nic.queues,
        queue_size: nic.queue_size,
        offloads: nic
            .offloads
            .map(|o| wire::Offloads { tso: o.tso, ufo: o.ufo, csum: o.csum, ..Default::default() })
            .into(),
        rx_rate_limit: rate(nic.rx_rate_limit),
        tx_rate_limit: rate(nic.tx_rate_limit),
        pci_segment: nic.pci_segment,
        iommu: nic.iommu,
        vhost_mode: nic.vhost_mode.write().into(),
        ..Default::default()
    }
}

fn forward(forward: &Forward) -> wire::Forward {
    wire::Forward {
        transport: forward.transport.write().into(),
        host_port: forward.host_port.into(),
        guest_port: forward.guest_port.into(),
        ..Default::default()
    }
}

fn console(console: &Console) -> wire::Console {
    wire::Console {
        mode: console.mode.write().into(),
        path: console.path.as_deref().map(text).unwrap_or_default(),
        rate_limit: console.rate_limit.map(write_bucket).into(),
        iommu: console.iommu,
        ..Default::default()
    }
}

fn readiness(readiness: &Readiness) -> wire::Readiness {
    use wire::readiness::Probe;
    let probe = match &readiness.probe {
        ReadinessProbe::Serial { text } => Probe::SerialText(text.clone()),
        ReadinessProbe::Vsock { port } => Probe::VsockPort(*port),
        ReadinessProbe::Tcp { port } => Probe::TcpPort((*port).into()),
        ReadinessProbe::Http { port, path } => {
            Probe::from(wire::HttpProbe { port: (*port).into(), path: path.clone(), ..Default::default() })
        }
        ReadinessProbe::GuestAgent => Probe::from(wire::GuestAgentProbe::default()),
    };
    wire::Readiness { probe: Some(probe), timeout: duration(readiness.timeout).into(), ..Default::default() }
}
