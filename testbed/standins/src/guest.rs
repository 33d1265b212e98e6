//! The scripted guest: what would run inside, as a line protocol on the serial line.
//!
//! A line comes in, an [`Act`] goes out; the machine around it writes the answer or ends. Its memory, a
//! counter and a nonce, is all that a snapshot has to carry for a test to see that it was restored. It speaks
//! as the small real guest of the testbed speaks. Only a guest of a few bytes is truly run: it says and does at
//! once what it has to, and the script is not played.

mod few;

use few::Few;
use serde_json::{Value, json};
use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Between two looks at a line that does not wait.
const IDLE: Duration = Duration::from_millis(2);
/// The longest line that the guest hears.
const LONGEST_LINE: usize = 1024;
/// What the guest writes once it runs.
pub const READY: &str = "weft-tiny: ready";
/// What it writes before it powers off.
pub const POWERING_OFF: &str = "weft-tiny: powering off";

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
    /// It tells the machine that it panics, and stops listening.
    Panic,
    /// It has nothing to say.
    Nothing,
}

impl Act {
    /// What is written on the serial line for it.
    #[must_use]
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Say(text) => Some(text),
            Self::PowerOff => Some(POWERING_OFF),
            Self::Reboot => Some("weft-tiny: rebooting"),
            Self::Crash => Some("weft-tiny: crashing"),
            Self::Hang => Some("weft-tiny: hanging"),
            Self::Panic => Some("weft-tiny: panicking"),
            Self::Nothing => None,
        }
    }
}

/// What the guest finds of its machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// How much memory.
    pub mebibytes: u64,
    /// How many processors.
    pub cpus: u64,
    /// The kernel's command line.
    pub command_line: String,
}

/// The guest's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    count: u64,
    generation: u64,
    hung: bool,
    found: Found,
    few: Option<Few>,
}

impl Guest {
    /// A guest that has just booted from this image.
    #[must_use]
    pub fn boot(image: &[u8], found: Found) -> Self {
        let few = few::run(image);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let generation = (since.as_secs() << 30 | u64::from(since.subsec_nanos())) ^ u64::from(std::process::id());
        Self { count: 0, generation, hung: few.is_some(), found, few }
    }

    /// What it says when it has booted.
    #[must_use]
    pub fn banner(&self) -> String {
        if let Some(few) = &self.few {
            return few.said.trim_end().to_owned();
        }
        let Found { mebibytes, command_line, .. } = &self.found;
        format!("\r\nweft-tiny: {mebibytes} MiB, command line: {command_line}\r\n{READY}")
    }

    /// What its command line has it do at once, as lines: `weft.do=WORD` or `weft.do=WORD:REST`.
    #[must_use]
    pub fn errands(&self) -> Vec<String> {
        let words = self.found.command_line.split_whitespace();
        words.filter_map(|word| Some(word.strip_prefix("weft.do=")?.replacen(':', " ", 1))).collect()
    }

    /// How it leaves at once, where it is one of a few bytes that does.
    #[must_use]
    pub fn leaves(&self) -> Option<Act> {
        self.few.as_ref()?.left.clone()
    }

    /// What a snapshot keeps of it.
    #[must_use]
    pub fn freeze(&self) -> Value {
        let Found { mebibytes, cpus, command_line } = &self.found;
        json!({
            "count": self.count, "generation": self.generation, "hung": self.hung,
            "mebibytes": mebibytes, "cpus": cpus, "command_line": command_line,
        })
    }

