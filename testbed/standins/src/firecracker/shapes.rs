//! The bodies of Firecracker's requests: fields, ranges, defaults and since when they exist.
//!
//! Everything is strict but the metrics configuration, the overrides of a load and token buckets.

use crate::shape::Default::{Empty, No, Number, Text as Word};
use crate::shape::Kind::{AnyCase, Checked, Choice, Flag, List, Object, Signed, Text, Texts, Whole};
use crate::shape::Need::{Nullable, Or, Required, Silent};
use crate::shape::Strictness::{Lax, Strict};
use crate::shape::{Field, Kind, Shape, field, newer};

const U8: Kind = Whole(u8::MAX as u64);
const U16: Kind = Whole(u16::MAX as u64);
const U32: Kind = Whole(u32::MAX as u64);
const U64: Kind = Whole(u64::MAX);

const fn strict(name: &'static str, fields: &'static [&'static [Field]]) -> Shape {
    Shape { name, strictness: Strict, fields }
}

const fn lax(name: &'static str, fields: &'static [&'static [Field]]) -> Shape {
    Shape { name, strictness: Lax, fields }
}

static BUCKET: Shape = lax(
    "TokenBucketConfig",
    &[&[field("size", U64, Required), field("one_time_burst", U64, Nullable), field("refill_time", U64, Required)]],
);
static LIMITER: Shape = strict(
    "RateLimiterConfig",
    &[&[field("bandwidth", Object(&BUCKET), Nullable), field("ops", Object(&BUCKET), Nullable)]],
);

const PAGES: &[&str] = &["None", "Transparent", "2M"];
const TEMPLATES: &[&str] = &["C3", "T2", "T2S", "T2CL", "T2A", "V1N1", "None"];

/// `PUT /machine-config`.
pub(crate) static MACHINE: Shape = strict(
    "MachineConfig",
    &[&[
        field("vcpu_count", U8, Required),
        field("mem_size_mib", U64, Required),
        field("smt", Flag, Or(No)),
        field("cpu_template", Choice(TEMPLATES), Silent),
        field("track_dirty_pages", Flag, Or(No)),
        newer((1, 7), "huge_pages", Choice(PAGES), Or(Word("None"))),
    ]],
);
/// `PATCH /machine-config`.
pub(crate) static MACHINE_UPDATE: Shape = strict(
    "MachineConfigUpdate",
    &[&[
        field("vcpu_count", U8, Silent),
        field("mem_size_mib", U64, Silent),
        field("smt", Flag, Silent),
        field("cpu_template", Choice(TEMPLATES), Silent),
        field("track_dirty_pages", Flag, Silent),
        newer((1, 7), "huge_pages", Choice(PAGES), Silent),
    ]],
);
/// `PUT /boot-source`.
pub(crate) static BOOT: Shape = strict(
    "BootSourceConfig",
    &[&[
        field("kernel_image_path", Text, Required),
        field("initrd_path", Text, Nullable),
        field("boot_args", Text, Nullable),
    ]],
);
/// `PUT /drives/{id}`.
pub(crate) static DRIVE: Shape = strict(
    "BlockDeviceConfig",
    &[&[
        field("drive_id", Text, Required),
        field("partuuid", Text, Nullable),
        field("is_root_device", Flag, Required),
        field("cache_type", Choice(&["Unsafe", "Writeback"]), Or(Word("Unsafe"))),
        field("is_read_only", Flag, Nullable),
        field("path_on_host", Text, Nullable),
        field("rate_limiter", Object(&LIMITER), Nullable),
        field("io_engine", Choice(&["Async", "Sync"]), Nullable),
        field("socket", Text, Nullable),
    ]],
);
/// `PATCH /drives/{id}`.
pub(crate) static DRIVE_UPDATE: Shape = strict(
    "BlockDeviceUpdateConfig",
    &[&[
        field("drive_id", Text, Required),
        field("path_on_host", Text, Silent),
        field("rate_limiter", Object(&LIMITER), Silent),
    ]],
);
/// `PUT /network-interfaces/{id}`.
pub(crate) static NIC: Shape = strict(
    "NetworkInterfaceConfig",
    &[&[
        field("iface_id", Text, Required),
        field("host_dev_name", Text, Required),
        field("guest_mac", Checked(mac), Nullable),
        newer((1, 16), "mtu", U16, Nullable),
        field("rx_rate_limiter", Object(&LIMITER), Nullable),
        field("tx_rate_limiter", Object(&LIMITER), Nullable),
    ]],
);
/// `PATCH /network-interfaces/{id}`.
pub(crate) static NIC_UPDATE: Shape = strict(
    "NetworkInterfaceUpdateConfig",
    &[&[
        field("iface_id", Text, Required),
        field("rx_rate_limiter", Object(&LIMITER), Silent),
        field("tx_rate_limiter", Object(&LIMITER), Silent),
    ]],
);
/// `PUT /pmem/{id}`.
pub(crate) static PMEM: Shape = strict(
    "PmemConfig",
    &[&[
        field("id", Text, Required),
        field("path_on_host", Text, Required),
        field("root_device", Flag, Or(No)),
        field("read_only", Flag, Or(No)),
        newer((1, 16), "rate_limiter", Object(&LIMITER), Nullable),
    ]],
);
/// `PATCH /pmem/{id}`.
pub(crate) static PMEM_UPDATE: Shape = strict(
    "PmemDeviceUpdateConfig",
    &[&[field("id", Text, Required), field("rate_limiter", Object(&LIMITER), Silent)]],
);
/// `PUT /vsock`.
pub(crate) static VSOCK: Shape = strict(
    "VsockDeviceConfig",
    &[&[field("vsock_id", Text, Silent), field("guest_cid", U32, Required), field("uds_path", Text, Required)]],
);
/// `PUT /entropy`.
pub(crate) static ENTROPY: Shape =
    strict("EntropyDeviceConfig", &[&[field("rate_limiter", Object(&LIMITER), Nullable)]]);
/// `PUT /serial`.
pub(crate) static SERIAL: Shape = strict(
    "SerialConfig",
    &[&[field("serial_out_path", Text, Nullable), newer((1, 16), "rate_limiter", Object(&BUCKET), Nullable)]],
);
/// `PUT /balloon`.
pub(crate) static BALLOON: Shape = strict(
    "BalloonDeviceConfig",
    &[&[
        field("amount_mib", U32, Required),
        field("deflate_on_oom", Flag, Required),
        field("stats_polling_interval_s", U16, Or(Number(0))),
        newer((1, 14), "free_page_hinting", Flag, Or(No)),
        newer((1, 14), "free_page_reporting", Flag, Or(No)),
    ]],
);
/// `PATCH /balloon`.
pub(crate) static BALLOON_UPDATE: Shape = strict("BalloonUpdateConfig", &[&[field("amount_mib", U32, Required)]]);
/// `PATCH /balloon/statistics`.
pub(crate) static BALLOON_STATS: Shape =
    strict("BalloonUpdateStatsConfig", &[&[field("stats_polling_interval_s", U16, Required)]]);
/// `PATCH /balloon/hinting/start`.
pub(crate) static HINTING: Shape =
    lax("StartHintingCmd", &[&[field("acknowledge_on_stop", Flag, Or(crate::shape::Default::Yes))]]);
/// `PUT /hotplug/memory`.
pub(crate) static HOTPLUG: Shape = strict(
    "MemoryHotplugConfig",
    &[&[
        field("total_size_mib", U32, Required),
        field("block_size_mib", U32, Or(Number(2))),
        field("slot_size_mib", U32, Or(Number(128))),
    ]],
);
/// `PATCH /hotplug/memory`.
pub(crate) static HOTPLUG_UPDATE: Shape =
    strict("MemoryHotplugSizeUpdate", &[&[field("requested_size_mib", U32, Required)]]);
/// `PUT /mmds/config`.
pub(crate) static MMDS_CONFIG: Shape = strict(
    "MmdsConfig",
    &[&[
        field("version", Choice(&["V1", "V2"]), Or(Word("V1"))),
        field("network_interfaces", List(&Text), Required),
        field("ipv4_address", Checked(ipv4), Nullable),
        newer((1, 13), "imds_compat", Flag, Or(No)),
    ]],
);
/// How much is logged.
pub(crate) static LEVELS: &[&str] = &["Off", "Trace", "Debug", "Info", "Warn", "Error", "Warning"];
/// `PUT /logger`.
pub(crate) static LOGGER: Shape = strict(
    "LoggerConfig",
    &[&[
        field("log_path", Text, Nullable),
        field("level", AnyCase(LEVELS), Nullable),
        field("show_level", Flag, Nullable),
        field("show_log_origin", Flag, Nullable),
        field("module", Text, Nullable),
    ]],
);
/// `PUT /metrics`.
pub(crate) static METRICS: Shape = lax(
    "MetricsConfig",
    &[&[
        field("metrics_path", Text, Required),
        newer((1, 17), "emit_id", Flag, Or(No)),
        newer((1, 17), "properties", Texts, Silent),
    ]],
);
/// `PUT /actions`.
pub(crate) static ACTION: Shape = strict(
    "ActionBody",
    &[&[field("action_type", Choice(&["FlushMetrics", "InstanceStart", "SendCtrlAltDel"]), Required)]],
);
/// `PATCH /vm`.
pub(crate) static VM: Shape = strict("Vm", &[&[field("state", Choice(&["Paused", "Resumed"]), Required)]]);
/// `PUT /snapshot/create`.
pub(crate) static CREATE: Shape = strict(
    "CreateSnapshotParams",
    &[&[
        field("snapshot_type", Choice(&["Diff", "Full"]), Or(Word("Full"))),
        field("snapshot_path", Text, Required),
        field("mem_file_path", Text, Required),
    ]],
);
static BACKEND: Shape = strict(
    "MemBackendConfig",
    &[&[field("backend_path", Text, Required), field("backend_type", Choice(&["File", "Uffd"]), Required)]],
);
static NETWORK_OVERRIDE: Shape =
    lax("NetworkOverride", &[&[field("iface_id", Text, Required), field("host_dev_name", Text, Required)]]);
static VSOCK_OVERRIDE: Shape = lax("VsockOverride", &[&[field("uds_path", Text, Required)]]);
/// `PUT /snapshot/load`.
pub(crate) static LOAD: Shape = strict(
    "LoadSnapshotConfig",
    &[&[
        field("snapshot_path", Text, Required),
        field("mem_file_path", Text, Nullable),
        field("mem_backend", Object(&BACKEND), Nullable),
        field("enable_diff_snapshots", Flag, Or(No)),
        newer((1, 13), "track_dirty_pages", Flag, Or(No)),
        field("resume_vm", Flag, Or(No)),
        newer((1, 12), "network_overrides", List(&Object(&NETWORK_OVERRIDE)), Or(Empty)),
        newer((1, 16), "vsock_override", Object(&VSOCK_OVERRIDE), Nullable),
        newer((1, 16), "clock_realtime", Flag, Or(No)),
        newer((1, 17), "huge_pages", Choice(&["Snapshot", "None", "Transparent", "2M"]), Or(Word("Snapshot"))),
    ]],
);

static REGISTER: Shape = strict(
    "CpuidRegisterModifier",
    &[&[
        field("register", Choice(&["eax", "ebx", "ecx", "edx"]), Required),
        field("bitmap", Checked(bits32), Required),
    ]],
);
static LEAF: Shape = strict(
    "CpuidLeafModifier",
    &[&[
        field("leaf", Checked(number), Required),
        field("subleaf", Checked(number), Required),
        field("flags", Signed, Required),
        field("modifiers", List(&Object(&REGISTER)), Required),
    ]],
);
static MSR: Shape = strict(
    "RegisterModifier",
    &[&[field("addr", Checked(number), Required), field("bitmap", Checked(bits64), Required)]],
);
/// `PUT /cpu-config`.
pub(crate) static CPU: Shape = strict(
    "CustomCpuTemplate",
    &[&[
        field("kvm_capabilities", List(&Checked(capability)), Or(Empty)),
        field("cpuid_modifiers", List(&Object(&LEAF)), Or(Empty)),
        field("msr_modifiers", List(&Object(&MSR)), Or(Empty)),
    ]],
);
fn mac(text: &str) -> Result<(), String> {
    let parts: Vec<_> = text.split(':').collect();
    let good = parts.len() == 6 && parts.iter().all(|part| part.len() == 2 && u8::from_str_radix(part, 16).is_ok());
    good.then_some(()).ok_or_else(|| format!("`{text}` is no MAC address"))
}

fn ipv4(text: &str) -> Result<(), String> {
    text.parse::<std::net::Ipv4Addr>().map(|_| ()).map_err(|error| error.to_string())
}

fn number(text: &str) -> Result<(), String> {
    let digits = if let Some(hex) = text.strip_prefix("0x") {
        u64::from_str_radix(hex, 16)
    } else if let Some(binary) = text.strip_prefix("0b") {
        u64::from_str_radix(binary, 2)
    } else {
        text.parse()
    };
    digits.map(|_| ()).map_err(|_| format!("`{text}` is no number"))
}

fn bitmap(text: &str, most: usize) -> Result<(), String> {
    let plain: String = text.chars().filter(|at| *at != '_').collect();
    let bits = plain.strip_prefix("0b").ok_or_else(|| format!("the bitmap `{text}` does not begin with 0b"))?;
    let good = !bits.is_empty() && bits.len() <= most && bits.chars().all(|bit| "01xX".contains(bit));
    good.then_some(()).ok_or_else(|| format!("the bitmap `{text}` is not made of up to {most} of 0, 1 and x"))
}

fn bits32(text: &str) -> Result<(), String> {
    bitmap(text, 32)
}

fn bits64(text: &str) -> Result<(), String> {
    bitmap(text, 64)
}

fn capability(text: &str) -> Result<(), String> {
    let digits = text.strip_prefix('!').unwrap_or(text);
    digits.parse::<u32>().map(|_| ()).map_err(|_| format!("`{text}` is no KVM capability"))
}
