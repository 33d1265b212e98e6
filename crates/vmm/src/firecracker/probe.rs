//! What this Firecracker can do on this host, found by running it.
//!
//! ```text
//!  find ─► cached? ─► facts
//!            │ no
//!            └─► --version, a guest of a few bytes, the same with a long loop ─► facts ─► cache
//! ```
//!
//! A device node proves nothing: KVM may be refused, or open and then emulate each instruction. So a guest
//! ends by itself, or nothing runs here at all; and it counts down a loop that takes 2 ms on a processor, or
//! only the smallest guests are of use. What is found holds until Firecracker is replaced or the host is
//! started again.

mod cache;
mod guest;
mod run;

use super::version::{OLDEST, Version};
use super::{Config, Error};
use crate::program;
use run::Runner;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use weft_ports::clock::Clock;
use weft_ports::processes::{Ending, Processes};

/// The program.
const PROGRAM: &str = "firecracker";
/// The time in which a true processor counts down the loop many times over.
const KVM_LIMIT: Duration = Duration::from_millis(1_500);
/// The time that anything else is given; it takes some 50 ms on a quiet host.
const LIMIT: Duration = Duration::from_secs(15);
/// Turns of the loop.
const TURNS: u32 = 4_000_000;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    /// The program.
    pub(super) program: PathBuf,
    /// Its version.
    pub(super) version: Version,
    /// How fast guests run.
    pub(super) pace: Pace,
}

/// How fast guests run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Pace {
    /// As fast as the processor.
    Full,
    /// That was not measured: there is no guest for this sort of processor.
    Unmeasured,
    /// Far slower.
    Slow {
        /// How that was found.
        why: String,
    },
}

/// Finds Firecracker and what it can do.
pub(super) async fn probe(
    config: &Config,
    processes: &Arc<dyn Processes>,
    clock: &Arc<dyn Clock>,
) -> Result<Facts, Error> {
    let program = find(config)?;
    let folder = &config.cache_dir;
    std::fs::create_dir_all(folder).map_err(|source| Error::UseFolder { path: folder.clone(), source })?;
    let key = cache::key(&program, &processes.boot_id());
    if let Some(facts) = cache::read(folder, &key) {
        return Ok(facts);
    }
    let runner = Runner { program, folder: folder.clone(), processes: processes.clone(), clock: clock.clone() };
    let facts = ask(runner).await?;
    cache::write(folder, &key, &facts);
    Ok(facts)
}

fn find(config: &Config) -> Result<PathBuf, Error> {
    program::find(config.program.as_deref(), &config.search, PROGRAM).ok_or_else(|| match &config.program {
        Some(given) => Error::FindProgram { program: given.display().to_string(), looked_in: "just there".to_owned() },
        None => {
            let folders: Vec<_> = config.search.iter().map(|folder| folder.display().to_string()).collect();
            Error::FindProgram { program: PROGRAM.to_owned(), looked_in: folders.join(", ") }
        }
    })
}

async fn ask(runner: Runner) -> Result<Facts, Error> {
    let said = runner.run(vec!["--version".into()], LIMIT).await?.said;
    let unknown = || Error::Version { program: runner.program.clone(), said: said.trim().to_owned() };
    let version = Version::read(&said).ok_or_else(unknown)?;
    if !version.has(OLDEST) {
        return Err(unknown());
    }
    let pace = pace(&runner).await?;
    Ok(Facts { version, pace, program: runner.program })
}

/// Runs the guest once with next to nothing to do, and once with the loop.
async fn pace(runner: &Runner) -> Result<Pace, Error> {
    if !cfg!(target_arch = "x86_64") {
        return Ok(Pace::Unmeasured);
    }
    let short = runner.guest(1, LIMIT).await?;
    if short.ending != Some(Ending::Code(0)) {
        let said = last_words(&short.said);
        return Err(Error::RunsNothing { program: runner.program.clone(), said });
    }
    let long = runner.guest(TURNS, KVM_LIMIT).await?;
    if long.ending == Some(Ending::Code(0)) {
        return Ok(Pace::Full);
    }
    let why = format!(
        "KVM is here and slow: a loop of {TURNS} turns, 2 ms on a processor, took more than {} ms (the host itself \
         may be a virtual machine)",
        KVM_LIMIT.as_millis()
    );
    Ok(Pace::Slow { why })
}

/// The last line that says something.
fn last_words(said: &str) -> String {
    let line = said.lines().rev().map(str::trim).find(|line| !line.is_empty());
    line.unwrap_or("it does not say why").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_named_with_where_it_was_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config { program: None, search: vec![folder.path().into()], cache_dir: folder.path().into() };
        let said = find(&config).unwrap_err().to_string();
        assert!(said.contains(PROGRAM) && said.contains(&folder.path().display().to_string()), "{said}");
        config.program = Some("/nowhere/firecracker".into());
        assert!(find(&config).unwrap_err().to_string().contains("/nowhere/firecracker"));
    }

    #[test]
    fn what_was_kept_is_read_for_the_same_key_only() {
        let folder = tempfile::tempdir().unwrap();
        let version = Version::read("Firecracker v1.17.0-dev").unwrap();
        let facts = Facts { program: "/usr/bin/firecracker".into(), version, pace: Pace::Full };
        cache::write(folder.path(), "one", &facts);
        assert_eq!(cache::read(folder.path(), "one").as_ref(), Some(&facts));
        assert_eq!(cache::read(folder.path(), "two"), None);
    }
}
