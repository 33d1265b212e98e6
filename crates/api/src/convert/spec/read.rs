//! From the written specification to a draft, defaults filled in.

use super::device;
use super::limit::{bucket, rate_limit, some};
use crate::convert::Found;
use crate::proto::weft::v1 as wire;
use std::path::PathBuf;
use std::time::Duration;
use weft_domain::spec::payload::DEFAULT_IMAGE;
use weft_domain::spec::{
    Attachment, Balloon, CloudInit, Console, Cpu, Disk, DiskSource, Draft, Driver, Forward, Memory, Metadata, Nic,
    Offloads, Payload, Pin, QueuePin, Readiness, ReadinessProbe, Rng, Topology, Vsock, Zone,
};

/// How long a guest may take to be ready where nothing is said.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// Where a guest's randomness comes from where nothing is said.
const RNG_SOURCE: &str = "/dev/urandom";

/// The draft of a written specification. What cannot be read is told in `found`.
pub(crate) fn draft(spec: wire::VmSpec, found: &mut Found) -> Draft {
    let default = Draft::default();
    let disks = spec.disks.into_iter().enumerate();
    let disks = disks.map(|(i, d)| disk(d, &format!("disk{i}"), &format!("vm.spec.disks[{i}]"), found)).collect();
    let nics = spec.nics.into_iter().enumerate();
    let nics = nics.map(|(i, n)| nic(n, &format!("nic{i}"), &format!("vm.spec.nics[{i}]"), found)).collect();
    Draft {
        driver: match spec.driver.as_str() {
            "" | "auto" => Driver::Auto,
            _ => Driver::Named(spec.driver),
        },
        machine: found.choice(spec.machine, "vm.spec.machine"),
        accelerator: found.choice(spec.accelerator, "vm.spec.accelerator"),
        cpu: spec.cpu.into_option().map_or(default.cpu, |c| cpu(c, found)),
        memory: spec.memory.into_option().map_or(default.memory, |m| memory(m, found)),
        payload: spec.payload.into_option().map_or_else(Payload::default, |p| payload(p, found)),
        disks,
        nics,
        serial: spec.serial.into_option().map_or(default.serial, |c| console(c, "vm.spec.serial", found)),
        console: spec.console.into_option().map_or(default.console, |c| console(c, "vm.spec.console", found)),
        rng: spec.rng.into_option().map(|r| Rng {
            source: path_or(r.source, RNG_SOURCE),
            rate_limit: r.rate_limit.into_option().map(rate_limit),
            iommu: r.iommu,
        }),
        vsock: spec.vsock.into_option().map(vsock),
        metadata: spec.metadata.into_option().map(|m| metadata(m, found)),
        cloud_init: spec.cloud_init.into_option().map(|c| CloudInit {
            user_data: c.user_data,
            meta_data: c.meta_data,
            network_config: c.network_config,
        }),
        rate_limit_groups: spec.rate_limit_groups.into_iter().map(device::group).collect(),
        devices: device::all(spec.devices, found),
        platform: spec.platform.into_option().map(device::platform),
        numa: device::numa(spec.numa, found),
        watchdog: spec.watchdog,
        tpm: some(spec.tpm_socket).map(PathBuf::from),
        network_namespace: some(spec.network_namespace).map(PathBuf::from),
        restart: found.choice(spec.restart, "vm.spec.restart"),
        readiness: spec.readiness.into_option().and_then(|r| readiness(r, found)),
    }
}

/// A vsock.
pub(crate) fn vsock(vsock: wire::Vsock) -> Vsock {
    Vsock { cid: vsock.cid, pci_segment: vsock.pci_segment, iommu: vsock.iommu }
}

fn metadata(metadata: wire::Metadata, found: &mut Found) -> Metadata {
    let address = (!metadata.address.is_empty()).then(|| metadata.address.parse());
    Metadata {
        json: metadata.json,
        nics: metadata.nics,
        version: found.choice(metadata.version, "vm.spec.metadata.version"),
        address: address
            .and_then(|ip| ip.map_err(|_| found.add("vm.spec.metadata.address", "must be an IPv4 address")).ok()),
        imds_compatible: metadata.imds_compatible,
    }
}

fn path_or(text: String, default: &str) -> PathBuf {
    some(text).map_or_else(|| PathBuf::from(default), PathBuf::from)
}

