//! From modules to edges between neighbours, and from edges to cycles.
//!
//! Pure: an arena of modules goes in (index 0 is the root, every parent stands
//! before its children), edges and cycles come out in the arena's order.

use super::source::Module;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;

/// Aliases may lead to aliases; this many steps end any ring of them.
const MAX_ALIASES: usize = 16;

/// `from` and `to` are neighbours: a file below `from` names something below `to`.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// The first place that makes the edge.
    pub(crate) file: PathBuf,
    pub(crate) line: usize,
    pub(crate) path: String,
}

/// All edges, one for each pair of neighbours.
pub(crate) fn edges(modules: &[Module]) -> BTreeMap<(usize, usize), Edge> {
    let mut edges = BTreeMap::new();
    for (at, module) in modules.iter().enumerate() {
        for mention in &module.mentions {
            let Some(target) = resolve(modules, at, &mention.path, MAX_ALIASES) else { continue };
            let (here, there) = (file_of(modules, at), file_of(modules, target));
            let Some((from, to)) = neighbours(modules, here, there) else { continue };
            edges.entry((from, to)).or_insert_with(|| Edge {
                from,
                to,
                file: modules[here].file.clone(),
                line: mention.line,
                path: mention.path.join("::"),
            });
        }
    }
    edges
}

/// The module whose file the module stands in.
fn file_of(modules: &[Module], mut at: usize) -> usize {
    while let (true, Some(parent)) = (modules[at].inline, modules[at].parent) {
        at = parent;
    }
    at
}

/// The module that a path leads to from module `at`; `None` when it leaves the crate.
fn resolve(modules: &[Module], at: usize, path: &[String], steps: usize) -> Option<usize> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => descend(modules, 0, rest, steps),
        "self" => resolve_here(modules, at, rest, steps),
        "super" => resolve_here(modules, modules[at].parent?, rest, steps),
        name if modules[at].children.contains_key(name) => descend(modules, at, path, steps),
        name => {
            let target = modules[at].aliases.get(name)?;
            // `use tokio;` names itself: there is nothing further to follow.
            let steps = (target != &path[..1]).then_some(steps)?.checked_sub(1)?;
            let mut whole = target.clone();
            whole.extend_from_slice(rest);
            resolve(modules, at, &whole, steps)
        }
    }
}

/// As `resolve`, once `self` or a `super` has been taken off.
fn resolve_here(modules: &[Module], at: usize, rest: &[String], steps: usize) -> Option<usize> {
    if rest.first().is_some_and(|first| first == "super") {
        return resolve_here(modules, modules[at].parent?, &rest[1..], steps);
    }
    descend(modules, at, rest, steps)
}

/// Follows names downward from module `at`: children, own items, aliases, globs.
fn descend(modules: &[Module], at: usize, rest: &[String], steps: usize) -> Option<usize> {
    let module = &modules[at];
    let Some((first, deeper)) = rest.split_first() else { return Some(at) };
    if let Some(child) = module.children.get(first) {
        return descend(modules, *child, deeper, steps);
    }
    if module.items.contains(first) {
        return Some(at);
    }
    let steps = steps.checked_sub(1)?;
    if let Some(target) = module.aliases.get(first) {
        let mut whole = target.clone();
        whole.extend_from_slice(deeper);
        return resolve(modules, at, &whole, steps);
    }
    let through_glob = module.globs.iter().find_map(|glob| {
        let source = resolve(modules, at, glob, steps).filter(|source| *source != at)?;
        offers(&modules[source], first).then(|| descend(modules, source, rest, steps))?
    });
    Some(through_glob.unwrap_or(at))
}

fn offers(module: &Module, name: &str) -> bool {
    module.items.contains(name)
        || module.children.contains_key(name)
        || module.aliases.contains_key(name)
        || !module.globs.is_empty()
}

/// The two children of the nearest common ancestor that hold `here` and `there`.
fn neighbours(modules: &[Module], here: usize, there: usize) -> Option<(usize, usize)> {
    let (up, down) = (lineage(modules, here), lineage(modules, there));
    let shared = up.iter().zip(&down).take_while(|(a, b)| a == b).count();
    Some((*up.get(shared)?, *down.get(shared)?))
}

/// From the root to the module.
fn lineage(modules: &[Module], at: usize) -> Vec<usize> {
    let mut line: Vec<usize> = std::iter::successors(Some(at), |index| modules[*index].parent).collect();
    line.reverse();
    line
}

/// One shortest cycle for each knot of modules that import each other.
pub(crate) fn cycles(modules: &[Module], edges: &BTreeMap<(usize, usize), Edge>) -> Vec<Vec<Edge>> {
    let mut told: BTreeSet<usize> = BTreeSet::new();
    let mut found = Vec::new();
    for start in 0..modules.len() {
        if told.contains(&start) {
            continue;
        }
        let Some(cycle) = shortest_cycle(start, edges) else { continue };
        // Whoever can be reached and can come back belongs to the same knot.
        let knot = (0..modules.len())
            .filter(|other| reaches(start, *other, edges).is_some() && reaches(*other, start, edges).is_some());
        told.extend(knot);
        found.push(cycle);
    }
    found
}

fn shortest_cycle(start: usize, edges: &BTreeMap<(usize, usize), Edge>) -> Option<Vec<Edge>> {
    reaches(start, start, edges)
}

/// The shortest way of at least one edge from `start` to `goal`.
fn reaches(start: usize, goal: usize, edges: &BTreeMap<(usize, usize), Edge>) -> Option<Vec<Edge>> {
    let mut came_by: BTreeMap<usize, &Edge> = BTreeMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(at) = open.pop_front() {
        for edge in edges.range((at, 0)..=(at, usize::MAX)).map(|(_, edge)| edge) {
            if came_by.contains_key(&edge.to) {
                continue;
            }
            came_by.insert(edge.to, edge);
            if edge.to == goal {
                return Some(way_back(start, goal, &came_by));
            }
            open.push_back(edge.to);
        }
    }
    None
}

fn way_back(start: usize, goal: usize, came_by: &BTreeMap<usize, &Edge>) -> Vec<Edge> {
    let mut way = Vec::new();
    let mut at = goal;
    while let Some(edge) = came_by.get(&at) {
        way.push((*edge).clone());
        at = edge.from;
        if at == start {
            break;
        }
    }
    way.reverse();
    way
}
