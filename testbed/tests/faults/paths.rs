//! Paths that would open the host to a guest.

use std::os::unix::fs::PermissionsExt;
use weft_domain::spec::{Disk, DiskFormat, DiskSource, Payload};
use weft_domain::{Fault, Reason};
use weft_ports::api::{CreateMode, Vms};
use weft_testbed::daemon::Daemon;
use weft_testbed::guest::{call, draft, vm};

async fn with_disk(daemon: &Daemon, path: &str) -> Result<(), Fault> {
    let mut draft = draft();
    draft.disks = vec![Disk { read_only: true, ..Disk::new("disk0", DiskSource::Path(path.into())) }];
    assert_eq!(draft.disks[0].format, DiskFormat::Raw);
    let made = daemon.client().create(&call(), vm("disk", draft.check().expect("lawful"), CreateMode::Create)).await;
    made.map(drop)
}

async fn with_kernel(daemon: &Daemon, path: &str) -> Result<(), Fault> {
    let mut draft = draft();
    draft.payload = Payload::Kernel { kernel: path.into(), initramfs: None, cmdline: String::new() };
    let made = daemon.client().create(&call(), vm("kernel", draft.check().expect("lawful"), CreateMode::Create)).await;
    made.map(drop)
}

#[tokio::test]
async fn even_with_all_allowed_what_weft_keeps_and_the_kernel_offers_is_refused() {
    let daemon = Daemon::start(&["paths.allowed_roots=/"]).expect("weft is up");
    let data = daemon.data_dir();
    let link = data.with_file_name("link");
    std::os::unix::fs::symlink(data.join("store/state.redb"), &link).expect("a link");
    let cache = weft_testbed::daemon::program().with_file_name("testbed-cache").join("qemu/qemu-found.json");
    let own = [data.join("store/state.redb"), data.join("journal/claims.log"), data.join("node-id"), link, cache];
    let own: Vec<_> = own.iter().map(|path| path.to_str().expect("text")).collect();
    let kernels = ["/proc/self/environ", "/proc/self/mem", "/proc/self/fd/3", "/dev/kvm", "/dev/zero", "/dev/mem"];
    for path in own.into_iter().chain(kernels) {
        let refused = with_disk(&daemon, path).await.expect_err(path);
        assert!(matches!(refused.reason, Reason::PathNotAllowed | Reason::PathUnusable), "{path}: {refused}");
        let refused = with_kernel(&daemon, path).await.expect_err(path);
        assert!(matches!(refused.reason, Reason::PathNotAllowed | Reason::PathUnusable), "{path}: {refused}");
    }
}

#[tokio::test]
async fn nobody_else_can_enter_its_folders() {
    let daemon = Daemon::start(&[]).expect("weft is up");
    for folder in ["", "store", "journal", "run", "run/vms", "vms"] {
        let mode = std::fs::metadata(daemon.data_dir().join(folder)).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{folder}");
    }
}
