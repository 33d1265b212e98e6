//! What a machine makes of what Cloud Hypervisor tells, of its silence, and of its end.

mod double;

use super::*;
use crate::cell::Cell;
use crate::cloud_hypervisor::config::gates::Version;
use crate::cloud_hypervisor::driver::adopted;
use crate::cloud_hypervisor::folder::{Folder, Mark};
use crate::cloud_hypervisor::model::VmState;
use double::{Double, Manner};
use serde_json::{Value, json};
use weft_domain::capability::Capabilities;
use weft_domain::snapshot::Scope;
use weft_domain::spec::change::Change;
use weft_domain::spec::{Accelerator, Disk, DiskFormat, DiskSource, Machine as Model};
use weft_domain::{ClaimId, Kind, Time};
use weft_ports::clock;
use weft_ports::hypervisor::{Backing, End};
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
        std::fs::write(folder.path().join("vmm.log"), "its last words\n").unwrap();
        let double = Double::listen(&Folder(folder.path().into()));
        Self { folder, processes, alive, double }
    }

    fn shared(&self, version: Version) -> Arc<Shared> {
        let features =
            [Feature::LiveDisks, Feature::SnapshotFull, Feature::Migrate, Feature::LiveCpus].into_iter().collect();
        let capabilities =
            Capabilities { driver: "cloud-hypervisor".into(), version: version.to_string(), features, notes: vec![] };
        let setting = Setting {
            processes: Arc::new(self.processes.clone()),
            clock: Arc::new(clock::Fake::default()),
            capabilities: Arc::new(capabilities),
            version,
            folder: Folder(self.folder.path().into()),
            cell: Cell::standing(self.folder.path(), None),
            vmm_log: self.folder.path().join("vmm.log"),
            namespace: None,
            memory: 64 << 20,
        };
        let driver = "cloud-hypervisor 53.0".into();
        let chosen = Chosen { driver, machine: Model::Q35, accelerator: Accelerator::Kvm };
        Arc::new(Shared::new(self.alive.clone(), chosen, setting))
    }

    async fn adopt_as(&self, version: Version, mark: Option<Mark>) -> Handle {
        let shared = self.shared(version);
        let info = shared.client.info().await.unwrap();
        adopted(&shared, info.state, mark).unwrap();
        let events = Events::open(&shared.setting.folder.events()).unwrap();
        Handle::new(shared, events)
    }

    async fn adopt(&self) -> Handle {
        self.adopt_as(Version(53, 0), Some(Mark::Booted)).await
    }
}

async fn end(machine: &Handle) -> End {
    let mut state = machine.state();
    let ended = state.wait_for(|state| matches!(state, State::Ended(_))).await.unwrap().clone();
    match ended {
        State::Ended(end) => end,
        State::Running | State::Held => unreachable!("it was waited for the end"),
    }
}

async fn until(machine: &Handle, state: State) {
    machine.state().wait_for(|now| *now == state).await.unwrap();
}

#[tokio::test]
async fn events_are_read_as_states_and_ends() {
    let rig = Rig::new().await;
    let machine = rig.adopt().await;
    rig.double.tells("vm", "paused", Value::Null);
    until(&machine, State::Held).await;
    rig.double.tells("vm", "resumed", Value::Null);
    until(&machine, State::Running).await;
    rig.double.tells("vm", "shutdown", Value::Null);
    let end = end(&machine).await;
    assert_eq!((end.way, end.log_tail.as_slice()), (Way::Poweroff, ["its last words".to_owned()].as_slice()));
    assert_eq!(machine.pause().await.unwrap_err().kind(), Kind::FailedPrecondition);
}

#[tokio::test]
async fn a_guest_that_panics_is_stopped_and_known_to_have_later() {
    let rig = Rig::new().await;
    let machine = rig.adopt().await;
    rig.double.tells("guest", "panic", json!({"event": "panic"}));
    assert_eq!(end(&machine).await.way, Way::Panic);
    assert_eq!(machine.shared.setting.folder.marked(), Some(Mark::Panicked));
    let stopped = async {
        while !rig.double.heard().contains(&"vm.shutdown".to_owned()) {
            tokio::task::yield_now().await;
        }
    };
    stopped.await;
    drop(machine);
    let again = rig.adopt_as(Version(53, 0), Some(Mark::Panicked)).await;
    assert_eq!(end(&again).await.way, Way::Panic);
}

