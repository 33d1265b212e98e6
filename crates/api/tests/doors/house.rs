//! A small weft in memory: enough of the ports' laws to put both doors through.

mod kept;
mod usage;

pub(crate) use kept::snapshot;
pub(crate) use usage::{gap, lines};

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use weft_domain::census::{Census, Line, Sort, Verdict};
use weft_domain::event::{Event, Severity};
use weft_domain::instance::{Desired, Meta, Status, StopHow};
use weft_domain::node::{Facts, Node, Orphans};
use weft_domain::object::{Revision, Stored};
use weft_domain::{Fault, Instance, InstanceId, Name, NodeId, Phase, Reason, Time};
use weft_ports::api::{
    Alter, Answers, Backups, Call, Change, ConsoleInput, Consoles, CreateMode, EventChange, Events, ExportFormat, Fork,
    GivenUp, ListQuery, LogChunk, LogQuery, LogStart, NewSnapshot, NewVm, Nodes, Page, Power, Removal, SnapshotRef,
    UsageQuery, Vm, VmChange, VmRef, Vms, WatchQuery,
};

/// What every call is told about the last one.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) call: Option<Call>,
    pub(crate) stop: Option<StopHow>,
    pub(crate) log: Option<LogQuery>,
    pub(crate) new: Option<NewVm>,
    pub(crate) alters: Vec<Alter>,
    pub(crate) new_snapshot: Option<NewSnapshot>,
    pub(crate) snapshot: Option<SnapshotRef>,
    pub(crate) fork: Option<Fork>,
    pub(crate) usage: Option<(UsageQuery, Option<ExportFormat>)>,
}

#[derive(Default)]
struct State {
    vms: BTreeMap<InstanceId, Vm>,
    revision: u64,
    seen: Seen,
}

/// The house.
#[derive(Clone, Default)]
pub(crate) struct House(Arc<Mutex<State>>);

impl House {
    pub(crate) fn seen<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.0.lock().unwrap().seen)
    }

    pub(crate) fn set_phase(&self, vm: &VmRef, phase: Phase) {
        self.change(&Call::by("test"), vm, |i| {
            i.status.phase = phase;
            Ok(())
        })
        .unwrap();
    }

    fn find(state: &State, vm: &VmRef) -> Result<InstanceId, Fault> {
        let found = state.vms.iter().find(|(id, held)| match vm {
            VmRef::Id(wanted) => wanted == *id,
            VmRef::Named { project, name } => held.value.meta.name == *name && held.value.meta.project == *project,
        });
        let missing = || Fault::new(Reason::VmNotFound, "there is no such VM").fix("list the VMs");
        found.map(|(id, _)| *id).ok_or_else(missing)
    }

    fn change(
        &self,
        call: &Call,
        vm: &VmRef,
        change: impl FnOnce(&mut Instance) -> Result<(), Fault>,
    ) -> Result<Vm, Fault> {
        let mut state = self.0.lock().unwrap();
        state.seen.call = Some(call.clone());
        let id = Self::find(&state, vm)?;
        let mut next = state.vms[&id].clone();
        change(&mut next.value)?;
        state.revision += 1;
        next.revision = Revision(state.revision);
        state.vms.insert(id, next.clone());
        Ok(next)
    }

    fn to_phase(&self, call: &Call, vm: &VmRef, (verb, from): (&str, &[Phase]), to: Phase) -> Result<Vm, Fault> {
        self.change(call, vm, |i| {
            if !from.contains(&i.status.phase) {
                let why = format!("it cannot {verb} while {}", i.status.phase);
                return Err(Fault::new(Reason::PhaseForbids, why).fix("boot it first"));
            }
            i.status.phase = to;
            Ok(())
        })
    }
}

