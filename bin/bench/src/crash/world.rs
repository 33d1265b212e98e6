//! One world: a folder, a daemon that dies again and again, clients, and who checks.
//!
//! ```text
//!  a life   start (a plan is armed) ─► check what the last life left ─► load ─► death, at a point or an instant
//!           a VMM, a launcher or a task dies instead ─► the load ends ─► check in the same life
//!           it died before it was checked ─► the next life is not armed until it is
//!  the end  check ─► delete all ─► nothing is left ─► end the daemon ─► nothing is left
//! ```

use super::aim::{Aim, Victim};
use super::cast::Actor;
use super::census::Census;
use super::check::{Checker, Found, Took, list};
use super::client::{CLIENTS, Client as Player, Scene};
use super::daemon::{Hold, Home, Life, Start};
use super::deed::call;
use super::dice::Dice;
use super::events::Kept;
use super::judge::{Harm, Sort, Verdict};
use super::ledger::{Entry, Ledger};
use super::record::{Story, Tally};
use futures::future::join_all;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};
use weft_api::Client;
use weft_ports::api::{Removal, SnapshotRef, SnapshotRemoval, Snapshots, VmRef, Vms};
use weft_ports::fault::{self, Point};

/// The longest that clients work in one life.
const BURST: Duration = Duration::from_millis(120);
/// How long clients are given to hear that nobody answers any more.
const FAREWELL: Duration = Duration::from_millis(500);
/// Events are all read again with every so manieth check.
const EVENTS_EVERY: u64 = 12;
/// VMs that there are at one time where VMMs are real.
const REAL_CROWD: usize = 12;
/// Events that are kept where old ones are to be swept.
const FEW_EVENTS: u64 = 100;
/// Lives that a story tells of.
const TOLD: usize = 6;
/// How long a daemon is waited for in which a task fell while it came up, and any other.
const HANG: Duration = Duration::from_secs(5);
const LONG: Duration = Duration::from_secs(90);
/// So many deaths may come one after the other without a check between: one more and the next life is not armed.
const UNCHECKED: u32 = 2;

/// What every world is told.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) program: PathBuf,
    /// Deaths of this world.
    pub(super) points: u64,
    /// Deaths come at instants alone.
    pub(super) random: bool,
    /// Where the logs of failures are kept.
    pub(super) keep: PathBuf,
    /// VMs that there are at one time.
    pub(super) crowd: usize,
}

/// One world.
pub(super) struct World {
    seed: u64,
    dice: Dice,
    rules: Rules,
    home: Home,
    checker: Arc<Checker>,
    tally: Tally,
    life: u64,
    unchecked: u32,
    recovering: bool,
    disturbed: Vec<String>,
}

/// How work ended that the daemon may not survive.
enum Ended<T> {
    Done(T),
    Died,
}

impl World {
    /// A world of this seed in a folder of its own.
    pub(super) fn open(seed: u64, rules: Rules, cast: Vec<Actor>, folder: PathBuf) -> anyhow::Result<Self> {
        let data_dir = folder.join("d");
        std::fs::create_dir_all(&data_dir)?;
        std::fs::write(folder.join("weft.toml"), "")?;
        let files = folder.join("files");
        std::fs::create_dir_all(&files)?;
        std::fs::write(files.join("extra.raw"), vec![0; 1 << 20])?;
        let mut dice = Dice::new(seed);
        let guests = cast.first().map(Actor::folder).unwrap_or_default();
        let jailed = dice.percent(50);
        let kept = if dice.percent(40) { Kept::Newest } else { Kept::All };
        let mut settings = vec![
            format!("paths.allowed_roots={}:{}", guests.display(), files.display()),
            format!("node.drivers={}", cast.iter().map(|actor| actor.driver).collect::<Vec<_>>().join(":")),
            "node.reserved_disk=0".to_owned(),
            format!("retention.max_events={}", if kept == Kept::All { 10_000_000 } else { FEW_EVENTS }),
            format!("jail.mode={}", if jailed { "auto" } else { "off" }),
        ];
        settings.extend(cast.iter().map(Actor::setting));
        let file = files.join("extra.raw");
        let crowd = if cast.iter().any(|actor| actor.real) { rules.crowd.min(REAL_CROWD) } else { rules.crowd };
        let mut tally = Tally { worlds: 1, ..Tally::default() };
        let name = |actor: &Actor| format!("{}{}", actor.name(), if jailed { ", jailed" } else { "" });
        tally.drivers.extend(cast.iter().map(|actor| (name(actor), 0)));
        let scene = Arc::new(Scene { ledger: Mutex::new(Ledger::default()), actors: cast, file, crowd });
        let census = Census::of(&data_dir);
        let checker = Arc::new(Checker { scene, census, data_dir, harm: Mutex::new(Harm::default()), kept });
        let home = Home { program: rules.program.clone(), folder, settings };
        let disturbed = Vec::new();
        Ok(Self { seed, dice, rules, home, checker, tally, life: 0, unchecked: 0, recovering: true, disturbed })
    }

