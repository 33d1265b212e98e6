//! A jail: built by the launcher, then entered for good by the process that becomes the program.
//!
//! ```text
//!  build   take what is bound ─► namespaces of its own ─► a small file system in memory becomes `/`
//!          ─► devices and binds in it ─► the host's files are let go
//!  submit  its own /proc ─► no capability to be had ─► its group and user ─► no new privileges
//! ```
//!
//! What always holds: all mounts are in a mount namespace that ends with the process, so nothing has to be
//! taken away; nothing is written to the host's folders.

use super::files::{Own, Taker};
use super::order::Jail;
use super::{Failure, at, kernel};
use std::ffi::OsStr;
use std::fs;

/// How much the file system that becomes `/` may hold: folders and empty places.
const ROOT: &str = "mode=755,size=1m,nr_inodes=4k";
/// How much `/dev` may hold: device nodes.
const DEVICES: &str = "mode=755,size=64k,nr_inodes=256";

/// Builds it around the launcher.
pub(crate) fn build(jail: &Jail) -> Result<(), Failure> {
    let mut taker = Taker::new(jail.uid, jail.gid);
    let taken = jail.binds.iter().map(|bind| taker.take(bind)).collect::<Result<Vec<_>, _>>()?;
    if let Some(path) = &jail.named_net {
        kernel::enter_network(path).map_err(at(format!("enter the network {}", path.display())))?;
    }
    kernel::separate(jail).map_err(at("make its namespaces"))?;
    kernel::keep_mounts_private().map_err(at("keep its mounts private"))?;
    kernel::mount_memory(&jail.root, ROOT, kernel::Devices::None)
        .map_err(at(format!("mount its root on {}", jail.root.display())))?;
    kernel::pivot(&jail.root).map_err(at("make its root the root"))?;
    kernel::umask(0o022);
    fs::create_dir("/dev").map_err(at("make its /dev"))?;
    kernel::mount_memory("/dev".as_ref(), DEVICES, kernel::Devices::Allowed).map_err(at("mount its /dev"))?;
    if jail.own_proc {
        fs::create_dir("/proc").map_err(at("make its /proc"))?;
    }
    let own = Own::look(jail.gid).map_err(at("look at its root"))?;
    taken.iter().try_for_each(|taken| own.show(taken))
}

/// Gives up everything but what the jail's user has; called by the process that becomes the program.
pub(crate) fn submit(jail: &Jail, dir: &OsStr) -> Result<(), Failure> {
    if jail.own_proc {
        kernel::mount_processes("/proc".as_ref()).map_err(at("mount its /proc"))?;
    }
    kernel::let_lock_memory();
    kernel::forgo_capabilities().map_err(at("forgo capabilities"))?;
    kernel::become_user(jail.uid, jail.gid).map_err(at(format!("become user {}", jail.uid)))?;
    kernel::forgo_new_privileges().map_err(at("forgo new privileges"))?;
    if !jail.own_net {
        kernel::forgo_nameless_sockets().map_err(at("forgo sockets without files"))?;
    }
    kernel::umask(0o077);
    std::env::set_current_dir(dir).map_err(at(format!("enter its folder {}", dir.display())))
}
