//! What verbs have in common.

use super::value;
use clap::Args;

/// How a verb is waited for.
#[derive(Debug, Clone, Args)]
pub struct WaitArgs {
    /// Do not wait until it is so
    #[arg(long)]
    pub no_wait: bool,
    /// Makes a repetition safe: the same id gets the first answer; for one VM
    #[arg(long, value_name = "ID", value_parser = value::request_id)]
    pub request_id: Option<String>,
}
