//! A weft is replaced again and again while clients ask without pause and VMs run.
//!
//! Half of the clients connect anew for each request, half keep their connection as long as answers allow.
//! Every request is counted: one without an answer was refused, and how long its client then went without
//! one is added up. The gap is the longest time in which nobody at all was answered. There is no peer: the
//! floor is that of an API which is asked by as many clients and is not replaced, measured first.

use crate::house::{House, call, during};
use crate::report::{Findings, Series, Upgrade};
use crate::statistics::rounded;
use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use weft_domain::Phase;
use weft_domain::object::Stored;
use weft_ports::api::{ListQuery, Nodes, VmRef, Vms};

/// Replacements, where nobody says how many.
const ROUNDS: u32 = 20;
/// VMs, where nobody says how many.
const VMS: u32 = 8;
/// Memory of each, in MiB.
const MEBIBYTES: u64 = 32;
/// Clients of each sort.
const CLIENTS: usize = 2;
/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long clients ask a weft that is not replaced, for the floor and between two replacements.
const CALM: Duration = Duration::from_millis(500);
/// The most milliseconds in which requests may be refused, over all replacements.
const GOAL_MS: f64 = 20.0;

/// One request: when it began, when it ended, whether it was answered.
type Asked = (Instant, Instant, bool);

/// Measures it.
pub(crate) async fn measure(program: &Path, rounds: Option<u32>, vms: Option<u32>) -> Result<Findings> {
    let (rounds, vms) = (rounds.unwrap_or(ROUNDS).max(1), vms.unwrap_or(VMS));
    during(program, async |house| {
        let (driver, notes) = driver(house).await?;
        let mut before = Vec::new();
        for number in 0..if driver.is_some() { vms } else { 0 } {
            let driver = driver.as_deref().unwrap_or_default();
            let vm = house.client.create(&call(), house.tiny(&format!("kept-{number}"), driver, MEBIBYTES)?).await?;
            before.push((VmRef::Id(vm.value.meta.id), life(&vm)?));
        }
        let calm = ask(house.api, async || {
            tokio::time::sleep(CALM * 4).await;
            Ok(())
        })
        .await?;
        let replaced = ask(house.api, async || replace(house, rounds).await).await?;
        let mut survived = 0;
        for (vm, life_before) in &before {
            let vm = Vms::get(&house.client, &call(), vm).await?;
            survived +=
                usize::from(vm.value.status.phase == Phase::Running && life(&vm).is_ok_and(|it| it == *life_before));
        }
        let series = vec![
            series("asked-calmly", "one request of a weft that is not replaced", &calm)?,
            series("asked-while-replaced", "one request of a weft that is replaced", &replaced)?,
        ];
        let upgrade = Upgrade { vms: before.len(), vms_survived: survived, ..told(rounds, &calm, &replaced) };
        Ok(Findings {
            suite: "upgrade",
            about:
                "GET /readyz over HTTP/1.1 by clients without pause, half over new connections and half over kept ones"
                    .to_owned(),
            rounds,
            series,
            upgrade: Some(upgrade),
            notes,
            ..Findings::default()
        })
    })
    .await
}

/// A driver whose VMs run beside, and what is to be noted of it.
async fn driver(house: &House) -> Result<(Option<String>, Vec<String>)> {
    let nodes = Nodes::list(&house.client, &call(), &ListQuery::default()).await?;
    let drivers = &nodes.items.first().context("it has no node")?.value.facts.drivers;
    let wanted = ["firecracker", "cloud-hypervisor", "qemu"];
    let found = wanted.into_iter().find(|name| drivers.iter().any(|driver| driver.driver == *name));
    Ok(match found {
        Some(found) if weft_guest::ELF.is_some() => (Some(found.to_owned()), vec![format!("VMs of {found}")]),
        Some(_) | None => (None, vec!["no VMs: no driver is here that boots the small guest".to_owned()]),
    })
}

/// The process of a VM and when it was started.
fn life(vm: &Stored<weft_domain::Instance>) -> Result<(u32, u64)> {
    let pid = vm.value.status.running.as_ref().context("a VM does not run")?.pid;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after = stat.rsplit_once(')').context("a process without a name")?.1;
    Ok((pid, after.split_whitespace().nth(19).context("a process without a start")?.parse()?))
}

async fn replace(house: &House, rounds: u32) -> Result<()> {
    for _ in 0..rounds {
        house.replace().await?;
        tokio::time::sleep(CALM).await;
    }
    Ok(())
}

