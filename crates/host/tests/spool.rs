//! The spool on a real disk: its conformance suite, and what goes wrong.

#![expect(clippy::unwrap_used, reason = "all of this is tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use weft_domain::usage::{Dropped, Record, Standing};
use weft_domain::{Fault, NodeId, Reason, Time};
use weft_host::spool::{Config, Segments, open};
use weft_ports::spool::conformance::{self, Fleet, batches};
use weft_ports::spool::{Consumer, RawQuery, Spool};

/// Some room, and a sixteenth of it.
const LITTLE: u64 = 64 << 10;

fn config(dir: &Path, room_bytes: u64) -> Config {
    let keep = Duration::from_secs(365 * 86_400);
    let (consumers, segment_bytes) = (Consumer::ALL.to_vec(), room_bytes / 16);
    let usual = Config::of(dir.to_owned(), NodeId::from_bytes([5; 16]));
    Config { room_bytes, segment_bytes, keep, consumers, ..usual }
}

fn opened(dir: &Path) -> Segments {
    open(config(dir, 256 << 20)).unwrap()
}

fn refused(dir: &Path) -> Fault {
    open(config(dir, 256 << 20)).map(drop).unwrap_err().into()
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = entries.filter(|path| path.extension().is_some_and(|it| it == "log")).collect();
    paths.sort();
    paths
}

fn length(dir: &Path) -> u64 {
    segments(dir).iter().map(|path| fs::metadata(path).unwrap().len()).sum()
}

async fn all(spool: &dyn Spool) -> Vec<Record> {
    batches(spool, spool.first() - 1).await.into_iter().flat_map(|batch| batch.records).collect()
}

#[tokio::test]
async fn keeps_the_laws() {
    let dir = tempfile::tempdir().unwrap();
    conformance::all(|| async { Box::new(opened(dir.path())) as Box<dyn Spool> }).await;
}

#[tokio::test]
async fn keeps_the_laws_in_many_segments() {
    let dir = tempfile::tempdir().unwrap();
    let small = Config { segment_bytes: 10_000, ..config(dir.path(), 16 << 20) };
    conformance::all(|| async { Box::new(open(small.clone()).unwrap()) as Box<dyn Spool> }).await;
    assert!(segments(dir.path()).len() > 20, "{}", segments(dir.path()).len());
}

#[tokio::test]
async fn stays_in_its_room() {
    let dir = tempfile::tempdir().unwrap();
    let room = LITTLE;
    let spool = open(Config { consumers: vec![Consumer::Ledger], ..config(dir.path(), room) }).unwrap();
    conformance::bounded(&spool).await;
    assert!(length(dir.path()) < 2 * room, "{}", length(dir.path()));
    drop(spool);
    let spool = open(config(dir.path(), room)).unwrap();
    assert!(spool.first() > 1 && !all(&spool).await.is_empty());
}

#[tokio::test]
async fn a_consumer_that_never_reads_costs_no_more_than_the_room() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(config(dir.path(), LITTLE)).unwrap();
    let (mut fleet, begun) = Fleet::begin(20, 1);
    spool.append(&[], &begun).unwrap();
    let mut most = 0;
    for _ in 0..1_500 {
        let (records, standings) = fleet.tick();
        spool.append(&records, &standings).unwrap();
        most = most.max(length(dir.path()));
    }
    assert!(most < 2 * LITTLE, "{most}");
    assert_eq!(spool.standings().len(), 20);
}

