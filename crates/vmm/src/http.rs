//! HTTP/1.1 over a Unix socket, as VMMs speak it: one request and one answer, both JSON, in bounded time.
//!
//! ```text
//!  Call { method, path, body } ──► connect ─► request ─► answer ─► JSON | Refused { status, said }
//!                                  └──────── all of it within the given time ────────┘
//! ```
//!
//! Each call has a connection of its own, so that an answer which comes late is never taken for that of the
//! next call, and a VMM that was restarted is simply reached again. Only calls that make a machine, of which
//! none follows one that failed, share a [`Line`]. Nothing that comes is trusted: heads and
//! bodies are bounded, an error's body may be of any form, and whatever is no answer is an [`Error`].

mod passing;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, Fuse};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustix::fs::{FileType, Mode, OFlags};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::UnixStream;
use weft_ports::fault::{self, Point};

/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 4 << 20;
/// The longest head of an answer, in bytes.
const MAX_HEAD: usize = 16 << 10;
/// The most of an error's own words that are kept, in characters.
const MAX_SAID: usize = 1_000;

/// What is done with the thing that a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Method {
    /// Read it.
    Get,
    /// Set it.
    Put,
    /// Change a part of it.
    Patch,
    /// Take it away.
    Delete,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        })
    }
}

impl From<Method> for hyper::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
    }
}

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    /// What is done.
    pub(crate) method: Method,
    /// With what, from `/` on.
    pub(crate) path: String,
    /// What is said with it.
    pub(crate) body: Option<Value>,
}

impl Call {
    /// A request to read.
    #[must_use]
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::Get, path: path.into(), body: None }
    }

    /// A request that says something.
    #[must_use]
    pub(crate) fn with(method: Method, path: impl Into<String>, body: Value) -> Self {
        Self { method, path: path.into(), body: Some(body) }
    }

    /// A request that says nothing.
    #[must_use]
    pub(crate) fn bare(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), body: None }
    }

    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody listens on the socket.
    #[error("nobody listens on {}", socket.display())]
    Connect {
        /// The socket.
        socket: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The connection broke, or what came is not HTTP.
    #[error("no answer to {call}")]
    Broken {
        /// Method and path.
        call: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No whole answer came in time.
    #[error("no answer to {call} in {limit:?}")]
    Late {
        /// Method and path.
        call: String,
        /// The time it was given.
        limit: Duration,
    },
    /// The answer is longer than allowed.
    #[error("the answer to {call} has more than {MAX_ANSWER} bytes")]
    Long {
        /// Method and path.
        call: String,
    },
    /// The answer is not the JSON that was expected.
    #[error("the answer to {call} is not as it should be: {why}")]
    Garbled {
        /// Method and path.
        call: String,
        /// What is wrong with it.
        why: String,
    },
    /// The other side refused.
    #[error("{call} was refused with {status}: {said}")]
    Refused {
        /// Method and path.
        call: String,
        /// The HTTP status.
        status: u16,
        /// Its own words.
        said: String,
    },
}

impl Error {
    /// Whether the other side answered, and said no.
    #[must_use]
    pub(crate) const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    /// Whether nobody listens: the socket is not there yet, or no longer.
    #[must_use]
    pub(crate) const fn is_absence(&self) -> bool {
        matches!(self, Self::Connect { .. })
    }

    /// The words of a refusal, or what went wrong otherwise.
    #[must_use]
    pub(crate) fn said(&self) -> String {
        match self {
            Self::Refused { said, .. } => said.clone(),
            Self::Connect { .. }
            | Self::Broken { .. }
            | Self::Late { .. }
            | Self::Long { .. }
            | Self::Garbled { .. } => self.to_string(),
        }
    }
}

/// The server on one socket.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    socket: PathBuf,
}

impl Client {
    /// The server on this socket, which need not be there yet.
    #[must_use]
    pub(crate) const fn new(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// Does one call; answers its JSON, or null where there is none.
    ///
    /// # Errors
    /// Anything but a whole answer with a status of success within this time.
    pub(crate) async fn send(&self, call: &Call, limit: Duration) -> Result<Value, Error> {
        self.send_with(call, Vec::new(), limit).await
    }

    /// Does one call, and hands over these open files with its first bytes.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub(crate) async fn send_with(&self, call: &Call, files: Vec<OwnedFd>, limit: Duration) -> Result<Value, Error> {
        judged(call, limit, self.exchange(call, files)).await
    }

