//! A machine kept inside its own disks: it goes back to there, with memory and disks of one moment; the tag goes
//! when it is forgotten, and none is left of what failed.

use super::{done, draft, finish, jailed, launch, machines, ready};
use std::path::{Path, PathBuf};
use std::process::Command;
use weft_domain::Reason;
use weft_domain::snapshot::{Content, Identity, Role, Scope};
use weft_domain::spec::{Disk, DiskFormat, DiskSource, Draft, Machine as Model};
use weft_ports::hypervisor::{Backing, Hypervisor, Keep, Machine, Order, Origin, Restore, State};
use weft_testbed::machines::Machines;

const MIB: u64 = 1 << 20;

/// A qcow2 image; `None` after saying why there is none.
fn image(path: PathBuf) -> Option<PathBuf> {
    let made = Command::new("qemu-img").args(["create", "-q", "-f", "qcow2"]).arg(&path).arg("64M").status();
    let made = made.is_ok_and(|status| status.success());
    if !made {
        println!("skipped: no qemu-img makes an image here");
    }
    made.then_some(path)
}

/// The tags inside an image that nobody has open.
fn tags(image: &Path) -> Vec<String> {
    let listed = Command::new("qemu-img").args(["snapshot", "-U", "-l"]).arg(image).output().expect("it can be asked");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    listed
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1))
        .filter(|tag| tag.starts_with("weft-"))
        .map(str::to_owned)
        .collect()
}

/// Orders a machine with these disks.
fn order_of(machines: &Machines, model: Model, disks: &[(&str, &Path, DiskFormat)]) -> Order {
    let named = |(name, path, format): &(&str, &Path, DiskFormat)| {
        let disk = Disk::new(*name, DiskSource::Path(path.to_path_buf()));
        Disk { format: *format, read_only: *name == "tools", ..disk }
    };
    let mut order = machines.order_of(Draft { disks: disks.iter().map(named).collect(), ..draft(model) });
    order.disks = disks.iter().map(|(_, path, format)| Backing { path: path.to_path_buf(), format: *format }).collect();
    order
}

/// The same machine, going on from this folder.
fn returning(machines: &Machines, order: &Order, folder: &Path) -> Order {
    let fresh = machines.order_of(draft(Model::Q35));
    let (folder, spec) = (folder.to_owned(), order.spec.clone());
    let restore = Restore { folder, content: Content::default(), spec, identity: Identity::Same };
    let (spec, boot, disks) = (order.spec.clone(), order.boot.clone(), order.disks.clone());
    Order { spec, boot, disks, origin: Origin::Snapshot(restore), ..fresh }
}

fn keep(order: &Order, name: &str) -> Keep {
    let folder = order.run_dir.with_extension(name);
    std::fs::create_dir(&folder).expect("a folder can be made");
    Keep { folder, scope: Scope::Internal }
}

/// Writes this word into the guest's memory and at the start of its first disk.
async fn write(machines: &Machines, machine: &dyn Machine, word: &str) {
    let command = format!("echo {word} >/tmp/word; printf {word} | dd of=/dev/vda conv=fsync,notrunc 2>/dev/null");
    machines.asked(machine, &command).await;
}

