//! The working tree: where it is, what files it has, and where cargo builds.
//!
//! Paths go out relative to the root and sorted, so that findings read the same
//! on every machine. Build output, version control and editors' folders are
//! never part of the tree. Nothing here writes.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Folders that hold no source of ours, wherever they lie.
const SKIPPED: &[&str] = &[".git", "node_modules"];
/// The same, at the root only: elsewhere they are ordinary names.
const SKIPPED_AT_ROOT: &[&str] = &["target", ".weft", ".idea", ".vscode"];

/// The root of the repository, and all that is asked of it.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    root: PathBuf,
}

impl Tree {
    /// The tree that this program was built from (cargo says where it is).
    pub(crate) fn find() -> Result<Self> {
        let own = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = own.parent().context("xtask lies in no folder")?;
        if !root.join("Cargo.toml").is_file() {
            bail!("{} holds no Cargo.toml: run through `cargo xtask`", root.display());
        }
        Ok(Self::at(root))
    }

    /// The tree with its root at `root`.
    pub(crate) fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Where the tree begins.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The absolute path of a path of the tree.
    pub(crate) fn join(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// `path` as the tree names it.
    pub(crate) fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }

    /// Every file of the tree, relative and sorted.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        let mut open = vec![PathBuf::new()];
        while let Some(folder) = open.pop() {
            let at = self.root.join(&folder);
            let entries = std::fs::read_dir(&at).with_context(|| format!("list {}", at.display()))?;
            for entry in entries {
                let entry = entry.with_context(|| format!("list {}", at.display()))?;
                let name = entry.file_name();
                let kind = entry.file_type().with_context(|| format!("look at {}", at.display()))?;
                if kind.is_dir() && !is_skipped(&folder, &name) {
                    open.push(folder.join(name));
                } else if kind.is_file() {
                    found.push(folder.join(name));
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// The files that end in `.extension`.
    pub(crate) fn files_ending(&self, extension: &str) -> Result<Vec<PathBuf>> {
        let mut files = self.files()?;
        files.retain(|file| file.extension().is_some_and(|found| found == extension));
        Ok(files)
    }

    /// The text of one file.
    pub(crate) fn read(&self, relative: &Path) -> Result<String> {
        let path = self.root.join(relative);
        std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
    }

    /// A command that runs at the root.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// The cargo that runs us.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = self.command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // Set for this program by `cargo run`; a child must find its own.
        command.env_remove("CARGO_MANIFEST_DIR");
        command
    }

    /// What `cargo metadata --no-deps` says of the workspace.
    pub(crate) fn metadata(&self) -> Result<Value> {
        let output = self
            .cargo()
            .args(["metadata", "--format-version", "1", "--no-deps"])
            .output()
            .context("start cargo metadata")?;
        if !output.status.success() {
            bail!("cargo metadata failed:\n{}", String::from_utf8_lossy(&output.stderr));
        }
        serde_json::from_slice(&output.stdout).context("read the answer of cargo metadata")
    }

    /// The folder that cargo builds into.
    pub(crate) fn target(&self) -> Result<PathBuf> {
        let metadata = self.metadata()?;
        let folder = metadata["target_directory"].as_str();
        Ok(PathBuf::from(folder.context("cargo metadata names no target_directory")?))
    }
}

fn is_skipped(folder: &Path, name: &OsStr) -> bool {
    let at_root = folder.as_os_str().is_empty();
    SKIPPED.iter().any(|skipped| name == *skipped)
        || (at_root && SKIPPED_AT_ROOT.iter().any(|skipped| name == *skipped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_relative_sorted_and_without_build_output() {
        let room = tempfile::tempdir().unwrap();
        for file in ["b.rs", "a/x.rs", "target/y.rs", ".git/z.rs", "a/doc.md", "a/target/w.rs"] {
            let path = room.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let found = Tree::at(room.path()).files_ending("rs").unwrap();
        assert_eq!(found, ["a/target/w.rs", "a/x.rs", "b.rs"].map(PathBuf::from));
    }
}
