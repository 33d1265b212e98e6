//! The state is restored from a backup that is older than what runs.
//!
//! What must hold: VMs and snapshots that the restored state does not know go on and keep their disks, are told
//! with what to do, and go only where a person gives them up; what it knows goes on as it runs, and its numbers
//! go on from what the node has done since.

use crate::house::{House, comes, lives, pid};
use std::path::{Path, PathBuf};
use weft_domain::instance::StopHow;
use weft_domain::snapshot::Scope;
use weft_domain::{Name, Phase};
use weft_ports::api::{CreateMode, ListQuery, NewSnapshot, Nodes, Power, Snapshots, Vms};
use weft_testbed::guest::{call, vm};
use weft_testbed::watch::by_name;

/// Writes a backup of a weft that runs.
fn backup(house: &House, file: &Path) {
    let output = house.daemon.command().arg("backup").arg(file).output().expect("run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Puts it in the place of the state, as a person would after a loss.
fn restore(house: &mut House, file: &Path) {
    house.daemon.terminate().expect("ended");
    let store = house.daemon.data_dir().join("store");
    std::fs::rename(&store, store.with_file_name("store-lost")).expect("moved away");
    let output = house.daemon.command().arg("restore").arg(file).output().expect("run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    house.daemon.up().unwrap_or_else(|error| panic!("{error:#}"));
}

async fn warnings(house: &House) -> String {
    let nodes = Nodes::list(&house.weft(), &call(), &ListQuery::default()).await.expect("nodes");
    nodes.items.iter().flat_map(|node| node.value.facts.warnings.clone()).collect()
}

async fn names(house: &House) -> Vec<String> {
    let vms = Vms::list(&house.weft(), &call(), &ListQuery::default()).await.expect("a list").items;
    vms.iter().map(|vm| vm.value.meta.name.to_string()).collect()
}

#[tokio::test]
async fn vms_that_a_restored_state_does_not_know_are_kept_until_a_person_says_otherwise() {
    let mut house = House::open(&[]);
    let old = house.running("old", house.with_disk()).await;
    let file = house.image("backup");
    backup(&house, &file);
    let new = house.running("new", house.with_disk()).await;
    let rests = Vms::create(&house.weft(), &call(), vm("rests", house.with_disk(), CreateMode::Create)).await;
    let rests = rests.expect("made").value;
    let kept = NewSnapshot {
        vm: by_name("new"),
        name: Some("kept".parse::<Name>().expect("a lawful name")),
        labels: Default::default(),
        annotations: Default::default(),
        scope: Scope::Full,
        parent: None,
        validate_only: false,
    };
    let kept = Snapshots::create(&house.weft(), &call(), kept).await.expect("taken").value;
    restore(&mut house, &file);
    assert_eq!(names(&house).await, ["old"]);
    house.assert_unharmed("old", &old).await;
    let data = house.daemon.data_dir();
    let disk = |id: &dyn std::fmt::Display| -> PathBuf { data.join(format!("vms/{id}/disk-data.raw")) };
    let ids = [new.meta.id.to_string(), rests.meta.id.to_string(), kept.id.to_string()];
    let told = async || {
        let told = warnings(&house).await;
        ids.iter().all(|id| told.contains(id)) && told.contains("weft node release-orphans")
    };
    comes("what is unknown is told with what to do", told).await;
    assert!(lives(pid(&new)), "it runs on");
    assert!(disk(&new.meta.id).exists() && disk(&rests.meta.id).exists(), "no disk is lost");
    assert!(data.join("snapshots").join(kept.id.to_string()).exists(), "no snapshot is lost");
    // A name and other work are free meanwhile.
    house.running("new", house.with_disk()).await;
    // Starts do not wear it away.
    house.daemon.kill().expect("killed");
    house.daemon.up().expect("up again");
    assert!(lives(pid(&new)) && disk(&rests.meta.id).exists());
    // Only what is unknown goes, when somebody means it, and once.
    let node = Nodes::list(&house.weft(), &call(), &ListQuery::default()).await.expect("nodes").items.remove(0).value;
    let release = |more: &[&str]| {
        let mut command = house.daemon.client_command();
        let output = command.args(["node", "release-orphans", node.name.as_str()]).args(more).output().expect("run");
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    };
    let (code, said) = release(&[&ids[0]]);
    assert!(code == Some(2) && said.contains("--yes"), "{said}");
    let known = old.meta.id.to_string();
    let (code, said) = release(&[&known, &ids[0], "--yes"]);
    assert!(code == Some(5) && said.contains("weft vm delete"), "{said}");
    let (code, said) = release(&["vm-01a1fba7-bb1b-7000-a347-d7c7751535a6", "--yes"]);
    assert!(code == Some(3) && said.contains("weft node get"), "{said}");
    assert!(lives(pid(&new)) && disk(&rests.meta.id).exists(), "nothing went");
    for _ in 0..2 {
        let (code, said) = release(&[&ids[0], "--yes", "--request-id", "first"]);
        assert!(code == Some(0) && said.contains(&ids[0]), "{said}\n{}", house.daemon.log());
        assert!(!lives(pid(&new)) && !disk(&new.meta.id).exists(), "all of it is gone when it is answered");
    }
    let (code, said) = release(&[&ids[1], "--yes", "--request-id", "first"]);
    assert!(code == Some(6) && disk(&rests.meta.id).exists(), "another body under the same id: {said}");
    let (code, said) = release(&["--all", "--yes"]);
    assert!(code == Some(0) && said.contains(&ids[1]) && said.contains(&ids[2]), "{said}");
    assert!(!disk(&rests.meta.id).exists() && house.daemon.entries("snapshots").is_empty(), "all are gone");
    let (code, said) = release(&["--all", "--yes"]);
    assert!(code == Some(0) && said.contains("nothing"), "{said}");
    comes("what is gone is told no more", async || warnings(&house).await.is_empty()).await;
    house.assert_unharmed("old", &old).await;
    house.assert_leaves_nothing().await;
}

#[tokio::test]
async fn a_newer_state_takes_up_again_what_an_older_one_did_not_know() {
    let mut house = House::open(&[]);
    let (older, newer) = (house.image("older"), house.image("newer"));
    backup(&house, &older);
    let vm = house.running("vm", house.with_disk()).await;
    backup(&house, &newer);
    restore(&mut house, &older);
    assert_eq!(names(&house).await, [""; 0]);
    std::fs::remove_dir_all(house.daemon.data_dir().join("store-lost")).expect("removed");
    restore(&mut house, &newer);
    house.assert_unharmed("vm", &vm).await;
    house.assert_leaves_nothing().await;
}

#[tokio::test]
async fn what_was_booted_since_the_backup_goes_on_and_its_boots_are_counted_on() {
    let mut house = House::open(&[]);
    let weft = house.weft();
    for name in ["stopped", "again"] {
        house.running(name, house.with_disk()).await;
    }
    weft.shutdown(&call(), &by_name("stopped"), StopHow::Force).await.expect("stopped");
    let file = house.image("backup");
    backup(&house, &file);
    let stopped = weft.boot(&call(), &by_name("stopped")).await.expect("booted").value;
    let mut again = house.get("again").await;
    for _ in 0..2 {
        weft.shutdown(&call(), &by_name("again"), StopHow::Force).await.expect("stopped");
        again = weft.boot(&call(), &by_name("again")).await.expect("booted").value;
    }
    restore(&mut house, &file);
    let weft = house.weft();
    for (name, was) in [("stopped", &stopped), ("again", &again)] {
        house.assert_unharmed(name, was).await;
        let ended = weft.shutdown(&call(), &by_name(name), StopHow::Force).await.expect("stopped").value;
        assert_eq!(ended.status.phase, Phase::Stopped, "{name}");
        let booted = weft.boot(&call(), &by_name(name)).await.expect("booted").value;
        assert_eq!(booted.status.phase, Phase::Running, "{name}: a boot that is asked is done");
        assert_ne!(pid(&booted), pid(was));
    }
    house.assert_leaves_nothing().await;
}
