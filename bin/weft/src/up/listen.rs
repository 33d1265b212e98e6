//! Serving HTTP on a listener: bounded connections, bounded time for headers, an end in order.
//!
//! ```text
//!  wane    connections are taken still, and each answer says that its connection closes (HTTP/1)
//!  close   no more are taken ─► what was asked is answered ─► streams that go on are cut
//! ```
//!
//! A client that asks without pause over a kept connection thus learns from an answer that it must connect
//! anew, and never writes into a connection that is being closed.

use super::guests::{Guests, Stranger};
use axum::Router;
use axum::http::header::{CONNECTION, HeaderValue};
use axum::http::{Request, Response, Version};
use futures::stream::{FuturesUnordered, StreamExt};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;
use weft_ports::task::{self, Task};

/// The most connections at once; more wait in the kernel's backlog.
const MAX_CONNECTIONS: usize = 4096;
/// How long a client may take to send its headers; one that has asked nothing yet is let go after twice that.
const HEADERS: Duration = Duration::from_secs(10);
/// How long a wait is after a connection could not be taken, as when descriptors have run out.
const BREATH: Duration = Duration::from_millis(50);
/// How long requests that are under way may take after the end was asked for.
const DRAIN: Duration = Duration::from_secs(5);
/// How long, after the last of them is answered, its bytes may take to be sent, and streams to end.
const STREAMS: Duration = Duration::from_millis(200);
/// How long one who has connected before the end and asked nothing is waited for.
const LINGER: Duration = Duration::from_millis(20);

/// How serving ends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ends {
    /// It will soon.
    pub(crate) wane: CancellationToken,
    /// It does.
    pub(crate) close: CancellationToken,
}

/// What a connection is served with.
#[derive(Clone)]
struct Service {
    router: Router,
    guests: Guests,
    ends: Ends,
    /// Requests that are not answered yet.
    open: TaskTracker,
}

/// Serves until it is to close, then lets what is under way end.
pub(crate) async fn serve(listener: TcpListener, router: Router, guests: Guests, ends: Ends) {
    let service = Service { router, guests, ends, open: TaskTracker::new() };
    let mut connections = FuturesUnordered::new();
    loop {
        tokio::select! {
            taken = listener.accept(), if connections.len() < MAX_CONNECTIONS => match taken {
                Ok((stream, _)) => connections.push(task::spawn("connection", connection(stream, service.clone()))),
                Err(why) => {
                    tracing::warn!(%why, "a connection could not be taken");
                    sleep(BREATH).await;
                }
            },
            Some(_) = connections.next() => {}
            () = service.ends.close.cancelled() => break,
        }
    }
    drop(listener);
    service.open.close();
    // What is not answered by then is dropped with its connection.
    let _ = timeout(DRAIN, finish(&service.open, connections)).await;
}

/// Waits until all is answered, and a little for connections to end by themselves.
async fn finish(open: &TaskTracker, mut connections: FuturesUnordered<Task<()>>) {
    loop {
        open.wait().await;
        let ended = timeout(STREAMS, async { while connections.next().await.is_some() {} }).await;
        if ended.is_ok() || open.is_empty() {
            return;
        }
    }
}

async fn connection(stream: TcpStream, service: Service) {
    if let (Ok(peer), Ok(ours)) = (stream.peer_addr(), stream.local_addr()) {
        let guests = service.guests.clone();
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
    let close = service.ends.close.clone();
    let has_asked = asked.clone();
    let answering = tower::service_fn(move |request: Request<_>| {
        asks.send_if_modified(|asked| !std::mem::replace(asked, true));
        answer(service.clone(), request)
    });
    let served = builder.serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(answering));
    tokio::pin!(served);
    let idle = async {
        let late = timeout(HEADERS * 2, asked.wait_for(|asked| *asked)).await.is_err();
        if !late {
            std::future::pending::<()>().await;
        }
    };
    let closing = async {
        close.cancelled().await;
        if !*has_asked.borrow() {
            sleep(LINGER).await;
        }
    };
    let ended = tokio::select! {
        ended = &mut served => Some(ended),
        () = closing => None,
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

/// One request; its answer over HTTP/1 says where its connection ends with it.
async fn answer(
    service: Service,
    request: Request<hyper::body::Incoming>,
) -> Result<Response<axum::body::Body>, std::convert::Infallible> {
    let _open = service.open.token();
    let kept = request.version() < Version::HTTP_2;
    let mut response = service.router.oneshot(request).await?;
    if kept && service.ends.wane.is_cancelled() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}
