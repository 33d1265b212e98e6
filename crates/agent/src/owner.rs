//! One task owns one instance.
//!
//! ```text
//!  ┌─► end or adopt what the journal holds ─► plan (pure) ─► do the first step ─┐
//!  │                                            │ nothing to do                 │
//!  │                                            ▼                               │
//!  └── a placement · a change of the machine · a question · time ◄── report ◄───┘
//! ```
//!
//! What always holds: at most one process of an instance lives; a step that failed is tried again after
//! a while, with whatever is wanted then.

mod adopt;
mod alter;
mod ask;
mod disks;
mod end;
mod keep;
mod mention;
mod nics;
mod origin;
mod patience;
mod prepare;
mod report;
mod start;
mod usage;
mod ward;

use crate::console::Hub;
use crate::inventory::{Held, Holdings, Things};
use crate::shared::{Shared, nothing_left};
use alter::{Made, Refusals};
pub(crate) use ask::Ask;
use futures::StreamExt;
use futures::channel::mpsc;
pub(crate) use keep::{Taken, Taking};
use report::Told;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tracing::Instrument;
use weft_domain::converge::{Ended, Live, Plan, Seen, Step, Wanted, converge};
use weft_domain::instance::{Exit, Power};
use weft_domain::lifecycle::Sight;
use weft_domain::spec::RestartPolicy;
use weft_domain::usage::Edge;
use weft_domain::{Fault, InstanceId, Reason, SnapshotId, Time};
use weft_ports::fault::{self, Point};
use weft_ports::hypervisor::{Machine, State};
use weft_ports::link::Placed;

/// What is wanted of an instance; `None` where it is not this node's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) placed: Option<Arc<Placed>>,
    /// The subscription that told it. A new one means that control may have forgotten what it was told.
    pub(crate) link: u64,
}

/// The machine that runs, with the claim of its process.
struct Running {
    held: Held,
    machine: Arc<dyn Machine>,
    state: watch::Receiver<State>,
    resets: watch::Receiver<u64>,
    /// What it is made of; `None` where a former weft did not write it down.
    made: Option<Made>,
    refusals: Refusals,
    /// Interfaces whose device of the host was seen to be gone.
    cut_off: BTreeSet<String>,
    /// The snapshot since which its VMM counts what changes in memory.
    base: Option<SnapshotId>,
}

impl Running {
    fn new(held: Held, machine: Box<dyn Machine>, made: Option<Made>) -> Self {
        let machine: Arc<dyn Machine> = Arc::from(machine);
        let (state, resets) = (machine.state(), machine.resets());
        Self { held, machine, state, resets, made, refusals: Refusals::default(), cut_off: BTreeSet::new(), base: None }
    }
}

/// The owner of one instance.
pub(crate) struct Owner {
    id: InstanceId,
    shared: Arc<Shared>,
    wants: watch::Receiver<Wish>,
    asked: mpsc::Receiver<Ask>,
    placed: Option<Arc<Placed>>,
    link: u64,
    things: Things,
    prepared_for: Option<u64>,
    /// Processes that the journal holds and that are neither taken up nor buried yet.
    unsettled: Vec<Held>,
    /// The process that was claimed with the things of an instance that is booted as soon as it is made.
    reserved: Option<Box<Held>>,
    live: Option<Running>,
    ended: Option<Exit>,
    /// Its process was ended as nobody wanted it: if somebody does by now, that is no end of what was asked.
    forsaken: bool,
    restarts: u32,
    /// The newest boot that has begun: what it began from is not gone back to.
    begun: u64,
    hub: Option<Arc<Hub>>,
    told: Told,
    /// When it began.
    born: Time,
}

/// The longest wait; then it is looked again, whatever was said.
const LONGEST: Duration = Duration::from_secs(86_400);

/// How the owner goes on.
enum Round {
    Again,
    /// After this time, or as soon as something happens.
    Wait(Duration),
    Done,
}

impl Owner {
    pub(crate) fn new(
        id: InstanceId,
        shared: Arc<Shared>,
        holdings: Holdings,
        wants: watch::Receiver<Wish>,
        asked: mpsc::Receiver<Ask>,
    ) -> Self {
        let born = shared.ports.clock.now();
        Self {
            id,
            shared,
            wants,
            asked,
            placed: None,
            link: 0,
            things: holdings.things,
            prepared_for: None,
            unsettled: holdings.processes,
            reserved: None,
            live: None,
            ended: None,
            forsaken: false,
            restarts: 0,
            begun: 0,
            hub: None,
            told: Told::default(),
            born,
        }
    }

    /// Converges until nothing of the instance should be left and nothing is; answers what was wanted
    /// then.
    pub(crate) async fn run(mut self: Box<Self>) -> Option<Arc<Placed>> {
        self.heed();
        let name = self.placed.as_ref().map(|placed| placed.name.to_string()).unwrap_or_default();
        let span = tracing::info_span!("instance", instance = %self.id, name);
        async {
            loop {
                // On the heap, and gone while it waits: the work needs much room, and thousands only wait.
                match Box::pin(self.round()).await {
                    Round::Again => {}
                    Round::Wait(at_most) => self.wait(at_most).await,
                    Round::Done => break,
                }
            }
        }
        .instrument(span)
        .await;
        self.placed
    }

