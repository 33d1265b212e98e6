//! What refuses: control, the disk, the journal, a driver. It is seen, tried again, and nothing is lost.

use crate::house::{GRACE, House, RETRY, blank, pass};
use std::sync::atomic::Ordering;
use std::time::Duration;
use weft_domain::instance::{ExitCause, StopHow};
use weft_domain::lifecycle::Verb;
use weft_domain::spec::RestartPolicy;
use weft_domain::{Fault, Phase, Reason};
use weft_ports::claims::{Claims, Note};
use weft_ports::processes::Ending;

fn full() -> Fault {
    Fault::new(Reason::StoreFull, "the store is full")
}

#[tokio::test(start_paused = true)]
async fn a_report_that_is_refused_is_told_later() {
    let house = House::up();
    let id = house.running("a", |_| {}).await;
    house.desk.refuse(Some(full()));
    house.vmm.panic(id);
    pass(Duration::from_secs(60)).await;
    assert_eq!(house.vm(id).phase, Phase::Running, "control knows nothing yet");
    house.desk.refuse(None);
    let vm = house.until(id, Phase::Failed).await;
    assert_eq!(vm.exits.iter().map(|exit| exit.cause).collect::<Vec<_>>(), [ExitCause::GuestPanic]);
    house.idle().await;
    assert_eq!(house.vm(id).condition("StepSucceeded"), None, "that control was deaf is no fault of the VM");

    // A refusal changes neither phase nor conditions of what rests or runs.
    let steady = house.running("b", |_| {}).await;
    house.ask(steady, Verb::Pause, GRACE).await;
    house.desk.refuse(Some(full()));
    house.ask(steady, Verb::Resume, GRACE).await;
    pass(10 * RETRY).await;
    house.desk.refuse(None);
    let vm = house.until(steady, Phase::Running).await;
    assert_eq!(vm.condition("StepSucceeded"), None);
}

