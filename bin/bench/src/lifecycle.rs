//! From "make me a VM" until it runs: through weft's API, beside QEMU driven by hand.
//!
//! The VM is the same on both sides, with the same command line; its guest halts at once, so that it is
//! not the guest that is measured. Rounds of both sides take turns; the one before the first only warms up.

use crate::by_hand::{self, Recipe};
use crate::house::{self, House, call, during};
use crate::report::{Comparison, Findings, Goal, Series};
use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};
use weft_domain::Phase;
use weft_ports::api::{CreateMode, Power, Vm, VmRef, Vms};

/// Rounds, where nobody says how many.
const ROUNDS: u32 = 20;
/// What weft may take beyond QEMU itself, in microseconds at the median.
const GOAL: Goal = Goal::More(2_000.0);

/// What is measured in every round.
#[derive(Default)]
struct Tally {
    create_to_running: Vec<Duration>,
    boot_to_running: Vec<Duration>,
    create: Vec<Duration>,
    get: Vec<Duration>,
    sync: Vec<Duration>,
    by_hand: Vec<Duration>,
}

/// Measures it.
pub(crate) async fn measure(program: &Path, rounds: Option<u32>) -> Result<Findings> {
    ensure!(cfg!(target_arch = "x86_64"), "its guest is for x86-64 processors");
    let rounds = rounds.unwrap_or(ROUNDS).max(1);
    let tally = during(program, async |house| {
        round(house, 0, &mut Tally::default()).await?;
        let mut tally = Tally::default();
        for number in 1..=rounds {
            round(house, number, &mut tally).await?;
        }
        Ok(tally)
    });
    findings(rounds, &tally.await?)
}

async fn round(house: &House, number: u32, tally: &mut Tally) -> Result<()> {
    let new = house.vm(&format!("at-once-{number}"), CreateMode::Boot)?;
    let start = Instant::now();
    let vm = house.client.create(&call(), new).await?;
    tally.create_to_running.push(start.elapsed());
    let recipe = Recipe::of_qemu(pid(&vm)?)?;
    let start = Instant::now();
    house.client.get(&call(), &VmRef::Id(vm.value.meta.id)).await?;
    tally.get.push(start.elapsed());
    house.delete(&vm).await?;

    let timed = tokio::task::spawn_blocking(move || {
        let folder = house::folder()?;
        Ok::<_, anyhow::Error>((by_hand::start(&recipe, folder.path())?.took, sync(folder.path())?))
    });
    let (by_hand, sync) = timed.await??;
    tally.by_hand.push(by_hand);
    tally.sync.push(sync);

    let new = house.vm(&format!("in-steps-{number}"), CreateMode::Create)?;
    let start = Instant::now();
    let vm = house.client.create(&call(), new).await?;
    tally.create.push(start.elapsed());
    let start = Instant::now();
    let vm = house.client.boot(&call(), &VmRef::Id(vm.value.meta.id)).await?;
    tally.boot_to_running.push(start.elapsed());
    pid(&vm)?;
    Ok(house.delete(&vm).await?)
}

/// The process of a VM that must run.
fn pid(vm: &Vm) -> Result<u32> {
    let status = &vm.value.status;
    ensure!(status.phase == Phase::Running, "the VM is {:?} and not running: {:?}", status.phase, status.last_exit);
    Ok(status.running.as_ref().context("the VM runs without a process")?.pid)
}

/// One append that is synced, as every durable record needs.
fn sync(folder: &Path) -> Result<Duration> {
    let mut file = File::create(folder.join("appended"))?;
    file.write_all(&[0; 512])?;
    file.sync_data()?;
    let start = Instant::now();
    file.write_all(&[0x5a; 512])?;
    file.sync_data()?;
    Ok(start.elapsed())
}

fn findings(rounds: u32, tally: &Tally) -> Result<Findings> {
    let by_hand = Series::of(
        "qemu-by-hand",
        "the same QEMU is started by hand: sockets bound, spawned, QMP says running",
        &tally.by_hand,
    )?;
    let whole = Series::of(
        "create-to-running",
        "one call makes a VM and boots it, until the answer says RUNNING",
        &tally.create_to_running,
    )?;
    let boot = Series::of(
        "boot-to-running",
        "a VM that is CREATED is booted, until the answer says RUNNING",
        &tally.boot_to_running,
    )?;
    let create = Series::of("create", "a VM is made, until the answer says CREATED", &tally.create)?;
    let get = Series::of("get", "part of each call: one unary call and its answer", &tally.get)?;
    let sync = Series::of("fdatasync", "part of each durable record: an append and its sync", &tally.sync)?;
    let comparisons = vec![Comparison::of(&whole, &by_hand, Some(GOAL)), Comparison::of(&boot, &by_hand, None)];
    Ok(Findings {
        suite: "lifecycle",
        about: "a microvm of 64 MiB under TCG whose guest halts at once, through weft and by hand".to_owned(),
        rounds,
        series: vec![by_hand, whole, boot, create, get, sync],
        comparisons,
        ..Findings::default()
    })
}
