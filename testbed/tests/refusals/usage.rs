//! Requests about usage that are wrong: whose, when, how fine, in which form.

use crate::row::Body::Json;
use crate::row::{FIELD_INVALID, FIELD_UNKNOWN, Row};

pub(crate) const DOOR: &[Row] = &[
    (
        "usage of a project that is none",
        "weft.v1.UsageService/QueryUsage",
        Json(r#"{"scope":{"project":"No"}}"#),
        FIELD_INVALID,
        &["scope.project"],
    ),
    (
        "usage of VMs that are none",
        "weft.v1.UsageService/QueryUsage",
        Json(r#"{"scope":{"vms":["web","NO","a/b/c"]}}"#),
        FIELD_INVALID,
        &["scope.vms[1]", "scope.vms[2]"],
    ),
    (
        "usage by a label that is none",
        "weft.v1.UsageService/QueryUsage",
        Json(r#"{"scope":{"labels":{"-":"x"}}}"#),
        FIELD_INVALID,
        &["scope.labels"],
    ),
    (
        "usage of a span that ends before it begins",
        "weft.v1.UsageService/QueryUsage",
        Json(r#"{"scope":{"startTime":"2026-01-02T00:00:00Z","endTime":"2026-01-01T00:00:00Z"}}"#),
        FIELD_INVALID,
        &["scope.end_time"],
    ),
    (
        "usage by a grain that is none",
        "weft.v1.UsageService/QueryUsage",
        Json(r#"{"grain":9}"#),
        FIELD_INVALID,
        &["grain"],
    ),
    ("usage with a price", "weft.v1.UsageService/QueryUsage", Json(r#"{"price":"5"}"#), FIELD_UNKNOWN, &["price"]),
    (
        "gaps of a project that is none",
        "weft.v1.UsageService/ListUsageGaps",
        Json(r#"{"scope":{"project":"No"}}"#),
        FIELD_INVALID,
        &["scope.project"],
    ),
];
