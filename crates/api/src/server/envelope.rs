//! One shape for every error that leaves this door.
//!
//! Errors of handlers carry their details already. Those that the RPC library raises before any
//! handler runs do not; here they are caught on their way out, in each protocol's own form, and
//! written anew with reason, field and help:
//!
//! ```text
//!  Connect unary    HTTP status and JSON body      the body is read and written anew
//!  Connect stream   last envelope, flag 0x02       the first frame is looked at
//!  gRPC             trailers                       the trailers are looked at
//!  gRPC-Web         last frame, flag 0x80          the first frame is looked at
//! ```
//!
//! Answers that are no errors pass untouched.

use super::{observe, refusal};
use crate::fault;
use crate::proto::google::rpc::Status;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use buffa::Message as _;
use buffa_types::google::protobuf::Any;
use bytes::{Bytes, BytesMut};
use connectrpc::{ConnectError, ErrorCode, ErrorDetail, Protocol};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body::Frame;
use http_body_util::BodyExt as _;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use weft_domain::Fault;

/// The longest error body that is read to be written anew.
const MOST: usize = 64 * 1024;
/// What gRPC encodes in `grpc-message`.
const ENCODED: &AsciiSet = &CONTROLS.add(b'%');
/// Flag of a Connect stream's last envelope.
const CONNECT_END: u8 = 0x02;
/// Flag of gRPC-Web's trailers.
const WEB_TRAILERS: u8 = 0x80;

/// Gives every error that has none its details.
pub(super) async fn envelope(request: Request, next: Next) -> Response {
    let spoken = spoken(request.headers());
    let response = next.run(request).await;
    match spoken {
        None => unary(response).await,
        Some(Protocol::Grpc) => grpc(response),
        Some(Protocol::GrpcWeb) => first_frame(response, web_frame),
        Some(_) => first_frame(response, connect_frame),
    }
}

/// The protocol whose errors are not in an HTTP status; `None` where they are.
fn spoken(headers: &HeaderMap) -> Option<Protocol> {
    if let Some(known) = Protocol::detect(headers) {
        return known.is_streaming.then_some(known.protocol);
    }
    // A codec that is not known still gets its answer in its protocol.
    let content_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let grpc = content_type.strip_prefix("application/grpc")?;
    Some(if grpc.starts_with("-web") { Protocol::GrpcWeb } else { Protocol::Grpc })
}

fn counted(fault: Fault) -> ConnectError {
    observe::refused(fault.reason);
    fault::to_wire(fault)
}

async fn unary(response: Response) -> Response {
    if response.status().is_success() || response.status().is_informational() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(read) = axum::body::to_bytes(body, MOST).await else {
        return Response::from_parts(parts, Body::empty());
    };
    let told = match serde_json::from_slice::<ConnectError>(&read) {
        Ok(error) => refusal::classify(&error),
        Err(_) if read.is_empty() => refusal::of_status(parts.status),
        Err(_) => None,
    };
    let Some(error) = told.map(counted) else { return Response::from_parts(parts, Body::from(read)) };
    // The status that the library chose says more than the code's own where it is about HTTP itself.
    let about_http = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED, StatusCode::UNSUPPORTED_MEDIA_TYPE]
        .contains(&parts.status);
    if !about_http {
        parts.status = error.code.http_status();
    }
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(error.to_json()))
}

fn grpc(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    if let Some(better) = better_trailers(&parts.headers) {
        // An answer of trailers alone repeats its status among the headers.
        parts.headers.extend(better);
        parts.headers.remove("grpc-status-details-bin");
    }
    let body = body.map_frame(|frame| match frame.into_trailers() {
        Ok(mut trailers) => {
            if let Some(better) = better_trailers(&trailers) {
                trailers.extend(better);
            }
            Frame::trailers(trailers)
        }
        Err(frame) => frame,
    });
    Response::from_parts(parts, Body::new(body))
}

