//! Usage as rows, in units that people read.

use super::table::Cell;
use super::units::{byte_hours, bytes, moment, span};
use super::vm::Scope;
use weft_domain::usage::{Figure, Kind};
use weft_ports::api::{Grain, UsageLine};

/// The levels of a sparkline.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What rows show.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    /// Whose they are.
    pub(crate) scope: Scope,
    /// How fine they are.
    pub(crate) grain: Grain,
    /// Counts and ids come last.
    pub(crate) wide: bool,
}

/// The heads of these rows.
pub(crate) fn columns(view: View) -> Vec<&'static str> {
    let mut heads = first(view.scope);
    if view.grain != Grain::Total || view.wide {
        heads.push("FROM");
    }
    heads.extend(["CPU", "MEMORY", "GRANTED", "READ", "WRITTEN", "RECEIVED", "SENT", "GAPS"]);
    if view.grain == Grain::Record {
        heads.push("END");
    }
    if view.wide {
        heads.extend(["TO", "READS", "WRITES", "PACKETS-IN", "PACKETS-OUT", "RECORDS", "ID"]);
    }
    heads
}

fn first(scope: Scope) -> Vec<&'static str> {
    if scope == Scope::All { vec!["PROJECT", "VM"] } else { vec!["VM"] }
}

fn named(line: &UsageLine, scope: Scope) -> Vec<Cell> {
    let mut row: Vec<Cell> = Vec::new();
    if scope == Scope::All {
        row.push(line.subject.project.as_str().into());
    }
    row.push(line.subject.name.as_str().into());
    row
}

/// One line as a row.
pub(crate) fn row(line: &UsageLine, view: View) -> Vec<Cell> {
    let amounts = &line.amounts;
    let mut row = named(line, view.scope);
    if view.grain != Grain::Total || view.wide {
        row.push(moment(line.from).into());
    }
    row.push(span(amounts[Figure::Cpu]).into());
    row.extend([Figure::MemoryResident, Figure::MemoryGranted].map(|figure| byte_hours(amounts[figure]).into()));
    let transferred = [Figure::DiskRead, Figure::DiskWritten, Figure::NetReceived, Figure::NetSent];
    row.extend(transferred.map(|figure| bytes(amounts[figure]).into()));
    row.push(line.gaps.to_string().into());
    if view.grain == Grain::Record {
        row.push(kind(line).into());
    }
    if view.wide {
        row.push(moment(line.to).into());
        let counts = [Figure::DiskReads, Figure::DiskWrites, Figure::NetReceivedPackets, Figure::NetSentPackets];
        row.extend(counts.map(|figure| amounts[figure].to_string().into()));
        row.push(line.records.to_string().into());
        row.push(line.subject.instance.to_string().into());
    }
    row
}

/// What ended a record's span, or why it was not watched.
fn kind(line: &UsageLine) -> &'static str {
    match line.record.as_ref().map(|record| record.kind) {
        Some(Kind::Window(edge)) => edge.as_str(),
        Some(Kind::Gap(cause)) => cause.as_str(),
        None => "",
    }
}

/// The heads of rows of gaps.
pub(crate) fn gap_columns(view: View) -> Vec<&'static str> {
    let mut heads = first(view.scope);
    heads.extend(["FROM", "FOR", "CAUSE", "CPU", "MEMORY", "GRANTED"]);
    if view.wide {
        heads.extend(["TO", "ID", "INCARNATION", "SEQUENCE"]);
    }
    heads
}

/// One gap as a row.
pub(crate) fn gap_row(line: &UsageLine, view: View) -> Vec<Cell> {
    let mut row = named(line, view.scope);
    let lasted = span(u64::try_from(line.to.since(line.from).as_nanos()).unwrap_or(u64::MAX));
    row.extend([moment(line.from), lasted, kind(line).to_owned()].map(Cell::from));
    row.push(span(line.amounts[Figure::Cpu]).into());
    row.extend([Figure::MemoryResident, Figure::MemoryGranted].map(|figure| byte_hours(line.amounts[figure]).into()));
    if view.wide {
        row.extend([moment(line.to), line.subject.instance.to_string()].map(Cell::from));
        let record = line.record.as_ref();
        row.push(record.map(|record| record.meter.incarnation.to_string()).unwrap_or_default().into());
        row.push(record.map(|record| record.sequence.to_string()).unwrap_or_default().into());
    }
    row
}

/// Values as a line of bars, the highest of which means `top`; a space where there is none.
pub(crate) fn sparkline(values: impl IntoIterator<Item = Option<u64>>, top: u64) -> String {
    let last = LEVELS.len() as u64 - 1;
    let bar = |value: u64| {
        let level = u128::from(value) * u128::from(last) / u128::from(top.max(1));
        LEVELS[usize::try_from(level).unwrap_or(usize::MAX).min(LEVELS.len() - 1)]
    };
    values.into_iter().map(|value| value.map_or(' ', bar)).collect()
}

#[cfg(test)]
mod tests {
    use super::sparkline;

    #[test]
    fn bars_stand_between_nothing_and_the_top() {
        let values = [None, Some(0), Some(14), Some(15), Some(50), Some(100), Some(101), Some(u64::MAX)];
        assert_eq!(sparkline(values, 100), " ▁▁▂▄███");
        assert_eq!(sparkline([Some(0), Some(1)], 0), "▁█");
        assert_eq!(sparkline([], 5), "");
    }
}
