//! Clocks: that of the machine, that of the wall, and those of processes.

use rustix::io::Errno;
use rustix::thread::{ClockId, Timespec, clock_nanosleep_absolute};
use weft_domain::Time;
use weft_domain::usage::Stamp;

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// The processor time of all threads of a process, as the scheduler counts it.
const SCHEDULED: libc::clockid_t = 2;

/// What time it is.
pub(super) fn now() -> Stamp {
    Stamp { monotonic_nanos: monotonic(), wall: Time::from_nanos(shown(libc::CLOCK_REALTIME).unwrap_or(0)) }
}

/// What the clock shows that nobody sets.
pub(super) fn monotonic() -> u64 {
    shown(libc::CLOCK_MONOTONIC).and_then(|nanos| u64::try_from(nanos).ok()).unwrap_or(0)
}

/// What a clock shows, in nanoseconds; `None` where there is none.
#[expect(unsafe_code, reason = "no safe function reads the clock of another process")]
fn shown(clock: libc::clockid_t) -> Option<i64> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is ours, of the right type, and outlives the call.
    let answer = unsafe { libc::clock_gettime(clock, &raw mut time) };
    (answer == 0).then(|| time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec))
}

/// Waits until the monotonic clock shows this.
pub(super) fn sleep_until(monotonic_nanos: u64) {
    let tv_sec = i64::try_from(monotonic_nanos / SECOND).unwrap_or(i64::MAX);
    let tv_nsec = i64::try_from(monotonic_nanos % SECOND).unwrap_or(0);
    while clock_nanosleep_absolute(ClockId::Monotonic, &Timespec { tv_sec, tv_nsec }) == Err(Errno::INTR) {}
}

/// The clock of a process.
#[derive(Debug, Clone, Copy)]
pub(super) struct OfProcess(libc::clockid_t);

impl OfProcess {
    /// That of this pid, whoever has it.
    pub(super) fn of(pid: u32) -> Self {
        // The kernel's own form of such a clock, which is what clock_getcpuclockid(3) makes.
        let pid = libc::clockid_t::try_from(pid).unwrap_or(libc::clockid_t::MAX);
        Self((!pid) << 3 | SCHEDULED)
    }

    /// Processor time that was used, in nanoseconds; `None` where nobody has the pid.
    pub(super) fn read(self) -> Option<u64> {
        shown(self.0).and_then(|nanos| u64::try_from(nanos).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_clock_is_the_one_the_kernel_shows_us() {
        let clock = OfProcess::of(std::process::id());
        let own = || u64::try_from(shown(libc::CLOCK_PROCESS_CPUTIME_ID).unwrap()).unwrap();
        let (before, between, after) = (own(), clock.read().unwrap(), own());
        assert!(before <= between && between <= after, "{before} {between} {after}");
        assert_eq!(OfProcess::of(1 << 23).read(), None);
    }

    #[test]
    fn who_sleeps_wakes_after_the_time() {
        let until = monotonic() + 2_000_000;
        sleep_until(until);
        assert!(monotonic() >= until);
        sleep_until(until);
    }
}
