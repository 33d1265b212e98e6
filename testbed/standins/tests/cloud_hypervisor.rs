//! The stand-in of Cloud Hypervisor: its guest and consoles, events, snapshots, migrations, what goes wrong.
#![expect(clippy::unwrap_used, reason = "whatever a test needs has to be there")]

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, IoSlice, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use weft_standins::play::{Played, answer, idle_kernel, kernel, request, within};

const PROGRAM: &str = env!("CARGO_BIN_EXE_standin-cloud-hypervisor");

struct Scene {
    folder: TempDir,
    played: Played,
}

fn stage(environment: &[(&str, &str)], more: &[&str]) -> Scene {
    let folder = tempfile::Builder::new().prefix("weft-").tempdir().unwrap();
    let socket = format!("path={}", folder.path().join("api.sock").display());
    let events = format!("path={}", folder.path().join("events").display());
    let mut words = vec!["--api-socket", &socket, "--event-monitor", &events];
    words.extend(more);
    let mut played = Played::start(Path::new(PROGRAM), folder.path(), &words, environment).unwrap();
    played.ready().unwrap();
    std::fs::write(folder.path().join("kernel"), idle_kernel()).unwrap();
    std::fs::File::create(folder.path().join("disk")).unwrap().set_len(1 << 20).unwrap();
    Scene { folder, played }
}

impl Scene {
    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn call(&self, name: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let method = if ["vmm.ping", "vm.info", "vm.counters"].contains(&name) { "GET" } else { "PUT" };
        let answer = self.played.call(method, &format!("/api/v1/{name}"), &body).unwrap();
        (answer.status, answer.json())
    }

    fn does(&self, name: &str, body: &Value) {
        let (status, told) = self.call(name, body);
        assert!(status < 300, "{name}: {status} {told}");
    }

    fn config(&self) -> Value {
        json!({
            "payload": { "kernel": self.at("kernel") }, "memory": { "size": 256 << 20 },
            "disks": [{ "id": "root", "path": self.at("disk"), "image_type": "Raw" }],
            "console": { "mode": "Off" }, "serial": { "mode": "Socket", "socket": self.at("serial") },
        })
    }

    fn boot(&self) {
        self.does("vm.create", &self.config());
        self.does("vm.boot", &Value::Null);
    }

    fn line(&self) -> Line {
        let stream = UnixStream::connect(self.at("serial")).unwrap();
        stream.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
        Line { reader: BufReader::new(stream.try_clone().unwrap()), stream }
    }

    fn events(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.at("events")).unwrap_or_default();
        text.split("\n\n").filter_map(|event| serde_json::from_str(event).ok()).collect()
    }

    fn names(&self) -> Vec<String> {
        let all = self.events();
        let own = all.iter().filter(|event| event["source"] != "virtio-device");
        own.map(|event| event["event"].as_str().unwrap().to_owned()).collect()
    }

    fn tells(&self, event: &str) {
        within(|| self.names().iter().any(|name| name == event)).unwrap();
    }
}

struct Line {
    stream: UnixStream,
    reader: BufReader<UnixStream>,
}

impl Line {
    fn ask(&mut self, line: &str) -> String {
        self.stream.write_all(format!("{line}\n").as_bytes()).unwrap();
        let mut answer = String::new();
        self.reader.read_line(&mut answer).unwrap();
        answer.trim().to_owned()
    }
}

#[test]
fn the_guest_answers_over_the_socket_and_powers_the_process_off() {
    let mut scene = stage(&[], &[]);
    scene.boot();
    let mut line = scene.line();
    assert_eq!(line.ask("ping"), "pong");
    assert_eq!(line.ask("mem"), "mem 256 MiB");
    assert_eq!(line.ask("poweroff"), "weft-tiny: powering off");
    assert_eq!(scene.played.ended().unwrap().code(), Some(0));
    assert_eq!(scene.names(), ["starting", "booting", "booted", "shutdown", "deleted", "shutdown"]);
}

