//! Somebody takes away what a VM stands on: its cgroup, its socket, its log, its disk, its folder, its tap, a
//! part of its snapshot, the data folder itself.
//!
//! What must hold: what can be seen of it is told with what to do; nothing else is harmed; the VM can still be
//! ended and deleted, and nothing is left of it.

use crate::house::{House, comes, pid};
use std::path::PathBuf;
use weft_domain::instance::{ExitCause, StopHow};
use weft_domain::snapshot::{Role, Scope};
use weft_domain::spec::{Disk, DiskSource};
use weft_domain::{Name, Phase, Reason};
use weft_ports::api::{CreateMode, Fork, NewSnapshot, Power, SnapshotRef, SnapshotRemoval, Snapshots, Vms};
use weft_testbed::guest::{call, vm};
use weft_testbed::watch::{by_name, console_text, until};

/// What a condition of this kind says, where it does not hold.
async fn told(house: &House, name: &str, kind: &str) -> Option<String> {
    let conditions = house.get(name).await.status.conditions;
    let found = conditions.into_iter().find(|one| one.kind == kind && one.holds == Some(false));
    found.map(|one| format!("{}: {}", one.reason, one.message))
}

async fn ends(house: &House, name: &str) {
    let ended = house.weft().shutdown(&call(), &by_name(name), StopHow::Force).await.expect("ended").value.status;
    assert_eq!(ended.phase, Phase::Stopped, "{ended:#?}");
    house.remove(name).await;
}

/// Takes a process out of its cgroup in every tree, and removes that; how many were removed.
fn evict(house: &House, pid: u32) -> usize {
    let lines = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).expect("it lives");
    let mut taken = 0;
    for scope in house.daemon.cgroups() {
        let root = scope.parent().and_then(|path| path.parent()).expect("a tree").to_owned();
        for claim in std::fs::read_dir(&scope).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let its = claim.file_name().is_some_and(|name| lines.contains(&*name.to_string_lossy()));
            if its && claim.is_dir() {
                std::fs::write(root.join("cgroup.procs"), pid.to_string()).expect("moved out");
                std::fs::remove_dir(&claim).expect("it is empty");
                taken += 1;
            }
        }
    }
    taken
}

#[tokio::test]
async fn a_vm_that_was_taken_out_of_its_cgroup_is_told_put_back_and_leaves_nothing() {
    let house = House::open(&[]);
    let moved = house.running("moved", house.with_disk()).await;
    let well = house.running("well", house.with_disk()).await;
    if evict(&house, pid(&moved)) == 0 {
        println!("skipped: no cgroups can be made here");
        return;
    }
    let said = async || told(&house, "moved", "Confined").await.is_some_and(|said| said.starts_with("WasOutside"));
    comes("that it was outside is told", said).await;
    let said = told(&house, "moved", "Confined").await.unwrap_or_default();
    assert!(said.contains("boot it anew"), "{said}");
    let within = std::fs::read_to_string(format!("/proc/{}/cgroup", pid(&moved))).expect("it lives");
    assert!(within.contains("/weft/"), "it is in again: {within}");
    house.assert_unharmed("moved", &moved).await;
    // A boot begins anew in this too.
    house.weft().shutdown(&call(), &by_name("moved"), StopHow::Force).await.expect("ended");
    house.weft().boot(&call(), &by_name("moved")).await.expect("booted");
    let said = told(&house, "moved", "Confined").await.unwrap_or_default();
    assert!(!said.contains("WasOutside"), "{said}");
    ends(&house, "moved").await;
    house.assert_unharmed("well", &well).await;
    house.assert_leaves_nothing().await;
}

