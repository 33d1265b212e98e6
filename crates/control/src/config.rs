//! What control is told when it is opened. Plain figures; every limit of the room is here.

use std::time::Duration;

/// The figures of control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// How long a verb waits where its caller did not say.
    pub verb_wait: Duration,
    /// The most instances on one node.
    pub instances_per_node: u64,
    /// How long the answer to a request is kept.
    pub requests_kept: Duration,
    /// The most events that are kept.
    pub events_kept: usize,
    /// How long an event is kept.
    pub event_age: Duration,
    /// How often what is no longer kept is taken away.
    pub sweep_every: Duration,
    /// How often a watch is told how far it is.
    pub bookmark_every: Duration,
    /// The most watches, consoles and logs of callers at one time.
    pub watches: usize,
}

impl Default for Config {
    fn default() -> Self {
        let day = Duration::from_secs(24 * 60 * 60);
        Self {
            verb_wait: Duration::from_secs(30),
            instances_per_node: 10_000,
            requests_kept: day,
            events_kept: 10_000,
            event_age: day * 7,
            sweep_every: Duration::from_secs(60),
            bookmark_every: Duration::from_secs(10),
            watches: 1_000,
        }
    }
}
