//! The peer of the crash bench: libvirtd, put through the same loop of load, kill, restart and judgement.
//!
//! ```text
//!  house ─► libvirtd ◄─ virsh × 24: one domain each, some share one
//!             │ SIGKILL at an instant of the seed
//!             ▼
//!           restart ─► answers ─► at rest ─► what is seen beside what was acknowledged ─► next point
//!  at the end: a calm restart, and which of the findings are still there
//! ```
//!
//! Instants and requests come from the seed; how they meet does not, since libvirtd has no points at which it
//! can be held. What is found is given time to go away before it counts, and is left as it is, once counted.

mod client;
mod guest;
mod house;
mod judge;
mod model;
mod seen;
mod session;
mod told;

use super::dice::Dice;
use crate::house::interrupted;
use anyhow::{Context, Result, anyhow, ensure};
use client::{Client, Ownership};
use house::{Daemon, House};
use judge::{Class, Expected, Finding};
use model::Verb;
use rustix::process::Signal;
use seen::Seen;
use serde_json::Value;
use session::{Answer, Session};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use told::{Found, Ledger, Peer};

/// Clients with a domain of their own.
const OWNERS: usize = 18;
/// Clients that share domains.
const SHARERS: usize = 6;
/// Domains that are shared.
const SHARED: usize = 2;
/// The shortest load, and how much longer it may be, in milliseconds.
const LOAD: (u64, u64) = (50, 1450);
/// The load before the first point, so that there are domains that run.
const WARM: Duration = Duration::from_secs(6);
/// The time that a file or a cgroup is given to go away.
const GRACE: Duration = Duration::from_millis(500);
/// The time that anything else is given to come right.
const LONG_GRACE: Duration = Duration::from_secs(3);
/// The time that the first finding of a sort is given.
const FIRST_GRACE: Duration = Duration::from_secs(10);
/// The time that libvirtd is given to answer once it listens.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long is waited before it is looked again.
const PAUSE: Duration = Duration::from_millis(50);
/// What the house needs beside libvirt.
const PROGRAMS: [&str; 4] = ["qemu-img", "unshare", "nsenter", "virsh"];

/// Kills libvirtd so many times, and answers the report; it says `skipped` where there is no libvirtd.
///
/// # Errors
/// libvirtd does not start or does not come back, or it was asked to end.
pub(crate) async fn run(seed: u64, points: u32) -> Result<Value> {
    let qemu = match missing() {
        Ok(qemu) => qemu,
        Err(why) => return Ok(serde_json::json!({ "peer": "libvirtd", "skipped": why.to_string() })),
    };
    let stop = Arc::new(AtomicBool::new(false));
    let mut task = tokio::task::spawn_blocking({
        let stop = Arc::clone(&stop);
        move || measure((seed, points), qemu, &stop)
    });
    tokio::select! {
        done = &mut task => done?,
        why = interrupted() => {
            stop.store(true, Ordering::Relaxed);
            task.await?.and(Err(why))
        }
    }
}

/// The QEMU that is used, where all is there that is needed.
fn missing() -> Result<String> {
    let libvirtd = "no libvirtd; apt install libvirt-daemon-system libvirt-daemon-driver-qemu libvirt-clients";
    house::program("libvirtd").context(libvirtd)?;
    for name in PROGRAMS {
        house::program(name).with_context(|| format!("no {name}"))?;
    }
    let qemu = house::program("qemu-system-x86_64").context("no qemu-system-x86_64; apt install qemu-system-x86")?;
    ensure!(rustix::process::geteuid().is_root(), "namespaces and cgroups of its own need root");
    ensure!(Path::new("/etc/libvirt").is_dir(), "no /etc/libvirt; apt install libvirt-daemon-system");
    qemu.into_os_string().into_string().map_err(|path| anyhow!("{} is no text", path.display()))
}

/// All points, in a house that is taken away whatever happens.
fn measure((seed, points): (u64, u32), qemu: String, stop: &AtomicBool) -> Result<Value> {
    let house = House::open()?;
    let measured = Loop::open(&house, seed, qemu).and_then(|mut all| {
        all.load(WARM, None)?;
        all.record(Instant::now(), Duration::ZERO)?;
        let start = Instant::now();
        while all.ledger.points < points && !stop.load(Ordering::Relaxed) {
            let point = all.ledger.points + 1;
            all.point().with_context(|| format!("point {point} of seed {seed}"))?;
        }
        all.ledger.took = start.elapsed();
        all.end()?;
        Ok(all.ledger.report(&all.peer, (seed, all.clients.len())))
    });
    house.close()?;
    measured
}

