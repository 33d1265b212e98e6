//! Services in memory: a small map of VMs, obedient unless told otherwise.

mod machine;
mod rest;
pub(crate) mod usage;

pub(crate) use rest::Texts;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::{UnboundedReceiverStream, WatchStream};
use weft_cli::Services;
use weft_domain::instance::{Condition, Desired, Exit, ExitCause, Meta, Placement, Running, Status, StopHow};
use weft_domain::label::Annotations;
use weft_domain::lifecycle::{self, Verb};
use weft_domain::object::{Revision, Stored};
use weft_domain::spec::{Accelerator, Draft, Machine};
use weft_domain::{Fault, IncarnationId, Instance, InstanceId, Labels, Name, NodeId, Phase, Reason, Time, spec};
use weft_ports::api::{
    Alter, Answers, Call, Change, ConsoleInput, Consoles, CreateMode, KeptSnapshot, ListQuery, LogChunk, LogQuery,
    LogStart, NewVm, Page, Power, Removal, UsageLine, UsageQuery, Vm, VmChange, VmRef, Vms, WatchQuery,
};
use weft_ports::clock::Clock;

/// 2026-11-20T18:00:00Z.
pub(crate) const NOW: Time = Time::from_millis(1_795_197_600_000);

/// What the services do next.
#[derive(Default)]
pub(crate) struct Knobs {
    /// How long verbs take.
    pub(crate) delay: Duration,
    /// Where a boot ends, if not in RUNNING.
    pub(crate) boots_to: Option<Phase>,
    /// So many updates meet a conflict.
    pub(crate) conflicts: u32,
    /// How the last process of a VM ended, told after the next verb.
    pub(crate) last_exit: Option<Exit>,
    /// A condition that VMs have while a verb takes its time.
    pub(crate) condition: Option<Condition>,
    /// What a guest wrote, and the offset of its first byte that is kept.
    pub(crate) log: (u64, Vec<u8>),
    /// What is answered at consoles.
    pub(crate) console: Option<mpsc::UnboundedReceiver<Result<Bytes, Fault>>>,
    /// Deletes take longer than anybody waits.
    pub(crate) slow_delete: bool,
    /// What machines take up only with their next boot.
    pub(crate) restart_required: Vec<String>,
    /// Why machines refuse to change, and snapshots to be taken.
    pub(crate) refuses: Option<String>,
    /// What is used, second by second.
    pub(crate) seconds: Vec<Result<Vec<UsageLine>, Fault>>,
}

#[derive(Default)]
struct State {
    vms: BTreeMap<(Name, Name), Vm>,
    made: u8,
    revision: u64,
    knobs: Knobs,
    typed: Vec<ConsoleInput>,
    calls: Vec<(String, Call)>,
    changes: Vec<(Revision, VmChange)>,
    alters: Vec<Alter>,
    snapshots: Vec<KeptSnapshot>,
    asked: Vec<UsageQuery>,
}

/// All services at once.
#[derive(Clone)]
pub(crate) struct World {
    state: Arc<Mutex<State>>,
    news: watch::Sender<u64>,
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(crate) fn node_id() -> NodeId {
    NodeId::new(Time::from_millis(1_795_000_000_000), [9; 10])
}

impl World {
    pub(crate) fn new() -> Self {
        Self { state: Arc::default(), news: watch::channel(0).0 }
    }

    pub(crate) fn services(&self) -> Services {
        let all = Arc::new(self.clone());
        Services {
            vms: all.clone(),
            power: all.clone(),
            devices: all.clone(),
            snapshots: all.clone(),
            consoles: all.clone(),
            nodes: all.clone(),
            events: all.clone(),
            usage: all.clone(),
            documents: Arc::new(Texts),
            clock: all,
        }
    }

    pub(crate) fn knobs(&self, turn: impl FnOnce(&mut Knobs)) {
        turn(&mut self.state.lock().unwrap().knobs);
    }

