//! `usage --live`: what VMs use, second by second, until the caller breaks off.
//!
//! On a terminal the table is drawn over itself, with the last seconds of each VM's share of a processor as bars;
//! anywhere else each second's lines follow the last.

use crate::Error;
use crate::args::Output;
use crate::desk::Desk;
use crate::show::table::{Cell, Table};
use crate::show::units::{bytes, moment, percent};
use crate::show::usage::sparkline;
use crate::verbs::watch::{SOON, document, time_is_up};
use futures::StreamExt;
use std::collections::{BTreeMap, VecDeque};
use tokio::time::sleep;
use weft_domain::usage::Figure;
use weft_domain::{InstanceId, Name, Reason};
use weft_ports::api::{UsageLine, UsageScope};
use weft_ports::documents::Item;

/// So many seconds are shown as bars.
const BARS: usize = 30;
/// A full processor, in tenths of a percent.
const FULL: u64 = 1_000;
/// A line of the terminal is for the head, and one for the cursor.
const ROOM: usize = 2;

/// Shows what is used from now on.
pub(super) async fn live(desk: &mut Desk, scope: UsageScope) -> Result<(), Error> {
    let interrupt = desk.terminal.interrupt.clone();
    let mut view = View::of(desk);
    view.begin(desk)?;
    let time_is_up = time_is_up(desk.globals.timeout);
    tokio::pin!(time_is_up);
    'again: loop {
        let usage = std::sync::Arc::clone(&desk.services.usage);
        let seconds = usage.watch(&desk.stream(), scope.clone()).await;
        let mut seconds = seconds.map_err(|fault| Error::from(fault).with_flags())?;
        loop {
            let second = tokio::select! {
                biased;
                () = interrupt.cancelled() => return Err(Error::Interrupted { follow: String::new() }),
                () = &mut time_is_up => return Ok(()),
                second = seconds.next() => second,
            };
            match second {
                Some(Ok(lines)) => view.take(desk, &lines)?,
                // What was missed is not shown: the view is of now.
                Some(Err(fault)) if fault.reason == Reason::WatcherTooSlow => continue 'again,
                // Another server may be taking the place of this one.
                Some(Err(fault)) if fault.reason == Reason::Away => {
                    sleep(SOON).await;
                    continue 'again;
                }
                Some(Err(fault)) => return Err(fault.into()),
                None => return Ok(()),
            }
        }
    }
}

/// One VM's row.
struct Row {
    /// Project and name, by which rows are ordered.
    named: (Name, Name),
    /// The last second in which it was measured.
    last: Vec<String>,
    /// Its shares of a processor in the last seconds, the newest last.
    shares: VecDeque<Option<u64>>,
}

/// How seconds are shown.
enum View {
    /// Drawn over itself.
    Screen {
        /// The VMs that were seen lately.
        rows: BTreeMap<InstanceId, Row>,
        /// So many lines were drawn last.
        drawn: usize,
    },
    /// Line after line.
    Lines(Table),
    /// Documents or names.
    Program,
}

impl View {
    fn of(desk: &Desk) -> Self {
        let tabular = matches!(desk.globals.output, Output::Table | Output::Wide);
        match (tabular, desk.terminal.abilities.out_tty) {
            (false, _) => Self::Program,
            (true, true) => Self::Screen { rows: BTreeMap::new(), drawn: 0 },
            (true, false) => {
                let mut table = Table::new(
                    &["TIME", "VM", "CPU", "MEMORY", "READ/S", "WRITTEN/S", "RECEIVED/S", "SENT/S"],
                    desk.paint(),
                );
                let room = ["2026-01-01T00:00:00Z", "                ", "100.0%", "1023.9MiB", "1023.9KiB"];
                table.fit(&room.map(Cell::from));
                Self::Lines(table)
            }
        }
    }

    fn begin(&self, desk: &mut Desk) -> Result<(), Error> {
        match self {
            Self::Lines(table) => desk.answer(&table.head()),
            Self::Screen { .. } | Self::Program => Ok(()),
        }
    }

    fn take(&mut self, desk: &mut Desk, lines: &[UsageLine]) -> Result<(), Error> {
        let text = match self {
            Self::Lines(table) => lines.iter().map(|line| plain(table, line)).collect(),
            Self::Program => lines.iter().map(|line| for_programs(desk, line)).collect(),
            Self::Screen { rows, drawn } => {
                remember(rows, lines);
                screen(desk, rows, drawn)
            }
        };
        desk.answer(&text)
    }
}

