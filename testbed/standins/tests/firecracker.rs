//! The stand-in of Firecracker: its guest, its files, its limits, what goes wrong on request.
#![expect(clippy::unwrap_used, reason = "whatever a test needs has to be there")]

use serde_json::{Value, json};
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use weft_standins::play::{Played, answer, idle_kernel, kernel, request, within};

const PROGRAM: &str = env!("CARGO_BIN_EXE_standin-firecracker");

struct Scene {
    folder: TempDir,
    played: Played,
}

fn stage(environment: &[(&str, &str)]) -> Scene {
    stage_in(tempfile::Builder::new().prefix("weft-").tempdir().unwrap(), environment)
}

fn stage_in(folder: TempDir, environment: &[(&str, &str)]) -> Scene {
    let socket = folder.path().join("api.sock");
    let log = folder.path().join("log").display().to_string();
    let words = ["--api-sock", &socket.display().to_string(), "--id", "vm-1", "--log-path", &log];
    let mut played = Played::start(Path::new(PROGRAM), folder.path(), &words, environment).unwrap();
    played.ready().unwrap();
    Scene { folder, played }
}

impl Scene {
    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.played.call(method, path, &body).unwrap();
        (answer.status, answer.json())
    }

    fn start(&self) {
        std::fs::write(self.at("kernel"), idle_kernel()).unwrap();
        let boot = json!({ "kernel_image_path": self.at("kernel") });
        assert_eq!(self.call("PUT", "/boot-source", &boot).0, 204);
        assert_eq!(self.call("PUT", "/actions", &json!({ "action_type": "InstanceStart" })).0, 204);
        self.played.hear("weft-tiny: ready").unwrap();
    }

    fn turn(&self, state: &str) {
        assert_eq!(self.call("PATCH", "/vm", &json!({ "state": state })).0, 204);
    }

    fn snapshot(&self) -> (u16, Value) {
        let to = json!({ "snapshot_path": self.at("state"), "mem_file_path": self.at("memory") });
        self.call("PUT", "/snapshot/create", &to)
    }

    fn load(&self, from: &Path) -> Value {
        let memory = json!({ "backend_type": "File", "backend_path": from.join("memory") });
        json!({ "snapshot_path": from.join("state"), "mem_backend": memory, "resume_vm": true })
    }
}

#[test]
fn the_guest_answers_and_its_end_is_the_process_end() {
    for (word, code) in [("poweroff", 0), ("reboot", 0), ("crash", 1)] {
        let mut scene = stage(&[]);
        scene.start();
        scene.played.say("ping").unwrap();
        scene.played.hear("pong").unwrap();
        scene.played.say(word).unwrap();
        assert_eq!(scene.played.ended().unwrap().code(), Some(code), "{word}");
    }
}

#[test]
fn the_keys_end_it_unless_they_are_ignored() {
    let keys = json!({ "action_type": "SendCtrlAltDel" });
    let mut scene = stage(&[]);
    scene.start();
    assert_eq!(scene.call("PUT", "/actions", &keys).0, 204);
    assert_eq!(scene.played.ended().unwrap().code(), Some(0));
    let mut scene = stage(&[("STANDIN_FAULTS", "ignore-shutdown")]);
    scene.start();
    assert_eq!(scene.call("PUT", "/actions", &keys).0, 204);
    scene.played.say("echo still here").unwrap();
    scene.played.hear("still here").unwrap();
}

#[test]
fn a_paused_guest_hears_later() {
    let mut scene = stage(&[]);
    scene.start();
    scene.turn("Paused");
    scene.played.say("echo later").unwrap();
    assert_eq!(scene.call("GET", "/", &Value::Null).1["state"], "Paused");
    assert!(!scene.played.output().contains("later"));
    scene.turn("Resumed");
    scene.played.hear("later").unwrap();
}

#[test]
fn a_snapshot_carries_the_guest() {
    let mut scene = stage(&[]);
    scene.start();
    scene.played.say("count").unwrap();
    scene.played.say("gen").unwrap();
    scene.played.hear("gen ").unwrap();
    let output = scene.played.output();
    let generation = output.lines().find(|line| line.starts_with("gen ")).unwrap().trim().to_owned();
    scene.turn("Paused");
    assert_eq!(scene.snapshot().0, 204);
    assert_eq!(std::fs::metadata(scene.at("memory")).unwrap().len(), 128 << 20);

    let mut other = stage(&[]);
    assert_eq!(other.call("PUT", "/snapshot/load", &other.load(scene.folder.path())), (204, Value::Null));
    assert_eq!(other.call("GET", "/", &Value::Null).1["state"], "Running");
    other.played.say("count").unwrap();
    other.played.say("gen").unwrap();
    other.played.hear("count 2").unwrap();
    other.played.hear(&generation).unwrap();
}

