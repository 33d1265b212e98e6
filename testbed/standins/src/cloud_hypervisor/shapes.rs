//! The bodies of Cloud Hypervisor's requests: fields, defaults and since when they exist.
//!
//! Unknown fields are dropped, but in a rate limiter, where they are refused. What is wrong in itself, such as
//! a queue of three, is not seen here but when the machine boots.

use crate::shape::Default::{Empty, No, Number, Of, Text as Word, Yes};
use crate::shape::Kind::{Checked, Choice, Flag, List, Object, Positive, Signed, Text, Whole};
use crate::shape::Need::{Nullable, Or, Quiet, Required, Silent};
use crate::shape::Strictness::{Lax, Strict};
use crate::shape::{Field, Kind, Shape, field, newer};

const U8: Kind = Whole(u8::MAX as u64);
const U16: Kind = Whole(u16::MAX as u64);
const U32: Kind = Whole(u32::MAX as u64);
const U64: Kind = Whole(u64::MAX);

const fn lax(name: &'static str, fields: &'static [&'static [Field]]) -> Shape {
    Shape { name, strictness: Lax, fields }
}

const fn renamed(old: &'static str, name: &'static str) -> Field {
    Field { alias: Some(old), ..field(name, Text, Silent) }
}

/// What every device on PCI has.
static PCI: &[Field] = &[
    field("id", Text, Silent),
    field("iommu", Flag, Quiet(No)),
    field("pci_segment", U16, Or(Number(0))),
    newer((52, 0), "pci_device_id", U8, Silent),
];

static BUCKET: Shape = lax(
    "TokenBucketConfig",
    &[&[field("size", U64, Required), field("one_time_burst", U64, Nullable), field("refill_time", U64, Required)]],
);
static LIMITER: Shape = Shape {
    name: "RateLimiterConfig",
    strictness: Strict,
    fields: &[&[field("bandwidth", Object(&BUCKET), Nullable), field("ops", Object(&BUCKET), Nullable)]],
};
static GROUP: Shape = lax(
    "RateLimiterGroupConfig",
    &[&[field("id", Text, Or(Word(""))), field("rate_limiter_config", Object(&LIMITER), Or(Of(&LIMITER, "{}")))]],
);

static TOPOLOGY: Shape = lax(
    "CpuTopology",
    &[&[
        field("threads_per_core", U16, Required),
        field("cores_per_die", U16, Required),
        field("dies_per_package", U16, Required),
        field("packages", U16, Required),
    ]],
);
static AFFINITY: Shape =
    lax("CpuAffinity", &[&[field("vcpu", U32, Required), field("host_cpus", List(&U64), Required)]]);
static FEATURES: Shape = lax("CpuFeatures", &[&[field("amx", Flag, Or(No))]]);
static CPUS: Shape = lax(
    "CpusConfig",
    &[&[
        field("boot_vcpus", U32, Required),
        field("max_vcpus", U32, Required),
        field("topology", Object(&TOPOLOGY), Silent),
        field("kvm_hyperv", Flag, Or(No)),
        field("max_phys_bits", U8, Or(Number(46))),
        field("affinity", List(&Object(&AFFINITY)), Silent),
        field("features", Object(&FEATURES), Or(Of(&FEATURES, "{}"))),
        newer((50, 0), "nested", Flag, Or(Yes)),
        newer((52, 0), "core_scheduling", Choice(&["Vm", "Vcpu", "Off"]), Or(Word("Vm"))),
        newer((53, 0), "profile", Text, Or(Word("Host"))),
    ]],
);

static ZONE: Shape = lax(
    "MemoryZoneConfig",
    &[&[
        field("id", Text, Required),
        field("size", U64, Required),
        field("file", Text, Silent),
        field("shared", Flag, Or(No)),
        field("hugepages", Flag, Or(No)),
        field("hugepage_size", U64, Silent),
        field("host_numa_node", U32, Silent),
        field("hotplug_size", U64, Silent),
        field("hotplugged_size", U64, Silent),
        field("prefault", Flag, Or(No)),
        newer((53, 0), "reserve", Flag, Or(No)),
        field("mergeable", Flag, Or(No)),
    ]],
);
static MEMORY: Shape = lax(
    "MemoryConfig",
    &[&[
        field("size", U64, Required),
        field("mergeable", Flag, Or(No)),
        field("hotplug_method", Choice(&["Acpi", "VirtioMem"]), Or(Word("Acpi"))),
        field("hotplug_size", U64, Silent),
        field("hotplugged_size", U64, Silent),
        field("shared", Flag, Or(No)),
        field("hugepages", Flag, Or(No)),
        field("hugepage_size", U64, Silent),
        field("prefault", Flag, Or(No)),
        newer((53, 0), "reserve", Flag, Or(No)),
        field("zones", List(&Object(&ZONE)), Silent),
        field("thp", Flag, Or(Yes)),
    ]],
);
static PAYLOAD: Shape = lax(
    "PayloadConfig",
    &[&[
        field("firmware", Text, Silent),
        field("kernel", Text, Silent),
        field("cmdline", Text, Silent),
        field("initramfs", Text, Silent),
    ]],
);

static QUEUE: Shape =
    lax("VirtQueueAffinity", &[&[field("queue_index", U16, Required), field("host_cpus", List(&U64), Required)]]);
/// `vm.add-disk`.
pub(super) static DISK: Shape = lax(
    "DiskConfig",
    &[
        PCI,
        &[
            field("path", Text, Silent),
            field("readonly", Flag, Or(No)),
            field("direct", Flag, Or(No)),
            field("num_queues", U64, Or(Number(1))),
            field("queue_size", U16, Or(Number(128))),
            field("vhost_user", Flag, Or(No)),
            field("vhost_socket", Text, Silent),
            field("rate_limit_group", Text, Silent),
            field("rate_limiter_config", Object(&LIMITER), Silent),
            field("disable_io_uring", Flag, Or(No)),
            field("disable_aio", Flag, Or(No)),
            field("serial", Text, Silent),
            field("queue_affinity", List(&Object(&QUEUE)), Silent),
            newer((51, 0), "backing_files", Flag, Or(No)),
            newer((51, 0), "sparse", Flag, Or(Yes)),
            newer(
                (52, 0),
                "image_type",
                Choice(&["FixedVhd", "Qcow2", "Raw", "Vhdx", "FlatVmdk", "Unknown"]),
                Or(Word("Unknown")),
            ),
            newer((52, 0), "lock_granularity", Choice(&["ByteRange", "Full"]), Or(Word("ByteRange"))),
        ],
    ],
);
/// `vm.add-net`.
pub(super) static NET: Shape = lax(
    "NetConfig",
    &[
        PCI,
        &[
            field("tap", Text, Silent),
            field("ip", Checked(ip), Silent),
            field("mask", Checked(ip), Silent),
            field("mac", Checked(mac), Silent),
            field("host_mac", Checked(mac), Silent),
            field("mtu", U16, Silent),
            field("num_queues", U64, Or(Number(2))),
            field("queue_size", U16, Or(Number(256))),
            field("vhost_user", Flag, Or(No)),
            field("vhost_socket", Text, Silent),
            field("vhost_mode", Choice(&["Client", "Server"]), Or(Word("Client"))),
            field("fds", List(&Signed), Silent),
            field("rate_limiter_config", Object(&LIMITER), Silent),
            field("offload_tso", Flag, Or(Yes)),
            field("offload_ufo", Flag, Or(Yes)),
            field("offload_csum", Flag, Or(Yes)),
        ],
    ],
);
static RNG: Shape = lax("RngConfig", &[PCI, &[field("src", Text, Required)]]);
static RTC: Shape = lax("RtcConfig", &[PCI]);
static BALLOON: Shape = lax(
    "BalloonConfig",
    &[
        PCI,
        &[
            field("size", U64, Required),
            field("deflate_on_oom", Flag, Or(No)),
            field("free_page_reporting", Flag, Or(No)),
        ],
    ],
);
/// `vm.add-fs`.
pub(super) static FS: Shape = lax(
    "FsConfig",
    &[
        PCI,
        &[
            field("tag", Text, Required),
            field("socket", Text, Required),
            field("num_queues", U64, Or(Number(1))),
            field("queue_size", U16, Or(Number(1024))),
        ],
    ],
);
/// `vm.add-generic-vhost-user`.
pub(super) static GENERIC: Shape = lax(
    "GenericVhostUserConfig",
    &[
        PCI,
        &[
            field("socket", Text, Required),
            field("queue_sizes", List(&U16), Required),
            field("device_type", U32, Required),
        ],
    ],
);
/// `vm.add-pmem`.
pub(super) static PMEM: Shape = lax(
    "PmemConfig",
    &[PCI, &[field("file", Text, Required), field("size", U64, Silent), field("discard_writes", Flag, Or(No))]],
);
const MODES: &[&str] = &["Off", "Pty", "Tty", "File", "Socket", "Null"];
static COMMON_CONSOLE: &[Field] =
    &[field("file", Text, Silent), field("mode", Choice(MODES), Required), field("socket", Text, Silent)];
static SERIAL: Shape = lax("SerialConfig", &[COMMON_CONSOLE]);
static CONSOLE: Shape = lax("ConsoleConfig", &[COMMON_CONSOLE, PCI]);
static DEBUG_CONSOLE: Shape = lax(
    "DebugConsoleConfig",
    &[&[field("file", Text, Silent), field("mode", Choice(MODES), Required), field("iobase", U16, Silent)]],
);
/// `vm.add-device`.
pub(super) static DEVICE: Shape = lax(
    "DeviceConfig",
    &[
        PCI,
        &[
            field("path", Text, Silent),
            field("fd", Signed, Silent),
            field("x_nv_gpudirect_clique", U8, Silent),
            field("x_exclude_mmap_bars", List(&U64), Or(Empty)),
        ],
    ],
);
/// `vm.add-user-device`.
pub(super) static USER_DEVICE: Shape = lax("UserDeviceConfig", &[PCI, &[field("socket", Text, Required)]]);
/// `vm.add-vdpa`.
pub(super) static VDPA: Shape =
    lax("VdpaConfig", &[PCI, &[field("path", Text, Required), field("num_queues", U64, Or(Number(1)))]]);
/// `vm.add-vsock`.
pub(super) static VSOCK: Shape =
    lax("VsockConfig", &[PCI, &[field("cid", U32, Required), field("socket", Text, Required)]]);
static TPM: Shape = lax("TpmConfig", &[&[field("socket", Text, Required)]]);
static DISTANCE: Shape =
    lax("NumaDistance", &[&[field("destination", U32, Or(Number(0))), field("distance", U8, Or(Number(0)))]]);
static NUMA: Shape = lax(
    "NumaConfig",
    &[&[
        field("guest_numa_id", U32, Required),
        field("cpus", List(&U32), Silent),
        field("distances", List(&Object(&DISTANCE)), Silent),
        field("memory_zones", List(&Text), Silent),
        field("pci_segments", List(&U16), Silent),
        field("device_id", Text, Silent),
    ]],
);
static SEGMENT: Shape = lax(
    "PciSegmentConfig",
    &[&[
        field("pci_segment", U16, Or(Number(0))),
        field("mmio32_aperture_weight", U32, Or(Number(1))),
        field("mmio64_aperture_weight", U32, Or(Number(1))),
    ]],
);
static PLATFORM: Shape = lax(
    "PlatformConfig",
    &[&[
        field("num_pci_segments", U16, Or(Number(1))),
        field("iommu_segments", List(&U16), Silent),
        field("iommu_address_width_bits", U8, Or(Number(64))),
        renamed("serial_number", "system_serial_number"),
        renamed("uuid", "system_uuid"),
        field("oem_strings", List(&Text), Silent),
        field("system_manufacturer", Text, Silent),
        field("system_product_name", Text, Silent),
        field("system_version", Text, Silent),
        field("system_family", Text, Silent),
        field("system_sku_number", Text, Silent),
        field("chassis_asset_tag", Text, Silent),
        newer((53, 0), "iommufd", Flag, Or(No)),
        newer((54, 0), "iommufd_fd", Signed, Silent),
        newer((53, 0), "vfio_p2p_dma", Flag, Or(Yes)),
    ]],
);
static LANDLOCK: Shape = lax("LandlockConfig", &[&[field("path", Text, Required), field("access", Text, Required)]]);

/// `vm.create`.
pub(super) static VM: Shape = lax(
    "VmConfig",
    &[&[
        field("cpus", Object(&CPUS), Or(Of(&CPUS, r#"{"boot_vcpus":1,"max_vcpus":1}"#))),
        field("memory", Object(&MEMORY), Or(Of(&MEMORY, r#"{"size":536870912}"#))),
        field("payload", Object(&PAYLOAD), Silent),
        field("rate_limit_groups", List(&Object(&GROUP)), Silent),
        field("disks", List(&Object(&DISK)), Silent),
        field("net", List(&Object(&NET)), Silent),
        field("rng", Object(&RNG), Or(Of(&RNG, r#"{"src":"/dev/urandom"}"#))),
        field("balloon", Object(&BALLOON), Silent),
        field("fs", List(&Object(&FS)), Silent),
        newer((52, 0), "generic_vhost_user", List(&Object(&GENERIC)), Silent),
        field("pmem", List(&Object(&PMEM)), Silent),
        field("serial", Object(&SERIAL), Or(Of(&SERIAL, r#"{"mode":"Null"}"#))),
        field("console", Object(&CONSOLE), Or(Of(&CONSOLE, r#"{"mode":"Tty"}"#))),
        field("debug_console", Object(&DEBUG_CONSOLE), Or(Of(&DEBUG_CONSOLE, r#"{"mode":"Off","iobase":233}"#))),
        field("devices", List(&Object(&DEVICE)), Silent),
        field("user_devices", List(&Object(&USER_DEVICE)), Silent),
        field("vdpa", List(&Object(&VDPA)), Silent),
        field("vsock", Object(&VSOCK), Silent),
        field("pvpanic", Flag, Or(No)),
        field("iommu", Flag, Or(No)),
        field("numa", List(&Object(&NUMA)), Silent),
        field("watchdog", Flag, Or(No)),
        newer((53, 0), "rtc", Object(&RTC), Silent),
        field("pci_segments", List(&Object(&SEGMENT)), Silent),
        field("platform", Object(&PLATFORM), Silent),
        field("tpm", Object(&TPM), Silent),
        field("landlock_enable", Flag, Or(No)),
        field("landlock_rules", List(&Object(&LANDLOCK)), Silent),
    ]],
);

/// `vm.resize`.
pub(super) static RESIZE: Shape = lax(
    "VmResizeData",
    &[&[field("desired_vcpus", U32, Silent), field("desired_ram", U64, Silent), field("desired_balloon", U64, Silent)]],
);
/// `vm.resize-disk`.
pub(super) static RESIZE_DISK: Shape =
    lax("VmResizeDiskData", &[&[field("id", Text, Required), field("desired_size", U64, Required)]]);
/// `vm.resize-zone`.
pub(super) static RESIZE_ZONE: Shape =
    lax("VmResizeZoneData", &[&[field("id", Text, Required), field("desired_ram", U64, Required)]]);
/// `vm.remove-device`.
pub(super) static REMOVE: Shape = lax("VmRemoveDeviceData", &[&[field("id", Text, Required)]]);
/// `vm.snapshot`.
pub(super) static SNAPSHOT: Shape = lax("VmSnapshotConfig", &[&[field("destination_url", Text, Required)]]);
static NET_FDS: Shape = lax("RestoredNetConfig", &[&[field("id", Text, Required), field("num_fds", U64, Required)]]);
static VFIO_FDS: Shape = lax("RestoredVfioConfig", &[&[field("id", Text, Required)]]);
/// `vm.restore`.
pub(super) static RESTORE: Shape = lax(
    "RestoreConfig",
    &[&[
        field("source_url", Text, Required),
        field("prefault", Flag, Or(No)),
        newer((52, 0), "memory_restore_mode", Choice(&["Copy", "OnDemand"]), Or(Word("Copy"))),
        newer((52, 0), "resume", Flag, Or(No)),
        field("net_fds", List(&Object(&NET_FDS)), Silent),
        newer((54, 0), "vfio_fds", List(&Object(&VFIO_FDS)), Silent),
    ]],
);
const MEMORY_MODE: Field = newer((53, 0), "memory_mode", Choice(&["Precopy", "Postcopy"]), Or(Word("Precopy")));
/// `vm.receive-migration`.
pub(super) static RECEIVE: Shape = lax(
    "VmReceiveMigrationData",
    &[&[
        field("receiver_url", Text, Required),
        newer((53, 0), "tls_dir", Text, Silent),
        MEMORY_MODE,
        newer((54, 0), "vfio_fds", List(&Object(&VFIO_FDS)), Silent),
    ]],
);
/// `vm.send-migration`.
pub(super) static SEND: Shape = lax(
    "VmSendMigrationData",
    &[&[
        field("destination_url", Text, Required),
        field("local", Flag, Or(No)),
        newer((52, 0), "downtime_ms", Positive(u64::MAX), Or(Number(300))),
        newer((52, 0), "timeout_s", Positive(u64::MAX), Or(Number(3600))),
        newer((52, 0), "timeout_strategy", Choice(&["Cancel", "Ignore"]), Or(Word("Cancel"))),
        newer((52, 0), "connections", Positive(u32::MAX as u64), Or(Number(1))),
        newer((53, 0), "tls_dir", Text, Silent),
        MEMORY_MODE,
    ]],
);

fn mac(text: &str) -> Result<(), String> {
    let parts: Vec<_> = text.split(':').collect();
    let good = parts.len() == 6 && parts.iter().all(|part| part.len() == 2 && u8::from_str_radix(part, 16).is_ok());
    good.then_some(()).ok_or_else(|| format!("`{text}` is no MAC address"))
}

fn ip(text: &str) -> Result<(), String> {
    text.parse::<std::net::IpAddr>().map(|_| ()).map_err(|error| error.to_string())
}
