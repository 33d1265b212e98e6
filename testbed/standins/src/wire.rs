//! HTTP/1.1 over a Unix socket as both VMMs serve it: small, strict, one request at a time.
//!
//! ```text
//!  accept ─► a thread per connection ─► head (lines ≤ 1024 bytes) ─► body (Content-Length only) ─► gate ─► answer
//! ```
//!
//! At most ten connections; the next one gets a raw 503. One gate lets requests through one by one, so a
//! long request holds up every other one, as in the real programs. What comes with `SCM_RIGHTS` belongs to
//! the request that it came with. [`Faults`] decide what of this goes wrong.

mod connection;

use crate::faults::{Fault, Faults};
use connection::{Broken, Connection};
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Requests that are being answered.
static BUSY: AtomicUsize = AtomicUsize::new(0);
/// How long an end waits for them.
const COURTESY: Duration = Duration::from_millis(500);
/// Connections that are served at once.
const CONNECTIONS: usize = 10;

/// A request as it came, methods that the servers do not know already refused.
#[derive(Debug)]
pub struct Request {
    /// `GET`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// The absolute path.
    pub path: String,
    /// The body; `None` where there is none or its length is zero.
    pub body: Option<Vec<u8>>,
    /// What came by `SCM_RIGHTS`.
    pub files: Vec<OwnedFd>,
}

/// What is answered, and whether the process ends with it.
#[derive(Debug, Default)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// JSON, where there is any.
    pub body: Option<String>,
    /// Whether fields were used that are going to be removed.
    pub deprecated: bool,
    /// The process ends with this code once the reply is sent.
    pub exit: Option<i32>,
}

impl Reply {
    /// 204.
    #[must_use]
    pub fn empty() -> Self {
        Self { status: 204, ..Self::default() }
    }

    /// This status with this JSON.
    #[must_use]
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self { status, body: Some(body.to_string()), ..Self::default() }
    }

    fn bytes(&self, server: &str) -> Vec<u8> {
        let mut text = format!("HTTP/1.1 {} \r\nServer: {server}\r\nConnection: keep-alive\r\n", self.status);
        if self.deprecated {
            text.push_str("Deprecation: true\r\n");
        }
        let body = self.body.as_deref().unwrap_or_default();
        if self.status != 204 {
            text.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        text.push_str(body);
        text.into_bytes()
    }
}

/// Who answers requests.
pub trait Service: Send + Sync {
    /// The name in the `Server` header.
    fn name(&self) -> &'static str;
    /// What is answered to a request that was made to fail.
    fn failure(&self) -> Reply;
    /// Answers one request; never called twice at the same time.
    fn answer(&self, request: Request) -> Reply;
}

/// A door: who answers, how much it takes, and what goes wrong.
pub struct Door {
    service: Box<dyn Service>,
    body_limit: usize,
    faults: Faults,
    gate: Mutex<()>,
    open: AtomicUsize,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Door").field("service", &self.service.name()).finish_non_exhaustive()
    }
}

impl Door {
    /// A door that takes bodies up to this many bytes.
    #[must_use]
    pub fn new(service: Box<dyn Service>, body_limit: usize, faults: Faults) -> Arc<Self> {
        Arc::new(Self { service, body_limit, faults, gate: Mutex::new(()), open: AtomicUsize::new(0) })
    }

