//! The hypervisor port's laws on the real QEMU, each as a test of its own.
//!
//! Where QEMU or the image cannot be had, every test says `skipped: why`.
#![allow(clippy::print_stdout, reason = "a test that is skipped says why")]

use std::path::Path;
use tokio::sync::Semaphore;
use weft_domain::spec::Machine as Model;
use weft_ports::hypervisor::conformance;
use weft_testbed::machines::Machines;

/// Guests that run at the same time: translating their code takes a whole processor each.
static TURNS: Semaphore = Semaphore::const_new(2);

/// Machines of this model, or `None` after saying why there are none.
async fn machines(model: Model) -> Option<Machines> {
    match Machines::open(Path::new(env!("CARGO_TARGET_TMPDIR")), model).await {
        Ok(machines) => Some(machines),
        Err(why) => {
            println!("skipped: {why}");
            None
        }
    }
}

macro_rules! laws {
    ($($law:ident on $($model:ident)+;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $law() {
            let _turn = TURNS.acquire().await.expect("the turns are never closed");
            $(
                let Some(stage) = machines(Model::$model).await else { return };
                conformance::$law(&stage).await;
            )+
        }
    )*};
}

laws! {
    launch_answers_when_it_runs on Microvm Pc Q35;
    a_failed_launch_leaves_nothing on Microvm;
    pause_and_resume_are_idempotent on Microvm;
    a_guest_that_is_asked_stops on Microvm Pc Q35;
    a_held_guest_that_is_asked_stops on Microvm;
    reset_keeps_the_process on Microvm Pc Q35;
    a_guest_reboot_is_counted on Microvm Pc Q35;
    a_guest_poweroff_is_told on Microvm Pc Q35;
    a_guest_panic_is_told on Microvm Pc Q35;
    kill_ends_the_process on Microvm;
    a_vmm_killed_from_outside_has_died on Microvm;
    a_dropped_machine_is_adopted on Microvm Q35;
    a_held_machine_is_adopted_as_held on Microvm;
    an_ended_machine_is_adopted_as_ended on Microvm;
    the_console_opens_and_closes on Microvm;
}
