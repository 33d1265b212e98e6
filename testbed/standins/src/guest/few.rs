//! Guests of a few bytes, which are run: what a driver boots to see whether anything runs here.
//!
//! An image comes in; out comes what it said on the first serial port and how it left. A dozen instructions
//! are known: those that count down a loop, write to a port, jump and halt. Anything else, anything long, and
//! an image that halts without a word is no such guest, and the script is played in its place.

use super::Act;

/// The longest code that is run.
const LONGEST: usize = 4096;
/// The most instructions that are run.
const STEPS: u32 = 1_000_000;
/// The first serial port, the keyboard's controller, and where Cloud Hypervisor's ACPI sleeps.
const SERIAL: u16 = 0x3f8;
const KEYBOARD: u16 = 0x64;
const SLEEP: u16 = 0x600;

/// What a guest of a few bytes did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Few {
    /// What it said.
    pub(super) said: String,
    /// How it left; it halted where it did not.
    pub(super) left: Option<Act>,
}

/// Runs an image, if it is one of a few bytes.
pub(super) fn run(image: &[u8]) -> Option<Few> {
    let mut cpu = Cpu { code: code(image)?, at: 0, counter: 0, byte: 0, port: 0, did: Few::default() };
    for _ in 0..STEPS {
        match cpu.step()? {
            Step::On => {}
            Step::Over => break,
        }
    }
    (cpu.did != Few::default()).then_some(cpu.did)
}

/// The code from the entry to the end of its segment.
fn code(image: &[u8]) -> Option<&[u8]> {
    let number = |at: usize, length: usize| {
        let bytes = image.get(at..at + length)?;
        let number = bytes.iter().rev().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        usize::try_from(number).ok()
    };
    if !image.starts_with(b"\x7fELF\x02") {
        return None;
    }
    let (entry, table, size, count) = (number(24, 8)?, number(32, 8)?, number(54, 2)?, number(56, 2)?);
    for at in (0..count).map(|index| table + index * size) {
        let (kind, offset, address, length) =
            (number(at, 4)?, number(at + 8, 8)?, number(at + 24, 8)?, number(at + 32, 8)?);
        if kind == 1 && entry >= address && entry - address < length {
            let code = image.get(offset + entry - address..offset + length)?;
            return (code.len() <= LONGEST).then_some(code);
        }
    }
    None
}

enum Step {
    On,
    Over,
}

struct Cpu<'a> {
    code: &'a [u8],
    at: usize,
    counter: u32,
    byte: u8,
    port: u16,
    did: Few,
}

impl Cpu<'_> {
    /// One instruction; nothing when it is not known.
    fn step(&mut self) -> Option<Step> {
        let rest = self.code.get(self.at..)?;
        let length = match rest {
            [0xb9, a, b, c, d, ..] => {
                self.counter = u32::from_le_bytes([*a, *b, *c, *d]);
                5
            }
            [0x49, 0x75, 0xfd, ..] => self.count_down(3),
            [0xff, 0xc9, 0x75, 0xfc, ..] => self.count_down(4),
            [0x66, 0xba, a, b, ..] => {
                self.port = u16::from_le_bytes([*a, *b]);
                4
            }
            [0xb0, byte, ..] => {
                self.byte = *byte;
                2
            }
            [0xee, ..] => {
                self.write(self.port);
                1
            }
            [0xe6, port, ..] => {
                self.write(u16::from(*port));
                2
            }
            [0xfa | 0x90, ..] => 1,
            [0xf4, ..] => return Some(Step::Over),
            _ => return None,
        };
        self.at += length;
        Some(if self.did.left.is_some() { Step::Over } else { Step::On })
    }

    /// The whole of a loop that counts down.
    fn count_down(&mut self, length: usize) -> usize {
        self.counter = 0;
        length
    }

    fn write(&mut self, port: u16) {
        match (port, self.byte) {
            (SERIAL, byte) => self.did.said.push(char::from(byte)),
            (KEYBOARD, 0xfe) => self.did.left = Some(Act::Reboot),
            (SLEEP, 0x34) => self.did.left = Some(Act::PowerOff),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::play::{idle_kernel, kernel};

    #[test]
    fn a_few_bytes_are_run() {
        let mut code = vec![0xb9, 0, 9, 61, 0, 0x49, 0x75, 0xfd, 0x66, 0xba, 0xf8, 0x03];
        for byte in b"hi" {
            code.extend([0xb0, *byte, 0xee]);
        }
        let asks = |end: &[u8]| run(&kernel(&[&code, end].concat()));
        let left = |left| Some(Few { said: "hi".to_owned(), left });
        assert_eq!(asks(&[0x66, 0xba, 0, 6, 0xb0, 0x34, 0xee, 0xf4]), left(Some(Act::PowerOff)));
        assert_eq!(asks(&[0xb0, 0xfe, 0xe6, 0x64, 0xf4]), left(Some(Act::Reboot)));
        assert_eq!(asks(&[0xf4]), left(None));
    }

    #[test]
    fn what_is_silent_or_not_known_is_no_such_guest() {
        assert_eq!(run(&idle_kernel()), None);
        assert_eq!(run(&kernel(&[0xb0, b'a', 0xee, 0x0f, 0xa2])), None);
        assert_eq!(run(b"\x7fELF\x02 and no more"), None);
        assert_eq!(run(b""), None);
    }
}
