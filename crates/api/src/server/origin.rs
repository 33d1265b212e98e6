//! Who may speak to a door that asks nobody's name: programs of this machine, not web pages.
//!
//! A page in a browser can send requests to loopback. Its `Origin`, or a `Host` that was pointed
//! here by DNS, gives it away; both must name loopback themselves.

use super::observe::refused;
use crate::fault::to_wire;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::header;
use std::net::IpAddr;
use weft_domain::{Fault, Reason};

/// Refuses requests whose `Host` or `Origin` is not loopback.
pub(super) async fn loopback_only(request: Request, next: Next) -> Response {
    match refusal(&request) {
        None => next.run(request).await,
        Some(fault) => {
            refused(fault.reason);
            to_wire(fault).into_http_response(request.headers()).map(Body::new)
        }
    }
}

fn refusal(request: &Request) -> Option<Fault> {
    let header = |name| request.headers().get(name).map(|v| v.to_str().unwrap_or("?").to_owned());
    // HTTP/2 carries the host in the URI.
    let host = request.uri().authority().map(ToString::to_string).or_else(|| header(header::HOST));
    let origin = header(header::ORIGIN);
    let bare = |origin: &str| origin.split_once("://").map_or(origin, |(_, rest)| rest).to_owned();
    let (name, value) = match (host, origin) {
        (Some(host), _) if !is_loopback(&host) => ("Host", host),
        (_, Some(origin)) if !is_loopback(&bare(&origin)) => ("Origin", origin),
        _ => return None,
    };
    let shown: String = value.chars().take(64).collect();
    let fault = Fault::new(Reason::OriginForbidden, format!("{name} {shown:?} is not this machine's loopback"));
    Some(fault.fix("call this door as localhost, 127.0.0.1 or [::1]"))
}

/// Whether an authority (`host[:port]`) names loopback.
fn is_loopback(authority: &str) -> bool {
    // What is before an '@' is a user's name, whatever it looks like.
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None if authority.matches(':').count() > 1 => authority,
        None => authority.split(':').next().unwrap_or_default(),
    };
    let named = host.trim_end_matches('.').to_ascii_lowercase();
    named == "localhost" || named.ends_with(".localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn loopback_names() {
        for good in ["localhost", "localhost:8080", "127.0.0.1", "127.9.9.9:1", "[::1]:8080", "::1", "LOCALHOST."] {
            assert!(is_loopback(good), "{good}");
        }
        for bad in [
            "",
            "localhost:80@example.com",
            "example.com",
            "localhost.example.com",
            "127.0.0.1.example.com",
            "10.0.0.1:80",
            "[::2]",
            "null",
        ] {
            assert!(!is_loopback(bad), "{bad}");
        }
    }
}
