//! What an attacker does, and bad luck: kills, hangs, full disks, garbage, paths, leaks.
//!
//! Each test breaks one thing of a running weft and looks that the rest goes on, that what was answered
//! stands, and that nothing is left.

#![expect(clippy::print_stdout, reason = "a skipped test says so, and a seed is told")]

mod garbage;
mod hung;
mod kills;
mod leaks;
mod paths;
mod space;
mod starts;

use weft_ports::api::{Removal, VmRef, Vms};
use weft_testbed::daemon::Daemon;
use weft_testbed::guest::call;
use weft_testbed::watch::by_name;

/// A removal by force of a VM that may be gone already.
pub(crate) fn removal(name: &str) -> Removal {
    removal_of(by_name(name))
}

pub(crate) fn removal_of(vm: VmRef) -> Removal {
    Removal { vm, etag: None, force: true, allow_missing: true }
}

/// Removes what is listed, and looks that nothing is left on the host.
pub(crate) async fn assert_leaves_nothing(daemon: &Daemon) {
    let weft = daemon.client();
    for vm in weft.list(&call(), &Default::default()).await.expect("a list").items {
        weft.delete(&call(), removal_of(VmRef::Id(vm.value.meta.id))).await.expect("deleted");
    }
    assert!(weft.list(&call(), &Default::default()).await.expect("a list").items.is_empty());
    assert_eq!(daemon.vmms(), [0u32; 0], "processes");
    assert_eq!((daemon.entries("vms"), daemon.entries("run/vms")), (vec![], vec![]), "folders");
    assert_eq!(cgroups(daemon), Vec::<std::path::PathBuf>::new(), "cgroups");
}

/// Cgroups of claims of this daemon, in whatever trees this host has.
pub(crate) fn cgroups(daemon: &Daemon) -> Vec<std::path::PathBuf> {
    let scope = weft_host::processes::scope_of(&daemon.data_dir());
    let trees = std::fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten().map(|entry| entry.path());
    let ours = trees.chain(["/sys/fs/cgroup".into()]).map(|tree| tree.join("weft").join(&scope));
    let entries = ours.flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()).collect()
}

/// Sends a signal to one process.
pub(crate) fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).expect("a pid");
    rustix::process::kill_process(pid, signal).expect("signalled");
}
