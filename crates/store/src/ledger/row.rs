//! Keys and rows of the ledger's tables ⇄ bytes. Every row bears a checksum over its key and itself.
//!
//! ```text
//! buckets   <width: 1> <instance: 16> <block begins: 8>                → a block
//! gaps      <instance: 16> <ends: 8> <incarnation: 16> <sequence: 8> <epoch: 4>  → the rest of the record
//! nodes     <node: 16>       → <sequence: 8> <first: 8 + 32, or nothing> <count> <hash: 32>*
//! subjects  <instance: 16>   → project, name, and each label's key and value, counted
//! ```
//! Instants are written so that their bytes are in their order; so what one instance used in a span is one range
//! of keys.

use super::block::{self, Placed};
use super::pack::{Reader, instant, number, ordered};
use crate::embedded::row::{seal, unseal};
use std::collections::BTreeMap;
use weft_domain::usage::{Amounts, Cause, Edge, Figure, Kind, Meter, Record, Source, Sources, Stamp, Width};
use weft_domain::{IncarnationId, InstanceId, Labels, NodeId, Time};
use weft_ports::ledger::Subject;
use weft_ports::ledger::chain::{Position, RECENT};

/// The key of a block.
pub(crate) type BlockKey = [u8; 25];
/// The key of a gap.
pub(crate) type GapKey = [u8; 52];

/// The first byte of a width's keys.
const fn tag(width: Width) -> u8 {
    match width {
        Width::Second => 1,
        Width::Minute => 2,
        Width::Hour => 3,
        Width::Day => 4,
    }
}

/// The key of the block of this width and instance that begins then.
pub(crate) fn block_key(width: Width, instance: [u8; 16], begins: i64) -> BlockKey {
    let mut key = [tag(width); 25];
    key[1..17].copy_from_slice(&instance);
    key[17..].copy_from_slice(&ordered(begins));
    key
}

/// Whose block this is and when it begins, where it is one of this width.
pub(crate) fn read_block_key(width: Width, key: &[u8]) -> Option<([u8; 16], i64)> {
    let mut reader = Reader(key);
    let ([found], instance, begins) = (reader.bytes()?, reader.bytes()?, reader.bytes()?);
    (found == tag(width) && reader.0.is_empty()).then_some((instance, instant(begins)))
}

/// The row of a block.
pub(crate) fn block(key: &BlockKey, buckets: &[Placed]) -> Vec<u8> {
    seal(key, &block::encode(buckets))
}

/// The buckets of a block's row; `None` where it is damaged.
pub(crate) fn read_block(width: Width, key: &[u8], row: &[u8]) -> Option<Vec<Placed>> {
    block::decode(width, unseal(key, row)?)
}

/// The first and the last key of an instance's gaps that end in this span, both ends included.
pub(crate) fn gap_keys(instance: InstanceId, from: i64, to: i64) -> (GapKey, GapKey) {
    let (mut first, mut last) = ([0; 52], [0xff; 52]);
    for (key, end) in [(&mut first, from), (&mut last, to)] {
        key[..16].copy_from_slice(instance.as_bytes());
        key[16..24].copy_from_slice(&ordered(end));
    }
    (first, last)
}

/// The key of a gap.
pub(crate) fn gap_key(gap: &Record) -> GapKey {
    let mut key = gap_keys(gap.meter.instance, gap.to.wall.as_nanos(), 0).0;
    key[24..40].copy_from_slice(gap.meter.incarnation.as_bytes());
    key[40..48].copy_from_slice(&gap.sequence.to_be_bytes());
    key[48..].copy_from_slice(&gap.meter.epoch.to_be_bytes());
    key
}

/// The row of a gap.
pub(crate) fn gap(key: &GapKey, gap: &Record) -> Vec<u8> {
    let (sort, word) = match gap.kind {
        Kind::Window(edge) => (0, edge as u8),
        Kind::Gap(cause) => (1, cause as u8),
    };
    let mut body = vec![sort, word];
    body.extend_from_slice(&gap.from.monotonic_nanos.to_be_bytes());
    body.extend_from_slice(&ordered(gap.from.wall.as_nanos()));
    body.extend_from_slice(&gap.to.monotonic_nanos.to_be_bytes());
    for (figure, amount) in gap.amounts.iter() {
        number(&mut body, amount);
        body.push(gap.sources[figure] as u8);
    }
    seal(key, &body)
}

