//! Snapshots and moves: the guest goes on, with what was plugged; and what goes wrong is said.

use super::{alter, done, draft, finish, launch, machines, ready};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use weft_domain::Reason;
use weft_domain::snapshot::{Content, Identity, Scope};
use weft_domain::spec::change::Change;
use weft_domain::spec::{Cpu, Disk, DiskFormat, DiskSource, Machine as Model};
use weft_ports::hypervisor::{Alteration, Backing, Hypervisor, Keep, Machine, Order, Origin, Restore, State, Way};
use weft_testbed::machines::Machines;

const MIB: u64 = 1 << 20;

/// An order of a machine that goes on from this folder.
fn restored(machines: &Machines, order: &Order, folder: &Path) -> Order {
    let fresh = machines.order_of(draft(Model::Q35));
    let restore = Restore {
        folder: folder.to_owned(),
        content: Content::default(),
        spec: order.spec.clone(),
        identity: Identity::Same,
    };
    let (spec, boot, disks) = (order.spec.clone(), order.boot.clone(), order.disks.clone());
    Order { spec, boot, disks, origin: Origin::Snapshot(restore), ..fresh }
}

fn folder(order: &Order) -> PathBuf {
    let folder = order.run_dir.with_extension("kept");
    std::fs::create_dir(&folder).expect("a folder can be made");
    folder
}

/// What the guest has counted to.
async fn count(machines: &Machines, machine: &dyn Machine) -> u64 {
    loop {
        let shown = machines.asked(machine, "echo count $(cat /tmp/count)").await;
        // It may be read while it is written, and be empty.
        let number = shown.lines().map(str::trim).find_map(|line| line.strip_prefix("count ")?.parse().ok());
        if let Some(number) = number {
            return number;
        }
    }
}

async fn until(machine: &dyn Machine, is_so: impl Fn(&State) -> bool) -> State {
    let mut state = machine.state();
    let seen = tokio::time::timeout(std::time::Duration::from_secs(60), state.wait_for(|state| is_so(state))).await;
    seen.expect("it comes in time").expect("the machine is held").clone()
}

