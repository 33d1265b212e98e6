//! What is seen set against what may be: a pure function from both to findings.
//!
//! | class | what it says |
//! |---|---|
//! | leaked | something is there for a domain that is not, or does not run |
//! | lost | a domain that was acknowledged is not there; one that ran does not, or is not known to run |
//! | doubled | two processes run one domain |
//! | dishonoured | something that was acknowledged is otherwise |
//! | half | a request that nobody answered is neither done nor undone |

use super::model::{Domain, Power, State, Verb};
use super::seen::{For, Seen};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A class of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Class {
    Leaked,
    Lost,
    Doubled,
    Dishonoured,
    Half,
}

impl Class {
    /// Every class.
    pub(super) const ALL: [Self; 5] = [Self::Leaked, Self::Lost, Self::Doubled, Self::Dishonoured, Self::Half];
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) class: Class,
    /// The sort of thing.
    pub(super) kind: &'static str,
    /// What it is about: a domain, a path, a process.
    pub(super) subject: String,
    /// What was asked last of it.
    pub(super) request: String,
    /// What was seen, and what may have been.
    pub(super) seen: String,
}

/// What one client knows of its domain.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub(super) name: String,
    pub(super) may: Vec<State>,
    pub(super) unanswered: Option<Verb>,
    pub(super) acknowledged: Option<Verb>,
}

impl Expected {
    fn request(&self) -> String {
        match (self.unanswered, self.acknowledged) {
            (Some(verb), _) => format!("{verb:?}, not answered"),
            (None, Some(verb)) => format!("{verb:?}, acknowledged"),
            (None, None) => "none since the last kill".to_owned(),
        }
    }
}

/// Everything that is not as it should be. `images` are the snapshots that disks hold, where that was looked at.
pub(super) fn judge(expected: &[Expected], seen: &Seen, images: &BTreeMap<String, BTreeSet<u32>>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for one in expected {
        findings.extend(state(one, seen));
        findings.extend(snapshots(one, seen, images));
    }
    let request = |name: &str| {
        expected.iter().find(|one| one.name == name).map_or_else(|| "not known".to_owned(), Expected::request)
    };
    let of = |class, kind, subject: &str, (name, seen): (&str, String)| Finding {
        class,
        kind,
        subject: subject.to_owned(),
        request: request(name),
        seen,
    };
    for (name, why) in &seen.stuck {
        let told = (&**name, format!("libvirtd does not answer for it: {why}"));
        findings.push(of(Class::Half, "domain", name, told));
    }
    let mut running: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for process in &seen.processes {
        let Some(name) = process.domain.as_deref() else {
            let told = ("", format!("{} runs for no domain", process.program));
            findings.push(of(Class::Leaked, "process", &format!("process {}", process.pid), told));
            continue;
        };
        running.entry(name).or_default().push(process.pid);
        if seen.stuck.contains_key(name) || seen.domains.get(name).is_some_and(|told| told.id.is_some()) {
            continue;
        }
        let is = seen.state(name).map_or("is not defined".to_owned(), |domain| format!("is {domain}"));
        let told = (name, format!("a process of {name} runs, which {is}"));
        findings.push(of(Class::Leaked, "process", &format!("process {} of {name}", process.pid), told));
    }
    for (name, pids) in running.iter().filter(|(_, pids)| pids.len() > 1) {
        findings.push(of(Class::Doubled, "process", name, (name, format!("processes {pids:?} run it"))));
    }
    for (name, told) in seen.domains.iter().filter(|(name, told)| told.id.is_some() && !running.contains_key(&***name))
    {
        findings.push(of(Class::Lost, "process", name, (name, format!("no process runs it, told as {}", told.domain))));
    }
    for trace in seen.traces.iter().filter(|trace| !owned(&trace.whose, seen)) {
        let (name, why) = match &trace.whose {
            For::Defined(name) => (&**name, format!("{name} is not defined")),
            For::Running(name) => (&**name, format!("{name} does not run")),
            For::Run(id, name) => (&**name, format!("no run {id} of {name} is known")),
            For::Nobody => ("", "it is for no domain".to_owned()),
        };
        findings.push(of(Class::Leaked, trace.kind, &trace.path, (name, why)));
    }
    findings
}

/// Whether the one whom it is for is there.
fn owned(whose: &For, seen: &Seen) -> bool {
    let known = |name: &String| seen.domains.get(name);
    match whose {
        For::Defined(name) => known(name).is_some() || seen.stuck.contains_key(name),
        For::Running(name) => known(name).is_some_and(|told| told.id.is_some()) || seen.stuck.contains_key(name),
        For::Run(id, name) => known(name).is_some_and(|told| told.id == Some(*id)) || seen.stuck.contains_key(name),
        For::Nobody => false,
    }
}

