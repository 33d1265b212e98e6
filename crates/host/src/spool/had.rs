//! What each consumer has, in a file of its own with two places that are written in turn.
//!
//! What always holds: one of the two is whole, whenever writing ends; writing takes no room that it has not, so that
//! what was read can go from a full disk.

use super::segment::told;
use super::varint::{Bytes, put};
use crate::Error;
use crate::framing::{self, HEADER, Spoilt};
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use weft_ports::spool::Consumer;

const MAGIC: &[u8; 12] = b"weft.had\0\0\0\n";
const VERSION: u32 = 1;
/// Where its two records are, each well within a block that is written at once, and how long it is.
const PLACES: [usize; 2] = [HEADER, 512];
const LENGTH: usize = 1024;

/// The last batch that a consumer has, and its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Last {
    pub(super) sequence: u64,
    pub(super) hash: [u8; 32],
}

/// What each consumer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Had([Last; Consumer::ALL.len()]);

const fn place(consumer: &Consumer) -> usize {
    match consumer {
        Consumer::Ledger => 0,
        Consumer::Sink => 1,
    }
}

impl Had {
    /// What this one has.
    pub(super) const fn of(&self, consumer: &Consumer) -> Last {
        self.0[place(consumer)]
    }

    /// The furthest of all.
    pub(super) fn furthest(&self) -> Last {
        self.0.into_iter().max_by_key(|last| last.sequence).unwrap_or_default()
    }

    /// With this for one of them.
    pub(super) const fn with(mut self, consumer: &Consumer, last: Last) -> Self {
        self.0[place(consumer)] = last;
        self
    }

    fn get(payload: &[u8]) -> Option<Self> {
        let (mut bytes, mut had) = (Bytes(payload), Self::default());
        for last in &mut had.0 {
            *last = Last { sequence: bytes.get()?, hash: bytes.take()? };
        }
        Some(had)
    }

    fn put(&self) -> Vec<u8> {
        let mut payload = Vec::new();
        for last in self.0 {
            put(last.sequence, &mut payload);
            payload.extend_from_slice(&last.hash);
        }
        payload
    }
}

/// The file of a folder.
#[derive(Debug)]
pub(super) struct Book {
    file: File,
    /// How often it was written.
    times: u64,
}

impl Book {
    /// Opens it, or makes it where there is none; answers what it says.
    pub(super) fn open(dir: &Path) -> Result<(Self, Had), Error> {
        let path = dir.join("had");
        let failed = |error: io::Error| Error::host(format!("read {}", path.display()), error);
        let mut options = OpenOptions::new();
        let mut file =
            options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(failed)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() < LENGTH {
            // It was never whole, so nothing was ever said with it.
            return Self::begin(file, dir).map_err(|error| Error::host(format!("make {}", path.display()), error));
        }
        framing::read_header(&bytes, MAGIC, VERSION).map_err(|spoilt| told(&path, spoilt))?;
        let frames = PLACES.iter().filter_map(|place| framing::frame(&bytes, *place));
        let newest = frames.max_by_key(|frame| frame.number);
        let found = newest.and_then(|frame| Some((Self { file, times: frame.number }, Had::get(frame.payload)?)));
        found.ok_or_else(|| told(&path, Spoilt::Damaged(HEADER, "neither of its records is whole".to_owned())))
    }

    fn begin(file: File, dir: &Path) -> io::Result<(Self, Had)> {
        let mut bytes = framing::header(MAGIC, VERSION).to_vec();
        framing::write(1, 0, &Had::default().put(), &mut bytes);
        bytes.resize(LENGTH, 0);
        file.write_all_at(&bytes, 0)?;
        file.sync_all()?;
        File::open(dir)?.sync_all()?;
        Ok((Self { file, times: 0 }, Had::default()))
    }

    /// Writes it down; it is on the disk when this answers.
    pub(super) fn write(&mut self, had: &Had) -> Result<(), Error> {
        let mut bytes = Vec::new();
        self.times += 1;
        framing::write(1, self.times, &had.put(), &mut bytes);
        let place = if self.times.is_multiple_of(2) { PLACES[0] } else { PLACES[1] };
        let written = self.file.write_all_at(&bytes, place as u64).and_then(|()| self.file.sync_data());
        written.map_err(|error| Error::host("write down what was handed on", error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_written_is_read_whatever_becomes_of_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let (mut book, had) = Book::open(dir.path()).unwrap();
        assert_eq!(had, Had::default());
        let of = |sequence| Had::default().with(&Consumer::Sink, Last { sequence, hash: [7; 32] });
        let path = dir.path().join("had");
        for sequence in 1..300 {
            book.write(&of(sequence)).unwrap();
            let (again, had) = Book::open(dir.path()).unwrap();
            assert_eq!((had, had.furthest().sequence, had.of(&Consumer::Ledger).sequence), (of(sequence), sequence, 0));
            assert_eq!(again.times, sequence);
        }
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len(), LENGTH);
        for at in 0..LENGTH {
            let mut spoilt = bytes.clone();
            spoilt[at] ^= 1;
            fs::write(&path, &spoilt).unwrap();
            match Book::open(dir.path()) {
                Ok((_, had)) => assert!(had == of(299) || had == of(298), "{at}"),
                Err(error) => assert!(at < HEADER && matches!(error, Error::SpoolDamaged { .. }), "{at}"),
            }
        }
    }
}
