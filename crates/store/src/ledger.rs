//! The ledger of what was used: one file beside the state, and what was taken in the last minute in memory.
//!
//! ```text
//!  take ─► chain ─► seconds in memory ── a minute, or memory is full ─► one transaction:
//!                         │                        seconds, minutes, hours, days, gaps, where nodes stand
//!  buckets, gaps ◄────────┴───────────────── the newest view ◄──────────┘
//! ```
//!
//! # What is lasting
//! What was taken is in memory for at most [`Config::span`], and is made lasting in one transaction with where
//! its nodes stand: so after a crash each record is there once, or its batch is asked for again. Dropping a
//! ledger is a crash; closing it makes everything lasting.
//!
//! # What it costs
//! Memory holds at most [`Config::held`] buckets of a second and gaps, of 112 bytes each, in up to twice that
//! room, and as many again while they are written, beside what one batch brings; records of batches that came
//! early up to [`Config::waiting`]; two kilobytes for each node that ever sent; the engine's cache. With ten
//! thousand instances it fills in half a minute, and then does the minute's work twice.
//!
//! On the disk sixty buckets of a second are one row, as are sixty of a minute and twenty-four of an hour, by
//! instance and then by time. A question reads one range of keys for each instance that it names.
//!
//! # What happens to it
//! As to the state: see the crate's page. A file is looked through before anything is written to it; a missing,
//! damaged or newer one is refused and left alone. Its rows are looked at by their checksums as they are read.
//! Where the disk is full, batches are taken until memory is full, and refused then; what is old can be dropped.

mod block;
mod engine;
mod front;
mod keeper;
mod load;
mod pack;
mod row;
mod schema;
#[cfg(test)]
mod tests;
mod view;
mod write;

pub use schema::FORMAT;
use schema::NAMES;
pub use view::Verified;

use crate::Error;
use crate::embedded::disk::{self, Ground};
use crate::embedded::folder::{self, Folder};
use crate::embedded::reserve::Reserve;
use engine::Engine;
use front::{Bounds, Front, Stage};
use keeper::{Keeper, When};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use weft_domain::usage::Record;
use weft_domain::{Fault, InstanceId, NodeId, Time};
use weft_ports::ledger::chain::broken;
use weft_ports::ledger::{BucketQuery, Keep, Ledger, Subject, Used};
use weft_ports::spool::Batch;
use write::Pruning;

/// Nanoseconds of a second.
const SECOND: i64 = 1_000_000_000;

/// Instances whose buckets are read at once, with memory held still for as long as it takes to look at theirs.
const TOGETHER: usize = 64;

/// Where the ledger is and what it may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The folder, which holds nothing else.
    pub dir: PathBuf,
    /// For how long what is kept.
    pub keep: Keep,
    /// How long what was taken may be in memory alone.
    pub span: Duration,
    /// Buckets of a second, and gaps, that may be in memory alone.
    pub held: usize,
    /// Records of batches that may wait for those before them.
    pub waiting: usize,
    /// Bytes of memory for pages of the file.
    pub cache_bytes: usize,
    /// Bytes on the disk that are kept for dropping what is old; zero for none.
    pub reserve_bytes: u64,
}

impl Config {
    /// The usual limits, in this folder.
    #[must_use]
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            keep: Keep::default(),
            span: Duration::from_secs(60),
            held: 1 << 18,
            waiting: 1 << 16,
            cache_bytes: 16 << 20,
            reserve_bytes: 16 << 20,
        }
    }
}

/// How a ledger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// How often the file was written.
    pub commits: u64,
    /// Bytes that it takes on the disk.
    pub bytes: u64,
    /// Buckets and gaps that are in memory alone.
    pub held: usize,
    /// Records that wait for batches before theirs.
    pub waiting: usize,
}

/// The ledger. Dropping it loses what is not lasting, as a crash does.
pub struct Book {
    keeper: Arc<Keeper>,
    keep: Keep,
}

