//! Snapshots that are inside the disks of their VM: taken, gone back to, and taken away with nothing left inside.

use crate::house::pass;
use crate::snapshot::{folder, stocked, with_disks};
use std::time::Duration;
use weft_domain::instance::StopHow;
use weft_domain::lifecycle::Verb;
use weft_domain::snapshot::{Identity, Role, Scope, SnapshotPhase};
use weft_domain::{Phase, SnapshotId};

#[tokio::test(start_paused = true)]
async fn what_is_inside_is_gone_back_to_and_goes_with_its_snapshot() {
    let house = stocked();
    let id = house.running("a", with_disks).await;
    house.vmm.remember(id, "first");
    let snapshot = house.kept(id, Scope::Internal).await;
    let roles: Vec<_> = snapshot.content.parts.iter().map(|part| part.role.clone()).collect();
    assert_eq!(roles, [Role::Config], "no disk is copied, and memory is no file");
    assert_eq!(house.vmm.inside(), [folder(&house, snapshot.id)].into());
    house.vmm.remember(id, "second");
    house.stopped(id).await;
    house.begin(id, &snapshot, Identity::Same).await;
    house.until(id, Phase::Running).await;
    assert_eq!(house.vmm.memory(id).as_deref(), Some("first"));

    house.kill().await;
    house.start();
    house.idle().await;
    house.drop_snapshot(snapshot.id).await;
    assert!(house.vmm.inside().is_empty(), "the next agent knows that something is inside");
    let last = house.kept(id, Scope::Internal).await;
    house.kill().await;
    house.desk.remove_snapshot(last.id);
    house.start();
    house.desk.until("gone", |desk| desk.snapshot(last.id).is_none()).await;
    assert!(house.vmm.inside().is_empty(), "it is told of the snapshot before it has found the machine");
    house.delete(id).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_inside_the_disks_of_one_at_rest_goes_when_that_runs() {
    let house = stocked();
    let id = house.running("a", with_disks).await;
    let snapshot = house.kept(id, Scope::Internal).await;
    house.stopped(id).await;
    house.desk.remove_snapshot(snapshot.id);
    pass(Duration::from_secs(600)).await;
    assert_eq!(house.desk.snapshot(snapshot.id).map(|it| it.phase), Some(SnapshotPhase::Deleting), "it waits");
    house.ask(id, Verb::Boot, StopHow::Force).await;
    house.until(id, Phase::Running).await;
    house.desk.until("gone", |desk| desk.snapshot(snapshot.id).is_none()).await;
    assert!(house.vmm.inside().is_empty());

    let last = house.kept(id, Scope::Internal).await;
    house.delete(id).await;
    house.drop_snapshot(last.id).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_leaves_nothing_inside() {
    let house = stocked();
    let id = house.running("a", with_disks).await;
    // It has begun, and is cut off: the agent ends, and the snapshot is not wanted when the next one comes.
    house.vmm.behave(id, |behaviour| behaviour.body_delay = Duration::from_secs(5));
    let cut: SnapshotId = house.snap(id, Scope::Internal, None);
    pass(Duration::from_secs(1)).await;
    house.kill().await;
    house.desk.forget_snapshot(cut);
    house.vmm.behave(id, |behaviour| behaviour.body_delay = Duration::ZERO);
    house.start();
    house.idle().await;
    assert!(house.vmm.inside().is_empty());
    house.vmm.behave(id, |behaviour| behaviour.keep_failure = Some("the image is full".to_owned()));
    let failed = house.snap(id, Scope::Internal, None);
    let failed = house.snapped(failed, SnapshotPhase::Failed).await;
    assert!(failed.message.contains("the image is full"), "{}", failed.message);
    house.delete(id).await;
    house.drop_snapshot(failed.id).await;
    house.assert_empty().await;
}
