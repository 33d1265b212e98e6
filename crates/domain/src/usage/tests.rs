//! The law of conservation, under whatever samples come.

use super::*;
use proptest::prelude::*;

fn ids() -> (InstanceId, IncarnationId) {
    (InstanceId::from_bytes([1; 16]), IncarnationId::from_bytes([2; 16]))
}

/// One step of a life.
#[derive(Debug, Clone)]
enum Event {
    Sample { nanos: u64, wall: i64, used: u64, resident: u64, edge: Edge },
    Missed,
    Restarted,
    Reset,
}

fn event() -> impl Strategy<Value = Event> {
    let edge = prop::sample::select(Edge::ALL.to_vec());
    prop_oneof![
        8 => (0..3_000_000_000u64, any::<i32>(), 0..1u64 << 40, 0..1u64 << 40, edge).prop_map(
            |(nanos, wall, used, resident, edge)| Event::Sample {
                nanos, wall: i64::from(wall) * 1_000_000_000, used, resident, edge
            }
        ),
        1 => Just(Event::Missed),
        1 => Just(Event::Restarted),
        1 => Just(Event::Reset),
    ]
}

fn sample(at: u64, wall: i64, counters: Amounts, resident: u64) -> Sample {
    let at = Stamp { monotonic_nanos: at, wall: Time::from_nanos(wall) };
    Sample { at, counters, resident_bytes: resident, granted_bytes: 1 << 30, sources: Sources::default() }
}

proptest! {
    #[test]
    fn records_of_an_epoch_sum_to_its_last_counter_less_its_first(events in prop::collection::vec(event(), 1..60)) {
        let (instance, incarnation) = ids();
        let (mut at, mut counters, mut wall, mut resident) = (77u64, Amounts::default(), 0, 4096);
        counters[Figure::Cpu] = 123;
        let mut tally = Tally::begin(instance, incarnation, sample(at, wall, counters, resident));
        let (mut first, mut sum, mut exact, mut sequence) = (counters, Amounts::default(), 0u128, 0);
        for event in events {
            match event {
                Event::Missed => tally.missed(),
                Event::Restarted => tally = Tally::resume(*tally.standing()),
                Event::Reset => {
                    counters = Amounts::default();
                    let record = tally.take(sample(at, wall, counters, resident), Edge::Tick).expect("time stands");
                    prop_assert_eq!(record.sequence, sequence);
                    sequence += 1;
                    if record.kind == Kind::Gap(Cause::Reset) {
                        prop_assert!(record.amounts.is_zero());
                        (first, sum, exact) = (counters, Amounts::default(), 0);
                    }
                }
                Event::Sample { nanos, wall: set, used, resident: then, edge } => {
                    at += nanos;
                    wall = set;
                    counters[Figure::Cpu] += used;
                    counters[Figure::NetSent] += used / 3;
                    exact += u128::from(nanos) * u128::from(resident);
                    resident = then;
                    let record = tally.take(sample(at, wall, counters, resident), edge).expect("time goes on");
                    prop_assert_eq!((record.sequence, record.to.monotonic_nanos), (sequence, at));
                    sequence += 1;
                    sum = sum.plus(&record.amounts);
                }
            }
            let used = counters.since(&first).expect("counters of an epoch only grow");
            prop_assert_eq!(sum[Figure::Cpu], used[Figure::Cpu]);
            prop_assert_eq!(sum[Figure::NetSent], used[Figure::NetSent]);
            prop_assert_eq!(u128::from(sum[Figure::MemoryResident]), exact / 1_000_000_000);
        }
    }

    #[test]
    fn a_bucket_holds_the_instant_before_the_end(nanos in any::<i64>()) {
        for width in Width::ALL {
            let begins = i128::from(bucket(Time::from_nanos(nanos), width)) * 1_000_000_000;
            let last = i128::from(nanos.saturating_sub(1));
            prop_assert!(begins <= last && last < begins + i128::from(width.seconds()) * 1_000_000_000);
        }
    }
}

#[test]
fn a_span_that_nobody_watched_is_a_gap_with_what_was_used() {
    let (instance, incarnation) = ids();
    let mut counters = Amounts::default();
    let first = sample(1_000_000_000, 0, counters, 10);
    let tally = Tally::begin(instance, incarnation, first);
    let mut tally = Tally::resume(*tally.standing());
    counters[Figure::Cpu] = 5;
    let gap = tally.take(sample(3_000_000_000, 0, counters, 10), Edge::Adopt).expect("a record");
    assert_eq!(gap.kind, Kind::Gap(Cause::Unwatched));
    assert_eq!((gap.amounts[Figure::Cpu], gap.amounts[Figure::MemoryResident]), (5, 20));
    let window = tally.take(sample(4_000_000_000, 0, counters, 10), Edge::Exit).expect("a record");
    assert_eq!((window.kind, window.sequence), (Kind::Window(Edge::Exit), 1));
}

