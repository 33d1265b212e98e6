//! What the running machine is made of, and how it is given what it lacks.
//!
//! ```text
//!  launched ┐                 ┌─ changes ─► resolve ─► alter ─► applied ─► journal ─► the next
//!  running  ├─► live (pure) ──┤                 └─ refused: told, and tried again after a while
//!  wanted   ┘                 └─ the rest waits for the next boot, and is told
//! ```
//!
//! A change that was done and not yet written down is done again by the next agent, which is why each is
//! idempotent. One that is refused does not hold up the others.

use super::Owner;
use crate::inventory::Held;
use crate::vet;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use weft_domain::spec::change::{Change, Live, live};
use weft_domain::spec::{Disk, DiskSource, Draft, Spec};
use weft_domain::{Fault, Kind, Time};
use weft_ports::hypervisor::{Alteration, Backing, Machine};

/// The longest wait before a refused change is tried again, in tries of the first.
const MOST_WAITS: u32 = 64;

/// What a machine is made of.
#[derive(Debug, Clone)]
pub(super) struct Made {
    /// With what it was started.
    launched: Spec,
    /// What it has become.
    pub(super) running: Running,
}

/// What a machine has become.
#[derive(Debug, Clone)]
pub(super) enum Running {
    /// A specification that is right, and shared by all who hold it.
    Spec(Spec),
    /// What is on the way between two right specifications may not be one.
    Between(Box<Draft>),
}

impl Running {
    /// The specification that it is, if it is one.
    pub(super) fn spec(&self) -> Option<Spec> {
        match self {
            Self::Spec(spec) => Some(spec.clone()),
            Self::Between(_) => None,
        }
    }
}

impl std::ops::Deref for Running {
    type Target = Draft;
    fn deref(&self) -> &Draft {
        match self {
            Self::Spec(spec) => spec,
            Self::Between(draft) => draft,
        }
    }
}

impl Made {
    /// One that was started with this.
    pub(super) fn of(spec: &Spec) -> Self {
        Self { launched: spec.clone(), running: Running::Spec(spec.clone()) }
    }

    /// Takes up a change; the specification that it is then, if that is one.
    fn take(&mut self, change: &Change) -> Option<Spec> {
        let mut draft = Draft::clone(&self.running);
        change.apply(&mut draft);
        let spec = draft.clone().check().ok();
        self.running = spec.clone().map_or_else(|| Running::Between(Box::new(draft)), Running::Spec);
        spec
    }
}

/// Changes that its VMM or this node refused.
#[derive(Debug, Default)]
pub(super) struct Refusals(Vec<Refusal>);

#[derive(Debug)]
struct Refusal {
    change: Change,
    why: String,
    tries: u32,
    again: Time,
}

impl Refusals {
    fn is_due(&self, change: &Change, now: Time) -> bool {
        self.0.iter().all(|refusal| refusal.change != *change || now >= refusal.again)
    }

    fn add(&mut self, change: &Change, why: String, now: Time, wait: Duration) {
        let known = self.0.iter().position(|refusal| refusal.change == *change);
        let tries = known.map_or(0, |at| self.0.swap_remove(at).tries).saturating_add(1);
        let waits = 1u32.checked_shl(tries - 1).unwrap_or(MOST_WAITS).min(MOST_WAITS);
        self.0.push(Refusal { change: change.clone(), why, tries, again: now.plus(wait.saturating_mul(waits)) });
    }
}

/// The generation that the process has taken up as far as it could.
pub(super) fn applied_generation(held: &Held) -> u64 {
    held.note.applied_generation.max(held.process.generation)
}

impl Owner {
    /// The specification of a process, and what it has become, as the journal has them.
    fn written(&self, held: &Held) -> Option<(Spec, Spec)> {
        let read = |bytes: &Bytes| match self.shared.ports.specs.decode_spec(bytes) {
            Ok(spec) => Some(spec),
            Err(error) => {
                tracing::warn!(%error, claim = %held.claim, "the journal does not tell what a machine is made of");
                None
            }
        };
        match (held.process.spec.is_empty(), held.note.spec.is_empty()) {
            (false, true) => read(&held.process.spec).map(|spec| (spec.clone(), spec)),
            (false, false) => Some((read(&held.process.spec)?, read(&held.note.spec)?)),
            (true, false) => read(&held.note.spec).map(|spec| (spec.clone(), spec)),
            // A former weft wrote none: it is what is asked now, unless that was changed since.
            (true, true) => {
                let placed = self.placed.as_ref().filter(|placed| placed.generation == held.process.generation)?;
                Some((placed.spec.as_ref().clone(), placed.spec.as_ref().clone()))
            }
        }
    }