#[test]
fn a_power_off_leaves_the_process_where_it_is_told_so() {
    let scene = stage(&[], &["--no-shutdown"]);
    scene.boot();
    scene.does("vm.power-button", &Value::Null);
    scene.tells("shutdown");
    assert_eq!(scene.call("vm.info", &Value::Null).1["state"], "Created");
    assert!(!scene.at("serial").exists());
    scene.does("vm.boot", &Value::Null);
    assert_eq!(scene.line().ask("ping"), "pong");
}

#[test]
fn a_guest_resets_in_place_and_its_panic_is_told() {
    let scene = stage(&[], &[]);
    let mut config = scene.config();
    config["pvpanic"] = json!(true);
    scene.does("vm.create", &config);
    scene.does("vm.boot", &Value::Null);
    scene.line().ask("reboot");
    scene.tells("rebooted");
    let mut line = scene.line();
    assert_eq!(line.ask("count"), "count 1");
    line.ask("crash");
    within(|| scene.names().iter().filter(|name| *name == "rebooted").count() == 2).unwrap();
    scene.line().ask("panic");
    scene.tells("panic");
}

#[test]
fn a_paused_guest_hears_later() {
    let scene = stage(&[], &[]);
    scene.boot();
    let mut line = scene.line();
    line.ask("ping");
    scene.does("vm.pause", &Value::Null);
    line.stream.write_all(b"echo later\n").unwrap();
    assert_eq!(scene.call("vm.info", &Value::Null).1["state"], "Paused");
    scene.does("vm.resume", &Value::Null);
    assert_eq!(line.ask("ping"), "later");
}

#[test]
fn every_console_is_opened() {
    let scene = stage(&[], &[]);
    let mut config = scene.config();
    config["serial"] = json!({ "mode": "File", "file": scene.at("log") });
    config["console"] = json!({ "mode": "Pty" });
    scene.does("vm.create", &config);
    let told = scene.call("vm.info", &Value::Null).1;
    assert!(told["config"]["console"]["file"].as_str().unwrap().starts_with("/dev/pts/"));
    scene.does("vm.boot", &Value::Null);
    within(|| std::fs::read_to_string(scene.at("log")).unwrap().contains("weft-tiny: ready")).unwrap();
    scene.does("vm.delete", &Value::Null);

    config["serial"] = json!({ "mode": "Pty" });
    config["console"] = json!({ "mode": "Null" });
    scene.does("vm.create", &config);
    scene.does("vm.boot", &Value::Null);
    let told = scene.call("vm.info", &Value::Null).1;
    let path = told["config"]["serial"]["file"].as_str().unwrap().to_owned();
    let mut file = std::fs::File::options().read(true).write(true).open(path).unwrap();
    file.write_all(b"echo through the terminal\n").unwrap();
    let heard = BufReader::new(file).lines().find(|line| line.as_ref().unwrap().contains("through the terminal"));
    assert!(heard.is_some());
    scene.does("vm.delete", &Value::Null);

    config["serial"] = json!({ "mode": "Tty" });
    scene.does("vm.create", &config);
    scene.does("vm.boot", &Value::Null);
    scene.played.hear("weft-tiny: ready").unwrap();
}

#[test]
fn a_device_that_is_removed_is_told_when_it_is_gone() {
    let scene = stage(&[], &[]);
    scene.boot();
    let disk = json!({ "id": "more", "path": scene.at("more"), "image_type": "Raw" });
    std::fs::write(scene.at("more"), vec![0; 4096]).unwrap();
    let (status, told) = scene.call("vm.add-disk", &disk);
    assert_eq!((status, &told["id"]), (200, &json!("more")));
    scene.does("vm.resize-disk", &json!({ "id": "more", "desired_size": 8192 }));
    assert_eq!(std::fs::metadata(scene.at("more")).unwrap().len(), 8192);
    scene.does("vm.remove-device", &json!({ "id": "more" }));
    scene.tells("device-removed");
    let events = scene.events();
    let removed = events.iter().find(|event| event["event"] == "device-removed").unwrap();
    assert_eq!(removed["properties"], told);
    assert_eq!(scene.call("vm.add-disk", &disk).0, 200);
}

