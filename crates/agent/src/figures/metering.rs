//! What metering counts of itself.

use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter};
use std::time::Duration;

/// The instruments of metering.
#[derive(Clone)]
pub(crate) struct Metered {
    ticks: Counter<u64>,
    late: Counter<u64>,
    skipped: Counter<u64>,
    lateness: Histogram<f64>,
    took: Histogram<f64>,
    instances: Gauge<u64>,
    records: Counter<u64>,
    refusals: Counter<u64>,
    unread: Counter<u64>,
    batches: Counter<u64>,
    ship_failures: Counter<u64>,
}

/// One tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticked {
    /// How long after its time it began.
    pub(crate) late: Duration,
    /// How long it took.
    pub(crate) took: Duration,
    /// Whether that is worth counting.
    pub(crate) is_late: bool,
    /// Ticks that were passed over after it.
    pub(crate) skipped: u64,
    /// How many processes are measured.
    pub(crate) instances: usize,
}

impl Metered {
    pub(crate) fn new(meter: &Meter) -> Self {
        let counter = |name, what| meter.u64_counter(name).with_description(what).build();
        let seconds = |name, what| meter.f64_histogram(name).with_description(what).with_boundaries(bounds()).build();
        Self {
            ticks: counter("weft_metering_ticks", "Times that all instances were measured"),
            late: counter("weft_metering_late_ticks", "Those that began late by more than a tenth of the interval"),
            skipped: counter(
                "weft_metering_skipped_ticks",
                "Those that were left out, as the one before took too long",
            ),
            lateness: seconds("weft_metering_lateness_seconds", "How long after its time a measurement began"),
            took: seconds("weft_metering_tick_seconds", "How long measuring and writing down took"),
            instances: meter
                .u64_gauge("weft_metering_instances")
                .with_description("Processes that are measured")
                .build(),
            records: counter("weft_metering_records", "Records written down"),
            refusals: counter("weft_metering_refusals", "Times that the spool took nothing; it is written down later"),
            unread: counter("weft_metering_unread", "Times that counters began to be unreadable"),
            batches: counter("weft_metering_batches", "Batches handed on to control"),
            ship_failures: counter("weft_metering_ship_failures", "Times that a batch could not be handed on"),
        }
    }

    pub(crate) fn ticked(&self, tick: &Ticked) {
        self.ticks.add(1, &[]);
        self.late.add(u64::from(tick.is_late), &[]);
        self.skipped.add(tick.skipped, &[]);
        self.lateness.record(tick.late.as_secs_f64(), &[]);
        self.took.record(tick.took.as_secs_f64(), &[]);
        self.instances.record(tick.instances as u64, &[]);
    }

    pub(crate) fn written(&self, records: usize) {
        self.records.add(records as u64, &[]);
    }

    pub(crate) fn refused(&self) {
        self.refusals.add(1, &[]);
    }

    pub(crate) fn unread(&self) {
        self.unread.add(1, &[]);
    }

    pub(crate) fn shipped(&self) {
        self.batches.add(1, &[]);
    }

    pub(crate) fn not_shipped(&self) {
        self.ship_failures.add(1, &[]);
    }
}

fn bounds() -> Vec<f64> {
    vec![0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0]
}
