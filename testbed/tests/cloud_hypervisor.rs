//! The hypervisor port's laws on Cloud Hypervisor, each as a test of its own, jailed and not.
//!
//! The real one is taken where `WEFT_CLOUD_HYPERVISOR` names it or PATH has it, else the stand-in; which one
//! it was is printed. Its guest is the testbed's small one, told over its serial line what to do.
#![allow(clippy::print_stdout, reason = "a test says what it ran on, and why it is skipped")]

#[path = "cloud_hypervisor/bed.rs"]
mod bed;
#[path = "cloud_hypervisor/devices.rs"]
mod devices;
#[path = "cloud_hypervisor/faults.rs"]
mod faults;
#[path = "beds/ground.rs"]
mod ground;

use bed::{Bed, Kind};
use tokio::sync::Semaphore;
use weft_ports::hypervisor::conformance::{self as life, body};

/// Guests that run at the same time.
static TURNS: Semaphore = Semaphore::const_new(2);

macro_rules! laws {
    ($($of:ident::$law:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $law() {
            let _turn = TURNS.acquire().await.expect("the turns are never closed");
            for kind in [Kind::Free, Kind::Jailed] {
                if let Some(bed) = Bed::open(stringify!($law), kind).await {
                    $of::$law(&bed).await;
                }
            }
        }
    )*};
}

laws! {
    life::launch_answers_when_it_runs
    life::a_failed_launch_leaves_nothing
    life::pause_and_resume_are_idempotent
    life::a_guest_that_is_asked_stops
    life::a_held_guest_that_is_asked_stops
    life::reset_keeps_the_process
    life::a_guest_reboot_is_counted
    life::a_guest_poweroff_is_told
    life::a_guest_panic_is_told
    life::kill_ends_the_process
    life::a_vmm_killed_from_outside_has_died
    life::a_dropped_machine_is_adopted
    life::a_held_machine_is_adopted_as_held
    life::an_ended_machine_is_adopted_as_ended
    life::the_console_opens_and_closes
    body::what_is_not_served_is_refused
    body::a_disk_is_plugged_once
    body::a_kept_machine_goes_on_from_there
    body::a_snapshot_that_fails_changes_nothing
    body::a_running_machine_is_not_kept
    body::a_machine_moves
    body::counters_are_told
}
