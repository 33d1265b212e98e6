//! What goes wrong with the process or with what it is given.

use super::TURNS;
use super::bed::{Bed, Kind};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use rustix::process::{Pid, Signal, kill_process};
use std::path::PathBuf;
use weft_domain::Reason;
use weft_domain::snapshot::{Content, Identity, Part, Role, Scope};
use weft_ports::hypervisor::conformance::Stage;
use weft_ports::hypervisor::{Adoption, Keep, Machine, Order, Origin, Restore, State, Way};

async fn launch(bed: &Bed, order: &Order) -> Box<dyn Machine> {
    let launched = bed.hypervisor().launch(order.clone()).await;
    launched.unwrap_or_else(|fault| panic!("launch: {fault} {:?}", fault.violations))
}

async fn way(machine: &dyn Machine) -> Way {
    let mut state = machine.state();
    let ended = state.wait_for(|state| matches!(state, State::Ended(_))).await.expect("the machine is held").clone();
    match ended {
        State::Ended(end) => end.way,
        State::Running | State::Held => unreachable!("it was waited for the end"),
    }
}

fn signal(machine: &dyn Machine, signal: Signal) {
    let pid = i32::try_from(machine.alive().pid).ok().and_then(Pid::from_raw).expect("it has a pid");
    kill_process(pid, signal).expect("it lives");
}

