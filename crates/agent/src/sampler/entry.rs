//! One process that is measured: its gauge, and where its records stand.
//!
//! What always holds: its tally has taken no sample but those whose records were written down, or wait for it.

use weft_domain::usage::{Amounts, Edge, Figure, Kind, Record, Sample, Source, Sources, Stamp, Standing, Tally};
use weft_domain::{IncarnationId, InstanceId, Time};
use weft_ports::meters::{Depth, Gauge, Meters, Reading, Tap, Target};

/// A process that is to be measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Its instance.
    pub instance: InstanceId,
    /// The process of the instance.
    pub incarnation: IncarnationId,
    /// Where its counters are.
    pub target: Target,
    /// Memory that it is granted, in bytes, with what its balloon takes.
    pub granted_bytes: u64,
}

/// Whence a process comes that is to be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was launched just now.
    Launched,
    /// A former agent launched it then.
    Adopted(Time),
}

/// A process that is measured.
pub(super) struct Entry {
    subject: Subject,
    /// None where its counters cannot be read now.
    gauge: Option<Box<dyn Gauge>>,
    pub(super) tally: Tally,
    /// Its counters were never read, so that nobody knows where they began.
    blind: bool,
    /// In which ticks all of it is read.
    pub(super) turn: u64,
}

impl Entry {
    /// One that goes on where it was written down, if it was; with its first record, if it has any.
    pub(super) fn begin(
        subject: Subject,
        origin: (Origin, Option<Standing>),
        gauge: Option<Box<dyn Gauge>>,
        meters: &dyn Meters,
    ) -> (Self, Option<Record>) {
        let now = meters.now();
        let begun = |at, granted_bytes| {
            let (counters, sources) = (Amounts::default(), Sources::default());
            let first = Sample { at, counters, resident_bytes: 0, granted_bytes, sources };
            Tally::begin(subject.instance, subject.incarnation, first)
        };
        let (tally, blind) = match origin {
            (_, Some(standing)) => (Tally::resume(standing), false),
            (Origin::Launched, None) => (begun(now, subject.granted_bytes), true),
            // What it used since is nobody's to tell: it may have been written down and lost.
            (Origin::Adopted(since), None) => (Tally::resume(*begun(back(now, since), 0).standing()), true),
        };
        let mut entry = Self { subject, gauge, tally, blind, turn: 0 };
        let sample = entry.sample(meters, Depth::All);
        let record = match (origin, sample) {
            ((Origin::Launched, None), Some(sample)) => {
                entry.tally = Tally::begin(entry.subject.instance, entry.subject.incarnation, sample);
                None
            }
            (_, Some(sample)) => entry.tally.take(sample, Edge::Adopt),
            (_, None) => None,
        };
        (entry, record)
    }

    /// Reads its counters; nothing where they cannot be read.
    pub(super) fn sample(&mut self, meters: &dyn Meters, depth: Depth) -> Option<Sample> {
        let read = self.gauge.as_mut().and_then(|gauge| gauge.read(depth).ok());
        let Some(reading) = read else {
            self.gauge = None;
            self.tally.missed();
            return None;
        };
        if std::mem::take(&mut self.blind) {
            self.tally.renew(reading.counters, reading.sources);
        }
        let last = &self.tally.standing().last;
        let mut sample = sampled(&reading, last, meters.now());
        sample.granted_bytes = self.subject.granted_bytes;
        Some(sample)
    }

    /// Looks for its counters again where they could not be read.
    pub(super) fn look_again(&mut self, meters: &dyn Meters) {
        if self.gauge.is_none() {
            self.gauge = meters.open(&self.subject.target).ok();
        }
    }

    /// Whether its counters can be read, as far as is known.
    pub(super) const fn is_readable(&self) -> bool {
        self.gauge.is_some()
    }

    /// Whether it is granted this, and its nics have these host ends.
    pub(super) fn is_so(&self, granted_bytes: u64, taps: &[Tap]) -> bool {
        self.subject.granted_bytes == granted_bytes && self.subject.target.taps == taps
    }

    /// Takes up what it is granted now, and what is counted now.
    pub(super) fn change(&mut self, granted_bytes: u64, taps: Vec<Tap>, meters: &dyn Meters) -> Vec<Record> {
        let other = self.subject.target.taps != taps;
        self.subject.granted_bytes = granted_bytes;
        self.subject.target.taps = taps;
        let records = self.bound(Edge::Resize, meters);
        if other {
            self.gauge = None;
            self.look_again(meters);
            self.renew();
        }
        records
    }

    /// Ends the span under way at a boundary, if it can be read.
    pub(super) fn bound(&mut self, edge: Edge, meters: &dyn Meters) -> Vec<Record> {
        self.look_again(meters);
        let sample = self.sample(meters, Depth::All);
        sample.map(|sample| bound(&mut self.tally, sample, edge)).unwrap_or_default()
    }

    /// Another set of nics is counted: what the network counted until now is another counter. The rest goes on.
    fn renew(&mut self) {
        let Some(Ok(reading)) = self.gauge.as_mut().map(|gauge| gauge.read(Depth::All)) else {
            (self.gauge, self.blind) = (None, true);
            return;
        };
        let last = self.tally.standing().last;
        let (mut counters, mut sources) = (last.counters, last.sources);
        for figure in [Figure::NetReceived, Figure::NetReceivedPackets, Figure::NetSent, Figure::NetSentPackets] {
            (counters[figure], sources[figure]) = (reading.counters[figure], reading.sources[figure]);
        }
        self.tally.renew(counters, sources);
    }
}

/// Ends a span at a boundary; one that ends a gap is told after it.
pub(super) fn bound(tally: &mut Tally, sample: Sample, edge: Edge) -> Vec<Record> {
    let mut records: Vec<_> = tally.take(sample, edge).into_iter().collect();
    if records.last().is_some_and(|record| record.kind != Kind::Window(edge)) {
        records.extend(tally.take(sample, edge));
    }
    records
}

/// What a reading says at this instant, after the last sample.
pub(super) fn sampled(reading: &Reading, last: &Sample, at: Stamp) -> Sample {
    let Reading { mut counters, resident_bytes, mut sources } = *reading;
    sources[Figure::MemoryGranted] = Source::Grant;
    if sources != last.sources {
        // Whoever counted it counts no more, as where a process is gone and its control group is left.
        for figure in Figure::ALL.into_iter().filter(|figure| !figure.is_level()) {
            if sources[figure] == Source::None {
                counters[figure] = last.counters[figure];
            }
        }
    }
    Sample { at, counters, resident_bytes, granted_bytes: last.granted_bytes, sources }
}

/// The instant at which the wall clock said so, as far as it was not set since.
fn back(now: Stamp, wall: Time) -> Stamp {
    let ago = now.wall.as_nanos().saturating_sub(wall.as_nanos());
    let ago = u64::try_from(ago).unwrap_or_default();
    Stamp { monotonic_nanos: now.monotonic_nanos.saturating_sub(ago), wall }
}
