//! What is written down: segments, what is in them, and how room is made.
//!
//! What always holds: what is remembered here is what the files say; a write that failed has changed neither.

use super::Config;
use super::coder::{Before, Coder};
use super::had::{Had, Last};
use super::reader;
use super::segment::{self, Opening, Place, RECORDS, SEAL, Sealed, Segment, Tick};
use crate::Error;
use crate::framing;
use std::collections::VecDeque;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::Arc;
use weft_domain::usage::{Dropped, Record, Standing};
use weft_ports::spool::{Batch, Consumer};

/// A batch of so many records is full, and no frame of a tick holds more.
pub(super) const FULL: usize = 4096;
/// What was handed on and is not acknowledged may take this part of the room besides.
const GRACE: u64 = 4;
/// So many batches are sealed at once.
const AT_ONCE: usize = 16;
/// What is written down.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) config: Config,
    pub(super) boot_id: String,
    pub(super) segments: VecDeque<Segment>,
    pub(super) coder: Coder,
    /// Frames of records that are in no batch yet.
    pub(super) pending: VecDeque<Place>,
    pub(super) batches: VecDeque<Sealed>,
    /// The number of the next batch, and the hash of the last.
    pub(super) next: u64,
    pub(super) last: [u8; 32],
    pub(super) had: Had,
    /// Batches up to this one are sealed on the disk.
    pub(super) durable: u64,
    /// Batches up to this one were handed on, since this was opened.
    pub(super) handed: u64,
    /// A segment was made or removed, which is not on the disk yet.
    pub(super) unlisted: bool,
    /// What is on the disk is not known any more.
    pub(super) closed: bool,
    pub(super) scratch: Scratch,
}

/// Room to write in that is used again.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    before: Before,
    items: Vec<u8>,
    payload: Vec<u8>,
    bytes: Vec<u8>,
}

impl Core {
    /// The first batch that is there, or the next.
    pub(super) fn first(&self) -> u64 {
        self.batches.front().map_or(self.next, |sealed| sealed.sequence)
    }

    /// The batch of this number.
    pub(super) fn sealed(&self, sequence: u64) -> Option<&Sealed> {
        let place = sequence.checked_sub(self.batches.front()?.sequence)?;
        self.batches.get(usize::try_from(place).ok()?)
    }

    /// The segment of this number.
    pub(super) fn segment(&self, number: u64) -> Option<&Segment> {
        self.segments.iter().find(|segment| segment.number == number)
    }

    /// How many records are in no batch yet, as far as that matters.
    pub(super) fn is_full(&self) -> bool {
        let mut count = 0;
        self.pending.iter().any(|place| {
            count += place.count;
            count >= FULL as u64
        })
    }

    fn newest(&mut self) -> &mut Segment {
        self.segments.back_mut().expect("there is always one")
    }

    /// Writes down a tick.
    pub(super) fn append(&mut self, records: &[Record], standings: &[Standing]) -> Result<(), Error> {
        if self.closed {
            return Err(Error::SpoolClosed);
        }
        if records.is_empty() && standings.is_empty() {
            return Ok(());
        }
        let mut written = self.try_append(records, standings, 0);
        // What everybody has is of less worth than what nobody has.
        while matches!(written, Err(Error::DiskFull { .. })) && self.drop_read() {
            written = self.try_append(records, standings, 0);
        }
        written?;
        self.make_room();
        Ok(())
    }

