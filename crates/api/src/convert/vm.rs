//! A VM as a resource, both ways.
//!
//! Outward everything is told. Inward there are two readers: [`asked`] takes what a caller may say
//! (name, labels, spec), [`instance`] takes a whole VM from a store or from another server.

use super::{Choice as _, Found, choice, duration, timestamp};
use crate::convert::spec;
use crate::proto::weft::v1 as wire;
use buffa::MessageField;
use buffa_types::google::protobuf::Duration as WireDuration;
use weft_domain::instance::{
    Condition, Desired, Exit, ExitCause, Meta, Origin, Placement, Power, Running, Status, StopHow,
};
use weft_domain::label::Annotations;
use weft_domain::object::{Revision, Stored};
use weft_domain::snapshot::Identity;
use weft_domain::spec::Draft;
use weft_domain::{Fault, Instance, Labels, Name, Phase, Reason};

choice!(Phase, VmPhase, Phase::Pending, {
    Phase::Pending = VM_PHASE_PENDING,
    Phase::Creating = VM_PHASE_CREATING,
    Phase::Created = VM_PHASE_CREATED,
    Phase::Starting = VM_PHASE_STARTING,
    Phase::Running = VM_PHASE_RUNNING,
    Phase::Paused = VM_PHASE_PAUSED,
    Phase::Stopping = VM_PHASE_STOPPING,
    Phase::Stopped = VM_PHASE_STOPPED,
    Phase::Migrating = VM_PHASE_MIGRATING,
    Phase::Failed = VM_PHASE_FAILED,
    Phase::Lost = VM_PHASE_LOST,
    Phase::Deleting = VM_PHASE_DELETING,
} else {
    VM_PHASE_UNSPECIFIED => Err("is required"),
});

choice!(Power, Power, Power::Off, {
    Power::Off = POWER_OFF,
    Power::On = POWER_ON,
    Power::Paused = POWER_PAUSED,
} else {
    POWER_UNSPECIFIED => Err("is required"),
});

choice!(Identity, VmIdentity, Identity::New, {
    Identity::Same = VM_IDENTITY_SAME,
    Identity::New = VM_IDENTITY_NEW,
} else {
    VM_IDENTITY_UNSPECIFIED => Err("is required"),
});

choice!(ExitCause, ExitCause, ExitCause::VmmDied, {
    ExitCause::GuestPoweroff = EXIT_CAUSE_GUEST_POWEROFF,
    ExitCause::Shutdown = EXIT_CAUSE_SHUTDOWN,
    ExitCause::Forced = EXIT_CAUSE_FORCED,
    ExitCause::GuestPanic = EXIT_CAUSE_GUEST_PANIC,
    ExitCause::GuestReset = EXIT_CAUSE_GUEST_RESET,
    ExitCause::VmmDied = EXIT_CAUSE_VMM_DIED,
    ExitCause::OutOfMemory = EXIT_CAUSE_OUT_OF_MEMORY,
    ExitCause::LaunchFailed = EXIT_CAUSE_LAUNCH_FAILED,
    ExitCause::HostRestarted = EXIT_CAUSE_HOST_RESTARTED,
} else {
    EXIT_CAUSE_UNSPECIFIED => Err("is required"),
});

/// What a caller may say of a VM.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Its name; `None` where the caller leaves it open.
    pub(crate) name: Option<Name>,
    /// Its project.
    pub(crate) project: Name,
    /// Labels.
    pub(crate) labels: Labels,
    /// Annotations.
    pub(crate) annotations: Annotations,
    /// The specification.
    pub(crate) draft: Draft,
}

/// Reads what a caller may say of a VM.
pub(crate) fn asked(vm: wire::Vm, found: &mut Found) -> Asked {
    Asked {
        name: found.parse_some(&vm.name, "vm.name"),
        project: project(&vm.project, "vm.project", found),
        labels: found.labels(vm.labels, "vm.labels"),
        annotations: found.annotations(vm.annotations, "vm.annotations"),
        draft: spec::draft(vm.spec.into_option().unwrap_or_default(), found),
    }
}

/// A project by name; the default one where none is named.
pub(crate) fn project(text: &str, field: &str, found: &mut Found) -> Name {
    found.parse_some(text, field).unwrap_or_else(Name::default_project)
}

/// A revision as the text that callers give back unread.
pub(crate) fn etag(revision: Revision) -> String {
    format!("r{revision}")
}

/// The revision of an etag; `None` where it is empty.
pub(crate) fn revision(etag: &str, field: &str, found: &mut Found) -> Option<Revision> {
    if etag.is_empty() {
        return None;
    }
    let read = etag.strip_prefix('r').and_then(|n| n.parse().ok()).map(Revision);
    if read.is_none() {
        found.add(field, "is not an etag that was given here");
    }
    read
}