    pub(crate) fn typed(&self) -> Vec<ConsoleInput> {
        self.state.lock().unwrap().typed.clone()
    }

    pub(crate) fn calls(&self, method: &str) -> Vec<Call> {
        let state = self.state.lock().unwrap();
        state.calls.iter().filter(|(name, _)| name == method).map(|(_, call)| call.clone()).collect()
    }

    /// Puts a VM there, in this phase.
    pub(crate) fn put(&self, text: &str, phase: Phase) -> Vm {
        self.put_as(&name("default"), text, phase)
    }

    pub(crate) fn put_as(&self, project: &Name, text: &str, phase: Phase) -> Vm {
        let new = NewVm {
            project: project.clone(),
            name: Some(name(text)),
            labels: Labels::default(),
            annotations: Annotations::default(),
            spec: Draft::default().check().unwrap(),
            mode: CreateMode::Create,
        };
        let vm = self.add(new);
        self.change(&vm.value.meta.project.clone(), &vm.value.meta.name.clone(), |vm| settle(vm, phase))
    }

    pub(crate) fn edit(&self, text: &str, edit: impl FnOnce(&mut Instance)) -> Vm {
        self.change(&name("default"), &name(text), edit)
    }

    pub(crate) fn get_now(&self, text: &str) -> Option<Vm> {
        self.state.lock().unwrap().vms.get(&(name("default"), name(text))).cloned()
    }

    pub(crate) fn remove(&self, text: &str) {
        let mut state = self.state.lock().unwrap();
        if let Some(vm) = state.vms.remove(&(name("default"), name(text))) {
            state.revision += 1;
            let revision = Revision(state.revision);
            state.changes.push((revision, VmChange::Removed { id: vm.value.meta.id, revision }));
            self.news.send_replace(state.revision);
        }
    }

    fn change(&self, project: &Name, vm: &Name, edit: impl FnOnce(&mut Instance)) -> Vm {
        let mut state = self.state.lock().unwrap();
        state.revision += 1;
        let revision = Revision(state.revision);
        let found = state.vms.get_mut(&(project.clone(), vm.clone())).unwrap();
        edit(&mut found.value);
        found.revision = revision;
        let after = found.clone();
        state.changes.push((revision, VmChange::Set(Box::new(after.clone()))));
        self.news.send_replace(revision.0);
        after
    }

    fn add(&self, new: NewVm) -> Vm {
        let vm = {
            let mut state = self.state.lock().unwrap();
            state.made += 1;
            let made = state.made;
            let id = InstanceId::new(Time::from_millis(1_795_197_000_000), [made; 10]);
            let name = new.name.unwrap_or_else(|| name(&format!("vm{made}")));
            let vm = Stored { value: fresh(id, (new.project, name), new.labels, new.spec), revision: Revision(0) };
            let meta = &vm.value.meta;
            state.vms.insert((meta.project.clone(), meta.name.clone()), vm.clone());
            vm
        };
        self.change(&vm.value.meta.project, &vm.value.meta.name, |_| {})
    }

    fn find(&self, vm: &VmRef) -> Result<Vm, Fault> {
        let state = self.state.lock().unwrap();
        let found = match vm {
            VmRef::Id(id) => state.vms.values().find(|vm| vm.value.meta.id == *id),
            VmRef::Named { project, name } => state.vms.get(&(project.clone(), name.clone())),
        };
        let shown = match vm {
            VmRef::Id(id) => id.to_string(),
            VmRef::Named { project, name } => format!("{name} in project {project}"),
        };
        found.cloned().ok_or_else(|| Fault::new(Reason::VmNotFound, format!("there is no VM {shown}")))
    }

    fn called(&self, method: &str, call: &Call) {
        self.state.lock().unwrap().calls.push((method.to_owned(), call.clone()));
    }

