//! How a machine ended, from what can be known of it: the code of its process, what its log and its last
//! figures said, whether its guest had been asked, and the guest's own last words.
//!
//! A guest has one way out, the reset line of its keyboard controller; a reboot, a power-off and a kernel
//! that gave up all take it. So a reset after the guest was asked to stop is a power-off, one after the
//! kernel's words of panic is a panic, and any other is a reset. Of a process that was not our child the
//! code is read from its log.

use weft_ports::hypervisor::Way;
use weft_ports::processes::Ending;

/// What Linux says last when it gives up.
const PANIC: &str = "Kernel panic - not syncing";
/// Words of Firecracker's about a processor that shut down, which is what a triple fault does.
const SHUT_DOWN: [&str; 2] =
    ["Unexpected exit reason on vcpu run: Shutdown", "Unexpected exit reason on vcpu run: \"Shut"];

/// What was heard from Firecracker itself.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Heard {
    /// The code with which it says that it ends.
    pub(super) code: Option<i32>,
    /// The guest pulled its reset line.
    pub(super) reset: bool,
    /// A virtual CPU shut down.
    pub(super) shut_down: bool,
    /// A virtual CPU could not go on, in Firecracker's words.
    pub(super) stuck: Option<String>,
}

impl Heard {
    /// Hears one line of the log.
    pub(super) fn line(&mut self, line: &str) {
        if let Some((_, code)) = line.rsplit_once("exit_code=") {
            self.code = code.trim().parse().ok();
        }
        self.shut_down |= SHUT_DOWN.iter().any(|words| line.contains(words));
        if line.contains("Received KVM_EXIT_") || line.contains("Failure during vcpu run") {
            self.stuck = Some(line.split_once("] ").map_or(line, |(_, words)| words).to_owned());
        }
    }
}

/// The way and the sentence.
pub(super) fn judge(ending: Ending, heard: &Heard, asked: bool, console: &str) -> (Way, String) {
    let code = match ending {
        Ending::Code(code) => Some(code),
        Ending::Unknown => heard.code,
        Ending::Signal(_) | Ending::OutOfMemory => None,
    };
    match code {
        // A processor that shut down may still end it without an error.
        Some(0 | 1) if heard.shut_down => {
            (Way::Panic, "the guest's processor shut down after a fault that it could not handle".to_owned())
        }
        Some(code @ 0) if heard.stuck.is_some() => died(code, heard),
        Some(0) if asked => (Way::Poweroff, "the guest ended, as it was asked to".to_owned()),
        Some(0) if console.contains(PANIC) => (Way::Panic, "the guest's kernel panicked and reset itself".to_owned()),
        Some(0) => (Way::Reset, reset(heard)),
        Some(code) => died(code, heard),
        None => {
            let (way, how) = crate::told::ending(ending);
            (way, format!("Firecracker {how}"))
        }
    }
}

fn died(code: i32, heard: &Heard) -> (Way, String) {
    let why = meaning(code).map(|why| format!(" ({why})")).unwrap_or_default();
    let stuck = heard.stuck.as_ref().map(|words| format!(": {words}")).unwrap_or_default();
    (Way::Died, format!("Firecracker ended with code {code}{why}{stuck}"))
}

fn reset(heard: &Heard) -> String {
    if heard.reset {
        "the guest reset itself, which ends it here: Firecracker has no power-off".to_owned()
    } else {
        "the guest ended".to_owned()
    }
}

/// What Firecracker means by a code.
fn meaning(code: i32) -> Option<&'static str> {
    Some(match code {
        2 => "an error that it did not expect",
        148 => "a system call that it may not make",
        149 => "SIGBUS: memory or a disk behind it went away",
        150 => "SIGSEGV",
        151 => "SIGXFSZ: a file grew over its limit",
        152 => "a configuration that is wrong",
        153 => "arguments that it does not know",
        154 => "SIGXCPU: over its limit of processor time",
        155 => "SIGPIPE",
        156 => "SIGHUP",
        157 => "SIGILL",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_told_apart_as_far_as_can_be() {
        let heard = |lines: &[&str]| {
            let mut heard = Heard::default();
            lines.iter().for_each(|line| heard.line(line));
            heard
        };
        let out = "2026-11-20T21:50:53 [x:main] Firecracker exiting successfully. exit_code=0";
        let failed = "2026-11-20T21:50:53 [x:main] Firecracker exiting with error. exit_code=148";
        let shut = "2026 [x:fc_vcpu 0] Unexpected exit reason on vcpu run: Shutdown";
        let stuck = "2026 [x:fc_vcpu 0] Received KVM_EXIT_INTERNAL_ERROR signal";
        let panic = "[    1.0] Kernel panic - not syncing: Attempted to kill init!";
        for (ending, lines, asked, console, way, words) in [
            (Ending::Code(0), &[][..], true, "", Way::Poweroff, "as it was asked"),
            (Ending::Code(0), &[], false, "", Way::Reset, "the guest ended"),
            (Ending::Code(0), &[], false, panic, Way::Panic, "panicked"),
            (Ending::Code(1), &[shut], false, "", Way::Panic, "shut down"),
            (Ending::Code(0), &[shut], true, "", Way::Panic, "shut down"),
            (Ending::Code(0), &[stuck], true, "", Way::Died, "code 0: Received KVM_EXIT_INTERNAL_ERROR signal"),
            (Ending::Code(1), &[stuck], false, "", Way::Died, "code 1: Received KVM_EXIT_INTERNAL_ERROR signal"),
            (Ending::Code(148), &[], true, "", Way::Died, "a system call that it may not make"),
            (Ending::Signal(9), &[], true, "", Way::Died, "SIGKILL"),
            (Ending::OutOfMemory, &[], false, "", Way::OutOfMemory, "for memory"),
            (Ending::Unknown, &[], false, "", Way::Gone, "is gone"),
            (Ending::Unknown, &[out], false, "", Way::Reset, "the guest ended"),
            (Ending::Unknown, &[out], true, "", Way::Poweroff, "as it was asked"),
            (Ending::Unknown, &[failed], false, "", Way::Died, "code 148"),
        ] {
            let (got, message) = judge(ending, &heard(lines), asked, console);
            assert!(got == way && message.contains(words), "{ending:?} {lines:?}: {got:?} {message}");
        }
        let reset = Heard { reset: true, ..Heard::default() };
        assert!(judge(Ending::Code(0), &reset, false, "").1.contains("no power-off"));
    }
}
