//! Runs the tests and says in one line how they went.
//!
//! cargo's output goes through line by line. Passing tests print too, so that
//! those that say `skipped: why` can be counted; only these lines are shown,
//! the rest of what passing tests print is kept back.

use crate::tree::Tree;
use crate::{generate, setup, shell};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

/// What a test prints when it cannot be run here.
const SKIPPED: &str = "skipped: ";

/// What is tested can be broken at any point; what is shipped is built without.
const FAULTS: [&str; 2] = ["--features", "weft/faults"];

/// Sets up, builds what the tests start, runs them all.
pub(crate) fn run(tree: &Tree, filter: &[String]) -> Result<()> {
    setup::ensure()?;
    // The whole-house tests start the real program and look for it beside themselves.
    shell::run(generate::build(tree).args(FAULTS))?;
    let mut command = tree.cargo();
    command.args(["test", "--workspace", "--no-fail-fast"]).args(FAULTS).args(filter);
    command.args(["--", "--show-output"]).stdout(Stdio::piped());
    if std::env::var_os("INSTA_UPDATE").is_none() {
        // A run of the tests leaves the tree as it was, also when a snapshot differs.
        command.env("INSTA_UPDATE", "no");
    }
    let mut child = command.spawn().context("start cargo test")?;
    let output = child.stdout.take().context("cargo test has no output")?;
    let mut tally = Tally::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = line.context("read the output of cargo test")?;
        if let Some(shown) = tally.take(&String::from_utf8_lossy(&line)) {
            println!("{shown}");
        }
    }
    let status = child.wait().context("wait for cargo test")?;
    println!("{}", tally.summary());
    if !status.success() {
        bail!("{}", tally.summary());
    }
    Ok(())
}

/// What has been read so far.
#[derive(Debug, Default)]
struct Tally {
    passed: u64,
    failed: u64,
    ignored: u64,
    skipped: Vec<String>,
    /// The test whose output is being read.
    test: String,
    within_successes: bool,
}

impl Tally {
    /// Reads one line; answers what of it to show.
    fn take(&mut self, line: &str) -> Option<String> {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.within_successes = false;
            self.add(result);
            return Some(line.to_owned());
        }
        match line {
            "successes:" => self.within_successes = true,
            "failures:" => self.within_successes = false,
            _ => {}
        }
        if !self.within_successes {
            return Some(line.to_owned());
        }
        if let Some(name) = line.strip_prefix("---- ") {
            self.test = name.trim_end_matches(" ----").trim_end_matches(" stdout").to_owned();
        }
        let why = line.strip_prefix(SKIPPED)?;
        self.skipped.push(format!("{}: {why}", self.test));
        Some(format!("{SKIPPED}{}: {why}", self.test))
    }

    /// Adds "ok. 3 passed; 0 failed; 1 ignored; …".
    fn add(&mut self, result: &str) {
        let figures = result.split_once(". ").map_or(result, |(_, figures)| figures);
        for figure in figures.split("; ") {
            let Some((number, kind)) = figure.split_once(' ') else { continue };
            let number = number.parse().unwrap_or(0);
            match kind {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }

    fn summary(&self) -> String {
        let skipped = self.skipped.len() as u64;
        format!(
            "tests: {} passed, {} failed, {skipped} skipped, {} ignored",
            self.passed.saturating_sub(skipped),
            self.failed,
            self.ignored
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "running 3 tests
test a ... ok
test b ... ok
test c ... FAILED

successes:

---- a stdout ----
noise
skipped: no firecracker binary

successes:
    a
    b

failures:

---- c stdout ----
skipped: this is a failing test's own text

failures:
    c

test result: FAILED. 2 passed; 1 failed; 4 ignored; 0 measured; 0 filtered out; finished in 0.1s
test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s";

    #[test]
    fn results_are_summed_and_skipped_tests_counted_apart() {
        let mut tally = Tally::default();
        let shown: Vec<String> = OUTPUT.lines().filter_map(|line| tally.take(line)).collect();
        assert_eq!(tally.summary(), "tests: 6 passed, 1 failed, 1 skipped, 4 ignored");
        assert!(shown.contains(&"skipped: a: no firecracker binary".to_owned()));
        assert!(!shown.contains(&"noise".to_owned()));
        assert!(shown.contains(&"---- c stdout ----".to_owned()));
    }
}