fn cpu(cpu: wire::Cpu, found: &mut Found) -> Cpu {
    let boot = cpu.boot.unwrap_or(1);
    let features = cpu.features.iter().enumerate();
    Cpu {
        boot,
        max: cpu.max.unwrap_or(boot),
        topology: cpu.topology.into_option().map(|t| Topology {
            threads_per_core: t.threads_per_core,
            cores_per_die: t.cores_per_die,
            dies_per_package: t.dies_per_package,
            packages: t.packages,
        }),
        features: features.map(|(i, f)| found.choice(*f, &format!("vm.spec.cpu.features[{i}]"))).collect(),
        pinning: cpu
            .pinning
            .into_iter()
            .map(|p| Pin { vcpu: p.vcpu, host_cpus: p.host_cpus.into_iter().collect() })
            .collect(),
        physical_bits: cpu.physical_bits,
        core_scheduling: found.choice(cpu.core_scheduling, "vm.spec.cpu.core_scheduling"),
        template: some(cpu.template),
        custom_template: some(cpu.custom_template),
    }
}

fn memory(memory: wire::Memory, found: &mut Found) -> Memory {
    Memory {
        size_bytes: memory.size_bytes.unwrap_or_else(|| Memory::default().size_bytes),
        hotplug_bytes: memory.hotplug_bytes,
        hotplug_method: found.choice(memory.hotplug_method, "vm.spec.memory.hotplug_method"),
        huge_page_bytes: memory.huge_page_bytes,
        shared: memory.shared,
        mergeable: memory.mergeable,
        prefault: memory.prefault,
        thp: memory.thp,
        reserve: memory.reserve,
        balloon: memory.balloon.into_option().map(|b| Balloon {
            size_bytes: b.size_bytes,
            deflate_on_oom: b.deflate_on_oom,
            free_page_reporting: b.free_page_reporting,
            free_page_hinting: b.free_page_hinting,
            statistics_seconds: b.statistics_seconds,
        }),
        zones: memory
            .zones
            .into_iter()
            .map(|z| Zone {
                name: z.name,
                size_bytes: z.size_bytes,
                hotplug_bytes: z.hotplug_bytes,
                host_numa_node: z.host_numa_node,
            })
            .collect(),
    }
}

fn payload(payload: wire::Payload, found: &mut Found) -> Payload {
    use wire::payload::Source;
    let initramfs = some(payload.initramfs);
    if initramfs.is_some() && !matches!(payload.source, Some(Source::Kernel(_))) {
        found.add("vm.spec.payload.initramfs", "can only be given beside kernel");
    }
    match payload.source {
        None => Payload::Image { name: DEFAULT_IMAGE.to_owned(), cmdline: payload.cmdline },
        Some(Source::Image(name)) => {
            Payload::Image { name: some(name).unwrap_or_else(|| DEFAULT_IMAGE.to_owned()), cmdline: payload.cmdline }
        }
        Some(Source::Kernel(kernel)) => {
            Payload::Kernel { kernel: kernel.into(), initramfs: initramfs.map(PathBuf::from), cmdline: payload.cmdline }
        }
        Some(Source::Firmware(firmware)) => {
            if !payload.cmdline.is_empty() {
                found.add("vm.spec.payload.cmdline", "cannot be given beside firmware");
            }
            Payload::Firmware { firmware: firmware.into() }
        }
    }
}

/// The disk that is told at this field.
pub(crate) fn disk(disk: wire::Disk, default_name: &str, field: &str, found: &mut Found) -> Disk {
    use wire::disk::Source;
    let source = match disk.source {
        Some(Source::Path(path)) => DiskSource::Path(path.into()),
        Some(Source::Blank(blank)) => DiskSource::Blank { size_bytes: blank.size_bytes },
        Some(Source::Volume(name)) => DiskSource::Volume(name),
        Some(Source::Image(name)) => DiskSource::Image(name),
        Some(Source::VhostUserSocket(socket)) => DiskSource::VhostUser { socket: socket.into() },
        None => {
            found.add(field, "needs one of path, blank, volume, image and vhost_user_socket");
            DiskSource::Blank { size_bytes: weft_domain::spec::disk::MIN_BYTES }
        }
    };
    Disk {
        name: some(disk.name).unwrap_or_else(|| default_name.to_owned()),
        source,
        format: found.choice(disk.format, &format!("{field}.format")),
        read_only: disk.read_only,
        root: disk.root,
        direct: disk.direct,
        queues: disk.queues,
        queue_size: disk.queue_size,
        rate_limit: disk.rate_limit.into_option().map(rate_limit),
        rate_limit_group: some(disk.rate_limit_group),
        serial: some(disk.serial),
        pci_segment: disk.pci_segment,
        iommu: disk.iommu,
        cache: found.choice(disk.cache, &format!("{field}.cache")),
        io_engine: found.choice(disk.io_engine, &format!("{field}.io_engine")),
        partuuid: some(disk.partuuid),
        backing_files: disk.backing_files,
        sparse: disk.sparse,
        queue_pinning: disk
            .queue_pinning
            .into_iter()
            .map(|p| QueuePin { queue: p.queue, host_cpus: p.host_cpus.into_iter().collect() })
            .collect(),
    }
}

