//! The house that libvirtd lives in: namespaces of its own, so that nothing of the host is touched.
//!
//! ```text
//!  open ─► sh (outside) ─► unshare ─► cat, pid 1 ◄─ its standard input is ours: when it closes, all ends
//!                                       │ mounts, network, pids, cgroups of its own
//!  start ─► nsenter ─► libvirtd ────────┤
//!  inside ─► nsenter ─► virsh … ────────┘
//! ```
//!
//! Empty tmpfs hide `/run`, `/dev` and libvirt's folders. What is left when the bench itself is killed ends
//! with its pipe: processes with the first of their namespace, cgroups by the stage that stays outside.

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The stages of the house.
const STAGES: &str = include_str!("house.sh");
/// What libvirtd is started by, in cgroups that hold no machine.
const DAEMON: &str = "for group in /sys/fs/cgroup/daemon /sys/fs/cgroup/*/daemon; do \
    [ ! -d $group ] || echo $$ >$group/cgroup.procs; done; exec libvirtd --config /etc/libvirt/libvirtd.conf";
/// The time that libvirtd is given to listen.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long is waited before it is looked again.
const PAUSE: Duration = Duration::from_millis(1);

/// Where programs are that `PATH` may not name.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];

/// A program that must be there.
pub(super) fn program(name: &str) -> Option<PathBuf> {
    FOLDERS.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.is_file())
}

/// A house that stands.
pub(super) struct House {
    /// All of it ends with this.
    outside: Child,
    /// Its first process, as the host counts.
    first: u32,
}

impl House {
    /// Builds it.
    ///
    /// # Errors
    /// A stage failed; it has said why on standard error.
    pub(super) fn open() -> Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", STAGES, "house", "outside"]).env("HOUSE", STAGES);
        command.env("NAME", format!("weft-bench-{}", std::process::id()));
        // A Ctrl-C of the terminal would end the stage that cleans up.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut outside = command.spawn().context("no shell can be started")?;
        let said = outside.stdout.take().context("the shell has an output")?;
        let mut line = String::new();
        BufReader::new(said).read_line(&mut line)?;
        let Some(first) = line.strip_prefix("ready ").and_then(|pid| pid.trim().parse().ok()) else {
            outside.wait()?;
            bail!("libvirtd's house cannot be built: see above");
        };
        Ok(Self { outside, first })
    }

    /// A path of the house, as the host sees it.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        Path::new(&format!("/proc/{}/root", self.first)).join(path.trim_start_matches('/'))
    }

    /// A program that will run in the house.
    pub(super) fn inside(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.first.to_string(), "-m", "-n", "-p", "-C", "--", program]);
        command.env("LC_ALL", "C").env("TERM", "dumb").env("HOME", "/run/bench").env("XDG_CACHE_HOME", "/run/bench");
        command.stdin(Stdio::null()).process_group(0);
        command
    }

    /// What a program in the house says.
    ///
    /// # Errors
    /// It failed.
    pub(super) fn ask(&self, program: &str, args: &[&str]) -> Result<String> {
        let said = self.inside(program).args(args).output().with_context(|| format!("{program} cannot be started"))?;
        let error = String::from_utf8_lossy(&said.stderr);
        ensure!(said.status.success(), "{program} {}: {}", args.join(" "), error.trim());
        Ok(String::from_utf8_lossy(&said.stdout).into_owned())
    }

    /// Starts a libvirtd, and waits until it listens.
    ///
    /// # Errors
    /// It ended, or did not listen in time.
    pub(super) fn start(&self) -> Result<Daemon> {
        let log = File::options().create(true).append(true).open(self.path("/run/bench/libvirtd.log"))?;
        let mut child = self.inside("sh").args(["-c", DAEMON]).stdout(log.try_clone()?).stderr(log).spawn()?;
        let (socket, start) = (self.path("/run/libvirt/libvirt-sock"), Instant::now());
        while UnixStream::connect(&socket).is_err() {
            if let Some(ended) = child.try_wait()? {
                bail!("libvirtd ended: {ended}: {}", self.last_words());
            }
            ensure!(start.elapsed() < PATIENCE, "libvirtd does not listen: {}", self.last_words());
            // why: a poll; there is nothing that tells when a foreign daemon listens.
            std::thread::sleep(PAUSE);
        }
        let nsenter = child.id();
        let children = std::fs::read_to_string(format!("/proc/{nsenter}/task/{nsenter}/children"))?;
        let pid: i32 = children.trim().parse().context("libvirtd has a process")?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let inner =
            status.lines().find_map(|line| line.strip_prefix("NSpid:")?.split_whitespace().last()?.parse().ok());
        let pid = Pid::from_raw(pid).context("a process has a number")?;
        Ok(Daemon { child, pid, inner: inner.context("libvirtd is in a namespace of processes")? })
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(self.path("/run/bench/libvirtd.log")).unwrap_or_default();
        log.lines().last().unwrap_or_default().to_owned()
    }

    /// Ends all that is in it, and takes its cgroups away.
    ///
    /// # Errors
    /// The stage outside cannot be waited for.
    pub(super) fn close(mut self) -> Result<()> {
        drop(self.outside.stdin.take());
        self.outside.wait().map(drop).context("the end of libvirtd's house")
    }
}

/// A libvirtd that runs.
pub(super) struct Daemon {
    /// It ends with libvirtd.
    child: Child,
    /// As the host counts.
    pid: Pid,
    /// As the house counts.
    pub(super) inner: u32,
}

impl Daemon {
    /// Ends it, by this signal, and waits until it is gone.
    ///
    /// # Errors
    /// It was gone already.
    pub(super) fn end(mut self, signal: Signal) -> Result<()> {
        kill_process(self.pid, signal).context("libvirtd had ended by itself")?;
        self.child.wait()?;
        Ok(())
    }
}
