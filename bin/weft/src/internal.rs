//! What weft's own build asks of it, and the benchmarks.

use crate::settings;
use anyhow::{Context, Result};
use std::io::Write;
use std::path::Path;
use weft_cli::Exit;
use weft_cli::args::local::{BenchArgs, InternalCommand};

/// Prints an answer.
///
/// # Errors
/// Standard output is gone.
pub(crate) fn print(text: &str) -> Result<Exit> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("standard output cannot be written")?;
    Ok(Exit::DONE)
}

/// Runs one of them.
///
/// # Errors
/// A file cannot be written, or a port cannot be listened on.
pub(crate) async fn run(command: InternalCommand) -> Result<Exit> {
    match command {
        InternalCommand::MarkdownHelp => print(&weft_cli::reference::markdown(weft_cli::command())),
        InternalCommand::ConfigReference => print(&settings::show::reference()),
        InternalCommand::Man { dir } => write(&dir, weft_cli::reference::manual(weft_cli::command())?),
        InternalCommand::Completions { dir } => write(&dir, weft_cli::reference::completions(&weft_cli::command())),
        InternalCommand::EmptyHandler => empty_handler().await,
    }
}

fn write(dir: &Path, pages: Vec<weft_cli::reference::Page>) -> Result<Exit> {
    std::fs::create_dir_all(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
    for (name, content) in pages {
        let file = dir.join(name);
        std::fs::write(&file, content).with_context(|| format!("{} cannot be written", file.display()))?;
    }
    Ok(Exit::DONE)
}

/// Serves the peer of the benchmark `api`, and prints where.
#[cfg(feature = "bench")]
async fn empty_handler() -> Result<Exit> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.context("no port can be listened on")?;
    print(&format!("{}\n", listener.local_addr()?))?;
    weft_bench::empty_handler(listener).await?;
    Ok(Exit::DONE)
}

#[cfg(not(feature = "bench"))]
async fn empty_handler() -> Result<Exit> {
    anyhow::bail!("this build has no benchmarks; build weft with the feature `bench`")
}

/// Runs benchmarks.
///
/// # Errors
/// What a benchmark needs is missing, or this build has none.
#[cfg(feature = "bench")]
pub(crate) async fn bench(args: BenchArgs) -> Result<Exit> {
    let suite = match args.suite {
        weft_cli::args::local::Suite::All => weft_bench::Suite::All,
        weft_cli::args::local::Suite::Lifecycle => weft_bench::Suite::Lifecycle,
        weft_cli::args::local::Suite::Boot => weft_bench::Suite::Boot,
        weft_cli::args::local::Suite::Api => weft_bench::Suite::Api,
        weft_cli::args::local::Suite::Store => weft_bench::Suite::Store,
        weft_cli::args::local::Suite::Node => weft_bench::Suite::Node,
        weft_cli::args::local::Suite::Ledger => weft_bench::Suite::Ledger,
        weft_cli::args::local::Suite::Crash => weft_bench::Suite::Crash,
        weft_cli::args::local::Suite::Upgrade => weft_bench::Suite::Upgrade,
    };
    let program = std::env::current_exe().context("this program's own path is not known")?;
    let plan = weft_bench::Plan { suite, rounds: args.rounds, vms: args.vms, program, crash: crash(args.crash) };
    let outcome = weft_bench::run(plan).await?;
    if let Some(file) = args.json {
        std::fs::write(&file, &outcome.text).with_context(|| format!("{} cannot be written", file.display()))?;
    }
    print(&outcome.text)?;
    Ok(if outcome.clean { Exit::DONE } else { Exit::of(weft_domain::Kind::Internal) })
}

#[cfg(feature = "bench")]
fn crash(args: weft_cli::args::local::CrashArgs) -> weft_bench::CrashOptions {
    use weft_cli::args::local::CrashDrivers;
    weft_bench::CrashOptions {
        points: args.points,
        seed: args.seed,
        replay: args.replay,
        drivers: match args.driver {
            CrashDrivers::StandIn => weft_bench::Drivers::StandIns,
            CrashDrivers::Real => weft_bench::Drivers::Real,
            CrashDrivers::Both => weft_bench::Drivers::Both,
        },
        parallel: args.parallel,
        random: args.random,
        keep: args.keep,
        peer: args.peer.map(|weft_cli::args::local::CrashPeer::Libvirtd| weft_bench::CrashPeer::Libvirtd),
    }
}

/// This build has no benchmarks.
///
/// # Errors
/// Always.
#[cfg(not(feature = "bench"))]
pub(crate) async fn bench(_: BenchArgs) -> Result<Exit> {
    anyhow::bail!("this build has no benchmarks; build weft with the feature `bench`")
}
