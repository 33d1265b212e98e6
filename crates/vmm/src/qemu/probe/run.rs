//! Runs QEMU once for the probe and hears what it says.
//!
//! Each run bears a claim of its own: were we to end in the middle, whoever clears the host finds it.

use crate::qemu::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use weft_domain::ClaimId;
use weft_ports::clock::Clock;
use weft_ports::processes::{Command, Confinement, Ending, Processes};

/// Signals by which others end a process.
const KILL: i32 = 9;
const TERMINATE: i32 = 15;
/// The most that is read of what QEMU says.
const MAX_WORDS: usize = 64 * 1024;

/// What is needed to run it.
pub(super) struct Runner {
    pub(super) program: PathBuf,
    pub(super) folder: PathBuf,
    pub(super) processes: Arc<dyn Processes>,
    pub(super) clock: Arc<dyn Clock>,
}

/// How a run ended and what was said.
pub(super) struct Outcome {
    /// `None` where its time was up and it was killed.
    pub(super) ending: Option<Ending>,
    pub(super) said: String,
}

impl Runner {
    /// Runs it with these arguments, at most this long. A run that somebody else ended tells nothing, and
    /// is done once more.
    pub(super) async fn run(&self, args: Vec<OsString>, limit: Duration) -> Result<Outcome, Error> {
        let first = self.run_once(args.clone(), limit).await?;
        match first.ending {
            Some(Ending::Signal(KILL | TERMINATE) | Ending::OutOfMemory | Ending::Unknown) => {
                self.run_once(args, limit).await
            }
            Some(Ending::Code(_) | Ending::Signal(_)) | None => Ok(first),
        }
    }

    async fn run_once(&self, args: Vec<OsString>, limit: Duration) -> Result<Outcome, Error> {
        let claim = ClaimId::new(self.clock.now(), self.clock.random());
        let log = self.folder.join(format!("{claim}.log"));
        let outcome = self.run_as(claim, args, log.clone(), limit).await;
        let cleared = self.processes.clear(claim).await;
        let _ = std::fs::remove_file(&log);
        let outcome = outcome.map_err(|source| Error::Run { program: self.program.clone(), source })?;
        cleared.map_err(|source| Error::Run { program: self.program.clone(), source })?;
        Ok(outcome)
    }

    async fn run_as(
        &self,
        claim: ClaimId,
        args: Vec<OsString>,
        log: PathBuf,
        limit: Duration,
    ) -> Result<Outcome, weft_domain::Fault> {
        let command = Command {
            claim,
            program: self.program.clone(),
            args,
            fds: Vec::new(),
            log: log.clone(),
            dir: self.folder.clone(),
            confinement: Confinement::default(),
            jail: None,
        };
        let alive = self.processes.launch(command).await?;
        let ending = tokio::time::timeout(limit, self.processes.ended(&alive)).await.ok();
        if ending.is_none() {
            self.processes.kill(&alive).await?;
        }
        let mut words = std::fs::read(&log).unwrap_or_default();
        words.truncate(MAX_WORDS);
        Ok(Outcome { ending, said: String::from_utf8_lossy(&words).into_owned() })
    }
}

/// Writes a file of the probe's folder, whole or not at all: another probe may be reading it.
pub(super) fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, Error> {
    static PARTS: AtomicU64 = AtomicU64::new(0);
    let (process, number) = (std::process::id(), PARTS.fetch_add(1, Ordering::Relaxed));
    let (path, part) = (folder.join(name), folder.join(format!("{name}.{process}-{number}")));
    let written = std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, &path));
    match written {
        Ok(()) => Ok(path),
        Err(source) => {
            // It may never have been made.
            let _ = std::fs::remove_file(&part);
            Err(Error::UseFolder { path, source })
        }
    }
}
