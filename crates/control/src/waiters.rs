//! Verbs that wait for an instance: told by memory as soon as what they wait for is reached.
//!
//! A waiter whose caller gave a request id also has its answer recorded by the commit that reaches it.
//! Only so many verbs are under way at once; one more is refused before it has changed anything.

use crate::requests::Request;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use weft_domain::instance::Desired;
use weft_domain::object::Revision;
use weft_domain::until::Until;
use weft_domain::{Fault, Instance, InstanceId, Reason};
use weft_ports::api::Vm;

/// What a waiter is told: the instance as it was when it was reached, or that it is gone.
pub(crate) type Reached = Option<Arc<Vm>>;

/// What a verb waits for, and what it decided on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    /// What it waits for.
    pub(crate) until: Until,
    /// The revision that it decided on: only what comes after it counts.
    pub(crate) base: Revision,
    /// What it made of the desired state.
    pub(crate) desired: Desired,
    /// The request that it answers; none as long as only its own commit can tell that it was done.
    pub(crate) request: Option<Request>,
}

struct Waiter {
    token: u64,
    wish: Wish,
    tell: oneshot::Sender<Reached>,
}

#[derive(Default)]
struct Table {
    last: u64,
    waiters: HashMap<InstanceId, Vec<Waiter>>,
}

/// The most verbs under way at once.
const MOST: usize = 16_384;

/// All who wait.
pub(crate) struct Waiters {
    table: Mutex<Table>,
    room: Arc<Semaphore>,
}

impl Default for Waiters {
    fn default() -> Self {
        Self { table: Mutex::default(), room: Arc::new(Semaphore::new(MOST)) }
    }
}

/// A place among those who wait; given up when dropped.
pub(crate) struct Place {
    id: InstanceId,
    token: u64,
    all: Arc<Waiters>,
    /// Tells when it is reached.
    pub(crate) reached: oneshot::Receiver<Reached>,
}

impl Waiters {
    /// Room for one more verb, as long as it is held.
    pub(crate) fn admit(&self) -> Result<OwnedSemaphorePermit, Fault> {
        Arc::clone(&self.room).try_acquire_owned().map_err(|_| {
            Fault::new(Reason::LimitReached, format!("{MOST} verbs are under way, which is the limit"))
                .fix("wait until some of them are done, then try again")
                .retry_after(1_000)
        })
    }

    /// Waits for this instance. A verb enters before it commits, so that it misses nothing.
    pub(crate) fn enter(self: &Arc<Self>, id: InstanceId, wish: Wish) -> Place {
        let (tell, reached) = oneshot::channel();
        let mut table = self.lock();
        table.last += 1;
        let token = table.last;
        table.waiters.entry(id).or_default().push(Waiter { token, wish, tell });
        Place { id, token, all: Arc::clone(self), reached }
    }

    /// Tells those who wait for this and no more.
    pub(crate) fn settle(&self, id: InstanceId, vm: Option<&Arc<Vm>>) {
        let mut table = self.lock();
        let Some(waiting) = table.waiters.get_mut(&id) else { return };
        let counts = |wish: &Wish| vm.is_none_or(|vm| vm.revision > wish.base);
        let reached = |wish: &Wish| counts(wish) && wish.until.reached(vm.map(|vm| &vm.value));
        let reached = waiting.extract_if(.., |waiter| reached(&waiter.wish));
        for waiter in reached {
            // One who went away needs no answer.
            let _ = waiter.tell.send(vm.cloned());
        }
        if waiting.is_empty() {
            table.waiters.remove(&id);
        }
    }

    /// The requests that are answered by an instance that becomes this: those whose effect is in it.
    pub(crate) fn answered_by(&self, after: &Instance) -> Vec<Request> {
        let table = self.lock();
        let waiting = table.waiters.get(&after.meta.id).into_iter().flatten();
        let wishes = waiting.map(|waiter| &waiter.wish);
        let answered = wishes.filter(|wish| wish.desired == after.desired && wish.until.reached(Some(after)));
        answered.filter_map(|wish| wish.request).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().expect("no lock of waiters is held over a panic")
    }
}

impl Place {
    /// What it waits for is committed: from now on the commit that reaches it answers this request. Whose
    /// desired state does not show whether it was done, as that of a change of the specification, says so here
    /// and not when it enters: or another's commit would answer for what is then never committed.
    pub(crate) fn answers(&self, request: Option<Request>) {
        let mut table = self.all.lock();
        let waiting = table.waiters.get_mut(&self.id).into_iter().flatten();
        waiting.filter(|waiter| waiter.token == self.token).for_each(|waiter| waiter.wish.request = request);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.all.lock();
        let Some(waiting) = table.waiters.get_mut(&self.id) else { return };
        waiting.retain(|waiter| waiter.token != self.token);
        if waiting.is_empty() {
            table.waiters.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_domain::instance::{Meta, Status};
    use weft_domain::spec::Draft;
    use weft_domain::{Labels, Name, Time};
    use weft_ports::api::Call;

    fn made() -> Instance {
        let meta = Meta {
            id: InstanceId::from_bytes([1; 16]),
            name: "a".parse().expect("a name"),
            project: Name::default_project(),
            labels: Labels::default(),
            annotations: Default::default(),
            generation: 1,
            create_time: Time::default(),
            update_time: Time::default(),
            delete_time: None,
        };
        let spec = Draft { payload: weft_domain::spec::Payload::default(), ..Draft::default() };
        let spec = spec.check().expect("a lawful specification");
        Instance { meta, spec, desired: Desired::default(), placement: None, status: Status::unseen() }
    }

    #[test]
    fn a_change_is_answered_by_nobody_before_it_is_committed() {
        let (waiters, instance) = (Arc::new(Waiters::default()), made());
        let call = Call { request_id: Some("r".to_owned()), ..Call::by("a") };
        let request = Request::of(&call, "resize").expect("a lawful id");
        let wish =
            Wish { until: Until::Applied(2), base: Revision::default(), desired: instance.desired, request: None };
        let place = waiters.enter(instance.meta.id, wish);
        assert_eq!(waiters.answered_by(&instance), [], "another's commit does not do what this one asks");
        place.answers(request);
        assert_eq!(waiters.answered_by(&instance).len(), 1);
        drop(place);
        assert_eq!(waiters.answered_by(&instance), []);
    }

    #[test]
    fn one_verb_too_many_is_refused_until_another_ends() {
        let waiters = Waiters::default();
        let mut held: Vec<_> = (0..MOST).map(|_| waiters.admit().expect("there is room")).collect();
        assert_eq!(waiters.admit().expect_err("no room").reason, Reason::LimitReached);
        held.pop();
        drop(waiters.admit().expect("there is room again"));
    }
}
