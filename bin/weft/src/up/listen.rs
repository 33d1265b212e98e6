//! Serving HTTP on a listener: bounded connections, bounded time for headers, an end in order.

use super::guests::{Guests, Stranger};
use axum::Router;
use axum::http::Request;
use futures::stream::{FuturesUnordered, StreamExt};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use weft_ports::task;

/// The most connections at once; more wait in the kernel's backlog.
const MAX_CONNECTIONS: usize = 4096;
/// How long a client may take to send its headers; one that has asked nothing yet is let go after twice that.
const HEADERS: Duration = Duration::from_secs(10);
/// How long a wait is after a connection could not be taken, as when descriptors have run out.
const BREATH: Duration = Duration::from_millis(50);

/// Serves until `stop` fires, then lets what is under way end.
pub(crate) async fn serve(listener: TcpListener, router: Router, guests: Guests, stop: CancellationToken) {
    let mut connections = FuturesUnordered::new();
    loop {
        tokio::select! {
            taken = listener.accept(), if connections.len() < MAX_CONNECTIONS => match taken {
                Ok((stream, _)) => {
                    let served = connection(stream, router.clone(), guests.clone(), stop.clone());
                    connections.push(task::spawn("connection", served));
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

async fn connection(stream: TcpStream, router: Router, guests: Guests, stop: CancellationToken) {
    if let (Ok(peer), Ok(ours)) = (stream.peer_addr(), stream.local_addr()) {
        match tokio::task::spawn_blocking(move || guests.stranger(peer, ours)).await {
            Ok(Some(Stranger::Guest(vmm))) => {
                return tracing::warn!(%peer, vmm, "a guest connected, and is not served");
            }
            Ok(Some(Stranger::Gone)) => return tracing::debug!(%peer, "who connected is gone, and is not served"),
            Ok(None) | Err(_) => {}
        }
    }
    // An answer is small and awaited: waiting for more bytes to send with it only delays it.
    let _ = stream.set_nodelay(true);
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(Duration::from_secs(30)).max_concurrent_streams(1024);
    // The version of HTTP is read without a limit of time, and so is what is no request.
    let (asks, mut asked) = watch::channel(false);
    let service = TowerToHyperService::new(router.map_request(move |request: Request<_>| {
        asks.send_if_modified(|asked| !std::mem::replace(asked, true));
        request
    }));
    let served = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(served);
    let idle = async {
        let late = timeout(HEADERS * 2, asked.wait_for(|asked| *asked)).await.is_err();
        if !late {
            std::future::pending::<()>().await;
        }
    };
    let ended = tokio::select! {
        ended = &mut served => Some(ended),
        () = stop.cancelled() => None,
        () = idle => return tracing::debug!("a connection asked nothing"),
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
