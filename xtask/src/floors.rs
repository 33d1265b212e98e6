//! Floors: a crate depends only on crates of a strictly lower floor.
//!
//! `cargo metadata` goes in, findings come out. Every crate of the workspace
//! stands in `ROOMS`; normal, dev and build dependencies all count. Crates from
//! outside the workspace have no floor and are not looked at.

use crate::tree::Tree;
use crate::verdict::{Finding, Verdict};
use anyhow::{Context, Result};
use serde_json::Value;
use std::fmt;

/// The floors, lowest first: the order is the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Floor {
    /// What runs inside VMs: it knows nobody, and whoever boots VMs may carry it.
    Guest,
    Domain,
    Ports,
    Adapters,
    Services,
    /// `weft bench` is reached through the door, so it lies just below it.
    Bench,
    Door,
    /// Nobody depends on a leaf.
    Leaves,
}

impl fmt::Display for Floor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Guest => "below all, a guest",
            Self::Domain => "floor 0, domain",
            Self::Ports => "floor 1, ports",
            Self::Adapters => "floor 2, adapters",
            Self::Services => "floor 3, services",
            Self::Bench => "beside the door, bench",
            Self::Door => "floor 4, the door",
            Self::Leaves => "above all, a leaf",
        })
    }
}

/// Which room stands on which floor.
const ROOMS: &[(&str, Floor)] = &[
    ("weft-guest", Floor::Guest),
    ("weft-stub", Floor::Guest),
    ("weft-domain", Floor::Domain),
    ("weft-ports", Floor::Ports),
    ("weft-api", Floor::Adapters),
    ("weft-vmm", Floor::Adapters),
    ("weft-host", Floor::Adapters),
    ("weft-image", Floor::Adapters),
    ("weft-container", Floor::Adapters),
    ("weft-estate", Floor::Adapters),
    ("weft-store", Floor::Adapters),
    ("weft-fabric", Floor::Adapters),
    ("weft-blob", Floor::Adapters),
    ("weft-identity", Floor::Adapters),
    ("weft-control", Floor::Services),
    ("weft-agent", Floor::Services),
    ("weft-operator", Floor::Services),
    ("weft-cli", Floor::Services),
    ("weft-bench", Floor::Bench),
    ("weft", Floor::Door),
    ("weft-testbed", Floor::Leaves),
    ("weft-standins", Floor::Leaves),
    ("xtask", Floor::Leaves),
];

/// A crate of the workspace and what it names as dependencies.
#[derive(Debug)]
struct Crate {
    name: String,
    depends_on: Vec<Dependency>,
}

#[derive(Debug)]
struct Dependency {
    name: String,
    /// `normal`, `dev` or `build`.
    kind: String,
}

/// Checks the workspace.
pub(crate) fn check(tree: &Tree) -> Result<Verdict> {
    let crates = read(&tree.metadata()?)?;
    Ok(Verdict { looked_at: format!("{} crates", crates.len()), notes: Vec::new(), findings: judge(&crates) })
}

fn read(metadata: &Value) -> Result<Vec<Crate>> {
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    packages.iter().map(read_crate).collect()
}

fn read_crate(package: &Value) -> Result<Crate> {
    let name = package["name"].as_str().context("a package without a name")?;
    let dependencies = package["dependencies"].as_array().map_or(&[][..], Vec::as_slice);
    let depends_on = dependencies
        .iter()
        .filter_map(|dependency| {
            Some(Dependency {
                name: dependency["name"].as_str()?.to_owned(),
                kind: dependency["kind"].as_str().unwrap_or("normal").to_owned(),
            })
        })
        .collect();
    Ok(Crate { name: name.to_owned(), depends_on })
}

fn floor_of(name: &str) -> Option<Floor> {
    ROOMS.iter().find(|(room, _)| *room == name).map(|(_, floor)| *floor)
}

fn judge(crates: &[Crate]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for room in crates {
        let Some(floor) = floor_of(&room.name) else {
            findings.push(Finding::new(&room.name, "stands on no floor: give it one in xtask/src/floors.rs"));
            continue;
        };
        let ours = room.depends_on.iter().filter_map(|d| Some((d, floor_of(&d.name)?)));
        for (dependency, below) in ours.filter(|(_, below)| *below >= floor) {
            findings.push(Finding::new(
                &room.name,
                format!(
                    "({floor}) names {} ({below}) as a {} dependency: only lower floors may be used",
                    dependency.name, dependency.kind
                ),
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn judged(packages: Value) -> Vec<String> {
        let crates = read(&json!({ "packages": packages })).unwrap();
        judge(&crates).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn downward_dependencies_pass() {
        let found = judged(json!([
            {"name": "weft-domain", "dependencies": [{"name": "proptest", "kind": "dev"}]},
            {"name": "weft-store", "dependencies": [{"name": "weft-ports", "kind": null}]},
            {"name": "weft", "dependencies": [{"name": "weft-bench", "kind": null}]},
            {"name": "weft-testbed", "dependencies": [{"name": "weft", "kind": "dev"}]},
        ]));
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn a_neighbour_is_refused_even_for_tests() {
        let found = judged(json!([
            {"name": "weft-store", "dependencies": [{"name": "weft-api", "kind": "dev"}]},
        ]));
        assert_eq!(
            found,
            ["weft-store: (floor 2, adapters) names weft-api (floor 2, adapters) as a dev \
              dependency: only lower floors may be used"]
        );
    }

    #[test]
    fn upward_dependencies_and_leaves_are_refused() {
        let found = judged(json!([
            {"name": "weft-ports", "dependencies": [{"name": "weft-control", "kind": null}]},
            {"name": "weft", "dependencies": [{"name": "weft-testbed", "kind": "build"}]},
        ]));
        assert_eq!(found.len(), 2);
        assert!(found[1].contains("as a build dependency"));
    }

    #[test]
    fn an_unknown_crate_is_refused() {
        let found = judged(json!([{"name": "weft-attic", "dependencies": []}]));
        assert!(found[0].contains("stands on no floor"));
    }
}
