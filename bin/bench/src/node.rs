//! How many VMs one node carries, and what each costs: thousands of stub VMMs under one `weft up`.
//!
//! ```text
//!  by hand ─► make and boot N ─► pages ─► rest ─► kill -9 ─► take up N ─► delete to 1,000 ─► kill -9 ─► take up
//!     └ again after N                       └ memory, processor time            └ time until all are adopted
//! ```
//!
//! The VMM is `weft-stub`, which speaks Firecracker's API and does nothing else, so that what is measured is
//! weft alone, which does not measure usage here; it is carried inside the benchmark and written to its folder. The
//! same program started by hand with the same calls is the floor of starting; a second floor does by hand what
//! makes a start lasting and confined too. Nothing is jailed at first; the last thousand are, where the host can.

mod bare;
mod daemon;
mod figures;
mod floor;

use crate::boot::AT_A_TIME;
use crate::report::{Comparison, Findings, Series, Target};
use crate::statistics::{rate, rounded};
use anyhow::{Result, ensure};
use daemon::Daemon;
use figures::Memory;
use futures::{StreamExt, TryStreamExt, stream};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::path::Path;
use std::time::{Duration, Instant};
use weft_domain::Phase;
use weft_ports::api::{ListQuery, Vm, Vms};

/// How many VMs there are where nobody says.
const VMS: u32 = 10_000;
/// So many are taken up within [`ADOPTION`], and so many are jailed.
const THOUSAND: u32 = 1_000;
/// The daemon's memory: so much, in KiB, and so much for each VM.
const MEMORY_KIB: (f64, f64) = (64.0 * 1024.0, 4.0);
/// The most of one processor that a daemon takes whose VMs do nothing, in percent.
const IDLE_PERCENT: f64 = 2.0;
/// Descriptors that a daemon asks for, that it has for itself, and that it holds for a VM; and the part of all, in
/// eighths, that the counters of its first VMs are held with, and which those that come later do without.
const DESCRIPTORS: u64 = 1 << 20;
const OWN_DESCRIPTORS: u64 = 512;
const DESCRIPTORS_OF_ONE: u64 = 1;
const COUNTERS_EIGHTHS: u64 = 3;
/// The time in which a thousand VMs are taken up.
const ADOPTION: Duration = Duration::from_secs(1);
/// The least rate of starts, as a share of that by hand.
const START_SHARE: f64 = 0.8;
/// The most that a page costs in a crowd, as a multiple of what it costs among a hundred VMs.
const PAGE_RATIO: f64 = 1.5;
/// VMs on a page.
const PAGE: u32 = 100;
/// How often a page is read.
const PAGES: usize = 200;
/// How long a daemon settles before it is looked at, and how long it is looked at.
const REST: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(30));

/// Measures it.
///
/// # Errors
/// Not all could be started, found again or taken away.
pub(crate) async fn measure(program: &Path, vms: Option<u32>, seed: Option<u64>) -> Result<Findings> {
    let asked = vms.unwrap_or(VMS);
    let vms = asked.min(room());
    let mut findings = Findings {
        suite: "node",
        about: format!("{vms} stub VMMs under one daemon, {AT_A_TIME} calls at a time"),
        rounds: 1,
        ..Findings::default()
    };
    if vms < asked {
        let why = "a process may open no more files here, and nobody may raise that bound";
        findings.notes.push(format!("{vms} of {asked} VMs: {why}"));
    }
    crowd(program, (vms, seed.unwrap_or(1)), &mut findings).await?;
    jailed(program, vms.min(THOUSAND), &mut findings).await?;
    Ok(findings)
}

/// For how many VMs a daemon has descriptors, which it raises as far as we could.
fn room() -> u32 {
    let now = getrlimit(Resource::Nofile);
    let all = Rlimit { current: Some(DESCRIPTORS), maximum: Some(DESCRIPTORS) };
    match now.maximum {
        Some(most) if most < DESCRIPTORS && setrlimit(Resource::Nofile, all).is_err() => {
            let taken = OWN_DESCRIPTORS + most / 8 * COUNTERS_EIGHTHS;
            u32::try_from(most.saturating_sub(taken) / DESCRIPTORS_OF_ONE).unwrap_or(u32::MAX)
        }
        Some(_) | None => u32::MAX,
    }
}

