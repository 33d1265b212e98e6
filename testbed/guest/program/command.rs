//! Commands: a word, and for some a rest. Each is answered with one line; those that end the machine say so
//! first.

use crate::cpu::cycles;
use crate::machine::Machine;
use crate::power;
use crate::serial::say;
use crate::text::{number, say_hex, say_number};

/// Does what a line asks for, whose word ends at `mark`.
pub fn obey(machine: &mut Machine, line: &[u8], mark: u8) {
    let (word, rest) = match line.iter().position(|byte| *byte == mark) {
        Some(at) => (&line[..at], &line[at + 1..]),
        None => (line, &[][..]),
    };
    match word {
        b"ping" => say(b"pong"),
        b"echo" => say(rest),
        b"mem" => tell(b"mem ", machine.mebibytes(), b" MiB"),
        b"cpus" => tell(b"cpus ", machine.acpi().processors(), b""),
        b"cmdline" => {
            say(b"cmdline ");
            say(machine.command_line());
        }
        b"gen" => {
            say(b"gen ");
            say_hex(machine.generation);
        }
        b"count" => {
            machine.count += 1;
            tell(b"count ", machine.count, b"");
        }
        b"burn" | b"work" | b"touch" => match number(rest) {
            Some(amount) => spend(machine, word, amount),
            None => say(b"error: it needs a number"),
        },
        _ => end(machine, word),
    }
    say(b"\r\n");
}

fn tell(before: &[u8], number: u64, after: &[u8]) {
    say(before);
    say_number(number);
    say(after);
}

fn spend(machine: &mut Machine, word: &[u8], amount: u64) {
    match word {
        b"burn" => tell(b"burned ", burn(machine, amount), b" cycles"),
        b"work" => {
            say(b"worked ");
            say_hex(work(amount));
        }
        _ => tell(b"touched ", machine.touch(amount), b" pages"),
    }
}

fn end(machine: &mut Machine, word: &[u8]) {
    match word {
        b"poweroff" => {
            say(b"weft-tiny: powering off\r\n");
            machine.power_off()
        }
        b"reboot" => {
            say(b"weft-tiny: rebooting\r\n");
            machine.reset()
        }
        b"crash" => {
            say(b"weft-tiny: crashing\r\n");
            power::crash()
        }
        b"hang" => {
            say(b"weft-tiny: hanging\r\n");
            power::hang()
        }
        b"panic" => {
            say(b"weft-tiny: panicking\r\n");
            power::panic()
        }
        _ => {
            say(b"error: unknown command ");
            say(word);
        }
    }
}

/// Spins for this many milliseconds; the cycles that passed.
fn burn(machine: &mut Machine, milliseconds: u64) -> u64 {
    let from = cycles();
    let wanted = milliseconds.saturating_mul(machine.cycles_per_millisecond());
    loop {
        let passed = cycles() - from;
        if passed >= wanted {
            return passed;
        }
    }
}

/// Knuth's generator for 64 bits, begun at zero, this many steps on.
fn work(steps: u64) -> u64 {
    let mut state = 0_u64;
    for _ in 0..steps {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Kept from being worked out without taking the steps.
        state = core::hint::black_box(state);
    }
    state
}
