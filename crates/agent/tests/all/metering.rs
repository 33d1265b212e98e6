//! What machines used: measured at whole intervals and at every boundary of their lives.

use crate::house::metered::Mood;
use crate::house::{GRACE, House, pass};
use std::time::Duration;
use weft_domain::instance::StopHow;
use weft_domain::lifecycle::Verb;
use weft_domain::spec::{Attachment, Nic};
use weft_domain::usage::{Amounts, Cause, Edge, Figure, Kind, Record};
use weft_domain::{ClaimId, InstanceId, Phase, Time};
use weft_ports::claims::Claimed;
use weft_ports::link::UsageReach;
use weft_ports::processes::{Ending, Processes};
use weft_ports::spool::RawQuery;

const TICK: Duration = Duration::from_millis(100);
const HOUR: i64 = 3_600_000_000_000;

/// The claim of the process of an instance.
pub(crate) fn claim(house: &House, id: InstanceId) -> ClaimId {
    let entries = house.claims.entries();
    let process =
        entries.iter().rev().find(|it| it.claim.instance == id && matches!(it.claim.what, Claimed::Process(_)));
    process.expect("it runs").claim.id
}

fn kinds(records: &[Record]) -> Vec<Kind> {
    records.iter().map(|record| record.kind).collect()
}

fn sum(records: &[Record]) -> Amounts {
    records.iter().fold(Amounts::default(), |sum, record| sum.plus(&record.amounts))
}

/// The records of the only process that there was.
fn only(house: &House) -> Vec<Record> {
    let mut all = house.metered.by_incarnation();
    assert_eq!(all.len(), 1);
    all.pop_first().expect("there is one").1
}

const TICKED: Kind = Kind::Window(Edge::Tick);
const ENDED: Kind = Kind::Window(Edge::Exit);