    /// Lives until all points are done or something is wrong, and takes everything away.
    pub(super) async fn run(mut self) -> Tally {
        let mut outcome = Ok(());
        while outcome.is_ok() && self.tally.points < self.rules.points {
            outcome = self.live().await;
        }
        if outcome.is_ok() {
            outcome = self.end().await;
        }
        if let Err(found) = outcome {
            let story = self.story(found);
            self.tally.failures.push(story);
        }
        self.tally.deeds = self.checker.scene.book().deeds;
        self.tell_slow();
        let points = self.tally.points;
        self.tally.drivers.values_mut().for_each(|count| *count = points);
        std::mem::take(&mut self.tally)
    }

    /// What took long is told with what was done to the lives before.
    fn tell_slow(&mut self) {
        let slow = std::mem::take(&mut self.checker.scene.book().slow);
        let lately = self.disturbed[self.disturbed.len().saturating_sub(2)..].join(", ");
        if !slow.is_empty() {
            let kept = self.kept();
            // What is not kept is only not explained.
            let _ = std::fs::create_dir_all(&kept).and_then(|()| std::fs::copy(self.home.log(), kept.join("slow.log")));
        }
        let told = |line| format!("world {} ({lately}): {line}", self.seed);
        self.tally.slow.extend(slow.into_iter().map(told));
    }

    async fn live(&mut self) -> Result<(), Found> {
        self.tell_slow();
        self.life += 1;
        let mut dice = self.dice.fork(self.life);
        let points = (fault::BUILT && !self.rules.random && !dice.percent(6)).then_some(Point::ALL);
        let aim = Aim::draw(&mut dice, points, BURST);
        let armed = self.unchecked < UNCHECKED;
        let aim = if armed { aim } else { Aim { point: None, ..aim } };
        let plan = aim.plan();
        let mut life = self.home.start(plan.as_deref()).map_err(broken)?;
        let ended = self.drive(&mut life, &aim, (armed, dice)).await;
        let counts = life.counts();
        if ended.is_err() || !life.is_over() {
            life.kill().await.map_err(broken)?;
        }
        for (point, count) in counts {
            *self.tally.passed.entry(point).or_default() += count;
        }
        ended
    }

    /// One life from its start to its end.
    async fn drive(&mut self, life: &mut Life, aim: &Aim, (armed, dice): (bool, Dice)) -> Result<(), Found> {
        self.recovering = true;
        let began = self.tally.points;
        let Some(api) = self.rise(life, aim, armed).await? else { return Ok(()) };
        let rose = Instant::now();
        // A task may fall over what the check asks.
        self.checker.harm().anywhere += u32::from(aim.victim == Victim::Panic);
        let Ended::Done(took) = self.check(life, aim, (&api, armed), dice.fork(1)).await? else { return Ok(()) };
        self.unchecked = 0;
        self.recovering = false;
        self.tally.settled.push(rose.elapsed());
        self.spend(took);
        if self.life.is_multiple_of(EVENTS_EVERY) {
            self.tally.events += self.checker.events(&api).await?;
            self.checker.inventory(&api).await?;
        }
        if self.tally.points == began || !armed {
            let load = Instant::now();
            let ended = self.load(life, aim, (&api, &dice)).await?;
            self.tally.spent("load", load.elapsed());
            if matches!(ended, Ended::Died) {
                return Ok(());
            }
            // Nobody but a VMM, a launcher or a task died: it is checked at once.
            let Ended::Done(took) = self.check(life, aim, (&api, armed), dice.fork(2)).await? else { return Ok(()) };
            self.spend(took);
        }
        // A quiet end of a life that nothing else ended.
        if self.dice.fork(self.life).percent(50) { life.terminate().await } else { life.kill().await }.map_err(broken)
    }

