//! The ways in which a machine ends.

use crate::cpu::{halt, in8, out8};

/// Port of the pvpanic device, and what a guest says there when it panicked.
const PVPANIC: u16 = 0x505;
const PANICKED: u8 = 1;
const KEYBOARD: u16 = 0x60;
const KEYBOARD_STATUS: u16 = 0x64;
const PULSE_RESET: u8 = 0xfe;
const NO_KEYBOARD: u8 = 0xff;
/// Ctrl, Alt and Del pressed in turn, as AT keyboards say it, and as XT keyboards do.
const CTRL_ALT_DEL: [u32; 2] = [0x1411_e071, 0x1d38_e053];

/// Halts with interrupts off.
pub fn hang() -> ! {
    loop {
        halt();
    }
}

/// Has the keyboard's controller reset the machine.
pub fn reset() -> ! {
    out8(KEYBOARD_STATUS, PULSE_RESET);
    hang()
}

/// A triple fault.
pub fn crash() -> ! {
    unsafe extern "C" {
        fn triple_fault() -> !;
    }
    // SAFETY: nothing of this program is used afterwards.
    unsafe { triple_fault() }
}

/// Tells the pvpanic device, then hangs.
pub fn panic() -> ! {
    out8(PVPANIC, PANICKED);
    hang()
}

/// The last four bytes that the keyboard sent.
#[derive(Default)]
pub struct Keys(u32);

impl Keys {
    /// Whether Ctrl+Alt+Del was pressed; Firecracker asks that way.
    pub fn ask_for_end(&mut self) -> bool {
        let mut is_asked = false;
        loop {
            let status = in8(KEYBOARD_STATUS);
            if status == NO_KEYBOARD || status & 1 == 0 {
                return is_asked;
            }
            self.0 = self.0 << 8 | u32::from(in8(KEYBOARD));
            is_asked |= CTRL_ALT_DEL.contains(&self.0);
        }
    }
}
