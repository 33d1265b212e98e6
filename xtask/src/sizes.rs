//! Sizes and shapes of source files.
//!
//! A `.rs` file opens with a `//!` plate, is at most 600 lines long outside
//! tests unless a line `//! Size: why` gives the reason, is never `mod.rs`, has
//! no name that could mean anything, and its tests never sleep unless a
//! `// why:` on that line or the one above says what cannot be awaited instead.
//! Text goes in, findings come out.

mod names;
mod sleeps;

use crate::syntax::only_for_tests;
use crate::tree::Tree;
use crate::verdict::{Finding, Verdict};
use anyhow::Result;
use std::ops::RangeInclusive;
use std::path::Path;
use syn::spanned::Spanned;

/// More lines than this need a written reason.
const LIMIT: usize = 600;
/// More lines than this are listed.
const LISTED: usize = 400;

/// Checks every `.rs` file of the tree.
pub(crate) fn check(tree: &Tree) -> Result<Verdict> {
    let files = tree.files_ending("rs")?;
    let mut verdict = Verdict { looked_at: format!("{} files", files.len()), ..Verdict::default() };
    for file in &files {
        judge(file, &tree.read(file)?, &mut verdict);
    }
    Ok(verdict)
}

fn judge(file: &Path, text: &str, verdict: &mut Verdict) {
    let place = file.display().to_string();
    let mut refuse = |what: String| verdict.findings.push(Finding::new(&place, what));
    if file.file_name().is_some_and(|name| name == "mod.rs") {
        refuse("mod.rs is not used here: name it after its folder, beside it".into());
    }
    if !text.starts_with("//!") {
        refuse("does not open with `//!`: say what it is, how data comes and goes, what always holds".into());
    }
    let parsed = match syn::parse_file(text) {
        Ok(parsed) => parsed,
        Err(error) => return refuse(format!("does not parse: {error}")),
    };
    let tests = test_lines(&parsed.items);
    let lines = text.lines().count() - tests.iter().map(|range| range.clone().count()).sum::<usize>();
    if lines > LIMIT && !is_test_file(file) && !text.lines().any(|line| line.starts_with("//! Size: ")) {
        refuse(format!("{lines} lines outside tests (at most {LIMIT}): split it, or say why with `//! Size: …`"));
    } else if lines > LISTED {
        verdict.notes.push(format!("{place} has {lines} lines outside tests"));
    }
    verdict.findings.extend(names::judge(&place, &parsed));
    let in_tests = |line: usize| is_test_file(file) || tests.iter().any(|range| range.contains(&line));
    verdict.findings.extend(sleeps::judge(&place, text, &in_tests));
}

/// Files that are tests as a whole; the testbed is.
fn is_test_file(file: &Path) -> bool {
    file.starts_with("testbed")
        || file.components().any(|part| part.as_os_str() == "tests")
        || file.file_stem().is_some_and(|stem| stem == "tests")
}

/// The lines of inline modules that exist only for tests.
fn test_lines(items: &[syn::Item]) -> Vec<RangeInclusive<usize>> {
    let mut found = Vec::new();
    for item in items {
        let syn::Item::Mod(module) = item else { continue };
        let Some((_, inner)) = &module.content else { continue };
        if only_for_tests(&module.attrs) {
            found.push(module.span().start().line..=module.span().end().line);
        } else {
            found.extend(test_lines(inner));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(file: &str, text: &str) -> Verdict {
        let mut verdict = Verdict::default();
        judge(Path::new(file), text, &mut verdict);
        verdict
    }

    fn long(lines: usize) -> String {
        format!("//! Long.\n{}", "fn f() {}\n".repeat(lines - 1))
    }

    #[test]
    fn a_short_file_with_a_plate_is_in_order() {
        let calm = verdict("src/a.rs", "//! A.\nfn f() {}\n");
        assert!(calm.findings.is_empty() && calm.notes.is_empty());
    }

    #[test]
    fn a_file_without_a_plate_is_refused() {
        assert!(verdict("src/a.rs", "// A.\nfn f() {}\n").findings[0].what.contains("open with"));
    }

    #[test]
    fn mod_rs_is_refused() {
        assert!(verdict("src/a/mod.rs", "//! A.\n").findings[0].what.contains("mod.rs"));
    }

    #[test]
    fn the_limit_is_600_and_a_reason_lifts_it() {
        assert!(verdict("src/a.rs", &long(400)).notes.is_empty());
        assert!(verdict("src/a.rs", &long(600)).findings.is_empty());
        assert_eq!(verdict("src/a.rs", &long(600)).notes.len(), 1);
        assert!(verdict("src/a.rs", &long(601)).findings[0].what.starts_with("601 lines"));
        let with_reason = format!("//! Size: one table.\n{}", long(700));
        assert!(verdict("src/a.rs", &with_reason).findings.is_empty());
    }

    #[test]
    fn test_modules_and_test_files_do_not_count() {
        let tests = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", long(10), "fn t() {}\n".repeat(900));
        assert!(verdict("src/a.rs", &tests).findings.is_empty());
        assert!(verdict("crates/a/tests/a.rs", &long(900)).findings.is_empty());
    }

    #[test]
    fn broken_source_is_said() {
        assert!(verdict("src/a.rs", "//! A.\nfn {").findings[0].what.contains("does not parse"));
    }
}
