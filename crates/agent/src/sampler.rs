//! What every process of a node used, measured at whole intervals by one thread.
//!
//! ```text
//!  owners ── begin · mark · change · end ──┐
//!                                          ├─► table ── read gauges ─► tallies (pure) ── a tick ─► spool
//!  thread ── at start + k · interval ──────┘
//! ```
//!
//! Owners take their boundaries themselves, under the table's lock, and do not wait for the thread, which may
//! sleep for a minute. The thread holds the lock while it measures, some microseconds for each process.
//!
//! What always holds: a tick that is late is counted, and those that it overran are left out and never made up;
//! where the spool takes nothing, nothing is lost, for the next window is as much wider; an agent that is gone
//! writes nothing more.
//!
//! What it does not know: where counters are, how records are kept, who reads them.

mod entry;
mod schedule;
mod table;

use crate::config::Metering;
use crate::figures::{Figures, Metered, Ticked};
pub use entry::{Origin, Subject};
use schedule::Schedule;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use table::{Means, Table};
use weft_domain::usage::Edge;
use weft_domain::{Fault, IncarnationId, Reason};
use weft_ports::meters::{Tap, Target};

/// The shortest interval.
pub const SHORTEST: Duration = Duration::from_millis(100);
/// The longest interval.
pub const LONGEST: Duration = Duration::from_secs(60);
/// How often all of a process is read, and not its processor time alone.
const ALL: Duration = Duration::from_secs(1);

/// Measures until it is dropped; processes go on after it.
pub struct Sampler {
    handle: Handle,
}

/// The way to a sampler. Once that is dropped, its verbs do nothing.
#[derive(Clone)]
pub struct Handle {
    inner: Arc<Inner>,
}

struct Inner {
    means: Means,
    table: Mutex<Table>,
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sampler {
    /// Begins to measure, from where the spool says that a former one stood.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn start(metering: &Metering) -> Result<Self, Fault> {
        Self::with(metering, Metered::new(&Figures::meter()))
    }

    pub(crate) fn with(metering: &Metering, figures: Metered) -> Result<Self, Fault> {
        let interval = metering.interval.clamp(SHORTEST, LONGEST);
        let all_every = u64::try_from(ALL.as_nanos() / interval.as_nanos()).unwrap_or_default().max(1);
        let table = Mutex::new(Table::inheriting(metering.spool.standings()));
        let (meters, spool) = (Arc::clone(&metering.meters), Arc::clone(&metering.spool));
        let now = meters.now().monotonic_nanos;
        let inner = Arc::new(Inner { means: Means { meters, spool, figures, all_every }, table });
        let (measuring, schedule) = (Arc::clone(&inner), Schedule::begin(now, interval));
        let thread =
            std::thread::Builder::new().name("sampler".to_owned()).spawn(move || measure(&measuring, schedule));
        match thread {
            // It ends by itself: nobody waits for what may sleep for a minute.
            Ok(_) => Ok(Self { handle: Handle { inner } }),
            Err(error) => Err(Fault::new(Reason::HostRefused, format!("usage cannot be measured: no thread: {error}"))),
        }
    }

    /// The way to it.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.handle.inner.lock().close();
    }
}

impl Handle {
    /// Measures a process from now on; one that is measured already goes on so.
    pub async fn begin(&self, subject: Subject, origin: Origin) {
        let begun = self.act(move |inner| {
            if inner.lock().has(subject.incarnation) {
                return;
            }
            // Whoever ticks does not wait for files that are opened.
            let gauge = inner.means.meters.open(&subject.target);
            if let Err(fault) = &gauge {
                tracing::warn!(%fault, instance = %subject.instance, "usage cannot be read yet; it is tried again");
            }
            inner.lock().begin(subject, origin, gauge.ok(), &inner.means);
        });
        begun.await.unwrap_or_default();
    }

    /// Ends the span under way of a process that is measured, at a boundary.
    pub async fn mark(&self, incarnation: IncarnationId, edge: Edge) {
        self.act(move |inner| inner.lock().mark(incarnation, edge, &inner.means)).await.unwrap_or_default();
    }

    /// Takes up what a process that is measured is granted now, and which nics it has. A boundary, where that is
    /// something else than before.
    pub async fn change(&self, incarnation: IncarnationId, granted_bytes: u64, taps: Vec<Tap>) {
        let changed = self.act(move |inner| inner.lock().change(incarnation, granted_bytes, taps, &inner.means));
        changed.await.unwrap_or_default();
    }

    /// Takes the last reading of a process that has ended, before its control group goes; answers when that is
    /// written down, or is sure to be if this agent lives. Doing it again is fine.
    ///
    /// # Errors
    /// The spool takes nothing, and too much waits for it already.
    pub async fn end(&self, incarnation: IncarnationId, target: Option<Target>) -> Result<(), Fault> {
        let ended = self.act(move |inner| inner.lock().end(incarnation, target.as_ref(), &inner.means));
        ended.await.unwrap_or_else(|| Err(Fault::internal("the last reading of a process was broken off")))
    }

    /// What a former agent measured and the journal does not claim is gone: says so.
    pub async fn end_unclaimed(&self, claimed: BTreeSet<IncarnationId>) {
        self.act(move |inner| inner.lock().end_unclaimed(&claimed, &inner.means)).await.unwrap_or_default();
    }

    /// Apart from the runtime's threads: the lock may be held for as long as a tick.
    async fn act<R: Send + 'static>(&self, act: impl FnOnce(&Inner) -> R + Send + 'static) -> Option<R> {
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || act(&inner)).await.ok()
    }
}

fn measure(inner: &Inner, mut schedule: Schedule) {
    let meters = inner.means.meters.as_ref();
    loop {
        meters.sleep_until(schedule.due());
        let mut table = inner.lock();
        if table.closed {
            return;
        }
        let begun = meters.now().monotonic_nanos;
        if begun < schedule.due() {
            continue;
        }
        table.tick(schedule.number(), &inner.means);
        let instances = table.len();
        drop(table);
        let done = meters.now().monotonic_nanos;
        let (late, is_late) = schedule.late(begun);
        let took = Duration::from_nanos(done.saturating_sub(begun));
        let skipped = schedule.done(done);
        inner.means.figures.ticked(&Ticked { late, took, is_late, skipped, instances });
    }
}
