//! A house of one node: control over the store in memory, and an agent that simulates its guests.

use futures::StreamExt;
use futures::stream::BoxStream;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use weft_control::{Config, Control};
use weft_domain::admission::VMM_OVERHEAD_BYTES;
use weft_domain::capability::{Capabilities, Feature};
use weft_domain::census::Census;
use weft_domain::converge::{Ended, Live, Plan, Seen, Step, Wanted, converge};
use weft_domain::instance::{Condition, Exit, ExitCause, Power as Wish, Running};
use weft_domain::label::Annotations;
use weft_domain::lifecycle::Sight;
use weft_domain::node::{Facts, Node, Orphans};
use weft_domain::snapshot::{Content, Part, Role, SnapshotPhase};
use weft_domain::spec::{Accelerator, Draft, Machine};
use weft_domain::{Fault, IncarnationId, InstanceId, Labels, Name, NodeId, Reason, SnapshotId, Time};
use weft_ports::api::{Answers, Call, ConsoleInput, CreateMode, LogChunk, LogQuery, NewVm, VmRef, Vms};
use weft_ports::clock::{Clock, Fake};
use weft_ports::hypervisor::Counters;
use weft_ports::link::{Placed, Placement, Placements, Reach, Report, SnapshotReport, SnapshotSight};
use weft_ports::store::Store;
use weft_ports::store::fake::Memory;
use weft_ports::task::{Task, spawn};

/// Memory that instances of the node may have: four of the default size, with what a VMM needs.
pub(crate) const ROOM: u64 = 4 * ((256 << 20) + VMM_OVERHEAD_BYTES);

/// The house.
pub(crate) struct House {
    pub(crate) control: Control,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<Fake>,
    pub(crate) node: NodeId,
    pub(crate) guests: Arc<Guests>,
    pub(crate) happen: mpsc::Sender<Happening>,
    stop: Option<oneshot::Sender<()>>,
    run: Option<Task<()>>,
    agent: Option<Task<()>>,
}

/// How all guests and their node behave.
#[derive(Default)]
pub(crate) struct Guests {
    /// They do not hear that they are asked to stop.
    pub(crate) deaf: AtomicBool,
    /// Their VMMs cannot be started.
    pub(crate) broken: AtomicBool,
    /// Their node refuses their paths.
    pub(crate) vetoed: AtomicBool,
    /// Their VMMs refuse to change while they run.
    pub(crate) stubborn: AtomicBool,
    /// Their VMMs take nothing up before the next boot, and say so.
    pub(crate) rigid: AtomicBool,
    /// Their node has no room for snapshots.
    pub(crate) full: AtomicBool,
    /// Their node does not hear of snapshots.
    pub(crate) busy: AtomicBool,
    /// How many times a guest was interrupted.
    pub(crate) interrupts: AtomicU64,
    /// What its node has and control does not know.
    pub(crate) orphans: Mutex<Orphans>,
    /// What each boot began from.
    pub(crate) began: Mutex<Vec<(InstanceId, Option<SnapshotId>)>>,
}

/// What befalls a guest.
pub(crate) enum Happening {
    /// It powers itself off.
    Poweroff(InstanceId),
    /// Its VMM dies.
    Dies(InstanceId),
}

/// What house is built.
pub(crate) struct Blueprint {
    pub(crate) config: Config,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) with_agent: bool,
}

impl Default for Blueprint {
    fn default() -> Self {
        Self { config: Config::default(), store: Arc::new(Memory::default()), with_agent: true }
    }
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::of(Blueprint::default()).await
    }

    /// A house whose node accepts all and reports nothing.
    pub(crate) async fn silent() -> Self {
        Self::of(Blueprint { with_agent: false, ..Blueprint::default() }).await
    }

    pub(crate) async fn of(plan: Blueprint) -> Self {
        let clock = Arc::new(Fake::default());
        clock.advance(Duration::from_secs(1_000_000));
        let store = plan.store;
        let control = weft_control::open(plan.config, Arc::clone(&store), Arc::clone(&clock) as Arc<dyn Clock>);
        let control = control.await.expect("the store opens");
        let node = NodeId::new(Time::from_millis(1), [1; 10]);
        let guests = Arc::new(Guests::default());
        let (stop, stopped) = oneshot::channel();
        let running = control.clone();
        let run = spawn("control", async move { running.run(async { drop(stopped.await) }).await });
        control.attach_node(node, Arc::new(Way(Arc::clone(&guests))));
        control.register(the_node(node)).await.expect("a node registers");
        let (happen, happens) = mpsc::channel(16);
        let agent = plan.with_agent.then(|| {
            let agent = Agent {
                control: control.clone(),
                clock: Arc::clone(&clock),
                node,
                guests: Arc::clone(&guests),
                vms: HashMap::new(),
                sights: VecDeque::new(),
            };
            spawn("agent", agent.run(happens))
        });
        Self { control, store, clock, node, guests, happen, stop: Some(stop), run: Some(run), agent }
    }

    /// Ends control and the agent; the store stays.
    pub(crate) async fn close(mut self) -> Arc<dyn Store> {
        drop(self.agent.take());
        drop(self.stop.take());
        if let Some(run) = self.run.take() {
            run.await.expect("the loops end in order");
        }
        self.store
    }

    pub(crate) async fn make(&self, name: &str) -> InstanceId {
        let made = self.control.create(&call(), new_vm(name)).await.expect("a VM is made");
        made.value.meta.id
    }

    pub(crate) async fn make_running(&self, name: &str) -> InstanceId {
        let new = NewVm { mode: CreateMode::Boot, ..new_vm(name) };
        self.control.create(&call(), new).await.expect("a VM is made").value.meta.id
    }
}

