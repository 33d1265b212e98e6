//! A weft takes the place of another: under load, with running VMs, and with whatever may go wrong on the way;
//! and state that former versions wrote is opened.

#![expect(clippy::print_stdout, reason = "a skipped test says so, and a seed is told")]

mod corpus;
mod failures;
mod gate;
mod load;
mod machines;
mod predecessors;
mod talk;

use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};
use weft_testbed::daemon::Daemon;

/// How long anything may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Waits until a process has ended.
fn ended(child: &mut Child) -> ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("it is a child") {
            return status;
        }
        if begun.elapsed() > LIMIT {
            child.kill().expect("killed");
            panic!("process {} does not end", child.id());
        }
        // why: another process is waited for, which tells us nothing.
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until the daemon answers a request.
fn assert_serves(daemon: &Daemon) {
    let answer = load::ask_anew(daemon.api()).unwrap_or_else(|why| panic!("{why}\n{}", daemon.log()));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// What the daemon tells of itself.
fn told(daemon: &Daemon) -> serde_json::Value {
    let text = std::fs::read_to_string(daemon.data_dir().join("up.json")).expect("it tells");
    serde_json::from_str(&text).expect("JSON")
}