    /// A verb: lawful or refused, slow if so told, and then where it leads.
    async fn verb(&self, call: &Call, vm: &VmRef, verb: Verb, to: Phase) -> Result<Vm, Fault> {
        self.called(verb.as_str(), call);
        let found = self.find(vm)?;
        let (phase, _) = lifecycle::next(found.value.status.phase, lifecycle::Event::Asked(verb))
            .map_err(|refused| Fault::new(Reason::PhaseForbids, refused.to_string()).fix(refused.fix()))?;
        let meta = &found.value.meta;
        let (delay, condition) = self.pace();
        self.change(&meta.project, &meta.name, |vm| {
            vm.status.phase = phase;
            vm.status.conditions.extend(condition);
        });
        // why: the span that the test chose for this verb; the clock is paused.
        tokio::time::sleep(delay).await;
        let last_exit = self.state.lock().unwrap().knobs.last_exit.take();
        Ok(self.change(&meta.project, &meta.name, |vm| {
            settle(vm, to);
            vm.status.last_exit = last_exit.or(vm.status.last_exit.take());
        }))
    }

    fn pace(&self) -> (Duration, Option<Condition>) {
        let state = self.state.lock().unwrap();
        (state.knobs.delay, state.knobs.condition.clone())
    }
}

fn fresh(id: InstanceId, (project, name): (Name, Name), labels: Labels, spec: spec::Spec) -> Instance {
    Instance {
        meta: Meta {
            id,
            name,
            project,
            labels,
            annotations: Annotations::default(),
            generation: 1,
            create_time: Time::from_millis(1_795_197_290_000),
            update_time: Time::from_millis(1_795_197_290_000),
            delete_time: None,
        },
        spec,
        desired: Desired::default(),
        placement: Some(Placement { node: node_id(), generation: 1 }),
        status: Status { observed_generation: 1, ..Status::unseen() },
    }
}

fn settle(vm: &mut Instance, phase: Phase) {
    vm.status.phase = phase;
    let runs = matches!(phase, Phase::Running | Phase::Paused);
    vm.status.running = runs.then(|| Running {
        incarnation: IncarnationId::from_bytes([3; 16]),
        pid: 4242,
        boot_epoch: 1,
        reboot_epoch: vm.desired.reboot_epoch,
        start_time: Time::from_millis(1_795_197_480_000),
        driver: "qemu 7.2.22".to_owned(),
        machine: Machine::Microvm,
        accelerator: Accelerator::Tcg,
        jail: (vm.meta.name.as_str() == "full").then_some(900_001),
        applied_generation: vm.meta.generation,
        resets: 0,
    });
    vm.status.addresses = if runs { vec!["10.0.2.15".parse().unwrap()] } else { Vec::new() };
}

/// It is of a new generation, which its machine has taken up.
fn take_up(vm: &mut Instance, spec: spec::Spec) {
    vm.spec = spec;
    vm.meta.generation += 1;
    vm.status.observed_generation = vm.meta.generation;
    if let Some(running) = &mut vm.status.running {
        running.applied_generation = vm.meta.generation;
    }
}

/// An exit as a test wants it.
pub(crate) fn exit(cause: ExitCause, message: &str) -> Exit {
    Exit {
        boot_epoch: 1,
        reboot_epoch: 0,
        at: Time::from_millis(1_795_197_590_000),
        cause,
        message: message.to_owned(),
        log_tail: vec!["qemu: could not open disk".to_owned()],
        console_tail: vec!["[    0.4] Kernel panic - not syncing\u{1b}[0m".to_owned()],
    }
}

impl Clock for World {
    fn now(&self) -> Time {
        NOW
    }
    fn random(&self) -> [u8; 10] {
        [0; 10]
    }
}

#[async_trait::async_trait]
impl Vms for World {
    async fn create(&self, call: &Call, new: NewVm) -> Result<Vm, Fault> {
        self.called("create", call);
        if let Some(taken) = new.name.as_ref().and_then(|name| self.get_now(name.as_str())) {
            let name = &taken.value.meta.name;
            return Err(Fault::new(Reason::NameTaken, format!("there is a VM {name} already")).fix("take another name"));
        }
        let mode = new.mode;
        if mode == CreateMode::ValidateOnly {
            let id = InstanceId::from_bytes([0; 16]);
            let name = new.name.unwrap_or_else(|| name("unnamed"));
            let value = fresh(id, (new.project, name), new.labels, new.spec);
            return Ok(Stored { value, revision: Revision(0) });
        }
        let made = self.add(new);
        let (meta, (delay, condition)) = (&made.value.meta, self.pace());
        self.change(&meta.project, &meta.name, |vm| {
            vm.status.phase = Phase::Creating;
            vm.status.conditions.extend(condition);
        });
        // why: the span that the test chose for this verb; the clock is paused.
        tokio::time::sleep(delay).await;
        let made = self.change(&meta.project, &meta.name, |vm| settle(vm, Phase::Created));
        if mode == CreateMode::Boot {
            return self.boot(call, &VmRef::Id(made.value.meta.id)).await;
        }
        Ok(made)
    }