    /// The guest as a snapshot kept it.
    #[must_use]
    pub fn thaw(kept: &Value) -> Option<Self> {
        let number = |name: &str| kept.get(name)?.as_u64();
        let command_line = kept.get("command_line")?.as_str()?.to_owned();
        Some(Self {
            count: number("count")?,
            generation: number("generation")?,
            hung: kept.get("hung")?.as_bool()?,
            found: Found { mebibytes: number("mebibytes")?, cpus: number("cpus")?, command_line },
            few: None,
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
            "poweroff" => Act::PowerOff,
            "reboot" => Act::Reboot,
            "crash" => Act::Crash,
            "panic" => {
                self.hung = true;
                Act::Panic
            }
            "hang" => {
                self.hung = true;
                Act::Hang
            }
            _ => Act::Say(self.answer(word, rest)),
        }
    }

    fn answer(&mut self, word: &str, rest: &str) -> String {
        match (word, rest.trim().parse::<u64>()) {
            ("ping", _) => "pong".to_owned(),
            ("echo", _) => rest.to_owned(),
            ("mem", _) => format!("mem {} MiB", self.found.mebibytes),
            ("cpus", _) => format!("cpus {}", self.found.cpus),
            ("cmdline", _) => format!("cmdline {}", self.found.command_line),
            ("gen", _) => format!("gen {:016x}", self.generation),
            ("count", _) => {
                self.count += 1;
                format!("count {}", self.count)
            }
            ("burn", Ok(milliseconds)) => format!("burned {} cycles", burn(Duration::from_millis(milliseconds))),
            ("work", Ok(steps)) => format!("worked {:016x}", work(steps)),
            ("touch", Ok(mebibytes)) => format!("touched {} pages", mebibytes.min(self.found.mebibytes) * 256),
            ("burn" | "work" | "touch", Err(_)) => "error: it needs a number".to_owned(),
            _ => format!("error: unknown command {word}"),
        }
    }
}

/// Hands on every line that comes, which `\n` or `\r` ends, until no more do.
pub fn lines(mut from: impl Read, mut hear: impl FnMut(&str)) {
    let mut line = Vec::new();
    let mut bytes = [0; 1024];
    loop {
        let length = match from.read(&mut bytes) {
            Ok(0) => return,
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                // why: whoever handed the descriptor over does not let it wait by itself.
                std::thread::sleep(IDLE);
                continue;
            }
            Err(_) => return,
        };
        for byte in &bytes[..length] {
            match byte {
                b'\r' | b'\n' => hear(&String::from_utf8_lossy(&std::mem::take(&mut line))),
                _ if line.len() < LONGEST_LINE => line.push(*byte),
                _ => {}
            }
        }
    }
}

/// Whether an image is an ELF image with something to load, or a bzImage.
#[must_use]
pub fn is_image(image: &[u8]) -> bool {
    if image.get(0x202..0x206) == Some(b"HdrS") {
        return true;
    }
    let number = |at: usize, length: usize| {
        let bytes = image.get(at..at + length)?;
        usize::try_from(bytes.iter().rev().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte))).ok()
    };
    let (Some(table), Some(56), Some(count)) = (number(32, 8), number(54, 2), number(56, 2)) else { return false };
    let loads = |index: usize| number(table.checked_add(index * 56)?, 4);
    image.starts_with(b"\x7fELF\x02\x01") && (0..count).any(|index| loads(index) == Some(1))
}

/// Spins for this long; the nanoseconds that passed.
fn burn(time: Duration) -> u128 {
    let begun = Instant::now();
    while begun.elapsed() < time {
        std::hint::spin_loop();
    }
    begun.elapsed().as_nanos()
}

/// Knuth's generator for 64 bits, begun at zero, this many steps on.
fn work(steps: u64) -> u64 {
    (0..steps)
        .fold(0, |state: u64, _| state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_end_ends_a_line() {
        let mut heard = Vec::new();
        lines(&b"ping\recho a\r\nrest"[..], |line| heard.push(line.to_owned()));
        assert_eq!(heard, ["ping", "echo a", ""]);
    }

    #[test]
    fn an_image_has_something_to_load() {
        assert!(is_image(&crate::play::idle_kernel()));
        assert!(!is_image(b"\x7fELF and nothing that follows"));
        assert!(!is_image(b""));
    }

    #[test]
    fn the_script_answers_and_a_snapshot_carries_its_memory() {
        let mut guest =
            Guest::boot(b"", Found { mebibytes: 64, cpus: 2, command_line: "quiet weft.do=echo:a".to_owned() });
        assert_eq!(guest.errands(), ["echo a"]);
        assert_eq!(guest.hear("ping\r\n"), Act::Say("pong".to_owned()));
        assert_eq!(guest.hear("echo a b"), Act::Say("a b".to_owned()));
        assert_eq!(guest.hear("mem"), Act::Say("mem 64 MiB".to_owned()));
        assert_eq!(guest.hear("count"), Act::Say("count 1".to_owned()));
        let mut other = Guest::thaw(&guest.freeze()).unwrap();
        assert_eq!(other.hear("gen"), guest.hear("gen"));
        assert_eq!(other.hear("count"), Act::Say("count 2".to_owned()));
        assert_eq!(other.hear("hang"), Act::Hang);
        assert_eq!(other.hear("ping"), Act::Nothing);
    }
}
