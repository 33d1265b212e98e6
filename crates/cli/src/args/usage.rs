//! Commands about usage.

use super::value;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;
use weft_domain::Time;
use weft_domain::usage::Width;
use weft_ports::api;

const EXAMPLES: &str = "Examples:
  weft usage --since 24h
  weft usage --vm web --from 2026-11-01 --to 2026-12-01 --grain day
  weft usage --live
  weft usage gaps --since 24h
  weft usage export --from 2026-11-01 --to 2026-12-01 --format csv -f november.csv";

/// `usage`: what was used, or one of its commands.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct UsageArgs {
    /// Another view of it.
    #[command(subcommand)]
    pub command: Option<UsageCommand>,
    /// Whose.
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// When.
    #[command(flatten)]
    pub span: SpanArgs,
    /// How fine: one sum for each VM, or a line for each span
    #[arg(long, value_enum, value_name = "GRAIN", default_value_t = Grain::Total)]
    pub grain: Grain,
    /// Show each second what was used in it, until you break off
    #[arg(long, conflicts_with_all = ["from", "to", "since", "grain"])]
    pub live: bool,
}

/// Commands about usage.
#[derive(Debug, Clone, Subcommand)]
pub enum UsageCommand {
    /// List spans that nobody watched, or whose counters are not known
    Gaps(GapsArgs),
    /// Write usage to a file, which is there when it is whole
    Export(ExportArgs),
}

/// Whose usage.
#[derive(Debug, Clone, Args)]
pub struct ScopeArgs {
    /// Only this VM's, by name or id; repeat for more
    #[arg(long = "vm", value_name = "VM")]
    pub vms: Vec<String>,
    /// Only of VMs with this label, as key=value; repeat for more
    #[arg(long = "label", short = 'l', value_name = "KEY=VALUE", value_parser = value::label)]
    pub labels: Vec<(String, String)>,
    /// Usage of all projects
    #[arg(short = 'A', long, conflicts_with = "vms")]
    pub all_projects: bool,
}

/// When it was used.
#[derive(Debug, Clone, Args)]
pub struct SpanArgs {
    /// From here, such as 2026-11-01 or 2026-11-01T08:00:00Z [default: the oldest that is kept]
    #[arg(long, value_name = "TIME", value_parser = value::moment)]
    pub from: Option<Time>,
    /// To here [default: now]
    #[arg(long, value_name = "TIME", value_parser = value::moment)]
    pub to: Option<Time>,
    /// From so long ago, such as 30m or 24h
    #[arg(long, value_name = "TIME", value_parser = value::duration, conflicts_with = "from")]
    pub since: Option<Duration>,
}

/// `gaps`.
#[derive(Debug, Clone, Args)]
pub struct GapsArgs {
    /// Whose.
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// When they end.
    #[command(flatten)]
    pub span: SpanArgs,
}

/// `export`.
#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    /// The file; - writes to standard output
    #[arg(short, long, value_name = "FILE")]
    pub file: PathBuf,
    /// In which form
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Jsonl)]
    pub format: Format,
    /// How fine
    #[arg(long, value_enum, value_name = "GRAIN", default_value_t = Grain::Hour)]
    pub grain: Grain,
    /// Whose.
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// When.
    #[command(flatten)]
    pub span: SpanArgs,
}

/// How fine usage is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Grain {
    /// Each record as it was made
    Raw,
    /// Sums of seconds
    Second,
    /// Sums of minutes
    Minute,
    /// Sums of hours
    Hour,
    /// Sums of days, from midnight UTC
    Day,
    /// One sum for the whole span
    Total,
}

impl From<Grain> for api::Grain {
    fn from(grain: Grain) -> Self {
        match grain {
            Grain::Raw => Self::Record,
            Grain::Second => Self::Bucket(Width::Second),
            Grain::Minute => Self::Bucket(Width::Minute),
            Grain::Hour => Self::Bucket(Width::Hour),
            Grain::Day => Self::Bucket(Width::Day),
            Grain::Total => Self::Total,
        }
    }
}

/// In which form usage is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One JSON object a line
    Jsonl,
    /// Comma-separated values with a head (RFC 4180)
    Csv,
    /// One CloudEvents 1.0 object a line
    Cloudevents,
}

impl From<Format> for api::ExportFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Jsonl => Self::JsonLines,
            Format::Csv => Self::Csv,
            Format::Cloudevents => Self::CloudEvents,
        }
    }
}
