//! After a death: what was not told is asked again, all comes to rest, and everything is judged.
//!
//! ```text
//!  ask again ─► prove some that were told ─► rest (watch) ─► list, look, judge ─┬─ well: it stands
//!                                                  ▲                            └─ else look again
//!                                                  └──────── until time is up ──────────┘
//! ```

use super::census::{Census, Seen};
use super::client::Scene;
use super::deed::{Outcome, call, due};
use super::dice::Dice;
use super::events::{self, Kept};
use super::judge::{Harm, Judge, Listed, Sort, Verdict, standing};
use super::ledger::Entry;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use weft_api::Client;
use weft_domain::census::Verdict as CensusVerdict;
use weft_domain::snapshot::SnapshotPhase;
use weft_domain::{Fault, InstanceId, Phase};
use weft_ports::api::{Call, ListQuery, Nodes, Snapshots, Vm, VmChange, Vms, WatchQuery};
use weft_ports::clock::{Clock, System};

/// How long all may take to come to rest, and how long what is seen may lag behind.
const PATIENCE: Duration = Duration::from_secs(30);
/// What takes longer when it is asked again is told.
const SLOW: Duration = Duration::from_secs(5);
/// Between two looks, at first; then twice as long each time.
const PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// Requests that were told and are asked again with each check.
const PROOFS: usize = 3;

/// Who checks.
pub(super) struct Checker {
    pub(super) scene: Arc<Scene>,
    pub(super) census: Census,
    pub(super) data_dir: PathBuf,
    pub(super) harm: Mutex<Harm>,
    /// Which events weft was told to keep.
    pub(super) kept: Kept,
}

/// How long the parts of a check took.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Took {
    pub(super) asking: Duration,
    pub(super) resting: Duration,
    pub(super) judging: Duration,
}

/// What went wrong, with what was listed then.
pub(super) struct Found {
    pub(super) verdicts: Vec<Verdict>,
    pub(super) listed: Listed,
}

impl Found {
    pub(super) fn one(sort: Sort, what: impl Into<String>) -> Self {
        Self { verdicts: vec![Verdict { sort, what: what.into(), name: None }], listed: Listed::default() }
    }
}

impl From<Fault> for Found {
    fn from(fault: Fault) -> Self {
        Self::one(Sort::Dishonoured, format!("weft does not answer a check: {fault}"))
    }
}

impl Checker {
    /// What harm was done since the last check.
    pub(super) fn harm(&self) -> std::sync::MutexGuard<'_, Harm> {
        self.harm.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Checks; `daemon` is its process.
    pub(super) async fn check(&self, api: &Client, daemon: Option<u32>, mut dice: Dice) -> Result<Took, Found> {
        let begun = Instant::now();
        self.ask_again(api).await;
        self.prove(api, &mut dice).await?;
        let asking = begun.elapsed();
        self.rest(api).await?;
        let resting = begun.elapsed();
        self.judge(api, daemon).await?;
        let judging = begun.elapsed();
        Ok(Took { asking, resting: resting - asking, judging: judging - resting })
    }

    /// Asks again what was not told, until it is told.
    async fn ask_again(&self, api: &Client) {
        let until = Instant::now() + PATIENCE;
        let open = self.scene.book().open();
        let asked: FuturesUnordered<_> = open.into_iter().map(|place| self.ask_one(api, place, until)).collect();
        asked.collect::<()>().await;
    }

