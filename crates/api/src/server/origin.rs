//! Who may speak to a door that asks nobody's name: programs of this machine, not web pages.
//!
//! A page in a browser can send requests to loopback. Its `Origin`, or a `Host` that was pointed
//! here by DNS, gives it away; both must name loopback themselves.

use crate::fault::to_wire;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header;
use std::net::IpAddr;
use weft_domain::{Fault, Reason};

/// Refuses requests whose `Host` or `Origin` is not loopback.
pub(super) async fn loopback_only(request: Request, next: Next) -> Response {
    let header = |name| request.headers().get(name).map(|v| v.to_str().unwrap_or("?").to_owned());
    // HTTP/2 carries the host in the URI.
    let host = request.uri().authority().map(ToString::to_string).or_else(|| header(header::HOST));
    let origin = header(header::ORIGIN);
    let refused = match (&host, &origin) {
        (Some(host), _) if !is_loopback(host) => Some(("Host", host)),
        (_, Some(origin)) if !is_loopback(origin.split_once("://").map_or(origin, |(_, rest)| rest)) => {
            Some(("Origin", origin))
        }
        _ => None,
    };
    let Some((name, value)) = refused else { return next.run(request).await };
    let shown: String = value.chars().take(64).collect();
    let fault = Fault::new(Reason::OriginForbidden, format!("{name} {shown:?} is not this machine's loopback"))
        .fix("call this door as localhost, 127.0.0.1 or [::1]");
    to_wire(fault).into_http_response(request.headers()).map(axum::body::Body::new).into_response()
}

/// Whether an authority (`host[:port]`) names loopback.
fn is_loopback(authority: &str) -> bool {
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
        for bad in ["", "example.com", "localhost.example.com", "127.0.0.1.example.com", "10.0.0.1:80", "[::2]", "null"] {
            assert!(!is_loopback(bad), "{bad}");
        }
    }
}
