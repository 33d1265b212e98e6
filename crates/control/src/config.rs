//! What control is told when it is opened. Plain figures; every limit of the room is here.

use std::time::Duration;
use weft_ports::ledger::Keep;

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
    /// For how long usage is kept, as its ledger was told.
    pub usage_kept: Keep,
    /// How often usage that is no longer kept is dropped.
    pub prune_every: Duration,
    /// How long after its end a second is told to those who watch usage: what comes later is for queries alone.
    pub usage_lag: Duration,
    /// How long a node may take to tell records.
    pub records_wait: Duration,
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
            usage_kept: Keep::default(),
            prune_every: Duration::from_secs(60 * 60),
            usage_lag: Duration::from_secs(2),
            records_wait: Duration::from_secs(10),
        }
    }
}