/// The loop, and all that it holds.
struct Loop<'a> {
    house: &'a House,
    qemu: String,
    peer: Peer,
    daemon: Option<Daemon>,
    control: Session,
    clients: Vec<Client>,
    dice: Dice,
    ledger: Ledger,
    /// What was found before: each thing counts once.
    known: BTreeSet<(Class, &'static str, String)>,
}

impl<'a> Loop<'a> {
    /// Starts libvirtd, and defines what is shared.
    fn open(house: &'a House, seed: u64, qemu: String) -> Result<Self> {
        std::fs::write(house.path(guest::FIRMWARE), guest::firmware())?;
        house.ask("qemu-img", &["create", "-q", "-f", "qcow2", guest::TEMPLATE, "1M"])?;
        let version = |text: String| text.lines().next().unwrap_or_default().to_owned();
        let peer = Peer {
            libvirt: version(house.ask("libvirtd", &["--version"])?),
            qemu: version(house.ask(&qemu, &["--version"])?),
        };
        let daemon = Some(house.start()?);
        let mut control = Session::open(house)?;
        let shared: Vec<_> = (0..SHARED).map(|number| format!("shared-{number}")).collect();
        for name in &shared {
            client::files(house, name, &qemu)?;
            let defined = control.ask(&Verb::Define.command(name))?;
            ensure!(matches!(defined, Answer::Done(_)), "{name} cannot be defined: {defined:?}");
        }
        let dice = Dice::new(seed);
        let client = |number: usize| {
            let shared = number.checked_sub(OWNERS).and_then(|sharer| shared.get(sharer % SHARED).cloned());
            Client::new(number, dice.fork(number as u64 + 1), shared)
        };
        let clients = (0..OWNERS + SHARERS).map(client).collect();
        let (ledger, known) = (Ledger::default(), BTreeSet::new());
        Ok(Self { house, qemu, peer, daemon, control, clients, dice, ledger, known })
    }

    /// One load, one kill, one judgement.
    fn point(&mut self) -> Result<()> {
        let load = Duration::from_millis(LOAD.0 + self.dice.below(LOAD.1));
        let daemon = self.daemon.take().context("libvirtd runs")?;
        let loaded = self.load(load, Some(daemon))?;
        self.ledger.points += 1;
        self.ledger.running += Seen::running(self.house)? as u64;
        let start = Instant::now();
        self.start(start)?;
        self.record(start, loaded)
    }

    /// Takes down what is found since then, and what clients have to know of it.
    fn record(&mut self, since: Instant, loaded: Duration) -> Result<()> {
        let (seen, findings) = self.settle(since)?;
        if self.ledger.points > 0 {
            self.ledger.settled.push(since.elapsed());
        }
        for finding in findings {
            let killed_after_ms = crate::statistics::rounded(loaded.as_secs_f64() * 1e3, 1);
            let point = self.ledger.points;
            self.ledger.found.push(Found { point, killed_after_ms, finding, at_the_end: None });
        }
        for client in self.clients.iter_mut().filter(|client| client.ownership == Ownership::Own) {
            client.belief.seen(seen.state(&client.name));
        }
        Ok(())
    }

    /// Lets the clients work until the instant has come, and kills this one then; how long they worked.
    fn load(&mut self, load: Duration, victim: Option<Daemon>) -> Result<Duration> {
        for client in &mut self.clients {
            client.connect(self.house)?;
        }
        let (house, qemu, go) = (self.house, &*self.qemu, AtomicBool::new(true));
        let start = Instant::now();
        let outcome = std::thread::scope(|scope| {
            let work = |client| scope.spawn(|| Client::work(client, house, qemu, &go));
            let threads: Vec<_> = self.clients.iter_mut().map(work).collect();
            // why: the instant of the kill is what the seed chooses.
            std::thread::sleep(load);
            let loaded = start.elapsed();
            let killed = victim.map_or(Ok(()), |daemon| daemon.end(Signal::KILL));
            go.store(false, Ordering::Relaxed);
            for thread in threads {
                thread.join().map_err(|_| anyhow!("a client panicked"))??;
            }
            killed.map(|()| loaded)
        });
        for client in &mut self.clients {
            self.ledger.tally.add(std::mem::take(&mut client.tally));
        }
        outcome
    }