#[tokio::test]
async fn a_vm_whose_socket_is_gone_is_told_and_can_be_ended() {
    let mut house = House::open(&[]);
    let deaf = house.running("deaf", house.with_disk()).await;
    let sockets = house.daemon.entries("run/vms");
    let well = house.running("well", house.with_disk()).await;
    for folder in &sockets {
        std::fs::remove_dir_all(house.daemon.data_dir().join("run/vms").join(folder)).expect("removed");
    }
    assert_eq!(sockets.len(), 1);
    // What is open already may do yet.
    let _ = house.weft().pause(&crate::house::brief(), &by_name("deaf")).await;
    let _ = house.weft().resume(&crate::house::brief(), &by_name("deaf")).await;
    // The next weft finds no way to it, and starts no second one.
    house.daemon.kill().expect("killed");
    house.daemon.up().expect("up again");
    let _ = house.weft().pause(&crate::house::brief(), &by_name("deaf")).await;
    comes("that it cannot be spoken to is told", async || told(&house, "deaf", "StepSucceeded").await.is_some()).await;
    let seen = house.get("deaf").await;
    assert!(matches!(seen.status.phase, Phase::Running | Phase::Paused) && pid(&seen) == pid(&deaf), "it lives");
    house.assert_unharmed("well", &well).await;
    ends(&house, "deaf").await;
    house.assert_leaves_nothing().await;
}

#[tokio::test]
async fn a_disk_a_log_and_a_folder_that_are_gone_are_told_and_the_vm_can_be_deleted() {
    let house = House::open(&[]);
    let data = house.daemon.data_dir();
    let folder = |vm: &weft_domain::Instance| -> PathBuf { data.join("vms").join(vm.meta.id.to_string()) };
    let (disk, log, all, well) = (
        house.running("disk", house.with_disk()).await,
        house.running("log", house.with_disk()).await,
        house.running("all", house.with_disk()).await,
        house.running("well", house.with_disk()).await,
    );
    std::fs::remove_file(folder(&disk).join("disk-data.raw")).expect("removed");
    std::fs::remove_file(folder(&log).join("console.log")).expect("removed");
    std::fs::remove_dir_all(folder(&all)).expect("removed");
    for (name, what) in [("disk", "disk-data.raw"), ("all", "disk-data.raw")] {
        let said = async || told(&house, name, "DisksPresent").await.is_some_and(|said| said.contains(what));
        comes("that its disk is gone is told", said).await;
    }
    assert_eq!(told(&house, "log", "DisksPresent").await, None);
    console_text(&house.weft(), "log").await;
    // What was deleted is not made anew without a word: it would be empty.
    let weft = house.weft();
    weft.shutdown(&call(), &by_name("disk"), StopHow::Force).await.expect("ended");
    let booted = weft.boot(&call(), &by_name("disk")).await;
    let said = format!("{booted:?} {:?}", house.get("disk").await.status);
    assert!(said.contains("disk-data.raw"), "{said}");
    assert_ne!(house.get("disk").await.status.phase, Phase::Running);
    ends(&house, "log").await;
    ends(&house, "all").await;
    house.assert_unharmed("well", &well).await;
    house.assert_leaves_nothing().await;
}

/// That a boot of this VM is refused for its disk, by the weft that runs.
async fn is_refused_for_its_disk(house: &House, name: &str) {
    let booted = house.weft().boot(&call(), &by_name(name)).await;
    let disk = async || {
        let said = format!("{booted:?} {:?}", house.get(name).await.status);
        said.contains("disk-data.raw") && said.contains("put the file back")
    };
    comes(&format!("that the disk of {name} is lost is told"), disk).await;
    assert_ne!(house.get(name).await.status.phase, Phase::Running);
}

