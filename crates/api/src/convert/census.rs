//! Censuses, both ways.

use super::{Found, timestamp};
use crate::proto::weft::v1 as wire;
use std::fmt::Display;
use weft_domain::Fault;
use weft_domain::census::{Census, Line, Sort, Verdict};

/// The census.
pub(crate) fn census(census: &Census) -> wire::NodeCensus {
    let count = |((sort, verdict), count): (&(Sort, Verdict), &u64)| wire::CensusCount {
        sort: sort.as_str().to_owned(),
        verdict: verdict.as_str().to_owned(),
        count: *count,
        ..Default::default()
    };
    wire::NodeCensus {
        take_time: timestamp(census.at).into(),
        counts: census.counts.iter().map(count).collect(),
        lines: census.lines.iter().map(line).collect(),
        left_out: census.left_out,
        ..Default::default()
    }
}

fn line(line: &Line) -> wire::CensusLine {
    wire::CensusLine {
        sort: line.sort.as_str().to_owned(),
        name: line.name.clone(),
        verdict: line.verdict.as_str().to_owned(),
        claim: text(line.claim),
        vm: text(line.instance),
        why: line.why.clone(),
        fix: line.fix.clone(),
        ..Default::default()
    }
}

fn text(id: Option<impl Display>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

/// Reads a census. A newer node may know sorts and verdicts that are not known here; they are left out.
pub(crate) fn read(census: wire::NodeCensus) -> Result<Census, Fault> {
    let mut found = Found::default();
    let at = found.time(&census.take_time, "census.take_time");
    let counts = census.counts.iter().filter_map(|one| {
        let sorted = (Sort::parse(&one.sort)?, Verdict::parse(&one.verdict)?);
        Some((sorted, one.count))
    });
    let counts = counts.collect();
    let lines = census.lines.into_iter().filter_map(|line| read_line(line, &mut found)).collect();
    found.done()?;
    Ok(Census { at, counts, lines, left_out: census.left_out })
}

fn read_line(line: wire::CensusLine, found: &mut Found) -> Option<Line> {
    let (sort, verdict) = (Sort::parse(&line.sort)?, Verdict::parse(&line.verdict)?);
    let claim = if line.claim.is_empty() { None } else { found.parse(&line.claim, "census.lines[].claim") };
    let instance = if line.vm.is_empty() { None } else { found.parse(&line.vm, "census.lines[].vm") };
    Some(Line { sort, name: line.name, verdict, claim, instance, why: line.why, fix: line.fix })
}
