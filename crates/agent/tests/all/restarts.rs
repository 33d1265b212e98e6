//! Ends that nobody asked for, and what the restart policy makes of them.

use crate::house::{GRACE, House, pass};
use std::time::Duration;
use tokio::time::Instant;
use weft_domain::instance::{ExitCause, StopHow};
use weft_domain::lifecycle::Verb;
use weft_domain::restart;
use weft_domain::spec::RestartPolicy;
use weft_domain::{InstanceId, Phase};
use weft_ports::hypervisor::fake::Behaviour;
use weft_ports::processes::Ending;

async fn ends(policy: RestartPolicy, end: impl Fn(&House, InstanceId)) -> (House, InstanceId) {
    let house = House::up();
    let id = house.running("a", |draft| draft.restart = policy).await;
    end(&house, id);
    house.until_so(id, "an exit", |vm| !vm.exits.is_empty()).await;
    (house, id)
}

fn died(house: &House, id: InstanceId) {
    house.vmm.die(id, Ending::Signal(11));
}

#[tokio::test(start_paused = true)]
async fn ends_are_told_by_their_cause() {
    type End = fn(&House, InstanceId);
    let table: [(End, ExitCause, Phase); 4] = [
        (|house, id| house.vmm.power_off(id), ExitCause::GuestPoweroff, Phase::Stopped),
        (|house, id| house.vmm.panic(id), ExitCause::GuestPanic, Phase::Failed),
        (died, ExitCause::VmmDied, Phase::Failed),
        (|house, id| house.vmm.die(id, Ending::OutOfMemory), ExitCause::OutOfMemory, Phase::Failed),
    ];
    for (end, cause, phase) in table {
        let (house, id) = ends(RestartPolicy::Never, end).await;
        let vm = house.until(id, phase).await;
        assert_eq!(vm.exits.iter().map(|exit| exit.cause).collect::<Vec<_>>(), [cause]);
        assert!(!vm.exits[0].message.is_empty());
        pass(Duration::from_secs(3_600)).await;
        assert_eq!((house.vm(id).phase, house.living(id).len()), (phase, 0), "it stays down");
        assert_eq!(house.vm(id).exits.len(), 1, "an exit is told once");
        house.delete(id).await;
        house.assert_empty().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_power_off_is_no_failure_but_always_is_always() {
    let (house, id) = ends(RestartPolicy::OnFailure, |house, id| house.vmm.power_off(id)).await;
    pass(Duration::from_secs(3_600)).await;
    assert_eq!((house.vm(id).phase, house.living(id).len()), (Phase::Stopped, 0));

    let (house, id) = ends(RestartPolicy::Always, |house, id| house.vmm.power_off(id)).await;
    let vm = house.until(id, Phase::Running).await;
    assert_eq!((vm.placed.restarts, house.living(id).len()), (1, 1));
    house.ask(id, Verb::Shutdown, GRACE).await;
    house.until(id, Phase::Stopped).await;
    pass(Duration::from_secs(3_600)).await;
    assert_eq!(house.vm(id).phase, Phase::Stopped, "what was asked to stop stays down");
}

#[tokio::test(start_paused = true)]
async fn restarts_wait_longer_each_time_and_are_counted() {
    let house = House::up();
    let id = house.running("a", |draft| draft.restart = RestartPolicy::OnFailure).await;
    for n in 0..6 {
        let before = Instant::now();
        died(&house, id);
        house.until(id, Phase::Starting).await;
        assert!(house.living(id).is_empty(), "it waits");
        let vm = house.until_so(id, "again", |vm| vm.phase == Phase::Running && vm.placed.restarts == n + 1).await;
        let (waited, wait) = (before.elapsed(), restart::wait(n));
        assert!(waited >= wait && waited < wait + Duration::from_millis(100), "restart {n} after {waited:?}");
        assert_eq!(vm.exits.len(), n as usize + 1);
    }
    // One that ran long enough is forgiven.
    pass(restart::STEADY).await;
    died(&house, id);
    house.until_so(id, "again", |vm| vm.phase == Phase::Running && vm.placed.restarts == 1).await;
    house.ask(id, Verb::Shutdown, StopHow::Force).await;
    house.until(id, Phase::Stopped).await;
    house.ask(id, Verb::Boot, GRACE).await;
    assert_eq!(house.until(id, Phase::Running).await.placed.restarts, 0, "a boot counts anew");
}

#[tokio::test(start_paused = true)]
async fn the_count_and_the_wait_survive_the_agent() {
    let house = House::up();
    let id = house.running("a", |draft| draft.restart = RestartPolicy::OnFailure).await;
    for n in 0..3 {
        died(&house, id);
        house.until_so(id, "again", |vm| vm.phase == Phase::Running && vm.placed.restarts == n + 1).await;
    }
    house.kill().await;
    house.start();
    house.idle().await;
    assert_eq!((house.vm(id).placed.restarts, house.living(id).len()), (3, 1));
    let before = Instant::now();
    died(&house, id);
    house.until(id, Phase::Starting).await;
    house.kill().await;
    house.start();
    house.until_so(id, "again", |vm| vm.phase == Phase::Running && vm.placed.restarts == 4).await;
    assert!(before.elapsed() >= restart::wait(3));
}

#[tokio::test(start_paused = true)]
async fn launches_that_fail_are_tried_again_by_the_policy() {
    let house = House::up();
    house.vmm.expect(Behaviour { launch_failure: Some("no".into()), ..Behaviour::default() });
    let id = house.create("a", |draft| draft.restart = RestartPolicy::OnFailure);
    house.until(id, Phase::Created).await;
    house.ask(id, Verb::Boot, GRACE).await;
    house.until_so(id, "two restarts", |vm| vm.placed.restarts == 2).await;
    house.vmm.expect(Behaviour::default());
    assert_eq!(house.until(id, Phase::Running).await.placed.restarts, 3);
    assert_eq!(house.vmm.launches().len(), 4);
}
