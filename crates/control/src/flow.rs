//! The flow of every verb: decide on what memory says, commit against its revision, wait for the status.
//!
//! ```text
//!  seen this request before? ── yes ─► the first answer
//!   │ no
//!   ▼
//!  read ─► decide (pure) ─► commit at revision ─► wait until reached or the caller's time is up ─► answer
//!   ▲                          │ another write came first
//!   └──────────────────────────┘
//! ```

use crate::core::{Core, Move};
use crate::refusal;
use crate::requests::Request;
use crate::waiters::{Place, Wish};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tracing::Instrument;
use weft_domain::ask::{Ask, ask};
use weft_domain::object::{Key, Revision, Stored};
use weft_domain::until::Until;
use weft_domain::{Fault, Instance};
use weft_ports::api::{Call, Vm, VmRef};
use weft_ports::store::Refused;

/// How often a change is decided anew because another write came first.
pub(crate) const TRIES: usize = 64;
/// The most that is kept back of a caller's time, so that the answer arrives within it.
const MARGIN: Duration = Duration::from_millis(250);

/// One verb under way.
pub(crate) struct Verb<'a> {
    pub(crate) core: &'a Core,
    pub(crate) name: &'static str,
    pub(crate) request: Option<Request>,
    deadline: Instant,
    began: Instant,
    _room: OwnedSemaphorePermit,
}

impl<'a> Verb<'a> {
    /// Begins a verb by this caller.
    pub(crate) fn begin(core: &'a Core, call: &Call, name: &'static str) -> Result<Self, Fault> {
        let began = Instant::now();
        let time = call.timeout.map_or(core.config.verb_wait, |timeout| timeout - MARGIN.min(timeout / 10));
        let room = core.memory.waiters.admit()?;
        Ok(Self { core, name, request: Request::of(call, name)?, deadline: began + time, began, _room: room })
    }

    /// What comes, or nothing where the caller's time is up before.
    pub(crate) async fn in_time<T>(&self, what: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            come = what => Some(come),
            () = tokio::time::sleep_until(self.deadline) => None,
            () = self.core.closing.cancelled() => None,
        }
    }

    /// The answer that this request was given before.
    pub(crate) async fn repeated(&self, until: impl Fn(&Instance) -> Until) -> Result<Option<Vm>, Fault> {
        let Some(request) = &self.request else { return Ok(None) };
        if !self.core.memory.read().requests.contains_key(&request.key) {
            return Ok(None);
        }
        self.first_answer(request, until).await
    }

    /// The answer that the store has for a request; where it was given before what was asked had been
    /// reached, that is waited for, as the first caller did.
    pub(crate) async fn first_answer(
        &self,
        request: &Request,
        until: impl Fn(&Instance) -> Until,
    ) -> Result<Option<Vm>, Fault> {
        let Some(record) = self.core.store.get(&Key::Request(request.key)).await? else { return Ok(None) };
        let Some(first) = request.answered(record)? else { return Err(refusal::was_absent()) };
        tracing::debug!(verb = self.name, instance = %first.value.meta.id, "a request is repeated");
        let until = until(&first.value);
        if until.reached(Some(&first.value)) || self.core.memory.get(first.value.meta.id).is_none() {
            return Ok(Some(first));
        }
        let wish = Wish { until, base: first.revision, desired: first.value.desired, request: None };
        let place = self.core.memory.waiters.enter(first.value.meta.id, wish);
        self.wait(place, first, until).await.map(Some)
    }

    /// Enters among those who wait, with what was decided on the instance of revision `base`.
    pub(crate) fn enter(&self, base: Revision, after: &Instance, until: Until) -> Place {
        let wish = Wish { until, base, desired: after.desired, request: self.request };
        self.core.memory.waiters.enter(after.meta.id, wish)
    }

    /// The same where the desired state does not show what was done: see [`Place::answers`].
    pub(crate) fn enter_before(&self, base: Revision, after: &Instance, until: Until) -> Place {
        let wish = Wish { until, base, desired: after.desired, request: None };
        self.core.memory.waiters.enter(after.meta.id, wish)
    }

    /// Waits until it is reached, or the caller's time is up; answers the instance as it then is.
    pub(crate) async fn wait(&self, mut place: Place, committed: Vm, until: Until) -> Result<Vm, Fault> {
        let (memory, id) = (&self.core.memory, committed.value.meta.id);
        memory.reached(committed.revision).await;
        let now = memory.get(id);
        if until.reached(now.as_ref().map(|vm| &vm.value)) {
            // It may have been reached by a state before this one, which is then the answer.
            let first = place.reached.try_recv().unwrap_or(now);
            return self.answer(first, committed, until);
        }
        let reached = tokio::select! {
            Ok(reached) = &mut place.reached => Some(reached),
            () = tokio::time::sleep_until(self.deadline) => None,
            () = self.core.closing.cancelled() => None,
        };
        match reached {
            Some(reached) => self.answer(reached, committed, until),
            None => {
                tracing::debug!(verb = self.name, instance = %id, "not reached in the caller's time; it goes on");
                self.core.figures.waited(self.name, self.began.elapsed());
                Ok(memory.get(id).map_or(committed, |vm| (*vm).clone()))
            }
        }
    }

    fn answer(&self, reached: Option<Arc<Vm>>, committed: Vm, until: Until) -> Result<Vm, Fault> {
        self.core.figures.waited(self.name, self.began.elapsed());
        match reached {
            Some(vm) => Ok((*vm).clone()),
            None if until == Until::Gone => Ok(committed),
            None => Err(refusal::no_vm(&VmRef::Id(committed.value.meta.id))
                .fix("it was deleted while the verb waited; create another")),
        }
    }

    /// Another write came first: waits until memory has it. Tells whether it was this very request.
    pub(crate) async fn lost(&self, key: &Key, found: Option<Revision>) -> Result<bool, Fault> {
        let newest = match found {
            Some(found) => found,
            None => self.core.store.revision().await?,
        };
        self.core.memory.reached(newest).await;
        Ok(matches!(key, Key::Request(_)))
    }
}

