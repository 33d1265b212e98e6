//! Where a VMM sees its files: in a jail what was bound there, otherwise the host as it is.
//!
//! ```text
//!  Order ──► Cell::of ── see(path), device(path) ──► jail() ──► Command
//!  later, for what is plugged into a living machine: admit(path), expel(path)
//! ```
//!
//! A path inside is the same as outside, so that a driver writes it once. What is bound is pinned: the
//! file that was checked is the file that the VMM opens, whatever becomes of its name.

use crate::program::Program;
use std::path::{Path, PathBuf};
use weft_domain::Fault;
use weft_domain::spec::IoEngine;
use weft_ports::hypervisor::{Order, Ward};
use weft_ports::processes::{Access, Alive, Bind, Jail, Net, Proc, Processes, Rings, Showing};

/// The folder of an incarnation that becomes the root of its jail.
const ROOT: &str = "root";
/// The folder for sockets that the VMM itself makes.
const SOCKETS: &str = "run";

/// What one VMM sees of the host.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    ward: Option<Ward>,
    root: PathBuf,
    sockets: PathBuf,
    binds: Vec<Bind>,
    devices: Vec<PathBuf>,
    net: Net,
    rings: Rings,
}

impl Cell {
    /// The cell of a machine that is going to be launched; it sees the folder of its sockets.
    pub(crate) fn of(order: &Order) -> Self {
        let mut cell = Self::standing(&order.run_dir, order.ward);
        cell.see(&cell.sockets.clone(), Access::Write);
        if order.spec.disks.iter().any(|disk| disk.io_engine == IoEngine::Async) {
            cell.rings = Rings::Allowed;
        }
        cell
    }

    /// The cell of a machine that lives.
    pub(crate) fn standing(run_dir: &Path, ward: Option<Ward>) -> Self {
        Self {
            ward,
            root: run_dir.join(ROOT),
            sockets: run_dir.join(SOCKETS),
            binds: Vec::new(),
            devices: Vec::new(),
            net: Net::Own,
            rings: Rings::None,
        }
    }

    /// The same of one of whose folders nothing has to be known any more: there may be thousands.
    pub(crate) fn settled(ward: Option<Ward>) -> Self {
        let (root, sockets) = (PathBuf::new(), PathBuf::new());
        let (binds, devices) = (Vec::new(), Vec::new());
        Self { ward, root, sockets, binds, devices, net: Net::Own, rings: Rings::None }
    }

    /// The folder that the VMM makes its sockets in, and starts in.
    pub(crate) fn sockets(&self) -> &Path {
        &self.sockets
    }

    /// Whether it is jailed.
    pub(crate) const fn is_jailed(&self) -> bool {
        self.ward.is_some()
    }

    /// The VMM sees this file or folder under the same path.
    pub(crate) fn see(&mut self, path: &Path, access: Access) {
        if let Some(known) = self.binds.iter_mut().find(|bind| bind.from == path) {
            // A file that is seen twice may be written if either says so.
            if access == Access::Write {
                known.access = Access::Write;
            }
            return;
        }
        // What lies in a folder that is seen already is seen with it.
        let within = |bind: &&Bind| path.starts_with(&bind.from) && bind.access == access;
        if self.binds.iter().any(|bind| within(&bind)) {
            return;
        }
        self.binds.push(Bind { from: path.to_owned(), to: path.to_owned(), access });
    }

    /// The VMM runs this program.
    pub(crate) fn run(&mut self, program: &Program) {
        self.see(&program.path, Access::Execute);
        for folder in &program.folders {
            self.see(folder, Access::Execute);
        }
    }

    /// The VMM has this device node, where the host has it.
    pub(crate) fn device(&mut self, path: &str) {
        let path = PathBuf::from(path);
        if path.exists() && !self.devices.contains(&path) {
            self.devices.push(path);
        }
    }

