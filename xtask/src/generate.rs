//! Files that are made by the `weft` program and checked in.
//!
//! `GENERATED` is the whole list: a hidden command of `weft` and where its
//! answer belongs. Everything is made in a temporary folder first; `write` then
//! puts it into the tree, `compare` only says what differs. A folder of the list
//! holds generated files and nothing else.

use crate::shell;
use crate::tree::Tree;
use crate::verdict::{Finding, Verdict};
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One generated thing.
struct Generated {
    /// The arguments of `weft`; for a folder its path is added.
    command: &'static [&'static str],
    to: Place,
}

/// Where it belongs, relative to the root.
#[derive(Clone, Copy)]
enum Place {
    /// What the command prints becomes this file.
    File(&'static str),
    /// The command writes its files here.
    Folder(&'static str),
}

/// The list.
const GENERATED: &[Generated] = &[
    Generated { command: &["internal", "markdown-help"], to: Place::File("docs/cli.md") },
    Generated { command: &["internal", "config-reference"], to: Place::File("docs/configuration.md") },
    Generated { command: &["internal", "man"], to: Place::Folder("docs/man") },
    Generated { command: &["internal", "completions"], to: Place::Folder("deploy/completions") },
];

/// Files by path relative to the root.
type Files = BTreeMap<PathBuf, Vec<u8>>;

/// The command that builds the `weft` program for tests, demo and generation.
pub(crate) fn build(tree: &Tree) -> Command {
    let mut command = tree.cargo();
    command.args(["build", "--package", "weft"]);
    command
}

/// Where `build` puts it.
pub(crate) fn built(tree: &Tree) -> Result<PathBuf> {
    Ok(tree.target()?.join("debug/weft"))
}

/// Makes everything and writes what differs.
pub(crate) fn write(tree: &Tree) -> Result<()> {
    let made = make(tree)?;
    let there = existing(tree)?;
    for difference in differences(&made, &there) {
        let path = tree.join(&difference.path);
        if let Some(bytes) = made.get(&difference.path) {
            let folder = path.parent().context("a generated file lies in no folder")?;
            std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
            std::fs::write(&path, bytes).with_context(|| format!("write {}", path.display()))?;
        } else {
            std::fs::remove_file(&path).with_context(|| format!("remove {}", path.display()))?;
        }
        println!("generate: {} {}", difference.path.display(), difference.done);
    }
    println!("generate: {} files up to date", made.len());
    Ok(())
}

/// Makes everything and says what differs; writes nothing.
pub(crate) fn compare(tree: &Tree) -> Result<Verdict> {
    let made = make(tree)?;
    let findings = differences(&made, &existing(tree)?)
        .into_iter()
        .map(|difference| {
            let what = format!("{}: run `cargo xtask generate`", difference.wrong);
            Finding::new(difference.path.display().to_string(), what)
        })
        .collect();
    Ok(Verdict { looked_at: format!("{} generated files", made.len()), notes: Vec::new(), findings })
}

fn make(tree: &Tree) -> Result<Files> {
    shell::run(&mut build(tree))?;
    let weft = built(tree)?;
    let room = tempfile::tempdir().context("make a temporary folder")?;
    let mut made = Files::new();
    for generated in GENERATED {
        let mut command = Command::new(&weft);
        // The answer must not depend on who asks.
        command.current_dir(room.path()).args(generated.command).env("NO_COLOR", "1").env("COLUMNS", "100");
        match generated.to {
            Place::File(path) => {
                made.insert(path.into(), shell::output(&mut command)?);
            }
            Place::Folder(path) => {
                let folder = room.path().join(path);
                std::fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
                shell::output(command.arg(&folder))?;
                made.extend(read_folder(room.path(), path)?);
            }
        }
    }
    Ok(made)
}

fn existing(tree: &Tree) -> Result<Files> {
    let mut there = Files::new();
    for generated in GENERATED {
        match generated.to {
            Place::File(path) => {
                if let Ok(bytes) = std::fs::read(tree.join(path)) {
                    there.insert(path.into(), bytes);
                }
            }
            Place::Folder(path) if tree.join(path).is_dir() => there.extend(read_folder(tree.root(), path)?),
            Place::Folder(_) => {}
        }
    }
    Ok(there)
}

fn read_folder(root: &Path, folder: &str) -> Result<Files> {
    let mut files = Files::new();
    for path in Tree::at(&root.join(folder)).files()? {
        let path = Path::new(folder).join(path);
        let bytes = std::fs::read(root.join(&path)).with_context(|| format!("read {}", path.display()))?;
        files.insert(path, bytes);
    }
    Ok(files)
}

struct Difference {
    path: PathBuf,
    /// As a state: "is out of date".
    wrong: &'static str,
    /// As an act: "rewritten".
    done: &'static str,
}

fn differences(made: &Files, there: &Files) -> Vec<Difference> {
    let mut found = Vec::new();
    for (path, bytes) in made {
        match there.get(path) {
            None => found.push(Difference { path: path.clone(), wrong: "is missing", done: "written" }),
            Some(old) if old != bytes => {
                found.push(Difference { path: path.clone(), wrong: "is out of date", done: "rewritten" });
            }
            Some(_) => {}
        }
    }
    for path in there.keys().filter(|path| !made.contains_key(*path)) {
        found.push(Difference { path: path.clone(), wrong: "is generated no more", done: "removed" });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(list: &[(&str, &str)]) -> Files {
        list.iter().map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn new_changed_and_stale_files_differ_and_equal_ones_do_not() {
        let made = files(&[("a", "1"), ("b", "2"), ("c", "3")]);
        let there = files(&[("a", "1"), ("b", "old"), ("d", "4")]);
        let found = differences(&made, &there);
        let told: Vec<(&str, &str)> = found.iter().map(|d| (d.path.to_str().unwrap(), d.wrong)).collect();
        assert_eq!(told, [("b", "is out of date"), ("c", "is missing"), ("d", "is generated no more")]);
    }
}
