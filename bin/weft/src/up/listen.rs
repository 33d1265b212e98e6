//! Serving HTTP on a listener: bounded connections, bounded time for headers, an end in order.

use axum::Router;
use futures::stream::{FuturesUnordered, StreamExt};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use weft_ports::task;

/// The most connections at once; more wait in the kernel's backlog.
const MAX_CONNECTIONS: usize = 4096;
/// How long a client may take to send its headers.
const HEADERS: Duration = Duration::from_secs(10);
/// How long a wait is after a connection could not be taken, as when descriptors have run out.
const BREATH: Duration = Duration::from_millis(50);

/// Serves until `stop` fires, then lets what is under way end.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let mut connections = FuturesUnordered::new();
    loop {
        tokio::select! {
            taken = listener.accept(), if connections.len() < MAX_CONNECTIONS => match taken {
                Ok((stream, _)) => {
                    connections.push(task::spawn("connection", connection(stream, router.clone(), stop.clone())));
                }
                Err(why) => {
                    tracing::warn!(%why, "a connection could not be taken");
                    tokio::time::sleep(BREATH).await;
                }
            },
            Some(_) = connections.next() => {}
            () = stop.cancelled() => break,
        }
    }
    drop(listener);
    while connections.next().await.is_some() {}
}

async fn connection(stream: TcpStream, router: Router, stop: CancellationToken) {
    // An answer is small and awaited: waiting for more bytes to send with it only delays it.
    let _ = stream.set_nodelay(true);
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(Duration::from_secs(30)).max_concurrent_streams(1024);
    let service = TowerToHyperService::new(router);
    let served = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(served);
    let ended = tokio::select! {
        ended = &mut served => Some(ended),
        () = stop.cancelled() => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(why) = ended {
        tracing::debug!(%why, "a connection broke");
    }
}
