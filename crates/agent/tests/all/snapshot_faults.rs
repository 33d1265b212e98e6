//! What can go wrong with snapshots: refusals, full disks, kills, damage.

use crate::house::{GRACE, House, pass};
use crate::snapshot::{disk_of, folder, stocked, with_disks};
use std::time::Duration;
use weft_domain::instance::{ExitCause, StopHow};
use weft_domain::lifecycle::Verb;
use weft_domain::snapshot::{Identity, Scope, SnapshotPhase};
use weft_domain::{Fault, Phase, Reason};
use weft_ports::hypervisor::State;
use weft_ports::link::Placement;

#[tokio::test(start_paused = true)]
async fn a_vmm_that_cannot_be_kept_goes_on() {
    let house = stocked();
    let id = house.running("a", with_disks).await;
    house.vmm.behave(id, |behaviour| behaviour.keep_failure = Some("no room in its head".into()));
    let snapshot = house.snap(id, Scope::Full, None);
    let failed = house.snapped(snapshot, SnapshotPhase::Failed).await;
    assert!(failed.message.contains("no room in its head"), "{}", failed.message);
    house.idle().await;
    assert!(!house.disk.fake.paths().iter().any(|path| path.starts_with(folder(&house, snapshot))));
    assert_eq!(house.vm(id).phase, Phase::Running);
    house.ask(id, Verb::Pause, GRACE).await;
    house.until(id, Phase::Paused).await;
    house.drop_snapshot(snapshot).await;
    house.delete(id).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_costs_the_snapshot_and_nothing_else() {
    let house = stocked();
    let id = house.running("a", with_disks).await;
    for room in [0, 300 << 20] {
        house.disk.fake.set_free(room);
        if room > 0 {
            // There is room, and then the copy of a disk finds none.
            let full = Fault::new(Reason::DiskExhausted, "the disk is full");
            house.vmm.behave(id, |behaviour| behaviour.body_delay = Duration::from_millis(50));
            let snapshot = house.snap(id, Scope::Full, None);
            house.idle().await;
            house.disk.fake.refuse_next(full);
            let failed = house.snapped(snapshot, SnapshotPhase::Failed).await;
            assert!(failed.message.contains("disk is full"), "{}", failed.message);
            house.drop_snapshot(snapshot).await;
        } else {
            let snapshot = house.snap(id, Scope::Full, None);
            let failed = house.snapped(snapshot, SnapshotPhase::Failed).await;
            assert!(failed.message.contains("bytes"), "{}", failed.message);
            house.drop_snapshot(snapshot).await;
        }
        assert!(house.disk.fake.paths().iter().all(|path| !path.to_string_lossy().contains("snapshots/")));
        assert_eq!((house.vm(id).phase, house.living(id).len()), (Phase::Running, 1));
    }
    house.delete(id).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_whole_is_not_used() {
    let house = stocked();
    let id = house.running("a", with_disks).await;
    let snapshot = house.kept(id, Scope::Full).await;
    let memory = folder(&house, snapshot.id).join("memory");
    let whole = std::fs::read(&memory).unwrap();
    house.stopped(id).await;
    let mut changed = whole.clone();
    changed[0] ^= 1;
    let damages: [(&[u8], &str); 3] =
        [(&whole[..3], "truncated, 3 bytes"), (&changed, "was changed"), (&[], "truncated")];
    for (bytes, words) in damages {
        std::fs::write(&memory, bytes).unwrap();
        house.disk.fake.put(&disk_of(&house, id), b"precious");
        house.begin(id, &snapshot, Identity::Same).await;
        let vm = house.until(id, Phase::Failed).await;
        let exit = vm.exits.last().expect("it is told");
        assert_eq!(exit.cause, ExitCause::LaunchFailed);
        assert!(exit.message.contains("memory") && exit.message.contains(words), "{}", exit.message);
        let disk = weft_ports::volumes::parts::Parts::read(&house.disk.fake, &disk_of(&house, id)).await;
        assert_eq!(disk.unwrap().as_deref(), Some(&b"precious"[..]), "nothing was laid out");
    }
    std::fs::write(&memory, &whole).unwrap();
    house.begin(id, &snapshot, Identity::Same).await;
    house.until(id, Phase::Running).await;
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_hangs_over_a_snapshot_can_be_ended() {
    let house = stocked();
    let (id, other) = (house.running("a", with_disks).await, house.running("b", |_| {}).await);
    house.vmm.behave(id, |behaviour| behaviour.body_delay = Duration::from_secs(3600));
    let hung = house.snap(id, Scope::Full, None);
    pass(Duration::from_secs(1)).await;
    house.kept(other, Scope::Full).await;
    let asked = tokio::time::Instant::now();
    house.ask(id, Verb::Shutdown, StopHow::Force).await;
    house.until(id, Phase::Stopped).await;
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    let failed = house.snapped(hung, SnapshotPhase::Failed).await;
    assert!(failed.message.contains("by force"), "{}", failed.message);
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_ends_lets_a_held_machine_go_on_and_the_next_one_takes_the_snapshot() {
    let house = stocked();
    let id = house.running("a", with_disks).await;
    house.vmm.behave(id, |behaviour| behaviour.body_delay = Duration::from_secs(5));
    let snapshot = house.snap(id, Scope::Full, None);
    pass(Duration::from_secs(1)).await;
    assert_eq!(house.vmm.state(id), Some(State::Held));
    house.stop().await;
    assert_eq!(house.vmm.state(id), Some(State::Running));
    assert_eq!(house.desk.snapshot(snapshot).map(|it| it.phase), Some(SnapshotPhase::Pending));
    house.start();
    house.snapped(snapshot, SnapshotPhase::Ready).await;
    assert_eq!(house.vmm.state(id), Some(State::Running));
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_dies_while_it_is_kept_fails_the_snapshot() {
    let house = stocked();
    let id = house.running("a", with_disks).await;
    house.vmm.behave(id, |behaviour| behaviour.body_delay = Duration::from_secs(5));
    let snapshot = house.snap(id, Scope::Full, None);
    pass(Duration::from_secs(1)).await;
    house.delete(id).await;
    house.snapped(snapshot, SnapshotPhase::Failed).await;
    house.drop_snapshot(snapshot).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_is_removed_while_it_is_taken_leaves_nothing() {
    let house = stocked();
    let id = house.running("a", with_disks).await;
    house.vmm.behave(id, |behaviour| behaviour.body_delay = Duration::from_secs(5));
    let snapshot = house.snap(id, Scope::Full, None);
    pass(Duration::from_secs(1)).await;
    house.drop_snapshot(snapshot).await;
    pass(Duration::from_secs(10)).await;
    assert_eq!(house.vm(id).phase, Phase::Running);
    house.delete(id).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn an_unknown_snapshot_is_gone_already() {
    let house = House::up();
    house.idle().await;
    let id = weft_domain::SnapshotId::from_bytes([3; 16]);
    house.desk.say(&Placement::SnapshotRemoved(id));
    house.idle().await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_control_never_confirms_is_told_once() {
    let house = stocked();
    let id = house.running("a", with_disks).await;
    let snapshot = house.kept(id, Scope::Full).await;
    house.desk.remove_snapshot(snapshot.id);
    // Its last word is lost with the subscription.
    house.desk.hang_up();
    house.desk.until("gone", |desk| desk.snapshot(snapshot.id).is_none()).await;
    house.desk.until("a new subscription", |desk| desk.readers() == 1).await;
    house.delete(id).await;
    house.assert_empty().await;
}

/// A snapshot is taken, begun from by another VM, and removed; whether the fuse blew on the way.
async fn live(points: i64) -> bool {
    let house = stocked();
    let id = house.running("a", with_disks).await;
    house.vmm.remember(id, "kept");
    house.idle().await;
    house.fuse.set(Some(points));
    let mut killed = false;
    let snapshot = house.snap(id, Scope::Full, None);
    surviving(&house, &mut killed, house.snapped(snapshot, SnapshotPhase::Ready)).await;
    let snapshot = house.desk.snapshot(snapshot).expect("it is there");
    let fork = surviving(&house, &mut killed, house.fork("b", &snapshot)).await;
    house.begin(fork, &snapshot, Identity::New).await;
    surviving(&house, &mut killed, house.until(fork, Phase::Running)).await;
    assert_eq!(house.vmm.memory(fork).as_deref(), Some("kept"), "point {points}");
    surviving(&house, &mut killed, house.drop_snapshot(snapshot.id)).await;
    let vm = surviving(&house, &mut killed, house.until(id, Phase::Running)).await;
    assert_eq!(vm.exits.len(), 0, "point {points}: the first runs on");
    killed |= house.fuse.is_blown();
    house.kill().await;
    house.fuse.set(None);
    house.start();
    house.idle().await;
    let machine = house.living(id);
    assert_eq!((machine.len(), house.vm(id).phase), (1, Phase::Running), "point {points}");
    house.delete(id).await;
    house.delete(fork).await;
    house.assert_empty().await;
    killed
}

/// Waits for it through a kill.
async fn surviving<T>(house: &House, killed: &mut bool, so: impl Future<Output = T>) -> T {
    tokio::pin!(so);
    loop {
        tokio::select! {
            biased;
            () = house.fuse.blows(), if !*killed => {
                *killed = true;
                house.kill().await;
                house.fuse.set(None);
                house.start();
            }
            done = &mut so => return done,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_kill_at_any_point_of_a_snapshot_changes_nothing() {
    assert!(!live(i64::MAX / 2).await, "undisturbed, it is never killed");
    let mut points = 0;
    while live(points).await {
        points += 1;
    }
    assert!(points > 50, "there were only {points} points");
}
