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
    /// How many VMs are to run at once in the suite `boot`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub vms: Option<u32>,
    /// Write the JSON result to this file as well
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
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
    /// A weft that is replaced while it is asked, with VMs running
    Upgrade,
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
