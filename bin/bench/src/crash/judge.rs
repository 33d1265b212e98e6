//! What is seen from outside and what is listed, set against what clients were told.
//!
//! ```text
//!  listed ─┬─ against the ledger    lost · doubled · dishonoured
//!          └─ against the machine   leaked · lost · doubled
//! ```

use super::cast::{SCRATCH, SCRATCH_BYTES};
use super::census::{Process, Seen, sum};
use super::client::is_shared;
use super::deed::{Outcome, due, form_of};
use super::ledger::{Entry, Ledger, Standing};
use super::model::{self, Effect, State, Step, Strictness};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;
use weft_domain::object::Revision;
use weft_domain::snapshot::SnapshotPhase;
use weft_domain::spec::RestartPolicy;
use weft_domain::{Phase, Reason};
use weft_ports::api::{KeptSnapshot, Vm};
use weft_ports::clock::{Clock, System};

/// How long after its time a VM may run again.
const LATE: Duration = Duration::from_secs(5);

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Sort {
    /// Something is left that nobody has.
    Leaked,
    /// Something that was acknowledged is not there.
    Lost,
    /// Something is there twice.
    Doubled,
    /// An answer does not hold, or something is half done.
    Dishonoured,
}

/// One accusation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Verdict {
    pub(super) sort: Sort,
    pub(super) what: String,
    /// The name of the VM that it is about, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
}

/// What weft lists.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) vms: Vec<Vm>,
    pub(super) snapshots: Vec<KeptSnapshot>,
    pub(super) revision: Revision,
}

impl Listed {
    /// Processes that are told to run.
    pub(super) fn pids(&self) -> impl Iterator<Item = u32> + '_ {
        self.vms.iter().filter_map(|vm| vm.value.status.running.as_ref().map(|running| running.pid))
    }
}

/// What harm was done besides killing the daemon.
#[derive(Debug, Clone, Default)]
pub(super) struct Harm {
    /// Processes that were killed.
    pub(super) pids: BTreeSet<u32>,
    /// How often a launch may have been broken, or a task: whatever was under way may have failed.
    pub(super) anywhere: u32,
}

impl Harm {
    /// Forgets what was done up to there, but for processes that the daemon has not seen to be gone.
    pub(super) fn forget(&mut self, before: &Self, listed: &Listed) {
        let told: BTreeSet<u32> = listed.pids().collect();
        self.pids.retain(|pid| !before.pids.contains(pid) || told.contains(pid));
        self.anywhere -= before.anywhere;
    }
}

