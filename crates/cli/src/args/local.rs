//! Commands that work on this machine. They are parsed here and done by the binary.

use super::value;
use clap::{Args, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Commands that need adapters of this machine.
#[derive(Debug, Clone, Subcommand)]
pub enum LocalCommand {
    /// Start everything on this machine: server, store and agent in one process
    Up(UpArgs),
    /// Stop what `weft up` started, in order
    Down(DownArgs),
    /// Write a copy of the live state to a file
    Backup {
        /// The file; it must not exist
        file: PathBuf,
    },
    /// Put the state of a backup into an empty data folder
    Restore {
        /// The file that `weft backup` wrote
        file: PathBuf,
    },
    /// Tell what this machine can run, and what to install for the rest
    Doctor(DoctorArgs),
    /// The configuration: check it, or print what is in force
    #[command(subcommand, arg_required_else_help = true)]
    Config(ConfigCommand),
    /// Measure weft beside its floors
    Bench(BenchArgs),
    /// What weft's own build needs
    #[command(subcommand, hide = true, arg_required_else_help = true)]
    Internal(InternalCommand),
}

/// `up`.
#[derive(Debug, Clone, Args)]
pub struct UpArgs {
    /// Where the API listens; only loopback is allowed [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", value_parser = value::listen)]
    pub listen: Option<SocketAddr>,
    /// Where Prometheus metrics are served [default: 127.0.0.1:9464]
    #[arg(long, value_name = "ADDR", value_parser = value::listen)]
    pub metrics: Option<SocketAddr>,
    /// A key of the configuration, as key=value; repeat for more
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = value::setting)]
    pub settings: Vec<(String, String)>,
    /// Take the place of the weft that runs on the same data folder, if one does
    ///
    /// It hands over its listening sockets, answers what it was asked, and ends with code 0; VMs run on, and no
    /// request is refused. Where the new one cannot take over, the old one goes on.
    #[arg(long)]
    pub replace: bool,
}

/// `doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// Tell instead what is on this host of all that weft makes, and whether it is claimed
    ///
    /// Asks the weft that runs on the data folder; where none runs, looks itself and changes nothing. Ends
    /// with code 20 where something is leaked or missing.
    #[arg(long)]
    pub census: bool,
}

/// `down`.
#[derive(Debug, Clone, Args)]
pub struct DownArgs {
    /// Leave the VMs running; the next `weft up` finds them
    #[arg(long)]
    pub keep_vms: bool,
}

/// Commands about the configuration.
#[derive(Debug, Clone, Subcommand)]
pub enum ConfigCommand {
    /// Tell whether the configuration is right
    Check,
    /// Print what is in force, with where each value is from
    Print,
}

/// `bench`.
#[derive(Debug, Clone, Args)]
pub struct BenchArgs {
    /// What is measured
    #[arg(value_enum, default_value_t = Suite::All)]
    pub suite: Suite,
    /// How often each thing is measured
    #[arg(long, value_name = "N")]
    pub rounds: Option<u32>,
    /// How many VMs are to run at once in the suite `boot`, and in the suite `node` [default there: 10000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub vms: Option<u32>,
    /// Write the JSON result to this file as well
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// What the suite `crash` is told
    #[command(flatten)]
    pub crash: CrashArgs,
}

/// What the suite `crash` is told.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Suite crash")]
pub struct CrashArgs {
    /// How many times something is killed [default: 200]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub points: Option<u64>,
    /// What points, victims and clients are drawn from; another each time where none is given
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// See the world of a failing seed again
    #[arg(long, value_name = "S", conflicts_with = "seed")]
    pub replay: Option<u64>,
    /// Which programs stand for VMMs
    #[arg(long, value_enum, default_value_t = CrashDrivers::StandIn)]
    pub driver: CrashDrivers,
    /// Put another program through the same loop instead
    #[arg(long, value_enum, value_name = "PROGRAM", conflicts_with_all = ["replay", "driver", "random"])]
    pub peer: Option<CrashPeer>,
    /// How many daemons live and die at a time [default: 4]
    #[arg(long, value_name = "P")]
    pub parallel: Option<usize>,
    /// Kill at random instants alone, which needs no build with fault points
    #[arg(long)]
    pub random: bool,
    /// Where the logs of failures are kept [default: weft-crash in the temporary folder]
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

/// A program that is put through the same loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CrashPeer {
    /// libvirtd, with QEMU
    Libvirtd,
}

/// Which programs stand for VMMs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CrashDrivers {
    /// Programs that speak Firecracker's and Cloud Hypervisor's API, found beside this one
    StandIn,
    /// Real VMMs, as many as are found
    Real,
    /// Some of each
    Both,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Suite {
    /// All of it
    All,
    /// Create to running, beside QEMU driven by hand
    Lifecycle,
    /// Launch to running for each VMM, beside the same driven by hand
    Boot,
    /// One unary call, beside an empty handler
    Api,
    /// Durable commits, beside fdatasync
    Store,
    /// Ten million windows of usage, taken and asked about; only where it is named
    Ledger,
    /// What is left, lost or doubled when something is killed
    Crash,
    /// A weft that is replaced while it is asked, with VMs running
    Upgrade,
    /// Thousands of VMs under one daemon; only where it is named
    Node,
}

/// What weft's own build needs.
#[derive(Debug, Clone, Subcommand)]
pub enum InternalCommand {
    /// Print the reference of the command line as Markdown
    MarkdownHelp,
    /// Write the manual pages
    Man {
        /// The folder they are written to
        dir: PathBuf,
    },
    /// Write the completion scripts of all shells
    Completions {
        /// The folder they are written to
        dir: PathBuf,
    },
    /// Print the reference of the configuration as Markdown
    ConfigReference,
    /// Serve an empty handler beside which the API is measured, until standard input ends
    EmptyHandler,
}
