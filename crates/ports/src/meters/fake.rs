//! Counters in memory, for tests of those who read them. Clones share them.
//!
//! A process counts for as long as it lives; what it has used is what a test says. Time stands until a test moves
//! it, and who sleeps waits for that, unless sleeping itself is to move it.

use super::{Depth, Gauge, Gone, Meters, Reading, Target};
use crate::processes::{Alive, Processes};
use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use weft_domain::usage::{Figure, Source, Sources, Stamp};
use weft_domain::{ClaimId, Fault, Reason, Time};

/// Counters in memory.
#[derive(Clone)]
pub struct Fake {
    processes: Arc<dyn Processes>,
    state: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Debug)]
struct State {
    readings: HashMap<ClaimId, Reading>,
    now: Stamp,
    sleep: Sleep,
    read: u64,
}

/// What sleeping does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sleep {
    /// It waits until a test has moved the time on.
    Waits,
    /// It moves the time on by itself.
    Moves,
    /// It ends at once, and time stands: for the end of a test.
    Ends,
}

impl Fake {
    /// The counters of these processes, which begin at 0.
    #[must_use]
    pub fn new(processes: Arc<dyn Processes>) -> Self {
        let now = Stamp { monotonic_nanos: 1_000_000_000, wall: Time::from_millis(1_700_000_000_000) };
        let state = State { readings: HashMap::new(), now, sleep: Sleep::Waits, read: 0 };
        Self { processes, state: Arc::new((Mutex::new(state), Condvar::new())) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is read of the process of a claim.
    pub fn change(&self, claim: ClaimId, change: impl FnOnce(&mut Reading)) {
        change(self.state().readings.entry(claim).or_insert_with(begin));
    }

    /// Moves both clocks on.
    pub fn advance(&self, span: Duration) {
        let mut state = self.state();
        let until = state.now.monotonic_nanos.saturating_add(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX));
        state.advance_to(until);
        self.state.1.notify_all();
    }

    /// A person sets the wall clock, by so many nanoseconds.
    pub fn step_wall(&self, nanos: i64) {
        let mut state = self.state();
        state.now.wall = Time::from_nanos(state.now.wall.as_nanos().saturating_add(nanos));
    }

    /// What sleeping does from now on.
    pub fn set_sleep(&self, sleep: Sleep) {
        self.state().sleep = sleep;
        self.state.1.notify_all();
    }

    /// How often anything was read.
    #[must_use]
    pub fn read_count(&self) -> u64 {
        self.state().read
    }
}

impl State {
    fn advance_to(&mut self, monotonic_nanos: u64) {
        let more = monotonic_nanos.saturating_sub(self.now.monotonic_nanos);
        self.now.monotonic_nanos += more;
        self.now.wall = self.now.wall.plus(Duration::from_nanos(more));
    }
}

/// What is read of a process of which nothing was said.
fn begin() -> Reading {
    let mut sources = Sources::default();
    sources[Figure::Cpu] = Source::Proc;
    sources[Figure::MemoryResident] = Source::Proc;
    Reading { sources, ..Reading::default() }
}

/// One process's counters.
struct Counters {
    fake: Fake,
    claim: ClaimId,
    alive: Alive,
    last: Option<Reading>,
}

impl Gauge for Counters {
    fn read(&mut self, depth: Depth) -> Result<Reading, Gone> {
        if !self.fake.processes.lives(&self.alive) {
            return Err(Gone);
        }
        let mut state = self.fake.state();
        state.read += 1;
        let now = *state.readings.entry(self.claim).or_insert_with(begin);
        drop(state);
        let reading = match (depth, self.last) {
            (Depth::Counters, Some(mut last)) => {
                last.counters[Figure::Cpu] = now.counters[Figure::Cpu];
                last
            }
            (Depth::Counters | Depth::All, _) => now,
        };
        self.last = Some(reading);
        Ok(reading)
    }
}

impl Meters for Fake {
    fn open(&self, target: &Target) -> Result<Box<dyn Gauge>, Fault> {
        if !self.processes.lives(&target.alive) {
            return Err(Fault::new(Reason::HostRefused, format!("process {} is gone", target.alive.pid)));
        }
        Ok(Box::new(Counters { fake: self.clone(), claim: target.claim, alive: target.alive.clone(), last: None }))
    }

    fn now(&self) -> Stamp {
        self.state().now
    }

    fn sleep_until(&self, monotonic_nanos: u64) {
        let mut state = self.state();
        while state.now.monotonic_nanos < monotonic_nanos {
            match state.sleep {
                Sleep::Waits => state = self.state.1.wait(state).unwrap_or_else(PoisonError::into_inner),
                Sleep::Moves => state.advance_to(monotonic_nanos),
                Sleep::Ends => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meters::conformance::{self, Stage};
    use crate::processes;

    #[tokio::test]
    async fn keeps_the_laws() {
        let processes: Arc<dyn Processes> = Arc::new(processes::fake::Fake::new());
        let fake = Fake::new(Arc::clone(&processes));
        fake.set_sleep(Sleep::Moves);
        let (dir, working) = (tempfile::tempdir().unwrap(), fake.clone());
        let work = move |claim| working.change(claim, |reading| reading.counters[Figure::Cpu] += 1_000);
        conformance::all(&fake, &Stage { processes, dir: dir.path().to_owned(), work: Box::new(work) }).await;
    }

    #[test]
    fn who_sleeps_waits_for_the_test() {
        let fake = Fake::new(Arc::new(processes::fake::Fake::new()));
        let until = fake.now().monotonic_nanos + 1_000;
        std::thread::scope(|scope| {
            let sleeper = scope.spawn(|| fake.sleep_until(until));
            fake.advance(Duration::from_nanos(999));
            assert!(!sleeper.is_finished());
            fake.advance(Duration::from_nanos(1));
            sleeper.join().unwrap();
        });
        fake.step_wall(-3_600_000_000_000);
        assert_eq!(fake.now().monotonic_nanos, until);
        fake.set_sleep(Sleep::Ends);
        fake.sleep_until(u64::MAX);
    }
}
