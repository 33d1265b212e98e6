//! Snapshots, restores and migrations between two of these.
//!
//! ```text
//!  sender                                receiver
//!  migration-started                     migration-receive-ready, -started
//!  migration-memory-iteration ── one line of JSON ──► takes the machine over, resumes it if it ran
//!  migration-finished, exit   ◄── one line ────────── migration-receive-finished
//! ```
//!
//! Since 53 a migration is sent beside the API: the request only starts it, and events tell how it ended;
//! before, the request lasts as long as the migration and there are no such events.

use super::{Made, Outcome, State, Vmm};
use crate::cloud_hypervisor::consoles::Consoles;
use crate::cloud_hypervisor::refusal::Why;
use crate::cloud_hypervisor::rules;
use crate::cloud_hypervisor::snapshot::{self, Luggage};
use crate::cloud_hypervisor::vmm::devices::Devices;
use crate::guest::Guest;
use crate::wire::Reply;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::PoisonError;
use std::thread;

/// What is answered to a machine that was taken over.
const TAKEN: &str = "taken";

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn failed(why: impl Into<String>) -> Why {
    Why::Failed(vec!["the migration failed".to_owned(), why.into()])
}

impl Vmm {
    pub(super) fn snapshot(&mut self, body: &Value) -> Result<(), Why> {
        let state = self.made()?.state;
        self.monitor.tell("vm", "snapshotting");
        if state != State::Paused {
            return Err(Why::Failed(vec!["Cannot snapshot VM".to_owned(), "the VM is not paused".to_owned()]));
        }
        let folder = snapshot::folder(text(body, "destination_url"))?;
        let luggage = self.pack()?;
        let bytes = self.made()?.ram;
        snapshot::write(&luggage, &folder, bytes, &self.faults)?;
        self.monitor.tell("vm", "snapshotted");
        Ok(())
    }

    fn pack(&self) -> Result<Luggage, Why> {
        let (config, made) = (self.config.clone().ok_or(Why::NotCreated)?, self.made.as_ref().ok_or(Why::NotRunning)?);
        let state = json!({ "running": made.state == State::Running, "ram": made.ram, "balloon": made.balloon });
        Ok(Luggage { config, state, guest: self.machine.freeze() })
    }

    pub(super) fn restore(&mut self, body: &Value) -> Result<(), Why> {
        self.free()?;
        if self.config.is_some() {
            return Err(Why::AlreadyCreated);
        }
        let prefix = |why: Why| {
            let Why::Failed(chain) = why else { return why };
            Why::Failed(std::iter::once("Cannot restore VM".to_owned()).chain(chain).collect())
        };
        let luggage = snapshot::folder(text(body, "source_url")).and_then(|at| snapshot::read(&at)).map_err(prefix)?;
        let lazy = text(body, "memory_restore_mode") == "OnDemand";
        if lazy && body["prefault"] == true {
            return Err(Why::Invalid("memory is either restored on demand or prefaulted".to_owned()));
        }
        self.monitor.tell("vm", "restoring");
        let unpacked = self.unpack(luggage).and_then(|()| {
            self.monitor.tell("vm", "restored");
            if body["resume"] == true { self.resume() } else { Ok(()) }
        });
        unpacked.inspect_err(|_| {
            self.made = None;
            self.consoles = None;
            self.config = None;
            self.machine.off();
        })
    }

    /// Takes a machine over, paused.
    fn unpack(&mut self, luggage: Luggage) -> Result<(), Why> {
        let Luggage { mut config, state, guest } = luggage;
        rules::check(&config)?;
        let consoles = Consoles::open(&mut config)?;
        let devices = Devices::make(&mut config)?;
        let guest = Guest::thaw(&guest).ok_or_else(|| failed("there is no guest in it"))?;
        let number = |name: &str| state.get(name).and_then(Value::as_u64).unwrap_or_default();
        self.config = Some(config);
        self.made = Some(Made { state: State::Paused, devices, ram: number("ram"), balloon: number("balloon") });
        let (serial, kept) = consoles.split();
        self.machine.take(guest, serial, kept);
        Ok(())
    }

    fn tells(&self) -> bool {
        self.setup.version.reached((53, 0))
    }

    fn tell(&self, event: &str) {
        if self.tells() {
            self.monitor.tell("vm", event);
        }
    }

