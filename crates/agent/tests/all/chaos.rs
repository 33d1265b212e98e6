//! Anything may happen in any order: callers, guests, kills of the agent, faults. At any time at most
//! one process of an instance lives, and when all is deleted nothing is left.

use crate::house::{GRACE, House, blank, pass};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;
use weft_domain::instance::{Origin, StopHow};
use weft_domain::lifecycle::Verb;
use weft_domain::snapshot::{Identity, Scope, SnapshotPhase};
use weft_domain::spec::RestartPolicy;
use weft_domain::{Fault, InstanceId, Reason, SnapshotId};
use weft_ports::hypervisor::fake::{Answer, Behaviour, Button};
use weft_ports::processes::Ending;

#[derive(Debug, Clone)]
enum Deed {
    Create,
    Ask(usize, Verb, bool),
    PowerOff(usize),
    Panic(usize),
    Die(usize),
    Silence(usize),
    Remove(usize),
    Respec(usize, u32),
    Snap(usize, Scope),
    Drop(usize),
    Begin(usize, usize),
    Behave(bool, bool),
    JournalRefuses,
    DiskRefuses,
    ControlRefuses(bool),
    HangUp,
    Kill(Option<u8>),
    Wait(u16),
}

fn deed() -> impl Strategy<Value = Deed> {
    let one = 0usize..4;
    prop_oneof![
        3 => Just(Deed::Create),
        8 => (one.clone(), prop::sample::select(Verb::ALL.to_vec()), any::<bool>()).prop_map(|(n, verb, force)| Deed::Ask(n, verb, force)),
        2 => one.clone().prop_map(Deed::PowerOff),
        1 => one.clone().prop_map(Deed::Panic),
        2 => one.clone().prop_map(Deed::Die),
        1 => one.clone().prop_map(Deed::Silence),
        1 => one.clone().prop_map(Deed::Remove),
        3 => (one.clone(), 1u32..4).prop_map(|(n, cpus)| Deed::Respec(n, cpus)),
        3 => (one.clone(), prop::sample::select(vec![Scope::Full, Scope::Disks])).prop_map(|(n, scope)| Deed::Snap(n, scope)),
        1 => one.clone().prop_map(Deed::Drop),
        2 => (one.clone(), one).prop_map(|(n, m)| Deed::Begin(n, m)),
        1 => any::<(bool, bool)>().prop_map(|(deaf, broken)| Deed::Behave(deaf, broken)),
        1 => Just(Deed::JournalRefuses),
        1 => Just(Deed::DiskRefuses),
        1 => any::<bool>().prop_map(Deed::ControlRefuses),
        1 => Just(Deed::HangUp),
        4 => prop::option::of(0u8..40).prop_map(Deed::Kill),
        6 => (0u16..4_000).prop_map(Deed::Wait),
    ]
}

struct Chaos {
    house: House,
    ids: Vec<InstanceId>,
    snapshots: Vec<SnapshotId>,
}

impl Chaos {
    fn create(&mut self) {
        let number = self.ids.len();
        let policy = [RestartPolicy::Never, RestartPolicy::OnFailure, RestartPolicy::Always][number % 3];
        self.ids.push(self.house.create(&format!("vm-{number}"), |draft| {
            draft.restart = policy;
            draft.cpu.max = 4;
            draft.disks.push(blank("data", 1 << 20));
        }));
    }

    fn pick(&self, n: usize) -> InstanceId {
        self.ids[n % self.ids.len()]
    }

