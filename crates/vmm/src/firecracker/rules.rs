//! What may be called when, and since which version: Firecracker's rules, as data.
//!
//! ```text
//!  fresh ── calls that prepare ──► started ── calls that change ──► …
//!    └───── snapshot/load, before any call that prepares a boot ──► started
//! ```

mod judge;

pub(super) use judge::judge;

use super::version::{HOTPLUG, Line, MORE_DEVICES, OLDEST, PCI};
use crate::http::{Call, Method};

/// When a call is lawful.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Before the machine starts.
    Before,
    /// After it.
    After,
    /// Always.
    Any,
    /// Before; and after, on PCI, from this version on.
    Plug(Line),
}

/// What a call does to the lawfulness of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing.
    None,
    /// No snapshot can be loaded any more.
    Prepares,
    /// The machine has started.
    Starts,
}

/// One rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub(super) method: Method,
    /// `*` stands for an id.
    pub(super) path: &'static str,
    pub(super) when: When,
    pub(super) effect: Effect,
    pub(super) since: Line,
}

const fn rule(method: Method, path: &'static str, when: When, effect: Effect, since: Line) -> Rule {
    Rule { method, path, when, effect, since }
}

use Effect::{None as Nothing, Prepares};
use Method::{Delete, Get, Patch, Put};
use When::{After, Any, Before, Plug};

/// Every call that is made, and those that a person might look for.
pub(super) const RULES: &[Rule] = &[
    rule(Get, "/", Any, Nothing, OLDEST),
    rule(Get, "/version", Any, Nothing, OLDEST),
    rule(Get, "/vm/config", Any, Nothing, OLDEST),
    rule(Get, "/machine-config", Any, Nothing, OLDEST),
    rule(Put, "/machine-config", Before, Prepares, OLDEST),
    rule(Patch, "/machine-config", Before, Prepares, OLDEST),
    rule(Put, "/boot-source", Before, Prepares, OLDEST),
    rule(Put, "/cpu-config", Before, Nothing, OLDEST),
    rule(Put, "/logger", Before, Nothing, OLDEST),
    rule(Put, "/metrics", Before, Nothing, OLDEST),
    rule(Put, "/serial", Before, Nothing, MORE_DEVICES),
    rule(Put, "/drives/*", Plug(HOTPLUG), Prepares, OLDEST),
    rule(Patch, "/drives/*", After, Nothing, OLDEST),
    rule(Delete, "/drives/*", After, Nothing, HOTPLUG),
    rule(Put, "/network-interfaces/*", Plug(HOTPLUG), Prepares, OLDEST),
    rule(Patch, "/network-interfaces/*", After, Nothing, OLDEST),
    rule(Delete, "/network-interfaces/*", After, Nothing, HOTPLUG),
    rule(Put, "/pmem/*", Plug(HOTPLUG), Prepares, MORE_DEVICES),
    rule(Patch, "/pmem/*", After, Nothing, HOTPLUG),
    rule(Delete, "/pmem/*", After, Nothing, HOTPLUG),
    rule(Put, "/vsock", Before, Prepares, OLDEST),
    rule(Put, "/entropy", Before, Prepares, OLDEST),
    rule(Put, "/balloon", Before, Prepares, OLDEST),
    rule(Get, "/balloon", Any, Nothing, OLDEST),
    rule(Patch, "/balloon", After, Nothing, OLDEST),
    rule(Get, "/balloon/statistics", After, Nothing, OLDEST),
    rule(Patch, "/balloon/statistics", After, Nothing, OLDEST),
    rule(Patch, "/balloon/hinting/start", After, Nothing, MORE_DEVICES),
    rule(Get, "/balloon/hinting/status", After, Nothing, MORE_DEVICES),
    rule(Patch, "/balloon/hinting/stop", After, Nothing, MORE_DEVICES),
    rule(Put, "/hotplug/memory", Before, Prepares, MORE_DEVICES),
    rule(Patch, "/hotplug/memory", After, Nothing, MORE_DEVICES),
    rule(Get, "/hotplug/memory", After, Nothing, MORE_DEVICES),
    rule(Put, "/mmds/config", Before, Prepares, OLDEST),
    rule(Put, "/mmds", Any, Nothing, OLDEST),
    rule(Patch, "/mmds", Any, Nothing, OLDEST),
    rule(Get, "/mmds", Any, Nothing, OLDEST),
    rule(Patch, "/vm", After, Nothing, OLDEST),
    rule(Put, "/snapshot/create", After, Nothing, OLDEST),
    rule(Put, "/snapshot/load", Before, Effect::Starts, OLDEST),
    rule(Put, "/actions", Any, Nothing, OLDEST),
];

/// Fields that came later than the call that says them.
pub(super) const FIELDS: &[(&str, &str, Line)] = &[
    ("/network-interfaces/*", "mtu", HOTPLUG),
    ("/pmem/*", "rate_limiter", HOTPLUG),
    ("/serial", "rate_limiter", HOTPLUG),
    ("/balloon", "free_page_hinting", MORE_DEVICES),
    ("/balloon", "free_page_reporting", MORE_DEVICES),
    ("/mmds/config", "imds_compat", PCI),
    ("/snapshot/load", "track_dirty_pages", PCI),
    ("/snapshot/load", "network_overrides", super::version::TAP_OVERRIDES),
    ("/snapshot/load", "vsock_override", HOTPLUG),
    ("/snapshot/load", "clock_realtime", HOTPLUG),
];

/// The rule for this call.
pub(super) fn of(call: &Call) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.method == call.method && fits(rule.path, &call.path))
}

fn fits(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(before) => path.strip_prefix(before).is_some_and(is_id),
        None => pattern == path,
    }
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
