//! Snapshots as rows and as pages.

use super::describe::Sheet;
use super::escapes::printable;
use super::table::Cell;
use super::units::{age, bytes, moment};
use std::fmt::Write as _;
use weft_domain::Time;
use weft_domain::snapshot::{Part, Role, Scope, Snapshot};

/// The heads of a row, the last three only where it is wide.
pub(crate) const COLUMNS: [&str; 9] = ["NAME", "VM", "PHASE", "SCOPE", "SIZE", "AGE", "ID", "DRIVER", "NODE"];

/// One snapshot as a row, with all columns.
pub(crate) fn row(snapshot: &Snapshot, now: Time) -> Vec<Cell> {
    vec![
        snapshot.name.as_str().into(),
        snapshot.instance_name.as_str().into(),
        snapshot.phase.as_str().into(),
        scope(snapshot.scope).into(),
        bytes(snapshot.content.bytes()).into(),
        age(now.since(snapshot.create_time)).into(),
        snapshot.id.to_string().into(),
        snapshot.content.driver.as_str().into(),
        snapshot.node.to_string().into(),
    ]
}

/// One snapshot as a page.
pub(crate) fn describe(snapshot: &Snapshot, now: Time) -> String {
    let mut sheet = Sheet::new();
    let since = |at: Time| format!("{} ({} ago)", moment(at), age(now.since(at)));
    sheet.line("Name", snapshot.name.as_str());
    sheet.line("Id", &snapshot.id.to_string());
    sheet.line("Project", snapshot.project.as_str());
    let labels: Vec<_> = snapshot.labels.as_map().iter().map(|(key, value)| format!("{key}={value}")).collect();
    sheet.line("Labels", &labels.join(", "));
    sheet.line("VM", &format!("{} ({})", snapshot.instance_name, snapshot.instance));
    sheet.line("Phase", snapshot.phase.as_str());
    sheet.line("Why", &printable(&snapshot.message));
    sheet.line("Node", &snapshot.node.to_string());
    sheet.line("Scope", scope(snapshot.scope));
    sheet.line("Parent", &snapshot.parent.map(|id| id.to_string()).unwrap_or_default());
    sheet.line("Asked for", &since(snapshot.create_time));
    sheet.line("Taken", &snapshot.content.taken.map(since).unwrap_or_default());
    sheet.line("Driver", &snapshot.content.driver);
    sheet.block("Parts", &snapshot.content.parts.iter().map(part).collect::<Vec<_>>());
    sheet.text()
}

fn part(part: &Part) -> String {
    let role = match &part.role {
        Role::Memory => "memory".to_owned(),
        Role::State => "state".to_owned(),
        Role::Config => "config".to_owned(),
        Role::Disk(name) => format!("disk {name}"),
    };
    let sum = part.sha256.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    format!("{role:<12} {:>8}  sha256 {sum}", bytes(part.bytes))
}

const fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Full => "full",
        Scope::Difference => "difference",
        Scope::Disks => "disks",
        Scope::Internal => "internal",
    }
}