/// What clients saw while something was done.
async fn ask(api: SocketAddr, done: impl AsyncFnOnce() -> Result<()>) -> Result<Vec<Vec<Asked>>> {
    let over = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..CLIENTS * 2)
        .map(|number| {
            let over = Arc::clone(&over);
            std::thread::spawn(move || client(api, number % 2 == 0, &over))
        })
        .collect();
    let outcome = done().await;
    over.store(true, Ordering::Relaxed);
    let mut all = Vec::new();
    for client in clients {
        all.push(client.join().map_err(|_| anyhow::anyhow!("a client panicked"))?);
    }
    outcome.map(|()| all)
}

fn client(api: SocketAddr, keeps: bool, over: &AtomicBool) -> Vec<Asked> {
    let mut asked = Vec::new();
    let mut kept = None;
    while !over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let answer = request(api, kept.take());
        asked.push((begun, Instant::now(), answer.is_ok()));
        kept = answer.ok().flatten().filter(|_| keeps);
    }
    asked
}

/// One request; answers the connection where it may be kept.
fn request(api: SocketAddr, kept: Option<BufReader<TcpStream>>) -> Result<Option<BufReader<TcpStream>>> {
    let mut stream = match kept {
        Some(kept) => kept,
        None => {
            let stream = TcpStream::connect(api)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_nodelay(true)?;
            BufReader::new(stream)
        }
    };
    stream.get_mut().write_all(format!("GET /readyz HTTP/1.1\r\nHost: {api}\r\n\r\n").as_bytes())?;
    let (mut status, mut length, mut keeps) = (String::new(), 0, true);
    stream.read_line(&mut status)?;
    ensure!(status.starts_with("HTTP/1.1 200"), "the answer is {status:?}");
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let line = line.trim().to_ascii_lowercase();
        keeps &= line != "connection: close";
        if let Some(number) = line.strip_prefix("content-length: ") {
            length = number.parse()?;
        }
        if line.is_empty() {
            break;
        }
    }
    stream.read_exact(&mut vec![0; length])?;
    Ok(keeps.then_some(stream))
}

fn series(name: &str, about: &str, clients: &[Vec<Asked>]) -> Result<Series> {
    let all = clients.iter().flatten().filter(|(.., answered)| *answered);
    let durations: Vec<Duration> = all.map(|(begun, ended, _)| ended.duration_since(*begun)).collect();
    Series::of(name, about, &durations)
}

fn told(rounds: u32, calm: &[Vec<Asked>], replaced: &[Vec<Asked>]) -> Upgrade {
    let refused_ms = replaced.iter().map(|client| without_answer(client)).sum::<Duration>();
    let refused_ms = rounded(refused_ms.as_secs_f64() * 1e3, 1);
    Upgrade {
        replacements: rounds,
        clients: replaced.len(),
        requests: replaced.iter().map(Vec::len).sum(),
        refused: replaced.iter().flatten().filter(|(.., answered)| !answered).count(),
        refused_ms,
        longest_gap_ms: longest_gap(replaced),
        longest_gap_calm_ms: longest_gap(calm),
        goal: format!("no request refused, or at most {GOAL_MS} ms in all"),
        met: refused_ms <= GOAL_MS,
        vms: 0,
        vms_survived: 0,
    }
}

/// How long a client went without an answer, from requests that had none to the next that had one.
fn without_answer(client: &[Asked]) -> Duration {
    let mut since = None;
    let mut all = Duration::ZERO;
    for (begun, ended, answered) in client {
        match (answered, since) {
            (false, None) => since = Some(*begun),
            (true, Some(from)) => {
                all += ended.duration_since(from);
                since = None;
            }
            (false, Some(_)) | (true, None) => {}
        }
    }
    all
}

/// The longest time in which nobody was answered, in milliseconds.
fn longest_gap(clients: &[Vec<Asked>]) -> f64 {
    let mut answers: Vec<Instant> =
        clients.iter().flatten().filter(|(.., answered)| *answered).map(|one| one.1).collect();
    answers.sort_unstable();
    let gaps = answers.windows(2).map(|two| two[1].duration_since(two[0]));
    rounded(gaps.max().unwrap_or_default().as_secs_f64() * 1e3, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_count_from_the_first_until_the_next_answer() {
        let zero = Instant::now();
        let at = |ms| zero + Duration::from_millis(ms);
        let client = vec![(at(0), at(1), true), (at(1), at(2), false), (at(2), at(4), false), (at(4), at(9), true)];
        assert_eq!(without_answer(&client), Duration::from_millis(8));
        assert_eq!(longest_gap(&[client, vec![(at(0), at(6), true)]]), 5.0);
    }
}
