//! Which snapshots can be taken, completed, used and removed: decisions over what memory holds.

use crate::state::State;
use weft_domain::capability::{Capabilities, Feature};
use weft_domain::instance::Power;
use weft_domain::node::Facts;
use weft_domain::snapshot::{Scope, Snapshot, SnapshotPhase, no_room_inside};
use weft_domain::{Fault, Instance, InstanceId, Reason, SnapshotId, needs};

/// The most snapshots of one VM.
const MOST_OF_A_VM: usize = 1_000;

/// The driver that runs an instance, or that would.
pub(crate) fn driver_of<'a>(instance: &Instance, facts: &'a Facts) -> Result<&'a Capabilities, Fault> {
    match &instance.status.running {
        Some(running) => driver_named(&running.driver, facts),
        None => needs::choose(&instance.spec, &facts.drivers),
    }
}

/// The driver that has this name and version: `qemu 7.2.22`.
fn driver_named<'a>(text: &str, facts: &'a Facts) -> Result<&'a Capabilities, Fault> {
    let name = text.split_whitespace().next().unwrap_or_default();
    facts.drivers.iter().find(|driver| driver.driver == name).ok_or_else(|| {
        Fault::new(Reason::DriverUnavailable, format!("the node has no driver {text} any more"))
            .fix("install it again; `weft doctor` on the node says how")
    })
}

/// Whether the driver can do this.
pub(crate) fn can(driver: &Capabilities, feature: Feature, what: &str) -> Result<(), Fault> {
    if driver.features.contains(&feature) {
        return Ok(());
    }
    let why = format!("driver {} {} cannot {what}", driver.driver, driver.version);
    Err(Fault::new(Reason::VerbUnsupported, why).fix("use a driver that can; `weft node get` lists what each can do"))
}

/// Whether a snapshot of this scope can be taken.
pub(crate) fn can_take(driver: &Capabilities, scope: Scope) -> Result<(), Fault> {
    match scope {
        Scope::Full => can(driver, Feature::SnapshotFull, "take full snapshots"),
        Scope::Difference => can(driver, Feature::SnapshotDifference, "take snapshots of differences"),
        Scope::Disks => can(driver, Feature::SnapshotDisks, "take snapshots of disks alone"),
        Scope::Internal => can(driver, Feature::SnapshotInternal, "keep a VM inside its own disks"),
    }
}

/// Whether one of this scope can be taken beside those that there are of a VM: what is inside its disks would be
/// lost with a snapshot in files that is gone back to, and copied into one that is taken.
pub(crate) fn apart(state: &State, vm: InstanceId, scope: Scope) -> Result<(), Fault> {
    let inside = scope == Scope::Internal;
    let of_the_vm = |one: &&Snapshot| one.instance == vm && one.phase != SnapshotPhase::Failed;
    let mut all = state.snapshots.values().map(|one| &one.value).filter(of_the_vm);
    let Some(other) = all.find(|one| (one.scope == Scope::Internal) != inside) else { return Ok(()) };
    let (there, here) = if inside { ("files", "inside") } else { ("its disks", "in files") };
    let why = format!("the VM has snapshot {} in {there}, beside which none can be kept {here}", other.name);
    Err(Fault::field(Reason::InUse, "snapshot.scope", why)
        .fix("ask for the scope that the VM's snapshots have, or delete those first"))
}

/// Whether the disks of a VM have room inside for a snapshot.
pub(crate) fn room_inside(instance: &Instance) -> Result<(), Fault> {
    match Fault::from_violations(Reason::FieldUnsupported, no_room_inside(&instance.spec)) {
        None => Ok(()),
        Some(fault) => {
            Err(fault.fix("give it copy-on-write images (qcow2), or take a full snapshot, which is in files"))
        }
    }
}

/// Whether there is room for one more snapshot of a VM.
pub(crate) fn room(state: &State, vm: InstanceId) -> Result<(), Fault> {
    let count = state.snapshots.values().filter(|one| one.value.instance == vm).count();
    if count < MOST_OF_A_VM {
        return Ok(());
    }
    let why = format!("the VM has {count} snapshots, and the limit is {MOST_OF_A_VM}");
    Err(Fault::new(Reason::LimitReached, why).fix("delete snapshots that are not needed"))
}

