//! A batch: many commits, one transaction, one sync. Each commit has its own preconditions and revision;
//! a refused one leaves no trace and does not touch its neighbours.

use super::fail::Failure;
use super::key;
use super::row::{self, RawChange};
use super::schema::{self, LOG, OBJECTS, Stand};
use crate::Error;
use redb::{ReadableTable, ReadableTableMetadata, Table, WriteTransaction};
use weft_domain::object::{Key, Object, Revision};
use weft_ports::codec::Codec;
use weft_ports::store::{Change, Commit, Expect, Write};

/// A commit as bytes, made on the caller's thread.
#[derive(Debug)]
pub(crate) struct Prepared {
    expect: Vec<(Key, Vec<u8>, Option<u64>)>,
    writes: Vec<Prewritten>,
    /// Bytes of its keys and records.
    pub(crate) bytes: usize,
}

#[derive(Debug)]
struct Prewritten {
    key: Key,
    bytes: Vec<u8>,
    object: Option<(Object, Vec<u8>)>,
}

/// What a commit may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Most {
    /// Writes and preconditions, each.
    pub(crate) writes: usize,
    /// Bytes of keys and records.
    pub(crate) bytes: usize,
}

impl Prepared {
    /// Encodes a commit, where it is within the limits.
    pub(crate) fn new(commit: Commit, codec: &dyn Codec, most: Most) -> Result<Self, Error> {
        let size = commit.writes.len().max(commit.expect.len());
        if size > most.writes {
            return Err(Error::Limit { size, limit: most.writes, unit: "writes" });
        }
        let mut bytes = 0;
        let mut writes = Vec::with_capacity(commit.writes.len());
        for write in commit.writes {
            let (key, object) = match write {
                Write::Put(key, object) => (key, Some(object)),
                Write::Delete(key) => (key, None),
            };
            if object.as_ref().is_some_and(|object| object.sort() != key.sort()) {
                return Err(Error::Sort);
            }
            let object = object.map(|object| (codec.encode(&object), object)).map(|(record, object)| (object, record));
            let write = Prewritten { bytes: key::encode(&key), key, object };
            bytes += write.bytes.len() + write.object.as_ref().map_or(0, |(_, record)| record.len());
            writes.push(write);
        }
        if bytes > most.bytes {
            return Err(Error::Limit { size: bytes, limit: most.bytes, unit: "bytes" });
        }
        let expect = commit.expect.into_iter().map(|expect| match expect {
            Expect::Absent(key) => (key::encode(&key), key, None),
            Expect::At(key, revision) => (key::encode(&key), key, Some(revision.0)),
        });
        Ok(Self { expect: expect.map(|(bytes, key, wanted)| (key, bytes, wanted)).collect(), writes, bytes })
    }

    /// Whether it only deletes.
    pub(crate) fn only_deletes(&self) -> bool {
        self.writes.iter().all(|write| write.object.is_none())
    }

    /// The changes that it made, where it was taken.
    pub(crate) fn into_changes(self, revision: u64, told: &[bool]) -> Vec<Change> {
        let made = self.writes.into_iter().zip(told).filter(|(_, told)| **told);
        let change = |write: Prewritten| Change {
            revision: Revision(revision),
            key: write.key,
            object: write.object.map(|(object, _)| object),
        };
        made.map(|(write, _)| change(write)).collect()
    }
}

/// What becomes of a commit of the batch.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It has this revision; which of its writes changed something.
    Taken(u64, Vec<bool>),
    /// A precondition does not hold.
    Conflict(Key, Option<Revision>),
    /// It would grow the state, for which there is no space.
    NoRoom,
}

/// How much the log keeps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keep {
    /// Commits.
    pub(crate) commits: u64,
    /// Bytes of rows.
    pub(crate) bytes: u64,
}

/// What a batch comes to when it is committed.
#[derive(Debug)]
pub(crate) struct Plan {
    /// One for each commit, in order.
    pub(crate) outcomes: Vec<Outcome>,
    /// Where the file stands after it.
    pub(crate) stand: Stand,
    /// Bytes of the rows in the log after it.
    pub(crate) log_bytes: u64,
}