/// The gap of a row; `None` where it is damaged.
pub(crate) fn read_gap(key: &[u8], row: &[u8]) -> Option<Record> {
    let mut reader = Reader(unseal(key, row)?);
    let [sort, word] = reader.bytes()?;
    let kind = match sort {
        0 => Kind::Window(*Edge::ALL.get(usize::from(word))?),
        1 => Kind::Gap(*Cause::ALL.get(usize::from(word))?),
        _ => return None,
    };
    let nanos = |reader: &mut Reader<'_>| reader.bytes().map(u64::from_be_bytes);
    let wall = |reader: &mut Reader<'_>| reader.bytes().map(|bytes| Time::from_nanos(instant(bytes)));
    let from = Stamp { monotonic_nanos: nanos(&mut reader)?, wall: wall(&mut reader)? };
    let to = nanos(&mut reader)?;
    let (mut amounts, mut sources) = (Amounts::default(), Sources::default());
    for figure in Figure::ALL {
        amounts[figure] = reader.number()?;
        let [source] = reader.bytes()?;
        sources[figure] = *Source::ALL.get(usize::from(source))?;
    }
    let mut keys = Reader(key);
    let instance = InstanceId::from_bytes(keys.bytes()?);
    let to = Stamp { monotonic_nanos: to, wall: wall(&mut keys)? };
    let incarnation = IncarnationId::from_bytes(keys.bytes()?);
    let sequence = nanos(&mut keys)?;
    let meter = Meter { instance, incarnation, epoch: u32::from_be_bytes(keys.bytes()?) };
    let whole = reader.0.is_empty() && keys.0.is_empty();
    whole.then_some(Record { meter, sequence, kind, from, to, amounts, sources })
}

/// The row of a node.
pub(crate) fn node(node: NodeId, position: &Position) -> Vec<u8> {
    let mut body = position.sequence.to_be_bytes().to_vec();
    body.push(u8::from(position.first.is_some()));
    if let Some((sequence, hash)) = &position.first {
        body.extend_from_slice(&sequence.to_be_bytes());
        body.extend_from_slice(hash);
    }
    number(&mut body, position.recent.len() as u64);
    position.recent.iter().for_each(|hash| body.extend_from_slice(hash));
    seal(node.as_bytes(), &body)
}

/// The node of a row; `None` where it is damaged.
pub(crate) fn read_node(key: &[u8], row: &[u8]) -> Option<(NodeId, Position)> {
    let mut reader = Reader(unseal(key, row)?);
    let sequence = u64::from_be_bytes(reader.bytes()?);
    let first = match reader.bytes()? {
        [0] => None,
        [1] => Some((u64::from_be_bytes(reader.bytes()?), reader.bytes()?)),
        _ => return None,
    };
    let count = usize::try_from(reader.number()?).ok().filter(|count| *count <= RECENT)?;
    let recent = (0..count).map(|_| reader.bytes()).collect::<Option<_>>()?;
    let node = NodeId::from_bytes(key.try_into().ok()?);
    reader.0.is_empty().then_some((node, Position { sequence, first, recent }))
}

/// The row of a subject.
pub(crate) fn subject(subject: &Subject) -> Vec<u8> {
    let mut body = Vec::new();
    let mut text = |text: &str| {
        number(&mut body, text.len() as u64);
        body.extend_from_slice(text.as_bytes());
    };
    text(subject.project.as_str());
    text(subject.name.as_str());
    for (key, value) in subject.labels.as_map() {
        text(key);
        text(value);
    }
    seal(subject.instance.as_bytes(), &body)
}