#[tokio::test]
async fn what_is_adopted_is_what_it_is() {
    for (state, mark, expected) in [
        ("Running", Some(Mark::Booted), State::Running),
        ("Paused", Some(Mark::Booted), State::Held),
        ("Created", Some(Mark::Waits), State::Held),
    ] {
        let rig = Rig::new().await;
        rig.double.is(state);
        let machine = rig.adopt_as(Version(53, 0), mark).await;
        assert_eq!(*machine.state().borrow(), expected, "{state} {mark:?}");
    }
    for (state, mark, way) in
        [("Created", Some(Mark::Booted), Way::Poweroff), ("Running", Some(Mark::Panicked), Way::Panic)]
    {
        let rig = Rig::new().await;
        rig.double.is(state);
        assert_eq!(end(&rig.adopt_as(Version(53, 0), mark).await).await.way, way, "{state} {mark:?}");
    }
}

#[tokio::test]
async fn a_launch_that_was_broken_off_is_no_machine() {
    let rig = Rig::new().await;
    let refused = adopted(&rig.shared(Version(53, 0)), VmState::Created, None).unwrap_err();
    assert_eq!(weft_domain::Fault::from(refused).reason, weft_domain::Reason::LaunchFailed);
}

#[tokio::test]
async fn only_the_guests_own_resets_are_counted() {
    let rig = Rig::new().await;
    let machine = rig.adopt().await;
    machine.reset().await.unwrap();
    rig.double.tells("vm", "rebooted", Value::Null);
    machine.resets().wait_for(|count| *count == 1).await.unwrap();
    rig.double.behaves(Manner::Refusing("no"));
    assert!(machine.reset().await.is_err());
    rig.double.behaves(Manner::Good);
    rig.double.tells("vm", "rebooted", Value::Null);
    machine.resets().wait_for(|count| *count == 2).await.unwrap();
}

#[tokio::test]
async fn a_turn_that_was_made_already_is_no_refusal() {
    let rig = Rig::new().await;
    let machine = rig.adopt().await;
    for _ in 0..2 {
        machine.pause().await.unwrap();
        assert_eq!(*machine.state().borrow(), State::Held);
    }
    // The power button wakes it first.
    machine.ask_to_stop().await.unwrap();
    assert_eq!(rig.double.heard(), ["vm.pause", "vm.pause", "vm.resume", "vm.power-button"]);
}

#[tokio::test(start_paused = true)]
async fn whatever_comes_instead_of_an_answer_is_silence_and_no_end() {
    for manner in [Manner::Silent, Manner::Closing, Manner::Garbage, Manner::Truncated] {
        let rig = Rig::new().await;
        let machine = rig.adopt().await;
        rig.double.behaves(manner);
        let before = tokio::time::Instant::now();
        let fault = machine.pause().await.unwrap_err();
        assert_eq!(fault.reason, Reason::VmmSilent, "{manner:?}: {fault}");
        assert!(before.elapsed() <= Duration::from_secs(15), "{manner:?}");
        assert_eq!(*machine.state().borrow(), State::Running, "{manner:?}");
        rig.double.behaves(Manner::Good);
        machine.pause().await.unwrap();
        rig.double.behaves(manner);
        machine.kill().await.unwrap();
        assert_eq!(end(&machine).await.way, Way::Killed);
        machine.bury().await.unwrap();
        assert!(!rig.processes.lives(&rig.alive));
    }
}

#[tokio::test]
async fn a_process_that_ends_says_how() {
    let table = [
        (Ending::Code(1), Version(53, 0), Way::Died, "Cloud Hypervisor ended with code 1"),
        (Ending::Code(0), Version(53, 0), Way::Died, "Cloud Hypervisor ended with code 0"),
        (Ending::Code(0), Version(51, 0), Way::Poweroff, "the guest powered off"),
        (Ending::Signal(9), Version(53, 0), Way::Died, "Cloud Hypervisor was ended by signal 9 (SIGKILL)"),
        (Ending::OutOfMemory, Version(53, 0), Way::OutOfMemory, "Cloud Hypervisor was killed by the kernel for memory"),
    ];
    for (ending, version, way, message) in table {
        let rig = Rig::new().await;
        let machine = rig.adopt_as(version, Some(Mark::Booted)).await;
        rig.processes.end(rig.alive.pid, ending);
        let end = end(&machine).await;
        assert_eq!((end.way, end.message.as_str()), (way, message));
        machine.bury().await.unwrap();
        assert!(!machine.shared.setting.folder.api().exists());
    }
}

