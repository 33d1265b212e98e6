//! Usage, for as long as one run of the agent: the sampler, and the task that hands on what it writes down.

use super::Agent;
use crate::inventory::Holdings;
use crate::sampler::Sampler;
use crate::shipper::Shipper;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use weft_domain::usage::Record;
use weft_domain::{Fault, InstanceId, Reason};
use weft_ports::link::UsageReach;
use weft_ports::spool::RawQuery;
use weft_ports::task::{self, Task};

/// Usage is measured and handed on until it is dropped.
pub(super) struct Measuring {
    _sampler: Sampler,
    _shipper: Task<()>,
}

impl Agent {
    /// Measures from where a former agent stood, if usage is measured here.
    pub(super) async fn begin_to_measure(
        &self,
        inherited: &BTreeMap<InstanceId, Holdings>,
    ) -> Result<Option<Measuring>, Fault> {
        let shared = &self.shared;
        let Some(metering) = shared.ports.metering.clone() else { return Ok(None) };
        let figures = shared.figures.metered.clone();
        let sampler = Sampler::with(&metering, figures.clone())?;
        let handle = sampler.handle();
        *shared.sampler.lock().unwrap_or_else(PoisonError::into_inner) = Some(handle.clone());
        let held = inherited.values().flat_map(|holdings| &holdings.processes);
        handle.end_unclaimed(held.map(|held| held.process.incarnation).collect()).await;
        let node = shared.config.node.id;
        let shipper = Shipper { node, metering, clock: Arc::clone(&shared.ports.clock), figures };
        Ok(Some(Measuring { _sampler: sampler, _shipper: task::spawn("shipper", shipper.run()) }))
    }
}

#[async_trait]
impl UsageReach for Agent {
    async fn records(&self, query: RawQuery) -> Result<Vec<Record>, Fault> {
        match &self.shared.ports.metering {
            Some(metering) => metering.spool.read(query).await,
            None => Err(Fault::new(Reason::VerbUnsupported, "usage is not measured on this node")),
        }
    }
}