    async fn get(&self, call: &Call, vm: &VmRef) -> Result<Vm, Fault> {
        self.called("get", call);
        self.find(vm)
    }

    /// Two to a page, so that paging is seen to work.
    async fn list(&self, call: &Call, query: &ListQuery) -> Result<Page<Vm>, Fault> {
        self.called("list", call);
        let state = self.state.lock().unwrap();
        let all = state.vms.values().filter(|vm| query.project.as_ref().is_none_or(|p| *p == vm.value.meta.project));
        let begin: usize = query.page_token.parse().unwrap_or(0);
        let all: Vec<Vm> = all.cloned().collect();
        let items: Vec<Vm> = all.iter().skip(begin).take(2).cloned().collect();
        let end = begin + items.len();
        let next_page_token = if end < all.len() { end.to_string() } else { String::new() };
        Ok(Page { items, next_page_token, revision: Revision(state.revision) })
    }

    async fn update(&self, call: &Call, change: Change) -> Result<Vm, Fault> {
        self.called("update", call);
        let found = self.find(&change.vm)?;
        {
            let mut state = self.state.lock().unwrap();
            if state.knobs.conflicts > 0 {
                state.knobs.conflicts -= 1;
                return Err(Fault::new(Reason::EtagMismatch, "somebody else changed it first"));
            }
        }
        if change.validate_only {
            return Ok(found);
        }
        let meta = &found.value.meta;
        Ok(self.change(&meta.project, &meta.name, |vm| {
            vm.meta.labels = change.labels.unwrap_or(vm.meta.labels.clone());
            if let Some(spec) = change.spec {
                take_up(vm, spec);
            }
        }))
    }

    async fn delete(&self, call: &Call, removal: Removal) -> Result<Option<Vm>, Fault> {
        self.called("delete", call);
        let found = match self.find(&removal.vm) {
            Err(_) if removal.allow_missing => return Ok(None),
            found => found?,
        };
        if self.state.lock().unwrap().knobs.slow_delete {
            let meta = &found.value.meta;
            return Ok(Some(self.change(&meta.project, &meta.name, |vm| vm.status.phase = Phase::Deleting)));
        }
        let verb = if removal.force { Verb::DeleteForce } else { Verb::Delete };
        let was = self.verb(call, &removal.vm, verb, Phase::Deleting).await?;
        self.remove(found.value.meta.name.as_str());
        Ok(Some(was))
    }

