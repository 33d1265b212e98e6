//! Firecracker: every endpoint, well used and badly.

mod tables;

use crate::rows::{Row, Side, compare, field, json_error, real, version};
use std::path::Path;
use tables::{
    A_MACHINE_IS_CONFIGURED, BALLOONS_AND_METADATA, BEFORE_AND_AFTER_THE_START, DEVICES_COME_AND_GO_WITH_PCI,
    DEVICES_STAND_BESIDE_EACH_OTHER, MEMORY_THAT_CAN_BE_PLUGGED, NICS, SNAPSHOTS_ARE_MADE_AND_LOADED,
    WHAT_IS_ASKED_AND_HOW_IT_IS_ASKED,
};
use weft_standins::play::Answer;

/// The class of an error: what a client can go by, not the wording.
fn class(answer: &Answer) -> String {
    let text = field(&answer.json(), "fault_message");
    if text.is_empty() {
        return if answer.body.contains("\"error\"") { "http".to_owned() } else { answer.body.clone() };
    }
    let lower = text.to_lowercase();
    if lower.contains("json body") {
        return format!("json: {}", json_error(&text).unwrap_or_default());
    }
    let marks = [
        ("not supported after starting", "started"),
        ("not supported before starting", "not started"),
        ("invalid request method and/or path", "path"),
        ("unrecognized", "path"),
        ("missing snapshot operation", "path"),
        ("empty put request", "empty"),
        ("empty patch request", "empty"),
        ("request cannot have a body", "body"),
        ("id cannot be empty", "no id"),
        ("alphanumeric", "bad id"),
        ("does not match the id", "other id"),
    ];
    if let Some((_, class)) = marks.iter().find(|(mark, _)| lower.contains(mark)) {
        return (*class).to_owned();
    }
    text.split(':').next().unwrap_or_default().trim_end_matches('.').to_owned()
}

fn words(folder: &Path, more: &[&str]) -> Vec<String> {
    let socket = folder.join("api.sock").display().to_string();
    let log = folder.join("log").display().to_string();
    let fixed = ["--api-sock", &socket, "--id", "vm-1", "--log-path", &log];
    fixed.iter().chain(more).map(ToString::to_string).collect()
}

fn both(words: fn(&Path) -> Vec<String>, rows: &[Row]) {
    let found = real("WEFT_FIRECRACKER", "firecracker");
    let version = found.as_deref().map_or_else(|| "1.17.0-dev".to_owned(), version);
    let side = |program: &Path| Side { program: program.to_owned(), version: version.clone(), words, class };
    let stand_in = side(Path::new(env!("CARGO_BIN_EXE_standin-firecracker")));
    let real = found.as_deref().map(side);
    if real.is_none() {
        println!("skipped: no firecracker binary to compare the stand-in with");
    }
    let differences = compare(&stand_in, real.as_ref(), rows);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn what_is_asked_and_how_it_is_asked() {
    both(|folder| words(folder, &[]), WHAT_IS_ASKED_AND_HOW_IT_IS_ASKED);
}

#[test]
fn a_machine_is_configured() {
    both(|folder| words(folder, &[]), A_MACHINE_IS_CONFIGURED);
}

#[test]
fn devices_stand_beside_each_other() {
    both(|folder| words(folder, &[]), DEVICES_STAND_BESIDE_EACH_OTHER);
}

#[test]
fn memory_that_can_be_plugged() {
    both(|folder| words(folder, &[]), MEMORY_THAT_CAN_BE_PLUGGED);
}

#[test]
fn balloons_and_metadata() {
    both(|folder| words(folder, &["--mmds-size-limit", "200"]), BALLOONS_AND_METADATA);
}

#[test]
fn before_and_after_the_start() {
    both(|folder| words(folder, &[]), BEFORE_AND_AFTER_THE_START);
}

#[test]
fn devices_come_and_go_with_pci() {
    both(|folder| words(folder, &["--enable-pci"]), DEVICES_COME_AND_GO_WITH_PCI);
}

#[test]
fn snapshots_are_made_and_loaded() {
    both(|folder| words(folder, &[]), SNAPSHOTS_ARE_MADE_AND_LOADED);
}

#[test]
fn nics_have_taps() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: taps are made by root alone");
        return;
    }
    both(|folder| words(folder, &[]), NICS);
}
