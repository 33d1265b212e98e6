//! Limits that hold in a jail, and what a launch with one costs.

use crate::room::{Room, opened, read, skips, until};
use std::fs;
use std::path::PathBuf;
use std::time::Instant;
use weft_ports::processes::{Cgroups, Confinement, Ending, Processes};

/// The folder of a process in the tree of a controller, or in the only one.
fn cgroup_of(pid: u32, controller: &str) -> Option<PathBuf> {
    let text = read(format!("/proc/{pid}/cgroup"));
    let line = text.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        controllers.split(',').any(|name| name == controller).then(|| path.trim_start_matches('/').to_owned())
    });
    let mounts = read("/proc/self/mounts");
    let mount = mounts.lines().find_map(|line| {
        let parts: Vec<_> = line.split(' ').collect();
        (parts[2] == "cgroup" && parts[3].split(',').any(|name| name == controller)).then(|| PathBuf::from(parts[1]))
    });
    Some(mount?.join(line?))
}

#[tokio::test]
async fn memory_and_processes_are_limited() {
    let room = Room::new();
    let linux = opened(room.path());
    if skips(&linux) || linux.cgroups().0 == Cgroups::None {
        println!("skipped: no limits are held here");
        return;
    }
    let mut order = room.shell("x=x; while :; do x=$x$x; done");
    order.confinement.memory_bytes = Some(16 << 20);
    let claim = order.claim;
    let alive = linux.launch(order).await.unwrap();
    assert_eq!(linux.ended(&alive).await, Ending::OutOfMemory);
    linux.clear(claim).await.unwrap();
    assert!(!linux.confined().await.unwrap().contains(&claim));

    let mut order = room.shell("for n in 1 2 3 4 5 6 7 8 9; do sleep 1000 & done; echo all; wait");
    order.confinement.pids = Some(4);
    let (claim, log) = (order.claim, order.log.clone());
    let alive = linux.launch(order).await.unwrap();
    until(|| read(&log).to_lowercase().contains("fork")).await;
    assert!(!read(&log).contains("all"), "{}", read(&log));
    linux.kill(&alive).await.unwrap();
    linux.clear(claim).await.unwrap();
    assert_eq!(linux.find().await.unwrap(), vec![], "the first of them takes all others along");
    room.leaves_nothing();
}

/// A weft that kills a cgroup on the older hierarchies freezes it first, and may be killed itself just then.
#[tokio::test]
async fn what_a_former_weft_left_frozen_is_thawed_and_can_be_ended() {
    let room = Room::new();
    let linux = opened(room.path());
    let order = room.shell("while :; do sleep 1; done");
    let claim = order.claim;
    let alive = linux.launch(order).await.unwrap();
    let Some(group) = cgroup_of(alive.pid, "freezer").filter(|group| group.ends_with(claim.to_string())) else {
        println!("skipped: no cgroup of its own that freezes");
        linux.kill(&alive).await.unwrap();
        return linux.clear(claim).await.unwrap();
    };
    fs::write(group.join("freezer.state"), "FROZEN").unwrap();
    until(|| read(group.join("freezer.state")).contains("FROZEN")).await;
    let next = opened(room.path());
    assert_eq!(next.find().await.unwrap(), vec![(claim, alive.clone())]);
    assert_eq!(read(group.join("freezer.state")).trim_end(), "THAWED");
    next.kill(&alive).await.unwrap();
    next.clear(claim).await.unwrap();
    room.leaves_nothing();
}

#[tokio::test]
async fn processor_time_is_limited() {
    const PERIODS: u64 = 10;
    let room = Room::new();
    let linux = opened(room.path());
    if skips(&linux) {
        return;
    }
    let mut order = room.shell("while :; do :; done & while :; do :; done");
    order.confinement = Confinement { cpu_millis: Some(300), ..Confinement::default() };
    let claim = order.claim;
    let alive = linux.launch(order).await.unwrap();
    let Some(folder) = cgroup_of(alive.pid, "cpu").filter(|folder| folder.join("cpu.stat").exists()) else {
        println!("skipped: no hierarchy for processor time alone");
        linux.clear(claim).await.unwrap();
        return;
    };
    let stat = |name: &str| -> u64 {
        let text = read(folder.join("cpu.stat"));
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
    };
    until(|| stat("nr_periods") >= PERIODS).await;
    // Two loops that never rest had 30 ms of each period of 100 ms between them, and one more for the
    // period that runs; ticks of 10 ms are what the two of them are counted in.
    let used: u64 = fs::read_to_string(folder.join("cgroup.procs"))
        .unwrap()
        .lines()
        .map(|pid| {
            let stat = read(format!("/proc/{pid}/stat"));
            let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
            fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
        })
        .sum();
    let (periods, throttled) = (stat("nr_periods"), stat("nr_throttled"));
    let lawful = (periods + 1) * 30 + 2 * 10 + 10;
    // Loops that never rest outlive a test that fails.
    linux.clear(claim).await.unwrap();
    assert!(used * 10 <= lawful, "{used} ticks in {periods} periods");
    // On a machine where others leave them less than the limit, nothing had to be held back.
    let starved = used * 10 < periods * 30 * 3 / 4;
    assert!(throttled * 2 >= PERIODS || starved, "{throttled} of {periods}, {used} ticks");
    room.leaves_nothing();
}

#[tokio::test]
#[ignore = "prints a figure, for who asks what a jail costs"]
async fn what_a_jail_costs() {
    const ROUNDS: u32 = 200;
    let room = Room::new();
    let linux = opened(room.path());
    if skips(&linux) {
        return;
    }
    let round = async |jailed: bool| {
        let mut order = room.shell("");
        (order.program, order.args) = ("/bin/true".into(), Vec::new());
        if !jailed {
            order.jail = None;
        }
        let claim = order.claim;
        let begun = Instant::now();
        let alive = linux.launch(order).await.unwrap();
        let took = begun.elapsed();
        linux.ended(&alive).await;
        linux.clear(claim).await.unwrap();
        took
    };
    for _ in 0..ROUNDS / 10 {
        round(true).await;
        round(false).await;
    }
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        with.push(round(true).await);
        without.push(round(false).await);
    }
    with.sort();
    without.sort();
    let middle = (ROUNDS / 2) as usize;
    let ratio = with[middle].as_secs_f64() / without[middle].as_secs_f64();
    println!("launch: {:?} with a jail, {:?} without, ratio {ratio:.2}", with[middle], without[middle]);
}
