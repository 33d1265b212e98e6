//! The laws of what is done with a machine beside its life: changes, snapshots, moves.

use super::{Sort, Stage, adoption, can, done, ended, finish, launch, until};
use crate::hypervisor::{Alteration, Keep, Machine, Order, Origin, Restore, State, Way};
use weft_domain::capability::Feature;
use weft_domain::snapshot::{Content, Identity, Part, Role, Scope};
use weft_domain::spec::change::Change;
use weft_domain::{Kind, Reason};

pub(super) async fn all(stage: &dyn Stage) {
    what_is_not_served_is_refused(stage).await;
    a_disk_is_plugged_once(stage).await;
    a_kept_machine_goes_on_from_there(stage).await;
    a_snapshot_that_fails_changes_nothing(stage).await;
    a_running_machine_is_not_kept(stage).await;
    a_machine_moves(stage).await;
    counters_are_told(stage).await;
}

fn excused(stage: &dyn Stage, law: &str) -> bool {
    let why = stage.excused(law);
    if let Some(why) = &why {
        tracing::warn!(law, why, "skipped");
    }
    why.is_some()
}

/// What the capabilities do not name is refused as unsupported, and changes nothing.
pub async fn what_is_not_served_is_refused(stage: &dyn Stage) {
    let order = stage.order(Sort::Working).await;
    let machine = launch(stage, &order).await;
    let asked = [Change::Cpus(2), Change::Memory(order.spec.memory.size_bytes * 2), Change::RemoveVsock];
    for change in asked.into_iter().filter(|change| !can(stage, change.needs())) {
        let alteration = Alteration { change, backing: None };
        let fault = machine.alter(&alteration).await.expect_err("what is not served is refused");
        assert_eq!(fault.reason, Reason::VerbUnsupported, "{fault}");
    }
    assert_eq!(*machine.state().borrow(), State::Running);
    finish(stage, &order, machine).await;
}

/// A disk is plugged; plugging it again changes nothing; it goes, or the guest keeps it and that is said.
pub async fn a_disk_is_plugged_once(stage: &dyn Stage) {
    let order = stage.order(Sort::Working).await;
    let machine = launch(stage, &order).await;
    stage.until_ready(&order, 1).await;
    if let Some(spare) = stage.spare(&order).await.filter(|spare| can(stage, spare.change.needs())) {
        for _ in 0..2 {
            done(machine.alter(&spare).await, "plug a disk");
        }
        let Change::AddDisk(disk) = &spare.change else { panic!("a spare is a disk that is added") };
        let gone = Alteration { change: Change::RemoveDisk(disk.name.clone()), backing: None };
        match machine.alter(&gone).await {
            Ok(()) => done(machine.alter(&gone).await, "unplug a disk that is gone"),
            Err(fault) => assert_eq!(fault.reason, Reason::ChangeRefused, "{fault}"),
        }
        assert_eq!(*machine.state().borrow(), State::Running);
    }
    finish(stage, &order, machine).await;
}

/// A machine that was kept goes on, and another goes on from what was kept.
pub async fn a_kept_machine_goes_on_from_there(stage: &dyn Stage) {
    if !can(stage, Feature::SnapshotFull) || excused(stage, "snapshot") {
        return;
    }
    let order = stage.order(Sort::Working).await;
    let machine = launch(stage, &order).await;
    stage.until_ready(&order, 1).await;
    let before = stage.remembered(&order, machine.as_ref()).await;
    let folder = order.run_dir.with_extension("kept");
    std::fs::create_dir(&folder).expect("a folder can be made");
    done(machine.pause().await, "pause");
    until(&mut machine.state(), |state| *state == State::Held).await;
    let keep = Keep { folder: folder.clone(), scope: Scope::Full };
    let parts = machine.keep(&keep).await.unwrap_or_else(|fault| panic!("keep: {fault}"));
    assert!(parts.iter().any(|(role, _)| *role == Role::Memory), "memory is kept: {parts:?}");
    assert!(parts.iter().all(|(_, file)| folder.join(file).is_file()), "each part is a file: {parts:?}");
    assert_eq!(*machine.state().borrow(), State::Held, "keeping it leaves it held");
    done(machine.resume().await, "resume");
    until(&mut machine.state(), |state| *state == State::Running).await;
    finish(stage, &order, machine).await;
    let restore = restored(&order, &folder, parts);
    for identity in [Identity::Same, Identity::New] {
        let fresh = stage.order(Sort::Working).await;
        let (spec, boot, disks) = (order.spec.clone(), order.boot.clone(), order.disks.clone());
        let origin = Origin::Snapshot(Restore { identity, ..restore.clone() });
        let again = Order { spec, boot, disks, origin, ..fresh };
        let machine = launch(stage, &again).await;
        assert_eq!(*machine.state().borrow(), State::Running, "it goes on when its launch answers");
        if let Some(before) = &before {
            assert_eq!(stage.remembered(&again, machine.as_ref()).await.as_ref(), Some(before));
        }
        let adoption = adoption(&again, machine.as_ref());
        drop(machine);
        let machine = super::adopt(stage, adoption).await;
        finish(stage, &again, machine).await;
    }
    std::fs::remove_dir_all(&folder).expect("what was kept can be removed");
}

