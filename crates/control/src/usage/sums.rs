//! Pages of buckets and of totals, by instance and then by time.
//!
//! A bucket is told whole where the span touches it. A total is the sum of the widest buckets that together are the
//! span; one without records has no line.

use super::books::{Books, sum};
use super::place::Place;
use super::scope::{Asked, edges};
use super::span::{self, Run, floor, moment, second};
use std::collections::BTreeMap;
use weft_domain::usage::{Bucket, Width};
use weft_domain::{Fault, InstanceId};
use weft_ports::api::UsageLine;
use weft_ports::ledger::BucketQuery;

/// Instances that are summed at once.
const AT_ONCE: usize = 100;
/// Buckets that are read at once.
const PIECE: usize = 10_000;

/// Lines of a page, and the place of the last where more come.
pub(super) type Part = (Vec<UsageLine>, Option<Place>);

/// A page of buckets.
pub(super) async fn buckets(
    books: &Books,
    asked: &Asked,
    width: Width,
    page: (Option<Place>, usize),
) -> Result<Part, Fault> {
    let (after, size) = page;
    let after = after.map(|place| (InstanceId::from_bytes(place.id), place.at));
    let instances = asked.ids(after.map(|(id, _)| id));
    if instances.is_empty() {
        return Ok((Vec::new(), None));
    }
    let from = moment(floor(second(asked.span.from), width));
    let query = BucketQuery { instances, width, from, to: asked.span.to, after, most: size + 1 };
    let mut found = books.ledger.buckets(&query).await?;
    let more = found.len() > size;
    found.truncate(size);
    let place = |last: &weft_ports::ledger::Used| Place { at: last.begins, id: *last.instance.as_bytes(), sequence: 0 };
    let next = found.last().filter(|_| more).map(place);
    let lines = found.iter().filter_map(|used| {
        let span = (moment(used.begins), moment(used.begins.saturating_add(width.seconds())));
        asked.subjects.get(&used.instance).map(|subject| sum(subject, span, &used.bucket))
    });
    Ok((lines.collect(), next))
}

/// A page of totals.
pub(super) async fn totals(books: &Books, asked: &Asked, (after, size): (Option<Place>, usize)) -> Result<Part, Fault> {
    let after = after.map(|place| InstanceId::from_bytes(place.id));
    let (from, to) = edges(&asked.span, &books.terms())?;
    let runs = span::runs(from, to);
    let ids: Vec<_> = asked.ids(after).into_iter().filter(|id| Some(*id) != after).collect();
    let mut lines = Vec::new();
    for some in ids.chunks(AT_ONCE) {
        for (id, total) in total(books, &runs, some).await? {
            let begins = if asked.span.open { total.first } else { from };
            let span = (moment(begins), moment(to));
            lines.extend(asked.subjects.get(&id).map(|subject| sum(subject, span, &total.bucket)));
        }
        if lines.len() > size {
            break;
        }
    }
    let more = lines.len() > size;
    lines.truncate(size);
    let place = |last: &UsageLine| Place { at: 0, id: *last.subject.instance.as_bytes(), sequence: 0 };
    let next = lines.last().filter(|_| more).map(place);
    Ok((lines, next))
}

/// What one instance used in all runs.
struct Total {
    /// When the first bucket begins that has anything.
    first: i64,
    bucket: Bucket,
}

/// What each of these used in all runs together.
async fn total(books: &Books, runs: &[Run], ids: &[InstanceId]) -> Result<BTreeMap<InstanceId, Total>, Fault> {
    let mut totals = BTreeMap::new();
    for run in runs {
        let mut after = None;
        loop {
            let (from, to) = (moment(run.from), moment(run.to));
            let query = BucketQuery { instances: ids.to_vec(), width: run.width, from, to, after, most: PIECE };
            let found = books.ledger.buckets(&query).await?;
            for used in &found {
                let new = || Total { first: used.begins, bucket: Bucket::default() };
                let into = totals.entry(used.instance).or_insert_with(new);
                into.first = into.first.min(used.begins);
                into.bucket = into.bucket.plus(&used.bucket);
            }
            after = found.last().map(|used| (used.instance, used.begins));
            if found.len() < PIECE {
                break;
            }
        }
    }
    Ok(totals)
}
