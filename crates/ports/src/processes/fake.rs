//! Processes in memory, for tests of those who start them.
//!
//! Clones share one machine, so a second agent sees what the first one left. A program runs until it is
//! signalled or a test ends it with [`Fake::end`]; one named `sh` whose last argument is `exit N` ends at
//! once with that code, and one that is absent from the disk of the real machine is refused like there.

use super::{Alive, Bind, Cgroups, Command, Confinement, Ending, Hold, Jail, Processes, Showing, Signal};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use weft_domain::{ClaimId, Fault, Reason};

/// A machine's processes in memory.
#[derive(Debug, Clone)]
pub struct Fake {
    machine: Arc<Mutex<Machine>>,
    changes: Arc<watch::Sender<u64>>,
}

/// What was launched, without its descriptors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launched {
    /// The claim that it bears.
    pub claim: ClaimId,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// The numbers of its descriptors.
    pub fds: Vec<i32>,
    /// How it is confined.
    pub confinement: Confinement,
    /// Its jail, as it was launched.
    pub jail: Option<Jail>,
}

#[derive(Debug, Default)]
struct Machine {
    no_jails: Option<String>,
    boots: u64,
    next_pid: u32,
    processes: BTreeMap<u32, Process>,
    cgroups: BTreeSet<ClaimId>,
    launched: Vec<Launched>,
    refuse: Option<Fault>,
}

#[derive(Debug)]
struct Process {
    claim: ClaimId,
    alive: Alive,
    ending: Option<Ending>,
    /// What its jail shows, where it has one.
    shown: Option<Vec<Bind>>,
}

impl Default for Fake {
    fn default() -> Self {
        Self { machine: Arc::default(), changes: Arc::new(watch::Sender::new(0)) }
    }
}

impl Fake {
    /// A machine without processes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a process in this way; one that has ended already stays as it is.
    pub fn end(&self, pid: u32, ending: Ending) {
        if let Some(process) = self.machine().processes.get_mut(&pid) {
            process.ending.get_or_insert(ending);
        }
        self.changes.send_modify(|count| *count += 1);
    }

    /// Restarts the machine: every process and cgroup is gone, and the boot id is another.
    pub fn reboot(&self) {
        let mut machine = self.machine();
        machine.boots += 1;
        machine.processes.clear();
        machine.cgroups.clear();
        drop(machine);
        self.changes.send_modify(|count| *count += 1);
    }

    /// Refuses the next launch with this.
    pub fn refuse_next(&self, fault: Fault) {
        self.machine().refuse = Some(fault);
    }

    /// From here on nothing is jailed, for this reason.
    pub fn jail_nothing(&self, why: impl Into<String>) {
        self.machine().no_jails = Some(why.into());
    }

    /// What the jail of this process shows now; empty where it has none.
    #[must_use]
    pub fn shown(&self, pid: u32) -> Vec<Bind> {
        self.machine().processes.get(&pid).and_then(|process| process.shown.clone()).unwrap_or_default()
    }

    /// All that was ever launched, oldest first.
    #[must_use]
    pub fn launched(&self) -> Vec<Launched> {
        self.machine().launched.clone()
    }

    fn ending_of(&self, alive: &Alive) -> Option<Ending> {
        match self.machine().processes.get(&alive.pid) {
            Some(process) if process.alive == *alive => process.ending,
            Some(_) | None => Some(Ending::Unknown),
        }
    }
}

/// The code of a shell that was told to `exit N` and nothing else.
fn exits_at_once(command: &Command) -> Option<Ending> {
    let shell = command.program.file_name().is_some_and(|name| name == "sh");
    let last = command.args.last()?.to_str()?;
    let code = last.strip_prefix("exit ")?.parse().ok()?;
    shell.then_some(Ending::Code(code))
}

/// The program on the host; `None` where the jail does not show it.
fn on_host(command: &Command) -> Option<PathBuf> {
    let Some(jail) = &command.jail else { return Some(command.program.clone()) };
    jail.binds.iter().find_map(|bind| Some(bind.from.join(command.program.strip_prefix(&bind.to).ok()?)))
}