/// The words that are there.
async fn read(machines: &Machines, machine: &dyn Machine) -> String {
    let command = "sync; echo 3 >/proc/sys/vm/drop_caches; echo saw $(cat /tmp/word) $(head -c 5 /dev/vda)";
    let shown = machines.asked(machine, command).await;
    let line = shown.lines().map(str::trim).find(|line| line.starts_with("saw ") && !line.contains('$'));
    line.unwrap_or_else(|| panic!("it tells what it saw: {shown}")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_jailed_machine_goes_back_to_what_is_inside_its_disks() {
    for model in [Model::Q35, Model::Microvm] {
        let Some((machines, _turn)) = jailed(model).await else { return };
        let Some(root) = image(machines.blank("root", 0)) else { return };
        let (data, tools) = (image(machines.blank("data", 0)).expect("another"), machines.blank("tools", 2 * MIB));
        let disks = [
            ("root", root.as_path(), DiskFormat::Qcow2),
            ("tools", &tools, DiskFormat::Raw),
            ("data", &data, DiskFormat::Qcow2),
        ];
        let order = order_of(&machines, model, &disks);
        let machine = ready(&machines, &order).await;
        write(&machines, machine.as_ref(), "first").await;
        done(machine.pause().await, "pause");
        let (first, second) = (keep(&order, "first"), keep(&order, "second"));
        for keep in [&first, &second] {
            let parts = machine.keep(keep).await.unwrap_or_else(|fault| panic!("keep: {fault}"));
            assert_eq!(parts, [(Role::Config, "layout.json".to_owned())], "all else is inside the disks");
            assert_eq!(std::fs::read_dir(&keep.folder).expect("its folder").count(), 1);
            assert_eq!(*machine.state().borrow(), State::Held, "it stays held");
        }
        assert_eq!((tags(&root).len(), tags(&data).len()), (2, 2));
        done(machine.resume().await, "resume");
        write(&machines, machine.as_ref(), "other").await;
        done(machine.forget(&second.folder).await, "forget while it runs");
        done(machine.forget(&second.folder).await, "nothing is there any more");
        assert_eq!(read(&machines, machine.as_ref()).await, "saw other other", "it goes on");
        finish(machine).await;
        assert_eq!((tags(&root).len(), tags(&data).len()), (1, 1), "the other is as it was");

        let machine = launch(&machines, &returning(&machines, &order, &first.folder)).await;
        assert_eq!(*machine.state().borrow(), State::Running);
        assert_eq!(read(&machines, machine.as_ref()).await, "saw first first", "memory and disks of one moment");
        done(machine.pause().await, "pause");
        done(machine.forget(&first.folder).await, "forget while it is held");
        finish(machine).await;
        assert_eq!((tags(&root).len(), tags(&data).len()), (0, 0));

        let fault = machines.qemu().launch(returning(&machines, &order, &first.folder)).await.err();
        let fault = fault.expect("nothing is inside any more");
        assert_eq!(fault.reason, Reason::SnapshotUnusable, "{fault}");
        assert!(fault.message.contains("does not exist"), "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_inside_is_refused_and_leaves_no_tag() {
    let Some((machines, _turn)) = machines(Model::Microvm).await else { return };
    let Some(root) = image(machines.blank("root", 0)) else { return };
    let raw = machines.blank("raw", 2 * MIB);
    let disks = [("root", root.as_path(), DiskFormat::Qcow2), ("raw", &raw, DiskFormat::Raw)];
    let order = order_of(&machines, Model::Microvm, &disks);
    let machine = ready(&machines, &order).await;
    let whole = keep(&order, "whole");
    assert_eq!(machine.keep(&whole).await.expect_err("it runs").reason, Reason::PhaseForbids);
    done(machine.pause().await, "pause");
    let fault = machine.keep(&whole).await.expect_err("a raw disk has no room for it");
    assert_eq!(fault.reason, Reason::SnapshotFailed, "{fault}");
    assert!(fault.message.contains("vm.spec.disks[1].format"), "{fault}");
    finish(machine).await;

    let order = order_of(&machines, Model::Microvm, &disks[..1]);
    let machine = ready(&machines, &order).await;
    done(machine.pause().await, "pause");
    let away = Keep { folder: whole.folder.join("none"), ..whole.clone() };
    assert_eq!(machine.keep(&away).await.expect_err("no such folder").reason, Reason::SnapshotFailed);
    machine.keep(&whole).await.unwrap_or_else(|fault| panic!("keep: {fault}"));
    finish(machine).await;
    assert_eq!(tags(&root).len(), 1);
    let mut other = returning(&machines, &order, &whole.folder);
    if let Origin::Snapshot(restore) = &mut other.origin {
        restore.identity = Identity::New;
    }
    let fault = machines.qemu().launch(other).await.err().expect("its disks are not another's");
    assert_eq!(fault.reason, Reason::SnapshotUnusable, "{fault}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_keeps_nothing_inside_and_the_machine_goes_on() {
    let Some((machines, _turn)) = machines(Model::Microvm).await else { return };
    let folder = machines.blank("place", 0).with_extension("small");
    std::fs::create_dir(&folder).expect("a folder can be made");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "none"]).arg(&folder).status();
    if !mounted.is_ok_and(|status| status.success()) {
        println!("skipped: no small file system can be mounted here");
        return;
    }
    let Some(root) = image(folder.join("root")) else { return };
    let order = order_of(&machines, Model::Microvm, &[("root", root.as_path(), DiskFormat::Qcow2)]);
    let machine = ready(&machines, &order).await;
    done(machine.pause().await, "pause");
    let keep = keep(&order, "kept");
    let fault = machine.keep(&keep).await;
    let left = tags(&root);
    let went_on = machine.resume().await;
    let answers = machines.asked(machine.as_ref(), "true").await;
    finish(machine).await;
    let unmounted = Command::new("umount").arg(&folder).status();
    let fault = fault.expect_err("it does not fit");
    assert_eq!(fault.reason, Reason::SnapshotFailed, "{fault}");
    println!("it says: {}", fault.message);
    assert_eq!(left, Vec::<String>::new());
    done(went_on, "resume");
    assert!(answers.contains("done"), "{answers}");
    assert_eq!(std::fs::read_dir(&keep.folder).expect("its folder").count(), 0, "nothing of it is left");
    assert!(unmounted.is_ok_and(|status| status.success()), "nobody holds it any more");
}
