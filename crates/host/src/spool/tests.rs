//! What is written in few bytes reads back, whatever it is, and what could not be written has changed nothing.

use super::Config;
use super::coder::{Before, Coder};
use super::core::Core;
use super::had::Book;
use super::reader::read_all;
use super::{recovery, seal};
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use weft_domain::usage::{Amounts, Cause, Edge, Figure, Kind, Meter, Record, Sample, Source, Sources, Stamp, Standing};
use weft_domain::{IncarnationId, InstanceId, NodeId, Time};
use weft_ports::spool::conformance::Fleet;

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![any::<u64>(), 0..1000_u64, Just(0), Just(u64::MAX)]
}

fn amounts() -> impl Strategy<Value = Amounts> {
    prop::collection::vec(number(), Figure::ALL.len()).prop_map(|values| {
        let mut amounts = Amounts::default();
        Figure::ALL.into_iter().zip(values).for_each(|(figure, value)| amounts[figure] = value);
        amounts
    })
}

fn sources() -> impl Strategy<Value = Sources> {
    prop::collection::vec(0..Source::ALL.len(), Figure::ALL.len()).prop_map(|values| {
        let mut sources = Sources::default();
        Figure::ALL.into_iter().zip(values).for_each(|(figure, value)| sources[figure] = Source::ALL[value]);
        sources
    })
}

fn stamp() -> impl Strategy<Value = Stamp> {
    (number(), any::<i64>()).prop_map(|(monotonic_nanos, wall)| Stamp { monotonic_nanos, wall: Time::from_nanos(wall) })
}

fn meter() -> impl Strategy<Value = Meter> {
    (0..4_u8, prop_oneof![Just(0), any::<u32>()]).prop_map(|(of, epoch)| {
        let (instance, incarnation) = (InstanceId::from_bytes([of; 16]), IncarnationId::from_bytes([of / 2; 16]));
        Meter { instance, incarnation, epoch }
    })
}

#[derive(Debug, Clone)]
enum Item {
    Record(Record),
    Standing(Standing),
}

fn item() -> impl Strategy<Value = Item> {
    let kind = prop_oneof![
        3 => Just(Kind::Window(Edge::Tick)),
        1 => prop::sample::select(Edge::ALL.to_vec()).prop_map(Kind::Window),
        1 => prop::sample::select(Cause::ALL.to_vec()).prop_map(Kind::Gap),
    ];
    let record = (meter(), number(), kind, (stamp(), stamp()), amounts(), sources()).prop_map(
        |(meter, sequence, kind, (from, to), amounts, sources)| {
            Item::Record(Record { meter, sequence, kind, from, to, amounts, sources })
        },
    );
    let standing = (meter(), number(), stamp(), amounts(), (number(), number()), sources()).prop_map(
        |(meter, sequence, at, counters, (one, other), sources)| {
            let last = Sample { at, counters, resident_bytes: one, granted_bytes: other, sources };
            Item::Standing(Standing { meter, sequence, last, residue: [other % 1_000_000_000, 7] })
        },
    );
    prop_oneof![record, standing]
}

fn put(coder: &mut Coder, items: &[Item], before: &mut Before, into: &mut Vec<u8>) {
    for item in items {
        match item {
            Item::Record(record) => coder.put_record(record, 1, before, into),
            Item::Standing(standing) => coder.put_standing(standing, 1, before, into),
        }
    }
}

fn standings(coder: &Coder) -> Vec<Standing> {
    coder.standings().copied().collect()
}

proptest! {
    #[test]
    fn whatever_is_written_reads_back(frames in prop::collection::vec((prop::collection::vec(item(), 0..12), any::<bool>()), 1..6)) {
        let (mut writer, mut reader, mut before) = (Coder::default(), Coder::default(), Before::default());
        for (items, fails) in frames {
            let (was, mut bytes, mut found) = (standings(&writer), Vec::new(), Vec::new());
            writer.begin(&mut before);
            put(&mut writer, &items, &mut before, &mut bytes);
            if fails {
                writer.undo(&mut before);
                prop_assert_eq!(standings(&writer), was);
                continue;
            }
            prop_assert!(reader.get(&bytes, 1, |record| found.push(record)).is_ok());
            let written: Vec<_> = items.iter().filter_map(|item| if let Item::Record(it) = item { Some(*it) } else { None }).collect();
            prop_assert_eq!(found, written);
            prop_assert_eq!(standings(&reader), standings(&writer));
            // Another segment knows all that this one does.
            let (mut next, mut opening, mut there) = (writer.anew(0), Vec::new(), Coder::default());
            next.put_all(&mut opening);
            prop_assert!(there.get(&opening, 2, |_| ()).is_ok());
            prop_assert_eq!(standings(&there), standings(&writer));
            let mut bytes = Vec::new();
            put(&mut next, &items, &mut Before::default(), &mut bytes);
            let mut again = Vec::new();
            prop_assert!(there.get(&bytes, 2, |record| again.push(record)).is_ok());
            let records: Vec<_> = items.iter().filter_map(|item| if let Item::Record(it) = item { Some(*it) } else { None }).collect();
            prop_assert_eq!(again, records);
        }
    }

    #[test]
    fn nonsense_is_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Coder::default().get(&bytes, 1, |_| ());
    }
}

