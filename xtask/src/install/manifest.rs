//! The list of what was installed: one line each, a kind and a path.
//!
//! Text goes in and out; nothing here touches what the list names. Paths are
//! those of the installed system, so a packaged list holds where it is unpacked.

use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Entry {
    /// A folder that was not there before.
    Folder(PathBuf),
    /// A file that is ours.
    File(PathBuf),
    /// A file that is the owner's once it is there.
    Configuration(PathBuf),
}

impl Entry {
    /// What the line names.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Folder(path) | Self::File(path) | Self::Configuration(path) => path,
        }
    }
}

/// The list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    entries: BTreeSet<Entry>,
}

impl Manifest {
    /// Reads the list at `path`; no file is an empty list.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).with_context(|| format!("read {}", path.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let mut manifest = Self::default();
        for line in text.lines() {
            let (kind, path) = line.split_once(' ').with_context(|| format!("no entry: {line}"))?;
            let path = PathBuf::from(path);
            if !path.is_absolute() {
                bail!("no absolute path: {line}");
            }
            manifest.add(match kind {
                "folder" => Entry::Folder(path),
                "file" => Entry::File(path),
                "configuration" => Entry::Configuration(path),
                _ => bail!("no entry: {line}"),
            });
        }
        Ok(manifest)
    }

    /// The list as text.
    pub(crate) fn text(&self) -> String {
        let line = |entry: &Entry| match entry {
            Entry::Folder(path) => format!("folder {}\n", path.display()),
            Entry::File(path) => format!("file {}\n", path.display()),
            Entry::Configuration(path) => format!("configuration {}\n", path.display()),
        };
        self.entries.iter().map(line).collect()
    }

    pub(crate) fn add(&mut self, entry: Entry) {
        self.entries.insert(entry);
    }

    /// What an earlier installation made stays ours.
    pub(crate) fn keep_folders_of(&mut self, old: &Self) {
        let folders = old.entries.iter().filter(|entry| matches!(entry, Entry::Folder(_)));
        self.entries.extend(folders.cloned());
    }

    /// Both lists in one.
    pub(crate) fn with(&self, other: &Self) -> Self {
        Self { entries: self.entries.union(&other.entries).cloned().collect() }
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::File(path) => Some(path.as_path()),
            Entry::Folder(_) | Entry::Configuration(_) => None,
        })
    }

    pub(crate) fn configurations(&self) -> impl Iterator<Item = &Path> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Configuration(path) => Some(path.as_path()),
            Entry::Folder(_) | Entry::File(_) => None,
        })
    }

    /// Folders in the order in which they can be removed.
    pub(crate) fn folders_inmost_first(&self) -> impl Iterator<Item = &Path> {
        // Sorted paths name a folder before what lies in it.
        self.entries.iter().rev().filter_map(|entry| match entry {
            Entry::Folder(path) => Some(path.as_path()),
            Entry::File(_) | Entry::Configuration(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_reads_back_as_it_was_written() {
        let mut list = Manifest::default();
        list.add(Entry::File("/usr/local/bin/weft".into()));
        list.add(Entry::Folder("/usr/local/share/weft dir".into()));
        list.add(Entry::Configuration("/etc/weft/weft.toml".into()));
        assert_eq!(Manifest::parse(&list.text()).unwrap(), list);
    }

    #[test]
    fn folders_come_inmost_first() {
        let list = Manifest::parse("folder /a\nfolder /a/b\nfolder /a/b/c\n").unwrap();
        let order: Vec<&Path> = list.folders_inmost_first().collect();
        assert_eq!(order, [Path::new("/a/b/c"), Path::new("/a/b"), Path::new("/a")]);
    }

    #[test]
    fn a_damaged_list_is_refused() {
        assert!(Manifest::parse("file relative/path").is_err());
        assert!(Manifest::parse("door /a").is_err());
        assert!(Manifest::parse("nonsense").is_err());
    }
}
