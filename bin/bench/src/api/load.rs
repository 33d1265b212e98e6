//! The caller: bare HTTP connections that send the same request again and again.
//!
//! It neither encodes nor decodes, so what differs between two servers is theirs.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use futures::future::try_join_all;
use http::{Request, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use weft_ports::task::{self, Task};

/// The kind of connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// HTTP/1.1: a connection for each that calls.
    H1,
    /// HTTP/2 without TLS: one connection for all.
    H2,
}

/// What is sent.
#[derive(Debug, Clone)]
pub(super) struct Shot {
    uri: Uri,
    host: String,
    body: Bytes,
}

impl Shot {
    /// A unary call of a method whose request has a text as its first field.
    pub(super) fn new(server: SocketAddr, method: &str, text: &str) -> Result<Self> {
        let length = u8::try_from(text.len()).ok().filter(|length| *length < 0x80).context("the text is long")?;
        let body = [&[0x0a, length], text.as_bytes()].concat().into();
        Ok(Self { uri: format!("http://{server}/{method}").parse()?, host: server.to_string(), body })
    }

    fn request(&self, kind: Kind) -> Result<Request<Full<Bytes>>> {
        let request = Request::post(match kind {
            Kind::H1 => self.uri.path().parse()?,
            Kind::H2 => self.uri.clone(),
        });
        let request = match kind {
            Kind::H1 => request.header(header::HOST, &self.host),
            Kind::H2 => request,
        };
        let request = request.header(header::CONTENT_TYPE, "application/proto").header("connect-protocol-version", "1");
        Ok(request.body(Full::new(self.body.clone()))?)
    }
}

enum Sender {
    H1(http1::SendRequest<Full<Bytes>>),
    H2(http2::SendRequest<Full<Bytes>>),
}

/// So many that call one server at once, each waiting for its answer before it calls again.
pub(super) struct Callers {
    kind: Kind,
    shot: Shot,
    senders: Vec<Sender>,
    _drivers: Vec<Task<()>>,
}

impl Callers {
    /// Connects them.
    pub(super) async fn connect(kind: Kind, count: usize, shot: Shot) -> Result<Self> {
        let (mut senders, mut drivers) = (Vec::new(), Vec::new());
        match kind {
            Kind::H1 => {
                for _ in 0..count {
                    let (sender, connection) = http1::handshake(stream(&shot).await?).await?;
                    senders.push(Sender::H1(sender));
                    drivers.push(task::spawn("caller", async { drop(connection.await) }));
                }
            }
            Kind::H2 => {
                let (sender, connection) = http2::handshake(TokioExecutor::new(), stream(&shot).await?).await?;
                senders.extend((0..count).map(|_| Sender::H2(sender.clone())));
                drivers.push(task::spawn("caller", async { drop(connection.await) }));
            }
        }
        Ok(Self { kind, shot, senders, _drivers: drivers })
    }

    /// Each calls so often; how long each call took, and all together.
    pub(super) async fn volley(&mut self, each: usize) -> Result<(Vec<Duration>, Duration)> {
        let (kind, shot) = (self.kind, &self.shot);
        let start = Instant::now();
        let all = self.senders.iter_mut().map(|sender| async move {
            let mut durations = Vec::with_capacity(each);
            for _ in 0..each {
                let request = shot.request(kind)?;
                let start = Instant::now();
                sender.call(request).await?;
                durations.push(start.elapsed());
            }
            Ok::<_, anyhow::Error>(durations)
        });
        let durations = try_join_all(all).await?.concat();
        Ok((durations, start.elapsed()))
    }
}

impl Sender {
    async fn call(&mut self, request: Request<Full<Bytes>>) -> Result<()> {
        let answer = match self {
            Self::H1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
            Self::H2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
        };
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        ensure!(status.is_success(), "it answers {status}: {}", String::from_utf8_lossy(&body));
        Ok(())
    }
}

async fn stream(shot: &Shot) -> Result<TokioIo<TcpStream>> {
    let stream = TcpStream::connect(&shot.host).await?;
    stream.set_nodelay(true)?;
    Ok(TokioIo::new(stream))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn an_empty_handler_answers_both_kinds_of_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap();
        let _peer = task::spawn("peer", super::super::empty::serve_on(listener));
        let method = super::super::empty::path();
        for kind in [Kind::H1, Kind::H2] {
            let shot = Shot::new(server, &method, "vm-1").unwrap();
            let mut callers = Callers::connect(kind, 3, shot).await.unwrap();
            let (durations, wall) = callers.volley(5).await.unwrap();
            assert_eq!(durations.len(), 15, "{kind:?}");
            assert!(wall >= *durations.iter().max().unwrap());
        }
        let shot = Shot::new(server, "weft.bench.v1.Peer/Missing", "vm-1").unwrap();
        let mut callers = Callers::connect(Kind::H2, 1, shot).await.unwrap();
        assert!(callers.volley(1).await.unwrap_err().to_string().contains("it answers 404"));
    }
}
