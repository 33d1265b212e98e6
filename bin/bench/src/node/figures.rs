//! What the kernel tells of a process: its memory and its processor time.

use anyhow::{Context, Result};
use std::time::Duration;

/// Ticks of processor time in a second, as Linux tells them on every machine.
const TICKS: u64 = 100;

/// The memory of a process in KiB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Memory {
    /// What is resident.
    pub(super) rss_kib: f64,
    /// The same, of what is shared only its part.
    pub(super) pss_kib: f64,
}

impl Memory {
    /// That of this process now.
    pub(super) fn of(pid: u32) -> Result<Self> {
        let text =
            std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).context("a process that should live")?;
        Self::read(&text).with_context(|| format!("process {pid} tells no size"))
    }

    fn read(text: &str) -> Option<Self> {
        let kib = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        Some(Self { rss_kib: kib("Rss:")?, pss_kib: kib("Pss:")? })
    }
}

/// The time that processors have given a process, in all its threads.
pub(super) fn processor_time(pid: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).context("a process that should live")?;
    ticks(&stat).map(|ticks| Duration::from_millis(ticks * 1_000 / TICKS)).context("it tells no processor time")
}

/// The user's and the kernel's; they are counted from the name's end, which may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    Some(next()? + next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_as_the_kernel_writes_them() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 2 3 4 250 50 7 8 20 0 1 0 123456 9 10";
        assert_eq!(ticks(stat), Some(300));
        let rollup = "00400000-7ffd [rollup]\nRss:     1000 kB\nPss:      900 kB\nPss_Dirty: 5 kB\n";
        assert_eq!(Memory::read(rollup), Some(Memory { rss_kib: 1000.0, pss_kib: 900.0 }));
        let own = Memory::of(std::process::id()).unwrap();
        assert!(own.rss_kib > 0.0 && own.pss_kib <= own.rss_kib);
        assert!(processor_time(std::process::id()).is_ok());
    }
}