/// One thread writes, and the ledger is away so long each time that room runs out.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_while_it_is_written_and_dropped_counts_once() {
    const AWAY: u64 = 400;
    let dir = tempfile::tempdir().unwrap();
    let spool = Arc::new(open(config(dir.path(), 2 * LITTLE)).unwrap());
    let (mut fleet, begun) = Fleet::begin(40, 1);
    spool.append(&[], &begun).unwrap();
    // How many ticks were written, and how many may be while a batch is in the ledger's hands.
    let counts = Arc::new((AtomicU64::new(0), AtomicU64::new(u64::MAX)));
    let (writing, counting) = (Arc::clone(&spool), Arc::clone(&counts));
    let writer = std::thread::spawn(move || {
        let mut used = Dropped::default();
        for tick in 0..2_000 {
            while tick >= counting.1.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            let (records, standings) = fleet.tick();
            writing.append(&records, &standings).unwrap();
            records.iter().for_each(|record| used.take(record));
            counting.0.store(tick + 1, Ordering::SeqCst);
        }
        used.into_gaps()
    });
    let (mut had, mut found, mut missed, mut until) = (0, Dropped::default(), 0, AWAY);
    loop {
        let last = writer.is_finished();
        while !last && counts.0.load(Ordering::SeqCst) < until.min(2_000) {
            tokio::task::yield_now().await;
        }
        counts.1.store(counts.0.load(Ordering::SeqCst) + 20, Ordering::SeqCst);
        match spool.batch(had, Duration::ZERO).await {
            Ok(Some(batch)) => {
                assert!(batch.is_whole() && batch.sequence == had + 1);
                batch.records.iter().for_each(|record| found.take(record));
                had = batch.sequence;
                spool.acknowledge(Consumer::Ledger, had).await.unwrap();
            }
            Ok(None) if last => break,
            Ok(None) => until = counts.0.load(Ordering::SeqCst) + AWAY,
            Err(fault) => {
                assert_eq!(fault.reason, Reason::RevisionCompacted, "{fault:?}");
                had = spool.first() - 1;
                missed += 1;
            }
        }
        counts.1.store(u64::MAX, Ordering::SeqCst);
    }
    assert!(missed > 0, "room ran out");
    assert_eq!(found.into_gaps(), writer.join().unwrap());
}

#[tokio::test]
async fn what_everybody_has_goes_by_its_age() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config { keep: Duration::from_secs(60), ..config(dir.path(), 16 * LITTLE) };
    let spool = open(config).unwrap();
    let (mut fleet, begun) = Fleet::begin(50, 1);
    spool.append(&[], &begun).unwrap();
    let mut had = 0;
    for tick in 0..2_000 {
        let (records, standings) = fleet.tick();
        spool.append(&records, &standings).unwrap();
        if tick % 100 == 99 {
            had = batches(&spool, had).await.last().unwrap().sequence;
            spool.acknowledge(Consumer::Ledger, had).await.unwrap();
            spool.acknowledge(Consumer::Sink, had).await.unwrap();
        }
    }
    assert!(spool.first() > 1, "two hundred seconds are more than a minute");
    let everything = RawQuery {
        instances: Vec::new(),
        from: Time::from_nanos(i64::MIN),
        to: Time::from_nanos(i64::MAX),
        most: usize::MAX,
    };
    let kept = spool.read(everything).await.unwrap().len();
    assert!((50 * 600..50 * 1_500).contains(&kept), "{kept} records are kept");
}

/// A spool of some ticks of which the first half is sealed; the records of each, and where all stand at the end.
async fn sample(dir: &Path) -> (Vec<Vec<Record>>, Vec<Standing>) {
    let spool = opened(dir);
    let (mut fleet, begun) = Fleet::begin(3, 1);
    spool.append(&[], &begun).unwrap();
    let mut ticks = Vec::new();
    for tick in 0..8 {
        let (records, standings) = fleet.tick();
        spool.append(&records, &standings).unwrap();
        ticks.push(records);
        if tick == 3 {
            assert_eq!(all(&spool).await.len(), 12);
        }
    }
    (ticks, fleet.standings())
}

#[tokio::test]
async fn a_cut_at_any_byte_loses_only_what_was_cut() {
    let dir = tempfile::tempdir().unwrap();
    let (ticks, standings) = sample(dir.path()).await;
    let path = segments(dir.path()).pop().unwrap();
    let bytes = fs::read(&path).unwrap();
    let written: Vec<Record> = ticks.concat();
    let mut last = 0;
    for end in 0..=bytes.len() {
        fs::write(&path, &bytes[..end]).unwrap();
        let spool = opened(dir.path());
        let found = all(&spool).await;
        assert!(found.len() >= last && found[..] == written[..found.len()], "{end}");
        assert_eq!(found.len() % 3, 0, "a tick is there whole or not at all");
        last = found.len();
        if end == bytes.len() {
            assert_eq!(spool.standings(), standings);
        }
        // It goes on at once.
        let (mut fleet, begun) = Fleet::begin(1, 9);
        spool.append(&fleet.tick().0, &begun).unwrap();
        drop(spool);
        let spool = opened(dir.path());
        assert_eq!(all(&spool).await.len(), found.len() + 1, "{end}");
        drop(spool);
        segments(dir.path()).iter().for_each(|path| fs::remove_file(path).unwrap());
    }
    assert_eq!(last, written.len());
}

