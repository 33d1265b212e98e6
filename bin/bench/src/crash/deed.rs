//! What a client does, and what it was told of it.

use super::cast::Wish;
use super::model::{Effect, Form, Power};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;
use weft_api::Client;
use weft_domain::instance::StopHow;
use weft_domain::restart::{self, Verdict};
use weft_domain::snapshot::Scope;
use weft_domain::spec::{Disk, DiskSource, RestartPolicy};
use weft_domain::{Fault, Kind, Labels, Name, Phase, Time};
use weft_ports::api::{
    Alter, Call, CreateMode, Devices, Fork, KeptSnapshot, NewSnapshot, NewVm, Power as Powers, Removal, SnapshotRef,
    SnapshotRemoval, Snapshots, Vm, VmRef, Vms,
};

/// How long a client waits for one answer.
const CALL: Duration = Duration::from_secs(20);

/// A call of the harness's own.
pub(super) fn call() -> Call {
    Call { timeout: Some(CALL), ..Call::by("bench") }
}
/// How long a guest is given that is asked to stop: none of weft's own times, so that an answer that takes long
/// tells by its length what it waited for.
const GRACE: Duration = Duration::from_secs(3);

/// What is done to the VM of a name, or to a snapshot of it.
#[derive(Debug, Clone)]
pub(super) enum Deed {
    Create(Wish),
    Boot,
    Shutdown { force: bool },
    Pause,
    Resume,
    Reboot,
    Delete { force: bool },
    Resize { cpus: u32 },
    Attach { disk: String, file: PathBuf },
    Detach { disk: String },
    Snapshot { snapshot: String, scope: Scope },
    Restore { snapshot: String, to: Form },
    Fork { snapshot: String, to: Form },
    Forget { snapshot: String },
}

impl Deed {
    /// Its word.
    pub(super) const fn verb(&self) -> &'static str {
        match self {
            Self::Create(Wish { boot: true, .. }) => "create and boot",
            Self::Create(Wish { boot: false, .. }) => "create",
            Self::Boot => "boot",
            Self::Shutdown { force: true } => "shut down by force",
            Self::Shutdown { force: false } => "shut down",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Reboot => "reboot",
            Self::Delete { force: true } => "delete by force",
            Self::Delete { force: false } => "delete",
            Self::Resize { .. } => "resize",
            Self::Attach { .. } => "attach",
            Self::Detach { .. } => "detach",
            Self::Snapshot { .. } => "snapshot",
            Self::Restore { .. } => "restore",
            Self::Fork { .. } => "fork",
            Self::Forget { .. } => "delete snapshot",
        }
    }

    /// What it does to the VM of its name.
    pub(super) fn effect(&self) -> Effect {
        match self {
            Self::Create(wish) => Effect::Appear(wish.form()),
            Self::Boot => Effect::Boot,
            Self::Shutdown { .. } => Effect::Stop,
            Self::Pause => Effect::Hold,
            Self::Resume => Effect::Resume,
            Self::Reboot => Effect::Reboot,
            Self::Delete { force } => Effect::Vanish { force: *force },
            Self::Resize { cpus } => Effect::Cpus(*cpus),
            Self::Attach { disk, .. } => Effect::Plug(disk.clone()),
            Self::Detach { disk } => Effect::Unplug(disk.clone()),
            Self::Restore { to, .. } => Effect::Return(Form { power: Power::Runs, ..to.clone() }),
            Self::Fork { to, .. } => Effect::Appear(Form { power: Power::Runs, ..to.clone() }),
            Self::Snapshot { .. } | Self::Forget { .. } => Effect::Nothing,
        }
    }

    /// Whether the process of the VM may be another after it.
    pub(super) const fn replaces(&self) -> bool {
        match self {
            Self::Create(_)
            | Self::Boot
            | Self::Shutdown { .. }
            | Self::Reboot
            | Self::Delete { .. }
            | Self::Restore { .. }
            | Self::Fork { .. } => true,
            Self::Pause
            | Self::Resume
            | Self::Resize { .. }
            | Self::Attach { .. }
            | Self::Detach { .. }
            | Self::Snapshot { .. }
            | Self::Forget { .. } => false,
        }
    }

    /// Whether it makes a VM.
    pub(super) const fn bears(&self) -> bool {
        matches!(self, Self::Create(_) | Self::Fork { .. })
    }

    /// Asks for it under this request id.
    pub(super) async fn ask(&self, client: &Client, name: &str, request_id: &str) -> Outcome {
        let call = Call { request_id: Some(request_id.to_owned()), ..call() };
        let asked = Asked { client, call: &call, name };
        match asked.perform(self).await {
            Ok(answer) => Outcome::Done(answer),
            Err(fault) if is_definite(&fault) => Outcome::Refused(fault),
            Err(fault) => Outcome::Unknown(fault),
        }
    }
}