/// Stops a process; each of its threads goes on until it next meets the kernel.
fn stop(machine: &dyn Machine) {
    signal(machine, Signal::STOP);
    let tasks = format!("/proc/{}/task", machine.alive().pid);
    let stopped = |task: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
    };
    for _ in 0..1000 {
        if std::fs::read_dir(&tasks).expect("it lives").flatten().all(stopped) {
            return;
        }
        // why: a thread that stops tells nobody.
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("it does not stop");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_killed_in_any_state_has_died_and_leaves_nothing() {
    let _turn = TURNS.acquire().await.expect("the turns are never closed");
    for kind in [Kind::Free, Kind::Jailed] {
        let name = "one_that_is_killed_in_any_state_has_died_and_leaves_nothing";
        let Some(bed) = Bed::open(name, kind).await else { continue };
        for held in [false, true] {
            let order = bed.order_of(Bed::draft());
            let machine = launch(&bed, &order).await;
            if held {
                machine.pause().await.unwrap();
            }
            signal(machine.as_ref(), Signal::KILL);
            assert_eq!(way(machine.as_ref()).await, Way::Died);
            machine.bury().await.unwrap();
            bed.processes().clear(order.claim).await.unwrap();
            assert!(!order.run_dir.join("api.sock").exists() && !order.run_dir.join("events").exists());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_hangs_is_told_so_and_can_be_ended() {
    let _turn = TURNS.acquire().await.expect("the turns are never closed");
    let Some(bed) = Bed::open("one_that_hangs_is_told_so_and_can_be_ended", Kind::Free).await else { return };
    let order = bed.order_of(Bed::draft());
    let machine = launch(&bed, &order).await;
    let other_order = bed.order_of(Bed::draft());
    let other = launch(&bed, &other_order).await;
    stop(machine.as_ref());
    let adoption = Adoption {
        instance: order.instance,
        incarnation: order.incarnation,
        alive: machine.alive(),
        chosen: machine.chosen(),
        run_dir: order.run_dir.clone(),
        vmm_log: order.vmm_log.clone(),
        spec: order.spec.clone(),
        ward: order.ward,
    };
    let driver = bed.hypervisor();
    let (paused, adopted, beside) = tokio::join!(machine.pause(), driver.adopt(adoption), other.pause());
    assert_eq!(paused.unwrap_err().reason, Reason::VmmSilent);
    assert_eq!(adopted.err().map(|fault| fault.reason), Some(Reason::VmmSilent));
    beside.unwrap_or_else(|fault| panic!("one that hangs holds up another: {fault}"));
    assert_eq!(*machine.state().borrow(), State::Running, "an answer that is late is no end");
    machine.kill().await.unwrap();
    assert_eq!(way(machine.as_ref()).await, Way::Killed);
    for machine in [machine, other] {
        machine.bury().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_that_is_not_whole_starts_nothing() {
    let _turn = TURNS.acquire().await.expect("the turns are never closed");
    for kind in [Kind::Free, Kind::Jailed] {
        let Some(bed) = Bed::open("a_snapshot_that_is_not_whole_starts_nothing", kind).await else { continue };
        let config = r#"{"cpus":{"boot_vcpus":1,"max_vcpus":1},"memory":{"size":67108864},"payload":{"kernel":"x"}}"#;
        let table = [
            (config, r#"{"snapshots":"#, "memory", Reason::LaunchFailed),
            ("{", "{}", "memory", Reason::SnapshotUnusable),
            (config, "", "memory", Reason::SnapshotUnusable),
            (config, "{}", "", Reason::SnapshotUnusable),
        ];
        for (config, state, memory, reason) in table {
            let mut order = bed.order_of(Bed::draft());
            let folder = order.run_dir.with_extension("kept");
            std::fs::create_dir(&folder).unwrap();
            let parts = [(Role::Config, "config.json", config), (Role::State, "state.json", state)];
            let parts = parts.into_iter().chain([(Role::Memory, "memory-ranges", memory)]);
            let parts = parts.map(|(role, file, text)| {
                std::fs::write(folder.join(file), text).unwrap();
                Part { role, file: file.to_owned(), bytes: text.len() as u64, sha256: [0; 32] }
            });
            let content = Content { driver: String::new(), taken: None, parts: parts.collect() };
            let (spec, identity) = (order.spec.clone(), Identity::Same);
            order.origin = Origin::Snapshot(Restore { folder: folder.clone(), content, spec, identity });
            let fault = bed.hypervisor().launch(order.clone()).await.err().expect("it is not whole");
            assert_eq!(fault.reason, reason, "{fault}");
            let found = bed.processes().find().await.unwrap();
            assert!(found.iter().all(|(claim, _)| *claim != order.claim), "a process is left");
            assert!(!order.run_dir.join("origin").exists(), "its view of the snapshot is left");
            assert_eq!(std::fs::read_to_string(folder.join("state.json")).unwrap(), state, "the snapshot is as it was");
        }
    }
}

/// A file system without a byte left, which goes with the test.
struct Full(PathBuf);

impl Full {
    fn make(folder: PathBuf) -> Option<Self> {
        std::fs::create_dir(&folder).expect("a folder can be made");
        mount("weft-test", &folder, "tmpfs", MountFlags::empty(), c"size=64k").ok()?;
        let filled = std::fs::write(folder.join("filler"), vec![1; 128 << 10]);
        assert!(filled.is_err(), "it takes no more than it has");
        Some(Self(folder))
    }
}

impl Drop for Full {
    fn drop(&mut self) {
        // One that was never mounted is as good.
        let _ = unmount(&self.0, UnmountFlags::DETACH);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_fails_a_snapshot_and_the_machine_goes_on() {
    let _turn = TURNS.acquire().await.expect("the turns are never closed");
    for kind in [Kind::Free, Kind::Jailed] {
        let name = "a_full_disk_fails_a_snapshot_and_the_machine_goes_on";
        let Some(bed) = Bed::open(name, kind).await else { continue };
        let Some(full) = Full::make(bed.path("full")) else {
            println!("skipped: {name}: nothing can be mounted here");
            return;
        };
        let order = bed.order_of(Bed::draft());
        let machine = launch(&bed, &order).await;
        bed.until_shown(&order, weft_guest::READY, 1).await;
        machine.pause().await.unwrap();
        let fault = machine.keep(&Keep { folder: full.0.clone(), scope: Scope::Full }).await.unwrap_err();
        assert_eq!(fault.reason, Reason::SnapshotFailed, "{fault}");
        machine.resume().await.unwrap();
        bed.type_line(machine.as_ref(), "ping").await;
        bed.until_shown(&order, "pong", 1).await;
        machine.bury().await.unwrap();
    }
}
