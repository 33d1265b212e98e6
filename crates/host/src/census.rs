//! What is on this machine of all that weft can make: one look, nothing changed.
//!
//! ```text
//!  processes  one pass over /proc: by cgroup, else by variables      of this scope: by claim
//!  cgroups    a listing of our folder in each tree                   of another: foreign
//!  folders    data, run and cache folder, by name                    drafts, locks, strangers
//!  kernel     mounts under our run folder; links and network namespaces that bear the name
//! ```
//!
//! What weft does not make today is told as foreign where it bears the name: links, network namespaces.
//! Tables of packet filters are not looked at, for weft makes none. A process of another data folder is
//! foreign, and so is the folder of its sockets where two share a run folder. Drafts of the store, the
//! journal and the image shelf belong to whoever holds those: each writes over its own.
//!
//! What always holds: an outline costs two small reads for each process of the machine and a listing of each
//! folder that holds folders of ours, however many things lie in those.

mod folders;
mod kernel;

use crate::Error;
use crate::error::blocking;
use crate::processes;
use crate::processes::search::{self, Bearing};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use weft_domain::census::{Depth, Found, Look, Mark, Sort, What};
use weft_domain::{ClaimId, Fault};
use weft_ports::sightings::Sightings;

/// Where to look.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder in which weft keeps its state and disks.
    pub data_dir: PathBuf,
    /// The folder for what runs.
    pub run_dir: PathBuf,
    /// The folder for what can be made again.
    pub cache_dir: PathBuf,
}

/// The eyes of one weft on this machine.
#[derive(Debug, Clone)]
pub struct Linux(Arc<Eyes>);

#[derive(Debug)]
struct Eyes {
    config: Config,
    /// Whose processes are ours.
    whose: Arc<processes::Config>,
    /// Our folder in each tree of cgroups.
    cgroups: Vec<PathBuf>,
}

/// Eyes for what these processes and folders are of.
#[must_use]
pub fn open(config: Config, processes: &processes::Linux) -> Linux {
    let (whose, cgroups) = (Arc::clone(processes.config()), processes.cgroup_folders().to_vec());
    Linux(Arc::new(Eyes { config, whose, cgroups }))
}

#[async_trait::async_trait]
impl Sightings for Linux {
    async fn look(&self, depth: Depth) -> Result<Look, Fault> {
        let eyes = Arc::clone(&self.0);
        let found =
            blocking(move || eyes.found(depth).map_err(|error| Error::host("look at what is on this machine", error)));
        Ok(Look { depth, found: found.await? })
    }

    async fn device(&self, name: &str, namespace: Option<&Path>) -> Result<bool, Fault> {
        let Some(namespace) = namespace.map(Path::to_owned) else { return Ok(kernel::has_device(name)?) };
        let name = name.to_owned();
        Ok(blocking(move || kernel::has_device_in(&name, &namespace)).await?)
    }

    async fn undo(&self, found: &Found) -> Result<(), Fault> {
        let (eyes, found) = (Arc::clone(&self.0), found.clone());
        Ok(blocking(move || eyes.undo(&found)).await?)
    }
}

impl Eyes {
    fn found(&self, depth: Depth) -> io::Result<Vec<Found>> {
        let mut found = Vec::new();
        let others = self.processes(&mut found)?;
        for folder in &self.cgroups {
            self.cgroups(folder, &mut found)?;
        }
        folders::all(&self.config, depth, &others, &mut found)?;
        kernel::all(&self.vms(), &mut found)?;
        Ok(found)
    }

    /// Where incarnations have their folders.
    fn vms(&self) -> PathBuf {
        self.config.run_dir.join("vms")
    }

    /// Processes that bear a claim; answers the claims of other scopes.
    fn processes(&self, found: &mut Vec<Found>) -> io::Result<BTreeSet<ClaimId>> {
        let mut others = BTreeSet::new();
        for pid in search::pids()? {
            let Some(bearing) = search::bearing(pid, &self.whose) else { continue };
            let mark = match bearing {
                Bearing::Ours(claim) => Mark::Claim(claim),
                Bearing::Anothers(claim) => {
                    others.insert(claim);
                    Mark::Stranger("it bears the claim of another data folder")
                }
            };
            found.push(Found::named(Sort::Process, pid.to_string(), mark));
        }
        Ok(others)
    }

    fn cgroups(&self, folder: &Path, found: &mut Vec<Found>) -> io::Result<()> {
        let known: BTreeSet<_> =
            found.iter().filter(|one| one.sort == Sort::Cgroup).map(|one| one.what.clone()).collect();
        let mut add = |one: Found| {
            // One that is in several trees is one.
            if !known.contains(&one.what) {
                found.push(one);
            }
        };
        for (path, name) in subfolders(folder)? {
            add(match (name.parse::<ClaimId>(), prober(&name)) {
                (Ok(claim), _) => Found::named(Sort::Cgroup, name, Mark::Claim(claim)),
                (Err(_), Some(pid)) if Path::new(&format!("/proc/{pid}")).exists() => {
                    Found::at(Sort::Cgroup, path, Mark::House)
                }
                (Err(_), Some(_)) => Found::at(Sort::Cgroup, path, Mark::Place),
                (Err(_), None) => Found::at(Sort::Cgroup, path, Mark::Stranger("weft names no cgroup so")),
            });
        }
        for (_, name) in folder.parent().map(subfolders).transpose()?.unwrap_or_default() {
            if name != self.whose.scope {
                add(Found::named(Sort::Cgroup, format!("weft/{name}"), Mark::Stranger("it is of another data folder")));
            }
        }
        Ok(())
    }

    fn undo(&self, found: &Found) -> Result<(), Error> {
        match (found.sort, &found.mark, &found.what) {
            (Sort::Mount, Mark::Place, What::Path(path)) if path.starts_with(self.vms()) => kernel::unmount(path),
            (Sort::Cgroup, Mark::Place, What::Path(path))
                if self.cgroups.iter().any(|own| path.parent() == Some(own)) =>
            {
                match fs::remove_dir(path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        Err(Error::host(format!("remove the cgroup {}", path.display()), error))
                    }
                    Ok(()) | Err(_) => Ok(()),
                }
            }
            (_, _, what) => Err(Error::NotOurs { path: PathBuf::from(what.to_string()) }),
        }
    }
}

/// The process that tried with this cgroup whether it may make any.
fn prober(name: &str) -> Option<u32> {
    name.strip_prefix("probe-")?.parse().ok()
}

/// Folders in a folder with their names; an absent one has none.
fn subfolders(folder: &Path) -> io::Result<Vec<(PathBuf, String)>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push((entry.path(), entry.file_name().to_string_lossy().into_owned()));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