/// Whether a refusal says that nothing was done. Where a part is away, time is up, or a task fell, nobody
/// knows.
fn is_definite(fault: &Fault) -> bool {
    match fault.kind() {
        Kind::Unavailable | Kind::DeadlineExceeded | Kind::Internal => false,
        Kind::InvalidArgument
        | Kind::NotFound
        | Kind::AlreadyExists
        | Kind::Conflict
        | Kind::FailedPrecondition
        | Kind::ResourceExhausted
        | Kind::Unauthenticated
        | Kind::PermissionDenied
        | Kind::Unsupported => true,
    }
}

/// What a client was told.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    Done(Answer),
    Refused(Fault),
    Unknown(Fault),
}

/// What it was answered.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    Vm(Box<Vm>),
    Snapshot(Box<KeptSnapshot>),
    /// It was absent, which is what was wanted.
    Absent,
}

impl Answer {
    /// Which thing it is about.
    pub(super) fn id(&self) -> Option<String> {
        match self {
            Self::Vm(vm) => Some(vm.value.meta.id.to_string()),
            Self::Snapshot(snapshot) => Some(snapshot.value.id.to_string()),
            Self::Absent => None,
        }
    }

    /// The phase that it was answered in.
    pub(super) fn phase(&self) -> Option<Phase> {
        match self {
            Self::Vm(vm) => Some(vm.value.status.phase),
            Self::Snapshot(_) | Self::Absent => None,
        }
    }
}

struct Asked<'a> {
    client: &'a Client,
    call: &'a Call,
    name: &'a str,
}

impl Asked<'_> {
    async fn perform(&self, deed: &Deed) -> Result<Answer, Fault> {
        let (client, call, vm) = (self.client, self.call, by_name(self.name)?);
        match deed {
            Deed::Create(wish) => self.create(wish).await,
            Deed::Boot => client.boot(call, &vm).await.map(of_vm),
            Deed::Shutdown { force } => {
                let how = if *force { StopHow::Force } else { StopHow::Graceful { timeout: GRACE } };
                client.shutdown(call, &vm, how).await.map(of_vm)
            }
            Deed::Pause => client.pause(call, &vm).await.map(of_vm),
            Deed::Resume => client.resume(call, &vm).await.map(of_vm),
            Deed::Reboot => client.reboot(call, &vm, StopHow::Force).await.map(of_vm),
            Deed::Delete { force } => {
                let removal = Removal { vm, etag: None, force: *force, allow_missing: true };
                Ok(Vms::delete(client, call, removal).await?.map_or(Answer::Absent, of_vm))
            }
            Deed::Resize { cpus } => {
                self.alter(Alter::Resize { cpus: Some(*cpus), memory_bytes: None, balloon_bytes: None }).await
            }
            Deed::Attach { disk, file } => self.alter(Alter::AttachDisk(path_disk(disk, file.clone()))).await,
            Deed::Detach { disk } => self.alter(Alter::DetachDisk(disk.clone())).await,
            Deed::Snapshot { snapshot, scope } => self.snapshot(snapshot, *scope).await,
            Deed::Restore { snapshot, .. } => client.restore(call, &vm, &snapshot_named(snapshot)?).await.map(of_vm),
            Deed::Fork { snapshot, .. } => self.fork(snapshot).await,
            Deed::Forget { snapshot } => self.forget(snapshot).await,
        }
    }

    async fn create(&self, wish: &Wish) -> Result<Answer, Fault> {
        let new = NewVm {
            project: Name::default_project(),
            name: Some(label(self.name)?),
            labels: Labels::default(),
            annotations: Default::default(),
            spec: wish.spec()?,
            mode: if wish.boot { CreateMode::Boot } else { CreateMode::Create },
        };
        Vms::create(self.client, self.call, new).await.map(of_vm)
    }

    async fn alter(&self, alter: Alter) -> Result<Answer, Fault> {
        self.client.alter(self.call, &by_name(self.name)?, alter).await.map(of_vm)
    }

    async fn snapshot(&self, name: &str, scope: Scope) -> Result<Answer, Fault> {
        let new = NewSnapshot {
            vm: by_name(self.name)?,
            name: Some(label(name)?),
            labels: Labels::default(),
            annotations: Default::default(),
            scope,
            parent: None,
            validate_only: false,
        };
        Snapshots::create(self.client, self.call, new).await.map(of_snapshot)
    }

    async fn fork(&self, snapshot: &str) -> Result<Answer, Fault> {
        let fork = Fork {
            snapshot: snapshot_named(snapshot)?,
            name: Some(label(self.name)?),
            labels: Labels::default(),
            metadata: None,
        };
        self.client.fork(self.call, fork).await.map(of_vm)
    }

    async fn forget(&self, snapshot: &str) -> Result<Answer, Fault> {
        let removal = SnapshotRemoval { snapshot: snapshot_named(snapshot)?, etag: None, allow_missing: true };
        Ok(Snapshots::delete(self.client, self.call, removal).await?.map_or(Answer::Absent, of_snapshot))
    }
}

