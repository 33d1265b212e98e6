//! The laws of the hypervisor port as checks that any implementation can be put through.
//!
//! ```text
//!  Stage (yours) ── order, until_ready, tell ──► a law ── launch, pause, … ──► your Hypervisor
//! ```
//!
//! A law panics where it is broken, so each is the body of one test. Every law makes its own machine and
//! leaves none; [`all`] runs them one after the other.

pub mod body;

use super::{Adoption, Alteration, Hypervisor, Machine, Order, State, Way};
use crate::processes::Processes;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;
use weft_domain::capability::Feature;
use weft_domain::{Fault, Kind, Reason};

/// The longest that any one thing may take; a busy host translates guest code slowly.
const LIMIT: Duration = Duration::from_secs(60);

/// What a law needs of the place where it runs.
#[async_trait::async_trait]
pub trait Stage: Send + Sync {
    /// The implementation under test.
    fn hypervisor(&self) -> Arc<dyn Hypervisor>;
    /// The processes that it launches with.
    fn processes(&self) -> Arc<dyn Processes>;
    /// A new order, with folders of its own.
    async fn order(&self, sort: Sort) -> Order;
    /// Answers when the guest has said this many times that it is ready and heeds the power button.
    async fn until_ready(&self, order: &Order, times: usize);
    /// Makes the guest do this by itself.
    async fn tell(&self, order: &Order, machine: &dyn Machine, deed: Deed);
    /// A figure that the guest keeps in its memory and that another boot would not have; `None` where it
    /// cannot be asked.
    async fn remembered(&self, order: &Order, machine: &dyn Machine) -> Option<String>;
    /// A disk that this machine can be given; `None` where there is none.
    async fn spare(&self, order: &Order) -> Option<Alteration>;
    /// Why this law cannot hold here; `None` where it can. It is for limits of the host alone, and is
    /// printed.
    fn excused(&self, law: &str) -> Option<String>;
}

/// What is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// A guest that boots, says so, and heeds the power button.
    Working,
    /// One whose VMM cannot start.
    Broken,
}

/// What a guest does by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// It powers off.
    PowerOff,
    /// Its kernel panics.
    Panic,
    /// It reboots.
    Reboot,
}

/// Every law, one after the other.
pub async fn all(stage: &dyn Stage) {
    launch_answers_when_it_runs(stage).await;
    a_failed_launch_leaves_nothing(stage).await;
    pause_and_resume_are_idempotent(stage).await;
    a_guest_that_is_asked_stops(stage).await;
    a_held_guest_that_is_asked_stops(stage).await;
    reset_keeps_the_process(stage).await;
    a_guest_reboot_is_counted(stage).await;
    a_guest_poweroff_is_told(stage).await;
    a_guest_panic_is_told(stage).await;
    kill_ends_the_process(stage).await;
    a_vmm_killed_from_outside_has_died(stage).await;
    a_dropped_machine_is_adopted(stage).await;
    a_held_machine_is_adopted_as_held(stage).await;
    an_ended_machine_is_adopted_as_ended(stage).await;
    the_console_opens_and_closes(stage).await;
    body::all(stage).await;
}

/// Whether the driver says that it can.
fn can(stage: &dyn Stage, feature: Feature) -> bool {
    stage.hypervisor().capabilities().features.contains(&feature)
}

/// How a power-off of the guest may be told.
fn powered_off(stage: &dyn Stage, way: Way) {
    let right = way == Way::Poweroff || (!can(stage, Feature::TellsPoweroff) && way == Way::Reset);
    assert!(right, "a power-off is told as {way:?}");
}

/// `launch` answers when the virtual CPUs run; `alive`, `chosen` and the process agree.
pub async fn launch_answers_when_it_runs(stage: &dyn Stage) {
    let order = stage.order(Sort::Working).await;
    let chosen = stage.hypervisor().choose(&order.spec);
    let machine = launch(stage, &order).await;
    assert_eq!(*machine.state().borrow(), State::Running, "a machine runs when its launch answers");
    assert_eq!(machine.chosen(), chosen, "it is what was said to be chosen");
    assert!(stage.processes().lives(&machine.alive()), "its process lives");
    let found = stage.processes().find().await.expect("processes can be listed");
    assert!(found.contains(&(order.claim, machine.alive())), "its process bears the order's claim");
    finish(stage, &order, machine).await;
}

