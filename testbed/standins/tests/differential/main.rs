//! The same requests to the real program and to its stand-in: both have to answer alike.
//!
//! ```text
//!  a row of calls ─┬─► the real program, where one is found ─► status, class of the error, JSON ─┐
//!                  └─► the stand-in, playing its version ────► status, class of the error, JSON ─┴─► the same?
//! ```
//!
//! A difference is told with the row, the call and both answers. Without a real program the rows are played on
//! the stand-in alone, so that at least what a row expects of a status is checked.

#![expect(clippy::unwrap_used, reason = "whatever a row needs has to be there")]
#![expect(clippy::print_stdout, reason = "a run tells which programs were real")]

mod cloud_hypervisor;
mod firecracker;
mod raw;
mod rows;
