//! Firecracker's words: the bodies of its requests and the answers that are read.
//!
//! It refuses a field that it does not know, so what is not asked for is not said, and a field that came
//! with a later version is only said to one that has it.

use serde::{Deserialize, Serialize};
use weft_domain::spec::{RateLimit, TokenBucket};

/// `PUT /machine-config`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct MachineConfig {
    pub(super) vcpu_count: u32,
    pub(super) mem_size_mib: u64,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) smt: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu_template: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) track_dirty_pages: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) huge_pages: Option<&'static str>,
}

/// `PUT /boot-source`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct BootSource {
    pub(super) kernel_image_path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) initrd_path: Option<String>,
    pub(super) boot_args: String,
}

/// `PUT /drives/{id}`.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Drive {
    pub(super) drive_id: String,
    pub(super) is_root_device: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) partuuid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path_on_host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) is_read_only: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rate_limiter: Option<RateLimiter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) io_engine: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) socket: Option<String>,
}

/// `PATCH /drives/{id}`.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct PartialDrive {
    pub(super) drive_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path_on_host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rate_limiter: Option<RateLimiter>,
}

/// `PUT /network-interfaces/{id}`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Interface {
    pub(super) iface_id: String,
    pub(super) host_dev_name: String,
    pub(super) guest_mac: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mtu: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rx_rate_limiter: Option<RateLimiter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tx_rate_limiter: Option<RateLimiter>,
}

/// `PATCH /network-interfaces/{id}`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct PartialInterface {
    pub(super) iface_id: String,
    pub(super) rx_rate_limiter: RateLimiter,
    pub(super) tx_rate_limiter: RateLimiter,
}

/// `PUT /pmem/{id}`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Pmem {
    pub(super) id: String,
    pub(super) path_on_host: String,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) root_device: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) read_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rate_limiter: Option<RateLimiter>,
}

/// `PATCH /pmem/{id}`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct PartialPmem {
    pub(super) id: String,
    pub(super) rate_limiter: RateLimiter,
}

/// `PUT /vsock`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Vsock {
    pub(super) guest_cid: u32,
    pub(super) uds_path: &'static str,
}

/// `PUT /entropy`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Entropy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rate_limiter: Option<RateLimiter>,
}

/// `PUT /serial`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Serial {
    pub(super) rate_limiter: Bucket,
}

/// `PUT /metrics`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Metrics {
    pub(super) metrics_path: &'static str,
}

/// `PUT /balloon`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Balloon {
    pub(super) amount_mib: u64,
    pub(super) deflate_on_oom: bool,
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) stats_polling_interval_s: u32,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) free_page_hinting: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) free_page_reporting: bool,
}

/// `GET /balloon`, of which only what can change is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct BalloonNow {
    pub(super) amount_mib: u64,
    #[serde(default)]
    pub(super) stats_polling_interval_s: u32,
}

/// `PATCH /balloon`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct BalloonSize {
    pub(super) amount_mib: u64,
}

/// `GET /balloon/hinting/status`, as far as it is read.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct HintingNow {
    host_cmd: u32,
}

impl HintingNow {
    /// Whether a run is under way: 0 stands for none yet, 1 for one that is over.
    pub(super) const fn is_under_way(self) -> bool {
        self.host_cmd > 1
    }
}

/// `PATCH /balloon/hinting/start`.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct HintingStart {
    /// The run is over as soon as the guest has told of all its free pages.
    pub(super) acknowledge_on_stop: bool,
}

/// `PATCH /balloon/statistics`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct BalloonInterval {
    pub(super) stats_polling_interval_s: u32,
}

/// `PUT /hotplug/memory`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct MemoryHotplug {
    pub(super) total_size_mib: u64,
}

/// `PATCH /hotplug/memory`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct MemoryRequest {
    pub(super) requested_size_mib: u64,
}

/// `GET /hotplug/memory`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct MemoryNow {
    pub(super) plugged_size_mib: u64,
    pub(super) requested_size_mib: u64,
}

/// `PUT /mmds/config`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct MetadataConfig {
    pub(super) network_interfaces: Vec<String>,
    pub(super) version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ipv4_address: Option<std::net::Ipv4Addr>,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) imds_compat: bool,
}

