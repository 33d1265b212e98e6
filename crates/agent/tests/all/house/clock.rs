//! A wall clock that moves with the runtime's paused time, so that decisions and waits agree.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use weft_domain::Time;
use weft_ports::clock::Clock;

pub(crate) struct Paused {
    begun: Instant,
    drawn: AtomicU64,
    set: AtomicI64,
}

impl Paused {
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), drawn: AtomicU64::new(0), set: AtomicI64::new(0) }
    }

    /// Somebody sets it back.
    pub(crate) fn set_back(&self, span: Duration) {
        self.set.fetch_sub(i64::try_from(span.as_nanos()).expect("a few years"), Ordering::Relaxed);
    }
}

impl Clock for Paused {
    fn now(&self) -> Time {
        let shown = Time::from_millis(1_700_000_000_000).plus(self.begun.elapsed());
        Time::from_nanos(shown.as_nanos() + self.set.load(Ordering::Relaxed))
    }

    fn random(&self) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes[2..].copy_from_slice(&self.drawn.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        bytes
    }
}
