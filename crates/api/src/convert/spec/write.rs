//! From a specification to its written form: everything is said, nothing is left to defaults.

use crate::convert::{Choice as _, duration};
use crate::proto::weft::v1 as wire;
use buffa::MessageField;
use std::path::Path;
use weft_domain::spec::{
    Attachment, Console, Cpu, Disk, DiskSource, Draft, Driver, Forward, Memory, Nic, Payload, RateLimit, Readiness,
    ReadinessProbe,
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
        rng: draft.rng.as_ref().map(|r| wire::Rng { source: text(&r.source), ..Default::default() }).into(),
        vsock: draft.vsock.map(|v| wire::Vsock { cid: v.cid, ..Default::default() }).into(),
        metadata: draft
            .metadata
            .as_ref()
            .map(|m| wire::Metadata { json: m.json.clone(), nics: m.nics.clone(), ..Default::default() })
            .into(),
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
        ..Default::default()
    }
}

/// A path as text. Paths come in as text, so nothing is lost.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
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
        ..Default::default()
    }
}

fn memory(memory: &Memory) -> wire::Memory {
    wire::Memory {
        size_bytes: Some(memory.size_bytes),
        hotplug_bytes: memory.hotplug_bytes,
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
                ..Default::default()
            })
            .into(),
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

fn disk(disk: &Disk) -> wire::Disk {
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
        ..Default::default()
    }
}

fn nic(nic: &Nic) -> wire::Nic {
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
        ..Default::default()
    }
}

fn rate<P: buffa::ProtoBox<wire::RateLimit>>(rate: Option<RateLimit>) -> MessageField<wire::RateLimit, P> {
    let bucket = |b: weft_domain::spec::TokenBucket| wire::TokenBucket {
        size: b.size,
        refill_ms: b.refill_ms,
        one_time_burst: b.one_time_burst,
        ..Default::default()
    };
    rate.map(|r| wire::RateLimit {
        bandwidth: r.bandwidth.map(bucket).into(),
        ops: r.ops.map(bucket).into(),
        ..Default::default()
    })
    .into()
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