    /// Takes in what is wanted now.
    fn heed(&mut self) {
        let wish = self.wants.borrow_and_update().clone();
        if let (None, Some(new)) = (&self.placed, &wish.placed) {
            // What control was told before is known here no more, unless it was seen since.
            if self.ended.is_none() {
                self.ended = new.last_exit.clone();
                self.restarts = new.restarts;
            }
        }
        if wish.link != self.link {
            self.told.forget();
        }
        self.link = wish.link;
        self.placed = wish.placed;
    }

    async fn round(&mut self) -> Round {
        if self.wants.has_changed().is_err() {
            // The agent ends; the machine goes on.
            return Round::Done;
        }
        self.heed();
        self.told.take_refusal();
        if let Err(fault) = self.settle().await {
            return self.stumble("settle", &fault).await;
        }
        if self.has_ended() {
            return match self.finish().await {
                Ok(()) => Round::Again,
                Err(fault) => self.stumble("finish", &fault).await,
            };
        }
        if let Err(fault) = self.keep_watch() {
            return self.stumble("watch", &fault).await;
        }
        let plan = converge(&self.wanted(), &self.seen(), self.now());
        if !matches!(plan.steps.first(), Some(Step::Launch { .. }))
            && let Some(held) = self.reserved.take()
        {
            self.unsettled.push(*held);
            return Round::Again;
        }
        match plan.steps.first().copied() {
            Some(Step::Release) => match self.release().await {
                Ok(()) => Round::Done,
                Err(fault) => self.stumble("release", &fault).await,
            },
            Some(step) => match self.take(step).await {
                Ok(()) => Round::Again,
                // It ended under the step: that is what matters now.
                Err(_) if self.has_ended() => Round::Again,
                Err(fault) => self.stumble(label(step), &fault).await,
            },
            None => self.rest(&plan).await,
        }
    }

    async fn take(&mut self, step: Step) -> Result<(), Fault> {
        fault::hit(Point::AgentStepping);
        self.do_step(step).await?;
        fault::hit(Point::AgentStepped);
        Ok(())
    }

    async fn do_step(&mut self, step: Step) -> Result<(), Fault> {
        match step {
            Step::Prepare => self.prepare().await,
            Step::Launch { boot_epoch, again } => self.launch(boot_epoch, again).await,
            Step::Pause => {
                self.unless_forced(self.machine()?.pause()).await?;
                self.until(|state| *state == State::Held).await?;
                self.mark(Edge::Pause).await;
                Ok(())
            }
            Step::Resume => {
                self.unless_forced(self.machine()?.resume()).await?;
                self.until(|state| *state == State::Running).await?;
                self.mark(Edge::Resume).await;
                Ok(())
            }
            Step::AskToStop => self.ask_to_stop().await,
            Step::Kill => {
                self.kill().await?;
                self.until(|_| false).await
            }
            Step::Reset { reboot_epoch } => self.reset(reboot_epoch).await,
            Step::Apply => self.apply().await,
            // The round takes it, since it ends the owner.
            Step::Release => Ok(()),
        }
    }

    /// Waits until the machine is seen in this state or at its end: a driver may learn of it a moment
    /// after it answers.
    async fn until(&mut self, reached: impl Fn(&State) -> bool) -> Result<(), Fault> {
        let Some(live) = &mut self.live else { return Ok(()) };
        let come = live.state.wait_for(|state| matches!(state, State::Ended(_)) || reached(state));
        // If it does not come, the next round takes the step again.
        drop(tokio::time::timeout(self.shared.config.retry, come).await);
        Ok(())
    }

    /// A machine that its driver no longer watches would end unseen: it is taken up anew.
    fn keep_watch(&mut self) -> Result<(), Fault> {
        if self.live.as_ref().is_none_or(|live| live.state.has_changed().is_ok()) || self.has_ended() {
            return Ok(());
        }
        if let Some(live) = self.part() {
            self.unsettled.push(live.held);
        }
        Err(Fault::new(Reason::VmmSilent, "the driver lost sight of the machine"))
    }

    fn has_ended(&self) -> bool {
        self.live.as_ref().is_some_and(|live| matches!(*live.state.borrow(), State::Ended(_)))
    }

    /// The machine, unless it has ended.
    fn up(&self) -> Option<&Running> {
        self.live.as_ref().filter(|_| !self.has_ended())
    }

    fn wanted(&self) -> Wanted {
        let nothing = Wanted { desired: nothing_left(), restart: RestartPolicy::Never };
        self.placed.as_ref().map_or(nothing, |placed| Wanted { desired: placed.desired, restart: placed.spec.restart })
    }

