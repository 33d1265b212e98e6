//! The command line against services in memory and a terminal of buffers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod console;
mod devices;
mod errors;
mod fake;
mod help;
mod logs;
mod screen;
mod tables;
mod usage;
mod verbs;
mod waiting;