fn there(path: &Path) -> Result<(), Fault> {
    if path.exists() {
        return Ok(());
    }
    Err(Fault::new(Reason::PathUnusable, format!("cannot show {} in a jail: it is not there", path.display())))
}

fn lawful(jail: &Jail) -> Result<(), Fault> {
    let refused = |why: &str| Err(Fault::new(Reason::FieldInvalid, why));
    if jail.uid == 0 || jail.gid == 0 {
        return refused("a jail's user and group are never 0");
    }
    let plain = |path: &Path| path.is_absolute() && !path.components().any(|part| part == Component::ParentDir);
    let mut places: Vec<&PathBuf> = jail.binds.iter().map(|bind| &bind.to).chain(&jail.devices).collect();
    places.sort();
    if !places.iter().all(|place| plain(place)) {
        return refused("what a jail shows is at an absolute path without '..'");
    }
    if places.windows(2).any(|pair| pair[1].starts_with(pair[0])) {
        return refused("what a jail shows lies apart");
    }
    there(&jail.root)?;
    jail.devices.iter().chain(jail.binds.iter().map(|bind| &bind.from)).try_for_each(|path| there(path))
}

impl Machine {
    fn jailed(&mut self, alive: &Alive) -> Result<&mut Vec<Bind>, Fault> {
        let process = self.processes.get_mut(&alive.pid);
        let living = process.filter(|process| process.alive == *alive && process.ending.is_none());
        let shown = living.and_then(|process| process.shown.as_mut());
        shown.ok_or_else(|| Fault::new(Reason::PhaseForbids, "there is no such process, or it is not jailed"))
    }

    fn boot_id(&self) -> String {
        format!("00000000-0000-4000-8000-{:012}", self.boots)
    }

    fn start(&mut self, command: &Command) -> Result<Alive, Fault> {
        if let Some(fault) = self.refuse.take() {
            return Err(fault);
        }
        if let (Some(why), Some(_)) = (&self.no_jails, &command.jail) {
            return Err(Fault::new(Reason::VerbUnsupported, why));
        }
        if let Some(jail) = &command.jail {
            lawful(jail)?;
        }
        if !on_host(command).is_some_and(|program| program.exists()) {
            let program = command.program.display();
            return Err(Fault::new(Reason::ProgramMissing, format!("cannot start {program}: it is not there")));
        }
        self.next_pid += 1;
        let pid = 1000 + self.next_pid;
        let alive = Alive { pid, start_ticks: u64::from(self.next_pid) * 7, boot_id: self.boot_id() };
        let shown = command.jail.as_ref().map(|jail| jail.binds.clone());
        let process = Process { claim: command.claim, alive: alive.clone(), ending: exits_at_once(command), shown };
        self.processes.insert(pid, process);
        self.cgroups.insert(command.claim);
        self.launched.push(Launched {
            claim: command.claim,
            program: command.program.clone(),
            args: command.args.clone(),
            fds: command.fds.iter().map(|(_, number)| *number).collect(),
            confinement: command.confinement.clone(),
            jail: command.jail.clone(),
        });
        Ok(alive)
    }
}

#[async_trait::async_trait]
impl Processes for Fake {
    fn cgroups(&self) -> (Cgroups, Option<String>) {
        (Cgroups::V2, None)
    }

    fn boot_id(&self) -> String {
        self.machine().boot_id()
    }

    fn jails(&self) -> Result<(), String> {
        self.machine().no_jails.clone().map_or(Ok(()), Err)
    }

    async fn launch(&self, command: Command) -> Result<Alive, Fault> {
        let answer = self.machine().start(&command);
        self.changes.send_modify(|count| *count += 1);
        answer
    }

    fn lives(&self, alive: &Alive) -> bool {
        self.ending_of(alive).is_none()
    }

