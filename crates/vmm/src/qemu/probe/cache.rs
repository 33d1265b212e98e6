//! What was found, kept in a small file. A file that cannot be read or does not fit is as none.

use super::Facts;
use super::run::put;
use crate::qemu::chain;
use serde::{Deserialize, Serialize};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Changes when what is found, or how, changes.
const FORM: u32 = 3;
const FILE: &str = "qemu-found.json";

#[derive(Serialize, Deserialize)]
struct Kept {
    key: String,
    facts: Facts,
}

/// What the findings hold for: this very program, on this start of the host with its kernel.
pub(super) fn key(program: &Path, boot_id: &str) -> String {
    let file = std::fs::metadata(program);
    let (size, changed) = file.map_or((0, 0), |meta| (meta.len(), meta.mtime()));
    format!("{FORM} {boot_id} {size} {changed} {}", program.display())
}

/// What was found for this key.
pub(super) fn read(folder: &Path, key: &str) -> Option<Facts> {
    let kept: Kept = serde_json::from_slice(&std::fs::read(folder.join(FILE)).ok()?).ok()?;
    (kept.key == key).then_some(kept.facts)
}

/// Keeps it. Failing costs no more than asking again.
pub(super) fn write(folder: &Path, key: &str, facts: &Facts) {
    let kept = Kept { key: key.to_owned(), facts: facts.clone() };
    let text = serde_json::to_vec_pretty(&kept).unwrap_or_default();
    if let Err(error) = put(folder, FILE, &text) {
        tracing::debug!(error = %chain(&error), "what was found about QEMU is not kept");
    }
}
