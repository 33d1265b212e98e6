//! The ledger's two halves: the front, which is held for an instant, and the back, which is held for as long as
//! a transaction takes, by threads that may block.
//!
//! Whoever holds the back and changes the file publishes what is there then; readers who find that the file is
//! being opened again wait for the back.

use super::engine::{Act, Engine};
use super::front::{Front, Stage};
use super::view::View;
use super::write;
use crate::Error;
use crate::embedded::fail::{Failure, guarded};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use weft_domain::{Fault, Reason};

/// The engine, where it is not closed.
pub(crate) type Back = tokio::sync::OwnedMutexGuard<Option<Engine>>;

/// Both halves.
pub(crate) struct Keeper {
    dir: PathBuf,
    front: Mutex<Front>,
    back: Arc<tokio::sync::Mutex<Option<Engine>>>,
}

/// When to make something lasting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Where it is due.
    Due,
    /// Where memory is full.
    Full,
    /// Now.
    Now,
}

impl When {
    /// Whether it is time.
    pub(crate) fn is_now(self, front: &Front) -> bool {
        match self {
            Self::Due => front.is_due(),
            Self::Full => front.is_full(),
            Self::Now => true,
        }
    }
}

impl Keeper {
    /// Both halves of a ledger that was just opened.
    pub(crate) fn new(dir: PathBuf, front: Front, engine: Engine) -> Self {
        Self { dir, front: Mutex::new(front), back: Arc::new(tokio::sync::Mutex::new(Some(engine))) }
    }

    /// The front, for a few lines.
    pub(crate) fn front(&self) -> MutexGuard<'_, Front> {
        // Nothing can panic between two steps of a change to it.
        self.front.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The back, when nobody else has it.
    pub(crate) async fn back(&self) -> Back {
        Arc::clone(&self.back).lock_owned().await
    }

    /// How often the file was written, and how many bytes it takes on the disk.
    pub(crate) async fn on_disk(&self) -> (u64, u64) {
        self.back.lock().await.as_ref().map_or((0, 0), |engine| (engine.commits(), engine.bytes()))
    }

    /// Makes what was taken lasting, where it is time for that.
    pub(crate) fn flush(&self, engine: &mut Engine, when: When) -> Result<(), Fault> {
        let load = {
            let mut front = self.front();
            front.opened()?;
            match front.hindrance().filter(|_| when == When::Full) {
                Some(fault) => return Err(fault),
                None if when.is_now(&front) => front.begin(),
                None => None,
            }
        };
        let Some(load) = load else { return Ok(()) };
        let written = if engine.is_roomy() {
            self.change(engine, &mut |txn| write::load(txn, &load))
        } else {
            Err(Error::Full { dir: self.dir.clone() }.into())
        };
        drop(load);
        if let Err(fault) = &written {
            tracing::error!(%fault, "what was used could not be made lasting");
            self.front().refused(fault.clone());
        }
        written
    }

    /// Changes the file in one transaction, and publishes what is there then. Where the disk refuses, the file is
    /// opened again, and says whether the change landed.
    pub(crate) fn change(&self, engine: &mut Engine, act: Act<'_>) -> Result<(), Fault> {
        self.revive(engine)?;
        let aim = engine.commits() + 1;
        let failure = match engine.commit(act) {
            Ok(view) => {
                self.front().landed(view);
                return Ok(());
            }
            Err(failure) => engine.told(failure),
        };
        tracing::error!(error = %failure, "the ledger could not be written");
        let view = self.reopened(engine)?;
        if engine.commits() == aim {
            self.front().landed(view);
            return Ok(());
        }
        self.front().stage = Stage::Open(Arc::new(view));
        Err(failure.into())
    }

    /// Opens the file again where it is not open, unless that failed a moment ago.
    fn revive(&self, engine: &mut Engine) -> Result<(), Fault> {
        if engine.is_open() {
            return Ok(());
        }
        if engine.has_just_failed()
            && let Stage::Broken(fault) = &self.front().stage
        {
            return Err(fault.clone());
        }
        let view = self.reopened(engine)?;
        self.front().stage = Stage::Open(Arc::new(view));
        Ok(())
    }

    /// Opens the file again. What is there is published by the caller, who knows what of memory is in it.
    fn reopened(&self, engine: &mut Engine) -> Result<View, Fault> {
        self.front().stage = Stage::Reopening;
        engine.reopen().map_err(|why| {
            let fault = Fault::from(why);
            self.front().stage = Stage::Broken(fault.clone());
            fault
        })
    }

    /// Reads the newest view, with what this takes from memory at the same instant; once more, where the disk
    /// refused something or the file was opened again meanwhile. Blocks.
    pub(crate) fn read<H, T>(
        &self,
        hold: impl Fn(&Front) -> H,
        act: impl Fn(&View, H) -> Result<T, Failure>,
    ) -> Result<T, Fault> {
        let (view, held) = self.seen(&hold)?;
        let failure = match guarded(|| act(&view, held)) {
            Ok(found) => return Ok(found),
            Err(failure) => failure,
        };
        if !self.is_another_to_read(&view, &failure) {
            return Err(failure.at(&self.dir).into());
        }
        drop(view);
        let (view, held) = self.seen(&hold)?;
        guarded(|| act(&view, held)).map_err(|failure| failure.at(&self.dir).into())
    }

    /// The newest view and what belongs to it, when the file is open.
    fn seen<H>(&self, hold: &impl Fn(&Front) -> H) -> Result<(Arc<View>, H), Fault> {
        for _ in 0..3 {
            {
                let front = self.front();
                match &front.stage {
                    Stage::Open(view) => return Ok((Arc::clone(view), hold(&front))),
                    Stage::Closed => return Err(Error::Closed.into()),
                    Stage::Reopening | Stage::Broken(_) => {}
                }
            }
            if let Some(engine) = self.back.blocking_lock().as_mut() {
                self.revive(engine)?;
            }
        }
        Err(Fault::new(Reason::Away, "the ledger is being opened again"))
    }

    /// Whether there is another view than this one, in which this failed; opens the file again where the disk
    /// refused.
    fn is_another_to_read(&self, lost: &Arc<View>, failure: &Failure) -> bool {
        let mut back = self.back.blocking_lock();
        let is_same = |front: &Front| matches!(&front.stage, Stage::Open(view) if Arc::ptr_eq(view, lost));
        if !is_same(&self.front()) {
            return true;
        }
        let Some(engine) = back.as_mut().filter(|_| matches!(failure, Failure::Lost | Failure::Disk(_))) else {
            return false;
        };
        match self.reopened(engine) {
            Ok(view) => {
                self.front().stage = Stage::Open(Arc::new(view));
                true
            }
            Err(_) => false,
        }
    }
}
