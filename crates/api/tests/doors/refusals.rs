//! Every sort of refusal, over every protocol: code, reason and field.

use crate::raw::{Served, Told, Version, connect_error, enveloped, grpc_error, serve, web_error};
use weft_api::server::{Audience, Options};

const VM: &str = "/weft.v1.VmService";

fn told(code: &str, reason: &str, fields: &[&str]) -> Told {
    Told { code: code.into(), reason: reason.into(), fields: fields.iter().map(|f| (*f).to_owned()).collect() }
}

#[tokio::test]
async fn json_is_held_against_the_protos() {
    let served = serve(Options::default()).await;
    let table: &[Row] = &[
        ("CreateVm", r#"{"vmm":{}}"#, "FIELD_UNKNOWN", &["vmm"]),
        ("CreateVm", r#"{"vm":{"spec":{"memroy":{}}}}"#, "FIELD_UNKNOWN", &["vm.spec.memroy"]),
        (
            "CreateVm",
            r#"{"vm":{"spec":{"disks":[{"path":"/a"},{"readonly":true}]}}}"#,
            "FIELD_UNKNOWN",
            &["vm.spec.disks[1].readonly"],
        ),
        ("CreateVm", r#"{"vm":{"name":5}}"#, "FIELD_INVALID", &["vm.name"]),
        ("CreateVm", r#"{"vm":[]}"#, "FIELD_INVALID", &["vm"]),
        ("CreateVm", r#"{"vm":{"spec":{"cpu":{"boot":-1}}}}"#, "FIELD_INVALID", &["vm.spec.cpu.boot"]),
        ("CreateVm", r#"{"vm":{"spec":{"cpu":{"boot":1.5}}}}"#, "FIELD_INVALID", &["vm.spec.cpu.boot"]),
        (
            "CreateVm",
            r#"{"vm":{"spec":{"cpu":{"boot":0}}}}"#,
            "FIELD_INVALID",
            &["vm.spec.cpu.boot", "vm.spec.cpu.max"],
        ),
        ("CreateVm", r#"{"vm":{"spec":{"cpu":{"boot":"many"}}}}"#, "FIELD_INVALID", &["vm.spec.cpu.boot"]),
        ("CreateVm", r#"{"vm":{"spec":{"memory":{"sizeBytes":0}}}}"#, "FIELD_INVALID", &["vm.spec.memory.size_bytes"]),
        (
            "CreateVm",
            r#"{"vm":{"spec":{"memory":{"sizeBytes":"99999999999999999999999"}}}}"#,
            "FIELD_INVALID",
            &["vm.spec.memory.size_bytes"],
        ),
        ("CreateVm", r#"{"vm":{"spec":{"memory":{"shared":"yes"}}}}"#, "FIELD_INVALID", &["vm.spec.memory.shared"]),
        ("CreateVm", r#"{"vm":{"spec":{"machine":"MACHINE_VAX"}}}"#, "FIELD_INVALID", &["vm.spec.machine"]),
        ("CreateVm", r#"{"vm":{"spec":{"machine":77}}}"#, "FIELD_INVALID", &["vm.spec.machine"]),
        ("CreateVm", r#"{"vm":{"spec":{"disks":{}}}}"#, "FIELD_INVALID", &["vm.spec.disks"]),
        (
            "CreateVm",
            r#"{"vm":{"spec":{"disks":[{"path":"/a","volume":"v"}]}}}"#,
            "FIELD_INVALID",
            &["vm.spec.disks[0].volume"],
        ),
        ("CreateVm", r#"{"vm":{"spec":{"disks":[{}]}}}"#, "FIELD_REQUIRED", &["vm.spec.disks[0]"]),
        ("CreateVm", r#"{"vm":{"spec":{"payload":{"kernel":""}}}}"#, "FIELD_REQUIRED", &["vm.spec.payload.kernel"]),
        (
            "CreateVm",
            r#"{"vm":{"spec":{"payload":{"initramfs":"/i"}}}}"#,
            "FIELD_INVALID",
            &["vm.spec.payload.initramfs"],
        ),
        ("CreateVm", r#"{"vm":{"labels":{"a":1}}}"#, "FIELD_INVALID", &["vm.labels[\"a\"]"]),
        ("CreateVm", r#"{"vm":{"labels":{"-":"x"}}}"#, "FIELD_INVALID", &["vm.labels"]),
        ("CreateVm", r#"{"vm":{"name":"Not A Name"}}"#, "FIELD_INVALID", &["vm.name"]),
        ("CreateVm", r#"{"vm":{"project":"../x"}}"#, "FIELD_INVALID", &["vm.project"]),
        (
            "CreateVm",
            r#"{"vm":{"spec":{"nics":[{"mac":"zz"},{"ip":"1.2.3"}]}}}"#,
            "FIELD_INVALID",
            &["vm.spec.nics[0].mac", "vm.spec.nics[1].ip"],
        ),
        (
            "CreateVm",
            r#"{"vm":{"spec":{"nics":[{"user":{"forwards":[{"hostPort":70000,"guestPort":1}]}}]}}}"#,
            "FIELD_INVALID",
            &["vm.spec.nics[0].user.forwards[0].host_port"],
        ),
        (
            "CreateVm",
            r#"{"vm":{"spec":{"readiness":{"timeout":"soon"}}}}"#,
            "FIELD_INVALID",
            &["vm.spec.readiness.timeout"],
        ),
    ];
    refused(&served, table).await;
}

#[tokio::test]
async fn requests_are_held_against_what_they_may_say() {
    let served = serve(Options::default()).await;
    let table: &[Row] = &[
        ("CreateVm", r#"[]"#, "FIELD_INVALID", &[""]),
        ("CreateVm", r#"{"vm":"#, "BODY_MALFORMED", &[]),
        ("CreateVm", "", "BODY_MALFORMED", &[]),
        ("CreateVm", "\u{feff}{}", "BODY_MALFORMED", &[]),
        ("GetVm", r#"{}"#, "FIELD_REQUIRED", &["vm"]),
        ("GetVm", r#"{"vm":"NO"}"#, "FIELD_INVALID", &["vm"]),
        ("GetVm", r#"{"vm":"a","project":"NO"}"#, "FIELD_INVALID", &["project"]),
        ("ListVms", r#"{"pageSize":-1}"#, "FIELD_INVALID", &["page_size"]),
        ("ListVms", r#"{"pageToken":"x"}"#, "PAGE_TOKEN_INVALID", &["page_token"]),
        ("UpdateVm", r#"{}"#, "FIELD_REQUIRED", &["vm"]),
        ("UpdateVm", r#"{"vm":{"name":"a"},"updateMask":"status"}"#, "FIELD_INVALID", &["update_mask"]),
        ("UpdateVm", r#"{"vm":{"name":"a"},"updateMask":"spec.nothing"}"#, "FIELD_INVALID", &["update_mask"]),
        ("UpdateVm", r#"{"vm":{"name":"a","etag":"mine"}}"#, "FIELD_INVALID", &["vm.etag"]),
        ("DeleteVm", r#"{"vm":"a","etag":"mine"}"#, "FIELD_INVALID", &["etag"]),
        ("ShutdownVm", r#"{"vm":"a","timeout":"-1s"}"#, "FIELD_INVALID", &["timeout"]),
        ("ShutdownVm", r#"{"vm":"a","timeout":"7200s"}"#, "FIELD_INVALID", &["timeout"]),
        ("ShutdownVm", r#"{"vm":"a","timeout":"9999999999999999999s"}"#, "FIELD_INVALID", &["timeout"]),
        ("BootVm", r#"{"vm":"a","requestId":"  "}"#, "FIELD_INVALID", &["request_id"]),
        ("BootVm", r#"{"vm":"a","requestId":"a\nb"}"#, "FIELD_INVALID", &["request_id"]),
        ("ShutdownVm", r#"{"vm":"a","timeout":"5s","force":true}"#, "FIELD_INVALID", &["timeout"]),
    ];
    refused(&served, table).await;
    let long = format!(r#"{{"vm":"a","requestId":"{}"}}"#, "x".repeat(129));
    let answer = served.json(&format!("{VM}/BootVm"), &long).await;
    assert_eq!(connect_error(&answer.json()), told("invalid_argument", "FIELD_INVALID", &["request_id"]));
}

/// Method, body, reason, fields.
type Row = (&'static str, &'static str, &'static str, &'static [&'static str]);

async fn refused(served: &Served, table: &[Row]) {
    for (method, body, reason, fields) in table {
        let answer = served.json(&format!("{VM}/{method}"), body).await;
        assert_eq!(connect_error(&answer.json()), told("invalid_argument", reason, fields), "{method} {body}");
        assert_eq!(answer.status, 400, "{method} {body}");
    }
}

#[tokio::test]
async fn a_misspelt_field_is_guessed() {
    let served = serve(Options::default()).await;
    let answer = served.json(&format!("{VM}/CreateVm"), r#"{"vm":{"spec":{"memroy":{}}}}"#).await;
    let message = answer.json()["message"].as_str().unwrap().to_owned();
    assert_eq!(message, "vm.spec.memroy: is not a field of VmSpec; did you mean memory?");
}

/// The same refusal of one unary call over the four protocols.
async fn everywhere(served: &Served, method: &str, message: &[u8]) -> [Told; 3] {
    let path = format!("{VM}/{method}");
    let proto = [("content-type", "application/proto")];
    let connect = served.send(Version::Http1, &path, &proto, message.to_vec()).await;
    let grpc = [("content-type", "application/grpc"), ("te", "trailers")];
    let grpc = served.send(Version::Http2, &path, &grpc, enveloped(message)).await;
    let web = [("content-type", "application/grpc-web")];
    let web = served.send(Version::Http1, &path, &web, enveloped(message)).await;
    [connect_error(&connect.json()), grpc_error(&grpc.trailers), web_error(&web)]
}

#[tokio::test]
async fn every_protocol_tells_the_same() {
    type Row<'a> = (&'a str, &'a [u8], (&'a str, &'a str), &'a str, &'a [&'a str]);
    let served = serve(Options { max_body_bytes: 1024, ..Options::default() }).await;
    let nothing: &[&str] = &[];
    let large = vec![b' '; 4096];
    let unknown = "\x0a\x04none".as_bytes();
    let table: &[Row<'_>] = &[
        ("GetVm", unknown, ("not_found", "5"), "VM_NOT_FOUND", nothing),
        ("GetVm", b"", ("invalid_argument", "3"), "FIELD_REQUIRED", &["vm"]),
        ("GetVm", b"\x0a\xff", ("invalid_argument", "3"), "BODY_MALFORMED", nothing),
        ("GetVm", b"\x0a\x01\xff", ("invalid_argument", "3"), "BODY_MALFORMED", nothing),
        ("GetVm", &large, ("resource_exhausted", "8"), "BODY_TOO_LARGE", nothing),
        ("GetVim", b"", ("unimplemented", "12"), "METHOD_UNKNOWN", nothing),
    ];
    for (method, message, (name, number), reason, fields) in table {
        let [connect, grpc, web] = everywhere(&served, method, message).await;
        assert_eq!(connect, told(name, reason, fields), "connect {method}");
        assert_eq!(grpc, told(number, reason, fields), "grpc {method}");
        assert_eq!(web, told(number, reason, fields), "web {method}");
    }
}

#[tokio::test]
async fn json_over_grpc_is_held_against_the_protos_too() {
    let served = serve(Options::default()).await;
    let grpc = [("content-type", "application/grpc+json"), ("te", "trailers")];
    let body = enveloped(br#"{"vm":"a","nope":1}"#);
    let answer = served.send(Version::Http2, &format!("{VM}/GetVm"), &grpc, body).await;
    assert_eq!(grpc_error(&answer.trailers), told("3", "FIELD_UNKNOWN", &["nope"]));
}

#[tokio::test]
async fn streams_tell_their_refusals_in_the_last_envelope() {
    type Row<'a> = (&'a str, &'a [u8], &'a str, &'a str, &'a [&'a str]);
    let served = serve(Options::default()).await;
    let json = [("content-type", "application/connect+json")];
    let table: &[Row<'_>] = &[
        ("ReadVmLog", br#"{"vm":"none"}"#, "not_found", "VM_NOT_FOUND", &[]),
        ("ReadVmLog", br#"{"vm":"a","offset":-1}"#, "invalid_argument", "FIELD_INVALID", &["offset"]),
        ("ReadVmLog", br#"{"vm":"a","from":1}"#, "invalid_argument", "FIELD_UNKNOWN", &["from"]),
        ("ReadVmLog", br#"{"vm":"#, "invalid_argument", "BODY_MALFORMED", &[]),
        ("WatchVms", br#"{"fromRevision":"999"}"#, "failed_precondition", "REVISION_COMPACTED", &[]),
        ("AttachVmConsole", br#"{"data":"YQ=="}"#, "invalid_argument", "FIELD_REQUIRED", &["open"]),
        ("WatchVmx", br#"{}"#, "unimplemented", "METHOD_UNKNOWN", &[]),
    ];
    for (method, body, code, reason, fields) in table {
        let answer = served.send(Version::Http2, &format!("{VM}/{method}"), &json, enveloped(body)).await;
        let (flag, end) = answer.envelopes().pop().unwrap();
        assert_eq!(flag, 2, "{method}");
        let end: serde_json::Value = serde_json::from_slice(&end).unwrap();
        assert_eq!(connect_error(&end["error"]), told(code, reason, fields), "{method}");
    }
    // A body that is no envelope at all.
    let answer = served.send(Version::Http1, &format!("{VM}/WatchVms"), &json, "{}").await;
    let (_, end) = answer.envelopes().pop().unwrap();
    let end: serde_json::Value = serde_json::from_slice(&end).unwrap();
    assert_eq!(connect_error(&end["error"]), told("invalid_argument", "BODY_MALFORMED", &[]));
}

#[tokio::test]
async fn a_caller_whose_time_is_up_is_told_that_the_work_goes_on() {
    let served = serve(Options::default()).await;
    let path = format!("{VM}/GetVm");
    let json = [("content-type", "application/json"), ("connect-timeout-ms", "20")];
    let late = served.send(Version::Http1, &path, &json, r#"{"vm":"stuck"}"#).await;
    assert_eq!(late.status, 504);
    assert_eq!(connect_error(&late.json()), told("deadline_exceeded", "DEADLINE_PASSED", &[]));
    let grpc = [("content-type", "application/grpc"), ("te", "trailers"), ("grpc-timeout", "20m")];
    let late = served.send(Version::Http2, &path, &grpc, enveloped(b"\x0a\x05stuck")).await;
    assert_eq!(grpc_error(&late.trailers), told("4", "DEADLINE_PASSED", &[]));
}

#[tokio::test]
async fn what_http_itself_gets_wrong() {
    let served = serve(Options::default()).await;
    let path = format!("{VM}/BootVm");
    let plain = served.send(Version::Http1, &path, &[("content-type", "text/plain")], "x").await;
    assert_eq!(plain.status, 415);
    assert_eq!(connect_error(&plain.json()), told("invalid_argument", "CONTENT_TYPE_UNSUPPORTED", &[]));
    let none = served.send(Version::Http1, &path, &[], "{}").await;
    assert_eq!(none.status, 415);
    assert_eq!(connect_error(&none.json()).reason, "CONTENT_TYPE_UNSUPPORTED");

    for verb in ["GET", "PUT", "DELETE"] {
        let wrong = served.request((Version::Http1, verb), &path, &[], "").await;
        assert_eq!(wrong.status, 405, "{verb}");
        assert_eq!(connect_error(&wrong.json()), told("unimplemented", "METHOD_UNKNOWN", &[]), "{verb}");
    }
    let unknown = served.json("/weft.v1.VmService/Nope", "{}").await;
    assert_eq!(unknown.status, 404);
    assert_eq!(connect_error(&unknown.json()).reason, "METHOD_UNKNOWN");

    let json = [("content-type", "application/json"), ("content-encoding", "brotli-ish")];
    let encoded = served.send(Version::Http1, &path, &json, "{}").await;
    assert_eq!(connect_error(&encoded.json()).reason, "CONTENT_TYPE_UNSUPPORTED");
    let json = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let broken = served.send(Version::Http1, &path, &json, "not gzip").await;
    assert_eq!(connect_error(&broken.json()).reason, "BODY_MALFORMED");
    let json = [("content-type", "application/json"), ("connect-protocol-version", "7")];
    let version = served.send(Version::Http1, &path, &json, "{}").await;
    let field = ["connect-protocol-version"];
    assert_eq!(connect_error(&version.json()), told("invalid_argument", "FIELD_INVALID", &field));
    let grpc = [("content-type", "application/grpc+thrift"), ("te", "trailers")];
    let thrift = served.send(Version::Http2, &path, &grpc, enveloped(b"")).await;
    assert_eq!(grpc_error(&thrift.trailers), told("3", "CONTENT_TYPE_UNSUPPORTED", &[]));
}

#[tokio::test]
async fn only_loopback_is_heard() {
    let served = serve(Options::default()).await;
    let path = format!("{VM}/ListVms");
    let from = |host: &'static str, origin: &'static str| {
        [("content-type", "application/json"), ("host", host), ("origin", origin)]
    };
    for (host, origin, status) in [
        ("localhost:8080", "http://localhost:3000", 200),
        ("evil.example", "http://localhost", 403),
        ("127.0.0.1", "https://evil.example", 403),
        ("127.0.0.1", "null", 403),
    ] {
        let answer = served.send(Version::Http1, &path, &from(host, origin), "{}").await;
        assert_eq!(answer.status, status, "{host} {origin}");
        if status == 403 {
            assert_eq!(connect_error(&answer.json()).reason, "ORIGIN_FORBIDDEN");
        }
    }
    let open = serve(Options { audience: Audience::Anyone, ..Options::default() }).await;
    let answer = open.send(Version::Http1, &path, &from("evil.example", "null"), "{}").await;
    assert_eq!(answer.status, 200);
}
