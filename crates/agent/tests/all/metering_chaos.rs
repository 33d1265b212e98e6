//! Anything may happen to what is measured, in any order: the law holds whatever comes, and control has each record
//! once.

use crate::house::metered::Mood;
use crate::house::{GRACE, House, pass};
use crate::metering::claim;
use proptest::prelude::*;
use std::time::Duration;
use weft_domain::instance::StopHow;
use weft_domain::lifecycle::Verb;
use weft_domain::spec::RestartPolicy;
use weft_domain::{ClaimId, InstanceId};
use weft_ports::claims::Claimed;
use weft_ports::processes::Ending;

#[derive(Debug, Clone)]
enum Deed {
    Ask(usize, Verb, bool),
    Work(usize, u32),
    Die(usize),
    GuestReboots(usize),
    Resize(usize, u8),
    Reset(usize),
    Hide(usize, bool),
    Fill(bool),
    StepWall(bool),
    Tick(u8),
    Leap(u16),
    Control(Mood),
    Wait,
    Kill(Option<u8>, u16),
}

fn deed() -> impl Strategy<Value = Deed> {
    let one = 0usize..3;
    let verbs = vec![Verb::Boot, Verb::Pause, Verb::Resume, Verb::Reboot, Verb::Shutdown];
    let moods = vec![Mood::Refuses, Mood::Mumbles, Mood::Forgets];
    prop_oneof![
        6 => (one.clone(), prop::sample::select(verbs), any::<bool>()).prop_map(|(n, verb, force)| Deed::Ask(n, verb, force)),
        10 => (one.clone(), any::<u32>()).prop_map(|(n, nanos)| Deed::Work(n, nanos)),
        1 => one.clone().prop_map(Deed::Die),
        1 => one.clone().prop_map(Deed::GuestReboots),
        2 => (one.clone(), 1u8..8).prop_map(|(n, size)| Deed::Resize(n, size)),
        1 => one.clone().prop_map(Deed::Reset),
        2 => (one, any::<bool>()).prop_map(|(n, hidden)| Deed::Hide(n, hidden)),
        2 => any::<bool>().prop_map(Deed::Fill),
        1 => any::<bool>().prop_map(Deed::StepWall),
        8 => (1u8..13).prop_map(Deed::Tick),
        1 => (0u16..5_000).prop_map(Deed::Leap),
        2 => prop::sample::select(moods).prop_map(Deed::Control),
        4 => Just(Deed::Wait),
        3 => (prop::option::of(0u8..40), 0u16..5_000).prop_map(|(points, away)| Deed::Kill(points, away)),
    ]
}

struct Chaos {
    house: House,
    ids: Vec<InstanceId>,
    full: bool,
}

impl Chaos {
    async fn begin() -> Self {
        let (house, mut ids) = (House::up(), Vec::new());
        for (name, policy) in
            [("a", RestartPolicy::Always), ("b", RestartPolicy::OnFailure), ("c", RestartPolicy::Never)]
        {
            ids.push(
                house
                    .running(name, |draft| {
                        draft.restart = policy;
                        draft.memory.hotplug_bytes = 2 << 30;
                    })
                    .await,
            );
        }
        Self { house, ids, full: false }
    }

    /// The claims of the processes of an instance; one that has ended may be among them.
    fn claims(&self, n: usize) -> Vec<ClaimId> {
        let entries = self.house.claims.entries();
        let of = entries.into_iter().filter(|it| it.claim.instance == self.ids[n]);
        of.filter(|it| matches!(it.claim.what, Claimed::Process(_))).map(|it| it.claim.id).collect()
    }

    fn runs(&self, n: usize) -> Option<ClaimId> {
        (!self.house.living(self.ids[n]).is_empty()).then(|| claim(&self.house, self.ids[n]))
    }

    async fn run(&mut self, deed: &Deed) {
        let (house, dials) = (&self.house, &self.house.metered.dials);
        match *deed {
            Deed::Ask(n, verb, force) => {
                house.desk.ask(self.ids[n], verb, if force { StopHow::Force } else { GRACE });
                house.idle().await;
            }
            Deed::Work(n, nanos) => self.runs(n).into_iter().for_each(|claim| dials.work(claim, nanos.into())),
            Deed::Die(n) => house.vmm.die(self.ids[n], Ending::Unknown),
            Deed::GuestReboots(n) => house.vmm.reboot(self.ids[n]),
            Deed::Resize(n, size) => house.respec(self.ids[n], |draft| draft.memory.size_bytes = u64::from(size) << 28),
            // One that is seen by nobody cannot be told from work.
            Deed::Reset(n) if !self.full => {
                house.idle().await;
                if let Some(claim) = self.runs(n) {
                    dials.hide(claim, false);
                    dials.pass(Duration::from_secs(1));
                    dials.reset(claim);
                    dials.pass(Duration::from_millis(100));
                }
            }
            Deed::Reset(_) => {}
            Deed::Hide(n, hidden) => self.claims(n).into_iter().for_each(|claim| dials.hide(claim, hidden)),
            Deed::Fill(full) => {
                self.full = full;
                house.metered.roll.fill(full);
            }
            Deed::StepWall(on) => dials.step_wall(if on { 3_600_000_000_000 } else { -3_600_000_000_000 }),
            Deed::Tick(ticks) => {
                house.idle().await;
                dials.pass(Duration::from_millis(100) * u32::from(ticks));
            }
            Deed::Leap(millis) => dials.leap(Duration::from_millis(millis.into())),
            Deed::Control(mood) => house.metered.till.expect([mood]),
            Deed::Wait => pass(Duration::from_secs(3)).await,
            Deed::Kill(points, away) => {
                if let Some(points) = points {
                    house.fuse.set(Some(points.into()));
                    pass(Duration::from_millis(50)).await;
                }
                house.kill().await;
                house.fuse.set(None);
                dials.leap(Duration::from_millis(away.into()));
                house.start();
                house.idle().await;
            }
        }
    }

    /// Deletes all, with nothing in the way.
    async fn end(&self) {
        let house = &self.house;
        house.metered.roll.fill(false);
        for id in house.desk.ids() {
            house.desk.ask(id, Verb::DeleteForce, StopHow::Force);
        }
        house.desk.until("all gone", |desk| desk.ids().is_empty()).await;
        house.metered.dials.pass(Duration::from_millis(200));
        pass(Duration::from_secs(120)).await;
        house.assert_empty().await;
        assert!(house.metered.till.records() == house.metered.roll.records(), "control has each record once");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_law_holds_whatever_comes(deeds in prop::collection::vec(deed(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut chaos = Chaos::begin().await;
            for deed in &deeds {
                chaos.run(deed).await;
                tokio::task::yield_now().await;
                chaos.house.metered.assert_law();
            }
            chaos.end().await;
        });
    }
}
