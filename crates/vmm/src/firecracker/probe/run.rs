//! Runs Firecracker once for the probe and hears what it says.
//!
//! Each run bears a claim of its own: were we to end in the middle, whoever clears the host finds it.

use super::guest;
use crate::firecracker::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use weft_domain::ClaimId;
use weft_ports::clock::Clock;
use weft_ports::processes::{Command, Confinement, Ending, Processes};

/// The most that is read of what it says.
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
    /// Runs a guest that counts down from this number, at most this long.
    pub(super) async fn guest(&self, turns: u32, limit: Duration) -> Result<Outcome, Error> {
        let kernel = put(&self.folder, &format!("guest-{turns}"), &guest::counting(turns))?;
        let config = serde_json::json!({
            "boot-source": {"kernel_image_path": kernel, "boot_args": ""},
            "drives": [],
            "machine-config": {"vcpu_count": 1, "mem_size_mib": 64},
        });
        let config = put(&self.folder, &format!("guest-{turns}.json"), config.to_string().as_bytes())?;
        self.run(vec!["--no-api".into(), "--config-file".into(), config.into()], limit).await
    }

    /// Runs it with these arguments, at most this long.
    pub(super) async fn run(&self, args: Vec<OsString>, limit: Duration) -> Result<Outcome, Error> {
        let claim = ClaimId::new(self.clock.now(), self.clock.random());
        let log = self.folder.join(format!("{claim}.log"));
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
        let outcome = self.wait(command, limit).await;
        let cleared = self.processes.clear(claim).await;
        let mut words = std::fs::read(&log).unwrap_or_default();
        let _ = std::fs::remove_file(&log);
        words.truncate(MAX_WORDS);
        let run = |source| Error::Run { program: self.program.clone(), source };
        let ending = outcome.map_err(run)?;
        cleared.map_err(run)?;
        Ok(Outcome { ending, said: String::from_utf8_lossy(&words).into_owned() })
    }

    async fn wait(&self, command: Command, limit: Duration) -> Result<Option<Ending>, weft_domain::Fault> {
        let alive = self.processes.launch(command).await?;
        let ending = tokio::time::timeout(limit, self.processes.ended(&alive)).await.ok();
        if ending.is_none() {
            self.processes.kill(&alive).await?;
        }
        Ok(ending)
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
