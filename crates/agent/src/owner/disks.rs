//! What is behind the disks of a machine: files that it holds, and files of weft's that are lost.
//!
//! ```text
//!  claimed ─► made ─► noted with its length ─┬─ runs:  looked at from time to time, and told
//!                                            └─ rests: a boot is refused
//! ```
//!
//! A VMM goes on with a file that was deleted or cut under it, and all that its guest writes is lost with the
//! process. So it is told while something can be saved. A disk that was made once is never made anew, nor grown
//! back to what it was: it would be empty where it was not. Only a snapshot that is laid out replaces it.

use super::Owner;
use super::alter::Made;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use weft_domain::snapshot::Role;
use weft_domain::spec::DiskSource;
use weft_domain::{Fault, Reason};
use weft_ports::claims::Note;
use weft_ports::link::Placed;

/// What somebody did to a disk of weft's.
enum Loss {
    Gone,
    /// It is so long, instead of so long.
    Cut(u64, u64),
}

impl Loss {
    /// What became of a disk that was made so long, by how long it is.
    fn of(length: Option<u64>, made: u64) -> Option<Self> {
        match length {
            None => Some(Self::Gone),
            Some(length) => (length < made).then_some(Self::Cut(length, made)),
        }
    }

    /// What became of it, as the end of a sentence.
    fn told(&self) -> String {
        match self {
            Self::Gone => "was deleted".to_owned(),
            Self::Cut(is, was) => format!("was cut to {is} of {was} bytes"),
        }
    }
}

impl Owner {
    /// Looks whether the disks that weft made are still there, and as long as they were made.
    pub(super) async fn look_for_disks(&mut self) {
        let made = self.live.as_ref().and_then(|live| live.made.as_ref());
        let blank = |source: &DiskSource| matches!(source, DiskSource::Blank { .. });
        let disks = made.map(|made| made.running.disks.iter().filter(|disk| blank(&disk.source)));
        let own: Vec<PathBuf> =
            disks.into_iter().flatten().map(|disk| self.shared.layout.disk(self.id, &disk.name)).collect();
        let mut lost = None;
        for path in &own {
            // A folder that cannot be read tells nothing.
            let Ok(length) = self.shared.ports.volumes.length(path).await else { return };
            let Some(thing) = self.things.get_mut(path) else { continue };
            if let (0, Some(length)) = (thing.made_bytes, length) {
                // A former weft made it and did not write down how long.
                thing.made_bytes = length;
            }
            lost = lost.or_else(|| Some((path, Loss::of(length, thing.made_bytes)?)));
        }
        let now = self.now();
        match lost {
            Some((path, loss)) => {
                let reason = if matches!(loss, Loss::Gone) { "DiskGone" } else { "DiskCut" };
                let why = format!(
                    "{} {} under the VM, which goes on until it ends: copy what is worth it from inside the guest; \
                     shut down, the VM boots only when the file is put back",
                    path.display(),
                    loss.told(),
                );
                self.told.condition(now, "DisksPresent", false, (reason, &why));
            }
            None => self.told.clear("DisksPresent"),
        }
    }

    /// Refuses where a disk that was made is not whole.
    pub(super) async fn check_whole(&self, path: &Path) -> Result<(), Fault> {
        let made = self.things.get(path).map_or(0, |thing| thing.made_bytes);
        if made == 0 {
            return Ok(());
        }
        let length = self.shared.ports.volumes.length(path).await?;
        let Some(loss) = Loss::of(length, made) else { return Ok(()) };
        let fix = "put the file back from a copy, go back to a snapshot, or delete the VM";
        let why = format!("the disk {} {}, and what was in it would be lost: {fix}", path.display(), loss.told());
        Err(Fault::new(Reason::DiskLost, why).fix(fix))
    }

    /// The file of a disk that was made, if it is still whole.
    pub(super) async fn blank_that_is_whole(&self, name: &str) -> Result<PathBuf, Fault> {
        let path = self.shared.layout.disk(self.id, name);
        self.check_whole(&path).await?;
        Ok(path)
    }

    /// Disks that the boot which is asked begins with from a snapshot: what is there is replaced.
    pub(super) fn to_be_laid(&self, placed: &Placed) -> BTreeSet<PathBuf> {
        let desired = &placed.desired;
        let coming = desired
            .origin()
            .is_some_and(|origin| origin.boot_epoch == desired.boot_epoch && !self.has_begun(origin.boot_epoch));
        let parts = placed.origin.iter().filter(|_| coming).flat_map(|snapshot| &snapshot.content.parts);
        let disks = parts.filter_map(|part| match &part.role {
            Role::Disk(name) => Some(self.shared.layout.disk(self.id, name)),
            Role::Memory | Role::State | Role::Config => None,
        });
        disks.collect()
    }

    /// Writes down which disks were made, and how long; what the journal does not take now is noted later.
    pub(super) async fn note_made(&mut self) {
        let claims = &self.shared.ports.claims;
        for thing in self.things.values_mut().filter(|thing| thing.made_bytes != thing.noted_bytes) {
            let note = Note { made_bytes: thing.made_bytes, ..Note::default() };
            match claims.note(thing.claim, note).await {
                Ok(()) => thing.noted_bytes = thing.made_bytes,
                Err(fault) => {
                    tracing::warn!(%fault, claim = %thing.claim, "the journal did not take that a disk was made");
                    return;
                }
            }
        }
    }

    /// A machine that is taken up goes on with the files that it has, whoever else has them.
    pub(super) async fn hold_files(&self, made: Option<&Made>) {
        if let Some(made) = made {
            self.shared.files.adopt_all(self.id, &self.shared.ports, &made.running.disks).await;
        }
    }
}
