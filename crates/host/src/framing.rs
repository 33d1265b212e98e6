//! Frames in a file that is only appended to: how one is told from a write that was cut short.
//!
//! ```text
//!  file    magic version crc │ frame │ frame │ …
//!  frame   mark length kind and number crc(payload) crc(head) │ payload
//! ```
//!
//! What always holds: a frame that is read was written whole; a flipped bit anywhere in it is seen. What a spoilt
//! frame means is for those to say who know what must be on the disk.

/// Length of the file's header.
pub(crate) const HEADER: usize = 20;
/// Length of a frame's head.
pub(crate) const HEAD: usize = 28;
/// The longest payload.
pub(crate) const LONGEST: usize = 16 << 20;
/// The first bytes of a frame.
const MARK: [u8; 4] = *b"\nWf\xA5";

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Spoilt {
    /// A newer weft wrote it.
    Newer(u32),
    /// Here and so.
    Damaged(usize, String),
}

/// A whole frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// 0 to 3.
    pub(crate) kind: u8,
    /// Which one of its file it is.
    pub(crate) number: u64,
    /// What it holds.
    pub(crate) payload: &'a [u8],
}

impl Frame<'_> {
    /// How long it is in the file.
    pub(crate) const fn length(&self) -> usize {
        HEAD + self.payload.len()
    }
}

/// What a whole head says, whatever follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    kind: u8,
    number: u64,
    payload: usize,
    crc: u32,
}

/// The header of a new file of this sort.
pub(crate) fn header(magic: &[u8; 12], version: u32) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..12].copy_from_slice(magic);
    bytes[12..16].copy_from_slice(&version.to_le_bytes());
    let crc = crc32fast::hash(&bytes[..16]);
    bytes[16..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// Reads the header of a file of this sort.
pub(crate) fn read_header(file: &[u8], magic: &[u8; 12], version: u32) -> Result<(), Spoilt> {
    let damaged = |why: &str| Err(Spoilt::Damaged(0, why.to_owned()));
    let Some(bytes) = file.get(..HEADER) else { return damaged("it is shorter than its header") };
    if !bytes.starts_with(magic) {
        return damaged("it does not begin as its sort does");
    }
    if crc32fast::hash(&bytes[..16]) != word(bytes, 16) {
        return damaged("its header's checksum is wrong");
    }
    match word(bytes, 12) {
        known if known == version => Ok(()),
        newer if newer > version => Err(Spoilt::Newer(newer)),
        _ => damaged("its format is not known"),
    }
}

/// Appends a frame of this kind and number. The payload is within [`LONGEST`].
pub(crate) fn write(kind: u8, number: u64, payload: &[u8], into: &mut Vec<u8>) {
    let start = into.len();
    into.extend_from_slice(&MARK);
    into.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
    into.extend_from_slice(&(number << 2 | u64::from(kind)).to_le_bytes());
    into.extend_from_slice(&crc32fast::hash(payload).to_le_bytes());
    // Eight bytes in all, so that a spoilt head is as unlikely to pass as a spoilt payload and more.
    into.extend_from_slice(&crc32fast::hash(&into[start..]).to_le_bytes());
    let salted = crc32fast::hash(&into[start..]);
    into.extend_from_slice(&salted.to_le_bytes());
    into.extend_from_slice(payload);
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

/// The whole head at this place.
pub(crate) fn head(file: &[u8], at: usize) -> Option<Head> {
    let head = file.get(at..at + HEAD)?;
    let sound = head.starts_with(&MARK)
        && crc32fast::hash(&head[..20]) == word(head, 20)
        && crc32fast::hash(&head[..24]) == word(head, 24);
    if !sound {
        return None;
    }
    let tagged = u64::from(word(head, 8)) | u64::from(word(head, 12)) << 32;
    let payload = usize::try_from(word(head, 4)).ok()?;
    Some(Head { kind: (tagged & 3) as u8, number: tagged >> 2, payload, crc: word(head, 16) })
}

/// The whole frame at this place.
pub(crate) fn frame(file: &[u8], at: usize) -> Option<Frame<'_>> {
    let Head { kind, number, payload, crc } = head(file, at)?;
    let payload = file.get(at + HEAD..at + HEAD + payload)?;
    (crc32fast::hash(payload) == crc).then_some(Frame { kind, number, payload })
}

/// The whole frames that begin somewhere from here on, whether or not what is between them is whole.
pub(crate) fn frames_from(file: &[u8], at: usize) -> impl Iterator<Item = Frame<'_>> {
    let places = at..file.len().saturating_sub(HEAD - 1);
    places.filter(|at| file[*at..].starts_with(&MARK)).filter_map(|at| frame(file, at))
}
