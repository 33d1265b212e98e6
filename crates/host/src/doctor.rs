//! What this host lets us do, looked at one by one, as plain findings.
//!
//! Each look is harmless and leaves nothing behind. Whoever shows findings decides how.

use crate::processes;
use crate::volumes;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use weft_ports::processes::{Cgroups, Processes};

/// Less free space than this is told as a fault: a kernel, a root and some logs.
const ENOUGH: u64 = 1 << 30;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at, in a word or two.
    pub what: &'static str,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found, as one sentence.
    pub detail: String,
    /// What to do about it; empty where nothing has to be done.
    pub fix: String,
}

impl Finding {
    fn good(what: &'static str, detail: impl Into<String>) -> Self {
        Self { what, ok: true, detail: detail.into(), fix: String::new() }
    }

    fn bad(what: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { what, ok: false, detail: detail.into(), fix: fix.into() }
    }
}

/// Where to look.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder in which weft keeps its state and disks.
    pub data_dir: PathBuf,
    /// The folder for sockets.
    pub run_dir: PathBuf,
}

/// Looks at everything.
#[must_use]
pub fn look(config: &Config) -> Vec<Finding> {
    let mut findings = vec![user(), kvm(Path::new("/dev/kvm")), folder("data folder", &config.data_dir)];
    findings.push(folder("run folder", &config.run_dir));
    findings.push(socket_paths(&config.run_dir));
    findings.push(space(&config.data_dir));
    findings.push(holes(&config.data_dir));
    findings.extend(launching(config));
    findings
}

fn user() -> Finding {
    let id = rustix::process::geteuid();
    if id.is_root() {
        return Finding::good("user", "weft runs as root");
    }
    Finding::good("user", format!("weft runs as user {}: VMs have user-mode networks only", id.as_raw()))
}

