//! What a domain may be after requests that were acknowledged, refused or cut off: a few possible states.
//!
//! ```text
//!  acknowledged ─► what the request makes of each      refused, cut ─► that, or as it was
//! ```
//!
//! One client owns a domain and asks for one thing at a time, so the order is known.

use super::guest::MOST_CPUS;
use crate::crash::dice::Dice;
use std::collections::BTreeSet;
use std::fmt;

/// Snapshots that one domain has at most.
const SNAPSHOTS: usize = 2;

/// Whether it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Power {
    Off,
    Running,
    Paused,
    /// None of these, as libvirt numbers it.
    Other(u32),
}

/// A domain that is defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Domain {
    pub(super) power: Power,
    /// Its processors when it starts the next time.
    pub(super) cpus: u8,
    /// Those it has now; none where it is off.
    pub(super) live: u8,
    pub(super) snapshots: BTreeSet<u32>,
}

impl fmt::Display for Domain {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { power, cpus, live, snapshots } = self;
        write!(out, "{power:?}, {live} processors of {cpus} configured, snapshots {snapshots:?}")
    }
}

/// A name: the domain that has it, if any.
pub(super) type State = Option<Domain>;

/// What is asked of libvirtd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Define,
    Start,
    Suspend,
    Resume,
    /// Processors from the next start on.
    Configure(u8),
    /// Processors now.
    Plug(u8),
    Snapshot(u32),
    Forget(u32),
    Shutdown,
    Destroy,
    Undefine,
}

impl Verb {
    /// The command of virsh.
    pub(super) fn command(self, name: &str) -> String {
        match self {
            Self::Define => format!("define {}", super::guest::definition(name)),
            Self::Start => format!("start {name}"),
            Self::Suspend => format!("suspend {name}"),
            Self::Resume => format!("resume {name}"),
            Self::Configure(cpus) => format!("setvcpus {name} {cpus} --config"),
            Self::Plug(cpus) => format!("setvcpus {name} {cpus} --live"),
            Self::Snapshot(number) => format!("snapshot-create-as {name} s{number}"),
            Self::Forget(number) => format!("snapshot-delete {name} s{number}"),
            Self::Shutdown => format!("shutdown {name}"),
            Self::Destroy => format!("destroy {name}"),
            Self::Undefine => format!("undefine {name} --snapshots-metadata"),
        }
    }

    /// What it makes of a domain; nothing is changed where it is not lawful.
    pub(super) fn after(self, state: &State) -> State {
        let Some(before) = state else {
            let new = || Domain { power: Power::Off, cpus: 1, live: 0, snapshots: BTreeSet::new() };
            return (self == Self::Define).then(new);
        };
        let mut domain = before.clone();
        match self {
            Self::Define => {}
            Self::Start => (domain.power, domain.live) = (Power::Running, domain.cpus),
            Self::Suspend => domain.power = Power::Paused,
            Self::Resume => domain.power = Power::Running,
            Self::Configure(cpus) => domain.cpus = cpus,
            Self::Plug(cpus) => domain.live = cpus,
            Self::Snapshot(number) => drop(domain.snapshots.insert(number)),
            Self::Forget(number) => drop(domain.snapshots.remove(&number)),
            Self::Shutdown | Self::Destroy => (domain.power, domain.live) = (Power::Off, 0),
            Self::Undefine => return None,
        }
        Some(domain)
    }

    /// Whether it concerns a snapshot.
    pub(super) const fn snaps(self) -> bool {
        matches!(self, Self::Snapshot(_) | Self::Forget(_))
    }
}

/// What is known of one name.
#[derive(Debug, Clone)]
pub(super) struct Belief {
    /// All that it may be; the likeliest first.
    pub(super) may: Vec<State>,
    /// What was asked last and not answered.
    pub(super) unanswered: Option<Verb>,
    /// What was acknowledged last.
    pub(super) acknowledged: Option<Verb>,
    /// The number of the next snapshot.
    next: u32,
}

impl Belief {
    /// A name that nobody has.
    pub(super) fn nobody() -> Self {
        Self { may: vec![None], unanswered: None, acknowledged: None, next: 0 }
    }

    /// It was seen so.
    pub(super) fn seen(&mut self, state: State) {
        *self = Self { may: vec![state], next: self.next, ..Self::nobody() };
    }

