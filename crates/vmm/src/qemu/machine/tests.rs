//! What a machine makes of what QEMU says, of its silence, and of its end.

mod double;

use super::*;
use crate::cell::Cell;
use crate::qemu::folder::Folder;
use double::{Double, Manner};
use serde_json::json;
use weft_domain::spec::{Accelerator, Draft, Machine as Model};
use weft_domain::{ClaimId, InstanceId, Kind, Time};
use weft_ports::clock;
use weft_ports::hypervisor::End;
use weft_ports::processes::fake::Fake;
use weft_ports::processes::{Command, Confinement, Ending, Processes};

struct Rig {
    folder: tempfile::TempDir,
    processes: Fake,
    alive: Alive,
    double: Double,
}

impl Rig {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let processes = Fake::new();
        let command = Command {
            claim: ClaimId::new(Time::from_millis(1), [1; 10]),
            program: "/bin/true".into(),
            args: Vec::new(),
            fds: Vec::new(),
            log: folder.path().join("vmm.log"),
            dir: folder.path().into(),
            confinement: Confinement::default(),
            jail: None,
        };
        let alive = processes.launch(command).await.unwrap();
        std::fs::write(folder.path().join("vmm.log"), "qemu: its last words\n").unwrap();
        let double = Double::listen(&Folder(folder.path().into()));
        Self { folder, processes, alive, double }
    }

    fn shared(&self) -> Arc<Shared> {
        let outer: (Arc<dyn Processes>, Arc<dyn clock::Clock>) =
            (Arc::new(self.processes.clone()), Arc::new(clock::Fake::default()));
        let birth = Birth {
            instance: InstanceId::new(Time::from_millis(1), [1; 10]),
            chosen: Chosen { driver: "qemu 7.2.22".into(), machine: Model::Microvm, accelerator: Accelerator::Tcg },
            folder: Folder(self.folder.path().into()),
            vmm_log: self.folder.path().join("vmm.log"),
            cell: Cell::standing(self.folder.path(), None),
            spec: Arc::new(Draft::default().check().unwrap()),
        };
        Arc::new(Shared::new(self.alive.clone(), birth, outer))
    }

    async fn adopt(&self) -> Handle {
        let shared = self.shared();
        let (link, status) = Link::open(shared.folder.qmp()).await.unwrap();
        shared.saw(&status);
        Handle::new(shared, link)
    }
}

async fn until(machine: &Handle, is_so: impl FnMut(&State) -> bool) -> State {
    machine.state().wait_for(is_so).await.unwrap().clone()
}

async fn end(machine: &Handle) -> End {
    match until(machine, |state| matches!(state, State::Ended(_))).await {
        State::Ended(end) => end,
        State::Running | State::Held => unreachable!("it was waited for the end"),
    }
}

#[tokio::test]
async fn events_and_states_are_read_as_ends() {
    let table = [
        ("SHUTDOWN", json!({"guest": true, "reason": "guest-shutdown"}), "shutdown", Way::Poweroff),
        ("SHUTDOWN", json!({"guest": true, "reason": "guest-panic"}), "guest-panicked", Way::Panic),
        ("GUEST_PANICKED", json!({"action": "pause"}), "guest-panicked", Way::Panic),
        // Nothing but the state tells of these.
        ("STOP", json!({}), "shutdown", Way::Poweroff),
        ("STOP", json!({}), "guest-panicked", Way::Panic),
        ("STOP", json!({}), "internal-error", Way::Died),
    ];
    for (event, facts, status, way) in table {
        let rig = Rig::new().await;
        let machine = rig.adopt().await;
        rig.double.is(status);
        rig.double.tells(event, facts);
        let end = end(&machine).await;
        assert_eq!(end.way, way, "{event} {status}");
        assert_eq!(end.log_tail, ["qemu: its last words"]);
        assert_eq!(machine.pause().await.unwrap_err().kind(), Kind::FailedPrecondition);
    }
}

#[tokio::test]
async fn what_is_adopted_is_what_it_is() {
    for (status, way) in [("shutdown", Way::Poweroff), ("guest-panicked", Way::Panic), ("internal-error", Way::Died)] {
        let rig = Rig::new().await;
        rig.double.is(status);
        assert_eq!(end(&rig.adopt().await).await.way, way);
    }
    let rig = Rig::new().await;
    rig.double.is("prelaunch");
    assert_eq!(*rig.adopt().await.state().borrow(), State::Held);
}

#[tokio::test]
async fn a_full_disk_holds_the_guest_until_it_is_resumed() {
    let rig = Rig::new().await;
    let machine = rig.adopt().await;
    rig.double.is("io-error");
    rig.double.tells("STOP", json!({}));
    until(&machine, |state| *state == State::Held).await;
    machine.resume().await.unwrap();
    assert_eq!(*machine.state().borrow(), State::Running);
}