async fn way(machine: &dyn Machine) -> (Way, String) {
    match until(machine, |state| matches!(state, State::Ended(_))).await {
        State::Ended(end) => (end.way, end.message),
        State::Running | State::Held => unreachable!("it was waited for the end"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_counter_goes_on_with_all_that_was_plugged() {
    let Some((machines, _turn)) = machines(Model::Q35).await else { return };
    let mut draft = draft(Model::Q35);
    draft.cpu = Cpu { boot: 1, max: 2, ..Cpu::default() };
    draft.memory.hotplug_bytes = 512 * MIB;
    let first = machines.blank("first", 2 * MIB);
    draft.disks = vec![Disk::new("first", DiskSource::Path(first.clone()))];
    let mut order = machines.order_of(draft);
    order.disks = vec![Backing { path: first, format: DiskFormat::Raw }];
    let machine = ready(&machines, &order).await;
    machines
        .asked(machine.as_ref(), "(i=0; while :; do i=$((i+1)); echo $i >/tmp/count; usleep 50000; done) & true")
        .await;
    let path = machines.blank("late", 8 * MIB);
    let late = Disk::new("late", DiskSource::Path(path.clone()));
    let backing = Backing { path, format: DiskFormat::Raw };
    let plug = Alteration { change: Change::AddDisk(late.clone()), backing: Some(backing.clone()) };
    done(machine.alter(&plug).await, "plug a disk");
    alter(machine.as_ref(), Change::RemoveDisk("first".into())).await;
    alter(machine.as_ref(), Change::Cpus(2)).await;
    alter(machine.as_ref(), Change::Memory(256 * MIB)).await;
    let before = count(&machines, machine.as_ref()).await;
    done(machine.pause().await, "pause");
    let keep = Keep { folder: folder(&order), scope: Scope::Full };
    machine.keep(&keep).await.unwrap_or_else(|fault| panic!("keep: {fault}"));
    let mode = std::fs::metadata(keep.folder.join("memory")).expect("its memory").mode();
    assert_eq!(mode & 0o777, 0o600, "nobody else reads a guest's memory");
    let again = machine.keep(&Keep { folder: keep.folder.join("none"), scope: Scope::Full }).await;
    assert_eq!(again.expect_err("no such folder").reason, Reason::SnapshotFailed);
    done(machine.resume().await, "resume");
    assert!(count(&machines, machine.as_ref()).await >= before, "it goes on where it was");
    finish(machine).await;

    let mut running = weft_domain::spec::Spec::clone(&order.spec).into_draft();
    (running.cpu.boot, running.memory.size_bytes, running.disks) = (2, 256 * MIB, vec![late]);
    running.memory.hotplug_bytes = 384 * MIB;
    let mut again = restored(&machines, &order, &keep.folder);
    again.spec = std::sync::Arc::new(running.check().expect("a lawful specification"));
    again.disks = vec![backing];
    let machine = launch(&machines, &again).await;
    assert!(count(&machines, machine.as_ref()).await >= before, "it goes on from where it was kept");
    let command = "echo saw $(cat /sys/block/vd*/size) $(ls -d /sys/devices/system/cpu/cpu[0-9]* | wc -l)";
    let shown = machines.asked(machine.as_ref(), command).await;
    assert!(shown.contains("saw 16384 2"), "{shown}");
    finish(machine).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_that_is_cut_short_is_told_so() {
    let Some((machines, _turn)) = machines(Model::Microvm).await else { return };
    let order = machines.order_of(draft(Model::Microvm));
    let machine = ready(&machines, &order).await;
    done(machine.pause().await, "pause");
    let keep = Keep { folder: folder(&order), scope: Scope::Full };
    machine.keep(&keep).await.unwrap_or_else(|fault| panic!("keep: {fault}"));
    finish(machine).await;
    let memory = keep.folder.join("memory");
    let length = std::fs::metadata(&memory).expect("its memory").len();
    for bytes in [length / 2, 100, 0] {
        std::fs::OpenOptions::new().write(true).open(&memory).and_then(|file| file.set_len(bytes)).expect("it is cut");
        let again = restored(&machines, &order, &keep.folder);
        let fault = machines.qemu().launch(again.clone()).await.err().expect("it is not whole");
        assert_eq!(fault.reason, Reason::SnapshotUnusable, "{bytes}: {fault}");
        assert!(!again.run_dir.join("qmp.sock").exists(), "nothing is left");
    }
    std::fs::write(keep.folder.join("layout.json"), "{").expect("it can be written");
    let fault = machines.qemu().launch(restored(&machines, &order, &keep.folder)).await.err().expect("it is garbage");
    assert_eq!(fault.reason, Reason::SnapshotUnusable, "{fault}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_stops_a_snapshot_and_the_machine_goes_on() {
    let Some((machines, _turn)) = machines(Model::Microvm).await else { return };
    let order = machines.order_of(draft(Model::Microvm));
    let folder = folder(&order);
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "none"]).arg(&folder).status();
    if !mounted.is_ok_and(|status| status.success()) {
        println!("skipped: no small file system can be mounted here");
        return;
    }
    let machine = ready(&machines, &order).await;
    done(machine.pause().await, "pause");
    let fault = machine.keep(&Keep { folder: folder.clone(), scope: Scope::Full }).await;
    let left = std::fs::read_dir(&folder).map(|entries| entries.count());
    let unmounted = Command::new("umount").arg(&folder).status();
    let fault = fault.expect_err("it does not fit");
    assert_eq!(fault.reason, Reason::SnapshotFailed, "{fault}");
    assert!(fault.message.contains("No space left"), "{fault}");
    assert_eq!(left.expect("the folder can be read"), 0, "nothing of it is left");
    assert!(unmounted.is_ok_and(|status| status.success()), "nobody holds it any more");
    done(machine.resume().await, "resume");
    machines.asked(machine.as_ref(), "true").await;
    finish(machine).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_that_fails_leaves_the_machine_where_it_is() {
    let Some((machines, _turn)) = machines(Model::Microvm).await else { return };
    let order = machines.order_of(draft(Model::Microvm));
    let machine = ready(&machines, &order).await;
    let nobody = order.run_dir.join("nobody.sock");
    assert_eq!(machine.send(&nobody).await.expect_err("nobody listens").reason, Reason::MigrationFailed);
    // One that listens and hangs up.
    let rude = order.run_dir.join("rude.sock");
    let listener = tokio::net::UnixListener::bind(&rude).expect("it listens");
    let hanging_up = weft_ports::task::spawn("rude", async move { drop(listener.accept().await) });
    assert_eq!(machine.send(&rude).await.expect_err("it hangs up").reason, Reason::MigrationFailed);
    hanging_up.await.expect("it hung up");
    // One that is killed while it waits.
    let fresh = machines.order_of(draft(Model::Microvm));
    let socket = fresh.run_dir.join("m.sock");
    let incoming = Order { boot: order.boot.clone(), origin: Origin::Incoming(socket.clone()), ..fresh };
    let target = launch(&machines, &incoming).await;
    assert_eq!(*target.state().borrow(), State::Held);
    done(target.kill().await, "kill");
    assert_eq!(machine.send(&socket).await.err().map(|fault| fault.reason), Some(Reason::MigrationFailed));
    done(target.bury().await, "bury");
    until(machine.as_ref(), |state| *state == State::Running).await;
    machines.asked(machine.as_ref(), "true").await;
    finish(machine).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_killed_in_the_middle_says_so() {
    let Some((machines, _turn)) = machines(Model::Microvm).await else { return };
    // Held, kept, and waiting for another.
    for state in ["held", "kept", "waiting"] {
        let mut order = machines.order_of(draft(Model::Microvm));
        if state == "waiting" {
            order.origin = Origin::Incoming(order.run_dir.join("m.sock"));
        }
        let machine = launch(&machines, &order).await;
        if state != "waiting" {
            done(machine.pause().await, "pause");
        }
        if state == "kept" {
            let keep = Keep { folder: folder(&order), scope: Scope::Full };
            machine.keep(&keep).await.unwrap_or_else(|fault| panic!("keep: {fault}"));
        }
        let pid = machine.alive().pid.to_string();
        let killed = Command::new("kill").args(["-9", &pid]).status();
        assert!(killed.is_ok_and(|status| status.success()));
        let (way, message) = way(machine.as_ref()).await;
        assert_eq!(way, Way::Died, "{state}: {message}");
        assert!(message.contains("signal 9"), "{state}: {message}");
        let keep = Keep { folder: order.run_dir.clone(), scope: Scope::Full };
        assert_eq!(machine.keep(&keep).await.expect_err("it has ended").reason, Reason::PhaseForbids);
        machine.bury().await.expect("it can be buried");
    }
}