    async fn ask_one(&self, api: &Client, place: usize, until: Instant) {
        let mut pause = PAUSE;
        loop {
            let Some(entry) = self.scene.book().again(place) else { return };
            let asked = Instant::now();
            let outcome = entry.deed.ask(api, &entry.name, &entry.request_id).await;
            let told = !matches!(outcome, Outcome::Unknown(_));
            self.told(place, outcome, asked.elapsed());
            if told || Instant::now() > until {
                return;
            }
            // why: a daemon that could not say is asked again, and nothing tells when it can.
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn told(&self, place: usize, outcome: Outcome, took: Duration) {
        let mut book = self.scene.book();
        book.end(place, outcome);
        if took > SLOW {
            let line = book.entries.get(place).map(Entry::line).unwrap_or_default();
            book.slow.push(format!("{} ms: {line}", took.as_millis()));
        }
    }

    /// Requests that were told give their first answer again.
    async fn prove(&self, api: &Client, dice: &mut Dice) -> Result<(), Found> {
        let some = self.scene.book().remember(dice, PROOFS);
        let mut verdicts = Vec::new();
        for entry in some {
            if let Some(verdict) = prove(api, &entry).await {
                verdicts.push(verdict);
            }
        }
        if verdicts.is_empty() { Ok(()) } else { Err(Found { verdicts, listed: Listed::default() }) }
    }

    /// Waits until no VM is between two states, and no snapshot.
    async fn rest(&self, api: &Client) -> Result<(), Found> {
        // What does not come to rest is told by the judge.
        match tokio::time::timeout(PATIENCE, rest(api)).await {
            Ok(rested) => Ok(rested?),
            Err(_) => Ok(()),
        }
    }

    async fn judge(&self, api: &Client, daemon: Option<u32>) -> Result<(), Found> {
        let (until, mut pause) = (Instant::now() + PATIENCE / 3, PAUSE);
        loop {
            // Harm that is done from here on may be seen only by the next check.
            let before = self.harm().clone();
            let listed = list(api).await?;
            let mut seen = self.census.take(daemon);
            let mut verdicts = self.verdicts(&listed, &seen);
            if verdicts.is_empty() {
                self.census.ask(&mut seen);
                verdicts = self.verdicts(&listed, &seen);
            }
            if verdicts.is_empty() {
                let mut book = self.scene.book();
                book.settle(standing(&listed, &seen));
                book.snapshots.values_mut().for_each(|keeping| keeping.verified = true);
                // What an answer left open is known now.
                for kept in &listed.snapshots {
                    if let Some(keeping) = book.snapshots.get_mut(kept.value.name.as_str()) {
                        keeping.phase = kept.value.phase;
                    }
                }
                self.harm().forget(&before, &listed);
                return Ok(());
            }
            if Instant::now() > until {
                return Err(Found { verdicts, listed });
            }
            // why: what is looked at from outside tells nobody when it changes.
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn verdicts(&self, listed: &Listed, seen: &Seen) -> Vec<Verdict> {
        let (book, harm) = (self.scene.book(), self.harm());
        Judge::new((&book, listed, seen), &harm, &self.data_dir).judge()
    }

    /// The daemon finds nothing on its host that is of nobody.
    pub(super) async fn inventory(&self, api: &Client) -> Result<(), Found> {
        let (until, mut pause) = (Instant::now() + PATIENCE / 3, PAUSE);
        let nodes = Nodes::list(api, &call(), &ListQuery::default()).await?.items;
        for node in nodes {
            loop {
                let census = Nodes::census(api, &call(), &node.value.id.to_string()).await?;
                let wrong = |verdict: &CensusVerdict| {
                    matches!(verdict, CensusVerdict::Leaked | CensusVerdict::Orphaned | CensusVerdict::Missing)
                };
                let lines = census.lines.iter().filter(|line| wrong(&line.verdict));
                let lines: Vec<String> = lines.map(|line| format!("{line:?}")).collect();
                let counted: u64 = census.counts.iter().filter(|((_, it), _)| wrong(it)).map(|(_, count)| count).sum();
                if counted == 0 {
                    break;
                }
                if Instant::now() > until {
                    let what = format!("its own census tells of {counted}: {}", lines.join("; "));
                    return Err(Found::one(Sort::Leaked, what));
                }
                // why: what is being taken away tells nobody when it is gone.
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
        Ok(())
    }

    /// No event is missing that a change must have had, none is told twice, and a watch tells those since
    /// the last look in their order.
    pub(super) async fn events(&self, api: &Client) -> Result<u64, Found> {
        let (all, revision) = events::list(api).await?;
        let since = std::mem::replace(&mut self.scene.book().events_seen, revision);
        let watched = events::watch(api, since, &all, revision).await?;
        let book = self.scene.book();
        let verdicts = events::judge(&book, (&all, self.kept), &watched);
        drop(book);
        let count = all.len() as u64;
        if verdicts.is_empty() { Ok(count) } else { Err(Found { verdicts, listed: Listed::default() }) }
    }
}

async fn prove(api: &Client, entry: &Entry) -> Option<Verdict> {
    let Some(Outcome::Done(first)) = &entry.outcome else { return None };
    let verdict = |sort, what| Some(Verdict { sort, what, name: Some(entry.name.clone()) });
    // That nothing was there is an answer too: what has the name since must stay.
    let told = |id: Option<String>| id.unwrap_or_else(|| "that it is absent".to_owned());
    match entry.deed.ask(api, &entry.name, &entry.request_id).await {
        Outcome::Done(answer) if answer.id() == first.id() => None,
        Outcome::Done(answer) => {
            let (was, is) = (told(first.id()), told(answer.id()));
            verdict(Sort::Doubled, format!("{} answered {was} and now {is}", entry.line()))
        }
        Outcome::Refused(fault) => verdict(Sort::Dishonoured, format!("{}; now it is refused: {fault}", entry.line())),
        Outcome::Unknown(_) => None,
    }
}

/// All that is listed, of every page.
pub(super) async fn list(api: &Client) -> Result<Listed, Fault> {
    let mut listed = Listed::default();
    let mut query = ListQuery { page_size: 1000, ..ListQuery::default() };
    loop {
        let page = Vms::list(api, &call(), &query).await?;
        listed.vms.extend(page.items);
        listed.revision = listed.revision.max(page.revision);
        query.page_token = page.next_page_token;
        if query.page_token.is_empty() {
            break;
        }
    }
    let page = Snapshots::list(api, &call(), &ListQuery { page_size: 1000, ..ListQuery::default() }).await?;
    listed.snapshots = page.items;
    Ok(listed)
}

/// Whether nothing is about to happen with it: it may wait for the time at which it runs again.
fn rests(vm: &Vm) -> bool {
    let waits = due(vm).is_some_and(|due| due > System.now());
    let still = matches!(
        vm.value.status.phase,
        Phase::Created | Phase::Running | Phase::Paused | Phase::Stopped | Phase::Failed
    );
    waits || still
}

async fn rest(api: &Client) -> Result<(), Fault> {
    let mut steps = Vms::watch(api, &Call::by("bench"), WatchQuery::default()).await?;
    let (mut moving, mut told) = (BTreeSet::<InstanceId>::new(), false);
    while let Some(step) = steps.next().await {
        match step? {
            VmChange::Set(vm) => {
                let behind = vm.value.status.running.as_ref();
                let behind = behind.is_some_and(|running| running.applied_generation < vm.value.meta.generation);
                if rests(&vm) && !behind {
                    moving.remove(&vm.value.meta.id);
                } else {
                    moving.insert(vm.value.meta.id);
                }
            }
            VmChange::Removed { id, .. } => _ = moving.remove(&id),
            VmChange::Bookmark(_) => told = true,
        }
        if told && moving.is_empty() {
            break;
        }
    }
    drop(steps);
    let mut pause = PAUSE;
    loop {
        let page = Snapshots::list(api, &call(), &ListQuery { page_size: 1000, ..ListQuery::default() }).await?;
        let moves = |phase| matches!(phase, SnapshotPhase::Pending | SnapshotPhase::Deleting);
        if !page.items.iter().any(|kept| moves(kept.value.phase)) {
            return Ok(());
        }
        // why: snapshots have no watch.
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
