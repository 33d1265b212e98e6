//! Words that no file of the project may hold: paths of somebody's machine,
//! marks of unfinished work, numbers of a tracker.
//!
//! Text goes in, findings come out. The patterns below are put together from
//! pieces so that this file passes its own check.

use crate::tree::Tree;
use crate::verdict::{Finding, Verdict};
use anyhow::Result;
use std::path::Path;

/// Files that tools write and nobody reads.
const SKIPPED: &[&str] = &["Cargo.lock", "LICENSE"];

/// A pattern that must not start inside a longer word.
struct Pattern {
    text: &'static str,
    /// Whether the pattern must also end where a word ends.
    whole: Ending,
    why: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Anything,
    Word,
    Digit,
}

const PATTERNS: &[Pattern] = &[
    machine(concat!("/wo", "rk/")),
    machine(concat!("/Us", "ers/")),
    machine(concat!("/ho", "me/runner")),
    machine(concat!("/ro", "ot/.cargo")),
    machine(concat!("/tmp/we", "ft-target")),
    unfinished(concat!("TO", "DO")),
    unfinished(concat!("FIX", "ME")),
    unfinished(concat!("X", "XX")),
    unfinished(concat!("HA", "CK")),
    unfinished(concat!("<<<<", "<<<")),
    unfinished(concat!(">>>>", ">>>")),
    tracker(concat!("iss", "ue ")),
    tracker(concat!("iss", "ue #")),
    tracker(concat!("Iss", "ue ")),
    tracker(concat!("Iss", "ue #")),
];

const fn machine(text: &'static str) -> Pattern {
    Pattern { text, whole: Ending::Anything, why: "is a path of one machine" }
}

const fn unfinished(text: &'static str) -> Pattern {
    Pattern { text, whole: Ending::Word, why: "marks unfinished work: finish it or take it out" }
}

const fn tracker(text: &'static str) -> Pattern {
    Pattern { text, whole: Ending::Digit, why: "is a tracker's number: say the reason itself" }
}

/// Checks every text file of the tree.
pub(crate) fn check(tree: &Tree) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    let mut looked_at = 0;
    for file in tree.files()? {
        let skipped = SKIPPED.iter().any(|name| file == Path::new(name));
        // Whatever is no text has no words.
        let Some(text) = (!skipped).then(|| tree.read(&file).ok()).flatten() else { continue };
        looked_at += 1;
        verdict.findings.extend(judge(&file.display().to_string(), &text));
    }
    verdict.looked_at = format!("{looked_at} files");
    Ok(verdict)
}

fn judge(place: &str, text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for pattern in PATTERNS.iter().filter(|pattern| holds(line, pattern)) {
            let what = format!("\"{}\" {}", pattern.text.trim(), pattern.why);
            found.push(Finding::new(format!("{place}:{}", index + 1), what));
        }
    }
    found
}

fn holds(line: &str, pattern: &Pattern) -> bool {
    line.match_indices(pattern.text).any(|(at, text)| {
        let before = line[..at].chars().next_back();
        let after = line[at + text.len()..].chars().next();
        let begins = !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '<' | '>'));
        let ends = match pattern.whole {
            Ending::Anything => true,
            Ending::Word => !after.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '<' | '>')),
            Ending::Digit => after.is_some_and(|c| c.is_ascii_digit()),
        };
        begins && ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_paths_and_marks_are_found_with_their_lines() {
        let text = format!("fine\nsee {}main\n// {}: later\n", PATTERNS[0].text, PATTERNS[5].text);
        let places: Vec<String> = judge("a.md", &text).into_iter().map(|finding| finding.place).collect();
        assert_eq!(places, ["a.md:2", "a.md:3"]);
    }

    #[test]
    fn parts_of_other_words_are_not_meant() {
        for line in ["mktemp weft.XXXXXX", "src/work/a.rs", "issue a token", "TODOS", "https://a.b/issues/7"] {
            assert!(judge("a.md", line).is_empty(), "{line}");
        }
    }

    #[test]
    fn tracker_numbers_are_found() {
        let line = format!("as {}12 says", PATTERNS[12].text);
        assert_eq!(judge("a.md", &line).len(), 1);
    }
}
