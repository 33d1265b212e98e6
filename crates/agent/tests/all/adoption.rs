//! An agent that is killed, and the next one on the same host.

use crate::house::desk::Vm;
use crate::house::{GRACE, House, pass};
use std::time::Duration;
use weft_domain::instance::{ExitCause, StopHow};
use weft_domain::lifecycle::Verb;
use weft_domain::spec::RestartPolicy;
use weft_domain::{ClaimId, Fault, IncarnationId, InstanceId, Phase, Reason};
use weft_ports::claims::{Claimed, Claims, Note};
use weft_ports::hypervisor::fake::{Answer, Behaviour, Button};
use weft_ports::hypervisor::{Boot, Hypervisor, Order, Origin};
use weft_ports::processes::{Confinement, Ending};
use weft_ports::volumes::Volumes;

fn causes(vm: &Vm) -> Vec<ExitCause> {
    vm.exits.iter().map(|exit| exit.cause).collect()
}

#[tokio::test(start_paused = true)]
async fn what_runs_is_taken_up_with_its_pid() {
    let house = House::up();
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        ids.push(house.running(name, |draft| draft.restart = RestartPolicy::Always).await);
    }
    house.ask(ids[1], Verb::Pause, GRACE).await;
    house.until(ids[1], Phase::Paused).await;
    let before: Vec<_> = ids.iter().map(|id| house.living(*id)).collect();
    for graceful in [false, true] {
        if graceful {
            house.stop().await
        } else {
            house.kill().await
        }
        house.start();
        house.idle().await;
        let told: Vec<_> = ids.iter().map(|id| house.vm(*id).pid().into_iter().collect::<Vec<_>>()).collect();
        assert_eq!(told, before);
    }
    assert_eq!((house.vm(ids[0]).phase, house.vm(ids[1]).phase), (Phase::Running, Phase::Paused));
    assert_eq!(house.vmm.launches().len(), 5, "none was launched twice");
    house.ask(ids[0], Verb::Shutdown, GRACE).await;
    assert_eq!(causes(&house.until(ids[0], Phase::Stopped).await), [ExitCause::Shutdown]);
}

