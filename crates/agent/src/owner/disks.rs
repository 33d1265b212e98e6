//! What is behind the disks of a machine that runs: files that it holds, and files that are gone.
//!
//! A VMM goes on with a file that was deleted under it, and all that its guest writes is lost with the process.
//! So it is told while something can be saved, and such a disk is never made anew, empty, without a word.

use super::Owner;
use super::alter::Made;
use super::start::access;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use weft_domain::spec::DiskSource;
use weft_domain::{Fault, Reason};
use weft_ports::volumes::Want;

impl Owner {
    /// Looks whether the disks that weft made are still there.
    pub(super) async fn look_for_disks(&mut self) {
        let made = self.live.as_ref().and_then(|live| live.made.as_ref());
        let blank = |source: &DiskSource| matches!(source, DiskSource::Blank { .. });
        let disks = made.map(|made| made.running.disks.iter().filter(|disk| blank(&disk.source)));
        let own: BTreeSet<PathBuf> =
            disks.into_iter().flatten().map(|disk| self.shared.layout.disk(self.id, &disk.name)).collect();
        if own.is_empty() {
            return;
        }
        // A folder that cannot be read tells nothing.
        let Ok(there) = self.files_there().await else { return };
        self.gone = own.difference(&there).cloned().collect();
        let now = self.now();
        match self.gone.first() {
            Some(path) => {
                let why = format!(
                    "{} was deleted under the VM, which goes on with it until it ends: copy what is worth it from \
                     inside the guest; shut down, the VM boots only when the file is put back",
                    path.display()
                );
                self.told.condition(now, "DisksPresent", false, ("DiskGone", &why));
            }
            None => self.told.clear("DisksPresent"),
        }
    }

    async fn files_there(&self) -> Result<BTreeSet<PathBuf>, Fault> {
        let folder = self.shared.layout.folder(self.id);
        let names = self.shared.ports.volumes.entries(&folder).await?;
        Ok(names.into_iter().map(|name| folder.join(name)).collect())
    }

    /// Refuses where a disk of weft's is gone.
    pub(super) async fn check_there(&self, path: &Path) -> Result<(), Fault> {
        if self.files_there().await?.contains(path) {
            return Ok(());
        }
        let why = format!("the disk {} is gone: somebody deleted it", path.display());
        Err(Fault::new(Reason::PathUnusable, why).fix("put the file back, or delete the VM"))
    }

    /// The file of a disk that was made, if it is still there.
    pub(super) async fn blank_that_is_there(&self, name: &str) -> Result<PathBuf, Fault> {
        let path = self.shared.layout.disk(self.id, name);
        self.check_there(&path).await?;
        Ok(path)
    }

    /// A machine that is taken up goes on with the files that it has, whoever else has them.
    pub(super) async fn hold_files(&self, made: Option<&Made>) {
        for disk in made.into_iter().flat_map(|made| &made.running.disks) {
            let DiskSource::Path(path) = &disk.source else { continue };
            // One that is gone by now is in nobody's way.
            if let Ok(path) = self.shared.ports.volumes.resolve(path, Want::DiskToRead, "path").await {
                self.shared.files.adopt(self.id, &path, access(disk));
            }
        }
    }
}
