//! weft as people meet it: the program and its guides, typed as they stand.
//!
//! A new user without rights, an operator, a terminal, a program with curl. Where a tool is missing the test
//! says so and is skipped.

mod commands;
mod forward;
mod guides;
mod terminal;
mod unprivileged;

use std::ffi::OsString;
use std::process::{Command, Output};

/// What a program said, both ways.
fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Where programs are looked for.
#[expect(clippy::disallowed_methods, reason = "a test looks where its shell would look")]
fn search() -> OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

/// Whether a program is in `PATH`.
fn found(program: &str) -> bool {
    std::env::split_paths(&search()).any(|folder| folder.join(program).is_file())
}

/// Runs it and answers what it said; it must end well.
fn well(command: &mut Command) -> String {
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{command:?}: {}", words(&output));
    words(&output)
}
