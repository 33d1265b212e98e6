//! Counters of running processes, read often and cheaply.
//!
//! # Laws
//! `open` finds what counts a process once; `read` allocates nothing that lasts. A figure is what the kernel
//! counts, in its unit, and names its source; one that nobody counts here has
//! [no source](weft_domain::usage::Source::None) and is 0. Two gauges of one process agree, also where another
//! agent opened the second. A process that is gone is read for as long as its control group is there, and answers
//! [`Gone`] after that; another process that was given its pid is never read in its place. Counters of one process
//! never go back unless the kernel's do.

pub mod conformance;
pub mod fake;

use std::path::PathBuf;
use weft_domain::usage::{Amounts, Sources, Stamp};
use weft_domain::{ClaimId, Fault};

use crate::processes::Alive;

/// What is to be measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The claim that the process bears, which names its control group.
    pub claim: ClaimId,
    /// The process.
    pub alive: Alive,
    /// Host ends of its guest's nics.
    pub taps: Vec<Tap>,
}

/// The host end of a nic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tap {
    /// The interface's name.
    pub name: String,
    /// The network namespace it is in; `None` for the host's.
    pub namespace: Option<PathBuf>,
}

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reading {
    /// Counters since each began; those of memory stay 0.
    pub counters: Amounts,
    /// Memory of the host that the process holds, in bytes.
    pub resident_bytes: u64,
    /// Where each figure comes from.
    pub sources: Sources,
}

/// Neither process nor control group is there any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

/// What of one reading is wanted: memory changes slowly and costs more to read than processor time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Processor time; the rest is as it was last read. The first reading of a gauge is of everything.
    Counters,
    /// Everything.
    All,
}

/// The counters of one process.
pub trait Gauge: Send {
    /// Reads them.
    ///
    /// # Errors
    /// Nothing is left to read.
    fn read(&mut self, depth: Depth) -> Result<Reading, Gone>;
}

/// Where counters are read, on one node. Its verbs answer at once and may be called from a thread of their own.
pub trait Meters: Send + Sync {
    /// Finds the counters of a process, also of one that has ended while its control group is there.
    ///
    /// # Errors
    /// It is gone, or the host refuses.
    fn open(&self, target: &Target) -> Result<Box<dyn Gauge>, Fault>;
    /// What time it is, by both clocks.
    fn now(&self) -> Stamp;
    /// Waits until the monotonic clock shows this many nanoseconds; returns at once where it does already.
    fn sleep_until(&self, monotonic_nanos: u64);
}