/// The bench that judges.
pub(super) struct Judge<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) listed: &'a Listed,
    pub(super) seen: &'a Seen,
    pub(super) harm: &'a Harm,
    pub(super) data_dir: &'a Path,
    found: Vec<Verdict>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        (ledger, listed, seen): (&'a Ledger, &'a Listed, &'a Seen),
        harm: &'a Harm,
        data_dir: &'a Path,
    ) -> Self {
        Self { ledger, listed, seen, harm, data_dir, found: Vec::new() }
    }

    /// All accusations.
    pub(super) fn judge(mut self) -> Vec<Verdict> {
        self.identities();
        self.processes();
        self.folders();
        self.snapshots();
        self.names();
        self.found
    }

    fn accuse(&mut self, sort: Sort, name: Option<&str>, what: String) {
        self.found.push(Verdict { sort, what, name: name.map(str::to_owned) });
    }

    /// Every VM that was made and not removed is there, no other is, and no name has two.
    fn identities(&mut self) {
        if self.listed.revision < self.ledger.revision {
            let what =
                format!("revision {} was told, and the newest is {}", self.ledger.revision, self.listed.revision);
            self.accuse(Sort::Lost, None, what);
        }
        let mut names = BTreeSet::new();
        let mut ids = BTreeSet::new();
        for vm in &self.listed.vms {
            let (id, name) = (vm.value.meta.id.to_string(), vm.value.meta.name.to_string());
            if !self.ledger.born.contains_key(&id) && !self.may_be_born(&name) {
                self.accuse(
                    Sort::Doubled,
                    Some(&name),
                    format!("{id} is there, which no request was told to have made"),
                );
            }
            if self.ledger.gone.contains(&id) {
                self.accuse(Sort::Dishonoured, Some(&name), format!("{id} was told to be gone and is there"));
            }
            if !names.insert(name.clone()) {
                self.accuse(Sort::Doubled, Some(&name), format!("{id} has the name of another"));
            }
            ids.insert(id);
        }
        let mut lost = Vec::new();
        for (id, by) in &self.ledger.born {
            if !ids.contains(id) && !self.ledger.gone.contains(id) && !self.may_be_gone(by) {
                lost.push((by.split(' ').next().unwrap_or_default().to_owned(), format!("{id}, {by}, is not there")));
            }
        }
        for (name, what) in lost {
            self.accuse(Sort::Lost, Some(&name), what);
        }
    }

    /// A request is still not told that may have made it.
    fn may_be_born(&self, name: &str) -> bool {
        self.ledger.of(name).any(|entry| entry.deed.bears() && !entry.is_told())
    }

    fn may_be_gone(&self, by: &str) -> bool {
        let name = by.split(' ').next().unwrap_or_default();
        self.ledger.of(name).any(|entry| matches!(entry.deed.effect(), Effect::Vanish { .. }) && !entry.is_told())
    }

    /// Exactly the processes of VMs that run are there, with their cgroups and sockets.
    fn processes(&mut self) {
        let runs = |vm: &&Vm| matches!(vm.value.status.phase, Phase::Running | Phase::Paused);
        let mut claims = BTreeSet::new();
        let mut wanted = BTreeSet::new();
        for vm in self.listed.vms.iter().filter(runs) {
            let name = vm.value.meta.name.to_string();
            let Some(pid) = vm.value.status.running.as_ref().map(|running| running.pid) else {
                self.accuse(Sort::Dishonoured, Some(&name), "it runs without a process".to_owned());
                continue;
            };
            wanted.insert(pid);
            match self.seen.processes.iter().find(|process| process.pid == pid) {
                Some(process) => {
                    claims.extend(process.claim.clone());
                    self.says(&name, vm.value.status.phase, process.claim.as_deref().map(tail));
                }
                None => {
                    let phase = vm.value.status.phase;
                    self.accuse(Sort::Lost, Some(&name), format!("it is {phase} as process {pid}, which is not there"));
                }
            }
        }
        let strays: Vec<Process> =
            self.seen.processes.iter().filter(|process| !wanted.contains(&process.pid)).cloned().collect();
        for process in strays {
            self.stray(&process, &claims);
        }
        let sockets: BTreeSet<String> = claims.iter().map(|claim| tail(claim)).collect();
        self.compare("cgroup", &self.seen.cgroups.clone(), &claims, None);
        self.compare("folder of sockets", &self.seen.sockets.clone(), &sockets, Some(Sort::Lost));
    }

    /// Its VMM says what weft says.
    fn says(&mut self, name: &str, phase: Phase, folder: Option<String>) {
        let wanted = if phase == Phase::Paused { "Paused" } else { "Running" };
        let Some(told) = folder.and_then(|folder| self.seen.states.get(&folder)) else { return };
        if told != wanted {
            self.accuse(Sort::Dishonoured, Some(name), format!("it is {phase}, and its VMM says {told:?}"));
        }
    }

    fn stray(&mut self, process: &Process, claims: &BTreeSet<String>) {
        let Process { pid, command, claim, leads, .. } = process;
        if !leads && claim.as_ref().is_some_and(|claim| claims.contains(claim)) {
            // A child of one that is wanted.
            return;
        }
        let of = self.listed.vms.iter().find(|vm| command.contains(&vm.value.meta.id.to_string()));
        let of = of.map(|vm| vm.value.meta.name.to_string());
        let sort = if of.is_some() { Sort::Doubled } else { Sort::Leaked };
        self.accuse(sort, of.as_deref(), format!("process {pid} belongs to no VM that runs: {command}"));
    }

    /// What is there is what is wanted; what is missing is accused where that is asked.
    fn compare(&mut self, what: &str, there: &BTreeSet<String>, wanted: &BTreeSet<String>, missing: Option<Sort>) {
        for left in there.difference(wanted) {
            self.accuse(Sort::Leaked, None, format!("a {what} is left: {left}"));
        }
        for lost in missing.into_iter().flat_map(|sort| wanted.difference(there).map(move |lost| (sort, lost))) {
            self.accuse(lost.0, None, format!("a {what} is not there: {}", lost.1));
        }
    }

    /// Exactly the folders of VMs that are listed are there, with the disks that weft made for them.
    fn folders(&mut self) {
        let seen = self.seen;
        let ids: BTreeSet<String> = self.listed.vms.iter().map(|vm| vm.value.meta.id.to_string()).collect();
        let there: BTreeSet<String> = seen.vms.keys().cloned().collect();
        self.compare("folder of a VM", &there, &ids, Some(Sort::Lost));
        for vm in &self.listed.vms {
            let name = vm.value.meta.name.to_string();
            let Some(files) = seen.vms.get(&vm.value.meta.id.to_string()) else { continue };
            let scratch = format!("disk-{SCRATCH}.raw");
            let has = vm.value.spec.disks.iter().any(|disk| disk.name == SCRATCH);
            match files.get(&scratch) {
                None if has => self.accuse(Sort::Lost, Some(&name), format!("{scratch} is not there")),
                Some(length) if has && *length != SCRATCH_BYTES => {
                    self.accuse(Sort::Dishonoured, Some(&name), format!("{scratch} has {length} bytes"));
                }
                Some(_) if !has => self.accuse(Sort::Leaked, Some(&name), format!("{scratch} is of no disk of it")),
                Some(_) | None => {}
            }
            for file in files.keys().filter(|file| !is_known(file) && **file != scratch) {
                self.accuse(Sort::Leaked, Some(&name), format!("a file is left in its folder: {file}"));
            }
        }
        for file in &seen.half {
            self.accuse(Sort::Leaked, None, format!("a file was begun and is left: {}", file.display()));
        }
    }

    /// Exactly the snapshots that were made and not removed are there, and whole.
    fn snapshots(&mut self) {
        let mut wanted = BTreeSet::new();
        for kept in &self.listed.snapshots {
            let (id, name) = (kept.value.id.to_string(), kept.value.name.to_string());
            match kept.value.phase {
                SnapshotPhase::Ready => _ = wanted.insert(id.clone()),
                SnapshotPhase::Failed => {}
                SnapshotPhase::Pending | SnapshotPhase::Deleting => {
                    let what = format!("snapshot {name} stays {}", kept.value.phase.as_str());
                    self.accuse(Sort::Dishonoured, None, what);
                    continue;
                }
            }
            match self.ledger.snapshots.get(&name) {
                Some(keeping) if keeping.id != id => {
                    self.accuse(Sort::Doubled, None, format!("snapshot {name} is {id} and was told as {}", keeping.id));
                }
                // An answer in time says PENDING, and what came of it is seen now.
                Some(keeping) if keeping.phase != kept.value.phase && keeping.phase != SnapshotPhase::Pending => {
                    let (was, is) = (keeping.phase.as_str(), kept.value.phase.as_str());
                    self.accuse(Sort::Dishonoured, None, format!("snapshot {name} was told as {was} and is {is}"));
                }
                None if self.ledger.forgotten.contains(&name) => {
                    self.accuse(Sort::Dishonoured, None, format!("snapshot {name} was told to be gone and is there"));
                }
                None if self.ledger.entries.iter().all(Entry::is_told) => {
                    self.accuse(Sort::Doubled, None, format!("snapshot {name} is there, which no request was told of"));
                }
                Some(_) | None => {}
            }
            if kept.value.phase == SnapshotPhase::Ready {
                self.parts(kept, &id);
            }
        }
        let names: BTreeSet<String> = self.listed.snapshots.iter().map(|kept| kept.value.name.to_string()).collect();
        for name in self.ledger.snapshots.keys().filter(|name| !names.contains(*name)) {
            if self.ledger.entries.iter().all(Entry::is_told) {
                self.found.push(Verdict {
                    sort: Sort::Lost,
                    what: format!("snapshot {name} is not there"),
                    name: None,
                });
            }
        }
        let there: BTreeSet<String> = self.seen.snapshots.keys().cloned().collect();
        self.compare("folder of a snapshot", &there, &wanted, Some(Sort::Lost));
    }

    fn parts(&mut self, kept: &KeptSnapshot, id: &str) {
        let name = &kept.value.name;
        let Some(files) = self.seen.snapshots.get(id).cloned() else { return };
        let parts = &kept.value.content.parts;
        for part in parts {
            match files.get(&part.file) {
                None => self.accuse(Sort::Lost, None, format!("snapshot {name} has lost its part {}", part.file)),
                Some(length) if *length != part.bytes => {
                    let what = format!("part {} of snapshot {name} has {length} bytes, not {}", part.file, part.bytes);
                    self.accuse(Sort::Lost, None, what);
                }
                Some(_) => {}
            }
        }
        let wanted = |file: &&String| file.as_str() == "manifest.json" || parts.iter().any(|part| part.file == **file);
        for file in files.keys().filter(|file| !wanted(file)) {
            self.accuse(Sort::Leaked, None, format!("a file is left with snapshot {name}: {file}"));
        }
        let known = self.ledger.snapshots.get(name.as_str()).is_some_and(|keeping| keeping.verified);
        let folder = self.data_dir.join("snapshots").join(id);
        for part in parts.iter().filter(|_| !known) {
            if sum(&folder.join(&part.file)) != Some(part.sha256) {
                self.accuse(Sort::Lost, None, format!("part {} of snapshot {name} is damaged", part.file));
            }
        }
    }

    /// Every name is in a state that its deeds can have led to.
    fn names(&mut self) {
        let mut names: BTreeSet<String> = self.listed.vms.iter().map(|vm| vm.value.meta.name.to_string()).collect();
        names.extend(self.ledger.standing.keys().cloned());
        names.extend(self.ledger.entries.iter().map(|entry| entry.name.clone()));
        for name in names {
            let vm = self.listed.vms.iter().find(|vm| vm.value.meta.name.as_str() == name);
            let standing = self.ledger.standing.get(&name).cloned().unwrap_or_default();
            let entries: Vec<&Entry> = self.ledger.of(&name).collect();
            let state = match vm {
                None => None,
                Some(vm) => match form_of(vm) {
                    Some(form) => Some(form),
                    None => {
                        let phase = vm.value.status.phase;
                        self.accuse(Sort::Dishonoured, Some(&name), format!("it stays {phase}"));
                        continue;
                    }
                },
            };
            self.state(&name, (&standing, &state), &entries);
            self.process(&name, (&standing, vm), &entries);
            self.applied(&name, vm);
            self.awaited(&name, vm);
        }
    }

    fn state(&mut self, name: &str, (standing, state): (&Standing, &State), entries: &[&Entry]) {
        let strictness = if is_shared(name) { Strictness::Lenient } else { Strictness::Exact };
        let harmed = self.harm.anywhere > 0 && !entries.is_empty();
        let killed = standing.process.is_some_and(|(pid, _)| self.harm.pids.contains(&pid));
        let unknown = !self.harm.pids.is_empty() && !entries.is_empty();
        let may_die = harmed || killed || unknown;
        let mut before = BTreeSet::from([standing.state.clone()]);
        if let Some(form) = standing.state.as_ref().filter(|_| standing.tried_again) {
            use model::Power as P;
            before.extend(
                [P::Made, P::Runs, P::Held, P::Off, P::Waits].map(|power| Some(model::Form { power, ..form.clone() })),
            );
        }
        let steps = steps(entries, may_die);
        if strictness == Strictness::Exact && !may_die {
            self.refusals(name, &before, entries);
        }
        let strictness = if may_die { Strictness::Lenient } else { strictness };
        let Some(possible) = model::after(&before, &steps, strictness) else { return };
        let fits = |it: &State| it == state || (may_die && failed_like(it, state));
        if possible.iter().any(fits) {
            return;
        }
        let told: Vec<String> = possible.iter().map(words).collect();
        let what = format!("it is {}, and can only be {}", words(state), told.join(" or "));
        let sort = if state.is_none() { Sort::Lost } else { Sort::Dishonoured };
        self.accuse(sort, Some(name), what);
    }

    /// What one client was refused was not lawful.
    fn refusals(&mut self, name: &str, before: &BTreeSet<State>, entries: &[&Entry]) {
        for (index, entry) in entries.iter().enumerate() {
            let Some(Outcome::Refused(fault)) = &entry.outcome else { continue };
            let suspicious = matches!(fault.reason, Reason::PhaseForbids | Reason::VmNotFound | Reason::NameTaken);
            let effect = entry.deed.effect();
            if !suspicious || effect == Effect::Nothing {
                continue;
            }
            let Some(states) = model::after(before, &steps(&entries[..index], false), Strictness::Exact) else {
                return;
            };
            if !states.is_empty() && states.iter().all(|state| model::lawful(state, &effect)) {
                let states: Vec<String> = states.iter().map(words).collect();
                let what = format!("{} was refused ({fault}) while it was {}", entry.deed.verb(), states.join(" or "));
                self.accuse(Sort::Dishonoured, Some(name), what);
            }
        }
    }

    /// A process that nobody ended is still the same.
    fn process(&mut self, name: &str, (standing, vm): (&Standing, Option<&Vm>), entries: &[&Entry]) {
        let (Some((pid, ticks)), Some(vm)) = (standing.process, vm) else { return };
        let replaced = entries.iter().any(|entry| entry.deed.replaces());
        let killed = self.harm.pids.contains(&pid) || (self.harm.anywhere > 0 && !entries.is_empty());
        if replaced || killed || standing.id != vm.value.meta.id.to_string() {
            return;
        }
        let now = vm.value.status.running.as_ref().map(|running| running.pid);
        let lives = super::census::stat(pid).is_some_and(|(now, _)| now == ticks);
        if now != Some(pid) || !lives {
            let now = now.map_or("none".to_owned(), |pid| pid.to_string());
            self.accuse(
                Sort::Lost,
                Some(name),
                format!("it ran as process {pid}, which nobody ended; now it is {now}"),
            );
        }
    }

    /// What is to run again does so in its time.
    fn awaited(&mut self, name: &str, vm: Option<&Vm>) {
        let late = vm.and_then(due).map(|due| System.now().since(due)).filter(|late| *late > LATE);
        if let Some(late) = late {
            let what = format!("it is to run again by its policy, and was {} ms ago", late.as_millis());
            self.accuse(Sort::Dishonoured, Some(name), what);
        }
    }

    /// A change is taken up whole.
    fn applied(&mut self, name: &str, vm: Option<&Vm>) {
        let Some(vm) = vm else { return };
        let Some(running) = &vm.value.status.running else { return };
        let wanted = vm.value.meta.generation;
        if running.applied_generation < wanted {
            let failing = vm.value.status.conditions.iter().find(|one| one.holds == Some(false));
            let why = failing.map(|one| format!(": {} {}", one.reason, one.message)).unwrap_or_default();
            let what = format!("it has taken up generation {} of {wanted}{why}", running.applied_generation);
            self.accuse(Sort::Dishonoured, Some(name), what);
        }
    }
}

