//! What this machine is: read once, from the kernel.

use crate::Error;
use crate::processes::stat;
use std::fs;
use weft_domain::Name;

/// What a machine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Its name, as a DNS label.
    pub name: Name,
    /// The kernel's release.
    pub kernel: String,
    /// The processor's architecture: `x86_64`.
    pub architecture: String,
    /// Changes with each start of the machine.
    pub boot_id: String,
    /// Processors that we may use.
    pub cpus: u32,
    /// Memory of the machine in bytes.
    pub memory_bytes: u64,
}

/// Reads them.
///
/// # Errors
/// A host without `/proc`.
pub fn read() -> Result<Facts, Error> {
    let told = rustix::system::uname();
    let meminfo =
        fs::read_to_string("/proc/meminfo").map_err(|error| Error::host("read how much memory there is", error))?;
    let unreadable = || Error::host("read how much memory there is", std::io::Error::other("/proc/meminfo is odd"));
    let cpus = std::thread::available_parallelism().map_err(|error| Error::host("count the processors", error))?;
    Ok(Facts {
        name: label(&told.nodename().to_string_lossy()),
        kernel: told.release().to_string_lossy().into_owned(),
        architecture: told.machine().to_string_lossy().into_owned(),
        boot_id: stat::boot_id().map_err(|error| Error::host("read the boot id", error))?,
        cpus: u32::try_from(cpus.get()).unwrap_or(u32::MAX),
        memory_bytes: total_memory(&meminfo).ok_or_else(unreadable)?,
    })
}

fn total_memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The first label of a host's name, made lawful; `node` where nothing of it is.
fn label(hostname: &str) -> Name {
    let first = hostname.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let lawful: String = first.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let lawful = lawful.trim_matches('-');
    let begins = lawful.starts_with(|c: char| c.is_ascii_lowercase());
    let mut text = if begins { lawful.to_owned() } else { format!("node-{lawful}") };
    text.truncate(63);
    let fallback = || "node".parse().expect("`node` is a lawful name");
    text.trim_end_matches('-').parse().unwrap_or_else(|_| fallback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volumes::free;
    use proptest::prelude::*;
    use std::path::Path;

    #[test]
    fn this_machine_is_something() {
        let facts = read().unwrap();
        assert!(facts.cpus > 0 && facts.memory_bytes > 1 << 20);
        assert!(!facts.kernel.is_empty() && !facts.architecture.is_empty());
        assert!(free(Path::new("/")).unwrap() > 0);
        assert!(free(Path::new("/no/such/folder")).is_err());
    }

    #[test]
    fn names_of_hosts_become_labels() {
        for (host, name) in [
            ("web-1", "web-1"),
            ("Web_1.example.org", "web-1"),
            ("10", "node-10"),
            ("", "node"),
            ("--", "node"),
            ("\u{e4}pfel", "pfel"),
        ] {
            assert_eq!(label(host).as_str(), name, "{host:?}");
        }
    }

    #[test]
    fn memory_is_in_kibibytes() {
        assert_eq!(total_memory("MemTotal:       24684096 kB\nMemFree: 1 kB\n"), Some(24_684_096 * 1024));
        assert_eq!(total_memory("MemFree: 1 kB\n"), None);
    }

    proptest! {
        #[test]
        fn any_host_has_a_name(host in ".{0,80}") {
            prop_assert!(!label(&host).as_str().is_empty());
        }
    }
}