#[tokio::test]
async fn a_flipped_byte_is_an_error_or_cuts_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let (ticks, _) = sample(dir.path()).await;
    let path = segments(dir.path()).pop().unwrap();
    let bytes = fs::read(&path).unwrap();
    let written: Vec<Record> = ticks.concat();
    let (mut errors, mut cuts) = (0, 0);
    for at in 0..bytes.len() {
        let mut spoilt = bytes.clone();
        spoilt[at] ^= 1 << (at % 8);
        fs::write(&path, &spoilt).unwrap();
        match open(config(dir.path(), 256 << 20)) {
            Ok(spool) => {
                // Only the last frame can be taken for one that was cut short.
                assert_eq!(all(&spool).await, written[..written.len() - 3], "{at}");
                cuts += 1;
            }
            Err(error) => {
                let fault = Fault::from(error);
                assert_eq!(fault.reason, Reason::StoreDamaged, "{at}: {fault:?}");
                assert_eq!(fs::read(&path).unwrap(), spoilt, "nothing was changed");
                errors += 1;
            }
        }
        segments(dir.path()).iter().for_each(|path| fs::remove_file(path).unwrap());
    }
    assert!(cuts > 0 && errors > 5 * cuts, "{cuts} cuts, {errors} errors");
}

#[tokio::test]
async fn what_is_damaged_while_it_is_open_is_an_error_when_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let spool = opened(dir.path());
    let (mut fleet, begun) = Fleet::begin(3, 1);
    spool.append(&[], &begun).unwrap();
    for _ in 0..4 {
        spool.append(&fleet.tick().0, &fleet.standings()).unwrap();
    }
    let path = segments(dir.path()).pop().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() - 100;
    bytes[middle] ^= 4;
    fs::write(&path, bytes).unwrap();
    let fault = spool.batch(0, Duration::ZERO).await.unwrap_err();
    assert_eq!(fault.reason, Reason::StoreDamaged, "{fault:?}");
}

#[tokio::test]
async fn settings_that_cannot_be_are_told() {
    let dir = tempfile::tempdir().unwrap();
    for odd in [
        Config { segment_bytes: 100, ..config(dir.path(), LITTLE) },
        Config { segment_bytes: LITTLE, ..config(dir.path(), LITTLE) },
    ] {
        let fault = Fault::from(open(odd).map(drop).unwrap_err());
        assert_eq!(fault.reason, Reason::FieldInvalid);
    }
}

#[tokio::test]
async fn a_second_one_is_told_who_holds_it() {
    let dir = tempfile::tempdir().unwrap();
    let first = opened(dir.path());
    let fault = refused(dir.path());
    assert_eq!(fault.reason, Reason::StoreHeld);
    drop(first);
    drop(opened(dir.path()));
    let newer = segments(dir.path()).pop().unwrap();
    let mut bytes = fs::read(&newer).unwrap();
    bytes[12] = 9;
    let crc = crc32fast::hash(&bytes[..16]);
    bytes[16..20].copy_from_slice(&crc.to_le_bytes());
    fs::write(&newer, bytes).unwrap();
    assert_eq!(refused(dir.path()).reason, Reason::StoreNewer);
}

#[tokio::test]
async fn batches_that_are_gone_are_not_made_again() {
    let dir = tempfile::tempdir().unwrap();
    sample(dir.path()).await;
    let spool = opened(dir.path());
    let made = batches(&spool, 0).await;
    let last = made.last().unwrap();
    spool.acknowledge(Consumer::Ledger, last.sequence).await.unwrap();
    drop(spool);
    segments(dir.path()).iter().for_each(|path| fs::remove_file(path).unwrap());
    let spool = opened(dir.path());
    assert_eq!((spool.first(), spool.acknowledged(Consumer::Ledger)), (last.sequence + 1, last.sequence));
    let (mut fleet, begun) = Fleet::begin(1, 9);
    spool.append(&fleet.tick().0, &begun).unwrap();
    let next = spool.batch(last.sequence, Duration::ZERO).await.unwrap().unwrap();
    assert_eq!((next.sequence, next.previous), (last.sequence + 1, last.hash));
}

