//! The one task that hears a machine: its log, which goes on in a file of ours, its figures, which are added
//! up, and the end of its process.
//!
//! Both FIFOs have no end while Firecracker or we live, and what is not read is lost when they are full; so
//! nothing that is heard ever holds Firecracker up.

use super::counters::{MAX_LINE, Tally};
use super::end::Heard;
use super::shared::Shared;
use crate::firecracker::Error;
use crate::firecracker::folder::Folder;
use crate::log;
use bytes::BytesMut;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::unix::pipe;
use tokio::time::Instant;

/// What is read at once, in bytes.
const CHUNK: usize = 16 * 1024;
/// The longest line of the log that is looked at, in bytes.
const MAX_WORDS: usize = 8 * 1024;

/// The near end of one FIFO, with what has come of a line that is not whole yet. Between lines it holds no
/// memory: most machines say nothing for most of the time.
struct Ear {
    pipe: pipe::Receiver,
    part: BytesMut,
    limit: usize,
}

impl Ear {
    fn new(pipe: pipe::Receiver, limit: usize) -> Self {
        Self { pipe, part: BytesMut::new(), limit }
    }

    /// Takes in what has come, up to a chunk; whether there was anything.
    fn hear(&mut self) -> io::Result<bool> {
        let mut chunk = [0; CHUNK];
        match self.pipe.try_read(&mut chunk) {
            Ok(read) => {
                self.part.extend_from_slice(&chunk[..read]);
                Ok(read > 0)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The next whole line.
    fn line(&mut self) -> Option<BytesMut> {
        let line = line(&mut self.part, self.limit);
        if self.part.is_empty() {
            self.part = BytesMut::new();
        }
        line
    }

    /// Waits for more, and takes it in.
    async fn listen(&mut self) -> io::Result<()> {
        self.pipe.readable().await?;
        self.hear().map(drop)
    }
}

/// The near ends of what Firecracker says.
pub(in crate::firecracker) struct Ears {
    log: Ear,
    metrics: Ear,
    file: PathBuf,
    heard: Heard,
}

impl Ears {
    /// Listens, and writes the log on to this file.
    pub(in crate::firecracker) fn open(folder: &Folder, vmm_log: &Path) -> Result<Self, Error> {
        append(vmm_log).map_err(|source| Error::UseFolder { path: vmm_log.to_owned(), source })?;
        let mut heard = Heard::default();
        // Of a machine that ended before it was adopted, those before have heard the last words.
        log::tail(vmm_log).iter().for_each(|line| heard.line(line));
        let (log, metrics) = (Ear::new(folder.hear_log()?, MAX_WORDS), Ear::new(folder.hear_metrics()?, MAX_LINE));
        Ok(Self { log, metrics, file: vmm_log.to_owned(), heard })
    }

    /// Waits for words in the log, and takes them in.
    pub(in crate::firecracker) async fn hear(&mut self) -> io::Result<()> {
        self.log.listen().await?;
        self.take_words();
        Ok(())
    }

    /// Takes in the log as far as it has come; the figures stay.
    pub(in crate::firecracker) fn catch_up(&mut self) {
        while self.log.hear().is_ok_and(|more| more) {
            self.take_words();
        }
    }

    /// Writes on what has come, and looks at whole lines. The file is open for no longer: thousands of machines
    /// would hold as many descriptors.
    fn take_words(&mut self) {
        let mut words = Vec::new();
        while let Some(line) = self.log.line() {
            self.heard.line(String::from_utf8_lossy(&line).trim_end());
            words.extend_from_slice(&line);
        }
        if words.is_empty() {
            return;
        }
        if let Err(error) = append(&self.file).and_then(|mut file| file.write_all(&words)) {
            tracing::debug!(%error, "some of Firecracker's log is not kept");
        }
    }

    fn take_figures(&mut self, shared: &Shared) {
        while let Some(line) = self.metrics.line() {
            match self.take_line(shared, &line) {
                Some(at) => shared.were_told(at),
                None => tracing::debug!(bytes = line.len(), "a line of Firecracker's figures was cut short"),
            }
        }
    }

    /// Adds one line up, and tells when it was written, in milliseconds since 1970; `None` where it is none.
    fn take_line(&mut self, shared: &Shared, line: &[u8]) -> Option<u64> {
        let mut tally = shared.tally();
        let before = resets(&mut tally);
        let at = tally.add(line)?;
        self.heard.reset |= resets(&mut tally) > before;
        Some(at)
    }
}

fn append(path: &Path) -> io::Result<File> {
    File::options().append(true).create(true).mode(0o600).open(path)
}

fn resets(tally: &mut Tally) -> u64 {
    tally.sum().get("i8042").and_then(|figures| figures.get("reset_count")).copied().unwrap_or(0)
}

/// The next line with its end; of one that is longer than allowed, what there is.
fn line(buffer: &mut BytesMut, limit: usize) -> Option<BytesMut> {
    let end = buffer.iter().position(|byte| *byte == b'\n').map(|end| end + 1);
    match end {
        Some(end) => Some(buffer.split_to(end)),
        None if buffer.len() > limit => Some(buffer.split()),
        None => None,
    }
}

/// Hears a machine until its process has ended or nobody holds it any more.
pub(super) async fn own(shared: Arc<Shared>, mut ears: Ears) {
    let processes = shared.held.processes.clone();
    let mut ended = processes.ended(&shared.held.alive);
    let ending = loop {
        let due = shared.tally().due();
        tokio::select! {
            ending = &mut ended => break ending,
            heard = ears.log.listen() => match heard {
                Ok(()) => ears.take_words(),
                Err(error) => break deaf(&error, ended.await),
            },
            heard = ears.metrics.listen() => match heard {
                Ok(()) => ears.take_figures(&shared),
                Err(error) => break deaf(&error, ended.await),
            },
            () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => shared.tally().keep(),
        }
    };
    // What it said last may still be on its way to us.
    ears.catch_up();
    while ears.metrics.hear().is_ok_and(|more| more) {
        ears.take_figures(&shared);
    }
    shared.tally().keep();
    shared.process_ended(ending, &ears.heard);
}

fn deaf<T>(error: &io::Error, answer: T) -> T {
    tracing::warn!(%error, "Firecracker was no longer heard");
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_whole_and_bounded() {
        let mut buffer = BytesMut::from(&b"one\ntwo"[..]);
        assert_eq!(line(&mut buffer, 10).as_deref(), Some(&b"one\n"[..]));
        assert_eq!(line(&mut buffer, 10), None);
        buffer.extend_from_slice(b" and more than ten");
        assert_eq!(line(&mut buffer, 10).as_deref(), Some(&b"two and more than ten"[..]));
        assert!(buffer.is_empty());
    }
}
