//! What is planted on a host by hand: leaks, what only looks like one, and adversaries.

use crate::house::{House, alive};
use rustix::process::{Pid, Signal};
use std::cell::RefCell;
use std::fs::{self, File};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};
use weft_domain::census::Sort;
use weft_domain::{ClaimId, InstanceId, SnapshotId, Time};
use weft_ports::clock::{Clock, System};

/// Long enough ago for a claim to be old, and for a draft to be done.
const AGO: Duration = Duration::from_secs(3600);

/// What was planted.
pub(crate) struct Plants {
    /// What is to be taken away, as a census names it.
    pub(crate) leaked: Vec<(Sort, String)>,
    /// What is told and left alone, for it may hold somebody's bytes.
    pub(crate) kept: Vec<(Sort, String)>,
    /// What is not weft's.
    pub(crate) foreign: Vec<(Sort, String)>,
    children: RefCell<Vec<Child>>,
    strangers: RefCell<Vec<Child>>,
}

/// A claim that nobody holds.
fn old_claim() -> ClaimId {
    let millis = i64::try_from(System.now().as_millis()).expect("a moment of this age");
    ClaimId::new(Time::from_millis(millis - 3_600_000), System.random())
}

/// Twelve digits of a claim, as they name the folder of its sockets.
fn digits(claim: ClaimId) -> String {
    let text = claim.to_string();
    text[text.len() - 12..].to_owned()
}

/// A process that bears a claim of a scope.
fn bearer(claim: &str, scope: &str) -> Child {
    let mut command = Command::new("sleep");
    command.arg("1000").env("WEFT_CLAIM", claim).env("WEFT_SCOPE", scope);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("sleep is here")
}

fn scope(house: &House) -> String {
    weft_host::processes::scope_of(&house.daemon.data_dir())
}

/// A file that nobody has touched for long.
fn old_file(path: &Path) {
    let file = File::create(path).expect("a file can be made");
    file.set_modified(SystemTime::now() - AGO).expect("its time can be set");
}

impl Plants {
    /// Plants one of each sort.
    pub(crate) fn set(house: &House) -> Self {
        let mut plants = Self {
            leaked: Vec::new(),
            kept: Vec::new(),
            foreign: Vec::new(),
            children: RefCell::default(),
            strangers: RefCell::default(),
        };
        plants.set_processes(house);
        plants.set_cgroups(house);
        plants.set_sockets(house);
        plants.set_drafts(house);
        plants.set_folders(house);
        plants
    }

    fn set_processes(&mut self, house: &House) {
        let leaked = bearer(&old_claim().to_string(), &scope(house));
        self.leaked.push((Sort::Process, leaked.id().to_string()));
        self.children.get_mut().push(leaked);
        let other = bearer(&old_claim().to_string(), "0123456789abcdef");
        self.foreign.push((Sort::Process, other.id().to_string()));
        let bare = bearer("claim-of-nobody", &scope(house));
        self.strangers.get_mut().extend([other, bare]);
    }

    fn set_cgroups(&mut self, house: &House) {
        let claim = old_claim().to_string();
        for folder in house.daemon.cgroups() {
            fs::create_dir(folder.join(&claim)).expect("a cgroup can be made");
            let probe = folder.join("probe-4194305");
            fs::create_dir(&probe).expect("a cgroup can be made");
            self.leaked.push((Sort::Cgroup, probe.display().to_string()));
            let other = folder.join("somebody");
            fs::create_dir(&other).expect("a cgroup can be made");
            self.foreign.push((Sort::Cgroup, other.display().to_string()));
        }
        if !house.daemon.cgroups().is_empty() {
            self.leaked.push((Sort::Cgroup, claim));
        }
    }

    fn set_sockets(&mut self, house: &House) {
        let run = house.path("run/vms");
        let folder = run.join(digits(old_claim()));
        fs::create_dir_all(folder.join("run")).expect("a folder can be made");
        let socket = folder.join("run/api.sock");
        drop(UnixListener::bind(&socket).expect("a socket can be made"));
        self.leaked.push((Sort::RunFolder, folder.display().to_string()));
        let socket = run.join(digits(old_claim()));
        drop(UnixListener::bind(&socket).expect("a socket can be made"));
        self.leaked.push((Sort::Socket, socket.display().to_string()));
        let other = run.join("mine.sock");
        drop(UnixListener::bind(&other).expect("a socket can be made"));
        self.foreign.push((Sort::Socket, other.display().to_string()));
    }

    fn set_drafts(&mut self, house: &House) {
        for name in ["node-id.new", "run/launcher-4194305.new", "copies/0011223344"] {
            let path = house.path(name);
            fs::create_dir_all(path.parent().expect("it has a parent")).expect("a folder can be made");
            old_file(&path);
            self.leaked.push((Sort::Draft, path.display().to_string()));
        }
        let mine = house.path("notes.new");
        old_file(&mine);
        self.foreign.push((Sort::File, mine.display().to_string()));
    }

