//! The table of the contract, and the laws of `next`.

use super::*;
use proptest::prelude::*;

fn verb(phase: Phase, verb: Verb) -> Result<Phase, Refused> {
    next(phase, Event::Asked(verb)).map(|(phase, _)| phase)
}

#[test]
fn the_table_of_verbs() {
    use Phase as P;
    let lawful: &[(Verb, &[(Phase, Phase)])] = &[
        (
            Verb::Boot,
            &[
                (P::Created, P::Starting),
                (P::Stopped, P::Starting),
                (P::Failed, P::Starting),
                (P::Starting, P::Starting),
                (P::Running, P::Running),
            ],
        ),
        (
            Verb::Shutdown,
            &[
                (P::Running, P::Stopping),
                (P::Paused, P::Stopping),
                (P::Starting, P::Stopping),
                (P::Stopping, P::Stopping),
                (P::Stopped, P::Stopped),
                (P::Created, P::Created),
            ],
        ),
        (Verb::Pause, &[(P::Running, P::Running), (P::Paused, P::Paused)]),
        (Verb::Resume, &[(P::Running, P::Running), (P::Paused, P::Paused)]),
        (Verb::Reboot, &[(P::Running, P::Running)]),
    ];
    for (asked, moves) in lawful {
        for phase in Phase::ALL {
            let want = moves.iter().find(|(from, _)| *from == phase).map(|(_, to)| *to);
            assert_eq!(verb(phase, *asked).ok(), want, "{asked:?} in {phase}");
        }
    }
}

#[test]
fn delete_needs_force_only_while_it_runs() {
    for phase in Phase::ALL {
        let runs = matches!(phase, Phase::Running | Phase::Paused);
        assert_eq!(verb(phase, Verb::Delete).is_err(), runs, "{phase}");
        assert_eq!(verb(phase, Verb::DeleteForce), Ok(Phase::Deleting), "{phase}");
    }
}

#[test]
fn every_refusal_says_the_phase_and_what_helps() {
    for phase in Phase::ALL {
        for asked in Verb::ALL {
            if let Err(refused) = next(phase, Event::Asked(asked)) {
                assert!(refused.to_string().contains(phase.as_str()));
                assert!(!refused.fix().is_empty());
            }
        }
    }
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        prop::sample::select(Verb::ALL.to_vec()).prop_map(Event::Asked),
        prop::sample::select(Sight::ALL.to_vec()).prop_map(Event::Saw),
    ]
}

proptest! {
    #[test]
    fn a_deleted_instance_stays_deleted(events in prop::collection::vec(events(), 0..40)) {
        let mut phase = Phase::Deleting;
        for event in events {
            if let Ok((to, actions)) = next(phase, event) {
                prop_assert_eq!(to, Phase::Deleting);
                prop_assert_eq!(actions.contains(&Action::Forget), event == Event::Saw(Sight::Released));
                phase = to;
            }
        }
    }

    #[test]
    fn a_verb_twice_is_as_good_as_once(
        phase in prop::sample::select(Phase::ALL.to_vec()),
        asked in prop::sample::select(Verb::ALL.to_vec()),
    ) {
        if let Ok((once, _)) = next(phase, Event::Asked(asked)) {
            let twice = next(once, Event::Asked(asked));
            prop_assert_eq!(twice.map(|(phase, _)| phase), Ok(once));
        }
    }

    #[test]
    fn sights_change_no_desire(
        phase in prop::sample::select(Phase::ALL.to_vec()),
        sight in prop::sample::select(Sight::ALL.to_vec()),
    ) {
        let (_, actions) = next(phase, Event::Saw(sight)).expect("a sight is never refused");
        prop_assert!(actions.is_empty() || actions == vec![Action::Forget]);
    }

    #[test]
    fn whatever_happens_it_can_be_removed(events in prop::collection::vec(events(), 0..40)) {
        let mut phase = Phase::Pending;
        for event in events {
            if let Ok((to, _)) = next(phase, event) { phase = to; }
        }
        prop_assert_eq!(verb(phase, Verb::DeleteForce), Ok(Phase::Deleting));
    }
}
