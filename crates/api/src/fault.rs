//! How a refusal looks on the wire, and how it is read back: the one table between [`Kind`] and
//! Connect/gRPC codes, and the one shape of details.
//!
//! A [`Fault`] becomes a code, a message, `ErrorInfo` (reason, fix), `BadRequest` (fields at fault),
//! `RetryInfo` and `Help`. Reading it back loses nothing; an error of another server, or of the
//! connection, becomes the nearest reason.

use crate::proto::google::rpc;
use buffa::Message;
use buffa_types::google::protobuf::Duration;
use connectrpc::{ConnectError, ErrorCode, ErrorDetail};
use weft_domain::{Fault, Kind, Reason, Violation};

/// Whose reasons ours are, in `ErrorInfo.domain`.
const DOMAIN: &str = "weft";
/// Where reasons are told, in `Help`.
const HELP: &str = "docs/status-codes.md";

/// The Connect and gRPC code of a kind.
#[must_use]
pub(crate) const fn code(kind: Kind) -> ErrorCode {
    match kind {
        Kind::InvalidArgument => ErrorCode::InvalidArgument,
        Kind::NotFound => ErrorCode::NotFound,
        Kind::AlreadyExists => ErrorCode::AlreadyExists,
        Kind::Conflict => ErrorCode::Aborted,
        Kind::FailedPrecondition => ErrorCode::FailedPrecondition,
        Kind::ResourceExhausted => ErrorCode::ResourceExhausted,
        Kind::Unauthenticated => ErrorCode::Unauthenticated,
        Kind::PermissionDenied => ErrorCode::PermissionDenied,
        Kind::Unavailable => ErrorCode::Unavailable,
        Kind::DeadlineExceeded => ErrorCode::DeadlineExceeded,
        Kind::Unsupported => ErrorCode::Unimplemented,
        Kind::Internal => ErrorCode::Internal,
    }
}

/// The reason that stands for a code when the other side gave none of ours.
#[expect(clippy::wildcard_enum_match_arm, reason = "the library's list of codes is open")]
fn reason_of(code: ErrorCode) -> Reason {
    match code {
        ErrorCode::InvalidArgument | ErrorCode::OutOfRange => Reason::FieldInvalid,
        ErrorCode::NotFound => Reason::VmNotFound,
        ErrorCode::AlreadyExists => Reason::NameTaken,
        ErrorCode::Aborted => Reason::WriteConflict,
        ErrorCode::FailedPrecondition => Reason::PhaseForbids,
        ErrorCode::ResourceExhausted => Reason::LimitReached,
        ErrorCode::Unauthenticated => Reason::CallerUnknown,
        ErrorCode::PermissionDenied => Reason::OriginForbidden,
        ErrorCode::Unavailable | ErrorCode::Canceled => Reason::Away,
        ErrorCode::DeadlineExceeded => Reason::DeadlinePassed,
        ErrorCode::Unimplemented => Reason::MethodUnknown,
        _ => Reason::Bug,
    }
}

/// A refusal as it goes over the wire.
#[must_use]
pub(crate) fn to_wire(fault: Fault) -> ConnectError {
    let mut info =
        rpc::ErrorInfo { reason: fault.reason.as_str().to_owned(), domain: DOMAIN.to_owned(), ..Default::default() };
    if !fault.fix.is_empty() {
        info.metadata.insert("fix".to_owned(), fault.fix.clone());
    }
    let mut error = ConnectError::new(code(fault.kind()), fault.message)
        .with_detail(ErrorDetail::from_message("google.rpc.ErrorInfo", &info));
    if !fault.violations.is_empty() {
        let field_violations = fault
            .violations
            .into_iter()
            .map(|v| rpc::bad_request::FieldViolation { field: v.field, description: v.why, ..Default::default() })
            .collect();
        let detail = rpc::BadRequest { field_violations, ..Default::default() };
        error = error.with_detail(ErrorDetail::from_message("google.rpc.BadRequest", &detail));
    }
    if let Some(ms) = fault.retry_after_ms {
        let delay = Duration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
        let detail = rpc::RetryInfo { retry_delay: delay.into(), ..Default::default() };
        error = error.with_detail(ErrorDetail::from_message("google.rpc.RetryInfo", &detail));
    }
    let link = rpc::help::Link {
        description: if fault.fix.is_empty() { "what this reason means".to_owned() } else { fault.fix },
        url: format!("{HELP}#{}", fault.reason.as_str().to_ascii_lowercase()),
        ..Default::default()
    };
    let help = rpc::Help { links: vec![link], ..Default::default() };
    error.with_detail(ErrorDetail::from_message("google.rpc.Help", &help))
}

/// A refusal as it came over the wire.
#[must_use]
pub(crate) fn from_wire(error: &ConnectError) -> Fault {
    let message = error.message.clone().unwrap_or_else(|| error.code.as_str().to_owned());
    let mut fault = Fault::new(reason_of(error.code), message);
    for detail in &error.details {
        match detail.type_url.rsplit('/').next().unwrap_or_default() {
            "google.rpc.ErrorInfo" => read_info(detail, &mut fault),
            "google.rpc.BadRequest" => read_violations(detail, &mut fault),
            "google.rpc.RetryInfo" => read_retry(detail, &mut fault),
            _ => {}
        }
    }
    if error.details.is_empty() && error.code == ErrorCode::Unavailable {
        if let Some(why) = inmost_cause(error) {
            fault.message = format!("weft does not answer: {why}");
        }
        fault.fix = "see whether weft is running there (`weft up` starts it) and the address is right".to_owned();
    }
    fault
}

/// What the kernel said where a connection was not made or broke; the layers above it tell nothing.
fn inmost_cause(error: &ConnectError) -> Option<String> {
    let outmost = std::error::Error::source(error);
    let inmost = std::iter::successors(outmost, |cause| cause.source()).last()?.to_string();
    Some(inmost.split(" (os error").next().unwrap_or_default().to_lowercase())
}

/// The message in a detail, where it is one of this type.
pub(crate) fn unpack<M: Message>(detail: &ErrorDetail) -> Option<M> {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
    let text = detail.value.as_deref()?;
    let bytes = STANDARD_NO_PAD.decode(text).or_else(|_| STANDARD.decode(text)).ok()?;
    M::decode_from_slice(&bytes).ok()
}

fn read_info(detail: &ErrorDetail, fault: &mut Fault) {
    let Some(info) = unpack::<rpc::ErrorInfo>(detail).filter(|i| i.domain == DOMAIN) else { return };
    if let Some(reason) = Reason::parse(&info.reason) {
        fault.reason = reason;
    }
    if let Some(fix) = info.metadata.get("fix") {
        fault.fix.clone_from(fix);
    }
}

fn read_violations(detail: &ErrorDetail, fault: &mut Fault) {
    let Some(bad) = unpack::<rpc::BadRequest>(detail) else { return };
    fault.violations =
        bad.field_violations.into_iter().map(|v| Violation { field: v.field, why: v.description }).collect();
}

fn read_retry(detail: &ErrorDetail, fault: &mut Fault) {
    let Some(delay) = unpack::<rpc::RetryInfo>(detail).and_then(|r| r.retry_delay.into_option()) else { return };
    let millis = delay.seconds.saturating_mul(1000).saturating_add(i64::from(delay.nanos) / 1_000_000);
    fault.retry_after_ms = u64::try_from(millis).ok();
}

#[cfg(test)]
mod tests;