/// Looks at the first frame of a body: an error that no handler raised is its only frame.
fn first_frame(response: Response, better: fn(&Bytes) -> Option<Bytes>) -> Response {
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let mut first = true;
    let body = body.map_frame(move |frame| {
        if !std::mem::take(&mut first) {
            return frame;
        }
        match frame.into_data() {
            Ok(data) => Frame::data(better(&data).unwrap_or(data)),
            Err(frame) => frame,
        }
    });
    Response::from_parts(parts, Body::new(body))
}

/// The content of an envelope with this flag, where these bytes are one and nothing else.
fn sole_envelope(bytes: &Bytes, flag: u8) -> Option<Bytes> {
    let (head, rest) = bytes.split_at_checked(5)?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
    (head[0] == flag && usize::try_from(length).ok()? == rest.len()).then(|| bytes.slice(5..))
}

fn wrap(flag: u8, content: &[u8]) -> Option<Bytes> {
    let mut out = BytesMut::with_capacity(content.len() + 5);
    out.extend_from_slice(&[flag]);
    out.extend_from_slice(&u32::try_from(content.len()).ok()?.to_be_bytes());
    out.extend_from_slice(content);
    Some(out.freeze())
}

fn connect_frame(frame: &Bytes) -> Option<Bytes> {
    let mut end: serde_json::Value = serde_json::from_slice(&sole_envelope(frame, CONNECT_END)?).ok()?;
    let error: ConnectError = serde_json::from_value(end.get("error")?.clone()).ok()?;
    let told = counted(refusal::classify(&error)?);
    end["error"] = serde_json::to_value(&told).ok()?;
    wrap(CONNECT_END, &serde_json::to_vec(&end).ok()?)
}

fn web_frame(frame: &Bytes) -> Option<Bytes> {
    let content = sole_envelope(frame, WEB_TRAILERS)?;
    let mut trailers = HeaderMap::new();
    for line in std::str::from_utf8(&content).ok()?.split("\r\n").filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':')?;
        let name: http::HeaderName = name.trim().parse().ok()?;
        trailers.insert(name, HeaderValue::from_str(value.trim()).ok()?);
    }
    trailers.extend(better_trailers(&trailers)?);
    let mut text = Vec::new();
    for (name, value) in &trailers {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    wrap(WEB_TRAILERS, &text)
}

/// The three gRPC trailers of an error, with details, where these have none.
fn better_trailers(trailers: &HeaderMap) -> Option<HeaderMap> {
    let code: u32 = trailers.get("grpc-status")?.to_str().ok()?.parse().ok()?;
    let code = ErrorCode::from_grpc_code(code)?;
    let text = |name| trailers.get(name).and_then(|v: &HeaderValue| v.to_str().ok()).unwrap_or_default();
    let status = STANDARD_NO_PAD
        .decode(text("grpc-status-details-bin").trim_end_matches('='))
        .ok()
        .and_then(|bytes| Status::decode_from_slice(&bytes).ok())
        .unwrap_or_default();
    if !status.details.is_empty() {
        return None;
    }
    let message = percent_decode_str(text("grpc-message")).decode_utf8_lossy().into_owned();
    let told = counted(refusal::classify(&ConnectError::new(code, message))?);
    let mut better = HeaderMap::new();
    better.insert("grpc-status", HeaderValue::from(told.code.grpc_code()));
    let message = told.message.unwrap_or_default();
    better.insert("grpc-message", HeaderValue::from_str(&utf8_percent_encode(&message, ENCODED).to_string()).ok()?);
    let status = Status {
        code: i32::try_from(told.code.grpc_code()).ok()?,
        message,
        details: told.details.iter().filter_map(any).collect(),
        ..Default::default()
    };
    let text = STANDARD_NO_PAD.encode(status.encode_to_vec());
    better.insert("grpc-status-details-bin", HeaderValue::from_str(&text).ok()?);
    Some(better)
}

fn any(detail: &ErrorDetail) -> Option<Any> {
    let value = detail.value.as_deref()?;
    let value = STANDARD_NO_PAD.decode(value).or_else(|_| STANDARD.decode(value)).ok()?;
    let type_url = format!("type.googleapis.com/{}", detail.type_url);
    Some(Any { type_url, value: value.into(), ..Default::default() })
}
