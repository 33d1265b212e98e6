//! What each command does: ask the services, wait, show the answer.

pub(crate) mod apply;
pub(crate) mod console;
pub(crate) mod create;
pub(crate) mod devices;
pub(crate) mod events;
pub(crate) mod found;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod nodes;
pub(crate) mod outcome;
pub(crate) mod power;
pub(crate) mod snapshots;
pub(crate) mod update;
pub(crate) mod usage;
pub(crate) mod watch;

use std::time::Duration;

/// How long a call is waited for where the caller does not say.
pub(crate) const USUAL: Duration = Duration::from_secs(30);
/// The same where an image may have to be prepared first.
pub(crate) const LONG: Duration = Duration::from_mins(10);
/// How long a verb that is not waited for may take to be accepted.
pub(crate) const BRIEF: Duration = Duration::from_secs(1);
