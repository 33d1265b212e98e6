//! What can be typed: the whole command line as types. The documentation comments are its help.

pub mod device;
pub(crate) mod flag;
pub mod local;
pub mod snapshot;
pub mod terms;
pub mod usage;
pub mod value;
pub mod vm;

pub use local::LocalCommand;
pub use snapshot::SnapshotCommand;
pub use usage::UsageArgs;
pub use vm::VmCommand;

use clap::builder::{FalseyValueParser, NonEmptyStringValueParser};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;
use weft_domain::Name;

/// Where a server is looked for.
pub const DEFAULT_SERVER: &str = "http://127.0.0.1:8080";

const EXITS: &str = "Exit codes: 0 done, 1 internal, 2 usage, 3 not found, 4 already exists, 5 not in a state for it, \
6 invalid argument, 7 exhausted, 8 unavailable, 9 not done in time, 10 not permitted, 11 unsupported, \
12 changed by somebody else, 20 a census found something leaked or missing, 130 interrupted.";

/// One fabric for every machine you own: virtual machines behind one API.
#[derive(Debug, Clone, Parser)]
#[command(name = "weft", version, propagate_version = false, disable_help_subcommand = true)]
#[command(subcommand_required = true, arg_required_else_help = true, max_term_width = 100, after_help = EXITS)]
#[command(long_about = "One fabric for every machine you own: virtual machines behind one API.\n\n\
`weft up` starts everything on this machine; the other commands talk to it.")]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub globals: Globals,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// What holds for every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Globals {
    /// The server that is asked
    #[arg(long, global = true, value_name = "URL", env = "WEFT_SERVER", default_value = DEFAULT_SERVER)]
    #[arg(value_parser = NonEmptyStringValueParser::new(), hide_env_values = true)]
    pub server: String,
    /// The project that is meant
    #[arg(long, global = true, value_name = "NAME", default_value = "default", value_parser = value::name)]
    pub project: Name,
    /// How answers look
    #[arg(short, long, global = true, value_enum, value_name = "FORM", default_value_t = Output::Table)]
    pub output: Output,
    /// Say nothing but answers and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more in the log; repeat for still more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// No colours, also on a terminal
    #[arg(long, global = true, env = "NO_COLOR", value_parser = FalseyValueParser::new(), hide_env = true)]
    pub no_color: bool,
    /// How long to wait, such as 30s or 2m [default: 30s; 10m where an image may have to be prepared]
    #[arg(long, global = true, value_name = "TIME", value_parser = value::duration)]
    pub timeout: Option<Duration>,
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE", env = "WEFT_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// The folder for all state, run-time files and caches
    #[arg(long, global = true, value_name = "DIR", env = "WEFT_DATA_DIR", hide_env_values = true)]
    pub data_dir: Option<PathBuf>,
    /// How log lines look
    #[arg(long, global = true, value_enum, value_name = "FORM")]
    pub log_format: Option<LogFormat>,
}

/// How answers look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    Table,
    /// For people with wide terminals
    Wide,
    /// JSON, as on the wire
    Json,
    /// YAML of the same shape
    Yaml,
    /// Names only, one per line
    Name,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object per line
    Json,
}

/// The command.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// One that asks a server.
    #[command(flatten)]
    Client(ClientCommand),
    /// One that works on this machine, and is the binary's.
    #[command(flatten)]
    Local(LocalCommand),
}

