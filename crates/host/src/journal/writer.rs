//! The one thread that owns the journal: takes changes, commits many with one sync, then answers.

use super::file::{Failed, Journal};
use super::frame;
use super::held::Held;
use super::record;
use crate::Error;
use tokio::sync::{mpsc, oneshot};
use weft_domain::ClaimId;
use weft_ports::claims::{Claim, Entry, Note};
use weft_ports::fault::{self, Point};

/// One commit takes no more changes than this.
const MOST_CHANGES: usize = 256;
/// One change takes no more bytes than this.
pub(super) const LONGEST_CHANGE: usize = 1 << 20;

/// What is asked of the thread.
#[derive(Debug)]
pub(super) enum Ask {
    /// Changes the journal.
    Change(Change, oneshot::Sender<Result<(), Error>>),
    /// Reads it.
    List(oneshot::Sender<Vec<Entry>>),
}

/// A change.
#[derive(Debug)]
pub(super) enum Change {
    /// Makes claims.
    Claim(Vec<Claim>),
    /// Replaces a note.
    Note(ClaimId, Box<Note>),
    /// Lets claims go.
    Release(Vec<ClaimId>),
}

/// The thread's own.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) journal: Journal,
    pub(super) held: Held,
    /// Nothing more can be promised.
    pub(super) gave_up: bool,
}

/// What is answered once the commit is on the disk.
#[derive(Default)]
struct Batch {
    payload: Vec<u8>,
    changed: Vec<oneshot::Sender<Result<(), Error>>>,
    lists: Vec<oneshot::Sender<Vec<Entry>>>,
    count: usize,
}

impl Writer {
    /// Serves until nobody can ask any more.
    pub(super) fn run(mut self, mut asks: mpsc::Receiver<Ask>) {
        while let Some(first) = asks.blocking_recv() {
            let mut batch = Batch::default();
            self.take(first, &mut batch);
            while batch.count < MOST_CHANGES && batch.payload.len() + LONGEST_CHANGE < frame::LONGEST {
                let Ok(next) = asks.try_recv() else { break };
                self.take(next, &mut batch);
            }
            self.commit(batch);
            if self.journal.is_grown() && !self.gave_up {
                self.rewrite();
            }
        }
    }

    fn take(&mut self, ask: Ask, batch: &mut Batch) {
        batch.count += 1;
        match ask {
            Ask::List(answer) => batch.lists.push(answer),
            Ask::Change(change, answer) => match self.prepare(change, batch) {
                Ok(true) => batch.changed.push(answer),
                // Whoever asked may have gone; there is nobody else to tell.
                Ok(false) => _ = answer.send(Ok(())),
                Err(error) => _ = answer.send(Err(error)),
            },
        }
    }

    /// Applies a change and puts it into the batch; false where there is nothing to write and to wait for.
    fn prepare(&mut self, change: Change, batch: &mut Batch) -> Result<bool, Error> {
        if self.gave_up {
            return Err(Error::Closed);
        }
        let records = match change {
            Change::Claim(claims) => self.held.claim(claims)?,
            Change::Note(id, note) => self.held.note(id, *note)?,
            Change::Release(ids) => self.held.release(ids),
        };
        if records.is_empty() {
            // What makes it needless may itself be in this batch, and so must be waited for.
            return Ok(!batch.payload.is_empty());
        }
        let line = record::encode(&records)
            .map_err(|error| Error::host("write a record", std::io::Error::other(error.to_string())))?;
        if line.len() >= LONGEST_CHANGE {
            return Err(Error::TooMuch { limit: LONGEST_CHANGE, what: "bytes in one change" });
        }
        if !batch.payload.is_empty() {
            batch.payload.push(b'\n');
        }
        batch.payload.extend_from_slice(&line);
        records.into_iter().for_each(|record| self.held.apply(record));
        Ok(true)
    }

    fn commit(&mut self, batch: Batch) {
        let written = if batch.payload.is_empty() { Ok(()) } else { self.journal.append(&batch.payload) };
        let refusal = match written {
            Ok(()) => {
                self.held.keep();
                None
            }
            Err(failed) => {
                self.held.revert();
                Some(self.give_up_if_unknown(failed))
            }
        };
        for answer in batch.changed {
            let told = refusal.as_ref().map_or(Ok(()), |refusal| Err(again(refusal)));
            // Whoever asked may have gone; there is nobody else to tell.
            let _ = answer.send(told);
        }
        for answer in batch.lists {
            let _ = answer.send(self.held.list());
        }
        fault::hit(Point::JournalAnswered);
    }

    fn give_up_if_unknown(&mut self, failed: Failed) -> Error {
        match failed {
            Failed::Clean(error) => error,
            Failed::Unknown(error) => {
                tracing::error!(%error, "the journal takes nothing more until weft is started again");
                self.gave_up = true;
                error
            }
        }
    }

    fn rewrite(&mut self) {
        let mut commits: Vec<Vec<u8>> = Vec::new();
        for records in self.held.anew() {
            let Ok(line) = record::encode(&records) else {
                tracing::error!("a record cannot be written again; the journal stays as it is");
                return;
            };
            match commits.last_mut().filter(|commit| commit.len() + line.len() < LONGEST_CHANGE) {
                Some(commit) => {
                    commit.push(b'\n');
                    commit.extend_from_slice(&line);
                }
                None => commits.push(line),
            }
        }
        if let Err(error) = self.journal.rewrite(&commits) {
            tracing::warn!(%error, "the journal could not be rewritten and goes on as it is");
        }
    }
}

/// The same refusal for another who waits.
fn again(error: &Error) -> Error {
    if let Error::JournalFull { path } = error {
        return Error::JournalFull { path: path.clone() };
    }
    if let Error::Host { act, source } = error {
        let source = std::io::Error::new(source.kind(), source.to_string());
        return Error::Host { act: act.clone(), source };
    }
    Error::Closed
}