/// The subject of a row; `None` where it is damaged.
pub(crate) fn read_subject(key: &[u8], row: &[u8]) -> Option<Subject> {
    let mut reader = Reader(unseal(key, row)?);
    let text = |reader: &mut Reader<'_>| Some(std::str::from_utf8(reader.counted()?).ok()?.to_owned());
    let project = text(&mut reader)?.parse().ok()?;
    let name = text(&mut reader)?.parse().ok()?;
    let mut labels = BTreeMap::new();
    while !reader.0.is_empty() {
        labels.insert(text(&mut reader)?, text(&mut reader)?);
    }
    let instance = InstanceId::from_bytes(key.try_into().ok()?);
    Some(Subject { project, instance, name, labels: Labels::new(labels).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use weft_ports::ledger::conformance::sender::Sender;

    proptest! {
        #[test]
        fn gaps_read_back(end: i64, epoch: u32, cause in prop::sample::select(Cause::ALL.to_vec()), flip: prop::sample::Index) {
            let mut record = Sender::new().gap(1, Time::from_nanos(end), cause);
            record.meter.epoch = epoch;
            let key = gap_key(&record);
            let mut row = gap(&key, &record);
            prop_assert_eq!(read_gap(&key, &row), Some(record));
            let (first, last) = gap_keys(record.meter.instance, end, end);
            prop_assert!(first <= key && key <= last);
            let at = flip.index(row.len());
            row[at] ^= 4;
            prop_assert_eq!(read_gap(&key, &row), None);
        }

        #[test]
        fn nodes_read_back(id: [u8; 16], sequence: u64, first: Option<(u64, [u8; 32])>, recent in prop::collection::vec_deque(any::<[u8; 32]>(), 0..5)) {
            let position = Position { sequence, first, recent };
            let row = node(NodeId::from_bytes(id), &position);
            prop_assert_eq!(read_node(&id, &row), Some((NodeId::from_bytes(id), position)));
            prop_assert_eq!(read_node(&[7; 16], &row), None);
        }

        #[test]
        fn any_bytes_are_no_trouble(key in prop::collection::vec(any::<u8>(), 0..60), body in prop::collection::vec(any::<u8>(), 0..90)) {
            let row = seal(&key, &body);
            let _ = (read_gap(&key, &row), read_node(&key, &row), read_subject(&key, &row), read_block_key(Width::Day, &key));
        }
    }

    #[test]
    fn keys_of_blocks_read_back() {
        for width in Width::ALL {
            for begins in [i64::MIN, -1, 0, i64::MAX] {
                assert_eq!(read_block_key(width, &block_key(width, [9; 16], begins)), Some(([9; 16], begins)));
            }
        }
        assert_eq!(read_block_key(Width::Hour, &block_key(Width::Day, [9; 16], 0)), None);
    }

    /// What format 1 is on the disk, byte for byte: where this changes, the format is another.
    #[test]
    fn rows_are_as_they_were_written() {
        let hex = |row: &[u8]| row.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let mut bucket = weft_domain::usage::Bucket { records: 10, gaps: 0, ..Default::default() };
        bucket.amounts[Figure::Cpu] = 300;
        bucket.amounts[Figure::MemoryGranted] = 1 << 20;
        let mut later = bucket;
        later.amounts[Figure::Cpu] = 299;
        let key = block_key(Width::Second, [2; 16], 1_700_000_040);
        assert_eq!(hex(&key), "0102020202020202020202020202020202800000006553f128");
        assert_eq!(hex(&block(&key, &[(0, bucket), (59, later)])), "51c45344818080808080808008a1020aac0201808040");
        let mut record = Sender::of(NodeId::from_bytes([1; 16]), vec![InstanceId::from_bytes([2; 16])]).gap(
            0,
            Time::from_millis(1_700_000_000_500),
            Cause::Reset,
        );
        record.meter.incarnation = IncarnationId::from_bytes([3; 16]);
        let key = gap_key(&record);
        assert_eq!(
            hex(&key),
            concat!(
                "0202020202020202020202020202020297979cfe53f76500030303030303030303030303030303030000000000000000",
                "00000001"
            )
        );
        assert_eq!(
            hex(&gap(&key, &record)),
            concat!(
                "a1fc3c6d0101000000000000000097979cfe4e0184000000000005f5e10000001901b20402cb1603e4c80104fdfa1f05",
                "96ad2606afdf2c00c8913301e1c33902faf53f03"
            )
        );
        let position = Position { sequence: 9, first: Some((1, [4; 32])), recent: [[5; 32]].into() };
        assert_eq!(
            hex(&node(NodeId::from_bytes([1; 16]), &position)),
            concat!(
                "b8ee46ae0000000000000009010000000000000001040404040404040404040404040404040404040404040404040404",
                "0404040404010505050505050505050505050505050505050505050505050505050505050505"
            )
        );
        let labels = Labels::new([("tier".to_owned(), "web".to_owned())].into()).expect("they are labels");
        let name = |text: &str| text.parse().expect("it is a name");
        let instance = InstanceId::from_bytes([2; 16]);
        let one = Subject { project: name("acme"), instance, name: name("a"), labels };
        assert_eq!(hex(&subject(&one)), "d939cd990461636d650161047469657203776562");
        assert_eq!(read_subject(&[2; 16], &subject(&one)), Some(one));
    }
}