    /// Writes down a tick, with which segments up to one are gone; it is one frame then.
    fn try_append(&mut self, records: &[Record], standings: &[Standing], dropped: u64) -> Result<(), Error> {
        if self.segments.back().is_none_or(|segment| segment.length >= self.config.segment_bytes) {
            self.rotate()?;
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        self.coder.begin(&mut scratch.before);
        let written = self.put_tick(records, standings, dropped, &mut scratch);
        if written.is_err() {
            self.coder.undo(&mut scratch.before);
        }
        self.scratch = scratch;
        written
    }

    fn put_tick(
        &mut self,
        records: &[Record],
        standings: &[Standing],
        dropped: u64,
        scratch: &mut Scratch,
    ) -> Result<(), Error> {
        let Scratch { before, items, payload, bytes } = scratch;
        let segment = self.newest();
        let (number, mut frame, length) = (segment.number, segment.next, segment.length);
        bytes.clear();
        let size = if dropped == 0 { FULL } else { records.len().max(1) };
        let mut parts = records.chunks(size).peekable();
        let mut places = Vec::new();
        loop {
            let part = parts.next().unwrap_or(&[]);
            items.clear();
            part.iter().for_each(|record| self.coder.put_record(record, number, before, items));
            if parts.peek().is_none() {
                standings.iter().for_each(|standing| self.coder.put_standing(standing, number, before, items));
            }
            let tick = Tick { count: part.len() as u64, dropped, span: span(part) };
            payload.clear();
            tick.put(payload);
            payload.extend_from_slice(items);
            if payload.len() > framing::LONGEST {
                return Err(Error::TooMuch { limit: framing::LONGEST, what: "bytes in one tick" });
            }
            let start = length + bytes.len() as u64;
            framing::write(RECORDS, frame, payload, bytes);
            frame += 1;
            places.push(Place { segment: number, start, end: length + bytes.len() as u64, count: tick.count });
            if parts.peek().is_none() {
                break;
            }
        }
        self.write(bytes, frame)?;
        self.newest().reach(span(records));
        self.pending.extend(places.into_iter().filter(|place| place.count > 0));
        Ok(())
    }

    /// Appends these frames, of which the next would have this number.
    fn write(&mut self, bytes: &[u8], next: u64) -> Result<(), Error> {
        let segment = self.newest();
        if let Err(error) = segment.file.write_all_at(bytes, segment.length) {
            // A part may have been written: it must not stand before the next frame.
            let cut = segment.file.set_len(segment.length).is_ok();
            self.closed |= !cut;
            return Err(Error::host("write down what was used", error));
        }
        segment.length += bytes.len() as u64;
        segment.next = next;
        Ok(())
    }

    /// Begins a segment that knows all that is still kept.
    pub(super) fn rotate(&mut self) -> Result<(), Error> {
        let number = self.segments.back().map_or(0, |segment| segment.number) + 1;
        let mut coder = self.coder.anew(self.segments.front().map_or(0, |segment| segment.number));
        let mut payload = Vec::new();
        let opening =
            Opening { boot_id: &self.boot_id, node: self.config.node, next: self.next, last: self.last, items: &[] };
        opening.put_head(&mut payload);
        coder.put_all(&mut payload);
        if payload.len() > framing::LONGEST {
            return Err(Error::TooMuch { limit: framing::LONGEST, what: "bytes of standings" });
        }
        let mut bytes = segment::header().to_vec();
        framing::write(segment::OPENING, 0, &payload, &mut bytes);
        let path = segment::path(&self.config.dir, number);
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(true).mode(0o600).open(&path);
        let written = file.and_then(|file| file.write_all_at(&bytes, 0).map(|()| file));
        let file = written.map_err(|error| {
            // One without a whole opening is no segment.
            let _ = fs::remove_file(&path);
            Error::host("write down what was used", error)
        })?;
        self.unlisted = true;
        self.coder = coder;
        let length = bytes.len() as u64;
        let segment = Segment { number, path, file: Arc::new(file), length, next: 1, synced: 0, span: None };
        self.segments.push_back(segment);
        Ok(())
    }

    /// Parts of the oldest segment with records that are in no batch yet, each enough for one; a lesser part only
    /// where there is no other. All lie in the segment that is answered with them.
    pub(super) fn parts(&self) -> Option<(Segment, Vec<Place>)> {
        let first = self.pending.front()?;
        let (mut parts, mut part) = (Vec::new(), Place { end: first.start, count: 0, ..*first });
        for place in self.pending.iter().take_while(|place| place.segment == first.segment) {
            part = Place { end: place.end, count: part.count + place.count, ..part };
            if part.count >= FULL as u64 {
                parts.push(part);
                part = Place { start: part.end, count: 0, ..part };
                if parts.len() == AT_ONCE {
                    break;
                }
            }
        }
        if parts.is_empty() {
            parts.push(part);
        }
        self.segment(first.segment).cloned().zip(Some(parts))
    }

    /// Makes a batch of this part of a segment, which begins where the last one ended; false where that is not so any
    /// more.
    pub(super) fn seal(&mut self, batch: &Batch, part: &Place) -> Result<bool, Error> {
        let stands = self
            .pending
            .front()
            .is_some_and(|place| place.segment == part.segment && place.start >= part.start && place.start < part.end);
        if self.closed {
            return Err(Error::SpoolClosed);
        }
        if !stands || batch.sequence != self.next {
            return Ok(false);
        }
        let &Place { segment, start, end, .. } = part;
        let sealed =
            Sealed { sequence: batch.sequence, segment, start, end, previous: batch.previous, hash: batch.hash };
        let (mut payload, mut bytes) = (Vec::new(), Vec::new());
        sealed.put(&mut payload);
        let number = self.newest().next;
        framing::write(SEAL, number, &payload, &mut bytes);
        let mut written = self.write(&bytes, number + 1);
        while matches!(written, Err(Error::DiskFull { .. })) && self.drop_read() {
            written = self.write(&bytes, number + 1);
        }
        written?;
        self.take_sealed(sealed);
        Ok(true)
    }

    /// A batch is sealed.
    pub(super) fn take_sealed(&mut self, sealed: Sealed) {
        let is_in = |place: &Place| place.segment == sealed.segment && place.end <= sealed.end;
        while self.pending.front().is_some_and(is_in) {
            self.pending.pop_front();
        }
        (self.next, self.last) = (sealed.sequence + 1, sealed.hash);
        if self.segments.front().is_some_and(|first| sealed.segment >= first.number) {
            self.batches.push_back(sealed);
        }
    }

    /// Where the first record stands in the oldest segment that these have not all read.
    fn unread(&self, consumers: &[Consumer]) -> Option<u64> {
        let oldest = self.segments.front()?.number;
        let read = consumers.iter().map(|consumer| self.had.of(consumer).sequence).min().unwrap_or(u64::MAX);
        let batch = self.batches.iter().take_while(|sealed| sealed.segment == oldest).find(|it| it.sequence > read);
        let pending = || self.pending.front().filter(|place| place.segment == oldest).map(|place| place.start);
        batch.map(|sealed| sealed.start).or_else(pending)
    }

    /// Drops the oldest segment where every consumer has all of it; false where there is none.
    fn drop_read(&mut self) -> bool {
        let consumers = self.config.consumers.clone();
        if self.segments.len() < 2 || self.unread(&consumers).is_some() {
            return false;
        }
        self.forget_oldest();
        true
    }

    /// Keeps to the room and the time that there are.
    fn make_room(&mut self) {
        let newest = self.segments.back().and_then(|segment| segment.span).map(|(_, last)| last);
        let keep = i64::try_from(self.config.keep.as_nanos()).unwrap_or(i64::MAX);
        while let (Some(now), Some(Some((_, last)))) = (newest, self.segments.front().map(|segment| segment.span)) {
            if now.saturating_sub(last) <= keep || !self.drop_read() {
                break;
            }
        }
        let total = |core: &Self| core.segments.iter().map(|segment| segment.length).sum::<u64>();
        // Gaps need room themselves: as many rounds as there are segments are enough, or nothing is.
        for _ in 0..self.segments.len() {
            let room = self.config.room_bytes + if self.is_awaited() { self.config.room_bytes / GRACE } else { 0 };
            if self.segments.len() < 2 || total(self) <= room {
                break;
            }
            if let Err(error) = self.drop_oldest() {
                tracing::warn!(%error, "no room could be made for what is used");
                break;
            }
        }
    }

    /// Whether a batch of the oldest segment was handed on and is not acknowledged: the ledger may have it.
    fn is_awaited(&self) -> bool {
        let had = self.had.of(&Consumer::Ledger).sequence;
        let oldest = self.segments.front().map(|segment| segment.number);
        self.batches.front().is_some_and(|first| Some(first.segment) == oldest)
            && self
                .batches
                .iter()
                .take_while(|it| Some(it.segment) == oldest)
                .last()
                .is_some_and(|it| it.sequence > had)
            && self.first() <= self.handed
    }

    /// Drops the oldest segment; what the ledger has not read of it becomes gaps.
    fn drop_oldest(&mut self) -> Result<(), Error> {
        if let Some(unread) = self.unread(&[Consumer::Ledger]) {
            let oldest = self.segments.front().expect("something of it is unread").clone();
            let mut dropped = Dropped::default();
            if let Err(error) = reader::read_all(&oldest, unread, |record| dropped.take(&record)) {
                tracing::error!(%error, "what is dropped cannot be read, and its amounts are lost");
            }
            let gaps = dropped.into_gaps();
            tracing::warn!(gaps = gaps.len(), "what was used was dropped for want of room before control had it");
            self.try_append(&gaps, &[], oldest.number)?;
        }
        self.forget_oldest();
        Ok(())
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.segments.pop_front() else { return };
        self.unlisted = true;
        if let Err(error) = fs::remove_file(&oldest.path) {
            tracing::warn!(path = %oldest.path.display(), %error, "what was dropped is still there");
        }
        while self.batches.front().is_some_and(|sealed| sealed.segment <= oldest.number) {
            self.batches.pop_front();
        }
        while self.pending.front().is_some_and(|place| place.segment <= oldest.number) {
            self.pending.pop_front();
        }
    }

    /// A consumer has all up to this one; what is to be written down, where that is a change.
    pub(super) fn has(&self, consumer: &Consumer, sequence: u64) -> Result<Option<Had>, Error> {
        if sequence >= self.next {
            return Err(Error::BatchUnknown(sequence));
        }
        if sequence <= self.had.of(consumer).sequence {
            return Ok(None);
        }
        let hash = if sequence + 1 == self.next { Some(self.last) } else { self.sealed(sequence).map(|it| it.hash) };
        // The hash of one that is gone is not needed: others follow it.
        let last = Last { sequence, hash: hash.unwrap_or_default() };
        Ok(Some(self.had.with(consumer, last)))
    }
}

/// When these end, the first and the last of them.
fn span(records: &[Record]) -> Option<(i64, i64)> {
    let ends = || records.iter().map(|record| record.to.wall.as_nanos());
    ends().min().zip(ends().max())
}
