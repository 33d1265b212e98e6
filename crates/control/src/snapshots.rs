//! Snapshots as resources: taken, read, listed, removed; restored and forked.
//!
//! ```text
//!  create ─► PENDING ─► node takes it ─► READY | FAILED       delete ─► DELETING ─► node releases it ─► gone
//! ```
//!
//! A snapshot is needed by those that have it as parent, and by a VM whose present boot began from it until
//! that VM is shut down or booted anew: VMMs map its memory. What is needed is not removed.

mod begin;
pub(crate) mod commit;
mod create;
mod remove;
pub(crate) mod rules;

use crate::control::Control;
use crate::fields;
use crate::page::Part;
use std::ops::Bound;
use std::sync::Arc;
use weft_domain::{Fault, SnapshotId};
use weft_ports::api::{
    Call, Fork, KeptSnapshot, ListQuery, NewSnapshot, Page, SnapshotRef, SnapshotRemoval, Snapshots, Vm, VmRef,
};

#[async_trait::async_trait]
impl Snapshots for Control {
    async fn create(&self, call: &Call, new: NewSnapshot) -> Result<KeptSnapshot, Fault> {
        create::run(&self.core, call, &new).await
    }

    async fn get(&self, _: &Call, snapshot: &SnapshotRef) -> Result<KeptSnapshot, Fault> {
        self.core.memory.find_snapshot(snapshot).map(|one| (*one).clone())
    }

    async fn list(&self, _: &Call, query: &ListQuery) -> Result<Page<KeptSnapshot>, Fault> {
        let (part, filter) = (Part::of("snapshots", query)?, fields::of_snapshots(&query.filter)?);
        let from = part.after.map_or(Bound::Unbounded, |id| Bound::Excluded(SnapshotId::from_bytes(id)));
        let wanted = |one: &&Arc<KeptSnapshot>| {
            let mine = query.project.as_ref().is_none_or(|project| one.value.project == *project);
            mine && filter.takes(&|field| fields::snapshot(&one.value, field))
        };
        let (mut found, revision) = {
            let state = self.core.memory.read();
            let snapshots = state.snapshots.range((from, Bound::Unbounded)).map(|(_, one)| one).filter(wanted);
            (snapshots.take(part.size + 1).cloned().collect::<Vec<_>>(), state.revision)
        };
        let next_page_token = part.cut(&mut found, |one| *one.value.id.as_bytes());
        Ok(Page { items: found.iter().map(|one| (**one).clone()).collect(), next_page_token, revision })
    }

    async fn delete(&self, call: &Call, removal: SnapshotRemoval) -> Result<Option<KeptSnapshot>, Fault> {
        remove::run(&self.core, call, &removal).await
    }

    async fn restore(&self, call: &Call, vm: &VmRef, snapshot: &SnapshotRef) -> Result<Vm, Fault> {
        begin::restore(&self.core, call, vm, snapshot).await
    }

    async fn fork(&self, call: &Call, fork: Fork) -> Result<Vm, Fault> {
        begin::fork(&self.core, call, &fork).await
    }
}
