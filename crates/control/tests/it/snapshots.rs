//! Snapshots: taken, failed, completed by differences, gone back to, begun from, removed.

use crate::house::{Blueprint, House, call, named, new_vm, repeatable};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use weft_control::Config;
use weft_domain::instance::StopHow;
use weft_domain::label::Annotations;
use weft_domain::object::{Key, Object};
use weft_domain::snapshot::{Identity, Scope, Snapshot, SnapshotPhase};
use weft_domain::spec::memory::MIB;
use weft_domain::spec::{Disk, DiskFormat, DiskSource, Draft};
use weft_domain::{Labels, Name, Phase, Reason, SnapshotId};
use weft_ports::api::{
    Alter, Call, CreateMode, Devices, Events, Fork, ListQuery, NewSnapshot, NewVm, Power, Removal, SnapshotRef,
    SnapshotRemoval, Snapshots, VmRef, Vms,
};
use weft_ports::store::{Commit, Write};

fn of(vm: &str, name: &str, scope: Scope) -> NewSnapshot {
    NewSnapshot {
        vm: named(vm),
        name: name.parse().ok(),
        labels: Labels::default(),
        annotations: Annotations::default(),
        scope,
        parent: None,
        validate_only: false,
    }
}

fn full(vm: &str, name: &str) -> NewSnapshot {
    of(vm, name, Scope::Full)
}

fn difference(vm: &str, name: &str, parent: &str) -> NewSnapshot {
    NewSnapshot { parent: Some(snapshot(parent)), ..of(vm, name, Scope::Difference) }
}

fn snapshot(name: &str) -> SnapshotRef {
    SnapshotRef::Named { project: Name::default_project(), name: name.parse().expect("a name") }
}

fn removal(name: &str) -> SnapshotRemoval {
    SnapshotRemoval { snapshot: snapshot(name), etag: None, allow_missing: false }
}

fn fork(name: &str, of: &str) -> Fork {
    Fork { snapshot: snapshot(of), name: name.parse().ok(), labels: Labels::default(), metadata: None }
}