#[async_trait::async_trait]
impl Vms for House {
    async fn create(&self, call: &Call, new: NewVm) -> Result<Vm, Fault> {
        let mut state = self.0.lock().unwrap();
        state.seen.call = Some(call.clone());
        state.seen.new = Some(new.clone());
        state.revision += 1;
        let revision = state.revision;
        let mut random = [0; 10];
        random[2..].copy_from_slice(&revision.to_be_bytes());
        let at = Time::from_millis(1_700_000_000_000 + i64::try_from(revision).unwrap());
        let id = InstanceId::new(at, random);
        let name = new.name.unwrap_or_else(|| format!("vm{revision}").parse().unwrap());
        let taken = state.vms.values().any(|v| v.value.meta.name == name && v.value.meta.project == new.project);
        if taken {
            let why = format!("{name} is taken");
            return Err(Fault::new(Reason::NameTaken, why).at("vm.name", "is taken").fix("choose another name"));
        }
        let phase = if new.mode == CreateMode::Boot { Phase::Running } else { Phase::Created };
        let value = Instance {
            meta: Meta {
                id,
                name,
                project: new.project,
                labels: new.labels,
                annotations: new.annotations,
                generation: 1,
                create_time: at,
                update_time: at,
                delete_time: None,
            },
            spec: new.spec,
            desired: Desired::default(),
            placement: None,
            status: Status { phase, ..Status::unseen() },
        };
        let vm = Stored { value, revision: Revision(revision) };
        if new.mode != CreateMode::ValidateOnly {
            state.vms.insert(id, vm.clone());
        }
        Ok(vm)
    }

    async fn get(&self, call: &Call, vm: &VmRef) -> Result<Vm, Fault> {
        // One name never answers, for what is said when the caller's time is up.
        if matches!(vm, VmRef::Named { name, .. } if name.as_str() == "stuck") {
            std::future::pending::<()>().await;
        }
        let mut state = self.0.lock().unwrap();
        state.seen.call = Some(call.clone());
        Self::find(&state, vm).map(|id| state.vms[&id].clone())
    }

    async fn list(&self, _: &Call, query: &ListQuery) -> Result<Page<Vm>, Fault> {
        let state = self.0.lock().unwrap();
        let after: Option<InstanceId> = match query.page_token.as_str() {
            "" => None,
            token => Some(
                token
                    .parse()
                    .map_err(|_| Fault::field(Reason::PageTokenInvalid, "page_token", "is not one of ours"))?,
            ),
        };
        let mine = |vm: &&Vm| query.project.as_ref().is_none_or(|p| vm.value.meta.project == *p);
        let all: Vec<Vm> =
            state.vms.values().filter(mine).filter(|v| after.is_none_or(|a| v.value.meta.id > a)).cloned().collect();
        let size = if query.page_size == 0 { 50 } else { query.page_size as usize };
        let items: Vec<Vm> = all.iter().take(size).cloned().collect();
        let more = all.len() > size;
        let next_page_token = items.last().filter(|_| more).map(|v| v.value.meta.id.to_string()).unwrap_or_default();
        Ok(Page { items, next_page_token, revision: Revision(state.revision) })
    }

    async fn update(&self, call: &Call, change: Change) -> Result<Vm, Fault> {
        let held = Vms::get(self, call, &change.vm).await?;
        if change.etag.is_some_and(|etag| etag != held.revision) {
            return Err(Fault::new(Reason::EtagMismatch, "somebody changed it").fix("read it again"));
        }
        self.change(call, &change.vm, |i| {
            if let Some(labels) = change.labels {
                i.meta.labels = labels;
            }
            if let Some(annotations) = change.annotations {
                i.meta.annotations = annotations;
            }
            if let Some(spec) = change.spec {
                i.spec = spec;
                i.meta.generation += 1;
            }
            Ok(())
        })
    }

