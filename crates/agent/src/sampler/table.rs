//! All processes that are measured, and what of them waits to be written down.
//!
//! What always holds: whoever holds the table writes down what it took before it lets go, or keeps it. Where the
//! spool takes nothing, a tick is as if it had not been, so that the next window is wider; boundaries and ends wait
//! here, at most so many.

use super::entry::{Entry, Origin, Subject, bound, sampled};
use crate::figures::Metered;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use weft_domain::usage::{Edge, Record, Standing, Tally};
use weft_domain::{Fault, IncarnationId};
use weft_ports::meters::{Depth, Gauge, Meters, Tap, Target};
use weft_ports::spool::Spool;

/// So many records of boundaries and ends wait while the spool takes none.
const MOST_WAITING: usize = 4_096;

/// What the table works through.
pub(super) struct Means {
    pub(super) meters: Arc<dyn Meters>,
    pub(super) spool: Arc<dyn Spool>,
    pub(super) figures: Metered,
    /// All of a process is read in one of so many ticks.
    pub(super) all_every: u64,
}

/// The processes that are measured.
#[derive(Default)]
pub(super) struct Table {
    /// The agent that measured has ended: nothing is taken any more.
    pub(super) closed: bool,
    entries: BTreeMap<IncarnationId, Entry>,
    /// What a former agent left.
    inherited: BTreeMap<IncarnationId, Standing>,
    /// Counts entries, so that their turns differ.
    begun: u64,
    waiting: (Vec<Record>, Vec<Standing>),
    /// Of the tick under way; kept, so that a tick allocates nothing.
    tick: (Vec<Record>, Vec<Standing>),
    ahead: Vec<Tally>,
    refused: bool,
}

