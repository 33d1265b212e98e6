//! What goes wrong between the driver and its Firecracker, played by the stand-in; and what can be made to go
//! wrong with the real one.

use crate::bed::{Bed, Kind, end};
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use weft_domain::snapshot::{Content, Identity, Part, Role, Scope};
use weft_domain::{Kind as FaultKind, Reason};
use weft_ports::hypervisor::conformance::Stage;
use weft_ports::hypervisor::{Hypervisor, Keep, Machine, Order, Origin, Restore, State, Way};

/// Switches of the stand-in, which can be turned while it runs.
struct Switches(TempDir);

impl Switches {
    fn new() -> Self {
        let switches = Self(tempfile::tempdir().expect("a folder can be made"));
        switches.turn("");
        switches
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("switches")
    }

    fn turn(&self, text: &str) {
        std::fs::write(self.file(), text).expect("switches can be written");
    }
}

async fn launched(bed: &Bed) -> (Order, Box<dyn Machine>) {
    let order = bed.order_of(Bed::draft());
    let machine = bed.launch(&order).await;
    (order, machine)
}

#[tokio::test]
async fn an_api_that_says_nonsense_is_silent_and_the_machine_lives() {
    let switches = Switches::new();
    let Some(bed) = Bed::broken("nonsense", &switches.file()).await else { return };
    let (_order, machine) = launched(&bed).await;
    for fault in ["close", "truncate", "garbage"] {
        switches.turn(&format!("{fault} PATCH /vm"));
        let refused = machine.pause().await.expect_err(fault);
        assert_eq!(refused.reason, Reason::VmmSilent, "{fault}: {refused}");
        assert_eq!(*machine.state().borrow(), State::Running, "{fault}: it was not seen to be held");
        switches.turn("");
        machine.resume().await.unwrap_or_else(|error| panic!("after {fault}: {error}"));
    }
    switches.turn("fail PATCH /vm");
    let refused = machine.pause().await.expect_err("refused");
    assert!(refused.message.contains("cannot pause"), "{refused}");
    switches.turn("");
    bed.finish(machine).await;
}

#[tokio::test]
async fn an_api_that_hangs_holds_up_no_other_machine_and_its_own_can_be_ended() {
    let switches = Switches::new();
    let Some(bed) = Bed::broken("hangs", &switches.file()).await else { return };
    let (_first, hung) = launched(&bed).await;
    let (_second, other) = launched(&bed).await;
    switches.turn("hang PUT /actions");
    let silent = hung.counters().await.expect_err("it hangs");
    assert_eq!(silent.kind(), FaultKind::Unavailable, "{silent}");
    switches.turn("");
    let quick = tokio::time::timeout(Duration::from_secs(5), other.pause()).await;
    quick.expect("the other is not held up").unwrap_or_else(|fault| panic!("pause: {fault}"));
    hung.kill().await.unwrap_or_else(|fault| panic!("kill: {fault}"));
    assert_eq!(end(hung.as_ref()).await.way, Way::Killed);
    bed.finish(hung).await;
    bed.finish(other).await;
}

#[tokio::test]
async fn a_late_answer_is_waited_for_within_reason() {
    let switches = Switches::new();
    let Some(bed) = Bed::broken("late", &switches.file()).await else { return };
    let (_order, machine) = launched(&bed).await;
    switches.turn("delay 300 PATCH /vm");
    machine.pause().await.unwrap_or_else(|fault| panic!("pause: {fault}"));
    assert_eq!(*machine.state().borrow(), State::Held);
    bed.finish(machine).await;
}

#[tokio::test]
async fn a_firecracker_that_ends_in_the_middle_is_told_with_its_code() {
    let switches = Switches::new();
    let Some(bed) = Bed::broken("ends", &switches.file()).await else { return };
    for (switch, words) in [("exit 148", "a system call that it may not make"), ("signal 6", "SIGABRT")] {
        switches.turn("");
        let (_order, machine) = launched(&bed).await;
        switches.turn(&format!("{switch} PATCH /vm"));
        let refused = machine.pause().await.expect_err(switch);
        assert_eq!(refused.reason, Reason::PhaseForbids, "{switch}: {refused}");
        let end = end(machine.as_ref()).await;
        assert!(end.way == Way::Died && end.message.contains(words), "{switch}: {:?} {}", end.way, end.message);
        bed.finish(machine).await;
        switches.turn(&format!("{switch} PUT /boot-source"));
        let order = bed.order_of(Bed::draft());
        let fault = bed.driver().launch(order.clone()).await.err().expect("it ends while it starts");
        assert_eq!(fault.reason, Reason::LaunchFailed, "{switch}: {fault}");
        let found = bed.processes().find().await.expect("processes can be listed");
        assert!(found.iter().all(|(claim, _)| *claim != order.claim), "no process is left");
    }
}

