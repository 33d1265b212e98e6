//! Whose usage it is: instances as they were last known, in the ledger before what says so is gone.
//!
//! ```text
//!  a batch names an instance ─┬─ known ──► nothing is to be done
//!                             └─ strange ► as the state has it, or by its id alone ─► ledger
//!  an instance goes ─► as it was at last, unless that is known ─► ledger ─► only then it goes from the state
//! ```
//!
//! What always holds: of an instance that ran, the state or the ledger knows who it is at every instant, whenever
//! either is killed. Making, starting and changing an instance cost nothing here. What the ledger could not keep
//! stays in memory, and is told it again with the next batch; nobody's removal waits for it.

use crate::memory::Memory;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};
use weft_domain::usage::{Width, bucket};
use weft_domain::{Fault, Instance, InstanceId, Labels, Name};
use weft_ports::ledger::{Ledger, Subject};
use weft_ports::spool::Batch;

/// The project of those that nobody here has heard of.
const UNKNOWN: &str = "unknown";

/// All subjects that are known.
pub(crate) struct Subjects {
    ledger: Arc<dyn Ledger>,
    known: RwLock<HashMap<InstanceId, Known>>,
}

struct Known {
    subject: Arc<Subject>,
    /// Whether the ledger has it.
    kept: bool,
    /// The last second of which anything came.
    last: AtomicI64,
}

impl Known {
    const fn new(subject: Arc<Subject>, kept: bool) -> Self {
        Self { subject, kept, last: AtomicI64::new(i64::MIN) }
    }
}

impl Subjects {
    /// Those that the ledger has.
    pub(crate) async fn open(ledger: Arc<dyn Ledger>) -> Result<Self, Fault> {
        let known = ledger.subjects().await?;
        let known = known.into_iter().map(|subject| (subject.instance, Known::new(Arc::new(subject), true)));
        Ok(Self { known: RwLock::new(known.collect()), ledger })
    }

    /// Sees to it that the ledger knows of whom these records are.
    pub(crate) async fn introduce(&self, batch: &Batch, memory: &Memory) -> Result<(), Fault> {
        let strange = self.strangers(batch);
        if strange.is_empty() {
            return Ok(());
        }
        let subjects = strange.into_iter().map(|id| {
            // In this order: one that goes from the state is known before it goes.
            let current = memory.get(id).map(|vm| subject(&vm.value));
            current.map(Arc::new).or_else(|| self.of(id)).unwrap_or_else(|| Arc::new(unknown(id)))
        });
        self.keep(subjects.collect()).await?;
        self.strangers(batch);
        Ok(())
    }

    /// An instance is about to go from the state.
    pub(crate) async fn leaves(&self, instance: &Instance) {
        let (id, last) = (instance.meta.id, subject(instance));
        let known = self.read().get(&id).map(|known| known.kept && *known.subject == last);
        let never_ran = instance.desired.boot_epoch == 0;
        if known == Some(true) || (known.is_none() && never_ran) {
            return;
        }
        let last = Arc::new(last);
        if let Err(fault) = self.keep(vec![Arc::clone(&last)]).await {
            tracing::warn!(instance = %id, %fault, "the ledger could not keep whose usage this was; it is told again");
            self.write().insert(id, Known::new(last, false));
        }
    }

    /// Forgets those that the ledger has no more, of those that were known before it dropped what is old.
    pub(crate) async fn forget(&self, before: &BTreeSet<InstanceId>) -> Result<(), Fault> {
        let kept: BTreeSet<_> = self.ledger.subjects().await?.into_iter().map(|subject| subject.instance).collect();
        self.write().retain(|id, known| !known.kept || kept.contains(id) || !before.contains(id));
        Ok(())
    }

    /// All that are known, by id.
    pub(crate) fn ids(&self) -> BTreeSet<InstanceId> {
        self.read().keys().copied().collect()
    }