/// `PUT /actions`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Action {
    pub(super) action_type: &'static str,
}

/// `PATCH /vm`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Turn {
    pub(super) state: &'static str,
}

/// `PUT /snapshot/create`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SnapshotCreate {
    pub(super) snapshot_type: &'static str,
    pub(super) snapshot_path: String,
    pub(super) mem_file_path: String,
}

/// `PUT /snapshot/load`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SnapshotLoad {
    pub(super) snapshot_path: String,
    pub(super) mem_backend: MemoryBackend,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) track_dirty_pages: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) enable_diff_snapshots: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) network_overrides: Vec<TapOverride>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vsock_override: Option<VsockOverride>,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) clock_realtime: bool,
}

/// Where the memory of a snapshot is.
#[derive(Debug, Clone, Serialize)]
pub(super) struct MemoryBackend {
    pub(super) backend_type: &'static str,
    pub(super) backend_path: String,
}

/// Another tap for an interface of a snapshot.
#[derive(Debug, Clone, Serialize)]
pub(super) struct TapOverride {
    pub(super) iface_id: String,
    pub(super) host_dev_name: String,
}

/// Another socket for the vsock of a snapshot.
#[derive(Debug, Clone, Serialize)]
pub(super) struct VsockOverride {
    pub(super) uds_path: &'static str,
}

/// A rate limiter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct RateLimiter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bandwidth: Option<Bucket>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ops: Option<Bucket>,
}

/// A token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Bucket {
    pub(super) size: u64,
    pub(super) refill_time: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) one_time_burst: Option<u64>,
}

impl Bucket {
    /// What takes a limit away: a bucket that holds nothing limits nothing.
    const NONE: Self = Self { size: 0, refill_time: 0, one_time_burst: None };
}

impl From<TokenBucket> for Bucket {
    fn from(bucket: TokenBucket) -> Self {
        let burst = (bucket.one_time_burst > 0).then_some(bucket.one_time_burst);
        Self { size: bucket.size, refill_time: bucket.refill_ms, one_time_burst: burst }
    }
}

impl From<RateLimit> for RateLimiter {
    fn from(limit: RateLimit) -> Self {
        Self { bandwidth: limit.bandwidth.map(Bucket::from), ops: limit.ops.map(Bucket::from) }
    }
}

impl RateLimiter {
    /// As it is said of a device that may have had a limit before: what is not limited is said as well.
    pub(super) fn instead(limit: Option<RateLimit>) -> Self {
        let limit = limit.unwrap_or_default();
        let bucket = |bucket: Option<TokenBucket>| Some(bucket.map_or(Bucket::NONE, Bucket::from));
        Self { bandwidth: bucket(limit.bandwidth), ops: bucket(limit.ops) }
    }
}

/// `GET /`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Instance {
    pub(super) id: String,
    pub(super) state: String,
}

/// `GET /machine-config`, of which only the memory at boot is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct MachineNow {
    pub(super) mem_size_mib: u64,
}

/// The id of a device in Firecracker, which knows no hyphen; a name of ours knows no underscore.
pub(super) fn id(name: &str) -> String {
    name.replace('-', "_")
}

/// The name of the device with this id.
pub(super) fn name(id: &str) -> String {
    id.replace('_', "-")
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    proptest! {
        #[test]
        fn an_id_leads_back_to_its_name(text in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?") {
            let id = id(&text);
            prop_assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{}", id);
            prop_assert_eq!(name(&id), text);
        }
    }

    #[test]
    fn a_limit_that_goes_is_said() {
        let bucket = TokenBucket { size: 10, refill_ms: 100, one_time_burst: 0 };
        let limit = RateLimit { bandwidth: None, ops: Some(bucket) };
        let said = serde_json::to_value(RateLimiter::instead(Some(limit))).unwrap();
        let wanted = serde_json::json!({
            "bandwidth": {"size": 0, "refill_time": 0}, "ops": {"size": 10, "refill_time": 100}
        });
        assert_eq!(said, wanted);
        assert_eq!(serde_json::to_value(RateLimiter::from(limit)).unwrap(), serde_json::json!({"ops": wanted["ops"]}));
    }
}