#[test]
fn descriptors_come_with_a_nic() {
    let scene = stage(&[], &[]);
    scene.boot();
    let send = |body: &Value, count: usize| {
        let mut stream = scene.played.connect().unwrap();
        let files: Vec<_> = (0..count).map(|_| std::fs::File::open("/dev/null").unwrap()).collect();
        let files: Vec<_> = files.iter().map(|file| file.as_fd()).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        assert!(count == 0 || control.push(SendAncillaryMessage::ScmRights(&files)));
        let text = request("PUT", "/api/v1/vm.add-net", &body.to_string());
        sendmsg(&stream, &[IoSlice::new(text.as_bytes())], &mut control, SendFlags::empty()).unwrap();
        answer(&mut stream).unwrap()
    };
    let told = send(&json!({ "id": "a", "num_queues": 2, "fds": [99] }), 1);
    assert_eq!(told.status, 200, "{}", told.body);
    assert_eq!(send(&json!({ "id": "b", "num_queues": 2 }), 2).status, 400);
    let info = scene.call("vm.info", &Value::Null).1;
    assert_eq!(info["config"]["net"][0]["fds"], json!([-1]));
}

#[test]
fn a_snapshot_carries_the_guest() {
    let scene = stage(&[], &[]);
    scene.boot();
    let mut line = scene.line();
    line.ask("count");
    let generation = line.ask("gen");
    std::fs::create_dir(scene.at("kept")).unwrap();
    let url = format!("file://{}", scene.at("kept").display());
    scene.does("vm.pause", &Value::Null);
    scene.does("vm.snapshot", &json!({ "destination_url": url }));
    assert_eq!(std::fs::metadata(scene.at("kept").join("memory-ranges")).unwrap().len(), 256 << 20);
    scene.does("vm.delete", &Value::Null);

    let other = stage(&[], &[]);
    other.does("vm.restore", &json!({ "source_url": url, "resume": true }));
    let mut line = scene.line();
    assert_eq!(line.ask("count"), "count 2");
    assert_eq!(line.ask("gen"), generation);
    assert_eq!(other.names()[1..], ["restoring", "restored", "resuming", "resumed"]);
    other.does("vm.delete", &Value::Null);

    std::fs::File::options().write(true).open(scene.at("kept").join("memory-ranges")).unwrap().set_len(9).unwrap();
    assert_eq!(other.call("vm.restore", &json!({ "source_url": url })).0, 500);
    assert_eq!(other.call("vm.info", &Value::Null).0, 404);
}

#[test]
fn a_machine_moves() {
    for over in ["unix", "tcp"] {
        let (mut from, to) = (stage(&[], &[]), stage(&[], &[]));
        let url = match over {
            "unix" => format!("unix:{}", to.at("migration").display()),
            _ => {
                let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
                format!("tcp:{free}")
            }
        };
        from.boot();
        from.line().ask("count");
        let mut receiving = to.played.connect().unwrap();
        let body = json!({ "receiver_url": url }).to_string();
        receiving.write_all(request("PUT", "/api/v1/vm.receive-migration", &body).as_bytes()).unwrap();
        to.tells("migration-receive-ready");
        std::fs::remove_file(from.at("serial")).unwrap();
        from.does("vm.send-migration", &json!({ "destination_url": url }));
        assert_eq!(answer(&mut receiving).unwrap().status, 204);
        to.tells("migration-receive-finished");
        assert_eq!(from.played.ended().unwrap().code(), Some(0));
        assert!(from.names().contains(&"migration-finished".to_owned()));
        assert_eq!(from.line().ask("count"), "count 2");
    }
}

#[test]
fn a_machine_that_cannot_move_goes_on() {
    let from = stage(&[], &[]);
    from.boot();
    let nowhere = json!({ "destination_url": format!("unix:{}", from.at("nowhere").display()) });
    from.does("vm.send-migration", &nowhere);
    from.tells("migration-failed");
    assert_eq!(from.call("vm.info", &Value::Null).1["state"], "Running");
    assert_eq!(from.line().ask("ping"), "pong");
    let old = stage(&[("STANDIN_VERSION", "52.0.0")], &[]);
    old.boot();
    assert_eq!(old.call("vm.send-migration", &nowhere).0, 500);
    assert_eq!(old.line().ask("ping"), "pong");
}