fn kvm(device: &Path) -> Finding {
    const WHAT: &str = "kvm";
    let slow = "VMs are run by software, many times slower";
    match OpenOptions::new().read(true).write(true).open(device) {
        Ok(_) => Finding::good(WHAT, format!("{} opens; drivers probe whether it truly works", device.display())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Finding::bad(
            WHAT,
            format!("{} is not there: {slow}", device.display()),
            "switch on virtualisation in the firmware, load the module kvm_intel or kvm_amd, or allow nesting",
        ),
        Err(error) => Finding::bad(
            WHAT,
            format!("{} cannot be opened ({}): {slow}", device.display(), error.kind()),
            "add your user to the group kvm, and log in again",
        ),
    }
}

/// The nearest folder that is there, since `weft` makes the rest itself.
fn nearest(folder: &Path) -> &Path {
    folder.ancestors().find(|folder| folder.is_dir()).unwrap_or_else(|| Path::new("/"))
}

fn folder(what: &'static str, folder: &Path) -> Finding {
    let near = nearest(folder);
    let access = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    if rustix::fs::accessat(rustix::fs::CWD, near, access, rustix::fs::AtFlags::EACCESS).is_ok() {
        let state = if near == folder { "can be written" } else { "can be made" };
        return Finding::good(what, format!("{} {state}", folder.display()));
    }
    let detail = format!("{} cannot be written by this user", near.display());
    Finding::bad(what, detail, "use another folder with --data-dir, or give this one to the user")
}

fn socket_paths(run_dir: &Path) -> Finding {
    const WHAT: &str = "socket paths";
    // A Unix socket's path ends at 108 bytes; below the folder comes a part for the VM and one for the socket.
    const MOST: usize = 107 - 43;
    let length = run_dir.as_os_str().len();
    if length <= MOST {
        return Finding::good(WHAT, format!("the run folder's path has {length} of at most {MOST} bytes"));
    }
    let detail = format!("the run folder's path has {length} bytes; sockets need it to have at most {MOST}");
    Finding::bad(WHAT, detail, "use a run folder with a shorter path")
}

fn space(data_dir: &Path) -> Finding {
    const WHAT: &str = "free space";
    match volumes::free(nearest(data_dir)) {
        Ok(bytes) if bytes >= ENOUGH => Finding::good(WHAT, format!("{} MiB are free", bytes >> 20)),
        Ok(bytes) => {
            let detail = format!("only {} MiB are free for disks", bytes >> 20);
            Finding::bad(WHAT, detail, format!("free space on the file system of {}", data_dir.display()))
        }
        Err(error) => Finding::bad(WHAT, error.to_string(), "use another folder with --data-dir"),
    }
}

fn holes(data_dir: &Path) -> Finding {
    const WHAT: &str = "bounded logs";
    let probe = nearest(data_dir).join(format!(".weft-probe-{}", std::process::id()));
    let tried = fs::write(&probe, [1; 8192]).and_then(|()| volumes::makes_holes(&probe));
    // Where it could not be written there is nothing to remove.
    let _ = fs::remove_file(&probe);
    match tried {
        Ok(()) => Finding::good(WHAT, "the file system makes holes, so console logs are bounded in place"),
        Err(error) => Finding::bad(
            WHAT,
            format!(
                "the file system makes no holes ({}): bytes that come while a log is bounded may be lost",
                error.kind()
            ),
            "keep the data folder on ext4, xfs, btrfs, zfs or tmpfs",
        ),
    }
}

fn launching(config: &Config) -> Vec<Finding> {
    let opened = processes::open(processes::Config::of(&config.data_dir, nearest(&config.run_dir)));
    let linux = match opened {
        Ok(linux) => linux,
        Err(error) => {
            return vec![Finding::bad("launcher", error.to_string(), "mount /proc, and use another run folder")];
        }
    };
    let place = if linux.launches_from_memory() { "memory" } else { "a file in the run folder" };
    let confined = match linux.cgroups() {
        (Cgroups::V2, None) => Finding::good("cgroups", "VMs are confined by the unified hierarchy (v2)"),
        (Cgroups::V1, None) => Finding::good("cgroups", "VMs are confined by a hierarchy per controller (v1)"),
        (_, warning) => {
            let warning = warning.unwrap_or_default();
            let (detail, fix) = warning.rsplit_once(": ").unwrap_or((&warning, ""));
            Finding::bad("cgroups", detail, fix)
        }
    };
    vec![Finding::good("launcher", format!("it is executed from {place}")), confined, jailed(&linux)]
}

fn jailed(linux: &processes::Linux) -> Finding {
    const WHAT: &str = "jails";
    match linux.jails() {
        Ok(()) => Finding::good(WHAT, "each VMM gets its own user, files, network and processes, and filtered calls"),
        Err(why) => Finding::bad(
            WHAT,
            format!("VMMs cannot be jailed: {why}"),
            "run weft as root on Linux 5.12 or later, outside of a container or in a privileged one",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(dir: &Path) -> Config {
        Config { data_dir: dir.join("data/deep"), run_dir: dir.join("run") }
    }

    #[test]
    fn everything_is_looked_at_and_nothing_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let findings = look(&config(dir.path()));
        let whats: Vec<_> = findings.iter().map(|finding| finding.what).collect();
        let expected = [
            "user",
            "kvm",
            "data folder",
            "run folder",
            "socket paths",
            "free space",
            "bounded logs",
            "launcher",
            "cgroups",
            "jails",
        ];
        assert_eq!(whats, expected);
        for finding in findings {
            assert!(!finding.detail.is_empty());
            assert_eq!(finding.ok, finding.fix.is_empty(), "what is not well has a fix: {finding:?}");
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_missing_or_closed_device_is_told_with_its_fix() {
        assert!(kvm(Path::new("/no/such/device")).fix.contains("firmware"));
        assert!(kvm(Path::new("/dev")).fix.contains("group kvm"));
        assert!(kvm(Path::new("/dev/null")).ok);
    }

    #[test]
    fn a_long_run_folder_is_told() {
        assert!(socket_paths(Path::new("/run/weft")).ok);
        assert!(!socket_paths(Path::new(&format!("/{}", "r".repeat(90)))).ok);
    }
}
