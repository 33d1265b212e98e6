//! Segments: files that are only appended to, each readable without the others.
//!
//! ```text
//!  segment  header │ opening │ records │ records │ seal │ records │ …
//!  opening  start of the machine, node, next batch with the hash before it, where every meter stands
//!  records  of a tick: how many, when the first and last of them end, items
//!           with them, segments up to this one are gone, where they say so
//!  seal     a batch: its number, where it lies, the hash before it, its own
//! ```
//!
//! A seal is written when the batch is on the disk. So what is spoilt before a seal was damaged; and so is what is
//! spoilt before anything whole, unless the machine was started since: it may have lost what was not on the disk.

use super::varint::{Bytes, put};
use crate::Error;
use crate::framing::{self, HEADER, Spoilt};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use weft_domain::NodeId;

const MAGIC: &[u8; 12] = b"weft.usage\0\n";
/// The format that is written.
pub(super) const VERSION: u32 = 1;
/// Kinds of frames.
pub(super) const RECORDS: u8 = 1;
pub(super) const SEAL: u8 = 2;
pub(super) const OPENING: u8 = 3;

/// A segment.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) number: u64,
    pub(super) path: PathBuf,
    pub(super) file: Arc<File>,
    pub(super) length: u64,
    /// The number of its next frame.
    pub(super) next: u64,
    /// Up to here it is on the disk.
    pub(super) synced: u64,
    /// When its records end, the first of them and the last.
    pub(super) span: Option<(i64, i64)>,
}

impl Segment {
    /// Takes a frame's span up.
    pub(super) fn reach(&mut self, span: Option<(i64, i64)>) {
        self.span = joined(self.span, span);
    }
}

fn joined(one: Option<(i64, i64)>, other: Option<(i64, i64)>) -> Option<(i64, i64)> {
    match (one, other) {
        (Some(one), Some(other)) => Some((one.0.min(other.0), one.1.max(other.1))),
        (one, other) => one.or(other),
    }
}

/// The path of a segment.
pub(super) fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("usage-{number:016x}.log"))
}

/// The number of the segment of this name.
pub(super) fn number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("usage-")?.strip_suffix(".log")?;
    (digits.len() == 16).then(|| u64::from_str_radix(digits, 16).ok())?
}

/// The first bytes of a segment.
pub(super) fn header() -> [u8; HEADER] {
    framing::header(MAGIC, VERSION)
}

/// What opens a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opening<'a> {
    pub(super) boot_id: &'a str,
    pub(super) node: NodeId,
    pub(super) next: u64,
    pub(super) last: [u8; 32],
    pub(super) items: &'a [u8],
}

impl<'a> Opening<'a> {
    /// Writes all but the items.
    pub(super) fn put_head(&self, into: &mut Vec<u8>) {
        put(self.boot_id.len() as u64, into);
        into.extend_from_slice(self.boot_id.as_bytes());
        into.extend_from_slice(self.node.as_bytes());
        put(self.next, into);
        into.extend_from_slice(&self.last);
    }

    fn get(payload: &'a [u8]) -> Option<Self> {
        let mut bytes = Bytes(payload);
        let length = usize::try_from(bytes.get()?).ok()?;
        let (boot_id, rest) = bytes.0.split_at_checked(length)?;
        bytes = Bytes(rest);
        let node = NodeId::from_bytes(bytes.take()?);
        let (next, last) = (bytes.get()?, bytes.take()?);
        Some(Self { boot_id: std::str::from_utf8(boot_id).ok()?, node, next, last, items: bytes.0 })
    }
}

/// What stands before the items of a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tick {
    pub(super) count: u64,
    /// Segments up to this one are gone.
    pub(super) dropped: u64,
    pub(super) span: Option<(i64, i64)>,
}

impl Tick {
    /// Writes it.
    pub(super) fn put(&self, into: &mut Vec<u8>) {
        put(self.count, into);
        put(self.dropped, into);
        if let Some((first, last)) = self.span {
            into.extend_from_slice(&first.to_le_bytes());
            into.extend_from_slice(&last.to_le_bytes());
        }
    }