#[tokio::test]
async fn what_was_told_last_says_why_it_ended() {
    let rig = Rig::new().await;
    let machine = rig.adopt().await;
    rig.double.tells("vm", "migration-finished", Value::Null);
    rig.processes.end(rig.alive.pid, Ending::Code(0));
    assert_eq!(end(&machine).await.way, Way::Moved);
}

fn plug() -> Alteration {
    let backing = Backing { path: "/x".into(), format: DiskFormat::Raw };
    let disk = Disk::new("b", DiskSource::Path("/x".into()));
    Alteration { change: Change::AddDisk(disk), backing: Some(backing) }
}

fn unplug(name: &str) -> Alteration {
    Alteration { change: Change::RemoveDisk(name.to_owned()), backing: None }
}

#[tokio::test(start_paused = true)]
async fn a_disk_is_plugged_once_and_goes_when_the_guest_lets_it() {
    let rig = Rig::new().await;
    let machine = rig.adopt().await;
    for _ in 0..2 {
        machine.alter(&plug()).await.unwrap();
    }
    for _ in 0..2 {
        machine.alter(&unplug("b")).await.unwrap();
    }
    assert_eq!(rig.double.heard(), ["vm.add-disk", "vm.remove-device"]);
    rig.double.keeps_devices();
    let fault = machine.alter(&unplug("a")).await.unwrap_err();
    assert_eq!(fault.reason, Reason::ChangeRefused, "{fault}");
    assert!(fault.message.contains("did not let disk-a go"), "{fault}");
    rig.double.behaves(Manner::Refusing("no such file"));
    let fault = machine.alter(&plug()).await.unwrap_err();
    assert!(fault.reason == Reason::ChangeRefused && fault.message.contains("no such file"), "{fault}");
    let fault = machine.alter(&Alteration { change: Change::Memory(1), backing: None }).await.unwrap_err();
    assert_eq!(fault.reason, Reason::VerbUnsupported);
}

#[tokio::test]
async fn a_snapshot_is_of_a_held_machine_and_whole() {
    let rig = Rig::new().await;
    let machine = rig.adopt().await;
    let keep = Keep { folder: rig.folder.path().into(), scope: Scope::Full };
    assert_eq!(machine.keep(&keep).await.unwrap_err().reason, Reason::PhaseForbids);
    machine.pause().await.unwrap();
    let difference = Keep { scope: Scope::Difference, ..keep.clone() };
    assert_eq!(machine.keep(&difference).await.unwrap_err().reason, Reason::VerbUnsupported);
    // The double knows no snapshots: this is its refusal, in its words.
    let fault = machine.keep(&keep).await.unwrap_err();
    assert_eq!(fault.reason, Reason::SnapshotFailed);
    assert!(fault.message.contains("Invalid VM state transition"), "{fault}");
    machine.resume().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_machine_is_sent_when_its_events_say_so() {
    for (event, right) in [("migration-finished", true), ("migration-failed", false)] {
        let rig = Rig::new().await;
        let machine = rig.adopt().await;
        let socket = rig.folder.path().join("target");
        std::fs::write(&socket, "").unwrap();
        let told = async {
            while !rig.double.heard().contains(&"vm.send-migration".to_owned()) {
                tokio::task::yield_now().await;
            }
            rig.double.tells("vm", event, Value::Null);
        };
        let (sent, ()) = tokio::join!(machine.send(&socket), told);
        match sent {
            Ok(()) => assert!(right && end(&machine).await.way == Way::Moved),
            Err(fault) => {
                assert!(!right && fault.reason == Reason::MigrationFailed, "{fault}");
                assert!(fault.message.contains("its last words"), "{fault}");
                assert_eq!(*machine.state().borrow(), State::Running);
            }
        }
    }
}

#[tokio::test]
async fn what_was_never_counted_is_left_out() {
    let rig = Rig::new().await;
    let counters = rig.adopt().await.counters().await.unwrap();
    assert_eq!(counters["disk-a"].iter().collect::<Vec<_>>(), [(&"read_bytes".to_owned(), &7)]);
}