    /// Serves whoever connects, until the process ends.
    pub fn serve(self: &Arc<Self>, listener: &UnixListener) {
        for stream in listener.incoming().flatten() {
            if self.open.fetch_add(1, Ordering::SeqCst) >= CONNECTIONS {
                turn_away(stream);
                self.open.fetch_sub(1, Ordering::SeqCst);
                continue;
            }
            let door = self.clone();
            thread::spawn(move || {
                door.converse(stream);
                door.open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    }

    fn converse(&self, stream: UnixStream) {
        let mut connection = Connection::new(stream);
        loop {
            match connection.request(self.body_limit) {
                Ok(request) => {
                    let faults = self.faults.at(&request.method, &request.path);
                    if self.exchange(&mut connection, request, &faults).is_none() {
                        return;
                    }
                }
                Err(Broken::Gone) => return,
                Err(Broken::Bad(why)) => {
                    let reply = Reply {
                        status: 400,
                        body: Some(format!(
                            "{{ \"error\": \"{why}\nAll previous unanswered requests will be dropped.\" }}"
                        )),
                        ..Reply::default()
                    };
                    let _ = connection.write(&reply.bytes(self.service.name()));
                    connection.discard();
                    return;
                }
            }
        }
    }

    /// One request and its reply; nothing when the conversation is over.
    fn exchange(&self, connection: &mut Connection, request: Request, faults: &[Fault]) -> Option<()> {
        let gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        if before(faults) {
            return None;
        }
        BUSY.fetch_add(1, Ordering::SeqCst);
        let reply = if faults.contains(&Fault::Fail) { self.service.failure() } else { self.service.answer(request) };
        let mut bytes = reply.bytes(self.service.name());
        let mut over = false;
        for fault in faults {
            match fault {
                // why: the delay is what was asked for.
                Fault::DelayReply(time) => thread::sleep(*time),
                Fault::TruncateReply => {
                    bytes.truncate(bytes.len() / 2);
                    over = true;
                }
                Fault::GarbageReply => {
                    bytes = b"\x00\xff\x17 no such protocol\r\n\r\n".to_vec();
                    over = true;
                }
                Fault::CloseMidRequest
                | Fault::Hang
                | Fault::Exit(_)
                | Fault::Signal(_)
                | Fault::IgnoreShutdown
                | Fault::IgnoreEject
                | Fault::DropEvents
                | Fault::FillDisk
                | Fault::PendingVcpu
                | Fault::Fail => {}
            }
        }
        let written = connection.write(&bytes);
        BUSY.fetch_sub(1, Ordering::SeqCst);
        if let Some(code) = reply.exit {
            std::process::exit(code);
        }
        drop(gate);
        (written.is_ok() && !over).then_some(())
    }
}

/// Ends the process once the reply that is under way, if there is one, is out.
pub fn leave(code: i32) -> ! {
    let begun = Instant::now();
    while BUSY.load(Ordering::SeqCst) > 0 && begun.elapsed() < COURTESY {
        // why: what is waited for is a moment of another thread's.
        thread::sleep(Duration::from_millis(1));
    }
    std::process::exit(code)
}

/// What goes wrong before a request is done; whether the conversation is over.
fn before(faults: &[Fault]) -> bool {
    for fault in faults {
        match fault {
            Fault::CloseMidRequest => return true,
            Fault::Hang => loop {
                thread::park();
            },
            Fault::Exit(code) => std::process::exit(*code),
            Fault::Signal(number) => die(*number),
            Fault::TruncateReply
            | Fault::GarbageReply
            | Fault::DelayReply(_)
            | Fault::IgnoreShutdown
            | Fault::IgnoreEject
            | Fault::DropEvents
            | Fault::FillDisk
            | Fault::PendingVcpu
            | Fault::Fail => {}
        }
    }
    false
}

/// Ends this process by a signal.
fn die(number: i32) {
    if let Some(signal) = rustix::process::Signal::from_named_raw(number) {
        let _ = rustix::process::kill_process(rustix::process::getpid(), signal);
        loop {
            thread::park();
        }
    }
    std::process::abort();
}

/// The raw refusal of a connection too many.
fn turn_away(mut stream: UnixStream) {
    let body = r#"{ "error": "Too many open connections" }"#;
    let head =
        format!("HTTP/1.1 503\r\nServer: Firecracker API\r\nConnection: close\r\nContent-Length: {}", body.len());
    let _ = stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes());
}
