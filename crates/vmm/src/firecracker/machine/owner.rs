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
use std::path::Path;
use std::sync::Arc;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::time::Instant;

/// What is read at once, in bytes.
const CHUNK: usize = 64 * 1024;
/// The longest line of the log that is looked at, in bytes.
const MAX_WORDS: usize = 8 * 1024;

/// The near ends of what Firecracker says.
pub(in crate::firecracker) struct Ears {
    log: pipe::Receiver,
    metrics: pipe::Receiver,
    file: File,
    words: BytesMut,
    figures: BytesMut,
    heard: Heard,
}

impl Ears {
    /// Listens, and writes the log on to this file.
    pub(in crate::firecracker) fn open(folder: &Folder, vmm_log: &Path) -> Result<Self, Error> {
        let opened = File::options().append(true).create(true).mode(0o600).open(vmm_log);
        let file = opened.map_err(|source| Error::UseFolder { path: vmm_log.to_owned(), source })?;
        let (words, figures) = (BytesMut::new(), BytesMut::new());
        let mut heard = Heard::default();
        // Of a machine that ended before it was adopted, those before have heard the last words.
        log::tail(vmm_log).iter().for_each(|line| heard.line(line));
        Ok(Self { log: folder.hear_log()?, metrics: folder.hear_metrics()?, file, words, figures, heard })
    }

    /// Takes in the log as far as it has come; the figures stay.
    pub(in crate::firecracker) fn catch_up(&mut self) {
        while self.log.try_read_buf(&mut room(&mut self.words)).is_ok_and(|read| read > 0) {
            self.take_words();
        }
    }

    /// Writes on what has come, and looks at whole lines.
    fn take_words(&mut self) {
        while let Some(line) = line(&mut self.words, MAX_WORDS) {
            let text = String::from_utf8_lossy(&line);
            self.heard.line(text.trim_end());
            if let Err(error) = self.file.write_all(&line) {
                tracing::debug!(%error, "a line of Firecracker's log is not kept");
            }
        }
    }

    fn take_figures(&mut self, shared: &Shared) {
        while let Some(line) = line(&mut self.figures, MAX_LINE) {
            match self.take_line(shared, &line) {
                Some(at) => shared.told_at.send_modify(|last| *last = at.max(*last)),
                None => tracing::debug!(bytes = line.len(), "a line of Firecracker's figures was cut short"),
            }
        }
    }

    /// Adds one line up, and tells when it was written, in milliseconds since 1970; `None` where it is none.
    fn take_line(&mut self, shared: &Shared, line: &[u8]) -> Option<u64> {
        let mut tally = shared.tally();
        let before = resets(&tally);
        let at = tally.add(line)?;
        self.heard.reset |= resets(&tally) > before;
        Some(at)
    }
}

fn resets(tally: &Tally) -> u64 {
    tally.sum().get("i8042").and_then(|figures| figures.get("reset_count")).copied().unwrap_or(0)
}

fn room(buffer: &mut BytesMut) -> &mut BytesMut {
    buffer.reserve(CHUNK);
    buffer
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
            read = ears.log.read_buf(room(&mut ears.words)) => match read {
                Ok(_) => ears.take_words(),
                Err(error) => break deaf(&error, ended.await),
            },
            read = ears.metrics.read_buf(room(&mut ears.figures)) => match read {
                Ok(_) => ears.take_figures(&shared),
                Err(error) => break deaf(&error, ended.await),
            },
            () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => shared.tally().keep(),
        }
    };
    // What it said last may still be on its way to us.
    ears.catch_up();
    while ears.metrics.try_read_buf(&mut room(&mut ears.figures)).is_ok_and(|read| read > 0) {
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
