//! Where Firecracker's words go: the log and the metrics, each to a file, a FIFO or nowhere.
//!
//! Both are shared by the API, the guest and the way out. The log goes to the process's output until it is
//! given a file; metrics are written as one JSON object per line, counters as what was counted since the
//! last line.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Opens a file or FIFO for writing without waiting for its reader.
///
/// # Errors
/// When it cannot be opened or made.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    OpenOptions::new().read(true).create(true).append(true).custom_flags(flags).open(path)
}

/// The log.
#[derive(Debug, Default)]
pub(crate) struct Log {
    id: String,
    inner: Mutex<Target>,
}

#[derive(Debug, Default)]
struct Target {
    file: Option<File>,
    level: bool,
    silent: bool,
}

impl Log {
    /// The log of the microVM of this id.
    #[must_use]
    pub(crate) fn new(id: &str) -> Self {
        Self { id: id.to_owned(), inner: Mutex::default() }
    }

    /// Takes the logger's configuration.
    ///
    /// # Errors
    /// When its file cannot be opened.
    pub(crate) fn configure(&self, config: &Value) -> io::Result<()> {
        let file = config.get("log_path").and_then(Value::as_str).map(|path| open(Path::new(path))).transpose()?;
        let mut target = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if file.is_some() {
            target.file = file;
        }
        if let Some(level) = config.get("show_level").and_then(Value::as_bool) {
            target.level = level;
        }
        target.silent = config.get("level").and_then(Value::as_str) == Some("Off");
        Ok(())
    }

    /// Writes a line at the level of information.
    pub(crate) fn say(&self, text: &str) {
        self.write("INFO", text);
    }

    /// Writes a line at the level of errors.
    pub(crate) fn fail(&self, text: &str) {
        self.write("ERROR", text);
    }

    fn write(&self, level: &str, text: &str) {
        let mut target = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if target.silent {
            return;
        }
        let time = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%9f").to_string();
        let level = if target.level { format!(":{level}") } else { String::new() };
        let line = format!("{time} [{}:main{level}] {text}\n", self.id);
        let _ = match &mut target.file {
            Some(file) => file.write_all(line.as_bytes()),
            None => io::stdout().write_all(line.as_bytes()),
        };
    }
}

/// Groups of metrics and the counters in them that are always written; latencies and the like are values.
const GROUPS: &[(&str, &str)] = &[
    ("api_server", "process_startup_time_us process_startup_time_cpu_us"),
    ("get_api_requests", "instance_info_count machine_cfg_count mmds_count vmm_version_count hotplug_memory_count"),
    (
        "put_api_requests",
        "actions_count actions_fails boot_source_count boot_source_fails drive_count drive_fails logger_count \
         logger_fails machine_cfg_count machine_cfg_fails cpu_cfg_count cpu_cfg_fails metrics_count metrics_fails \
         network_count network_fails mmds_count mmds_fails vsock_count vsock_fails pmem_count pmem_fails \
         serial_count serial_fails hotplug_memory_count hotplug_memory_fails",
    ),
    (
        "patch_api_requests",
        "drive_count drive_fails network_count network_fails machine_cfg_count machine_cfg_fails mmds_count \
         mmds_fails hotplug_memory_count hotplug_memory_fails pmem_count pmem_fails",
    ),
    ("deprecated_api", "deprecated_http_api_calls"),
    (
        "latencies_us",
        "full_create_snapshot diff_create_snapshot load_snapshot pause_vm resume_vm vmm_full_create_snapshot \
         vmm_diff_create_snapshot vmm_load_snapshot vmm_pause_vm vmm_resume_vm",
    ),
    ("logger", "missed_metrics_count metrics_fails missed_log_count rate_limited_log_count"),
    (
        "mmds",
        "rx_accepted rx_accepted_err rx_accepted_unusual rx_bad_eth rx_invalid_token rx_no_token rx_count tx_bytes \
         tx_count tx_errors tx_frames connections_created connections_destroyed",
    ),
    ("vcpu", "exit_io_in exit_io_out exit_mmio_read exit_mmio_write failures kvmclock_ctrl_fails"),
    ("vmm", "panic_count"),
    ("seccomp", "num_faults"),
    ("signals", "sigbus sigsegv sigxfsz sigxcpu sigpipe sighup sigill"),
    ("interrupts", "triggers config_updates"),
    ("block", BLOCK),
    ("net", NET),
    (
        "vsock",
        "activate_fails cfg_fails rx_queue_event_fails tx_queue_event_fails ev_queue_event_fails muxer_event_fails \
         conn_event_fails rx_queue_event_count tx_queue_event_count rx_bytes_count tx_bytes_count rx_packets_count \
         tx_packets_count conns_added conns_killed conns_removed killq_resync tx_flush_fails tx_write_fails \
         rx_read_fails",
    ),
    (
        "balloon",
        "activate_fails inflate_count deflate_count stats_updates_count stats_update_fails event_fails \
         free_page_report_count free_page_report_freed free_page_report_fails free_page_hint_count \
         free_page_hint_freed free_page_hint_fails",
    ),
    (
        "entropy",
        "activate_fails entropy_event_fails entropy_event_count entropy_bytes host_rng_fails \
         entropy_rate_limiter_throttled rate_limiter_event_count",
    ),
    ("pmem", PMEM),
    (
        "memory_hotplug",
        "activate_fails queue_event_fails queue_event_count plug_count plug_bytes plug_fails unplug_count \
         unplug_bytes unplug_fails unplug_discard_fails unplug_all_count unplug_all_fails state_count state_fails",
    ),
    (
        "uart",
        "error_count flush_count missed_read_count missed_write_count read_count write_count \
         rate_limiter_dropped_bytes",
    ),
    ("i8042", "error_count missed_read_count missed_write_count read_count reset_count write_count"),
];

