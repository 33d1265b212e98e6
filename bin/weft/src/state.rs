//! What a running weft says of itself to other commands on this machine: one file in its run-time folder.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// A running weft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its process.
    pub pid: i32,
    /// Where its API listens.
    pub api: SocketAddr,
    /// Where its metrics are.
    pub metrics: SocketAddr,
}

fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("up.json")
}

impl Running {
    /// Tells it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn tell(&self, data_dir: &Path) -> Result<()> {
        let (file, fresh) = (file(data_dir), data_dir.join("up.json.new"));
        std::fs::write(&fresh, serde_json::to_string_pretty(self)? + "\n")
            .with_context(|| format!("{} cannot be written", fresh.display()))?;
        std::fs::rename(&fresh, &file).with_context(|| format!("{} cannot be written", file.display()))
    }

    /// Takes it back.
    pub fn untell(data_dir: &Path) {
        // A file that is left names a process that is gone, which readers check.
        let _ = std::fs::remove_file(file(data_dir));
    }

    /// What was told last; the process may be gone since.
    #[must_use]
    pub fn find(data_dir: &Path) -> Option<Self> {
        serde_json::from_str(&std::fs::read_to_string(file(data_dir)).ok()?).ok()
    }
}
