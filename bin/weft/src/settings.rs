//! The configuration: one table of keys, each from a flag, the environment, the file, or its default.
//!
//! ```text
//!  flag  >  WEFT_<KEY>  >  metald's variable  >  file (TOML)  >  default
//! ```
//!
//! Every value is checked once, here; what leaves is plain and right. An unknown key is refused with the
//! nearest known one. The reference in the documentation is written from the same table.

mod keys;
mod read;
pub(crate) mod show;

pub(crate) use keys::{KEYS, Key};

use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;
use weft_cli::args::LogFormat;

/// Where a value is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The command line.
    Flag,
    /// This variable of the environment.
    Variable(String),
    /// The configuration file.
    File(PathBuf),
    /// Nobody said anything.
    Default,
}

/// A value with its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    /// The value, as text.
    pub(crate) value: String,
    /// Where it is from.
    pub(crate) origin: Origin,
}

/// Values by the name of their key.
pub(crate) type Values = BTreeMap<&'static str, Given>;

/// What the process is told from outside: nothing else of the environment is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outside {
    /// The environment.
    pub(crate) variables: BTreeMap<String, String>,
    /// Whether we are root.
    pub(crate) root: bool,
}

impl Outside {
    /// This process's own.
    #[must_use]
    pub(crate) fn here() -> Self {
        let text = |os: std::ffi::OsString| os.into_string().ok();
        let variables = std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?)));
        Self { variables: variables.collect(), root: rustix::process::geteuid().is_root() }
    }
}

/// How usage is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Metered {
    /// Between two measurements.
    pub(crate) interval: Duration,
    /// Room of the node's records, in bytes.
    pub(crate) spool_bytes: u64,
    /// How long the node keeps records one by one.
    pub(crate) keep_records: Duration,
}

/// The settings in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Where the API listens.
    pub(crate) listen: SocketAddr,
    /// Where metrics are served.
    pub(crate) metrics_listen: SocketAddr,
    /// The largest request in bytes.
    pub(crate) max_body_bytes: usize,
    /// How long a verb waits where the caller names no deadline.
    pub(crate) verb_wait: Duration,
    /// Lasting state.
    pub(crate) data_dir: PathBuf,
    /// Sockets.
    pub(crate) run_dir: PathBuf,
    /// What can be made again.
    pub(crate) cache_dir: PathBuf,
    /// Folders that callers' paths may lead into.
    pub(crate) allowed_roots: Vec<PathBuf>,
    /// The most VMs on this node.
    pub(crate) max_vms: u64,
    /// Memory that is kept from VMs, in bytes.
    pub(crate) reserved_memory_bytes: u64,
    /// How much of the rest VMs are promised, in percent.
    pub(crate) memory_overcommit: u64,
    /// Disk space that is kept from VMs and state, in bytes.
    pub(crate) reserved_disk_bytes: u64,
    /// Bytes of a serial console's log that are kept.
    pub(crate) console_log_bytes: u64,
    /// Bytes of a VMM's log that are kept.
    pub(crate) vmm_log_bytes: u64,
    /// How often a census is taken.
    pub(crate) census_interval: Duration,
    /// How usage is measured; nothing where it is not.
    pub(crate) metering: Option<Metered>,
    /// The most events that are kept.
    pub(crate) max_events: u64,
    /// How long events are kept.
    pub(crate) event_age: Duration,
    /// Drivers that are looked for, in the order in which `auto` tries them.
    pub(crate) drivers: Vec<String>,
    /// Whether VMMs are jailed.
    pub(crate) jail: Jail,
    /// The ids that jailed VMMs are given.
    pub(crate) jail_uids: RangeInclusive<u32>,
    /// Where Cloud Hypervisor is; empty to look in `PATH`.
    pub(crate) cloud_hypervisor: Option<PathBuf>,
    /// Where Firecracker is; empty to look in `PATH`.
    pub(crate) firecracker: Option<PathBuf>,
    /// Where QEMU is; empty to look in `PATH`.
    pub(crate) qemu: Option<PathBuf>,
    /// What is logged, in the form of tracing's filters.
    pub(crate) log_filter: String,
    /// How log lines look.
    pub(crate) log_format: LogFormat,
    /// What should be said at start: aliases in use, values that were replaced.
    pub(crate) notices: Vec<String>,
    /// The environment's `PATH`.
    pub(crate) path: String,
}

/// Whether VMMs are jailed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Jail {
    /// Where the host can.
    Auto,
    /// Never.
    Off,
    /// Always: a VMM that cannot be jailed is not started.
    Required,
}

/// The drivers that there are.
const DRIVERS: [&str; 3] = [weft_vmm::qemu::NAME, weft_vmm::cloud_hypervisor::NAME, weft_vmm::firecracker::NAME];

/// What the command line says of the configuration.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flags {
    /// The file.
    pub(crate) config: Option<PathBuf>,
    /// The folder for everything.
    pub(crate) data_dir: Option<PathBuf>,
    /// Single keys.
    pub(crate) keys: Vec<(String, String)>,
}