/// All of it, with nothing jailed.
async fn crowd(program: &Path, (vms, seed): (u32, u64), findings: &mut Findings) -> Result<()> {
    let mut daemon = Daemon::open(program, "off").await?;
    let measured = tokio::select! {
        measured = measure_crowd(&mut daemon, (vms, seed), findings) => measured,
        why = crate::house::interrupted() => Err(why),
    };
    finish(daemon, measured, findings).await
}

/// Ends the daemon; what is left then is told, and fails nothing.
async fn finish(daemon: Daemon, measured: Result<()>, findings: &mut Findings) -> Result<()> {
    let left = daemon.close().await?;
    if left > 0 {
        findings.notes.push(format!("{left} processes were left and ended by force"));
    }
    measured
}

async fn measure_crowd(daemon: &mut Daemon, (vms, seed): (u32, u64), findings: &mut Findings) -> Result<()> {
    let few = vms.min(THOUSAND);
    let (mut by_hand, mut hand_wall) = bare::start(daemon, few).await?;
    let empty = Memory::of(daemon.pid()?)?;
    let start = Instant::now();
    let (mut made, mut took) = create(daemon, 0..vms.min(PAGE)).await?;
    let mut wall = start.elapsed();
    let page_of_few = pages(daemon).await?;
    let start = Instant::now();
    let (more, more_took) = create(daemon, vms.min(PAGE)..vms).await?;
    wall += start.elapsed();
    made.extend(more);
    took.extend(more_took);
    let page_of_all = pages(daemon).await?;
    let (again, again_wall) = bare::start(daemon, few).await?;
    by_hand.extend(again);
    hand_wall += again_wall;
    tell_starts(findings, (&took, wall), (&by_hand, hand_wall))?;
    tell_floor(findings, &floor::start(daemon, few).await?)?;
    tell_pages(findings, (&page_of_few, &page_of_all), vms)?;
    tell_rest(findings, daemon, (vms, empty)).await?;

    let all = again_from_kill(daemon, vms).await?;
    findings.targets.push(Target::at_most(
        "adopt-all",
        &format!("until all {vms} are taken up"),
        (millis(all), "ms"),
        None,
    ));
    shuffle(&mut made, seed);
    let start = Instant::now();
    delete(daemon, made.split_off(few as usize)).await?;
    let deleted = start.elapsed();
    let thousand = again_from_kill(daemon, few).await?;
    let about = format!("from the start of a daemon whose forerunner was killed until {few} VMMs are taken up");
    let goal = millis(ADOPTION) * f64::from(few) / f64::from(THOUSAND);
    findings.targets.push(Target::at_most("adopt-1000", &about, (millis(thousand), "ms"), Some(goal)));
    let start = Instant::now();
    delete(daemon, made).await?;
    let per_second = rate(vms as usize, deleted + start.elapsed());
    findings.targets.push(Target::at_least("delete-rate", "VMs deleted", (per_second, "per second"), None));
    Ok(())
}

/// A thousand in jails.
async fn jailed(program: &Path, vms: u32, findings: &mut Findings) -> Result<()> {
    let mut daemon = match Daemon::open(program, "required").await {
        Ok(daemon) => daemon,
        Err(why) => {
            findings.notes.push(format!("nothing was jailed: {why:#}"));
            return Ok(());
        }
    };
    let measured = tokio::select! {
        measured = measure_jailed(&mut daemon, vms, findings) => measured,
        why = crate::house::interrupted() => Err(why),
    };
    finish(daemon, measured, findings).await
}

