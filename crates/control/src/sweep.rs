//! Takes away what is no longer kept: old answers to requests, old or too many events.

use crate::core::Core;
use tokio::time::Instant;
use weft_domain::Time;
use weft_domain::object::Key;
use weft_ports::fault::{self, Point};
use weft_ports::store::{Commit, Write};

/// The most deletions of one commit.
const AT_ONCE: usize = 500;

/// Sweeps, again and again, for ever.
pub(crate) async fn run(core: &Core) {
    let mut ticker = tokio::time::interval(core.config.sweep_every);
    ticker.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (wall, begun) = (core.now(), Instant::now());
    loop {
        ticker.tick().await;
        // A clock that was set ahead makes nothing older than it is.
        let stale = stale(core, core.now().min(wall.plus(begun.elapsed())));
        for keys in stale.chunks(AT_ONCE) {
            fault::hit(Point::ControlSwept);
            let writes = keys.iter().cloned().map(Write::Delete).collect();
            if let Err(refused) = core.store.commit(Commit { expect: Vec::new(), writes }).await {
                tracing::warn!(%refused, "what is no longer kept could not be taken away");
                break;
            }
            tracing::debug!(count = keys.len(), "took away what is no longer kept");
        }
    }
}

/// The keys of what is no longer kept.
fn stale(core: &Core, now: Time) -> Vec<Key> {
    let config = &core.config;
    let state = core.memory.read();
    let requests = state.requests.iter().filter(|(_, at)| now.since(**at) > config.requests_kept);
    let requests = requests.map(|(key, _)| Key::Request(*key));
    let beyond = state.events.len().saturating_sub(config.events_kept);
    let events = state.events.iter().enumerate();
    let events = events.take_while(|(i, (_, event))| *i < beyond || now.since(event.value.at) > config.event_age);
    requests.chain(events.map(|(_, (id, _))| Key::Event(*id))).collect()
}
