//! Cgroups: one per claim, under `weft/<scope>/<claim>` in whichever hierarchy this host has.
//!
//! ```text
//!  V2    one tree; controllers are handed down; inner nodes hold no process; cgroup.kill
//!  V1    a tree per controller, that of processor time only where it is limited; freeze, kill, thaw; processor
//!        time is counted where that has a tree of its own
//!  None  limits are not held, and a warning says why
//! ```
//!
//! What always holds: making a cgroup that is there and removing one that is not are success; a cgroup
//! that could not be made in every tree is made in none.

mod mounts;
mod unified;

use super::stat;
use crate::Error;
use mounts::Mounts;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use weft_domain::ClaimId;
use weft_ports::fault::{self, Point};
use weft_ports::processes::{Cgroups, Confinement};

/// The controllers that are used.
const CONTROLLERS: [&str; 4] = ["memory", "cpu", "pids", "freezer"];
/// The controller that counts processor time and limits nothing.
const COUNTER: &str = "cpuacct";
/// The period over which processor time is counted, in microseconds.
const PERIOD: u64 = 100_000;

/// The trees in which our cgroups are.
#[derive(Debug)]
pub(super) struct Tree {
    version: Cgroups,
    /// Our folder in each tree; one with V2.
    folders: Vec<PathBuf>,
    /// With V1, the one of them in which nothing but processor time is limited.
    timed: Option<PathBuf>,
    /// With V2, the folders from which controllers are handed down, outermost first.
    handing_down: Vec<PathBuf>,
    warning: Option<String>,
}

impl Drop for Tree {
    /// Folders that hold nothing are not left behind; one that holds a VM's cgroup cannot be removed.
    fn drop(&mut self) {
        for folder in &self.folders {
            let removed = fs::remove_dir(folder).and_then(|()| folder.parent().map_or(Ok(()), fs::remove_dir));
            if let Err(why) = removed {
                tracing::trace!(%why, folder = %folder.display(), "the cgroup is left, since it is not empty");
            }
        }
    }
}

/// Finds the trees and makes sure that they can be used.
pub(super) fn detect(scope: &str) -> Tree {
    let text = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let mounts = mounts::parse(&text);
    let root = rustix::process::geteuid().is_root();
    choose(&mounts, unified::own_path(&own), root, scope)
}

fn choose(mounts: &Mounts, own: Option<PathBuf>, root: bool, scope: &str) -> Tree {
    let ours = Path::new("weft").join(scope);
    if let Some(mount) = mounts.unified.as_ref().filter(|mount| unified::has_controllers(mount)) {
        for parent in unified::parents(mount, own.as_deref(), root) {
            let handing_down = vec![parent.clone(), parent.join("weft"), parent.join(&ours)];
            let folders = vec![parent.join(&ours)];
            let mut tree = Tree { version: Cgroups::V2, folders, timed: None, handing_down, warning: None };
            if tree.ensure().is_ok() && tree.admits_processes() {
                tree.warning = unified::missing(&tree.folders[0]);
                return tree;
            }
        }
        return none(
            "this user may not make cgroups, so limits on VMs are not held",
            "run weft as root, or as a systemd user unit with Delegate=yes",
        );
    }
    let mut folders: BTreeSet<PathBuf> =
        CONTROLLERS.iter().filter_map(|name| Some(mounts.by_controller.get(*name)?.join(&ours))).collect();
    // Where it shares the tree of the scheduler, a cgroup would cost more than its figures are worth.
    let counted = mounts.by_controller.get(COUNTER).filter(|_| !folders.is_empty());
    folders.extend(counted.filter(|mount| mounts.by_controller.get("cpu") != Some(mount)).map(|it| it.join(&ours)));
    if folders.is_empty() {
        return none("this host has no cgroups, so limits on VMs are not held", "mount cgroup2 on /sys/fs/cgroup");
    }
    let missing: Vec<_> = CONTROLLERS[..3].iter().filter(|name| !mounts.by_controller.contains_key(**name)).collect();
    let mut tree = Tree {
        version: Cgroups::V1,
        timed: timed(mounts, &ours),
        folders: folders.into_iter().collect(),
        handing_down: Vec::new(),
        warning: None,
    };
    if tree.ensure().is_err() {
        return none("this user may not make cgroups, so limits on VMs are not held", "run weft as root");
    }
    if !missing.is_empty() {
        tree.warning =
            Some(format!("this host has no cgroup controller for {missing:?}, so those limits are not held"));
    }
    tree
}