async fn measure_jailed(daemon: &mut Daemon, vms: u32, findings: &mut Findings) -> Result<()> {
    let start = Instant::now();
    let (made, took) = create(daemon, 0..vms).await?;
    let series = Series::of("stub-jailed", format!("{vms} made and booted in jails"), &took)?.within(start.elapsed());
    findings.series.push(series);
    let adopted = again_from_kill(daemon, vms).await?;
    let about = format!("until {vms} jailed ones are taken up");
    findings.targets.push(Target::at_most("adopt-jailed", &about, (millis(adopted), "ms"), None));
    delete(daemon, made).await
}

/// Makes and boots VMs of these numbers; all of them and how long each took.
async fn create(daemon: &Daemon, numbers: std::ops::Range<u32>) -> Result<(Vec<Vm>, Vec<Duration>)> {
    let one = |number: u32| async move {
        let new = daemon.vm(number)?;
        let start = Instant::now();
        let vm = daemon.client.create(&crate::house::call(), new).await?;
        let took = start.elapsed();
        let status = &vm.value.status;
        ensure!(status.phase == Phase::Running, "a VM is {:?}: {:?}", status.phase, status.last_exit);
        Ok((vm, took))
    };
    let made: Result<Vec<(Vm, Duration)>> =
        stream::iter(numbers).map(one).buffer_unordered(AT_A_TIME).try_collect().await;
    Ok(made?.into_iter().unzip())
}

async fn delete(daemon: &Daemon, made: Vec<Vm>) -> Result<()> {
    let one = |vm: Vm| async move { daemon.delete(&vm).await };
    let deleted: Result<Vec<()>> = stream::iter(made).map(one).buffer_unordered(AT_A_TIME).try_collect().await;
    deleted.map(drop)
}

/// Kills the daemon, starts another, and waits until it has taken up so many machines; how long that took.
async fn again_from_kill(daemon: &mut Daemon, vms: u32) -> Result<Duration> {
    daemon.kill().await?;
    let start = Instant::now();
    daemon.start().await?;
    daemon.adopted(u64::from(vms)).await?;
    let took = start.elapsed();
    let running = daemon.running().await?;
    ensure!(running == vms as usize, "{running} of {vms} VMs are RUNNING after a restart");
    Ok(took)
}

/// Reads the first page many times; how long each took.
async fn pages(daemon: &Daemon) -> Result<Vec<Duration>> {
    let query = ListQuery { page_size: PAGE, ..ListQuery::default() };
    let mut took = Vec::with_capacity(PAGES);
    for _ in 0..PAGES {
        let start = Instant::now();
        Vms::list(&daemon.client, &crate::house::call(), &query).await?;
        took.push(start.elapsed());
    }
    Ok(took)
}

fn tell_starts(
    findings: &mut Findings,
    (took, wall): (&[Duration], Duration),
    (by_hand, hand_wall): (&[Duration], Duration),
) -> Result<()> {
    let about = format!("started by hand, {AT_A_TIME} at a time, before and after");
    let by_hand = Series::of("stub-by-hand", about, by_hand)?.within(hand_wall);
    let ours = Series::of("stub", "made and booted by calls, until each is RUNNING", took)?.within(wall);
    let share = ours.per_second.unwrap_or_default() / by_hand.per_second.unwrap_or(f64::NAN);
    let about = "VMs started per second, as a share of starts by hand";
    findings.targets.push(Target::at_least("start-rate", about, (rounded(share, 2), "of by hand"), Some(START_SHARE)));
    findings.comparisons.push(Comparison::of(&ours, &by_hand, None));
    findings.series.extend([by_hand, ours]);
    Ok(())
}

/// The same beside starts that are as lasting and confined.
fn tell_floor(findings: &mut Findings, (took, wall, cgroups): &(Vec<Duration>, Duration, usize)) -> Result<()> {
    let about = format!("by hand too, with four synced records and {cgroups} cgroups for each");
    let floor = Series::of("stub-confined-by-hand", about, took)?.within(*wall);
    let rate = |name: &str| findings.series.iter().find(|it| it.name == name).and_then(|it| it.per_second);
    let (ours, by_hand) = (rate("stub").unwrap_or_default(), rate("stub-by-hand").unwrap_or(f64::NAN));
    let per_second = floor.per_second.unwrap_or(f64::NAN);
    let about = "VMs started per second, as a share of starts by hand that are as lasting and confined";
    let share = Target::at_least("start-rate-confined", about, (rounded(ours / per_second, 2), "of by hand"), None);
    let about = "what is left of the rate by hand where a start is lasting and confined";
    let left = Target::at_least("floor-rate", about, (rounded(per_second / by_hand, 2), "of by hand"), None);
    findings.targets.extend([share, left]);
    findings.series.push(floor);
    Ok(())
}