    /// The VMM has the host's network, unless it entered another.
    pub(crate) fn share_network(&mut self) {
        if self.net == Net::Own {
            self.net = Net::Host;
        }
    }

    /// The VMM has the network of the namespace that this file is.
    pub(crate) fn enter(&mut self, namespace: &Path) {
        self.net = Net::Named(namespace.to_owned());
    }

    /// Makes the folders that it needs on the host, and says what the process sees; `None` where it is not
    /// jailed. They go with the incarnation's folder.
    pub(crate) fn make(&self) -> std::io::Result<Option<Jail>> {
        make(&self.sockets)?;
        let Some(Ward { uid, gid }) = self.ward else { return Ok(None) };
        make(&self.root)?;
        let (root, binds, devices) = (self.root.clone(), self.binds.clone(), self.devices.clone());
        Ok(Some(Jail { uid, gid, root, binds, devices, net: self.net.clone(), proc: Proc::None, rings: self.rings }))
    }

    /// A living VMM sees this file or folder from now on.
    pub(crate) async fn admit(
        &self,
        processes: &dyn Processes,
        alive: &Alive,
        path: &Path,
        access: Access,
    ) -> Result<(), Fault> {
        if !self.is_jailed() {
            return Ok(());
        }
        let bind = Bind { from: path.to_owned(), to: path.to_owned(), access };
        processes.show(alive, Showing { admit: vec![bind], expel: Vec::new() }).await
    }

    /// A living VMM sees this folder from now on, and may write into it; not the one that was there before.
    pub(crate) async fn admit_anew(&self, processes: &dyn Processes, alive: &Alive, path: &Path) -> Result<(), Fault> {
        if !self.is_jailed() {
            return Ok(());
        }
        // An agent that was killed may have left one that is gone from the host.
        let bind = Bind { from: path.to_owned(), to: path.to_owned(), access: Access::Write };
        processes.show(alive, Showing { admit: vec![bind], expel: vec![path.to_owned()] }).await
    }

    /// A living VMM sees this file or folder no more.
    pub(crate) async fn expel(&self, processes: &dyn Processes, alive: &Alive, path: &Path) -> Result<(), Fault> {
        if !self.is_jailed() {
            return Ok(());
        }
        processes.show(alive, Showing { admit: Vec::new(), expel: vec![path.to_owned()] }).await
    }
}

fn make(folder: &Path) -> std::io::Result<()> {
    match std::fs::create_dir(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell() -> Cell {
        Cell::standing(Path::new("/run/x"), Some(Ward { uid: 7, gid: 7 }))
    }

    #[test]
    fn a_file_is_bound_once_and_writable_if_either_says_so() {
        let mut cell = cell();
        cell.see(Path::new("/a/disk"), Access::Read);
        cell.see(Path::new("/a/disk"), Access::Write);
        cell.see(Path::new("/a/disk"), Access::Read);
        assert_eq!(cell.binds.len(), 1);
        assert_eq!(cell.binds[0].access, Access::Write);
    }

    #[test]
    fn what_lies_in_a_folder_that_is_seen_is_seen_with_it() {
        let mut cell = cell();
        cell.see(Path::new("/usr/lib"), Access::Execute);
        cell.see(Path::new("/usr/lib/x.so"), Access::Execute);
        assert_eq!(cell.binds.len(), 1);
    }

    #[test]
    fn a_network_that_was_entered_is_kept() {
        let mut cell = cell();
        cell.share_network();
        assert_eq!(cell.net, Net::Host);
        cell.enter(Path::new("/run/netns/blue"));
        cell.share_network();
        assert_eq!(cell.net, Net::Named("/run/netns/blue".into()));
    }

    #[test]
    fn unjailed_there_are_only_sockets() {
        let folder = tempfile::tempdir().unwrap();
        let cell = Cell::standing(folder.path(), None);
        assert_eq!(cell.make().unwrap(), None);
        assert!(cell.sockets().is_dir());
    }
}
