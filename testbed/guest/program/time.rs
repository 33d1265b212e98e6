//! The local APIC's timer, which wakes the idle loop and tells how fast the time stamp counter runs.
//!
//! KVM and QEMU let that timer count nanoseconds; processors of metal do not, and this guest is not for them.

use crate::cpu::{cycles, out8, read, write};

const LOCAL: usize = 0xfee0_0000;
const SPURIOUS: usize = LOCAL + 0xf0;
const TIMER: usize = LOCAL + 0x320;
const INITIAL: usize = LOCAL + 0x380;
const CURRENT: usize = LOCAL + 0x390;
const DIVISOR: usize = LOCAL + 0x3e0;
const IO: usize = 0xfec0_0000;

/// Vectors of entry.s.
const INTERRUPT: u32 = 32;
const SPURIOUS_INTERRUPT: u32 = 33;
const PERIODIC: u32 = 1 << 17;
const SERIAL_PIN: u32 = 4;

/// How often the guest looks round when nothing interrupts it.
const TICK_NS: u32 = 100_000_000;
/// How long the time stamp counter is watched.
const WATCHED_NS: u32 = 2_000_000;

/// Starts the tick and lets the UART interrupt.
pub fn start() {
    out8(0x21, 0xff);
    out8(0xa1, 0xff);
    write(SPURIOUS, 0x100 | SPURIOUS_INTERRUPT);
    write(DIVISOR, 0xb_u32);
    write(TIMER, PERIODIC | INTERRUPT);
    write(INITIAL, TICK_NS);
    write(IO, 0x10 + 2 * SERIAL_PIN);
    write(IO + 0x10, INTERRUPT);
}

/// Cycles of the time stamp counter in a millisecond, measured against the timer.
pub fn cycles_per_millisecond() -> u64 {
    let mut left = read::<u32>(CURRENT);
    let from = cycles();
    let mut passed = 0;
    loop {
        let now = read::<u32>(CURRENT);
        passed += if now <= left { left - now } else { left + (TICK_NS - now) };
        left = now;
        if passed >= WATCHED_NS {
            return (cycles() - from) * 1_000_000 / u64::from(passed);
        }
    }
}