    /// The request was acknowledged.
    pub(super) fn acknowledge(&mut self, verb: Verb) {
        let after: Vec<_> = self.may.iter().map(|state| verb.after(state)).collect();
        // A guest is only asked to shut down; it may take its time.
        let before = if verb == Verb::Shutdown { std::mem::take(&mut self.may) } else { Vec::new() };
        self.become_one_of(after.into_iter().chain(before));
        self.acknowledged = Some(verb);
    }

    /// The request was refused, or nobody said what became of it.
    pub(super) fn doubt(&mut self, verb: Verb) {
        let after: Vec<_> = self.may.iter().map(|state| verb.after(state)).collect();
        let before = std::mem::take(&mut self.may);
        self.become_one_of(before.into_iter().chain(after));
    }

    /// It is off, as libvirtd says.
    pub(super) fn is_off(&mut self) {
        let off: Vec<_> = self.may.iter().map(|state| Verb::Destroy.after(state)).collect();
        self.become_one_of(off.into_iter());
    }

    fn become_one_of(&mut self, states: impl Iterator<Item = State>) {
        self.may = Vec::new();
        for state in states {
            if !self.may.contains(&state) {
                self.may.push(state);
            }
        }
    }

    /// What is asked next: something lawful in the likeliest state.
    pub(super) fn choose(&mut self, dice: &mut Dice) -> Verb {
        let Some(Some(domain)) = self.may.first() else { return Verb::Define };
        let (off, running) = (domain.power == Power::Off, domain.power == Power::Running);
        let new = 1 + u8::try_from(dice.below(MOST_CPUS.into())).unwrap_or(0);
        let more = domain.live + 1;
        let oldest = domain.snapshots.first().copied();
        let room = domain.snapshots.len() < SNAPSHOTS;
        let weight = |lawful: bool, weight: u64| if lawful { weight } else { 0 };
        let choices = [
            (weight(off, 60), Verb::Start),
            (weight(off, 6), Verb::Undefine),
            (weight(running, 18), Verb::Suspend),
            (weight(domain.power == Power::Paused, 40), Verb::Resume),
            (12, Verb::Configure(new)),
            (weight(running && more <= MOST_CPUS, 8), Verb::Plug(more)),
            (weight(room, 16), Verb::Snapshot(self.next)),
            (weight(oldest.is_some(), 12), Verb::Forget(oldest.unwrap_or(0))),
            (weight(running, 4), Verb::Shutdown),
            (weight(!off, 4), Verb::Destroy),
        ];
        let verb = dice.weigh(&choices).unwrap_or(Verb::Destroy);
        if matches!(verb, Verb::Snapshot(_)) {
            self.next += 1;
        }
        verb
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_acknowledged_is_and_what_was_cut_off_may_be() {
        let mut belief = Belief::nobody();
        belief.acknowledge(Verb::Define);
        belief.acknowledge(Verb::Configure(3));
        belief.acknowledge(Verb::Start);
        let domain = belief.may[0].clone().unwrap();
        assert_eq!((belief.may.len(), domain.power, domain.live), (1, Power::Running, 3));
        belief.doubt(Verb::Suspend);
        let powers: Vec<_> = belief.may.iter().flatten().map(|domain| domain.power).collect();
        assert_eq!(powers, [Power::Running, Power::Paused]);
    }

    #[test]
    fn a_guest_that_was_asked_to_stop_may_still_run() {
        let mut belief = Belief::nobody();
        [Verb::Define, Verb::Start, Verb::Shutdown].into_iter().for_each(|verb| belief.acknowledge(verb));
        assert_eq!(belief.may.len(), 2);
        belief.is_off();
        assert!(matches!(&belief.may[..], [Some(Domain { power: Power::Off, live: 0, .. })]));
    }

    #[test]
    fn only_what_is_lawful_is_asked() {
        let mut dice = Dice::new(5);
        let mut belief = Belief::nobody();
        assert_eq!(belief.choose(&mut dice), Verb::Define);
        belief.acknowledge(Verb::Define);
        for _ in 0..200 {
            let verb = belief.choose(&mut dice);
            assert!(!matches!(verb, Verb::Suspend | Verb::Resume | Verb::Plug(_) | Verb::Shutdown | Verb::Destroy));
        }
    }
}
