//! The instructions that no language has words for.

use core::arch::asm;

/// Writes a byte to a port.
pub fn out8(port: u16, value: u8) {
    // SAFETY: ports reach devices, never this program's memory.
    unsafe { asm!("out dx, al", in("dx") port, in("al") value, options(nomem, nostack, preserves_flags)) };
}

/// Writes two bytes to a port.
pub fn out16(port: u16, value: u16) {
    // SAFETY: as for `out8`.
    unsafe { asm!("out dx, ax", in("dx") port, in("ax") value, options(nomem, nostack, preserves_flags)) };
}

/// Reads a byte from a port.
pub fn in8(port: u16) -> u8 {
    let value: u8;
    // SAFETY: as for `out8`.
    unsafe { asm!("in al, dx", in("dx") port, out("al") value, options(nomem, nostack, preserves_flags)) };
    value
}

/// Reads two bytes from a port.
pub fn in16(port: u16) -> u16 {
    let value: u16;
    // SAFETY: as for `out8`.
    unsafe { asm!("in ax, dx", in("dx") port, out("ax") value, options(nomem, nostack, preserves_flags)) };
    value
}

/// The time stamp counter.
pub fn cycles() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: reads a counter.
    unsafe { asm!("rdtsc", out("eax") low, out("edx") high, options(nomem, nostack, preserves_flags)) };
    u64::from(high) << 32 | u64::from(low)
}

/// Forgets every translation that the processor remembers.
pub fn forget_translations() {
    // SAFETY: the same tables are loaded again.
    unsafe { asm!("mov {0}, cr3", "mov cr3, {0}", out(reg) _, options(nostack, preserves_flags)) };
}

/// Halts; with interrupts off, for ever.
pub fn halt() {
    // SAFETY: stops the processor, changes nothing.
    unsafe { asm!("hlt", options(nomem, nostack, preserves_flags)) };
}

/// Reads a register of a device.
pub fn read<T>(address: usize) -> T {
    // SAFETY: callers name registers and tables below 4 GiB, which are mapped as they are.
    unsafe { core::ptr::read_volatile(address as *const T) }
}

/// Reads a value of a table, wherever it lies.
pub fn peek<T>(address: usize) -> T {
    // SAFETY: as for `read`; tables need not be aligned.
    unsafe { core::ptr::read_unaligned(address as *const T) }
}

/// Writes to a register of a device, or to memory that nothing else uses.
pub fn write<T>(address: usize, value: T) {
    // SAFETY: as for `read`.
    unsafe { core::ptr::write_volatile(address as *mut T, value) };
}