    /// Reads one thing.
    ///
    /// # Errors
    /// As [`Client::send`], and where the answer is not of this form.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str, limit: Duration) -> Result<T, Error> {
        let call = Call::get(path);
        let value = self.send(&call, limit).await?;
        let garbled = |error: serde_json::Error| Error::Garbled { call: call.name(), why: error.to_string() };
        serde_json::from_value(value).map_err(garbled)
    }

    async fn exchange(&self, call: &Call, files: Vec<OwnedFd>) -> Result<(u16, Bytes), Error> {
        self.connect_with(files).await?.exchange(call).await
    }

    /// A connection for calls of which each waits for the one before, and none follows one that failed.
    ///
    /// # Errors
    /// Nobody listens.
    pub(crate) async fn connect(&self) -> Result<Line, Error> {
        self.connect_with(Vec::new()).await
    }

    async fn connect_with(&self, files: Vec<OwnedFd>) -> Result<Line, Error> {
        let connected = connect(&self.socket).await;
        let stream = connected.map_err(|source| Error::Connect { socket: self.socket.clone(), source })?;
        let mut builder = http1::Builder::new();
        builder.max_buf_size(MAX_HEAD);
        let stream = passing::Passing::new(stream, files);
        let shaken = builder.handshake(TokioIo::new(stream)).await;
        let (sender, connection) =
            shaken.map_err(|source| Error::Broken { call: "connect".to_owned(), source: source.into() })?;
        let connection = async { drop(connection.await) }.boxed().fuse();
        Ok(Line { sender, connection })
    }
}

/// One connection.
pub(crate) struct Line {
    sender: http1::SendRequest<Full<Bytes>>,
    connection: Fuse<BoxFuture<'static, ()>>,
}

impl Line {
    /// Whether the other side has closed it.
    pub(crate) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Does one call, as [`Client::send`].
    ///
    /// # Errors
    /// As [`Client::send`]; nothing more can be called over it then.
    pub(crate) async fn send(&mut self, call: &Call, limit: Duration) -> Result<Value, Error> {
        judged(call, limit, self.exchange(call)).await
    }

    async fn exchange(&mut self, call: &Call) -> Result<(u16, Bytes), Error> {
        let broken = |source: hyper::Error| Error::Broken { call: call.name(), source: source.into() };
        let request = request(call)?;
        let Self { sender, connection } = self;
        let answered = async {
            sender.ready().await.map_err(broken)?;
            let response = sender.send_request(request).await.map_err(broken)?;
            let status = response.status().as_u16();
            Ok((status, body(call, response.into_body()).await?))
        };
        let mut answered = std::pin::pin!(answered);
        tokio::select! {
            biased;
            answer = &mut answered => answer,
            // It may have closed after the whole answer: what was read is still to be had.
            () = connection => answered.await,
        }
    }
}

/// What a call answers: its JSON, or null where there is none.
async fn judged(
    call: &Call,
    limit: Duration,
    exchange: impl Future<Output = Result<(u16, Bytes), Error>>,
) -> Result<Value, Error> {
    let late = |_| Err(Error::Late { call: call.name(), limit });
    fault::hit(Point::VmmAsking);
    let (status, body) = tokio::time::timeout(limit, exchange).await.unwrap_or_else(late)?;
    fault::hit(Point::VmmAnswered);
    if !(200..300).contains(&status) {
        return Err(Error::Refused { call: call.name(), status, said: said(&body) });
    }
    if body.trim_ascii().is_empty() {
        return Ok(Value::Null);
    }
    let garbled = |error: serde_json::Error| Error::Garbled { call: call.name(), why: error.to_string() };
    serde_json::from_slice(&body).map_err(garbled)
}

/// Connects to what is a socket itself: a jailed VMM may write to the folder of its sockets, and a link that
/// it leaves there would lead us elsewhere.
async fn connect(path: &Path) -> io::Result<UnixStream> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let held = rustix::fs::open(path, flags, Mode::empty())?;
    if FileType::from_raw_mode(rustix::fs::fstat(&held)?.st_mode) != FileType::Socket {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no socket"));
    }
    UnixStream::connect(format!("/proc/self/fd/{}", held.as_raw_fd())).await
}

fn request(call: &Call) -> Result<hyper::Request<Full<Bytes>>, Error> {
    let mut request = hyper::Request::builder().method(hyper::Method::from(call.method)).uri(&call.path);
    request = request.header("host", "localhost").header("accept", "application/json");
    if call.body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let body = call.body.as_ref().map(Value::to_string).unwrap_or_default();
    let unfit = |source: hyper::http::Error| Error::Broken { call: call.name(), source: source.into() };
    request.body(Full::new(body.into())).map_err(unfit)
}

async fn body(call: &Call, incoming: Incoming) -> Result<Bytes, Error> {
    match Limited::new(incoming, MAX_ANSWER).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(Error::Long { call: call.name() }),
        Err(source) => Err(Error::Broken { call: call.name(), source }),
    }
}

/// The words of an error's body: the sentence in it where it is JSON of a known form, else its text.
fn said(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let read = serde_json::from_str::<Value>(&text).ok().and_then(|value| sentence(&value));
    let clean: String = read.unwrap_or_else(|| text.into_owned()).chars().take(MAX_SAID).collect();
    let words: Vec<_> = clean.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    if words.is_empty() { "it does not say why".to_owned() } else { words.join(" ") }
}

fn sentence(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            let parts: Vec<_> = parts.iter().filter_map(sentence).collect();
            (!parts.is_empty()).then(|| parts.join(": "))
        }
        Value::Object(fields) => {
            ["fault_message", "error", "message"].iter().find_map(|name| fields.get(*name).and_then(sentence))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

#[cfg(test)]
mod tests;
