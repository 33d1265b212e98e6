//! One unary call: `Get` of a VM through weft's door, beside an empty handler in a process of its own.
//!
//! The same caller sends both the same kind of request over the same kind of connection, in volleys that
//! take turns. What differs is weft: its checks, its spans and figures, the VM that it answers.

pub(crate) mod empty;
mod load;

use crate::house::{House, call, during};
use crate::report::{Comparison, Findings, Goal, Series};
use anyhow::{Context, Result};
use load::{Callers, Kind, Shot};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use weft_ports::api::{CreateMode, Vms};

/// Volleys of each sort, where nobody says how many.
const ROUNDS: u32 = 20;
/// How many call at once, and how often each does in a volley.
const CALLERS: [(usize, usize); 2] = [(1, 250), (16, 50)];
/// The time that the peer is given to come up, and to end.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many times an empty call one may take, at the median.
const GOAL: Goal = Goal::Times(1.2);

/// What was measured of one server.
#[derive(Default)]
struct Tally {
    durations: Vec<Duration>,
    wall: Duration,
}

/// Measures it.
pub(crate) async fn measure(program: &Path, rounds: Option<u32>) -> Result<Findings> {
    let rounds = rounds.unwrap_or(ROUNDS).max(1);
    let (series, comparisons) = during(program, async |house| {
        let peer = Peer::open(program).await?;
        let outcome = compare(house, peer.address, rounds).await;
        peer.close().await?;
        outcome
    })
    .await?;
    Ok(Findings {
        suite: "api",
        about: "one unary call in the Connect protocol, protobuf, no TLS, on loopback".to_owned(),
        rounds,
        series,
        comparisons,
        ..Findings::default()
    })
}

async fn compare(house: &House, peer: SocketAddr, rounds: u32) -> Result<(Vec<Series>, Vec<Comparison>)> {
    let vm = house.client.create(&call(), house.vm("looked-at", CreateMode::Create)?).await?;
    let id = vm.value.meta.id.to_string();
    let get = Shot::new(house.api, "weft.v1.VmService/GetVm", &id)?;
    let nothing = Shot::new(peer, &empty::path(), &id)?;
    let (mut series, mut comparisons) = (Vec::new(), Vec::new());
    for (kind, word) in [(Kind::H2, "h2"), (Kind::H1, "h1")] {
        for (count, each) in CALLERS {
            let ours = Callers::connect(kind, count, get.clone()).await?;
            let theirs = Callers::connect(kind, count, nothing.clone()).await?;
            let (ours, theirs) = turns((ours, theirs), each, rounds).await?;
            let named = |what: &str, about: &str, tally: Tally| {
                let about = format!("{about}; {count} calling at once, {word}");
                Ok::<_, anyhow::Error>(
                    Series::of(format!("{what}-{word}-{count}"), about, &tally.durations)?.within(tally.wall),
                )
            };
            let theirs = named("empty", "an empty handler answers", theirs)?;
            let ours = named("get", "weft answers one VM", ours)?;
            comparisons.push(Comparison::of(&ours, &theirs, Some(GOAL)));
            series.extend([theirs, ours]);
        }
    }
    Ok((series, comparisons))
}

/// Volleys at one server and the other; those before the first round only warm up.
async fn turns((mut ours, mut theirs): (Callers, Callers), each: usize, rounds: u32) -> Result<(Tally, Tally)> {
    let (mut mine, mut other) = (Tally::default(), Tally::default());
    for round in 0..=rounds {
        for (callers, tally) in [(&mut theirs, &mut other), (&mut ours, &mut mine)] {
            let (durations, wall) = callers.volley(each).await?;
            if round > 0 {
                tally.durations.extend(durations);
                tally.wall += wall;
            }
        }
    }
    Ok((mine, other))
}

/// The empty handler in a process of its own.
struct Peer {
    address: SocketAddr,
    child: Child,
}

impl Peer {
    async fn open(program: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["internal", "empty-handler"]).kill_on_drop(true);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut said = BufReader::new(child.stdout.take().context("its output was piped")?);
        let mut line = String::new();
        let told = tokio::time::timeout(PATIENCE, said.read_line(&mut line)).await;
        told.context("the empty handler did not come up")??;
        let address = line.trim().parse().context("the empty handler did not tell where it listens")?;
        Ok(Self { address, child })
    }

    /// Ends it, as the end of its input tells it to.
    async fn close(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        if tokio::time::timeout(PATIENCE, self.child.wait()).await.is_err() {
            self.child.kill().await.context("the empty handler could not be ended")?;
        }
        Ok(())
    }
}