    async fn find(&self) -> Result<Vec<(ClaimId, Alive)>, Fault> {
        let machine = self.machine();
        let living = machine.processes.values().filter(|process| process.ending.is_none());
        Ok(living.map(|process| (process.claim, process.alive.clone())).collect())
    }

    async fn ended(&self, alive: &Alive) -> Ending {
        let mut changes = self.changes.subscribe();
        loop {
            changes.mark_unchanged();
            if let Some(ending) = self.ending_of(alive) {
                return ending;
            }
            if changes.changed().await.is_err() {
                return Ending::Unknown;
            }
        }
    }

    async fn signal(&self, alive: &Alive, signal: Signal) -> Result<(), Fault> {
        if self.lives(alive) {
            let number = match signal {
                Signal::Terminate => 15,
                Signal::Kill => 9,
            };
            self.end(alive.pid, Ending::Signal(number));
        }
        Ok(())
    }

    async fn kill(&self, alive: &Alive) -> Result<Ending, Fault> {
        self.signal(alive, Signal::Kill).await?;
        Ok(self.ended(alive).await)
    }

    async fn clear(&self, claim: ClaimId) -> Result<(), Fault> {
        let mut machine = self.machine();
        for process in machine.processes.values_mut().filter(|process| process.claim == claim) {
            process.ending.get_or_insert(Ending::Signal(9));
        }
        machine.cgroups.remove(&claim);
        drop(machine);
        self.changes.send_modify(|count| *count += 1);
        Ok(())
    }

    async fn show(&self, alive: &Alive, Showing { admit, expel }: Showing) -> Result<(), Fault> {
        if admit.is_empty() && !self.lives(alive) {
            return Ok(());
        }
        let mut machine = self.machine();
        let shown = machine.jailed(alive)?;
        shown.retain(|bind| !expel.contains(&bind.to));
        for bind in admit {
            there(&bind.from)?;
            match shown.iter().find(|other| other.to == bind.to) {
                Some(other) if other.from == bind.from => {}
                Some(_) => {
                    let why = format!("something else is at {} in the jail", bind.to.display());
                    return Err(Fault::new(Reason::PathUnusable, why));
                }
                None => shown.push(bind),
            }
        }
        Ok(())
    }

    async fn hold(&self, claim: ClaimId, _: &Alive, _: &Confinement) -> Result<Hold, Fault> {
        Ok(if self.machine().cgroups.insert(claim) { Hold::PutBack } else { Hold::Inside })
    }

    async fn confined(&self) -> Result<Vec<ClaimId>, Fault> {
        Ok(self.machine().cgroups.iter().copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::processes::conformance;

    #[tokio::test]
    async fn keeps_the_laws() {
        let dir = tempfile::tempdir().unwrap();
        conformance::all(&Fake::new(), dir.path()).await;
    }

    #[tokio::test]
    async fn keeps_the_laws_without_jails_too() {
        let dir = tempfile::tempdir().unwrap();
        let fake = Fake::new();
        fake.jail_nothing("a machine without jails");
        conformance::all(&fake, dir.path()).await;
    }

    #[tokio::test]
    async fn a_restart_of_the_machine_ends_everything() {
        let dir = tempfile::tempdir().unwrap();
        let fake = Fake::new();
        let before = fake.boot_id();
        let alive = fake.launch(conformance::sleeper(dir.path())).await.unwrap();
        fake.reboot();
        assert!(!fake.lives(&alive));
        assert_ne!(fake.boot_id(), before);
        assert_eq!(fake.ended(&alive).await, Ending::Unknown);
    }

    #[tokio::test]
    async fn a_refusal_is_told_once() {
        let dir = tempfile::tempdir().unwrap();
        let fake = Fake::new();
        fake.refuse_next(Fault::new(Reason::LaunchFailed, "no"));
        assert_eq!(fake.launch(conformance::sleeper(dir.path())).await.unwrap_err().reason, Reason::LaunchFailed);
        assert!(fake.launch(conformance::sleeper(dir.path())).await.is_ok());
    }
}
