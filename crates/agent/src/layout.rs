//! Where things of an instance are on the node.
//!
//! ```text
//!  <data>/vms/<instance>/console.log     the serial console from its first byte, bounded
//!                       /vmm.log         the VMM's own words, anew for each incarnation
//!                       /disk-<name>.raw a disk that weft made
//!  <data>/snapshots/<snapshot>/           parts of a snapshot
//!                          /manifest.json written last
//!  <run>/<12 hex of the claim>/          sockets of one incarnation
//! ```

use std::path::{Path, PathBuf};
use weft_domain::{ClaimId, InstanceId, SnapshotId};

/// Digits of a claim that name the folder of its sockets.
const DIGITS: usize = 12;

/// Paths below an agent's folders.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    vms: PathBuf,
    snapshots: PathBuf,
    run: PathBuf,
}

impl Layout {
    pub(crate) fn new(data_dir: &Path, run_dir: &Path) -> Self {
        Self { vms: data_dir.join("vms"), snapshots: data_dir.join("snapshots"), run: run_dir.to_owned() }
    }

    pub(crate) fn vms(&self) -> &Path {
        &self.vms
    }

    pub(crate) fn snapshots(&self) -> &Path {
        &self.snapshots
    }

    /// The folder of a snapshot, which outlives its VM.
    pub(crate) fn snapshot(&self, id: SnapshotId) -> PathBuf {
        self.snapshots.join(id.to_string())
    }

    pub(crate) fn run(&self) -> &Path {
        &self.run
    }

    pub(crate) fn folder(&self, id: InstanceId) -> PathBuf {
        self.vms.join(id.to_string())
    }

    pub(crate) fn console_log(&self, id: InstanceId) -> PathBuf {
        self.folder(id).join("console.log")
    }

    pub(crate) fn vmm_log(&self, id: InstanceId) -> PathBuf {
        self.folder(id).join("vmm.log")
    }

    pub(crate) fn disk(&self, id: InstanceId, name: &str) -> PathBuf {
        self.folder(id).join(format!("disk-{name}.raw"))
    }

    /// The end of an id is random, so twelve digits of it name one claim among millions.
    pub(crate) fn sockets(&self, claim: ClaimId) -> PathBuf {
        let text = claim.to_string();
        self.run.join(&text[text.len() - DIGITS..])
    }
}
