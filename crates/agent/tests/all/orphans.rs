//! What control does not know is kept, told, and released only where a person named it.

use crate::house::{GRACE, House, blank, pass};
use crate::snapshot::{THEIRS, folder, stocked, with_disks};
use std::collections::BTreeSet;
use std::time::Duration;
use weft_domain::lifecycle::Verb;
use weft_domain::node::Orphans;
use weft_domain::snapshot::Scope;
use weft_domain::spec::{Disk, DiskSource, Draft};
use weft_domain::{ClaimId, InstanceId, SnapshotId};
use weft_ports::claims::{Claim, Claimed, Claims};
use weft_ports::hypervisor::fake::Answer;
use weft_ports::volumes::Volumes;
use weft_ports::volumes::parts::Parts;

fn instance(id: InstanceId) -> Orphans {
    Orphans { instances: BTreeSet::from([id]), ..Orphans::default() }
}

/// The node has told this of itself.
async fn warned(house: &House, what: &str) {
    pass(Duration::from_secs(1)).await;
    let told = house.desk.nodes().pop().expect("it registered").facts.warnings;
    assert!(told.iter().any(|warning| warning.contains(what)), "{what} is not in {told:?}");
}

#[tokio::test(start_paused = true)]
async fn what_an_older_state_does_not_know_runs_on_and_is_told() {
    let house = House::up();
    let (a, b) =
        (house.running("a", |draft| draft.disks.push(blank("data", 1 << 20))).await, house.running("b", |_| {}).await);
    let pids = house.living(a);
    house.kill().await;
    house.desk.forget(a);
    let claims = house.claims.entries();
    house.start();
    warned(&house, &a.to_string()).await;
    pass(Duration::from_secs(3600)).await;
    assert_eq!((house.living(a), house.claims.entries()), (pids, claims), "nothing of it was touched");
    let told = house.desk.nodes().pop().expect("it registered").facts;
    assert!(told.warnings.iter().any(|it| it.contains("weft node release-orphans")), "{:?}", told.warnings);
    assert!(
        told.allocatable_memory_bytes < house.config.node.facts.allocatable_memory_bytes,
        "its memory is not promised"
    );
    house.give_up(instance(b)).await;
    assert_eq!(house.living(b).len(), 1, "what control knows is not given up by naming it");
    house.give_up(instance(a)).await;
    assert_eq!(house.living(a).len(), 0, "a person said so");
    assert!(
        !house.desk.nodes().pop().expect("it registered").facts.warnings.iter().any(|it| it.contains(&a.to_string()))
    );
    house.delete(b).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn its_disk_is_not_given_to_another_while_it_runs() {
    let house = stocked();
    let theirs = |draft: &mut Draft| draft.disks.push(Disk::new("theirs", DiskSource::Path(THEIRS.into())));
    let (a, b) = (house.running("a", theirs).await, house.create("b", theirs));
    house.until(b, weft_domain::Phase::Created).await;
    house.kill().await;
    house.desk.forget(a);
    house.ask(b, Verb::Boot, GRACE).await;
    house.start();
    let failed = house.until(b, weft_domain::Phase::Failed).await;
    assert!(failed.exits[0].message.contains(&format!("is written by {a}")), "{:?}", failed.exits);
    assert_eq!((house.living(a).len(), house.living(b).len()), (1, 0), "two would write one disk");
    house.give_up(instance(a)).await;
    house.ask(b, Verb::Boot, GRACE).await;
    house.until(b, weft_domain::Phase::Running).await;
    house.delete(b).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn what_runs_and_cannot_be_asked_has_its_disk_all_the_same() {
    let house = stocked();
    let theirs = |draft: &mut Draft| draft.disks.push(Disk::new("theirs", DiskSource::Path(THEIRS.into())));
    let (b, a) = (house.create("b", theirs), house.running("a", theirs).await);
    house.until(b, weft_domain::Phase::Created).await;
    house.kill().await;
    house.vmm.answer(a, Answer::Silent);
    house.ask(b, Verb::Boot, GRACE).await;
    house.start();
    house.until(b, weft_domain::Phase::Failed).await;
    assert_eq!((house.living(a).len(), house.living(b).len()), (1, 0), "two would write one disk");
    house.vmm.answer(a, Answer::Given);
    house.delete(a).await;
    house.ask(b, Verb::Boot, GRACE).await;
    house.until(b, weft_domain::Phase::Running).await;
    house.delete(b).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_newer_state_takes_it_up_again() {
    let house = House::up();
    let a = house.running("a", |_| {}).await;
    let pids = house.living(a);
    house.kill().await;
    let known = house.desk.forget(a);
    house.start();
    warned(&house, &a.to_string()).await;
    house.kill().await;
    house.desk.place(known.placed);
    house.start();
    house.until(a, weft_domain::Phase::Running).await;
    assert_eq!(house.living(a), pids);
    house.delete(a).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_new_subscription_without_an_instance_leaves_it_and_tells_the_others_again() {
    let house = House::up();
    let (a, b) = (house.running("a", |_| {}).await, house.running("b", |_| {}).await);
    let told = house.desk.reports(b).len();
    house.desk.hang_up();
    let known = house.desk.forget(a);
    house.desk.until("a new subscription", |desk| desk.readers() == 1 && desk.reports(b).len() > told).await;
    warned(&house, &a.to_string()).await;
    assert_eq!((house.living(a).len(), house.living(b).len()), (1, 1));
    house.desk.place(known.placed);
    house.idle().await;
    house.delete(a).await;
    house.delete(b).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_control_never_heard_of_stays_until_it_is_given_up() {
    let house = House::new();
    let id = InstanceId::from_bytes([3; 16]);
    let folder = house.config.data_dir.join("vms").join(id.to_string());
    house.disk.make_folder(&folder).await.unwrap();
    let what = Claimed::Folder(folder.clone());
    house.claims.claim(vec![Claim { id: ClaimId::from_bytes([4; 16]), instance: id, what }]).await.unwrap();
    house.start();
    warned(&house, &folder.display().to_string()).await;
    assert_eq!(house.claims.entries().len(), 1);
    house.give_up(instance(id)).await;
    house.assert_empty().await;
}

fn claimed(house: &House, id: SnapshotId) -> bool {
    house.claims.entries().iter().any(|entry| matches!(entry.claim.what, Claimed::Snapshot(of, _) if of == id))
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_control_does_not_know_is_kept_if_it_is_whole() {
    let house = stocked();
    let id = house.running("a", with_disks).await;
    let (whole, torn) = (house.kept(id, Scope::Full).await, house.kept(id, Scope::Full).await);
    house.kill().await;
    house.disk.fake.remove(&folder(&house, torn.id).join("manifest.json")).await.unwrap();
    house.desk.forget_snapshot(whole.id);
    house.desk.forget_snapshot(torn.id);
    house.start();
    warned(&house, &whole.id.to_string()).await;
    assert!(claimed(&house, whole.id) && !claimed(&house, torn.id), "what never was whole is garbage");
    let manifest = folder(&house, whole.id).join("manifest.json");
    assert!(house.disk.fake.read(&manifest).await.unwrap().is_some());
    house.give_up(Orphans { snapshots: BTreeSet::from([whole.id]), ..Orphans::default() }).await;
    assert!(!claimed(&house, whole.id));
    house.delete(id).await;
    house.assert_empty().await;
}
