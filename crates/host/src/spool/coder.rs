//! Records in few bytes: what the one before lets expect is left out.
//!
//! ```text
//!  item      which one (as more than the one after the last) and sort │ what was not expected
//!  sorts     window  ends with the schedule, and goes on where its meter stood
//!            record  any other: flags say what is written besides
//!            stand   where a meter stands, as far as that does not follow from its records
//!            meet    a meter that this segment has not named yet
//! ```
//!
//! A meter's place in the list of those that were met stands for it. Of amounts only those are written that differ
//! from what is expected: nothing for a counter, what was held for memory. Encoder and decoder keep the same list.

use super::varint::{Bytes, put, put_more};
use std::collections::HashMap;
use weft_domain::usage::{Amounts, Cause, Edge, Figure, Kind, Meter, Record, Sample, Source, Sources, Stamp, Standing};
use weft_domain::{IncarnationId, InstanceId, Time};

/// Sorts of items.
const WINDOW: u64 = 0;
const RECORD: u64 = 1;
const STAND: u64 = 2;
const MEET: u64 = 3;

/// What of a record is written besides, or of a standing.
const KIND: u8 = 1;
const EPOCH: u8 = 2;
const SEQUENCE: u8 = 4;
const FROM: u8 = 8;
const SOURCES: u8 = 16;
const LEVELS: u8 = 32;
const RESIDUE: u8 = 64;
const COUNTERS: u8 = 128;

/// Marks the cause of a gap among edges.
const GAP: u8 = 16;

/// Whose records they are.
type Key = (InstanceId, IncarnationId);

/// One meter, as far as it is known.
#[derive(Debug, Clone)]
struct Slot {
    standing: Standing,
    /// Whether that was ever said; else it only follows from records.
    stood: bool,
    /// Whether its last record is an exit.
    ended: bool,
    /// In which segment it was last written.
    written: u64,
}

/// What was written so far lets the next be written shorter.
#[derive(Debug, Clone, Default)]
pub(super) struct Coder {
    slots: Vec<Slot>,
    places: HashMap<Key, usize>,
    /// The place that is expected next.
    at: usize,
    /// The last instant: what the monotonic clock showed, and how much more the other one.
    clock: (u64, u64),
}

/// What a coder was before it wrote a frame, to go back there.
#[derive(Debug, Default)]
pub(super) struct Before {
    slots: Vec<(usize, Slot)>,
    length: usize,
    at: usize,
    clock: (u64, u64),
}

/// It is not what a coder writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Garbled;

fn key(meter: &Meter) -> Key {
    (meter.instance, meter.incarnation)
}

fn nowhere(key: Key) -> Slot {
    let meter = Meter { instance: key.0, incarnation: key.1, epoch: 0 };
    let last = Sample {
        at: Stamp::default(),
        counters: Amounts::default(),
        resident_bytes: 0,
        granted_bytes: 0,
        sources: Sources::default(),
    };
    let standing = Standing { meter, sequence: 0, last, residue: [0; 2] };
    Slot { standing, stood: false, ended: false, written: 0 }
}

/// What the wall clock shows more than the other.
fn offset(at: Stamp) -> u64 {
    at.wall.as_nanos().cast_unsigned().wrapping_sub(at.monotonic_nanos)
}

fn stamp((monotonic_nanos, offset): (u64, u64)) -> Stamp {
    Stamp { monotonic_nanos, wall: Time::from_nanos(monotonic_nanos.wrapping_add(offset).cast_signed()) }
}

fn put_stamp(at: Stamp, than: (u64, u64), into: &mut Vec<u8>) {
    put_more(at.monotonic_nanos, than.0, into);
    put_more(offset(at), than.1, into);
}

fn get_stamp(bytes: &mut Bytes<'_>, than: (u64, u64)) -> Option<(u64, u64)> {
    Some((bytes.get_more(than.0)?, bytes.get_more(than.1)?))
}

/// Writes the amounts that differ from these.
fn put_amounts(amounts: &Amounts, than: &Amounts, into: &mut Vec<u8>) {
    let differs = |figure: &Figure| amounts[*figure] != than[*figure];
    let bits = Figure::ALL.into_iter().filter(differs).fold(0, |bits, figure| bits | 1 << figure as u64);
    put(bits, into);
    if bits != 0 {
        Figure::ALL.into_iter().filter(differs).for_each(|figure| put_more(amounts[figure], than[figure], into));
    }
}