/// The VM, with the etag of its revision.
pub(crate) fn stored(vm: &Stored<Instance>) -> wire::Vm {
    wire::Vm { etag: etag(vm.revision), ..self::vm(&vm.value) }
}

/// The VM, without an etag.
pub(crate) fn vm(instance: &Instance) -> wire::Vm {
    let meta = &instance.meta;
    wire::Vm {
        id: meta.id.to_string(),
        name: meta.name.to_string(),
        project: meta.project.to_string(),
        labels: meta.labels.as_map().clone(),
        annotations: meta.annotations.as_map().clone(),
        generation: meta.generation,
        create_time: timestamp(meta.create_time).into(),
        update_time: timestamp(meta.update_time).into(),
        delete_time: meta.delete_time.map(timestamp).into(),
        spec: spec::spec(&instance.spec).into(),
        status: status(&instance.status).into(),
        desired: desired(&instance.desired).into(),
        placement: instance
            .placement
            .map(|p| wire::VmPlacement { node: p.node.to_string(), generation: p.generation, ..Default::default() })
            .into(),
        ..Default::default()
    }
}

fn desired(desired: &Desired) -> wire::VmDesired {
    wire::VmDesired {
        power: desired.power.write().into(),
        boot_epoch: desired.boot_epoch,
        reboot_epoch: desired.reboot_epoch,
        reboot_grace: grace(desired.reboot),
        stop_grace: grace(desired.stop),
        deleted: desired.deleted,
        origin: desired.origin.map(origin).into(),
        ..Default::default()
    }
}

fn origin(origin: Origin) -> wire::VmOrigin {
    wire::VmOrigin {
        boot_epoch: origin.boot_epoch,
        snapshot: origin.snapshot.to_string(),
        identity: origin.identity.write().into(),
        ..Default::default()
    }
}

fn grace<P: buffa::ProtoBox<WireDuration>>(how: StopHow) -> MessageField<WireDuration, P> {
    match how {
        StopHow::Graceful { timeout } => duration(timeout).into(),
        StopHow::Force => MessageField::none(),
    }
}

fn status(status: &Status) -> wire::VmStatus {
    wire::VmStatus {
        phase: status.phase.write().into(),
        observed_generation: status.observed_generation,
        conditions: status.conditions.iter().map(condition).collect(),
        running: status.running.as_ref().map(running).into(),
        last_exit: status.last_exit.as_ref().map(exit).into(),
        restarts: status.restarts,
        addresses: status.addresses.iter().map(ToString::to_string).collect(),
        restart_required: status.restart_required.clone(),
        ..Default::default()
    }
}

fn condition(condition: &Condition) -> wire::Condition {
    wire::Condition {
        r#type: condition.kind.clone(),
        holds: condition.holds,
        reason: condition.reason.clone(),
        message: condition.message.clone(),
        since: timestamp(condition.since).into(),
        ..Default::default()
    }
}

fn running(running: &Running) -> wire::Running {
    wire::Running {
        incarnation: running.incarnation.to_string(),
        pid: running.pid,
        boot_epoch: running.boot_epoch,
        reboot_epoch: running.reboot_epoch,
        start_time: timestamp(running.start_time).into(),
        driver: running.driver.clone(),
        machine: running.machine.write().into(),
        accelerator: running.accelerator.write().into(),
        jail_uid: running.jail,
        applied_generation: running.applied_generation,
        resets: running.resets,
        ..Default::default()
    }
}

fn exit(exit: &Exit) -> wire::Exit {
    wire::Exit {
        boot_epoch: exit.boot_epoch,
        reboot_epoch: exit.reboot_epoch,
        time: timestamp(exit.at).into(),
        cause: exit.cause.write().into(),
        message: exit.message.clone(),
        log_tail: exit.log_tail.clone(),
        console_tail: exit.console_tail.clone(),
        ..Default::default()
    }
}

/// Reads a whole VM with its revision, as another server told it.
pub(crate) fn read_stored(vm: wire::Vm) -> Result<Stored<Instance>, Fault> {
    let mut found = Found::default();
    let revision = revision(&vm.etag, "vm.etag", &mut found).unwrap_or_default();
    let value = instance(vm)?;
    found.done()?;
    Ok(Stored { value, revision })
}

