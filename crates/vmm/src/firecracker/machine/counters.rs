//! Counters of a machine, added up from what Firecracker writes.
//!
//! Most of its figures count from the last line on, and are added; those that tell how something is just now
//! are no counters and are passed over. What was added up is kept in a file, so that whoever adopts the
//! machine counts on, and is in memory only from when a line comes until it is kept: ten thousand machines
//! would hold hundreds of megabytes. A line that was lost because nobody read for long is lost to the sum.

use crate::firecracker::model::name;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;
use weft_ports::hypervisor::Counters;

/// The longest line that is read, in bytes; one of a machine with all devices is a tenth of it.
pub(super) const MAX_LINE: usize = 1 << 20;
/// So many groups are kept, each of so many figures, with names no longer than this: a machine with all
/// devices has a tenth of it, and a Firecracker that was taken over says what it likes.
const MOST: (usize, usize, usize) = (512, 512, 128);
/// Groups of figures that belong to one device, by the beginning of their name.
const DEVICES: [&str; 4] = ["vhost_user_block_", "block_", "net_", "pmem_"];
/// Groups whose figures tell how something is.
const LEVELS: [&str; 2] = ["latencies_us", "api_server"];
/// Single figures that do.
const LEVEL: [(&str, &str); 2] = [("vmm", "panic_count"), ("seccomp", "num_faults")];
/// Groups that only repeat those of the devices, or are of no use.
const PASSED_OVER: [&str; 4] = ["block", "net", "pmem", "utc_timestamp_ms"];

/// What nobody asked for is kept this long after it came; more that comes meanwhile is kept with it.
const KEPT_AFTER: Duration = Duration::from_secs(1);

/// What a machine's figures come to, and where that is kept.
pub(super) struct Tally {
    /// Absent where the file has all of it.
    sum: Option<Counters>,
    path: PathBuf,
    due: Option<Instant>,
}

impl Tally {
    /// Goes on from what was kept by those before.
    pub(super) const fn of(path: PathBuf) -> Self {
        Self { sum: None, path, due: None }
    }

    /// What they come to.
    pub(super) fn sum(&mut self) -> &mut Counters {
        self.sum.get_or_insert_with(|| kept(&self.path))
    }

    /// Adds one line, and tells when it was written; `None` where it is no line of figures. Nothing is kept
    /// yet, for a Firecracker that was taken over may write as many as it likes.
    pub(super) fn add(&mut self, line: &[u8]) -> Option<u64> {
        let at = add(self.sum(), line)?;
        self.due.get_or_insert_with(|| Instant::now() + KEPT_AFTER);
        Some(at)
    }

    /// When it must be kept; `None` where all of it is.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Keeps it, where it is not. What cannot be kept stays in memory.
    pub(super) fn keep(&mut self) {
        let due = self.due.take().is_some();
        if self.sum.as_ref().is_none_or(|sum| !due || keep(&self.path, sum)) {
            self.sum = None;
        }
    }
}

/// Adds one line, and tells when it was written; `None` where it is no line of figures.
fn add(sum: &mut Counters, line: &[u8]) -> Option<u64> {
    let Ok(Value::Object(groups)) = serde_json::from_slice(line) else { return None };
    for (group, figures) in &groups {
        if let (Value::Object(figures), false) = (figures, PASSED_OVER.contains(&group.as_str())) {
            add_group(sum, group, figures);
        }
    }
    Some(groups.get("utc_timestamp_ms").and_then(Value::as_u64).unwrap_or_default())
}

fn add_group(sum: &mut Counters, group: &str, figures: &Map<String, Value>) {
    let device = DEVICES.iter().find_map(|begin| group.strip_prefix(begin)).map(name);
    if LEVELS.contains(&group) {
        return;
    }
    let group_name = device.unwrap_or_else(|| group.to_owned());
    if group_name.len() > MOST.2 || (sum.len() >= MOST.0 && !sum.contains_key(&group_name)) {
        return;
    }
    let into = sum.entry(group_name).or_default();
    for (figure, value) in figures {
        match value {
            Value::Number(number) => put(into, group, figure, number.as_u64()),
            Value::Object(parts) => {
                for (part, number) in parts {
                    put(into, group, &format!("{figure}.{part}"), number.as_u64());
                }
            }
            Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) => {}
        }
    }
}

fn put(into: &mut std::collections::BTreeMap<String, u64>, group: &str, figure: &str, value: Option<u64>) {
    let fits = figure.len() <= MOST.2 && (into.len() < MOST.1 || into.contains_key(figure));
    if let (Some(value), true) = (value, fits && !is_level(group, figure)) {
        let sum = into.entry(figure.to_owned()).or_default();
        *sum = sum.saturating_add(value);
    }
}

