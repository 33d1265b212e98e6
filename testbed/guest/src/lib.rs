//! weft-tiny: a guest of 37 KiB that does on command what a test or a benchmark wants of a guest.
//!
//! A kernel that Firecracker, Cloud Hypervisor and QEMU (microvm, pc, q35; KVM or TCG) boot by the PVH
//! protocol. It needs no disk and some megabytes of memory, is ready in a few thousand instructions, and
//! waits in HLT at next to no cost. Its source is in `program/`, written for no operating system; this crate
//! holds what the build script makes of it. It knows nothing of weft.
//!
//! On the first serial port it says
//!
//! ```text
//!  weft-tiny: 64 MiB, command line: console=ttyS0 weft.do=touch:16
//!  weft-tiny: ready
//!  touched 4096 pages
//! ```
//!
//! and then answers each line with a line (`\n` or `\r` ends one; nothing is echoed; at most 1,024 bytes):
//!
//! | line | answer | what it does |
//! |---|---|---|
//! | `ping` | `pong` | |
//! | `echo TEXT` | `TEXT` | |
//! | `burn MS` | `burned N cycles` | spins that long; N of the time stamp counter |
//! | `work N` | `worked HEX` | N steps of Knuth's 64-bit generator from zero; the last state |
//! | `touch MIB` | `touched N pages` | writes to each page of that many further MiB, below 4 GiB |
//! | `mem` | `mem N MiB` | the memory map's total |
//! | `cpus` | `cpus N` | processors that ACPI lists; it uses the first |
//! | `cmdline` | `cmdline TEXT` | |
//! | `gen` | `gen HEX` | drawn at boot, so restored memory has the old one |
//! | `count` | `count N` | one more than the last time |
//! | `poweroff` | `weft-tiny: powering off` | by ACPI; without that (Firecracker) a reset |
//! | `reboot` | `weft-tiny: rebooting` | a reset, by ACPI or else the keyboard's controller; Firecracker ends |
//! | `crash` | `weft-tiny: crashing` | a triple fault |
//! | `hang` | `weft-tiny: hanging` | HLT with interrupts off |
//! | `panic` | `weft-tiny: panicking` | tells the pvpanic device at port 0x505, then hangs |
//!
//! Anything else is answered with `error: …`. `weft.do=WORD` or `weft.do=WORD:REST` on the command line does
//! the same at boot, any number of times, in turn.
//!
//! It powers off when asked to: by the ACPI power button (QEMU's `system_powerdown`, Cloud Hypervisor's
//! `vm.power-button`) and by Ctrl+Alt+Del (Firecracker's `SendCtrlAltDel`), within a tenth of a second.

/// The guest, an ELF file; where weft is built for another processor than x86-64 there is none.
pub const ELF: Option<&[u8]> = elf();

/// Where the build left the same file; it stays there as long as the build's folder does.
pub const PATH: &str = env!("WEFT_GUEST_ELF");

/// What it says when it listens.
pub const READY: &str = "weft-tiny: ready";

#[cfg(target_arch = "x86_64")]
const fn elf() -> Option<&'static [u8]> {
    Some(include_bytes!(env!("WEFT_GUEST_ELF")))
}

#[cfg(not(target_arch = "x86_64"))]
const fn elf() -> Option<&'static [u8]> {
    None
}

/// What `work` answers for this many steps.
#[must_use]
pub fn work(steps: u64) -> u64 {
    let step = |state: u64, _| state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (0..steps).fold(0, step)
}