/// Reads a whole VM.
pub(crate) fn instance(vm: wire::Vm) -> Result<Instance, Fault> {
    let mut found = Found::default();
    let id = found.parse(&vm.id, "vm.id");
    let name = found.parse(&vm.name, "vm.name");
    let generation = vm.generation;
    let create_time = found.time(&vm.create_time, "vm.create_time");
    let update_time = found.time(&vm.update_time, "vm.update_time");
    let delete_time = found.time_some(&vm.delete_time, "vm.delete_time");
    let desired = read_desired(vm.desired.as_option(), &mut found);
    let placement = vm.placement.as_option().and_then(|p| read_placement(p, &mut found));
    let mut vm = vm;
    let status = read_status(vm.status.take().unwrap_or_default(), &mut found);
    let asked = asked(vm, &mut found);
    found.done()?;
    let spec = asked.draft.check().map_err(|all| {
        Fault::from_violations(Reason::FieldInvalid, all).unwrap_or_else(|| Fault::internal("the spec was refused"))
    })?;
    let (Some(id), Some(name)) = (id, name) else { return Err(Fault::internal("a name or id was refused unsaid")) };
    let meta = Meta {
        id,
        name,
        project: asked.project,
        labels: asked.labels,
        annotations: asked.annotations,
        generation,
        create_time,
        update_time,
        delete_time,
    };
    Ok(Instance { meta, spec, desired, placement, status })
}

fn read_placement(placement: &wire::VmPlacement, found: &mut Found) -> Option<Placement> {
    let node = found.parse(&placement.node, "vm.placement.node")?;
    Some(Placement { node, generation: placement.generation })
}

fn read_desired(desired: Option<&wire::VmDesired>, found: &mut Found) -> Desired {
    let Some(desired) = desired else { return Desired::default() };
    let mut how =
        |grace, field| found.span(grace, field).map_or(StopHow::Force, |timeout| StopHow::Graceful { timeout });
    let reboot = how(desired.reboot_grace.as_option(), "vm.desired.reboot_grace");
    let stop = how(desired.stop_grace.as_option(), "vm.desired.stop_grace");
    Desired {
        power: found.choice(desired.power, "vm.desired.power"),
        boot_epoch: desired.boot_epoch,
        reboot_epoch: desired.reboot_epoch,
        reboot,
        stop,
        deleted: desired.deleted,
        origin: desired.origin.as_option().and_then(|o| read_origin(o, found)),
    }
}

fn read_origin(origin: &wire::VmOrigin, found: &mut Found) -> Option<Origin> {
    Some(Origin {
        boot_epoch: origin.boot_epoch,
        snapshot: found.parse(&origin.snapshot, "vm.desired.origin.snapshot")?,
        identity: found.choice(origin.identity, "vm.desired.origin.identity"),
    })
}

fn read_status(status: wire::VmStatus, found: &mut Found) -> Status {
    let conditions = status.conditions.into_iter().enumerate();
    let addresses = status.addresses.iter().enumerate();
    Status {
        phase: found.choice(status.phase, "vm.status.phase"),
        observed_generation: status.observed_generation,
        conditions: conditions.map(|(i, c)| read_condition(c, i, found)).collect(),
        running: status.running.as_option().and_then(|r| read_running(r, found)),
        last_exit: status.last_exit.into_option().map(|e| read_exit(e, found)),
        restarts: status.restarts,
        addresses: addresses.filter_map(|(i, a)| found.parse(a, &format!("vm.status.addresses[{i}]"))).collect(),
        restart_required: status.restart_required,
    }
}

fn read_condition(condition: wire::Condition, index: usize, found: &mut Found) -> Condition {
    Condition {
        since: found.time(&condition.since, &format!("vm.status.conditions[{index}].since")),
        kind: condition.r#type,
        holds: condition.holds,
        reason: condition.reason,
        message: condition.message,
    }
}

fn read_running(running: &wire::Running, found: &mut Found) -> Option<Running> {
    Some(Running {
        incarnation: found.parse(&running.incarnation, "vm.status.running.incarnation")?,
        pid: running.pid,
        boot_epoch: running.boot_epoch,
        reboot_epoch: running.reboot_epoch,
        start_time: found.time(&running.start_time, "vm.status.running.start_time"),
        driver: running.driver.clone(),
        machine: found.choice(running.machine, "vm.status.running.machine"),
        accelerator: found.choice(running.accelerator, "vm.status.running.accelerator"),
        jail: running.jail_uid,
        applied_generation: running.applied_generation,
        resets: running.resets,
    })
}

fn read_exit(exit: wire::Exit, found: &mut Found) -> Exit {
    Exit {
        boot_epoch: exit.boot_epoch,
        reboot_epoch: exit.reboot_epoch,
        at: found.time(&exit.time, "vm.status.last_exit.time"),
        cause: found.choice(exit.cause, "vm.status.last_exit.cause"),
        message: exit.message,
        log_tail: exit.log_tail,
        console_tail: exit.console_tail,
    }
}