/// A call with no request id.
pub(crate) fn call() -> Call {
    Call::by("test")
}

/// A call with this request id and body.
pub(crate) fn repeatable(id: &str, body: u8) -> Call {
    Call { request_id: Some(id.into()), body: [body; 32], ..call() }
}

pub(crate) fn named(name: &str) -> VmRef {
    VmRef::Named { project: Name::default_project(), name: name.parse().expect("a name") }
}

/// A VM of the default size; no name where it is empty.
pub(crate) fn new_vm(name: &str) -> NewVm {
    NewVm {
        project: Name::default_project(),
        name: name.parse().ok(),
        labels: Labels::default(),
        annotations: Annotations::default(),
        spec: Draft::default().check().expect("the default is lawful"),
        mode: CreateMode::Create,
    }
}

pub(crate) fn the_node(id: NodeId) -> Node {
    let features = Draft::default().needs().into_iter().map(|(feature, _)| feature);
    let features = features.chain([
        Feature::ReadinessSerial,
        Feature::Balloon,
        Feature::DiskRaw,
        Feature::LiveMemory,
        Feature::SnapshotFull,
        Feature::SnapshotDifference,
        Feature::SnapshotDisks,
        Feature::SnapshotInternal,
        Feature::DiskQcow2,
        Feature::Fork,
        Feature::Counters,
        Feature::Nmi,
    ]);
    let features = features.collect();
    Node {
        id,
        name: "here".parse().expect("a name"),
        labels: Labels::default(),
        create_time: Time::from_millis(1),
        facts: Facts {
            weft_version: "0".into(),
            kernel: "6".into(),
            architecture: "x86_64".into(),
            boot_id: "b".into(),
            agent_start: Time::from_millis(1),
            cpus: 2,
            memory_bytes: ROOM,
            allocatable_memory_bytes: ROOM,
            allocatable_disk_bytes: 0,
            cgroups: "none".into(),
            drivers: vec![Capabilities { driver: "sim".into(), version: "1".into(), features, notes: vec![] }],
            warnings: vec![],
        },
    }
}

struct Way(Arc<Guests>);

