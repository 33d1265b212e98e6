//! The counters of one process.
//!
//! ```text
//!  counters  clock ──────────────────────────────► clock + what else the group has counted
//!  all       group, clock, statm, io, taps ─► is it still this process? ─► kept as last read
//!  gone      group ─► its count is the last one ─► Gone once the group is gone
//! ```
//!
//! The group is read before the clock, so that what it has beyond the clock is never taken for more than it is.

use super::Gauges;
use super::clock::{OfProcess, monotonic};
use super::counter::{Counter, after, field};
use super::taps::{Link, Traffic};
use crate::processes::stat;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use weft_domain::usage::{Figure, Source};
use weft_ports::meters::{Depth, Gauge, Gone, Reading};
use weft_ports::processes::Alive;

/// Nanoseconds of a microsecond.
const MICROSECOND: u64 = 1_000;
/// How often it is asked whose a pid is where that takes opening a file.
const ASKED: u64 = 4_000_000_000;

/// The counters of one process.
#[derive(Debug)]
pub(super) struct Kernel {
    alive: Alive,
    clock: OfProcess,
    group: Option<Group>,
    statm: Counter,
    status: Counter,
    io: Counter,
    taps: Vec<(Link, Traffic)>,
    /// What its clock showed last, and when that was.
    seen: (u64, u64),
    /// When it was last asked whose the pid is.
    asked: u64,
    /// What its group has counted beyond its clock; less than nothing where it was not always in it.
    beyond: Option<i64>,
    last: Reading,
    /// How often everything was read.
    readings: u32,
    huge: bool,
    living: bool,
    gauges: Arc<Gauges>,
}

/// What counts the processor time of a control group.
#[derive(Debug)]
struct Group {
    source: Source,
    usage: Counter,
}

impl Group {
    /// The one of these folders that counts.
    fn find(folders: &[PathBuf]) -> Option<Self> {
        folders.iter().find_map(|folder| {
            let older = Self { source: Source::CgroupV1, usage: Counter::at(folder.join("cpuacct.usage")) };
            let unified = Self { source: Source::CgroupV2, usage: Counter::at(folder.join("cpu.stat")) };
            [older, unified].into_iter().find_map(|mut group| group.read(false).map(|_| group))
        })
    }

