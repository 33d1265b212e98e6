//! Counters of running processes, as the kernel keeps them.
//!
//! ```text
//!  processor time  the process's clock (one call, no file) + what else its control group counts (when all is read)
//!  memory          /proc/PID/statm, and huge pages of /proc/PID/status
//!  disks           /proc/PID/io: bytes that reached or left a device; operations are the VMM's to tell
//!  network         statistics of taps by rtnetlink, one socket for each namespace
//! ```
//!
//! *Processor time.* The clock of a process counts all of its threads in nanoseconds and is there until the
//! process is reaped. Its control group counts the same and, besides, what ran there for it; the group is read
//! with the rest, its count is the one that is told, and it is there after the process. With the unified hierarchy
//! counts are whole microseconds.
//!
//! *Memory* is what the process has mapped of the host's, shared pages too. What the kernel keeps of a guest's
//! files in its cache counts to a control group and is not charged: the kernel takes it back when it likes.
//!
//! *Disks.* Blocks that the cache of the host had already cost nothing, and what was written and thrown away before
//! it reached the disk was written. Control groups count each layer of stacked devices anew, so they are not asked.
//!
//! What always holds: a pid that was given anew is never read for the process that had it; a figure whose file is
//! gone stays as it was last read. Files are held open while there are at most an eighth as many gauges as
//! this process may have descriptors, and opened for each reading of everything beyond; a reading of processor
//! time needs none at all.

mod clock;
mod counter;
mod gauge;
mod taps;

use crate::Error;
use crate::processes::{self, stat};
use gauge::Kernel;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use taps::Links;
use weft_domain::Fault;
use weft_domain::usage::Stamp;
use weft_ports::meters::{Depth, Gauge, Meters, Target};

/// Files are held for at most this part of the descriptors that there may be, counted in gauges. Each holds up to
/// three, so that five eighths are left for the rest of the process.
const SHARE: usize = 8;

/// Where to look.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folders in which a process may have a control group that is named for its claim.
    pub groups: Vec<PathBuf>,
    /// Files are held open while there are at most so many gauges.
    pub held_gauges: usize,
}

impl Config {
    /// The usual settings for these processes.
    #[must_use]
    pub fn of(processes: &processes::Linux) -> Self {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let limit = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        Self { groups: processes.cgroup_folders().to_vec(), held_gauges: limit / SHARE }
    }
}

/// The counters of this machine's processes.
#[derive(Debug)]
pub struct Linux {
    config: Config,
    boot_id: String,
    links: Links,
    gauges: Arc<Gauges>,
}

/// How many gauges there are, which says whether files are held.
#[derive(Debug)]
struct Gauges {
    count: AtomicUsize,
    most_held: usize,
    /// How many processors the machine may have.
    processors: u64,
    /// How long a page of memory is.
    page: u64,
}

impl Gauges {
    /// Whether there are few enough to hold files.
    fn hold(&self) -> bool {
        self.count.load(Ordering::Relaxed) <= self.most_held
    }
}

/// Makes ready to read.
///
/// # Errors
/// A host without `/proc`.
pub fn open(config: Config) -> Result<Linux, Error> {
    let boot_id = stat::boot_id().map_err(|error| Error::host("read the boot id", error))?;
    let (most_held, page) = (config.held_gauges, gauge::page());
    let gauges = Arc::new(Gauges { count: AtomicUsize::new(0), most_held, processors: processors(), page });
    Ok(Linux { config, boot_id, links: Links::default(), gauges })
}

/// How many processors this machine may have; more than any has where it does not say.
fn processors() -> u64 {
    let text = std::fs::read_to_string("/sys/devices/system/cpu/possible").unwrap_or_default();
    let last = text.trim().rsplit([',', '-']).next().and_then(|last| last.parse::<u64>().ok());
    last.map_or(1 << 16, |last| last.saturating_add(1))
}

impl Meters for Linux {
    fn open(&self, target: &Target) -> Result<Box<dyn Gauge>, Fault> {
        if target.alive.boot_id != self.boot_id {
            return Err(Error::Ended { pid: target.alive.pid }.into());
        }
        let groups = self.config.groups.iter().map(|folder| folder.join(target.claim.to_string()));
        let taps = self.links.find(&target.taps);
        let mut gauge = Kernel::open(&target.alive, groups.collect(), taps, Arc::clone(&self.gauges));
        // The first reading tells whether it is there at all, and gives what later ones go on from.
        gauge.read(Depth::All).map_err(|_| Error::Ended { pid: target.alive.pid })?;
        if !gauge.is_living() && gauge.is_succeeded() {
            return Err(Error::Ended { pid: target.alive.pid }.into());
        }
        Ok(Box::new(gauge))
    }

    fn now(&self) -> Stamp {
        clock::now()
    }

    fn sleep_until(&self, monotonic_nanos: u64) {
        clock::sleep_until(monotonic_nanos);
    }
}