/// The end of a claim, which names the folder of its sockets.
fn tail(claim: &str) -> String {
    claim.get(claim.len().saturating_sub(12)..).unwrap_or_default().to_owned()
}

fn steps(entries: &[&Entry], may_die: bool) -> Vec<Step> {
    let done = |entry: &&&Entry| !matches!(entry.outcome, Some(Outcome::Refused(_)));
    let mut steps: Vec<Step> = entries
        .iter()
        .filter(done)
        .map(|entry| Step {
            effect: entry.deed.effect(),
            span: (entry.begun, entry.ended.unwrap_or(u64::MAX)),
            unsure: !entry.is_told(),
        })
        .filter(|step| step.effect != Effect::Nothing)
        .collect();
    if may_die {
        steps.push(Step { effect: Effect::Die, span: (0, u64::MAX), unsure: true });
    }
    steps
}

/// A launch that was broken leaves a VM failed in whatever form it should have run.
fn failed_like(possible: &State, state: &State) -> bool {
    match (possible, state) {
        (Some(possible), Some(state)) => {
            matches!(state.power, model::Power::Failed | model::Power::Waits)
                && (&possible.cpus, &possible.disks) == (&state.cpus, &state.disks)
        }
        (_, _) => false,
    }
}

/// Logs that every VM has.
fn is_known(file: &str) -> bool {
    file == "console.log" || file == "vmm.log"
}

fn words(state: &State) -> String {
    match state {
        None => "absent".to_owned(),
        Some(form) => {
            let disks: Vec<&str> = form.disks.iter().map(String::as_str).collect();
            format!("{:?} with {} CPUs and disks [{}]", form.power, form.cpus, disks.join(" "))
        }
    }
}

/// What stands when all is well.
pub(super) fn standing(listed: &Listed, seen: &Seen) -> BTreeMap<String, Standing> {
    let of = |vm: &Vm| {
        let pid = vm.value.status.running.as_ref().map(|running| running.pid);
        let process = seen.processes.iter().find(|process| Some(process.pid) == pid);
        let again = vm.value.status.last_exit.is_none() || vm.value.spec.restart != RestartPolicy::Never;
        Standing {
            state: form_of(vm),
            id: vm.value.meta.id.to_string(),
            process: process.map(|process| (process.pid, process.start_ticks)),
            tried_again: vm.value.status.phase == Phase::Failed && again,
        }
    };
    listed.vms.iter().map(|vm| (vm.value.meta.name.to_string(), of(vm))).collect()
}