/// Our folder in the tree of processor time, where that tree is not the only one and holds nothing else.
fn timed(mounts: &Mounts, ours: &Path) -> Option<PathBuf> {
    let mount = |name: &str| mounts.by_controller.get(name);
    let cpu = mount("cpu")?;
    let mut others = CONTROLLERS.iter().filter(|name| **name != "cpu").filter_map(|name| mount(name)).peekable();
    let apart = others.peek().is_some() && others.all(|other| other != cpu);
    apart.then(|| cpu.join(ours))
}

fn none(what: &str, fix: &str) -> Tree {
    let warning = Some(format!("{what}: {fix}"));
    Tree { version: Cgroups::None, folders: Vec::new(), timed: None, handing_down: Vec::new(), warning }
}

impl Tree {
    /// Which sort, and what a person should know.
    pub(super) fn told(&self) -> (Cgroups, Option<String>) {
        (self.version, self.warning.clone())
    }

    /// Our folder in each tree.
    pub(super) fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// Whether a process is put into a cgroup at all.
    pub(super) const fn confines(&self) -> bool {
        !matches!(self.version, Cgroups::None)
    }

    /// Our folders, with controllers handed down to them.
    fn ensure(&self) -> io::Result<()> {
        for folder in &self.folders {
            fs::create_dir_all(folder)?;
        }
        for folder in &self.handing_down {
            unified::hand_down(folder);
        }
        Ok(())
    }

    fn admits_processes(&self) -> bool {
        let probe = self.folders[0].join(format!("probe-{}", std::process::id()));
        let made = fs::create_dir(&probe).is_ok();
        let writable = rustix::fs::access(probe.join("cgroup.procs"), rustix::fs::Access::WRITE_OK).is_ok();
        made && fs::remove_dir(&probe).is_ok() && writable
    }

    fn of(&self, claim: ClaimId) -> impl Iterator<Item = PathBuf> {
        self.folders.iter().map(move |folder| folder.join(claim.to_string()))
    }

    /// Those of a claim that these limits need.
    fn wanted(&self, claim: ClaimId, limits: &Confinement) -> impl Iterator<Item = PathBuf> {
        // One that limits nothing would still cost: all VMs together would have the share of one process
        // outside, and who enters waits for a turn there.
        let idle =
            self.timed.as_ref().filter(|_| limits.cpu_millis.is_none()).map(|timed| timed.join(claim.to_string()));
        self.of(claim).filter(move |folder| idle.as_ref() != Some(folder))
    }

    /// Whether a process is in the cgroup of its claim.
    pub(super) fn holds(&self, claim: ClaimId, pid: u32, limits: &Confinement) -> bool {
        let holds = |folder: PathBuf| {
            let mut pids = BTreeSet::new();
            members_under(&folder, &mut pids);
            pids.contains(&pid)
        };
        self.wanted(claim, limits).all(holds)
    }

    /// Puts a process into the cgroup of its claim, which is made where it is not there.
    pub(super) fn take_in(&self, claim: ClaimId, pid: u32, limits: &Confinement) -> Result<(), Error> {
        self.make(claim, limits)?;
        let all = self.wanted(claim, limits).try_for_each(|folder| {
            let there = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
            let inside = there.lines().any(|line| line.parse() == Ok(pid));
            if inside { Ok(()) } else { fs::write(folder.join("cgroup.procs"), pid.to_string()) }
        });
        all.map_err(|error| Error::host(format!("put process {pid} back into the cgroup of {claim}"), error))
    }

