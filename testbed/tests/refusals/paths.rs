//! Paths on the host: what may not be named, and what is of no use. `$ROOT` is the one allowed root.

use crate::row::Body::{Json, Made, Spec};
use crate::row::{FIELD_INVALID, FIELD_REQUIRED, PATH_NOT_ALLOWED, PATH_UNUSABLE, Row};

const KERNEL: &[&str] = &["vm.spec.payload.kernel"];
const DISK: &[&str] = &["vm.spec.disks[0].path"];

/// Paths that are refused before a node is asked.
pub(crate) const SPELLING: &[Row] = &[
    ("no kernel where one is named", "CreateVm", Spec(r#"{"payload":{"kernel":""}}"#), FIELD_REQUIRED, KERNEL),
    (
        "an initramfs without a kernel",
        "CreateVm",
        Spec(r#"{"payload":{"initramfs":"/i"}}"#),
        FIELD_INVALID,
        &["vm.spec.payload.initramfs"],
    ),
    ("a relative path", "CreateVm", Spec(r#"{"payload":{"kernel":"vmlinux"}}"#), FIELD_INVALID, KERNEL),
    ("a path with '..'", "CreateVm", Spec(r#"{"payload":{"kernel":"/srv/../etc/shadow"}}"#), FIELD_INVALID, KERNEL),
    ("a path with a comma", "CreateVm", Spec(r#"{"payload":{"kernel":"/srv/a,readonly=off"}}"#), FIELD_INVALID, KERNEL),
    ("a path with a line break", "CreateVm", Spec(r#"{"payload":{"kernel":"/srv/a\nb"}}"#), FIELD_INVALID, KERNEL),
    ("a path with a NUL", "CreateVm", Spec(r#"{"payload":{"kernel":"/srv/a\u0000b"}}"#), FIELD_INVALID, KERNEL),
    ("a path of 2 kB", "CreateVm", Made(long), FIELD_INVALID, KERNEL),
    ("a disk without a path", "CreateVm", Spec(r#"{"disks":[{"path":""}]}"#), FIELD_REQUIRED, DISK),
    ("a disk with '..'", "CreateVm", Spec(r#"{"disks":[{"path":"/srv/a/../../etc/shadow"}]}"#), FIELD_INVALID, DISK),
    (
        "a file as a source of randomness",
        "CreateVm",
        Spec(r#"{"rng":{"source":"/etc/shadow"}}"#),
        FIELD_INVALID,
        &["vm.spec.rng.source"],
    ),
    (
        "a relative source of randomness",
        "CreateVm",
        Spec(r#"{"rng":{"source":"urandom"}}"#),
        FIELD_INVALID,
        &["vm.spec.rng.source"],
    ),
];

/// Paths that a node looks at.
pub(crate) const FILES: &[Row] = &[
    ("a kernel that is not there", "CreateVm", Spec(r#"{"payload":{"kernel":"$ROOT/absent"}}"#), PATH_UNUSABLE, KERNEL),
    ("a folder as a kernel", "CreateVm", Spec(r#"{"payload":{"kernel":"$ROOT/folder"}}"#), PATH_UNUSABLE, KERNEL),
    ("the root itself as a kernel", "CreateVm", Spec(r#"{"payload":{"kernel":"$ROOT"}}"#), PATH_UNUSABLE, KERNEL),
    ("a pipe as a kernel", "CreateVm", Spec(r#"{"payload":{"kernel":"$ROOT/pipe"}}"#), PATH_UNUSABLE, KERNEL),
    ("a socket as a kernel", "CreateVm", Spec(r#"{"payload":{"kernel":"$ROOT/socket"}}"#), PATH_UNUSABLE, KERNEL),
    ("a device as a kernel", "CreateVm", Spec(r#"{"payload":{"kernel":"$DEVICE"}}"#), PATH_UNUSABLE, KERNEL),
    ("an empty file as a kernel", "CreateVm", Spec(r#"{"payload":{"kernel":"$ROOT/empty"}}"#), PATH_UNUSABLE, KERNEL),
    (
        "a file that nobody may read",
        "CreateVm",
        Spec(r#"{"payload":{"kernel":"$ROOT/closed"}}"#),
        PATH_UNUSABLE,
        KERNEL,
    ),
    ("a path through a file", "CreateVm", Spec(r#"{"payload":{"kernel":"$ROOT/vmlinux/x"}}"#), PATH_UNUSABLE, KERNEL),
    ("a link to nothing", "CreateVm", Spec(r#"{"payload":{"kernel":"$ROOT/dangling"}}"#), PATH_UNUSABLE, KERNEL),
    ("a link to itself", "CreateVm", Spec(r#"{"payload":{"kernel":"$ROOT/circle"}}"#), PATH_UNUSABLE, KERNEL),
    ("a link out of the root", "CreateVm", Spec(r#"{"payload":{"kernel":"$ROOT/out"}}"#), PATH_NOT_ALLOWED, KERNEL),
    (
        "a folder that leads out of the root",
        "CreateVm",
        Spec(r#"{"payload":{"kernel":"$ROOT/through/vmlinux"}}"#),
        PATH_NOT_ALLOWED,
        KERNEL,
    ),
    (
        "a file beside the root",
        "CreateVm",
        Spec(r#"{"payload":{"kernel":"$OUTSIDE/vmlinux"}}"#),
        PATH_NOT_ALLOWED,
        KERNEL,
    ),
    (
        "a folder that begins as the root does",
        "CreateVm",
        Spec(r#"{"payload":{"kernel":"$ROOT-twin/vmlinux"}}"#),
        PATH_NOT_ALLOWED,
        KERNEL,
    ),
    ("a file of the system", "CreateVm", Spec(r#"{"payload":{"kernel":"/etc/passwd"}}"#), PATH_NOT_ALLOWED, KERNEL),
    (
        "a file of weft's own",
        "CreateVm",
        Spec(r#"{"disks":[{"path":"$DATA/store/state.redb"}]}"#),
        PATH_NOT_ALLOWED,
        DISK,
    ),
    (
        "an initramfs that is not there",
        "CreateVm",
        Spec(r#"{"payload":{"kernel":"$ROOT/vmlinux","initramfs":"$ROOT/absent"}}"#),
        PATH_UNUSABLE,
        &["vm.spec.payload.initramfs"],
    ),
    (
        "firmware that is not there",
        "CreateVm",
        Spec(r#"{"payload":{"firmware":"$ROOT/absent"}}"#),
        PATH_UNUSABLE,
        &["vm.spec.payload.firmware"],
    ),
    ("a disk that is not there", "CreateVm", Spec(r#"{"disks":[{"path":"$ROOT/absent"}]}"#), PATH_UNUSABLE, DISK),
    ("a folder as a disk", "CreateVm", Spec(r#"{"disks":[{"path":"$ROOT/folder"}]}"#), PATH_UNUSABLE, DISK),
    ("a pipe as a disk", "CreateVm", Spec(r#"{"disks":[{"path":"$ROOT/pipe"}]}"#), PATH_UNUSABLE, DISK),
    ("a socket as a disk", "CreateVm", Spec(r#"{"disks":[{"path":"$ROOT/socket"}]}"#), PATH_UNUSABLE, DISK),
    ("a device that is no disk", "CreateVm", Spec(r#"{"disks":[{"path":"$DEVICE"}]}"#), PATH_UNUSABLE, DISK),
    ("an empty disk", "CreateVm", Spec(r#"{"disks":[{"path":"$ROOT/empty"}]}"#), PATH_UNUSABLE, DISK),
    (
        "a link to a disk out of the root",
        "CreateVm",
        Spec(r#"{"disks":[{"path":"$ROOT/out","readOnly":true}]}"#),
        PATH_NOT_ALLOWED,
        DISK,
    ),
    (
        "what is checked only",
        "CreateVm",
        Json(r#"{"vm":{"spec":{"payload":{"kernel":"$ROOT/absent"}}},"validateOnly":true}"#),
        PATH_UNUSABLE,
        KERNEL,
    ),
    (
        "a kernel that is not there, for what is",
        "UpdateVm",
        Json(r#"{"vm":{"name":"made","spec":{"payload":{"kernel":"$ROOT/absent"}}},"updateMask":"spec.payload"}"#),
        PATH_UNUSABLE,
        KERNEL,
    ),
    (
        "a disk that nobody may read",
        "CreateVm",
        Spec(r#"{"disks":[{"path":"$ROOT/closed","readOnly":true}]}"#),
        PATH_UNUSABLE,
        DISK,
    ),
    (
        "writing to a disk that is protected",
        "CreateVm",
        Spec(r#"{"disks":[{"path":"$ROOT/protected"}]}"#),
        PATH_UNUSABLE,
        DISK,
    ),
    (
        "the second of two disks",
        "CreateVm",
        Spec(r#"{"disks":[{"path":"$ROOT/disk"},{"path":"$ROOT/out"}]}"#),
        PATH_NOT_ALLOWED,
        &["vm.spec.disks[1].path"],
    ),
];

fn long() -> String {
    serde_json::json!({ "vm": { "spec": { "payload": { "kernel": format!("/{}", "x".repeat(2000)) } } } }).to_string()
}