fn tell_pages(findings: &mut Findings, (few, all): (&[Duration], &[Duration]), vms: u32) -> Result<()> {
    let few = Series::of("page-of-100", format!("a page of {PAGE} VMs where there are no more"), few)?;
    let all = Series::of("page", format!("the first page of {PAGE} of {vms} VMs"), all)?;
    let ratio = rounded(all.figures.p50_us / few.figures.p50_us, 2);
    let about = "the median of a page in the crowd over that of the same page alone";
    findings.targets.push(Target::at_most("page", about, (ratio, "times"), Some(PAGE_RATIO)));
    findings.comparisons.push(Comparison::of(&all, &few, None));
    findings.series.extend([few, all]);
    Ok(())
}

/// What a daemon takes whose VMs do nothing.
async fn tell_rest(findings: &mut Findings, daemon: &Daemon, (vms, empty): (u32, Memory)) -> Result<()> {
    let pid = daemon.pid()?;
    // why: what is looked at is a daemon to which nothing happens for a while.
    tokio::time::sleep(REST.0).await;
    let before = figures::processor_time(pid)?;
    tokio::time::sleep(REST.1).await;
    let busy = figures::processor_time(pid)?.saturating_sub(before);
    let percent = rounded(busy.as_secs_f64() / REST.1.as_secs_f64() * 100.0, 2);
    let memory = Memory::of(pid)?;
    let stubs = daemon.stubs()?;
    ensure!(stubs.len() == vms as usize, "{} of {vms} VMMs run", stubs.len());
    let vms = f64::from(vms);
    let allowed = MEMORY_KIB.0 + MEMORY_KIB.1 * vms;
    let each = |now: f64, then: f64| rounded((now - then) / vms, 2);
    let sample =
        stubs.iter().step_by(stubs.len().div_ceil(100)).map(|pid| Memory::of(*pid)).collect::<Result<Vec<_>>>()?;
    let stub = sample.iter().map(|memory| memory.pss_kib).sum::<f64>() / sample.len().max(1) as f64;
    findings.targets.extend([
        Target::at_most("memory", "resident memory of the daemon", (memory.rss_kib, "KiB"), Some(allowed)),
        Target::at_most(
            "memory-pss",
            "the same with its share of what others map",
            (memory.pss_kib, "KiB"),
            Some(allowed),
        ),
        Target::at_most(
            "memory-per-vm",
            "what it grew by, for each VM",
            (each(memory.rss_kib, empty.rss_kib), "KiB"),
            None,
        ),
        Target::at_most("memory-empty", "resident memory of the daemon without VMs", (empty.rss_kib, "KiB"), None),
        Target::at_most("stub-pss", "memory of one stub", (rounded(stub, 1), "KiB"), None),
        Target::at_most("idle", "processor time while nothing happens", (percent, "% of one"), Some(IDLE_PERCENT)),
    ]);
    Ok(())
}

/// Another order that is the same for one seed.
fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed;
    for at in (1..items.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let other = usize::try_from(state >> 33).unwrap_or_default() % (at + 1);
        items.swap(at, other);
    }
}

fn millis(time: Duration) -> f64 {
    rounded(time.as_secs_f64() * 1e3, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_order_each_time() {
        let order = |seed| {
            let mut items: Vec<u32> = (0..100).collect();
            shuffle(&mut items, seed);
            items
        };
        assert_eq!(order(7), order(7));
        assert_ne!(order(7), order(8));
        let mut sorted = order(7);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
    }
}