fn get_amounts(bytes: &mut Bytes<'_>, than: &Amounts) -> Option<Amounts> {
    let (mut amounts, bits) = (*than, bytes.get()?);
    for figure in Figure::ALL.into_iter().filter(|figure| bits & 1 << *figure as u64 != 0) {
        amounts[figure] = bytes.get_more(than[figure])?;
    }
    Some(amounts)
}

fn put_sources(sources: &Sources, into: &mut Vec<u8>) {
    into.extend(Figure::ALL.map(|figure| sources[figure] as u8));
}

fn get_sources(bytes: &mut Bytes<'_>) -> Option<Sources> {
    let mut sources = Sources::default();
    for figure in Figure::ALL {
        sources[figure] = *Source::ALL.get(usize::from(bytes.byte()?))?;
    }
    Some(sources)
}

fn get_kind(bytes: &mut Bytes<'_>) -> Option<Kind> {
    let word = bytes.byte()?;
    match word.checked_sub(GAP) {
        Some(cause) => Cause::ALL.get(usize::from(cause)).copied().map(Kind::Gap),
        None => Edge::ALL.get(usize::from(word)).copied().map(Kind::Window),
    }
}

fn flag(set: bool, bit: u8) -> u8 {
    if set { bit } else { 0 }
}

impl Slot {
    /// What a record of this span would hold if only memory was.
    fn expected(&self, from: Stamp, to: Stamp) -> Amounts {
        self.standing.held_for(to.monotonic_nanos.saturating_sub(from.monotonic_nanos)).0
    }

    /// Takes up what follows from a record.
    fn follow(&mut self, record: &Record) {
        if record.kind == Kind::Gap(Cause::Dropped) {
            // It comes late and says nothing of where its meter stands now.
            return;
        }
        let standing = &mut self.standing;
        let span = record.to.monotonic_nanos.saturating_sub(record.from.monotonic_nanos);
        standing.residue = standing.held_for(span).1;
        standing.meter.epoch = record.meter.epoch;
        standing.sequence = record.sequence.wrapping_add(1);
        standing.last.at = record.to;
        for figure in Figure::ALL.into_iter().filter(|figure| !figure.is_level()) {
            let counter = &mut standing.last.counters[figure];
            *counter = counter.wrapping_add(record.amounts[figure]);
        }
        standing.last.sources = record.sources;
        self.ended = record.kind == Kind::Window(Edge::Exit);
    }
}

impl Coder {
    /// Where each stands that has not ended.
    pub(super) fn standings(&self) -> impl Iterator<Item = &Standing> {
        self.slots.iter().filter(|slot| slot.stood && !slot.ended).map(|slot| &slot.standing)
    }

    /// One for a new segment, which knows those that were written in this one or a later.
    pub(super) fn anew(&self, first: u64) -> Self {
        let slots: Vec<Slot> =
            self.slots.iter().filter(|slot| slot.stood && !slot.ended && slot.written >= first).cloned().collect();
        let places = slots.iter().enumerate().map(|(place, slot)| (key(&slot.standing.meter), place)).collect();
        Self { slots, places, at: 0, clock: (0, 0) }
    }

    /// Writes all that it knows, so that one that knows nothing comes to know it.
    pub(super) fn put_all(&mut self, into: &mut Vec<u8>) {
        let mut fresh = Self::default();
        let mut before = Before::default();
        for slot in &self.slots {
            fresh.put_standing(&slot.standing, slot.written, &mut before, into);
        }
        (self.at, self.clock) = (fresh.at, fresh.clock);
    }

    /// Begins what may have to be undone.
    pub(super) fn begin(&self, before: &mut Before) {
        before.slots.clear();
        (before.length, before.at, before.clock) = (self.slots.len(), self.at, self.clock);
    }

    /// Goes back to where it began.
    pub(super) fn undo(&mut self, before: &mut Before) {
        for slot in self.slots.drain(before.length..) {
            self.places.remove(&key(&slot.standing.meter));
        }
        // The first that was kept of a slot is the oldest.
        for (place, slot) in before.slots.drain(..).rev() {
            if let Some(there) = self.slots.get_mut(place) {
                *there = slot;
            }
        }
        (self.at, self.clock) = (before.at, before.clock);
    }