#[tokio::test(start_paused = true)]
async fn what_ended_meanwhile_is_told_rightly() {
    type End = fn(&House, InstanceId);
    let table: [(End, ExitCause, Phase); 4] = [
        (|house, id| house.vmm.power_off(id), ExitCause::GuestPoweroff, Phase::Stopped),
        (|house, id| house.vmm.panic(id), ExitCause::GuestPanic, Phase::Failed),
        (|house, id| house.vmm.die(id, Ending::Unknown), ExitCause::VmmDied, Phase::Failed),
        (
            |house, id| {
                *house.host.boot_id.lock().unwrap() = Some("another".into());
                house.vmm.die(id, Ending::Unknown);
            },
            ExitCause::HostRestarted,
            Phase::Failed,
        ),
    ];
    for (end, cause, phase) in table {
        let house = House::up();
        let id = house.running("a", |_| {}).await;
        house.kill().await;
        end(&house, id);
        house.start();
        let vm = house.until(id, phase).await;
        assert_eq!(causes(&vm), [cause]);
        assert_eq!(vm.exits[0].console_tail, ["fake guest: ready"]);
        house.delete(id).await;
        house.assert_empty().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_launch_that_was_broken_off_is_done_anew() {
    let house = House::up();
    let id = house.running("a", |_| {}).await;
    let before = house.living(id);
    house.kill().await;
    house.vmm.answer(id, Answer::Unbegun);
    house.start();
    house.idle().await;
    let vm = house.until(id, Phase::Running).await;
    assert_eq!(causes(&vm), [], "what never ran has not ended");
    let now = house.living(id);
    assert!(now.len() == 1 && now != before && vm.pid() == now.first().copied(), "{before:?} {now:?} {:?}", vm.pid());
    house.delete(id).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_guests_time_is_not_given_anew() {
    let house = House::up();
    house.vmm.expect(Behaviour { button: Button::Ignored, ..Behaviour::default() });
    let id = house.running("deaf", |_| {}).await;
    let asked = tokio::time::Instant::now();
    house.ask(id, Verb::Shutdown, GRACE).await;
    pass(Duration::from_secs(20)).await;
    house.kill().await;
    house.start();
    let vm = house.until(id, Phase::Stopped).await;
    assert!(asked.elapsed() < Duration::from_secs(32), "{:?}", asked.elapsed());
    assert_eq!(causes(&vm), [ExitCause::Forced]);
}

#[tokio::test(start_paused = true)]
async fn nothing_waits_for_a_time_that_a_clock_set_back_has_yet_to_reach() {
    let house = House::up();
    house.vmm.expect(Behaviour { button: Button::Ignored, ..Behaviour::default() });
    let deaf = house.running("deaf", |_| {}).await;
    let dies = house.running("dies", |draft| draft.restart = RestartPolicy::OnFailure).await;
    house.ask(deaf, Verb::Shutdown, GRACE).await;
    house.vmm.die(dies, Ending::Signal(11));
    house.until_so(dies, "an exit", |vm| !vm.exits.is_empty()).await;
    house.kill().await;
    house.clock.set_back(Duration::from_secs(365 * 86_400));
    let begun = tokio::time::Instant::now();
    house.start();
    assert_eq!(causes(&house.until(deaf, Phase::Stopped).await), [ExitCause::Forced]);
    house.until(dies, Phase::Running).await;
    assert!(begun.elapsed() < Duration::from_secs(120), "{:?}", begun.elapsed());
    assert_eq!(house.vm(dies).exits.len(), 1, "an exit is told once");
}

#[tokio::test(start_paused = true)]
async fn what_was_wanted_meanwhile_is_done() {
    let house = House::up();
    let (a, b) = (house.running("a", |_| {}).await, house.running("b", |_| {}).await);
    house.kill().await;
    house.ask(a, Verb::DeleteForce, StopHow::Force).await;
    house.ask(b, Verb::Shutdown, StopHow::Force).await;
    house.start();
    house.desk.until("gone", |desk| desk.vm(a).is_none()).await;
    assert_eq!(causes(&house.until(b, Phase::Stopped).await), [ExitCause::Forced]);
    house.delete(b).await;
    house.assert_empty().await;
}

/// A process of `id` that somebody launched under this claim.
pub(crate) async fn launched(house: &House, id: InstanceId, claim: ClaimId) {
    let run_dir = house.config.run_dir.join(&claim.to_string()[claim.to_string().len() - 12..]);
    house.disk.make_folder(&run_dir).await.unwrap();
    let spec = house
        .desk
        .vm(id)
        .map(|vm| vm.placed.spec)
        .unwrap_or_else(|| std::sync::Arc::new(weft_domain::spec::Draft::default().check().unwrap()));
    let order = Order {
        claim,
        instance: id,
        name: "a".parse().unwrap(),
        incarnation: IncarnationId::new(weft_domain::Time::from_millis(1), [7; 10]),
        spec,
        boot: Boot::Firmware { firmware: "/f".into() },
        disks: Vec::new(),
        console_log: run_dir.join("console"),
        vmm_log: run_dir.join("vmm"),
        run_dir,
        confinement: Confinement::default(),
        ward: None,
        origin: Origin::Boot,
    };
    drop(house.vmm.launch(order).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn an_unclaimed_process_is_cleared() {
    let house = House::new();
    let (id, claim) = (InstanceId::from_bytes([9; 16]), ClaimId::from_bytes([9; 16]));
    launched(&house, id, claim).await;
    let text = claim.to_string();
    house.disk.remove(&house.config.run_dir.join(&text[text.len() - 12..])).await.unwrap();
    for left in ["lock.d", "0123456789ab"] {
        house.disk.make_folder(&house.config.run_dir.join(left)).await.unwrap();
    }
    house.start();
    house.idle().await;
    assert!(house.living(id).is_empty(), "it was a program that was looked at");
    let left = house.disk.entries(&house.config.run_dir).await.unwrap();
    assert_eq!(left, ["lock.d"], "sockets go; what is not named like ours stays");
}

#[tokio::test(start_paused = true)]
async fn whoever_says_nearly_the_claim_of_a_machine_keeps_nobody_from_beginning() {
    let house = House::up();
    let a = house.running("a", |_| {}).await;
    house.kill().await;
    let entries = house.claims.entries();
    let entry = entries.iter().find(|entry| matches!(entry.claim.what, Claimed::Process(_))).expect("it was claimed");
    // The folder of its sockets is named by the end of its claim, which everybody may read.
    let mut bytes = *entry.claim.id.as_bytes();
    bytes[0] ^= 1;
    let forger = InstanceId::from_bytes([9; 16]);
    launched(&house, forger, ClaimId::from_bytes(bytes)).await;
    house.start();
    house.idle().await;
    assert_eq!((house.living(a).len(), house.living(forger).len()), (1, 0));
    house.delete(a).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_the_journal_lost_is_neither_ended_nor_started_twice() {
    let house = House::up();
    let id = house.running("a", |_| {}).await;
    let pids = house.living(id);
    house.kill().await;
    let entries = house.claims.entries();
    let entry = entries.iter().find(|entry| matches!(entry.claim.what, Claimed::Process(_))).expect("it was claimed");
    house.claims.release(vec![entry.claim.id]).await.unwrap();
    let (_end, stop) = tokio::sync::watch::channel(false);
    let refused = house.agent.run(stop).await.expect_err("it does not go on");
    assert_eq!(refused.reason, Reason::StoreDamaged);
    let pid = pids[0].to_string();
    assert!(refused.message.contains("claims.log") && refused.message.contains(&pid), "{refused}");
    assert_eq!((house.living(id), house.vmm.launches().len()), (pids, 1));
    house.claims.claim(vec![entry.claim.clone()]).await.unwrap();
    house.start();
    house.until(id, Phase::Running).await;
    house.delete(id).await;
    house.assert_empty().await;
}

/// The newest claim of a process, without what was noted.
async fn forget_note(house: &House, note: Note) -> (ClaimId, InstanceId) {
    let entries = house.claims.entries();
    let entry = entries.iter().rfind(|entry| matches!(entry.claim.what, Claimed::Process(_))).expect("it was claimed");
    house.claims.note(entry.claim.id, note).await.unwrap();
    (entry.claim.id, entry.claim.instance)
}

#[tokio::test(start_paused = true)]
async fn a_process_that_was_not_noted_is_found_by_its_claim() {
    let house = House::up();
    let id = house.running("a", |_| {}).await;
    let pid = house.vm(id).pid();
    house.kill().await;
    let (claim, _) = forget_note(&house, Note::default()).await;
    house.start();
    house.idle().await;
    assert_eq!((house.vm(id).pid(), house.vmm.launches().len()), (pid, 1));
    let entries = house.claims.entries();
    let noted = entries.iter().find(|entry| entry.claim.id == claim).and_then(|entry| entry.note.alive.clone());
    assert_eq!(noted.map(|alive| alive.pid), pid, "now it is noted");
}

#[tokio::test(start_paused = true)]
async fn a_process_that_never_started_is_launched() {
    let house = House::up();
    let id = house.running("a", |_| {}).await;
    house.kill().await;
    let (claim, _) = forget_note(&house, Note::default()).await;
    weft_ports::processes::Processes::clear(house.vmm.as_ref(), claim).await.unwrap();
    let before = house.desk.reports(id).len();
    house.start();
    house.until_so(id, "launched anew", |vm| vm.last.as_ref().is_some_and(|last| last.running.is_some())).await;
    house.desk.until("told", |desk| desk.reports(id).len() > before).await;
    house.idle().await;
    assert_eq!((house.vmm.launches().len(), house.living(id).len()), (2, 1));
    assert_eq!(causes(&house.vm(id)), [], "what never began has no end");
}

#[tokio::test(start_paused = true)]
async fn what_was_found_and_ended_before_it_was_taken_up_is_launched() {
    let house = House::up();
    let id = house.running("a", |_| {}).await;
    house.kill().await;
    forget_note(&house, Note::default()).await;
    // As the launcher of an agent that is no more is found, and ends before anybody could speak to it.
    house.vmm.answer(id, Answer::Silent);
    house.start();
    house.until_so(id, "silent", |vm| vm.condition("StepSucceeded").is_some()).await;
    house.vmm.die(id, Ending::Unknown);
    house.vmm.answer(id, Answer::Given);
    house.until_so(id, "launched anew", |_| house.vmm.launches().len() == 2).await;
    house.until(id, Phase::Running).await;
    house.idle().await;
    assert_eq!((causes(&house.vm(id)), house.living(id).len()), (vec![], 1), "what nobody saw run has no end");
    house.delete(id).await;
    house.assert_empty().await;
}

/// The agent is killed and started again, and the VMM of this instance does not answer.
async fn silent_after_restart(house: &House, id: InstanceId) -> Vm {
    house.kill().await;
    house.vmm.answer(id, Answer::Silent);
    house.start();
    house.until_so(id, "silent", |vm| vm.condition("StepSucceeded").is_some()).await
}

#[tokio::test(start_paused = true)]
async fn a_silent_vmm_lives_and_is_not_launched_twice() {
    let house = House::up();
    let id = house.running("a", |draft| draft.restart = RestartPolicy::Always).await;
    let pid = house.vm(id).pid();
    let vm = silent_after_restart(&house, id).await;
    let (holds, _, message) = vm.condition("StepSucceeded").expect("it is visible");
    assert!(holds == Some(false) && message.contains("does not answer"), "{message}");
    assert_eq!((vm.phase, vm.pid()), (Phase::Running, pid), "what lives has not failed");
    pass(Duration::from_secs(600)).await;
    assert_eq!((house.vmm.launches().len(), house.living(id).len()), (1, 1));
    house.vmm.answer(id, Answer::Given);
    let vm = house.until_so(id, "taken up", |vm| vm.condition("StepSucceeded").is_none()).await;
    assert_eq!((vm.phase, vm.pid()), (Phase::Running, pid));
    house.ask(id, Verb::Pause, GRACE).await;
    house.until(id, Phase::Paused).await;
    assert_eq!(silent_after_restart(&house, id).await.phase, Phase::Paused);
    house.delete(id).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_vmm_is_ended_when_its_time_is_up_or_at_once() {
    for (how, least) in [(GRACE, Duration::from_secs(29)), (StopHow::Force, Duration::ZERO)] {
        let house = House::up();
        let id = house.running("a", |_| {}).await;
        silent_after_restart(&house, id).await;
        let asked = tokio::time::Instant::now();
        house.ask(id, Verb::Shutdown, how).await;
        let vm = house.until(id, Phase::Stopped).await;
        let took = asked.elapsed();
        assert!(took >= least && took < least + Duration::from_secs(10), "{took:?}");
        assert_eq!((house.living(id).len(), causes(&vm)), (0, vec![ExitCause::Forced]));
        house.delete(id).await;
        house.assert_empty().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_exit_that_was_noted_and_not_told_is_told_once() {
    let house = House::up();
    let id = house.running("a", |_| {}).await;
    house.desk.refuse(Some(Fault::new(Reason::StoreFull, "full")));
    house.vmm.power_off(id);
    house.idle().await;
    house.kill().await;
    let entries = house.claims.entries();
    assert!(entries.iter().any(|entry| entry.note.exit.is_some()), "it is in the journal");
    house.desk.refuse(None);
    house.start();
    assert_eq!(causes(&house.until(id, Phase::Stopped).await), [ExitCause::GuestPoweroff]);
    house.kill().await;
    house.start();
    house.idle().await;
    assert_eq!(causes(&house.vm(id)), [ExitCause::GuestPoweroff]);
    assert_eq!(house.vmm.launches().len(), 1);
}
