//! What Firecracker says: its log, which goes on in a file of ours, and its figures, through one FIFO.
//!
//! ```text
//!  Firecracker ── log, figures ──► FIFO ──► lines ─┬─ words ───► the file, Heard
//!                                                  └─ figures ─► the tally
//!                                   └─ nobody writes any more: it has ended, or hides
//! ```
//!
//! A line of the log is written at once; figures are one line, which is longer and written in pieces, so that
//! words of another thread may stand within it, and are taken out again. Firecracker opens FIFOs for both ways
//! and never waits for us, so nothing that is heard holds it up; we open ours to read, so that the end of the
//! last who writes is told. That one descriptor is all that a machine costs which does nothing.

use super::counters::MAX_LINE;
use super::end::Heard;
use crate::firecracker::Error;
use crate::firecracker::folder::Folder;
use crate::log;
use bytes::BytesMut;
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use tokio::net::unix::pipe;
use weft_domain::InstanceId;

/// What is read at once, in bytes.
const CHUNK: usize = 16 * 1024;
/// The longest line of the log that is looked at, in bytes.
const MAX_WORDS: usize = 8 * 1024;
/// How long the time is that stands before each line of the log: `2026-11-20T21:50:53.123456789`.
const TIME: usize = 29;

/// What was heard at once.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sound {
    /// Something.
    Words,
    /// Nothing just now.
    Silence,
    /// Nobody writes any more.
    End,
}

/// The near end of what Firecracker says, with what has come of a line that is not whole yet. Between lines it
/// holds no memory: most machines say nothing for most of the time.
pub(in crate::firecracker) struct Ears {
    pipe: pipe::Receiver,
    part: BytesMut,
    sorter: Sorter,
    file: Arc<Path>,
    pub(super) heard: Heard,
}

impl Ears {
    /// Listens to this instance, and writes its log on to this file.
    pub(in crate::firecracker) fn open(folder: &Folder, vmm_log: &Path, id: InstanceId) -> Result<Self, Error> {
        append(vmm_log).map_err(|source| Error::UseFolder { path: vmm_log.to_owned(), source })?;
        let mut heard = Heard::default();
        // Of a machine that ended before it was adopted, those before have heard the last words.
        log::tail(vmm_log).iter().for_each(|line| heard.line(line));
        let sorter = Sorter { id, begun: BytesMut::new(), figures: Vec::new() };
        Ok(Self { pipe: folder.hear()?, part: BytesMut::new(), sorter, file: vmm_log.into(), heard })
    }

    /// The file that the log goes on in.
    pub(in crate::firecracker) fn log(&self) -> Arc<Path> {
        Arc::clone(&self.file)
    }

