//! How long a caller waits, as its headers say it.
//!
//! The RPC library passes over a deadline that it cannot read, and the call would then wait as if none
//! had been given. Here such a deadline is refused, and one that is over already is told so before
//! anything is done.

use super::observe::refused;
use crate::fault::to_wire;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use weft_domain::{Fault, Reason};

/// The header of a deadline over Connect, its form, and the most digits that it has.
const CONNECT: (&str, &str, usize) = ("connect-timeout-ms", "must be milliseconds in 1 to 10 digits", 10);
/// The same over gRPC and gRPC-Web.
const GRPC: (&str, &str, usize) = ("grpc-timeout", "must be 1 to 8 digits and one of H, M, S, m, u and n", 8);

/// Refuses requests whose deadline cannot be read, or is over.
pub(super) async fn readable(request: Request, next: Next) -> Response {
    match [CONNECT, GRPC].into_iter().find_map(|deadline| refusal(request.headers(), deadline)) {
        None => next.run(request).await,
        Some(fault) => {
            refused(fault.reason);
            to_wire(fault).into_http_response(request.headers()).map(Body::new)
        }
    }
}

fn refusal(headers: &HeaderMap, (name, form, most): (&str, &str, usize)) -> Option<Fault> {
    let text = headers.get(name)?.to_str().unwrap_or("?");
    let digits = if name == GRPC.0 { text.strip_suffix(['H', 'M', 'S', 'm', 'u', 'n']).unwrap_or("?") } else { text };
    if !(1..=most).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        let fix = "correct the deadline, or leave the header out";
        return Some(Fault::field(Reason::FieldInvalid, name, form).fix(fix));
    }
    digits.bytes().all(|b| b == b'0').then(|| {
        Fault::new(Reason::DeadlinePassed, "the caller's time was up before it began; nothing was done")
            .fix("give the call more time")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn told((name, form, most): (&'static str, &str, usize), value: &str) -> Option<Reason> {
        let headers = HeaderMap::from_iter([(
            http::HeaderName::from_static(name),
            HeaderValue::from_str(value).expect("a header's value"),
        )]);
        refusal(&headers, (name, form, most)).map(|fault| fault.reason)
    }

    #[test]
    fn deadlines_of_both_protocols() {
        for (deadline, value, reason) in [
            (CONNECT, "30000", None),
            (CONNECT, "9999999999", None),
            (CONNECT, "0", Some(Reason::DeadlinePassed)),
            (CONNECT, "99999999999", Some(Reason::FieldInvalid)),
            (CONNECT, "-5", Some(Reason::FieldInvalid)),
            (CONNECT, "soon", Some(Reason::FieldInvalid)),
            (CONNECT, "", Some(Reason::FieldInvalid)),
            (GRPC, "30S", None),
            (GRPC, "99999999n", None),
            (GRPC, "0m", Some(Reason::DeadlinePassed)),
            (GRPC, "30", Some(Reason::FieldInvalid)),
            (GRPC, "S", Some(Reason::FieldInvalid)),
            (GRPC, "999999999n", Some(Reason::FieldInvalid)),
        ] {
            assert_eq!(told(deadline, value), reason, "{} {value:?}", deadline.0);
        }
    }
}
