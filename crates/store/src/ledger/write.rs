//! What a transaction of the ledger changes.

use super::block;
use super::load::Load;
use super::row::{self, block_key, gap_keys, read_block_key};
use super::schema::{BUCKETS, GAPS, NODES, SUBJECTS};
use crate::embedded::fail::Failure;
use redb::{ReadableTable, Table, WriteTransaction};
use weft_domain::usage::Width;
use weft_domain::{InstanceId, Time};
use weft_ports::ledger::{Keep, Subject};

/// Rows that one transaction removes.
const REMOVALS: usize = 20_000;

const SECOND: i64 = 1_000_000_000;

type Rows<'a> = Table<'a, &'static [u8], &'static [u8]>;

/// Adds what was taken to what is there; answers that something changed, as all here do.
pub(crate) fn load(txn: &WriteTransaction, load: &Load) -> Result<bool, Failure> {
    let mut table = txn.open_table(BUCKETS)?;
    let instances = load.instances();
    for width in Width::ALL {
        for instance in &instances {
            for (begins, buckets) in load.blocks(*instance, width) {
                let key = block_key(width, *instance.as_bytes(), begins);
                let there = table.get(&key[..])?.map(|row| row::read_block(width, &key, row.value()));
                let buckets = match there {
                    Some(there) => {
                        let damaged = || Failure::damaged("a row of buckets is not what was written");
                        block::merged(there.ok_or_else(damaged)?, &buckets)
                    }
                    None => buckets,
                };
                table.insert(&key[..], &row::block(&key, &buckets)[..])?;
            }
        }
    }
    let mut gaps = txn.open_table(GAPS)?;
    for gap in &load.gaps {
        let key = row::gap_key(gap);
        gaps.insert(&key[..], &row::gap(&key, gap)[..])?;
    }
    let mut nodes = txn.open_table(NODES)?;
    for (node, position) in &load.nodes {
        nodes.insert(&node.as_bytes()[..], &row::node(*node, position)[..])?;
    }
    Ok(true)
}

/// Keeps who instances are.
pub(crate) fn subjects(txn: &WriteTransaction, subjects: &[Subject]) -> Result<bool, Failure> {
    let mut table = txn.open_table(SUBJECTS)?;
    for subject in subjects {
        table.insert(&subject.instance.as_bytes()[..], &row::subject(subject)[..])?;
    }
    Ok(!subjects.is_empty())
}

/// What is dropped for its age, in as many transactions as it needs.
pub(crate) struct Pruning {
    keep: Keep,
    now: Time,
    /// What comes next.
    stage: Stage,
}

#[derive(Clone, Copy)]
enum Stage {
    /// Buckets of a width, of this instance and those after it.
    Buckets(Width, [u8; 16]),
    /// Gaps, of this instance and those after it.
    Gaps([u8; 16]),
    Subjects,
    Done,
}

impl Stage {
    /// What comes after all buckets of this width.
    const fn wider(width: Width) -> Self {
        match width {
            Width::Second => Self::Buckets(Width::Minute, [0; 16]),
            Width::Minute => Self::Buckets(Width::Hour, [0; 16]),
            Width::Hour => Self::Buckets(Width::Day, [0; 16]),
            Width::Day => Self::Gaps([0; 16]),
        }
    }
}

impl Pruning {
    /// What is to be dropped now.
    pub(crate) const fn new(keep: Keep, now: Time) -> Self {
        Self { keep, now, stage: Stage::Buckets(Width::Second, [0; 16]) }
    }

