//! Files of the host that machines hold now: one writes a file, or any number read it.
//!
//! They are told apart by where their paths lead, so that a link is no second file. What a machine holds it
//! holds from before it is launched until it is buried.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use weft_domain::{Fault, InstanceId, Reason};

/// Whether a machine writes a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Reads,
    Writes,
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

    /// A machine of a former agent has it, whoever else does.
    pub(crate) fn adopt(&self, id: InstanceId, path: &Path, access: Access) {
        self.lock().entry(path.to_owned()).or_default().insert(id, access);
    }

    /// It holds nothing any more.
    pub(crate) fn free(&self, id: InstanceId) {
        self.lock().retain(|_, holders| {
            holders.remove(&id);
            !holders.is_empty()
        });
    }
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
