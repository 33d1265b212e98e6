//! Records gathered into spans of the wall clock.

use super::{Amounts, Kind, Record};
use crate::Time;

/// How wide a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Width {
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day of 86,400 seconds, from midnight UTC.
    Day,
}

impl Width {
    /// All of them, from the narrowest.
    pub const ALL: [Self; 4] = [Self::Second, Self::Minute, Self::Hour, Self::Day];

    /// How many seconds it is wide.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

/// What was used in one span of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bucket {
    /// What was used.
    pub amounts: Amounts,
    /// How many records it gathers.
    pub records: u64,
    /// How many of them are gaps.
    pub gaps: u64,
}

impl Bucket {
    /// One record by itself.
    #[must_use]
    pub const fn of(record: &Record) -> Self {
        Self { amounts: record.amounts, records: 1, gaps: matches!(record.kind, Kind::Gap(_)) as u64 }
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            amounts: self.amounts.plus(&other.amounts),
            records: self.records.saturating_add(other.records),
            gaps: self.gaps.saturating_add(other.gaps),
        }
    }
}

/// When the bucket begins that a record belongs to which ended then, in seconds since the epoch. A record
/// belongs whole to the bucket of its last instant, so that sums stay exact.
#[must_use]
pub const fn bucket(end: Time, width: Width) -> i64 {
    // What ends at midnight was used before it.
    let second = end.as_nanos().saturating_sub(1).div_euclid(1_000_000_000);
    second.div_euclid(width.seconds()) * width.seconds()
}
