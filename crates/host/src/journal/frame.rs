//! How commits lie in the file, and how damage is told from a write that was cut short.
//!
//! ```text
//!  file    "weft.claims\n" │ frame │ frame │ …
//!  kinds   commit: the records of one group commit
//!          seal:   empty; written once the commit before it is on the disk
//! ```
//!
//! A loss of power can spoil only what was written after the last commit that was on the disk: a seal and
//! the commit after it. A commit that is spoilt while nothing whole follows was never acknowledged and is
//! dropped; one that is spoilt while a whole frame follows was: that is damage, and an error. A spoilt seal
//! carried nothing and is passed over.

pub(super) use crate::framing::{HEAD, HEADER, LONGEST, Spoilt};

use crate::framing;

/// The first bytes of a journal.
const MAGIC: &[u8; 12] = b"weft.claims\n";
/// The format that is written.
pub(super) const VERSION: u32 = 1;

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// The records of one group commit.
    Commit(&'a [u8]),
    /// The commit before is on the disk.
    Seal,
}

/// What was read.
#[derive(Debug)]
pub(super) struct Read<'a> {
    /// The payloads of all commits, oldest first.
    pub(super) commits: Vec<&'a [u8]>,
    /// Where the whole part ends; what follows was cut short.
    pub(super) whole: usize,
    /// The number of the next frame.
    pub(super) next: u64,
    /// Whether the last frame is a commit without its seal.
    pub(super) unsealed: bool,
}

/// The header of a new file.
pub(super) fn header() -> [u8; HEADER] {
    framing::header(MAGIC, VERSION)
}

/// A frame of this number. The payload is within [`LONGEST`].
pub(super) fn write(frame: Frame<'_>, number: u64, into: &mut Vec<u8>) {
    match frame {
        Frame::Commit(payload) => framing::write(1, number, payload, into),
        Frame::Seal => framing::write(2, number, &[], into),
    }
}

/// Reads a whole file.
pub(super) fn read(file: &[u8]) -> Result<Read<'_>, Spoilt> {
    framing::read_header(file, MAGIC, VERSION)?;
    let mut read = Read { commits: Vec::new(), whole: HEADER, next: 0, unsealed: false };
    while read.whole < file.len() {
        match frame_at(file, read.whole) {
            Some((frame, number, length)) if number == read.next => {
                read.unsealed = matches!(frame, Frame::Commit(_));
                if let Frame::Commit(payload) = frame {
                    read.commits.push(payload);
                }
                read.whole += length;
                read.next += 1;
            }
            Some((_, number, _)) => {
                let why = format!("record {number} stands where {} should", read.next);
                return Err(Spoilt::Damaged(read.whole, why));
            }
            None if read.unsealed && commit_follows(file, &read) => {
                read.whole += HEAD;
                read.next += 1;
                read.unsealed = false;
            }
            None => {
                refuse_if_a_whole_one_follows(file, &read)?;
                break;
            }
        }
    }
    Ok(read)
}

/// The whole frame at this place, with its number and length.
fn frame_at(file: &[u8], at: usize) -> Option<(Frame<'_>, u64, usize)> {
    let frame = framing::frame(file, at)?;
    let what = match frame.kind {
        1 => Frame::Commit(frame.payload),
        2 => Frame::Seal,
        _ => return None,
    };
    Some((what, frame.number, frame.length()))
}

/// Whether what is spoilt is a seal with the next commit right after it.
fn commit_follows(file: &[u8], read: &Read<'_>) -> bool {
    let next = frame_at(file, read.whole + HEAD);
    next.is_some_and(|(frame, number, _)| matches!(frame, Frame::Commit(_)) && number == read.next + 1)
}

fn refuse_if_a_whole_one_follows(file: &[u8], read: &Read<'_>) -> Result<(), Spoilt> {
    let mut after = framing::frames_from(file, read.whole + 1);
    let follows = after.any(|frame| matches!(frame.kind, 1 | 2) && frame.number > read.next);
    if follows {
        return Err(Spoilt::Damaged(read.whole, format!("record {} is spoilt, and others follow it", read.next)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(commits: &[&[u8]]) -> Vec<u8> {
        let mut file = header().to_vec();
        for (number, payload) in (0..).step_by(2).zip(commits) {
            write(Frame::Commit(payload), number, &mut file);
            write(Frame::Seal, number + 1, &mut file);
        }
        file
    }

    #[test]
    fn what_was_written_is_read() {
        let file = sample(&[b"one", b"", b"three"]);
        let read = read(&file).unwrap();
        assert_eq!(read.commits, [&b"one"[..], b"", b"three"]);
        assert_eq!((read.whole, read.next, read.unsealed), (file.len(), 6, false));
    }

    #[test]
    fn a_cut_at_any_byte_keeps_what_was_whole() {
        let file = sample(&[b"one", b"two", b"three"]);
        for end in HEADER..file.len() {
            let read = read(&file[..end]).unwrap();
            let whole = [b"one".len(), b"two".len(), b"three".len()]
                .iter()
                .scan(HEADER, |at, length| {
                    let commit = *at + HEAD + length;
                    *at = commit + HEAD;
                    Some(commit)
                })
                .filter(|commit| *commit <= end)
                .count();
            assert_eq!(read.commits.len(), whole, "{end}");
            assert!(read.whole <= end);
        }
        for end in 0..HEADER {
            assert!(matches!(read(&file[..end]), Err(Spoilt::Damaged(0, _))), "{end}");
        }
    }

    #[test]
    fn a_tail_of_zeros_was_cut_short() {
        let mut file = sample(&[b"one"]);
        let whole = file.len();
        file.resize(whole + 4096, 0);
        assert_eq!(read(&file).unwrap().whole, whole);
    }

    #[test]
    fn any_flipped_bit_is_damage_or_changes_nothing() {
        let commits: [&[u8]; 3] = [b"one", b"two", b"three"];
        let file = sample(&commits);
        for at in 0..file.len() {
            for bit in 0..8 {
                let mut spoilt = file.clone();
                spoilt[at] ^= 1 << bit;
                match read(&spoilt) {
                    // Only seals may go unseen, and they carry nothing.
                    Ok(read) => assert_eq!(read.commits, commits, "{at}.{bit}"),
                    Err(Spoilt::Damaged(..)) => {}
                    Err(Spoilt::Newer(_)) => panic!("a flipped bit is no newer format: {at}.{bit}"),
                }
            }
        }
    }

    #[test]
    fn a_newer_format_is_told() {
        let mut file = sample(&[]);
        file[12..16].copy_from_slice(&9_u32.to_le_bytes());
        let crc = crc32fast::hash(&file[..16]);
        file[16..20].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(read(&file).unwrap_err(), Spoilt::Newer(9));
    }

    #[test]
    fn a_missing_or_repeated_frame_is_damage() {
        let file = sample(&[b"one", b"two"]);
        let pair = HEAD + 3 + HEAD;
        let mut without = file.clone();
        without.drain(HEADER..HEADER + pair);
        assert!(matches!(read(&without), Err(Spoilt::Damaged(..))));
        let mut twice = file.clone();
        twice.extend_from_slice(&file[HEADER..HEADER + pair]);
        assert!(matches!(read(&twice), Err(Spoilt::Damaged(..))));
    }
}