#[tokio::test(start_paused = true)]
async fn a_life_is_measured_from_end_to_end() {
    let house = House::up();
    let id = house.running("a", |draft| draft.memory.hotplug_bytes = 1 << 30).await;
    let (claim, dials) = (claim(&house, id), house.metered.dials.clone());
    let work = |nanos| dials.work(claim, nanos);
    work(7);
    dials.pass(TICK * 3);
    work(100);
    house.ask(id, Verb::Pause, GRACE).await;
    house.until(id, Phase::Paused).await;
    dials.pass(TICK);
    house.ask(id, Verb::Resume, GRACE).await;
    house.until(id, Phase::Running).await;
    work(1_000);
    house.ask(id, Verb::Reboot, StopHow::Force).await;
    house
        .until_so(id, "rebooted", |vm| {
            vm.last.as_ref().and_then(|last| last.running.as_ref()).is_some_and(|running| running.reboot_epoch == 1)
        })
        .await;
    house.vmm.reboot(id);
    house.idle().await;
    house.respec(id, |draft| draft.memory.size_bytes = 512 << 20);
    house.idle().await;
    work(10_000);
    house.ask(id, Verb::Shutdown, GRACE).await;
    house.until(id, Phase::Stopped).await;
    let records = only(&house);
    let edges: Vec<_> = kinds(&records).into_iter().filter(|kind| *kind != TICKED).collect();
    let expected = [Edge::Pause, Edge::Resume, Edge::Reboot, Edge::Reboot, Edge::Resize, Edge::Exit];
    assert_eq!(edges, expected.map(Kind::Window));
    assert_eq!(sum(&records)[Figure::Cpu], 11_107);
    assert_eq!(sum(&records)[Figure::DiskWritten], 111);
    house.delete(id).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn memory_counts_by_the_monotonic_clock_whatever_the_wall_says() {
    let house = House::up();
    let id = house.running("a", |draft| draft.memory.hotplug_bytes = 1 << 30).await;
    let dials = house.metered.dials.clone();
    dials.work(claim(&house, id), 1_000_000_000);
    dials.pass(TICK);
    for step in [HOUR, -2 * HOUR, HOUR] {
        dials.step_wall(step);
        dials.pass(TICK * 5);
    }
    house.respec(id, |draft| draft.memory.size_bytes = 512 << 20);
    house.idle().await;
    let (before, records) = (only(&house), only(&house));
    dials.pass(Duration::from_secs(2));
    let after = only(&house)[before.len()..].to_vec();
    for (bytes, records) in [(256u128 << 20, records), (512 << 20, after)] {
        let nanos = records.last().unwrap().to.monotonic_nanos - records[0].from.monotonic_nanos;
        let exact = bytes * u128::from(nanos) / 1_000_000_000;
        let granted = u128::from(sum(&records)[Figure::MemoryGranted]);
        assert!(granted.abs_diff(exact) <= 1, "{granted} of {exact}");
        assert!(records.iter().all(|record| record.kind != Kind::Gap(Cause::Reset)));
    }
    let first = only(&house);
    assert!(first.windows(2).any(|pair| pair[1].to.wall < pair[0].to.wall), "the wall clock went back");
    house.delete(id).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_used_while_no_agent_ran_is_one_gap() {
    for graceful in [false, true] {
        let house = House::up();
        let ids = [house.running("a", |_| {}).await, house.running("b", |_| {}).await];
        let dials = house.metered.dials.clone();
        dials.pass(TICK * 2);
        if graceful {
            house.stop().await
        } else {
            house.kill().await
        }
        ids.iter().for_each(|id| dials.work(claim(&house, *id), 500));
        dials.leap(Duration::from_secs(10));
        dials.step_wall(-HOUR);
        house.start();
        house.idle().await;
        dials.pass(TICK);
        for records in house.metered.by_incarnation().values() {
            let gaps: Vec<_> = records.iter().filter(|record| matches!(record.kind, Kind::Gap(_))).collect();
            assert_eq!(gaps.len(), 1);
            assert_eq!(gaps[0].kind, Kind::Gap(Cause::Unwatched));
            assert_eq!(gaps[0].amounts[Figure::Cpu], 500);
            assert!(gaps[0].amounts[Figure::MemoryGranted] >= (256 << 20) * 10);
            assert_eq!(sum(records)[Figure::Cpu], 500, "nothing is counted twice");
        }
        for id in ids {
            house.delete(id).await;
        }
        house.assert_empty().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_ended_while_no_agent_ran_has_a_last_reading_if_its_group_is_left() {
    for cleared in [false, true] {
        let house = House::up();
        let id = house.running("a", |_| {}).await;
        let (claim, dials) = (claim(&house, id), house.metered.dials.clone());
        dials.pass(TICK);
        house.kill().await;
        dials.work(claim, 900);
        house.vmm.die(id, Ending::Unknown);
        if cleared {
            Processes::clear(house.host.as_ref(), claim).await.unwrap();
        }
        dials.leap(Duration::from_secs(86_400));
        house.start();
        house.until(id, Phase::Failed).await;
        let records = only(&house);
        let [.., gap, end] = &records[..] else { panic!("{records:?}") };
        assert_eq!((gap.kind, end.kind), (Kind::Gap(Cause::Unwatched), ENDED));
        assert_eq!(gap.amounts[Figure::Cpu], if cleared { 0 } else { 900 });
        assert_eq!(gap.amounts[Figure::MemoryGranted], 0, "nobody knows for how long it held memory");
        house.delete(id).await;
        house.assert_empty().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_of_the_host_ends_all_with_a_gap() {
    let house = House::up();
    let id = house.running("a", |_| {}).await;
    house.metered.dials.pass(TICK);
    house.kill().await;
    *house.host.boot_id.lock().unwrap() = Some("another".into());
    house.vmm.die(id, Ending::Unknown);
    house.start();
    house.until(id, Phase::Failed).await;
    let records = only(&house);
    assert_eq!(kinds(&records)[records.len() - 2..], [Kind::Gap(Cause::Unwatched), ENDED]);
    house.delete(id).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn counters_that_begin_anew_are_another_epoch_and_nothing_is_billed_for_the_span() {
    let house = House::up();
    let id = house.running("a", |_| {}).await;
    let (claim, dials) = (claim(&house, id), house.metered.dials.clone());
    dials.work(claim, 100);
    dials.pass(TICK);
    dials.reset(claim);
    dials.work(claim, 30);
    dials.pass(TICK);
    dials.work(claim, 5);
    dials.pass(TICK);
    let records = only(&house);
    let told: Vec<_> = records.iter().map(|it| (it.kind, it.meter.epoch, it.amounts[Figure::Cpu])).collect();
    assert_eq!(told, [(TICKED, 0, 100), (Kind::Gap(Cause::Reset), 0, 0), (TICKED, 1, 5)]);
    house.delete(id).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_span_that_cannot_be_read_is_a_gap_with_what_was_used() {
    let house = House::up();
    let id = house.running("a", |_| {}).await;
    let (claim, dials) = (claim(&house, id), house.metered.dials.clone());
    dials.pass(TICK);
    dials.hide(claim, true);
    dials.work(claim, 77);
    dials.pass(TICK * 30);
    house.ask(id, Verb::Pause, GRACE).await;
    house.until(id, Phase::Paused).await;
    assert_eq!(only(&house).len(), 1, "nothing is invented");
    dials.hide(claim, false);
    dials.pass(TICK * 10);
    let gap = only(&house)[1];
    assert_eq!((gap.kind, gap.amounts[Figure::Cpu]), (Kind::Gap(Cause::Unreadable), 77));
    dials.hide(claim, true);
    house.delete(id).await;
    let records = only(&house);
    assert_eq!(kinds(&records)[records.len() - 2..], [Kind::Gap(Cause::Unreadable), ENDED]);
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn while_the_spool_is_full_windows_grow_wider_and_boundaries_wait() {
    let house = House::up();
    let id = house.running("a", |_| {}).await;
    let (claim, dials) = (claim(&house, id), house.metered.dials.clone());
    dials.pass(TICK);
    house.metered.roll.fill(true);
    for _ in 0..5 {
        dials.work(claim, 10);
        dials.pass(TICK);
    }
    assert_eq!(only(&house).len(), 1);
    house.metered.roll.fill(false);
    dials.pass(TICK);
    let wide = only(&house)[1];
    assert_eq!((wide.kind, wide.amounts[Figure::Cpu]), (TICKED, 50));
    assert!(wide.to.monotonic_nanos - wide.from.monotonic_nanos > 5 * 100_000_000, "{wide:?}");
    house.metered.roll.fill(true);
    house.ask(id, Verb::Pause, GRACE).await;
    house.until(id, Phase::Paused).await;
    dials.pass(TICK * 2);
    house.delete(id).await;
    assert_eq!(only(&house).len(), 2, "its end waits, and holds up nobody");
    house.metered.roll.fill(false);
    dials.pass(TICK);
    let records = only(&house);
    assert!(kinds(&records).contains(&Kind::Window(Edge::Pause)));
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn what_waited_as_the_agent_was_killed_is_told_as_a_gap() {
    let house = House::up();
    let id = house.running("a", |_| {}).await;
    house.metered.dials.pass(TICK);
    house.metered.roll.fill(true);
    house.delete(id).await;
    house.kill().await;
    house.metered.roll.fill(false);
    house.start();
    house.idle().await;
    assert_eq!(kinds(&only(&house)), [TICKED, Kind::Gap(Cause::Unwatched), ENDED]);
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn ticks_that_were_missed_are_not_made_up() {
    let house = House::up();
    let id = house.running("a", |_| {}).await;
    let dials = house.metered.dials.clone();
    let due = dials.settled().unwrap();
    dials.pass(TICK * 2);
    dials.leap(TICK * 10 + TICK / 2);
    dials.pass(TICK * 2);
    let ends: Vec<_> = only(&house).iter().map(|record| (record.to.monotonic_nanos - due) / 50_000_000).collect();
    assert_eq!(ends, [0, 2, 23, 24, 26], "in halves of an interval, after the first");
    house.delete(id).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_nic_that_is_plugged_counts_from_then_on_and_one_that_goes_takes_nothing_along() {
    let house = House::up();
    let tap = |name: &str| Nic::new(name, Attachment::Tap(format!("tap-{name}")));
    let id = house.running("a", |draft| draft.nics.push(tap("one"))).await;
    let (claim, dials) = (claim(&house, id), house.metered.dials.clone());
    dials.carry("tap-one", 5);
    dials.carry("tap-two", 1_000_000);
    dials.pass(TICK);
    house.respec(id, |draft| draft.nics.push(tap("two")));
    house.idle().await;
    dials.carry("tap-two", 30);
    dials.work(claim, 3);
    dials.pass(TICK);
    house.respec(id, |draft| draft.nics.retain(|nic| nic.name == "two"));
    house.idle().await;
    dials.carry("tap-two", 200);
    dials.carry("tap-one", 9);
    dials.pass(TICK);
    let records = only(&house);
    assert_eq!(sum(&records)[Figure::NetSent], 235);
    assert_eq!(sum(&records)[Figure::Cpu], 3);
    assert!(records.iter().all(|record| matches!(record.kind, Kind::Window(_))), "no span was unwatched");
}

#[tokio::test(start_paused = true)]
async fn a_process_that_nobody_wrote_down_begins_with_a_gap_and_nothing_is_billed_for_it() {
    let house = House::up();
    let id = house.running("a", |_| {}).await;
    let (claim, dials) = (claim(&house, id), house.metered.dials.clone());
    dials.work(claim, 800);
    dials.pass(TICK);
    house.kill().await;
    house.metered.roll.lose();
    house.start();
    house.idle().await;
    dials.work(claim, 20);
    dials.pass(TICK);
    let records = only(&house);
    assert_eq!(kinds(&records), [Kind::Gap(Cause::Unwatched), TICKED]);
    assert_eq!(sum(&records)[Figure::Cpu], 20, "the rest may have been told before");
    house.delete(id).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn control_takes_each_record_once_whatever_becomes_of_batches() {
    let house = House::up();
    let id = house.running("a", |_| {}).await;
    let (claim, dials, till) = (claim(&house, id), house.metered.dials.clone(), house.metered.till.clone());
    till.expect([Mood::Refuses, Mood::Refuses, Mood::Mumbles]);
    for round in 0..40 {
        dials.work(claim, 10);
        dials.pass(TICK * 3);
        pass(Duration::from_secs(2)).await;
        match round {
            9 => till.expect([Mood::Forgets, Mood::Mumbles, Mood::Refuses]),
            20 => {
                house.kill().await;
                house.start();
                house.idle().await;
            }
            _ => {}
        }
    }
    pass(Duration::from_secs(600)).await;
    house.delete(id).await;
    pass(Duration::from_secs(5)).await;
    assert!(till.records() == house.metered.roll.records(), "all of them, in their order");
    let asked = RawQuery { instances: vec![id], from: Time::from_millis(0), to: Time::from_nanos(i64::MAX), most: 3 };
    assert_eq!(house.agent.records(asked).await.unwrap(), house.metered.roll.records()[..3]);
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn what_the_spool_had_no_room_for_is_passed_over() {
    let house = House::up();
    let id = house.running("a", |_| {}).await;
    let (dials, roll, till) = (&house.metered.dials, &house.metered.roll, &house.metered.till);
    dials.pass(TICK);
    pass(Duration::from_secs(2)).await;
    let known = till.records().len();
    till.expect([Mood::Refuses; 40]);
    dials.pass(TICK * 3);
    pass(Duration::from_secs(2)).await;
    let (dropped, gone) = (roll.drop_batches(), roll.records().len());
    assert_eq!((dropped, known), (2, 1));
    dials.pass(TICK);
    pass(Duration::from_secs(3_600)).await;
    assert!(till.records()[known..] == roll.records()[gone..], "it goes on after them");
    house.delete(id).await;
}

#[tokio::test(start_paused = true)]
async fn a_boundary_that_ends_a_gap_is_told_after_it() {
    let house = House::up();
    let id = house.running("a", |_| {}).await;
    let (claim, dials) = (claim(&house, id), house.metered.dials.clone());
    dials.hide(claim, true);
    house.kill().await;
    house.start();
    house.idle().await;
    dials.hide(claim, false);
    house.ask(id, Verb::Pause, GRACE).await;
    house.until(id, Phase::Paused).await;
    assert_eq!(kinds(&only(&house)), [Kind::Gap(Cause::Unwatched), Kind::Window(Edge::Pause)]);
    dials.work(claim, 9);
    dials.pass(TICK);
    dials.reset(claim);
    house.vmm.die(id, Ending::Unknown);
    house.until(id, Phase::Failed).await;
    let records = only(&house);
    let reset = records.iter().position(|record| record.kind == Kind::Gap(Cause::Reset));
    assert!(reset.is_some() && records.last().unwrap().kind == ENDED, "{records:?}");
    house.delete(id).await;
    house.assert_empty().await;
}