/// A launch that fails says why and leaves no process.
pub async fn a_failed_launch_leaves_nothing(stage: &dyn Stage) {
    let order = stage.order(Sort::Broken).await;
    let fault = stage.hypervisor().launch(order.clone()).await.err().expect("a broken order cannot be launched");
    assert_eq!(fault.reason, Reason::LaunchFailed, "{fault}");
    assert!(fault.message.len() > 20, "it says why: {fault}");
    let found = stage.processes().find().await.expect("processes can be listed");
    assert!(found.iter().all(|(claim, _)| *claim != order.claim), "no process is left");
}

/// Pausing twice holds it, resuming twice lets it go on.
pub async fn pause_and_resume_are_idempotent(stage: &dyn Stage) {
    let order = stage.order(Sort::Working).await;
    let machine = launch(stage, &order).await;
    let mut state = machine.state();
    for _ in 0..2 {
        done(machine.pause().await, "pause");
        until(&mut state, |state| *state == State::Held).await;
    }
    for _ in 0..2 {
        done(machine.resume().await, "resume");
        until(&mut state, |state| *state == State::Running).await;
    }
    finish(stage, &order, machine).await;
}

/// A guest that is asked to stop powers off; after the end verbs are refused, and burial leaves nothing.
pub async fn a_guest_that_is_asked_stops(stage: &dyn Stage) {
    let order = stage.order(Sort::Working).await;
    let machine = launch(stage, &order).await;
    stage.until_ready(&order, 1).await;
    done(machine.ask_to_stop().await, "ask_to_stop");
    assert_eq!(ended(machine.as_ref()).await, Way::Poweroff);
    refused_after_end(machine.as_ref()).await;
    finish(stage, &order, machine).await;
}

/// A held guest can be asked as well.
pub async fn a_held_guest_that_is_asked_stops(stage: &dyn Stage) {
    let order = stage.order(Sort::Working).await;
    let machine = launch(stage, &order).await;
    stage.until_ready(&order, 1).await;
    done(machine.pause().await, "pause");
    done(machine.ask_to_stop().await, "ask_to_stop");
    assert_eq!(ended(machine.as_ref()).await, Way::Poweroff);
    finish(stage, &order, machine).await;
}

/// A reset boots the guest again in the same process, and is not counted as one of the guest's own. A
/// driver that has none says so and changes nothing.
pub async fn reset_keeps_the_process(stage: &dyn Stage) {
    let order = stage.order(Sort::Working).await;
    let machine = launch(stage, &order).await;
    stage.until_ready(&order, 1).await;
    if !can(stage, Feature::Reset) {
        let fault = machine.reset().await.expect_err("what is not served is refused");
        assert_eq!(fault.reason, Reason::VerbUnsupported, "{fault}");
        assert_eq!(*machine.state().borrow(), State::Running);
        return finish(stage, &order, machine).await;
    }
    let alive = machine.alive();
    done(machine.reset().await, "reset");
    stage.until_ready(&order, 2).await;
    assert_eq!(*machine.state().borrow(), State::Running);
    assert_eq!(machine.alive(), alive, "the process is the same");
    assert_eq!(*machine.resets().borrow(), 0, "a reset that was asked is not the guest's own");
    finish(stage, &order, machine).await;
}

/// A guest that reboots goes on in the same process, and it is counted once; where a driver has no reset,
/// the machine has ended so.
pub async fn a_guest_reboot_is_counted(stage: &dyn Stage) {
    let order = stage.order(Sort::Working).await;
    let machine = launch(stage, &order).await;
    stage.until_ready(&order, 1).await;
    let mut resets = machine.resets();
    stage.tell(&order, machine.as_ref(), Deed::Reboot).await;
    if !can(stage, Feature::Reset) {
        assert_eq!(ended(machine.as_ref()).await, Way::Reset);
        return finish(stage, &order, machine).await;
    }
    until(&mut resets, |count| *count > 0).await;
    stage.until_ready(&order, 2).await;
    assert_eq!(*resets.borrow(), 1, "one reboot is one reset");
    assert_eq!(*machine.state().borrow(), State::Running);
    finish(stage, &order, machine).await;
}