#[test]
fn a_window_takes_few_bytes() {
    let (mut fleet, begun) = Fleet::begin(100, 1);
    let (mut coder, mut before, mut bytes) = (Coder::default(), Before::default(), Vec::new());
    begun.iter().for_each(|standing| coder.put_standing(standing, 1, &mut before, &mut bytes));
    bytes.clear();
    let mut windows = 0;
    for _ in 0..100 {
        coder.begin(&mut before);
        let (records, standings) = fleet.tick();
        windows += records.len();
        records.iter().for_each(|record| coder.put_record(record, 1, &mut before, &mut bytes));
        standings.iter().for_each(|standing| coder.put_standing(standing, 1, &mut before, &mut bytes));
    }
    assert!(bytes.len() < windows * 20, "{} bytes for {windows} windows", bytes.len());
}

/// Opens a spool of small segments, at this start of the machine.
fn opened(dir: &Path, boot_id: &str) -> Result<Core, crate::Error> {
    let config = Config::of(dir.to_owned(), NodeId::from_bytes([5; 16]));
    let config = Config { room_bytes: 64 << 10, segment_bytes: 4 << 10, ..config };
    let (_, had) = Book::open(dir)?;
    recovery::open(config, boot_id.to_owned(), had)
}

fn records(core: &Core) -> Vec<Record> {
    let mut records = Vec::new();
    core.segments.iter().for_each(|segment| drop(read_all(segment, 0, |record| records.push(record)).unwrap()));
    records
}

/// Five ticks, of which so many are sealed; what was written and where it is.
fn begun(dir: &Path, sealed: usize) -> (Vec<Record>, std::path::PathBuf) {
    let (mut fleet, begun) = Fleet::begin(4, 1);
    let core = Mutex::new(opened(dir, "one").unwrap());
    core.lock().unwrap().append(&[], &begun).unwrap();
    let mut written = Vec::new();
    for tick in 0..5 {
        let (records, standings) = fleet.tick();
        core.lock().unwrap().append(&records, &standings).unwrap();
        written.extend(records);
        if tick + 1 == sealed {
            let batch = seal(&core, &Mutex::default()).unwrap().unwrap();
            assert_eq!(batch.records, written);
        }
    }
    let path = core.into_inner().unwrap().segments.back().unwrap().path.clone();
    (written, path)
}

#[test]
fn a_machine_that_lost_power_may_have_lost_what_was_not_on_the_disk() {
    for sealed in [0, 3] {
        let dir = tempfile::tempdir().unwrap();
        let (written, path) = begun(dir.path(), sealed);
        let bytes = fs::read(&path).unwrap();
        let (mut cuts, mut errors) = (0, 0);
        for at in 0..bytes.len() {
            let mut spoilt = bytes.clone();
            spoilt[at] ^= 0x10;
            fs::write(&path, &spoilt).unwrap();
            match opened(dir.path(), "another") {
                Ok(core) => {
                    let found = records(&core);
                    assert!(found.len() >= sealed * 4 && found[..] == written[..found.len()], "{at}");
                    assert_eq!(core.segments.len(), 2, "another start of the machine begins another segment");
                    let fresh = core.segments.back().unwrap().path.clone();
                    fs::remove_file(fresh).unwrap();
                    cuts += 1;
                }
                Err(error) => {
                    assert!(matches!(error, crate::Error::SpoolDamaged { .. }), "{at}: {error}");
                    errors += 1;
                }
            }
        }
        // What is before a seal was on the disk.
        assert!(cuts > 100 && (errors > 200) == (sealed > 0), "{sealed} sealed: {cuts} cuts, {errors} errors");
    }
}

#[test]
fn a_segment_that_was_dropped_counts_once_though_its_file_came_back() {
    let dir = tempfile::tempdir().unwrap();
    let (mut fleet, begun) = Fleet::begin(9, 1);
    let mut core = opened(dir.path(), "one").unwrap();
    core.append(&[], &begun).unwrap();
    let oldest = core.segments[0].path.clone();
    let (mut kept, mut used) = (Vec::new(), weft_domain::usage::Dropped::default());
    while core.segments[0].path == oldest {
        kept = fs::read(&oldest).unwrap();
        let (records, standings) = fleet.tick();
        core.append(&records, &standings).unwrap();
        records.iter().for_each(|record| used.take(record));
    }
    assert!(!oldest.exists());
    // As where we were killed before the file was removed.
    fs::write(&oldest, kept).unwrap();
    let again = opened(dir.path(), "one").unwrap();
    assert!(!oldest.exists());
    let mut found = weft_domain::usage::Dropped::default();
    records(&again).iter().for_each(|record| found.take(record));
    assert_eq!(found.into_gaps(), used.into_gaps());
}

#[test]
fn a_segment_that_was_begun_and_never_opened_goes() {
    let dir = tempfile::tempdir().unwrap();
    let (written, path) = begun(dir.path(), 0);
    let next = super::segment::path(dir.path(), 2);
    for bytes in [Vec::new(), super::segment::header().to_vec(), fs::read(&path).unwrap()[..60].to_vec()] {
        fs::write(&next, bytes).unwrap();
        let core = opened(dir.path(), "one").unwrap();
        assert_eq!((records(&core), next.exists()), (written.clone(), false));
    }
}