    pub(super) fn receive(&mut self, body: &Value) -> Result<(), Why> {
        self.free()?;
        if self.made.is_some() {
            return Err(failed("a VM is already created"));
        }
        let url = text(body, "receiver_url");
        let listener = listen(url)?;
        self.tell("migration-receive-ready");
        let mut stream = listener()?;
        self.tell("migration-receive-started");
        let mut line = String::new();
        let got = BufReader::new(&mut stream).read_line(&mut line).map_err(|error| failed(error.to_string()));
        let luggage = got.and_then(|_| {
            let document: Value = serde_json::from_str(&line).map_err(|error| failed(error.to_string()))?;
            Luggage::of(&document).ok_or_else(|| failed("what came is no VM"))
        });
        let taken = luggage.and_then(|luggage| {
            let running = luggage.state["running"] == true;
            self.unpack(luggage)?;
            if running { self.resume() } else { Ok(()) }
        });
        match taken {
            Ok(()) => {
                let _ = stream.write_all(format!("{TAKEN}\n").as_bytes());
                self.tell("migration-receive-finished");
                Ok(())
            }
            Err(why) => {
                let _ = stream.write_all(b"refused\n");
                self.made = None;
                self.config = None;
                self.tell("migration-receive-failed");
                Err(why)
            }
        }
    }

    pub(super) fn send(&mut self, body: &Value) -> Outcome {
        self.free().map_err(|_| failed("There is already an ongoing migration"))?;
        let made = self.made.as_ref().ok_or_else(|| failed("VM is not running"))?;
        if made.state == State::Paused && !self.setup.version.reached((52, 0)) {
            return Err(failed("a paused VM cannot be sent"));
        }
        let (url, local) = (text(body, "destination_url").to_owned(), body["local"] == true);
        let connections = body.get("connections").and_then(Value::as_u64).unwrap_or(1);
        if !(url.starts_with("unix:") || url.starts_with("tcp:")) {
            return Err(failed("the URL begins with neither unix: nor tcp:"));
        }
        if connections > 128 || (url.starts_with("unix:") && connections > 1) || (local && url.starts_with("tcp:")) {
            return Err(failed("the options of the migration do not go together"));
        }
        let told = self.describe()?;
        let luggage = self.pack()?;
        self.migrating = Some(told);
        if !self.tells() {
            self.let_go();
            let sent = hand_over(&url, &luggage);
            return self.sent(sent).map(|()| Reply { exit: Some(0), ..Reply::empty() });
        }
        self.tell("migration-started");
        let vmm = self.myself.clone();
        thread::spawn(move || {
            let Some(vmm) = vmm.upgrade() else { return };
            let lock = || vmm.lock().unwrap_or_else(PoisonError::into_inner);
            lock().monitor.tell_of("vm", "migration-memory-iteration", &json!({ "id": "0" }));
            lock().let_go();
            let luggage = { lock().pack().unwrap_or(luggage) };
            let sent = hand_over(&url, &luggage);
            if lock().sent(sent).is_ok() {
                crate::wire::leave(0);
            }
        });
        Ok(Reply::empty())
    }

    /// The guest stops, and whoever takes it over can have its disks.
    fn let_go(&mut self) {
        self.machine.run(false);
        if let Some(made) = &self.made {
            made.devices.release();
        }
    }

    /// A migration came to its end: this machine is over, or goes on.
    fn sent(&mut self, sent: Result<(), Why>) -> Result<(), Why> {
        self.migrating = None;
        match sent {
            Ok(()) => {
                self.tell("migration-finished");
                self.end()
            }
            Err(why) => {
                self.tell("migration-failed");
                if let Some(made) = &self.made {
                    made.devices.regain();
                }
                let running = self.made.as_ref().is_some_and(|made| made.state == State::Running);
                self.machine.run(running);
                Err(why)
            }
        }
    }
}

/// Waits for one sender.
type Accept = Box<dyn FnOnce() -> Result<Box<dyn Stream>, Why>>;

/// Listens for one sender at this URL.
fn listen(url: &str) -> Result<Accept, Why> {
    if let Some(path) = url.strip_prefix("unix:") {
        let path = path.to_owned();
        let listener = UnixListener::bind(&path).map_err(|error| failed(error.to_string()))?;
        return Ok(Box::new(move || {
            let accepted = listener.accept().map_err(|error| failed(error.to_string()));
            let _ = std::fs::remove_file(&path);
            Ok(Box::new(accepted?.0))
        }));
    }
    if let Some(address) = url.strip_prefix("tcp:") {
        let listener = TcpListener::bind(address).map_err(|error| failed(error.to_string()))?;
        return Ok(Box::new(move || Ok(Box::new(listener.accept().map_err(|error| failed(error.to_string()))?.0))));
    }
    Err(failed("Expected receiver_url to either use `tcp` or `unix` prefix"))
}

fn hand_over(url: &str, luggage: &Luggage) -> Result<(), Why> {
    let told = |error: std::io::Error| failed(error.to_string());
    let mut stream: Box<dyn Stream> = match url.strip_prefix("unix:") {
        Some(path) => Box::new(UnixStream::connect(path).map_err(told)?),
        None => Box::new(TcpStream::connect(url.trim_start_matches("tcp:")).map_err(told)?),
    };
    stream.write_all(format!("{}\n", luggage.document()).as_bytes()).map_err(told)?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).map_err(told)?;
    if answer.trim() == TAKEN { Ok(()) } else { Err(failed("the receiver refused the VM")) }
}
