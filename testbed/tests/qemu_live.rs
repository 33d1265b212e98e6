//! A running QEMU machine changed, kept, moved, jailed and broken, with a guest that tells what it sees of it.
//!
//! Where QEMU or the image cannot be had, every test says `skipped: why`.
#![allow(clippy::print_stdout, reason = "a test that is skipped says why")]

#[path = "qemu_live/changes.rs"]
mod changes;
#[path = "qemu_live/inside.rs"]
mod inside;
#[path = "qemu_live/journeys.rs"]
mod journeys;
#[path = "qemu_live/life.rs"]
mod life;
#[path = "qemu_live/networks.rs"]
mod networks;

use std::path::Path;
use tokio::sync::{Semaphore, SemaphorePermit};
use weft_domain::spec::change::Change;
use weft_domain::spec::payload::DEFAULT_IMAGE_READY;
use weft_domain::spec::{Draft, Machine as Model};
use weft_domain::{Fault, Reason};
use weft_ports::hypervisor::{Alteration, Hypervisor, Machine, Order};
use weft_testbed::machines::Machines;

/// Guests that run at the same time: translating their code takes a whole processor each.
static TURNS: Semaphore = Semaphore::const_new(2);

/// Machines of this model, while it is this test's turn; `None` after saying why there are none.
async fn machines(model: Model) -> Option<(Machines, SemaphorePermit<'static>)> {
    let turn = TURNS.acquire().await.expect("the turns are never closed");
    match Machines::open(Path::new(env!("CARGO_TARGET_TMPDIR")), model).await {
        Ok(machines) => Some((machines, turn)),
        Err(why) => {
            println!("skipped: {why}");
            None
        }
    }
}

/// The same, each in a jail.
async fn jailed(model: Model) -> Option<(Machines, SemaphorePermit<'static>)> {
    let turn = TURNS.acquire().await.expect("the turns are never closed");
    match Machines::jailed(Path::new(env!("CARGO_TARGET_TMPDIR")), model).await {
        Ok(machines) => Some((machines, turn)),
        Err(why) => {
            println!("skipped: {why}");
            None
        }
    }
}

fn draft(machine: Model) -> Draft {
    let mut draft = Draft { machine, ..Draft::default() };
    draft.memory.size_bytes = 128 << 20;
    draft
}

async fn launch(machines: &Machines, order: &Order) -> Box<dyn Machine> {
    let launched = machines.qemu().launch(order.clone()).await;
    launched.unwrap_or_else(|fault| panic!("launch: {fault}: {:?}", std::fs::read_to_string(&order.vmm_log)))
}

/// A machine whose guest is ready.
async fn ready(machines: &Machines, order: &Order) -> Box<dyn Machine> {
    let machine = launch(machines, order).await;
    machines.until_shown(order, DEFAULT_IMAGE_READY, 1).await;
    machine
}

async fn alter(machine: &dyn Machine, change: Change) {
    let told = change.told();
    done(machine.alter(&Alteration { change, backing: None }).await, &told);
}

/// The refusal of a change.
async fn refused(machine: &dyn Machine, change: Change) -> Fault {
    let told = change.told();
    let answer = machine.alter(&Alteration { change, backing: None }).await;
    let fault = answer.err().unwrap_or_else(|| panic!("{told} is refused"));
    assert_eq!(fault.reason, Reason::ChangeRefused, "{told}: {fault}");
    fault
}

fn done(answer: Result<(), Fault>, what: &str) {
    if let Err(fault) = answer {
        panic!("{what}: {fault}");
    }
}

async fn finish(machine: Box<dyn Machine>) {
    machine.kill().await.expect("it can be killed");
    machine.bury().await.expect("it can be buried");
}
