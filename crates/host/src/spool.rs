//! What was used on this node, written down before anybody is told.
//!
//! ```text
//!  append ─► newest segment (one write, no sync) ─► full ─► the next segment, which opens with where all stand
//!  batch  ─► records in none yet ─► on the disk ─► seal ─► on the disk ─► handed on
//!  room   ─► oldest segment goes; what the ledger had not read of it is written again, as gaps
//! ```
//!
//! A segment can be read without the others. Who reads batches in their order reads each byte once.
//!
//! What always holds: nothing is kept in memory that is not in a file, so a `kill -9` between any two calls loses
//! nothing; a batch lies in one segment and is on the disk before anybody has it; what was cut short is dropped and
//! said, what is damaged is an error. An oldest segment is gone when the frame is written that holds its gaps, also
//! if its file is not.

mod coder;
mod core;
mod had;
mod reader;
mod recovery;
mod segment;
#[cfg(test)]
mod tests;
mod varint;

use crate::Error;
use crate::error::blocking;
use crate::lock::{self, Lock};
use crate::processes::stat;
use core::Core;
use had::Book;
use reader::Reader;
use segment::{Sealed, Segment, told};
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use weft_domain::usage::{Record, Standing};
use weft_domain::{Fault, NodeId};
use weft_ports::spool::{Batch, Consumer, RawQuery, Spool};

/// The shortest segment that there can be, in bytes.
pub const LEAST_SEGMENT: u64 = 4 << 10;
/// So many segments have room, at least.
pub const LEAST_SEGMENTS: u64 = 4;

/// Where it is, and how much may be there.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its folder, which is made where it is not there.
    pub dir: PathBuf,
    /// The node whose usage it is.
    pub node: NodeId,
    /// How many bytes it may take, about; a segment more, and what gaps need. What was handed on and is not
    /// acknowledged yet may take a quarter more: if that is used up too, it is dropped as if nobody had it.
    pub room_bytes: u64,
    /// How long a segment is, about. Room is made by whole segments, and reading one back begins at its start.
    pub segment_bytes: u64,
    /// How long what every consumer has is kept, by the wall clock of the records.
    pub keep: Duration,
    /// Who reads it.
    pub consumers: Vec<Consumer>,
}

impl Config {
    /// The usual settings for this folder and node: 1 GiB of room, and what the ledger has for a day. A window takes
    /// about a dozen bytes, so while control is away that lasts 10,000 instances for a quarter of an hour, and 100
    /// for a day, at ten windows a second each.
    #[must_use]
    pub fn of(dir: PathBuf, node: NodeId) -> Self {
        let keep = Duration::from_secs(86_400);
        Self { dir, node, room_bytes: 1 << 30, segment_bytes: 4 << 20, keep, consumers: vec![Consumer::Ledger] }
    }

    fn check(&self) -> Result<(), Error> {
        if self.segment_bytes < LEAST_SEGMENT {
            return Err(Error::Setting { name: "segment_bytes", why: format!("must be at least {LEAST_SEGMENT}") });
        }
        if self.room_bytes / LEAST_SEGMENTS < self.segment_bytes {
            let why = format!("must have room for at least {LEAST_SEGMENTS} segments of {} bytes", self.segment_bytes);
            return Err(Error::Setting { name: "room_bytes", why });
        }
        Ok(())
    }
}

/// The spool of this node.
#[derive(Debug)]
pub struct Segments {
    core: Arc<Mutex<Core>>,
    reader: Arc<Mutex<Reader>>,
    /// One seals at a time, and one writes down what consumers have.
    sealing: tokio::sync::Mutex<()>,
    book: Arc<tokio::sync::Mutex<Book>>,
    full: Notify,
    _lock: Lock,
}