/// A verb that asks for a state: everything but create and update.
pub(crate) async fn run(core: &Core, call: &Call, vm: &VmRef, what: Ask) -> Result<Vm, Fault> {
    run_at(core, call, vm, (what, None)).await
}

/// The same, only if the VM is of this revision, where one is given.
pub(crate) async fn run_at(
    core: &Core,
    call: &Call,
    vm: &VmRef,
    (what, etag): (Ask, Option<Revision>),
) -> Result<Vm, Fault> {
    let name = what.verb().as_str();
    let span = tracing::info_span!("verb", verb = name, instance = tracing::field::Empty);
    let verb = Verb::begin(core, call, name)?;
    async {
        if let Some(first) = verb.repeated(|first| Until::of(what, first)).await? {
            return Ok(first);
        }
        for _ in 0..TRIES {
            let before = core.memory.find(vm)?;
            tracing::Span::current().record("instance", tracing::field::display(before.value.meta.id));
            if let Some(etag) = etag.filter(|etag| *etag != before.revision) {
                tracing::debug!(%etag, "the etag is another");
                return Err(refusal::etag("etag"));
            }
            if let Some(vm) = attempt(&verb, &before, what).await? {
                return Ok(vm);
            }
        }
        Err(refusal::contended())
    }
    .instrument(span)
    .await
}

/// One attempt; nothing where another write came first.
async fn attempt(verb: &Verb<'_>, before: &Arc<Vm>, what: Ask) -> Result<Option<Vm>, Fault> {
    let core = verb.core;
    let after = ask(&before.value, what, core.now()).map_err(|refused| refusal::phase(&refused))?;
    let ends = after.desired.deleted && !before.value.desired.deleted;
    if let Some(inside) = core.memory.read().snapshot_inside(before.value.meta.id).filter(|_| ends) {
        return Err(refusal::holds(&inside.value));
    }
    let until = Until::of(what, &after);
    let place = verb.enter(before.revision, &after, until);
    let committed = if after != before.value {
        let request = verb.request.as_ref();
        let change = Move { before: Some(before), after: Some(&after), request, ..Move::default() };
        core.commit(change).await
    } else if let Some(request) = &verb.request {
        core.commit_answer(before, request).await.map(|_| before.revision)
    } else {
        Ok(before.revision)
    };
    match committed {
        Ok(revision) => {
            let committed = Stored { value: after, revision };
            verb.wait(place, committed, until).await.map(Some)
        }
        Err(Refused::Conflict { key, found }) => {
            drop(place);
            if verb.lost(&key, found).await?
                && let Some(request) = &verb.request
                && let Some(first) = verb.first_answer(request, |first| Until::of(what, first)).await?
            {
                return Ok(Some(first));
            }
            Ok(None)
        }
        Err(Refused::Store(fault)) => Err(fault),
    }
}