#[tokio::test]
async fn a_disk_that_is_lost_at_rest_is_not_made_again() {
    let mut house = House::open(&[]);
    let disk = |house: &House, vm: &weft_domain::Instance| -> PathBuf {
        house.daemon.data_dir().join("vms").join(vm.meta.id.to_string()).join("disk-data.raw")
    };
    let mut paths = Vec::new();
    for name in ["gone", "cut", "back"] {
        let vm = house.running(name, house.with_disk()).await;
        house.weft().shutdown(&call(), &by_name(name), StopHow::Force).await.expect("ended");
        paths.push(disk(&house, &vm));
    }
    let never = Vms::create(&house.weft(), &call(), vm("never", house.with_disk(), CreateMode::Create)).await;
    let never = disk(&house, &never.expect("made").value);
    std::fs::write(&paths[2], b"precious")
        .and_then(|()| std::fs::File::options().write(true).open(&paths[2])?.set_len(1 << 20))
        .expect("written");
    house.daemon.kill().expect("killed");
    let aside = paths[2].with_extension("aside");
    std::fs::remove_file(&paths[0]).expect("removed");
    std::fs::File::options().write(true).open(&paths[1]).and_then(|file| file.set_len(4096)).expect("cut");
    std::fs::rename(&paths[2], &aside).expect("moved aside");
    std::fs::remove_file(&never).expect("removed");
    house.daemon.up().expect("up again");
    for name in ["gone", "cut", "back", "never"] {
        is_refused_for_its_disk(&house, name).await;
    }
    assert!(!paths[0].exists() && !never.exists(), "not made anew");
    assert_eq!(std::fs::metadata(&paths[1]).expect("there").len(), 4096, "not grown back");
    // What is put back is taken.
    std::fs::rename(&aside, &paths[2]).expect("put back");
    house.phase("back", Phase::Running).await;
    assert!(std::fs::read(&paths[2]).expect("read").starts_with(b"precious"));
    house.assert_leaves_nothing().await;
}

#[tokio::test]
async fn a_disk_that_is_cut_under_a_vm_is_told_and_not_grown_back() {
    let mut house = House::open(&[]);
    let cut = house.running("cut", house.with_disk()).await;
    let well = house.running("well", house.with_disk()).await;
    let path = house.daemon.data_dir().join("vms").join(cut.meta.id.to_string()).join("disk-data.raw");
    std::fs::File::options().write(true).open(&path).and_then(|file| file.set_len(512)).expect("cut");
    for _ in 0..2 {
        let said = async || told(&house, "cut", "DisksPresent").await.is_some_and(|said| said.starts_with("DiskCut"));
        comes("that its disk is cut is told", said).await;
        house.assert_unharmed("cut", &cut).await;
        // So does the next weft.
        house.daemon.kill().expect("killed");
        house.daemon.up().expect("up again");
    }
    house.weft().shutdown(&call(), &by_name("cut"), StopHow::Force).await.expect("ended");
    is_refused_for_its_disk(&house, "cut").await;
    assert_eq!(std::fs::metadata(&path).expect("there").len(), 512, "not grown back");
    house.remove("cut").await;
    house.assert_unharmed("well", &well).await;
    house.assert_leaves_nothing().await;
}

#[tokio::test]
async fn a_snapshot_that_lost_a_part_says_which_and_can_be_deleted() {
    let house = House::open(&[]);
    let one = house.running("one", house.with_disk()).await;
    let name: Name = "kept".parse().expect("a lawful name");
    let new = NewSnapshot {
        vm: by_name("one"),
        name: Some(name.clone()),
        labels: Default::default(),
        annotations: Default::default(),
        scope: Scope::Full,
        parent: None,
        validate_only: false,
    };
    let kept = Snapshots::create(&house.weft(), &call(), new).await.expect("taken").value;
    let memory = kept.content.parts.iter().find(|part| part.role == Role::Memory).expect("memory is kept");
    let part = house.daemon.data_dir().join("snapshots").join(kept.id.to_string()).join(&memory.file);
    std::fs::remove_file(part).expect("it was there");
    let snapshot = SnapshotRef::Named { project: Name::default_project(), name };
    let fork = Fork {
        snapshot: snapshot.clone(),
        name: Some("two".parse().expect("lawful")),
        labels: Default::default(),
        metadata: None,
    };
    let forked = house.weft().fork(&call(), fork).await;
    let said = |vm: &weft_domain::Instance| format!("{:?} {:?}", vm.status.last_exit, vm.status.conditions);
    if forked.is_ok() {
        let two = until(&house.weft(), "two", |vm| said(&vm.value).contains(&memory.file)).await.value;
        assert_ne!(two.status.phase, Phase::Running);
    } else {
        assert!(format!("{forked:?}").contains(&memory.file), "{forked:?}");
    }
    house.assert_unharmed("one", &one).await;
    house.remove("two").await;
    let removal = SnapshotRemoval { snapshot, etag: None, allow_missing: false };
    Snapshots::delete(&house.weft(), &call(), removal).await.expect("deleted");
    assert_eq!(house.daemon.entries("snapshots"), [""; 0]);
    house.assert_leaves_nothing().await;
}