    /// Waits for words, and takes them in; whether there may be more.
    pub(in crate::firecracker) async fn listen(&mut self) -> io::Result<bool> {
        self.pipe.readable().await?;
        let mut chunk = [0; CHUNK];
        match self.pipe.try_read(&mut chunk) {
            Ok(read) => {
                self.take(&chunk[..read]);
                Ok(read > 0)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Takes in what has come, up to a chunk, without waiting to be told that there is something.
    pub(super) fn hear(&mut self) -> io::Result<Sound> {
        let mut chunk = [0; CHUNK];
        match rustix::io::read(&self.pipe, &mut chunk) {
            Ok(0) => Ok(Sound::End),
            Ok(read) => {
                self.take(&chunk[..read]);
                Ok(Sound::Words)
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(Sound::Silence),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes in all that has come.
    pub(in crate::firecracker) fn catch_up(&mut self) {
        while self.hear().is_ok_and(|sound| sound == Sound::Words) {}
    }

    /// Lines of figures that came, oldest first.
    pub(super) fn figures(&mut self) -> Vec<BytesMut> {
        std::mem::take(&mut self.sorter.figures)
    }

    /// Looks at whole lines, and writes words on. The file is open for no longer: thousands of machines would
    /// hold as many descriptors.
    fn take(&mut self, bytes: &[u8]) {
        self.part.extend_from_slice(bytes);
        let mut words = Vec::new();
        while let Some(line) = line(&mut self.part) {
            let said = self.sorter.sort(line);
            if !said.is_empty() {
                self.heard.line(String::from_utf8_lossy(&said).trim_end());
                words.extend_from_slice(&said);
            }
        }
        if self.part.is_empty() {
            self.part = BytesMut::new();
        }
        if words.is_empty() {
            return;
        }
        if let Err(error) = append(&self.file).and_then(|mut file| file.write_all(&words)) {
            tracing::debug!(%error, "some of Firecracker's log is not kept");
        }
    }
}

fn append(path: &Path) -> io::Result<File> {
    File::options().append(true).create(true).mode(0o600).open(path)
}

/// The next line with its end; of one that is longer than allowed, what there is.
fn line(buffer: &mut BytesMut) -> Option<BytesMut> {
    let limit = if buffer.starts_with(b"{") { MAX_LINE } else { MAX_WORDS };
    match buffer.iter().position(|byte| *byte == b'\n') {
        Some(end) => Some(buffer.split_to(end + 1)),
        None if buffer.len() > limit => Some(buffer.split()),
        None => None,
    }
}

/// Tells words from figures.
struct Sorter {
    id: InstanceId,
    /// The beginning of figures within which words stood.
    begun: BytesMut,
    /// Whole figures.
    figures: Vec<BytesMut>,
}

impl Sorter {
    /// Sorts one line; what of it is words.
    fn sort(&mut self, mut line: BytesMut) -> BytesMut {
        if self.begun.is_empty() && !line.starts_with(b"{") {
            return line;
        }
        let words = self.words_in(&line).map(|at| line.split_off(at));
        self.begin(&line);
        words.unwrap_or_else(|| {
            self.figures.push(std::mem::take(&mut self.begun));
            BytesMut::new()
        })
    }

    fn begin(&mut self, figures: &[u8]) {
        if self.begun.len() + figures.len() > MAX_LINE {
            self.begun = BytesMut::new();
            return;
        }
        self.begun.extend_from_slice(figures);
    }

    /// Where words begin: each line of the log has its time and whose it is before it.
    fn words_in(&self, line: &[u8]) -> Option<usize> {
        let whose = format!(" [{}:", self.id);
        let at = line.windows(whose.len()).position(|part| part == whose.as_bytes())?;
        at.checked_sub(TIME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "vm-01234567-89ab-7cde-8f01-23456789abcd";

    fn sorter() -> Sorter {
        Sorter { id: ID.parse().unwrap(), begun: BytesMut::new(), figures: Vec::new() }
    }

    fn word(text: &str) -> String {
        format!("2026-11-20T21:50:53.123456789 [{ID}:main] {text}\n")
    }

    /// What is words and what figures of these lines.
    fn sorted(text: &str) -> (String, Vec<BytesMut>) {
        let (mut buffer, mut sorter, mut words) = (BytesMut::from(text), sorter(), BytesMut::new());
        while let Some(line) = line(&mut buffer) {
            words.extend_from_slice(&sorter.sort(line));
        }
        assert!(sorter.begun.is_empty());
        (String::from_utf8(words.to_vec()).unwrap(), sorter.figures)
    }

    #[test]
    fn lines_are_taken_whole_and_bounded() {
        let mut buffer = BytesMut::from(&b"one\ntwo"[..]);
        assert_eq!(line(&mut buffer).as_deref(), Some(&b"one\n"[..]));
        assert_eq!(line(&mut buffer), None);
        buffer.extend_from_slice(&[b'x'; MAX_WORDS]);
        assert_eq!(line(&mut buffer).map(|line| line.len()), Some(MAX_WORDS + 3));
        assert!(buffer.is_empty());
    }

    #[test]
    fn words_within_figures_are_taken_out_and_both_are_whole() {
        let figures = r#"{"utc_timestamp_ms":5,"net":{"rx_count":1},"vcpu":{"exits":[1,2]}}"#;
        let (one, two, three) = (word("one"), word("a {brace} and ] more"), word("three\nof two lines"));
        for first in 1..figures.len() {
            for second in [first, figures.len() - 1] {
                let (a, b, c) = (&figures[..first], &figures[first..second], &figures[second..]);
                let text = format!("{one}{figures}\n{a}{two}{b}{two}{c}\n{three}{figures}\n");
                let (words, found) = sorted(&text);
                assert_eq!(words, format!("{one}{two}{two}{three}"), "{text}");
                assert_eq!(found, vec![format!("{figures}\n"); 3], "{text}");
            }
        }
    }

    #[test]
    fn figures_without_end_are_let_go() {
        let mut sorter = sorter();
        for _ in 0..2 * MAX_LINE / MAX_WORDS {
            let line = format!("{{{}{}", "x".repeat(MAX_WORDS), word("still"));
            assert_eq!(sorter.sort(BytesMut::from(line.as_str())), word("still"));
            assert!(sorter.begun.len() <= MAX_LINE);
        }
    }
}