    /// Starts libvirtd again, and waits until it answers.
    fn start(&mut self, start: Instant) -> Result<()> {
        self.daemon = Some(self.house.start()?);
        while !matches!(self.control.ask("list --all")?, Answer::Done(_)) {
            ensure!(start.elapsed() < PATIENCE, "libvirtd listens and does not answer");
        }
        self.ledger.answered.push(start.elapsed());
        Ok(())
    }

    /// Looks until nothing new is found, or until it has had its time.
    fn settle(&mut self, start: Instant) -> Result<(Seen, Vec<Finding>)> {
        let daemon = self.daemon.as_ref().context("libvirtd runs")?.inner;
        let expected = self.expected();
        loop {
            let seen = Seen::look(self.house, &mut self.control, daemon)?;
            let mut findings = judge::judge(&expected, &seen, &self.images(&expected, &seen));
            findings.retain(|finding| !self.known.contains(&key(finding)));
            let grace = findings.iter().map(|finding| self.grace(finding)).max().unwrap_or_default();
            if start.elapsed() >= grace {
                self.known.extend(findings.iter().map(key));
                return Ok((seen, findings));
            }
            // why: a poll; libvirtd does not tell when it has tidied up.
            std::thread::sleep(PAUSE);
        }
    }

    /// What clients know of domains of their own.
    fn expected(&self) -> Vec<Expected> {
        let own = self.clients.iter().filter(|client| client.ownership == Ownership::Own);
        let expected = own.map(|client| Expected {
            name: client.name.clone(),
            may: client.belief.may.clone(),
            unanswered: client.belief.unanswered,
            acknowledged: client.belief.acknowledged,
        });
        expected.collect()
    }

    /// The snapshots on the disks of those whose request for one was not answered.
    fn images(&self, expected: &[Expected], seen: &Seen) -> BTreeMap<String, BTreeSet<u32>> {
        let unsure = expected.iter().filter(|one| one.unanswered.is_some_and(Verb::snaps));
        let held = unsure.filter(|one| seen.domains.contains_key(&one.name)).filter_map(|one| {
            let list = self.house.ask("qemu-img", &["snapshot", "-U", "-l", &guest::disk(&one.name)]).ok()?;
            let names = list.lines().filter_map(|line| line.split_whitespace().nth(1)?.strip_prefix('s')?.parse().ok());
            Some((one.name.clone(), names.collect()))
        });
        held.collect()
    }

    /// The time that this is given to come right.
    fn grace(&self, finding: &Finding) -> Duration {
        let first = !self.known.iter().any(|(class, kind, _)| (*class, *kind) == (finding.class, finding.kind));
        match finding.class {
            _ if first => FIRST_GRACE,
            Class::Leaked if finding.kind != "process" => GRACE,
            Class::Leaked | Class::Lost | Class::Doubled | Class::Dishonoured | Class::Half => LONG_GRACE,
        }
    }

    /// Restarts libvirtd once more, in peace, and looks what of all that was left is still there.
    fn end(&mut self) -> Result<()> {
        self.daemon.take().context("libvirtd runs")?.end(Signal::TERM)?;
        let daemon = self.house.start()?;
        // why: what tidies up late is given its time.
        std::thread::sleep(LONG_GRACE);
        self.control = Session::open(self.house)?;
        let seen = Seen::look(self.house, &mut self.control, daemon.inner)?;
        let still: BTreeSet<_> = judge::judge(&[], &seen, &BTreeMap::new()).iter().map(key).collect();
        for found in self.ledger.found.iter_mut().filter(|found| found.finding.class == Class::Leaked) {
            found.at_the_end = Some(still.contains(&key(&found.finding)));
        }
        daemon.end(Signal::TERM)
    }
}

/// What makes a finding the same as another.
fn key(finding: &Finding) -> (Class, &'static str, String) {
    (finding.class, finding.kind, finding.subject.clone())
}
