//! The writer: one thread that owns the engine. Commits come by a bounded queue; those that wait are
//! written together. It publishes a batch when the disk holds it, and answers then.
//!
//! ```text
//!          ┌──────────── jobs ◄── commit (encoded by the caller)
//!          ▼
//!   gather → stage → commit + sync ──► publish view, recent ──► answer each
//!                        │ refused
//!                        ▼
//!                     open again ──► did it land? yes: as above; no: answer the refusal
//! ```
//!
//! After any refusal of the disk the engine is closed and opened again, as it cannot go on by itself; what
//! the file then says is the truth. A batch that failed for want of space is tried again without what grows.

use super::batch::{self, Keep, Outcome, Plan, Prepared, Start};
use super::disk::Ground;
use super::engine::{self, Engine};
use super::fail::{Failure, guarded};
use super::folder::Folder;
use super::shared::{Shared, Stage};
use super::view::View;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use weft_domain::Fault;
use weft_domain::object::Revision;
use weft_ports::fault::{self, Point};
use weft_ports::store::Refused;

/// How long an engine that could not be opened again is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// What the writer is asked to do.
pub(crate) enum Job {
    /// Commit this.
    Commit(Box<Asked>),
    /// The disk refused a reader of this view something: open again.
    Reopen(Arc<View>),
    /// Close in order.
    Close,
}

/// A commit that waits.
pub(crate) struct Asked {
    pub(crate) commit: Prepared,
    pub(crate) answer: oneshot::Sender<Result<Revision, Refused>>,
}

/// What the writer may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) batch: usize,
    pub(crate) batch_bytes: usize,
    pub(crate) keep: Keep,
    pub(crate) cache: usize,
}

/// The writer.
pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) ground: Arc<dyn Ground>,
    pub(crate) folder: Folder,
    pub(crate) bounds: Bounds,
    pub(crate) jobs: mpsc::Receiver<Job>,
    /// `None` while it could not be opened again.
    engine: Option<Engine>,
    /// The newest revision that was acknowledged or seen.
    reached: u64,
    failed: Option<(Instant, Fault)>,
}

impl Writer {
    /// A writer of an engine that was just opened.
    pub(crate) fn new(
        shared: Arc<Shared>,
        ground: Arc<dyn Ground>,
        folder: Folder,
        bounds: Bounds,
        jobs: mpsc::Receiver<Job>,
    ) -> Self {
        Self { shared, ground, folder, bounds, jobs, engine: None, reached: 0, failed: None }
    }

    /// Takes the engine, and lets readers in.
    pub(crate) fn take(&mut self, engine: Engine) -> Result<(), Failure> {
        let view = guarded(|| View::of(&engine.db, engine.stand))?;
        self.reached = engine.stand.revision;
        self.engine = Some(engine);
        self.failed = None;
        self.shared.publish(view);
        Ok(())
    }

    /// Works until it is asked to close or nobody can ask any more.
    pub(crate) fn run(mut self) {
        let mut closing = false;
        while !closing {
            let Some(job) = self.jobs.blocking_recv() else { break };
            let mut batch = Vec::new();
            closing = self.gather(job, &mut batch);
            if !batch.is_empty() {
                self.commit(batch);
            }
        }
        self.jobs.close();
        self.close();
    }

    /// Adds what waits to a batch; tells whether it was asked to close.
    fn gather(&mut self, first: Job, batch: &mut Vec<Asked>) -> bool {
        let mut next = Some(first);
        let mut bytes = 0;
        while let Some(job) = next {
            match job {
                Job::Close => return true,
                Job::Reopen(lost) => self.reopen_for(&lost),
                Job::Commit(asked) => {
                    bytes += asked.commit.bytes;
                    batch.push(*asked);
                }
            }
            let full = batch.len() >= self.bounds.batch || bytes >= self.bounds.batch_bytes;
            next = if full { None } else { self.jobs.try_recv().ok() };
        }
        false
    }

