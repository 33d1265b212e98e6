//! The hypervisor port's laws on Firecracker, each as a test of its own, jailed and not; what is Firecracker's
//! alone; and what goes wrong.
//!
//! The real one is taken where `WEFT_FIRECRACKER` names it or PATH has it, else the stand-in; which one it was
//! is printed. Its guest is the testbed's small one, told over its serial line what to do.
#![allow(clippy::print_stdout, reason = "a test says what it ran on, and why it is skipped")]

#[path = "firecracker/bed.rs"]
mod bed;
#[path = "firecracker/changes.rs"]
mod changes;
#[path = "firecracker/faults.rs"]
mod faults;
#[path = "beds/ground.rs"]
mod ground;
#[path = "firecracker/life.rs"]
mod own;

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
    own::a_guest_answers_over_its_console
    own::a_console_outlives_whoever_watched
    own::a_reboot_while_nobody_held_it_is_told_from_its_log
    own::a_crash_is_told_with_the_vmms_words
    own::a_jailed_machine_sees_nothing_of_the_host
    own::a_tap_is_found_in_the_network_that_is_named
    own::a_burial_leaves_an_empty_folder
    changes::a_fork_goes_on_with_its_own_disk
    changes::a_difference_is_small_and_whole_on_its_parent
    changes::a_disk_gets_another_file_and_another_limit
    changes::a_balloon_that_the_guest_does_not_drive_is_refused
    changes::hints_of_free_pages_begin_and_end
    changes::persistent_memory_gets_another_limit
    changes::metadata_and_memory_are_told_anew
    changes::counters_go_on_after_an_adoption
}
