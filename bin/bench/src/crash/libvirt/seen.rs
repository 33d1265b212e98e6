//! What is there: the domains that libvirtd tells of, and what it has left on the host.
//!
//! ```text
//!  virsh   list · domstats · vcpucount · snapshot-list ─► domains
//!  /proc   programs of the house ─► processes
//!  /run/libvirt · /var/lib/libvirt · /etc/libvirt · /sys/fs/cgroup ─► traces, each with whom it is for
//! ```

use super::house::House;
use super::model::{Domain, Power, State};
use super::session::{Answer, Session};
use anyhow::{Result, bail};
use std::collections::{BTreeMap, BTreeSet};

/// Folders that libvirtd makes for itself when it starts.
const ITS_OWN: [&str; 13] = [
    "autostart",
    "autostarted",
    "channel",
    "checkpoint",
    "dbus",
    "driver.pid",
    "dump",
    "networks",
    "nvram",
    "passt",
    "ram",
    "save",
    "slirp",
];

/// Whom something is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum For {
    /// The domain of this name while it is defined.
    Defined(String),
    /// The domain of this name while it runs.
    Running(String),
    /// The run with this number of the domain of this name.
    Run(u32, String),
    /// Nobody, once all is at rest.
    Nobody,
}

/// Something that libvirtd has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trace {
    pub(super) kind: &'static str,
    pub(super) path: String,
    pub(super) whose: For,
}

/// A program of the house.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) program: String,
    /// The domain that it runs; none where it runs none.
    pub(super) domain: Option<String>,
}

/// A domain as libvirtd tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    /// The number of its run.
    pub(super) id: Option<u32>,
    pub(super) domain: Domain,
    /// Why it is so, as libvirt numbers it.
    pub(super) reason: u32,
}

/// All that is seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) domains: BTreeMap<String, Told>,
    /// Domains that libvirtd does not answer for, and what it says.
    pub(super) stuck: BTreeMap<String, String>,
    pub(super) processes: Vec<Process>,
    pub(super) traces: Vec<Trace>,
}

impl Seen {
    /// Looks at all of it.
    ///
    /// # Errors
    /// libvirtd does not answer, or the house has gone.
    pub(super) fn look(house: &House, control: &mut Session, daemon: u32) -> Result<Self> {
        let mut seen = Self { processes: processes(house, daemon)?, ..Self::default() };
        let mut stats = BTreeMap::new();
        let Answer::Done(list) = control.ask("list --all")? else { bail!("libvirtd does not list its domains") };
        let ids: Vec<_> = list.lines().filter_map(listed).collect();
        let asked: Vec<String> = ids.iter().flat_map(|(_, name)| queries(name)).collect();
        let mut answers = control.ask_all(&asked)?.into_iter();
        for (id, name) in &ids {
            let answers: Vec<_> = answers.by_ref().take(queries(name).len()).collect();
            stats.insert(name.clone(), (*id, answers));
        }
        for (name, (id, answers)) in stats {
            match told(id, &answers) {
                Ok(told) => drop(seen.domains.insert(name, told)),
                Err(why) => drop(seen.stuck.insert(name, why)),
            }
        }
        seen.traces = traces(house);
        Ok(seen)
    }

    /// How many processes run a domain.
    ///
    /// # Errors
    /// The house has gone.
    pub(super) fn running(house: &House) -> Result<usize> {
        Ok(processes(house, 0)?.iter().filter(|process| process.domain.is_some()).count())
    }

    /// What has this name.
    pub(super) fn state(&self, name: &str) -> State {
        self.domains.get(name).map(|told| told.domain.clone())
    }
}

/// What is asked about one domain.
fn queries(name: &str) -> [String; 3] {
    [
        format!("domstats --state --vcpu {name}"),
        format!("vcpucount {name} --config --current"),
        format!("snapshot-list {name} --name"),
    ]
}

/// The number and name of one line of the list.
fn listed(line: &str) -> Option<(Option<u32>, String)> {
    let mut words = line.split_whitespace();
    let (id, name, _state) = (words.next()?, words.next()?, words.next()?);
    (id == "-" || id.parse::<u32>().is_ok()).then(|| (id.parse().ok(), name.to_owned()))
}

/// A domain from what was answered to the queries.
fn told(id: Option<u32>, answers: &[Answer]) -> Result<Told, String> {
    let mut texts = Vec::new();
    for answer in answers {
        match answer {
            Answer::Done(text) => texts.push(text.as_str()),
            Answer::Refused(why) => return Err(why.clone()),
            Answer::Cut => return Err("it does not answer".to_owned()),
        }
    }
    let [stats, config, snapshots] = texts[..] else { return Err("it does not answer".to_owned()) };
    let value =
        |key: &str| stats.lines().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('=')?.parse().ok());
    let number = |key: &str| value(key).ok_or_else(|| format!("it does not tell {key}"));
    let power = match number("state.state")? {
        1 | 2 => Power::Running,
        3 => Power::Paused,
        5 => Power::Off,
        other => Power::Other(other),
    };
    let cpus = config.trim().parse().map_err(|_| format!("{config:?} are no processors"))?;
    let live = if power == Power::Off { 0 } else { u8::try_from(number("vcpu.current")?).unwrap_or(u8::MAX) };
    let snapshots = snapshots.lines().filter_map(|name| name.trim().strip_prefix('s')?.parse().ok()).collect();
    Ok(Told { id, domain: Domain { power, cpus, live, snapshots }, reason: number("state.reason")? })
}

