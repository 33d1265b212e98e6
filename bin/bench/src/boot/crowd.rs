//! Many VMs at once: through a weft of our own, beside as many VMMs driven by hand.

use super::AT_A_TIME;
use super::stage::{self, Contender, MEBIBYTES, Stage};
use crate::by_hand::{self, Recipe, Started};
use crate::house::{House, call, during_with};
use crate::report::{Comparison, Crowd, Findings, Series};
use crate::statistics::{rate, rounded};
use anyhow::{Context, Result, anyhow, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use weft_domain::Phase;
use weft_ports::api::{Vm, Vms};

/// What a weft did with its crowd.
struct Held {
    crowd: Crowd,
    took: Vec<Duration>,
    wall: Duration,
}

/// Measures it, and tells it in the findings.
pub(super) async fn measure(
    program: &Path,
    stage: &Stage,
    (contender, recipe): (&Contender, &Recipe),
    (vms, findings): (u32, &mut Findings),
) -> Result<()> {
    let name = &contender.name;
    let recipe = Arc::new(recipe.clone());
    let settings = [format!("{}.binary={}", name.replace('-', "_"), contender.program.display())];
    let (asked, (vms, held, (hand, wall))) = during_with(program, &settings, async |house| {
        let (asked, vms) = (vms, house.room(name, MEBIBYTES).await?.min(vms));
        let folders: Vec<PathBuf> = (0..vms).map(|_| stage.folder()).collect::<Result<_>>()?;
        let held = through(house, name, vms).await.with_context(|| format!("{vms} VMs of {name} through weft"))?;
        let by_hand = by_hand(recipe, folders).await.with_context(|| format!("{vms} VMs of {name} by hand"))?;
        Ok((asked, (vms, held, by_hand)))
    })
    .await?;
    if vms < asked {
        findings.notes.push(format!("{name}: the node promises memory for {vms} of {asked} such VMs"));
    }
    let by_hand = Series::of(
        format!("{name}-crowd-by-hand"),
        format!("{vms} started by hand, {AT_A_TIME} at a time, until all run"),
        &hand,
    )?;
    let ours = Series::of(
        format!("{name}-crowd"),
        format!("{vms} made and booted by calls to weft, {AT_A_TIME} at a time, until all are RUNNING"),
        &held.took,
    )?;
    let (by_hand, ours) = (by_hand.within(wall), ours.within(held.wall));
    findings.comparisons.push(Comparison::of(&ours, &by_hand, None));
    findings.series.extend([by_hand, ours]);
    findings.crowds.push(held.crowd);
    Ok(())
}

/// Makes them all, looks at them, and deletes them.
async fn through(house: &House, driver: &str, vms: u32) -> Result<Held> {
    let processes = stage::processes(&house.data_dir(), &house.scratch()?)?;
    let before = resident_kib(house.pid()?)?;
    let start = Instant::now();
    let create = |number: u32| async move {
        let new = house.tiny(&format!("crowd-{number}"), driver, MEBIBYTES)?;
        let start = Instant::now();
        let vm = house.client.create(&call(), new).await?;
        let status = &vm.value.status;
        ensure!(status.phase == Phase::Running, "a VM is {:?}: {:?}", status.phase, status.last_exit);
        Ok((vm, start.elapsed()))
    };
    let made: Vec<(Vm, Duration)> = stream::iter(0..vms).map(create).buffer_unordered(AT_A_TIME).try_collect().await?;
    let wall = start.elapsed();

    let alive = processes.find().await?;
    let after = resident_kib(house.pid()?)?;
    let sizes = alive.iter().map(|(_, alive)| resident_kib(alive.pid)).collect::<Result<Vec<_>>>()?;
    let ours = stage::user_of(std::process::id());
    let jailed = alive.iter().filter(|(_, alive)| stage::user_of(alive.pid) != ours).count();

    let start = Instant::now();
    let delete = |vm: &Vm| {
        let vm = vm.clone();
        async move { house.delete(&vm).await }
    };
    let deleted: Result<Vec<()>, _> =
        stream::iter(made.iter()).map(|(vm, _)| delete(vm)).buffer_unordered(AT_A_TIME).try_collect().await;
    deleted?;
    let ended = start.elapsed();
    let left = processes.find().await?.len() + processes.confined().await?.len();
    let each = |kib: f64| rounded(kib / f64::from(vms.max(1)), 1);
    let crowd = Crowd {
        driver: driver.to_owned(),
        vms: alive.len(),
        jailed,
        all_running_ms: millis(wall),
        per_second: rate(made.len(), wall),
        agent_kib_per_vm: each(after - before),
        vmm_kib_per_vm: each(sizes.iter().sum()),
        all_deleted_ms: millis(ended),
        left,
    };
    Ok(Held { crowd, took: made.into_iter().map(|(_, took)| took).collect(), wall })
}

/// Starts as many by hand; all run at once before any is ended.
async fn by_hand(recipe: Arc<Recipe>, folders: Vec<PathBuf>) -> Result<(Vec<Duration>, Duration)> {
    let start = Instant::now();
    let begin = |folder: PathBuf| {
        let recipe = Arc::clone(&recipe);
        async move { tokio::task::spawn_blocking(move || by_hand::start(&recipe, &folder)).await? }
    };
    let started: Vec<Started> = stream::iter(folders).map(begin).buffer_unordered(AT_A_TIME).try_collect().await?;
    let wall = start.elapsed();
    let took = started.iter().map(|one| one.took).collect();
    tokio::task::spawn_blocking(move || drop(started)).await?;
    Ok((took, wall))
}

/// The resident memory of a process in KiB.
fn resident_kib(pid: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).context("a process that should live")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.ok_or_else(|| anyhow!("process {pid} tells no size"))
}

fn millis(time: Duration) -> f64 {
    rounded(time.as_secs_f64() * 1e3, 1)
}
