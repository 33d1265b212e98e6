//! All gates in a row, and a table of how each went.
//!
//! Cheap gates come first, every gate runs whatever the others said, and none
//! writes to the tree. The table at the end is what a reader of a CI log wants.

use crate::tree::Tree;
use crate::verdict::Verdict;
use crate::{corpus, floors, generate, links, protos, rooms, setup, shell, sizes, suite, words};
use anyhow::{Result, bail};
use std::time::{Duration, Instant};

/// One gate.
struct Gate {
    name: &'static str,
    run: fn(&Tree) -> Result<()>,
}

const GATES: &[Gate] = &[
    Gate { name: "floors", run: |tree| judged(tree, "floors") },
    Gate { name: "rooms", run: |tree| judged(tree, "rooms") },
    Gate { name: "sizes", run: |tree| judged(tree, "sizes") },
    Gate { name: "protos", run: |tree| judged(tree, "protos") },
    Gate { name: "links", run: |tree| judged(tree, "links") },
    Gate { name: "words", run: |tree| judged(tree, "words") },
    Gate { name: "corpus", run: |tree| judged(tree, "corpus") },
    Gate { name: "fmt", run: fmt },
    Gate { name: "clippy", run: clippy },
    Gate { name: "docs", run: docs },
    Gate { name: "test", run: |tree| suite::run(tree, &[]) },
    Gate { name: "generate", run: |tree| judged(tree, "generate") },
];

/// A check that looks at the tree and answers a verdict.
type Judge = fn(&Tree) -> Result<Verdict>;

/// The checks that answer a verdict, by name.
const JUDGES: &[(&str, Judge)] = &[
    ("floors", floors::check),
    ("rooms", rooms::check),
    ("sizes", sizes::check),
    ("protos", protos::check),
    ("links", links::check),
    ("words", words::check),
    ("corpus", corpus::check),
    ("generate", generate::compare),
];

/// Runs one check by its name and concludes it.
pub(crate) fn judged(tree: &Tree, name: &str) -> Result<()> {
    match JUDGES.iter().find(|(judge, _)| *judge == name) {
        Some((_, judge)) => judge(tree)?.conclude(name),
        None => bail!("no check is called {name}"),
    }
}

/// Runs every gate.
///
/// # Errors
/// When any of them failed.
pub(crate) fn run(tree: &Tree) -> Result<()> {
    setup::ensure_components(tree)?;
    let mut passed = Vec::new();
    for gate in GATES {
        println!("\n== {}", gate.name);
        let started = Instant::now();
        let outcome = (gate.run)(tree);
        if let Err(error) = &outcome {
            println!("{}: {error:#}", gate.name);
        }
        passed.push(Passage {
            name: gate.name,
            took: started.elapsed(),
            failure: outcome.err().map(|e| format!("{e:#}")),
        });
    }
    println!("\n{}", table(&passed));
    let failing: Vec<&str> = passed.iter().filter(|p| p.failure.is_some()).map(|p| p.name).collect();
    if !failing.is_empty() {
        bail!("check failed: {}", failing.join(", "));
    }
    Ok(())
}

/// Formats, applies the lints' own fixes, regenerates.
pub(crate) fn fix(tree: &Tree) -> Result<()> {
    setup::ensure_components(tree)?;
    let clippy =
        ["clippy", "--fix", "--allow-dirty", "--allow-staged", "--allow-no-vcs", "--workspace", "--all-targets"];
    shell::say_and_run(tree.cargo().args(clippy))?;
    shell::say_and_run(tree.cargo().args(["fmt", "--all"]))?;
    generate::write(tree)
}

fn fmt(tree: &Tree) -> Result<()> {
    shell::say_and_run(tree.cargo().args(["fmt", "--all", "--check"]))
}

fn clippy(tree: &Tree) -> Result<()> {
    let arguments = ["clippy", "--workspace", "--all-targets", "--features", "weft/faults", "--", "-D", "warnings"];
    shell::say_and_run(tree.cargo().args(arguments))
}

fn docs(tree: &Tree) -> Result<()> {
    let mut cargo = tree.cargo();
    cargo.args(["doc", "--no-deps", "--workspace"]).env("RUSTDOCFLAGS", "-D warnings");
    shell::say_and_run(&mut cargo)
}

/// How one gate went.
struct Passage {
    name: &'static str,
    took: Duration,
    failure: Option<String>,
}

fn table(passages: &[Passage]) -> String {
    let mut lines = vec![format!("{:<10} {:>9}  {}", "gate", "took", "result")];
    for passage in passages {
        let result = match &passage.failure {
            None => "ok",
            Some(failure) => &format!("FAILED: {}", failure.lines().next().unwrap_or("")),
        };
        lines.push(format!("{:<10} {:>7.1} s  {result}", passage.name, passage.took.as_secs_f64()));
    }
    let total: Duration = passages.iter().map(|passage| passage.took).sum();
    let failed = passages.iter().filter(|passage| passage.failure.is_some()).count();
    lines.push(format!(
        "{:<10} {:>7.1} s  {} of {} gates passed",
        "all",
        total.as_secs_f64(),
        passages.len() - failed,
        passages.len()
    ));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_shows_times_failures_and_the_total() {
        let seconds = Duration::from_secs_f64;
        let shown = table(&[
            Passage { name: "fmt", took: seconds(0.25), failure: None },
            Passage { name: "test", took: seconds(61.0), failure: Some("1 failed\nmore".into()) },
        ]);
        let expected = "\
gate            took  result
fmt            0.2 s  ok
test          61.0 s  FAILED: 1 failed
all           61.2 s  1 of 2 gates passed";
        assert_eq!(shown, expected);
    }
}