    /// Finds a meter's place, or gives it one; writes what sort of item follows.
    fn place(&mut self, meter: &Meter, sort: impl Fn(&Slot) -> u64, before: &mut Before, into: &mut Vec<u8>) -> usize {
        let key = key(meter);
        let is_next = self
            .slots
            .get(self.at)
            .is_some_and(|slot| (slot.standing.meter.instance, slot.standing.meter.incarnation) == key);
        let known = if is_next { Some(self.at) } else { self.places.get(&key).copied() };
        let place = known.unwrap_or_else(|| {
            put(MEET, into);
            into.extend_from_slice(key.0.as_bytes());
            into.extend_from_slice(key.1.as_bytes());
            self.slots.push(nowhere(key));
            self.places.insert(key, self.slots.len() - 1);
            self.at = self.slots.len() - 1;
            self.at
        });
        before.slots.push((place, self.slots[place].clone()));
        let more = (place as u64).wrapping_sub(self.at as u64).cast_signed();
        put((more << 1 ^ more >> 63).cast_unsigned() << 2 | sort(&self.slots[place]), into);
        self.at = place + 1;
        place
    }

    /// Writes a record of this segment.
    pub(super) fn put_record(&mut self, record: &Record, segment: u64, before: &mut Before, into: &mut Vec<u8>) {
        let flags = |slot: &Slot| {
            let standing = &slot.standing;
            flag(record.kind != Kind::Window(Edge::Tick), KIND)
                | flag(record.meter.epoch != standing.meter.epoch, EPOCH)
                | flag(record.sequence != standing.sequence, SEQUENCE)
                | flag(record.from != standing.last.at, FROM)
                | flag(record.sources != standing.last.sources, SOURCES)
        };
        let place = self.place(&record.meter, |slot| if flags(slot) == 0 { WINDOW } else { RECORD }, before, into);
        let slot = &mut self.slots[place];
        let flags = flags(slot);
        if flags != 0 {
            into.push(flags);
        }
        if flags & KIND != 0 {
            into.push(match record.kind {
                Kind::Window(edge) => edge as u8,
                Kind::Gap(cause) => GAP | cause as u8,
            });
        }
        if flags & EPOCH != 0 {
            put(record.meter.epoch.into(), into);
        }
        if flags & SEQUENCE != 0 {
            put_more(record.sequence, slot.standing.sequence, into);
        }
        put_stamp(record.to, self.clock, into);
        self.clock = (record.to.monotonic_nanos, offset(record.to));
        if flags & FROM != 0 {
            put_stamp(record.from, self.clock, into);
        }
        if flags & SOURCES != 0 {
            put_sources(&record.sources, into);
        }
        put_amounts(&record.amounts, &slot.expected(record.from, record.to), into);
        slot.follow(record);
        slot.written = segment;
    }

    /// Writes where a meter stands, unless that follows from what was written.
    pub(super) fn put_standing(&mut self, now: &Standing, segment: u64, before: &mut Before, into: &mut Vec<u8>) {
        let known = self.places.get(&key(&now.meter)).map(|place| &self.slots[*place]);
        if known.is_some_and(|slot| slot.stood && slot.standing == *now) {
            return;
        }
        let place = self.place(&now.meter, |_| STAND, before, into);
        let slot = &mut self.slots[place];
        let (last, was) = (&now.last, &slot.standing.last);
        let levels = (last.resident_bytes, last.granted_bytes) != (was.resident_bytes, was.granted_bytes);
        let flags = flag(now.meter.epoch != slot.standing.meter.epoch, EPOCH)
            | flag(now.sequence != slot.standing.sequence, SEQUENCE)
            | flag(last.at != was.at, FROM)
            | flag(last.sources != was.sources, SOURCES)
            | flag(levels, LEVELS)
            | flag(now.residue != slot.standing.residue, RESIDUE)
            | flag(last.counters != was.counters, COUNTERS);
        into.push(flags);
        if flags & EPOCH != 0 {
            put(now.meter.epoch.into(), into);
        }
        if flags & SEQUENCE != 0 {
            put_more(now.sequence, slot.standing.sequence, into);
        }
        if flags & FROM != 0 {
            put_stamp(last.at, self.clock, into);
            self.clock = (last.at.monotonic_nanos, offset(last.at));
        }
        if flags & SOURCES != 0 {
            put_sources(&last.sources, into);
        }
        if flags & LEVELS != 0 {
            put_more(last.resident_bytes, was.resident_bytes, into);
            put_more(last.granted_bytes, was.granted_bytes, into);
        }
        if flags & RESIDUE != 0 {
            now.residue.into_iter().for_each(|residue| put(residue, into));
        }
        if flags & COUNTERS != 0 {
            put_amounts(&last.counters, &was.counters, into);
        }
        (slot.standing, slot.stood, slot.ended, slot.written) = (*now, true, slot.ended, segment);
    }

