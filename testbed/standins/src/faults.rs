//! What goes wrong on request: switches that a test sets by environment or, while the stand-in runs, by file.
//!
//! One switch per line (or between semicolons): a name, its number where it takes one, and the endpoint it
//! waits at, as a method and a path that may end in `*`; without an endpoint it holds everywhere.
//!
//! ```text
//!  delay 500 PUT /snapshot/create
//!  exit 1 PUT /actions
//!  hang GET /api/v1/vmm.ping
//!  ignore-shutdown
//! ```
//!
//! The file is read again for every request, so a test turns switches on and off under a running stand-in.

use std::path::PathBuf;
use std::time::Duration;

/// The environment variable that holds switches.
pub const VARIABLE: &str = "STANDIN_FAULTS";
/// The environment variable that names a file of switches.
pub const FILE_VARIABLE: &str = "STANDIN_FAULTS_FILE";

/// Everything that can be made to go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `close`: the socket is closed after the request's head was read; nothing is done.
    CloseMidRequest,
    /// `truncate`: the request is done, half of the reply is sent, the socket is closed.
    TruncateReply,
    /// `garbage`: the request is done, bytes that are no HTTP are sent, the socket is closed.
    GarbageReply,
    /// `delay MS`: the request is done, the reply comes this much later.
    DelayReply(Duration),
    /// `hang`: no reply ever comes, and none to any later request: the API is silent, the process lives.
    Hang,
    /// `exit CODE`: the process ends with this code before the request is done.
    Exit(i32),
    /// `signal NUMBER`: the process ends by this signal before the request is done.
    Signal(i32),
    /// `ignore-shutdown`: the guest does not react to `SendCtrlAltDel` or the power button.
    IgnoreShutdown,
    /// `ignore-eject`: the guest never lets go of a device, so no `device-removed` comes.
    IgnoreEject,
    /// `drop-events`: the event monitor says nothing more.
    DropEvents,
    /// `fill-disk`: snapshot files end where a full disk would end them, and the snapshot fails.
    FillDisk,
    /// `pending-vcpu`: a vCPU's removal is pending, so `vm.resize` answers 429.
    PendingVcpu,
    /// `fail`: the request is refused as the VMM refuses what it cannot do inside.
    Fail,
}

/// A fault and where it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Switch {
    fault: Fault,
    place: Option<(String, String)>,
}

/// Where switches come from.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    text: String,
    file: Option<PathBuf>,
}

impl Faults {
    /// The switches that the environment holds or names.
    #[expect(clippy::disallowed_methods, reason = "a stand-in is told what to play by its environment")]
    #[must_use]
    pub fn of_environment() -> Self {
        Self {
            text: std::env::var(VARIABLE).unwrap_or_default(),
            file: std::env::var_os(FILE_VARIABLE).map(PathBuf::from),
        }
    }

    /// These switches and no file.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        Self { text: text.to_owned(), file: None }
    }

    /// What waits at this endpoint now.
    #[must_use]
    pub fn at(&self, method: &str, path: &str) -> Vec<Fault> {
        let fits = |place: &Option<(String, String)>| match place {
            None => true,
            Some((asked, at)) => (asked == "*" || asked == method) && covers(at, path),
        };
        self.switches().into_iter().filter(|switch| fits(&switch.place)).map(|switch| switch.fault).collect()
    }

    /// Whether a fault that waits at no endpoint is on now.
    #[must_use]
    pub fn on(&self, fault: Fault) -> bool {
        self.switches().iter().any(|switch| switch.fault == fault)
    }

    fn switches(&self) -> Vec<Switch> {
        let file = self.file.as_ref().and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        let lines = self.text.split([';', '\n']).chain(file.split([';', '\n']));
        lines.filter_map(switch).collect()
    }
}

fn covers(pattern: &str, path: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == path, |start| path.starts_with(start))
}

/// A line that means nothing switches nothing on.
fn switch(line: &str) -> Option<Switch> {
    let mut words = line.split_whitespace();
    let name = words.next()?;
    let fault = match name {
        "close" => Fault::CloseMidRequest,
        "truncate" => Fault::TruncateReply,
        "garbage" => Fault::GarbageReply,
        "delay" => Fault::DelayReply(Duration::from_millis(words.next()?.parse().ok()?)),
        "hang" => Fault::Hang,
        "exit" => Fault::Exit(words.next()?.parse().ok()?),
        "signal" => Fault::Signal(words.next()?.parse().ok()?),
        "ignore-shutdown" => Fault::IgnoreShutdown,
        "ignore-eject" => Fault::IgnoreEject,
        "drop-events" => Fault::DropEvents,
        "fill-disk" => Fault::FillDisk,
        "pending-vcpu" => Fault::PendingVcpu,
        "fail" => Fault::Fail,
        _ => return None,
    };
    let place = words.next().zip(words.next()).map(|(method, path)| (method.to_owned(), path.to_owned()));
    Some(Switch { fault, place })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_wait_where_they_were_put() {
        let faults = Faults::of_text("delay 20 PUT /snapshot/*; hang * /version\nignore-shutdown; nonsense");
        assert_eq!(
            faults.at("PUT", "/snapshot/load"),
            [Fault::DelayReply(Duration::from_millis(20)), Fault::IgnoreShutdown]
        );
        assert_eq!(faults.at("GET", "/version"), [Fault::Hang, Fault::IgnoreShutdown]);
        assert_eq!(faults.at("GET", "/"), [Fault::IgnoreShutdown]);
        assert!(faults.on(Fault::IgnoreShutdown) && !faults.on(Fault::FillDisk));
    }
}