    async fn watch(&self, call: &Call, query: WatchQuery) -> Result<Answers<VmChange>, Fault> {
        self.called("watch", call);
        let only = query.vm.as_ref().map(|vm| self.find(vm)).transpose()?.map(|vm| vm.value.meta.id);
        let state = self.state.lock().unwrap();
        let begin: Vec<VmChange> = state.vms.values().map(|vm| VmChange::Set(Box::new(vm.clone()))).collect();
        let (all, mut from) = (Arc::clone(&self.state), state.revision);
        let later = WatchStream::from_changes(self.news.subscribe()).flat_map(move |_| {
            let state = all.lock().unwrap();
            let new = state.changes.iter().filter(|(revision, _)| revision.0 > from);
            let new: Vec<VmChange> = new.map(|(_, change)| change.clone()).collect();
            from = state.revision;
            stream::iter(new)
        });
        let wanted = move |change: &VmChange| match change {
            VmChange::Set(vm) => {
                only.is_none_or(|id| vm.value.meta.id == id)
                    && query.project.as_ref().is_none_or(|project| vm.value.meta.project == *project)
            }
            VmChange::Removed { id, .. } => only.is_none_or(|only| only == *id),
            VmChange::Bookmark(_) => true,
        };
        let all = stream::iter(begin).chain(later).filter(move |change| std::future::ready(wanted(change)));
        Ok(all.map(Ok).boxed())
    }
}

#[async_trait::async_trait]
impl Power for World {
    async fn boot(&self, call: &Call, vm: &VmRef) -> Result<Vm, Fault> {
        let to = self.state.lock().unwrap().knobs.boots_to.unwrap_or(Phase::Running);
        self.verb(call, vm, Verb::Boot, to).await
    }
    async fn shutdown(&self, call: &Call, vm: &VmRef, _how: StopHow) -> Result<Vm, Fault> {
        self.verb(call, vm, Verb::Shutdown, Phase::Stopped).await
    }
    async fn pause(&self, call: &Call, vm: &VmRef) -> Result<Vm, Fault> {
        self.verb(call, vm, Verb::Pause, Phase::Paused).await
    }
    async fn resume(&self, call: &Call, vm: &VmRef) -> Result<Vm, Fault> {
        self.verb(call, vm, Verb::Resume, Phase::Running).await
    }
    async fn reboot(&self, call: &Call, vm: &VmRef, _how: StopHow) -> Result<Vm, Fault> {
        self.verb(call, vm, Verb::Reboot, Phase::Running).await
    }
}

#[async_trait::async_trait]
impl Consoles for World {
    async fn log(&self, call: &Call, vm: &VmRef, query: LogQuery) -> Result<Answers<LogChunk>, Fault> {
        self.called("log", call);
        self.find(vm)?;
        let (first, log) = self.state.lock().unwrap().knobs.log.clone();
        let end = first + log.len() as u64;
        let begin = match query.start {
            LogStart::Offset(offset) => offset.clamp(first, end),
            LogStart::Tail(bytes) => end.saturating_sub(bytes).max(first),
        };
        let at = usize::try_from(begin - first).unwrap();
        let piece = LogChunk { offset: begin, bytes: Bytes::copy_from_slice(&log[at..]) };
        Ok(stream::iter((!piece.bytes.is_empty()).then_some(Ok(piece))).boxed())
    }

    async fn attach(
        &self,
        call: &Call,
        vm: &VmRef,
        mut input: BoxStream<'static, ConsoleInput>,
    ) -> Result<Answers<Bytes>, Fault> {
        self.called("attach", call);
        self.find(vm)?;
        let Some(answers) = self.state.lock().unwrap().knobs.console.take() else {
            return Err(Fault::new(Reason::ConsoleUnavailable, "it has no console").fix("boot it first"));
        };
        let state = Arc::clone(&self.state);
        let reader = weft_ports::task::spawn("typed", async move {
            while let Some(input) = input.next().await {
                state.lock().unwrap().typed.push(input);
            }
        });
        // The reader lives as long as the answers do.
        let answers = UnboundedReceiverStream::new(answers).map(move |answer| {
            let _ = &reader;
            answer
        });
        Ok(answers.boxed())
    }
}
