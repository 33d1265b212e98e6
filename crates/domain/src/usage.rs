//! What an instance used: samples of counters, windows between them, and the law that holds them together.
//!
//! ```text
//!  kernel, VMM ── sample ──► tally ──┬─ window   what was used between two samples of one epoch
//!                                    └─ gap      a span that nobody watched, or whose counters are not known
//!  windows and gaps ──► buckets of a second, a minute, an hour, a day
//! ```
//!
//! **The law of conservation.** In one epoch of an incarnation, the amounts of all windows and gaps together
//! are the counters of its last sample less those of its first. A counter that goes back ends the epoch: the
//! span is a gap without amounts, and the next epoch begins with that sample.
//!
//! Memory is a level and not a counter: what a sample found counts from it until the next one, in
//! byte-seconds. Fractions of a byte-second are carried on and never rounded away.
//!
//! What it does not know: where a counter is read, how anything is written down or sent, what it costs.

mod amounts;
mod bucket;
mod dropped;
mod tally;
#[cfg(test)]
mod tests;

pub use amounts::{Amounts, Figure, Source, Sources};
pub use bucket::{Bucket, Width, bucket};
pub use dropped::Dropped;
pub use tally::{Sample, Standing, Tally};

use crate::{IncarnationId, InstanceId, Time};

/// One instant by two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stamp {
    /// Nanoseconds since the machine started; never set by anybody, and not comparable across starts.
    pub monotonic_nanos: u64,
    /// What the wall clock said.
    pub wall: Time,
}

/// Which stretch of which process a record is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Meter {
    /// The instance.
    pub instance: InstanceId,
    /// Its process.
    pub incarnation: IncarnationId,
    /// Counts how often its counters have begun anew.
    pub epoch: u32,
}

/// What ends a window, beside the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edge {
    /// The schedule.
    Tick,
    /// It was paused.
    Pause,
    /// It goes on.
    Resume,
    /// Its guest was started anew in the same process.
    Reboot,
    /// What it is granted has changed.
    Resize,
    /// An agent has taken it up.
    Adopt,
    /// It has left for another node, or came from one.
    Migrate,
    /// It has ended: this is its last reading.
    Exit,
}

impl Edge {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Tick, Self::Pause, Self::Resume, Self::Reboot, Self::Resize, Self::Adopt, Self::Migrate, Self::Exit];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tick => "tick",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Reboot => "reboot",
            Self::Resize => "resize",
            Self::Adopt => "adopt",
            Self::Migrate => "migrate",
            Self::Exit => "exit",
        }
    }
}

/// Why a span has no windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// No agent ran. Its amounts are what the counters say was used meanwhile.
    Unwatched,
    /// A counter went back. What was used in the span is not known, and nothing is billed for it.
    Reset,
    /// The counters could not be read. Its amounts are known once they can be read again.
    Unreadable,
    /// Records were dropped because there was no room for them. Its amounts are theirs.
    Dropped,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Unwatched, Self::Reset, Self::Unreadable, Self::Dropped];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unwatched => "unwatched",
            Self::Reset => "reset",
            Self::Unreadable => "unreadable",
            Self::Dropped => "dropped",
        }
    }
}

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It was watched from end to end.
    Window(Edge),
    /// It was not.
    Gap(Cause),
}

/// What was used in one span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Of what.
    pub meter: Meter,
    /// Counts the records of an incarnation from 0, without holes.
    pub sequence: u64,
    /// Whether it was watched.
    pub kind: Kind,
    /// From here.
    pub from: Stamp,
    /// To here.
    pub to: Stamp,
    /// What was used.
    pub amounts: Amounts,
    /// Where each amount comes from.
    pub sources: Sources,
}
