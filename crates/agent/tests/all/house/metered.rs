//! Counters, a spool and a ledger in memory, which a test turns, fills and takes away; and the law that holds of
//! what is written.

use super::fuse::Host;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;
use weft_domain::usage::{Amounts, Cause, Edge, Figure, Kind, Record, Source, Sources, Stamp, Standing};
use weft_domain::{ClaimId, Fault, IncarnationId, NodeId, Reason, Time};
use weft_ports::link::UsageDesk;
use weft_ports::meters::{Depth, Gauge, Gone, Meters, Reading, Target};
use weft_ports::processes::Processes;
use weft_ports::spool::{Batch, Consumer, RawQuery, Spool};

/// How long a test waits for the thread that measures.
const PATIENCE: Duration = Duration::from_secs(60);

/// Counters that a test turns. Each look at the clock is a nanosecond later than the one before.
pub(crate) struct Dials {
    host: Arc<Host>,
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Default)]
struct State {
    now: Stamp,
    dials: BTreeMap<ClaimId, Dial>,
    taps: BTreeMap<String, u64>,
    /// What a thread read, until it asks what time it is; and what was read until then.
    reading: HashMap<ThreadId, Amounts>,
    read: BTreeMap<u64, Amounts>,
    /// Threads that were begun, and those that have slept.
    begun: usize,
    slept: HashSet<ThreadId>,
    asleep: HashMap<ThreadId, u64>,
    shakes: u64,
    over: bool,
}

/// The counters of one process.
#[derive(Default)]
struct Dial {
    counters: Amounts,
    resident_bytes: u64,
    unreadable: bool,
    read: bool,
}

