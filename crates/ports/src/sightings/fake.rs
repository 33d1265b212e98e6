//! A host that is seen through the fakes of what makes things there.
//!
//! Processes, cgroups and folders are those of the ports that it was made with; anything else is put there
//! by a test.

use super::Sightings;
use crate::processes::Processes;
use crate::volumes::Volumes;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use weft_domain::census::{Depth, Found, Look, Mark, Sort, What};
use weft_domain::{ClaimId, Fault, InstanceId, Reason, SnapshotId};

/// Where things are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Folders of instances.
    pub vms: PathBuf,
    /// Folders of snapshots.
    pub snapshots: PathBuf,
    /// Folders of incarnations.
    pub run: PathBuf,
}

/// A host that is seen through other ports.
#[derive(Clone)]
pub struct Fake {
    processes: Arc<dyn Processes>,
    volumes: Arc<dyn Volumes>,
    places: Places,
    further: Arc<Mutex<Vec<Found>>>,
}

impl Fake {
    /// One that sees what these ports made at these places.
    #[must_use]
    pub fn new(processes: Arc<dyn Processes>, volumes: Arc<dyn Volumes>, places: Places) -> Self {
        Self { processes, volumes, places, further: Arc::default() }
    }

    fn further(&self) -> MutexGuard<'_, Vec<Found>> {
        self.further.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on this is seen as well.
    pub fn put(&self, found: Found) {
        self.further().push(found);
    }

    /// What was put there and not taken away.
    #[must_use]
    pub fn left(&self) -> Vec<Found> {
        self.further().clone()
    }

    async fn folders(&self, parent: &Path, sort: Sort, is_ours: fn(&str) -> bool) -> Result<Vec<Found>, Fault> {
        let found = |name: String| {
            let mark =
                if is_ours(&name) { Mark::Place } else { Mark::Stranger("it is not named as weft names things") };
            Found::at(sort, parent.join(name), mark)
        };
        Ok(self.volumes.entries(parent).await?.into_iter().map(found).collect())
    }

    async fn within(&self, folders: Vec<Found>) -> Result<Vec<Found>, Fault> {
        let mut found = Vec::new();
        for folder in folders {
            let (What::Path(path), Mark::Place) = (&folder.what, &folder.mark) else { continue };
            for name in self.volumes.entries(path).await? {
                found.push(Found::at(Sort::File, path.join(name), Mark::Place));
            }
        }
        Ok(found)
    }
}

#[async_trait::async_trait]
impl Sightings for Fake {
    async fn look(&self, depth: Depth) -> Result<Look, Fault> {
        let processes: BTreeMap<ClaimId, u32> =
            self.processes.find().await?.into_iter().map(|(claim, alive)| (claim, alive.pid)).collect();
        let confined: BTreeSet<ClaimId> = self.processes.confined().await?.into_iter().collect();
        let mut folders =
            self.folders(&self.places.vms, Sort::Folder, |name| name.parse::<InstanceId>().is_ok()).await?;
        let snapshots = |name: &str| name.parse::<SnapshotId>().is_ok();
        folders.extend(self.folders(&self.places.snapshots, Sort::Snapshot, snapshots).await?);
        let sockets = |name: &str| name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        folders.extend(self.folders(&self.places.run, Sort::RunFolder, sockets).await?);
        let mut found = self.further().clone();
        for (claim, pid) in processes {
            found.push(Found::named(Sort::Process, pid.to_string(), Mark::Claim(claim)));
        }
        for claim in confined {
            found.push(Found::named(Sort::Cgroup, claim.to_string(), Mark::Claim(claim)));
        }
        if depth == Depth::Whole {
            found.extend(self.within(folders.clone()).await?);
        }
        found.extend(folders);
        Ok(Look { depth, found })
    }

    async fn device(&self, _: &str, _: Option<&Path>) -> Result<bool, Fault> {
        Ok(true)
    }

    async fn undo(&self, found: &Found) -> Result<(), Fault> {
        if matches!(found.mark, Mark::Stranger(_)) {
            return Err(Fault::new(Reason::HostRefused, format!("{} is not ours", found.what)));
        }
        self.further().retain(|other| other != found);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sightings::conformance;
    use crate::{processes, volumes};

    #[tokio::test]
    async fn keeps_the_laws() {
        let root = Path::new("/own");
        let processes = Arc::new(processes::fake::Fake::new());
        let volumes = Arc::new(volumes::fake::Fake::new(root, Path::new("/roots")));
        let places = Places { vms: root.join("vms"), snapshots: root.join("snapshots"), run: root.join("run") };
        let fake = Fake::new(processes.clone(), volumes.clone(), places.clone());
        let dir = tempfile::tempdir().unwrap();
        let stage = conformance::Stage { processes, volumes, places, dir: dir.path().to_owned() };
        conformance::all(&fake, &stage).await;
    }
}