    async fn delete(&self, _: &Call, removal: Removal) -> Result<Option<Vm>, Fault> {
        let mut state = self.0.lock().unwrap();
        match Self::find(&state, &removal.vm) {
            Err(_) if removal.allow_missing => Ok(None),
            Err(fault) => Err(fault),
            Ok(id) if state.vms[&id].value.status.phase == Phase::Running && !removal.force => {
                Err(Fault::new(Reason::PhaseForbids, "it runs").fix("shut it down, or delete it with force"))
            }
            Ok(id) => Ok(state.vms.remove(&id)),
        }
    }

    async fn watch(&self, _: &Call, query: WatchQuery) -> Result<Answers<VmChange>, Fault> {
        if query.from.is_some_and(|from| from == Revision(999)) {
            return Err(Fault::new(Reason::RevisionCompacted, "that is too old").fix("watch from now"));
        }
        let state = self.0.lock().unwrap();
        let mut steps: Vec<Result<VmChange, Fault>> =
            state.vms.values().map(|v| Ok(VmChange::Set(Box::new(v.clone())))).collect();
        let gone = InstanceId::new(Time::from_millis(5), [5; 10]);
        steps.push(Ok(VmChange::Removed { id: gone, revision: Revision(7) }));
        steps.push(Ok(VmChange::Bookmark(Revision(state.revision))));
        steps.push(Err(Fault::new(Reason::WatcherTooSlow, "you are too slow").retry_after(10)));
        Ok(stream::iter(steps).boxed())
    }
}

#[async_trait::async_trait]
impl Power for House {
    async fn boot(&self, call: &Call, vm: &VmRef) -> Result<Vm, Fault> {
        self.to_phase(call, vm, ("boot", &[Phase::Created, Phase::Stopped, Phase::Running]), Phase::Running)
    }

    async fn shutdown(&self, call: &Call, vm: &VmRef, how: StopHow) -> Result<Vm, Fault> {
        self.0.lock().unwrap().seen.stop = Some(how);
        self.to_phase(call, vm, ("shut down", &[Phase::Running, Phase::Paused, Phase::Stopped]), Phase::Stopped)
    }

    async fn pause(&self, call: &Call, vm: &VmRef) -> Result<Vm, Fault> {
        self.to_phase(call, vm, ("pause", &[Phase::Running, Phase::Paused]), Phase::Paused)
    }

    async fn resume(&self, call: &Call, vm: &VmRef) -> Result<Vm, Fault> {
        self.to_phase(call, vm, ("resume", &[Phase::Running, Phase::Paused]), Phase::Running)
    }

    async fn reboot(&self, call: &Call, vm: &VmRef, how: StopHow) -> Result<Vm, Fault> {
        self.0.lock().unwrap().seen.stop = Some(how);
        self.to_phase(call, vm, ("reboot", &[Phase::Running]), Phase::Running)
    }
}