/// A guest that powers itself off has ended so.
pub async fn a_guest_poweroff_is_told(stage: &dyn Stage) {
    powered_off(stage, ends_by(stage, Deed::PowerOff).await);
}

/// A guest whose kernel panics has ended so.
pub async fn a_guest_panic_is_told(stage: &dyn Stage) {
    if can(stage, Feature::TellsPanic) {
        assert_eq!(ends_by(stage, Deed::Panic).await, Way::Panic);
    }
}

async fn ends_by(stage: &dyn Stage, deed: Deed) -> Way {
    let order = stage.order(Sort::Working).await;
    let machine = launch(stage, &order).await;
    stage.until_ready(&order, 1).await;
    stage.tell(&order, machine.as_ref(), deed).await;
    let way = ended(machine.as_ref()).await;
    finish(stage, &order, machine).await;
    way
}

/// Killing ends the process before it answers; killing again is no error.
pub async fn kill_ends_the_process(stage: &dyn Stage) {
    let order = stage.order(Sort::Working).await;
    let machine = launch(stage, &order).await;
    for _ in 0..2 {
        done(machine.kill().await, "kill");
        assert!(!stage.processes().lives(&machine.alive()), "the process has ended when kill answers");
    }
    assert_eq!(ended(machine.as_ref()).await, Way::Killed);
    refused_after_end(machine.as_ref()).await;
    finish(stage, &order, machine).await;
}

/// A VMM that somebody else kills has died.
pub async fn a_vmm_killed_from_outside_has_died(stage: &dyn Stage) {
    let order = stage.order(Sort::Working).await;
    let machine = launch(stage, &order).await;
    stage.processes().kill(&machine.alive()).await.expect("a process can be killed");
    assert_eq!(ended(machine.as_ref()).await, Way::Died);
    refused_after_end(machine.as_ref()).await;
    finish(stage, &order, machine).await;
}

/// Dropping a machine leaves the process; it is adopted as what it is, and every verb works again.
pub async fn a_dropped_machine_is_adopted(stage: &dyn Stage) {
    let order = stage.order(Sort::Working).await;
    let machine = launch(stage, &order).await;
    let adoption = adoption(&order, machine.as_ref());
    drop(machine);
    assert!(stage.processes().lives(&adoption.alive), "dropping a machine leaves its process");
    let machine = adopt(stage, adoption.clone()).await;
    assert_eq!(machine.alive(), adoption.alive, "the process is the same");
    assert_eq!(machine.chosen(), adoption.chosen, "it is still what was chosen");
    assert_eq!(*machine.state().borrow(), State::Running, "adopting changes nothing");
    stage.until_ready(&order, 1).await;
    done(machine.ask_to_stop().await, "ask_to_stop");
    assert_eq!(ended(machine.as_ref()).await, Way::Poweroff);
    finish(stage, &order, machine).await;
}

/// A machine that was held is adopted as held.
pub async fn a_held_machine_is_adopted_as_held(stage: &dyn Stage) {
    let order = stage.order(Sort::Working).await;
    let machine = launch(stage, &order).await;
    done(machine.pause().await, "pause");
    let adoption = adoption(&order, machine.as_ref());
    drop(machine);
    let machine = adopt(stage, adoption).await;
    assert_eq!(*machine.state().borrow(), State::Held);
    done(machine.resume().await, "resume");
    until(&mut machine.state(), |state| *state == State::Running).await;
    finish(stage, &order, machine).await;
}

