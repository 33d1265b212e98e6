//! Requests and answers as bytes: Connect over HTTP/1.1 and HTTP/2, gRPC over HTTP/2 without TLS.

use crate::proto::Contract;
use base64::Engine as _;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use weft_ports::task::spawn;

/// A request: HTTP's version and verb, the path, headers, the body.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) version: Version,
    pub(crate) verb: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    Http1,
    Http2,
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    pub(crate) body: Bytes,
    trailers: HeaderMap,
}

/// What an error says, whatever the protocol.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Connect's code, or gRPC's number.
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) reason: String,
    pub(crate) fix: String,
    pub(crate) link: String,
    pub(crate) fields: Vec<String>,
}

/// Sends a request to the server at this address.
pub(crate) async fn send(api: &str, asked: &Asked) -> Result<Answer, String> {
    let said = |what: &str, error: &dyn std::fmt::Display| format!("{what}: {error}");
    let stream = tokio::net::TcpStream::connect(api).await.map_err(|e| said("connect", &e))?;
    let io = TokioIo::new(stream);
    let host = asked.headers.iter().find(|(name, _)| *name == "host").map_or(api, |(_, host)| host);
    let uri = match asked.version {
        Version::Http1 => asked.path.clone(),
        Version::Http2 => format!("http://{host}{}", asked.path),
    };
    let mut request = Request::builder().method(asked.verb).uri(uri);
    if asked.version == Version::Http1 {
        request = request.header("host", host);
    }
    for (name, value) in asked.headers.iter().filter(|(name, _)| *name != "host") {
        request = request.header(*name, value);
    }
    let request = request.body(Full::new(asked.body.clone())).expect("a row's request can be written");
    let response = match asked.version {
        Version::Http1 => {
            let (mut sender, connection) = http1::handshake(io).await.map_err(|e| said("handshake", &e))?;
            let driven = spawn("http1", async { drop(connection.await) });
            let response = sender.send_request(request).await;
            (response, driven)
        }
        Version::Http2 => {
            let (mut sender, connection) =
                http2::handshake(TokioExecutor::new(), io).await.map_err(|e| said("handshake", &e))?;
            let driven = spawn("http2", async { drop(connection.await) });
            let response = sender.send_request(request).await;
            (response, driven)
        }
    };
    let (response, _driven) = response;
    let (parts, body) = response.map_err(|e| said("answer", &e))?.into_parts();
    let collected = body.collect().await.map_err(|e| said("body", &e))?;
    let trailers = collected.trailers().cloned().unwrap_or_default();
    Ok(Answer { status: parts.status, headers: parts.headers, body: collected.to_bytes(), trailers })
}

/// One message in an envelope.
pub(crate) fn enveloped(message: &[u8]) -> Bytes {
    let mut out = vec![0];
    out.extend_from_slice(&u32::try_from(message.len()).expect("a row's body is short").to_be_bytes());
    out.extend_from_slice(message);
    out.into()
}

impl Answer {
    /// What it says over unary Connect.
    pub(crate) fn unary(&self, contract: &Contract) -> Option<Heard> {
        connect(contract, &serde_json::from_slice(&self.body).ok()?)
    }

    /// What it says in a Connect stream's last envelope.
    pub(crate) fn stream(&self, contract: &Contract) -> Option<Heard> {
        let mut rest = &self.body[..];
        while let Some((&[flag, a, b, c, d], more)) = rest.split_first_chunk::<5>() {
            let (content, more) = more.split_at_checked(u32::from_be_bytes([a, b, c, d]) as usize)?;
            if flag & 2 == 2 {
                return connect(contract, &serde_json::from_slice::<Value>(content).ok()?["error"]);
            }
            rest = more;
        }
        None
    }

    /// What it says over gRPC.
    pub(crate) fn grpc(&self, contract: &Contract) -> Option<Heard> {
        // An answer of trailers alone has them among its headers.
        trailers(contract, if self.trailers.is_empty() { &self.headers } else { &self.trailers })
    }

    /// What it says over gRPC-Web, whose trailers are in the body.
    pub(crate) fn web(&self, contract: &Contract) -> Option<Heard> {
        let content = self.body.strip_prefix(&[0x80]).and_then(|rest| rest.get(4..))?;
        let lines = std::str::from_utf8(content).ok()?.lines().filter_map(|line| line.split_once(": "));
        let read = |(name, value): (&str, &str)| Some((name.parse::<HeaderName>().ok()?, value.parse().ok()?));
        trailers(contract, &lines.filter_map(read).collect())
    }
}

fn trailers(contract: &Contract, trailers: &HeaderMap) -> Option<Heard> {
    let text = |name| trailers.get(name)?.to_str().ok();
    let mut heard = Heard {
        code: text("grpc-status")?.to_owned(),
        message: text("grpc-message").unwrap_or_default().to_owned(),
        ..Heard::default()
    };
    let status = contract.decode("google.rpc.Status", &bytes(text("grpc-status-details-bin").unwrap_or_default())?)?;
    for any in status["details"].as_array().into_iter().flatten() {
        let name = any["type_url"].as_str()?.rsplit('/').next()?;
        heard.add(contract, name, &bytes(any["value"].as_str()?)?);
    }
    Some(heard)
}

fn connect(contract: &Contract, error: &Value) -> Option<Heard> {
    let mut heard = Heard {
        code: error["code"].as_str()?.to_owned(),
        message: error["message"].as_str().unwrap_or_default().to_owned(),
        ..Heard::default()
    };
    for detail in error["details"].as_array().into_iter().flatten() {
        heard.add(contract, detail["type"].as_str()?, &bytes(detail["value"].as_str()?)?);
    }
    Some(heard)
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    base64::engine::general_purpose::STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

impl Heard {
    fn add(&mut self, contract: &Contract, name: &str, detail: &[u8]) {
        let Some(detail) = contract.decode(name, detail) else { return };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match name {
            "google.rpc.ErrorInfo" => {
                self.reason = text(&detail["reason"]);
                self.fix = text(&detail["metadata"]["fix"]);
            }
            "google.rpc.BadRequest" => {
                let all = detail["field_violations"].as_array().into_iter().flatten();
                self.fields = all.map(|one| text(&one["field"])).collect();
            }
            "google.rpc.Help" => self.link = text(&detail["links"][0]["url"]),
            _ => {}
        }
    }
}
