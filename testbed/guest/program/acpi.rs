//! The few words of ACPI that end a machine: how to power off or reset, and where its button is.
//!
//! ```text
//!  RSDP ─► XSDT or RSDT ─┬─ FADT ─┬─ power off by the sleep register, or by PM1 control
//!                        │        ├─ button: PM1 status, where the machine has it
//!                        │        └─ DSDT ─ button: the event device's register, found by its region's name
//!                        └─ MADT ─── how many processors
//! ```
//!
//! No AML is run. Firecracker's tables offer none of these.

use crate::cpu::{in16, out8, out16, peek, read, write};
use crate::memory::reach;
use core::arch::asm;

/// Region that Cloud Hypervisor gives its event device, a byte wide.
const CLOUD_HYPERVISOR_EVENTS: u32 = u32::from_le_bytes(*b"GDST");
/// Region that QEMU gives its own, four bytes wide.
const QEMU_EVENTS: u32 = u32::from_le_bytes(*b"EREG");
/// Where Firecracker has the RSDP, without saying so in PVH's start info.
const FIRMWARE: usize = 0xe_0000;
const HAS_RESET: u32 = 1 << 10;
const HARDWARE_REDUCED: u32 = 1 << 20;
/// Sleep type 5 and "sleep now" in a sleep control register.
const SLEEP_NOW: u8 = 0x34;
/// "Sleep now" in PM1 control; the type of S5 is 0 in all that has such a register here.
const PM1_SLEEP_NOW: u16 = 1 << 13;
const PM1_BUTTON: u16 = 1 << 8;

/// What the tables say.
#[derive(Clone, Copy)]
pub struct Acpi {
    off: Register,
    reset: Register,
    reset_value: u8,
    button: Button,
    /// Where the MADT is.
    madt: Option<usize>,
}

/// Where a byte, or for PM1 control two of them, is written.
#[derive(Clone, Copy)]
enum Register {
    None,
    Port(u16),
    Memory(usize),
    Pm1(u16),
}

#[derive(Clone, Copy)]
enum Button {
    None,
    Pm1(u16),
    Byte(usize),
    Word(usize),
}

impl Acpi {
    /// Reads the tables that begin at an RSDP, and enables the button.
    pub fn find(rsdp: u64) -> Self {
        let none = Register::None;
        let mut found = Self { off: none, reset: none, reset_value: 0, button: Button::None, madt: None };
        let rsdp = if rsdp == 0 { FIRMWARE } else { rsdp as usize };
        if peek::<[u8; 8]>(rsdp) != *b"RSD PTR " {
            return found;
        }
        let is_wide = peek::<u8>(rsdp + 15) >= 2;
        let root = if is_wide { peek::<u64>(rsdp + 24) as usize } else { peek::<u32>(rsdp + 16) as usize };
        let step = if is_wide { 8 } else { 4 };
        let mut entry = root + 36;
        while entry + step <= root + length(root) {
            let table = if is_wide { peek::<u64>(entry) as usize } else { peek::<u32>(entry) as usize };
            match &peek::<[u8; 4]>(table) {
                b"FACP" => found.read_fixed(table),
                b"APIC" => found.madt = Some(table),
                _ => {}
            }
            entry += step;
        }
        found
    }

    fn read_fixed(&mut self, fadt: usize) {
        let flags = peek::<u32>(fadt + 112);
        if flags & HAS_RESET != 0 {
            self.reset = Register::read(fadt + 116);
            self.reset_value = peek(fadt + 128);
        }
        if flags & HARDWARE_REDUCED == 0 {
            let status = peek::<u32>(fadt + 56) as u16;
            self.off = Register::Pm1(peek::<u32>(fadt + 64) as u16);
            self.button = Button::Pm1(status);
            let enable = status + u16::from(peek::<u8>(fadt + 88)) / 2;
            out16(enable, PM1_BUTTON);
            return;
        }
        self.off = Register::read(fadt + 244);
        let near = peek::<u32>(fadt + 40) as usize;
        self.button = find_events(if near == 0 { peek::<u64>(fadt + 140) as usize } else { near });
    }

    /// Writes what powers the machine off, where there is something.
    pub fn power_off(&self) {
        self.off.write(SLEEP_NOW);
    }

    /// Writes what resets the machine, where there is something.
    pub fn reset(&self) {
        self.reset.write(self.reset_value);
    }

    /// Whether the power button was pressed since it was last looked at.
    pub fn is_button_pressed(&self) -> bool {
        match self.button {
            Button::None => false,
            Button::Pm1(port) => {
                let is_pressed = in16(port) & PM1_BUTTON != 0;
                if is_pressed {
                    out16(port, PM1_BUTTON);
                }
                is_pressed
            }
            Button::Byte(address) => read::<u8>(address) & 8 != 0,
            Button::Word(address) => read::<u32>(address) & 2 != 0,
        }
    }

    /// How many processors there are that run or can be started.
    pub fn processors(&self) -> u64 {
        let Some(madt) = self.madt else { return 1 };
        let (mut entry, end) = (madt + 44, madt + length(madt));
        let mut count = 0;
        while entry < end {
            let enabled = match peek::<u8>(entry) {
                0 => peek::<u32>(entry + 4) & 1,
                9 => peek::<u32>(entry + 8) & 1,
                _ => 0,
            };
            count += u64::from(enabled);
            entry += usize::from(peek::<u8>(entry + 1)).max(2);
        }
        count
    }
}

impl Register {
    /// The one that a generic address names.
    fn read(generic: usize) -> Self {
        match (peek::<u64>(generic + 4), peek::<u8>(generic)) {
            (0, _) => Self::None,
            (port, 1) => Self::Port(port as u16),
            (address, _) => Self::Memory(reach(address)),
        }
    }

    fn write(self, value: u8) {
        match self {
            Self::None => {}
            Self::Port(port) => out8(port, value),
            Self::Memory(address) => write(address, value),
            Self::Pm1(port) => out16(port, PM1_SLEEP_NOW),
        }
    }
}

fn length(table: usize) -> usize {
    peek::<u32>(table + 4) as usize
}

/// The register of the device that tells events, in a DSDT: `OperationRegion (name, SystemMemory, address, …)`.
fn find_events(dsdt: usize) -> Button {
    if dsdt == 0 {
        return Button::None;
    }
    let end = dsdt + length(dsdt);
    let mut at = dsdt + 36;
    while let Some(after) = find_byte(at, end, 0x5b) {
        at = after;
        if peek::<u8>(at) != 0x80 {
            continue;
        }
        let (name, address) = (peek::<u32>(at + 1), at + 6);
        let address = match peek::<u8>(address) {
            0x0c => u64::from(peek::<u32>(address + 1)),
            0x0e => peek::<u64>(address + 1),
            _ => continue,
        };
        if name == CLOUD_HYPERVISOR_EVENTS {
            return Button::Byte(reach(address));
        }
        if name == QEMU_EVENTS {
            return Button::Word(reach(address));
        }
    }
    Button::None
}

/// The place after the first such byte: one instruction, however far it is.
fn find_byte(from: usize, end: usize, byte: u8) -> Option<usize> {
    let (mut after, left): (usize, usize);
    if from >= end {
        return None;
    }
    // SAFETY: reads the table that it is given.
    unsafe {
        asm!("repne scasb", inout("rdi") from => after, inout("rcx") end - from => left, in("al") byte,
             options(readonly, nostack));
    }
    if left == 0 {
        after = end;
    }
    (after < end).then_some(after)
}