/// A small file system of its own, gone with this.
struct Small(tempfile::TempDir);

impl Small {
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let flags = rustix::mount::MountFlags::empty();
        let options = std::ffi::CString::new("size=256k").unwrap();
        let mounted = rustix::mount::mount("weft-small", dir.path(), "tmpfs", flags, options.as_c_str());
        mounted.is_ok().then_some(Self(dir))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        rustix::mount::unmount(self.0.path(), rustix::mount::UnmountFlags::DETACH).unwrap();
    }
}

#[tokio::test]
async fn on_a_full_disk_a_tick_is_as_if_it_had_not_been_tried() {
    let Some(small) = Small::mount() else {
        println!("skipped: this user may not mount a small file system");
        return;
    };
    let spool = open(config(small.0.path(), 16 << 20)).unwrap();
    let (mut fleet, begun) = Fleet::begin(50, 1);
    spool.append(&[], &begun).unwrap();
    let (mut written, mut stood) = (Vec::new(), begun);
    let fault = loop {
        let (records, standings) = fleet.tick();
        match spool.append(&records, &standings) {
            Ok(()) => {
                written.extend(records);
                stood = standings;
            }
            Err(fault) => break fault,
        }
    };
    assert_eq!(fault.reason, Reason::DiskExhausted, "{fault:?}");
    assert_eq!(spool.standings(), stood, "as if it had not been tried");
    let filler = small.0.path().join("filler");
    drop(spool);
    let reopened = open(config(small.0.path(), 16 << 20)).unwrap();
    assert_eq!(reopened.standings(), stood);
    // What was refused can be written when there is room: the batches need some too.
    assert!(!filler.exists());
    rustix::mount::mount_remount(small.0.path(), rustix::mount::MountFlags::empty(), "size=1m").unwrap();
    let (records, standings) = fleet.tick();
    reopened.append(&records, &standings).unwrap();
    written.extend(records);
    assert_eq!(all(&reopened).await, written);
}

#[tokio::test]
async fn what_everybody_has_makes_way_on_a_full_disk() {
    let Some(small) = Small::mount() else {
        println!("skipped: this user may not mount a small file system");
        return;
    };
    let spool = open(config(small.0.path(), 1 << 20)).unwrap();
    let (mut fleet, begun) = Fleet::begin(50, 1);
    spool.append(&[], &begun).unwrap();
    let mut had = 0;
    for tick in 0..2_000 {
        let (records, standings) = fleet.tick();
        spool.append(&records, &standings).unwrap();
        if tick % 40 == 39 {
            had = batches(&spool, had).await.last().unwrap().sequence;
            for consumer in Consumer::ALL {
                spool.acknowledge(consumer, had).await.unwrap();
            }
        }
    }
    assert!(spool.first() > 1);
}

/// Processor time of this process, whatever else runs on the machine.
fn used() -> Duration {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let texts = tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("schedstat")).ok());
    Duration::from_nanos(texts.map(|text| text.split(' ').next().unwrap().parse::<u64>().unwrap()).sum())
}

#[tokio::test]
#[ignore = "prints figures, for who asks what writing down costs"]
async fn what_writing_down_costs() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let spool = open(config(dir.path(), 1 << 30)).unwrap();
    let (mut fleet, begun) = Fleet::begin(10_000, 1);
    spool.append(&[], &begun).unwrap();
    let (mut appending, mut longest, mut ticks) = (Duration::ZERO, Duration::ZERO, 0_u32);
    for _ in 0..100 {
        let (records, standings) = fleet.tick();
        let begun = used();
        spool.append(&records, &standings).unwrap();
        let took = used() - begun;
        (appending, longest, ticks) = (appending + took, longest.max(took), ticks + 1);
    }
    let begun = used();
    let made = batches(&spool, 0).await;
    let (reading, records) = (used() - begun, made.iter().map(|batch| batch.records.len()).sum::<usize>());
    let count = u32::try_from(records).unwrap();
    let append = appending / (ticks * 10_000);
    println!("append: {append:?} a record, {longest:?} for the longest tick; batch: {:?} a record", reading / count);
    println!("{:.1} bytes a record", length(dir.path()) as f64 / records as f64);
    let begun = std::time::Instant::now();
    drop(spool);
    drop(open(config(dir.path(), 1 << 30)).unwrap());
    println!("opened again in {:?}", begun.elapsed());
}
