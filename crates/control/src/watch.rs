//! Watches of callers: what is, a bookmark, then changes as the store tells them.
//!
//! The store's own watch is bounded and never skips; a watch that was too slow or whose beginning is
//! compacted ends with the store's refusal, and resumes from its last bookmark or revision.

use crate::core::Core;
use crate::refusal;
use crate::state::State;
use futures::StreamExt;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;
use weft_domain::event::Event;
use weft_domain::object::{Key, Object, Revision, Stored};
use weft_domain::{Fault, InstanceId, Name};
use weft_ports::api::{Answers, EventChange, Vm, VmChange, VmRef, WatchQuery};
use weft_ports::store::{Change, Changes};

/// Changes of VMs.
pub(crate) async fn vms(core: &Core, query: WatchQuery) -> Result<Answers<VmChange>, Fault> {
    let scope = Scope { project: query.project, vm: query.vm };
    let all = |state: &State, scope: &Scope| -> Vec<Arc<Vm>> {
        state.instances.values().filter(|vm| scope.takes_vm(&vm.value)).cloned().collect()
    };
    let (first, from) = begin(core, query.from, &scope, all);
    let first = first.into_iter().map(|vm| VmChange::Set(Box::new((*vm).clone())));
    let kind = Kind { tell: tell_vms, bookmark: VmChange::Bookmark };
    open(core, (query.from.is_none(), from), Box::new(first), scope, kind).await
}

/// Events.
pub(crate) async fn events(core: &Core, query: WatchQuery) -> Result<Answers<EventChange>, Fault> {
    let scope = Scope { project: query.project, vm: query.vm };
    let all = |state: &State, scope: &Scope| -> Vec<Arc<Stored<Event>>> {
        state.events.values().filter(|event| scope.takes_event(&event.value)).cloned().collect()
    };
    let (first, from) = begin(core, query.from, &scope, all);
    let first = first.into_iter().map(|event| EventChange::Happened(Box::new((*event).clone())));
    let kind = Kind { tell: tell_events, bookmark: EventChange::Bookmark };
    open(core, (query.from.is_none(), from), Box::new(first), scope, kind).await
}

/// What is now, of one revision; nothing where a watch resumes.
fn begin<T>(
    core: &Core,
    from: Option<Revision>,
    scope: &Scope,
    all: impl Fn(&State, &Scope) -> Vec<T>,
) -> (Vec<T>, Revision) {
    match from {
        Some(from) => (Vec::new(), from),
        None => {
            let state = core.memory.read();
            (all(&state, scope), state.revision)
        }
    }
}

async fn open<T: Send + 'static>(
    core: &Core,
    (fresh, from): (bool, Revision),
    first: Box<dyn Iterator<Item = T> + Send>,
    scope: Scope,
    kind: Kind<T>,
) -> Result<Answers<T>, Fault> {
    let permit = core.stream()?;
    let every = core.config.bookmark_every;
    let mut ticker = interval_at(Instant::now() + every, every);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let bookmark = fresh.then(|| (kind.bookmark)(from));
    let tail = Tail {
        first: Box::new(first.chain(bookmark)),
        waiting: VecDeque::new(),
        changes: core.store.watch(from).await?,
        scope,
        kind,
        seen: from,
        marked: from,
        ticker,
        closing: core.closing.clone(),
        _permit: permit,
    };
    let steps = futures::stream::unfold(Some(tail), |tail| async { tail?.next().await });
    Ok(steps.boxed())
}

/// What a watch is of.
struct Kind<T> {
    tell: fn(&Scope, Vec<Change>) -> Vec<T>,
    bookmark: fn(Revision) -> T,
}

/// A watch under way.
struct Tail<T> {
    first: Box<dyn Iterator<Item = T> + Send>,
    waiting: VecDeque<T>,
    changes: Changes,
    scope: Scope,
    kind: Kind<T>,
    seen: Revision,
    marked: Revision,
    ticker: Interval,
    closing: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

type Step<T> = Option<(Result<T, Fault>, Option<Tail<T>>)>;

impl<T> Tail<T> {
    async fn next(mut self) -> Step<T> {
        loop {
            if let Some(step) = self.first.next().or_else(|| self.waiting.pop_front()) {
                return Some((Ok(step), Some(self)));
            }
            tokio::select! {
                next = self.changes.next() => match next? {
                    Ok(commit) => {
                        self.seen = commit.first().map_or(self.seen, |change| change.revision);
                        self.waiting.extend((self.kind.tell)(&self.scope, commit));
                    }
                    Err(fault) => return Some((Err(fault), None)),
                },
                () = self.closing.cancelled() => return Some((Err(refusal::closing()), None)),
                _ = self.ticker.tick() => if self.seen > self.marked {
                    self.marked = self.seen;
                    let bookmark = (self.kind.bookmark)(self.seen);
                    return Some((Ok(bookmark), Some(self)));
                },
            }
        }
    }
}

/// Which objects a watch is about.
struct Scope {
    project: Option<Name>,
    vm: Option<VmRef>,
}

impl Scope {
    fn takes(&self, id: Option<InstanceId>, project: &Name, name: Option<&Name>) -> bool {
        let this = match &self.vm {
            None => true,
            Some(VmRef::Id(this)) => id == Some(*this),
            Some(VmRef::Named { project: its, name: this }) => its == project && name == Some(this),
        };
        this && self.project.as_ref().is_none_or(|its| its == project)
    }

    fn takes_vm(&self, vm: &weft_domain::Instance) -> bool {
        self.takes(Some(vm.meta.id), &vm.meta.project, Some(&vm.meta.name))
    }

    fn takes_event(&self, event: &Event) -> bool {
        self.takes(event.instance, &event.project, event.instance_name.as_ref())
    }

    /// An instance that is gone is known by the name that went with it.
    fn takes_gone(&self, id: InstanceId, name: Option<&(Name, Name)>) -> bool {
        match name {
            Some((project, name)) => self.takes(Some(id), project, Some(name)),
            None => self.project.is_none() && self.vm.as_ref().is_none_or(|vm| *vm == VmRef::Id(id)),
        }
    }
}

fn tell_vms(scope: &Scope, commit: Vec<Change>) -> Vec<VmChange> {
    let gone = commit.iter().find_map(|change| match (&change.key, &change.object) {
        (Key::Name(project, name), None) => Some((project.clone(), name.clone())),
        (_, _) => None,
    });
    let tell = |change: Change| match (change.key, change.object) {
        (Key::Instance(_), Some(Object::Instance(vm))) if scope.takes_vm(&vm) => {
            Some(VmChange::Set(Box::new(Stored { value: *vm, revision: change.revision })))
        }
        (Key::Instance(id), None) if scope.takes_gone(id, gone.as_ref()) => {
            Some(VmChange::Removed { id, revision: change.revision })
        }
        (_, _) => None,
    };
    commit.into_iter().filter_map(tell).collect()
}

fn tell_events(scope: &Scope, commit: Vec<Change>) -> Vec<EventChange> {
    let tell = |change: Change| match change.object {
        Some(Object::Event(event)) if scope.takes_event(&event) => {
            Some(EventChange::Happened(Box::new(Stored { value: *event, revision: change.revision })))
        }
        _ => None,
    };
    commit.into_iter().filter_map(tell).collect()
}
