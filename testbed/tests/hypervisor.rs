//! The hypervisor port's laws on the real QEMU, each as a test of its own.
//!
//! Where QEMU or the image cannot be had, every test says `skipped: why`.
#![allow(clippy::print_stdout, reason = "a test that is skipped says why")]

use std::path::Path;
use tokio::sync::Semaphore;
use weft_domain::spec::Machine as Model;
use weft_ports::hypervisor::conformance::{self as life, body};
use weft_testbed::machines::Machines;

/// Guests that run at the same time: translating their code takes a whole processor each.
static TURNS: Semaphore = Semaphore::const_new(2);

/// Whether machines are jailed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Free,
    Jailed,
}

/// Machines of this model, or `None` after saying why there are none.
async fn machines(model: Model, kept: Kept) -> Option<Machines> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let opened = match kept {
        Kept::Free => Machines::open(cache, model).await,
        Kept::Jailed => Machines::jailed(cache, model).await,
    };
    opened.map_err(|why| println!("skipped: {kept:?} {model:?}: {why}")).ok()
}

macro_rules! laws {
    ($($of:ident::$law:ident on $($kept:ident $model:ident),+;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $law() {
            let _turn = TURNS.acquire().await.expect("the turns are never closed");
            $(
                if let Some(stage) = machines(Model::$model, Kept::$kept).await {
                    $of::$law(&stage).await;
                }
            )+
        }
    )*};
}

laws! {
    life::launch_answers_when_it_runs on Free Microvm, Free Pc, Free Q35, Jailed Microvm, Jailed Pc, Jailed Q35;
    life::a_failed_launch_leaves_nothing on Free Microvm, Jailed Microvm;
    life::pause_and_resume_are_idempotent on Free Microvm, Jailed Microvm;
    life::a_guest_that_is_asked_stops on Free Microvm, Free Pc, Free Q35, Jailed Microvm;
    life::a_held_guest_that_is_asked_stops on Free Microvm;
    life::reset_keeps_the_process on Free Microvm, Free Pc, Free Q35, Jailed Q35;
    life::a_guest_reboot_is_counted on Free Microvm, Free Pc, Free Q35, Jailed Pc;
    life::a_guest_poweroff_is_told on Free Microvm, Free Pc, Free Q35, Jailed Q35;
    life::a_guest_panic_is_told on Free Microvm, Free Pc, Free Q35, Jailed Microvm;
    life::kill_ends_the_process on Free Microvm, Jailed Microvm;
    life::a_vmm_killed_from_outside_has_died on Free Microvm, Jailed Microvm;
    life::a_dropped_machine_is_adopted on Free Microvm, Free Q35, Jailed Microvm;
    life::a_held_machine_is_adopted_as_held on Free Microvm, Jailed Microvm;
    life::an_ended_machine_is_adopted_as_ended on Free Microvm, Jailed Microvm;
    life::the_console_opens_and_closes on Free Microvm, Jailed Microvm;
    body::what_is_not_served_is_refused on Free Microvm, Jailed Q35;
    body::a_disk_is_plugged_once on Free Pc, Free Q35, Jailed Pc, Jailed Q35;
    body::a_kept_machine_goes_on_from_there on Free Microvm, Free Pc, Free Q35, Jailed Microvm, Jailed Q35;
    body::a_snapshot_that_fails_changes_nothing on Free Microvm, Jailed Microvm;
    body::a_running_machine_is_not_kept on Free Microvm;
    body::a_machine_moves on Free Microvm, Free Pc, Free Q35, Jailed Microvm, Jailed Q35;
    body::counters_are_told on Free Microvm, Jailed Q35;
}