#[test]
fn what_is_asked_to_go_wrong_goes_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let switches = folder.path().join("switches");
    let scene = stage(&[("STANDIN_FAULTS_FILE", switches.to_str().unwrap())], &[]);
    scene.boot();
    let set = |text: &str| std::fs::write(&switches, text).unwrap();
    set("pending-vcpu");
    assert_eq!(scene.call("vm.resize", &json!({ "desired_vcpus": 1 })).0, 429);
    set("drop-events");
    scene.does("vm.pause", &Value::Null);
    assert!(!scene.names().contains(&"paused".to_owned()));
    set("fill-disk");
    std::fs::create_dir(scene.at("kept")).unwrap();
    let url = format!("file://{}", scene.at("kept").display());
    let (status, told) = scene.call("vm.snapshot", &json!({ "destination_url": url }));
    assert_eq!(status, 500);
    assert!(told.to_string().contains("No space left"), "{told}");
    set("ignore-shutdown");
    scene.does("vm.resume", &Value::Null);
    scene.does("vm.power-button", &Value::Null);
    assert_eq!(scene.line().ask("echo still here"), "still here");
    set("truncate * /api/v1/vm.info");
    assert!(scene.played.call("GET", "/api/v1/vm.info", "").is_err());
}

#[test]
fn versions_are_played() {
    let scene = stage(&[("STANDIN_VERSION", "52.0.0")], &[]);
    assert_eq!(scene.call("vmm.ping", &Value::Null).1["version"], "52.0.0");
    assert_eq!(scene.call("vm.info", &Value::Null).0, 500);
    let large = json!({ "platform": { "oem_strings": ["x".repeat(51_200)] } });
    assert_eq!(scene.call("vm.create", &large).0, 400);
    let output = Command::new(PROGRAM).arg("--no-shutdown").env("STANDIN_VERSION", "51.0.0").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let old = stage(&[("STANDIN_VERSION", "46.0.0")], &[]);
    assert_eq!(old.call("vm.resize-disk", &json!({ "id": "a", "desired_size": 1 })).0, 404);
    let told = old.played.call("PUT", "/api/v1/vm.boot", "").unwrap();
    assert_eq!((told.status, told.body.as_str()), (500, "Error from API"));
}

#[test]
fn a_second_one_finds_the_socket_in_use() {
    let scene = stage(&[], &[]);
    let socket = format!("path={}", scene.at("api.sock").display());
    let output = Command::new(PROGRAM).args(["--api-socket", &socket]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let output = Command::new(PROGRAM).arg("--version").env("STANDIN_VERSION", "53.0.0").output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "cloud-hypervisor v53.0.0\n");
}

#[test]
fn a_guest_of_a_few_bytes_is_run_behind_an_inherited_socket() {
    let folder = tempfile::tempdir().unwrap();
    let (image, socket) = (folder.path().join("kernel"), folder.path().join("api.sock"));
    let mut code = vec![0xb9, 10, 0, 0, 0, 0x49, 0x75, 0xfd, 0x66, 0xba, 0xf8, 0x03];
    for byte in b"weft-tiny: ready\n" {
        code.extend([0xb0, *byte, 0xee]);
    }
    code.extend([0x66, 0xba, 0, 6, 0xb0, 0x34, 0xee, 0xf4, 0xeb, 0xfd]);
    std::fs::write(&image, kernel(&code)).unwrap();
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let child = Command::new(PROGRAM)
        .args(["--api-socket", "fd=0"])
        .stdin(std::os::fd::OwnedFd::from(listener))
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let config = json!({
        "payload": { "kernel": image }, "serial": { "mode": "Tty" }, "console": { "mode": "Off" },
    });
    for (name, body) in [("vm.create", config.to_string()), ("vm.boot", String::new())] {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.write_all(request("PUT", &format!("/api/v1/{name}"), &body).as_bytes()).unwrap();
        assert_eq!(answer(&mut stream).unwrap().status, 204, "{name}");
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "weft-tiny: ready");
}
