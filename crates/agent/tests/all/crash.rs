//! The agent is killed at every point of a whole life, before and after each call of a port, and the
//! next agent ends it as if nothing had been.

use crate::house::{GRACE, House, blank, pass};
use std::time::Duration;
use weft_domain::instance::{ExitCause, StopHow};
use weft_domain::lifecycle::Verb;
use weft_domain::{InstanceId, Phase};

/// One step of a life: what is done, and what must come of it.
struct Step {
    verb: Option<(Verb, StopHow)>,
    comes: fn(&House, InstanceId) -> bool,
}

fn phase_is(house: &House, id: InstanceId, phase: Phase) -> bool {
    house.desk.vm(id).is_some_and(|vm| vm.phase == phase)
}

fn rebooted(house: &House, id: InstanceId) -> bool {
    let Some(vm) = house.desk.vm(id) else { return false };
    let running = vm.last.and_then(|last| last.running);
    vm.phase == Phase::Running && running.is_some_and(|running| running.reboot_epoch == vm.placed.desired.reboot_epoch)
}

const LIFE: [Step; 10] = [
    Step { verb: None, comes: |house, id| phase_is(house, id, Phase::Created) },
    Step { verb: Some((Verb::Boot, GRACE)), comes: |house, id| phase_is(house, id, Phase::Running) },
    Step { verb: Some((Verb::Pause, GRACE)), comes: |house, id| phase_is(house, id, Phase::Paused) },
    Step { verb: Some((Verb::Resume, GRACE)), comes: |house, id| phase_is(house, id, Phase::Running) },
    Step { verb: Some((Verb::Reboot, GRACE)), comes: rebooted },
    Step { verb: Some((Verb::Reboot, StopHow::Force)), comes: rebooted },
    Step { verb: Some((Verb::Shutdown, GRACE)), comes: |house, id| phase_is(house, id, Phase::Stopped) },
    Step { verb: Some((Verb::Boot, GRACE)), comes: |house, id| phase_is(house, id, Phase::Running) },
    Step { verb: Some((Verb::Shutdown, StopHow::Force)), comes: |house, id| phase_is(house, id, Phase::Stopped) },
    Step { verb: Some((Verb::DeleteForce, StopHow::Force)), comes: |house, id| house.desk.vm(id).is_none() },
];

/// Lives through it; `killed` says whether the fuse blew on the way.
async fn live(points: i64) -> bool {
    let house = House::up();
    house.fuse.set(Some(points));
    let id = house.create("a", |draft| draft.disks.push(blank("data", 1 << 20)));
    let (mut killed, exits) = (false, std::cell::RefCell::new(Vec::new()));
    for (n, step) in LIFE.iter().enumerate() {
        if let Some((verb, how)) = step.verb {
            assert!(house.desk.ask(id, verb, how), "point {points}: step {n} is lawful in {:?}", house.vm(id).phase);
        }
        loop {
            let what = format!("point {points}, step {n}");
            let so = house.desk.until(&what, |desk| {
                if let Some(vm) = desk.vm(id) {
                    exits.replace(vm.exits);
                }
                (step.comes)(&house, id)
            });
            tokio::select! {
                biased;
                () = house.fuse.blows(), if !killed => {
                    killed = true;
                    house.kill().await;
                    house.fuse.set(None);
                    house.start();
                }
                () = so => break,
            }
            assert!(house.living(id).len() <= 1, "{what}: at most one process lives");
        }
        assert!(house.living(id).len() <= 1, "point {points}: at most one process lives");
    }
    house.idle().await;
    if house.fuse.is_blown() {
        // It blew while nothing more was waited for.
        killed = true;
        house.kill().await;
        house.fuse.set(None);
        house.start();
    }
    house.assert_empty().await;
    let causes: Vec<_> = exits.borrow().iter().map(|exit| exit.cause).collect();
    assert_eq!(causes, [ExitCause::Shutdown, ExitCause::Shutdown, ExitCause::Forced], "point {points}");
    killed
}

#[tokio::test(start_paused = true)]
async fn a_kill_at_any_point_changes_nothing() {
    assert!(!live(i64::MAX / 2).await, "undisturbed, it is never killed");
    let mut points = 0;
    while live(points).await {
        points += 1;
    }
    assert!(points > 80, "there were only {points} points");
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_is_killed_while_it_launches_leaves_nothing_behind() {
    use weft_ports::hypervisor::fake::Behaviour;
    let house = House::up();
    house.vmm.expect(Behaviour { launch_delay: Duration::from_secs(5), ..Behaviour::default() });
    let id = house.create("slow", |_| {});
    house.until(id, Phase::Created).await;
    house.ask(id, Verb::Boot, GRACE).await;
    pass(Duration::from_secs(2)).await;
    house.kill().await;
    assert_eq!(house.living(id).len(), 0);
    house.start();
    house.until(id, Phase::Running).await;
    assert_eq!(house.living(id).len(), 1);
    house.delete(id).await;
    house.assert_empty().await;
}
