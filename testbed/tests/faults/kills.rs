//! The daemon is killed at random instants while clients work.

use crate::{assert_leaves_nothing, cgroups, removal};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use weft_domain::instance::StopHow;
use weft_domain::{Kind, Phase, Reason};
use weft_ports::api::{Call, CreateMode, ListQuery, Power, Vm, Vms};
use weft_ports::task::spawn;
use weft_testbed::daemon::Daemon;
use weft_testbed::guest::{call, small, vm};
use weft_testbed::need_guest;
use weft_testbed::watch::by_name;

/// Rounds, unless their time is up before.
const ROUNDS: u32 = 30;
const TIME: Duration = Duration::from_secs(75);
const CLIENTS: u64 = 4;
/// How long it may take until all is as it should be after a start.
const SETTLED: Duration = Duration::from_secs(30);

/// What clients were told: by name, whether it is there. Without an answer nothing is known.
type Known = Arc<Mutex<BTreeMap<String, Option<bool>>>>;

/// Random numbers that a seed gives again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Does something to its own VMs until nobody answers any more.
async fn client(weft: weft_api::Client, number: u64, mut dice: Dice, known: Known) {
    let call = Call { timeout: Some(Duration::from_secs(20)), ..Call::by("chaos") };
    loop {
        let name = format!("c{number}-{}", dice.below(2));
        let say = |there| known.lock().expect("no panic").insert(name.clone(), there);
        let done = match dice.below(6) {
            0 | 1 => {
                let before = say(None).flatten();
                let mode = if number == 0 { CreateMode::Boot } else { CreateMode::Create };
                let made = weft.create(&call, vm(&name, small(), mode)).await;
                let taken = made.as_ref().is_err_and(|fault| fault.reason == Reason::NameTaken);
                say(if made.is_ok() || taken { Some(true) } else { None });
                assert!(!taken || before != Some(false), "{name} was deleted, and its name is taken");
                made.map(drop)
            }
            2 if number < 2 => weft.boot(&call, &by_name(&name)).await.map(drop),
            3 => weft.pause(&call, &by_name(&name)).await.map(drop),
            4 => weft.shutdown(&call, &by_name(&name), StopHow::Force).await.map(drop),
            _ => {
                say(None);
                let gone = weft.delete(&call, removal(&name)).await;
                say(gone.is_ok().then_some(false));
                gone.map(drop)
            }
        };
        if done.is_err_and(|fault| fault.kind() == Kind::Unavailable) {
            return;
        }
    }
}

/// What is wrong with what is there now, if anything.
async fn wrong(daemon: &Daemon, known: &Known) -> Option<String> {
    let vms = match daemon.client().list(&call(), &ListQuery::default()).await {
        Ok(page) => page.items,
        Err(fault) => return Some(format!("no list: {fault}")),
    };
    let known = known.lock().expect("no panic").clone();
    let names: BTreeSet<_> = vms.iter().map(|vm| vm.value.meta.name.to_string()).collect();
    for (name, there) in known {
        if there.is_some_and(|there| there != names.contains(&name)) {
            return Some(format!("{name} should be there: {there:?}; there are {names:?}"));
        }
    }
    let settled =
        |phase| matches!(phase, Phase::Created | Phase::Running | Phase::Paused | Phase::Stopped | Phase::Failed);
    if let Some(vm) = vms.iter().find(|vm| !settled(vm.value.status.phase)) {
        return Some(format!("{} stays {}", vm.value.meta.name, vm.value.status.phase));
    }
    let runs = |vm: &&Vm| matches!(vm.value.status.phase, Phase::Running | Phase::Paused);
    let told: BTreeSet<_> =
        vms.iter().filter(runs).map(|vm| vm.value.status.running.as_ref().map(|run| run.pid)).collect();
    let there: BTreeSet<_> = daemon.vmms().into_iter().map(Some).collect();
    if told != there {
        return Some(format!("running are {told:?}, and there are {there:?}"));
    }
    let ids: BTreeSet<_> = vms.iter().map(|vm| vm.value.meta.id.to_string()).collect();
    let folders: BTreeSet<_> = daemon.entries("vms").into_iter().collect();
    if ids != folders {
        return Some(format!("folders {folders:?} of VMs {ids:?}"));
    }
    let (sockets, cgroups) = (daemon.entries("run/vms").len(), cgroups(daemon));
    let of: BTreeSet<_> = cgroups.iter().filter_map(|path| path.file_name()).collect();
    let right = sockets == there.len() && (of.is_empty() || of.len() == there.len());
    (!right).then(|| format!("{sockets} folders of sockets and cgroups {of:?} of {} processes", there.len()))
}

/// Waits until nothing is wrong any more.
async fn assert_well(daemon: &Daemon, known: &Known, what: &str) {
    let begun = Instant::now();
    while let Some(wrong) = wrong(daemon, known).await {
        assert!(begun.elapsed() < SETTLED, "{what}: {wrong}\n{}", daemon.log());
        // why: several things are looked at, of which no one watch tells.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// `WEFT_SEED`, to see the same again; else another each time.
#[expect(clippy::disallowed_methods, reason = "a test that failed is repeated by hand")]
fn seed() -> u64 {
    let given = std::env::var("WEFT_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| u64::from(std::process::id()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_instant_it_loses_and_leaves_nothing() {
    need_guest!();
    let seed = seed();
    println!("WEFT_SEED={seed}");
    let (mut dice, begun) = (Dice(seed), Instant::now());
    let known = Known::default();
    let mut daemon = Daemon::start(&[]).expect("weft is up");
    for round in 0..ROUNDS {
        if begun.elapsed() > TIME {
            println!("{round} of {ROUNDS} rounds in the time given");
            break;
        }
        let start =
            |number| client(daemon.client(), number, Dice(seed ^ number << 40 ^ u64::from(round) << 20), known.clone());
        let clients: Vec<_> = (0..CLIENTS).map(|number| spawn("client", start(number))).collect();
        // why: the instant of the kill is what the seed chooses.
        tokio::time::sleep(Duration::from_millis(20 + dice.below(1200))).await;
        daemon.kill().expect("killed");
        for client in clients {
            client.await.expect("a client got no wrong answer");
        }
        daemon.up().expect("up again");
        assert_well(&daemon, &known, &format!("WEFT_SEED={seed}, round {round}")).await;
    }
    assert_leaves_nothing(&daemon).await;
    daemon.terminate().expect("ended");
    assert!(cgroups(&daemon).is_empty());
}
