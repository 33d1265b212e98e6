//! The verbs, one after another, and what each tells.

use crate::house::{GRACE, House, blank, clock, pass};
use std::sync::Arc;
use std::time::Duration;
use weft_agent::JailPolicy;
use weft_domain::capability::Feature;
use weft_domain::instance::{ExitCause, StopHow};
use weft_domain::lifecycle::{Sight, Verb};
use weft_domain::spec::{Readiness, ReadinessProbe};
use weft_domain::{Phase, Reason};
use weft_ports::hypervisor::fake::{Behaviour, Button, Fake};
use weft_ports::hypervisor::{Boot, Hypervisor};
use weft_ports::link::Placement;
use weft_ports::processes::Ending;

const DEAF: fn() -> Behaviour = || Behaviour { button: Button::Ignored, ..Behaviour::default() };

#[tokio::test(start_paused = true)]
async fn created_booted_held_stopped_and_deleted() {
    let house = House::up();
    let id = house.create("a", |draft| draft.disks.push(blank("data", 1 << 20)));
    let vm = house.until(id, Phase::Created).await;
    assert_eq!(vm.condition("ImagePrepared").map(|it| it.0), Some(Some(true)));
    assert!(house.living(id).is_empty(), "nothing runs that was not booted");

    house.ask(id, Verb::Boot, GRACE).await;
    let vm = house.until(id, Phase::Running).await;
    let running = vm.last.as_ref().and_then(|last| last.running.clone()).expect("it runs");
    assert_eq!(house.living(id), [running.pid]);
    assert_eq!((running.boot_epoch, running.driver.as_str()), (1, "fake 1"));
    let (holds, reason, _) = vm.condition("Confined").expect("it is told");
    assert_eq!((holds, reason.as_str()), (Some(false), "JailOff"));
    let orders = house.vmm.launches();
    assert!(matches!(&orders[0].boot, Boot::Kernel { cmdline, .. } if cmdline.contains("weft.hostname=a")));
    assert_eq!(orders[0].disks.len(), 1);

    house.ask(id, Verb::Pause, GRACE).await;
    house.until(id, Phase::Paused).await;
    house.ask(id, Verb::Resume, GRACE).await;
    assert_eq!(house.until(id, Phase::Running).await.pid(), Some(running.pid));

    house.ask(id, Verb::Shutdown, GRACE).await;
    let vm = house.until(id, Phase::Stopped).await;
    assert_eq!(vm.exits.iter().map(|exit| exit.cause).collect::<Vec<_>>(), [ExitCause::Shutdown]);
    assert!(vm.exits[0].console_tail.contains(&"fake guest: ready".to_owned()));
    assert_eq!((vm.pid(), vm.condition("Confined")), (None, None), "nothing is told of a process that is gone");
    assert!(house.living(id).is_empty());

    house.ask(id, Verb::Boot, GRACE).await;
    let vm = house.until(id, Phase::Running).await;
    assert_eq!((vm.last.map(|last| last.restarts), vm.placed.restarts), (Some(0), 0), "a boot is no restart");
    house.delete(id).await;
    house.assert_empty().await;
    assert_eq!(house.desk.reports(id).iter().filter(|report| report.sight == Sight::Released).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_deaf_guest_is_ended_when_its_time_is_up() {
    let house = House::up();
    house.vmm.expect(DEAF());
    let id = house.running("deaf", |_| {}).await;
    let asked = tokio::time::Instant::now();
    house.ask(id, Verb::Shutdown, GRACE).await;
    let vm = house.until(id, Phase::Stopped).await;
    assert!(asked.elapsed() >= Duration::from_secs(30) && asked.elapsed() < Duration::from_secs(32));
    assert_eq!(vm.exits[0].cause, ExitCause::Forced);
    assert!(vm.exits[0].message.contains("did not stop within 30 s"), "{}", vm.exits[0].message);
}

/// Its agent took it up in the instant before it went, so nobody saw how it ended.
#[tokio::test(start_paused = true)]
async fn what_goes_unseen_after_it_was_asked_is_no_failure() {
    let house = House::up();
    house.vmm.expect(DEAF());
    let id = house.running("a", |_| {}).await;
    house.ask(id, Verb::Shutdown, GRACE).await;
    pass(Duration::from_secs(1)).await;
    house.vmm.die(id, Ending::Unknown);
    let vm = house.until(id, Phase::Stopped).await;
    assert_eq!(vm.exits[0].cause, ExitCause::Forced);
    assert!(vm.exits[0].message.contains("as was asked"), "{}", vm.exits[0].message);

    house.vmm.expect(DEAF());
    let id = house.running("b", |_| {}).await;
    house.ask(id, Verb::Shutdown, GRACE).await;
    pass(Duration::from_secs(1)).await;
    house.vmm.die(id, Ending::Signal(11));
    assert_eq!(house.until(id, Phase::Failed).await.exits[0].cause, ExitCause::VmmDied, "this one was seen");
}

#[tokio::test(start_paused = true)]
async fn force_ends_at_once_and_a_held_guest_is_let_go_to_hear() {
    let house = House::up();
    let id = house.running("a", |_| {}).await;
    let asked = tokio::time::Instant::now();
    house.ask(id, Verb::Shutdown, StopHow::Force).await;
    assert_eq!(house.until(id, Phase::Stopped).await.exits[0].cause, ExitCause::Forced);
    assert!(asked.elapsed() < Duration::from_secs(1));

    let id = house.running("b", |_| {}).await;
    house.ask(id, Verb::Pause, GRACE).await;
    house.until(id, Phase::Paused).await;
    house.ask(id, Verb::Shutdown, GRACE).await;
    assert_eq!(house.until(id, Phase::Stopped).await.exits[0].cause, ExitCause::Shutdown);
}

#[tokio::test(start_paused = true)]
async fn a_driver_without_a_reset_gets_a_new_process() {
    let clock = Arc::new(clock::Paused::new());
    let mut capabilities = Fake::new(clock.clone()).capabilities().as_ref().clone();
    capabilities.features.remove(&Feature::Reset);
    let house = House::with(clock.clone(), Fake::with_capabilities(capabilities, clock), JailPolicy::Off);
    house.start();
    let id = house.running("a", |_| {}).await;
    let first = house.vm(id).pid();
    house.ask(id, Verb::Reboot, StopHow::Force).await;
    let second = house
        .until_so(id, "rebooted", |vm| {
            let running = vm.last.as_ref().and_then(|last| last.running.as_ref());
            running.is_some_and(|running| running.reboot_epoch == 1)
        })
        .await;
    assert_ne!(second.pid(), first);
    let sights: Vec<_> = house.desk.reports(id).iter().map(|report| report.sight).collect();
    assert!(!sights.contains(&Sight::Stopped) && !sights.contains(&Sight::Failed), "it was never down: {sights:?}");
}

#[tokio::test(start_paused = true)]
async fn a_guest_is_ready_when_its_agent_answers() {
    let house = House::up();
    let id = house
        .running("a", |draft| {
            let timeout = Duration::from_secs(60);
            draft.readiness = Some(Readiness { probe: ReadinessProbe::GuestAgent, timeout });
        })
        .await;
    let waits = house.vm(id).condition("Ready").expect("it is told");
    assert_eq!((waits.0, waits.1.as_str()), (Some(false), "Waiting"));
    house.vmm.behave(id, |guest| guest.agent_greets = true);
    let ready = |vm: &crate::house::desk::Vm| vm.condition("Ready").is_some_and(|it| it.1 == "GuestAgent");
    let vm = house.until_so(id, "ready", ready).await;
    assert_eq!(vm.condition("Ready").and_then(|it| it.0), Some(true));
}

#[tokio::test(start_paused = true)]
async fn a_graceful_reboot_is_a_new_process_and_a_forced_one_is_not() {
    let house = House::up();
    let id = house.running("a", |_| {}).await;
    let first = house.vm(id).pid();
    house.ask(id, Verb::Reboot, GRACE).await;
    let rebooted = |epoch| {
        move |vm: &crate::house::desk::Vm| {
            let running = vm.last.as_ref().and_then(|last| last.running.as_ref());
            running.is_some_and(|running| running.reboot_epoch == epoch)
        }
    };
    let second = house.until_so(id, "rebooted", rebooted(1)).await;
    assert_ne!(second.pid(), first);
    assert_eq!((second.phase, second.placed.restarts), (Phase::Running, 0));
    let sights: Vec<_> = house.desk.reports(id).iter().map(|report| report.sight).collect();
    assert!(!sights.contains(&Sight::Stopped) && !sights.contains(&Sight::Failed), "it was never down: {sights:?}");

    house.ask(id, Verb::Reboot, StopHow::Force).await;
    let third = house.until_so(id, "rebooted", rebooted(2)).await;
    assert_eq!((third.pid(), third.phase), (second.pid(), Phase::Running));

    // One that does not hear is reset when its time is up.
    house.ask(id, Verb::Shutdown, StopHow::Force).await;
    house.until(id, Phase::Stopped).await;
    house.vmm.expect(DEAF());
    house.ask(id, Verb::Boot, GRACE).await;
    let deaf = house.until(id, Phase::Running).await;
    house.ask(id, Verb::Reboot, GRACE).await;
    assert_eq!(house.until_so(id, "rebooted", rebooted(3)).await.pid(), deaf.pid());
}

#[tokio::test(start_paused = true)]
async fn a_changed_specification_is_prepared_at_rest() {
    let house = House::up();
    let id = house.create("a", |_| {});
    house.until(id, Phase::Created).await;
    house.desk.change(id, |placed| {
        let mut draft = placed.spec.as_ref().clone().into_draft();
        draft.disks.push(blank("more", 1 << 21));
        placed.spec = std::sync::Arc::new(draft.check().unwrap());
        placed.generation = 2;
    });
    house.until_so(id, "seen", |vm| vm.last.as_ref().is_some_and(|last| last.generation == 2)).await;
    assert!(house.disk.fake.paths().iter().any(|path| path.ends_with("disk-more.raw")));
    house.delete(id).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn an_older_placement_is_refused() {
    let house = House::up();
    let id = house.running("a", |_| {}).await;
    house.desk.change(id, |placed| placed.placement = 5);
    house.until_so(id, "told under 5", |vm| vm.last.as_ref().is_some_and(|last| last.placement == 5)).await;
    let mut old = house.vm(id).placed;
    (old.placement, old.desired.deleted) = (4, true);
    house.desk.say(&Placement::Set(Box::new(old)));
    house.idle().await;
    assert_eq!(house.living(id).len(), 1, "an older placement changes nothing");
}

#[tokio::test(start_paused = true)]
async fn a_removed_instance_goes_and_may_come_again_at_once() {
    let house = House::up();
    let id = house.running("a", |_| {}).await;
    let placed = house.vm(id).placed;
    house.desk.remove(id);
    house.assert_empty().await;
    // Again while its owner is letting go, and just after.
    for round in 1..64 {
        house.desk.place(weft_ports::link::Placed { placement: round, ..placed.clone() });
        house.until(id, Phase::Running).await;
        house.desk.remove(id);
        for _ in 0..round % 8 {
            tokio::task::yield_now().await;
        }
    }
    house.idle().await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn many_at_once_and_one_that_hangs_holds_up_none() {
    let house = House::up();
    let week = Duration::from_secs(7 * 86_400);
    house.vmm.expect_of(&"hung".parse().unwrap(), Behaviour { launch_delay: week, ..Behaviour::default() });
    let hung = house.create("hung", |_| {});
    house.until(hung, Phase::Created).await;
    house.ask(hung, Verb::Boot, GRACE).await;
    let begun = tokio::time::Instant::now();
    let ids: Vec<_> = (0..64).map(|n| house.create(&format!("vm-{n}"), |_| {})).collect();
    for id in &ids {
        house.until(*id, Phase::Created).await;
        house.desk.ask(*id, Verb::Boot, GRACE);
    }
    for id in &ids {
        house.until(*id, Phase::Running).await;
    }
    assert_eq!(house.vmm.living().len(), 64);
    for id in &ids {
        house.desk.ask(*id, Verb::DeleteForce, StopHow::Force);
    }
    house.desk.until("all gone", |desk| desk.ids() == [hung]).await;
    assert!(begun.elapsed() < Duration::from_secs(60), "nobody waited for the one that hangs");
    assert_eq!(house.vm(hung).phase, Phase::Starting);
}

#[tokio::test(start_paused = true)]
async fn the_node_introduces_itself_with_its_drivers_and_again_in_time() {
    let house = House::up();
    house.idle().await;
    let nodes = house.desk.nodes();
    assert_eq!(nodes.len(), 1);
    assert_eq!(nodes[0].facts.drivers[0].driver, "fake");
    assert_eq!(nodes[0].facts.allocatable_disk_bytes, 1 << 40);
    pass(Duration::from_secs(61)).await;
    assert_eq!(house.desk.nodes().len(), 3);
    house.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_launch_that_fails_is_told_and_a_boot_tries_again() {
    let house = House::up();
    let broken = Behaviour { launch_failure: Some("no such kernel".into()), ..Behaviour::default() };
    house.vmm.expect(broken);
    let id = house.create("a", |_| {});
    house.until(id, Phase::Created).await;
    let log = house.config.data_dir.join("vms").join(id.to_string()).join("vmm.log");
    std::fs::write(log, "first\nlast words\n").unwrap();
    house.ask(id, Verb::Boot, GRACE).await;
    let vm = house.until(id, Phase::Failed).await;
    assert_eq!(vm.exits[0].cause, ExitCause::LaunchFailed);
    assert!(vm.exits[0].message.contains("no such kernel"), "{}", vm.exits[0].message);
    assert_eq!(vm.exits[0].log_tail, ["first", "last words"]);
    let processes = |house: &House| {
        use weft_ports::claims::Claimed;
        house.claims.entries().iter().filter(|entry| matches!(entry.claim.what, Claimed::Process(_))).count()
    };
    house.idle().await;
    assert_eq!(processes(&house), 0, "the claim of what was not launched is let go");

    house.vmm.expect(Behaviour::default());
    house.ask(id, Verb::Boot, GRACE).await;
    house.until(id, Phase::Running).await;
    assert_eq!(processes(&house), 1);
    house.images.fail(Some(weft_domain::Fault::new(Reason::ImageUnavailable, "the mirror is away")));
    let other = house.create("b", |_| {});
    let vm = house.until(other, Phase::Failed).await;
    assert!(vm.condition("ImagePrepared").unwrap().2.contains("the mirror is away"));
    house.images.fail(None);
    house.until(other, Phase::Created).await;
    for id in [id, other] {
        house.delete(id).await;
    }
    house.assert_empty().await;
}