#[async_trait::async_trait]
impl Consoles for House {
    async fn log(&self, call: &Call, vm: &VmRef, query: LogQuery) -> Result<Answers<LogChunk>, Fault> {
        Vms::get(self, call, vm).await?;
        self.0.lock().unwrap().seen.log = Some(query);
        let begin = if let LogStart::Offset(offset) = query.start { offset } else { 100 };
        let pieces = [(begin, "hello "), (begin + 6, "world\n")];
        let chunk = |(offset, text): (u64, &'static str)| Ok(LogChunk { offset, bytes: Bytes::from(text) });
        Ok(stream::iter(pieces.map(chunk)).boxed())
    }

    async fn attach(
        &self,
        call: &Call,
        vm: &VmRef,
        input: BoxStream<'static, ConsoleInput>,
    ) -> Result<Answers<Bytes>, Fault> {
        Vms::get(self, call, vm).await?;
        let echo = input.map(|one| match one {
            ConsoleInput::Bytes(bytes) => Ok(bytes),
            ConsoleInput::Resize(columns, rows) => Ok(Bytes::from(format!("{columns}x{rows}"))),
        });
        Ok(echo.boxed())
    }
}

pub(crate) fn node() -> Stored<Node> {
    let value = Node {
        id: NodeId::new(Time::from_millis(1), [1; 10]),
        name: "here".parse().unwrap(),
        labels: weft_domain::Labels::default(),
        create_time: Time::from_millis(1),
        facts: Facts {
            weft_version: "0.1.0".into(),
            kernel: "6.18".into(),
            architecture: "x86_64".into(),
            boot_id: "b".into(),
            agent_start: Time::from_millis(2),
            cpus: 2,
            memory_bytes: 1 << 30,
            allocatable_memory_bytes: 1 << 29,
            allocatable_disk_bytes: 1 << 33,
            cgroups: "none".into(),
            drivers: vec![weft_domain::capability::Capabilities {
                driver: "qemu".into(),
                version: "7.2".into(),
                features: [weft_domain::capability::Feature::Kernel].into(),
                notes: vec!["no KVM".into()],
            }],
            warnings: vec![],
        },
    };
    Stored { value, revision: Revision(3) }
}

pub(crate) fn census() -> Census {
    let line = Line {
        sort: Sort::Process,
        name: "4711".into(),
        verdict: Verdict::Leaked,
        claim: Some(weft_domain::ClaimId::new(Time::from_millis(7), [7; 10])),
        instance: None,
        why: "nobody claims it".into(),
        fix: "look at it".into(),
    };
    let counts = [((Sort::Process, Verdict::Leaked), 1), ((Sort::Folder, Verdict::Adopted), 2)].into();
    Census { at: Time::from_millis(8), counts, lines: vec![line], left_out: 3 }
}

#[async_trait::async_trait]
impl Nodes for House {
    async fn get(&self, _: &Call, wanted: &str) -> Result<Stored<Node>, Fault> {
        if wanted == "here" { Ok(node()) } else { Err(Fault::new(Reason::NodeNotFound, "there is no such node")) }
    }

    async fn list(&self, _: &Call, _: &ListQuery) -> Result<Page<Stored<Node>>, Fault> {
        Ok(Page { items: vec![node()], next_page_token: String::new(), revision: Revision(3) })
    }

    async fn census(&self, _: &Call, wanted: &str) -> Result<Census, Fault> {
        if wanted == "here" { Ok(census()) } else { Err(Fault::new(Reason::NodeNotFound, "there is no such node")) }
    }

    async fn release_orphans(&self, _: &Call, _: &str, which: &GivenUp) -> Result<Orphans, Fault> {
        match which {
            GivenUp::All => Ok(Orphans::default()),
            GivenUp::These(orphans) => Ok(orphans.clone()),
        }
    }
}

pub(crate) fn event() -> Stored<Event> {
    let value = Event {
        id: weft_domain::EventId::new(Time::from_millis(9), [2; 10]),
        at: Time::from_millis(9),
        project: Name::default_project(),
        instance: Some(InstanceId::new(Time::from_millis(5), [5; 10])),
        instance_name: Some("web".parse().unwrap()),
        node: None,
        severity: Severity::Warning,
        reason: "Exited".into(),
        message: "its VMM died".into(),
        phase: Some(Phase::Failed),
    };
    Stored { value, revision: Revision(4) }
}

#[async_trait::async_trait]
impl Events for House {
    async fn list(&self, _: &Call, _: &ListQuery) -> Result<Page<Stored<Event>>, Fault> {
        Ok(Page { items: vec![event()], next_page_token: "next".into(), revision: Revision(4) })
    }

    async fn watch(&self, _: &Call, _: WatchQuery) -> Result<Answers<EventChange>, Fault> {
        let steps = [EventChange::Happened(Box::new(event())), EventChange::Bookmark(Revision(4))];
        Ok(stream::iter(steps.map(Ok)).boxed())
    }
}

#[async_trait::async_trait]
impl Backups for House {
    async fn backup(&self, _call: &Call) -> Result<Answers<Bytes>, Fault> {
        let chunks = ["first ", "second"].map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())));
        Ok(stream::iter(chunks).boxed())
    }
}
