//! What the RPC library refuses by itself, told in our words.
//!
//! Unknown methods, wrong content types, bodies that are too large or cannot be decoded are
//! refused before any handler runs, with a code and a sentence but without details. This is the
//! one table that gives each of them its reason.

use connectrpc::{ConnectError, ErrorCode};
use http::StatusCode;
use weft_domain::{Fault, Reason};

/// The refusal that the library meant; `None` where the error is already told in full or is not ours to tell.
#[expect(clippy::wildcard_enum_match_arm, reason = "the library's list of codes is open")]
pub(super) fn classify(error: &ConnectError) -> Option<Fault> {
    if !error.details.is_empty() {
        return None;
    }
    let said = error.message.as_deref().unwrap_or_default();
    match error.code {
        ErrorCode::InvalidArgument if said.contains("content type") => Some(content_type(said)),
        ErrorCode::InvalidArgument if said.contains("protocol version") => Some(
            Fault::field(Reason::FieldInvalid, "connect-protocol-version", "must be 1")
                .fix("speak version 1 of Connect"),
        ),
        ErrorCode::InvalidArgument => Some(malformed(said)),
        ErrorCode::ResourceExhausted => Some(too_large(said)),
        ErrorCode::DeadlineExceeded => Some(
            Fault::new(
                Reason::DeadlinePassed,
                "the caller's time was up before the answer was there; the work goes on",
            )
            .fix("ask for the resource again, or give the call more time"),
        ),
        ErrorCode::Unimplemented => Some(unimplemented(said)),
        ErrorCode::Unknown if said.contains("GET") || said.contains("POST") => Some(wrong_verb()),
        ErrorCode::Unknown if said.contains("unsupported") => Some(content_type(said)),
        ErrorCode::Internal if said.contains("request body") || said.contains("compressed message") => {
            Some(malformed(said))
        }
        ErrorCode::Internal => Some(Fault::internal("the request could not be served")),
        _ => None,
    }
}

/// The refusal that an empty answer with this status stands for.
pub(super) fn of_status(status: StatusCode) -> Option<Fault> {
    match status {
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Some(content_type("the content type is not spoken here")),
        StatusCode::METHOD_NOT_ALLOWED => Some(wrong_verb()),
        _ => None,
    }
}

fn malformed(said: &str) -> Fault {
    // The library's sentence names its own codec first; what it found is after the colon.
    let found = said.split_once(": ").map_or(said, |(_, found)| found);
    Fault::new(Reason::BodyMalformed, format!("the request's body cannot be read: {found}"))
        .fix("send what the content type says, in the shape that the proto gives")
}

fn too_large(said: &str) -> Fault {
    Fault::new(Reason::BodyTooLarge, format!("the request's body is too large: {said}")).fix("send less in one request")
}

fn content_type(said: &str) -> Fault {
    Fault::new(Reason::ContentTypeUnsupported, said.to_owned()).fix(
        "send application/json or application/proto (Connect), application/grpc or application/grpc-web, plain or gzip",
    )
}

fn wrong_verb() -> Fault {
    Fault::new(Reason::MethodUnknown, "this method is called with POST, and with GET only where it changes nothing")
        .fix("send a POST")
}

fn unimplemented(said: &str) -> Fault {
    if let Some(path) = said.strip_prefix("method not found: ") {
        let path: String = path.chars().take(128).collect();
        return Fault::new(Reason::MethodUnknown, format!("there is no method {path:?}"))
            .fix("see which methods there are by server reflection, such as `grpcurl … list`");
    }
    if said.contains("unsupported") || said.contains("not supported") { content_type(said) } else { malformed(said) }
}
