//! One incarnation's samples become its records.
//!
//! ```text
//!  begin(sample) ─► tally ─ take(sample, edge) ─► window ─ …  ─ take(sample, Exit) ─► the last window
//!                     │  ├─ a counter went back ─► gap (reset), and a new epoch
//!                     │  └─ lose() ─► a gap to its end, which nobody saw
//!                     └─ standing() is written down; resume(standing) ─ take(sample, Adopt) ─► gap (unwatched)
//! ```

use super::{Amounts, Cause, Edge, Figure, Kind, Meter, Record, Source, Sources, Stamp};
use crate::{IncarnationId, InstanceId};

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// One reading of an incarnation's counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// When.
    pub at: Stamp,
    /// Counters since each began; those of memory are not read here.
    pub counters: Amounts,
    /// Memory of the host that it holds, in bytes.
    pub resident_bytes: u64,
    /// Memory that it is granted, in bytes.
    pub granted_bytes: u64,
    /// Where each figure comes from.
    pub sources: Sources,
}

/// What a tally knows between two samples, to be written down and taken up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Of what.
    pub meter: Meter,
    /// The sequence of the next record.
    pub sequence: u64,
    /// The last sample.
    pub last: Sample,
    /// Byte-nanoseconds of resident and of granted memory that make no whole byte-second yet.
    pub residue: [u64; 2],
}

impl Standing {
    /// The same of a process that has ended since, nobody knows when: for how long it held memory is not known.
    #[must_use]
    pub const fn unheld(mut self) -> Self {
        (self.last.resident_bytes, self.last.granted_bytes) = (0, 0);
        self
    }
}

/// The records of one incarnation, made from its samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    standing: Standing,
    /// Whether the span since the last sample was watched.
    cause: Option<Cause>,
}

impl Tally {
    /// A process that begins, with its first sample.
    #[must_use]
    pub const fn begin(instance: InstanceId, incarnation: IncarnationId, first: Sample) -> Self {
        let meter = Meter { instance, incarnation, epoch: 0 };
        Self { standing: Standing { meter, sequence: 0, last: first, residue: [0; 2] }, cause: None }
    }

    /// A process that another agent watched until then; what it used since is a gap.
    #[must_use]
    pub const fn resume(standing: Standing) -> Self {
        Self { standing, cause: Some(Cause::Unwatched) }
    }

    /// What is to be written down with the records.
    #[must_use]
    pub const fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Counters could not be read: the span until they can is a gap.
    pub const fn missed(&mut self) {
        if self.cause.is_none() {
            self.cause = Some(Cause::Unreadable);
        }
    }

    /// What is counted has changed, or was never read before: the next epoch begins where these counters stand, at
    /// the last sample's instant.
    pub const fn renew(&mut self, counters: Amounts, sources: Sources) {
        (self.standing.last.counters, self.standing.last.sources) = (counters, sources);
        self.standing.meter.epoch = self.standing.meter.epoch.saturating_add(1);
    }

    /// Nothing is left to read: what was used since the last sample is not known, and it has ended by then.
    pub fn lose(&mut self, at: Stamp) -> [Record; 2] {
        self.standing = self.standing.unheld();
        self.missed();
        let last = self.standing.last;
        let monotonic_nanos = at.monotonic_nanos.max(last.at.monotonic_nanos);
        let end = Sample { at: Stamp { monotonic_nanos, ..at }, ..last };
        [Edge::Tick, Edge::Exit].map(|edge| self.take(end, edge).expect("it is not from before the last sample"))
    }

    /// Takes a sample, which ends a span. A sample from before the last one ends nothing.
    pub fn take(&mut self, sample: Sample, edge: Edge) -> Option<Record> {
        let standing = self.standing;
        let nanos = sample.at.monotonic_nanos.checked_sub(standing.last.at.monotonic_nanos);
        // Another start of the machine has another clock; a process does not outlive one.
        let nanos = nanos?;
        let mut kind = self.cause.take().map_or(Kind::Window(edge), Kind::Gap);
        let mut meter = standing.meter;
        let used = sample.counters.since(&standing.last.counters);
        let amounts = match used.filter(|_| counts_on(&standing.last.sources, &sample.sources)) {
            Some(amounts) => {
                let (held, residue) = standing.held_for(nanos);
                self.standing.residue = residue;
                amounts.plus(&held)
            }
            None => {
                kind = Kind::Gap(Cause::Reset);
                self.standing.meter.epoch = meter.epoch.saturating_add(1);
                self.standing.residue = [0; 2];
                Amounts::default()
            }
        };
        meter.epoch = standing.meter.epoch;
        self.standing.last = sample;
        self.standing.sequence += 1;
        let (from, to) = (standing.last.at, sample.at);
        Some(Record { meter, sequence: standing.sequence, kind, from, to, amounts, sources: sample.sources })
    }
}

impl Standing {
    /// What memory was held if it stays so for so long, in byte-seconds, and what makes no whole one.
    #[must_use]
    pub fn held_for(&self, nanos: u64) -> (Amounts, [u64; 2]) {
        let (mut amounts, mut residue) = (Amounts::default(), [0; 2]);
        let held =
            [(Figure::MemoryResident, self.last.resident_bytes), (Figure::MemoryGranted, self.last.granted_bytes)];
        for (index, (figure, bytes)) in held.into_iter().enumerate() {
            (amounts[figure], residue[index]) = byte_seconds(bytes, nanos, self.residue[index]);
        }
        (amounts, residue)
    }
}

/// Whole byte-seconds, and the byte-nanoseconds that are left.
fn byte_seconds(bytes: u64, nanos: u64, before: u64) -> (u64, u64) {
    // Almost always all of it fits into a word, whose division is many times faster.
    if let Some(all) = bytes.checked_mul(nanos).and_then(|held| held.checked_add(before)) {
        return (all / SECOND, all % SECOND);
    }
    let all = u128::from(bytes) * u128::from(nanos) + u128::from(before);
    let whole = u64::try_from(all / u128::from(SECOND)).unwrap_or(u64::MAX);
    (whole, u64::try_from(all % u128::from(SECOND)).expect("it is less than a second's nanoseconds"))
}

/// Whether each counter goes on: one that is read somewhere else is another counter.
fn counts_on(before: &Sources, now: &Sources) -> bool {
    Figure::ALL.into_iter().filter(|figure| !figure.is_level()).all(|figure| {
        let (before, now) = (before[figure], now[figure]);
        before == now || before == Source::None || now == Source::None
    })
}
