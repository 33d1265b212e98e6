//! Snapshots: which is meant, what may be kept, what can be gone back to.

use crate::row::Body::Json;
use crate::row::{
    FIELD_INVALID, FIELD_REQUIRED, FIELD_UNKNOWN, FILTER_INVALID, PAGE_TOKEN_INVALID, PHASE_FORBIDS, Row,
    SNAPSHOT_NOT_FOUND, VM_NOT_FOUND,
};

/// Refused before a VM is looked at, or because there is none.
pub(crate) const DOOR: &[Row] = &[
    ("a snapshot of nothing", "weft.v1.SnapshotService/CreateSnapshot", Json(r#"{}"#), FIELD_REQUIRED, &["vm"]),
    (
        "a snapshot of what is not there",
        "weft.v1.SnapshotService/CreateSnapshot",
        Json(r#"{"vm":"never-was"}"#),
        VM_NOT_FOUND,
        &[],
    ),
    (
        "a snapshot with a name that is none",
        "weft.v1.SnapshotService/CreateSnapshot",
        Json(r#"{"vm":"a","snapshot":{"name":"NO"}}"#),
        FIELD_INVALID,
        &["snapshot.name"],
    ),
    (
        "a snapshot of a scope that is none",
        "weft.v1.SnapshotService/CreateSnapshot",
        Json(r#"{"vm":"a","snapshot":{"scope":9}}"#),
        FIELD_INVALID,
        &["snapshot.scope"],
    ),
    (
        "a snapshot with a label without letters",
        "weft.v1.SnapshotService/CreateSnapshot",
        Json(r#"{"vm":"a","snapshot":{"labels":{"-":"x"}}}"#),
        FIELD_INVALID,
        &["snapshot.labels"],
    ),
    (
        "a snapshot that completes a name that is none",
        "weft.v1.SnapshotService/CreateSnapshot",
        Json(r#"{"vm":"a","snapshot":{"parent":"NO"}}"#),
        FIELD_INVALID,
        &["snapshot.parent"],
    ),
    (
        "a snapshot with an unknown field",
        "weft.v1.SnapshotService/CreateSnapshot",
        Json(r#"{"vm":"a","snapshot":{"memory":true}}"#),
        FIELD_UNKNOWN,
        &["snapshot.memory"],
    ),
    ("no snapshot named", "weft.v1.SnapshotService/GetSnapshot", Json(r#"{}"#), FIELD_REQUIRED, &["snapshot"]),
    (
        "a snapshot's name that is none",
        "weft.v1.SnapshotService/GetSnapshot",
        Json(r#"{"snapshot":"NO"}"#),
        FIELD_INVALID,
        &["snapshot"],
    ),
    (
        "a snapshot that never was",
        "weft.v1.SnapshotService/GetSnapshot",
        Json(r#"{"snapshot":"never-was"}"#),
        SNAPSHOT_NOT_FOUND,
        &[],
    ),
    (
        "a snapshot's id that never was",
        "weft.v1.SnapshotService/GetSnapshot",
        Json(r#"{"snapshot":"snap-01234567-89ab-7cde-8f01-23456789abcd"}"#),
        SNAPSHOT_NOT_FOUND,
        &[],
    ),
    (
        "snapshots by a phase that is none",
        "weft.v1.SnapshotService/ListSnapshots",
        Json(r#"{"filter":"phase = ASLEEP"}"#),
        FILTER_INVALID,
        &["filter"],
    ),
    (
        "snapshots by no field",
        "weft.v1.SnapshotService/ListSnapshots",
        Json(r#"{"filter":"colour = red"}"#),
        FILTER_INVALID,
        &["filter"],
    ),
    (
        "snapshots after a token that is none",
        "weft.v1.SnapshotService/ListSnapshots",
        Json(r#"{"pageToken":"x"}"#),
        PAGE_TOKEN_INVALID,
        &["page_token"],
    ),
    (
        "snapshots of a project that is none",
        "weft.v1.SnapshotService/ListSnapshots",
        Json(r#"{"project":"No"}"#),
        FIELD_INVALID,
        &["project"],
    ),
    (
        "deleting a snapshot that never was",
        "weft.v1.SnapshotService/DeleteSnapshot",
        Json(r#"{"snapshot":"never-was"}"#),
        SNAPSHOT_NOT_FOUND,
        &[],
    ),
    (
        "a snapshot's etag that is none",
        "weft.v1.SnapshotService/DeleteSnapshot",
        Json(r#"{"snapshot":"a","etag":"mine"}"#),
        FIELD_INVALID,
        &["etag"],
    ),
    ("restoring nothing", "weft.v1.SnapshotService/RestoreVm", Json(r#"{}"#), FIELD_REQUIRED, &["vm", "snapshot"]),
    (
        "restoring what is not there",
        "weft.v1.SnapshotService/RestoreVm",
        Json(r#"{"vm":"never-was","snapshot":"a"}"#),
        VM_NOT_FOUND,
        &[],
    ),
    ("a fork of nothing", "weft.v1.SnapshotService/ForkVm", Json(r#"{}"#), FIELD_REQUIRED, &["snapshot"]),
    (
        "a fork of a snapshot that never was",
        "weft.v1.SnapshotService/ForkVm",
        Json(r#"{"snapshot":"never-was"}"#),
        SNAPSHOT_NOT_FOUND,
        &[],
    ),
    (
        "a fork with a name that is none",
        "weft.v1.SnapshotService/ForkVm",
        Json(r#"{"snapshot":"a","name":"NO"}"#),
        FIELD_INVALID,
        &["name"],
    ),
];

/// Refused for what the VM is.
pub(crate) const HOUSE: &[Row] = &[
    (
        "the memory of what does not run",
        "weft.v1.SnapshotService/CreateSnapshot",
        Json(r#"{"vm":"made"}"#),
        PHASE_FORBIDS,
        &[],
    ),
    (
        "a difference to nothing",
        "weft.v1.SnapshotService/CreateSnapshot",
        Json(r#"{"vm":"runs","snapshot":{"scope":"SNAPSHOT_SCOPE_DIFFERENCE"}}"#),
        FIELD_REQUIRED,
        &["snapshot.parent"],
    ),
    (
        "a parent of a full snapshot",
        "weft.v1.SnapshotService/CreateSnapshot",
        Json(r#"{"vm":"runs","snapshot":{"parent":"a"}}"#),
        FIELD_INVALID,
        &["snapshot.parent"],
    ),
    (
        "a difference to what never was",
        "weft.v1.SnapshotService/CreateSnapshot",
        Json(r#"{"vm":"held","snapshot":{"scope":"SNAPSHOT_SCOPE_DIFFERENCE","parent":"never-was"}}"#),
        SNAPSHOT_NOT_FOUND,
        &[],
    ),
    (
        "restoring to a snapshot that never was",
        "weft.v1.SnapshotService/RestoreVm",
        Json(r#"{"vm":"runs","snapshot":"never-was"}"#),
        SNAPSHOT_NOT_FOUND,
        &[],
    ),
    (
        "restoring a VM in another project",
        "weft.v1.SnapshotService/RestoreVm",
        Json(r#"{"vm":"runs","project":"other","snapshot":"a"}"#),
        VM_NOT_FOUND,
        &[],
    ),
];
