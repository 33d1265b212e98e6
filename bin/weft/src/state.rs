//! What a running weft says of itself to other commands on this machine: one file in its run-time folder.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs::TryLockError;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Files whose locks are held while a weft has the state open.
const LOCKS: [&str; 4] = ["store/lock", "journal/claims.lock", "ledger/lock", "usage/usage.lock"];

/// A running weft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Running {
    /// Its process.
    pub(crate) pid: i32,
    /// Where its API listens.
    pub(crate) api: SocketAddr,
    /// Where its metrics are.
    pub(crate) metrics: SocketAddr,
    /// Where a successor asks; none where it knows no hand-over.
    #[serde(default)]
    pub(crate) gate: Option<PathBuf>,
}

fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("up.json")
}

impl Running {
    /// Tells it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn tell(&self, data_dir: &Path) -> Result<()> {
        let (file, fresh) = (file(data_dir), data_dir.join("up.json.new"));
        std::fs::write(&fresh, serde_json::to_string_pretty(self)? + "\n")
            .with_context(|| format!("{} cannot be written", fresh.display()))?;
        std::fs::rename(&fresh, &file).with_context(|| format!("{} cannot be written", file.display()))
    }

    /// Takes it back.
    pub(crate) fn untell(data_dir: &Path) {
        // A file that is left names a process that is gone, which readers check.
        let _ = std::fs::remove_file(file(data_dir));
    }

    /// What was told last; the process may be gone since.
    #[must_use]
    pub(crate) fn find(data_dir: &Path) -> Option<Self> {
        serde_json::from_str(&std::fs::read_to_string(file(data_dir)).ok()?).ok()
    }

    /// Whether this very weft lives: somebody holds the state, and what was told is taken back when it is
    /// let go.
    #[must_use]
    pub(crate) fn lives(&self, data_dir: &Path) -> bool {
        let lock = std::fs::File::open(data_dir.join(LOCKS[0]));
        let held = lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)));
        held && Path::new(&format!("/proc/{}", self.pid)).exists()
    }
}

/// Whether nobody has the state open.
#[must_use]
pub(crate) fn is_free(data_dir: &Path) -> bool {
    // The lock that the look takes goes with the descriptor.
    let free = |lock: &str| match std::fs::File::open(data_dir.join(lock)) {
        Ok(lock) => lock.try_lock().is_ok(),
        // Where usage was never measured there is nothing to hold.
        Err(why) => why.kind() == std::io::ErrorKind::NotFound,
    };
    LOCKS.into_iter().all(free)
}