async fn reasons(house: &House) -> Vec<String> {
    let events = Events::list(&house.control, &call(), &ListQuery::default()).await.expect("events").items;
    events.into_iter().map(|event| event.value.reason).collect()
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_is_taken_listed_and_removed() {
    let house = House::new().await;
    let id = house.make_running("a").await;
    let taken = Snapshots::create(&house.control, &call(), full("a", "s1")).await.expect("taken").value;
    assert_eq!((taken.phase, taken.instance, taken.content.bytes()), (SnapshotPhase::Ready, id, 4096));
    let unnamed = Snapshots::create(&house.control, &call(), full("a", "")).await.expect("taken").value;
    assert!(unnamed.name.as_str().starts_with("snap-"));
    let query = ListQuery { filter: "vm_name = \"a\" AND phase = READY".into(), ..ListQuery::default() };
    let page = Snapshots::list(&house.control, &call(), &query).await.expect("a page");
    assert_eq!(page.items.len(), 2);
    let fault = Snapshots::create(&house.control, &call(), full("a", "s1")).await.expect_err("taken");
    assert_eq!((fault.reason, fault.violations[0].field.as_str()), (Reason::NameTaken, "snapshot.name"));
    let gone = Snapshots::delete(&house.control, &call(), removal("s1")).await.expect("removed").expect("it was");
    assert_eq!(gone.value.phase, SnapshotPhase::Deleting);
    let fault = Snapshots::get(&house.control, &call(), &snapshot("s1")).await.expect_err("gone");
    assert_eq!(fault.reason, Reason::SnapshotNotFound);
    Snapshots::create(&house.control, &call(), full("a", "s1")).await.expect("the name is free again");
    let told = reasons(&house).await;
    for reason in ["SnapshotRequested", "SnapshotTaken", "SnapshotDeleting", "SnapshotDeleted"] {
        assert!(told.iter().any(|one| one == reason), "{reason} in {told:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_fails_says_why() {
    let house = House::new().await;
    house.make_running("a").await;
    house.guests.full.store(true, Ordering::Relaxed);
    let failed = Snapshots::create(&house.control, &call(), full("a", "s1")).await.expect("it is told").value;
    assert_eq!((failed.phase, failed.message.as_str()), (SnapshotPhase::Failed, "no space is left"));
    let fault = Snapshots::restore(&house.control, &call(), &named("a"), &snapshot("s1")).await.expect_err("failed");
    assert_eq!(fault.reason, Reason::SnapshotUnusable);
    Snapshots::delete(&house.control, &call(), removal("s1")).await.expect("removed");
    assert!(reasons(&house).await.iter().any(|one| one == "SnapshotFailed"));
}

#[tokio::test(start_paused = true)]
async fn a_repeated_request_takes_one_snapshot() {
    let house = House::new().await;
    house.make_running("a").await;
    let request = repeatable("r", 1);
    let first = Snapshots::create(&house.control, &request, full("a", "")).await.expect("taken").value;
    let again = Snapshots::create(&house.control, &request, full("a", "")).await.expect("the same").value;
    assert_eq!(first.id, again.id);
    let fault = Snapshots::create(&house.control, &repeatable("r", 2), full("a", "")).await.expect_err("other body");
    assert_eq!(fault.reason, Reason::RequestIdReused);
    for _ in 0..2 {
        let removal = removal(first.name.as_str());
        assert!(Snapshots::delete(&house.control, &repeatable("d", 3), removal).await.expect("removed").is_some());
    }
    let forgiving = SnapshotRemoval { allow_missing: true, ..removal("nothing") };
    assert_eq!(Snapshots::delete(&house.control, &call(), forgiving).await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_found_nothing_removes_nothing_later() {
    let house = House::new().await;
    house.make_running("a").await;
    let forgiving = SnapshotRemoval { allow_missing: true, ..removal("s") };
    let answer = async |id: &str| Snapshots::delete(&house.control, &repeatable(id, 1), forgiving.clone()).await;
    assert_eq!(answer("d").await, Ok(None));
    Snapshots::create(&house.control, &call(), full("a", "s")).await.expect("taken");
    assert_eq!(answer("d").await, Ok(None), "the first answer");
    Snapshots::get(&house.control, &call(), &snapshot("s")).await.expect("nobody removed it");
    let first = answer("e").await.expect("removed");
    assert!(first.is_some(), "it was there");
    Snapshots::create(&house.control, &call(), full("a", "s")).await.expect("taken");
    assert_eq!(answer("e").await, Ok(first));
    Snapshots::get(&house.control, &call(), &snapshot("s")).await.expect("nobody removed it");
}

#[tokio::test(start_paused = true)]
async fn a_removal_of_what_is_being_removed_is_answered_for_good() {
    let house = House::new().await;
    house.make_running("a").await;
    let kept = Snapshots::create(&house.control, &call(), full("a", "s")).await.expect("taken").value;
    let store = house.close().await;
    let put = async |one: Snapshot| {
        let writes = vec![
            Write::Put(Key::SnapshotName(one.project.clone(), one.name.clone()), Object::SnapshotName(one.id)),
            Write::Put(Key::Snapshot(one.id), Object::Snapshot(Box::new(one))),
        ];
        store.commit(Commit { expect: Vec::new(), writes }).await.expect("written")
    };
    // No agent is there that would release it.
    put(Snapshot { phase: SnapshotPhase::Deleting, ..kept.clone() }).await;
    let plan = || Blueprint { store: Arc::clone(&store), config: Config::default(), with_agent: false };
    let house = House::of(plan()).await;
    let first = Snapshots::delete(&house.control, &repeatable("d", 1), removal("s")).await.expect("removed");
    assert_eq!(first.as_ref().map(|it| (it.value.id, it.value.phase)), Some((kept.id, SnapshotPhase::Deleting)));
    house.close().await;
    let gone = vec![Write::Delete(Key::Snapshot(kept.id))];
    store.commit(Commit { expect: Vec::new(), writes: gone }).await.expect("written");
    put(Snapshot { id: SnapshotId::from_bytes([7; 16]), ..kept }).await;
    let house = House::of(plan()).await;
    assert_eq!(Snapshots::delete(&house.control, &repeatable("d", 1), removal("s")).await, Ok(first));
    let there = Snapshots::get(&house.control, &call(), &snapshot("s")).await.expect("nobody removed it").value;
    assert_eq!(there.phase, SnapshotPhase::Ready);
}

#[tokio::test(start_paused = true)]
async fn only_what_runs_has_memory_to_keep() {
    let house = House::new().await;
    house.make("a").await;
    let fault = Snapshots::create(&house.control, &call(), full("a", "s")).await.expect_err("it does not run");
    assert_eq!(fault.reason, Reason::PhaseForbids);
    let disks = Snapshots::create(&house.control, &call(), of("a", "s", Scope::Disks)).await.expect("at rest").value;
    assert_eq!(disks.phase, SnapshotPhase::Ready);
    let fault = Snapshots::create(&house.control, &call(), full("b", "s")).await.expect_err("no such VM");
    assert_eq!(fault.reason, Reason::VmNotFound);
}

#[tokio::test(start_paused = true)]
async fn a_difference_completes_the_newest_memory_of_the_machine_that_runs() {
    let house = House::new().await;
    house.make_running("a").await;
    let control = &house.control;
    Snapshots::create(control, &call(), full("a", "one")).await.expect("taken");
    let two = Snapshots::create(control, &call(), difference("a", "two", "one")).await.expect("taken").value;
    assert_eq!((two.phase, two.scope), (SnapshotPhase::Ready, Scope::Difference));
    let refused = async |new: NewSnapshot| {
        let fault = Snapshots::create(control, &call(), new).await.expect_err("refused");
        assert!(!fault.fix.is_empty());
        (fault.reason, fault.violations[0].field.clone())
    };
    let unusable = (Reason::SnapshotUnusable, "snapshot.parent".to_owned());
    assert_eq!(refused(difference("a", "three", "one")).await, unusable, "it is not the newest");
    let orphan = of("a", "three", Scope::Difference);
    assert_eq!(refused(orphan).await, (Reason::FieldRequired, "snapshot.parent".to_owned()));
    let odd = NewSnapshot { scope: Scope::Full, ..difference("a", "three", "two") };
    assert_eq!(refused(odd).await, (Reason::FieldInvalid, "snapshot.parent".to_owned()));
    let fault = Snapshots::delete(control, &call(), removal("one")).await.expect_err("two needs it");
    assert_eq!((fault.reason, fault.violations[0].field.as_str()), (Reason::InUse, "snapshot"));
    Snapshots::delete(control, &call(), removal("two")).await.expect("nothing needs it");
    Snapshots::delete(control, &call(), removal("one")).await.expect("nothing needs it any more");
}

#[tokio::test(start_paused = true)]
async fn a_vm_goes_back_and_its_next_boot_begins_anew() {
    let house = House::new().await;
    let id = house.make_running("a").await;
    let control = &house.control;
    let kept = Snapshots::create(control, &call(), full("a", "s")).await.expect("taken").value;
    let more = Alter::Resize { cpus: None, memory_bytes: Some(300 * MIB), balloon_bytes: None };
    control.alter(&call(), &named("a"), more).await.expect("altered");
    let back = Snapshots::restore(control, &call(), &named("a"), &snapshot("s")).await.expect("restored").value;
    assert_eq!((back.status.phase, back.desired.boot_epoch, back.meta.generation), (Phase::Running, 2, 3));
    assert_eq!(back.spec, kept.spec);
    let origin = back.desired.origin().expect("it began from it");
    assert_eq!((origin.snapshot, origin.identity), (kept.id, Identity::Same));
    let fault = Snapshots::delete(control, &call(), removal("s")).await.expect_err("the VM runs from it");
    assert_eq!(fault.reason, Reason::InUse);
    control.shutdown(&call(), &named("a"), StopHow::Force).await.expect("stopped");
    let booted = control.boot(&call(), &named("a")).await.expect("booted").value;
    assert_eq!(booted.desired.origin(), None);
    assert_eq!(*house.guests.began.lock().unwrap(), [(id, None), (id, Some(kept.id)), (id, None)]);
    Snapshots::delete(control, &call(), removal("s")).await.expect("nothing needs it");
    assert!(reasons(&house).await.iter().any(|one| one == "Restoring"));
}

#[tokio::test(start_paused = true)]
async fn a_fork_is_another_vm_and_outlives_the_first() {
    let house = House::new().await;
    let first = house.make_running("a").await;
    let control = &house.control;
    let kept = Snapshots::create(control, &call(), full("a", "s")).await.expect("taken").value;
    let removed = Removal { vm: VmRef::Id(first), etag: None, force: true, allow_missing: false };
    Vms::delete(control, &call(), removed).await.expect("the first is gone");
    let forked = Snapshots::fork(control, &repeatable("f", 1), fork("b", "s")).await.expect("forked").value;
    assert_eq!((forked.status.phase, forked.meta.name.as_str()), (Phase::Running, "b"));
    assert_ne!(forked.meta.id, first);
    assert_eq!(forked.desired.origin().expect("it began from it").identity, Identity::New);
    let again = Snapshots::fork(control, &repeatable("f", 1), fork("b", "s")).await.expect("the same").value;
    assert_eq!(again.meta.id, forked.meta.id);
    assert_eq!(*house.guests.began.lock().unwrap(), [(first, None), (forked.meta.id, Some(kept.id))]);
    let fault = Snapshots::fork(control, &call(), fork("b", "s")).await.expect_err("the name is taken");
    assert_eq!((fault.reason, fault.violations[0].field.as_str()), (Reason::NameTaken, "name"));
    let told = Fork { metadata: Some("{}".into()), ..fork("c", "s") };
    let fault = Snapshots::fork(control, &call(), told).await.expect_err("there is no metadata service");
    assert_eq!(fault.violations[0].field, "metadata_json");
    let fault = Snapshots::restore(control, &call(), &named("b"), &snapshot("s")).await.expect_err("of another VM");
    assert_eq!(fault.reason, Reason::SnapshotUnusable);
    for name in ["c", "d", "e"] {
        Snapshots::fork(control, &call(), fork(name, "s")).await.expect("there is room");
    }
    let fault = Snapshots::fork(control, &call(), fork("f", "s")).await.expect_err("no room for a fifth");
    assert_eq!(fault.reason, Reason::MemoryExhausted);
    assert!(reasons(&house).await.iter().any(|one| one == "Forked"));
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_is_pending_is_told_to_the_node_again() {
    let house = House::new().await;
    house.make_running("a").await;
    house.guests.busy.store(true, Ordering::Relaxed);
    let soon = Call { timeout: Some(Duration::from_secs(1)), ..call() };
    let asked = Snapshots::create(&house.control, &soon, full("a", "s")).await.expect("it goes on").value;
    assert_eq!(asked.phase, SnapshotPhase::Pending);
    let store = house.close().await;
    let house = House::of(Blueprint { store, ..Blueprint::default() }).await;
    let control = &house.control;
    let ready = async {
        loop {
            let now = Snapshots::get(control, &call(), &snapshot("s")).await.expect("there").value;
            if now.phase == SnapshotPhase::Ready {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ready).await.expect("the node is told of it at the start");
}

#[tokio::test(start_paused = true)]
async fn what_is_begun_from_is_never_removed_in_the_same_moment() {
    let house = House::new().await;
    house.make_running("a").await;
    let control = &house.control;
    for round in 0..8 {
        let name = format!("s{round}");
        Snapshots::create(control, &call(), full("a", &name)).await.expect("taken");
        let (vm, which, asked) = (named("a"), snapshot(&name), call());
        let restore = Snapshots::restore(control, &asked, &vm, &which);
        let delete = Snapshots::delete(control, &asked, removal(&name));
        // Either may be first.
        let (restored, deleted) = if round % 2 == 0 {
            tokio::join!(restore, delete)
        } else {
            let (deleted, restored) = tokio::join!(delete, restore);
            (restored, deleted)
        };
        match (restored, deleted) {
            (Ok(vm), Err(fault)) => {
                assert_eq!((vm.value.status.phase, fault.reason), (Phase::Running, Reason::InUse));
            }
            (Err(fault), Ok(_)) => {
                assert!(matches!(fault.reason, Reason::SnapshotNotFound | Reason::SnapshotUnusable), "{fault}");
            }
            (restored, deleted) => panic!("{restored:?} and {deleted:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_disk_of_the_caller_s_does_not_stand_in_the_way_of_a_restore() {
    let house = House::new().await;
    house.make_running("a").await;
    let control = &house.control;
    Snapshots::create(control, &call(), full("a", "s")).await.expect("taken");
    let disk = weft_domain::spec::Disk::new("data", weft_domain::spec::DiskSource::Path("/images/a".into()));
    control.alter(&call(), &named("a"), Alter::AttachDisk(disk)).await.expect("attached");
    Snapshots::restore(control, &call(), &named("a"), &snapshot("s")).await.expect("a caller's file is not lost");
    let foreign = Snapshots::restore(control, &call(), &named("b"), &snapshot("s")).await.expect_err("no such VM");
    assert_eq!(foreign.reason, Reason::VmNotFound);
}

/// Makes a VM that runs, with a disk of this format.
async fn with_disk(house: &House, name: &str, format: DiskFormat) {
    let disk = Disk { format, ..Disk::new("root", DiskSource::Path(format!("/images/{name}").into())) };
    let spec = Draft { disks: vec![disk], ..Draft::default() }.check().expect("lawful");
    let new = NewVm { spec, mode: CreateMode::Boot, ..new_vm(name) };
    Vms::create(&house.control, &call(), new).await.expect("a VM is made");
}

fn inside(vm: &str, name: &str) -> NewSnapshot {
    of(vm, name, Scope::Internal)
}

#[tokio::test(start_paused = true)]
async fn what_is_inside_disks_stays_with_its_vm() {
    let house = House::new().await;
    with_disk(&house, "a", DiskFormat::Qcow2).await;
    let control = &house.control;
    let parent = NewSnapshot { parent: Some(snapshot("s")), ..inside("a", "t") };
    let kept = Snapshots::create(control, &call(), inside("a", "s")).await.expect("taken").value;
    assert_eq!((kept.phase, kept.scope), (SnapshotPhase::Ready, Scope::Internal));
    let refused = Snapshots::create(control, &call(), parent).await.expect_err("it completes nothing");
    assert_eq!(refused.violations[0].field, "snapshot.parent");
    let refused = Snapshots::create(control, &call(), full("a", "t")).await.expect_err("beside it there is none");
    assert_eq!((refused.reason, refused.violations[0].field.as_str()), (Reason::InUse, "snapshot.scope"));
    let refused = Snapshots::fork(control, &call(), fork("b", "s")).await.expect_err("it is nowhere else");
    assert_eq!(refused.reason, Reason::SnapshotUnusable);
    Snapshots::create(control, &call(), inside("a", "t")).await.expect("another inside");
    let back = Snapshots::restore(control, &call(), &named("a"), &snapshot("s")).await.expect("restored").value;
    assert_eq!(back.desired.origin().map(|origin| origin.snapshot), Some(kept.id));
    let removed = Removal { vm: named("a"), etag: None, force: true, allow_missing: false };
    let refused = Vms::delete(control, &call(), removed.clone()).await.expect_err("they would go with it");
    assert_eq!(refused.reason, Reason::InUse);
    Snapshots::delete(control, &call(), removal("s")).await.expect("what it began from is not mapped");
    control.shutdown(&call(), &named("a"), StopHow::Force).await.expect("stopped");
    let refused = Snapshots::create(control, &call(), inside("a", "u")).await.expect_err("nobody writes at rest");
    assert_eq!(refused.reason, Reason::PhaseForbids);
    let waits = Snapshots::delete(control, &call(), removal("t")).await.expect("removed").expect("it was there");
    assert!(waits.value.message.contains("goes when that runs"), "{}", waits.value.message);
    Vms::delete(control, &call(), removed).await.expect("nothing is inside any more");
}

#[tokio::test(start_paused = true)]
async fn only_images_have_room_inside() {
    let house = House::new().await;
    house.make_running("none").await;
    with_disk(&house, "raw", DiskFormat::Raw).await;
    let control = &house.control;
    for (vm, field) in [("none", "vm.spec.disks"), ("raw", "vm.spec.disks[0].format")] {
        let refused = Snapshots::create(control, &call(), inside(vm, "s")).await.expect_err("no room inside");
        assert_eq!((refused.reason, refused.violations[0].field.as_str()), (Reason::FieldUnsupported, field));
    }
    with_disk(&house, "image", DiskFormat::Qcow2).await;
    Snapshots::create(control, &call(), full("image", "f")).await.expect("in files");
    let refused = Snapshots::create(control, &call(), inside("image", "s")).await.expect_err("beside files");
    assert_eq!(refused.reason, Reason::InUse);
    Snapshots::delete(control, &call(), removal("f")).await.expect("removed");
    Snapshots::create(control, &call(), inside("image", "s")).await.expect("it is alone now");
}