    /// Whether all is done.
    pub(crate) const fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Done)
    }

    /// Drops some of it; answers whether it dropped anything. `is_used` tells of an instance whose usage is in
    /// memory.
    pub(crate) fn step(
        &mut self,
        txn: &WriteTransaction,
        is_used: &dyn Fn(InstanceId) -> bool,
    ) -> Result<bool, Failure> {
        let mut removed = 0;
        while removed < REMOVALS && !self.is_done() {
            self.stage = match self.stage {
                Stage::Buckets(width, from) => {
                    self.buckets(&mut txn.open_table(BUCKETS)?, (width, from), &mut removed)?
                }
                Stage::Gaps(from) => self.gaps(&mut txn.open_table(GAPS)?, from, &mut removed)?,
                Stage::Subjects => {
                    removed += self.subjects(txn, is_used)?;
                    Stage::Done
                }
                Stage::Done => Stage::Done,
            };
        }
        Ok(removed > 0)
    }

    /// The last block of a width that is older than all that is kept of it.
    fn last(&self, width: Width) -> i64 {
        self.keep.since(width, self.now).saturating_sub(block::span(width))
    }

    fn buckets(
        &self,
        table: &mut Rows<'_>,
        (width, from): (Width, [u8; 16]),
        removed: &mut usize,
    ) -> Result<Stage, Failure> {
        let first = block_key(width, from, i64::MIN);
        let found = table.range::<&[u8]>(&first[..]..)?.next().transpose()?;
        let found = found.and_then(|(key, _)| read_block_key(width, key.value()));
        let Some((instance, _)) = found else { return Ok(Stage::wider(width)) };
        let (first, last) = (block_key(width, instance, i64::MIN), block_key(width, instance, self.last(width)));
        let whole = remove(table, (&first, &last), removed)?;
        let next = following(instance).map_or_else(|| Stage::wider(width), |next| Stage::Buckets(width, next));
        Ok(if whole { next } else { Stage::Buckets(width, instance) })
    }

    fn gaps(&self, table: &mut Rows<'_>, from: [u8; 16], removed: &mut usize) -> Result<Stage, Failure> {
        let (first, _) = gap_keys(InstanceId::from_bytes(from), i64::MIN, i64::MIN);
        let found = table.range::<&[u8]>(&first[..]..)?.next().transpose()?;
        let instance = found.and_then(|(key, _)| key.value().first_chunk::<16>().copied());
        let Some(instance) = instance else { return Ok(Stage::Subjects) };
        let last = self.last(Width::Day).saturating_mul(SECOND);
        let (first, last) = gap_keys(InstanceId::from_bytes(instance), i64::MIN, last);
        let whole = remove(table, (&first, &last), removed)?;
        let next = following(instance).map_or(Stage::Subjects, Stage::Gaps);
        Ok(if whole { next } else { Stage::Gaps(instance) })
    }

    /// Drops who has no usage and was made before all that is kept.
    fn subjects(&self, txn: &WriteTransaction, is_used: &dyn Fn(InstanceId) -> bool) -> Result<usize, Failure> {
        let oldest = self.keep.since(Width::Day, self.now);
        let (buckets, mut table) = (txn.open_table(BUCKETS)?, txn.open_table(SUBJECTS)?);
        let mut gone = Vec::new();
        for entry in table.iter()? {
            let (key, _) = entry?;
            let Ok(id) = <[u8; 16]>::try_from(key.value()) else { continue };
            let instance = InstanceId::from_bytes(id);
            if instance.made().as_nanos().div_euclid(SECOND) > oldest || is_used(instance) {
                continue;
            }
            let mut kept = false;
            for width in Width::ALL {
                let (first, last) = (block_key(width, id, i64::MIN), block_key(width, id, i64::MAX));
                kept |= buckets.range::<&[u8]>(&first[..]..=&last[..])?.next().is_some();
            }
            if !kept {
                gone.push(id);
            }
        }
        for id in &gone {
            table.remove(&id[..])?;
        }
        Ok(gone.len())
    }
}

/// Removes rows of a range until enough were removed; answers whether all of them are.
fn remove(table: &mut Rows<'_>, (first, last): (&[u8], &[u8]), removed: &mut usize) -> Result<bool, Failure> {
    for entry in table.extract_from_if::<&[u8], _>(first..=last, |_, _| true)? {
        entry?;
        *removed += 1;
        if *removed >= REMOVALS {
            return Ok(false);
        }
    }
    Ok(true)
}

fn following(id: [u8; 16]) -> Option<[u8; 16]> {
    u128::from_be_bytes(id).checked_add(1).map(u128::to_be_bytes)
}
