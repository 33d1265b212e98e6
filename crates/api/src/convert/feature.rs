//! Names of driver features. They go over the wire and are never changed.

use weft_domain::capability::Feature;
use weft_domain::capability::Feature as F;
use weft_domain::spec::{Accelerator, Machine};

macro_rules! features {
    ($($feature:pat => $value:expr, $name:literal;)*) => {
        /// The name of a feature.
        pub(crate) const fn name(feature: Feature) -> &'static str {
            match feature { $($feature => $name,)* }
        }

        /// The feature of this name; `None` where it is not known here.
        pub(crate) fn parse(name: &str) -> Option<Feature> {
            match name { $($name => Some($value),)* _ => None }
        }

        #[cfg(test)]
        const ALL: &[Feature] = &[$($value,)*];
    };
}

features! {
    F::Machine(Machine::Auto) => F::Machine(Machine::Auto), "machine-auto";
    F::Machine(Machine::Microvm) => F::Machine(Machine::Microvm), "machine-microvm";
    F::Machine(Machine::Pc) => F::Machine(Machine::Pc), "machine-pc";
    F::Machine(Machine::Q35) => F::Machine(Machine::Q35), "machine-q35";
    F::Accelerator(Accelerator::Auto) => F::Accelerator(Accelerator::Auto), "accelerator-auto";
    F::Accelerator(Accelerator::Kvm) => F::Accelerator(Accelerator::Kvm), "accelerator-kvm";
    F::Accelerator(Accelerator::Tcg) => F::Accelerator(Accelerator::Tcg), "accelerator-tcg";
    F::CpuHotplug => F::CpuHotplug, "cpu-hotplug";
    F::CpuTopology => F::CpuTopology, "cpu-topology";
    F::CpuFeatures => F::CpuFeatures, "cpu-features";
    F::CpuPinning => F::CpuPinning, "cpu-pinning";
    F::MemoryHotplug => F::MemoryHotplug, "memory-hotplug";
    F::HugePages => F::HugePages, "huge-pages";
    F::SharedMemory => F::SharedMemory, "shared-memory";
    F::MergeableMemory => F::MergeableMemory, "mergeable-memory";
    F::Prefault => F::Prefault, "prefault";
    F::TransparentHugePages => F::TransparentHugePages, "transparent-huge-pages";
    F::Balloon => F::Balloon, "balloon";
    F::Kernel => F::Kernel, "kernel";
    F::Initramfs => F::Initramfs, "initramfs";
    F::Firmware => F::Firmware, "firmware";
    F::DefaultImage => F::DefaultImage, "default-image";
    F::NamedImage => F::NamedImage, "named-image";
    F::DiskRaw => F::DiskRaw, "disk-raw";
    F::DiskQcow2 => F::DiskQcow2, "disk-qcow2";
    F::DiskDirect => F::DiskDirect, "disk-direct";
    F::DiskQueues => F::DiskQueues, "disk-queues";
    F::DiskRateLimit => F::DiskRateLimit, "disk-rate-limit";
    F::DiskRateLimitGroup => F::DiskRateLimitGroup, "disk-rate-limit-group";
    F::DiskSerial => F::DiskSerial, "disk-serial";
    F::DiskVolume => F::DiskVolume, "disk-volume";
    F::DiskImage => F::DiskImage, "disk-image";
    F::DiskVhostUser => F::DiskVhostUser, "disk-vhost-user";
    F::PciSegment => F::PciSegment, "pci-segment";
    F::Iommu => F::Iommu, "iommu";
    F::NicUser => F::NicUser, "nic-user";
    F::NicForward => F::NicForward, "nic-forward";
    F::NicNetwork => F::NicNetwork, "nic-network";
    F::NicTap => F::NicTap, "nic-tap";
    F::NicMacvtap => F::NicMacvtap, "nic-macvtap";
    F::NicVhostUser => F::NicVhostUser, "nic-vhost-user";
    F::NicAddress => F::NicAddress, "nic-address";
    F::NicMtu => F::NicMtu, "nic-mtu";
    F::NicQueues => F::NicQueues, "nic-queues";
    F::NicOffloads => F::NicOffloads, "nic-offloads";
    F::NicRateLimit => F::NicRateLimit, "nic-rate-limit";
    F::SerialLog => F::SerialLog, "serial-log";
    F::SerialPty => F::SerialPty, "serial-pty";
    F::SerialFile => F::SerialFile, "serial-file";
    F::SerialTty => F::SerialTty, "serial-tty";
    F::VirtioConsole => F::VirtioConsole, "virtio-console";
    F::Rng => F::Rng, "rng";
    F::Vsock => F::Vsock, "vsock";
    F::MetadataService => F::MetadataService, "metadata-service";
    F::CloudInit => F::CloudInit, "cloud-init";
    F::CpuTemplate => F::CpuTemplate, "cpu-template";
    F::CpuCustomTemplate => F::CpuCustomTemplate, "cpu-custom-template";
    F::CpuPhysicalBits => F::CpuPhysicalBits, "cpu-physical-bits";
    F::CoreScheduling => F::CoreScheduling, "core-scheduling";
    F::MemoryZones => F::MemoryZones, "memory-zones";
    F::MemoryReserve => F::MemoryReserve, "memory-reserve";
    F::MemoryVirtioMem => F::MemoryVirtioMem, "memory-virtio-mem";
    F::MemoryAcpi => F::MemoryAcpi, "memory-acpi";
    F::FreePageReporting => F::FreePageReporting, "free-page-reporting";
    F::FreePageHinting => F::FreePageHinting, "free-page-hinting";
    F::BalloonStatistics => F::BalloonStatistics, "balloon-statistics";
    F::DiskCacheUnsafe => F::DiskCacheUnsafe, "disk-cache-unsafe";
    F::DiskIoSync => F::DiskIoSync, "disk-io-sync";
    F::DiskIoAsync => F::DiskIoAsync, "disk-io-async";
    F::DiskPartuuid => F::DiskPartuuid, "disk-partuuid";
    F::DiskBackingFiles => F::DiskBackingFiles, "disk-backing-files";
    F::DiskSparse => F::DiskSparse, "disk-sparse";
    F::QueuePinning => F::QueuePinning, "queue-pinning";
    F::NicVhostServer => F::NicVhostServer, "nic-vhost-server";
    F::SerialRateLimit => F::SerialRateLimit, "serial-rate-limit";
    F::RngRateLimit => F::RngRateLimit, "rng-rate-limit";
    F::Pmem => F::Pmem, "pmem";
    F::Share => F::Share, "share";
    F::Vdpa => F::Vdpa, "vdpa";
    F::Passthrough => F::Passthrough, "passthrough";
    F::VfioUser => F::VfioUser, "vfio-user";
    F::VhostUser => F::VhostUser, "vhost-user";
    F::Platform => F::Platform, "platform";
    F::Numa => F::Numa, "numa";
    F::Watchdog => F::Watchdog, "watchdog";
    F::Tpm => F::Tpm, "tpm";
    F::NetworkNamespace => F::NetworkNamespace, "network-namespace";
    F::LiveCpus => F::LiveCpus, "live-cpus";
    F::LiveMemory => F::LiveMemory, "live-memory";
    F::LiveMemoryShrink => F::LiveMemoryShrink, "live-memory-shrink";
    F::LiveBalloon => F::LiveBalloon, "live-balloon";
    F::LiveFreePageHinting => F::LiveFreePageHinting, "live-free-page-hinting";
    F::LiveDisks => F::LiveDisks, "live-disks";
    F::LiveDiskSize => F::LiveDiskSize, "live-disk-size";
    F::LiveDiskLimit => F::LiveDiskLimit, "live-disk-limit";
    F::LiveDiskSwap => F::LiveDiskSwap, "live-disk-swap";
    F::LiveNics => F::LiveNics, "live-nics";
    F::LiveNicLimit => F::LiveNicLimit, "live-nic-limit";
    F::LiveDevices => F::LiveDevices, "live-devices";
    F::LivePmem => F::LivePmem, "live-pmem";
    F::LivePmemLimit => F::LivePmemLimit, "live-pmem-limit";
    F::LiveShares => F::LiveShares, "live-shares";
    F::LiveVdpa => F::LiveVdpa, "live-vdpa";
    F::LivePassthrough => F::LivePassthrough, "live-passthrough";
    F::LiveVfioUser => F::LiveVfioUser, "live-vfio-user";
    F::LiveVhostUser => F::LiveVhostUser, "live-vhost-user";
    F::LiveVsock => F::LiveVsock, "live-vsock";
    F::LiveMetadata => F::LiveMetadata, "live-metadata";
    F::Pause => F::Pause, "pause";
    F::Reset => F::Reset, "reset";
    F::AskToStop => F::AskToStop, "ask-to-stop";
    F::TellsPoweroff => F::TellsPoweroff, "tells-poweroff";
    F::TellsPanic => F::TellsPanic, "tells-panic";
    F::Nmi => F::Nmi, "nmi";
    F::Counters => F::Counters, "counters";
    F::SnapshotFull => F::SnapshotFull, "snapshot-full";
    F::SnapshotDifference => F::SnapshotDifference, "snapshot-difference";
    F::SnapshotDisks => F::SnapshotDisks, "snapshot-disks";
    F::SnapshotInternal => F::SnapshotInternal, "snapshot-internal";
    F::Fork => F::Fork, "fork";
    F::Migrate => F::Migrate, "migrate";
    F::GuestAgent => F::GuestAgent, "guest-agent";
    F::Jail => F::Jail, "jail";
    F::ReadinessSerial => F::ReadinessSerial, "readiness-serial";
    F::ReadinessVsock => F::ReadinessVsock, "readiness-vsock";
    F::ReadinessTcp => F::ReadinessTcp, "readiness-tcp";
    F::ReadinessHttp => F::ReadinessHttp, "readiness-http";
    F::ReadinessGuestAgent => F::ReadinessGuestAgent, "readiness-guest-agent";
}

#[test]
fn names_read_back() {
    for feature in ALL {
        assert_eq!(parse(name(*feature)), Some(*feature));
    }
    assert_eq!(parse("teleport"), None);
}
