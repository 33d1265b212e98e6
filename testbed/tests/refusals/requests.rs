//! Requests that say too little, too much or nonsense beside the specification: which VM, masks, pages, filters.

use crate::row::Body::{Json, Made};
use crate::row::{
    FIELD_INVALID, FIELD_REQUIRED, FIELD_UNKNOWN, FILTER_INVALID, NO_SUCH_METHOD, NODE_NOT_FOUND, PAGE_TOKEN_INVALID,
    REVISION_COMPACTED, Row, VM_NOT_FOUND,
};

pub(crate) const WHICH: &[Row] = &[
    ("no VM named", "GetVm", Json("{}"), FIELD_REQUIRED, &["vm"]),
    ("a name that is none", "GetVm", Json(r#"{"vm":"NO"}"#), FIELD_INVALID, &["vm"]),
    ("a project that is none", "GetVm", Json(r#"{"vm":"a","project":"NO"}"#), FIELD_INVALID, &["project"]),
    ("an id cut short", "GetVm", Json(r#"{"vm":"vm-0199A"}"#), FIELD_INVALID, &["vm"]),
    ("a VM that never was", "GetVm", Json(r#"{"vm":"never-was"}"#), VM_NOT_FOUND, &[]),
    ("an id that never was", "GetVm", Json(r#"{"vm":"vm-01234567-89ab-7cde-8f01-23456789abcd"}"#), VM_NOT_FOUND, &[]),
    ("a node's id as a VM", "BootVm", Json(r#"{"vm":"$NODE"}"#), VM_NOT_FOUND, &[]),
    ("booting what is not there", "BootVm", Json(r#"{"vm":"never-was"}"#), VM_NOT_FOUND, &[]),
    ("pausing what is not there", "PauseVm", Json(r#"{"vm":"never-was"}"#), VM_NOT_FOUND, &[]),
    ("deleting what is not there", "DeleteVm", Json(r#"{"vm":"never-was"}"#), VM_NOT_FOUND, &[]),
    (
        "updating what is not there",
        "UpdateVm",
        Json(r#"{"vm":{"name":"never-was","labels":{"a":"b"}}}"#),
        VM_NOT_FOUND,
        &[],
    ),
    ("no node named", "weft.v1.NodeService/GetNode", Json("{}"), FIELD_REQUIRED, &["node"]),
    ("a node that is none", "weft.v1.NodeService/GetNode", Json(r#"{"node":"no-such"}"#), NODE_NOT_FOUND, &[]),
    ("a census of no node", "weft.v1.NodeService/GetNodeCensus", Json("{}"), FIELD_REQUIRED, &["node"]),
    (
        "orphans of no node",
        "weft.v1.NodeService/ReleaseNodeOrphans",
        Json(r#"{"all":true}"#),
        FIELD_REQUIRED,
        &["node"],
    ),
    ("no orphans named", "weft.v1.NodeService/ReleaseNodeOrphans", Json(r#"{"node":"x"}"#), FIELD_REQUIRED, &["ids"]),
    (
        "an orphan by a name",
        "weft.v1.NodeService/ReleaseNodeOrphans",
        Json(r#"{"node":"x","ids":["web"]}"#),
        FIELD_INVALID,
        &["ids"],
    ),
    (
        "some orphans and all",
        "weft.v1.NodeService/ReleaseNodeOrphans",
        Json(r#"{"node":"x","all":true,"ids":["vm-01a1fba7-bb1b-7000-a347-d7c7751535a6"]}"#),
        FIELD_INVALID,
        &["ids"],
    ),
    (
        "orphans of none",
        "weft.v1.NodeService/ReleaseNodeOrphans",
        Json(r#"{"node":"x","all":true}"#),
        NODE_NOT_FOUND,
        &[],
    ),
    ("a census of none", "weft.v1.NodeService/GetNodeCensus", Json(r#"{"node":"no-such"}"#), NODE_NOT_FOUND, &[]),
    ("a method that is none", "TeleportVm", Json("{}"), NO_SUCH_METHOD, &[]),
    ("a service that is none", "weft.v9.VmService/GetVm", Json("{}"), NO_SUCH_METHOD, &[]),
];

pub(crate) const TERMS: &[Row] = &[
    ("an update of nothing", "UpdateVm", Json("{}"), FIELD_REQUIRED, &["vm"]),
    (
        "an update of what is observed",
        "UpdateVm",
        Json(r#"{"vm":{"name":"a"},"updateMask":"status"}"#),
        FIELD_INVALID,
        &["update_mask"],
    ),
    (
        "an update of a field that is none",
        "UpdateVm",
        Json(r#"{"vm":{"name":"a"},"updateMask":"spec.nothing"}"#),
        FIELD_INVALID,
        &["update_mask"],
    ),
    ("an etag that is none", "UpdateVm", Json(r#"{"vm":{"name":"a","etag":"mine"}}"#), FIELD_INVALID, &["vm.etag"]),
    ("an etag that is none, deleting", "DeleteVm", Json(r#"{"vm":"a","etag":"mine"}"#), FIELD_INVALID, &["etag"]),
    ("a grace before it began", "ShutdownVm", Json(r#"{"vm":"a","timeout":"-1s"}"#), FIELD_INVALID, &["timeout"]),
    ("a grace of two hours", "ShutdownVm", Json(r#"{"vm":"a","timeout":"7200s"}"#), FIELD_INVALID, &["timeout"]),
    ("a grace and force", "RebootVm", Json(r#"{"vm":"a","timeout":"5s","force":true}"#), FIELD_INVALID, &["timeout"]),
    (
        "a grace beyond 64 bits",
        "RebootVm",
        Json(r#"{"vm":"a","timeout":"9999999999999999999s"}"#),
        FIELD_INVALID,
        &["timeout"],
    ),
    (
        "a request id of 129 bytes",
        "BootVm",
        Made(|| format!(r#"{{"vm":"a","requestId":"{}"}}"#, "x".repeat(129))),
        FIELD_INVALID,
        &["request_id"],
    ),
    ("a request id of blanks", "BootVm", Json(r#"{"vm":"a","requestId":"   "}"#), FIELD_INVALID, &["request_id"]),
    ("a request id of two lines", "BootVm", Json(r#"{"vm":"a","requestId":"a\nb"}"#), FIELD_INVALID, &["request_id"]),
];

pub(crate) const LISTS: &[Row] = &[
    ("a page of fewer than none", "ListVms", Json(r#"{"pageSize":-1}"#), FIELD_INVALID, &["page_size"]),
    ("a page beyond 32 bits", "ListVms", Json(r#"{"pageSize":4294967296}"#), FIELD_INVALID, &["page_size"]),
    ("a token that is none", "ListVms", Json(r#"{"pageToken":"x"}"#), PAGE_TOKEN_INVALID, &["page_token"]),
    (
        "a token of other bytes",
        "ListVms",
        Json(r#"{"pageToken":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#),
        PAGE_TOKEN_INVALID,
        &["page_token"],
    ),
    ("a filter cut short", "ListVms", Json(r#"{"filter":"name ="}"#), FILTER_INVALID, &["filter"]),
    ("a filter by no field", "ListVms", Json(r#"{"filter":"colour = \"red\""}"#), FILTER_INVALID, &["filter"]),
    (
        "a filter by a phase that is none",
        "ListVms",
        Json(r#"{"filter":"phase = ASLEEP"}"#),
        FILTER_INVALID,
        &["filter"],
    ),
    ("a filter with an open quote", "ListVms", Json(r#"{"filter":"name = \"a"}"#), FILTER_INVALID, &["filter"]),
    ("a filter of 3 kB", "ListVms", Made(|| filter(&"x".repeat(3000))), FILTER_INVALID, &["filter"]),
    ("a filter of 1000 brackets", "ListVms", Made(|| filter(&"(".repeat(1000))), FILTER_INVALID, &["filter"]),
    ("a project that is none", "ListVms", Json(r#"{"project":"No"}"#), FIELD_INVALID, &["project"]),
    (
        "nodes by no field",
        "weft.v1.NodeService/ListNodes",
        Json(r#"{"filter":"phase = RUNNING"}"#),
        FILTER_INVALID,
        &["filter"],
    ),
    (
        "events by a severity that is none",
        "weft.v1.EventService/ListEvents",
        Json(r#"{"filter":"severity = LOUD"}"#),
        FILTER_INVALID,
        &["filter"],
    ),
];

pub(crate) const STREAMS: &[Row] = &[
    ("a watch of the future", "WatchVms", Json(r#"{"fromRevision":"999999999"}"#), REVISION_COMPACTED, &[]),
    ("a watch of a name that is none", "WatchVms", Json(r#"{"vm":"NO"}"#), FIELD_INVALID, &["vm"]),
    (
        "a watch of events of a project that is none",
        "weft.v1.EventService/WatchEvents",
        Json(r#"{"project":"No"}"#),
        FIELD_INVALID,
        &["project"],
    ),
    ("a watch of a VM that never was", "WatchVms", Json(r#"{"vm":"never-was"}"#), VM_NOT_FOUND, &[]),
    ("the log of nothing", "ReadVmLog", Json(r#"{"vm":"never-was"}"#), VM_NOT_FOUND, &[]),
    ("a log from before its begin", "ReadVmLog", Json(r#"{"vm":"a","offset":-1}"#), FIELD_INVALID, &["offset"]),
    (
        "a log from two places",
        "ReadVmLog",
        Json(r#"{"vm":"a","offset":1,"tailBytes":1}"#),
        FIELD_INVALID,
        &["tail_bytes"],
    ),
    ("a log with an unknown field", "ReadVmLog", Json(r#"{"vm":"a","from":1}"#), FIELD_UNKNOWN, &["from"]),
    ("a backup with a field", "weft.v1.StateService/BackupState", Json(r#"{"from":1}"#), FIELD_UNKNOWN, &["from"]),
    ("typing before opening", "AttachVmConsole", Json(r#"{"data":"YQ=="}"#), FIELD_REQUIRED, &["open"]),
    ("the console of nothing", "AttachVmConsole", Json(r#"{"open":{"vm":"never-was"}}"#), VM_NOT_FOUND, &[]),
];

fn filter(text: &str) -> String {
    serde_json::json!({ "filter": text }).to_string()
}
