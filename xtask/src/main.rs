//! The tasks of this repository, as `cargo xtask <task>`.
//!
//! `TASKS` is the whole list. A task gets the tree and its arguments; its error
//! is printed and becomes exit code 1, a wrong command line exit code 2.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it talks to a terminal")]
#![allow(clippy::disallowed_methods, reason = "no Config stands between cargo's environment and us")]

mod check;
mod corpus;
mod demo;
mod floors;
mod generate;
mod install;
mod links;
mod protos;
mod rooms;
mod setup;
mod shell;
mod sizes;
mod suite;
mod syntax;
mod tree;
mod verdict;
mod words;

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tree::Tree;

/// One task.
struct Task {
    name: &'static str,
    about: &'static str,
    run: fn(&Tree, &[String]) -> Result<()>,
}

const TASKS: &[Task] = &[
    Task { name: "check", about: "every gate of CI; writes nothing", run: |tree, _| check::run(tree) },
    Task { name: "fix", about: "format, apply lint fixes, regenerate", run: |tree, _| check::fix(tree) },
    Task { name: "test [filter]", about: "install what tests need, run them all", run: suite::run },
    Task { name: "demo", about: "one real VM through the whole house", run: |tree, _| demo::run(tree) },
    Task { name: "bench [name]…", about: "measure weft beside its floors", run: demo::bench },
    Task { name: "setup", about: "only install what demo and test need", run: |_, _| setup::ensure() },
    Task { name: "generate [--check]", about: "write the generated files, or compare them", run: generated },
    Task { name: "floors", about: "crates depend only downward", run: |tree, _| check::judged(tree, "floors") },
    Task { name: "rooms", about: "no import cycles between modules", run: |tree, _| check::judged(tree, "rooms") },
    Task {
        name: "sizes",
        about: "lengths, plates, names, sleeping tests",
        run: |tree, _| check::judged(tree, "sizes"),
    },
    Task { name: "corpus [--check]", about: "keep state of today's formats, or look that it is kept", run: kept },
    Task { name: "protos", about: "the contract's lint rules", run: |tree, _| check::judged(tree, "protos") },
    Task { name: "links", about: "links of the documents lead somewhere", run: |tree, _| check::judged(tree, "links") },
    Task { name: "words", about: "no machine paths, no unfinished work", run: |tree, _| check::judged(tree, "words") },
    Task {
        name: "install [--prefix P] [--destdir D]",
        about: "install a release build",
        run: |tree, options| install::install(tree, &target(options)?),
    },
    Task {
        name: "uninstall [--prefix P] [--destdir D]",
        about: "remove what install placed",
        run: |tree, options| install::uninstall(tree, &target(options)?),
    },
    Task {
        name: "place --binary B [--prefix P] [--destdir D]",
        about: "the part of install that runs as root",
        run: placed,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        println!("{}", usage());
        return ExitCode::SUCCESS;
    };
    let Some(task) = TASKS.iter().find(|task| task.name.split(' ').next() == Some(name)) else {
        eprintln!("error: no task is called {name}\n\n{}", usage());
        return ExitCode::from(2);
    };
    match Tree::find().and_then(|tree| (task.run)(&tree, rest)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> String {
    let lines: Vec<String> = TASKS.iter().map(|task| format!("  {:<45} {}", task.name, task.about)).collect();
    format!("cargo xtask <task>\n\n{}", lines.join("\n"))
}

fn generated(tree: &Tree, options: &[String]) -> Result<()> {
    match options.first().map(String::as_str) {
        None => generate::write(tree),
        Some("--check") => check::judged(tree, "generate"),
        Some(other) => bail!("generate knows no {other}"),
    }
}

fn kept(tree: &Tree, options: &[String]) -> Result<()> {
    match options.first().map(String::as_str) {
        None => corpus::make(tree),
        Some("--check") => check::judged(tree, "corpus"),
        Some(other) => bail!("corpus knows no {other}"),
    }
}

fn placed(tree: &Tree, options: &[String]) -> Result<()> {
    let binary = option(options, "--binary").context("place needs --binary")?;
    install::place(tree, &target(options)?, Path::new(binary))
}

fn target(options: &[String]) -> Result<install::Target> {
    let prefix = PathBuf::from(option(options, "--prefix").unwrap_or("/usr/local"));
    if !prefix.is_absolute() {
        bail!("the prefix {} is not absolute", prefix.display());
    }
    let destdir = match option(options, "--destdir") {
        None | Some("") => PathBuf::new(),
        Some(path) => std::path::absolute(path).context("find the destdir")?,
    };
    Ok(install::Target { prefix, destdir })
}

/// The word after `name`.
fn option<'o>(options: &'o [String], name: &str) -> Option<&'o str> {
    let at = options.iter().position(|option| option == name)?;
    options.get(at + 1).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_found_by_name() {
        let options = ["--prefix", "/usr", "--destdir", ""].map(str::to_owned);
        let target = target(&options).unwrap();
        assert_eq!((target.prefix, target.destdir), ("/usr".into(), PathBuf::new()));
        assert!(super::target(&["--prefix".to_owned(), "here".to_owned()]).is_err());
    }
}