    /// Reads it, with the items after it.
    pub(super) fn get(payload: &[u8]) -> Option<(Self, &[u8])> {
        let mut bytes = Bytes(payload);
        let (count, dropped) = (bytes.get()?, bytes.get()?);
        let span = match count {
            0 => None,
            _ => Some((i64::from_le_bytes(bytes.take()?), i64::from_le_bytes(bytes.take()?))),
        };
        Some((Self { count, dropped, span }, bytes.0))
    }
}

/// A batch, as it is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sealed {
    pub(super) sequence: u64,
    /// Where it lies: never in more than one segment.
    pub(super) segment: u64,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) previous: [u8; 32],
    pub(super) hash: [u8; 32],
}

impl Sealed {
    /// Writes it.
    pub(super) fn put(&self, into: &mut Vec<u8>) {
        [self.sequence, self.segment, self.start, self.end].into_iter().for_each(|number| put(number, into));
        into.extend_from_slice(&self.previous);
        into.extend_from_slice(&self.hash);
    }

    fn get(payload: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(payload);
        let [sequence, segment, start, end] = [bytes.get()?, bytes.get()?, bytes.get()?, bytes.get()?];
        Some(Self { sequence, segment, start, end, previous: bytes.take()?, hash: bytes.take()? })
    }
}

/// A frame of records in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) segment: u64,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) count: u64,
}

/// A frame as it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Records(Place, Tick),
    Seal(Sealed),
}

/// What a segment's file holds.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    /// Nothing where not even that is whole.
    pub(super) opening: Option<Opening<'a>>,
    pub(super) found: Vec<Found>,
    /// Where the whole part ends.
    pub(super) whole: u64,
    pub(super) next: u64,
    /// Whether a whole frame, or a seal, stands somewhere after that.
    pub(super) follows: bool,
    pub(super) seal_follows: bool,
}

impl Scan<'_> {
    /// Whether there is a seal anywhere in it.
    pub(super) fn has_seal(&self) -> bool {
        self.seal_follows || self.found.iter().any(|found| matches!(found, Found::Seal(_)))
    }
}

/// Reads a file's frames up to the first that is not whole.
pub(super) fn scan(file: &[u8], segment: u64) -> Result<Scan<'_>, Spoilt> {
    let mut scan = Scan { opening: None, found: Vec::new(), whole: 0, next: 0, follows: false, seal_follows: false };
    let mut at = 0;
    match framing::read_header(file, MAGIC, VERSION) {
        Ok(()) => {
            at = HEADER;
            while let Some(frame) = framing::frame(file, at).filter(|frame| frame.number == scan.next) {
                let end = at + frame.length();
                let place = |count| Place { segment, start: at as u64, end: end as u64, count };
                let taken = match (frame.kind, scan.opening.is_some()) {
                    (OPENING, false) => Opening::get(frame.payload).map(|opening| scan.opening = Some(opening)),
                    (RECORDS, true) => Tick::get(frame.payload)
                        .map(|(tick, _)| scan.found.push(Found::Records(place(tick.count), tick))),
                    (SEAL, true) => Sealed::get(frame.payload).map(|sealed| scan.found.push(Found::Seal(sealed))),
                    _ => None,
                };
                if taken.is_none() {
                    return Err(Spoilt::Damaged(at, "a whole record of it makes no sense".to_owned()));
                }
                (at, scan.next) = (end, scan.next + 1);
            }
        }
        Err(Spoilt::Newer(version)) => return Err(Spoilt::Newer(version)),
        Err(Spoilt::Damaged(..)) => {}
    }
    scan.whole = at as u64;
    for frame in framing::frames_from(file, at) {
        scan.follows = true;
        scan.seal_follows |= frame.kind == SEAL;
    }
    Ok(scan)
}

/// What is spoilt, in our words.
pub(super) fn told(path: &Path, spoilt: Spoilt) -> Error {
    let path = path.to_owned();
    match spoilt {
        Spoilt::Newer(version) => Error::SpoolNewer { path, version },
        Spoilt::Damaged(at, why) => Error::SpoolDamaged { path, offset: at as u64, why },
    }
}

/// The items of an opening.
pub(super) fn items(payload: &[u8]) -> Option<&[u8]> {
    Opening::get(payload).map(|opening| opening.items)
}