    /// Those of which something came that was used in this second or later.
    pub(crate) fn since(&self, second: i64) -> Vec<InstanceId> {
        let known = self.read();
        let mut ids: Vec<_> =
            known.iter().filter(|(_, known)| known.last.load(Ordering::Relaxed) >= second).map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids
    }

    /// Who this is now: as the state has it, else as it was last known, else by its id alone.
    pub(crate) fn who(&self, id: InstanceId, memory: &Memory) -> Arc<Subject> {
        let current = memory.get(id).map(|vm| self.current(&vm.value));
        current.or_else(|| self.of(id)).unwrap_or_else(|| Arc::new(unknown(id)))
    }

    /// All, as they are now or were last known.
    pub(crate) fn everyone(&self, memory: &Memory) -> BTreeMap<InstanceId, Arc<Subject>> {
        // In this order: one that goes from the state is known before it goes.
        let vms: Vec<_> = memory.read().instances.values().cloned().collect();
        let mut all: BTreeMap<_, _> = self.read().iter().map(|(id, known)| (*id, Arc::clone(&known.subject))).collect();
        all.extend(vms.iter().map(|vm| (vm.value.meta.id, self.current(&vm.value))));
        all
    }

    /// An instance as it is, without a copy where it is as it was.
    fn current(&self, instance: &Instance) -> Arc<Subject> {
        let meta = &instance.meta;
        let same =
            |known: &Subject| known.project == meta.project && known.name == meta.name && known.labels == meta.labels;
        self.of(meta.id).filter(|known| same(known)).unwrap_or_else(|| Arc::new(subject(instance)))
    }

    fn of(&self, id: InstanceId) -> Option<Arc<Subject>> {
        self.read().get(&id).map(|known| Arc::clone(&known.subject))
    }

    /// Those of a batch that the ledger does not know; notes of the others when they last used anything.
    fn strangers(&self, batch: &Batch) -> BTreeSet<InstanceId> {
        let known = self.read();
        let mut strange = BTreeSet::new();
        for record in &batch.records {
            match known.get(&record.meter.instance) {
                Some(one) => {
                    one.last.fetch_max(bucket(record.to.wall, Width::Second), Ordering::Relaxed);
                    if !one.kept {
                        strange.insert(record.meter.instance);
                    }
                }
                None => drop(strange.insert(record.meter.instance)),
            }
        }
        strange
    }

    async fn keep(&self, subjects: Vec<Arc<Subject>>) -> Result<(), Fault> {
        let told: Vec<Subject> = subjects.iter().map(|subject| (**subject).clone()).collect();
        self.ledger.remember(&told).await?;
        let mut known = self.write();
        for subject in subjects {
            let last = known.get(&subject.instance).map_or(i64::MIN, |known| known.last.load(Ordering::Relaxed));
            let fresh = Known { last: AtomicI64::new(last), ..Known::new(Arc::clone(&subject), true) };
            known.insert(subject.instance, fresh);
        }
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<InstanceId, Known>> {
        self.known.read().expect("no lock of subjects is held over a panic")
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<InstanceId, Known>> {
        self.known.write().expect("no lock of subjects is held over a panic")
    }
}

/// Who an instance is.
fn subject(instance: &Instance) -> Subject {
    let meta = &instance.meta;
    Subject { project: meta.project.clone(), instance: meta.id, name: meta.name.clone(), labels: meta.labels.clone() }
}

/// Somebody of whom only the id is known, which is a lawful name too.
fn unknown(id: InstanceId) -> Subject {
    let name: Name = id.to_string().parse().expect("an id's text is a lawful name");
    let project: Name = UNKNOWN.parse().expect("it is a lawful name");
    Subject { project, instance: id, name, labels: Labels::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_is_a_name() {
        for byte in [0, 0x7f, 0xff] {
            assert_eq!(unknown(InstanceId::from_bytes([byte; 16])).project.as_str(), UNKNOWN);
        }
    }
}