    /// What a process of a former agent is made of, if that can be told.
    pub(super) fn made_of(&self, held: &mut Held) -> Option<Made> {
        let (launched, running) = self.written(held)?;
        if held.process.spec.is_empty() && held.note.spec.is_empty() {
            // Written down with its next note, before what is asked changes.
            held.note.spec = self.shared.ports.specs.encode_spec(&running).into();
        }
        Some(Made { launched, running: Running::Spec(running) })
    }

    /// What its driver is told that it is.
    pub(super) fn spec_of(&self, held: &Held) -> Result<Arc<Spec>, Fault> {
        match self.written(held) {
            Some((_, running)) => Ok(Arc::new(running)),
            None => Ok(Arc::clone(&self.placed()?.spec)),
        }
    }

    /// What the running machine lacks, and what of it waits.
    fn lack(&self) -> Option<Live> {
        let running = self.up()?;
        let (made, placed) = (running.made.as_ref()?, self.placed.as_ref()?);
        let drivers = &self.shared.ports.drivers;
        let driver = drivers.iter().find(|driver| driver.capabilities().driver == running.held.process.driver)?;
        Some(live(&made.launched, &made.running, &placed.spec, &driver.capabilities().features))
    }

    /// Whether something can be done about it now.
    pub(super) fn is_lacking(&self) -> bool {
        let (Some(running), Some(placed), Some(lack)) = (self.up(), &self.placed, self.lack()) else { return false };
        let now = self.now();
        let behind = applied_generation(&running.held) < placed.generation;
        if applied_generation(&running.held) > placed.generation {
            // The state is older than what runs, as after restoring a backup: nothing is taken from a running
            // machine before somebody asks for it anew.
            return false;
        }
        if lack.changes.is_empty() { behind } else { lack.changes.iter().any(|it| running.refusals.is_due(it, now)) }
    }

    /// Fields that wait for the next boot.
    pub(super) fn restart_required(&self) -> Vec<String> {
        match self.up() {
            None => Vec::new(),
            Some(running) if running.made.is_none() => vec!["vm.spec".to_owned()],
            Some(_) => self.lack().map(|lack| lack.restart).unwrap_or_default(),
        }
    }

    /// Gives the machine what it lacks, one change after the other.
    pub(super) async fn apply(&mut self) -> Result<(), Fault> {
        let placed = self.placed()?;
        let lack = self.lack().unwrap_or_default();
        if let Some(running) = &mut self.live {
            running.refusals.0.retain(|refusal| lack.changes.contains(&refusal.change));
        }
        for change in &lack.changes {
            let due = self.live.as_ref().is_some_and(|running| running.refusals.is_due(change, self.now()));
            // What is wanted may be another by now.
            if self.has_ended() || !matches!(self.wants.has_changed(), Ok(false)) {
                return Ok(());
            }
            if due {
                self.take_up(change).await?;
                self.measure_change().await;
            }
        }
        if self.lack().is_some_and(|lack| lack.changes.is_empty()) {
            self.note_generation(placed.generation).await?;
        }
        Ok(())
    }

    async fn take_up(&mut self, change: &Change) -> Result<(), Fault> {
        let altered = self.alter(change).await;
        let (now, wait) = (self.now(), self.shared.config.retry);
        let Some(running) = &mut self.live else { return Ok(()) };
        match altered {
            Ok(()) => {
                tracing::info!(change = change.told(), "the machine has changed");
                running.refusals.0.retain(|refusal| refusal.change != *change);
                let Some(made) = &mut running.made else { return Ok(()) };
                // What is between two right specifications is written with the next, and done again if that
                // does not come.
                let Some(spec) = made.take(change) else { return Ok(()) };
                running.held.note.spec = self.shared.ports.specs.encode_spec(&spec).into();
                let (claim, note) = (running.held.claim, running.held.note.clone());
                self.shared.ports.claims.note(claim, note).await
            }
            // A VMM that does not answer would not answer to the next change either.
            Err(fault) if matches!(fault.kind(), Kind::Unavailable | Kind::DeadlineExceeded) => Err(fault),
            Err(fault) => {
                tracing::warn!(change = change.told(), %fault, "a change was refused; it is tried again");
                self.shared.figures.step_failed("apply");
                running.refusals.add(change, fault.to_string(), now, wait);
                Ok(())
            }
        }
    }