#[test]
fn a_snapshot_that_is_broken_ends_the_process() {
    let scene = stage(&[]);
    scene.start();
    scene.turn("Paused");
    assert_eq!(scene.snapshot().0, 204);
    let state = std::fs::read(scene.at("state")).unwrap();
    let breakers: [&dyn Fn(); 3] = [
        &|| std::fs::write(scene.at("state"), &state[..state.len() - 9]).unwrap(),
        &|| std::fs::File::options().write(true).open(scene.at("memory")).unwrap().set_len(4096).unwrap(),
        &|| std::fs::remove_file(scene.at("memory")).unwrap(),
    ];
    for breaker in breakers {
        std::fs::write(scene.at("state"), &state).unwrap();
        breaker();
        let mut other = stage(&[]);
        let (status, body) = other.call("PUT", "/snapshot/load", &other.load(scene.folder.path()));
        assert_eq!(status, 400, "{body}");
        assert!(body["fault_message"].as_str().unwrap().starts_with("Load snapshot error"), "{body}");
        assert_eq!(other.played.ended().unwrap().code(), Some(1));
    }
}

#[test]
fn nics_are_moved_when_a_snapshot_is_loaded() {
    let scene = stage(&[]);
    let nic = json!({ "iface_id": "eth0", "host_dev_name": "tap0" });
    assert_eq!(scene.call("PUT", "/network-interfaces/eth0", &nic).0, 204);
    scene.start();
    scene.turn("Paused");
    assert_eq!(scene.snapshot().0, 204);
    let other = stage(&[]);
    let mut load = other.load(scene.folder.path());
    load["network_overrides"] = json!([{ "iface_id": "eth0", "host_dev_name": "tap9" }]);
    assert_eq!(other.call("PUT", "/snapshot/load", &load).0, 204);
    let config = other.call("GET", "/vm/config", &Value::Null).1;
    assert_eq!(config["network-interfaces"][0]["host_dev_name"], "tap9");
    let mut other = stage(&[]);
    load["network_overrides"] = json!([{ "iface_id": "eth9", "host_dev_name": "tap9" }]);
    assert_eq!(other.call("PUT", "/snapshot/load", &load).0, 400);
    assert_eq!(other.played.ended().unwrap().code(), Some(1));
}

#[test]
fn a_full_disk_ends_a_snapshot_early() {
    let scene = stage(&[("STANDIN_FAULTS", "fill-disk")]);
    scene.start();
    scene.turn("Paused");
    let (status, body) = scene.snapshot();
    assert_eq!(status, 400);
    assert!(body["fault_message"].as_str().unwrap().contains("No space left"), "{body}");
    assert_eq!(scene.call("GET", "/", &Value::Null).1["state"], "Paused");
}

#[test]
fn metrics_are_what_was_counted_since_the_last_line() {
    let scene = stage(&[]);
    let metrics = json!({ "metrics_path": scene.at("metrics"), "emit_id": true });
    assert_eq!(scene.call("PUT", "/metrics", &metrics).0, 204);
    scene.start();
    let flush = json!({ "action_type": "FlushMetrics" });
    for _ in 0..2 {
        assert_eq!(scene.call("PUT", "/actions", &flush).0, 204);
    }
    let text = std::fs::read_to_string(scene.at("metrics")).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["id"], "vm-1");
    assert_eq!(lines[0]["put_api_requests"]["boot_source_count"], 1);
    assert_eq!(lines[1]["put_api_requests"]["boot_source_count"], 0);
    assert_eq!(lines[1]["put_api_requests"]["actions_count"], 1);
    assert_eq!(lines[1]["vsock"]["conns_added"], 0);
}

#[test]
fn a_handler_of_page_faults_is_told_what_is_mapped() {
    let scene = stage(&[]);
    scene.start();
    scene.turn("Paused");
    assert_eq!(scene.snapshot().0, 204);
    let listener = std::os::unix::net::UnixListener::bind(scene.at("uffd.sock")).unwrap();
    let other = stage(&[]);
    let mut load = other.load(scene.folder.path());
    load["mem_backend"] = json!({ "backend_type": "Uffd", "backend_path": scene.at("uffd.sock") });
    assert_eq!(other.call("PUT", "/snapshot/load", &load).0, 204);
    let (mut stream, _) = listener.accept().unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut stream, &mut text).unwrap();
    let mappings: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(mappings[0]["size"], 128 << 20);
}

#[test]
fn limits_hold() {
    let scene = stage(&[]);
    let large = json!({ "a": "x".repeat(51_200) }).to_string();
    let answered = scene.played.call("PUT", "/mmds", &large).unwrap();
    assert_eq!(answered.status, 400);
    assert!(answered.body.starts_with("{ \"error\": \"Request payload"), "{}", answered.body);
    assert!(answered.json().is_null(), "a raw newline is no JSON");

    // The connections before count until the server has seen them end.
    let mut open = Vec::new();
    within(|| {
        let mut stream = scene.played.connect().unwrap();
        let asked = stream.write_all(request("GET", "/", "").as_bytes()).and_then(|()| answer(&mut stream));
        if asked.is_ok_and(|told| told.status == 200) {
            open.push(stream);
        }
        open.len() == 10
    })
    .unwrap();
    let mut more = scene.played.connect().unwrap();
    let refused = answer(&mut more).unwrap();
    assert_eq!((refused.status, refused.json()["error"].as_str()), (503, Some("Too many open connections")));
}

