//! Locks of folders: one process at a time, and who it is.

use crate::Error;
use rustix::fs::FlockOperation;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// A process that was killed while it was starting another holds its lock until that one has begun.
const LINGERING: Duration = Duration::from_millis(200);

/// The lock of a folder, held until this is dropped.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough while a process that we are starting has a copy of the descriptor.
        let _ = rustix::fs::flock(&self.0, FlockOperation::Unlock);
    }
}

/// Takes the lock of a folder, which is a file of this name in it.
pub(crate) fn take(dir: &Path, name: &str) -> Result<Lock, Error> {
    let path = dir.join(name);
    let act = |error: io::Error| Error::host(format!("lock {}", path.display()), error);
    let mut options = OpenOptions::new();
    let mut file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(act)?;
    match try_for(&file, LINGERING) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut holder = String::new();
            // Who holds it is a courtesy; that it is held is the answer.
            let _ = file.read_to_string(&mut holder);
            return Err(Error::Held { dir: dir.to_owned(), holder: holder.trim().parse().ok() });
        }
        Err(error) => return Err(act(error.into())),
    }
    let told = file.set_len(0).and_then(|()| file.rewind());
    // A full disk must not keep us from the journal: only the courtesy is lost.
    if told.and_then(|()| writeln!(file, "{}", std::process::id())).is_err() {
        tracing::warn!(path = %path.display(), "cannot write who holds the lock");
    }
    Ok(Lock(file))
}

fn try_for(file: &File, limit: Duration) -> rustix::io::Result<()> {
    let start = Instant::now();
    loop {
        match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) if start.elapsed() < limit => {
                std::thread::sleep(Duration::from_millis(10));
            }
            other => return other,
        }
    }
}