/// Opens the ledger of a folder; makes one where there was none. Blocks: it reads the whole file.
///
/// # Errors
/// Another process holds it; it is damaged, gone or newer (nothing is written then); the system refuses.
pub fn open(config: &Config) -> Result<Book, Error> {
    let folder = Folder::hold_as(&config.dir, &NAMES)?;
    folder.marker()?;
    engine::placed(&folder)?;
    let reserve = Reserve::new(&config.dir, config.reserve_bytes);
    let ground = Arc::new(disk::Folder::new(folder.state(), reserve));
    let book = start(config, ground, folder)?;
    tracing::info!(dir = %config.dir.display(), "the ledger is open");
    Ok(book)
}

/// Whether this weft reads the format of what is in a folder, as its marker tells. Holds and writes nothing.
///
/// # Errors
/// The marker is of a newer format, or cannot be read.
pub fn readable(dir: &Path) -> Result<(), Error> {
    folder::marker(dir, &NAMES).map(drop)
}

fn start(config: &Config, ground: Arc<dyn Ground>, folder: Folder) -> Result<Book, Error> {
    let (engine, view) = Engine::open(ground, folder, config.cache_bytes)?;
    let nodes = view.nodes().map_err(|why| engine.told(why))?;
    let bounds = Bounds { held: config.held.max(1), waiting: config.waiting, span: config.span };
    let keeper = Keeper::new(config.dir.clone(), Front::new(view, nodes, bounds), engine);
    Ok(Book { keeper: Arc::new(keeper), keep: config.keep })
}

impl Book {
    /// How it is.
    pub async fn figures(&self) -> Figures {
        let (commits, bytes) = self.keeper.on_disk().await;
        let front = self.keeper.front();
        Figures { commits, bytes, held: front.held(), waiting: front.waiting() }
    }

    /// Reads every row; an error names what is damaged.
    ///
    /// # Errors
    /// Something is not what was written.
    pub async fn verify(&self) -> Result<Verified, Fault> {
        self.read(|keeper| keeper.read(|_| (), |view, ()| view.verify())).await
    }

    /// Makes something lasting, where it is time for that.
    async fn flush(&self, when: When) -> Result<(), Fault> {
        let is_time = {
            let front = self.keeper.front();
            front.opened()?;
            when.is_now(&front)
        };
        if is_time { self.write(move |keeper, engine| keeper.flush(engine, when)).await } else { Ok(()) }
    }

    /// Does this with the engine, on a thread that may block.
    async fn write<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Keeper, &mut Engine) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let keeper = Arc::clone(&self.keeper);
        let mut back = keeper.back().await;
        let done = tokio::task::spawn_blocking(move || {
            let engine = back.as_mut().ok_or(Error::Closed)?;
            act(&keeper, engine)
        });
        done.await.map_err(|_| Fault::internal("the writing was ended"))?
    }

    /// Does this on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Keeper) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let keeper = Arc::clone(&self.keeper);
        let done = tokio::task::spawn_blocking(move || act(&keeper));
        done.await.map_err(|_| Fault::internal("the reading was ended"))?
    }
}

/// The first second that begins at this instant or later.
const fn second_from(at: Time) -> i64 {
    let (second, rest) = (at.as_nanos().div_euclid(SECOND), at.as_nanos().rem_euclid(SECOND));
    if rest == 0 { second } else { second + 1 }
}

/// Buckets of these instances, which are in their order, each once.
fn used(keeper: &Keeper, query: &BucketQuery, instances: &[InstanceId]) -> Result<Vec<Used>, Fault> {
    let span = second_from(query.from)..second_from(query.to);
    let begin = |instance: InstanceId| match query.after {
        Some((after, begins)) if after == instance => span.start.max(begins.saturating_add(1)),
        _ => span.start,
    };
    let mut found = Vec::new();
    for some in instances.chunks(TOGETHER) {
        let most = query.most - found.len();
        if most == 0 {
            break;
        }
        let page = keeper.read(
            |front| front.sums(some, query.width),
            |view, sums| {
                let mut page = Vec::new();
                for (instance, mut buckets) in some.iter().zip(sums) {
                    let (span, most) = (begin(*instance)..span.end, most - page.len());
                    buckets.retain(|begins, _| span.contains(begins));
                    view.add((*instance, query.width), &span, most, &mut buckets)?;
                    let used = |(begins, bucket)| Used { instance: *instance, begins, bucket };
                    page.extend(buckets.into_iter().take(most).map(used));
                    if page.len() >= most {
                        break;
                    }
                }
                Ok(page)
            },
        )?;
        found.extend(page);
    }
    Ok(found)
}

