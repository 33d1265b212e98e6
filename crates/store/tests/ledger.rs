//! The ledger's laws on the real ledger, and under whatever comes: batches repeated, reordered, late; a ledger
//! dropped, copied while it works, closed and opened; clocks set an hour forth and back; counters that begin anew.

use proptest::prelude::*;
use proptest::test_runner::{Config as Cases, TestRunner};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use weft_domain::usage::{Cause, Kind, Record};
use weft_domain::{Fault, Reason, Time};
use weft_ports::ledger::conformance::sender::{Sender, records};
use weft_ports::ledger::conformance::{self, Setting, assert_holds};
use weft_ports::ledger::{Keep, Ledger};
use weft_ports::spool::Batch;
use weft_store::ledger::{self, Book, Config, Verified};

fn config(dir: &Path) -> Config {
    // A reserve has nothing to do with these laws, and takes time to make.
    Config { reserve_bytes: 0, cache_bytes: 1 << 20, ..Config::at(dir) }
}

fn open(config: &Config) -> Book {
    ledger::open(config).expect("a ledger opens")
}

struct Folder {
    root: tempfile::TempDir,
    config: fn(&Path) -> Config,
}

#[async_trait::async_trait]
impl Setting for Folder {
    async fn open(&self) -> Arc<dyn Ledger> {
        Arc::new(open(&(self.config)(self.root.path())))
    }

    fn keep(&self) -> Keep {
        Keep::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_obeys_the_laws() {
    let bounds: [fn(&Path) -> Config; 3] = [
        config,
        // Everything is lasting at once.
        |dir| Config { span: Duration::ZERO, ..config(dir) },
        // Memory is full again and again.
        |dir| Config { held: 70, waiting: 100, ..config(dir) },
    ];
    for config in bounds {
        let root = tempfile::tempdir().expect("a folder");
        conformance::run(&Folder { root, config }).await;
    }
}

/// What happens to a ledger.
#[derive(Debug, Clone)]
enum Event {
    /// A node sends a batch: so many before or after the one that is next.
    Send { node: usize, off: i8 },
    /// A node sends all of some that follow each other.
    Run { node: usize, count: u8 },
    /// The process is killed.
    Kill,
    /// The files are copied while it works, and opened elsewhere, as after a kill at that moment.
    Copy,
    /// It ends in order.
    Close,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0usize..2, -4i8..5).prop_map(|(node, off)| Event::Send { node, off }),
        6 => (0usize..2, 1u8..9).prop_map(|(node, count)| Event::Run { node, count }),
        1 => Just(Event::Kill),
        1 => Just(Event::Copy),
        1 => Just(Event::Close),
    ]
}

/// What a node's next record is: after so many milliseconds, with the clock set by so many seconds.
fn made() -> impl Strategy<Value = (usize, i64, i64, Option<Cause>)> {
    let step = prop_oneof![8 => Just(0), 1 => Just(3600i64), 1 => Just(-3600), 1 => -90i64..90];
    let cause = prop_oneof![6 => Just(None), 1 => prop::sample::select(Cause::ALL.to_vec()).prop_map(Some)];
    (0usize..4, 1i64..2_000, step, cause)
}

fn batches(sender: &mut Sender, made: &[(usize, i64, i64, Option<Cause>)]) -> Vec<Batch> {
    let mut now = 1_700_002_000_000i64;
    let mut next = |sender: &mut Sender, (which, after, step, cause): (usize, i64, i64, Option<Cause>)| {
        now += after + step * 1000;
        let end = Time::from_millis(now);
        match cause {
            Some(cause) => sender.gap(which, end, cause),
            None => sender.window(which, end),
        }
    };
    made.chunks(5)
        .map(|chunk| {
            let records: Vec<_> = chunk.iter().map(|one| next(sender, *one)).collect();
            sender.batch(records)
        })
        .collect()
}

/// A ledger, the nodes that send to it, and what must be in it.
struct World {
    root: tempfile::TempDir,
    dirs: AtomicU32,
    config: Config,
    /// `None` while it is dead.
    book: Option<Book>,
    nodes: [Vec<Batch>; 2],
    /// How many batches of each node are taken, and how many were answered as lasting.
    taken: [usize; 2],
    lasting: [u64; 2],
}