/// A guest that powered off while nobody held its machine is adopted as ended, in that way.
pub async fn an_ended_machine_is_adopted_as_ended(stage: &dyn Stage) {
    let order = stage.order(Sort::Working).await;
    let machine = launch(stage, &order).await;
    stage.until_ready(&order, 1).await;
    stage.tell(&order, machine.as_ref(), Deed::PowerOff).await;
    powered_off(stage, ended(machine.as_ref()).await);
    let adoption = adoption(&order, machine.as_ref());
    drop(machine);
    let machine = adopt(stage, adoption).await;
    let way = ended(machine.as_ref()).await;
    if can(stage, Feature::TellsPoweroff) {
        assert_eq!(way, Way::Poweroff, "the reason is kept until burial");
    }
    finish(stage, &order, machine).await;
}

/// The console opens, can be closed, and opens again.
pub async fn the_console_opens_and_closes(stage: &dyn Stage) {
    let order = stage.order(Sort::Working).await;
    let machine = launch(stage, &order).await;
    for _ in 0..2 {
        let mut console = machine.console().await.unwrap_or_else(|fault| panic!("console: {fault}"));
        console.write_all(b"\n").await.expect("an open console takes a byte");
    }
    finish(stage, &order, machine).await;
}

async fn launch(stage: &dyn Stage, order: &Order) -> Box<dyn Machine> {
    let launched = tokio::time::timeout(LIMIT, stage.hypervisor().launch(order.clone())).await;
    launched.expect("a launch is bounded in time").unwrap_or_else(|fault| panic!("launch: {fault}"))
}

async fn adopt(stage: &dyn Stage, adoption: Adoption) -> Box<dyn Machine> {
    let adopted = tokio::time::timeout(LIMIT, stage.hypervisor().adopt(adoption)).await;
    adopted.expect("an adoption is bounded in time").unwrap_or_else(|fault| panic!("adopt: {fault}"))
}

fn adoption(order: &Order, machine: &dyn Machine) -> Adoption {
    Adoption {
        instance: order.instance,
        incarnation: order.incarnation,
        alive: machine.alive(),
        chosen: machine.chosen(),
        run_dir: order.run_dir.clone(),
        vmm_log: order.vmm_log.clone(),
        spec: order.spec.clone(),
        ward: order.ward,
    }
}

/// Ends and buries it, and sees to it that nothing is left.
async fn finish(stage: &dyn Stage, order: &Order, machine: Box<dyn Machine>) {
    let alive = machine.alive();
    if !matches!(*machine.state().borrow(), State::Ended(_)) {
        done(machine.kill().await, "kill");
    }
    for _ in 0..2 {
        done(machine.bury().await, "bury");
    }
    assert!(!stage.processes().lives(&alive), "burial leaves no process");
    stage.processes().clear(order.claim).await.expect("a claim can be cleared");
}

fn done(answer: Result<(), Fault>, verb: &str) {
    if let Err(fault) = answer {
        panic!("{verb}: {fault}");
    }
}

async fn until<T: Clone + Send + Sync>(watch: &mut watch::Receiver<T>, is_so: impl FnMut(&T) -> bool) -> T {
    let seen = tokio::time::timeout(LIMIT, watch.wait_for(is_so)).await;
    seen.expect("the change comes in time").expect("the machine is held").clone()
}

async fn ended(machine: &dyn Machine) -> Way {
    match until(&mut machine.state(), |state| matches!(state, State::Ended(_))).await {
        State::Ended(end) => {
            assert!(!end.message.is_empty(), "an end says why");
            end.way
        }
        State::Running | State::Held => unreachable!("it was waited for the end"),
    }
}

/// After the end verbs are refused, and the end stays what it was.
async fn refused_after_end(machine: &dyn Machine) {
    let before = machine.state().borrow().clone();
    let answers = [machine.pause().await, machine.resume().await, machine.ask_to_stop().await, machine.reset().await];
    for answer in answers {
        let fault = answer.expect_err("no verb is lawful after the end");
        assert_eq!(fault.kind(), Kind::FailedPrecondition, "{fault}");
    }
    let fault = machine.console().await.err().expect("no console is left after the end");
    assert_eq!(fault.kind(), Kind::FailedPrecondition, "{fault}");
    assert_eq!(*machine.state().borrow(), before, "an end does not change");
}