    fn set_folders(&mut self, house: &House) {
        let id = || (System.now(), System.random());
        let ((at, first), (_, second)) = (id(), id());
        let vm = house.path("vms").join(InstanceId::new(at, first).to_string());
        let snapshot = house.path("snapshots").join(SnapshotId::new(at, second).to_string());
        for (sort, folder, file) in [(Sort::Folder, vm, "disk-root.raw"), (Sort::Snapshot, snapshot, "memory")] {
            fs::create_dir_all(&folder).expect("a folder can be made");
            old_file(&folder.join(file));
            old_file(&folder.join(".half.raw.new"));
            self.kept.push((sort, folder.display().to_string()));
        }
        let other = house.path("vms/lost+found");
        fs::create_dir(&other).expect("a folder can be made");
        self.foreign.push((Sort::Folder, other.display().to_string()));
    }

    /// Whether all that leaked is gone.
    pub(crate) fn healed(&self) -> bool {
        for child in self.children.borrow_mut().iter_mut() {
            // It is ours to reap.
            drop(child.try_wait());
        }
        let left = |(sort, name): &(Sort, String)| {
            if *sort == Sort::Process { alive(name.parse().expect("a pid")) } else { Path::new(name).exists() }
        };
        !self.leaked.iter().any(left)
    }

    /// Nothing was touched that is foreign or kept.
    pub(crate) fn assert_rest_is_there(&self) {
        for stranger in self.strangers.borrow().iter() {
            assert!(alive(stranger.id()), "a stranger was ended");
        }
        for (sort, name) in self.kept.iter().chain(&self.foreign).filter(|(sort, _)| *sort != Sort::Process) {
            assert!(Path::new(name).exists(), "{sort} {name} was taken away");
        }
        for (_, folder) in &self.kept {
            assert_eq!(fs::read_dir(folder).expect("it is there").count(), 2, "{folder} lost something");
        }
    }

    /// Takes away by hand what a census leaves.
    pub(crate) fn clear_kept(&self) {
        for (_, folder) in &self.kept {
            fs::remove_dir_all(folder).expect("it can be removed");
        }
    }
}

impl Drop for Plants {
    fn drop(&mut self) {
        for child in self.children.get_mut().iter_mut().chain(self.strangers.get_mut()) {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
        for (_, name) in self.foreign.iter().filter(|(sort, name)| *sort == Sort::Cgroup && name.starts_with('/')) {
            let _ = fs::remove_dir(name);
        }
    }
}

/// Moves the process of a live VM into cgroups of a claim that nobody holds; answers those.
pub(crate) fn move_into_a_stray_cgroup(house: &House, pid: u32) -> Option<Vec<PathBuf>> {
    let claim = old_claim().to_string();
    let mut stray = Vec::new();
    for folder in house.daemon.cgroups() {
        let own = folder.join(&claim);
        fs::create_dir(&own).ok()?;
        fs::write(own.join("cgroup.procs"), pid.to_string()).ok()?;
        stray.push(own);
    }
    (!stray.is_empty()).then_some(stray)
}

/// Moves it back to the cgroups that are its own.
pub(crate) fn take_back(house: &House, pid: u32, stray: &[PathBuf]) {
    let environ = fs::read(format!("/proc/{pid}/environ")).expect("it lives");
    let environ = String::from_utf8_lossy(&environ).into_owned();
    let claim = environ.split('\0').find_map(|variable| variable.strip_prefix("WEFT_CLAIM=")).expect("it bears one");
    for folder in house.daemon.cgroups() {
        let (own, top) = (folder.join(claim), folder.parent().and_then(Path::parent).expect("the root of the tree"));
        let door = if own.is_dir() { own } else { top.to_owned() };
        fs::write(door.join("cgroup.procs"), pid.to_string()).expect("it can be moved");
    }
    assert!(!stray.is_empty());
}

/// Starts a process that bears a claim that nobody holds, and puts it into the cgroup of a live VM.
pub(crate) fn stranger_in_the_cgroup_of(house: &House, pid: u32) -> Option<Child> {
    let doors: Vec<PathBuf> = house
        .cgroups()
        .into_iter()
        .filter(|folder| {
            let members = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
            members.lines().any(|line| line == pid.to_string())
        })
        .collect();
    if doors.is_empty() {
        return None;
    }
    let child = bearer(&old_claim().to_string(), &scope(house));
    for folder in doors {
        fs::write(folder.join("cgroup.procs"), child.id().to_string()).expect("it can be moved");
    }
    Some(child)
}

/// Ends a process.
pub(crate) fn kill(pid: u32) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a pid");
    rustix::process::kill_process(pid, Signal::KILL).expect("it lives");
}