#[test]
fn what_is_asked_to_go_wrong_goes_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let switches = folder.path().join("switches");
    let mut scene = stage(&[("STANDIN_FAULTS_FILE", switches.to_str().unwrap())]);
    let set = |text: &str| std::fs::write(&switches, text).unwrap();
    let get = |scene: &Scene| scene.played.call("GET", "/version", "");
    assert_eq!(get(&scene).unwrap().status, 200);
    for broken in ["close", "truncate", "garbage"] {
        set(&format!("{broken} GET /version"));
        assert!(get(&scene).is_err(), "{broken}");
        assert_eq!(scene.call("GET", "/", &Value::Null).0, 200);
    }
    set("delay 50 GET /version");
    let begun = Instant::now();
    assert_eq!(get(&scene).unwrap().status, 200);
    assert!(begun.elapsed() >= Duration::from_millis(50));
    set("fail * /version");
    assert_eq!(get(&scene).unwrap().status, 400);
    set("exit 7 PUT /actions");
    assert!(scene.played.call("PUT", "/actions", "{}").is_err());
    assert_eq!(scene.played.ended().unwrap().code(), Some(7));
}

#[test]
fn a_hung_api_hangs_for_everybody() {
    let scene = stage(&[("STANDIN_FAULTS", "hang GET /version")]);
    let mut hung = scene.played.connect().unwrap();
    hung.write_all(request("GET", "/version", "").as_bytes()).unwrap();
    hung.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    assert!(answer(&mut hung).is_err());
    let mut other = scene.played.connect().unwrap();
    other.write_all(request("GET", "/", "").as_bytes()).unwrap();
    other.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    assert!(answer(&mut other).is_err());
}

#[test]
fn a_signal_ends_it() {
    let mut scene = stage(&[("STANDIN_FAULTS", "signal 9 GET /version")]);
    assert!(scene.played.call("GET", "/version", "").is_err());
    assert_eq!(scene.played.ended().unwrap().signal(), Some(9));
}

#[test]
fn versions_are_played() {
    let scene = stage(&[("STANDIN_VERSION", "1.12.0")]);
    assert_eq!(scene.call("GET", "/version", &Value::Null).1["firecracker_version"], "1.12.0");
    assert_eq!(scene.call("PUT", "/serial", &json!({})).0, 400);
    let nic = json!({ "iface_id": "a", "host_dev_name": "tap0", "mtu": 1500 });
    let (status, body) = scene.call("PUT", "/network-interfaces/a", &nic);
    assert_eq!(status, 400);
    assert!(body["fault_message"].as_str().unwrap().contains("unknown field `mtu`"), "{body}");
}

fn run(words: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(PROGRAM).args(words).env("STANDIN_VERSION", "1.16.1").output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_command_line_is_read() {
    assert_eq!(run(&["--version"]), (Some(0), "Firecracker v1.16.1\n\n".to_owned()));
    assert_eq!(run(&["--snapshot-version"]).0, Some(0));
    assert_eq!(run(&["--no-such-thing"]).0, Some(153));
    assert_eq!(run(&["--api-sock"]).0, Some(153));
    assert_eq!(run(&["--no-api"]).0, Some(153));
    assert_eq!(run(&["--level", "loud"]).0, Some(152));
    assert_eq!(run(&["--id", "no_underscore"]).0, None);
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("taken");
    std::fs::write(&taken, "").unwrap();
    assert_eq!(run(&["--api-sock", taken.to_str().unwrap()]).0, Some(1));
}

#[test]
fn a_configuration_file_boots_without_an_api() {
    let folder = tempfile::tempdir().unwrap();
    let (kernel, config) = (folder.path().join("kernel"), folder.path().join("config"));
    std::fs::write(&kernel, idle_kernel()).unwrap();
    let text = json!({ "boot-source": { "kernel_image_path": kernel }, "drives": [] }).to_string();
    std::fs::write(&config, text).unwrap();
    let words = ["--no-api", "--config-file", config.to_str().unwrap()];
    let mut played = Played::start(Path::new(PROGRAM), folder.path(), &words, &[]).unwrap();
    played.hear("weft-tiny: ready").unwrap();
    played.say("poweroff").unwrap();
    assert_eq!(played.ended().unwrap().code(), Some(0));
    std::fs::write(&config, r#"{"boot-source":{"kernel_image_path":"/nowhere"}}"#).unwrap();
    assert_eq!(run(&words).0, Some(152));
}

#[test]
fn a_guest_of_a_few_bytes_is_run() {
    let folder = tempfile::tempdir().unwrap();
    let (image, config) = (folder.path().join("kernel"), folder.path().join("config"));
    let code = [0xb9, 0, 9, 61, 0, 0xff, 0xc9, 0x75, 0xfc, 0xb0, 0xfe, 0xe6, 0x64, 0xf4, 0xeb, 0xfd];
    std::fs::write(&image, kernel(&code)).unwrap();
    std::fs::write(&config, json!({ "boot-source": { "kernel_image_path": image }, "drives": [] }).to_string())
        .unwrap();
    assert_eq!(run(&["--no-api", "--config-file", config.to_str().unwrap()]).0, Some(0));
}
