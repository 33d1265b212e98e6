//! How fast this machine's time stamp counter runs.
//!
//! A guest that is translated in software reads the host's counter, and a small machine model has no other
//! clock to compare it with. Nothing is kept: the counter is read against the clock when asked.

use std::time::{Duration, Instant};

/// How long is measured; with reads some 50 ns apart the result is right to a few parts in a million.
const SPAN: Duration = Duration::from_millis(20);
/// Of so many pairs of reads the closest is taken: one that was interrupted says little.
const READS: usize = 8;

/// Its frequency in kHz, measured over 20 ms in which this thread sleeps; `None` where there is no such
/// counter.
#[must_use]
pub fn khz() -> Option<u64> {
    let (begin, first) = read()?;
    std::thread::sleep(SPAN);
    let (end, last) = read()?;
    let ticks = u128::from(last.checked_sub(first)?) * 1_000_000;
    let khz = ticks.checked_div(end.duration_since(begin).as_nanos())?;
    u64::try_from(khz).ok().filter(|khz| *khz > 0)
}

/// The clock and the counter at one moment.
fn read() -> Option<(Instant, u64)> {
    let pair = || {
        let before = Instant::now();
        let ticks = counter()?;
        Some((before.elapsed(), before, ticks))
    };
    let pairs: Option<Vec<_>> = (0..READS).map(|_| pair()).collect();
    pairs?.into_iter().min_by_key(|(apart, ..)| *apart).map(|(_, at, ticks)| (at, ticks))
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "no safe function reads the counter; reading it touches no memory")]
fn counter() -> Option<u64> {
    // SAFETY: every x86-64 processor has this instruction, and Linux leaves it to user programs.
    Some(unsafe { std::arch::x86_64::_rdtsc() })
}

#[cfg(not(target_arch = "x86_64"))]
fn counter() -> Option<u64> {
    None
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    #[test]
    fn two_measurements_agree_to_a_part_in_a_thousand() {
        let (one, two) = (super::khz().unwrap(), super::khz().unwrap());
        assert!((500_000..10_000_000).contains(&one), "{one} kHz");
        assert!(one.abs_diff(two) < one / 1_000, "{one} and {two} kHz");
    }
}
