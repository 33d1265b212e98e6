//! A running machine becomes what is asked of it, as far as it can while it runs.

use crate::house::{GRACE, House, RETRY, blank, pass};
use std::sync::Arc;
use std::time::Duration;
use weft_domain::instance::StopHow;
use weft_domain::lifecycle::Verb;
use weft_domain::spec::change::Change;
use weft_domain::spec::{Draft, Rng};
use weft_domain::{Fault, InstanceId, Phase, Reason};
use weft_ports::claims::{Claimed, Claims, Note};
use weft_ports::link::Reach;

fn roomy(draft: &mut Draft) {
    draft.cpu.max = 4;
    draft.disks.push(blank("data", 1 << 20));
}

/// More of everything that can be given to a machine as it runs.
fn more(draft: &mut Draft) {
    draft.cpu.boot = 2;
    draft.disks[0].source = blank("data", 1 << 22).source;
    draft.disks.push(blank("more", 1 << 21));
}

async fn applied(house: &House, id: InstanceId, generation: u64) {
    house.until_so(id, "applied", |vm| vm.applied() == generation).await;
}

fn is_as_wanted(house: &House, id: InstanceId) -> bool {
    house.vmm.spec(id).is_some_and(|spec| spec == *house.vm(id).placed.spec.as_ref().clone())
}

