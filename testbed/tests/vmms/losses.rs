//! When something goes wrong: a part of a snapshot is damaged, weft is killed, the disk is full; a tap is deleted.

use crate::for_each_vmm;
use crate::house::{House, Vmm, pid};
use crate::kept::{assert_whole, can_be_excused, folder, fork, keep, named, new, removal};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use std::ffi::CStr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use weft_domain::instance::StopHow;
use weft_domain::snapshot::{Role, Scope, Snapshot, SnapshotPhase};
use weft_domain::spec::{Attachment, Nic};
use weft_domain::{Instance, Phase};
use weft_ports::api::{CreateMode, Power, Snapshots, Vms};
use weft_ports::task::spawn;
use weft_testbed::guest::{PATIENCE, call, vm};
use weft_testbed::watch::{by_name, until};

for_each_vmm!(
    a_truncated_part_is_named,
    one_that_is_cut_off_is_whole_or_failed,
    a_full_disk_fails_it_and_the_vm_goes_on,
    a_disk_that_fills_meanwhile_fails_it,
    a_tap_that_is_deleted_is_told_and_the_vm_goes_on
);

/// Waits until a snapshot is no longer being taken; nothing where there is none.
async fn settled(house: &House, name: &str) -> Option<Snapshot> {
    let looking = async {
        loop {
            match Snapshots::get(&house.weft(), &call(), &named(name)).await {
                Ok(kept) if kept.value.phase == SnapshotPhase::Pending => {}
                Ok(kept) => return Some(kept.value),
                Err(_) => return None,
            }
            // why: snapshots are not watched.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.expect("it is taken or not")
}

async fn a_truncated_part_is_named(vmm: Vmm) {
    let Some(house) = House::open(vmm, &[]).await else { return };
    house.ready("one", house.spec()).await;
    let Some(kept) = keep(&house, "one", "kept").await else { return };
    let memory = kept.content.parts.iter().find(|part| part.role == Role::Memory).expect("memory is kept");
    let file = std::fs::File::options().write(true).open(folder(&house, &kept).join(&memory.file)).expect("there");
    file.set_len(memory.bytes / 2).expect("truncated");
    // It may be told in the answer or in the status alone.
    let answer = house.weft().fork(&call(), fork("kept", "two")).await;
    let said = |vm: &Instance| format!("{:?} {:?}", vm.status.last_exit, vm.status.conditions);
    let two = until(&house.weft(), "two", |vm| said(&vm.value).contains("truncated")).await.value;
    assert!(said(&two).contains(&memory.file), "{}", said(&two));
    assert!(answer.is_err() || two.status.phase != Phase::Running, "{:#?}", two.status);
    assert_eq!(house.daemon.vmms().len(), 1, "nothing is started from it");
    assert_eq!(house.ask("one", "ping", "pong").await, "pong");
    house.remove("two").await;
    house.remove("one").await;
    Snapshots::delete(&house.weft(), &call(), removal("kept")).await.expect("deleted");
    house.assert_leaves_nothing().await;
}

async fn one_that_is_cut_off_is_whole_or_failed(vmm: Vmm) {
    let Some(mut house) = House::open(vmm, &[]).await else { return };
    let one = house.ready("one", house.spec()).await;
    for (round, wait) in [0, 3, 20, 60].into_iter().enumerate() {
        let name = format!("kept{round}");
        let (weft, asked) = (house.weft(), new("one", &name, Scope::Full));
        let taking = spawn("take", async move { Snapshots::create(&weft, &call(), asked).await });
        let folders = || house.daemon.entries("snapshots").len();
        let before = folders();
        let begun = async {
            while !taking.is_finished() && folders() == before {
                // why: a folder that comes says nothing, so it is looked for.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, begun).await.expect("it is begun");
        // why: the instant of the kill, somewhere in the course of it.
        tokio::time::sleep(Duration::from_millis(wait)).await;
        house.daemon.kill().expect("killed");
        // Whatever it was told.
        let _ = taking.await;
        house.daemon.up().expect("up again");
        let Some(kept) = settled(&house, &name).await else { continue };
        println!("cut off after {wait} ms: {} {}", kept.phase.as_str(), kept.message);
        match kept.phase {
            SnapshotPhase::Ready => assert_whole(&house, &kept),
            SnapshotPhase::Failed => {
                let ours = kept.message.contains("something else is at");
                assert!(!kept.message.is_empty() && !ours, "{}", kept.message);
                assert!(!folder(&house, &kept).exists(), "nothing is left of what failed");
            }
            SnapshotPhase::Pending | SnapshotPhase::Deleting => panic!("{:?}", kept.phase),
        }
        let after = house.phase("one", Phase::Running).await;
        assert_eq!(pid(&after), pid(&one), "the VM goes on");
        assert_eq!(house.ask("one", "ping", "pong").await, "pong");
        Snapshots::delete(&house.weft(), &call(), removal(&name)).await.expect("deleted");
    }
    house.remove("one").await;
    house.assert_leaves_nothing().await;
}

/// A small file system in memory over a folder, until it is dropped.
struct Small(PathBuf);

impl Small {
    fn over(folder: PathBuf, limits: &CStr) -> Option<Self> {
        match mount("weft-test", &folder, "tmpfs", MountFlags::empty(), limits) {
            Ok(()) => Some(Self(folder)),
            Err(why) => {
                println!("skipped: a small file system cannot be mounted here ({why})");
                None
            }
        }
    }

    /// Leaves place for so many further files.
    fn leave(&self, files: usize) {
        let ballast = self.0.join("ballast");
        std::fs::create_dir(&ballast).expect("a folder");
        let made = (0..).take_while(|number| std::fs::File::create(ballast.join(number.to_string())).is_ok()).count();
        for number in 0..files.min(made) {
            std::fs::remove_file(ballast.join(number.to_string())).expect("it was made");
        }
    }

    fn free(&self) {
        std::fs::remove_dir_all(self.0.join("ballast")).expect("it was made");
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = unmount(&self.0, UnmountFlags::DETACH);
    }
}

/// Takes a snapshot that fails for want of space; nothing of it is left, and the VM goes on.
async fn fails_for_space(house: &House, one: &Instance) {
    let weft = house.weft();
    let said = match Snapshots::create(&weft, &call(), new("one", "kept", Scope::Full)).await {
        Ok(kept) => {
            assert_eq!(kept.value.phase, SnapshotPhase::Failed, "{:#?}", kept.value.content);
            kept.value.message
        }
        Err(fault) => fault.message,
    };
    let full = ["No space", "free on the node"].iter().any(|words| said.contains(words));
    assert!(full || can_be_excused(house, &said), "{said}");
    assert_eq!(house.daemon.entries("snapshots"), [""; 0], "nothing is left of it");
    let after = Vms::get(&weft, &call(), &by_name("one")).await.expect("there").value;
    assert_eq!((after.status.phase, pid(&after)), (Phase::Running, pid(one)));
    assert_eq!(house.ask("one", "ping", "pong").await, "pong");
    if Snapshots::get(&weft, &call(), &named("kept")).await.is_ok() {
        Snapshots::delete(&weft, &call(), removal("kept")).await.expect("deleted");
    }
}

async fn a_full_disk_fails_it_and_the_vm_goes_on(vmm: Vmm) {
    let Some(mut house) = House::open(vmm, &["node.reserved_disk=0"]).await else { return };
    house.daemon.terminate().expect("ended");
    // Enough for the state with its reserve, too little for the memory of a guest.
    let Some(small) = Small::over(house.daemon.data_dir(), c"size=41943040,mode=0700") else { return };
    house.daemon.up().expect("up on the small disk");
    let one = house.ready("one", house.spec()).await;
    fails_for_space(&house, &one).await;
    house.remove("one").await;
    assert_eq!(house.daemon.vmms(), [0_u32; 0]);
    house.daemon.terminate().expect("ended");
    drop(small);
}

async fn a_disk_that_fills_meanwhile_fails_it(vmm: Vmm) {
    let Some(mut house) = House::open(vmm, &["node.reserved_disk=0"]).await else { return };
    house.daemon.terminate().expect("ended");
    // It has bytes enough, and runs out of files.
    let limits = c"size=268435456,nr_inodes=300,mode=0700";
    let Some(small) = Small::over(house.daemon.data_dir(), limits) else { return };
    house.daemon.up().expect("up on the small disk");
    let one = house.ready("one", house.spec()).await;
    for files in [1, 2] {
        small.leave(files);
        fails_for_space(&house, &one).await;
        small.free();
    }
    if keep(&house, "one", "kept").await.is_some() {
        assert_eq!(house.ask("one", "ping", "pong").await, "pong", "there is space again");
        Snapshots::delete(&house.weft(), &call(), removal("kept")).await.expect("deleted");
    }
    house.remove("one").await;
    assert_eq!(house.daemon.vmms(), [0_u32; 0]);
    house.daemon.terminate().expect("ended");
    drop(small);
}

/// A network namespace with a tap in it, gone with the test.
struct Network(String);

impl Network {
    fn make(name: String) -> Option<Self> {
        let made = ip(&["netns", "add", &name]);
        let network = Self(name);
        (made && network.tap("add", &["mode", "tap"]) && network.ip(&["link", "set", "tap0", "up"])).then_some(network)
    }

    fn ip(&self, words: &[&str]) -> bool {
        ip(&[&["-n", &self.0], words].concat())
    }

    fn tap(&self, verb: &str, more: &[&str]) -> bool {
        self.ip(&[&["tuntap", verb, "dev", "tap0"], more].concat())
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        ip(&["netns", "del", &self.0]);
    }
}

/// Runs `ip`; whether that went well.
fn ip(words: &[&str]) -> bool {
    Command::new("ip").args(words).output().is_ok_and(|done| done.status.success())
}

async fn a_tap_that_is_deleted_is_told_and_the_vm_goes_on(vmm: Vmm) {
    let Some(house) = House::open(vmm, &[]).await else { return };
    if !house.real {
        return println!("skipped: what stands in for the VMM opens no taps");
    }
    let Some(network) = Network::make(format!("weft-{}-{}", std::process::id(), vmm.driver())) else {
        return println!("skipped: no network with a tap can be made here");
    };
    let mut draft = house.draft();
    draft.nics = vec![Nic::new("nic0", Attachment::Tap("tap0".to_owned()))];
    draft.network_namespace = Some(PathBuf::from("/run/netns").join(&network.0));
    let spec = draft.check().expect("a lawful specification");
    let tried = Vms::create(&house.weft(), &call(), vm("tried", spec.clone(), CreateMode::ValidateOnly)).await;
    if let Err(fault) = tried {
        return println!("skipped: {fault}");
    }
    let was = house.ready("one", spec).await;
    let lost = |vm: &Instance| {
        let conditions = &vm.status.conditions;
        conditions.iter().find(|one| one.kind == "NicsPresent" && one.holds == Some(false)).cloned()
    };
    assert_eq!(lost(&was), None);
    assert!(network.ip(&["link", "del", "tap0"]), "deleted");
    let told = until(&house.weft(), "one", |vm| lost(&vm.value).is_some()).await.value;
    let said = lost(&told).expect("it is told").message;
    assert!(said.contains("nic0") && said.contains("ip tuntap add dev tap0"), "{said}");
    assert_eq!((told.status.phase, pid(&told)), (Phase::Running, pid(&was)));
    assert_eq!(house.ask("one", "ping", "pong").await, "pong");
    // One that is made anew is another, and the next boot's.
    assert!(network.tap("add", &["mode", "tap"]), "made anew");
    let weft = house.weft();
    weft.shutdown(&call(), &by_name("one"), StopHow::Force).await.expect("ended");
    let booted = weft.boot(&call(), &by_name("one")).await.expect("booted").value;
    assert_eq!((booted.status.phase, lost(&booted)), (Phase::Running, None));
    assert!(network.ip(&["link", "del", "tap0"]), "deleted");
    house.remove("one").await;
    house.assert_leaves_nothing().await;
}