/// All values and where they are from, and what should be said of them.
///
/// # Errors
/// The file cannot be read, or a key in it or on the command line is not known.
pub(crate) fn gather(flags: &Flags, outside: &Outside) -> Result<(Values, Vec<String>)> {
    let mut values: Values = KEYS.iter().map(|key| (key.name, key.default_in(outside, flags))).collect();
    if let Some(file) = &flags.config {
        read::file(file, &mut values)?;
    }
    let mut notices = read::aliases(outside, &mut values);
    notices.extend(read::variables(outside, &mut values));
    for (name, value) in &flags.keys {
        let key = read::known(name).with_context(|| format!("--set {name}={value}"))?;
        values.insert(key.name, Given { value: value.clone(), origin: Origin::Flag });
    }
    Ok((values, notices))
}

/// The settings in force.
///
/// # Errors
/// What is wrong with which key, and where it was given.
pub(crate) fn load(flags: &Flags, outside: &Outside) -> Result<Settings> {
    let (values, notices) = gather(flags, outside)?;
    let get = read::Reader(&values);
    let settings = Settings {
        listen: get.address("server.listen")?,
        metrics_listen: get.address("server.metrics_listen")?,
        max_body_bytes: usize::try_from(get.size("server.max_body", 1 << 10, 64 << 20)?)?,
        verb_wait: get.span("server.verb_wait", Duration::from_secs(1), Duration::from_secs(3600))?,
        data_dir: get.path("paths.data_dir")?,
        run_dir: get.path("paths.run_dir")?,
        cache_dir: get.path("paths.cache_dir")?,
        allowed_roots: get.paths("paths.allowed_roots")?,
        max_vms: get.number("node.max_vms", 1, 100_000)?,
        reserved_memory_bytes: get.size("node.reserved_memory", 0, u64::MAX)?,
        memory_overcommit: get.number("node.memory_overcommit", 100, 10_000)?,
        reserved_disk_bytes: get.size("node.reserved_disk", 0, u64::MAX)?,
        console_log_bytes: get.size("node.console_log", 64 << 10, 1 << 40)?,
        vmm_log_bytes: get.size("node.vmm_log", 64 << 10, 1 << 40)?,
        census_interval: get.span("node.census_interval", Duration::from_secs(1), Duration::from_secs(86_400))?,
        metering: match get.text("metering.interval").trim() {
            "off" => None,
            _ => Some(Metered {
                interval: get.span("metering.interval", Duration::from_millis(100), Duration::from_secs(60))?,
                spool_bytes: get.size("metering.spool", 16 << 20, 1 << 40)?,
                keep_records: get.span(
                    "metering.keep_records",
                    Duration::from_secs(60),
                    Duration::from_secs(86_400 * 366),
                )?,
            }),
        },
        max_events: get.number("retention.max_events", 100, 10_000_000)?,
        event_age: get.span("retention.event_age", Duration::from_secs(60), Duration::from_secs(86_400 * 3650))?,
        drivers: get.list("node.drivers", &DRIVERS)?,
        jail: match get.choice("jail.mode", &["auto", "off", "required"])?.as_str() {
            "off" => Jail::Off,
            "required" => Jail::Required,
            _ => Jail::Auto,
        },
        jail_uids: get.ids("jail.uids")?,
        cloud_hypervisor: get.optional_path("cloud_hypervisor.binary")?,
        firecracker: get.optional_path("firecracker.binary")?,
        qemu: get.optional_path("qemu.binary")?,
        log_filter: get.text("log.filter"),
        log_format: match get.choice("log.format", &["text", "json"])?.as_str() {
            "json" => LogFormat::Json,
            _ => LogFormat::Text,
        },
        notices,
        path: outside.variables.get("PATH").cloned().unwrap_or_default(),
    };
    check(&settings, &values)?;
    Ok(settings)
}

/// The longest run-time folder: a socket's path ends at 108 bytes, and what we add needs 40.
const MAX_RUN_DIR: usize = 64;

fn check(settings: &Settings, values: &Values) -> Result<()> {
    for (name, address) in [("server.listen", settings.listen), ("server.metrics_listen", settings.metrics_listen)] {
        if !address.ip().is_loopback() {
            bail!(
                "{name} is {address}, which is not loopback ({}); `weft up` has no accounts, so it serves this machine alone",
                read::origin(values, name)
            );
        }
    }
    let run = settings.run_dir.as_os_str().len();
    if run > MAX_RUN_DIR {
        bail!(
            "paths.run_dir has {run} bytes; at most {MAX_RUN_DIR} are possible, since a socket's path is limited: \
             give a shorter one with --set paths.run_dir=DIR"
        );
    }
    Ok(())
}

/// The configuration file that is read where none is named, if it is there.
#[must_use]
pub(crate) fn usual_file(outside: &Outside) -> Option<PathBuf> {
    let file = if outside.root {
        PathBuf::from("/etc/weft/weft.toml")
    } else {
        let home = outside.variables.get("HOME").map(|home| Path::new(home).join(".config"));
        let base = outside.variables.get("XDG_CONFIG_HOME").map(PathBuf::from).or(home)?;
        base.join("weft/weft.toml")
    };
    file.is_file().then_some(file)
}

#[cfg(test)]
mod tests;