    fn seen(&self) -> Seen {
        let live = self.live.as_ref().map(|live| Live {
            boot_epoch: live.held.process.boot_epoch,
            reboot_epoch: live.held.note.reboot_epoch,
            held: *live.state.borrow() == State::Held,
            asked: live.held.note.asked.map(|asked| self.past(asked)),
        });
        let ended = self.ended.as_ref().map(|exit| Ended {
            boot_epoch: exit.boot_epoch,
            reboot_epoch: exit.reboot_epoch,
            cause: exit.cause,
            at: self.past(exit.at),
        });
        let generation = self.placed.as_ref().map(|placed| placed.generation);
        let prepared = generation.is_some() && self.prepared_for == generation;
        Seen { prepared, live, lacking: self.is_lacking(), ended, restarts: self.restarts }
    }

    /// Nothing to do: tell what is seen, until something happens.
    async fn rest(&mut self, plan: &Plan) -> Round {
        self.tell_refusals();
        self.note_made().await;
        let sight = self.sight(plan);
        let told = self.tell(sight).await;
        // Logs are bounded, whatever control takes.
        self.upkeep().await;
        let told = if told.is_ok() { self.tell(sight).await } else { told };
        if let Err(fault) = told {
            return self.stumble("report", &fault).await;
        }
        let until = plan.wake.map(|wake| wake.since(self.now()));
        Round::Wait(until.unwrap_or(Duration::MAX).min(self.next_look()).min(self.next_try()))
    }

    fn sight(&self, plan: &Plan) -> Sight {
        match (&self.live, &self.ended) {
            (Some(live), _) if *live.state.borrow() == State::Held => Sight::Paused,
            (Some(_), _) => Sight::Running,
            (None, _) if plan.waiting => Sight::Waiting,
            (None, Some(exit)) if exit.cause.is_failure() => Sight::Failed,
            (None, Some(_)) => Sight::Stopped,
            (None, None) => Sight::Prepared,
        }
    }

    /// A step failed: say so, and look again after a while.
    async fn stumble(&mut self, step: &'static str, fault: &Fault) -> Round {
        tracing::warn!(step, %fault, reason = fault.reason.as_str(), "a step failed; it is tried again");
        self.shared.figures.step_failed(step);
        // Where control refuses to be told, there is nobody to tell.
        if !self.told.take_refusal() {
            self.told.condition(self.now(), "StepSucceeded", false, ("StepFailed", &format!("{step}: {fault}")));
            let sight = match self.up() {
                Some(live) if *live.state.borrow() == State::Held => Sight::Paused,
                Some(_) => Sight::Running,
                // It lives, whatever it does: nobody should start another.
                None if self.silent().is_some() => match self.wanted().desired.power {
                    Power::Paused => Sight::Paused,
                    Power::On | Power::Off => Sight::Running,
                },
                None => Sight::Failed,
            };
            // If this is not taken either, it is told with the next report.
            let _ = self.tell(sight).await;
        }
        Round::Wait(self.shared.config.retry)
    }

    /// Waits for a wish, a change of the machine, a question, or the time.
    async fn wait(&mut self, at_most: Duration) {
        let changed = async {
            match &mut self.live {
                Some(Running { state, resets, .. }) => {
                    let turned = async {
                        if state.changed().await.is_err() && matches!(*state.borrow(), State::Ended(_)) {
                            // Its end was seen: nothing more will come.
                            std::future::pending::<()>().await;
                        }
                    };
                    tokio::select! { () = turned => false, Ok(()) = resets.changed() => true }
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // The next round sees it if nobody is left to wish.
            _ = self.wants.changed() => {}
            reset = changed => if reset { self.mark(Edge::Reboot).await },
            Some(ask) = self.asked.next() => Box::pin(self.answer(ask)).await,
            () = tokio::time::sleep(at_most.min(LONGEST)) => {}
        }
    }

    fn machine(&self) -> Result<&dyn Machine, Fault> {
        let live = self.live.as_ref().ok_or_else(|| Fault::internal("a step needs a machine and there is none"))?;
        Ok(live.machine.as_ref())
    }

    fn placed(&self) -> Result<Arc<Placed>, Fault> {
        self.placed.clone().ok_or_else(|| Fault::internal("a step needs a placement and there is none"))
    }

    /// When something was that is over: what a former agent wrote down may be later than now, if the clock was
    /// set back since. Nothing waits for such a time to come.
    fn past(&self, at: Time) -> Time {
        if at > self.now() { self.born } else { at }
    }

    fn now(&self) -> Time {
        self.shared.ports.clock.now()
    }
}

const fn label(step: Step) -> &'static str {
    match step {
        Step::Prepare => "prepare",
        Step::Launch { .. } => "launch",
        Step::Pause => "pause",
        Step::Resume => "resume",
        Step::AskToStop => "ask to stop",
        Step::Kill => "kill",
        Step::Reset { .. } => "reset",
        Step::Apply => "apply",
        Step::Release => "release",
    }
}
