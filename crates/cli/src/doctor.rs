//! What a machine can run, and what to install for the rest: how findings look. The binary finds them.

mod census;

pub use census::text as census_text;

use crate::args::Output;
use crate::show::paint::Paint;
use crate::show::table::{Cell, Table};
use serde::Serialize;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it belongs to: `kvm`, `qemu`, `network`.
    pub area: String,
    /// What was looked at.
    pub what: String,
    /// How it is.
    pub state: State,
    /// What was seen.
    pub detail: String,
    /// What to do about it; empty where there is nothing to do.
    pub fix: String,
}

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It works.
    Ok,
    /// It works in part, or something else is used instead.
    Warn,
    /// It is not there.
    Missing,
}

/// All findings in this form, ready to be written.
#[must_use]
pub fn text(findings: &[Finding], output: Output, paint: Paint) -> String {
    match output {
        Output::Table | Output::Wide => table(findings, paint),
        Output::Json => serde_json::to_string_pretty(findings).map(|text| text + "\n").unwrap_or_default(),
        Output::Yaml => serde_yaml_ng::to_string(findings).unwrap_or_default(),
        Output::Name => findings.iter().map(|finding| format!("{}/{}\n", finding.area, finding.what)).collect(),
    }
}

fn table(findings: &[Finding], paint: Paint) -> String {
    let rows: Vec<Vec<Cell>> = findings
        .iter()
        .map(|finding| {
            let state = match finding.state {
                State::Ok => Cell::painted("ok", paint.good("ok")),
                State::Warn => Cell::painted("warn", paint.warning("warn")),
                State::Missing => Cell::painted("missing", paint.bad("missing")),
            };
            let (area, what) = (finding.area.as_str(), finding.what.as_str());
            vec![area.into(), what.into(), state, finding.detail.as_str().into()]
        })
        .collect();
    let mut text = Table::new(&["AREA", "WHAT", "STATE", "DETAIL"], paint).whole(&rows);
    let todo: Vec<&Finding> = findings.iter().filter(|finding| !finding.fix.is_empty()).collect();
    if !todo.is_empty() {
        text += "\nWhat would help:\n";
        for finding in todo {
            text += &format!("  {} {}: {}\n", finding.area, finding.what, finding.fix);
        }
    }
    text
}
