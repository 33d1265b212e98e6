//! The table of keys: name, metald's variable, default, meaning.

use super::{Flags, Given, Origin, Outside};
use std::path::Path;

/// What a key has where nobody says anything.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Default {
    /// Always this.
    Text(&'static str),
    /// A folder: as root, otherwise below which variable, otherwise below which folder of the home.
    Folder {
        /// For root.
        root: &'static str,
        /// The variable of the XDG base directories.
        xdg: &'static str,
        /// Below the home where that variable is not set.
        home: &'static str,
        /// The subfolder under `--data-dir`.
        under: &'static str,
    },
}

/// One key of the configuration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    /// Its name: `table.key`.
    pub(crate) name: &'static str,
    /// metald's variable that means the same.
    pub(crate) alias: Option<&'static str>,
    /// What it has where nobody says anything.
    pub(crate) default: Default,
    /// What it means, with its unit.
    pub(crate) meaning: &'static str,
}

impl Key {
    /// The variable of the environment.
    #[must_use]
    pub(crate) fn variable(&self) -> String {
        format!("WEFT_{}", self.name.replace('.', "_").to_ascii_uppercase())
    }

    /// Its default here.
    pub(super) fn default_in(&self, outside: &Outside, flags: &Flags) -> Given {
        let value = match self.default {
            Default::Text(text) => text.to_owned(),
            Default::Folder { under, .. } if flags.data_dir.is_some() => {
                let base = flags.data_dir.as_deref().unwrap_or(Path::new(""));
                let base = std::path::absolute(base).unwrap_or_else(|_| base.to_owned());
                let value = if under.is_empty() { base } else { base.join(under) };
                return Given { value: value.display().to_string(), origin: Origin::Flag };
            }
            Default::Folder { root, .. } if outside.root => root.to_owned(),
            Default::Folder { xdg, home, .. } => {
                // The rule of the XDG base directories: what is not absolute counts as not set.
                let folder = |name: &str| outside.variables.get(name).filter(|base| base.starts_with('/'));
                let given = folder(xdg).map(|base| format!("{base}/weft"));
                let at_home = folder("HOME").map(|base| format!("{base}/{home}/weft"));
                // Left empty where nobody says: a folder that all users share is no place for state.
                given.or(at_home).unwrap_or_default()
            }
        };
        Given { value, origin: Origin::Default }
    }
}

const fn text(name: &'static str, default: &'static str, meaning: &'static str) -> Key {
    Key { name, alias: None, default: Default::Text(default), meaning }
}

const fn alias(key: Key, variable: &'static str) -> Key {
    Key { alias: Some(variable), ..key }
}

/// Every key, in the order of the reference.
pub(crate) const KEYS: &[Key] = &[
    text("server.listen", "127.0.0.1:8080", "Where the API listens. `weft up` refuses what is not loopback."),
    text("server.metrics_listen", "127.0.0.1:9464", "Where Prometheus metrics are served, at `/metrics`."),
    text("server.max_body", "1MiB", "The largest request body."),
    text("server.verb_wait", "30s", "How long a verb waits for what it asked where the caller names no deadline."),
    alias(
        Key {
            name: "paths.data_dir",
            alias: None,
            default: Default::Folder { root: "/var/lib/weft", xdg: "XDG_STATE_HOME", home: ".local/state", under: "" },
            meaning: "Lasting state: the store, the journal, disks and logs of VMs. `--data-dir` moves all three folders.",
        },
        "UNKEY_METALD_DATA_DIR",
    ),
    Key {
        name: "paths.run_dir",
        alias: None,
        default: Default::Folder { root: "/run/weft", xdg: "XDG_RUNTIME_DIR", home: ".cache/run", under: "run" },
        meaning: "Sockets of running VMs; at most 64 bytes long.",
    },
    Key {
        name: "paths.cache_dir",
        alias: None,
        default: Default::Folder { root: "/var/cache/weft", xdg: "XDG_CACHE_HOME", home: ".cache", under: "cache" },
        meaning: "What can be made again: the default kernel and root.",
    },
    text(
        "paths.allowed_roots",
        "/var/lib/weft/images:/opt/vm-assets:/srv/weft",
        "Folders, with `:` between, that the paths of kernels and disks in requests may lead into.",
    ),
    text("node.max_vms", "10000", "The most VMs on this node."),
    text("node.reserved_memory", "512MiB", "Memory of the host that VMs are not given."),
    text(
        "node.memory_overcommit",
        "100",
        "How much memory VMs are promised together, in percent of what they are given; what is over 100 may not be there when they need it.",
    ),
    text("node.reserved_disk", "1GiB", "Disk space that VMs are not given, so that state can always be written."),
    text("node.console_log", "4MiB", "How much of each serial console's log is kept; offsets go on counting."),
    text("node.vmm_log", "1MiB", "How much of each VMM's own log is kept."),
    text(
        "node.drivers",
        "qemu:cloud-hypervisor:firecracker",
        "Drivers that are looked for, with `:` between, in the order in which `auto` tries them.",
    ),
    text(
        "node.census_interval",
        "60s",
        "How often what is on the host is set against the journal, and what leaked is taken away.",
    ),
    text(
        "metering.interval",
        "100ms",
        "How often what every running VM uses is read, from 100ms to 60s; `off` measures nothing.",
    ),
    text(
        "metering.spool",
        "1GiB",
        "How much disk the node's own records of usage take; what is over that goes, oldest first, and is told as gaps.",
    ),
    text("metering.keep_records", "24h", "How long the node keeps records one by one; sums are kept for longer."),
    text("retention.max_events", "100000", "The most events that are kept."),
    text("retention.event_age", "720h", "How long events are kept."),
    text(
        "jail.mode",
        "auto",
        "`auto` jails every VMM where weft runs as root on a host that can; `off` jails none; `required` starts no VMM that is not jailed.",
    ),
    text(
        "jail.uids",
        "1900000000-1900065535",
        "User and group ids that jailed VMMs are given, one for each; nothing else on the host may have them.",
    ),
    text("cloud_hypervisor.binary", "", "The Cloud Hypervisor program; empty looks for `cloud-hypervisor` in `PATH`."),
    text("firecracker.binary", "", "The Firecracker program; empty looks for `firecracker` in `PATH`."),
    text("qemu.binary", "", "The QEMU program; empty looks for `qemu-system-<architecture>` in `PATH`."),
    text("log.filter", "info,opentelemetry=warn", "What is logged: a level, or `target=level` with `,` between."),
    text("log.format", "text", "`text` for people, `json` for machines."),
];

/// Variables of metald that mean a part of a key, or nothing here: each is said once at start.
pub(crate) const METALD: &[(&str, &str)] = &[
    ("UNKEY_METALD_ADDRESS", "server.listen"),
    ("UNKEY_METALD_PORT", "server.listen"),
    ("UNKEY_METALD_OTEL_PROMETHEUS_INTERFACE", "server.metrics_listen"),
    ("UNKEY_METALD_OTEL_PROMETHEUS_PORT", "server.metrics_listen"),
];