/// Whether a difference taken now completes `parent`: it must be the newest memory that was kept of the
/// machine that runs, or what that machine began from where none was.
pub(crate) fn completes(state: &State, instance: &Instance, parent: &Snapshot) -> Result<(), Fault> {
    let refuse = |why: &str| {
        Err(Fault::field(Reason::SnapshotUnusable, "snapshot.parent", why)
            .fix("name the newest snapshot of the running machine, or take a full one"))
    };
    if parent.instance != instance.meta.id && instance.desired.origin().is_none_or(|it| it.snapshot != parent.id) {
        return refuse("is of another VM");
    }
    if parent.phase != SnapshotPhase::Ready || matches!(parent.scope, Scope::Disks | Scope::Internal) {
        return refuse("is not READY, or holds no memory in a file");
    }
    let Some(running) = &instance.status.running else { return refuse("is of a machine that has ended") };
    if parent.content.driver != running.driver {
        return refuse("was written by another driver or version");
    }
    let memory = |one: &&Snapshot| one.instance == instance.meta.id && one.scope != Scope::Disks;
    let all = || state.snapshots.values().map(|one| &one.value).filter(memory);
    if all().any(|one| one.phase == SnapshotPhase::Pending) {
        return refuse("would not be the newest: another snapshot of the VM is being taken");
    }
    let since = all().filter(|one| one.content.taken.is_some_and(|at| at >= running.start_time));
    let newest = since.max_by_key(|one| (one.content.taken, one.id)).map(|one| one.id);
    let began = instance.desired.origin().map(|origin| origin.snapshot);
    if newest.or(began) == Some(parent.id) { Ok(()) } else { refuse("is not the newest of the machine that runs") }
}

/// Whether a snapshot can be begun from on a node that is so.
pub(crate) fn usable<'a>(snapshot: &Snapshot, facts: &'a Facts) -> Result<Option<&'a Capabilities>, Fault> {
    let refuse = |why: String, fix: &str| Err(Fault::field(Reason::SnapshotUnusable, "snapshot", why).fix(fix));
    match snapshot.phase {
        SnapshotPhase::Ready => {}
        SnapshotPhase::Pending => return refuse("is PENDING".to_owned(), "wait until it is READY"),
        SnapshotPhase::Failed | SnapshotPhase::Deleting => {
            return refuse(format!("is {}", snapshot.phase.as_str()), "use one that is READY");
        }
    }
    if snapshot.scope == Scope::Disks {
        return Ok(None);
    }
    let wrote = &snapshot.content.driver;
    let same = |driver: &&Capabilities| format!("{} {}", driver.driver, driver.version) == *wrote;
    match facts.drivers.iter().find(same) {
        Some(driver) => Ok(Some(driver)),
        None => refuse(
            format!("was written by {wrote}, which the node does not have"),
            "install that version again, or use a snapshot of a version that the node has",
        ),
    }
}

/// Who needs a snapshot, as a refusal to remove it.
pub(crate) fn unneeded(state: &State, id: SnapshotId) -> Result<(), Fault> {
    let child =
        state.snapshots.values().find(|one| one.value.parent == Some(id) && one.value.phase != SnapshotPhase::Failed);
    if let Some(child) = child {
        let why = format!("snapshot {} completes it", child.value.name);
        return Err(Fault::field(Reason::InUse, "snapshot", why).fix("delete that snapshot first"));
    }
    // What is inside disks is read once, when the machine begins.
    let inside = state.snapshots.get(&id).is_some_and(|one| one.value.scope == Scope::Internal);
    let lives = |it: &Instance| match &it.status.running {
        Some(_) => !inside,
        None => it.desired.power != Power::Off,
    };
    let began = |it: &Instance| it.desired.origin().is_some_and(|origin| origin.snapshot == id);
    let vm = state.instances.values().find(|vm| lives(&vm.value) && began(&vm.value));
    match vm {
        None => Ok(()),
        Some(vm) => {
            let why = format!("VM {} began from it and still runs from it", vm.value.meta.name);
            Err(Fault::field(Reason::InUse, "snapshot", why).fix("shut that VM down first, or delete it"))
        }
    }
}
