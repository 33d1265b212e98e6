//! What this guest knows of its machine and remembers; all of it is saved and restored with its memory.

use crate::acpi::Acpi;
use crate::cpu::cycles;
use crate::memory::Handover;
use crate::power::{self, Keys};
use crate::serial::say;
use crate::text::say_number;
use crate::time;

/// The machine, and what was done with it.
pub struct Machine {
    handover: &'static Handover,
    acpi: Option<Acpi>,
    keys: Keys,
    cycles_per_millisecond: Option<u64>,
    touched_to: u64,
    /// How often it was asked to count.
    pub count: u64,
    /// Drawn at boot: it stays with the memory.
    pub generation: u64,
}

impl Machine {
    /// One that has just booted.
    pub fn new(handover: &'static Handover) -> Self {
        Self {
            handover,
            acpi: None,
            keys: Keys::default(),
            cycles_per_millisecond: None,
            touched_to: 0,
            count: 0,
            generation: mix(cycles()),
        }
    }

    /// Says what was found, then that it listens: whoever has read that may press the button.
    pub fn open(&mut self) {
        say(b"\r\nweft-tiny: ");
        say_number(self.handover.mebibytes());
        say(b" MiB, command line: ");
        say(self.command_line());
        self.acpi();
        time::start();
        say(b"\r\nweft-tiny: ready\r\n");
    }

    /// The kernel command line.
    pub fn command_line(&self) -> &'static [u8] {
        self.handover.command_line()
    }

    /// Memory in MiB.
    pub fn mebibytes(&self) -> u64 {
        self.handover.mebibytes()
    }

    /// What ACPI offers, read once.
    pub fn acpi(&mut self) -> Acpi {
        *self.acpi.get_or_insert_with(|| Acpi::find(self.handover.acpi))
    }

    /// Whether the power button or Ctrl+Alt+Del was pressed.
    pub fn is_asked_to_end(&mut self) -> bool {
        self.keys.ask_for_end() || self.acpi().is_button_pressed()
    }

    /// Cycles of the time stamp counter in a millisecond.
    pub fn cycles_per_millisecond(&mut self) -> u64 {
        *self.cycles_per_millisecond.get_or_insert_with(time::cycles_per_millisecond)
    }

    /// Touches this many further MiB; how many pages that were.
    pub fn touch(&mut self, mebibytes: u64) -> u64 {
        let (pages, next) = self.handover.touch(self.touched_to, mebibytes);
        self.touched_to = next;
        pages
    }

    /// Powers off: by ACPI, else as a reset, which is how a Firecracker ends.
    pub fn power_off(&mut self) -> ! {
        self.acpi().power_off();
        power::reset()
    }

    /// Resets: by ACPI, else by the keyboard's controller.
    pub fn reset(&mut self) -> ! {
        self.acpi().reset();
        power::reset()
    }
}

/// Spreads what is known of a number over all of its bits (splitmix64's last step).
fn mix(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}