const BLOCK: &str = "activate_fails cfg_fails no_avail_buffer event_fails execute_fails invalid_reqs_count flush_count \
     queue_event_count rate_limiter_event_count update_count update_fails read_bytes write_bytes read_count \
     write_count rate_limiter_throttled_events io_engine_throttled_events remaining_reqs_count";
const NET: &str = "activate_fails cfg_fails no_rx_avail_buffer no_tx_avail_buffer event_fails rx_queue_event_count \
     rx_event_rate_limiter_count rx_rate_limiter_throttled rx_tap_event_count rx_bytes_count rx_packets_count rx_fails \
     rx_count tap_read_fails tap_write_fails tx_bytes_count tx_malformed_frames tx_fails tx_count tx_packets_count \
     tx_queue_event_count tx_rate_limiter_event_count tx_rate_limiter_throttled tx_spoofed_mac_count \
     tx_remaining_reqs_count";
const PMEM: &str = "activate_fails cfg_fails event_fails queue_event_count rate_limiter_throttled_events \
     rate_limiter_event_count";

/// The metrics.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    inner: Mutex<Sheet>,
}

#[derive(Debug, Default)]
struct Sheet {
    file: Option<File>,
    head: Map<String, Value>,
    counted: BTreeMap<(String, String), u64>,
    /// Groups of single devices, with the names of their counters.
    devices: BTreeMap<String, &'static str>,
}

impl Metrics {
    /// Takes the configuration of metrics, once.
    ///
    /// # Errors
    /// When there is one already, or its file cannot be opened.
    pub(crate) fn configure(&self, config: &Value, id: &str) -> Result<(), String> {
        let path = config.get("metrics_path").and_then(Value::as_str).unwrap_or_default();
        let file = open(Path::new(path)).map_err(|error| error.to_string())?;
        let mut sheet = self.lock();
        if sheet.file.is_some() {
            return Err("the metrics are initialized already".to_owned());
        }
        sheet.file = Some(file);
        if config.get("emit_id").and_then(Value::as_bool) == Some(true) {
            sheet.head.insert("id".to_owned(), json!(id));
        }
        if let Some(properties) = config.get("properties") {
            sheet.head.insert("properties".to_owned(), properties.clone());
        }
        Ok(())
    }

    /// Counts.
    pub(crate) fn count(&self, group: &str, name: &str) {
        self.add(group, name, 1);
    }

    /// Adds to a counter.
    pub(crate) fn add(&self, group: &str, name: &str, amount: u64) {
        *self.lock().counted.entry((group.to_owned(), name.to_owned())).or_default() += amount;
    }

    /// From now on a device has a group of its own.
    pub(crate) fn device(&self, kind: &str, id: &str) {
        let names = match kind {
            "net" => NET,
            "pmem" => PMEM,
            _ => BLOCK,
        };
        self.lock().devices.insert(format!("{kind}_{id}"), names);
    }

    /// Writes a line, if there is somewhere to write it.
    pub(crate) fn flush(&self) {
        let mut sheet = self.lock();
        let line = sheet.line();
        let Some(file) = &mut sheet.file else { return };
        let written = file.write_all(format!("{line}\n").as_bytes());
        if written.is_err() {
            *sheet.counted.entry(("logger".to_owned(), "missed_metrics_count".to_owned())).or_default() += 1;
            return;
        }
        sheet.counted.clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Sheet> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sheet {
    fn line(&self) -> Value {
        let mut line = Map::new();
        line.insert("utc_timestamp_ms".to_owned(), json!(jiff::Timestamp::now().as_millisecond()));
        line.extend(self.head.clone());
        let devices = self.devices.iter().map(|(group, names)| (group.as_str(), *names));
        for (group, names) in GROUPS.iter().copied().chain(devices) {
            let counted = |name: &str| self.counted.get(&(group.to_owned(), name.to_owned())).copied().unwrap_or(0);
            let values = names.split_whitespace().map(|name| (name.to_owned(), json!(counted(name))));
            line.insert(group.to_owned(), Value::Object(values.collect()));
        }
        Value::Object(line)
    }
}
