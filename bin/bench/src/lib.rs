//! `weft bench`: what weft costs, each figure beside a peer or a floor that was measured in the same run.
//!
//! ```text
//!  run ─┬─ lifecycle  create → RUNNING through a weft of our own   beside  QEMU driven by hand
//!       ├─ boot       launch → running through the port            beside  each VMM driven by hand
//!       ├─ api        Get through a weft of our own                beside  an empty Connect handler
//!       ├─ store      durable commits                              beside  append + fdatasync
//!       ├─ ledger     batches of usage taken, roll-ups asked for   beside  hashing them · reading everything
//!       ├─ crash      what is left when something is killed        beside  nothing: there may be none
//!       ├─ upgrade    a weft that is replaced while it is asked    beside  itself, not replaced
//!       └─ node       thousands of VMs under one daemon            beside  the same VMMs driven by hand
//!             │
//!             └─► durations ─► statistics ─► report (JSON)
//! ```
//!
//! Rounds of both sides take turns, so that a noisy machine is noisy for both; the ratio is what counts,
//! and nothing is refused for being slow. All that is made lies in one temporary folder and is taken away
//! on every path: processes by their pid, VMs by the API that made them. What it does not know: how weft
//! is built inside: it starts the program that it is given and talks to it as any client does. Only `boot`
//! takes the drivers themselves, by the port.

mod api;
mod boot;
mod by_hand;
mod crash;
mod guest;
mod house;
mod ledger;
mod lifecycle;
mod node;
mod report;
mod statistics;
mod store;
mod upgrade;

pub use api::empty::serve as empty_handler;
pub use crash::{Drivers, Options as CrashOptions, Peer as CrashPeer};

use anyhow::{Context, Result};
use report::{Build, Machine, Report, SCHEMA};
use std::path::PathBuf;

/// What is to be measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Which suite.
    pub suite: Suite,
    /// How many rounds each suite has; each has its own default.
    pub rounds: Option<u32>,
    /// How many VMs run at once in the suites `boot`, none where it is absent, and `node`, and are told of in
    /// `ledger`.
    pub vms: Option<u32>,
    /// The weft program, which is started as server and as peer.
    pub program: PathBuf,
    /// What the suite `crash` is told; its seed is that of `node` too.
    pub crash: CrashOptions,
}

/// A suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suite {
    /// All of them.
    All,
    /// Create to running, beside QEMU driven by hand.
    Lifecycle,
    /// Launch to running for each VMM, beside the same driven by hand.
    Boot,
    /// One unary call, beside an empty handler.
    Api,
    /// Durable commits, beside fdatasync.
    Store,
    /// Usage that is taken and asked about; asked for by name alone.
    Ledger,
    /// What is left when something is killed; asked for by name alone.
    Crash,
    /// A weft that is replaced while it is asked.
    Upgrade,
    /// Thousands of VMs under one daemon, beside the same VMMs driven by hand; asked for by name alone.
    Node,
}

/// A report, and whether nothing was found that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// JSON that ends with a newline.
    pub text: String,
    /// Whether all is well.
    pub clean: bool,
}

/// Runs what is planned and answers its report.
///
/// # Errors
/// What a suite needs is missing, or what it measures did not work.
pub async fn run(plan: Plan) -> Result<Outcome> {
    let machine = Machine::here().await;
    let mut suites = Vec::new();
    if matches!(plan.suite, Suite::All | Suite::Store) {
        suites.push(store::measure(plan.rounds).await.context("the suite `store`")?);
    }
    if matches!(plan.suite, Suite::All | Suite::Api) {
        suites.push(api::measure(&plan.program, plan.rounds).await.context("the suite `api`")?);
    }
    if matches!(plan.suite, Suite::All | Suite::Lifecycle) {
        suites.push(lifecycle::measure(&plan.program, plan.rounds).await.context("the suite `lifecycle`")?);
    }
    if matches!(plan.suite, Suite::All | Suite::Boot) {
        suites.push(boot::measure(&plan.program, plan.rounds, plan.vms).await.context("the suite `boot`")?);
    }
    if plan.suite == Suite::Ledger {
        suites.push(ledger::measure(plan.rounds, plan.vms).await.context("the suite `ledger`")?);
    }
    if plan.suite == Suite::Node {
        suites.push(node::measure(&plan.program, plan.vms, plan.crash.seed).await.context("the suite `node`")?);
    }
    if plan.suite == Suite::Upgrade {
        suites.push(upgrade::measure(&plan.program, plan.rounds, plan.vms).await.context("the suite `upgrade`")?);
    }
    let (mut crash, mut clean) = (None, true);
    if plan.suite == Suite::Crash {
        let found = crash::run(&plan.program, &plan.crash).await.context("the suite `crash`")?;
        (crash, clean) = (Some(found.0), found.1);
    }
    let report = Report { schema: SCHEMA, weft: Build::here(), machine, suites, crash };
    Ok(Outcome { text: serde_json::to_string_pretty(&report)? + "\n", clean })
}