/// A domain's state beside those that it may be in.
fn state(one: &Expected, seen: &Seen) -> Option<Finding> {
    let found = seen.state(&one.name);
    if one.may.contains(&found) || seen.stuck.contains_key(&one.name) {
        return None;
    }
    let process = seen.processes.iter().any(|process| process.domain.as_deref() == Some(&*one.name));
    let active = |state: &State| state.as_ref().is_some_and(|domain| domain.power != Power::Off);
    let class = match &found {
        None => Class::Lost,
        Some(_) if !active(&found) && one.may.iter().all(active) => Class::Lost,
        Some(_) if one.unanswered.is_some() => Class::Half,
        Some(_) => Class::Dishonoured,
    };
    let words = |state: &State| state.as_ref().map_or("not defined".to_owned(), Domain::to_string);
    let may: Vec<_> = one.may.iter().map(words).collect();
    let reason = seen.domains.get(&one.name).map_or(0, |told| told.reason);
    let has = if process { "has a process" } else { "has no process" };
    let told = format!("{} (reason {reason}), and {has}; it may be {}", words(&found), may.join(" or "));
    Some(Finding { class, kind: "domain", subject: one.name.clone(), request: one.request(), seen: told })
}

/// What a domain's disk holds beside what libvirt lists.
fn snapshots(one: &Expected, seen: &Seen, images: &BTreeMap<String, BTreeSet<u32>>) -> Option<Finding> {
    let (held, domain) = (images.get(&one.name)?, seen.state(&one.name)?);
    if *held == domain.snapshots {
        return None;
    }
    let told = format!("its disk holds snapshots {held:?}, libvirt lists {:?}", domain.snapshots);
    Some(Finding {
        class: Class::Half,
        kind: "snapshot",
        subject: one.name.clone(),
        request: one.request(),
        seen: told,
    })
}

#[cfg(test)]
mod tests {
    use super::super::seen::{Process, Told, Trace};
    use super::*;

    fn domain(power: Power) -> Domain {
        let live = u8::from(power != Power::Off);
        Domain { power, cpus: 1, live, snapshots: BTreeSet::new() }
    }

    fn seen(power: Power, id: Option<u32>, pids: &[u32]) -> Seen {
        let process = |pid: &u32| Process { pid: *pid, program: "qemu".to_owned(), domain: Some("a".to_owned()) };
        Seen {
            domains: BTreeMap::from([("a".to_owned(), Told { id, domain: domain(power), reason: 1 })]),
            processes: pids.iter().map(process).collect(),
            ..Seen::default()
        }
    }

    fn classes(may: &[State], unanswered: Option<Verb>, seen: &Seen) -> Vec<Class> {
        let one = Expected { name: "a".to_owned(), may: may.to_vec(), unanswered, acknowledged: None };
        judge(&[one], seen, &BTreeMap::new()).iter().map(|finding| finding.class).collect()
    }

    #[test]
    fn what_is_as_it_may_be_is_no_finding() {
        let may = [Some(domain(Power::Running)), Some(domain(Power::Paused))];
        assert_eq!(classes(&may, Some(Verb::Suspend), &seen(Power::Paused, Some(1), &[7])), []);
    }

    #[test]
    fn a_domain_that_is_gone_or_does_not_run_is_lost() {
        let running = [Some(domain(Power::Running))];
        assert_eq!(classes(&running, None, &Seen::default()), [Class::Lost]);
        assert_eq!(classes(&running, None, &seen(Power::Off, None, &[])), [Class::Lost]);
        assert_eq!(classes(&running, None, &seen(Power::Off, None, &[7])), [Class::Lost, Class::Leaked]);
        assert_eq!(classes(&running, None, &seen(Power::Running, Some(1), &[])), [Class::Lost]);
    }

    #[test]
    fn the_others_have_their_classes() {
        let paused = [Some(domain(Power::Paused))];
        assert_eq!(classes(&paused, None, &seen(Power::Running, Some(1), &[7])), [Class::Dishonoured]);
        assert_eq!(classes(&paused, Some(Verb::Destroy), &seen(Power::Running, Some(1), &[7])), [Class::Half]);
        assert_eq!(classes(&paused, None, &seen(Power::Paused, Some(1), &[7, 8])), [Class::Doubled]);
    }

    #[test]
    fn what_is_of_another_run_is_leaked() {
        let mut seen = seen(Power::Running, Some(4), &[7]);
        let of = |id| Trace { kind: "cgroup", path: String::new(), whose: For::Run(id, "a".to_owned()) };
        seen.traces = vec![of(3), of(4)];
        assert_eq!(classes(&[Some(domain(Power::Running))], None, &seen), [Class::Leaked]);
        let one = Expected {
            name: "a".to_owned(),
            may: vec![Some(domain(Power::Running))],
            unanswered: Some(Verb::Snapshot(0)),
            acknowledged: None,
        };
        seen.traces.clear();
        let images = BTreeMap::from([("a".to_owned(), BTreeSet::from([0]))]);
        assert_eq!(judge(&[one], &seen, &images)[0].class, Class::Half);
    }
}
