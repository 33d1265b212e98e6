//! Lines as comma-separated values: one head, the same columns always, lines that end with CR and LF.

use super::{json, moment};
use crate::api::UsageLine;
use weft_domain::usage::{Figure, Kind};

/// The columns before the figures.
const FIRST: [&str; 9] = ["id", "project", "vm", "vm_name", "labels", "start_time", "end_time", "records", "gaps"];
/// The columns of a record, after the figures and before their sources.
const RECORD: [&str; 7] =
    ["incarnation", "epoch", "sequence", "edge", "cause", "start_monotonic_nanos", "end_monotonic_nanos"];

/// The head.
pub(super) fn head() -> String {
    let figures = Figure::ALL.map(Figure::as_str).into_iter();
    let sources = Figure::ALL.map(|figure| format!("{}_source", figure.as_str()));
    let names = FIRST.into_iter().chain(figures).chain(RECORD).map(str::to_owned).chain(sources);
    let mut row = String::new();
    write(&mut row, names);
    row
}

/// A line.
pub(super) fn line(to: &mut String, id: &str, line: &UsageLine) {
    let mut labels = String::new();
    json::labels(&mut labels, line);
    let first = [
        id.to_owned(),
        line.subject.project.to_string(),
        line.subject.instance.to_string(),
        line.subject.name.to_string(),
        labels,
        moment(line.from),
        moment(line.to),
        line.records.to_string(),
        line.gaps.to_string(),
    ];
    let amounts = line.amounts.iter().map(|(_, amount)| amount.to_string());
    let mut last: Vec<String> = vec![String::new(); RECORD.len() + Figure::ALL.len()];
    if let Some(record) = &line.record {
        let (edge, cause) = match record.kind {
            Kind::Window(edge) => (edge.as_str(), ""),
            Kind::Gap(cause) => ("", cause.as_str()),
        };
        let told = [
            record.meter.incarnation.to_string(),
            record.meter.epoch.to_string(),
            record.sequence.to_string(),
            edge.to_owned(),
            cause.to_owned(),
            record.from.monotonic_nanos.to_string(),
            record.to.monotonic_nanos.to_string(),
        ];
        let sources = Figure::ALL.map(|figure| record.sources[figure].as_str().to_owned());
        last = told.into_iter().chain(sources).collect();
    }
    write(to, first.into_iter().chain(amounts).chain(last));
}

fn write(to: &mut String, values: impl Iterator<Item = String>) {
    for (i, value) in values.enumerate() {
        if i > 0 {
            to.push(',');
        }
        if value.contains(['"', ',', '\r', '\n']) {
            to.push('"');
            to.push_str(&value.replace('"', "\"\""));
            to.push('"');
        } else {
            to.push_str(&value);
        }
    }
    to.push_str("\r\n");
}
