//! A client: it knows what it was told of its VMs, chooses what to do next, and does it until nobody answers.

use super::cast::{Actor, Wish};
use super::deed::{Answer, Deed, Outcome, form_of};
use super::dice::Dice;
use super::ledger::Ledger;
use super::model::{Form, Power, State};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::time::Instant;
use weft_api::Client as Api;
use weft_domain::snapshot::{Scope, SnapshotPhase};
use weft_domain::spec::RestartPolicy;

/// All clients of a world.
pub(super) const CLIENTS: u64 = 64;
/// Those of them that share VMs.
const SHARERS: u64 = 24;
/// VMs that they share.
const SHARED: u64 = 8;
/// Requests of a client in one life at most.
const DEEDS: u64 = 6;
/// Snapshots that a client keeps at most.
const KEPT: usize = 1;

/// What all clients of a world have in common.
pub(super) struct Scene {
    pub(super) ledger: Mutex<Ledger>,
    pub(super) actors: Vec<Actor>,
    /// A file that VMs are given as a disk.
    pub(super) file: PathBuf,
    /// VMs that run at one time, as far as clients can help it.
    pub(super) crowd: usize,
}

impl Scene {
    /// The ledger, for a few lines.
    pub(super) fn book(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Whether several clients speak of this name.
pub(super) fn is_shared(name: &str) -> bool {
    name.starts_with('s')
}

/// One client.
pub(super) struct Client {
    number: u64,
    dice: Dice,
    scene: Arc<Scene>,
    api: Api,
}

impl Client {
    /// The one of this number.
    pub(super) fn new(number: u64, dice: Dice, scene: Arc<Scene>, api: Api) -> Self {
        Self { number, dice, scene, api }
    }

    const fn shares(&self) -> bool {
        self.number < SHARERS
    }

    /// Does what it chooses, until this instant or until it is not told what came of it.
    pub(super) async fn play(mut self, until: Instant) {
        let deeds = 1 + self.dice.below(DEEDS);
        for _ in 0..deeds {
            if Instant::now() >= until {
                return;
            }
            let name = self.name();
            let state = self.belief(&name);
            let Some(deed) = self.choose(&name, state.as_ref()) else { return };
            let (place, request_id) = self.scene.book().begin(&name, deed.clone());
            let outcome = deed.ask(&self.api, &name, &request_id).await;
            let told = !matches!(outcome, Outcome::Unknown(_));
            self.scene.book().end(place, outcome);
            if !told {
                return;
            }
        }
    }

    fn name(&mut self) -> String {
        match self.number {
            number if self.shares() => format!("s{}", number % SHARED),
            // What it forks is its own as well.
            number if self.dice.percent(12) => format!("f{number}"),
            number => format!("o{number}"),
        }
    }

    /// What it believes of this name: what was last told it, or else what the last check saw.
    fn belief(&self, name: &str) -> State {
        let book = self.scene.book();
        let mut state = book.standing.get(name).and_then(|standing| standing.state.clone());
        for entry in book.of(name) {
            match (&entry.deed, &entry.outcome) {
                (Deed::Delete { .. }, Some(Outcome::Done(_))) => state = None,
                (_, Some(Outcome::Done(Answer::Vm(vm)))) => state = form_of(vm),
                (_, _) => {}
            }
        }
        state
    }

    fn crowded(&self) -> bool {
        let book = self.scene.book();
        let standing = book.standing.values().filter(|standing| standing.state.is_some()).count();
        let coming = book.entries.iter().filter(|entry| entry.deed.bears()).count();
        standing + coming >= self.scene.crowd
    }

    fn choose(&mut self, name: &str, state: Option<&Form>) -> Option<Deed> {
        let Some(form) = state else { return self.create(name) };
        let (force, cpus) = (self.dice.percent(70), 1 + u32::from(self.dice.percent(50)));
        let leave = if self.crowded() { 60 } else { 14 };
        let mut deeds: Vec<(u64, Deed)> = vec![(leave, Deed::Delete { force: true }), (8, Deed::Resize { cpus })];
        deeds.push((3, Deed::Delete { force: false }));
        match form.power {
            Power::Made | Power::Off | Power::Failed => deeds.push((60, Deed::Boot)),
            Power::Runs => {
                deeds.extend([(18, Deed::Pause), (14, Deed::Shutdown { force }), (8, Deed::Reboot), (2, Deed::Boot)]);
            }
            Power::Held => deeds.extend([(50, Deed::Resume), (14, Deed::Shutdown { force })]),
            Power::Waits => deeds.extend([(12, Deed::Boot), (8, Deed::Shutdown { force })]),
        }
        deeds.extend(self.plug(form));
        deeds.extend(self.keep(name, form));
        let weights: Vec<(u64, usize)> = deeds.iter().enumerate().map(|(at, (weight, _))| (*weight, at)).collect();
        let chosen = self.dice.weigh(&weights)?;
        deeds.into_iter().nth(chosen).map(|(_, deed)| deed)
    }

    fn create(&mut self, name: &str) -> Option<Deed> {
        if self.crowded() {
            return None;
        }
        if !self.shares()
            && let Some((snapshot, to)) = self.usable()
            && name.starts_with('f')
        {
            return Some(Deed::Fork { snapshot, to });
        }
        let (boot, scratch) = (self.dice.percent(75), self.dice.percent(50));
        let drawn = self.dice.below(4);
        // Clients that share a VM ask for the same.
        let (scratch, policy) = if self.shares() { (false, self.number % SHARED) } else { (scratch, drawn) };
        let restart = match policy % 4 {
            0 | 1 => RestartPolicy::Never,
            2 => RestartPolicy::OnFailure,
            _ => RestartPolicy::Always,
        };
        let actor = self.dice.pick(&self.scene.actors)?.clone();
        (!name.starts_with('f')).then_some(Deed::Create(Wish { actor, boot, scratch, restart }))
    }

    fn plug(&self, form: &Form) -> Option<(u64, Deed)> {
        let disk = "extra".to_owned();
        // A real guest has to let a disk go, and the small one does not know how.
        let deaf = self.scene.actors.iter().any(|actor| actor.real);
        let rests = matches!(form.power, Power::Made | Power::Off) && !self.shares();
        let has = form.disks.contains(&disk);
        let deed = if has { Deed::Detach { disk } } else { Deed::Attach { disk, file: self.scene.file.clone() } };
        (rests || !deaf).then_some((10, deed))
    }

    fn keep(&mut self, name: &str, form: &Form) -> Vec<(u64, Deed)> {
        let mine = format!("k{}-", self.number);
        let (count, next) = {
            let book = self.scene.book();
            let count = book.snapshots.keys().filter(|name| name.starts_with(&mine)).count();
            (count, format!("{mine}{}", book.deeds.asked))
        };
        let runs = matches!(form.power, Power::Runs | Power::Held);
        let scope = if runs && self.dice.percent(70) { Scope::Full } else { Scope::Disks };
        if count < KEPT {
            return vec![(12, Deed::Snapshot { snapshot: next, scope })];
        }
        let mut deeds = Vec::new();
        if let Some((snapshot, to)) = self.usable().filter(|_| name.starts_with('o')) {
            deeds.push((8, Deed::Restore { snapshot: snapshot.clone(), to }));
        }
        let book = self.scene.book();
        let any = book.snapshots.keys().find(|name| name.starts_with(&mine));
        deeds.extend(any.map(|snapshot| (8, Deed::Forget { snapshot: snapshot.clone() })));
        deeds
    }

    /// A snapshot of its own that is whole, and what begins from it.
    fn usable(&self) -> Option<(String, Form)> {
        let mine = format!("k{}-", self.number);
        let book = self.scene.book();
        let mut all = book.snapshots.iter().filter(|(name, _)| name.starts_with(&mine));
        all.find(|(_, keeping)| keeping.phase == SnapshotPhase::Ready)
            .map(|(name, keeping)| (name.clone(), keeping.form.clone()))
    }
}
