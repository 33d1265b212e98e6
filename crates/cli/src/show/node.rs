//! Nodes as rows and as pages.

use super::describe::Sheet;
use super::table::Cell;
use super::units::{age, bytes, moment};
use weft_domain::Time;
use weft_domain::capability::Capabilities;
use weft_domain::node::Node;

/// The heads of a row, the last three only where it is wide.
pub(crate) const COLUMNS: [&str; 9] = ["NAME", "CPUS", "MEMORY", "DRIVERS", "CGROUPS", "AGE", "ID", "KERNEL", "WEFT"];

/// One node as a row, with all columns.
pub(crate) fn row(node: &Node, now: Time) -> Vec<Cell> {
    let facts = &node.facts;
    let drivers: Vec<_> = facts.drivers.iter().map(|driver| driver.driver.as_str()).collect();
    let memory = format!("{}/{}", bytes(facts.allocatable_memory_bytes), bytes(facts.memory_bytes));
    vec![
        node.name.as_str().into(),
        facts.cpus.to_string().into(),
        memory.into(),
        drivers.join(",").into(),
        facts.cgroups.as_str().into(),
        age(now.since(facts.agent_start)).into(),
        node.id.to_string().into(),
        facts.kernel.as_str().into(),
        facts.weft_version.as_str().into(),
    ]
}

/// One node as a page.
pub(crate) fn describe(node: &Node, now: Time) -> String {
    let facts = &node.facts;
    let mut sheet = Sheet::new();
    let since = |at: Time| format!("{} ({} ago)", moment(at), age(now.since(at)));
    sheet.line("Name", node.name.as_str());
    sheet.line("Id", &node.id.to_string());
    let labels: Vec<_> = node.labels.as_map().iter().map(|(key, value)| format!("{key}={value}")).collect();
    sheet.line("Labels", &labels.join(", "));
    sheet.line("First seen", &since(node.create_time));
    sheet.line("Agent", &format!("weft {}, since {}", facts.weft_version, since(facts.agent_start)));
    sheet.line("Kernel", &format!("{} {}", facts.kernel, facts.architecture));
    sheet.line("CPUs", &facts.cpus.to_string());
    let (ours, all) = (bytes(facts.allocatable_memory_bytes), bytes(facts.memory_bytes));
    sheet.line("Memory", &format!("{ours} for VMs, of {all}"));
    sheet.line("Disk", &format!("{} for VMs", bytes(facts.allocatable_disk_bytes)));
    sheet.line("Cgroups", &facts.cgroups);
    for driver in &facts.drivers {
        sheet.block(&format!("Driver {} {}", driver.driver, driver.version), &abilities(driver));
    }
    sheet.block("Warnings", &facts.warnings);
    sheet.text()
}

/// What a driver can do, in groups.
fn abilities(driver: &Capabilities) -> Vec<String> {
    let names: Vec<_> = driver.features.iter().map(|feature| spelled(&format!("{feature:?}"))).collect();
    let mut lines: Vec<String> = driver.notes.iter().map(|note| format!("note: {note}")).collect();
    for (group, _) in GROUPS {
        let mut head = format!("{group}:");
        let mut line = String::new();
        for name in names.iter().filter(|name| group_of(name) == group) {
            if line.len() + name.len() > 76 {
                lines.push(format!("{head:<14}{line}"));
                (head, line) = (String::new(), String::new());
            }
            line += &format!("{name} ");
        }
        if !line.is_empty() {
            lines.push(format!("{head:<14}{line}"));
        }
    }
    lines
}

/// Groups of features, each with what their names begin with; the last has all others.
const GROUPS: [(&str, &[&str]); 10] = [
    ("machines", &["machine=", "accelerator="]),
    ("cpu", &["cpu-", "core-", "numa"]),
    ("memory", &["memory-", "huge-", "shared-", "mergeable-", "prefault", "transparent-", "balloon", "free-page-"]),
    ("boots", &["kernel", "initramfs", "firmware", "default-image", "named-image"]),
    ("disks", &["disk-", "queue-pinning"]),
    ("interfaces", &["nic-"]),
    ("as it runs", &["live-", "pause", "reset", "ask-to-stop", "nmi", "counters", "tells-", "guest-agent", "migrate"]),
    ("snapshots", &["snapshot-", "fork"]),
    ("readiness", &["readiness-"]),
    ("more", &[]),
];

fn group_of(name: &str) -> &'static str {
    let begins = |(_, prefixes): &&(&str, &[&str])| prefixes.iter().any(|prefix| name.starts_with(prefix));
    GROUPS.iter().find(begins).map_or("more", |(group, _)| group)
}

/// `Machine(Q35)` as `machine=q35`, `NicUser` as `nic-user`.
fn spelled(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        match c {
            '(' => text.push('='),
            ')' => {}
            c if c.is_ascii_uppercase() => {
                if !text.is_empty() && !text.ends_with('=') {
                    text.push('-');
                }
                text.push(c.to_ascii_lowercase());
            }
            c => text.push(c),
        }
    }
    text
}
