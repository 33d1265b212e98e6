//! Where the hierarchies are mounted, as `/proc/self/mounts` tells it.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where the hierarchies are mounted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Mounts {
    /// The unified hierarchy.
    pub(super) unified: Option<PathBuf>,
    /// A mount point per controller of the older kind; several may share one.
    pub(super) by_controller: BTreeMap<String, PathBuf>,
}

/// Reads the table; the first mount of each kind counts.
pub(super) fn parse(text: &str) -> Mounts {
    let mut mounts = Mounts::default();
    for line in text.lines() {
        let mut fields = line.split(' ').skip(1);
        let (Some(point), Some(kind), Some(options)) = (fields.next(), fields.next(), fields.next()) else { continue };
        let point = PathBuf::from(unescape(point));
        match kind {
            "cgroup2" => _ = mounts.unified.get_or_insert(point),
            "cgroup" => {
                for option in options.split(',') {
                    mounts.by_controller.entry(option.to_owned()).or_insert_with(|| point.clone());
                }
            }
            _ => {}
        }
    }
    mounts
}

/// Spaces and their like are written as octal escapes.
fn unescape(text: &str) -> String {
    text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_tables() {
        let hybrid = "proc /proc proc rw 0 0\n\
            cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0\n\
            cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n\
            cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
        let mounts = parse(hybrid);
        assert_eq!(mounts.unified, Some("/sys/fs/cgroup/unified".into()));
        assert_eq!(mounts.by_controller["cpu"], PathBuf::from("/sys/fs/cgroup/cpu,cpuacct"));
        assert_eq!(mounts.by_controller["memory"], PathBuf::from("/sys/fs/cgroup/memory"));
        let modern = "cgroup2 /sys/fs/my\\040cgroup cgroup2 rw,nsdelegate 0 0\n";
        assert_eq!(parse(modern).unified, Some("/sys/fs/my cgroup".into()));
        assert_eq!(parse("cut off"), Mounts::default());
    }
}