/// Where a batch begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    /// Where the file stands.
    pub(crate) stand: Stand,
    /// Bytes of the rows in the log.
    pub(crate) log_bytes: u64,
    /// Whether commits may grow the state.
    pub(crate) roomy: bool,
}

/// Writes a batch into a transaction, which is the caller's to commit.
pub(crate) fn stage(txn: &WriteTransaction, start: Start, batch: &[&Prepared], keep: Keep) -> Result<Plan, Failure> {
    let mut objects = txn.open_table(OBJECTS)?;
    let mut log = txn.open_table(LOG)?;
    let mut plan = Plan { outcomes: Vec::new(), stand: start.stand, log_bytes: start.log_bytes };
    for commit in batch {
        let outcome = match refusal(&objects, commit, start.roomy)? {
            Some(refusal) => refusal,
            None => {
                plan.stand.revision += 1;
                let (told, raw) = write(&mut objects, commit, plan.stand.revision)?;
                let row = row::commit(plan.stand.revision, &raw);
                plan.log_bytes += row.len() as u64;
                log.insert(plan.stand.revision, &row[..])?;
                Outcome::Taken(plan.stand.revision, told)
            }
        };
        plan.outcomes.push(outcome);
    }
    compact(&mut log, &mut plan, keep)?;
    drop((objects, log));
    schema::write(txn, plan.stand)?;
    Ok(plan)
}

type Objects<'txn> = Table<'txn, &'static [u8], &'static [u8]>;

fn refusal(objects: &Objects<'_>, commit: &Prepared, roomy: bool) -> Result<Option<Outcome>, Failure> {
    for (key, bytes, wanted) in &commit.expect {
        let found = match objects.get(&bytes[..])? {
            Some(value) => Some(read(bytes, value.value())?),
            None => None,
        };
        if found != *wanted {
            return Ok(Some(Outcome::Conflict(key.clone(), found.map(Revision))));
        }
    }
    if roomy {
        return Ok(None);
    }
    let (mut before, mut after) = (0, 0);
    for write in &commit.writes {
        before += objects.get(&write.bytes[..])?.map_or(0, |value| value.value().len());
        after += write.object.as_ref().map_or(0, |(_, record)| record.len());
    }
    Ok((after > before).then_some(Outcome::NoRoom))
}

fn read(key: &[u8], value: &[u8]) -> Result<u64, Failure> {
    let found = row::read_object(key, value).map(|(revision, _)| revision);
    found.ok_or_else(|| Failure::damaged("an object's row is not what was written"))
}

fn write(objects: &mut Objects<'_>, commit: &Prepared, revision: u64) -> Result<(Vec<bool>, Vec<RawChange>), Failure> {
    let mut told = Vec::with_capacity(commit.writes.len());
    let mut raw = Vec::with_capacity(commit.writes.len());
    for write in &commit.writes {
        let changes = match &write.object {
            Some((_, record)) => {
                objects.insert(&write.bytes[..], &row::object(&write.bytes, revision, record)[..])?;
                true
            }
            None => objects.remove(&write.bytes[..])?.is_some(),
        };
        told.push(changes);
        if changes {
            raw.push((write.bytes.clone(), write.object.as_ref().map(|(_, record)| record.clone())));
        }
    }
    Ok((told, raw))
}

/// Drops the oldest commits of a log that is too long, some at a time so that not every batch has to.
fn compact(log: &mut Table<'_, u64, &'static [u8]>, plan: &mut Plan, keep: Keep) -> Result<(), Failure> {
    let slack = (keep.commits / 8).min(1024);
    let over = plan.stand.revision - plan.stand.compacted > keep.commits + slack;
    if !over && plan.log_bytes <= keep.bytes + keep.bytes / 8 {
        return Ok(());
    }
    while plan.stand.revision - plan.stand.compacted > keep.commits || plan.log_bytes > keep.bytes {
        if log.len()? <= 1 {
            break;
        }
        let Some((revision, value)) = log.pop_first()? else { break };
        plan.stand.compacted = revision.value();
        plan.log_bytes -= value.value().len() as u64;
    }
    Ok(())
}
