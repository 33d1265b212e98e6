//! A snapshot as a resource, both ways.

use super::{Choice as _, Found, choice, spec, timestamp};
use crate::convert::vm::{etag, project, revision};
use crate::proto::weft::v1 as wire;
use weft_domain::object::Stored;
use weft_domain::snapshot::{Content, Part, Role, Scope, Snapshot, SnapshotPhase};
use weft_domain::{Fault, Reason};

choice!(Scope, SnapshotScope, Scope::Full, {
    Scope::Full = SNAPSHOT_SCOPE_FULL,
    Scope::Difference = SNAPSHOT_SCOPE_DIFFERENCE,
    Scope::Disks = SNAPSHOT_SCOPE_DISKS,
    Scope::Internal = SNAPSHOT_SCOPE_INTERNAL,
} else {
    SNAPSHOT_SCOPE_UNSPECIFIED => Ok(Scope::Full),
});

choice!(SnapshotPhase, SnapshotPhase, SnapshotPhase::Failed, {
    SnapshotPhase::Pending = SNAPSHOT_PHASE_PENDING,
    SnapshotPhase::Ready = SNAPSHOT_PHASE_READY,
    SnapshotPhase::Failed = SNAPSHOT_PHASE_FAILED,
    SnapshotPhase::Deleting = SNAPSHOT_PHASE_DELETING,
} else {
    SNAPSHOT_PHASE_UNSPECIFIED => Err("is required"),
});

/// The snapshot, with the etag of its revision.
pub(crate) fn stored(snapshot: &Stored<Snapshot>) -> wire::Snapshot {
    wire::Snapshot { etag: etag(snapshot.revision), ..self::snapshot(&snapshot.value) }
}

/// The snapshot, without an etag.
pub(crate) fn snapshot(snapshot: &Snapshot) -> wire::Snapshot {
    wire::Snapshot {
        id: snapshot.id.to_string(),
        name: snapshot.name.to_string(),
        project: snapshot.project.to_string(),
        labels: snapshot.labels.as_map().clone(),
        annotations: snapshot.annotations.as_map().clone(),
        create_time: timestamp(snapshot.create_time).into(),
        vm: snapshot.instance.to_string(),
        vm_name: snapshot.instance_name.to_string(),
        node: snapshot.node.to_string(),
        scope: snapshot.scope.write().into(),
        parent: snapshot.parent.map(|id| id.to_string()).unwrap_or_default(),
        spec: spec::spec(&snapshot.spec).into(),
        phase: snapshot.phase.write().into(),
        content: content(&snapshot.content).into(),
        message: snapshot.message.clone(),
        ..Default::default()
    }
}

fn content(content: &Content) -> wire::SnapshotContent {
    wire::SnapshotContent {
        driver: content.driver.clone(),
        take_time: content.taken.map(timestamp).into(),
        parts: content.parts.iter().map(part).collect(),
        ..Default::default()
    }
}

fn part(part: &Part) -> wire::SnapshotPart {
    use wire::SnapshotRole as R;
    let (role, disk) = match &part.role {
        Role::Memory => (R::SNAPSHOT_ROLE_MEMORY, ""),
        Role::State => (R::SNAPSHOT_ROLE_STATE, ""),
        Role::Config => (R::SNAPSHOT_ROLE_CONFIG, ""),
        Role::Disk(name) => (R::SNAPSHOT_ROLE_DISK, name.as_str()),
    };
    wire::SnapshotPart {
        role: role.into(),
        disk: disk.to_owned(),
        file: part.file.clone(),
        size_bytes: part.bytes,
        sha256: part.sha256.to_vec(),
        ..Default::default()
    }
}

/// Reads a snapshot with its revision, as another server told it.
pub(crate) fn read_stored(snapshot: wire::Snapshot) -> Result<Stored<Snapshot>, Fault> {
    let mut found = Found::default();
    let revision = revision(&snapshot.etag, "snapshot.etag", &mut found).unwrap_or_default();
    found.done()?;
    Ok(Stored { value: read(snapshot)?, revision })
}

/// Reads a whole snapshot.
pub(crate) fn read(snapshot: wire::Snapshot) -> Result<Snapshot, Fault> {
    let mut found = Found::default();
    let ids = (
        found.parse(&snapshot.id, "snapshot.id"),
        found.parse(&snapshot.name, "snapshot.name"),
        found.parse(&snapshot.vm, "snapshot.vm"),
        found.parse(&snapshot.vm_name, "snapshot.vm_name"),
        found.parse(&snapshot.node, "snapshot.node"),
    );
    let project = project(&snapshot.project, "snapshot.project", &mut found);
    let labels = found.labels(snapshot.labels, "snapshot.labels");
    let annotations = found.annotations(snapshot.annotations, "snapshot.annotations");
    let create_time = found.time(&snapshot.create_time, "snapshot.create_time");
    let scope = found.choice(snapshot.scope, "snapshot.scope");
    let parent = found.parse_some(&snapshot.parent, "snapshot.parent");
    let phase = found.choice(snapshot.phase, "snapshot.phase");
    let content = read_content(snapshot.content.into_option().unwrap_or_default(), &mut found);
    let draft = spec::draft(snapshot.spec.into_option().unwrap_or_default(), &mut found);
    found.done()?;
    let spec = draft.check().map_err(|all| {
        Fault::from_violations(Reason::FieldInvalid, all).unwrap_or_else(|| Fault::internal("the spec was refused"))
    })?;
    let (Some(id), Some(name), Some(instance), Some(instance_name), Some(node)) = ids else {
        return Err(Fault::internal("a name or id was refused unsaid"));
    };
    Ok(Snapshot {
        id,
        name,
        project,
        labels,
        annotations,
        create_time,
        instance,
        instance_name,
        node,
        scope,
        parent,
        spec,
        phase,
        content,
        message: snapshot.message,
    })
}

fn read_content(content: wire::SnapshotContent, found: &mut Found) -> Content {
    let parts = content.parts.into_iter().enumerate();
    Content {
        driver: content.driver,
        taken: found.time_some(&content.take_time, "snapshot.content.take_time"),
        parts: parts.filter_map(|(i, part)| read_part(part, &format!("snapshot.content.parts[{i}]"), found)).collect(),
    }
}

fn read_part(part: wire::SnapshotPart, field: &str, found: &mut Found) -> Option<Part> {
    use wire::SnapshotRole as R;
    let role = match part.role.as_known() {
        Some(R::SNAPSHOT_ROLE_MEMORY) => Role::Memory,
        Some(R::SNAPSHOT_ROLE_STATE) => Role::State,
        Some(R::SNAPSHOT_ROLE_CONFIG) => Role::Config,
        Some(R::SNAPSHOT_ROLE_DISK) => Role::Disk(part.disk),
        Some(R::SNAPSHOT_ROLE_UNSPECIFIED) | None => {
            found.add(format!("{field}.role"), "is not a value that is known here");
            return None;
        }
    };
    let Ok(sha256) = part.sha256.try_into() else {
        found.add(format!("{field}.sha256"), "must have 32 bytes");
        return None;
    };
    Some(Part { role, file: part.file, bytes: part.size_bytes, sha256 })
}
