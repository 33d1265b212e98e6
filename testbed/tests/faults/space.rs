//! A data folder on a small disk that something else fills.

use crate::{assert_leaves_nothing, removal};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use std::io::Write;
use std::path::PathBuf;
use weft_domain::{Phase, Reason};
use weft_ports::api::{CreateMode, Vms};
use weft_testbed::daemon::Daemon;
use weft_testbed::guest::{call, draft, vm};
use weft_testbed::need_guest;
use weft_testbed::watch::by_name;

/// Space that is enough for the store with its reserve, and little more.
const SIZE: &std::ffi::CStr = c"size=25165824,mode=0700";

/// A file system in memory over this folder, until it is dropped.
struct Disk(PathBuf);

impl Disk {
    fn over(folder: PathBuf) -> Option<Self> {
        match mount("weft-test", &folder, "tmpfs", MountFlags::empty(), SIZE) {
            Ok(()) => Some(Self(folder)),
            Err(why) => {
                println!("skipped: a small file system cannot be mounted here ({why})");
                None
            }
        }
    }

    fn fill(&self) {
        let mut file = std::fs::File::create(self.0.join("ballast")).expect("a file");
        while file.write_all(&[1; 4096]).is_ok() {}
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("ballast")).expect("it was made");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = unmount(&self.0, UnmountFlags::DETACH);
    }
}

#[tokio::test]
async fn a_full_disk_refuses_new_work_and_lets_old_work_go() {
    need_guest!();
    let mut daemon = Daemon::start(&["node.reserved_disk=0"]).expect("weft is up");
    daemon.terminate().expect("ended");
    let Some(disk) = Disk::over(daemon.data_dir()) else { return };
    daemon.up().expect("up on the small disk");
    let weft = daemon.client();
    // It waits for no readiness: the console's log may not be writable.
    let plain = || {
        let mut draft = draft();
        draft.readiness = None;
        draft.check().expect("lawful")
    };
    for name in ["runs", "goes"] {
        weft.create(&call(), vm(name, plain(), CreateMode::Boot)).await.expect("booted");
    }
    disk.fill();
    let mut made = 0;
    let refused = loop {
        match weft.create(&call(), vm(&format!("new{made}"), plain(), CreateMode::Create)).await {
            Ok(vm) if vm.value.status.phase == Phase::Created => made += 1,
            // Taken by the last byte, its node has no space to make it.
            Ok(_) => made += 1,
            Err(fault) => break fault,
        }
        assert!(made < 100, "a full disk takes work without end");
    };
    assert!(matches!(refused.reason, Reason::StoreFull | Reason::DiskExhausted), "{refused}");
    let goes = weft.get(&call(), &by_name("goes")).await.expect("reads go on").value;
    assert_eq!(goes.status.phase, Phase::Running);
    weft.delete(&call(), removal("goes")).await.expect("deleting goes on");
    assert_eq!(weft.get(&call(), &by_name("goes")).await.expect_err("gone").reason, Reason::VmNotFound);
    let runs = weft.get(&call(), &by_name("runs")).await.expect("there").value.status.running.expect("a process").pid;
    assert!(daemon.vmms().contains(&runs), "running VMs go on");
    disk.free();
    weft.create(&call(), vm("later", plain(), CreateMode::Create)).await.expect("there is space again");
    assert_leaves_nothing(&daemon).await;
    daemon.terminate().expect("ended");
    drop(disk);
}
