//! What is on this machine of one daemon, seen from outside: processes, cgroups, folders, files, mounts.
//!
//! Nothing of it is asked of weft. What it has to know is how its things bear its name: the variable
//! `WEFT_SCOPE` and the cgroup `weft/<scope>` of a data folder.

use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A process that is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) start_ticks: u64,
    /// The claim that it bears.
    pub(super) claim: Option<String>,
    /// It leads its session, as the one that was launched does.
    pub(super) leads: bool,
    pub(super) command: String,
}

/// Everything.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) processes: Vec<Process>,
    /// Claims that have a cgroup in any tree.
    pub(super) cgroups: BTreeSet<String>,
    /// Folders of sockets.
    pub(super) sockets: BTreeSet<String>,
    /// Folders of VMs, with the lengths of their files.
    pub(super) vms: BTreeMap<String, BTreeMap<String, u64>>,
    /// Folders of snapshots, the same.
    pub(super) snapshots: BTreeMap<String, BTreeMap<String, u64>>,
    /// Files that were begun and never put in their place.
    pub(super) half: Vec<PathBuf>,
    /// Mounts below the data folder.
    pub(super) mounts: Vec<String>,
    /// What VMMs say of their machines, by the folder of their sockets.
    pub(super) states: BTreeMap<String, String>,
}

/// Who is looked for.
#[derive(Debug, Clone)]
pub(super) struct Census {
    data_dir: PathBuf,
    scope: String,
}

impl Census {
    /// Of this data folder, which is there.
    pub(super) fn of(data_dir: &Path) -> Self {
        Self { data_dir: data_dir.to_owned(), scope: weft_host::processes::scope_of(data_dir) }
    }

    /// Looks at everything; `daemon` is no finding.
    pub(super) fn take(&self, daemon: Option<u32>) -> Seen {
        let data = &self.data_dir;
        Seen {
            processes: self.processes().into_iter().filter(|process| Some(process.pid) != daemon).collect(),
            cgroups: self.cgroups().iter().filter_map(|path| name_of(path)).collect(),
            sockets: entries(&data.join("run/vms")).iter().filter_map(|path| name_of(path)).collect(),
            vms: folders(&data.join("vms")),
            snapshots: folders(&data.join("snapshots")),
            half: self.half(),
            mounts: self.mounts(),
            states: BTreeMap::new(),
        }
    }

    /// Asks every VMM what its machine does.
    pub(super) fn ask(&self, seen: &mut Seen) {
        let parent = self.data_dir.join("run/vms");
        let told = |folder: &String| Some((folder.clone(), super::says::state(&parent.join(folder))?));
        seen.states = seen.sockets.iter().filter_map(told).collect();
    }

    /// Living processes of ours.
    pub(super) fn processes(&self) -> Vec<Process> {
        let pids = entries(Path::new("/proc")).into_iter().filter_map(|path| name_of(&path)?.parse().ok());
        pids.filter_map(|pid| self.process(pid)).collect()
    }

    fn process(&self, pid: u32) -> Option<Process> {
        let command = fs::read(format!("/proc/{pid}/cmdline")).ok().filter(|line| !line.is_empty())?;
        let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let value = |name: &str| {
            let variables = environ.split(|byte| *byte == 0);
            let mut values = variables.filter_map(|it| it.strip_prefix(name.as_bytes())?.strip_prefix(b"="));
            values.next().map(|value| String::from_utf8_lossy(value).into_owned())
        };
        let scoped = value("WEFT_SCOPE").is_some_and(|scope| scope == self.scope);
        let folder = self.data_dir.as_os_str().as_encoded_bytes();
        if !scoped && !command.windows(folder.len()).any(|part| part == folder) {
            return None;
        }
        let (start_ticks, leads) = stat(pid)?;
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        Some(Process { pid, start_ticks, claim: value("WEFT_CLAIM"), leads, command })
    }

    /// Cgroups of claims, in each tree.
    pub(super) fn cgroups(&self) -> Vec<PathBuf> {
        let scopes = self.scopes();
        scopes.iter().flat_map(|scope| entries(scope)).filter(|path| path.is_dir()).collect()
    }

    /// Our cgroup in each tree.
    pub(super) fn scopes(&self) -> Vec<PathBuf> {
        let root = PathBuf::from("/sys/fs/cgroup");
        let trees = entries(&root).into_iter().chain([root]);
        trees.map(|tree| tree.join("weft").join(&self.scope)).filter(|scope| scope.is_dir()).collect()
    }

    fn half(&self) -> Vec<PathBuf> {
        let places = ["", "journal", "store", "run", "vms", "snapshots"];
        let all = places.iter().flat_map(|place| entries(&self.data_dir.join(place)));
        let half = |path: &PathBuf| {
            let name = name_of(path).unwrap_or_default();
            [".new", ".tmp", ".part"].iter().any(|end| name.ends_with(end))
        };
        all.filter(half).collect()
    }

    fn mounts(&self) -> Vec<String> {
        let text = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let folder = self.data_dir.to_string_lossy();
        text.lines().filter(|line| line.contains(&*folder)).map(str::to_owned).collect()
    }
}

/// Start time, and whether it leads its session; nothing of one that is dead.
pub(super) fn stat(pid: u32) -> Option<(u64, bool)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold anything; what follows its last bracket does not.
    let rest: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
    if matches!(*rest.first()?, "Z" | "X") {
        return None;
    }
    let session: u32 = rest.get(3)?.parse().ok()?;
    Some((rest.get(19)?.parse().ok()?, session == pid))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn name_of(path: &Path) -> Option<String> {
    Some(path.file_name()?.to_str()?.to_owned())
}

fn folders(parent: &Path) -> BTreeMap<String, BTreeMap<String, u64>> {
    let of = |folder: PathBuf| {
        let length = |path: &PathBuf| fs::symlink_metadata(path).map_or(0, |it| it.len());
        let files = entries(&folder).into_iter().filter_map(|path| Some((name_of(&path)?, length(&path))));
        Some((name_of(&folder)?, files.collect()))
    };
    entries(parent).into_iter().filter_map(of).collect()
}

/// The SHA-256 of a file; nothing where it cannot be read.
pub(super) fn sum(path: &Path) -> Option<[u8; 32]> {
    let (mut file, mut hash, mut chunk) = (fs::File::open(path).ok()?, Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut chunk).ok()? {
            0 => return Some(hash.finalize().into()),
            read => hash.update(&chunk[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_half_files_are_seen() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("vms/vm-1")).unwrap();
        fs::create_dir_all(dir.path().join("run/vms/abc")).unwrap();
        fs::write(dir.path().join("vms/vm-1/disk-a.raw"), [0; 9]).unwrap();
        fs::write(dir.path().join("up.json.new"), "").unwrap();
        let seen = Census::of(dir.path()).take(None);
        assert_eq!(seen.vms["vm-1"], BTreeMap::from([("disk-a.raw".to_owned(), 9)]));
        assert_eq!((seen.sockets.len(), seen.half.len(), seen.processes.len()), (1, 1, 0));
        assert_eq!(sum(&dir.path().join("up.json.new")).unwrap()[..4], [0xe3, 0xb0, 0xc4, 0x42]);
    }

    #[test]
    fn we_live_and_nobody_has_pid_zero() {
        assert!(stat(std::process::id()).is_some());
        assert_eq!(stat(0), None);
    }
}
