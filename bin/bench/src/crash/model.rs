//! What a VM may be after deeds that were acknowledged in some order: sets of possible states.
//!
//! ```text
//!  states before ─► every order that the times allow ─► states after
//!                    one client: one order, and a deed that is not lawful there is an accusation
//!                    several: a deed that is not lawful there has changed nothing, which accuses nobody
//! ```

use std::collections::{BTreeMap, BTreeSet};

/// Whether it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Power {
    Made,
    Runs,
    Held,
    Off,
    Failed,
    /// It ended and will run again by itself.
    Waits,
}

/// A VM at rest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Form {
    pub(super) power: Power,
    pub(super) cpus: u32,
    /// The names of its disks.
    pub(super) disks: BTreeSet<String>,
    /// Its policy starts it again when it dies.
    pub(super) again: bool,
}

/// A name: what has it, if anything.
pub(super) type State = Option<Form>;

/// What a deed does to the VM of its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// Made anew, in this form.
    Appear(Form),
    Boot,
    Stop,
    Hold,
    Resume,
    Reboot,
    /// Removed; by force, or only where it does not run.
    Vanish {
        force: bool,
    },
    Cpus(u32),
    Plug(String),
    Unplug(String),
    /// Runs again in this form.
    Return(Form),
    /// Its VMM may have been killed.
    Die,
    Nothing,
}

/// An effect with the time in which it took place.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) effect: Effect,
    /// It began then, and was known to be done by then.
    pub(super) span: (u64, u64),
    /// Nobody said that it was done.
    pub(super) unsure: bool,
}

/// How strictly it is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strictness {
    /// One client: what was acknowledged was lawful.
    Exact,
    /// Several: a deed may have met the VM between two states.
    Lenient,
}

/// So many steps of one name are put in order; more could not be told in time.
const MOST: usize = 14;

/// All states that are possible after these steps; nothing where there are too many to tell.
pub(super) fn after(before: &BTreeSet<State>, steps: &[Step], strictness: Strictness) -> Option<BTreeSet<State>> {
    if steps.len() > MOST {
        return None;
    }
    let whole = (1_usize << steps.len()) - 1;
    let mut reached: BTreeMap<usize, BTreeSet<State>> =
        BTreeMap::from([(0, before.iter().flat_map(by_itself).collect())]);
    for mask in 0..whole {
        let Some(states) = reached.remove(&mask) else { continue };
        for (index, step) in steps.iter().enumerate().filter(|(index, _)| mask & (1 << index) == 0) {
            // Whatever was done before this one began comes first.
            let early =
                |(other, it): (usize, &Step)| mask & (1 << other) == 0 && other != index && it.span.1 < step.span.0;
            if steps.iter().enumerate().any(early) {
                continue;
            }
            let next = reached.entry(mask | (1 << index)).or_default();
            next.extend(states.iter().flat_map(|state| results(state, step, strictness)));
        }
    }
    Some(reached.remove(&whole).unwrap_or_default())
}

fn results(state: &State, step: &Step, strictness: Strictness) -> Vec<State> {
    let mut results: Vec<State> = apply(state, &step.effect).into_iter().collect();
    if let (Effect::Die, Some(form)) = (&step.effect, state)
        && matches!(form.power, Power::Runs | Power::Held)
    {
        results.push(state.clone());
        results.extend(form.again.then(|| Some(Form { power: Power::Waits, ..form.clone() })));
    }
    if (&step.effect, power_of(state)) == (&Effect::Stop, Some(Power::Waits)) {
        // What ended by itself before it was asked to is told so.
        results.extend(state.iter().map(|form| Some(Form { power: Power::Failed, ..form.clone() })));
    }
    if step.unsure || (strictness == Strictness::Lenient && results.is_empty()) {
        results.push(state.clone());
    }
    if strictness == Strictness::Lenient && step.effect == (Effect::Vanish { force: false }) {
        // It may have met the VM while that was being started or stopped.
        results.push(None);
    }
    results.iter().flat_map(by_itself).collect()
}

/// What a state may have become without any deed: what waits to run again may do so.
fn by_itself(state: &State) -> Vec<State> {
    let mut states = vec![state.clone()];
    if let Some(form) = state.as_ref().filter(|form| form.power == Power::Waits) {
        states.extend([Power::Runs, Power::Held].map(|power| Some(Form { power, ..form.clone() })));
    }
    states
}

fn power_of(state: &State) -> Option<Power> {
    state.as_ref().map(|form| form.power)
}