#[tokio::test]
async fn a_file_is_written_by_one_vm_and_read_by_many() {
    let house = House::open(&[]);
    let shared = house.image("shared.img");
    std::fs::File::create(&shared).and_then(|file| file.set_len(1 << 20)).expect("made");
    let other = house.image("other-name.img");
    std::os::unix::fs::symlink(&shared, &other).expect("a link");
    let with = |path: &PathBuf, read_only| {
        let mut draft = house.draft();
        draft.disks.push(Disk { read_only, ..Disk::new("shared", DiskSource::Path(path.clone())) });
        draft.check().expect("lawful")
    };
    house.running("reads", with(&shared, true)).await;
    house.running("reads-too", with(&other, true)).await;
    for path in [&shared, &other] {
        let refused = Vms::create(&house.weft(), &call(), vm("writes", with(path, false), CreateMode::Create)).await;
        let refused = refused.expect_err("others read it");
        assert_eq!(refused.reason, Reason::InUse, "{refused}");
        assert!(refused.message.contains("reads") && !refused.fix.is_empty(), "{refused:?}");
    }
    house.remove("reads").await;
    house.remove("reads-too").await;
    house.running("writes", with(&shared, false)).await;
    let refused = Vms::create(&house.weft(), &call(), vm("late", with(&shared, true), CreateMode::Create)).await;
    assert_eq!(refused.expect_err("one writes it").reason, Reason::InUse);
    // By another name it is seen when it would be opened.
    let booted = Vms::create(&house.weft(), &call(), vm("alias", with(&other, true), CreateMode::Boot)).await;
    let said = format!("{booted:?} {:?}", house.get("alias").await.status);
    assert!(said.contains("which is written by"), "{said}");
    assert_ne!(house.get("alias").await.status.phase, Phase::Running);
    house.assert_leaves_nothing().await;
}

#[tokio::test]
async fn a_data_folder_that_is_taken_away_is_told_to_who_asks_whether_weft_is_ready() {
    let house = House::open(&[]);
    let vm = house.running("vm", house.with_disk()).await;
    let ready = || {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(house.daemon.api()).expect("it listens");
        let ask = format!("GET /readyz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", house.daemon.api());
        stream.write_all(ask.as_bytes()).expect("asked");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        answer
    };
    assert!(ready().starts_with("HTTP/1.1 200"), "{}", ready());
    let data = house.daemon.data_dir();
    let away = data.with_file_name("away");
    std::fs::rename(&data, &away).expect("moved away");
    let said = ready();
    assert!(said.starts_with("HTTP/1.1 503") && said.contains("data folder"), "{said}");
    assert!(said.contains("put it back"), "it says what to do: {said}");
    std::fs::rename(&away, &data).expect("put back");
    assert!(ready().starts_with("HTTP/1.1 200"), "{}", ready());
    house.assert_unharmed("vm", &vm).await;
    house.assert_leaves_nothing().await;
}

#[tokio::test]
async fn an_end_that_nobody_asked_for_is_told_as_one() {
    let house = House::open(&[]);
    let vm = house.running("vm", house.spec()).await;
    crate::house::signal(pid(&vm), rustix::process::Signal::KILL);
    let ended = house.phase("vm", Phase::Failed).await.status;
    assert_eq!(ended.last_exit.map(|exit| exit.cause), Some(ExitCause::VmmDied));
    house.assert_leaves_nothing().await;
}
