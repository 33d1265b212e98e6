//! What is plugged into a VM and resized: an update whose specification is made of what the VM is.
//!
//! A refusal names the field of the verb's own request (`disk.path`), not that of the specification
//! which it made. Counters and the interrupt that cannot be masked are asked of the node.

mod alter;

use crate::control::Control;
use crate::flow::Verb;
use crate::refusal;
use crate::snapshots::rules;
use crate::vms::update::{self, Asked, Edit};
use alter::Altered;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use weft_domain::capability::Feature;
use weft_domain::until::Until;
use weft_domain::{Fault, Instance, Phase, Reason};
use weft_ports::api::{Alter, Call, Devices, Vm, VmRef};
use weft_ports::hypervisor::Counters;
use weft_ports::link::Reach;
use weft_ports::store::Refused;

#[async_trait::async_trait]
impl Devices for Control {
    async fn alter(&self, call: &Call, vm: &VmRef, alter: Alter) -> Result<Vm, Fault> {
        // Where in its list the part that is altered is: the same as long as nobody else alters the VM.
        let place = AtomicUsize::new(0);
        let edit = |before: &Instance| {
            let Altered { draft, index } = alter::altered(&before.spec, &alter)?;
            place.store(index, Ordering::Relaxed);
            let spec = draft.check().map_err(|violations| {
                let fault = Fault::from_violations(Reason::FieldInvalid, violations);
                let fault = fault.unwrap_or_else(|| Fault::internal("an altered specification is refused"));
                fault.fix("correct these fields and send it again")
            })?;
            Ok(Edit { spec: Some(spec), ..Edit::default() })
        };
        let asked = Asked { vm, etag: None, validate_only: false, edit: &edit };
        let altered = update::run(&self.core, call, alter::verb(&alter), asked).await;
        altered.map_err(|fault| alter::named(fault, &alter, place.load(Ordering::Relaxed)))
    }

    async fn counters(&self, _: &Call, vm: &VmRef) -> Result<Counters, Fault> {
        let vm = self.core.memory.find(vm)?;
        let reach = self.running(&vm.value, (Feature::Counters, "tell counters"))?;
        reach.counters(vm.value.meta.id).await
    }

    async fn nmi(&self, call: &Call, vm: &VmRef) -> Result<Vm, Fault> {
        let verb = Verb::begin(&self.core, call, "nmi")?;
        if let Some(first) = verb.repeated(|_| Until::Now).await? {
            return Ok(first);
        }
        let vm = self.core.memory.find(vm)?;
        let reach = self.running(&vm.value, (Feature::Nmi, "interrupt a guest"))?;
        reach.nmi(vm.value.meta.id).await?;
        if let Some(request) = &verb.request {
            match self.core.commit_done(&vm, request).await {
                Ok(revision) => self.core.memory.reached(revision).await,
                // The same request was faster: the guest was interrupted.
                Err(Refused::Conflict { .. }) => {}
                Err(Refused::Store(fault)) => return Err(fault),
            }
        }
        Ok((*vm).clone())
    }
}

impl Control {
    /// The way to the node that runs this VM, by a driver that can do what is asked.
    fn running(&self, it: &Instance, (feature, what): (Feature, &str)) -> Result<Arc<dyn Reach>, Fault> {
        let phase = it.status.phase;
        if !matches!(phase, Phase::Running | Phase::Paused) || it.status.running.is_none() {
            let fault = Fault::new(Reason::PhaseForbids, format!("cannot {what} of a VM that is {phase}"));
            return Err(fault.fix("boot it first"));
        }
        let placement = it.placement.ok_or_else(|| refusal::node_away(None))?;
        let reach = self.core.reach(placement.node)?;
        if let Some((_, facts, _)) = self.core.nodes().iter().find(|(id, ..)| *id == placement.node) {
            rules::can(rules::driver_of(it, facts)?, feature, what)?;
        }
        Ok(reach)
    }
}
