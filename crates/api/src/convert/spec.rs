//! The specification of a VM, both ways.

mod device;
mod limit;
mod read;
mod write;

use super::choice;
use crate::proto::weft::v1::VmSpec;
pub(crate) use read::draft;
use weft_domain::spec::{
    Accelerator, ConsoleMode, CoreScheduling, CpuFeature, DiskCache, DiskFormat, HotplugMethod, IoEngine, Machine,
    MetadataVersion, RestartPolicy, Transport, VhostMode,
};
pub(crate) use write::spec;

/// One part of a specification that comes alone, in the request of a verb that attaches it.
pub(crate) mod part {
    pub(crate) use super::device::{device, write_device};
    pub(crate) use super::read::{disk, nic, vsock};
    pub(crate) use super::write::{disk as write_disk, nic as write_nic, vsock as write_vsock};
}

choice!(Machine, Machine, Machine::Auto, {
    Machine::Auto = MACHINE_UNSPECIFIED,
    Machine::Microvm = MACHINE_MICROVM,
    Machine::Pc = MACHINE_PC,
    Machine::Q35 = MACHINE_Q35,
});

choice!(Accelerator, Accelerator, Accelerator::Auto, {
    Accelerator::Auto = ACCELERATOR_UNSPECIFIED,
    Accelerator::Kvm = ACCELERATOR_KVM,
    Accelerator::Tcg = ACCELERATOR_TCG,
});

choice!(CpuFeature, CpuFeature, CpuFeature::Nested, {
    CpuFeature::KvmHyperv = CPU_FEATURE_KVM_HYPERV,
    CpuFeature::Amx = CPU_FEATURE_AMX,
    CpuFeature::Nested = CPU_FEATURE_NESTED,
} else {
    CPU_FEATURE_UNSPECIFIED => Err("must name a feature"),
});

choice!(DiskFormat, DiskFormat, DiskFormat::Raw, {
    DiskFormat::Raw = DISK_FORMAT_RAW,
    DiskFormat::Qcow2 = DISK_FORMAT_QCOW2,
} else {
    DISK_FORMAT_UNSPECIFIED => Ok(DiskFormat::Raw),
});

choice!(Transport, Transport, Transport::Tcp, {
    Transport::Tcp = TRANSPORT_TCP,
    Transport::Udp = TRANSPORT_UDP,
} else {
    TRANSPORT_UNSPECIFIED => Ok(Transport::Tcp),
});

choice!(ConsoleMode, ConsoleMode, ConsoleMode::Off, {
    ConsoleMode::Off = CONSOLE_MODE_OFF,
    ConsoleMode::Pty = CONSOLE_MODE_PTY,
    ConsoleMode::Tty = CONSOLE_MODE_TTY,
    ConsoleMode::File = CONSOLE_MODE_FILE,
    ConsoleMode::Socket = CONSOLE_MODE_SOCKET,
    ConsoleMode::Null = CONSOLE_MODE_NULL,
} else {
    CONSOLE_MODE_UNSPECIFIED => Ok(ConsoleMode::Socket),
});

choice!(CoreScheduling, CoreScheduling, CoreScheduling::Auto, {
    CoreScheduling::Auto = CORE_SCHEDULING_UNSPECIFIED,
    CoreScheduling::Off = CORE_SCHEDULING_OFF,
    CoreScheduling::Vm = CORE_SCHEDULING_VM,
    CoreScheduling::Vcpu = CORE_SCHEDULING_VCPU,
});

choice!(HotplugMethod, HotplugMethod, HotplugMethod::Auto, {
    HotplugMethod::Auto = HOTPLUG_METHOD_UNSPECIFIED,
    HotplugMethod::Acpi = HOTPLUG_METHOD_ACPI,
    HotplugMethod::VirtioMem = HOTPLUG_METHOD_VIRTIO_MEM,
});

choice!(DiskCache, DiskCache, DiskCache::Auto, {
    DiskCache::Auto = DISK_CACHE_UNSPECIFIED,
    DiskCache::Writeback = DISK_CACHE_WRITEBACK,
    DiskCache::Unsafe = DISK_CACHE_UNSAFE,
});

choice!(IoEngine, IoEngine, IoEngine::Auto, {
    IoEngine::Auto = IO_ENGINE_UNSPECIFIED,
    IoEngine::Sync = IO_ENGINE_SYNC,
    IoEngine::Async = IO_ENGINE_ASYNC,
});

choice!(VhostMode, VhostMode, VhostMode::Client, {
    VhostMode::Client = VHOST_MODE_CLIENT,
    VhostMode::Server = VHOST_MODE_SERVER,
} else {
    VHOST_MODE_UNSPECIFIED => Ok(VhostMode::Client),
});

choice!(MetadataVersion, MetadataVersion, MetadataVersion::V2, {
    MetadataVersion::V1 = METADATA_VERSION_V1,
    MetadataVersion::V2 = METADATA_VERSION_V2,
} else {
    METADATA_VERSION_UNSPECIFIED => Ok(MetadataVersion::V2),
});

choice!(RestartPolicy, RestartPolicy, RestartPolicy::Never, {
    RestartPolicy::Never = RESTART_POLICY_NEVER,
    RestartPolicy::OnFailure = RESTART_POLICY_ON_FAILURE,
    RestartPolicy::Always = RESTART_POLICY_ALWAYS,
} else {
    RESTART_POLICY_UNSPECIFIED => Ok(RestartPolicy::Never),
});

/// The fields of a specification by their proto names, to be changed one by one.
macro_rules! fields {
    ($($field:ident,)*) => {
        /// Whether a specification has a field of this proto name.
        pub(crate) fn has_field(name: &str) -> bool {
            [$(stringify!($field),)*].contains(&name)
        }

        /// Copies one field by its proto name; a name that is none copies nothing.
        pub(crate) fn copy_field(from: &VmSpec, to: &mut VmSpec, name: &str) {
            $(if name == stringify!($field) { to.$field = from.$field.clone(); })*
        }
    };
}

fields! {
    driver, machine, accelerator, cpu, memory, payload, disks, nics, serial, console, rng, vsock, metadata,
    cloud_init, restart, readiness, rate_limit_groups, devices, platform, numa, watchdog, tpm_socket,
    network_namespace,
}