#[async_trait::async_trait]
impl Reach for Way {
    async fn vet(&self, _: &weft_domain::Spec) -> Result<(), Fault> {
        if self.0.vetoed.load(Ordering::Relaxed) {
            return Err(Fault::field(Reason::PathUnusable, "vm.spec.payload.kernel", "leads to nothing"));
        }
        Ok(())
    }
    async fn counters(&self, _: InstanceId) -> Result<Counters, Fault> {
        Ok(BTreeMap::from([("disk0".to_owned(), BTreeMap::from([("reads".to_owned(), 7)]))]))
    }
    async fn nmi(&self, _: InstanceId) -> Result<(), Fault> {
        self.0.interrupts.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
    async fn census(&self) -> Result<Census, Fault> {
        Ok(Census { left_out: 7, ..Census::default() })
    }
    async fn orphans(&self) -> Result<Orphans, Fault> {
        Ok(self.0.orphans.lock().expect("nobody panicked").clone())
    }
    async fn release_orphans(&self, which: &Orphans) -> Result<(), Fault> {
        let mut here = self.0.orphans.lock().expect("nobody panicked");
        *here = here.without(which);
        Ok(())
    }
    async fn log(&self, _: InstanceId, _: LogQuery) -> Result<Answers<LogChunk>, Fault> {
        Ok(futures::stream::empty().boxed())
    }
    async fn attach(&self, _: InstanceId, _: BoxStream<'static, ConsoleInput>) -> Result<Answers<bytes::Bytes>, Fault> {
        Ok(futures::stream::empty().boxed())
    }
}

/// One simulated instance.
struct Sim {
    placed: Box<Placed>,
    seen: Seen,
    last_exit: Option<Exit>,
    sight: Option<(Sight, u64, u64)>,
    /// The generation that its machine has taken up.
    applied: u64,
    /// Its machine refused the generation that is asked.
    refused: bool,
}

struct Agent {
    control: Control,
    clock: Arc<Fake>,
    node: NodeId,
    guests: Arc<Guests>,
    vms: HashMap<InstanceId, Sim>,
    /// What became of snapshots, not yet told.
    sights: VecDeque<SnapshotReport>,
}

impl Agent {
    async fn run(mut self, mut happens: mpsc::Receiver<Happening>) {
        let mut placements = self.control.subscribe(self.node).await.expect("a node may subscribe");
        loop {
            let wake = self.settle().await;
            let sleep = async {
                match wake {
                    Some(wake) => {
                        let span = wake.since(self.clock.now());
                        // why: on the paused clock this is the agent's own timer.
                        tokio::time::sleep(span).await;
                        self.clock.advance(span);
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                next = placements.next() => match next {
                    Some(placement) => self.take(placement),
                    None => return,
                },
                Some(what) = happens.recv() => self.befall(&what),
                () = sleep => {}
            }
        }
    }

    fn take(&mut self, placement: Placement) {
        match placement {
            Placement::Set(placed) => match self.vms.get_mut(&placed.id) {
                Some(sim) => {
                    sim.refused &= sim.placed.generation == placed.generation;
                    sim.placed = placed;
                }
                None => {
                    let ended = placed.last_exit.as_ref().map(ended);
                    let seen = Seen { prepared: ended.is_some(), ended, ..Seen::default() };
                    let last_exit = placed.last_exit.clone();
                    let sim = Sim { last_exit, placed, seen, sight: None, applied: 0, refused: false };
                    self.vms.insert(sim.placed.id, sim);
                }
            },
            Placement::Removed(id) => drop(self.vms.remove(&id)),
            Placement::Snapshot(kept) if kept.snapshot.phase == SnapshotPhase::Pending => {
                if !self.guests.busy.load(Ordering::Relaxed) {
                    let sight = self.keep();
                    self.sights.push_back(SnapshotReport { id: kept.snapshot.id, sight });
                }
            }
            Placement::SnapshotRemoved(id) => {
                self.sights.push_back(SnapshotReport { id, sight: SnapshotSight::Released });
            }
            Placement::Snapshot(_) | Placement::Synced => {}
        }
    }

    fn keep(&self) -> SnapshotSight {
        if self.guests.full.load(Ordering::Relaxed) {
            return SnapshotSight::Failed("no space is left".to_owned());
        }
        // Two snapshots are never taken in one moment.
        self.clock.advance(Duration::from_millis(1));
        let part = Part { role: Role::Memory, file: "memory".into(), bytes: 4096, sha256: [1; 32] };
        SnapshotSight::Kept(Content { driver: "sim 1".into(), taken: Some(self.clock.now()), parts: vec![part] })
    }

    fn befall(&mut self, what: &Happening) {
        let (id, cause) = match what {
            Happening::Poweroff(id) => (id, ExitCause::GuestPoweroff),
            Happening::Dies(id) => (id, ExitCause::VmmDied),
        };
        let now = self.clock.now();
        if let Some(sim) = self.vms.get_mut(id) {
            sim.end(cause, now);
        }
    }

    /// Brings all instances to rest, reporting as it goes; tells when the next one must be looked at.
    async fn settle(&mut self) -> Option<Time> {
        while let Some(report) = self.sights.pop_front() {
            self.control.report_snapshot(self.node, report).await.expect("a report is taken");
        }
        let mut wake: Option<Time> = None;
        let ids: Vec<_> = self.vms.keys().copied().collect();
        for id in ids {
            loop {
                let (now, guests) = (self.clock.now(), Arc::clone(&self.guests));
                let Some(sim) = self.vms.get_mut(&id) else { break };
                sim.seen.lacking = sim.applied < sim.placed.generation && !sim.refused;
                let plan = converge(&sim.wanted(), &sim.seen, now);
                let sights = sim.act(&plan, now, &guests);
                let resting = plan.steps.is_empty();
                wake = wake.into_iter().chain(plan.wake.filter(|_| resting)).min();
                for sight in sights {
                    let rigid = guests.rigid.load(Ordering::Relaxed);
                    self.report(id, sight, rigid).await;
                }
                if resting || !self.vms.contains_key(&id) {
                    break;
                }
            }
        }
        wake
    }

    async fn report(&mut self, id: InstanceId, sight: Sight, rigid: bool) {
        let Some(sim) = self.vms.get_mut(&id) else { return };
        let now = (sight, sim.placed.desired.boot_epoch, sim.placed.generation);
        if sim.sight == Some(now) && sight != Sight::Running {
            return;
        }
        sim.sight = Some(now);
        let mut report = sim.report(sight, self.clock.now());
        if rigid && sim.placed.generation > 1 {
            report.restart_required.push("vm.spec.cpu".to_owned());
        }
        self.control.report(self.node, report).await.expect("a report is taken");
        if sight == Sight::Released {
            self.vms.remove(&id);
        }
    }
}

fn ended(exit: &Exit) -> Ended {
    Ended { boot_epoch: exit.boot_epoch, reboot_epoch: exit.reboot_epoch, cause: exit.cause, at: exit.at }
}

impl Sim {
    fn wanted(&self) -> Wanted {
        Wanted { desired: self.placed.desired, restart: self.placed.spec.restart }
    }

    fn end(&mut self, cause: ExitCause, at: Time) {
        let Some(live) = self.seen.live.take() else { return };
        let (boot_epoch, reboot_epoch) = (live.boot_epoch, live.reboot_epoch);
        let message = format!("simulated {}", cause.as_str());
        let exit = Exit { boot_epoch, reboot_epoch, at, cause, message, log_tail: vec![], console_tail: vec![] };
        self.seen.ended = Some(ended(&exit));
        self.last_exit = Some(exit);
    }

    fn act(&mut self, plan: &Plan, now: Time, guests: &Guests) -> Vec<Sight> {
        let Some(step) = plan.steps.first() else { return vec![self.at_rest(plan)] };
        match *step {
            Step::Prepare => {
                self.seen.prepared = true;
                return vec![Sight::Preparing, Sight::Prepared];
            }
            Step::Launch { boot_epoch, again } => {
                let reboot_epoch = self.placed.desired.reboot_epoch;
                self.seen.restarts = if again { self.seen.restarts + 1 } else { 0 };
                self.seen.live = Some(Live { boot_epoch, reboot_epoch, held: false, asked: None });
                self.applied = self.placed.generation;
                let origin = self.placed.origin.as_ref().map(|snapshot| snapshot.id);
                guests.began.lock().expect("no panic holds it").push((self.placed.id, origin));
                if guests.broken.load(Ordering::Relaxed) {
                    self.end(ExitCause::LaunchFailed, now);
                }
                return vec![Sight::Starting];
            }
            Step::Pause | Step::Resume => {
                if let Some(live) = &mut self.seen.live {
                    live.held = *step == Step::Pause;
                }
            }
            Step::AskToStop if !guests.deaf.load(Ordering::Relaxed) => {
                let asked = self.placed.desired.power == Wish::Off;
                self.end(if asked { ExitCause::Shutdown } else { ExitCause::GuestPoweroff }, now);
            }
            Step::AskToStop => {
                if let Some(live) = &mut self.seen.live {
                    live.asked = Some(now);
                }
            }
            Step::Kill => self.end(ExitCause::Forced, now),
            Step::Reset { reboot_epoch } => {
                if let Some(live) = &mut self.seen.live {
                    (live.reboot_epoch, live.asked) = (reboot_epoch, None);
                }
            }
            Step::Apply if guests.stubborn.load(Ordering::Relaxed) => self.refused = true,
            Step::Apply => self.applied = self.placed.generation,
            Step::Release => return vec![Sight::Released],
        }
        vec![]
    }

    fn at_rest(&self, plan: &Plan) -> Sight {
        match (&self.seen.live, &self.last_exit) {
            (Some(live), _) if live.held => Sight::Paused,
            (Some(_), _) => Sight::Running,
            (None, _) if plan.waiting => Sight::Waiting,
            (None, Some(exit)) if exit.cause.is_failure() => Sight::Failed,
            (None, Some(_)) => Sight::Stopped,
            (None, None) => Sight::Prepared,
        }
    }

    fn report(&self, sight: Sight, now: Time) -> Report {
        let running = self.seen.live.map(|live| Running {
            incarnation: IncarnationId::new(Time::from_millis(1), [u8::try_from(live.boot_epoch).unwrap_or(0); 10]),
            pid: 7,
            boot_epoch: live.boot_epoch,
            reboot_epoch: live.reboot_epoch,
            start_time: now,
            driver: "sim 1".into(),
            machine: Machine::Pc,
            accelerator: Accelerator::Tcg,
            jail: None,
            applied_generation: self.applied,
            resets: 0,
        });
        let refused = Condition {
            kind: "StepSucceeded".into(),
            holds: Some(false),
            reason: "StepFailed".into(),
            message: "the guest does not let go".into(),
            since: now,
        };
        Report {
            id: self.placed.id,
            placement: self.placed.placement,
            generation: self.placed.generation,
            boot_epoch: self.placed.desired.boot_epoch,
            sight,
            running: running.map(|running| Running { start_time: Time::from_millis(5), ..running }),
            last_exit: self.last_exit.clone(),
            restarts: self.seen.restarts,
            addresses: vec![],
            conditions: self.refused.then_some(refused).into_iter().collect(),
            restart_required: vec![],
        }
    }
}