    /// Makes the cgroup of a claim with these limits; answers the files by which a process enters.
    pub(super) fn make(&self, claim: ClaimId, limits: &Confinement) -> Result<Vec<PathBuf>, Error> {
        let wanted: Vec<_> = self.wanted(claim, limits).collect();
        let make = || wanted.iter().try_for_each(|folder| make_one(folder, limits));
        let again = || self.ensure().and_then(|()| make());
        // Another process of this scope that ends may have removed the folder as empty, even just now.
        let is_gone = |why: &io::Error| why.kind() == io::ErrorKind::NotFound;
        let made = make().or_else(|why| if is_gone(&why) { again() } else { Err(why) });
        let made = made.or_else(|why| if is_gone(&why) { again() } else { Err(why) });
        if let Err(error) = made {
            // The first error is the one to tell; what was made goes with the claim otherwise.
            let _ = self.remove(claim);
            return Err(Error::host(format!("make a cgroup for {claim}"), error));
        }
        fault::hit(Point::CgroupMade);
        // Moving a whole process takes a lock that all of the kernel shares, milliseconds at times. The
        // launcher has one thread, so its thread is all of it; V2 knows threads only in threaded trees.
        let door = if self.version == Cgroups::V1 { "tasks" } else { "cgroup.procs" };
        Ok(wanted.into_iter().map(|folder| folder.join(door)).collect())
    }

    /// Processes in the cgroup of a claim.
    pub(super) fn members(&self, claim: ClaimId) -> BTreeSet<u32> {
        let mut pids = BTreeSet::new();
        for folder in self.of(claim) {
            members_under(&folder, &mut pids);
        }
        pids
    }

    /// Kills all that is in the cgroup of a claim, as far as one pass can.
    pub(super) fn kill(&self, claim: ClaimId) {
        for folder in self.of(claim).filter(|folder| folder.exists()) {
            if fs::write(folder.join("cgroup.kill"), "1").is_ok() {
                continue;
            }
            let freezer = folder.join("freezer.state");
            // Frozen, they cannot fork away between the reading and the killing; thawed, they die.
            let frozen = fs::write(&freezer, "FROZEN").is_ok();
            let mut pids = BTreeSet::new();
            members_under(&folder, &mut pids);
            for pid in pids.into_iter().filter_map(|pid| rustix::process::Pid::from_raw(i32::try_from(pid).ok()?)) {
                kill_member(&folder, pid);
            }
            if frozen && let Err(error) = fs::write(&freezer, "THAWED") {
                tracing::warn!(%claim, %error, "a cgroup could not be thawed");
            }
        }
    }

    /// Lets go what is frozen in the cgroup of a claim: who froze it to kill it may have died over it, and what is
    /// frozen does not even die.
    pub(super) fn thaw(&self, claim: ClaimId) {
        for freezer in self.of(claim).map(|folder| folder.join("freezer.state")) {
            let is_held = stat::read_text(&freezer).is_ok_and(|state| state.trim_end() != "THAWED");
            if is_held && let Err(error) = fs::write(&freezer, "THAWED") {
                tracing::warn!(%claim, %error, "a cgroup could not be thawed");
            }
        }
    }

    /// Removes the cgroup of a claim. Busy while a process is in it.
    pub(super) fn remove(&self, claim: ClaimId) -> io::Result<()> {
        fault::hit(Point::CgroupRemoving);
        let answers: Vec<_> = self.of(claim).map(|folder| remove_under(&folder)).collect();
        answers.into_iter().collect()
    }

