//! Every format version that is written has a corpus of state in the tree.
//!
//! The versions are read where the code says them, the corpora where they lie; nothing is compiled. Making
//! one is the work of a program of the testbed, which refuses to write over one that is there.

use crate::shell;
use crate::tree::Tree;
use crate::verdict::{Finding, Verdict};
use anyhow::{Context, Result};
use serde_json::{Map, Value};
use std::fs;
use std::path::Path;

/// Where the corpora are.
const FOLDER: &str = "testbed/corpus";

/// Where each format says its version.
const FORMATS: &[(&str, &str, &str)] = &[
    ("store", "crates/store/src/embedded/row.rs", "const FORMAT: u64 = "),
    ("records", "crates/api/src/codec.rs", "const FORMAT: u16 = "),
    ("journal", "crates/host/src/journal/frame.rs", "const VERSION: u32 = "),
];

/// What a corpus is made of.
const FILES: &[&str] = &["formats.json", "store", "state.redb.gz", "claims.log", "holds.txt"];

/// Makes the corpus of today's formats.
///
/// # Errors
/// There is one already.
pub(crate) fn make(tree: &Tree) -> Result<()> {
    let arguments = ["run", "--quiet", "--package", "weft-testbed", "--bin", "weft-corpus", "--"];
    shell::say_and_run(tree.cargo().args(arguments).arg(tree.root().join(FOLDER)))
}

/// Looks that today's formats have a corpus, and that each is whole.
///
/// # Errors
/// A format's version is not where it is said to be.
pub(crate) fn check(tree: &Tree) -> Result<Verdict> {
    let today = today(tree)?;
    let folder = tree.join(FOLDER);
    let mut verdict = Verdict::default();
    let (mut corpora, mut found) = (0, false);
    for entry in fs::read_dir(&folder).with_context(|| FOLDER.to_owned())?.flatten().filter(|it| it.path().is_dir()) {
        corpora += 1;
        let place = tree.relative(&entry.path());
        let missing = FILES.iter().filter(|file| !entry.path().join(file).is_file());
        verdict.findings.extend(missing.map(|file| Finding::new(&place, format!("{file} is missing"))));
        found |= said(&entry.path()).is_some_and(|formats| formats == today);
    }
    if !found {
        let what = format!("{today} has no corpus: make it with `cargo xtask corpus`, before it is released");
        verdict.findings.push(Finding::new(FOLDER, what));
    }
    verdict.looked_at = format!("{corpora} corpora");
    Ok(verdict)
}

/// The formats of a corpus, as it says.
fn said(corpus: &Path) -> Option<Value> {
    serde_json::from_str(&fs::read_to_string(corpus.join("formats.json")).ok()?).ok()
}

/// The formats that the code writes.
fn today(tree: &Tree) -> Result<Value> {
    let mut formats = Map::new();
    for (name, file, before) in FORMATS {
        let text = tree.read(Path::new(file))?;
        let version = version(&text, before).with_context(|| format!("{file} does not say `{before}N;`"))?;
        formats.insert((*name).to_owned(), version.into());
    }
    Ok(Value::Object(formats))
}

fn version(text: &str, before: &str) -> Option<u64> {
    text.split_once(before)?.1.split_once(';')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_where_the_code_says_it() {
        assert_eq!(version("/// x\npub const FORMAT: u64 = 12;\n", "const FORMAT: u64 = "), Some(12));
        assert_eq!(version("pub const FORMAT: u64 = LATER;", "const FORMAT: u64 = "), None);
        assert_eq!(version("", "const FORMAT: u64 = "), None);
    }

    #[test]
    fn a_tree_without_a_corpus_of_its_formats_fails() {
        let folder = tempfile::tempdir().unwrap();
        for (_, file, before) in FORMATS {
            let file = folder.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, format!("{before}2;")).unwrap();
        }
        let one = folder.path().join(FOLDER).join("1");
        fs::create_dir_all(&one).unwrap();
        for file in FILES {
            fs::write(one.join(file), r#"{"store":1,"records":2,"journal":2}"#).unwrap();
        }
        let tree = Tree::at(folder.path());
        assert_eq!(check(&tree).unwrap().findings.len(), 1, "a version has grown");
        fs::write(one.join("formats.json"), r#"{"store":2,"records":2,"journal":2}"#).unwrap();
        assert!(check(&tree).unwrap().findings.is_empty());
        fs::remove_file(one.join("holds.txt")).unwrap();
        assert_eq!(check(&tree).unwrap().findings.len(), 1, "a file is missing");
    }
}
