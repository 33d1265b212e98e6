//! The wire forms, each with a good call.

use crate::raw::{Version, connect_error, enveloped, serve};
use serde_json::json;
use weft_api::server::{Options, Serving};

const VM: &str = "/weft.v1.VmService";

#[tokio::test]
async fn connect_json_reads_both_spellings_and_writes_camel() {
    let served = serve(Options::default()).await;
    for (name, size) in
        [("a", "\"memory\":{\"size_bytes\":134217728}"), ("b", "\"memory\":{\"sizeBytes\":\"134217728\"}")]
    {
        let body = format!(
            r#"{{"vm":{{"name":"{name}","labels":{{"x":"y"}},"spec":{{{size},"cloudInit":{{"userData":"z"}}}}}},"requestId":"r1"}}"#
        );
        let answer = served.json(&format!("{VM}/CreateVm"), &body).await;
        let vm = &answer.json()["vm"];
        assert_eq!(answer.status, 200, "{vm}");
        assert_eq!(vm["spec"]["memory"]["sizeBytes"], "134217728");
        assert_eq!(vm["spec"]["cpu"], json!({"boot": 1, "max": 1}));
        assert_eq!(vm["status"]["phase"], "VM_PHASE_CREATED");
        assert_eq!(vm["project"], "default");
        assert!(vm["id"].as_str().unwrap().starts_with("vm-"));
        assert_eq!(served.house.seen(|s| s.call.clone().unwrap().request_id), Some("r1".into()));
    }
}

#[tokio::test]
async fn the_body_hash_is_of_the_body_without_its_request_id() {
    let served = serve(Options::default()).await;
    let mut hashes = Vec::new();
    for (name, id) in [("a", "1"), ("b", "2"), ("c", "2")] {
        let labels = r#""labels":{"k1":"1","k2":"2","k3":"3","k4":"4"}"#;
        let name = if name == "c" { "other" } else { "same" };
        let body = format!(r#"{{"validateOnly":true,"vm":{{"name":"{name}",{labels}}},"requestId":"{id}"}}"#);
        assert_eq!(served.json(&format!("{VM}/CreateVm"), &body).await.status, 200);
        hashes.push(served.house.seen(|s| s.call.clone().unwrap().body));
    }
    assert_eq!(hashes[0], hashes[1]);
    assert_ne!(hashes[1], hashes[2]);
}

#[tokio::test]
async fn a_read_may_be_a_get() {
    let served = serve(Options::default()).await;
    served.json(&format!("{VM}/CreateVm"), r#"{"vm":{"name":"a"}}"#).await;
    let path = format!("{VM}/GetVm?connect=v1&encoding=json&message=%7B%22vm%22%3A%22a%22%7D");
    let answer = served.request((Version::Http1, "GET"), &path, &[], "").await;
    assert_eq!(answer.json()["vm"]["name"], "a");
}

#[tokio::test]
async fn grpc_and_grpc_web_answer_with_trailers() {
    let served = serve(Options::default()).await;
    served.json(&format!("{VM}/CreateVm"), r#"{"vm":{"name":"a"}}"#).await;
    let body = enveloped(b"\x0a\x01a");
    let grpc = [("content-type", "application/grpc"), ("te", "trailers")];
    let answer = served.send(Version::Http2, &format!("{VM}/GetVm"), &grpc, body.clone()).await;
    assert_eq!(answer.trailers["grpc-status"], "0");
    assert_eq!(answer.envelopes().len(), 1);

    for version in [Version::Http1, Version::Http2] {
        let web = [("content-type", "application/grpc-web+proto")];
        let answer = served.send(version, &format!("{VM}/GetVm"), &web, body.clone()).await;
        let envelopes = answer.envelopes();
        assert_eq!(envelopes.iter().map(|e| e.0).collect::<Vec<_>>(), [0, 0x80]);
        assert!(envelopes[1].1.starts_with(b"grpc-status: 0"));
    }
}

#[tokio::test]
async fn connect_streams_json() {
    let served = serve(Options::default()).await;
    served.json(&format!("{VM}/CreateVm"), r#"{"vm":{"name":"a"}}"#).await;
    let json = [("content-type", "application/connect+json")];
    let body = enveloped(br#"{"vm":"a","offset":"5"}"#);
    let answer = served.send(Version::Http1, &format!("{VM}/ReadVmLog"), &json, body).await;
    let envelopes = answer.envelopes();
    assert_eq!(envelopes.iter().map(|e| e.0).collect::<Vec<_>>(), [0, 0, 2]);
    let first: serde_json::Value = serde_json::from_slice(&envelopes[0].1).unwrap();
    assert_eq!(first, json!({"offset": "5", "data": "aGVsbG8g"}));
}

#[tokio::test]
async fn health_and_reflection_answer() {
    let served = serve(Options::default()).await;
    let check = "/grpc.health.v1.Health/Check";
    let ask = r#"{"service":"weft.v1.VmService"}"#;
    assert_eq!(served.json(check, ask).await.json()["status"], "SERVING");
    served.door.set(Serving::No);
    assert_eq!(served.json(check, ask).await.json()["status"], "NOT_SERVING");
    assert_eq!(served.json(check, "{}").await.json()["status"], "NOT_SERVING");

    let json = [("content-type", "application/connect+json")];
    let path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    let answer = served.send(Version::Http2, path, &json, enveloped(br#"{"listServices":"*"}"#)).await;
    let text = String::from_utf8_lossy(&answer.body);
    for service in ["weft.v1.VmService", "weft.v1.NodeService", "weft.v1.EventService", "vmprovisioner.v1.VmService"] {
        assert!(text.contains(service), "{service} in {text}");
    }
}

#[tokio::test]
async fn a_mask_changes_one_field_of_the_spec() {
    let served = serve(Options::default()).await;
    let body = r#"{"vm":{"name":"a","labels":{"l":"1"},"spec":{"cpu":{"boot":2},"memory":{"sizeBytes":134217728}}}}"#;
    served.json(&format!("{VM}/CreateVm"), body).await;
    let body = r#"{"vm":{"name":"a","spec":{"memory":{"sizeBytes":268435456}}},"updateMask":"spec.memory"}"#;
    let answer = served.json(&format!("{VM}/UpdateVm"), body).await;
    let vm = &answer.json()["vm"];
    assert_eq!(vm["spec"]["memory"]["sizeBytes"], "268435456", "{vm}");
    assert_eq!(vm["spec"]["cpu"]["boot"], 2);
    assert_eq!(vm["labels"]["l"], "1");
    let body = r#"{"vm":{"name":"a","labels":{"m":"2"}}}"#;
    let answer = served.json(&format!("{VM}/UpdateVm"), body).await;
    assert_eq!(answer.json()["vm"]["labels"], json!({"m": "2"}));
    assert_eq!(answer.json()["vm"]["spec"]["cpu"]["boot"], 2);

    let id = answer.json()["vm"]["id"].clone();
    let same = json!({"vm": {"id": id, "name": "a", "project": "default", "labels": {"n": "3"}}});
    assert_eq!(served.json(&format!("{VM}/UpdateVm"), &same.to_string()).await.status, 200);
    let other = json!({"vm": {"id": id, "name": "b", "labels": {"n": "4"}}});
    let told = connect_error(&served.json(&format!("{VM}/UpdateVm"), &other.to_string()).await.json());
    assert_eq!(told.fields, ["vm.name"], "a VM keeps its name");
}
