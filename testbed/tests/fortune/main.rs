//! Ill fortune: what the host, a person or an accident does to a weft whose VMs run.
//!
//! ```text
//!  space     the disk is full at one write after the other       readonly  the disk can be read and not written
//!  damage    journal and store are cut, spoilt, gone             restored  the state is older than what runs
//!  reboot    the machine was restarted; pids are others'         rivals    two on one data folder
//!  silence   a VMM that stops, says nothing, or garbage          hands     what is taken away under a VM
//!  house     a weft with the stand-in of Firecracker, in mounts of its own
//! ```
//!
//! What always holds, whatever happens: no VM is ended or started twice that nobody asked for; what was
//! answered stays; who is refused is told why and what to do; others are not harmed; all goes on when the
//! misfortune is over. A test that needs to mount says `skipped: why` where it cannot.

#![expect(clippy::print_stdout, reason = "a skipped test says so")]

mod damage;
mod hands;
mod house;
mod readonly;
mod reboot;
mod restored;
mod rivals;
mod silence;
mod space;