impl Dials {
    pub(crate) fn new(host: Arc<Host>) -> Arc<Self> {
        let now = Stamp { monotonic_nanos: 5_000_000_000, wall: Time::from_millis(1_700_000_000_000) };
        Arc::new(Self { host, state: Mutex::new(State { now, ..State::default() }), moved: Condvar::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that fails ends its threads all the same.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process uses this much processor time, a hundredth of it in bytes written, and holds as many bytes.
    pub(crate) fn work(&self, claim: ClaimId, nanos: u64) {
        let mut state = self.state();
        let dial = state.dials.entry(claim).or_default();
        dial.counters[Figure::Cpu] += nanos;
        dial.counters[Figure::DiskWritten] += nanos / 100;
        dial.resident_bytes = 4_096 + nanos;
    }

    /// Its counters begin anew.
    pub(crate) fn reset(&self, claim: ClaimId) {
        self.state().dials.entry(claim).or_default().counters = Amounts::default();
    }

    /// Whether they were ever read.
    pub(crate) fn is_read(&self, claim: ClaimId) -> bool {
        self.state().dials.get(&claim).is_some_and(|dial| dial.read)
    }

    /// Whether they can be read.
    pub(crate) fn hide(&self, claim: ClaimId, hidden: bool) {
        self.state().dials.entry(claim).or_default().unreadable = hidden;
    }

    /// A tap has carried so many bytes of the guest.
    pub(crate) fn carry(&self, tap: &str, bytes: u64) {
        *self.state().taps.entry(tap.to_owned()).or_default() += bytes;
    }

    /// A person sets the wall clock.
    pub(crate) fn step_wall(&self, nanos: i64) {
        let mut state = self.state();
        state.now.wall = Time::from_nanos(state.now.wall.as_nanos() + nanos);
    }

    /// Time passes while nobody measures, or too fast for whoever does.
    pub(crate) fn leap(&self, span: Duration) {
        self.state().go_on(u64::try_from(span.as_nanos()).unwrap());
        self.moved.notify_all();
    }

    /// Time passes, and at each instant at which something is due whoever measures is waited for.
    pub(crate) fn pass(&self, span: Duration) {
        self.settled();
        let end = self.state().now.monotonic_nanos + u64::try_from(span.as_nanos()).unwrap();
        while let Some(due) = self.settled().filter(|due| *due <= end) {
            let mut state = self.state();
            let left = due.saturating_sub(state.now.monotonic_nanos);
            state.go_on(left);
            drop(state);
            self.moved.notify_all();
        }
        let mut state = self.state();
        let left = end.saturating_sub(state.now.monotonic_nanos);
        state.go_on(left);
    }

    /// Waits until whoever measures is asleep; answers until when.
    pub(crate) fn settled(&self) -> Option<u64> {
        let busy = |state: &mut State| {
            let awaited = state.asleep.values().any(|due| *due > state.now.monotonic_nanos);
            state.slept.len() < state.begun || !awaited
        };
        let (state, late) = self.moved.wait_timeout_while(self.state(), PATIENCE, busy).unwrap();
        assert!(!late.timed_out(), "nobody measures");
        state.asleep.values().filter(|due| **due > state.now.monotonic_nanos).min().copied()
    }

    /// Whoever sleeps looks up; who measures no more is gone afterwards.
    pub(crate) fn shake(&self) {
        let early = |state: &mut State| state.slept.len() < state.begun;
        let (mut state, late) = self.moved.wait_timeout_while(self.state(), PATIENCE, early).unwrap();
        assert!(!late.timed_out(), "who should measure does not begin");
        state.shakes += 1;
        drop(state);
        self.moved.notify_all();
        let gone = |state: &mut State| !state.asleep.is_empty();
        let (state, late) = self.moved.wait_timeout_while(self.state(), PATIENCE, gone).unwrap();
        drop(state);
        assert!(!late.timed_out(), "an agent that is gone still measures");
    }

    /// Nobody sleeps any more: the end of a test.
    pub(crate) fn end(&self) {
        self.state().over = true;
        self.moved.notify_all();
    }

    fn is_there(&self, target: &Target) -> bool {
        let ours = target.alive.boot_id == self.host.boot_id();
        ours && (self.host.lives(&target.alive) || !self.host.cleared.lock().unwrap().contains(&target.claim))
    }
}

impl State {
    fn go_on(&mut self, nanos: u64) {
        self.now.monotonic_nanos += nanos;
        self.now.wall = self.now.wall.plus(Duration::from_nanos(nanos));
    }
}

struct Needle {
    dials: Arc<Dials>,
    target: Target,
}

impl Gauge for Needle {
    fn read(&mut self, _: Depth) -> Result<Reading, Gone> {
        let there = self.dials.is_there(&self.target);
        let lives = self.dials.host.lives(&self.target.alive);
        let mut state = self.dials.state();
        let carried: u64 = self.target.taps.iter().filter_map(|tap| state.taps.get(&tap.name)).sum();
        let dial = state.dials.entry(self.target.claim).or_default();
        if dial.unreadable || !there {
            return Err(Gone);
        }
        dial.read = true;
        let mut counters = dial.counters;
        counters[Figure::NetSent] = carried;
        let resident_bytes = if lives { dial.resident_bytes } else { 0 };
        state.reading.insert(std::thread::current().id(), counters);
        let mut sources = Sources::default();
        (sources[Figure::Cpu], sources[Figure::DiskWritten]) = (Source::CgroupV2, Source::CgroupV2);
        sources[Figure::MemoryResident] = Source::Proc;
        if !self.target.taps.is_empty() {
            sources[Figure::NetSent] = Source::Tap;
        }
        Ok(Reading { counters, resident_bytes, sources })
    }
}

/// The port's view of them.
pub(crate) struct Panel(pub(crate) Arc<Dials>);

impl Meters for Panel {
    fn open(&self, target: &Target) -> Result<Box<dyn Gauge>, Fault> {
        let hidden = self.0.state().dials.get(&target.claim).is_some_and(|dial| dial.unreadable);
        if hidden || !self.0.is_there(target) {
            return Err(Fault::new(Reason::HostRefused, "its counters cannot be read"));
        }
        Ok(Box::new(Needle { dials: self.0.clone(), target: target.clone() }))
    }

    fn now(&self) -> Stamp {
        let mut state = self.0.state();
        state.go_on(1);
        if let Some(counters) = state.reading.remove(&std::thread::current().id()) {
            let at = state.now.monotonic_nanos;
            state.read.insert(at, counters);
        }
        // It may be what somebody waits for.
        self.0.moved.notify_all();
        state.now
    }

    fn sleep_until(&self, monotonic_nanos: u64) {
        let id = std::thread::current().id();
        let mut state = self.0.state();
        let shakes = state.shakes;
        state.slept.insert(id);
        state.asleep.insert(id, monotonic_nanos);
        self.0.moved.notify_all();
        while state.now.monotonic_nanos < monotonic_nanos && state.shakes == shakes && !state.over {
            state = self.0.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.over {
            // why: the test is over, and its agent goes with the runtime, which this thread must not starve.
            state = self.0.moved.wait_timeout(state, Duration::from_millis(1)).unwrap().0;
        }
        state.asleep.remove(&id);
        drop(state);
        self.0.moved.notify_all();
    }
}

/// A spool in memory that can be full.
pub(crate) struct Roll {
    dials: Arc<Dials>,
    pages: Mutex<Pages>,
}

#[derive(Default)]
struct Pages {
    records: Vec<Record>,
    standings: BTreeMap<IncarnationId, Standing>,
    batches: Vec<Batch>,
    batched: usize,
    acknowledged: u64,
    /// Batches up to this one are gone.
    dropped: u64,
    full: bool,
}

impl Roll {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap()
    }

    pub(crate) fn fill(&self, full: bool) {
        self.pages().full = full;
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.pages().records.clone()
    }

    /// There was no room for the batches that were made until now.
    pub(crate) fn drop_batches(&self) -> u64 {
        let mut pages = self.pages();
        pages.dropped = pages.batches.len() as u64;
        pages.dropped
    }

    /// It was lost with all that was in it.
    pub(crate) fn lose(&self) {
        *self.pages() = Pages::default();
    }
}

#[async_trait::async_trait]
impl Spool for Roll {
    fn append(&self, records: &[Record], standings: &[Standing]) -> Result<(), Fault> {
        let mut pages = self.pages();
        if pages.full {
            return Err(Fault::new(Reason::DiskExhausted, "the disk is full"));
        }
        pages.records.extend_from_slice(records);
        for standing in standings {
            let incarnation = standing.meter.incarnation;
            let of = |record: &&Record| record.meter.incarnation == incarnation;
            if records.iter().filter(of).any(|record| record.kind == Kind::Window(Edge::Exit)) {
                pages.standings.remove(&incarnation);
            } else {
                pages.standings.insert(incarnation, *standing);
            }
        }
        Ok(())
    }

    fn standings(&self) -> Vec<Standing> {
        // Whoever begins to measure asks once.
        self.dials.state().begun += 1;
        self.pages().standings.values().copied().collect()
    }

    async fn batch(&self, after: u64, wait: Duration) -> Result<Option<Batch>, Fault> {
        {
            let mut pages = self.pages();
            if after < pages.dropped {
                return Err(Fault::new(Reason::RevisionCompacted, "there was no room for it"));
            }
            if pages.batches.len() as u64 <= after && pages.batched < pages.records.len() {
                let sequence = pages.batches.len() as u64 + 1;
                let previous = pages.batches.last().map_or([0; 32], |batch| batch.hash);
                let records = pages.records[pages.batched..].to_vec();
                let batch = Batch::seal(NodeId::from_bytes([7; 16]), sequence, previous, records);
                pages.batched = pages.records.len();
                pages.batches.push(batch);
            }
            let found = pages.batches.get(usize::try_from(after).unwrap()).cloned();
            if found.is_some() {
                return Ok(found);
            }
        }
        super::pass(wait).await;
        Ok(None)
    }

    fn first(&self) -> u64 {
        self.pages().dropped + 1
    }

    async fn acknowledge(&self, _: Consumer, sequence: u64) -> Result<(), Fault> {
        let mut pages = self.pages();
        pages.acknowledged = pages.acknowledged.max(sequence);
        Ok(())
    }

    fn acknowledged(&self, _: Consumer) -> u64 {
        self.pages().acknowledged
    }

    async fn read(&self, query: RawQuery) -> Result<Vec<Record>, Fault> {
        Ok(self.records().into_iter().filter(|record| query.wants(record)).take(query.most).collect())
    }
}

/// What control does with the next batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It does not take it.
    Refuses,
    /// It takes it, and the answer is lost.
    Mumbles,
    /// It falls first, with what was not lasting.
    Forgets,
}

/// Control's ledger. Of what it took, all but the last two batches are made lasting.
#[derive(Default)]
pub(crate) struct Till(Mutex<Drawer>);

#[derive(Default)]
struct Drawer {
    taken: Vec<Batch>,
    moods: VecDeque<Mood>,
    lasting: u64,
    /// So many were passed over.
    passed: u64,
}

impl Till {
    pub(crate) fn expect(&self, moods: impl IntoIterator<Item = Mood>) {
        self.0.lock().unwrap().moods.extend(moods);
    }

    /// Everything that it took, once.
    pub(crate) fn records(&self) -> Vec<Record> {
        self.0.lock().unwrap().taken.iter().flat_map(|batch| batch.records.clone()).collect()
    }
}

#[async_trait::async_trait]
impl UsageDesk for Till {
    async fn take_usage(&self, batch: &Batch) -> Result<u64, Fault> {
        let mut state = self.0.lock().unwrap();
        let Drawer { taken, moods, lasting, passed } = &mut *state;
        let mood = moods.pop_front();
        if mood == Some(Mood::Forgets) {
            taken.retain(|batch| batch.sequence <= *lasting);
        }
        let away = || Fault::new(Reason::Away, "as was asked");
        if mood == Some(Mood::Refuses) {
            return Err(away());
        }
        let (next, sequence) = (*passed + taken.len() as u64 + 1, batch.sequence);
        assert!(batch.is_whole());
        if sequence == next {
            taken.push(batch.clone());
        } else if let Some(known) = taken.iter().find(|known| known.sequence == sequence) {
            assert_eq!(known, batch, "a batch stays as it is");
        } else {
            return Err(Fault::new(Reason::LedgerBroken, format!("{sequence} does not follow {}", next - 1)));
        }
        *lasting = (*lasting).max((*passed + taken.len() as u64).saturating_sub(2));
        if mood == Some(Mood::Mumbles) { Err(away()) } else { Ok(*lasting) }
    }

    async fn pass_over_usage(&self, _: NodeId, through: u64) -> Result<(), Fault> {
        let mut drawer = self.0.lock().unwrap();
        let next = drawer.passed + drawer.taken.len() as u64 + 1;
        drawer.passed += (through + 1).saturating_sub(next);
        Ok(())
    }
}

/// A node's metering, with all that a test may do to it.
#[derive(Clone)]
pub(crate) struct Metered {
    pub(crate) dials: Arc<Dials>,
    pub(crate) roll: Arc<Roll>,
    pub(crate) till: Arc<Till>,
}

impl Metered {
    pub(crate) fn new(host: Arc<Host>) -> Self {
        let dials = Dials::new(host);
        let roll = Arc::new(Roll { dials: dials.clone(), pages: Mutex::default() });
        Self { dials, roll, till: Arc::default() }
    }

    pub(crate) fn port(&self) -> weft_agent::Metering {
        weft_agent::Metering {
            interval: Duration::from_millis(100),
            meters: Arc::new(Panel(self.dials.clone())),
            spool: self.roll.clone(),
            desk: self.till.clone(),
        }
    }

    /// The records of each process, in the order in which they were written.
    pub(crate) fn by_incarnation(&self) -> BTreeMap<IncarnationId, Vec<Record>> {
        let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for record in self.roll.records() {
            all.entry(record.meter.incarnation).or_default().push(record);
        }
        all
    }

    /// Records follow one another without a hole, each says what the counters said at its ends, and none goes on
    /// after the last.
    pub(crate) fn assert_law(&self) {
        let read = self.dials.state().read.clone();
        for (incarnation, records) in self.by_incarnation() {
            for (n, record) in records.iter().enumerate() {
                let what = format!("record {n} of {incarnation}: {record:?}");
                assert_eq!(record.sequence, n as u64, "{what}");
                assert!(n == 0 || records[n - 1].to == record.from, "it follows: {what}");
                assert!(n == 0 || records[n - 1].kind != Kind::Window(Edge::Exit), "nothing comes after: {what}");
                assert!(record.from.monotonic_nanos <= record.to.monotonic_nanos, "{what}");
                let ends = [record.from, record.to].map(|stamp| read.get(&stamp.monotonic_nanos));
                let expected = match ends {
                    _ if record.kind == Kind::Gap(Cause::Reset) => Amounts::default(),
                    [Some(from), Some(to)] => to.since(from).unwrap_or_else(|| panic!("a counter went back: {what}")),
                    [_, _] => Amounts::default(),
                };
                for figure in Figure::ALL.into_iter().filter(|figure| !figure.is_level()) {
                    assert_eq!(record.amounts[figure], expected[figure], "{figure:?}: {what}");
                }
            }
        }
    }

    /// All that was measured has ended, and was told to have.
    pub(crate) fn assert_ended(&self) {
        self.assert_law();
        for (incarnation, records) in self.by_incarnation() {
            assert_eq!(records.last().map(|last| last.kind), Some(Kind::Window(Edge::Exit)), "{incarnation}");
        }
        assert!(self.roll.pages().standings.is_empty(), "nothing is measured");
    }
}
