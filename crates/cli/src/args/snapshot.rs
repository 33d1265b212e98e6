//! Commands about snapshots.

use super::terms::WaitArgs;
use super::value;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use weft_domain::{Name, snapshot};

/// Commands about snapshots.
#[derive(Debug, Clone, Subcommand)]
pub enum SnapshotCommand {
    /// Take a snapshot of a VM, which is held for a moment and goes on
    #[command(after_help = CREATE_EXAMPLES)]
    Create(CreateArgs),
    /// List snapshots
    #[command(visible_alias = "ls")]
    List(ListArgs),
    /// Describe snapshots: of what they are, what is kept
    #[command(visible_alias = "describe")]
    Get(NamesArgs),
    /// Remove snapshots that nothing needs
    #[command(visible_alias = "rm")]
    Delete(DeleteArgs),
    /// Put a VM back to where it was: what it did since is lost
    Restore(RestoreArgs),
    /// Begin another VM from a snapshot, with addresses and disks of its own
    Fork(ForkArgs),
}

const CREATE_EXAMPLES: &str = "Examples:
  weft snapshot create demo before-upgrade
  weft snapshot create demo --scope difference --parent before-upgrade
  weft snapshot restore demo before-upgrade
  weft snapshot fork before-upgrade demo2";

/// What a snapshot keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scope {
    /// Disks, devices and the whole memory
    Full,
    /// The same, but of the memory only what changed since the parent
    Difference,
    /// Disks alone, of a VM that may be stopped
    Disks,
    /// Disks, devices and memory inside the VM's own qcow2 disks, to go back to in place
    Internal,
}

impl From<Scope> for snapshot::Scope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Full => Self::Full,
            Scope::Difference => Self::Difference,
            Scope::Disks => Self::Disks,
            Scope::Internal => Self::Internal,
        }
    }
}

/// `create`.
#[derive(Debug, Clone, Args)]
pub struct CreateArgs {
    /// The VM's name or id
    pub vm: String,
    /// The snapshot's name; made from its id where none is given
    #[arg(value_name = "NAME", value_parser = value::name)]
    pub name: Option<Name>,
    /// What is kept
    #[arg(long, value_enum, default_value_t = Scope::Full)]
    pub scope: Scope,
    /// For a difference: the snapshot that it completes, by name or id
    #[arg(long, value_name = "SNAPSHOT")]
    pub parent: Option<String>,
    /// A label, as key=value; repeat for more
    #[arg(long = "label", short = 'l', value_name = "KEY=VALUE", value_parser = value::label)]
    pub labels: Vec<(String, String)>,
    /// Check everything and take nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How it is waited for.
    #[command(flatten)]
    pub wait: WaitArgs,
}

/// `list`.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// Only those of this VM, by name or id
    #[arg(long, value_name = "VM")]
    pub vm: Option<String>,
    /// Snapshots of all projects
    #[arg(short = 'A', long)]
    pub all_projects: bool,
    /// Only snapshots that this filter fits, such as 'phase = READY'
    #[arg(long, value_name = "FILTER", default_value = "", hide_default_value = true)]
    pub filter: String,
}

/// Some snapshots.
#[derive(Debug, Clone, Args)]
pub struct NamesArgs {
    /// Names or ids
    #[arg(required = true, value_name = "SNAPSHOT")]
    pub snapshots: Vec<String>,
}

/// `delete`.
#[derive(Debug, Clone, Args)]
pub struct DeleteArgs {
    /// Which.
    #[command(flatten)]
    pub names: NamesArgs,
    /// Absence is success
    #[arg(long)]
    pub ignore_missing: bool,
    /// How it is waited for.
    #[command(flatten)]
    pub wait: WaitArgs,
}

/// `restore`.
#[derive(Debug, Clone, Args)]
pub struct RestoreArgs {
    /// The VM's name or id
    pub vm: String,
    /// The snapshot's name or id
    pub snapshot: String,
    /// How it is waited for.
    #[command(flatten)]
    pub wait: WaitArgs,
}

/// `fork`.
#[derive(Debug, Clone, Args)]
pub struct ForkArgs {
    /// The snapshot's name or id
    pub snapshot: String,
    /// The new VM's name; made from its id where none is given
    #[arg(value_name = "NAME", value_parser = value::name)]
    pub name: Option<Name>,
    /// A label of the new VM, as key=value; repeat for more
    #[arg(long = "label", short = 'l', value_name = "KEY=VALUE", value_parser = value::label)]
    pub labels: Vec<(String, String)>,
    /// What its metadata service tells, from a JSON file; - reads standard input
    #[arg(long, value_name = "FILE")]
    pub metadata: Option<PathBuf>,
    /// How it is waited for.
    #[command(flatten)]
    pub wait: WaitArgs,
}