    /// Resolves what a change needs, and does it.
    async fn alter(&mut self, change: &Change) -> Result<(), Fault> {
        let backing = match change {
            Change::AddDisk(disk) | Change::SwapDisk(disk) => Some(self.back(disk).await?),
            Change::ResizeDisk(name, bytes) => {
                let path = self.shared.layout.disk(self.id, name);
                self.shared.ports.volumes.grow(&path, *bytes).await?;
                None
            }
            Change::AddNic(_) | Change::AddDevice(_) => {
                let spec = Arc::clone(&self.placed()?.spec);
                vet::devices(self.shared.ports.volumes.as_ref(), &spec).await?;
                None
            }
            Change::Cpus(_)
            | Change::Memory(_)
            | Change::Balloon(_)
            | Change::Hint(_)
            | Change::RemoveDisk(_)
            | Change::LimitDisk(..)
            | Change::RemoveNic(_)
            | Change::LimitNic(_)
            | Change::RemoveDevice(_)
            | Change::LimitDevice(_)
            | Change::AddVsock(_)
            | Change::RemoveVsock
            | Change::Metadata(_) => None,
        };
        let alteration = Alteration { change: change.clone(), backing };
        let machine: &dyn Machine = self.machine()?;
        self.unless_forced(machine.alter(&alteration)).await
    }

    /// The file behind a disk that is plugged; one that weft makes is claimed first.
    async fn back(&mut self, disk: &Disk) -> Result<Backing, Fault> {
        let placed = self.placed()?;
        if let DiskSource::Blank { size_bytes } = disk.source {
            let path = self.shared.layout.disk(self.id, &disk.name);
            self.make_things(&placed, &[(path, Some(size_bytes))]).await?;
        }
        let at = placed.spec.disks.iter().position(|other| other.name == disk.name).unwrap_or_default();
        Ok(Backing { path: self.resolve_disk(disk, at).await?, format: disk.format })
    }

    async fn note_generation(&mut self, generation: u64) -> Result<(), Fault> {
        let Some(running) = &mut self.live else { return Ok(()) };
        let mut note = running.held.note.clone();
        note.applied_generation = generation;
        self.shared.ports.claims.note(running.held.claim, note.clone()).await?;
        running.held.note = note;
        Ok(())
    }

    /// Says which changes are refused, if any.
    pub(super) fn tell_refusals(&mut self) {
        let refused = self.live.as_ref().and_then(|running| {
            let words = |refusal: &Refusal| format!("{}: {}", refusal.change.told(), refusal.why);
            let all: Vec<_> = running.refusals.0.iter().map(words).collect();
            (!all.is_empty()).then(|| all.join("; "))
        });
        match refused {
            Some(message) => {
                let now = self.now();
                self.told.condition(now, "StepSucceeded", false, ("StepFailed", &format!("apply: {message}")));
            }
            None => self.told.clear("StepSucceeded"),
        }
    }

    /// When a refused change is tried again.
    pub(super) fn next_try(&self) -> Duration {
        let refusals = self.live.as_ref().map(|running| running.refusals.0.as_slice()).unwrap_or_default();
        let now = self.now();
        refusals.iter().map(|refusal| refusal.again.since(now)).min().unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_change_waits_longer_each_time() {
        let (mut refusals, wait) = (Refusals::default(), Duration::from_secs(1));
        let (change, mut now, mut waits) = (Change::Cpus(2), Time::from_millis(0), Vec::new());
        for _ in 0..9 {
            refusals.add(&change, "no".to_owned(), now, wait);
            assert!(!refusals.is_due(&change, now) && refusals.is_due(&Change::Cpus(3), now));
            let span = refusals.0[0].again.since(now);
            waits.push(span.as_secs());
            now = now.plus(span);
            assert!(refusals.is_due(&change, now));
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
    }
}
