//! The nursery: a launcher that stays and gives birth to one for each order.
//!
//! To execute a program, a process is made that has a copy of each of our descriptors, of which there are
//! thousands, and closes them again. The nursery has a few. What it gives birth to is a child of ours, as if
//! we had executed it; `launcher/nursery.rs` beside the crate's sources tells the other side.
//!
//! What always holds: a newborn bears the claim that it was called with when it tells that it is there; one
//! that has no order ends by itself when we let go of its socket; the nursery ends with us.

use super::{MAX_FDS, Place, Started};
use crate::processes::search;
use rustix::net::{AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType};
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command as Spawn, Stdio};
use weft_domain::ClaimId;

/// The word by which a launcher stays, and the name that it goes by.
const WORD: &str = "nursery";
const NAME: &str = "weft-launcher";
/// The length of a claim's text.
const CLAIM: usize = 42;

/// One nursery.
#[derive(Debug)]
pub(super) struct Nursery {
    calls: OwnedFd,
    _process: Started,
}

impl Nursery {
    /// Begins one whose newborns have these variables.
    pub(super) fn begin(launcher: &Path, place: &Place<'_>) -> io::Result<Self> {
        let scope = place.scope.unwrap_or_default();
        let flags = SocketFlags::CLOEXEC;
        let (calls, theirs) = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        let mut spawn = Spawn::new(launcher);
        // It bears nothing, and has room for what each newborn bears.
        spawn.arg0(NAME).arg(WORD).env_clear().env("PATH", place.path_variable);
        spawn.env(search::CLAIM, "-".repeat(CLAIM)).env(search::SCOPE, "-".repeat(scope.len()));
        let child = spawn.stdin(theirs).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        Ok(Self { calls, _process: Started::child(child.id(), place.boot_id)? })
    }

    /// Calls for a newborn that bears this claim and takes its order from this socket.
    pub(super) fn call(&self, claim: ClaimId, scope: &str, socket: &UnixStream) -> io::Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let fds = [socket.as_fd()];
        if !control.push(SendAncillaryMessage::ScmRights(&fds)) {
            return Err(io::Error::other("a descriptor cannot go along"));
        }
        let call = format!("{claim}\0{scope}");
        rustix::net::sendmsg(&self.calls, &[IoSlice::new(call.as_bytes())], &mut control, SendFlags::NOSIGNAL)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_as_long_as_its_place() {
        assert_eq!(ClaimId::new(weft_domain::Time::from_millis(0), [0; 10]).to_string().len(), CLAIM);
    }
}