    async fn run(&mut self, deed: &Deed) {
        let house = &self.house;
        match *deed {
            Deed::Create => self.create(),
            Deed::Ask(n, verb, force) => {
                house.desk.ask(self.pick(n), verb, if force { StopHow::Force } else { GRACE });
            }
            Deed::PowerOff(n) => house.vmm.power_off(self.pick(n)),
            Deed::Panic(n) => house.vmm.panic(self.pick(n)),
            Deed::Die(n) => house.vmm.die(self.pick(n), Ending::Unknown),
            Deed::Silence(n) => house.vmm.answer(self.pick(n), Answer::Silent),
            Deed::Remove(n) => house.desk.remove(self.pick(n)),
            Deed::Respec(n, cpus) if house.desk.vm(self.pick(n)).is_some() => {
                house.respec(self.pick(n), |draft| draft.cpu.boot = cpus);
            }
            Deed::Snap(n, scope) if house.desk.vm(self.pick(n)).is_some() => {
                self.snapshots.push(house.snap(self.pick(n), scope, None));
            }
            Deed::Drop(n) if !self.snapshots.is_empty() => {
                house.desk.remove_snapshot(self.snapshots[n % self.snapshots.len()]);
            }
            Deed::Begin(n, m) if !self.snapshots.is_empty() => self.begin(n, m),
            Deed::Respec(..) | Deed::Snap(..) | Deed::Drop(_) | Deed::Begin(..) => {}
            Deed::Behave(deaf, broken) => house.vmm.expect(Behaviour {
                button: if deaf { Button::Ignored } else { Button::Heeded },
                launch_failure: broken.then(|| "broken".to_owned()),
                launch_delay: Duration::from_millis(20),
                refuses: broken.then(|| "CPUs".to_owned()),
                keep_failure: deaf.then(|| "deaf".to_owned()),
                body_delay: Duration::from_millis(20),
                ..Behaviour::default()
            }),
            Deed::JournalRefuses => house.claims.refuse_next(Fault::new(Reason::StoreFull, "the disk is full")),
            Deed::DiskRefuses => house.disk.fake.refuse_next(Fault::new(Reason::DiskExhausted, "the disk is full")),
            Deed::ControlRefuses(so) => house.desk.refuse(so.then(|| Fault::new(Reason::StoreFull, "full"))),
            Deed::HangUp => house.desk.hang_up(),
            Deed::Kill(points) => {
                if let Some(points) = points {
                    house.fuse.set(Some(points.into()));
                    pass(Duration::from_millis(50)).await;
                }
                house.kill().await;
                house.fuse.set(None);
                house.start();
            }
            Deed::Wait(millis) => pass(Duration::from_millis(millis.into())).await,
        }
    }

    /// Goes back to a snapshot, if it is of this VM and the VM rests.
    fn begin(&self, n: usize, m: usize) {
        let id = self.pick(n);
        let Some(snapshot) = self.house.desk.snapshot(self.snapshots[m % self.snapshots.len()]) else { return };
        let rests = self.house.desk.vm(id).is_some_and(|vm| vm.phase.at_rest());
        if snapshot.phase != SnapshotPhase::Ready || snapshot.instance != id || !rests {
            return;
        }
        self.house.desk.change(id, |placed| {
            let boot_epoch = placed.desired.boot_epoch + 1;
            let identity = Identity::Same;
            placed.desired.origin = Some(Origin { boot_epoch, snapshot: snapshot.id, identity });
            placed.origin = Some(Arc::new(snapshot));
        });
        self.house.desk.ask(id, Verb::Boot, GRACE);
    }

    fn check(&self) {
        for id in &self.ids {
            assert!(self.house.living(*id).len() <= 1, "at most one process of an instance lives");
        }
    }

    /// Deletes all, with nothing in the way.
    async fn end(&self) {
        let house = &self.house;
        house.desk.refuse(None);
        house.vmm.expect(Behaviour::default());
        for id in house.desk.ids() {
            house.desk.ask(id, Verb::DeleteForce, StopHow::Force);
        }
        for id in &self.snapshots {
            house.desk.remove_snapshot(*id);
        }
        house.desk.until("all gone", |desk| desk.ids().is_empty() && !desk.has_snapshots()).await;
        // What was removed while a fault stood in its way is taken away by a later try.
        pass(Duration::from_secs(60)).await;
        house.assert_empty().await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_left_and_nothing_lives_twice(deeds in prop::collection::vec(deed(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut chaos = Chaos { house: House::up(), ids: Vec::new(), snapshots: Vec::new() };
            chaos.create();
            for deed in &deeds {
                chaos.run(deed).await;
                tokio::task::yield_now().await;
                chaos.check();
            }
            chaos.end().await;
        });
    }
}