    fn spend(&mut self, took: Took) {
        self.tally.spent("ask again", took.asking);
        self.tally.spent("rest", took.resting);
        self.tally.spent("judge", took.judging);
    }

    /// Waits until the daemon serves; nothing where it died before, as was planned.
    async fn rise(&mut self, life: &mut Life, aim: &Aim, armed: bool) -> Result<Option<Client>, Found> {
        loop {
            let hangs = aim.victim == Victim::Panic && aim.point.is_some();
            let up = match timeout(if hangs { HANG } else { LONG }, life.up()).await {
                Ok(up) => up.map_err(broken)?,
                Err(_) if hangs => {
                    // What a broken task held up, the next life takes up.
                    self.struck(aim, true);
                    self.tally.restarted_after_panic += 1;
                    self.unchecked += 1;
                    return Ok(None);
                }
                Err(_) => return Err(Found::one(Sort::Dishonoured, "the daemon does not come up")),
            };
            match up {
                Start::Up(api, took) => {
                    self.tally.ready.push(took);
                    self.tally.spent("start", took);
                    return Ok(Some(*api));
                }
                Start::Died => {
                    if !armed || aim.point.is_none() {
                        return Err(Found::one(Sort::Dishonoured, "the daemon does not come up"));
                    }
                    self.struck(aim, true);
                    self.unchecked += 1;
                    return Ok(None);
                }
                Start::Held(hold) => {
                    if self.strike(life, aim, Some(&hold)).await? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Checks, unless the daemon dies over it.
    async fn check(
        &mut self,
        life: &mut Life,
        aim: &Aim,
        (api, armed): (&Client, bool),
        dice: Dice,
    ) -> Result<Ended<Took>, Found> {
        let (checker, pid) = (Arc::clone(&self.checker), life.pid());
        let work = checker.check(api, pid, dice);
        match self.guard(life, (aim, armed), work, None).await? {
            Ended::Died => Ok(Ended::Died),
            Ended::Done(Ok(took)) => Ok(Ended::Done(took)),
            Ended::Done(Err(found)) => {
                // It may have failed because the daemon was dying.
                let died = timeout(FAREWELL, life.disturbed()).await;
                if matches!(died, Ok(Ok(None))) && armed && aim.point.is_some() {
                    self.struck(aim, true);
                    self.unchecked += 1;
                    return Ok(Ended::Died);
                }
                if aim.victim == Victim::Panic && armed && self.unchecked == 0 {
                    // What a broken task held up, the next life takes up.
                    self.tally.restarted_after_panic += 1;
                    self.unchecked += 1;
                    life.kill().await.map_err(broken)?;
                    return Ok(Ended::Died);
                }
                Err(found)
            }
        }
    }

    /// Clients work until the daemon dies or their time is up.
    async fn load(&mut self, life: &mut Life, aim: &Aim, (api, dice): (&Client, &Dice)) -> Result<Ended<()>, Found> {
        let begun = Instant::now();
        let (until, scene) = (begun + BURST, Arc::clone(&self.checker.scene));
        let player = |number| Player::new(number, dice.fork(100 + number), Arc::clone(&scene), api.clone()).play(until);
        let work = join_all((0..CLIENTS).map(player));
        let struck = self.tally.points;
        let instant = if aim.point.is_some() { BURST } else { aim.instant };
        match self.guard(life, (aim, true), work, Some(begun + instant)).await? {
            Ended::Died => return Ok(Ended::Died),
            Ended::Done(_) if self.tally.points > struck => {}
            Ended::Done(_) if self.panicked(life, aim) => self.struck(aim, true),
            // All clients were done before.
            Ended::Done(_) => {
                if self.strike(life, aim, None).await? {
                    return Ok(Ended::Died);
                }
            }
        }
        Ok(Ended::Done(()))
    }

    /// Whether the panic that was planned has come.
    fn panicked(&self, life: &Life, aim: &Aim) -> bool {
        let Some((point, nth)) = aim.point.filter(|_| aim.victim == Victim::Panic) else { return false };
        let come = life.counts().get(point.as_str()).is_some_and(|count| *count >= nth);
        self.checker.harm().anywhere += u32::from(come);
        come
    }

    /// Works on while the daemon lives; strikes at `due` where nothing else did.
    async fn guard<T>(
        &mut self,
        life: &mut Life,
        (aim, armed): (&Aim, bool),
        work: impl Future<Output = T>,
        mut due: Option<Instant>,
    ) -> Result<Ended<T>, Found> {
        let mut work = pin!(work);
        let struck = self.tally.points;
        loop {
            let died = tokio::select! {
                done = &mut work => return Ok(Ended::Done(done)),
                event = life.disturbed() => match event.map_err(broken)? {
                    Some(hold) => self.strike(life, aim, Some(&hold)).await?,
                    None if armed && aim.point.is_some() && self.tally.points == struck => {
                        self.struck(aim, true);
                        self.unchecked += 1;
                        true
                    }
                    None => return Err(Found::one(Sort::Dishonoured, "the daemon ended by itself")),
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    due = None;
                    if self.tally.points > struck { false }
                    else if self.panicked(life, aim) { self.struck(aim, true); false }
                    else { self.strike(life, aim, None).await? }
                }
            };
            if died {
                // Clients hear that nobody answers.
                let _ = timeout(FAREWELL, &mut work).await;
                return Ok(Ended::Died);
            }
        }
    }

    /// Kills who is to be killed; whether that was the daemon.
    async fn strike(&mut self, life: &mut Life, aim: &Aim, hold: Option<&Hold>) -> Result<bool, Found> {
        self.struck(aim, hold.is_some());
        let daemon = life.pid();
        match aim.victim {
            Victim::Vmm => {
                let processes = self.checker.census.processes();
                let vmms: Vec<u32> = processes.iter().map(|it| it.pid).filter(|pid| Some(*pid) != daemon).collect();
                if let Some(pid) = self.dice.fork(self.life).pick(&vmms) {
                    self.checker.harm().pids.insert(*pid);
                    kill(*pid);
                }
                Ok(false)
            }
            Victim::Launcher if hold.is_some_and(|hold| hold.pid.map(raw) != daemon) => {
                self.checker.harm().anywhere += 1;
                hold.and_then(|hold| hold.pid).map(raw).into_iter().for_each(kill);
                Ok(false)
            }
            Victim::Launcher if hold.is_some() => {
                // The daemon stands where its launcher is under way: the youngest of its children.
                self.checker.harm().anywhere += 1;
                let processes = self.checker.census.processes();
                let others = processes.iter().filter(|it| Some(it.pid) != daemon);
                let youngest = others.max_by_key(|it| (it.start_ticks, it.pid)).map(|it| it.pid);
                self.checker.harm().pids.extend(youngest);
                youngest.into_iter().for_each(kill);
                Ok(false)
            }
            Victim::Daemon | Victim::Launcher | Victim::Panic => {
                self.unchecked += 1;
                life.kill().await.map_err(broken)?;
                Ok(true)
            }
        }
    }

    /// A point counts.
    fn struck(&mut self, aim: &Aim, at_point: bool) {
        self.tally.points += 1;
        *self.tally.victims.entry(aim.victim).or_default() += 1;
        let place = match aim.point.filter(|_| at_point) {
            Some((point, _)) => {
                *self.tally.struck.entry(point.to_string()).or_default() += 1;
                self.tally.at_points += 1;
                self.tally.in_recovery += u64::from(self.recovering);
                aim.to_string()
            }
            None => {
                self.tally.at_instants += 1;
                format!("{}, at an instant", aim.victim.as_str())
            }
        };
        self.disturbed.push(format!("life {}: {place}", self.life));
    }

    /// Deletes all, and looks that nothing is left.
    async fn end(&mut self) -> Result<(), Found> {
        self.life += 1;
        let mut life = self.home.start(None).map_err(broken)?;
        let ended = self.farewell(&mut life).await;
        if ended.is_err() || !life.is_over() {
            life.kill().await.map_err(broken)?;
        }
        ended
    }

    async fn farewell(&mut self, life: &mut Life) -> Result<(), Found> {
        let Start::Up(api, _) = life.up().await.map_err(broken)? else {
            return Err(Found::one(Sort::Dishonoured, "the daemon does not come up"));
        };
        self.checker.check(&api, life.pid(), self.dice.fork(self.life)).await?;
        self.tally.events += self.checker.events(&api).await?;
        let listed = list(&api).await?;
        for vm in listed.vms {
            let vm = VmRef::Id(vm.value.meta.id);
            Vms::delete(&*api, &call(), Removal { vm, etag: None, force: true, allow_missing: true }).await?;
        }
        for kept in listed.snapshots {
            let snapshot = SnapshotRef::Id(kept.value.id);
            Snapshots::delete(&*api, &call(), SnapshotRemoval { snapshot, etag: None, allow_missing: true }).await?;
        }
        {
            let mut book = self.checker.scene.book();
            let born: Vec<String> = book.born.keys().cloned().collect();
            book.gone.extend(born);
            (book.snapshots, book.standing) = Default::default();
        }
        let took = self.checker.check(&api, life.pid(), self.dice.fork(self.life)).await?;
        self.spend(took);
        self.checker.inventory(&api).await?;
        life.terminate().await.map_err(broken)?;
        let left = self.checker.census.take(None);
        let scopes = self.checker.census.scopes();
        if left.processes.is_empty() && left.mounts.is_empty() && scopes.is_empty() && left.half.is_empty() {
            return Ok(());
        }
        Err(Found::one(Sort::Leaked, format!("all was deleted and weft has ended; left are {left:?} and {scopes:?}")))
    }

    /// Where what helps to understand it is kept.
    fn kept(&self) -> PathBuf {
        self.rules.keep.join(format!("{:016x}", self.seed))
    }

    /// Tells a failure, and keeps what helps to understand it.
    fn story(&self, found: Found) -> Story {
        let book = self.checker.scene.book();
        let names: BTreeSet<String> = found.verdicts.iter().filter_map(|it| it.name.clone()).collect();
        let about = |name: &String| names.is_empty() || names.contains(name);
        let requests = book.entries.iter().filter(|entry| about(&entry.name)).map(Entry::line).collect();
        let listed = found.listed.vms.iter().filter(|vm| about(&vm.value.meta.name.to_string()));
        let listed = listed.map(|vm| format!("{} {:?} {:?}", vm.value.meta.name, vm.value.desired, vm.value.status));
        let mut story = Story {
            seed: self.seed,
            life: self.life,
            disturbed: self.disturbed[self.disturbed.len().saturating_sub(TOLD)..].to_vec(),
            verdicts: found.verdicts,
            requests,
            listed: listed.collect(),
            kept: self.kept(),
        };
        story.listed.truncate(12);
        let kept = std::fs::create_dir_all(&story.kept).and_then(|()| {
            std::fs::copy(self.home.log(), story.kept.join("weft.log"))?;
            std::fs::write(story.kept.join("story.json"), serde_json::to_string_pretty(&story).unwrap_or_default())
        });
        if let Err(why) = kept {
            let what = format!("the log could not be kept: {why}; it ends:\n{}", self.home.last_words(40));
            story.verdicts.push(Verdict { sort: Sort::Dishonoured, what, name: None });
        }
        story
    }
}

/// Broken off or done, nothing of it stays; the daemon of its last life went before.
impl Drop for World {
    fn drop(&mut self) {
        clear(&self.checker.census, &self.home.folder);
    }
}

fn broken(error: anyhow::Error) -> Found {
    Found::one(Sort::Dishonoured, format!("{error:#}"))
}

const fn raw(pid: Pid) -> u32 {
    pid.as_raw_nonzero().get().cast_unsigned()
}

fn kill(pid: u32) {
    if let Some(pid) = Pid::from_raw(pid.cast_signed()) {
        // It may have ended by itself.
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// Takes away whatever a world has left.
fn clear(census: &Census, folder: &Path) {
    for _ in 0..50 {
        let processes = census.processes();
        if processes.is_empty() {
            break;
        }
        processes.iter().for_each(|process| kill(process.pid));
        // why: processes that were killed tell nobody when they are gone.
        std::thread::sleep(Duration::from_millis(10));
    }
    for cgroup in census.cgroups().into_iter().chain(census.scopes()) {
        // Busy where a process does not die: it is only a folder.
        let _ = std::fs::remove_dir(cgroup);
    }
    let _ = std::fs::remove_dir_all(folder);
}
