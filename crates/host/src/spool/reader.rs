//! Reads records back: batches, from where the last was read, and whole segments.

use super::coder::Coder;
use super::segment::{OPENING, RECORDS, Segment, Tick, told};
use crate::Error;
use crate::framing::{self, HEADER, Spoilt};
use std::os::unix::fs::FileExt;
use weft_domain::usage::Record;

/// So many places are remembered, for as many consumers and one who looks back.
const CURSORS: usize = 3;

/// Where reading goes on without beginning a segment anew.
#[derive(Debug)]
struct Cursor {
    segment: u64,
    at: u64,
    coder: Coder,
}

/// What has been read, to go on from there.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// The one that was used last is the last.
    cursors: Vec<Cursor>,
}

impl Reader {
    /// The records of the frames in this part of a segment, which begins and ends with one.
    pub(super) fn read(&mut self, segment: &Segment, start: u64, end: u64) -> Result<Vec<Record>, Error> {
        let near = self.cursors.iter().enumerate().filter(|(_, it)| it.segment == segment.number && it.at <= start);
        let near = near.max_by_key(|(_, it)| it.at).map(|(place, _)| place);
        let mut cursor = match near {
            Some(place) => self.cursors.remove(place),
            None => Cursor { segment: segment.number, at: HEADER as u64, coder: Coder::default() },
        };
        let mut records = Vec::new();
        cursor.go_to(segment, end, |at, record| {
            if at >= start {
                records.push(record);
            }
        })?;
        if self.cursors.len() >= CURSORS {
            self.cursors.remove(0);
        }
        self.cursors.push(cursor);
        Ok(records)
    }
}

impl Cursor {
    /// Reads on up to here; hands on each record with the place of its frame.
    fn go_to(&mut self, segment: &Segment, end: u64, mut found: impl FnMut(u64, Record)) -> Result<(), Error> {
        let spoilt = |at: u64, why: &str| {
            let at = usize::try_from(at).unwrap_or(usize::MAX);
            told(&segment.path, Spoilt::Damaged(at, why.to_owned()))
        };
        let length = usize::try_from(end.saturating_sub(self.at)).unwrap_or(0);
        let mut bytes = vec![0; length];
        segment.file.read_exact_at(&mut bytes, self.at).map_err(|error| Error::host("read what was used", error))?;
        let mut read = 0;
        while read < length {
            let at = self.at + read as u64;
            let frame = framing::frame(&bytes, read).ok_or_else(|| spoilt(at, "a record of it is spoilt"))?;
            let items = match frame.kind {
                RECORDS => Tick::get(frame.payload).map(|(_, items)| items),
                OPENING => super::segment::items(frame.payload),
                _ => Some(&[][..]),
            };
            let read_items = items.map(|items| self.coder.get(items, segment.number, |record| found(at, record)));
            if read_items != Some(Ok(())) {
                return Err(spoilt(at, "a whole record of it makes no sense"));
            }
            read += frame.length();
        }
        self.at = end;
        Ok(())
    }
}

/// All records of a segment from this place on, in their order; answers what the next would be written with.
pub(super) fn read_all(segment: &Segment, from: u64, mut found: impl FnMut(Record)) -> Result<Coder, Error> {
    let mut cursor = Cursor { segment: segment.number, at: HEADER as u64, coder: Coder::default() };
    cursor.go_to(segment, segment.length, |at, record| {
        if at >= from {
            found(record);
        }
    })?;
    Ok(cursor.coder)
}
