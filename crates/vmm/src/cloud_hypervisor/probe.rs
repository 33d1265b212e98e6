//! What this Cloud Hypervisor can do on this host, found by running it.
//!
//! ```text
//!  find ─► cached? ─► facts
//!            │ no
//!            └─► --version, a guest of a few bytes that counts down a loop and speaks ─► facts ─► cache
//! ```
//!
//! A device node proves nothing: KVM may open and then emulate each instruction. So a guest counts down a
//! loop that takes 2 ms on a processor, says a word on its serial line and powers off. Where it is not heard
//! in [`FAST`], another with next to no loop tells whether guests run at all. What is found holds until the
//! program is replaced or the host is started again.

mod cache;
mod guest;
mod run;

use super::config::gates::{OLDEST, Version};
use super::{Config, Error};
use crate::program;
use run::Runner;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use weft_ports::clock::Clock;
use weft_ports::processes::Processes;

/// The program.
const PROGRAM: &str = "cloud-hypervisor";
/// The time in which a true processor counts down the loop many times over.
const FAST: Duration = Duration::from_millis(1_500);
/// The time that anything else is given.
const LIMIT: Duration = Duration::from_secs(10);
/// Turns of the loop, and of the other's.
const TURNS: (u32, u32) = (4_000_000, 10);

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    /// The program.
    pub(super) program: PathBuf,
    /// Its version as it says it: `53.0-246-gae44c2971`.
    pub(super) version: String,
    /// The same as numbers.
    pub(super) number: Version,
    /// Whether guests run at full speed.
    pub(super) kvm: Kvm,
}

/// How fast guests run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kvm {
    /// As fast as a processor.
    Fast,
    /// Far slower, as this says.
    Slow(String),
}

/// Finds it and what it can do.
pub(super) async fn probe(
    config: &Config,
    processes: &Arc<dyn Processes>,
    clock: &Arc<dyn Clock>,
) -> Result<Facts, Error> {
    let program = find(config)?;
    let folder = &config.cache_dir;
    let unusable = |source| Error::UseFolder { path: folder.clone(), source };
    std::fs::create_dir_all(folder).map_err(unusable)?;
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
    let said = runner.version(LIMIT).await?;
    let wrong = || Error::Version { program: runner.program.clone(), said: said.trim().to_owned() };
    let (number, version) = read_version(&said).ok_or_else(wrong)?;
    if number < OLDEST {
        return Err(wrong());
    }
    let kvm = if runner.hears(&guest::counting(TURNS.0), FAST).await?.is_ok() {
        Kvm::Fast
    } else if let Err(said) = runner.hears(&guest::counting(TURNS.1), LIMIT).await? {
        return Err(Error::RunsNothing { program: runner.program, said });
    } else {
        Kvm::Slow(format!(
            "guests run on KVM, but far too slowly for a whole system: a loop of {} turns, 2 ms on a processor, took \
             more than {} ms (the host itself may be a virtual machine)",
            TURNS.0,
            FAST.as_millis()
        ))
    };
    Ok(Facts { program: runner.program, version, number, kvm })
}

/// The version in its own line, as numbers and as text.
fn read_version(said: &str) -> Option<(Version, String)> {
    let text = said.split_whitespace().find_map(|word| word.strip_prefix('v'))?;
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((Version(numbers.next()?.ok()?, numbers.next()?.ok()?), text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_in_every_form() {
        let table = [
            ("cloud-hypervisor v53.0-246-gae44c2971\nMigration Protocol Versions: 0\n", Version(53, 0)),
            ("cloud-hypervisor v44.0\n", Version(44, 0)),
            ("cloud-hypervisor v51.1.0", Version(51, 1)),
        ];
        for (said, number) in table {
            assert_eq!(read_version(said).map(|found| found.0), Some(number), "{said}");
        }
        assert_eq!(read_version("QEMU emulator 7.2"), None);
        assert!(Version(52, 0) > Version(51, 9));
    }
}
