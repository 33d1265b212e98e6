//! What HTTP itself says wrongly: verbs, content types, encodings, hosts, deadlines.

use crate::row::{
    BODY_MALFORMED, BODY_TOO_LARGE, CONTENT_TYPE_UNSUPPORTED, DEADLINE_PASSED, ENCODING_UNSUPPORTED, FIELD_INVALID,
    FIELD_UNKNOWN, NO_SUCH_METHOD, ORIGIN_FORBIDDEN, Told, VM_NOT_FOUND, WRONG_VERB,
};
use crate::wire::{Asked, Version, enveloped};
use bytes::Bytes;
use std::io::Write as _;

/// An oddity: its name, how it is asked, what it is told, with the fields at fault.
pub(crate) type Odd = (&'static str, fn() -> Asked, Told, &'static [&'static str]);

const BOOT: &str = "/weft.v1.VmService/BootVm";
const GET: &str = "/weft.v1.VmService/GetVm";
const NEVER: &str = r#"{"vm":"never-was"}"#;
/// `NEVER` in protobuf.
const NEVER_WAS: &[u8] = b"\x0a\x09never-was";

/// Oddities over Connect, on HTTP/1.1.
pub(crate) const CONNECT: &[Odd] = &[
    ("GET on a verb that changes", || with("GET", BOOT, &[], ""), WRONG_VERB, &[]),
    ("GET without a message", || with("GET", GET, &[], ""), BODY_MALFORMED, &[]),
    (
        "GET with an unknown field",
        || with("GET", &format!("{GET}?connect=v1&encoding=json&message=%7B%22nope%22%3A1%7D"), &[], ""),
        FIELD_UNKNOWN,
        &["nope"],
    ),
    (
        "GET with a codec that is none",
        || with("GET", &format!("{GET}?connect=v1&encoding=xml&message=x"), &[], ""),
        CONTENT_TYPE_UNSUPPORTED,
        &[],
    ),
    (
        "GET with base64 that is none",
        || with("GET", &format!("{GET}?connect=v1&encoding=json&base64=1&message=***"), &[], ""),
        BODY_MALFORMED,
        &[],
    ),
    ("PUT", || with("PUT", BOOT, &[("content-type", "application/json")], "{}"), WRONG_VERB, &[]),
    ("DELETE", || with("DELETE", GET, &[("content-type", "application/json")], "{}"), WRONG_VERB, &[]),
    ("no content type", || with("POST", BOOT, &[], NEVER), CONTENT_TYPE_UNSUPPORTED, &[]),
    ("plain text", || with("POST", BOOT, &[("content-type", "text/plain")], NEVER), CONTENT_TYPE_UNSUPPORTED, &[]),
    (
        "a form",
        || with("POST", BOOT, &[("content-type", "application/x-www-form-urlencoded")], "vm=a"),
        CONTENT_TYPE_UNSUPPORTED,
        &[],
    ),
    (
        "gRPC-Web as text, in gRPC-Web's own form",
        || with("POST", BOOT, &[("content-type", "application/grpc-web-text")], "AAAAAAA="),
        CONTENT_TYPE_UNSUPPORTED,
        &[],
    ),
    ("a path that is none", || with("POST", "/", &[("content-type", "application/json")], "{}"), NO_SUCH_METHOD, &[]),
    (
        "a path with '..'",
        || with("POST", "/weft.v1.VmService/../BootVm", &[("content-type", "application/json")], "{}"),
        NO_SUCH_METHOD,
        &[],
    ),
    ("an encoding that is none", || json(&[("content-encoding", "br-ish")], NEVER), ENCODING_UNSUPPORTED, &[]),
    ("gzip that is none", || json(&[("content-encoding", "gzip")], "not gzip"), BODY_MALFORMED, &[]),
    ("gzip cut short", || json(&[("content-encoding", "gzip")], cut(gzip(NEVER.as_bytes()))), BODY_MALFORMED, &[]),
    ("64 MiB in a few kB", || json(&[("content-encoding", "gzip")], bomb()), BODY_TOO_LARGE, &[]),
    ("another host", || json(&[("host", "evil.example")], NEVER), ORIGIN_FORBIDDEN, &[]),
    ("a host that begins as loopback", || json(&[("host", "127.0.0.1.evil.example")], NEVER), ORIGIN_FORBIDDEN, &[]),
    ("a host behind a user's name", || json(&[("host", "localhost:80@evil.example")], NEVER), ORIGIN_FORBIDDEN, &[]),
    (
        "a page behind a user's name",
        || json(&[("origin", "http://localhost:80@evil.example")], NEVER),
        ORIGIN_FORBIDDEN,
        &[],
    ),
    ("a page of another origin", || json(&[("origin", "https://evil.example")], NEVER), ORIGIN_FORBIDDEN, &[]),
    ("a page of no origin", || json(&[("origin", "null")], NEVER), ORIGIN_FORBIDDEN, &[]),
    ("a deadline of words", || json(&[("connect-timeout-ms", "soon")], NEVER), FIELD_INVALID, &["connect-timeout-ms"]),
    ("a deadline before now", || json(&[("connect-timeout-ms", "-5")], NEVER), FIELD_INVALID, &["connect-timeout-ms"]),
    (
        "a deadline of eleven digits",
        || json(&[("connect-timeout-ms", "99999999999")], NEVER),
        FIELD_INVALID,
        &["connect-timeout-ms"],
    ),
    ("a deadline of now", || json(&[("connect-timeout-ms", "0")], NEVER), DEADLINE_PASSED, &[]),
    (
        "a version of Connect that is none",
        || json(&[("connect-protocol-version", "7")], NEVER),
        FIELD_INVALID,
        &["connect-protocol-version"],
    ),
];

/// Oddities over gRPC, on HTTP/2.
pub(crate) const GRPC: &[Odd] = &[
    (
        "a codec that is none",
        || grpc(BOOT, &[("content-type", "application/grpc+thrift")], enveloped(NEVER_WAS)),
        CONTENT_TYPE_UNSUPPORTED,
        &[],
    ),
    (
        "an encoding that is none",
        || grpc(BOOT, &[("grpc-encoding", "br-ish")], flagged(NEVER_WAS)),
        CONTENT_TYPE_UNSUPPORTED,
        &[],
    ),
    ("gzip that is none", || grpc(BOOT, &[("grpc-encoding", "gzip")], flagged(b"not gzip")), BODY_MALFORMED, &[]),
    (
        "gzip cut short",
        || grpc(BOOT, &[("grpc-encoding", "gzip")], flagged(&cut(gzip(NEVER_WAS)))),
        BODY_MALFORMED,
        &[],
    ),
    ("64 MiB in a few kB", || grpc(BOOT, &[("grpc-encoding", "gzip")], flagged(&bomb())), BODY_TOO_LARGE, &[]),
    ("compressed without an encoding", || grpc(BOOT, &[], flagged(&gzip(NEVER_WAS))), BODY_MALFORMED, &[]),
    ("an envelope cut short", || grpc(BOOT, &[], Bytes::from_static(b"\0\0\0")), BODY_MALFORMED, &[]),
    (
        "an envelope longer than its body",
        || grpc(BOOT, &[], Bytes::from_static(b"\0\0\0\0\x50ab")),
        BODY_MALFORMED,
        &[],
    ),
    ("an envelope of 4 GiB", || grpc(BOOT, &[], Bytes::from_static(b"\0\xff\xff\xff\xffab")), BODY_TOO_LARGE, &[]),
    ("no envelope", || grpc(BOOT, &[], Bytes::new()), BODY_MALFORMED, &[]),
    (
        "two messages in a unary call",
        || grpc(BOOT, &[], [enveloped(NEVER_WAS), enveloped(NEVER_WAS)].concat()),
        BODY_MALFORMED,
        &[],
    ),
    ("a path that is none", || grpc("/", &[], enveloped(b"")), NO_SUCH_METHOD, &[]),
    ("another host", || grpc(BOOT, &[("host", "evil.example")], enveloped(NEVER_WAS)), ORIGIN_FORBIDDEN, &[]),
    (
        "a page of another origin",
        || grpc(BOOT, &[("origin", "https://evil.example")], enveloped(NEVER_WAS)),
        ORIGIN_FORBIDDEN,
        &[],
    ),
    (
        "a deadline of words",
        || grpc(BOOT, &[("grpc-timeout", "soon")], enveloped(NEVER_WAS)),
        FIELD_INVALID,
        &["grpc-timeout"],
    ),
    (
        "a deadline before now",
        || grpc(BOOT, &[("grpc-timeout", "-5S")], enveloped(NEVER_WAS)),
        FIELD_INVALID,
        &["grpc-timeout"],
    ),
    (
        "a deadline without a unit",
        || grpc(BOOT, &[("grpc-timeout", "5")], enveloped(NEVER_WAS)),
        FIELD_INVALID,
        &["grpc-timeout"],
    ),
    ("a deadline of now", || grpc(BOOT, &[("grpc-timeout", "0n")], enveloped(NEVER_WAS)), DEADLINE_PASSED, &[]),
    ("metadata that is not base64", || grpc(BOOT, &[("x-trace-bin", "%%%")], enveloped(NEVER_WAS)), VM_NOT_FOUND, &[]),
];

fn with(verb: &'static str, path: &str, headers: &[(&'static str, &str)], body: impl Into<Bytes>) -> Asked {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Asked { version: Version::Http1, verb, path: path.to_owned(), headers, body: body.into() }
}

fn json(headers: &[(&'static str, &str)], body: impl Into<Bytes>) -> Asked {
    with("POST", BOOT, &[&[("content-type", "application/json")], headers].concat(), body)
}

fn grpc(path: &str, headers: &[(&'static str, &str)], body: impl Into<Bytes>) -> Asked {
    let mut all = vec![("te", "trailers")];
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        all.push(("content-type", "application/grpc"));
    }
    all.extend_from_slice(headers);
    Asked { version: Version::Http2, ..with("POST", path, &all, body) }
}

/// One message in an envelope that says that it is compressed.
fn flagged(message: &[u8]) -> Bytes {
    let mut out = enveloped(message).to_vec();
    out[0] = 1;
    out.into()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(bytes).and_then(|()| out.finish()).expect("memory takes what is written")
}

fn cut(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() / 2);
    bytes
}

fn bomb() -> Vec<u8> {
    gzip(&vec![b' '; 64 << 20])
}