/// The interface that is told at this field.
pub(crate) fn nic(nic: wire::Nic, default_name: &str, field: &str, found: &mut Found) -> Nic {
    use wire::nic::Attachment as A;
    let attachment = match nic.attachment {
        None => Attachment::User { forwards: Vec::new() },
        Some(A::User(user)) => Attachment::User { forwards: forwards(user.forwards, field, found) },
        Some(A::Network(name)) => Attachment::Network(name),
        Some(A::Tap(name)) => Attachment::Tap(name),
        Some(A::Macvtap(name)) => Attachment::Macvtap(name),
        Some(A::VhostUserSocket(socket)) => Attachment::VhostUser { socket: socket.into() },
    };
    Nic {
        name: some(nic.name).unwrap_or_else(|| default_name.to_owned()),
        attachment,
        mac: found.parse_some(&nic.mac, &format!("{field}.mac")),
        ip: ip(&nic.ip, &format!("{field}.ip"), found),
        mtu: nic.mtu,
        queues: nic.queues,
        queue_size: nic.queue_size,
        offloads: nic.offloads.into_option().map(|o| Offloads { tso: o.tso, ufo: o.ufo, csum: o.csum }),
        rx_rate_limit: nic.rx_rate_limit.into_option().map(rate_limit),
        tx_rate_limit: nic.tx_rate_limit.into_option().map(rate_limit),
        pci_segment: nic.pci_segment,
        iommu: nic.iommu,
        vhost_mode: found.choice(nic.vhost_mode, &format!("{field}.vhost_mode")),
    }
}

fn ip(text: &str, field: &str, found: &mut Found) -> Option<std::net::IpAddr> {
    let read = (!text.is_empty()).then(|| text.parse());
    read.and_then(|ip| ip.map_err(|_| found.add(field, "must be an IPv4 or IPv6 address")).ok())
}

fn forwards(forwards: Vec<wire::Forward>, nic: &str, found: &mut Found) -> Vec<Forward> {
    let mut read = |(j, f): (usize, wire::Forward)| {
        let field = format!("{nic}.user.forwards[{j}]");
        Forward {
            transport: found.choice(f.transport, &format!("{field}.transport")),
            host_port: found.port(f.host_port, &format!("{field}.host_port")),
            guest_port: found.port(f.guest_port, &format!("{field}.guest_port")),
        }
    };
    forwards.into_iter().enumerate().map(&mut read).collect()
}

fn console(console: wire::Console, field: &str, found: &mut Found) -> Console {
    Console {
        mode: found.choice(console.mode, &format!("{field}.mode")),
        path: some(console.path).map(PathBuf::from),
        rate_limit: console.rate_limit.into_option().map(bucket),
        iommu: console.iommu,
    }
}

fn readiness(readiness: wire::Readiness, found: &mut Found) -> Option<Readiness> {
    use wire::readiness::Probe;
    let timeout = found.span(readiness.timeout.as_option(), "vm.spec.readiness.timeout").unwrap_or(READY_WITHIN);
    let probe = match readiness.probe {
        Some(Probe::SerialText(text)) => ReadinessProbe::Serial { text },
        Some(Probe::VsockPort(port)) => ReadinessProbe::Vsock { port },
        Some(Probe::TcpPort(port)) => ReadinessProbe::Tcp { port: found.port(port, "vm.spec.readiness.tcp_port") },
        Some(Probe::Http(http)) => ReadinessProbe::Http {
            port: found.port(http.port, "vm.spec.readiness.http.port"),
            path: some(http.path).unwrap_or_else(|| "/".to_owned()),
        },
        Some(Probe::GuestAgent(_)) => ReadinessProbe::GuestAgent,
        None => {
            found.add("vm.spec.readiness", "needs one of serial_text, vsock_port, tcp_port, http and guest_agent");
            return None;
        }
    };
    Some(Readiness { probe, timeout })
}