#[test]
fn a_sample_from_before_the_last_is_no_record() {
    let (instance, incarnation) = ids();
    let mut tally = Tally::begin(instance, incarnation, sample(5, 0, Amounts::default(), 0));
    let before = tally.clone();
    assert_eq!(tally.take(sample(4, 0, Amounts::default(), 0), Edge::Tick), None);
    assert_eq!(tally, before);
}

#[test]
fn a_counter_that_is_read_elsewhere_is_another() {
    let (instance, incarnation) = ids();
    let mut counters = Amounts::default();
    counters[Figure::Cpu] = 5;
    let mut first = sample(0, 0, counters, 10);
    first.sources[Figure::Cpu] = Source::CgroupV1;
    let mut tally = Tally::begin(instance, incarnation, first);
    counters[Figure::Cpu] = 50;
    let mut then = sample(1_000_000_000, 0, counters, 10);
    then.sources[Figure::Cpu] = Source::Proc;
    // The source of a level says nothing about its course.
    then.sources[Figure::MemoryResident] = Source::Vmm;
    let gap = tally.take(then, Edge::Tick).expect("a record");
    assert_eq!((gap.kind, gap.amounts.is_zero()), (Kind::Gap(Cause::Reset), true));
    counters[Figure::Cpu] = 51;
    let window =
        tally.take(Sample { at: Stamp { monotonic_nanos: 2_000_000_000, ..then.at }, counters, ..then }, Edge::Tick);
    let window = window.expect("a record");
    assert_eq!((window.meter.epoch, window.amounts[Figure::Cpu]), (1, 1));
}

#[test]
fn memory_beyond_a_word_is_held_too() {
    let (instance, incarnation) = ids();
    let tally = Tally::begin(instance, incarnation, sample(0, 0, Amounts::default(), u64::MAX));
    let (held, residue) = tally.standing().held_for(1_500_000_001);
    let exact = u128::from(u64::MAX) * 1_500_000_001;
    assert_eq!(held[Figure::MemoryResident], u64::MAX, "it stays at its largest");
    assert_eq!(u128::from(residue[0]), exact % 1_000_000_000);
    assert_eq!(held[Figure::MemoryGranted], (1 << 30) * 3 / 2 + 1);
}

#[test]
fn what_ended_unseen_is_a_gap_without_amounts() {
    let (instance, incarnation) = ids();
    let mut counters = Amounts::default();
    counters[Figure::Cpu] = 7;
    let mut tally = Tally::begin(instance, incarnation, sample(5_000_000_000, 0, counters, 10));
    // The clock of another start of the machine.
    let at = Stamp { monotonic_nanos: 3, wall: Time::from_nanos(9) };
    let [gap, end] = tally.lose(at);
    assert_eq!((gap.kind, end.kind), (Kind::Gap(Cause::Unreadable), Kind::Window(Edge::Exit)));
    assert!(gap.amounts.is_zero() && end.amounts.is_zero(), "for how long it held memory is not known");
    assert_eq!((gap.to.monotonic_nanos, gap.to.wall, end.sequence), (5_000_000_000, at.wall, 1));
    let mut tally = Tally::resume(*Tally::begin(instance, incarnation, sample(5, 0, counters, 10)).standing());
    assert_eq!(tally.lose(at)[0].kind, Kind::Gap(Cause::Unwatched));
}

#[test]
fn what_is_counted_anew_is_another_epoch() {
    let (instance, incarnation) = ids();
    let mut counters = Amounts::default();
    counters[Figure::NetSent] = 100;
    let mut tally = Tally::begin(instance, incarnation, sample(0, 0, counters, 10));
    counters[Figure::NetSent] = 1_000;
    tally.renew(counters, Sources::default());
    counters[Figure::NetSent] = 1_001;
    let window = tally.take(sample(1_000_000_000, 0, counters, 10), Edge::Tick).expect("a record");
    assert_eq!((window.meter.epoch, window.amounts[Figure::NetSent]), (1, 1));
    assert_eq!(window.amounts[Figure::MemoryResident], 10, "memory is held on");
}

#[test]
fn names_differ() {
    let names: std::collections::BTreeSet<_> = Figure::ALL.iter().map(|figure| figure.as_str()).collect();
    assert_eq!(names.len(), Figure::ALL.len());
}