#[tokio::test]
async fn a_full_disk_fails_the_snapshot_alone() {
    let switches = Switches::new();
    let Some(bed) = Bed::broken("full disk", &switches.file()).await else { return };
    let (_order, machine) = launched(&bed).await;
    machine.pause().await.unwrap_or_else(|fault| panic!("pause: {fault}"));
    switches.turn("fill-disk");
    let folder = bed.folder("full");
    let fault = machine.keep(&Keep { folder: folder.clone(), scope: Scope::Full }).await.expect_err("it is full");
    assert_eq!(fault.reason, Reason::SnapshotFailed, "{fault}");
    assert_eq!(std::fs::read_dir(&folder).expect("it is there").count(), 0, "what was begun is gone");
    switches.turn("");
    machine.resume().await.unwrap_or_else(|fault| panic!("resume: {fault}"));
    bed.finish(machine).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_that_was_cut_is_not_taken_and_leaves_nothing() {
    for kind in [Kind::Free, Kind::Jailed] {
        let Some(bed) = Bed::open("a snapshot that was cut", kind).await else { continue };
        let order = bed.order_of(Bed::draft());
        let machine = bed.ready(&order).await;
        machine.pause().await.unwrap_or_else(|fault| panic!("pause: {fault}"));
        let folder = bed.folder("kept");
        let kept = machine.keep(&Keep { folder: folder.clone(), scope: Scope::Full }).await;
        let parts = kept.unwrap_or_else(|fault| panic!("keep: {fault}"));
        bed.finish(machine).await;
        for role in [Role::State, Role::Memory] {
            let (_, file) = parts.iter().find(|(kept, _)| *kept == role).expect("each part is kept");
            let path = folder.join(file);
            let bytes = std::fs::metadata(&path).expect("it is there").len();
            std::fs::File::options()
                .write(true)
                .open(&path)
                .expect("a file of the test can be used")
                .set_len(bytes / 2)
                .expect("it can be cut");
            let part = |(role, file): &(Role, String)| Part {
                role: role.clone(),
                file: file.clone(),
                bytes: 0,
                sha256: [0; 32],
            };
            let content = Content { driver: String::new(), taken: None, parts: parts.iter().map(part).collect() };
            let (spec, identity) = (order.spec.clone(), Identity::Same);
            let origin = Origin::Snapshot(Restore { folder: folder.clone(), content, spec, identity });
            let again = Order { origin, ..bed.order_of(Bed::draft()) };
            let fault = bed.driver().launch(again.clone()).await.err().expect("it is cut");
            assert!(matches!(fault.reason, Reason::SnapshotUnusable | Reason::LaunchFailed), "{role:?}: {fault}");
            println!("cut {role:?}: {fault}");
            let found = bed.processes().find().await.expect("processes can be listed");
            assert!(found.iter().all(|(claim, _)| *claim != again.claim), "no process is left");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vmm_that_is_killed_in_any_state_has_died() {
    let Some(bed) = Bed::open("killed in each state", Kind::Free).await else { return };
    for held in [false, true] {
        let order = bed.order_of(Bed::draft());
        let machine = bed.ready(&order).await;
        if held {
            machine.pause().await.unwrap_or_else(|fault| panic!("pause: {fault}"));
        }
        bed.processes().kill(&machine.alive()).await.expect("a process can be killed");
        let end = end(machine.as_ref()).await;
        assert!(end.way == Way::Died && end.message.contains("SIGKILL"), "{:?} {}", end.way, end.message);
        let refused = machine.counters().await.expect_err("it has ended");
        assert_eq!(refused.reason, Reason::PhaseForbids, "{refused}");
        bed.finish(machine).await;
    }
}
