//! weft-tiny: a guest that does on command what a test wants of a guest.
//!
//! ```text
//!  entry.s ─► start ─► banner ─► `weft.do=…` ─► loop { keys · button · serial line ─► command ; idle }
//!                                                        idle: HLT until the UART or the timer interrupts
//! ```
//!
//! One processor, one stack, no heap; interrupts are taken in `idle` alone, so nothing is shared. Every
//! instruction is dear where KVM emulates it, so what is not asked for is not done. What it does not drive:
//! any virtio device, any processor but the first, any memory above 4 GiB.

#![no_std]
#![no_main]

mod acpi;
mod command;
mod cpu;
mod machine;
mod memory;
mod power;
mod serial;
mod text;
mod time;

use core::arch::global_asm;
use machine::Machine;
use memory::Handover;
use serial::Line;

global_asm!(include_str!("entry.s"), include_str!("library.s"), options(att_syntax));

unsafe extern "C" {
    /// Waits in HLT for one interrupt (entry.s).
    fn idle();
}

/// Where the way of entry.s ends.
#[unsafe(no_mangle)]
extern "C" fn start(handover: &'static Handover) -> ! {
    serial::open();
    let mut machine = Machine::new(handover);
    machine.open();
    for word in machine.command_line().split(|byte| *byte == b' ') {
        if let Some(asked) = word.strip_prefix(b"weft.do=") {
            command::obey(&mut machine, asked, b':');
        }
    }
    let mut line = Line::new();
    loop {
        if machine.is_asked_to_end() {
            command::obey(&mut machine, b"poweroff", b' ');
        }
        while let Some(asked) = line.receive() {
            command::obey(&mut machine, asked, b' ');
        }
        // SAFETY: entry.s keeps to the C calling convention, and the interrupt table is loaded.
        unsafe { idle() };
    }
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo<'_>) -> ! {
    serial::say(b"weft-tiny: a mistake of its own\r\n");
    power::crash()
}
