//! The disk is full: after so many writes of a life, on one file system after the other.
//!
//! A life is created with a disk, booted, kept as a snapshot, stopped and deleted. Before each, all of the file
//! system is taken but for so many pages, from none to more than a life needs; so that each write is at some
//! time the first that finds no space.
//!
//! What must hold: each call is answered, well or with `STORE_FULL` or `DISK_EXHAUSTED` and what to do; what was
//! answered stays; a VM that ran before runs on; as soon as there is space all goes on by itself, and in the end
//! nothing is left.

use crate::house::{Ground, House, brief, comes, is_full, pid, removal};
use std::io::Write;
use std::path::{Path, PathBuf};
use weft_domain::instance::StopHow;
use weft_domain::snapshot::Scope;
use weft_domain::{Fault, Kind, Name};
use weft_ports::api::{CreateMode, NewSnapshot, Power, SnapshotRef, SnapshotRemoval, Snapshots, Vms};
use weft_testbed::guest::{call, vm};
use weft_testbed::watch::by_name;

const PAGE: usize = 4096;
/// Pages that are left, from none to plenty.
const LEFT: [usize; 9] = [0, 1, 2, 3, 5, 8, 12, 20, 64];

/// Fills a file system but for so many pages.
fn fill(folder: &Path, leave: usize) {
    let ballast = folder.join("ballast");
    let mut file = std::fs::File::create(&ballast).expect("a file");
    let mut pages = 0;
    while file.write_all(&[1; PAGE]).is_ok() {
        pages += 1;
    }
    file.set_len(((pages as usize).saturating_sub(leave) * PAGE) as u64).expect("shorter");
}

fn free(folder: &Path) {
    std::fs::remove_file(folder.join("ballast")).expect("it was made");
}

/// An answer, or a refusal that a full disk excuses.
fn answered<T>(what: &str, answer: Result<T, Fault>) -> bool {
    match answer {
        Ok(_) => true,
        Err(fault) => {
            // What was not made before has no such verb now.
            let follows = matches!(fault.kind(), Kind::NotFound | Kind::FailedPrecondition | Kind::AlreadyExists);
            let late = fault.kind() == Kind::DeadlineExceeded;
            assert!(is_full(&fault) || follows || late, "{what}: {fault:?}");
            false
        }
    }
}

fn snapshot(name: &str) -> SnapshotRef {
    SnapshotRef::Named { project: Name::default_project(), name: name.parse().expect("lawful") }
}

/// One life on a disk that is nearly full; then there is space, and it comes to its end.
async fn live(house: &House, disk: &Path, left: usize) {
    let (weft, name) = (house.weft(), format!("vm{left}"));
    let new = NewSnapshot {
        vm: by_name(&name),
        name: Some(name.parse().expect("lawful")),
        labels: Default::default(),
        annotations: Default::default(),
        scope: Scope::Disks,
        parent: None,
        validate_only: false,
    };
    fill(disk, left);
    let what = |verb: &str| format!("{verb} with {left} pages left");
    let made =
        answered(&what("create"), Vms::create(&weft, &brief(), vm(&name, house.with_disk(), CreateMode::Create)).await);
    answered(&what("boot"), weft.boot(&brief(), &by_name(&name)).await);
    answered(&what("snapshot"), Snapshots::create(&weft, &brief(), new).await);
    answered(&what("shutdown"), weft.shutdown(&brief(), &by_name(&name), StopHow::Force).await);
    let there = Vms::get(&weft, &brief(), &by_name(&name)).await;
    assert!(!made || there.is_ok(), "{}: what was answered stays: {there:?}", what("get"));
    let gone = answered(&what("delete"), Vms::delete(&weft, &brief(), removal(by_name(&name))).await);
    free(disk);
    if !gone {
        let freed = Vms::delete(&weft, &call(), removal(by_name(&name))).await;
        freed.unwrap_or_else(|fault| panic!("{}: {fault}\n{}", what("delete"), house.daemon.log()));
    }
    let removal = SnapshotRemoval { snapshot: snapshot(&name), etag: None, allow_missing: true };
    let removed = async || Snapshots::delete(&weft, &brief(), removal.clone()).await.is_ok();
    comes(&what("the removal of its snapshot"), removed).await;
}

async fn lives(folders: &[&str], size: &str) {
    let Some(ground) = Ground::new() else { return };
    let through = ground.through();
    let through: Vec<&str> = through.iter().map(String::as_str).collect();
    let mut house = House::open_through(&through, &[]);
    house.daemon.terminate().expect("ended");
    let disk = place(&ground, &house, folders, size);
    house.daemon.up().unwrap_or_else(|error| panic!("{error:#}"));
    let runs = house.running("runs", house.spec()).await;
    for left in LEFT {
        live(&house, &disk, left).await;
        let now = house.get("runs").await;
        assert_eq!(pid(&now), pid(&runs), "what ran runs on");
    }
    // Nor does a full disk stand in the way of a start.
    fill(&disk, 0);
    house.daemon.kill().expect("killed");
    let up = house.daemon.up();
    free(&disk);
    if let Err(error) = up {
        let said = format!("{error:#}");
        assert!(said.contains("No space") || said.contains("full"), "{said}");
        house.daemon.up().expect("there is space again");
    }
    house.assert_unharmed("runs", &runs).await;
    house.remove("runs").await;
    assert_eq!(house.daemon.vmms(), [0_u32; 0]);
}

/// One small file system under all of these folders; what is in them stays.
fn place(ground: &Ground, house: &House, folders: &[&str], size: &str) -> PathBuf {
    let data = house.daemon.data_dir();
    let small = data.with_file_name("small");
    let seen = ground.small(&small, &format!("size={size}"));
    for folder in folders {
        let (from, own) = (data.join(folder), small.join(folder));
        std::fs::create_dir_all(&from).expect("a folder");
        let [from, own, all] = [from, own, small.clone()].map(|path| path.to_str().expect("text").to_owned());
        assert!(ground.run("cp", &["-a", &from, &all]), "copied");
        assert!(ground.run("mount", &["--bind", &own, &from]), "mounted");
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_disk_of_state_and_vms_is_full_at_each_write() {
    lives(&["store", "vms", "snapshots"], "40m").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_disk_of_the_journal_is_full_at_each_write() {
    lives(&["journal"], "1m").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_disk_of_sockets_is_full_at_each_write() {
    lives(&["run"], "1m").await;
}