    /// Claims that have a cgroup.
    pub(super) fn claims(&self) -> io::Result<Vec<ClaimId>> {
        let mut claims = BTreeSet::new();
        for folder in &self.folders {
            match fs::read_dir(folder) {
                Ok(entries) => {
                    for entry in entries {
                        claims.extend(entry?.file_name().to_str().and_then(|name| name.parse::<ClaimId>().ok()));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(claims.into_iter().collect())
    }

    /// Whether the kernel killed a process of this claim for memory.
    pub(super) fn was_out_of_memory(&self, claim: ClaimId) -> bool {
        self.of(claim).any(|folder| {
            let read = |name: &str| fs::read_to_string(folder.join(name));
            let text = read("memory.events").or_else(|_| read("memory.oom_control")).unwrap_or_default();
            text.lines().any(|line| line.strip_prefix("oom_kill ").is_some_and(|count| count.trim() != "0"))
        })
    }

    /// Takes our own folders away where nothing is in them.
    pub(super) fn retire(&self) {
        for folder in &self.folders {
            // Another scope's or claim's folder keeps them, which is as it should be.
            let _ = fs::remove_dir(folder).and_then(|()| folder.parent().map_or(Ok(()), fs::remove_dir));
        }
    }
}

#[cfg(test)]
impl Tree {
    /// One in which nothing can be made.
    pub(super) fn broken() -> Self {
        let folders = vec![PathBuf::from("/proc/self/weft")];
        Self { version: Cgroups::V1, folders, timed: None, handing_down: Vec::new(), warning: None }
    }

    /// One in the unified hierarchy of this host, with controllers or without.
    pub(super) fn unified_here(scope: &str) -> Option<Self> {
        let mount = mounts::parse(&fs::read_to_string("/proc/self/mounts").ok()?).unified?;
        let folder = mount.join("weft").join(scope);
        let handing_down = vec![mount.clone(), mount.join("weft"), folder.clone()];
        let tree = Self { version: Cgroups::V2, folders: vec![folder], timed: None, handing_down, warning: None };
        (tree.ensure().is_ok() && tree.admits_processes()).then_some(tree)
    }
}

fn make_one(folder: &Path, limits: &Confinement) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(why) if why.kind() != io::ErrorKind::AlreadyExists => return Err(why),
        Ok(()) | Err(_) => {}
    }
    let memory = limits.memory_bytes.map(|bytes| bytes.to_string());
    let pids = limits.pids.map(|pids| pids.to_string());
    // The kernel takes no quota below one millisecond.
    let quota = limits.cpu_millis.map(|millis| millis.saturating_mul(PERIOD / 1000).max(1000));
    let both = quota.map(|quota| format!("{quota} {PERIOD}"));
    let (quota, period) = (quota.map(|quota| quota.to_string()), quota.map(|_| PERIOD.to_string()));
    let settings = [
        ("memory.max", memory.clone()),
        ("memory.limit_in_bytes", memory),
        ("cpu.max", both),
        ("cpu.cfs_period_us", period),
        ("cpu.cfs_quota_us", quota),
        ("pids.max", pids),
    ];
    for (name, value) in settings {
        let Some(value) = value else { continue };
        match fs::OpenOptions::new().write(true).open(folder.join(name)) {
            Ok(mut file) => file.write_all(value.as_bytes())?,
            // Each tree has the files of its own controllers; a controller that is missing was warned of.
            Err(why) if why.kind() == io::ErrorKind::NotFound => {}
            Err(why) => return Err(why),
        }
    }
    Ok(())
}

fn members_under(folder: &Path, pids: &mut BTreeSet<u32>) {
    let text = stat::read_text(folder.join("cgroup.procs")).unwrap_or_default();
    pids.extend(text.lines().filter_map(|line| line.parse::<u32>().ok()));
    for child in children(folder) {
        members_under(&child, pids);
    }
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let folders = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|entry| entry.path()).collect()
}

/// Kills a process if it is still a member when it is held.
fn kill_member(folder: &Path, pid: rustix::process::Pid) {
    let Ok(pidfd) = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) else { return };
    let mut pids = BTreeSet::new();
    members_under(folder, &mut pids);
    if pids.contains(&pid.as_raw_nonzero().get().unsigned_abs()) {
        // Gone meanwhile is as good as killed.
        let _ = rustix::process::pidfd_send_signal(&pidfd, rustix::process::Signal::KILL);
    }
}