#[async_trait::async_trait]
impl Ledger for Book {
    async fn take(&self, batch: &Batch) -> Result<u64, Fault> {
        if !batch.is_whole() {
            return Err(broken(batch, "is not as it was sealed"));
        }
        self.flush(When::Full).await?;
        self.keeper.front().take(batch)?;
        // Where this fails the batch is in memory all the same, and its node is told what is lasting.
        let _ = self.flush(When::Due).await;
        Ok(self.keeper.front().lasting(batch.node))
    }

    async fn taken(&self, node: NodeId) -> Result<u64, Fault> {
        let _ = self.flush(When::Due).await;
        let front = self.keeper.front();
        front.opened()?;
        Ok(front.lasting(node))
    }

    async fn pass_over(&self, node: NodeId, through: u64) -> Result<(), Fault> {
        let is_lasting = {
            let mut front = self.keeper.front();
            front.pass_over(node, through)?;
            front.lasting(node) >= through
        };
        if is_lasting { Ok(()) } else { self.flush(When::Now).await }
    }

    async fn buckets(&self, query: &BucketQuery) -> Result<Vec<Used>, Fault> {
        let query = query.clone();
        let mut instances = query.instances.clone();
        instances.sort_unstable();
        instances.dedup();
        instances.retain(|instance| query.after.is_none_or(|(after, _)| *instance >= after));
        self.read(move |keeper| {
            keeper.front().opened()?;
            used(keeper, &query, &instances)
        })
        .await
    }

    async fn gaps(&self, instances: &[InstanceId], from: Time, to: Time, most: usize) -> Result<Vec<Record>, Fault> {
        let instances: BTreeSet<_> = instances.iter().copied().collect();
        self.read(move |keeper| {
            let lies =
                |gap: &Record| instances.contains(&gap.meter.instance) && from < gap.to.wall && gap.to.wall <= to;
            let mut gaps = keeper.read(
                |front| front.gaps(lies),
                |view, mut gaps| {
                    let Some(first) = from.as_nanos().checked_add(1) else { return Ok(gaps) };
                    for instance in &instances {
                        view.add_gaps(*instance, (first, to.as_nanos()), most, &mut gaps)?;
                    }
                    Ok(gaps)
                },
            )?;
            gaps.sort_by_key(|gap| (gap.to.wall, gap.meter, gap.sequence));
            gaps.truncate(most);
            Ok(gaps)
        })
        .await
    }

    async fn remember(&self, subjects: &[Subject]) -> Result<(), Fault> {
        let subjects = subjects.to_vec();
        let news = self.read(move |keeper| keeper.read(|_| (), |view, ()| view.unknown(&subjects))).await?;
        if news.is_empty() {
            return Ok(());
        }
        self.write(move |keeper, engine| keeper.change(engine, &mut |txn| write::subjects(txn, &news))).await
    }

    async fn subjects(&self) -> Result<Vec<Subject>, Fault> {
        self.read(|keeper| keeper.read(|_| (), |view, ()| view.subjects())).await
    }

    async fn prune(&self, now: Time) -> Result<(), Fault> {
        // What is in memory may be old as well; where it cannot be written, dropping may make room for it.
        let _ = self.flush(When::Now).await;
        let mut pruning = Pruning::new(self.keep, now);
        while !pruning.is_done() {
            // Between two steps somebody else may write.
            let step = move |keeper: &Keeper, engine: &mut Engine| {
                let is_used = |instance| keeper.front().names(instance);
                keeper.change(engine, &mut |txn| pruning.step(txn, &is_used))?;
                Ok(pruning)
            };
            pruning = self.write(step).await?;
        }
        Ok(())
    }

    async fn close(&self) {
        let closed = self.write(|keeper, engine| {
            let _ = keeper.flush(engine, When::Now);
            keeper.front().stage = Stage::Closed;
            Ok(())
        });
        let _ = closed.await;
        // Whoever comes second waits here for the first.
        let engine = self.keeper.back().await.take();
        if let Some(engine) = engine
            && tokio::task::spawn_blocking(move || engine.close()).await.is_err()
        {
            tracing::error!("the ledger did not end in order");
        }
    }
}
