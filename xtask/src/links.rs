//! Links in the documents lead somewhere: relative files exist, anchors name a heading.
//!
//! Markdown goes in, findings come out. Links with a scheme are not followed,
//! since a check must not need the network. Code is not looked at.

use crate::tree::Tree;
use crate::verdict::{Finding, Verdict};
use anyhow::Result;
use std::path::{Component, Path, PathBuf};

/// Checks every markdown file of the tree.
pub(crate) fn check(tree: &Tree) -> Result<Verdict> {
    let files = tree.files_ending("md")?;
    let mut links = 0;
    let mut findings = Vec::new();
    for file in &files {
        for link in links_in(&tree.read(file)?) {
            links += 1;
            if let Some(wrong) = judge(tree, file, &link.target)? {
                findings.push(Finding::new(format!("{}:{}", file.display(), link.line), wrong));
            }
        }
    }
    Ok(Verdict { looked_at: format!("{links} links in {} files", files.len()), notes: Vec::new(), findings })
}

/// What is wrong with a link of `file`.
fn judge(tree: &Tree, file: &Path, target: &str) -> Result<Option<String>> {
    let has_scheme = target
        .split_once(':')
        .is_some_and(|(scheme, _)| scheme.chars().all(|c| c.is_ascii_alphanumeric() || c == '+' || c == '-'));
    if has_scheme || target.starts_with("//") {
        return Ok(None);
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let folder = file.parent().unwrap_or(Path::new(""));
    let Some(leads_to) = plain(if path.is_empty() { file.to_owned() } else { folder.join(path) }) else {
        return Ok(Some(format!("`{target}` leads out of the repository")));
    };
    if !tree.join(&leads_to).exists() {
        return Ok(Some(format!("`{target}` leads to {}, which does not exist", leads_to.display())));
    }
    let is_document = leads_to.extension().is_some_and(|extension| extension == "md");
    if !anchor.is_empty() && is_document && !anchors(&tree.read(&leads_to)?).contains(&anchor.to_owned()) {
        return Ok(Some(format!("no heading of {} makes the anchor #{anchor}", leads_to.display())));
    }
    Ok(None)
}

/// The path without `.` and `..`; `None` when it leaves the tree.
fn plain(path: PathBuf) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => plain.push(name),
            Component::ParentDir => plain.pop().then_some(())?,
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(plain)
}

#[derive(Debug, PartialEq, Eq)]
struct Link {
    target: String,
    line: usize,
}

/// Inline links, images and reference definitions, without those in code.
fn links_in(text: &str) -> Vec<Link> {
    let mut found = Vec::new();
    for (line, prose) in prose(text) {
        let mut rest = prose.as_str();
        while let Some((_, after)) = rest.split_once("](") {
            let Some((target, beyond)) = after.split_once(')') else { break };
            let target = target.split_whitespace().next().unwrap_or("");
            found.push(Link { target: target.trim_matches(['<', '>']).to_owned(), line });
            rest = beyond;
        }
        let definition = prose.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        if let Some((_, target)) = definition {
            found.push(Link { target: target.trim().to_owned(), line });
        }
    }
    found
}

/// Lines that are not code, with their numbers; code spans are blanked.
fn prose(text: &str) -> Vec<(usize, String)> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let kept: Vec<&str> = line.split('`').step_by(2).collect();
            lines.push((index + 1, kept.join("")));
        }
    }
    lines
}

/// The anchors that the headings of a document make, as forges make them.
fn anchors(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut found: Vec<String> = Vec::new();
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        let Some(heading) = line.strip_prefix('#').filter(|_| !fenced) else { continue };
        let slug: String = heading
            .trim_start_matches('#')
            .trim()
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let before = found.iter().filter(|anchor| **anchor == slug).count();
        found.push(if before == 0 { slug } else { format!("{slug}-{before}") });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(text: &str) -> Vec<String> {
        links_in(text).into_iter().map(|link| link.target).collect()
    }

    #[test]
    fn links_are_found_outside_code() {
        let text = "[a](one.md) and ![b](two.png \"title\")\n```\n[c](three.md)\n```\n`[d](four.md)`\n[e]: five.md";
        assert_eq!(targets(text), ["one.md", "two.png", "five.md"]);
    }

    #[test]
    fn headings_make_anchors() {
        assert_eq!(anchors("# A `b`, c!\n## Run it\n# Run it\n```\n# no\n```"), ["a-b-c", "run-it", "run-it-1"]);
    }

    #[test]
    fn missing_files_and_anchors_are_refused() {
        let room = tempfile::tempdir().unwrap();
        std::fs::create_dir(room.path().join("docs")).unwrap();
        std::fs::write(room.path().join("README.md"), "# Run it\n").unwrap();
        let tree = Tree::at(room.path());
        let wrong = |target: &str| judge(&tree, Path::new("docs/a.md"), target).unwrap();
        assert_eq!(wrong("../README.md#run-it"), None);
        assert_eq!(wrong("https://example.com/x"), None);
        assert!(wrong("../README.md#stop-it").unwrap().contains("#stop-it"));
        assert!(wrong("gone.md").unwrap().contains("docs/gone.md"));
        assert!(wrong("../../etc/passwd").unwrap().contains("out of the repository"));
    }
}
