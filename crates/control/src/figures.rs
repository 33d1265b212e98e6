//! What is counted: changes of phase, instances in each phase, waits of verbs, lost races.

use crate::memory::Memory;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram};
use std::sync::{Arc, Weak};
use std::time::Duration;
use weft_domain::Phase;

/// The instruments.
pub(crate) struct Figures {
    transitions: Counter<u64>,
    conflicts: Counter<u64>,
    waits: Histogram<f64>,
}

impl Figures {
    /// The instruments, of which one looks into memory when it is read.
    pub(crate) fn new(memory: &Arc<Memory>) -> Self {
        let meter = opentelemetry::global::meter("weft.control");
        let memory: Weak<Memory> = Arc::downgrade(memory);
        meter
            .u64_observable_gauge("weft.instances")
            .with_description("Instances, by phase")
            .with_callback(move |observer| {
                let Some(memory) = memory.upgrade() else { return };
                let state = memory.read();
                for phase in Phase::ALL {
                    let count = state.phases.get(&phase).copied().unwrap_or(0);
                    observer.observe(count, &[KeyValue::new("phase", phase.as_str())]);
                }
            })
            .build();
        let transitions = meter.u64_counter("weft.instance.transitions").with_description("Changes of phase");
        let conflicts = meter.u64_counter("weft.control.conflicts").with_description("Commits that lost a race");
        let waits = meter.f64_histogram("weft.verb.wait").with_unit("s").with_description("How long verbs took");
        Self { transitions: transitions.build(), conflicts: conflicts.build(), waits: waits.build() }
    }

    /// An instance came into this phase.
    pub(crate) fn moved(&self, to: Phase) {
        self.transitions.add(1, &[KeyValue::new("phase", to.as_str())]);
    }

    /// A commit lost a race.
    pub(crate) fn lost(&self) {
        self.conflicts.add(1, &[]);
    }

    /// A verb took this long from its commit to its answer.
    pub(crate) fn waited(&self, verb: &'static str, took: Duration) {
        self.waits.record(took.as_secs_f64(), &[KeyValue::new("verb", verb)]);
    }
}
