//! What was found about a VMM on this node, as data for people.

use std::path::PathBuf;
use weft_domain::spec::Accelerator;

/// What was found about one VMM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The driver's name: `qemu`.
    pub driver: String,
    /// Its program, where there is one.
    pub program: Option<PathBuf>,
    /// Its version, where it could be asked.
    pub version: Option<String>,
    /// What can execute guest code, the preferred first.
    pub engines: Vec<Engine>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Why the driver cannot be used, and what would help; `None` where it can.
    pub missing: Option<String>,
}

/// What executes guest code, and whether it truly does here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    /// Which.
    pub accelerator: Accelerator,
    /// A guest ran on it, and fast enough.
    pub works: bool,
    /// How that was found, or why it does not.
    pub why: String,
}

impl Finding {
    /// A driver that cannot be used, and what would help.
    pub(crate) fn missing(driver: &str, program: Option<PathBuf>, why: String) -> Self {
        let (engines, notes) = (Vec::new(), Vec::new());
        Self { driver: driver.to_owned(), program, version: None, engines, notes, missing: Some(why) }
    }
}
