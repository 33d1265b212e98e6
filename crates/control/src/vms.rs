//! VMs as resources: made, read, listed, changed, removed, watched.

pub(crate) mod create;
mod remove;
pub(crate) mod update;

use crate::control::Control;
use crate::page::Part;
use crate::{fields, refusal, watch};
use std::ops::Bound;
use std::sync::Arc;
use weft_domain::{Fault, Instance, InstanceId};
use weft_ports::api::{Answers, Call, Change, ListQuery, NewVm, Page, Removal, Vm, VmChange, VmRef, Vms, WatchQuery};

#[async_trait::async_trait]
impl Vms for Control {
    async fn create(&self, call: &Call, new: NewVm) -> Result<Vm, Fault> {
        create::run(&self.core, call, new).await
    }

    async fn get(&self, _: &Call, vm: &VmRef) -> Result<Vm, Fault> {
        self.core.memory.find(vm).map(|vm| (*vm).clone())
    }

    async fn list(&self, _: &Call, query: &ListQuery) -> Result<Page<Vm>, Fault> {
        let (part, filter) = (Part::of("vms", query)?, fields::of_vms(&query.filter)?);
        let state = self.core.memory.read();
        let from = part.after.map_or(Bound::Unbounded, |id| Bound::Excluded(InstanceId::from_bytes(id)));
        let wanted = |vm: &&Arc<Vm>| {
            let mine = query.project.as_ref().is_none_or(|project| vm.value.meta.project == *project);
            mine && filter.takes(&|field| fields::vm(&vm.value, field))
        };
        let found = state.instances.range((from, Bound::Unbounded)).map(|(_, vm)| vm).filter(wanted);
        let mut found: Vec<Arc<Vm>> = found.take(part.size + 1).cloned().collect();
        let revision = state.revision;
        drop(state);
        let next_page_token = part.cut(&mut found, |vm| *vm.value.meta.id.as_bytes());
        Ok(Page { items: found.iter().map(|vm| (**vm).clone()).collect(), next_page_token, revision })
    }

    async fn update(&self, call: &Call, change: Change) -> Result<Vm, Fault> {
        let edit = |_: &Instance| {
            let Change { labels, annotations, spec, .. } = change.clone();
            Ok(update::Edit { labels, annotations, spec })
        };
        let Change { vm, etag, validate_only, .. } = &change;
        let asked = update::Asked { vm, etag: *etag, validate_only: *validate_only, edit: &edit };
        update::run(&self.core, call, "update", asked).await
    }

    async fn delete(&self, call: &Call, removal: Removal) -> Result<Option<Vm>, Fault> {
        remove::run(&self.core, call, &removal).await
    }

    async fn watch(&self, _: &Call, query: WatchQuery) -> Result<Answers<VmChange>, Fault> {
        if let (Some(vm), None) = (&query.vm, query.from)
            && self.core.memory.find(vm).is_err()
        {
            return Err(refusal::no_vm(vm));
        }
        watch::vms(&self.core, query).await
    }
}
