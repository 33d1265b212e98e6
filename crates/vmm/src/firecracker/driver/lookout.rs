//! Sees that something is made in a folder, at once: the socket of a Firecracker that starts.
//!
//! A timer would see it milliseconds later. It is an aid and no more: a host may have no more inotify to give,
//! and that a socket is there is not yet that somebody listens on it.

use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// What is read of events at once, in bytes; there are two at most.
const EVENTS: usize = 1024;

/// A look at one folder.
pub(super) struct Lookout(AsyncFd<OwnedFd>);

impl Lookout {
    /// Looks at this folder from now on.
    pub(super) fn at(folder: &Path) -> io::Result<Self> {
        let fd = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        add_watch(&fd, folder, WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::ONLYDIR)?;
        watched(fd).map(Self)
    }

    /// Waits until something was made there that was not told of yet.
    pub(super) async fn made(&self) -> io::Result<()> {
        let mut events = [0_u8; EVENTS];
        self.0.async_io(Interest::READABLE, |fd| Ok(rustix::io::read(fd, &mut events)?)).await.map(drop)
    }
}

#[expect(deprecated, reason = "the one that replaces it is unsafe, and this descriptor is owned and not changed")]
fn watched(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(fd, Interest::READABLE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn what_is_made_is_seen_once() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("before"), "").unwrap();
        let lookout = Lookout::at(folder.path()).unwrap();
        let soon = Duration::from_millis(10);
        assert!(tokio::time::timeout(soon, lookout.made()).await.is_err(), "it was there before");
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("api.sock")).unwrap();
        lookout.made().await.unwrap();
        assert!(tokio::time::timeout(soon, lookout.made()).await.is_err(), "it was told");
        assert!(Lookout::at(&folder.path().join("none")).is_err());
    }
}
