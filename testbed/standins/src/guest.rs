//! The scripted guest: what would run inside, as a line protocol on the serial line.
//!
//! A line comes in, an [`Act`] goes out; the machine around it writes the answer or ends. Its memory, a
//! counter and a nonce, is all that a snapshot has to carry for a test to see that it was restored.

use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// What the guest writes once it runs.
pub const READY: &str = "weft-tiny: ready";

/// What a line makes the guest do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// It writes this line.
    Say(String),
    /// It powers the machine off.
    PowerOff,
    /// It resets the machine.
    Reboot,
    /// It runs into a triple fault.
    Crash,
    /// It stops listening to anything.
    Hang,
    /// It reports a kernel panic, then resets.
    Panic,
    /// It has nothing to say.
    Nothing,
}

/// The guest's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    count: u64,
    generation: u64,
    hung: bool,
}

impl Guest {
    /// A guest that has just booted.
    #[must_use]
    pub fn boot() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let generation = (since.as_secs() << 30 | u64::from(since.subsec_nanos())) ^ u64::from(std::process::id());
        Self { count: 0, generation, hung: false }
    }

    /// What a snapshot keeps of it.
    #[must_use]
    pub fn freeze(&self) -> Value {
        json!({ "count": self.count, "generation": self.generation, "hung": self.hung })
    }

    /// The guest as a snapshot kept it.
    #[must_use]
    pub fn thaw(kept: &Value) -> Option<Self> {
        Some(Self {
            count: kept.get("count")?.as_u64()?,
            generation: kept.get("generation")?.as_u64()?,
            hung: kept.get("hung")?.as_bool()?,
        })
    }

    /// Whether it has stopped listening.
    #[must_use]
    pub fn hung(&self) -> bool {
        self.hung
    }

    /// One line of the serial line.
    pub fn hear(&mut self, line: &str) -> Act {
        if self.hung {
            return Act::Nothing;
        }
        let line = line.trim_end_matches(['\r', '\n']);
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "" => Act::Nothing,
            "ping" => Act::Say("pong".to_owned()),
            "echo" => Act::Say(rest.to_owned()),
            "count" => {
                self.count += 1;
                Act::Say(format!("count {}", self.count))
            }
            "gen" => Act::Say(format!("gen {:016x}", self.generation)),
            "poweroff" => Act::PowerOff,
            "reboot" => Act::Reboot,
            "crash" => Act::Crash,
            "panic" => Act::Panic,
            "hang" => {
                self.hung = true;
                Act::Hang
            }
            other => Act::Say(format!("unknown {other}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_answers_and_a_snapshot_carries_its_memory() {
        let mut guest = Guest::boot();
        assert_eq!(guest.hear("ping\r\n"), Act::Say("pong".to_owned()));
        assert_eq!(guest.hear("echo a b"), Act::Say("a b".to_owned()));
        assert_eq!(guest.hear("count"), Act::Say("count 1".to_owned()));
        let mut other = Guest::thaw(&guest.freeze()).unwrap();
        assert_eq!(other.hear("gen"), guest.hear("gen"));
        assert_eq!(other.hear("count"), Act::Say("count 2".to_owned()));
        assert_eq!(other.hear("hang"), Act::Hang);
        assert_eq!(other.hear("ping"), Act::Nothing);
    }
}
