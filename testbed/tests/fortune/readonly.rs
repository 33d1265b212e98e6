//! The disk can be read and not written, from the start or from some moment on.
//!
//! What must hold: a start says which folder cannot be written; under a weft that runs, what needs a write is
//! refused or waits and says why; reads go on, VMs are not harmed, and all goes on when it can be written again.

use crate::house::{Ground, House, brief, pid};
use weft_domain::{Fault, Phase};
use weft_ports::api::{CreateMode, Vms};
use weft_testbed::guest::vm;

fn words(refused: &Fault) -> String {
    format!("{refused} {}", refused.fix)
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named_at_the_start() {
    let Some(ground) = Ground::new() else { return };
    let through = ground.through();
    let through: Vec<&str> = through.iter().map(String::as_str).collect();
    let mut house = House::open_through(&through, &[]);
    let runs = house.running("runs", house.with_disk()).await;
    house.daemon.kill().expect("killed");
    let data = house.daemon.data_dir();
    let path = data.to_str().expect("text");
    assert!(ground.run("mount", &["--bind", path, path]), "mounted");
    ground.remount(&data, "ro");
    let said = house.refused();
    assert!(said.contains("ead-only") && said.contains(path), "it says which and why: {said}");
    ground.remount(&data, "rw");
    house.daemon.up().expect("up again");
    house.assert_unharmed("runs", &runs).await;
    house.assert_leaves_nothing().await;
}

#[tokio::test]
async fn disks_that_cannot_be_made_are_told_and_made_when_they_can() {
    let Some(ground) = Ground::new() else { return };
    let through = ground.through();
    let through: Vec<&str> = through.iter().map(String::as_str).collect();
    let mut house = House::open_through(&through, &[]);
    house.daemon.terminate().expect("ended");
    let vms = house.daemon.data_dir().join("vms");
    ground.small(&vms, "size=16m");
    house.daemon.up().expect("up again");
    ground.remount(&vms, "ro");
    let made = Vms::create(&house.weft(), &brief(), vm("waits", house.with_disk(), CreateMode::Boot)).await;
    let made = made.expect("taken: its node cannot make it yet").value;
    assert_ne!(made.status.phase, Phase::Running);
    let why = async || {
        let status = house.get("waits").await.status;
        status.conditions.iter().any(|one| one.kind == "StepSucceeded" && one.message.contains("ead-only"))
    };
    crate::house::comes("why is told", why).await;
    ground.remount(&vms, "rw");
    house.phase("waits", Phase::Running).await;
    house.remove("waits").await;
    assert_eq!(house.daemon.vmms(), [0_u32; 0]);
}

#[tokio::test]
async fn a_disk_that_fails_under_a_weft_that_runs_ends_no_vm() {
    let Some(ground) = Ground::new() else { return };
    let through = ground.through();
    let through: Vec<&str> = through.iter().map(String::as_str).collect();
    let mut house = House::open_through(&through, &[]);
    house.daemon.terminate().expect("ended");
    let image = house.image("disk.ext4");
    std::fs::File::create(&image).and_then(|file| file.set_len(64 << 20)).expect("made");
    let (file, store) = (image.to_str().expect("text").to_owned(), house.daemon.data_dir().join("store"));
    let folder = store.to_str().expect("text").to_owned();
    std::fs::rename(&store, store.with_file_name("before")).expect("moved");
    std::fs::create_dir(&store).expect("made");
    let made = ground.run("mkfs.ext4", &["-q", "-F", &file])
        && ground.run("mount", &["-o", "loop,errors=remount-ro", &file, &folder]);
    if !made {
        println!("skipped: no ext4 can be mounted here");
        return;
    }
    // What the state was is not of interest: nothing was made.
    house.daemon.up().unwrap_or_else(|error| panic!("{error:#}"));
    let runs = house.running("runs", house.with_disk()).await;
    let mounts = std::fs::read_to_string(format!("/proc/{}/mounts", house.daemon.pid())).expect("mounts");
    let device = mounts.lines().find(|line| line.contains(&folder)).and_then(|line| line.split(' ').next());
    let device = device.and_then(|path| path.strip_prefix("/dev/")).expect("a device");
    // As a failing disk does to it: the kernel takes the file system's writes away.
    let fails = format!("/sys/fs/ext4/{device}/trigger_fs_error");
    if std::fs::write(&fails, "a test").is_err() {
        println!("skipped: {fails} cannot be written");
        return;
    }
    let refused = Vms::create(&house.weft(), &brief(), vm("new", house.spec(), CreateMode::Create)).await;
    let refused = refused.expect_err("nothing is promised that cannot be kept");
    assert!(!refused.fix.is_empty(), "{}", words(&refused));
    let still = house.get("runs").await;
    assert_eq!((still.status.phase, pid(&still)), (Phase::Running, pid(&runs)), "reads go on");
    assert!(crate::house::lives(pid(&runs)));
    house.daemon.kill().expect("killed");
    let said = house.refused();
    assert!(said.contains("store"), "it says what cannot be written: {said}");
    assert!(crate::house::lives(pid(&runs)), "a start that is refused ends nothing");
}
