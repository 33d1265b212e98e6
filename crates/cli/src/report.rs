//! Errors as people read them.
//!
//! ```text
//! error: what
//!   why: reason and field
//!   try: what to do about it
//! ```

use crate::show::paint::Paint;
use crate::{Error, Exit};
use std::error::Error as _;
use std::io::Write;
use weft_domain::{Fault, Instance, Kind};

/// At most this many lines of a log are shown under an error.
const TAIL: usize = 12;

/// An error as lines, each with its end.
#[must_use]
pub(crate) fn error(error: &Error, paint: Paint) -> String {
    let mut text = Lines { text: String::new(), paint };
    match error {
        Error::Refused(refused) => return fault_with(refused, paint),
        // Whoever ends what has no end of its own knows that they did.
        Error::Interrupted { follow } if follow.is_empty() => {}
        Error::Interrupted { follow } => {
            text.what("interrupted");
            text.part("why", "the wait is over; the work goes on");
            text.part("try", follow);
        }
        Error::Failed { vm } => failed(vm, &mut text),
        Error::NotYet { name, message, .. } => {
            text.what(&error.to_string());
            let why = message.as_deref().unwrap_or("the time to wait is over");
            text.part("why", &format!("{why}; it goes on"));
            text.part("try", &format!("weft vm watch {name}, or wait longer with --timeout"));
        }
        Error::Usage { fix, .. } => {
            text.what(&error.to_string());
            text.part("try", fix);
        }
        Error::ReadFile { .. } | Error::WriteFile { .. } | Error::UseTerminal { .. } | Error::WriteAnswer { .. } => {
            text.what(&error.to_string());
            if let Some(source) = error.source() {
                text.part("why", &source.to_string());
            }
        }
        Error::Several { .. } => text.what(&error.to_string()),
    }
    text.text
}

/// Writes a refusal without colour, for the binary's own commands, and tells how the program ends.
///
/// Nobody can be told when `to` is gone; that changes nothing.
pub fn fault(to: &mut dyn Write, fault: &Fault) -> Exit {
    let _ = to.write_all(fault_with(fault, Paint::Plain).as_bytes()).and_then(|()| to.flush());
    Exit::of(fault.kind())
}

fn fault_with(fault: &Fault, paint: Paint) -> String {
    let mut text = Lines { text: String::new(), paint };
    text.what(&fault.message);
    let reason = fault.reason.as_str();
    for violation in &fault.violations {
        let field = &violation.field;
        let told = fault.message.contains(&violation.why);
        let why = if told { String::new() } else { format!(": {}", violation.why) };
        text.part("why", &format!("{reason} at {field}{why}"));
    }
    if fault.violations.is_empty() {
        text.part("why", reason);
    }
    let fix = if fault.fix.is_empty() { usual_fix(fault.kind()) } else { &fault.fix };
    text.part("try", fix);
    text.text
}

fn failed(vm: &Instance, text: &mut Lines) {
    let name = &vm.meta.name;
    text.what(&format!("VM {name} has failed"));
    match &vm.status.last_exit {
        Some(exit) => {
            text.part("why", &format!("{}: {}", exit.cause.as_str(), exit.message));
            text.tail("the VMM's log", &exit.log_tail);
            text.tail("the console", &exit.console_tail);
        }
        None => {
            for condition in vm.status.conditions.iter().filter(|condition| condition.holds == Some(false)) {
                text.part("why", &format!("{}: {}", condition.kind, condition.message));
            }
        }
    }
    text.part("try", &format!("weft vm get {name}, weft vm logs {name}; then weft vm boot {name} to try again"));
}

struct Lines {
    text: String,
    paint: Paint,
}

impl Lines {
    fn what(&mut self, what: &str) {
        self.text += &format!("{} {what}\n", self.paint.bad("error:"));
    }

    fn part(&mut self, word: &str, said: &str) {
        if !said.is_empty() {
            self.text += &format!("  {} {said}\n", self.paint.strong(&format!("{word}:")));
        }
    }

    fn tail(&mut self, of: &str, lines: &[String]) {
        if lines.is_empty() {
            return;
        }
        self.text += &format!("  the end of {of}:\n");
        for line in &lines[lines.len().saturating_sub(TAIL)..] {
            self.text += &format!("    | {}\n", crate::show::escapes::printable(line));
        }
    }
}

/// What helps against most refusals of a kind.
const fn usual_fix(kind: Kind) -> &'static str {
    match kind {
        Kind::NotFound => "weft vm list -A shows what there is",
        Kind::Conflict => "read it again, and repeat the change",
        Kind::Unavailable => "see that weft runs: weft up starts it",
        Kind::DeadlineExceeded => "it goes on: look with weft vm get, or wait longer with --timeout",
        Kind::Internal => "look in weft's log for the cause",
        Kind::ResourceExhausted => "free some, or ask for less",
        Kind::InvalidArgument
        | Kind::AlreadyExists
        | Kind::FailedPrecondition
        | Kind::Unauthenticated
        | Kind::PermissionDenied
        | Kind::Unsupported => "",
    }
}