impl World {
    fn new(nodes: [Vec<Batch>; 2], held: usize) -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let config = Config { held, waiting: 40, ..config(&root.path().join("0")) };
        let book = Some(open(&config));
        Self { root, dirs: AtomicU32::new(1), config, book, nodes, taken: [0; 2], lasting: [0; 2] }
    }

    fn fresh_dir(&self) -> PathBuf {
        self.root.path().join(self.dirs.fetch_add(1, Ordering::Relaxed).to_string())
    }

    fn book(&self) -> &Book {
        self.book.as_ref().expect("it is open")
    }

    async fn send(&mut self, node: usize, which: usize) {
        let Some(batch) = self.nodes[node].get(which) else { return };
        let lasting = self.book().take(batch).await.expect("it follows, waits or came before");
        assert!(lasting >= self.lasting[node], "what is lasting stays so");
        self.lasting[node] = lasting;
    }

    async fn meet(&mut self, event: &Event) {
        match event {
            Event::Send { node, off } => {
                let which = (self.lasting[*node].cast_signed() + i64::from(*off)).max(0);
                self.send(*node, usize::try_from(which).expect("it is not negative")).await;
            }
            Event::Run { node, count } => {
                // A node goes on from what it has sent; what is not lasting it sends again after a crash.
                for _ in 0..*count {
                    self.send(*node, self.taken[*node]).await;
                    self.taken[*node] += 1;
                }
            }
            Event::Kill => self.reopen(self.config.clone()).await,
            Event::Copy => {
                let dir = self.fresh_dir();
                fs::create_dir(&dir).expect("a folder");
                for name in ["ledger", "ledger.redb"] {
                    fs::copy(self.config.dir.join(name), dir.join(name)).expect("it is there");
                }
                self.reopen(Config { dir, ..self.config.clone() }).await;
            }
            Event::Close => {
                self.book().close().await;
                self.reopen(self.config.clone()).await;
            }
        }
    }

    /// Opens a ledger in the place of this one, which is dropped.
    async fn reopen(&mut self, config: Config) {
        self.book = None;
        self.book = Some(open(&config));
        self.config = config;
        let mut there = Vec::new();
        for (node, batches) in self.nodes.iter().enumerate() {
            let taken = self.book().taken(batches[0].node).await.expect("an open ledger answers");
            assert!(taken >= self.lasting[node], "what was answered as lasting is there");
            self.lasting[node] = taken;
            self.taken[node] = usize::try_from(taken).expect("a test sends few");
            there.extend(records(&batches[..self.taken[node]]));
        }
        // Neither less nor more than it says.
        assert_holds(self.book(), &there).await;
        self.book().verify().await.expect("it is whole");
    }

    /// Everything is sent until it is lasting.
    async fn settle(&mut self) -> Vec<Record> {
        for node in 0..2 {
            for which in usize::try_from(self.lasting[node]).expect("a test sends few")..self.nodes[node].len() {
                self.send(node, which).await;
            }
        }
        self.nodes.iter().flat_map(|batches| records(batches)).collect()
    }
}

#[test]
fn buckets_hold_what_was_taken_whatever_happens() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let made = || prop::collection::vec(made(), 5..200);
    let strategy = (made(), made(), prop::collection::vec(event(), 0..40), prop_oneof![Just(1), Just(30), Just(9999)]);
    let cases = Cases { failure_persistence: None, max_shrink_iters: 500, ..Cases::with_cases(40) };
    TestRunner::new(cases)
        .run(&strategy, |(here, there, events, held)| {
            runtime.block_on(async {
                let mut sender = Sender::new();
                // An instance that left one node for the other is on both.
                let mut other = Sender::of(Sender::new().node, sender.instances.clone());
                let nodes = [batches(&mut sender, &here), batches(&mut other, &there)];
                let mut world = World::new(nodes, held);
                for event in &events {
                    world.meet(event).await;
                }
                let all = world.settle().await;
                assert_holds(world.book(), &all).await;
                world.book().close().await;
                let again = open(&world.config);
                assert_holds(&again, &all).await;
                let mut gaps: Vec<_> = all.into_iter().filter(|record| matches!(record.kind, Kind::Gap(_))).collect();
                gaps.sort_by_key(|gap| (gap.to.wall, gap.meter, gap.sequence));
                let (from, to) = (Time::from_nanos(0), Time::from_nanos(i64::MAX));
                assert_eq!(again.gaps(&sender.instances, from, to, usize::MAX).await, Ok(gaps));
            });
            Ok(())
        })
        .expect("the law holds");
}