impl Table {
    pub(super) fn inheriting(standings: Vec<Standing>) -> Self {
        let inherited = standings.into_iter().map(|standing| (standing.meter.incarnation, standing)).collect();
        Self { inherited, ..Self::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether this process is measured.
    pub(super) fn has(&self, incarnation: IncarnationId) -> bool {
        self.entries.contains_key(&incarnation)
    }

    /// Nothing is taken any more, and nothing is held open.
    pub(super) fn close(&mut self) {
        *self = Self { closed: true, ..Self::default() };
    }

    /// Measures a process from now on.
    pub(super) fn begin(&mut self, subject: Subject, origin: Origin, gauge: Option<Box<dyn Gauge>>, means: &Means) {
        let incarnation = subject.incarnation;
        if self.closed || self.has(incarnation) {
            return;
        }
        let standing = self.inherited.remove(&incarnation);
        let (mut entry, record) = Entry::begin(subject, (origin, standing), gauge, means.meters.as_ref());
        entry.turn = self.begun;
        self.begun = self.begun.wrapping_add(1);
        if !entry.is_readable() {
            means.figures.unread();
        } else if self.put(record.as_slice(), &entry.tally, means).is_err() {
            // It is taken up by its next boundary or by the next agent.
            self.inherited.extend(standing.map(|standing| (incarnation, standing)));
            return;
        }
        self.entries.insert(incarnation, entry);
    }

    /// Measures every process once.
    pub(super) fn tick(&mut self, number: u64, means: &Means) {
        if self.write_waiting(means).is_err() {
            return;
        }
        let ((records, standings), meters) = (&mut self.tick, means.meters.as_ref());
        for entry in self.entries.values_mut() {
            let (depth, was) = (depth(number.wrapping_add(entry.turn), means.all_every), entry.is_readable());
            if depth == Depth::All {
                entry.look_again(meters);
            }
            let sample = entry.sample(meters, depth);
            if was && sample.is_none() {
                means.figures.unread();
            }
            let mut tally = entry.tally.clone();
            if let Some(record) = sample.and_then(|sample| tally.take(sample, Edge::Tick)) {
                records.push(record);
                standings.push(*tally.standing());
            }
            self.ahead.push(tally);
        }
        let written = records.is_empty() || told(means.spool.append(records, standings), &mut self.refused, means);
        if written {
            means.figures.written(records.len());
            for (entry, tally) in self.entries.values_mut().zip(self.ahead.drain(..)) {
                entry.tally = tally;
            }
        }
        self.ahead.clear();
        self.tick.0.clear();
        self.tick.1.clear();
    }

    /// Ends the span under way at a boundary.
    pub(super) fn mark(&mut self, incarnation: IncarnationId, edge: Edge, means: &Means) {
        self.at(incarnation, means, |entry, meters| entry.bound(edge, meters));
    }

    /// What it is granted, or what of it is counted, may have changed.
    pub(super) fn change(&mut self, incarnation: IncarnationId, granted_bytes: u64, taps: Vec<Tap>, means: &Means) {
        self.at(incarnation, means, |entry, meters| {
            if entry.is_so(granted_bytes, &taps) {
                return Vec::new();
            }
            entry.change(granted_bytes, taps, meters)
        });
    }

    fn at(
        &mut self,
        incarnation: IncarnationId,
        means: &Means,
        act: impl FnOnce(&mut Entry, &dyn Meters) -> Vec<Record>,
    ) {
        let Some(mut entry) = self.entries.remove(&incarnation) else { return };
        let before = entry.tally.clone();
        let records = act(&mut entry, means.meters.as_ref());
        if !records.is_empty() && self.put(&records, &entry.tally, means).is_err() {
            entry.tally = before;
        }
        self.entries.insert(incarnation, entry);
    }

    /// The last record of a process that has ended; one that was never measured has none.
    ///
    /// # Errors
    /// The spool takes nothing, and no more can wait; nothing has changed.
    pub(super) fn end(
        &mut self,
        incarnation: IncarnationId,
        target: Option<&Target>,
        means: &Means,
    ) -> Result<(), Fault> {
        let meters = means.meters.as_ref();
        if let Some(mut entry) = self.entries.remove(&incarnation) {
            let before = entry.tally.clone();
            let mut records = entry.bound(Edge::Exit, meters);
            if records.is_empty() {
                records.extend(entry.tally.lose(meters.now()));
            }
            let put = self.put(&records, &entry.tally, means);
            if put.is_err() {
                entry.tally = before;
                self.entries.insert(incarnation, entry);
            }
            return put;
        }
        let Some(standing) = self.inherited.get(&incarnation).copied() else { return Ok(()) };
        let mut tally = Tally::resume(standing.unheld());
        let reading = target.and_then(|target| meters.open(target).ok()).and_then(|mut it| it.read(Depth::All).ok());
        let sample = reading.map(|reading| sampled(&reading, &tally.standing().last, meters.now()));
        let mut records = sample.map(|sample| bound(&mut tally, sample, Edge::Exit)).unwrap_or_default();
        if records.is_empty() {
            records.extend(tally.lose(meters.now()));
        }
        self.put(&records, &tally, means)?;
        self.inherited.remove(&incarnation);
        Ok(())
    }

    /// What a former agent measured and nobody claims has ended.
    pub(super) fn end_unclaimed(&mut self, claimed: &BTreeSet<IncarnationId>, means: &Means) {
        let gone: Vec<_> = self.inherited.keys().filter(|it| !claimed.contains(it)).copied().collect();
        for incarnation in gone {
            if self.end(incarnation, None, means).is_err() {
                // The next agent tries again.
                return;
            }
        }
    }

    /// Writes down records of one process, with what waits, or lets them wait.
    fn put(&mut self, records: &[Record], tally: &Tally, means: &Means) -> Result<(), Fault> {
        if self.waiting.0.len() + records.len() > MOST_WAITING {
            self.write_waiting(means)?;
        }
        let standing = *tally.standing();
        self.waiting.0.extend_from_slice(records);
        self.waiting.1.retain(|waits| waits.meter.incarnation != standing.meter.incarnation);
        self.waiting.1.push(standing);
        // Where it is not taken now, it waits.
        drop(self.write_waiting(means));
        Ok(())
    }

    fn write_waiting(&mut self, means: &Means) -> Result<(), Fault> {
        let (records, standings) = &mut self.waiting;
        if standings.is_empty() {
            return Ok(());
        }
        let written = means.spool.append(records, standings);
        told(written.clone(), &mut self.refused, means);
        written?;
        means.figures.written(records.len());
        records.clear();
        standings.clear();
        Ok(())
    }
}

/// How much is read in this of a process's ticks.
const fn depth(turn: u64, all_every: u64) -> Depth {
    if turn.is_multiple_of(all_every) { Depth::All } else { Depth::Counters }
}

/// Whether the spool took it; says once that it takes nothing, and once that it takes again.
fn told(written: Result<(), Fault>, refused: &mut bool, means: &Means) -> bool {
    let now = written.is_err();
    if let Err(fault) = &written {
        means.figures.refused();
        if !*refused {
            tracing::warn!(%fault, "usage cannot be written down; it is counted on and written down later");
        }
    } else if *refused {
        tracing::info!("usage is written down again");
    }
    *refused = now;
    !now
}