fn for_programs(desk: &Desk, line: &UsageLine) -> String {
    match desk.form() {
        Some(form) => document(desk, Item::Usage(line), form),
        None => format!("{}\n", line.subject.name),
    }
}

fn plain(table: &mut Table, line: &UsageLine) -> String {
    let [memory, rates @ ..] = rates(line);
    let mut row: Vec<Cell> = vec![moment(line.to).into(), line.subject.name.as_str().into()];
    row.push(percent(share(line)).into());
    row.push(memory.into());
    row.extend(rates.map(Cell::from));
    table.fit(&row);
    table.line(&row)
}

/// An amount as it would be of a second.
fn each_second(line: &UsageLine, figure: Figure) -> u64 {
    let nanos = line.to.since(line.from).as_nanos().max(1);
    let amount = u128::from(line.amounts[figure]) * 1_000_000_000 / nanos;
    u64::try_from(amount).unwrap_or(u64::MAX)
}

/// The share of one processor, in tenths of a percent.
fn share(line: &UsageLine) -> u64 {
    each_second(line, Figure::Cpu) / 1_000_000
}

/// Memory, and what is transferred in a second.
fn rates(line: &UsageLine) -> [String; 5] {
    [Figure::MemoryResident, Figure::DiskRead, Figure::DiskWritten, Figure::NetReceived, Figure::NetSent]
        .map(|figure| bytes(each_second(line, figure)))
}

/// Takes a second up; a VM that was not measured for as long as bars are shown is no more.
fn remember(rows: &mut BTreeMap<InstanceId, Row>, lines: &[UsageLine]) {
    let mut now: BTreeMap<InstanceId, u64> = BTreeMap::new();
    for line in lines {
        let subject = &line.subject;
        now.insert(subject.instance, share(line));
        let named = (subject.project.clone(), subject.name.clone());
        let shares = VecDeque::from([None; BARS]);
        let row = rows.entry(subject.instance).or_insert(Row { named, last: Vec::new(), shares });
        row.last = std::iter::once(percent(share(line))).chain(rates(line)).collect();
    }
    for (instance, row) in rows.iter_mut() {
        row.shares.pop_front();
        row.shares.push_back(now.get(instance).copied());
    }
    rows.retain(|_, row| row.shares.iter().any(Option::is_some));
}

/// The table, over what was drawn last.
fn screen(desk: &Desk, rows: &BTreeMap<InstanceId, Row>, drawn: &mut usize) -> String {
    let (columns, height) = {
        let size = desk.terminal.size.borrow();
        (usize::from(size.columns), usize::from(size.rows))
    };
    let mut sorted: Vec<&Row> = rows.values().collect();
    sorted.sort_by(|one, other| one.named.cmp(&other.named));
    let top = sorted.iter().flat_map(|row| &row.shares).filter_map(|share| *share).max().unwrap_or(0).max(FULL);
    let room = height.saturating_sub(ROOM).max(1);
    let left_out = sorted.len().saturating_sub(room);
    // One of the lines then says how many there are more.
    sorted.truncate(if left_out > 0 { room - 1 } else { room });
    let heads = ["VM", "CPU", "LAST SECONDS", "MEMORY", "READ/S", "WRITTEN/S", "RECEIVED/S", "SENT/S"];
    let cells: Vec<Vec<Cell>> = sorted.iter().map(|row| cells(row, top)).collect();
    // Colours would be cut in the middle; the head gets its own after that.
    let table = Table::new(&heads, crate::show::paint::Paint::Plain).whole(&cells);
    let mut lines: Vec<String> = table.lines().map(|line| cut(line, columns)).collect();
    if let Some(head) = lines.first_mut() {
        *head = desk.paint().strong(head);
    }
    if left_out > 0 {
        lines.push(cut(&format!("… and {} more", left_out + 1), columns));
    }
    let up = if *drawn > 0 { format!("\x1b[{drawn}A\r\x1b[J") } else { String::new() };
    *drawn = lines.len();
    up + &lines.iter().map(|line| format!("{line}\n")).collect::<String>()
}

fn cells(row: &Row, top: u64) -> Vec<Cell> {
    let mut cells: Vec<Cell> = vec![row.named.1.as_str().into()];
    let mut last = row.last.iter();
    cells.push(last.next().map(String::as_str).unwrap_or_default().into());
    cells.push(sparkline(row.shares.iter().copied(), top).into());
    cells.extend(last.map(|text| Cell::from(text.as_str())));
    cells
}

/// A line that wraps could not be drawn over.
fn cut(line: &str, columns: usize) -> String {
    line.chars().take(columns.saturating_sub(1)).collect()
}