fn of_vm(vm: Vm) -> Answer {
    Answer::Vm(Box::new(vm))
}

fn of_snapshot(snapshot: KeptSnapshot) -> Answer {
    Answer::Snapshot(Box::new(snapshot))
}

/// A disk that callers share and only read.
fn path_disk(name: &str, file: PathBuf) -> Disk {
    Disk { read_only: true, ..Disk::new(name, DiskSource::Path(file)) }
}

fn label(text: &str) -> Result<Name, Fault> {
    text.parse().map_err(|why| Fault::internal(format!("{text} is no name: {why}")))
}

fn by_name(text: &str) -> Result<VmRef, Fault> {
    Ok(VmRef::Named { project: Name::default_project(), name: label(text)? })
}

fn snapshot_named(text: &str) -> Result<SnapshotRef, Fault> {
    Ok(SnapshotRef::Named { project: Name::default_project(), name: label(text)? })
}

/// A VM at rest, in the model's words; nothing while it is between two states.
pub(super) fn form_of(vm: &Vm) -> Option<Form> {
    let power = match vm.value.status.phase {
        Phase::Created => Power::Made,
        Phase::Running => Power::Runs,
        Phase::Paused => Power::Held,
        Phase::Stopped => Power::Off,
        Phase::Failed => Power::Failed,
        Phase::Starting if due(vm).is_some() => Power::Waits,
        Phase::Pending
        | Phase::Creating
        | Phase::Starting
        | Phase::Stopping
        | Phase::Migrating
        | Phase::Lost
        | Phase::Deleting => return None,
    };
    let spec = &vm.value.spec;
    let disks: BTreeSet<String> = spec.disks.iter().map(|disk| disk.name.clone()).collect();
    Some(Form { power, cpus: spec.cpu.boot, disks, again: spec.restart != RestartPolicy::Never })
}

/// When a VM runs again that ended and waits for that.
pub(super) fn due(vm: &Vm) -> Option<Time> {
    let status = &vm.value.status;
    let exit = status.last_exit.as_ref().filter(|_| status.phase == Phase::Starting && status.running.is_none())?;
    match restart::verdict(vm.value.spec.restart, exit.cause, exit.at, status.restarts) {
        Verdict::At(at) if exit.boot_epoch == vm.value.desired.boot_epoch => Some(at),
        Verdict::At(_) | Verdict::Stay => None,
    }
}
