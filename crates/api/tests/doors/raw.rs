//! Requests as bytes, so that a test sees what really goes over the wire.

use crate::house::House;
use base64::Engine as _;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use std::sync::Arc;
use weft_api::server::{Door, Options, Ports, door};
use weft_ports::task::{Task, spawn};

/// A door on a port of loopback that the kernel chose.
pub(crate) struct Served {
    pub(crate) house: House,
    pub(crate) url: String,
    pub(crate) door: weft_api::server::Health,
    _task: Task<()>,
}

pub(crate) async fn serve(options: Options) -> Served {
    serve_with(options, |_| {}).await
}

/// The same, where something about the ports is otherwise.
pub(crate) async fn serve_with(options: Options, edit: impl FnOnce(&mut Ports)) -> Served {
    let house = House::default();
    let one = Arc::new(house.clone());
    let mut ports = Ports {
        vms: one.clone(),
        power: one.clone(),
        devices: one.clone(),
        snapshots: one.clone(),
        consoles: one.clone(),
        nodes: one.clone(),
        events: one.clone(),
        backups: one.clone(),
        usage: Some(one),
    };
    edit(&mut ports);
    let Door { router, health } = door(ports, options);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let task = spawn("door", async move { axum::serve(listener, router).await.unwrap() });
    Served { house, url, door: health, _task: task }
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    pub(crate) trailers: HeaderMap,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {:?}", self.body))
    }

    /// The envelopes of a stream: flag and content.
    pub(crate) fn envelopes(&self) -> Vec<(u8, Bytes)> {
        let (mut rest, mut found) = (self.body.clone(), Vec::new());
        while rest.len() >= 5 {
            let length = u32::from_be_bytes([rest[1], rest[2], rest[3], rest[4]]) as usize;
            found.push((rest[0], rest.slice(5..5 + length)));
            rest = rest.slice(5 + length..);
        }
        found
    }
}

/// What an error says, whatever the protocol.
#[derive(Debug, PartialEq, Eq, Clone)]
pub(crate) struct Told {
    pub(crate) code: String,
    pub(crate) reason: String,
    pub(crate) fields: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    Http1,
    Http2,
}

impl Served {
    pub(crate) async fn send(
        &self,
        version: Version,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        self.request((version, "POST"), path, headers, body).await
    }

    pub(crate) async fn request(
        &self,
        (version, verb): (Version, &str),
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let mut request = Request::builder().method(verb).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        let http2 = version == Version::Http2;
        let client: Hyper<_, Full<Bytes>> = Hyper::builder(TokioExecutor::new()).http2_only(http2).build_http();
        let (parts, body) = client.request(request).await.unwrap().into_parts();
        let collected = body.collect().await.unwrap();
        let trailers = collected.trailers().cloned().unwrap_or_default();
        Answer { status: parts.status, body: collected.to_bytes(), trailers }
    }

    /// A Connect unary call in JSON.
    pub(crate) async fn json(&self, method: &str, body: &str) -> Answer {
        self.send(Version::Http1, method, &[("content-type", "application/json")], body.to_owned()).await
    }
}

/// One message in an envelope.
pub(crate) fn enveloped(message: &[u8]) -> Bytes {
    let mut out = vec![0];
    out.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
    out.extend_from_slice(message);
    out.into()
}

fn decode(text: &str) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD_NO_PAD.decode(text.trim_end_matches('=')).unwrap()
}

/// What a Connect error says: of a unary answer, or of a stream's last envelope.
pub(crate) fn connect_error(error: &Value) -> Told {
    let detail = |name: &str| {
        let details = error["details"].as_array().cloned().unwrap_or_default();
        details.iter().find(|d| d["type"] == name).map(|d| decode(d["value"].as_str().unwrap()))
    };
    Told {
        code: error["code"].as_str().unwrap_or_default().to_owned(),
        reason: detail("google.rpc.ErrorInfo").map(|b| text_field(&b, 1)).unwrap_or_default(),
        fields: detail("google.rpc.BadRequest").map(|b| violations(&b)).unwrap_or_default(),
    }
}

/// What gRPC trailers say.
pub(crate) fn grpc_error(trailers: &HeaderMap) -> Told {
    let code = trailers["grpc-status"].to_str().unwrap().to_owned();
    let status = decode(trailers["grpc-status-details-bin"].to_str().unwrap());
    let (mut reason, mut fields) = (String::new(), Vec::new());
    for any in messages(&status, 3) {
        let value = messages(&any, 2).pop().unwrap_or_default();
        match text_field(&any, 1).as_str() {
            "type.googleapis.com/google.rpc.ErrorInfo" => reason = text_field(&value, 1),
            "type.googleapis.com/google.rpc.BadRequest" => fields = violations(&value),
            _ => {}
        }
    }
    Told { code, reason, fields }
}

/// What the trailers in a gRPC-Web body say.
pub(crate) fn web_error(answer: &Answer) -> Told {
    let (flag, content) = answer.envelopes().pop().unwrap();
    assert_eq!(flag, 0x80);
    let mut trailers = HeaderMap::new();
    for line in std::str::from_utf8(&content).unwrap().split("\r\n").filter(|l| !l.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap();
        trailers.insert(name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap());
    }
    grpc_error(&trailers)
}

fn violations(bad_request: &[u8]) -> Vec<String> {
    messages(bad_request, 1).iter().map(|v| text_field(v, 1)).collect()
}

fn text_field(message: &[u8], number: u64) -> String {
    messages(message, number).pop().map(|b| String::from_utf8(b).unwrap()).unwrap_or_default()
}

/// The length-delimited fields of this number.
fn messages(mut message: &[u8], number: u64) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    while !message.is_empty() {
        let tag = varint(&mut message);
        let value = varint(&mut message);
        if tag & 7 == 2 {
            let (content, rest) = message.split_at(usize::try_from(value).unwrap());
            if tag >> 3 == number {
                found.push(content.to_vec());
            }
            message = rest;
        }
    }
    found
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return value;
        }
    }
    value
}