fn remove_under(folder: &Path) -> io::Result<()> {
    for child in children(folder) {
        remove_under(&child)?;
    }
    match fs::remove_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_ports::processes::conformance::fresh_claim;

    #[test]
    fn a_host_without_cgroups_is_told() {
        let tree = choose(&Mounts::default(), None, true, "s");
        let (version, warning) = tree.told();
        assert_eq!(version, Cgroups::None);
        assert!(warning.unwrap().contains("cgroup2"));
        let claim = fresh_claim();
        assert_eq!(tree.make(claim, &Confinement::default()).unwrap(), Vec::<PathBuf>::new());
        tree.remove(claim).unwrap();
    }

    #[test]
    fn a_hybrid_host_is_v1() {
        let dir = tempfile::tempdir().unwrap();
        let unified = dir.path().join("unified");
        fs::create_dir(&unified).unwrap();
        fs::write(unified.join("cgroup.controllers"), "hugetlb\n").unwrap();
        let mut mounts = Mounts { unified: Some(unified), ..Mounts::default() };
        for name in ["memory", "cpu", "pids"] {
            mounts.by_controller.insert(name.to_owned(), dir.path().join(name));
        }
        let tree = choose(&mounts, None, true, "s");
        assert_eq!(tree.told(), (Cgroups::V1, None));
        let claim = fresh_claim();
        let limited = Confinement { cpu_millis: Some(500), ..Confinement::default() };
        assert_eq!(tree.make(claim, &limited).unwrap().len(), 3);
        assert_eq!(tree.claims().unwrap(), [claim]);
        let free = tree.make(fresh_claim(), &Confinement::default()).unwrap();
        assert_eq!(free.len(), 2, "no tree that would limit nothing: {free:?}");
    }

    #[test]
    fn a_unified_host_is_v2_with_what_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("cgroup.controllers"), "memory pids\n").unwrap();
        let mounts = Mounts { unified: Some(dir.path().to_owned()), ..Mounts::default() };
        // Plain folders are no cgroups: the probe has no cgroup.procs, and so nothing can be confined.
        let (version, warning) = choose(&mounts, None, true, "s").told();
        assert_eq!(version, Cgroups::None);
        assert!(warning.unwrap().contains("Delegate=yes"));
    }

    #[test]
    fn what_cannot_be_made_everywhere_is_made_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let (good, bad) = (dir.path().join("a"), dir.path().join("b"));
        fs::write(&bad, "a file where a folder should be").unwrap();
        let folders = vec![good.clone(), bad];
        let tree = Tree { version: Cgroups::V1, folders, timed: None, handing_down: vec![], warning: None };
        let claim = fresh_claim();
        assert!(tree.make(claim, &Confinement::default()).is_err());
        assert!(!good.join(claim.to_string()).exists());
    }

    #[test]
    fn limits_are_written_in_the_words_of_the_tree() {
        let dir = tempfile::tempdir().unwrap();
        let files = ["memory.max", "cpu.max", "pids.max", "memory.limit_in_bytes", "cpu.cfs_quota_us"];
        for name in files {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let limits = Confinement { memory_bytes: Some(4096), cpu_millis: Some(1500), pids: Some(7), open_files: None };
        make_one(dir.path(), &limits).unwrap();
        let read = |name| fs::read_to_string(dir.path().join(name)).unwrap();
        assert_eq!(files.map(read), ["4096", "150000 100000", "7", "4096", "150000"]);
    }
}
