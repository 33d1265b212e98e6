//! What commands say and how they end: forms of answers, exit codes, manifests, an absent server.

use crate::{found, well, words};
use std::process::Command;
use weft_testbed::daemon::{Daemon, program};

const MANIFEST: &str = "kind: Vm\nname: shop\nlabels: {app: shop}\nspec:\n  memory: {sizeBytes: 134217728}\n";

#[test]
fn answers_have_the_form_that_was_asked_for() {
    let daemon = Daemon::start(&[]).expect("weft is up");
    let weft = |words: &[&str]| well(daemon.client_command().args(words));
    let file = daemon.data_dir().with_file_name("shop.yaml");
    std::fs::write(&file, MANIFEST).expect("written");
    let file = file.display().to_string();
    assert!(weft(&["vm", "create", "-f", &file, "--dry-run"]).contains("would be created"));
    assert!(weft(&["apply", "-f", &file]).contains("is created"));
    assert!(weft(&["apply", "-f", &file]).contains("as it should be"));
    for noun in ["vm", "node", "event"] {
        let json: serde_json::Value = serde_json::from_str(&weft(&[noun, "list", "-o", "json"])).expect("JSON");
        assert_eq!(json["kind"], "List");
        assert!(!json["items"].as_array().expect("items").is_empty(), "{noun}");
        assert!(weft(&[noun, "list", "-o", "yaml"]).starts_with("kind: List\n"));
        let rows = weft(&[noun, "list"]).lines().count();
        assert_eq!(weft(&[noun, "list", "-o", "wide"]).lines().count(), rows, "{noun}");
        assert_eq!(weft(&[noun, "list", "-o", "name"]).lines().count() + 1, rows, "{noun}");
    }
    assert_eq!(weft(&["vm", "list", "-o", "name"]), "shop\n");
}

#[test]
fn every_refusal_says_what_and_ends_with_its_code() {
    let daemon = Daemon::start(&[]).expect("weft is up");
    well(daemon.client_command().args(["vm", "create", "web"]));
    let rows: &[(&[&str], i32, &str)] = &[
        (&["vm", "get", "nobody"], 3, "try: `weft vm list`"),
        (&["vm", "create", "web"], 4, "is taken in project default"),
        (&["vm", "pause", "web"], 5, "PHASE_FORBIDS"),
        (&["vm", "create", "x", "--kernel", "/etc/passwd"], 6, "outside of the allowed roots"),
        (&["vm", "create", "x", "--memory", "1"], 2, "a unit is missing"),
        (&["vm", "create", "Bad_Name"], 2, "begin with a letter"),
        (&["vm", "create", "x", "--nic", "network=lan"], 11, "FIELD_UNSUPPORTED"),
        (&["vm", "list", "--filter", "colour = red"], 6, "there is no field"),
        (&["vm", "wait", "web", "--for", "RUNNING", "--timeout", "1s"], 9, "not yet"),
    ];
    for (arguments, code, part) in rows {
        let output = daemon.client_command().args(*arguments).output().expect("run");
        assert_eq!(output.status.code(), Some(*code), "{arguments:?}: {}", words(&output));
        assert!(words(&output).contains(part), "{arguments:?}: {}", words(&output));
        assert!(output.stdout.is_empty(), "errors go to standard error");
    }
}

#[test]
fn nobody_at_home_is_told_with_the_address() {
    let mut daemon = Daemon::start(&[]).expect("weft is up");
    let url = daemon.url();
    daemon.terminate().expect("ended");
    let output = daemon.client_command().args(["vm", "list"]).output().expect("run");
    assert_eq!(output.status.code(), Some(8));
    let said = words(&output);
    assert!(said.contains(&format!("weft does not answer: connection refused (asked {url})")), "{said}");
    assert!(said.contains("`weft up` starts it"), "{said}");
    let down = daemon.command().arg("down").output().expect("run");
    assert!(!down.status.success() && words(&down).contains("`weft up` starts one"), "{}", words(&down));
}

#[test]
fn pages_and_completions_can_be_used() {
    let weft = |words: &[&str]| well(Command::new(program()).args(words));
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    weft(&["internal", "man", &at("man")]);
    weft(&["internal", "completions", &at("completions")]);
    if found("bash") {
        well(Command::new("bash").arg("-n").arg(at("completions/weft.bash")));
    }
    if found("man") {
        let said = well(Command::new("man").arg("-l").arg(at("man/weft-vm-create.1")).env("MANPAGER", "cat"));
        assert!(said.contains("--memory"), "{said}");
    }
    let checked =
        well(Command::new(program()).args(["config", "check"]).env("UNKEY_METALD_PORT", "9999").env("HOME", "/"));
    assert!(checked.contains("UNKEY_METALD_PORT is read as server.listen = 127.0.0.1:9999"), "{checked}");
}
