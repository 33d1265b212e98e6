//! Usage as lines of text: JSON Lines, CSV (RFC 4180) and CloudEvents 1.0.
//!
//! All three say the same under the same names. Times are RFC 3339 in UTC, amounts are whole numbers of base units;
//! in JSON those of 64 bits are text, since many readers would round them. A sum has no record, and its columns of
//! one are empty. The same line has the same bytes whenever and by whomever it is written.
//!
//! Each line has an id by which a repetition is known:
//!
//! ```text
//!  a record   vm-…/inc-…/<sequence>                 never changes
//!  a bucket   vm-…/hour/2026-11-21T04:00:00Z        grows while nodes still deliver: more records replace fewer
//!  a total    vm-…/total/<start>/<end>              of this span
//! ```
//!
//! What it does not know: where lines come from and where they go.

mod csv;
mod json;
#[cfg(test)]
mod tests;

use crate::api::{ExportFormat, Grain, UsageLine};
use jiff::Timestamp;
use weft_domain::Time;

/// What CloudEvents' `type` begins with.
const TYPE: &str = "weft.v1.usage";

/// What stands before the first line: nothing, or a head with its end.
#[must_use]
pub fn head(form: ExportFormat) -> String {
    match form {
        ExportFormat::Csv => csv::head(),
        ExportFormat::JsonLines | ExportFormat::CloudEvents => String::new(),
    }
}

/// Adds one line, with its end, of an export of this grain.
pub fn line(to: &mut String, form: ExportFormat, grain: Grain, line: &UsageLine) {
    match form {
        ExportFormat::JsonLines => {
            json::line(to, &id(grain, line), line);
            to.push('\n');
        }
        ExportFormat::Csv => csv::line(to, &id(grain, line), line),
        ExportFormat::CloudEvents => {
            json::event(to, sort(grain), &id(grain, line), line);
            to.push('\n');
        }
    }
}

/// By what a repetition of a line is known.
#[must_use]
pub fn id(grain: Grain, line: &UsageLine) -> String {
    let vm = line.subject.instance;
    match (&line.record, grain) {
        (Some(record), _) => format!("{vm}/{}/{}", record.meter.incarnation, record.sequence),
        (None, Grain::Bucket(width)) => format!("{vm}/{}/{}", width.as_str(), moment(line.from)),
        (None, Grain::Record | Grain::Total) => format!("{vm}/total/{}/{}", moment(line.from), moment(line.to)),
    }
}

/// What a line of this grain is.
const fn sort(grain: Grain) -> &'static str {
    match grain {
        Grain::Record => "record",
        Grain::Bucket(_) => "bucket",
        Grain::Total => "total",
    }
}

/// A moment as RFC 3339 has it, in UTC, with as many digits as it needs.
fn moment(at: Time) -> String {
    let at = Timestamp::from_nanosecond(i128::from(at.as_nanos()));
    at.expect("every moment of 64 bits of nanoseconds is within jiff's years").to_string()
}
