//! What a check says: how much it looked at, what is worth knowing, what is wrong.
//!
//! Checks are functions from data to a `Verdict`; only `conclude` prints and
//! turns findings into a failure.

use anyhow::{Result, bail};
use std::fmt;

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// A file, `file:line`, crate or symbol.
    pub(crate) place: String,
    /// What is wrong there and what would be right.
    pub(crate) what: String,
}

impl Finding {
    /// `what` is wrong at `place`.
    pub(crate) fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.place, self.what)
    }
}

/// The answer of one check.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// How much was looked at, as "14 crates".
    pub(crate) looked_at: String,
    /// Worth knowing, not wrong.
    pub(crate) notes: Vec<String>,
    /// Wrong.
    pub(crate) findings: Vec<Finding>,
}

impl Verdict {
    /// Prints the verdict under `name`.
    ///
    /// # Errors
    /// When there is any finding.
    pub(crate) fn conclude(mut self, name: &str) -> Result<()> {
        self.findings.sort();
        self.findings.dedup();
        for note in &self.notes {
            println!("note: {note}");
        }
        for finding in &self.findings {
            println!("error: {finding}");
        }
        match self.findings.len() {
            0 => println!("{name}: {} in order", self.looked_at),
            1 => bail!("1 finding in {}", self.looked_at),
            many => bail!("{many} findings in {}", self.looked_at),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_fail_and_notes_do_not() {
        let calm = Verdict { looked_at: "1 file".into(), notes: vec!["long".into()], findings: vec![] };
        assert!(calm.conclude("sizes").is_ok());
        let found = Verdict {
            looked_at: "2 files".into(),
            findings: vec![Finding::new("b", "x"), Finding::new("a", "x"), Finding::new("a", "x")],
            ..Verdict::default()
        };
        assert_eq!(found.conclude("sizes").unwrap_err().to_string(), "2 findings in 2 files");
    }
}