/// Opens the spool of this folder, or begins one.
///
/// # Errors
/// `StoreHeld` with the holder's pid, `StoreDamaged` with the place, `StoreNewer` with the format.
pub fn open(config: Config) -> Result<Segments, Error> {
    config.check()?;
    let boot_id = stat::boot_id().map_err(|error| Error::host("read the boot id", error))?;
    let made = std::fs::create_dir_all(&config.dir);
    made.map_err(|error| Error::host(format!("make {}", config.dir.display()), error))?;
    let lock = lock::take(&config.dir, "usage.lock")?;
    let (book, had) = Book::open(&config.dir)?;
    let core = Arc::new(Mutex::new(recovery::open(config, boot_id, had)?));
    Ok(Segments {
        core,
        reader: Arc::default(),
        sealing: tokio::sync::Mutex::default(),
        book: Arc::new(tokio::sync::Mutex::new(book)),
        full: Notify::new(),
        _lock: lock,
    })
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What there is after a batch.
enum After {
    /// The next one.
    Batch(Box<(Sealed, Segment)>),
    /// Enough for the next one.
    Enough,
    /// Something for the next one.
    Some,
    /// Nothing.
    Nothing,
}

impl Segments {
    fn look(&self, after: u64) -> Result<After, Error> {
        let core = held(&self.core);
        if after >= core.next {
            return Err(Error::BatchUnknown(after));
        }
        let asked = after + 1;
        if asked < core.first() {
            return Err(Error::BatchDropped { asked, first: core.first() });
        }
        if let Some(sealed) = core.sealed(asked) {
            if asked > core.durable {
                return Ok(After::Enough);
            }
            let segment = core.segment(sealed.segment).expect("a batch that is kept lies in a segment that is");
            return Ok(After::Batch(Box::new((*sealed, segment.clone()))));
        }
        let some = if core.pending.is_empty() { After::Nothing } else { After::Some };
        Ok(if core.is_full() { After::Enough } else { some })
    }

    async fn fetch(&self, sealed: Sealed, segment: Segment) -> Result<Batch, Error> {
        let (core, reader) = (Arc::clone(&self.core), Arc::clone(&self.reader));
        blocking(move || {
            let records = held(&reader).read(&segment, sealed.start, sealed.end)?;
            let Sealed { sequence, previous, hash, start, .. } = sealed;
            let batch = Batch { node: held(&core).config.node, sequence, previous, hash, records };
            if batch.is_whole() {
                return Ok(batch);
            }
            let why = format!("batch {sequence} is not what it was when it was sealed");
            Err(told(&segment.path, crate::framing::Spoilt::Damaged(usize::try_from(start).unwrap_or(0), why)))
        })
        .await
    }

    /// One that was dropped while it was read is not handed on: what it held is in gaps by now.
    fn hand_on(&self, batch: Batch) -> Result<Batch, Error> {
        let mut core = held(&self.core);
        let (asked, first) = (batch.sequence, core.first());
        if asked < first {
            return Err(Error::BatchDropped { asked, first });
        }
        core.handed = core.handed.max(asked);
        Ok(batch)
    }

    /// Seals what can be sealed; answers the first batch that came of it.
    async fn seal(&self) -> Result<Option<Batch>, Error> {
        let _alone = self.sealing.lock().await;
        let (core, reader) = (Arc::clone(&self.core), Arc::clone(&self.reader));
        blocking(move || seal(&core, &reader)).await
    }
}

fn synced(file: &File) -> Result<(), Error> {
    file.sync_data().map_err(|error| Error::host("put what was used on the disk", error))
}

fn seal(core: &Mutex<Core>, reader: &Mutex<Reader>) -> Result<Option<Batch>, Error> {
    let (parts, node, mut next, mut last) = {
        let core = held(core);
        (core.parts(), core.config.node, core.next, core.last)
    };
    let mut batches = Vec::new();
    if let Some((segment, parts)) = parts {
        for part in parts {
            let records = held(reader).read(&segment, part.start, part.end)?;
            let batch = Batch::seal(node, next, last, records);
            (next, last) = (next + 1, batch.hash);
            batches.push((batch, part));
        }
        synced(&segment.file)?;
    }
    list(core)?;
    let mut sealed = Vec::new();
    for (batch, part) in batches {
        // Where it was dropped meanwhile there is nothing to seal.
        if !held(core).seal(&batch, &part)? {
            break;
        }
        sealed.push(batch);
    }
    // A seal may have come into a segment that was begun meanwhile.
    let (files, until) = {
        let core = held(core);
        let files: Vec<_> = core.segments.iter().rev().take(2).map(|segment| Arc::clone(&segment.file)).collect();
        (files, core.next - 1)
    };
    files.iter().try_for_each(|file| synced(file))?;
    list(core)?;
    let mut core = held(core);
    core.durable = core.durable.max(until);
    Ok(sealed.into_iter().next())
}

/// Puts it on the disk which segments there are.
fn list(core: &Mutex<Core>) -> Result<(), Error> {
    let dir = {
        let mut core = held(core);
        std::mem::take(&mut core.unlisted).then(|| core.config.dir.clone())
    };
    let Some(dir) = dir else { return Ok(()) };
    let listed = File::open(&dir).and_then(|dir| dir.sync_all());
    listed.map_err(|error: io::Error| {
        held(core).unlisted = true;
        Error::host("put what was used on the disk", error)
    })
}

#[async_trait::async_trait]
impl Spool for Segments {
    fn append(&self, records: &[Record], standings: &[Standing]) -> Result<(), Fault> {
        let full = {
            let mut core = held(&self.core);
            core.append(records, standings)?;
            core.is_full()
        };
        if full {
            self.full.notify_waiters();
        }
        Ok(())
    }

    fn standings(&self) -> Vec<Standing> {
        held(&self.core).coder.standings().copied().collect()
    }

    async fn batch(&self, after: u64, wait: Duration) -> Result<Option<Batch>, Fault> {
        let deadline = Instant::now().checked_add(wait);
        let mut late = wait.is_zero();
        loop {
            let mut full = std::pin::pin!(self.full.notified());
            full.as_mut().enable();
            match self.look(after)? {
                After::Batch(found) => return Ok(Some(self.hand_on(self.fetch(found.0, found.1).await?)?)),
                After::Enough => {}
                After::Some if late => {}
                After::Nothing if late => return Ok(None),
                After::Some | After::Nothing => {
                    match deadline {
                        Some(deadline) => late = tokio::time::timeout_at(deadline, full).await.is_err(),
                        None => full.await,
                    }
                    continue;
                }
            }
            if let Some(batch) = self.seal().await?.filter(|batch| batch.sequence == after + 1) {
                return Ok(Some(self.hand_on(batch)?));
            }
        }
    }

    fn first(&self) -> u64 {
        held(&self.core).first()
    }

    async fn acknowledge(&self, consumer: Consumer, sequence: u64) -> Result<(), Fault> {
        let mut book = Arc::clone(&self.book).lock_owned().await;
        let had = held(&self.core).has(&consumer, sequence)?;
        if let Some(had) = had {
            let core = Arc::clone(&self.core);
            blocking(move || {
                book.write(&had)?;
                held(&core).had = had;
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    fn acknowledged(&self, consumer: Consumer) -> u64 {
        held(&self.core).had.of(&consumer).sequence
    }

    async fn read(&self, query: RawQuery) -> Result<Vec<Record>, Fault> {
        let segments: Vec<Segment> = held(&self.core).segments.iter().cloned().collect();
        let found = blocking(move || {
            let mut records = Vec::new();
            for segment in &segments {
                let (from, to) = (query.from.as_nanos(), query.to.as_nanos());
                let reaches = segment.span.is_some_and(|(first, last)| first <= to && last > from);
                if reaches && records.len() < query.most {
                    reader::read_all(segment, 0, |record| {
                        if records.len() < query.most && query.wants(&record) {
                            records.push(record);
                        }
                    })?;
                }
            }
            Ok(records)
        });
        Ok(found.await?)
    }
}
