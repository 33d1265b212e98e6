//! A double of Cloud Hypervisor's end of the socket and of its events, which does what a test wants.

use crate::cloud_hypervisor::folder::Folder;
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use weft_ports::task::{self, Task};

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// As it should.
    Good,
    /// It hears and says nothing.
    Silent,
    /// It closes in the middle of the request.
    Closing,
    /// Its answer breaks off.
    Truncated,
    /// Its answer is no HTTP.
    Garbage,
    /// It refuses every verb with these words.
    Refusing(&'static str),
}

struct Inner {
    state: &'static str,
    devices: Vec<String>,
    lets_go: bool,
    manner: Manner,
    heard: Vec<String>,
    events: File,
}

/// The double.
pub(super) struct Double {
    inner: Arc<Mutex<Inner>>,
    _serving: Task<()>,
}

impl Double {
    /// Listens in this folder; its machine runs.
    pub(super) fn listen(folder: &Folder) -> Self {
        let events = folder.make_events().unwrap();
        let listener = UnixListener::bind(folder.api()).unwrap();
        let inner = Inner {
            state: "Running",
            devices: vec!["disk-a".to_owned()],
            lets_go: true,
            manner: Manner::Good,
            heard: Vec::new(),
            events,
        };
        let inner = Arc::new(Mutex::new(inner));
        let serving = task::spawn("double", serve(listener, inner.clone()));
        Self { inner, _serving: serving }
    }

    pub(super) fn is(&self, state: &'static str) {
        self.inner.lock().unwrap().state = state;
    }

    pub(super) fn behaves(&self, manner: Manner) {
        self.inner.lock().unwrap().manner = manner;
    }

    pub(super) fn keeps_devices(&self) {
        self.inner.lock().unwrap().lets_go = false;
    }

    pub(super) fn tells(&self, source: &str, event: &str, properties: Value) {
        self.inner.lock().unwrap().tell(source, event, properties);
    }

    /// The verbs that were heard, in order, but for looks at the machine.
    pub(super) fn heard(&self) -> Vec<String> {
        self.inner.lock().unwrap().heard.iter().filter(|verb| *verb != "vm.info").cloned().collect()
    }
}

impl Inner {
    fn tell(&mut self, source: &str, event: &str, properties: Value) {
        let timestamp = json!({"secs": 0, "nanos": 1});
        let properties = serde_json::to_string(&properties).unwrap();
        let text = format!(
            "{{\n  \"timestamp\": {timestamp},\n  \"source\": \"{source}\",\n  \"event\": \"{event}\",\n  \
             \"properties\": {properties}\n}}\n\n"
        );
        self.events.write_all(text.as_bytes()).unwrap();
    }

    /// What it does and answers.
    fn obey(&mut self, verb: &str, body: &str) -> (u16, String) {
        let (to, event) = match verb {
            "vm.info" => {
                let entries: Vec<_> = self.devices.iter().map(|id| json!({"id": id, "path": "/x"})).collect();
                let tree: serde_json::Map<_, _> = self.devices.iter().map(|id| (id.clone(), json!({}))).collect();
                let info = json!({"state": self.state, "config": {"disks": entries}, "device_tree": tree});
                return (200, info.to_string());
            }
            "vm.counters" => {
                return (200, json!({"disk-a": {"read_bytes": 7, "read_latency_min": u64::MAX}}).to_string());
            }
            "vm.add-disk" => {
                let id = serde_json::from_str::<Value>(body).unwrap()["id"].as_str().unwrap().to_owned();
                self.devices.push(id.clone());
                return (200, json!({"id": id, "bdf": "0000:00:06.0"}).to_string());
            }
            "vm.remove-device" => {
                let id = serde_json::from_str::<Value>(body).unwrap()["id"].as_str().unwrap().to_owned();
                if self.lets_go {
                    self.devices.retain(|known| *known != id);
                    self.tell("vm", "device-removed", json!({"id": id}));
                }
                return (204, String::new());
            }
            "vm.pause" if self.state == "Running" => ("Paused", "paused"),
            "vm.resume" if self.state == "Paused" => ("Running", "resumed"),
            "vm.reboot" => ("Running", "rebooted"),
            "vm.shutdown" => ("Created", "shutdown"),
            "vm.send-migration" => (self.state, "migration-started"),
            "vm.power-button" | "vm.nmi" | "vm.resize" | "vmm.shutdown" => (self.state, "other"),
            _ => return (500, json!(["Error from API", "Invalid VM state transition"]).to_string()),
        };
        self.state = to;
        self.tell("vm", event, Value::Null);
        (204, String::new())
    }
}

async fn serve(listener: UnixListener, inner: Arc<Mutex<Inner>>) {
    let mut served = Vec::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        served.push(task::spawn("double-call", answer(stream, inner.clone())));
    }
}

async fn answer(mut stream: UnixStream, inner: Arc<Mutex<Inner>>) {
    let mut bytes = Vec::new();
    let (verb, body) = loop {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let lower = head.to_lowercase();
        let length = lower.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= length.and_then(|text| text.parse().ok()).unwrap_or(0) {
            let path = head.split(' ').nth(1).unwrap_or_default();
            break (path.trim_start_matches("/api/v1/").to_owned(), body.to_owned());
        }
    };
    let manner = inner.lock().unwrap().manner;
    inner.lock().unwrap().heard.push(verb.clone());
    let reply = match manner {
        Manner::Silent => std::future::pending().await,
        Manner::Closing => return,
        Manner::Garbage => "\u{1}\u{2} no answer\r\n\r\n".to_owned(),
        Manner::Truncated => "HTTP/1.1 200 \r\nContent-Length: 400\r\n\r\n{\"conf".to_owned(),
        Manner::Refusing(words) if verb != "vm.info" => text(500, &json!(["Error from API", words]).to_string()),
        Manner::Good | Manner::Refusing(_) => {
            let (status, body) = inner.lock().unwrap().obey(&verb, &body);
            text(status, &body)
        }
    };
    // One who no longer waits has no use for it.
    let _ = stream.write_all(reply.as_bytes()).await;
}

fn text(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} \r\nServer: Cloud Hypervisor API\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
