//! What clients asked and were told, and what stands since the last check.
//!
//! ```text
//!  begin ─► under way ─┬─ told ─► done or refused ─► judged with the next check ─► past
//!                      └─ the daemon died ─► asked again under the same request id
//! ```

use super::deed::{Answer, Deed, Outcome};
use super::dice::Dice;
use super::model::{Form, State};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use weft_domain::object::Revision;
use weft_domain::snapshot::SnapshotPhase;
use weft_domain::spec::RestartPolicy;

/// So many deeds that were done are remembered, to be asked again.
const PAST: usize = 400;

/// One request of a client.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The name of its VM.
    pub(super) name: String,
    pub(super) deed: Deed,
    pub(super) request_id: String,
    /// When it began, on the ledger's clock.
    pub(super) begun: u64,
    /// When it was told; `None` while it is not known.
    pub(super) ended: Option<u64>,
    pub(super) outcome: Option<Outcome>,
    /// How often it was asked again.
    pub(super) repeats: u32,
}

impl Entry {
    /// Whether the client knows what came of it.
    pub(super) const fn is_told(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Done(_) | Outcome::Refused(_)))
    }

    /// One line for people.
    pub(super) fn line(&self) -> String {
        let told = match &self.outcome {
            None => "under way".to_owned(),
            Some(Outcome::Unknown(fault)) => format!("not told: {fault}"),
            Some(Outcome::Refused(fault)) => format!("refused, {}: {fault}", fault.reason.as_str()),
            Some(Outcome::Done(answer)) => {
                let phase = answer.phase().map(|phase| format!(" {phase}")).unwrap_or_default();
                format!("done{phase} {}", answer.id().unwrap_or_default())
            }
        };
        let ended = self.ended.map(|ended| ended.to_string()).unwrap_or_default();
        let (name, verb) = (&self.name, self.deed.verb());
        let again = if self.repeats > 0 { format!(" (asked again {} times)", self.repeats) } else { String::new() };
        format!("[{}..{ended}] {name}: {verb}{again} → {told} ({})", self.begun, self.request_id)
    }
}

/// The VM of a name as the last check saw it.
#[derive(Debug, Clone, Default)]
pub(super) struct Standing {
    pub(super) state: State,
    pub(super) id: String,
    /// Its process: pid and start time.
    pub(super) process: Option<(u32, u64)>,
    /// It failed, and weft tries again by itself: nothing of it ran before, or its policy says so.
    pub(super) tried_again: bool,
}

/// A snapshot as its client knows it.
#[derive(Debug, Clone)]
pub(super) struct Keeping {
    pub(super) id: String,
    pub(super) phase: SnapshotPhase,
    /// The form of a VM that begins from it.
    pub(super) form: Form,
    /// Its sums were found right once, with these times of change.
    pub(super) verified: bool,
}

/// Everything.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    clock: u64,
    serial: u64,
    /// Requests since the last check, and those that are not told yet.
    pub(super) entries: Vec<Entry>,
    past: VecDeque<Entry>,
    pub(super) standing: BTreeMap<String, Standing>,
    /// VMs that were made, with the request that did.
    pub(super) born: BTreeMap<String, String>,
    /// VMs that were removed.
    pub(super) gone: BTreeSet<String>,
    pub(super) snapshots: BTreeMap<String, Keeping>,
    /// Snapshots that were removed.
    pub(super) forgotten: BTreeSet<String>,
    /// The newest revision that was told to anybody.
    pub(super) revision: Revision,
    /// Requests that took long when they were asked again.
    pub(super) slow: Vec<String>,
    /// Up to where events were looked at.
    pub(super) events_seen: Revision,
    pub(super) deeds: Deeds,
}

/// How many requests there were.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Deeds {
    pub(super) asked: u64,
    pub(super) done: u64,
    pub(super) refused: u64,
    /// Not told because the daemon died, and asked again under the same request id.
    pub(super) asked_again: u64,
    /// Told, and asked again all the same: the first answer has to come.
    pub(super) proved: u64,
}