    fn commit(&mut self, batch: Vec<Asked>) {
        if let Err(fault) = self.ready() {
            return refuse(batch, &fault);
        }
        let (plan, done) = self.write(&batch);
        let failure = match (plan, done) {
            (Some(plan), Ok(())) => return self.acknowledge(batch, plan),
            (None, Ok(())) => return,
            (plan, Err(failure)) => {
                self.reopen();
                // The refusal may have come after the disk had it all.
                let stand = self.engine.as_ref().map(|engine| engine.stand);
                match plan.filter(|plan| stand.is_some_and(|stand| stand.revision == plan.stand.revision)) {
                    Some(plan) => return self.acknowledge(batch, plan),
                    None => failure,
                }
            }
        };
        tracing::error!(?failure, commits = batch.len(), "a batch could not be committed");
        let full = matches!(failure, Failure::Full);
        let fault = failure.at(&self.shared.dir).into();
        let (shrinking, growing): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|asked| full && asked.commit.only_deletes());
        if growing.is_empty() {
            return refuse(shrinking, &fault);
        }
        refuse(growing, &fault);
        if !shrinking.is_empty() {
            self.commit(shrinking);
        }
    }

    /// Writes a batch. The plan is what was staged, whether or not it was committed then.
    fn write(&self, batch: &[Asked]) -> (Option<Plan>, Result<(), Failure>) {
        let Some(engine) = &self.engine else { return (None, Err(Failure::Lost)) };
        let start = Start { stand: engine.stand, log_bytes: engine.log_bytes, roomy: self.ground.is_roomy() };
        let commits: Vec<&Prepared> = batch.iter().map(|asked| &asked.commit).collect();
        let staged = guarded(|| {
            let txn = engine.db.begin_write()?;
            let plan = batch::stage(&txn, start, &commits, self.bounds.keep)?;
            Ok((txn, plan))
        });
        match staged {
            Ok((txn, plan)) if plan.stand.revision == engine.stand.revision => {
                (Some(plan), guarded(|| txn.abort().map_err(Failure::from)))
            }
            Ok((txn, plan)) => {
                fault::hit(Point::StoreStaged);
                let done = guarded(|| txn.commit().map_err(Failure::from));
                fault::hit(Point::StoreCommitted);
                (Some(plan), done)
            }
            Err(failure) => (None, Err(failure)),
        }
    }

    /// Publishes what the disk holds, then answers.
    fn acknowledge(&mut self, batch: Vec<Asked>, plan: Plan) {
        let mut answers = Vec::with_capacity(batch.len());
        let mut told = Vec::with_capacity(batch.len());
        for (asked, outcome) in batch.into_iter().zip(plan.outcomes) {
            let answer = match outcome {
                Outcome::Taken(revision, made) => {
                    let bytes = asked.commit.bytes;
                    told.push((revision, Arc::new(asked.commit.into_changes(revision, &made)), bytes));
                    Ok(Revision(revision))
                }
                Outcome::Conflict(key, found) => Err(Refused::Conflict { key, found }),
                Outcome::NoRoom => Err(Refused::Store(Failure::Full.at(&self.shared.dir).into())),
            };
            answers.push((asked.answer, answer));
        }
        self.shared.commits.fetch_add(told.len() as u64, Ordering::Relaxed);
        {
            let mut recent = self.shared.recent();
            for (revision, changes, bytes) in told {
                recent.push(revision, changes, bytes);
            }
        }
        self.reached = plan.stand.revision;
        if let Some(engine) = self.engine.as_mut().filter(|engine| engine.stand != plan.stand) {
            engine.stand = plan.stand;
            engine.log_bytes = plan.log_bytes;
            match guarded(|| View::of(&engine.db, engine.stand)) {
                Ok(view) => self.shared.publish(view),
                Err(failure) => {
                    tracing::error!(?failure, "the new revision cannot be read");
                    self.reopen();
                }
            }
        }
        for (waits, answer) in answers {
            // Who asked may have gone; the commit stands.
            let _ = waits.send(answer);
        }
        fault::hit(Point::StoreAnswered);
    }

    /// Whether there is an engine; opens it again where there is none.
    fn ready(&mut self) -> Result<(), Fault> {
        if self.engine.is_none() {
            if let Some((at, fault)) = &self.failed
                && at.elapsed() < PAUSE
            {
                return Err(fault.clone());
            }
            self.reopen();
        }
        match &self.failed {
            Some((_, fault)) => Err(fault.clone()),
            None => Ok(()),
        }
    }

    /// Opens again, unless that was done since this view was published.
    fn reopen_for(&mut self, lost: &Arc<View>) {
        let current = matches!(&*self.shared.stage.borrow(), Stage::Open(view) if Arc::ptr_eq(view, lost));
        if current {
            self.reopen();
        }
    }

    fn reopen(&mut self) {
        self.shared.stage.send_replace(Stage::Reopening);
        self.drop_engine();
        let opened = self.ground.open().map_err(Failure::from);
        let opened = opened.and_then(|file| engine::open(file, self.bounds.cache, self.reached));
        let taken = opened.and_then(|engine| {
            // Commits that landed unanswered are in the log, not in memory.
            if engine.stand.revision != self.reached {
                *self.shared.recent() = super::shared::Recent::default();
            }
            self.take(engine)
        });
        if let Err(failure) = taken {
            let fault = Fault::from(failure.at(&self.shared.dir));
            tracing::error!(%fault, "the state could not be opened again");
            self.shared.stage.send_replace(Stage::Broken(fault.clone()));
            self.failed = Some((Instant::now(), fault));
        } else {
            tracing::warn!(dir = %self.shared.dir.display(), "the state was opened again");
        }
    }

    fn drop_engine(&mut self) {
        if let Some(engine) = self.engine.take() {
            // The engine may panic on its way out, over what made it be dropped.
            let _ = guarded(|| {
                drop(engine);
                Ok(())
            });
        }
    }

    fn close(mut self) {
        self.shared.stage.send_replace(Stage::Closed);
        self.drop_engine();
        // Who asked for the close is answered when the folder is free: `folder` goes with `self`.
        if let Err(why) = self.folder.mark(self.reached) {
            tracing::warn!(%why, "the store's marker stays as it was");
        }
    }
}

fn refuse(batch: Vec<Asked>, fault: &Fault) {
    for asked in batch {
        let _ = asked.answer.send(Err(Refused::Store(fault.clone())));
    }
}
