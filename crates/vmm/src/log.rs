//! The last lines of a VMM's own log.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// How much of the end of the file is looked at, in bytes.
const LOOKED_AT: u64 = 16 * 1024;
/// The most lines.
const LINES: usize = 20;
/// The longest line, in characters.
const LENGTH: usize = 500;

/// The last lines, oldest first; none where the file cannot be read.
pub(crate) fn tail(path: &Path) -> Vec<String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        let size = file.metadata()?.len();
        file.seek(SeekFrom::Start(size.saturating_sub(LOOKED_AT)))?;
        file.take(LOOKED_AT).read_to_end(&mut bytes)
    });
    if read.is_err() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().map(clean).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(LINES)..].to_vec()
}

/// The last words as one line for people.
pub(crate) fn last_words(path: &Path) -> String {
    let lines = tail(path);
    let said: Vec<_> = lines.iter().rev().take(3).rev().map(|line| without_program(line)).collect();
    if said.is_empty() { "it said nothing".to_owned() } else { said.join("; ") }
}

fn clean(line: &str) -> String {
    line.trim().chars().filter(|c| !c.is_control()).take(LENGTH).collect()
}

/// A line without the path of the program before it.
fn without_program(line: &str) -> &str {
    match line.split_once(": ") {
        Some((program, rest)) if program.contains("qemu-system") => rest,
        Some(_) | None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_are_short_and_clean() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        assert_eq!(last_words(&path), "it said nothing");
        std::fs::write(&path, "qemu-system-x86_64: warning: a\n\n/usr/bin/qemu-system-x86_64: -drive x:\u{1b}[1m no\n")
            .unwrap();
        assert_eq!(last_words(&path), "warning: a; -drive x:[1m no");
    }

    #[test]
    fn a_huge_log_is_read_from_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let text: String = (0..100_000).map(|i| format!("line {i}\n")).collect();
        std::fs::write(&path, text).unwrap();
        let lines = tail(&path);
        assert_eq!(lines.len(), LINES);
        assert_eq!(lines.last().map(String::as_str), Some("line 99999"));
    }
}