async fn size(house: &House, name: &str) -> u64 {
    let paths = house.disk.fake.paths();
    let path = paths.iter().find(|path| path.ends_with(name)).expect("it is there");
    weft_ports::volumes::Volumes::allocated_bytes(&house.disk.fake, path).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_can_be_changed_is_changed_as_it_runs() {
    let house = House::up();
    let id = house.running("a", roomy).await;
    let pid = house.vm(id).pid();
    assert_eq!((house.vm(id).applied(), house.vm(id).restart_required()), (1, vec![]));
    house.respec(id, more);
    applied(&house, id, 2).await;
    assert!(is_as_wanted(&house, id), "{:?}", house.vmm.asked(id));
    assert_eq!((house.vm(id).pid(), house.vm(id).restart_required()), (pid, vec![]));
    assert_eq!(size(&house, "disk-data.raw").await, 1 << 22, "its file has grown");
    let claimed = house.claims.entries();
    let disk = |name: &str| {
        claimed.iter().any(|entry| matches!(&entry.claim.what, Claimed::Disk(path) if path.ends_with(name)))
    };
    assert!(disk("disk-data.raw") && disk("disk-more.raw"));

    let asked = house.vmm.asked(id).len();
    house.kill().await;
    house.start();
    house.idle().await;
    assert_eq!((house.vmm.asked(id).len(), house.vm(id).applied()), (asked, 2), "nothing is done twice");
    house.delete(id).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_changed_waits_for_the_next_boot_and_is_told() {
    let house = House::up();
    let id = house.running("a", roomy).await;
    house.respec(id, |draft| {
        draft.rng = Some(Rng { source: "/dev/urandom".into(), iommu: false, rate_limit: None });
        draft.cpu.boot = 3;
    });
    applied(&house, id, 2).await;
    for restarted in [false, true] {
        let waits = house.vm(id).restart_required();
        assert_eq!(waits, ["vm.spec.rng"], "restarted: {restarted}");
        assert_eq!(house.vmm.asked(id), [Change::Cpus(3)]);
        house.kill().await;
        house.start();
        house.idle().await;
    }
    house.ask(id, Verb::Shutdown, StopHow::Force).await;
    let vm = house.until(id, Phase::Stopped).await;
    assert_eq!(vm.restart_required(), Vec::<String>::new(), "at rest nothing waits");
    house.ask(id, Verb::Boot, GRACE).await;
    let vm = house.until(id, Phase::Running).await;
    assert_eq!((vm.restart_required(), vm.applied()), (vec![], 2));
    assert!(is_as_wanted(&house, id));
}

#[tokio::test(start_paused = true)]
async fn a_blank_disk_grows_at_rest() {
    let house = House::up();
    let id = house.create("a", roomy);
    house.until(id, Phase::Created).await;
    house.respec(id, more);
    house.until_so(id, "seen", |vm| vm.last.as_ref().is_some_and(|last| last.generation == 2)).await;
    assert_eq!((size(&house, "disk-data.raw").await, size(&house, "disk-more.raw").await), (1 << 22, 1 << 21));
    house.ask(id, Verb::Boot, GRACE).await;
    house.until(id, Phase::Running).await;
    assert!(house.vmm.asked(id).is_empty(), "it was made so");
    house.delete(id).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_change_is_told_and_holds_up_no_other() {
    let house = House::up();
    let id = house.running("a", roomy).await;
    house.vmm.behave(id, |behaviour| behaviour.refuses = Some("2 CPUs".into()));
    house.respec(id, more);
    let vm = house.until_so(id, "refused", |vm| vm.condition("StepSucceeded").is_some()).await;
    let (holds, reason, message) = vm.condition("StepSucceeded").expect("it is told");
    assert_eq!((holds, reason.as_str()), (Some(false), "StepFailed"));
    assert!(message.contains("the fake VMM refuses: 2 CPUs"), "{message}");
    let spec = house.vmm.spec(id).expect("it runs");
    assert_eq!((spec.disks.len(), spec.cpu.boot, vm.applied(), vm.phase), (2, 1, 1, Phase::Running));

    let tries = || house.vmm.asked(id).iter().filter(|change| **change == Change::Cpus(2)).count();
    pass(RETRY * 100).await;
    assert!((5..12).contains(&tries()), "it is tried again, ever more rarely: {} tries", tries());
    assert!(house.vm(id).condition("StepSucceeded").is_some());
    house.vmm.behave(id, |behaviour| behaviour.refuses = None);
    applied(&house, id, 2).await;
    assert!(is_as_wanted(&house, id));
    assert_eq!(house.vm(id).condition("StepSucceeded"), None);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_taken_back_is_refused_no_more() {
    let house = House::up();
    let id = house.running("a", roomy).await;
    house.vmm.behave(id, |behaviour| behaviour.refuses = Some("CPUs".into()));
    house.respec(id, |draft| draft.cpu.boot = 2);
    house.until_so(id, "refused", |vm| vm.condition("StepSucceeded").is_some()).await;
    house.respec(id, |draft| draft.cpu.boot = 1);
    applied(&house, id, 3).await;
    assert_eq!(house.vm(id).condition("StepSucceeded"), None);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_hangs_over_a_change_can_be_ended() {
    for verb in [Verb::Shutdown, Verb::DeleteForce] {
        let house = House::up();
        let (id, other) = (house.running("a", roomy).await, house.running("b", roomy).await);
        house.vmm.behave(id, |behaviour| behaviour.body_delay = Duration::from_secs(3600));
        house.respec(id, more);
        house.idle().await;
        house.respec(other, more);
        applied(&house, other, 2).await;
        let asked = tokio::time::Instant::now();
        house.ask(id, verb, StopHow::Force).await;
        house.desk.until("ended", |_| house.living(id).is_empty()).await;
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
        house.delete(other).await;
        if verb == Verb::Shutdown {
            house.until(id, Phase::Stopped).await;
            house.delete(id).await;
        } else {
            house.desk.until("gone", |desk| desk.vm(id).is_none()).await;
        }
        house.assert_empty().await;
    }
}

/// The process of this instance as a weft of former days claimed it.
async fn forget_spec(house: &House, id: InstanceId) {
    let entries = house.claims.entries();
    let mut entry = entries
        .into_iter()
        .find(|entry| entry.claim.instance == id && matches!(entry.claim.what, Claimed::Process(_)))
        .expect("it runs");
    house.claims.release(vec![entry.claim.id]).await.unwrap();
    if let Claimed::Process(process) = &mut entry.claim.what {
        Arc::make_mut(process).spec = bytes::Bytes::new();
    }
    house.claims.claim(vec![entry.claim.clone()]).await.unwrap();
    let note = Note { spec: bytes::Bytes::new(), ..entry.note };
    house.claims.note(entry.claim.id, note).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_machine_of_a_former_weft_is_what_was_asked_if_that_is_known() {
    let house = House::up();
    let (known, unknown) = (house.running("a", roomy).await, house.running("b", roomy).await);
    house.kill().await;
    forget_spec(&house, known).await;
    forget_spec(&house, unknown).await;
    house.respec(unknown, more);
    house.start();
    house.idle().await;
    let vm = house.vm(unknown);
    assert_eq!((vm.restart_required(), vm.applied()), (vec!["vm.spec".to_owned()], 1));
    assert_eq!((house.vmm.asked(unknown), vm.phase), (vec![], Phase::Running));
    assert_eq!(house.vm(known).restart_required(), Vec::<String>::new());
    house.respec(known, more);
    applied(&house, known, 2).await;
    house.kill().await;
    house.start();
    house.idle().await;
    assert_eq!((house.vm(known).restart_required(), house.vm(known).applied()), (vec![], 2));
    assert!(is_as_wanted(&house, known));
}

/// Lives through two changes; whether the fuse blew on the way.
async fn live(points: i64) -> bool {
    let house = House::up();
    let id = house.running("a", roomy).await;
    house.idle().await;
    house.fuse.set(Some(points));
    house.respec(id, more);
    let mut killed = false;
    for generation in [2, 3] {
        let so = applied(&house, id, generation);
        tokio::pin!(so);
        loop {
            tokio::select! {
                biased;
                () = house.fuse.blows(), if !killed => {
                    killed = true;
                    house.kill().await;
                    house.fuse.set(None);
                    house.start();
                }
                () = &mut so => break,
            }
        }
        assert!(is_as_wanted(&house, id), "point {points}: {:?}", house.vmm.asked(id));
        assert_eq!(house.vm(id).restart_required(), Vec::<String>::new());
        if generation == 2 {
            house.respec(id, |draft| draft.cpu.boot = 4);
        }
    }
    killed |= house.fuse.is_blown();
    house.kill().await;
    house.fuse.set(None);
    house.start();
    house.delete(id).await;
    house.assert_empty().await;
    killed
}

#[tokio::test(start_paused = true)]
async fn a_kill_at_any_point_of_a_change_changes_nothing() {
    assert!(!live(i64::MAX / 2).await, "undisturbed, it is never killed");
    let mut points = 0;
    while live(points).await {
        points += 1;
    }
    assert!(points > 20, "there were only {points} points");
}

#[tokio::test(start_paused = true)]
async fn counters_and_interrupts_reach_the_machine_while_its_owner_is_busy() {
    let house = House::up();
    let id = house.running("a", roomy).await;
    assert_eq!(house.agent.counters(id).await.unwrap()["vmm"]["changes"], 0);
    house.agent.nmi(id).await.unwrap();
    house.ask(id, Verb::Shutdown, StopHow::Force).await;
    house.until(id, Phase::Stopped).await;
    let refused = |answer: Result<(), Fault>| answer.expect_err("it does not run").reason;
    assert_eq!(refused(house.agent.nmi(id).await), Reason::PhaseForbids);
    assert_eq!(refused(house.agent.nmi(InstanceId::from_bytes([1; 16])).await), Reason::PhaseForbids);
}

#[tokio::test(start_paused = true)]
async fn resets_of_the_guest_are_counted_and_told() {
    let house = House::up();
    let id = house.running("a", roomy).await;
    for count in 1..3 {
        house.vmm.reboot(id);
        let resets = |vm: &crate::house::desk::Vm| {
            vm.last.as_ref().and_then(|last| last.running.as_ref()).map(|running| running.resets)
        };
        house.until_so(id, "counted", |vm| resets(vm) == Some(count)).await;
    }
}
