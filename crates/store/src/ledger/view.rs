//! The ledger's file as it was after one of its commits, to be read.

use super::block;
use super::row::{self, block_key, gap_keys};
use super::schema::{BUCKETS, GAPS, NODES, SUBJECTS};
use crate::embedded::fail::{Failure, guarded};
use redb::{Database, ReadOnlyTable, ReadableDatabase, ReadableTable};
use std::collections::BTreeMap;
use std::ops::Range;
use weft_domain::usage::{Bucket, Record, Width};
use weft_domain::{InstanceId, NodeId};
use weft_ports::ledger::Subject;
use weft_ports::ledger::chain::Position;

type Table = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// One commit's file.
pub(crate) struct View {
    buckets: Table,
    gaps: Table,
    nodes: Table,
    subjects: Table,
}

/// What was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verified {
    /// Rows of buckets.
    pub blocks: u64,
    /// Buckets in them.
    pub buckets: u64,
    /// Gaps.
    pub gaps: u64,
    /// Nodes.
    pub nodes: u64,
    /// Subjects.
    pub subjects: u64,
}

fn damaged(what: &str) -> Failure {
    Failure::Damaged(format!("a row of {what} is not what was written"))
}

impl View {
    /// The file as it is now.
    pub(crate) fn of(db: &Database) -> Result<Self, Failure> {
        let txn = db.begin_read()?;
        Ok(Self {
            buckets: txn.open_table(BUCKETS)?,
            gaps: txn.open_table(GAPS)?,
            nodes: txn.open_table(NODES)?,
            subjects: txn.open_table(SUBJECTS)?,
        })
    }

    /// Adds to buckets that are there those of an instance that begin in this span; of the first `most` of both
    /// together none is missing.
    pub(crate) fn add(
        &self,
        (instance, width): (InstanceId, Width),
        span: &Range<i64>,
        most: usize,
        into: &mut BTreeMap<i64, Bucket>,
    ) -> Result<(), Failure> {
        if span.is_empty() {
            return Ok(());
        }
        let key = |second| block_key(width, *instance.as_bytes(), block::begin(width, second));
        let (first, last) = (key(span.start), key(span.end - 1));
        let mut found = 0;
        for entry in self.buckets.range::<&[u8]>(&first[..]..=&last[..])? {
            let (key, value) = entry?;
            let begins = row::read_block_key(width, key.value()).ok_or_else(|| damaged("buckets"))?.1;
            let buckets = row::read_block(width, key.value(), value.value()).ok_or_else(|| damaged("buckets"))?;
            for (place, bucket) in buckets {
                let at = begins + i64::from(place) * width.seconds();
                if span.contains(&at) {
                    let sum = into.entry(at).or_default();
                    *sum = sum.plus(&bucket);
                    found += 1;
                }
            }
            if found >= most {
                break;
            }
        }
        Ok(())
    }

    /// Adds an instance's gaps that end in this span, both ends included; the oldest, at most so many.
    pub(crate) fn add_gaps(
        &self,
        instance: InstanceId,
        (from, to): (i64, i64),
        most: usize,
        into: &mut Vec<Record>,
    ) -> Result<(), Failure> {
        let (first, last) = gap_keys(instance, from, to);
        for entry in self.gaps.range::<&[u8]>(&first[..]..=&last[..])?.take(most) {
            let (key, value) = entry?;
            into.push(row::read_gap(key.value(), value.value()).ok_or_else(|| damaged("gaps"))?);
        }
        Ok(())
    }

    /// Where all nodes stand.
    pub(crate) fn nodes(&self) -> Result<Vec<(NodeId, Position)>, Failure> {
        guarded(|| {
            let rows = self.nodes.iter()?.map(|entry| {
                let (key, value) = entry?;
                row::read_node(key.value(), value.value()).ok_or_else(|| damaged("nodes"))
            });
            rows.collect()
        })
    }

    /// All subjects, by instance.
    pub(crate) fn subjects(&self) -> Result<Vec<Subject>, Failure> {
        let rows = self.subjects.iter()?.map(|entry| {
            let (key, value) = entry?;
            row::read_subject(key.value(), value.value()).ok_or_else(|| damaged("subjects"))
        });
        rows.collect()
    }

    /// Those of these subjects that are not known, or known as something else.
    pub(crate) fn unknown(&self, subjects: &[Subject]) -> Result<Vec<Subject>, Failure> {
        let mut unknown = Vec::new();
        for subject in subjects {
            let found = self.subjects.get(&subject.instance.as_bytes()[..])?;
            if found.is_none_or(|found| found.value() != row::subject(subject)) {
                unknown.push(subject.clone());
            }
        }
        Ok(unknown)
    }

    /// Reads everything.
    pub(crate) fn verify(&self) -> Result<Verified, Failure> {
        let mut verified = Verified {
            nodes: self.nodes()?.len() as u64,
            subjects: self.subjects()?.len() as u64,
            ..Verified::default()
        };
        for entry in self.gaps.iter()? {
            let (key, value) = entry?;
            row::read_gap(key.value(), value.value()).ok_or_else(|| damaged("gaps"))?;
            verified.gaps += 1;
        }
        for entry in self.buckets.iter()? {
            let (key, value) = entry?;
            let width = Width::ALL.into_iter().find(|width| row::read_block_key(*width, key.value()).is_some());
            let width = width.ok_or_else(|| damaged("buckets"))?;
            let buckets = row::read_block(width, key.value(), value.value()).ok_or_else(|| damaged("buckets"))?;
            verified.blocks += 1;
            verified.buckets += buckets.len() as u64;
        }
        Ok(verified)
    }
}
