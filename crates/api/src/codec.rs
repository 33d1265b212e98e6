//! Stored bytes ⇄ objects.
//!
//! ```text
//!  0      4        6      7   8       12
//!  "weft" format   sort   0   crc32   proto bytes …
//! ```
//!
//! Numbers are little-endian. The checksum covers everything but the magic and itself, so that no
//! flipped bit and no cut goes unseen. A resource's record is its own message from `weft.v1`; what
//! only the store knows is in `weft.store.v1`. Sort numbers are never reused.

use crate::convert::{Found, event, node, snapshot, spec, timestamp, vm};
use crate::proto::weft::store::v1 as store;
use crate::proto::weft::v1 as wire;
use buffa::Message;
use weft_domain::node::Orphans;
use weft_domain::object::{Answer, Answered, Object, Revision, Sort};
use weft_domain::{Fault, Spec};
use weft_ports::codec::{Codec, Error, SpecCodec};

const MAGIC: &[u8; 4] = b"weft";
/// The newest format that this weft writes and reads.
pub const FORMAT: u16 = 1;
const HEADER: usize = 12;

/// The codec of this weft.
#[derive(Debug, Clone, Copy, Default)]
pub struct Records;

const fn number(sort: Sort) -> u8 {
    match sort {
        Sort::Instance => 1,
        Sort::Name => 2,
        Sort::Request => 3,
        Sort::Event => 4,
        Sort::Node => 5,
        Sort::Snapshot => 6,
        Sort::SnapshotName => 7,
    }
}

/// The number of a specification that lasts by itself, in a node's journal. It is of no sort.
const SPEC: u8 = 64;

fn damaged(why: impl ToString) -> Error {
    Error::Damaged(why.to_string())
}

fn checksum(head: &[u8], content: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(content);
    hasher.finalize()
}

/// The record of this number with this content.
fn framed(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + content.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    bytes.extend_from_slice(&[number, 0]);
    let sum = checksum(&bytes[4..8], content);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes.extend_from_slice(content);
    bytes
}

/// The content of a record, which must be of this number.
fn unframed(number: u8, bytes: &[u8]) -> Result<&[u8], Error> {
    let (head, content) = bytes.split_at_checked(HEADER).ok_or_else(|| damaged("it is cut short"))?;
    if &head[..4] != MAGIC {
        return Err(damaged("it does not begin as a record does"));
    }
    let format = u16::from_le_bytes([head[4], head[5]]);
    if format > FORMAT {
        return Err(Error::Newer { found: format.into(), known: FORMAT.into() });
    }
    let sum = u32::from_le_bytes([head[8], head[9], head[10], head[11]]);
    if checksum(&head[4..8], content) != sum {
        return Err(damaged("its checksum is wrong"));
    }
    if head[6] != number {
        return Err(damaged(format!("it is of sort {}, not {number}", head[6])));
    }
    Ok(content)
}

impl Codec for Records {
    fn encode(&self, object: &Object) -> Vec<u8> {
        framed(number(object.sort()), &content(object))
    }

    fn decode(&self, sort: Sort, bytes: &[u8]) -> Result<Object, Error> {
        read(sort, unframed(number(sort), bytes)?)
    }
}

impl SpecCodec for Records {
    fn encode_spec(&self, spec: &Spec) -> Vec<u8> {
        framed(SPEC, &spec::spec(spec).encode_to_vec())
    }

    fn decode_spec(&self, bytes: &[u8]) -> Result<Spec, Error> {
        let written: wire::VmSpec = message(unframed(SPEC, bytes)?)?;
        let mut found = Found::default();
        let draft = spec::draft(written, &mut found);
        let spec = draft.check().map_err(|all| found.extend(all)).ok();
        found.done().map_err(|fault| damaged(fault.message))?;
        spec.ok_or_else(|| damaged("its specification is refused"))
    }
}

fn content(object: &Object) -> Vec<u8> {
    match object {
        Object::Instance(instance) => vm::vm(instance).encode_to_vec(),
        Object::Name(id) => store::NameRecord { vm: id.to_string(), ..Default::default() }.encode_to_vec(),
        Object::Request(answered) => answer(answered).encode_to_vec(),
        Object::Event(one) => event::event(one).encode_to_vec(),
        Object::Node(one) => node::node(one).encode_to_vec(),
        Object::Snapshot(one) => snapshot::snapshot(one).encode_to_vec(),
        Object::SnapshotName(id) => {
            store::SnapshotNameRecord { snapshot: id.to_string(), ..Default::default() }.encode_to_vec()
        }
    }
}

fn answer(answered: &Answered) -> store::AnswerRecord {
    let mut record = store::AnswerRecord {
        body_sha256: answered.body.to_vec(),
        time: timestamp(answered.at).into(),
        revision: answered.revision.0,
        ..Default::default()
    };
    match &answered.answer {
        Answer::Instance(instance) => record.vm = vm::vm(instance).into(),
        Answer::Snapshot(one) => record.snapshot = snapshot::snapshot(one).into(),
        Answer::Absent => record.absent = true,
        Answer::Orphans(orphans) => {
            record.orphans = store::OrphansRecord { ids: orphans.ids().collect(), ..Default::default() }.into();
        }
    }
    record
}

fn message<M: Message>(content: &[u8]) -> Result<M, Error> {
    M::decode_from_slice(content).map_err(damaged)
}

fn read(sort: Sort, content: &[u8]) -> Result<Object, Error> {
    let refused = |fault: Fault| damaged(fault.message);
    Ok(match sort {
        Sort::Instance => Object::Instance(Box::new(vm::instance(message(content)?).map_err(refused)?)),
        Sort::Name => {
            let record: store::NameRecord = message(content)?;
            Object::Name(record.vm.parse().map_err(damaged)?)
        }
        Sort::Request => Object::Request(Box::new(read_answer(message(content)?)?)),
        Sort::Event => Object::Event(Box::new(event::read(message(content)?).map_err(refused)?)),
        Sort::Node => Object::Node(Box::new(node::read(message(content)?).map_err(refused)?)),
        Sort::Snapshot => Object::Snapshot(Box::new(snapshot::read(message(content)?).map_err(refused)?)),
        Sort::SnapshotName => {
            let record: store::SnapshotNameRecord = message(content)?;
            Object::SnapshotName(record.snapshot.parse().map_err(damaged)?)
        }
    })
}

fn read_answer(record: store::AnswerRecord) -> Result<Answered, Error> {
    let mut found = Found::default();
    let at = found.time(&record.time, "time");
    found.done().map_err(|fault| damaged(fault.message))?;
    let body = record.body_sha256.try_into().map_err(|_| damaged("its hash has another length"))?;
    let refused = |fault: Fault| damaged(fault.message);
    let (vm, snapshot) = (record.vm.into_option(), record.snapshot.into_option());
    let answer = match (vm, snapshot, record.orphans.into_option(), record.absent) {
        (Some(vm), None, None, false) => Answer::Instance(Box::new(vm::instance(vm).map_err(refused)?)),
        (None, Some(one), None, false) => Answer::Snapshot(Box::new(snapshot::read(one).map_err(refused)?)),
        (None, None, Some(orphans), false) => {
            let ids = Orphans::parse(orphans.ids.iter().map(String::as_str));
            Answer::Orphans(ids.map_err(|_| damaged("it names what is neither a VM nor a snapshot"))?)
        }
        (None, None, None, true) => Answer::Absent,
        (_, _, _, _) => return Err(damaged("it has not one answer")),
    };
    Ok(Answered { body, at, answer, revision: Revision(record.revision) })
}

#[cfg(test)]
mod tests;
