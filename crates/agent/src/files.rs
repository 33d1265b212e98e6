//! Files of the host that machines hold now: one writes a file, or any number read it.
//!
//! They are told apart by where their paths lead, so that a link is no second file. What a machine holds it
//! holds from before it is launched until it is buried. What a former agent left running holds its files before
//! any owner works, also where nobody takes it up: an instance that the state does not know goes on writing.

use crate::config::Ports;
use crate::inventory::{Held, Stock};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use weft_domain::spec::{Disk, DiskSource, Spec};
use weft_domain::{Fault, InstanceId, Reason};
use weft_ports::volumes::Want;

/// Whether a machine writes a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Reads,
    Writes,
}

impl Access {
    /// What a machine does with the file of this disk.
    pub(crate) const fn of(disk: &Disk) -> Self {
        if disk.read_only { Self::Reads } else { Self::Writes }
    }
}

/// Who holds which file.
#[derive(Debug, Default)]
pub(crate) struct Files(Mutex<BTreeMap<PathBuf, BTreeMap<InstanceId, Access>>>);

impl Files {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<PathBuf, BTreeMap<InstanceId, Access>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds a file for a machine; refused where that would ruin what another has.
    pub(crate) fn hold(&self, id: InstanceId, path: &Path, access: Access, field: &str) -> Result<(), Fault> {
        let mut files = self.lock();
        let holders = files.entry(path.to_owned()).or_default();
        let clash =
            holders.iter().find(|(other, has)| **other != id && (access == Access::Writes || **has == Access::Writes));
        if let Some((other, has)) = clash {
            let how = if *has == Access::Writes { "written" } else { "read" };
            let why = format!("leads to {}, which is {how} by {other} as it runs", path.display());
            return Err(Fault::field(Reason::InUse, field, why).fix("give the VM a copy, or stop the other VM"));
        }
        holders.insert(id, access);
        Ok(())
    }

    fn adopt(&self, id: InstanceId, path: &Path, access: Access) {
        self.lock().entry(path.to_owned()).or_default().insert(id, access);
    }

    /// Machines that run hold their files, whoever will own them.
    pub(crate) async fn adopt_living(&self, ports: &Ports, stock: &Stock) {
        for (id, holdings) in &stock.instances {
            let living = |held: &&Held| held.note.alive.as_ref().is_some_and(|alive| ports.processes.lives(alive));
            for held in holdings.processes.iter().filter(living) {
                let Some(spec) = written(ports, held) else { continue };
                self.adopt_all(*id, ports, &spec.disks).await;
            }
        }
    }

    /// A machine of a former agent goes on with the files of these disks, whoever else has them.
    pub(crate) async fn adopt_all(&self, id: InstanceId, ports: &Ports, disks: &[Disk]) {
        for disk in disks {
            let DiskSource::Path(path) = &disk.source else { continue };
            // One that is gone by now is in nobody's way.
            if let Ok(path) = ports.volumes.resolve(path, Want::DiskToRead, "path").await {
                self.adopt(id, &path, Access::of(disk));
            }
        }
    }

    /// It holds nothing any more.
    pub(crate) fn free(&self, id: InstanceId) {
        self.lock().retain(|_, holders| {
            holders.remove(&id);
            !holders.is_empty()
        });
    }
}

/// What a process has become, as the journal tells it; a former weft may have told nothing.
fn written(ports: &Ports, held: &Held) -> Option<Spec> {
    let newest = if held.note.spec.is_empty() { &held.process.spec } else { &held.note.spec };
    ports.specs.decode_spec(newest).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_writes_or_many_read() {
        let (files, path) = (Files::default(), Path::new("/disk"));
        let [a, b, c] = [1, 2, 3].map(|n| InstanceId::from_bytes([n; 16]));
        for reader in [a, b] {
            files.hold(reader, path, Access::Reads, "f").expect("many read");
        }
        assert_eq!(files.hold(c, path, Access::Writes, "f").expect_err("they read").reason, Reason::InUse);
        files.free(a);
        assert!(files.hold(c, path, Access::Writes, "f").is_err());
        files.free(b);
        files.hold(c, path, Access::Writes, "f").expect("it is free");
        files.hold(c, path, Access::Writes, "f").expect("again is fine");
        assert!(files.hold(a, path, Access::Reads, "f").is_err());
        files.free(c);
        assert!(files.lock().is_empty());
    }
}
