//! What the launcher answers, and what it means.

use crate::Error;
use rustix::event::{PollFd, PollFlags, Timespec};
use std::io::{self, Read};
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The first word of a launcher that has to build a jail.
#[derive(Debug)]
pub(super) enum First {
    /// Who becomes the program.
    Born(u32),
    /// It answered at once, so it failed; or it was ended.
    Else(Vec<u8>),
}

/// Waits for the first word. A launcher that was ended is no reason to wait, though a newborn holds its
/// socket.
pub(super) fn first(socket: &mut UnixStream, launcher: BorrowedFd<'_>, limit: Duration) -> io::Result<First> {
    let limit = Timespec::try_from(limit).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut both = [PollFd::new(socket, PollFlags::IN), PollFd::from_borrowed_fd(launcher, PollFlags::IN)];
    if rustix::event::poll(&mut both, Some(&limit))? == 0 {
        return Err(io::ErrorKind::TimedOut.into());
    }
    // What it said before its end counts; both may be ready, the words were there first.
    let mut only = [PollFd::new(socket, PollFlags::IN)];
    if rustix::event::poll(&mut only, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? == 0 {
        return Ok(First::Else(Vec::new()));
    }
    let mut answer = vec![0];
    if socket.read(&mut answer)? == 0 {
        return Ok(First::Else(Vec::new()));
    }
    if answer != *b"J" {
        socket.read_to_end(&mut answer)?;
        return Ok(First::Else(answer));
    }
    let mut pid = [0; 4];
    socket.read_exact(&mut pid)?;
    Ok(First::Born(u32::from_le_bytes(pid)))
}

/// A step that failed, as the launcher tells it.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) step: String,
    pub(super) errno: i32,
    pub(super) why: String,
}

/// What the whole answer means.
pub(super) fn judge(answer: &[u8]) -> Result<(), Refusal> {
    let text = String::from_utf8_lossy(answer);
    let (done, failure) = match text.strip_prefix('R') {
        Some(rest) => (true, rest),
        None => (false, &*text),
    };
    let Some(failure) = failure.strip_prefix('F') else {
        let (step, why) = ("start the launcher", "it was ended before it could answer");
        let silent = Refusal { step: step.to_owned(), errno: 0, why: why.to_owned() };
        return if done { Ok(()) } else { Err(silent) };
    };
    let mut parts = failure.splitn(3, '\0');
    let step = parts.next().unwrap_or_default().to_owned();
    let errno = parts.next().and_then(|errno| errno.parse().ok()).unwrap_or(0);
    Err(Refusal { step, errno, why: parts.next().unwrap_or_default().to_owned() })
}

impl Refusal {
    /// As the failure of a launch of this program.
    pub(super) fn of_launch(self, program: &Path) -> Error {
        let program = program.to_owned();
        if self.step == "execute" && self.errno == rustix::io::Errno::NOENT.raw_os_error() {
            return Error::ProgramMissing { program };
        }
        self.of_file().unwrap_or_else(|refusal| Error::Launch { program, step: refusal.step, why: refusal.why })
    }

    /// As the failure of a visit.
    pub(super) fn of_visit(self) -> Error {
        self.of_file().unwrap_or_else(|refusal| Error::Visit { step: refusal.step, why: refusal.why })
    }

    fn of_file(self) -> Result<Error, Self> {
        if let Some(path) = self.step.strip_prefix("show ") {
            return Ok(Error::Unshown { path: PathBuf::from(path), why: self.why });
        }
        let Some(path) = self.step.strip_prefix("enter the network ") else { return Err(self) };
        let why = format!("{path} cannot be entered: {}", self.why);
        Ok(Error::Unusable { field: "vm.spec.network_namespace".to_owned(), why })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn a_launcher_that_says_nothing_was_ended() {
        assert!(judge(b"").unwrap_err().why.contains("was ended before"));
        judge(b"R").unwrap();
        let meant = |answer: &[u8]| judge(answer).unwrap_err().of_launch(Path::new("/p"));
        let refused = meant(b"RFexecute\x0013\0Permission denied");
        assert!(matches!(refused, Error::Launch { .. }), "{refused}");
        assert!(matches!(meant(b"RFexecute\x002\0x"), Error::ProgramMissing { .. }));
        assert!(matches!(meant(b"Fshow /a b\x002\0x"), Error::Unshown { path, .. } if path == Path::new("/a b")));
    }

    #[test]
    fn words_before_the_end_count() {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let (ended, closed) = std::io::pipe().unwrap();
        drop(closed);
        let mut say = &theirs;
        io::Write::write_all(&mut say, b"J\x01\0\0\0").unwrap();
        let limit = Duration::from_secs(20);
        assert!(matches!(first(&mut ours, ended.as_fd(), limit).unwrap(), First::Born(1)));
        // Nothing more is said, and the other end is still open in another hand.
        assert!(matches!(first(&mut ours, ended.as_fd(), limit).unwrap(), First::Else(words) if words.is_empty()));
    }
}
