//! How ends of processes and chains of errors are told to people.

use weft_ports::hypervisor::Way;
use weft_ports::processes::Ending;

/// An error with all its causes, for the log and for people on this host.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// The end of a VMM's process as a way and a phrase that follows its name, where nothing more is known.
pub(crate) fn ending(ending: Ending) -> (Way, String) {
    match ending {
        Ending::Code(code) => (Way::Died, format!("ended with code {code}")),
        Ending::Signal(signal) => (Way::Died, format!("was ended by signal {signal}{}", name(signal))),
        Ending::OutOfMemory => (Way::OutOfMemory, "was killed by the kernel for memory".to_owned()),
        Ending::Unknown => (Way::Gone, "is gone".to_owned()),
    }
}

fn name(signal: i32) -> &'static str {
    match signal {
        1 => " (SIGHUP)",
        2 => " (SIGINT)",
        4 => " (SIGILL)",
        6 => " (SIGABRT)",
        7 => " (SIGBUS)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        15 => " (SIGTERM)",
        31 => " (SIGSYS, a system call that is not allowed)",
        _ => "",
    }
}
