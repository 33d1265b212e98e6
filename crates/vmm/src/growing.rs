//! A log that grows, for one who is attached to it: what is added from now on, until its machine has ended.
//!
//! ```text
//!  VMM ── appends ──► log ── the kernel tells of each write ──► read ──► screen
//! ```
//!
//! Output is never held up by one who does not read. A log that was cut short is read from its new end.

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::unix::pipe::Receiver;
use tokio::sync::watch;
use weft_ports::hypervisor::State;

/// Writes of the guest within this time are shown together.
const TOGETHER: Duration = Duration::from_millis(2);
/// What is read at once of the log, and of the kernel's words about it, in bytes.
const CHUNKS: (usize, usize) = (8_192, 1_024);

/// A log from its end on.
pub(crate) struct Growing {
    log: File,
    writes: Writes,
}

impl Growing {
    /// What is added to this file from now on.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let mut log = File::open(path)?;
        log.seek(SeekFrom::End(0))?;
        Ok(Self { log, writes: Writes::to(path)? })
    }

    /// Shows it until the machine has ended and all was shown.
    pub(crate) async fn show(
        mut self,
        mut state: watch::Receiver<State>,
        screen: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<()> {
        loop {
            let ended = matches!(*state.borrow_and_update(), State::Ended(_));
            self.catch_up(screen).await?;
            if ended {
                return Ok(());
            }
            tokio::select! {
                came = self.writes.next() => {
                    came?;
                    tokio::time::sleep(TOGETHER).await;
                }
                changed = state.changed() => if changed.is_err() { return Ok(()) },
            }
        }
    }

    async fn catch_up(&mut self, screen: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        let mut bytes = [0; CHUNKS.0];
        loop {
            let read = self.log.read(&mut bytes)?;
            if read == 0 {
                let (at, end) = (self.log.stream_position()?, self.log.metadata()?.len());
                if end < at {
                    self.log.seek(SeekFrom::Start(end))?;
                }
                return Ok(());
            }
            screen.write_all(&bytes[..read]).await?;
        }
    }
}

/// Writes to one file, as the kernel tells of them.
struct Writes(Option<Receiver>);

impl Writes {
    fn to(path: &Path) -> io::Result<Self> {
        let told = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        inotify::add_watch(&told, path, WatchFlags::MODIFY)?;
        // It is no pipe and is read as one.
        Receiver::from_file_unchecked(told.into()).map(|told| Self(Some(told)))
    }

    /// Waits for one that was not told of yet.
    async fn next(&mut self) -> io::Result<()> {
        let Some(told) = &mut self.0 else { return std::future::pending().await };
        told.read(&mut [0; CHUNKS.1]).await.map(drop)
    }
}

impl Drop for Writes {
    /// To close an inotify waits for all processors, for some 15 ms: no thread that serves others does it.
    fn drop(&mut self) {
        let told = self.0.take();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            drop(runtime.spawn_blocking(move || drop(told)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[tokio::test]
    async fn what_is_added_is_shown_until_nobody_looks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, "before").unwrap();
        let (_hold, state) = watch::channel(State::Running);
        let growing = Growing::of(&path).unwrap();
        let (mut shown, mut screen) = tokio::io::duplex(64);
        let task = weft_ports::task::spawn("test", async move { growing.show(state, &mut screen).await });
        let mut log = File::options().append(true).open(&path).unwrap();
        let mut seen = [0; 5];
        for words in ["first", "later"] {
            log.write_all(words.as_bytes()).unwrap();
            shown.read_exact(&mut seen).await.unwrap();
            assert_eq!(&seen, words.as_bytes());
        }
        drop(shown);
        log.write_all(b"to nobody").unwrap();
        assert!(task.await.unwrap().is_err());
    }

    #[tokio::test]
    async fn a_log_that_was_cut_is_read_from_its_new_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, "before").unwrap();
        let mut growing = Growing::of(&path).unwrap();
        let mut screen = Vec::new();
        for words in ["", "new"] {
            std::fs::write(&path, words).unwrap();
            growing.catch_up(&mut screen).await.unwrap();
        }
        assert_eq!(screen, b"new");
    }
}