#[tokio::test(start_paused = true)]
async fn a_full_store_does_not_stand_in_the_way_of_a_deletion() {
    let house = House::up();
    let id = house.running("a", |draft| draft.disks.push(blank("data", 1 << 20))).await;
    house.desk.refuse(Some(full()));
    house.vmm.power_off(id);
    pass(5 * RETRY).await;
    house.desk.ask(id, Verb::DeleteForce, StopHow::Force);
    pass(5 * RETRY).await;
    assert_eq!(house.claims.entries(), [], "it was taken away though control was not told");
    house.desk.refuse(None);
    house.desk.until("gone", |desk| desk.vm(id).is_none()).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn refused_launches_are_not_counted_as_restarts() {
    let house = House::up();
    let id = house.running("a", |draft| draft.restart = RestartPolicy::OnFailure).await;
    house.vmm.die(id, Ending::Code(1));
    house.until(id, Phase::Starting).await;
    house.desk.refuse(Some(full()));
    pass(20 * RETRY).await;
    house.desk.refuse(None);
    assert_eq!(house.until(id, Phase::Running).await.placed.restarts, 1);
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_is_visible_and_passes() {
    let house = House::up();
    house.disk.fake.set_free(1 << 20);
    let id = house.create("big", |draft| draft.disks.push(blank("data", 1 << 30)));
    let vm = house.until(id, Phase::Failed).await;
    let (holds, reason, message) = vm.condition("StepSucceeded").expect("it is visible");
    assert_eq!((holds, reason.as_str()), (Some(false), "StepFailed"));
    assert!(message.contains("prepare") && message.contains("full"), "{message}");
    let told = house.desk.reports(id).len();
    pass(100 * RETRY).await;
    assert_eq!(house.desk.reports(id).len(), told, "what does not change is not told again");
    house.disk.fake.set_free(1 << 40);
    let vm = house.until(id, Phase::Created).await;
    assert_eq!(vm.condition("StepSucceeded"), None);

    house.disk.fake.set_free(0);
    let other = house.create("other", |draft| draft.disks.push(blank("data", 1 << 30)));
    house.until(other, Phase::Failed).await;
    for id in [id, other] {
        house.delete(id).await;
    }
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_refuses_loses_nothing() {
    // Each write of a life is refused once.
    for write in 0..12 {
        let house = House::up();
        let id = house.create("a", |draft| draft.disks.push(blank("data", 1 << 20)));
        let refuse = || house.claims.refuse_next(full());
        if write == 0 {
            refuse();
        }
        house.until(id, Phase::Created).await;
        for (n, verb) in [(1, Verb::Boot), (4, Verb::Shutdown), (7, Verb::Boot), (9, Verb::DeleteForce)] {
            let how = if n == 4 { GRACE } else { StopHow::Force };
            if write == n {
                refuse();
            }
            house.desk.ask(id, verb, how);
            for late in 1..3 {
                tokio::task::yield_now().await;
                if write == n + late {
                    refuse();
                }
            }
            if verb == Verb::DeleteForce {
                house.desk.until("gone", |desk| desk.vm(id).is_none()).await;
            } else {
                let phase = if verb == Verb::Shutdown { Phase::Stopped } else { Phase::Running };
                house.until(id, phase).await;
            }
            assert!(house.living(id).len() <= 1, "write {write}");
        }
        house.assert_empty().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_disk_refuses_to_remove_is_removed_later() {
    let house = House::up();
    let id = house.running("a", |_| {}).await;
    house.disk.fake.refuse_next(Fault::new(Reason::PathUnusable, "busy"));
    house.delete(id).await;
    house.assert_empty().await;

    let id = house.running("b", |_| {}).await;
    house.disk.fake.refuse_next(Fault::new(Reason::PathUnusable, "busy"));
    house.vmm.power_off(id);
    let vm = house.until(id, Phase::Stopped).await;
    assert_eq!((vm.exits.len(), vm.condition("StepSucceeded")), (1, None));
    house.delete(id).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_whose_control_is_away_ends_when_asked() {
    let house = House::up();
    let id = house.running("a", |_| {}).await;
    house.desk.refuse(Some(full()));
    house.desk.hang_up();
    tokio::task::yield_now().await;
    let begun = tokio::time::Instant::now();
    house.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(3));
    assert_eq!(house.living(id).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_its_driver_lost_sight_of_is_taken_up_anew() {
    let house = House::up();
    house.fuse.blind.store(true, Ordering::SeqCst);
    let id = house.create("a", |_| {});
    house.until(id, Phase::Created).await;
    house.ask(id, Verb::Boot, GRACE).await;
    house.until(id, Phase::Running).await;
    let vm = house.until_so(id, "taken up", |vm| vm.condition("StepSucceeded").is_none()).await;
    assert_eq!((house.living(id), vm.phase), (vm.pid().into_iter().collect(), Phase::Running));
    house.vmm.power_off(id);
    assert_eq!(house.until(id, Phase::Stopped).await.exits.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_panics_costs_neither_the_machine_nor_the_agent() {
    let house = House::up();
    let other = house.running("other", |_| {}).await;
    house.fuse.panics.store(true, Ordering::SeqCst);
    let id = house.running("a", |_| {}).await;
    assert_eq!(house.living(id), house.vm(id).pid().into_iter().collect::<Vec<_>>());
    assert_eq!((house.living(other).len(), house.vmm.launches().len()), (1, 2), "none was launched twice");
    for id in [id, other] {
        house.delete(id).await;
    }
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_does_not_keep_an_agent_from_its_machines() {
    let house = House::up();
    let id = house.running("a", |_| {}).await;
    house.kill().await;
    let entries = house.claims.entries();
    let process = entries.iter().rfind(|entry| entry.note.alive.is_some()).expect("it was noted").claim.id;
    house.claims.note(process, Note::default()).await.unwrap();
    house.claims.refuse_next(full());
    house.start();
    house.idle().await;
    let begun = tokio::time::Instant::now();
    house.ask(id, Verb::Shutdown, GRACE).await;
    house.until(id, Phase::Stopped).await;
    assert!(begun.elapsed() < RETRY, "it was taken up at once");
}

#[tokio::test(start_paused = true)]
async fn a_long_preparation_does_not_stand_in_the_way_of_a_deletion_or_an_end() {
    let house = House::up();
    house.fuse.stuck.store(true, Ordering::SeqCst);
    let (id, other) = (house.create("a", |_| {}), house.create("b", |_| {}));
    house.until(id, Phase::Creating).await;
    let begun = tokio::time::Instant::now();
    house.delete(id).await;
    house.stop().await;
    assert!(begun.elapsed() < RETRY);
    house.fuse.stuck.store(false, Ordering::SeqCst);
    house.start();
    house.until(other, Phase::Created).await;
    house.delete(other).await;
    house.assert_empty().await;
}
