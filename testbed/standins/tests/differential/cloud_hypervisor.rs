//! Cloud Hypervisor: every endpoint, well used and badly.

mod tables;

use crate::rows::{Call, Row, Side, compare, json_error, real};
use std::path::Path;
use tables::{A_LIFE, CONFIGURATIONS, HOW_IT_IS_ASKED, WITHOUT_A_VM, WRONG_CONFIGURATIONS};
use weft_standins::play::{Answer, Played, within};

/// The class of an error: what a client can go by, not the wording.
fn class(answer: &Answer) -> String {
    let value = answer.json();
    let Some(chain) = value.as_array() else {
        return if answer.body.contains("\"error\"") { "http".to_owned() } else { answer.body.clone() };
    };
    let text: Vec<_> = chain.iter().filter_map(|part| part.as_str()).collect();
    let text = text.join(": ").to_lowercase();
    if text.contains("deserial") {
        return format!("json: {}", json_error(&text).unwrap_or_default());
    }
    let marks = [
        ("bad request", "bad request"),
        ("not found", "not found"),
        ("is not unique", "not unique"),
        ("no bootitem", "no payload"),
        ("validate config", "invalid"),
        ("vm is not created", "not created"),
        ("config is missing", "no config"),
        ("vm is not running", "not running"),
        ("already created", "already created"),
        ("invalid transition", "transition"),
        ("identifier", "unknown device"),
        ("no device with", "unknown device"),
        ("not allowed to remove", "own device"),
        ("cannot open kernel", "kernel"),
        ("exceed maximum", "too many vcpus"),
        ("not a valid size", "size"),
        ("not a directory", "folder"),
        ("lock", "lock"),
    ];
    let known = marks.iter().find(|(mark, _)| text.contains(mark));
    known.map_or_else(|| "other".to_owned(), |(_, class)| (*class).to_owned())
}

fn words(folder: &Path) -> Vec<String> {
    vec!["--api-socket".to_owned(), format!("path={}", folder.join("api.sock").display())]
}

/// The version that the API tells; what `--version` prints of a build between releases is none.
fn version(program: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    let words = words(folder.path());
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let mut played = Played::start(program, folder.path(), &words, &[]).unwrap();
    played.ready().unwrap();
    let told = played.call("GET", "/api/v1/vmm.ping", "").unwrap().json();
    told["version"].as_str().unwrap_or_default().to_owned()
}

fn both(rows: &[Row]) {
    let found = real("WEFT_CLOUD_HYPERVISOR", "cloud-hypervisor");
    let version = found.as_deref().map_or_else(|| "54.0.0".to_owned(), version);
    let side = |program: &Path| Side { program: program.to_owned(), version: version.clone(), words, class };
    let stand_in = side(Path::new(env!("CARGO_BIN_EXE_standin-cloud-hypervisor")));
    let real = found.as_deref().map(side);
    if real.is_none() {
        println!("skipped: no cloud-hypervisor binary to compare the stand-in with");
    }
    let differences = compare(&stand_in, real.as_ref(), rows);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn without_a_vm() {
    both(WITHOUT_A_VM);
}

#[test]
fn how_it_is_asked() {
    both(HOW_IT_IS_ASKED);
}

#[test]
fn configurations() {
    both(CONFIGURATIONS);
}

#[test]
fn wrong_configurations() {
    both(WRONG_CONFIGURATIONS);
}

#[test]
fn a_life() {
    both(A_LIFE);
}

/// What a program tells on its event monitor while these calls are made; devices' own events are left out, for
/// the idle kernel drives none.
fn events(program: &Path, version: &str, calls: &[Call], least: usize) -> Vec<String> {
    let folder = crate::rows::stage();
    let home = folder.path().display().to_string();
    let mut words = words(folder.path());
    words.extend(["--event-monitor".to_owned(), format!("path={home}/events")]);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let mut played = Played::start(program, folder.path(), &words, &[("STANDIN_VERSION", version)]).unwrap();
    played.ready().unwrap();
    for (method, path, body, _) in calls {
        played.call(method, path, &body.replace("DIR", &home)).unwrap();
    }
    let mut told = Vec::new();
    // The real program writes events beside the API, so the last may come after the last reply.
    let _ = within(|| {
        told = read_events(&folder.path().join("events"));
        told.len() >= least
    });
    told
}

fn read_events(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let events = text.split("\n\n").filter_map(|event| serde_json::from_str::<serde_json::Value>(event).ok());
    let events = events.filter(|event| event["source"] != "virtio-device");
    events.map(|event| format!("{} {} {}", event["source"], event["event"], event["properties"])).collect()
}

#[test]
fn the_same_is_told_of_every_life() {
    let stand_in = Path::new(env!("CARGO_BIN_EXE_standin-cloud-hypervisor"));
    let Some(real) = real("WEFT_CLOUD_HYPERVISOR", "cloud-hypervisor") else {
        println!("skipped: no cloud-hypervisor binary to compare the stand-in with");
        return;
    };
    let version = version(&real);
    // The real program may end before it has written its last event, so what ends it is not compared.
    let lasting = |(name, _): &&Row| *name != "shutdown of the vmm";
    for (name, calls) in A_LIFE.iter().chain(WITHOUT_A_VM).filter(lasting) {
        let mine = events(stand_in, &version, calls, 1);
        assert_eq!(events(&real, &version, calls, mine.len()), mine, "{name}");
    }
}