/// What becomes of it; nothing where that is not lawful.
fn apply(state: &State, effect: &Effect) -> Option<State> {
    let form = match (state, effect) {
        (None, Effect::Appear(form)) => return Some(Some(form.clone())),
        (None, Effect::Die | Effect::Nothing) => return Some(None),
        (None, _) | (Some(_), Effect::Appear(_)) => return None,
        (Some(form), _) => form,
    };
    let powered = |power| Some(Some(Form { power, ..form.clone() }));
    use Power as P;
    match effect {
        Effect::Boot if form.power == P::Waits => powered(P::Waits),
        Effect::Boot if form.power != P::Held => powered(P::Runs),
        Effect::Stop => match form.power {
            P::Runs | P::Held | P::Waits => powered(P::Off),
            P::Made | P::Off => powered(form.power),
            P::Failed => None,
        },
        Effect::Hold if matches!(form.power, P::Runs | P::Held) => powered(P::Held),
        Effect::Resume if matches!(form.power, P::Runs | P::Held) => powered(P::Runs),
        Effect::Reboot if form.power == P::Runs => powered(P::Runs),
        Effect::Vanish { force } if *force || !matches!(form.power, P::Runs | P::Held) => Some(None),
        Effect::Cpus(cpus) => Some(Some(Form { cpus: *cpus, ..form.clone() })),
        Effect::Plug(disk) if !form.disks.contains(disk) => {
            let disks = form.disks.iter().chain([disk]).cloned().collect();
            Some(Some(Form { disks, ..form.clone() }))
        }
        Effect::Unplug(disk) if form.disks.contains(disk) => {
            let disks = form.disks.iter().filter(|it| *it != disk).cloned().collect();
            Some(Some(Form { disks, ..form.clone() }))
        }
        Effect::Return(to) => Some(Some(to.clone())),
        Effect::Die if matches!(form.power, P::Runs | P::Held) => powered(P::Failed),
        Effect::Die | Effect::Nothing => Some(state.clone()),
        Effect::Boot
        | Effect::Hold
        | Effect::Resume
        | Effect::Reboot
        | Effect::Vanish { .. }
        | Effect::Plug(_)
        | Effect::Unplug(_)
        | Effect::Appear(_) => None,
    }
}

/// Whether an effect is lawful in a state.
pub(super) fn lawful(state: &State, effect: &Effect) -> bool {
    apply(state, effect).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(power: Power) -> Form {
        Form { power, cpus: 1, disks: BTreeSet::new(), again: false }
    }

    fn step(effect: Effect, begun: u64, ended: u64) -> Step {
        Step { effect, span: (begun, ended), unsure: false }
    }

    fn powers(states: &BTreeSet<State>) -> Vec<Option<Power>> {
        states.iter().map(|state| state.as_ref().map(|form| form.power)).collect()
    }

    #[test]
    fn one_client_s_deeds_have_one_order() {
        let steps = [
            step(Effect::Appear(form(Power::Runs)), 1, 2),
            step(Effect::Hold, 3, 4),
            step(Effect::Resume, 5, 6),
            step(Effect::Stop, 7, 8),
        ];
        let found = after(&BTreeSet::from([None]), &steps, Strictness::Exact).unwrap();
        assert_eq!(powers(&found), [Some(Power::Off)]);
    }

    #[test]
    fn what_was_not_lawful_accuses_one_client_and_not_several() {
        let steps = [step(Effect::Hold, 1, 2)];
        let off = BTreeSet::from([Some(form(Power::Off))]);
        assert!(after(&off, &steps, Strictness::Exact).unwrap().is_empty());
        assert_eq!(powers(&after(&off, &steps, Strictness::Lenient).unwrap()), [Some(Power::Off)]);
    }

    #[test]
    fn deeds_at_one_time_have_every_order() {
        let steps = [step(Effect::Hold, 1, 9), step(Effect::Stop, 2, 8), step(Effect::Boot, 3, 7)];
        let runs = BTreeSet::from([Some(form(Power::Runs))]);
        let found = after(&runs, &steps, Strictness::Lenient).unwrap();
        assert_eq!(powers(&found), [Some(Power::Runs), Some(Power::Held), Some(Power::Off)]);
    }

    #[test]
    fn what_nobody_said_is_done_or_not() {
        let unsure = Step { unsure: true, ..step(Effect::Stop, 1, 2) };
        let runs = BTreeSet::from([Some(form(Power::Runs))]);
        let found = after(&runs, &[unsure], Strictness::Exact).unwrap();
        assert_eq!(powers(&found), [Some(Power::Runs), Some(Power::Off)]);
        let found = after(&runs, &[step(Effect::Die, 1, 2)], Strictness::Exact).unwrap();
        assert_eq!(powers(&found), [Some(Power::Runs), Some(Power::Failed)]);
    }

    #[test]
    fn what_runs_again_by_itself_waits_or_runs() {
        let again = |power| Some(Form { again: true, ..form(power) });
        let found = after(&BTreeSet::from([again(Power::Runs)]), &[step(Effect::Die, 1, 2)], Strictness::Lenient);
        let wanted = [Power::Runs, Power::Held, Power::Failed, Power::Waits].map(Some);
        assert_eq!(powers(&found.unwrap()), wanted);
        let waits = BTreeSet::from([again(Power::Waits)]);
        let found = after(&waits, &[], Strictness::Exact).unwrap();
        assert_eq!(powers(&found), [Power::Runs, Power::Held, Power::Waits].map(Some));
        let found = after(&waits, &[step(Effect::Stop, 1, 2)], Strictness::Exact).unwrap();
        assert_eq!(powers(&found), [Power::Off, Power::Failed].map(Some));
    }
}
