//! Bodies that are not what they are said to be, and too large ones.

use crate::row::Body::{Made, Proto, Text};
use crate::row::{BODY_MALFORMED, BODY_TOO_LARGE, Row};

pub(crate) const JSON: &[Row] = &[
    ("nothing", "CreateVm", Text(Vec::new), BODY_MALFORMED, &[]),
    ("JSON cut short", "CreateVm", Text(|| br#"{"vm":"#.to_vec()), BODY_MALFORMED, &[]),
    ("JSON and then more", "CreateVm", Text(|| br#"{"vm":{}} {}"#.to_vec()), BODY_MALFORMED, &[]),
    ("JSON after a byte order mark", "CreateVm", Text(|| b"\xef\xbb\xbf{}".to_vec()), BODY_MALFORMED, &[]),
    ("JSON with a comma too many", "CreateVm", Text(|| br#"{"vm":{},}"#.to_vec()), BODY_MALFORMED, &[]),
    ("JSON with a comment", "CreateVm", Text(|| b"{/*x*/}".to_vec()), BODY_MALFORMED, &[]),
    ("JSON in single quotes", "CreateVm", Text(|| b"{'vm':{}}".to_vec()), BODY_MALFORMED, &[]),
    (
        "JSON with a bare NaN",
        "CreateVm",
        Text(|| br#"{"vm":{"spec":{"cpu":{"boot":NaN}}}}"#.to_vec()),
        BODY_MALFORMED,
        &[],
    ),
    ("JSON with half a surrogate", "GetVm", Text(|| br#"{"vm":"\ud800"}"#.to_vec()), BODY_MALFORMED, &[]),
    ("JSON that is not UTF-8", "GetVm", Text(|| b"{\"vm\":\"\xff\xfe\"}".to_vec()), BODY_MALFORMED, &[]),
    ("JSON with a raw line break in a text", "GetVm", Text(|| b"{\"vm\":\"a\nb\"}".to_vec()), BODY_MALFORMED, &[]),
    ("lists 10000 deep", "CreateVm", Text(|| [b"[".repeat(10_000), b"]".repeat(10_000)].concat()), BODY_MALFORMED, &[]),
    ("objects 10000 deep", "CreateVm", Text(|| br#"{"vm":"#.repeat(10_000)), BODY_MALFORMED, &[]),
    ("a field twice", "GetVm", Text(|| br#"{"vm":"a","vm":"b"}"#.to_vec()), BODY_MALFORMED, &[]),
    (
        "a field by both its names",
        "BootVm",
        Text(|| br#"{"vm":"a","requestId":"1","request_id":"2"}"#.to_vec()),
        BODY_MALFORMED,
        &[],
    ),
    (
        "a number of 100000 digits",
        "ListVms",
        Text(|| [br#"{"pageSize":"#.to_vec(), b"9".repeat(100_000), b"}".to_vec()].concat()),
        BODY_MALFORMED,
        &[],
    ),
    ("protobuf said to be JSON", "GetVm", Text(|| b"\x0a\x01a".to_vec()), BODY_MALFORMED, &[]),
];

pub(crate) const PROTO: &[Row] = &[
    ("a number cut short", "GetVm", Proto(|| b"\x0a\xff".to_vec()), BODY_MALFORMED, &[]),
    ("a tag cut short", "GetVm", Proto(|| b"\x80".to_vec()), BODY_MALFORMED, &[]),
    (
        "a number of eleven bytes",
        "GetVm",
        Proto(|| b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01".to_vec()),
        BODY_MALFORMED,
        &[],
    ),
    ("a length beyond the end", "GetVm", Proto(|| b"\x0a\x7fa".to_vec()), BODY_MALFORMED, &[]),
    (
        "a length beyond memory",
        "GetVm",
        Proto(|| b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f".to_vec()),
        BODY_MALFORMED,
        &[],
    ),
    ("a number where a text belongs", "GetVm", Proto(|| b"\x08\x01".to_vec()), BODY_MALFORMED, &[]),
    (
        "a fixed number where a message belongs",
        "CreateVm",
        Proto(|| b"\x0d\x01\x02\x03\x04".to_vec()),
        BODY_MALFORMED,
        &[],
    ),
    ("field 0", "GetVm", Proto(|| b"\x02\x01a".to_vec()), BODY_MALFORMED, &[]),
    ("a wire type that is none", "GetVm", Proto(|| b"\x0f\x01".to_vec()), BODY_MALFORMED, &[]),
    ("a group that is not closed", "GetVm", Proto(|| b"\x9b\x06".to_vec()), BODY_MALFORMED, &[]),
    ("groups 10000 deep", "GetVm", Proto(|| b"\x9b\x06".repeat(10_000)), BODY_MALFORMED, &[]),
    ("a text that is not UTF-8", "GetVm", Proto(|| b"\x0a\x02\xff\xfe".to_vec()), BODY_MALFORMED, &[]),
    ("half a surrogate in a text", "GetVm", Proto(|| b"\x0a\x03\xed\xa0\x80".to_vec()), BODY_MALFORMED, &[]),
    ("JSON said to be protobuf", "GetVm", Proto(|| br#"{"vm":"a"}"#.to_vec()), BODY_MALFORMED, &[]),
    ("a message cut short inside", "CreateVm", Proto(|| b"\x0a\x04\x12\x05ab".to_vec()), BODY_MALFORMED, &[]),
];

pub(crate) const LARGE: &[Row] = &[
    ("an annotation of 2 MiB", "CreateVm", Made(|| annotated(2 << 20)), BODY_TOO_LARGE, &[]),
    ("a byte more than the limit", "GetVm", Text(|| vec![b' '; (1 << 20) + 1]), BODY_TOO_LARGE, &[]),
    ("2 MiB of protobuf", "GetVm", Proto(|| vec![b'x'; 2 << 20]), BODY_TOO_LARGE, &[]),
];

fn annotated(bytes: usize) -> String {
    serde_json::json!({ "vm": { "annotations": { "a": "x".repeat(bytes) } } }).to_string()
}