#[tokio::test]
async fn the_second_is_told_who_the_first_is() {
    let dir = tempfile::tempdir().expect("a folder");
    let first = open(&config(dir.path()));
    let refused = ledger::open(&config(dir.path())).err().map(Fault::from).expect("it is held");
    assert_eq!(refused.reason, Reason::StoreHeld);
    assert!(refused.message.contains(&format!("process {} ", std::process::id())), "{}", refused.message);
    first.close().await;
    drop(open(&config(dir.path())));
    drop(open(&config(dir.path())));
}

/// A ledger with something of everything, closed in order: its file and its marker.
async fn image() -> (Vec<u8>, Vec<u8>, Vec<Batch>) {
    let dir = tempfile::tempdir().expect("a folder");
    let book = open(&config(dir.path()));
    let mut sender = Sender::new();
    let sent = sender.seconds(1_700_000_000, 200);
    for batch in &sent {
        book.take(batch).await.expect("it follows");
    }
    let gap = sender.gap(0, Time::from_millis(1_700_000_300_000), Cause::Reset);
    let last = sender.batch(vec![gap]);
    book.take(&last).await.expect("it follows");
    book.close().await;
    let of = |name| fs::read(dir.path().join(name)).expect("it is there");
    (of("ledger.redb"), of("ledger"), [sent, vec![last]].concat())
}

fn place(file: &[u8], marker: &[u8]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("ledger.redb"), file).expect("it is written");
    fs::write(dir.path().join("ledger"), marker).expect("it is written");
    dir
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_used_page_is_watched_over() {
    let (file, marker, sent) = image().await;
    let mut noticed = 0;
    for page in (0..file.len() / 4096).filter(|page| file[page * 4096..(page + 1) * 4096].iter().any(|b| *b != 0)) {
        let mut harmed = file.clone();
        harmed[page * 4096 + 40] ^= 0x10;
        let dir = place(&harmed, &marker);
        match ledger::open(&config(dir.path())).map_err(Fault::from) {
            Ok(book) => {
                assert_holds(&book, &records(&sent)).await;
                book.verify().await.expect("the page was free");
            }
            Err(fault) => {
                assert_eq!(fault.reason, Reason::StoreDamaged, "{fault}");
                let after = fs::read(dir.path().join("ledger.redb")).expect("it is there");
                assert!(after == harmed, "a damaged file is left as it was");
                noticed += 1;
            }
        }
    }
    assert!(noticed > 5, "{noticed} pages are in use");
}

#[tokio::test]
async fn files_that_are_none_are_refused() {
    let (file, marker, _) = image().await;
    let text = String::from_utf8(marker.clone()).expect("it is text");
    let reached = text.lines().last().expect("it has lines").to_owned();
    let newer = text.replace("format 1", "format 2").into_bytes();
    let ahead = text.replace(&reached, "revision 99999").into_bytes();
    let cases: [(&str, &[u8], &[u8], Reason); 6] = [
        ("empty", b"", &marker, Reason::StoreDamaged),
        ("foreign", &[7; 9000], &marker, Reason::StoreDamaged),
        ("half", &file[..file.len() / 2], &marker, Reason::StoreDamaged),
        ("of a newer weft", &file, &newer, Reason::StoreNewer),
        ("marker that is none", &file, b"?", Reason::StoreDamaged),
        ("older than the marker says", &file, &ahead, Reason::StoreDamaged),
    ];
    for (name, file, marker, expected) in cases {
        let dir = place(file, marker);
        let fault = ledger::open(&config(dir.path())).err().map(Fault::from);
        assert_eq!(fault.map(|fault| fault.reason), Some(expected), "{name}");
        assert_eq!(fs::read(dir.path().join("ledger.redb")).expect("it is there"), file, "{name}: untouched");
        assert_eq!(ledger::readable(dir.path()).is_ok(), !matches!(name, "of a newer weft" | "marker that is none"));
    }
    let gone = place(&file, &marker);
    fs::remove_file(gone.path().join("ledger.redb")).expect("it was there");
    let fault = ledger::open(&config(gone.path())).err().map(Fault::from);
    assert_eq!(fault.map(|fault| fault.reason), Some(Reason::StoreDamaged), "it is not made anew");
    let begun = tempfile::tempdir().expect("a folder");
    fs::write(begun.path().join("ledger.new"), &file[..5000]).expect("it is written");
    let verified = open(&config(begun.path())).verify().await;
    assert_eq!(verified, Ok(Verified::default()), "a making that was cut short is begun again");
}
