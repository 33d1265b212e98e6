//! A weft whose VMs are cheap: Firecracker, or what stands in for it, and the small guest.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use weft_domain::Phase;
use weft_domain::census::{Census, Sort, Verdict};
use weft_domain::spec::payload::Driver;
use weft_domain::spec::{Draft, Payload};
use weft_ports::api::{CreateMode, ListQuery, Nodes, Removal, VmRef, Vms};
use weft_testbed::daemon::Daemon;
use weft_testbed::guest::{call, vm};
use weft_testbed::vmms;

/// A weft with live VMs.
pub(crate) struct House {
    pub(crate) daemon: Daemon,
    images: TempDir,
}

/// Whether a process lives.
pub(crate) fn alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().next()).is_some_and(|state| state != "Z")
}

/// How many of a sort have a verdict.
pub(crate) fn counted(census: &Census, sort: Sort, verdict: Verdict) -> u64 {
    census.counts.get(&(sort, verdict)).copied().unwrap_or_default()
}

impl House {
    /// One with these further settings, or `None` after saying why there is none.
    pub(crate) async fn open(settings: &[&str]) -> Option<Self> {
        let Some(guest) = weft_guest::ELF else {
            println!("skipped: the small guest is for another processor");
            return None;
        };
        let images = tempfile::Builder::new().prefix("weft-").tempdir().expect("a folder");
        std::fs::write(images.path().join("tiny"), guest).expect("the guest can be written");
        let roots = format!("paths.allowed_roots={}", images.path().display());
        let binary = format!("firecracker.binary={}", vmms::firecracker().path.display());
        let all: Vec<&str> =
            ["node.drivers=firecracker", &roots, &binary].into_iter().chain(settings.iter().copied()).collect();
        let daemon = Daemon::start(&all).unwrap_or_else(|error| panic!("{error:#}"));
        Some(Self { daemon, images })
    }

    /// Boots a VM; answers its process.
    pub(crate) async fn boot(&self, name: &str) -> u32 {
        let mut draft = Draft { driver: Driver::Named("firecracker".to_owned()), ..Draft::default() };
        let kernel = self.images.path().join("tiny");
        draft.payload = Payload::Kernel { kernel, initramfs: None, cmdline: String::new() };
        draft.memory.size_bytes = 64 << 20;
        let spec = draft.check().expect("a lawful specification");
        let made = Vms::create(&self.daemon.client(), &call(), vm(name, spec, CreateMode::Boot)).await;
        let made = made.unwrap_or_else(|fault| panic!("{fault}: {}", self.daemon.log())).value;
        assert_eq!(made.status.phase, Phase::Running, "{:#?}\n{}", made.status, self.daemon.log());
        made.status.running.expect("it runs").pid
    }

    /// The census as the API tells it.
    pub(crate) async fn census(&self) -> Census {
        let weft = self.daemon.client();
        let node = Nodes::list(&weft, &call(), &ListQuery::default()).await.expect("a list").items.remove(0);
        weft.census(&call(), &node.value.id.to_string()).await.expect("a census")
    }

    /// `weft doctor --census` with these words: its code, and what it shows.
    pub(crate) fn doctor(&self, words: &[&str]) -> (Option<i32>, String) {
        let output = self.daemon.command().args(["doctor", "--census"]).args(words).output().expect("it runs");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned() + &error)
    }

    /// All figures.
    pub(crate) fn metrics(&self) -> String {
        let mut stream = TcpStream::connect(self.daemon.metrics()).expect("figures are served");
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").expect("asked");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("answered");
        text
    }

    /// How many censuses were taken.
    pub(crate) fn looks(&self) -> u64 {
        let metrics = self.metrics();
        let line = metrics.lines().find(|line| line.starts_with("weft_census_looks"));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_default()
    }

    /// Folders of claims' cgroups, in whatever trees this host has.
    pub(crate) fn cgroups(&self) -> BTreeSet<PathBuf> {
        let entries = self.daemon.cgroups().into_iter();
        let entries = entries.flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
        let is_claims = |path: &PathBuf| {
            let name = path.file_name().and_then(std::ffi::OsStr::to_str);
            path.is_dir() && name.is_some_and(|name| name.starts_with("claim-"))
        };
        entries.map(|entry| entry.path()).filter(is_claims).collect()
    }

    /// A path below the data folder.
    pub(crate) fn path(&self, below: impl AsRef<Path>) -> PathBuf {
        self.daemon.data_dir().join(below)
    }

    /// Removes all VMs.
    pub(crate) async fn delete_all(&self) {
        let weft = self.daemon.client();
        for vm in Vms::list(&weft, &call(), &ListQuery::default()).await.expect("a list").items {
            let removal = Removal { vm: VmRef::Id(vm.value.meta.id), etag: None, force: true, allow_missing: true };
            weft.delete(&call(), removal).await.expect("deleted");
        }
    }
}
