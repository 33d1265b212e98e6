//! The messages of QMP, read from a line of JSON.

use super::Error;
use serde_json::Value;

/// One message from QEMU.
#[derive(Debug)]
pub(super) enum Message {
    /// The first one.
    Greeting,
    /// Something happened.
    Event(Event),
    /// The answer to a command; an error as its sentence.
    Answer {
        /// The command's id.
        id: u64,
        /// What it gave.
        answer: Result<Value, String>,
    },
}

/// Something that happened to the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::qemu) enum Event {
    /// The machine was asked to shut down.
    Shutdown(Shutdown),
    /// It was reset.
    Reset {
        /// By the guest itself.
        by_guest: bool,
    },
    /// The guest's kernel panicked.
    Panicked,
    /// The virtual CPUs stopped or go on; the state tells why.
    Turned,
    /// The guest has let the device of this id or path go, and it is away.
    Unplugged(String),
    /// The guest does not let a device go.
    Clung(String),
    /// A migration has come this far.
    Moved(Moved),
    /// A memory device has this size now, in bytes.
    Resized(String, u64),
    /// The job of this id has come to its end, good or bad.
    Concluded(String),
    /// Any other.
    Other,
}

/// How far a migration has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::qemu) enum Moved {
    /// It is on its way.
    Going,
    /// All of it is there.
    Whole,
    /// It failed or was given up.
    Failed,
}

/// Why a machine shuts down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::qemu) enum Shutdown {
    /// The guest powered off.
    Guest,
    /// The guest's kernel panicked.
    Panic,
    /// A signal from outside.
    Signal,
    /// Somebody told QEMU to quit.
    Quit,
}

/// The state of a machine, in QEMU's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::qemu) enum Status {
    /// The virtual CPUs run.
    Running,
    /// They are held.
    Paused,
    /// They are held because a disk failed or is full; they may be let go on.
    DiskFailed,
    /// The guest powered off.
    Shutdown,
    /// The guest's kernel panicked.
    Panicked,
    /// The accelerator gave up.
    Broken,
}

impl Message {
    /// The message in a line.
    pub(super) fn read(line: &[u8]) -> Result<Self, Error> {
        let garbled = |why: &str| Error::Garbled { why: why.to_owned() };
        let message: Value = serde_json::from_slice(line).map_err(|error| garbled(&error.to_string()))?;
        if let Some(name) = message.get("event") {
            let name = name.as_str().ok_or_else(|| garbled("an event without a name"))?;
            return Ok(Self::Event(Event::read(name, message.get("data").unwrap_or(&Value::Null))));
        }
        if message.get("QMP").is_some() {
            return Ok(Self::Greeting);
        }
        let id = message.get("id").and_then(Value::as_u64);
        if let Some(error) = message.get("error") {
            let why = error.get("desc").and_then(Value::as_str).unwrap_or("it does not say why").to_owned();
            // An error without an id says that what we sent was not understood at all.
            return match id {
                Some(id) => Ok(Self::Answer { id, answer: Err(why) }),
                None => Err(Error::Garbled { why }),
            };
        }
        match (id, message.get("return")) {
            (Some(id), Some(value)) => Ok(Self::Answer { id, answer: Ok(value.clone()) }),
            (None, Some(_)) => Err(garbled("an answer without an id")),
            (_, None) => Err(garbled("neither an event nor an answer")),
        }
    }
}

impl Event {
    fn read(name: &str, facts: &Value) -> Self {
        let by_guest = facts.get("guest").and_then(Value::as_bool).unwrap_or(false);
        match name {
            "SHUTDOWN" => match facts.get("reason").and_then(Value::as_str) {
                Some("host-qmp-quit") => Self::Shutdown(Shutdown::Quit),
                Some("host-signal" | "host-ui") => Self::Shutdown(Shutdown::Signal),
                Some("guest-panic") => Self::Shutdown(Shutdown::Panic),
                _ if by_guest => Self::Shutdown(Shutdown::Guest),
                _ => Self::Shutdown(Shutdown::Quit),
            },
            "RESET" => Self::Reset { by_guest },
            "GUEST_PANICKED" => Self::Panicked,
            "STOP" | "RESUME" | "SUSPEND" | "WAKEUP" => Self::Turned,
            // What has no name of its own, such as a part of a device, has a path.
            "DEVICE_DELETED" => {
                named(facts, "device").or_else(|| named(facts, "path")).map_or(Self::Other, Self::Unplugged)
            }
            "DEVICE_UNPLUG_GUEST_ERROR" => named(facts, "device").map_or(Self::Other, Self::Clung),
            "MIGRATION" => match facts.get("status").and_then(Value::as_str) {
                Some("completed") => Self::Moved(Moved::Whole),
                Some("failed" | "cancelled") => Self::Moved(Moved::Failed),
                Some(_) | None => Self::Moved(Moved::Going),
            },
            "MEMORY_DEVICE_SIZE_CHANGE" => {
                let size = facts.get("size").and_then(Value::as_u64).unwrap_or_default();
                named(facts, "id").map_or(Self::Other, |id| Self::Resized(id, size))
            }
            "JOB_STATUS_CHANGE" if facts["status"] == "concluded" => {
                named(facts, "id").map_or(Self::Other, Self::Concluded)
            }
            _ => Self::Other,
        }
    }
}

fn named(facts: &Value, field: &str) -> Option<String> {
    facts.get(field).and_then(Value::as_str).map(str::to_owned)
}

impl Status {
    /// The status in the answer to `query-status`.
    pub(super) fn read(answer: &Value) -> Result<Self, Error> {
        let garbled = || Error::Garbled { why: "a status without its name".to_owned() };
        let name = answer.get("status").and_then(Value::as_str).ok_or_else(garbled)?;
        let runs = answer.get("running").and_then(Value::as_bool).ok_or_else(garbled)?;
        Ok(match name {
            "shutdown" => Self::Shutdown,
            "guest-panicked" => Self::Panicked,
            "internal-error" => Self::Broken,
            "io-error" => Self::DiskFailed,
            _ if runs => Self::Running,
            _ => Self::Paused,
        })
    }
}
