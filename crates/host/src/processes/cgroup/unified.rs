//! The unified hierarchy: where in it we may make cgroups, and how controllers get there.
//!
//! As root our cgroups are beside those of the system, where no stop or restart of our own unit reaches
//! them. As a user they are where systemd has delegated: beside our own cgroup, since a node that holds
//! processes cannot hand controllers down.

use std::fs;
use std::path::{Path, PathBuf};

/// The controllers that hold limits.
const WANTED: [&str; 3] = ["memory", "cpu", "pids"];

/// Our own cgroup, as `/proc/self/cgroup` tells it.
pub(super) fn own_path(text: &str) -> Option<PathBuf> {
    text.lines().find_map(|line| line.strip_prefix("0::/")).map(PathBuf::from)
}

/// Whether there is a controller of use here; a hybrid host has them in the older hierarchies.
pub(super) fn has_controllers(mount: &Path) -> bool {
    listed(&mount.join("cgroup.controllers")).iter().any(|name| WANTED.contains(&name.as_str()))
}

/// Cgroups under which ours may be made, the best one first.
pub(super) fn parents(mount: &Path, own: Option<&Path>, root: bool) -> Vec<PathBuf> {
    if root {
        return vec![mount.to_owned()];
    }
    let Some(own) = own.filter(|own| !own.as_os_str().is_empty()) else { return Vec::new() };
    let own = mount.join(own);
    let beside = own.parent().filter(|parent| *parent != mount).map(Path::to_owned);
    beside.into_iter().chain([own]).collect()
}

/// Hands each controller that is here down to the children, as far as the kernel lets us.
pub(super) fn hand_down(folder: &Path) {
    let here = listed(&folder.join("cgroup.controllers"));
    let control = folder.join("cgroup.subtree_control");
    let already = listed(&control);
    for name in WANTED.iter().filter(|name| here.iter().any(|here| here == *name)) {
        if already.iter().all(|already| already != name) {
            // What stays missing is warned of.
            let _ = fs::write(&control, format!("+{name}"));
        }
    }
}

/// What is not held below this folder, as a warning.
pub(super) fn missing(folder: &Path) -> Option<String> {
    let down = listed(&folder.join("cgroup.subtree_control"));
    let missing: Vec<_> = WANTED.iter().filter(|name| down.iter().all(|down| down != *name)).collect();
    (!missing.is_empty()).then(|| {
        format!("the cgroup controllers {missing:?} are not handed down to weft, so those limits on VMs are not held")
    })
}

fn listed(file: &Path) -> Vec<String> {
    fs::read_to_string(file).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_cgroup() {
        assert_eq!(own_path("1:cpu:/x\n0::/user.slice/a.scope\n"), Some("user.slice/a.scope".into()));
        assert_eq!(own_path("0::/\n"), Some("".into()));
        assert_eq!(own_path("1:cpu:/x\n"), None);
    }

    #[test]
    fn where_ours_may_be_made() {
        let mount = Path::new("/cg");
        assert_eq!(parents(mount, Some(Path::new("a/b")), true), [mount]);
        assert_eq!(parents(mount, Some(Path::new("a/b")), false), [Path::new("/cg/a"), Path::new("/cg/a/b")]);
        assert_eq!(parents(mount, Some(Path::new("a")), false), [Path::new("/cg/a")]);
        assert_eq!(parents(mount, Some(Path::new("")), false), Vec::<PathBuf>::new());
    }

    #[test]
    fn controllers_are_handed_down_and_missing_ones_told() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!has_controllers(dir.path()));
        fs::write(dir.path().join("cgroup.controllers"), "cpuset memory\n").unwrap();
        assert!(has_controllers(dir.path()));
        hand_down(dir.path());
        assert_eq!(fs::read_to_string(dir.path().join("cgroup.subtree_control")).unwrap(), "+memory");
        fs::write(dir.path().join("cgroup.subtree_control"), "memory pids\n").unwrap();
        assert!(missing(dir.path()).unwrap().contains("[\"cpu\"]"));
    }
}