impl Ledger {
    pub(super) fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// A request is about to be sent; answers its place.
    pub(super) fn begin(&mut self, name: &str, deed: Deed) -> (usize, String) {
        self.serial += 1;
        self.deeds.asked += 1;
        let (begun, request_id) = (self.tick(), format!("r{}", self.serial));
        let entry = Entry {
            name: name.to_owned(),
            deed,
            request_id: request_id.clone(),
            begun,
            ended: None,
            outcome: None,
            repeats: 0,
        };
        self.entries.push(entry);
        (self.entries.len() - 1, request_id)
    }

    /// A request was told.
    pub(super) fn end(&mut self, place: usize, outcome: Outcome) {
        let ended = self.tick();
        let told = !matches!(outcome, Outcome::Unknown(_));
        let Some(entry) = self.entries.get_mut(place) else { return };
        entry.ended = told.then_some(ended);
        entry.outcome = Some(outcome.clone());
        let (name, deed, request) = (entry.name.clone(), entry.deed.clone(), entry.request_id.clone());
        match &outcome {
            Outcome::Done(answer) => {
                self.deeds.done += 1;
                self.learn(&name, &deed, &request, answer);
            }
            Outcome::Refused(_) => self.deeds.refused += 1,
            Outcome::Unknown(_) => {}
        }
    }

    fn learn(&mut self, name: &str, deed: &Deed, request: &str, answer: &Answer) {
        match (deed, answer) {
            (Deed::Create(_) | Deed::Fork { .. }, Answer::Vm(vm)) => {
                self.born.insert(vm.value.meta.id.to_string(), format!("{name} by {request}"));
            }
            (Deed::Delete { .. }, Answer::Vm(vm)) => _ = self.gone.insert(vm.value.meta.id.to_string()),
            (Deed::Snapshot { snapshot, .. }, Answer::Snapshot(kept)) => {
                let it = &kept.value;
                let disks = it.spec.disks.iter().map(|disk| disk.name.clone()).collect();
                let again = it.spec.restart != RestartPolicy::Never;
                let form = Form { power: super::model::Power::Runs, cpus: it.spec.cpu.boot, disks, again };
                let keeping = Keeping { id: it.id.to_string(), phase: it.phase, form, verified: false };
                self.snapshots.insert(snapshot.clone(), keeping);
            }
            (Deed::Forget { snapshot }, _) => {
                self.snapshots.remove(snapshot);
                self.forgotten.insert(snapshot.clone());
            }
            (_, _) => {}
        }
        let revision = match answer {
            Answer::Vm(vm) => vm.revision,
            Answer::Snapshot(kept) => kept.revision,
            Answer::Absent => Revision::default(),
        };
        self.revision = self.revision.max(revision);
    }

    /// Requests that are not told yet.
    pub(super) fn open(&self) -> Vec<usize> {
        (0..self.entries.len()).filter(|place| !self.entries[*place].is_told()).collect()
    }

    /// Requests of this name since the last check.
    pub(super) fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(move |entry| entry.name == name)
    }

    /// A request is asked again.
    pub(super) fn again(&mut self, place: usize) -> Option<Entry> {
        let entry = self.entries.get_mut(place)?;
        if entry.repeats == 0 {
            self.deeds.asked_again += 1;
        }
        entry.repeats += 1;
        Some(entry.clone())
    }

    /// The check found all well: what is seen stands, and what was told is past.
    pub(super) fn settle(&mut self, standing: BTreeMap<String, Standing>) {
        self.standing = standing;
        let (told, open): (Vec<_>, Vec<_>) = std::mem::take(&mut self.entries).into_iter().partition(Entry::is_told);
        self.entries = open;
        self.past.extend(told.into_iter().filter(|entry| matches!(entry.outcome, Some(Outcome::Done(_)))));
        while self.past.len() > PAST {
            self.past.pop_front();
        }
    }

    /// Some requests that were done a while ago.
    pub(super) fn remember(&mut self, dice: &mut Dice, count: usize) -> Vec<Entry> {
        let past: Vec<&Entry> = self.past.iter().collect();
        let some: Vec<Entry> = (0..count).filter_map(|_| dice.pick(&past).map(|entry| (*entry).clone())).collect();
        self.deeds.proved += some.len() as u64;
        some
    }
}