#[tokio::test]
async fn a_storm_of_resets_is_one_and_our_own_is_none() {
    let rig = Rig::new().await;
    let machine = rig.adopt().await;
    for _ in 0..500 {
        rig.double.tells("RESET", json!({"guest": true, "reason": "guest-reset"}));
    }
    // Its answer comes after the storm.
    machine.pause().await.unwrap();
    assert_eq!(*machine.resets().borrow(), 1);

    let rig = Rig::new().await;
    let machine = rig.adopt().await;
    machine.reset().await.unwrap();
    rig.double.tells("RESET", json!({"guest": false, "reason": "host-qmp-system-reset"}));
    rig.double.tells("RESET", json!({"guest": true, "reason": "guest-reset"}));
    machine.pause().await.unwrap();
    assert_eq!(*machine.resets().borrow(), 0);
}

#[tokio::test]
async fn the_power_button_wakes_a_held_guest_first() {
    let rig = Rig::new().await;
    let machine = rig.adopt().await;
    machine.pause().await.unwrap();
    machine.ask_to_stop().await.unwrap();
    let heard = rig.double.heard();
    assert_eq!(heard.iter().rev().take(3).rev().collect::<Vec<_>>(), ["cont", "query-status", "system_powerdown"]);
}

#[tokio::test]
async fn what_happened_while_the_connection_was_lost_is_learned() {
    for lost in ["garbage {", "[]", ""] {
        let rig = Rig::new().await;
        let machine = rig.adopt().await;
        rig.double.is("shutdown");
        if lost.is_empty() {
            rig.double.closes();
        } else {
            rig.double.says(lost);
        }
        assert_eq!(end(&machine).await.way, Way::Poweroff, "{lost:?}");
    }
}

#[tokio::test]
async fn a_process_that_ends_says_how() {
    let table = [
        (Ending::Code(1), Way::Died, "QEMU ended with code 1"),
        (Ending::Signal(9), Way::Died, "QEMU was ended by signal 9 (SIGKILL)"),
        (Ending::OutOfMemory, Way::OutOfMemory, "QEMU was killed by the kernel for memory"),
        (Ending::Unknown, Way::Gone, "QEMU is gone"),
    ];
    for (ending, way, message) in table {
        let rig = Rig::new().await;
        let machine = rig.adopt().await;
        rig.processes.end(rig.alive.pid, ending);
        rig.double.closes();
        let end = end(&machine).await;
        assert_eq!((end.way, end.message.as_str()), (way, message));
        machine.bury().await.unwrap();
        assert!(!machine.shared.folder.qmp().exists());
    }
}

#[tokio::test]
async fn what_qemu_said_of_its_end_is_told() {
    let rig = Rig::new().await;
    let machine = rig.adopt().await;
    rig.double.tells("SHUTDOWN", json!({"guest": false, "reason": "host-signal"}));
    machine.pause().await.unwrap();
    rig.processes.end(rig.alive.pid, Ending::Code(0));
    rig.double.closes();
    assert_eq!(end(&machine).await.message, "QEMU ended with code 0: a signal from outside told it to end");
}

#[tokio::test]
async fn a_refusal_after_the_guests_end_is_no_silence() {
    let rig = Rig::new().await;
    let machine = rig.adopt().await;
    rig.double.is("shutdown");
    rig.double.behaves(Manner::Refusing("Resetting the Virtual Machine is required"));
    let fault = machine.resume().await.unwrap_err();
    assert_eq!(fault.reason, Reason::PhaseForbids, "{fault}");
    assert_eq!(end(&machine).await.way, Way::Poweroff);
}

#[tokio::test(start_paused = true)]
async fn a_silent_qemu_is_told_so_and_can_be_ended() {
    let rig = Rig::new().await;
    let machine = rig.adopt().await;
    rig.double.behaves(Manner::Silent);
    let fault = machine.pause().await.unwrap_err();
    assert_eq!(fault.reason, Reason::VmmSilent, "{fault}");
    machine.kill().await.unwrap();
    assert_eq!(end(&machine).await.way, Way::Killed);
    assert!(!rig.processes.lives(&rig.alive));
    machine.bury().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_greet_is_not_adopted() {
    let rig = Rig::new().await;
    rig.double.behaves(Manner::Silent);
    let before = tokio::time::Instant::now();
    assert!(Link::open(rig.shared().folder.qmp()).await.is_err());
    assert!(before.elapsed() <= Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_quit_is_killed_at_its_burial() {
    let rig = Rig::new().await;
    let machine = rig.adopt().await;
    rig.double.tells("SHUTDOWN", json!({"guest": true, "reason": "guest-shutdown"}));
    assert_eq!(end(&machine).await.way, Way::Poweroff);
    machine.bury().await.unwrap();
    assert!(!rig.processes.lives(&rig.alive));
    assert!(rig.double.heard().contains(&"quit".to_owned()));
    assert_eq!(end(&machine).await.way, Way::Poweroff, "an end does not change");
}

#[tokio::test]
async fn dropping_a_machine_frees_the_connection_for_the_next() {
    let rig = Rig::new().await;
    drop(rig.adopt().await);
    let machine = rig.adopt().await;
    machine.pause().await.unwrap();
    assert!(rig.processes.lives(&rig.alive));
}