fn is_level(group: &str, figure: &str) -> bool {
    LEVEL.contains(&(group, figure))
        || (group == "signals" && figure != "sigpipe")
        || ["_time_us", ".min_us", ".max_us"].iter().any(|end| figure.ends_with(end))
}

/// What was added up by those before; nothing where it cannot be read.
fn kept(path: &Path) -> Counters {
    std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// Keeps it for those after; whether that went well. Failing costs them the figures until now.
fn keep(path: &Path, sum: &Counters) -> bool {
    let part = path.with_extension("new");
    let text = serde_json::to_vec(sum).unwrap_or_default();
    let done = std::fs::write(&part, text).and_then(|()| std::fs::rename(&part, path));
    if let Err(error) = &done {
        tracing::debug!(%error, path = %path.display(), "counters are not kept");
        let _ = std::fs::remove_file(&part);
    }
    done.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_from_line_to_line_is_added() {
        let line = br#"{"utc_timestamp_ms": 5, "id": "x",
            "block": {"read_bytes": 7}, "block_root_2": {"read_bytes": 7, "read_agg": {"min_us": 3, "max_us": 9, "sum_us": 12}},
            "net_nic0": {"rx_bytes_count": 4}, "latencies_us": {"pause_vm": 11}, "vmm": {"panic_count": 0},
            "signals": {"sigpipe": 1, "sighup": 1}, "vcpu": {"exit_io_in": -1, "exit_io_out": 3}}"#;
        let mut sum = Counters::new();
        assert_eq!((add(&mut sum, line), add(&mut sum, line)), (Some(5), Some(5)));
        let of = |device: &str, name: &str| sum[device][name];
        assert_eq!((of("root-2", "read_bytes"), of("nic0", "rx_bytes_count"), of("vcpu", "exit_io_out")), (14, 8, 6));
        assert_eq!((of("root-2", "read_agg.sum_us"), of("signals", "sigpipe")), (24, 2));
        assert!(!sum["root-2"].contains_key("read_agg.max_us") && !sum["signals"].contains_key("sighup"));
        assert!(!sum.contains_key("block") && !sum.contains_key("latencies_us"));
        assert!(!sum["vcpu"].contains_key("exit_io_in"), "what is no count");
    }

    #[test]
    fn one_who_was_taken_over_fills_nothing() {
        let mut sum = Counters::new();
        let long = "x".repeat(1000);
        for n in 0..2 * MOST.0 {
            assert!(add(&mut sum, format!(r#"{{"g{n}": {{"f": 1}}, "one": {{"f{n}": 1}}}}"#).as_bytes()).is_some());
            assert!(add(&mut sum, format!(r#"{{"{long}": {{"f": 1}}, "one": {{"{long}": 1}}}}"#).as_bytes()).is_some());
        }
        assert!(sum.len() <= MOST.0 && sum["one"].len() <= MOST.1);
        assert!(!sum.contains_key(&long) && !sum["one"].contains_key(&long));
    }

    #[tokio::test(start_paused = true)]
    async fn lines_are_kept_together() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("counters");
        let mut tally = Tally::of(path.clone());
        let first = Instant::now();
        for _ in 0..1_000 {
            assert!(tally.add(br#"{"uart": {"write_count": 1}}"#).is_some());
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert_eq!((tally.due(), path.exists()), (Some(first + KEPT_AFTER), false), "however many come");
        tally.keep();
        assert_eq!((tally.due(), kept(&path)["uart"]["write_count"]), (None, 1_000));
        std::fs::remove_file(&path).unwrap();
        tally.keep();
        assert!(!path.exists(), "nothing has come since");
        assert!(tally.add(b"{").is_none() && tally.due().is_none());
    }

    #[test]
    fn what_is_no_line_of_figures_is_passed_over() {
        let mut sum = Counters::new();
        for line in [&b""[..], b"{", b"[]", b"\"net\"", b"\xff\xfe", br#"{"a": 1}"#] {
            add(&mut sum, line);
        }
        assert!(sum.is_empty());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("counters");
        assert!(kept(&path).is_empty());
        add(&mut sum, br#"{"uart": {"write_count": 3}}"#);
        keep(&path, &sum);
        assert_eq!(kept(&path), sum);
        std::fs::write(&path, "{").unwrap();
        assert!(kept(&path).is_empty());
    }
}
