//! Commands, and how answers look.
//!
//! A command line is parsed into [`Cli`]. Commands that are a client's go to [`run`], which holds the
//! API's service traits and does not know whether they are near or far; commands that need adapters
//! ([`LocalCommand`]: `up`, `doctor`, …) are handed back to the binary, parsed.
//!
//! ```text
//!  argv ─► Cli ─┬─ Command::Client ─► run(globals, command, Services, Terminal) ─► Exit
//!               └─ Command::Local  ─► the binary
//!
//!  args     what can be typed            show     tables, descriptions, units
//!  verbs    what each command does       report   errors as what / why / try
//!  console  the raw terminal             exit     exit codes, one table
//! ```
//!
//! What always holds: answers go to standard output and everything else to standard error; colour and
//! moving lines are only for terminals; the terminal is as it was on every way out.
//!
//! What it does not know: configuration files, the environment, signals, sockets, generated types.

pub mod args;
pub mod console;
mod desk;
pub mod doctor;
mod error;
pub mod exit;
mod files;
mod progress;
pub mod reference;
mod report;
mod run;
pub mod show;
pub mod terminal;
mod verbs;

pub use args::{Cli, ClientCommand, Command, Globals, LocalCommand, command, parse};
pub use desk::Services;
pub use doctor::{Finding, State};
pub use error::Error;
pub use exit::Exit;
pub use report::fault as report_fault;
pub use run::run;
pub use terminal::Terminal;
