//! metald's API: refusals in its own words; unknown fields are ignored, as metald did.

use crate::row::Body::{Json, Text};
use crate::row::{BODY_MALFORMED, FIELD_INVALID, FIELD_REQUIRED, PATH_NOT_ALLOWED, Row, VM_NOT_FOUND};

const CREATE: &str = "vmprovisioner.v1.VmService/CreateVm";
const BOOT: &str = "vmprovisioner.v1.VmService/BootVm";

pub(crate) const DOOR: &[Row] = &[
    ("theirs: nothing to make", CREATE, Json("{}"), FIELD_REQUIRED, &["config"]),
    ("theirs: unknown fields and nothing to make", CREATE, Json(r#"{"surprise":[1]}"#), FIELD_REQUIRED, &["config"]),
    (
        "theirs: no CPU",
        CREATE,
        Json(
            r#"{"config":{"cpu":{"vcpu_count":0},"memory":{"size_bytes":134217728},"boot":{"kernel_path":"/k"},"storage":[{"path":"/d"}]}}"#,
        ),
        FIELD_INVALID,
        &["config.cpu.vcpu_count"],
    ),
    (
        "theirs: less than no memory",
        CREATE,
        Json(
            r#"{"config":{"cpu":{"vcpu_count":1},"memory":{"size_bytes":-1},"boot":{"kernel_path":"/k"},"storage":[{"path":"/d"}]}}"#,
        ),
        FIELD_INVALID,
        &["config.memory.size_bytes"],
    ),
    (
        "theirs: a kernel with '..'",
        CREATE,
        Json(
            r#"{"config":{"cpu":{"vcpu_count":1},"memory":{"size_bytes":134217728},"boot":{"kernel_path":"/a/../k"},"storage":[{"path":"/d"}]}}"#,
        ),
        FIELD_INVALID,
        &["config.boot.kernel_path"],
    ),
    (
        "theirs: no disk",
        CREATE,
        Json(r#"{"config":{"cpu":{"vcpu_count":1},"memory":{"size_bytes":134217728},"boot":{"kernel_path":"/k"}}}"#),
        FIELD_REQUIRED,
        &["config.storage"],
    ),
    (
        "theirs: a text as a number",
        CREATE,
        Text(|| br#"{"config":{"cpu":{"vcpu_count":"many"}}}"#.to_vec()),
        BODY_MALFORMED,
        &[],
    ),
    ("theirs: JSON cut short", CREATE, Text(|| br#"{"config":"#.to_vec()), BODY_MALFORMED, &[]),
    (
        "theirs: lists 10000 deep",
        CREATE,
        Text(|| [br#"{"surprise":"#.to_vec(), b"[".repeat(10_000)].concat()),
        BODY_MALFORMED,
        &[],
    ),
    ("theirs: no VM named", BOOT, Json("{}"), FIELD_REQUIRED, &["vm_id"]),
    ("theirs: an id that is none", BOOT, Json(r#"{"vm_id":"No Such"}"#), FIELD_INVALID, &["vm_id"]),
    ("theirs: a VM that never was", BOOT, Json(r#"{"vm_id":"ud-none"}"#), VM_NOT_FOUND, &[]),
];

pub(crate) const HOUSE: &[Row] = &[(
    "theirs: a kernel beside the root",
    CREATE,
    Json(
        r#"{"config":{"cpu":{"vcpu_count":1},"memory":{"size_bytes":134217728},"boot":{"kernel_path":"$OUTSIDE/vmlinux"},"storage":[{"path":"$ROOT/disk"}]}}"#,
    ),
    PATH_NOT_ALLOWED,
    &["config.boot.kernel_path"],
)];