/// Commands that ask a server, or nobody.
#[derive(Debug, Clone, Subcommand)]
pub enum ClientCommand {
    /// Virtual machines: make, see, run, stop, remove
    #[command(subcommand, visible_alias = "vms", arg_required_else_help = true)]
    Vm(Box<VmCommand>),
    /// Snapshots: take, see, go back to, begin from, remove
    #[command(subcommand, visible_alias = "snapshots", arg_required_else_help = true)]
    Snapshot(SnapshotCommand),
    /// Nodes: the machines that run VMs
    #[command(subcommand, visible_alias = "nodes", arg_required_else_help = true)]
    Node(NodeCommand),
    /// Events: what happened
    #[command(subcommand, visible_alias = "events", arg_required_else_help = true)]
    Event(EventCommand),
    /// Usage: what VMs used, live too; its gaps; export
    Usage(Box<UsageArgs>),
    /// Make what a manifest asks for, or change what is there to it
    Apply(ApplyArgs),
    /// Print the completion script of a shell
    #[command(after_help = "For bash: weft completions bash > ~/.local/share/bash-completion/completions/weft")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the version
    Version,
}

/// Commands about nodes.
#[derive(Debug, Clone, Subcommand)]
pub enum NodeCommand {
    /// List nodes
    #[command(visible_alias = "ls")]
    List(NodeListArgs),
    /// Describe nodes: what they have, and what their drivers can do
    Get {
        /// Names or ids
        #[arg(required = true, value_name = "NODE")]
        nodes: Vec<String>,
    },
    /// Remove VMs and snapshots that are on a node and unknown to the state, with their disks
    ///
    /// They are there after an old backup was restored, and `weft node get` names them in its warnings. What is
    /// worth it can be copied out of their folders before, or brought back by a newer backup.
    ReleaseOrphans(ReleaseOrphansArgs),
}

/// What is given up.
#[derive(Debug, Clone, Args)]
pub struct ReleaseOrphansArgs {
    /// The node's name or id
    #[arg(value_name = "NODE")]
    pub node: String,
    /// Ids of VMs and snapshots
    #[arg(value_name = "ID", required_unless_present = "all")]
    pub ids: Vec<String>,
    /// All that there are
    #[arg(long, conflicts_with = "ids")]
    pub all: bool,
    /// Really: their disks cannot be brought back
    #[arg(long)]
    pub yes: bool,
    /// Makes a repetition safe: the same id gets the first answer
    #[arg(long, value_name = "ID", value_parser = value::request_id)]
    pub request_id: Option<String>,
}

/// Commands about events.
#[derive(Debug, Clone, Subcommand)]
pub enum EventCommand {
    /// List events, oldest first
    #[command(visible_alias = "ls")]
    List(EventListArgs),
    /// Show events as they come
    Watch(EventArgs),
}

/// Which nodes.
#[derive(Debug, Clone, Args)]
pub struct NodeListArgs {
    /// Only nodes that this filter fits, such as 'architecture = x86_64'
    #[arg(long, value_name = "FILTER", default_value = "", hide_default_value = true)]
    pub filter: String,
}

/// Which events are listed.
#[derive(Debug, Clone, Args)]
pub struct EventListArgs {
    /// Which.
    #[command(flatten)]
    pub about: EventArgs,
    /// Only events that this filter fits, such as 'severity = WARNING'
    #[arg(long, value_name = "FILTER", default_value = "", hide_default_value = true)]
    pub filter: String,
}

/// Which events.
#[derive(Debug, Clone, Args)]
pub struct EventArgs {
    /// Only this VM's, by name or id
    #[arg(long, value_name = "VM")]
    pub vm: Option<String>,
    /// Events of all projects
    #[arg(short = 'A', long, conflicts_with = "vm")]
    pub all_projects: bool,
}

/// A manifest that is applied.
#[derive(Debug, Clone, Args)]
pub struct ApplyArgs {
    /// The manifest, YAML or JSON, with any number of documents; - reads standard input
    #[arg(short, long, required = true, value_name = "FILE")]
    pub file: PathBuf,
    /// Check everything and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// The command line as clap's own value, for help, completions and manual pages.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// What these words say; the first is the program's own name.
///
/// # Errors
/// Help and version, or what is wrong with the words: `clap::Error::exit` shows it and ends with the
/// right code.
pub fn parse<I, T>(words: I) -> Result<Cli, clap::Error>
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    Cli::try_parse_from(words)
}
