//! What the agent counts, for `/metrics`.

mod metering;

pub(crate) use metering::{Metered, Ticked};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use weft_domain::census::{Sort, Taken, Verdict};
use weft_domain::instance::ExitCause;

/// The agent's instruments.
#[derive(Clone)]
pub(crate) struct Figures {
    launches: Counter<u64>,
    launch_seconds: Histogram<f64>,
    exits: Counter<u64>,
    adopted: Counter<u64>,
    healed: Counter<u64>,
    census: Gauge<u64>,
    looks: Counter<u64>,
    step_failures: Counter<u64>,
    owners: Gauge<u64>,
    pub(crate) metered: Metered,
    passing: Arc<Passing>,
}

/// What the agent itself goes by.
#[derive(Default)]
struct Passing {
    owners: AtomicU32,
    refresh_us: AtomicU64,
}

impl Figures {
    pub(crate) fn meter() -> Meter {
        opentelemetry::global::meter("weft.agent")
    }

    pub(crate) fn new() -> Self {
        let meter = Self::meter();
        Self {
            launches: meter.u64_counter("weft_agent_launches").with_description("Machines launched").build(),
            launch_seconds: meter
                .f64_histogram("weft_agent_launch_seconds")
                .with_description("From the claim of a process to running virtual CPUs")
                .with_boundaries(vec![0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0])
                .build(),
            exits: meter.u64_counter("weft_agent_exits").with_description("Machines that ended, by cause").build(),
            adopted: meter
                .u64_counter("weft_agent_adopted")
                .with_description("Machines taken up from a former agent")
                .build(),
            healed: meter
                .u64_counter("weft_census_healed")
                .with_description("Things that bore weft's name and that nobody claimed, taken away")
                .build(),
            looks: meter.u64_counter("weft_census_looks").with_description("Censuses taken to heal").build(),
            census: meter
                .u64_gauge("weft_census_things")
                .with_description("Things in the last census, by verdict")
                .build(),
            step_failures: meter
                .u64_counter("weft_agent_step_failures")
                .with_description("Steps that failed and are tried again")
                .build(),
            owners: meter.u64_gauge("weft_agent_instances").with_description("Instances on this node").build(),
            metered: Metered::new(&meter),
            passing: Arc::default(),
        }
    }

    pub(crate) fn launched(&self, driver: &str, took: Duration) {
        let labels = [KeyValue::new("driver", driver.to_owned())];
        self.launches.add(1, &labels);
        self.launch_seconds.record(took.as_secs_f64(), &labels);
    }

    pub(crate) fn exited(&self, cause: ExitCause) {
        self.exits.add(1, &[KeyValue::new("cause", cause.as_str())]);
    }

    pub(crate) fn adopted(&self) {
        self.adopted.add(1, &[]);
    }

    pub(crate) fn healed(&self, sort: Sort) {
        self.healed.add(1, &[KeyValue::new("sort", sort.as_str())]);
    }

    pub(crate) fn census(&self, taken: &Taken) {
        self.looks.add(1, &[]);
        for verdict in Verdict::ALL {
            let count = taken.things.iter().filter(|thing| thing.verdict == *verdict).count();
            self.census.record(count as u64, &[KeyValue::new("verdict", verdict.as_str())]);
        }
    }

    pub(crate) fn step_failed(&self, step: &'static str) {
        self.step_failures.add(1, &[KeyValue::new("step", step)]);
    }

    pub(crate) fn owners(&self, count: usize) {
        self.owners.record(count as u64, &[]);
        self.passing.owners.store(u32::try_from(count).unwrap_or(u32::MAX), Ordering::Relaxed);
    }

    /// How many instances are on this node.
    pub(crate) fn crowd(&self) -> u32 {
        self.passing.owners.load(Ordering::Relaxed)
    }

    /// What the node tells of itself was found out in this time.
    pub(crate) fn refreshed(&self, took: Duration) {
        self.passing.refresh_us.store(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// In how much time that was done when it was last done.
    pub(crate) fn refresh_took(&self) -> Duration {
        Duration::from_micros(self.passing.refresh_us.load(Ordering::Relaxed))
    }
}
