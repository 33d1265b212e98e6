//! Something that speaks QMP as a test wants it to.

use crate::qemu::folder::Folder;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use weft_ports::task::{self, Task};

const GREETING: &[u8] = b"{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}\r\n";

/// How it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Manner {
    /// As QEMU does.
    Polite,
    /// Not at all.
    Silent,
    /// Every command but the first is refused with these words.
    Refusing(&'static str),
}

struct Mind {
    status: &'static str,
    manner: Manner,
    heard: Vec<String>,
}

/// One that listens where QEMU would.
pub(super) struct Double {
    mind: Arc<Mutex<Mind>>,
    words: mpsc::UnboundedSender<Option<String>>,
    _serving: Task<()>,
}

impl Double {
    pub(super) fn listen(folder: &Folder) -> Self {
        let listener = UnixListener::bind(folder.qmp()).unwrap();
        let mind = Arc::new(Mutex::new(Mind { status: "running", manner: Manner::Polite, heard: Vec::new() }));
        let (words, queue) = mpsc::unbounded_channel();
        let serving = task::spawn("double", serve(listener, mind.clone(), queue));
        Self { mind, words, _serving: serving }
    }

    /// The machine is in this state from now on.
    pub(super) fn is(&self, status: &'static str) {
        self.mind.lock().unwrap().status = status;
    }

    pub(super) fn behaves(&self, manner: Manner) {
        self.mind.lock().unwrap().manner = manner;
    }

    /// Says a line, whatever it is.
    pub(super) fn says(&self, line: &str) {
        self.words.send(Some(format!("{line}\r\n"))).unwrap();
    }

    /// Says that this happened.
    pub(super) fn tells(&self, event: &str, facts: Value) {
        self.says(&json!({"event": event, "data": facts}).to_string());
    }

    /// Closes the connection; the next client is served.
    pub(super) fn closes(&self) {
        self.words.send(None).unwrap();
    }

    /// The commands that were heard.
    pub(super) fn heard(&self) -> Vec<String> {
        self.mind.lock().unwrap().heard.clone()
    }
}

/// One client at a time, like QEMU.
async fn serve(listener: UnixListener, mind: Arc<Mutex<Mind>>, mut words: mpsc::UnboundedReceiver<Option<String>>) {
    while let Ok((stream, _)) = listener.accept().await {
        talk(stream, &mind, &mut words).await;
    }
}

async fn talk(stream: UnixStream, mind: &Mutex<Mind>, words: &mut mpsc::UnboundedReceiver<Option<String>>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    if mind.lock().unwrap().manner != Manner::Silent && write.write_all(GREETING).await.is_err() {
        return;
    }
    loop {
        let said = tokio::select! {
            word = words.recv() => match word {
                Some(Some(line)) => line,
                Some(None) | None => return,
            },
            line = lines.next_line() => match line {
                Ok(Some(line)) => answer(&line, &mut mind.lock().unwrap()),
                Ok(None) | Err(_) => return,
            },
        };
        if write.write_all(said.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn answer(line: &str, mind: &mut Mind) -> String {
    let command: Value = serde_json::from_str(line).unwrap();
    let name = command["execute"].as_str().unwrap().to_owned();
    mind.heard.push(name.clone());
    let answered = match &mind.manner {
        Manner::Silent => return String::new(),
        Manner::Refusing(why) if !matches!(name.as_str(), "qmp_capabilities" | "query-status") => {
            json!({"id": command["id"], "error": {"class": "GenericError", "desc": why}})
        }
        Manner::Refusing(_) | Manner::Polite => {
            match name.as_str() {
                "stop" => mind.status = "paused",
                "cont" => mind.status = "running",
                _ => {}
            }
            let status = json!({"status": mind.status, "running": mind.status == "running", "singlestep": false});
            json!({"id": command["id"], "return": if name == "query-status" { status } else { json!({}) }})
        }
    };
    format!("{answered}\r\n")
}