fn restored(order: &Order, folder: &std::path::Path, parts: Vec<(Role, String)>) -> Restore {
    let part = |(role, file): (Role, String)| {
        let bytes = std::fs::metadata(folder.join(&file)).map_or(0, |found| found.len());
        Part { role, file, bytes, sha256: [0; 32] }
    };
    let parts = parts.into_iter().map(part).collect();
    let content = Content { driver: String::new(), taken: None, parts };
    Restore { folder: folder.to_owned(), content, spec: order.spec.clone(), identity: Identity::Same }
}

/// A snapshot that cannot be written says so, and the machine goes on.
pub async fn a_snapshot_that_fails_changes_nothing(stage: &dyn Stage) {
    if !can(stage, Feature::SnapshotFull) || excused(stage, "snapshot") {
        return;
    }
    let order = stage.order(Sort::Working).await;
    let machine = launch(stage, &order).await;
    done(machine.pause().await, "pause");
    until(&mut machine.state(), |state| *state == State::Held).await;
    let keep = Keep { folder: order.run_dir.join("is/not/there"), scope: Scope::Full };
    let fault = machine.keep(&keep).await.expect_err("a folder that is not there takes nothing");
    assert_eq!(fault.reason, Reason::SnapshotFailed, "{fault}");
    done(machine.resume().await, "resume");
    until(&mut machine.state(), |state| *state == State::Running).await;
    finish(stage, &order, machine).await;
}

/// A machine whose CPUs run is not kept.
pub async fn a_running_machine_is_not_kept(stage: &dyn Stage) {
    if !can(stage, Feature::SnapshotFull) {
        return;
    }
    let order = stage.order(Sort::Working).await;
    let machine = launch(stage, &order).await;
    let keep = Keep { folder: order.run_dir.clone(), scope: Scope::Full };
    let fault = machine.keep(&keep).await.expect_err("a running machine is not kept");
    assert_eq!(fault.kind(), Kind::FailedPrecondition, "{fault}");
    finish(stage, &order, machine).await;
}

/// A machine goes on in another process, and the first has ended so.
pub async fn a_machine_moves(stage: &dyn Stage) {
    if !can(stage, Feature::Migrate) || excused(stage, "migration") {
        return;
    }
    let order = stage.order(Sort::Working).await;
    let machine = launch(stage, &order).await;
    stage.until_ready(&order, 1).await;
    let before = stage.remembered(&order, machine.as_ref()).await;
    let fresh = stage.order(Sort::Working).await;
    let socket = fresh.run_dir.join("m.sock");
    let (spec, boot, disks) = (order.spec.clone(), order.boot.clone(), order.disks.clone());
    let incoming = Order { spec, boot, disks, origin: Origin::Incoming(socket.clone()), ..fresh };
    let target = launch_incoming(stage, &incoming).await;
    done(machine.send(&socket).await, "send");
    assert_eq!(ended(machine.as_ref()).await, Way::Moved);
    until(&mut target.state(), |state| *state == State::Running).await;
    if before.is_some() {
        assert_eq!(stage.remembered(&incoming, target.as_ref()).await, before);
    }
    finish(stage, &order, machine).await;
    finish(stage, &incoming, target).await;
}

/// One that waits for another is held until that has come.
async fn launch_incoming(stage: &dyn Stage, order: &Order) -> Box<dyn Machine> {
    let machine = launch(stage, order).await;
    assert_eq!(*machine.state().borrow(), State::Held, "it waits");
    machine
}

/// Counters can be asked for while it runs and while it is held.
pub async fn counters_are_told(stage: &dyn Stage) {
    if !can(stage, Feature::Counters) {
        return;
    }
    let order = stage.order(Sort::Working).await;
    let machine = launch(stage, &order).await;
    let before = machine.counters().await.unwrap_or_else(|fault| panic!("counters: {fault}"));
    let after = machine.counters().await.unwrap_or_else(|fault| panic!("counters: {fault}"));
    for (device, counts) in &before {
        for (name, count) in counts {
            let later = after.get(device).and_then(|counts| counts.get(name));
            assert!(later.is_some_and(|later| later >= count), "{device}.{name} went back");
        }
    }
    finish(stage, &order, machine).await;
}