/// The programs of the house, without its own, libvirtd and virsh.
fn processes(house: &House, daemon: u32) -> Result<Vec<Process>> {
    let mut processes = Vec::new();
    let proc = house.path("/proc");
    for entry in std::fs::read_dir(&proc)? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // Those that end meanwhile are not there.
        let Ok(status) = std::fs::read_to_string(proc.join(format!("{pid}/status"))) else { continue };
        let field = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default().trim();
        let program = field("Name:").to_owned();
        if pid == 1 || pid == daemon || field("State:").starts_with('Z') || matches!(&*program, "virsh" | "sh") {
            continue;
        }
        let line = std::fs::read(proc.join(format!("{pid}/cmdline"))).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        let domain = line.split('\0').find_map(|word| word.strip_prefix("guest=")?.split(',').next());
        processes.push(Process { pid, program, domain: domain.map(str::to_owned) });
    }
    Ok(processes)
}

/// The names in a folder of the house; none where there is no such folder.
fn names(house: &House, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(house.path(folder)).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// What libvirtd has made, but for logs, which it keeps, and disks, which are not its own.
fn traces(house: &House) -> Vec<Trace> {
    let mut traces = Vec::new();
    let mut take = |folder: &str, sort: fn(&str) -> Option<(&'static str, For)>| {
        for name in names(house, folder) {
            if let Some((kind, whose)) = sort(&name).filter(|_| !ITS_OWN.contains(&&*name)) {
                traces.push(Trace { kind, path: format!("{folder}/{name}"), whose });
            }
        }
    };
    take("/run/libvirt/qemu", |name| {
        Some(match name.rsplit_once('.') {
            Some((name, "pid")) => ("pid file", For::Running(name.to_owned())),
            Some((name, "xml")) => ("state file", For::Running(name.to_owned())),
            _ => ("file in /run", For::Nobody),
        })
    });
    take("/var/lib/libvirt/qemu", |name| (name != "snapshot").then(|| ("folder of a run", run(name, "domain-"))));
    take("/var/lib/libvirt/qemu/channel/target", |name| Some(("folder of channels", run(name, "domain-"))));
    take("/var/lib/libvirt/qemu/snapshot", |name| Some(("list of snapshots", For::Defined(name.to_owned()))));
    take("/var/lib/libvirt/qemu/save", |_| Some(("saved state", For::Nobody)));
    take("/etc/libvirt/qemu", |name| {
        let whose = name.strip_suffix(".xml").map_or(For::Nobody, |name| For::Defined(name.to_owned()));
        Some(("definition", whose))
    });
    let groups = names(house, "/sys/fs/cgroup").into_iter().map(|name| format!("{name}/machine"));
    let machines =
        groups.chain(["machine".to_owned()]).flat_map(|group| names(house, &format!("/sys/fs/cgroup/{group}")));
    for name in machines.filter(|name| name.starts_with("qemu-")).collect::<BTreeSet<_>>() {
        let whose = name.strip_suffix(".libvirt-qemu").map_or(For::Nobody, |name| run(name, "qemu-"));
        traces.push(Trace { kind: "cgroup", path: format!("/sys/fs/cgroup/*/machine/{name}"), whose });
    }
    traces
}

/// The run that a name of the form `PREFIX-ID-NAME` is of.
fn run(name: &str, prefix: &str) -> For {
    let parts = name.strip_prefix(prefix).and_then(|rest| rest.split_once('-'));
    let run = parts.and_then(|(id, name)| Some(For::Run(id.parse().ok()?, name.to_owned())));
    run.unwrap_or(For::Nobody)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_put_together_from_what_virsh_says() {
        assert_eq!(listed(" 12   c0-1   running"), Some((Some(12), "c0-1".to_owned())));
        assert_eq!(listed(" -    c0-1   shut off"), Some((None, "c0-1".to_owned())));
        assert_eq!((listed(" Id   Name   State"), listed("------")), (None, None));
        let said = |text: &str| Answer::Done(text.to_owned());
        let stats = "Domain: 'c0-1'\n  state.state=3\n  state.reason=1\n  vcpu.current=2";
        let told = told(Some(12), &[said(stats), said("4"), said("s0\ns1")]).unwrap();
        let wanted = Domain { power: Power::Paused, cpus: 4, live: 2, snapshots: BTreeSet::from([0, 1]) };
        assert_eq!((told.domain, told.reason), (wanted, 1));
    }

    #[test]
    fn a_domain_that_is_not_answered_for_is_told() {
        let refused = Answer::Refused("cannot acquire state change lock".to_owned());
        assert!(told(None, &[refused, Answer::Cut, Answer::Cut]).unwrap_err().contains("lock"));
    }

    #[test]
    fn names_say_whose_run_they_are_of() {
        assert_eq!(run("domain-3-c0-1", "domain-"), For::Run(3, "c0-1".to_owned()));
        assert_eq!(run("qmp-A1", "domain-"), For::Nobody);
    }
}
