//! The rules for `proto/`: buf's STANDARD and COMMENTS categories, without buf.
//!
//! Every `.proto` file is compiled (protox, with source positions); the
//! descriptors go through the rules; each finding carries its file, line and
//! the rule's name in buf. `EXEMPT` lists what is spared, with the reason, and
//! agrees with `proto/buf.yaml`. An import cycle or a type that does not
//! resolve is the compiler's error and comes out as one finding.

mod comments;
mod imports;
mod names;
mod packages;
mod place;
mod rpcs;

use crate::tree::Tree;
use crate::verdict::{Finding, Verdict};
use anyhow::{Context, Result};
use place::Lint;
use protox::Compiler;
use protox::prost_reflect::FileDescriptor;
use std::path::{Path, PathBuf};

/// Where the contract lies.
const FOLDER: &str = "proto";

/// Rules that a package need not follow.
struct Exemption {
    /// The package, or the packages below it.
    package: &'static str,
    /// The rule, or `*` for all.
    rule: &'static str,
    /// Why, for whoever reads the table.
    #[cfg_attr(not(test), expect(dead_code, reason = "the reason is for readers of the table"))]
    why: &'static str,
}

const EXEMPT: &[Exemption] = &[
    Exemption { package: "google", rule: "*", why: "public annotation names and numbers, written down minimally" },
    Exemption { package: "vmprovisioner", rule: "*", why: "names are those of the API that it stays compatible with" },
];

/// Checks the contract.
pub(crate) fn check(tree: &Tree) -> Result<Verdict> {
    let mut files = tree.files_ending("proto")?;
    files.retain(|file| file.starts_with(FOLDER));
    let names: Vec<PathBuf> =
        files.iter().filter_map(|file| Some(file.strip_prefix(FOLDER).ok()?.to_owned())).collect();
    Ok(Verdict {
        looked_at: format!("{} proto files", names.len()),
        notes: Vec::new(),
        findings: judge(&tree.join(FOLDER), &names)?,
    })
}

/// Compiles `names`, which lie below `root`, and lints them.
fn judge(root: &Path, names: &[PathBuf]) -> Result<Vec<Finding>> {
    let mut compiler = Compiler::new([root]).context("open the folder of the contract")?;
    compiler.include_source_info(true);
    let mut findings = Vec::new();
    for name in names {
        if let Err(error) = compiler.open_file(root.join(name)) {
            findings.push(Finding::new(name.display().to_string(), format!("does not compile: {error:?}")));
        }
    }
    let pool = compiler.descriptor_pool();
    let ours: Vec<FileDescriptor> =
        names.iter().filter_map(|name| pool.get_file_by_name(&name.display().to_string())).collect();
    let mut lint = Lint::default();
    for file in &ours {
        packages::judge(file, &mut lint);
        imports::judge(file, &mut lint);
        names::judge(file, &mut lint);
        comments::judge(file, &mut lint);
    }
    packages::judge_together(&ours, &mut lint);
    rpcs::judge(&ours, &mut lint);
    let kept = lint.found.into_iter().filter(|found| !exempt(&found.package, found.rule));
    findings.extend(kept.map(|found| found.finding()));
    Ok(findings)
}

fn exempt(package: &str, rule: &str) -> bool {
    EXEMPT.iter().any(|exemption| {
        let below = package.strip_prefix(exemption.package);
        below.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            && (exemption.rule == "*" || exemption.rule == rule)
    })
}

#[cfg(test)]
mod tests;
