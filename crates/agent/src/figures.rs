//! What the agent counts, for `/metrics`.

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge, Histogram};
use std::time::Duration;
use weft_domain::instance::ExitCause;

/// The agent's instruments.
#[derive(Clone)]
pub(crate) struct Figures {
    launches: Counter<u64>,
    launch_seconds: Histogram<f64>,
    exits: Counter<u64>,
    adopted: Counter<u64>,
    released: Counter<u64>,
    step_failures: Counter<u64>,
    owners: Gauge<u64>,
}

impl Figures {
    pub(crate) fn new() -> Self {
        let meter = opentelemetry::global::meter("weft.agent");
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
            released: meter
                .u64_counter("weft_agent_released")
                .with_description("Things found at start that nobody wanted, and taken away")
                .build(),
            step_failures: meter
                .u64_counter("weft_agent_step_failures")
                .with_description("Steps that failed and are tried again")
                .build(),
            owners: meter.u64_gauge("weft_agent_instances").with_description("Instances on this node").build(),
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

    pub(crate) fn released(&self, what: &'static str) {
        self.released.add(1, &[KeyValue::new("what", what)]);
    }

    pub(crate) fn step_failed(&self, step: &'static str) {
        self.step_failures.add(1, &[KeyValue::new("step", step)]);
    }

    pub(crate) fn owners(&self, count: usize) {
        self.owners.record(count as u64, &[]);
    }
}
