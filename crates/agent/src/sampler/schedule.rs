//! When ticks are due: each at a whole number of intervals after the start, whatever became of those before.

use std::time::Duration;

/// A tick is late if it begins after this part of the interval.
const LATE_SHARE: u64 = 10;

/// Ticks at start + k · interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Schedule {
    start: u64,
    interval: u64,
    number: u64,
}

impl Schedule {
    /// One that begins now; the first tick is an interval away.
    pub(super) fn begin(now: u64, interval: Duration) -> Self {
        let interval = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX).max(1);
        Self { start: now, interval, number: 1 }
    }

    /// Which tick is the next.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// When it is due, by the monotonic clock in nanoseconds.
    pub(super) const fn due(&self) -> u64 {
        self.start.saturating_add(self.number.saturating_mul(self.interval))
    }

    /// How late it is if it begins now, and whether that is worth counting.
    pub(super) fn late(&self, now: u64) -> (Duration, bool) {
        let late = now.saturating_sub(self.due());
        (Duration::from_nanos(late), late > self.interval / LATE_SHARE)
    }

    /// It is done. The next is the first that is not due yet; answers how many were passed over.
    pub(super) const fn done(&mut self, now: u64) -> u64 {
        let passed = now.saturating_sub(self.start) / self.interval;
        let next = if passed > self.number { passed + 1 } else { self.number + 1 };
        let skipped = next - self.number - 1;
        self.number = next;
        skipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn every_second() -> Schedule {
        Schedule::begin(7 * SECOND, Duration::from_secs(1))
    }

    #[test]
    fn ticks_stay_at_whole_intervals() {
        let mut schedule = every_second();
        for tick in 1..5 {
            assert_eq!((schedule.number(), schedule.due()), (tick, (7 + tick) * SECOND));
            assert_eq!(schedule.done(schedule.due() + SECOND / 3), 0);
        }
    }

    #[test]
    fn what_was_missed_is_passed_over_and_not_made_up() {
        let mut schedule = every_second();
        assert_eq!(schedule.done(11 * SECOND + 1), 3, "those at 9, 10 and 11 s");
        assert_eq!(schedule.due(), 12 * SECOND);
        assert_eq!(schedule.done(12 * SECOND), 0);
        assert_eq!(schedule.due(), 13 * SECOND);
    }

    #[test]
    fn a_tick_that_ends_as_the_next_is_due_leaves_that_out() {
        let mut schedule = every_second();
        assert_eq!(schedule.done(9 * SECOND), 1);
        assert_eq!(schedule.due(), 10 * SECOND);
    }

    #[test]
    fn lateness_counts_from_when_it_was_due() {
        let schedule = every_second();
        assert_eq!(schedule.late(8 * SECOND + SECOND / 10), (Duration::from_millis(100), false));
        assert_eq!(schedule.late(8 * SECOND + SECOND / 5), (Duration::from_millis(200), true));
        assert_eq!(schedule.late(8 * SECOND - 1), (Duration::ZERO, false));
    }
}
