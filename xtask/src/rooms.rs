//! Rooms: no import cycles between the modules of a crate.
//!
//! A module is a file; an inline `mod` belongs to the file that it stands in.
//! A file imports another when a path in it (a `use`, a type, a call, a macro's
//! argument) leads to an item written there, re-exports followed to where the
//! item is defined.
//!
//! The rule: at each level of the module tree take the children of one module
//! as nodes, each with all that lies below it. A file below child `a` that
//! imports a file below child `b` makes an edge `a -> b`. These edges must form
//! no cycle. So a parent and its own children are one family and may know each
//! other (a parent re-exports and calls them, they use what its file defines),
//! while two neighbours may know each other in one direction only. `#[cfg(test)]`
//! is ignored. Each target of a crate (library, binary) is a tree of its own.

mod graph;
mod source;

use crate::tree::Tree;
use crate::verdict::{Finding, Verdict};
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Checks every library and binary of the workspace.
pub(crate) fn check(tree: &Tree) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    let mut files = 0;
    for (name, root) in targets(&tree.metadata()?)? {
        let read = |path: &Path| Ok(std::fs::read_to_string(path)?);
        match source::read(&root, &read) {
            Ok(modules) => {
                files += modules.iter().filter(|module| !module.inline).count();
                let named = |path: &Path| tree.relative(path);
                verdict.findings.extend(cycles(&name, &modules, &named));
            }
            Err(error) => verdict.findings.push(Finding::new(name, format!("{error:#}"))),
        }
    }
    verdict.looked_at = format!("{files} modules");
    Ok(verdict)
}

/// The root file of every library and binary, with the crate's name.
fn targets(metadata: &Value) -> Result<Vec<(String, PathBuf)>> {
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let mut found = Vec::new();
    for package in packages {
        let name = package["name"].as_str().context("a package without a name")?;
        for target in package["targets"].as_array().into_iter().flatten() {
            let kinds = target["kind"].as_array().map_or(&[][..], Vec::as_slice);
            let source = target["src_path"].as_str().context("a target without a file")?;
            if kinds.iter().any(|kind| kind == "lib" || kind == "bin" || kind == "proc-macro") {
                found.push((name.to_owned(), PathBuf::from(source)));
            }
        }
    }
    Ok(found)
}

fn cycles(name: &str, modules: &[source::Module], named: &dyn Fn(&Path) -> String) -> Vec<Finding> {
    let edges = graph::edges(modules);
    let found = graph::cycles(modules, &edges);
    found
        .into_iter()
        .map(|cycle| {
            let steps: Vec<String> = cycle
                .iter()
                .map(|edge| {
                    format!(
                        "  {} -> {}: {}:{} names {}",
                        modules[edge.from].title(),
                        modules[edge.to].title(),
                        named(&edge.file),
                        edge.line,
                        edge.path
                    )
                })
                .collect();
            Finding::new(name, format!("modules import each other\n{}", steps.join("\n")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let files: BTreeMap<PathBuf, String> =
            files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect();
        let read = |path: &Path| files.get(path).cloned().context("no such file");
        let modules = source::read(Path::new("src/lib.rs"), &read).unwrap();
        let findings = cycles("room", &modules, &|path| path.display().to_string());
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn neighbours_in_one_direction_pass() {
        let calm = found(&[
            ("src/lib.rs", "mod a; mod b; pub use a::A;"),
            ("src/a.rs", "use crate::b::B; pub struct A(B);"),
            ("src/b.rs", "pub struct B;"),
        ]);
        assert_eq!(calm, Vec::<String>::new());
    }

    #[test]
    fn two_that_import_each_other_are_refused_with_the_lines() {
        let refused = found(&[
            ("src/lib.rs", "mod a; mod b;"),
            ("src/a.rs", "//! A.\nuse crate::b::B;\npub struct A(B);"),
            ("src/b.rs", "pub struct B;\nfn f() { super::a::A::new(); }"),
        ]);
        assert_eq!(
            refused,
            ["room: modules import each other\n  \
              a -> b: src/a.rs:2 names crate::b::B\n  \
              b -> a: src/b.rs:2 names super::a::A::new"]
        );
    }

    #[test]
    fn re_exports_are_followed_to_where_the_item_is_defined() {
        let refused = found(&[
            ("src/lib.rs", "mod error; mod disk; pub use disk::*; pub use error::Error;"),
            ("src/error.rs", "pub struct Error; fn f(d: crate::Disk) {}"),
            ("src/disk.rs", "use crate::Error as E; pub struct Disk;"),
        ]);
        assert_eq!(refused.len(), 1);
        assert!(refused[0].contains("names crate::Disk"));
        assert!(refused[0].contains("names crate::Error"));
    }

    #[test]
    fn a_parent_and_its_children_are_one_family() {
        let calm = found(&[
            ("src/lib.rs", "mod shelf;"),
            ("src/shelf.rs", "mod row; pub struct Shelf(row::Row); pub struct Width;"),
            ("src/shelf/row.rs", "use super::Width; pub struct Row(Width);"),
        ]);
        assert_eq!(calm, Vec::<String>::new());
    }

    #[test]
    fn a_child_counts_for_its_parent_among_the_parent_s_neighbours() {
        let refused = found(&[
            ("src/lib.rs", "mod shelf; mod wall;"),
            ("src/shelf.rs", "mod row; pub struct Shelf;"),
            ("src/shelf/row.rs", "fn f() { println!(\"{}\", crate::wall::WIDTH); }"),
            ("src/wall.rs", "use crate::shelf::Shelf; pub const WIDTH: u8 = 1;"),
        ]);
        assert_eq!(refused.len(), 1);
        assert!(refused[0].contains("src/shelf/row.rs:1 names crate::wall::WIDTH"));
    }

    #[test]
    fn tests_and_inline_modules_of_the_same_file_do_not_count() {
        let calm = found(&[
            ("src/lib.rs", "mod a; mod b;"),
            ("src/a.rs", "use crate::b::B; pub struct A(B); mod inner { use super::A; }"),
            ("src/b.rs", "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }"),
        ]);
        assert_eq!(calm, Vec::<String>::new());
    }

    #[test]
    fn a_longer_cycle_is_told_once() {
        let refused = found(&[
            ("src/lib.rs", "mod a; mod b; mod c;"),
            ("src/a.rs", "use crate::b; pub fn f() { b::g() }"),
            ("src/b.rs", "use crate::c::h; pub fn g() { h() }"),
            ("src/c.rs", "pub fn h() { crate::a::f() }"),
        ]);
        assert_eq!(refused.len(), 1);
        assert_eq!(refused[0].lines().count(), 4);
    }

    #[test]
    fn a_missing_file_is_said() {
        let read = |path: &Path| {
            if path.ends_with("lib.rs") { Ok("mod gone;".to_owned()) } else { anyhow::bail!("no such file") }
        };
        let error = source::read(Path::new("src/lib.rs"), &read).unwrap_err();
        assert!(format!("{error:#}").contains("src/gone.rs"));
    }
}
