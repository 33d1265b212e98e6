//! The journal of claims: a checksummed append-only log of its own, apart from the store.
//!
//! ```text
//!  callers ─► queue ─► one thread: change ─► commit (one sync for many) ─► seal ─► answers
//!                                                └─ grown? rewritten beside, put in place
//! ```
//!
//! What always holds: an answer means that the change survives a `kill -9` and a loss of power; one agent
//! at a time holds the journal; what was cut short is dropped and said, what is damaged is an error and
//! nothing is changed. After a sync that failed nothing more is promised: every change is refused until
//! the journal is opened again.

mod file;
mod frame;
mod held;
mod record;
mod writer;

use crate::Error;
use held::Held;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};
use weft_domain::{ClaimId, Fault};
use weft_ports::claims::{Claim, Claims, Entry, Note};
use writer::{Ask, Change, Writer};

/// So many callers may wait at once; more wait to be let in.
const QUEUE: usize = 1024;

/// Where the journal is.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its folder, which is there.
    pub dir: PathBuf,
}

/// The journal of this node.
#[derive(Debug)]
pub struct Journal {
    asks: Option<mpsc::Sender<Ask>>,
    thread: Option<JoinHandle<()>>,
    /// Held until the thread has ended.
    _lock: file::Lock,
}

/// Opens the journal of this folder, or begins one.
///
/// # Errors
/// `StoreHeld` with the holder's pid, `StoreDamaged` with the place, `StoreNewer` with the format.
pub fn open(config: Config) -> Result<Journal, Error> {
    let lock = file::lock(&config.dir)?;
    let (journal, commits) = file::open(&config.dir)?;
    let held = replay(&config.dir, commits)?;
    let (asks, queue) = mpsc::channel(QUEUE);
    let writer = Writer { journal, held, gave_up: false };
    let thread = std::thread::Builder::new()
        .name("weft-journal".to_owned())
        .spawn(move || writer.run(queue))
        .map_err(|error| Error::host("start the journal's thread", error))?;
    Ok(Journal { asks: Some(asks), thread: Some(thread), _lock: lock })
}

fn replay(dir: &Path, commits: Vec<Vec<u8>>) -> Result<Held, Error> {
    let mut held = Held::default();
    for commit in commits {
        let records = record::decode(&commit);
        let replayed = records.and_then(|records| records.into_iter().try_for_each(|record| held.replay(record)));
        replayed.map_err(|why| Error::Damaged { path: dir.join("claims.log"), offset: 0, why })?;
    }
    Ok(held)
}

/// What is held by the journal of this folder, without changing it; nothing where there is none.
///
/// # Errors
/// `StoreHeld` where an agent has it open, `StoreDamaged` with the place, `StoreNewer` with the format.
pub fn read(config: &Config) -> Result<Vec<Entry>, Error> {
    let Some(commits) = file::read(&config.dir)? else { return Ok(Vec::new()) };
    Ok(replay(&config.dir, commits)?.list())
}

/// The format that is written, and the newest that is read.
pub const FORMAT: u32 = frame::VERSION;

/// Whether this weft reads the format of the journal in a folder, as its first bytes tell. Holds and writes
/// nothing, so it may be asked while another process has the journal open.
///
/// # Errors
/// It is of a newer format, is no journal, or cannot be read.
pub fn readable(dir: &Path) -> Result<(), Error> {
    file::readable(dir)
}

impl Journal {
    async fn ask(&self, ask: Ask) -> Result<(), Error> {
        let asks = self.asks.as_ref().ok_or(Error::Closed)?;
        asks.send(ask).await.map_err(|_| Error::Closed)
    }

    async fn change(&self, change: Change) -> Result<(), Fault> {
        let (answer, answered) = oneshot::channel();
        self.ask(Ask::Change(change, answer)).await?;
        answered.await.map_err(|_| Error::Closed)??;
        Ok(())
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.asks = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the journal's thread panicked");
        }
    }
}

#[async_trait::async_trait]
impl Claims for Journal {
    async fn claim(&self, claims: Vec<Claim>) -> Result<(), Fault> {
        self.change(Change::Claim(claims)).await
    }

    async fn note(&self, id: ClaimId, note: Note) -> Result<(), Fault> {
        self.change(Change::Note(id, Box::new(note))).await
    }

    async fn release(&self, ids: Vec<ClaimId>) -> Result<(), Fault> {
        self.change(Change::Release(ids)).await
    }

    async fn list(&self) -> Result<Vec<Entry>, Fault> {
        let (answer, answered) = oneshot::channel();
        self.ask(Ask::List(answer)).await?;
        Ok(answered.await.map_err(|_| Error::Closed)?)
    }

    async fn fallen(&self) {
        if let Some(asks) = &self.asks {
            asks.closed().await;
        }
    }
}
