//! A clock that nobody can set: it begins at the wall clock and goes on as the machine lives, asleep or awake.
//!
//! ```text
//!  wall clock at the beginning + time awake since + time asleep since ─► now
//! ```
//!
//! What is waited for is set against it, so that no guest loses its time to stop and no restart waits for a
//! year because somebody set the wall clock. Times that are told are of the wall clock as it was at the
//! beginning.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use weft_domain::Time;
use weft_ports::clock::Clock;

/// How often it is looked whether the machine was asleep.
const LOOK: Duration = Duration::from_secs(1);
/// What the kernel's figure may be off without meaning anything.
const SLACK: Duration = Duration::from_millis(100);

/// The clock.
pub struct Steady {
    inner: Arc<dyn Clock>,
    wall: Time,
    begun: Instant,
    /// How long the kernel had been up, asleep or awake; `None` where it does not say.
    up: Option<Duration>,
    /// Time asleep, and when that was looked at, in milliseconds.
    asleep: AtomicU64,
    looked: AtomicU64,
}

impl Steady {
    /// One that begins at what this clock says, and draws its random bytes there.
    #[must_use]
    pub fn begin(inner: Arc<dyn Clock>) -> Self {
        let (wall, begun) = (inner.now(), Instant::now());
        Self { inner, wall, begun, up: uptime(), asleep: AtomicU64::new(0), looked: AtomicU64::new(0) }
    }

    /// Time since the beginning that the machine was asleep.
    fn asleep(&self, awake: Duration) -> Duration {
        let (now, looked) = (millis(awake), self.looked.load(Ordering::Relaxed));
        if now.saturating_sub(looked) >= millis(LOOK) {
            self.looked.store(now, Ordering::Relaxed);
            let up = uptime().zip(self.up).map(|(now, begun)| now.saturating_sub(begun));
            let asleep = up.map_or(Duration::ZERO, |up| up.saturating_sub(awake));
            if asleep > SLACK {
                // It never goes back.
                self.asleep.fetch_max(millis(asleep), Ordering::Relaxed);
            }
        }
        Duration::from_millis(self.asleep.load(Ordering::Relaxed))
    }
}

impl Clock for Steady {
    fn now(&self) -> Time {
        let awake = self.begun.elapsed();
        self.wall.plus(awake).plus(self.asleep(awake))
    }

    fn random(&self) -> [u8; 10] {
        self.inner.random()
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// How long the kernel has been up, with the time that it slept.
fn uptime() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/uptime").ok()?;
    let seconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_ports::clock::Fake;

    #[test]
    fn nobody_sets_it() {
        let wall = Arc::new(Fake::default());
        wall.advance(Duration::from_secs(100_000_000));
        let steady = Steady::begin(wall.clone());
        let (begun, year) = (wall.now(), Duration::from_secs(365 * 86_400));
        let mut last = steady.now();
        for jump in [Fake::advance, Fake::set_back, Fake::set_back, Fake::advance] {
            jump(&wall, year);
            let now = steady.now();
            assert!(now >= last && now.since(begun) < Duration::from_secs(60), "{now} after {last}");
            last = now;
        }
        assert!(steady.asleep(Duration::from_secs(5)) < Duration::from_secs(1), "this machine did not sleep");
    }
}