    /// Processor time in nanoseconds.
    fn read(&mut self, hold: bool) -> Option<u64> {
        let unified = self.source == Source::CgroupV2;
        let look = |text: &str| match unified {
            true => after(text, "usage_usec ")?.checked_mul(MICROSECOND),
            false => field(text, 0),
        };
        self.usage.read(hold, look).ok()
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        self.gauges.count.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Gauge for Kernel {
    fn read(&mut self, depth: Depth) -> Result<Reading, Gone> {
        match depth {
            Depth::Counters if self.readings > 0 => self.read_time(),
            Depth::Counters | Depth::All => self.read_all(),
        }
    }
}

impl Kernel {
    /// That of a process that may have its group in one of these folders.
    pub(super) fn open(alive: &Alive, groups: Vec<PathBuf>, taps: Vec<Link>, gauges: Arc<Gauges>) -> Self {
        gauges.count.fetch_add(1, Ordering::Relaxed);
        let proc = Path::new("/proc").join(alive.pid.to_string());
        let mut last = Reading::default();
        let group = Group::find(&groups);
        last.sources[Figure::Cpu] = group.as_ref().map_or(Source::Proc, |group| group.source);
        last.sources[Figure::MemoryResident] = Source::Proc;
        for figure in NETWORK.into_iter().filter(|_| !taps.is_empty()) {
            last.sources[figure] = Source::Tap;
        }
        Self {
            clock: OfProcess::of(alive.pid),
            alive: alive.clone(),
            group,
            statm: Counter::at(proc.join("statm")),
            status: Counter::at(proc.join("status")),
            io: Counter::at(proc.join("io")),
            taps: taps.into_iter().map(|link| (link, Traffic::default())).collect(),
            seen: (0, 0),
            asked: 0,
            beyond: None,
            last,
            readings: 0,
            huge: false,
            living: true,
            gauges,
        }
    }

    /// Whether it was there when it was last read, dead or alive.
    pub(super) const fn is_living(&self) -> bool {
        self.living
    }

    /// Whether another process has the pid by now, or that cannot be told.
    pub(super) fn is_succeeded(&self) -> bool {
        !matches!(stat::look(self.alive.pid), Ok(None))
    }

    /// Whether the pid is that of this process.
    fn is_this(&self) -> bool {
        // Where that cannot be told now it is as it was: the next reading asks again.
        stat::look(self.alive.pid)
            .map_or(self.living, |stat| stat.is_some_and(|stat| stat.start_ticks == self.alive.start_ticks))
    }

    /// What the process's clock shows, as far as it is known to be of this process; `None` where it is gone.
    fn clock(&mut self) -> Option<u64> {
        let now = self.clock.read()?;
        let (before, then) = self.seen;
        if now == before {
            return Some(now);
        }
        let at = monotonic();
        // Another process that was given the pid was born after the last reading, and can have used no more than
        // all processors have had since.
        if now < before || now <= at.saturating_sub(then).saturating_mul(self.gauges.processors) {
            let held = self.statm.is_held();
            if !held && now > before && at.saturating_sub(self.asked) < ASKED {
                // What it has used since is told when it was asked.
                return Some(before);
            }
            self.asked = at;
            let is_this = if held { self.statm.read(true, |_| Some(())).is_ok() } else { self.is_this() };
            if now < before || !is_this {
                return None;
            }
        }
        self.seen = (now, at);
        Some(now)
    }

    fn read_time(&mut self) -> Result<Reading, Gone> {
        if !self.living {
            return self.read_group();
        }
        let Some(clock) = self.clock() else {
            self.living = false;
            return self.read_group();
        };
        self.tell(clock);
        Ok(self.last)
    }

    /// Processor time by this clock, with what the group has beyond it.
    fn tell(&mut self, clock: u64) {
        let mut time = clock.saturating_add_signed(self.beyond.unwrap_or(0));
        if self.last.sources[Figure::Cpu] == Source::CgroupV2 {
            time -= time % MICROSECOND;
        }
        let told = &mut self.last.counters[Figure::Cpu];
        *told = time.max(*told);
    }

    fn read_all(&mut self) -> Result<Reading, Gone> {
        if !self.living {
            return self.read_group();
        }
        let hold = self.gauges.hold();
        let held = self.statm.is_held();
        let group = self.group.as_mut().and_then(|group| group.read(hold));
        let (clock, at) = (self.clock.read().filter(|now| *now >= self.seen.0), monotonic());
        let memory = self.memory(hold);
        let disk = self.io.read(hold, |text| Some((after(text, "read_bytes:")?, after(text, "write_bytes:")?)));
        // Looked at last: who has the pid now had it when the rest was read. A file that was open is of no other.
        let is_this = (held && memory.is_some()) || self.is_this();
        let (Some(clock), true) = (clock, is_this) else {
            self.living = false;
            return self.read_group();
        };
        (self.seen, self.asked) = ((clock, at), at);
        if let Some(beyond) = group.and_then(|group| group.checked_signed_diff(clock)) {
            self.beyond = Some(self.beyond.map_or(beyond, |before| before.max(beyond)));
        }
        self.tell(clock);
        if let Some(memory) = memory {
            self.last.resident_bytes = memory;
        }
        if let Ok((read, written)) = disk {
            for (figure, bytes) in [(Figure::DiskRead, read), (Figure::DiskWritten, written)] {
                self.last.counters[figure] = bytes.max(self.last.counters[figure]);
                self.last.sources[figure] = Source::Proc;
            }
        }
        self.read_taps();
        self.readings = self.readings.saturating_add(1);
        Ok(self.last)
    }

    /// Memory of the host that it has mapped, in bytes.
    fn memory(&mut self, hold: bool) -> Option<u64> {
        let pages = self.statm.read(hold, |text| field(text, 1)).ok()?;
        let mut bytes = pages.saturating_mul(self.gauges.page);
        // Huge pages are told elsewhere, in a text that takes ten times as long, so it is looked for them seldom
        // until there are any.
        if self.huge || (self.readings + 1).is_power_of_two() {
            let huge = self.status.read(hold && self.huge, |text| after(text, "HugetlbPages:")).unwrap_or(0);
            self.huge |= huge > 0;
            bytes = bytes.saturating_add(huge.saturating_mul(1024));
        }
        Some(bytes)
    }

    fn read_taps(&mut self) {
        let mut sums = [0_u64; NETWORK.len()];
        for (link, last) in &mut self.taps {
            // One that is gone stays as it was.
            *last = link.read().unwrap_or(*last);
            let figures = [last.received.1, last.received.0, last.sent.1, last.sent.0];
            sums.iter_mut().zip(figures).for_each(|(sum, figure)| *sum = sum.saturating_add(figure));
        }
        for (figure, sum) in NETWORK.into_iter().zip(sums) {
            self.last.counters[figure] = sum.max(self.last.counters[figure]);
        }
    }

    /// What is left when the process is gone.
    fn read_group(&mut self) -> Result<Reading, Gone> {
        [&mut self.statm, &mut self.status, &mut self.io].into_iter().for_each(Counter::let_go);
        let group = self.group.as_mut().ok_or(Gone)?;
        let time = group.read(false).ok_or(Gone)?;
        let told = &mut self.last.counters[Figure::Cpu];
        *told = time.max(*told);
        self.last.resident_bytes = 0;
        Ok(self.last)
    }
}

/// What taps tell, in the order in which it is summed.
const NETWORK: [Figure; 4] = [Figure::NetReceived, Figure::NetReceivedPackets, Figure::NetSent, Figure::NetSentPackets];

/// How long a page of memory is.
#[expect(unsafe_code, reason = "no safe function tells it")]
pub(super) fn page() -> u64 {
    // SAFETY: it reads a constant of the system and touches no memory of ours.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(bytes).unwrap_or(4096)
}
