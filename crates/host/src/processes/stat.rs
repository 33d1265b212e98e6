//! Who a process is: what `/proc/PID/stat` says of it, and which start of the machine this is.
//!
//! A pid together with its start time and the boot id is never given twice.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use weft_ports::processes::Alive;

/// Few files of the kernel's that are read here are longer.
const USUAL: usize = 2048;

/// What is used of `/proc/PID/stat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    /// `Z` and `X` are dead.
    pub(super) state: char,
    /// Whose child it is.
    pub(super) parent: u32,
    /// The session; its leader's pid.
    pub(super) session: u32,
    /// When it started, in clock ticks since the machine started.
    pub(crate) start_ticks: u64,
}

impl Stat {
    /// Whether it runs or could run again.
    pub(super) const fn is_living(&self) -> bool {
        !matches!(self.state, 'Z' | 'X' | 'x')
    }
}

/// Reads the line. The name stands in parentheses and may itself hold any byte, parentheses too, so the
/// fields are counted from the last one.
fn parse(line: &[u8]) -> Option<Stat> {
    let after = line.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(&line[after + 1..]).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    // Fields are numbered from 1 in proc(5): state is 3, ppid 4, session 6, starttime 22.
    let parent = fields.next()?.parse().ok()?;
    let session = fields.nth(1)?.parse().ok()?;
    let start_ticks = fields.nth(15)?.parse().ok()?;
    Some(Stat { state, parent, session, start_ticks })
}

/// What the kernel says of this pid; `None` where there is no such process, or that cannot be told.
pub(super) fn of(pid: u32) -> Option<Stat> {
    look(pid).ok().flatten()
}

/// What the kernel says of this pid; `None` where there is no such process.
///
/// # Errors
/// That cannot be told now, as where we have no descriptor left to look with: it may well live.
pub(crate) fn look(pid: u32) -> io::Result<Option<Stat>> {
    match read(format!("/proc/{pid}/stat")) {
        Ok(line) => Ok(parse(&line)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A file of the kernel's: to ask for its length first, as of others, is in vain, and most have a few lines.
pub(super) fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(USUAL);
    File::open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The same as text.
pub(super) fn read_text(path: impl AsRef<Path>) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Whether this very process is there, dead or alive.
pub(super) fn is_there(alive: &Alive, boot_id: &str) -> Option<Stat> {
    let stat = of(alive.pid)?;
    (alive.boot_id == boot_id && alive.start_ticks == stat.start_ticks).then_some(stat)
}

/// The user and group of a process.
pub(crate) fn user_of(pid: u32) -> Option<(u32, u32)> {
    let status = read_text(format!("/proc/{pid}/status")).ok()?;
    let id = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_ascii_whitespace().next()?.parse().ok()
    };
    Some((id("Uid:")?, id("Gid:")?))
}

/// Which start of the machine this is.
pub(crate) fn boot_id() -> io::Result<String> {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: &str = "S 1 42 77 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 123456 9 10";

    #[test]
    fn the_name_may_hold_anything() {
        for name in ["sleep", "a b", "x) S 1 2 3", "((", ") Z 9 9 9 (", "\u{e4}\n"] {
            let line = format!("5 ({name}) {REST}");
            let expected = Stat { state: 'S', parent: 1, session: 77, start_ticks: 123_456 };
            assert_eq!(parse(line.as_bytes()), Some(expected), "{name:?}");
        }
    }

    #[test]
    fn a_cut_line_is_nothing() {
        let line = format!("5 (x) {REST}");
        let enough = line.len() - " 9 10".len();
        for end in 0..enough - "123456".len() {
            assert_eq!(parse(&line.as_bytes()[..end]), None, "{end}");
        }
    }

    #[test]
    fn we_are_living_and_nobody_is_pid_zero() {
        let us = of(std::process::id()).unwrap();
        assert!(us.is_living() && us.start_ticks > 0);
        assert_eq!(of(0), None);
        assert_eq!(boot_id().unwrap().len(), 36);
    }
}