    /// Reads items of a segment; hands on the records among them.
    pub(super) fn get(&mut self, bytes: &[u8], segment: u64, mut found: impl FnMut(Record)) -> Result<(), Garbled> {
        let mut bytes = Bytes(bytes);
        while !bytes.is_empty() {
            if let Some(record) = self.get_item(&mut bytes, segment).ok_or(Garbled)? {
                found(record);
            }
        }
        Ok(())
    }

    /// The next item; the inner nothing where it is no record.
    fn get_item(&mut self, bytes: &mut Bytes<'_>, segment: u64) -> Option<Option<Record>> {
        let word = bytes.get()?;
        if word & 3 == MEET {
            let key = (InstanceId::from_bytes(bytes.take()?), IncarnationId::from_bytes(bytes.take()?));
            self.at = self.slots.len();
            self.places.insert(key, self.at);
            self.slots.push(nowhere(key));
            return Some(None);
        }
        let folded = word >> 2;
        let more = (folded >> 1) ^ (folded & 1).wrapping_neg();
        // Differences of places are far from the two bits that were cut off.
        let place = usize::try_from((self.at as u64).wrapping_add(more)).ok()?;
        let slot = self.slots.get_mut(place)?;
        self.at = place + 1;
        slot.written = segment;
        if word & 3 == STAND {
            get_standing(slot, bytes, &mut self.clock)?;
            return Some(None);
        }
        let flags = if word & 3 == RECORD { bytes.byte()? } else { 0 };
        get_record(slot, flags, bytes, &mut self.clock).map(Some)
    }
}

fn get_record(slot: &mut Slot, flags: u8, bytes: &mut Bytes<'_>, clock: &mut (u64, u64)) -> Option<Record> {
    let standing = &slot.standing;
    let kind = if flags & KIND != 0 { get_kind(bytes)? } else { Kind::Window(Edge::Tick) };
    let mut meter = standing.meter;
    if flags & EPOCH != 0 {
        meter.epoch = u32::try_from(bytes.get()?).ok()?;
    }
    let sequence = if flags & SEQUENCE != 0 { bytes.get_more(standing.sequence)? } else { standing.sequence };
    *clock = get_stamp(bytes, *clock)?;
    let to = stamp(*clock);
    let from = if flags & FROM != 0 { stamp(get_stamp(bytes, *clock)?) } else { standing.last.at };
    let sources = if flags & SOURCES != 0 { get_sources(bytes)? } else { standing.last.sources };
    let amounts = get_amounts(bytes, &slot.expected(from, to))?;
    let record = Record { meter, sequence, kind, from, to, amounts, sources };
    slot.follow(&record);
    Some(record)
}

fn get_standing(slot: &mut Slot, bytes: &mut Bytes<'_>, clock: &mut (u64, u64)) -> Option<()> {
    let (flags, now) = (bytes.byte()?, &mut slot.standing);
    if flags & EPOCH != 0 {
        now.meter.epoch = u32::try_from(bytes.get()?).ok()?;
    }
    if flags & SEQUENCE != 0 {
        now.sequence = bytes.get_more(now.sequence)?;
    }
    if flags & FROM != 0 {
        *clock = get_stamp(bytes, *clock)?;
        now.last.at = stamp(*clock);
    }
    if flags & SOURCES != 0 {
        now.last.sources = get_sources(bytes)?;
    }
    if flags & LEVELS != 0 {
        now.last.resident_bytes = bytes.get_more(now.last.resident_bytes)?;
        now.last.granted_bytes = bytes.get_more(now.last.granted_bytes)?;
    }
    if flags & RESIDUE != 0 {
        now.residue = [bytes.get()?, bytes.get()?];
    }
    if flags & COUNTERS != 0 {
        now.last.counters = get_amounts(bytes, &now.last.counters)?;
    }
    slot.stood = true;
    Some(())
}
