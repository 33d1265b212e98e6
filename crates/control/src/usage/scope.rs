//! What a caller asks, checked and taken apart: whose usage, of when, how fine.
//!
//! Those in scope are all whom control or the ledger knows, alive or gone. A name means everyone who has or had it.
//! What nobody can mean is refused with the field: a project or VM that never was, a span that ends before it
//! begins, and one that is longer than its grain is kept.

use super::span;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use weft_domain::usage::Width;
use weft_domain::{Fault, InstanceId, Labels, Name, Reason, Time, Violation};
use weft_ports::api::{Grain, Subject, UsageScope, VmRef};
use weft_ports::ledger::Keep;

/// A day.
const DAY: Duration = Duration::from_secs(86_400);
/// The longest span of records one by one.
const RECORDS: Duration = Duration::from_secs(7 * 86_400);

/// All whom anybody knows.
pub(super) type Everyone = BTreeMap<InstanceId, Arc<Subject>>;

/// Who is meant.
#[derive(Debug, Clone, Default)]
pub(super) struct Selection {
    project: Option<Name>,
    ids: BTreeSet<InstanceId>,
    /// Names by project.
    names: BTreeMap<Name, BTreeSet<Name>>,
    labels: Labels,
}

impl Selection {
    /// Those of this scope; each project and VM that it names must be somebody's.
    pub(super) fn of(scope: &UsageScope, everyone: &Everyone) -> Result<Self, Fault> {
        let mut meant = Self { project: scope.project.clone(), labels: scope.labels.clone(), ..Self::default() };
        if let Some(project) = &scope.project
            && !everyone.values().any(|one| one.project == *project)
        {
            let why = format!("no VM is or was in project {project}");
            return Err(Fault::field(Reason::FieldInvalid, "scope.project", why)
                .fix("leave it out for all projects; `weft vm list` shows those that there are"));
        }
        let named = everyone.values().filter(|one| meant.in_project(one));
        let named: BTreeSet<_> = named.map(|one| (&one.project, &one.name)).collect();
        let mut violations = Vec::new();
        for (place, vm) in scope.vms.iter().enumerate() {
            let there = match vm {
                VmRef::Id(id) => everyone.get(id).is_some_and(|one| meant.in_project(one)),
                VmRef::Named { project, name } => named.contains(&(project, name)),
            };
            if !there {
                let why = "names no VM that is or was in scope".to_owned();
                violations.push(Violation { field: format!("scope.vms[{place}]"), why });
            }
        }
        if let Some(fault) = Fault::from_violations(Reason::VmNotFound, violations) {
            return Err(fault.fix("`weft vm list` shows the VMs that there are; one that is gone is found by its id"));
        }
        for vm in &scope.vms {
            match vm {
                VmRef::Id(id) => {
                    meant.ids.insert(*id);
                }
                VmRef::Named { project, name } => {
                    meant.names.entry(project.clone()).or_default().insert(name.clone());
                }
            }
        }
        Ok(meant)
    }

    /// Whether everybody is meant.
    fn is_everyone(&self) -> bool {
        self.project.is_none() && self.ids.is_empty() && self.names.is_empty() && self.labels.as_map().is_empty()
    }

    fn in_project(&self, one: &Subject) -> bool {
        self.project.as_ref().is_none_or(|project| *project == one.project)
    }

    /// Whether this one is meant.
    pub(super) fn takes(&self, one: &Subject) -> bool {
        let (ids, names) = (&self.ids, &self.names);
        let named = (ids.is_empty() && names.is_empty())
            || ids.contains(&one.instance)
            || names.get(&one.project).is_some_and(|names| names.contains(&one.name));
        let labels = one.labels.as_map();
        named && self.in_project(one) && self.labels.as_map().iter().all(|(key, value)| labels.get(key) == Some(value))
    }
}

/// What is asked, of whom by now.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Those in scope.
    pub(super) subjects: Everyone,
    /// Whether that is everybody, also those of whom nobody has heard yet.
    pub(super) all: bool,
    /// How fine.
    pub(super) grain: Grain,
    /// The span.
    pub(super) span: Span,
}

/// From when to when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// From here.
    pub(super) from: Time,
    /// To here.
    pub(super) to: Time,
    /// Whether it begins where nothing was used yet.
    pub(super) open: bool,
}

/// When it is, and what is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// Now.
    pub(super) now: Time,
    /// What is kept.
    pub(super) keep: Keep,
}

impl Asked {
    /// What is asked by this scope; its end may have been settled by an earlier page.
    pub(super) fn of(
        (scope, grain): (&UsageScope, Grain),
        end: Option<Time>,
        everyone: Everyone,
        terms: &Terms,
    ) -> Result<Self, Fault> {
        let span = span_of(scope, end, longest(grain, &terms.keep), terms)?;
        let meant = Selection::of(scope, &everyone)?;
        let mut subjects = everyone;
        subjects.retain(|_, one| meant.takes(one));
        Ok(Self { subjects, all: meant.is_everyone(), grain, span })
    }

    /// The ids of those in scope from this one on, or of all.
    pub(super) fn ids(&self, from: Option<InstanceId>) -> Vec<InstanceId> {
        match from {
            Some(from) => self.subjects.range(from..).map(|(id, _)| *id).collect(),
            None => self.subjects.keys().copied().collect(),
        }
    }
}

/// The longest span that may be asked for: all that is kept so fine, and the day that is under way.
fn longest(grain: Grain, keep: &Keep) -> Duration {
    let kept = match grain {
        Grain::Record => RECORDS,
        Grain::Bucket(Width::Second) => keep.seconds,
        Grain::Bucket(Width::Minute) => keep.minutes,
        Grain::Bucket(Width::Hour) => keep.hours,
        Grain::Bucket(Width::Day) | Grain::Total => keep.days,
    };
    kept.saturating_add(DAY)
}

fn span_of(scope: &UsageScope, end: Option<Time>, longest: Duration, terms: &Terms) -> Result<Span, Fault> {
    let to = end.or(scope.to).unwrap_or(terms.now);
    let longest_nanos = i64::try_from(longest.as_nanos()).unwrap_or(i64::MAX);
    let earliest = Time::from_nanos(to.as_nanos().saturating_sub(longest_nanos));
    let from = scope.from.unwrap_or(earliest);
    let refused = |field: &str, why: String| Err(Fault::field(Reason::FieldInvalid, field, why));
    if from > to && scope.to.is_none() {
        return refused("scope.start_time", "must not be after now where there is no end_time".to_owned());
    }
    if from > to {
        return refused("scope.end_time", "must not be before start_time".to_owned());
    }
    if from < earliest {
        let days = longest.as_secs() / DAY.as_secs();
        let why = format!("is more than {days} days before the end, which is the longest span of this grain");
        return refused("scope.start_time", why)
            .map_err(|fault| fault.fix("ask for a shorter span or a coarser grain"));
    }
    Ok(Span { from, to, open: scope.from.is_none() })
}

/// Where a total of this span begins and ends, in seconds: its edges go back to buckets that are kept.
pub(super) fn edges(asked: &Span, terms: &Terms) -> Result<(i64, i64), Fault> {
    let (from, to) = (span::second(asked.from), span::second(asked.to));
    let edges = (span::edge(from, &terms.keep, terms.now), span::edge(to, &terms.keep, terms.now));
    if from < to && edges.0 == edges.1 {
        let why = "is so long ago that what was used in so short a span is not kept apart any more";
        let fix = "ask for whole hours of the last months, or for whole days from midnight UTC";
        return Err(Fault::field(Reason::FieldInvalid, "scope.start_time", why).fix(fix));
    }
    Ok(edges)
}
