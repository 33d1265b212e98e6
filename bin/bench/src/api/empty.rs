//! The peer: a Connect handler that does nothing, served by the RPC library alone.
//!
//! It reads a text as `Get` reads an id, and answers an empty message.

use anyhow::{Result, anyhow};
use buffa_types::google::protobuf::{Empty, StringValue};
use connectrpc::{RequestContext, Router, Server, ServiceResult, handler_fn};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

/// Its service.
const SERVICE: &str = "weft.bench.v1.Peer";
/// Its method.
const METHOD: &str = "Nothing";

/// The path of its one method.
pub(super) fn path() -> String {
    format!("{SERVICE}/{METHOD}")
}

/// Serves it on this listener until standard input ends, so that it never outlives who started it.
///
/// # Errors
/// Connections cannot be taken.
pub async fn serve(listener: TcpListener) -> Result<()> {
    let ended = async {
        let mut input = tokio::io::stdin();
        let mut bytes = [0; 64];
        while input.read(&mut bytes).await.is_ok_and(|count| count > 0) {}
    };
    tokio::select! {
        served = serve_on(listener) => served,
        () = ended => Ok(()),
    }
}

/// Serves it on this listener.
pub(super) async fn serve_on(listener: TcpListener) -> Result<()> {
    let router = Router::new().route(SERVICE, METHOD, handler_fn(nothing));
    Server::from_listener(listener).serve(router).await.map_err(|why| anyhow!("{why}"))
}

async fn nothing(_: RequestContext, _: StringValue) -> ServiceResult<Empty> {
    Ok(Empty::default().into())
}
