//! Jails in a network namespace that has a name.

#![expect(unsafe_code, reason = "namespaces are made by system calls")]

use crate::room::{Room, opened, skips, until};
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use weft_domain::Reason;
use weft_ports::processes::{Net, Processes};

/// A namespace bound to a file, until the end of the test.
struct Named(PathBuf);

impl Named {
    /// A new one of this kind, where `/proc` has it under this name.
    fn new(path: PathBuf, kind: i32, name: &str) -> Self {
        fs::write(&path, "").unwrap();
        std::thread::scope(|scope| {
            let made = scope.spawn(|| {
                // SAFETY: it changes what this thread sees, which ends here.
                assert_eq!(unsafe { libc::unshare(kind) }, 0);
                rustix::mount::mount_bind(format!("/proc/thread-self/ns/{name}"), &path).unwrap();
            });
            made.join().unwrap();
        });
        Self(path)
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        let _ = rustix::mount::unmount(&self.0, rustix::mount::UnmountFlags::DETACH);
    }
}

#[tokio::test]
async fn it_enters_the_network_that_is_named() {
    let room = Room::new();
    let linux = opened(room.path());
    if skips(&linux) {
        return;
    }
    let blue = Named::new(room.path().join("blue"), libc::CLONE_NEWNET, "net");
    let mut order = room.shell("echo > /out/ready; exec sleep 1000");
    order.jail.as_mut().unwrap().net = Net::Named(blue.0.clone());
    let claim = order.claim;
    let alive = linux.launch(order).await.unwrap();
    until(|| room.out("ready").exists()).await;
    let net = |pid: &str| fs::metadata(format!("/proc/{pid}/ns/net")).unwrap().ino();
    assert_eq!(net(&alive.pid.to_string()), fs::metadata(&blue.0).unwrap().ino());
    assert_ne!(net(&alive.pid.to_string()), net("self"));
    linux.kill(&alive).await.unwrap();
    linux.clear(claim).await.unwrap();
    drop(blue);
    room.leaves_nothing();
}

#[tokio::test]
async fn what_is_no_network_is_not_entered() {
    let room = Room::new();
    let linux = opened(room.path());
    if skips(&linux) {
        return;
    }
    let at = |name: &str| room.path().join(name);
    let (blue, names) =
        (Named::new(at("blue"), libc::CLONE_NEWNET, "net"), Named::new(at("names"), libc::CLONE_NEWUTS, "uts"));
    symlink(&blue.0, at("link")).unwrap();
    fs::write(at("file"), "").unwrap();
    let fifo = rustix::fs::Mode::RUSR;
    rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), rustix::fs::FileType::Fifo, fifo, 0).unwrap();
    let others = ["link", "file", "pipe", "absent", "out"].map(at);
    let more = [names.0.clone(), "/proc/self/ns/net".into(), "/dev/null".into(), "blue".into()];
    for path in others.iter().chain(&more) {
        let mut order = room.shell("true");
        order.jail.as_mut().unwrap().net = Net::Named(path.clone());
        let claim = order.claim;
        let fault = linux.launch(order).await.unwrap_err();
        assert_eq!(fault.reason, Reason::PathUnusable, "{fault:?}");
        assert_eq!(fault.violations[0].field, "vm.spec.network_namespace", "{fault:?}");
        assert!(fault.message.contains(Path::new(path).to_str().unwrap()), "{fault:?}");
        assert!(!linux.confined().await.unwrap().contains(&claim));
    }
    assert_eq!(linux.find().await.unwrap(), vec![]);
    drop((blue, names));
    room.leaves_nothing();
}
