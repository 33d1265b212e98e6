//! One connection: bytes and descriptors in, whole requests out.
//!
//! Lines end in CRLF and are at most 1024 bytes; a body is as long as `Content-Length` says and never more
//! than the door takes; chunks are not decoded. Methods are `GET`, `PUT`, `PATCH` and `DELETE`, versions
//! HTTP/1.0 and 1.1.

use super::Request;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use std::io::{self, IoSliceMut, Write as _};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// The longest line.
const LINE: usize = 1024;
/// How long a connection that is over is listened to.
const LINGER: Duration = Duration::from_millis(100);
/// The most descriptors that come with one message.
const FILES: usize = 253;

/// Why no request came.
#[derive(Debug)]
pub(super) enum Broken {
    /// The other side went away.
    Gone,
    /// What came is no request that this server takes.
    Bad(String),
}

fn bad<T>(why: impl Into<String>) -> Result<T, Broken> {
    Err(Broken::Bad(why.into()))
}

/// What the head of a request says about its body.
#[derive(Debug, Default)]
struct Head {
    length: usize,
    expects: bool,
}

pub(super) struct Connection {
    stream: UnixStream,
    buffer: Vec<u8>,
    files: Vec<OwnedFd>,
}

impl Connection {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self { stream, buffer: Vec::new(), files: Vec::new() }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Takes what is still coming and forgets it, so that a reply that came early is read.
    pub(super) fn discard(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
        let _ = self.stream.set_read_timeout(Some(LINGER));
        while self.fill().is_ok() {
            self.buffer.clear();
        }
    }

    /// The next whole request.
    pub(super) fn request(&mut self, body_limit: usize) -> Result<Request, Broken> {
        let (method, path) = request_line(&self.line("Invalid request.")?)?;
        let mut head = Head::default();
        loop {
            let line = self.line("Invalid header. Reason: the line is too long")?;
            if line.is_empty() {
                break;
            }
            header(&line, &mut head)?;
        }
        if head.length > body_limit {
            return bad(format!(
                "Request payload with size {} is larger than the limit of {body_limit} allowed by server.",
                head.length
            ));
        }
        if head.expects && head.length > 0 {
            self.write(b"HTTP/1.1 100 \r\nServer: Firecracker API\r\nConnection: keep-alive\r\n\r\n")
                .map_err(|_| Broken::Gone)?;
        }
        while self.buffer.len() < head.length {
            self.fill()?;
        }
        let body: Vec<u8> = self.buffer.drain(..head.length).collect();
        let files = std::mem::take(&mut self.files);
        Ok(Request { method, path, body: (!body.is_empty()).then_some(body), files })
    }

    /// A line without its end.
    fn line(&mut self, too_long: &str) -> Result<Vec<u8>, Broken> {
        loop {
            let end = self.buffer.windows(2).position(|pair| pair == b"\r\n");
            match end {
                Some(end) if end <= LINE => {
                    let line = self.buffer.drain(..end + 2).take(end).collect();
                    return Ok(line);
                }
                Some(_) => return bad(too_long),
                None if self.buffer.len() >= LINE => return bad(too_long),
                None => self.fill()?,
            }
        }
    }

    fn fill(&mut self) -> Result<(), Broken> {
        let mut bytes = [0; 4096];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FILES))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut slices = [IoSliceMut::new(&mut bytes)];
        let got = recvmsg(&self.stream, &mut slices, &mut control, RecvFlags::CMSG_CLOEXEC);
        let got = got.map_err(|_| Broken::Gone)?.bytes;
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(files) = message {
                self.files.extend(files);
            }
        }
        if got == 0 {
            return Err(Broken::Gone);
        }
        self.buffer.extend_from_slice(&bytes[..got]);
        Ok(())
    }
}

fn request_line(line: &[u8]) -> Result<(String, String), Broken> {
    let Ok(line) = std::str::from_utf8(line) else { return bad("Invalid URI: it is no UTF-8") };
    let mut parts = line.splitn(3, ' ');
    let (Some(method), Some(uri), Some(version)) = (parts.next(), parts.next(), parts.next()) else {
        return bad("Invalid request.");
    };
    if !["GET", "PUT", "PATCH", "DELETE"].contains(&method) {
        return bad("Invalid HTTP Method: this server does not know it");
    }
    if uri.is_empty() {
        return bad("Invalid URI: it is empty");
    }
    if !["HTTP/1.0", "HTTP/1.1"].contains(&version) {
        return bad("Invalid HTTP Version: this server does not speak it");
    }
    Ok((method.to_owned(), absolute(uri).to_owned()))
}

/// The path of `http://host/path` or `/path`; anything else has none.
fn absolute(uri: &str) -> &str {
    let path = match uri.strip_prefix("http://") {
        Some(rest) => rest.find('/').map_or("", |at| &rest[at..]),
        None => uri,
    };
    if path.starts_with('/') { path } else { "" }
}

fn header(line: &[u8], head: &mut Head) -> Result<(), Broken> {
    let Ok(line) = std::str::from_utf8(line) else { return bad("Invalid header. Reason: it is no UTF-8") };
    let Some((name, value)) = line.split_once(':') else {
        return bad(format!("Invalid header. Reason: it has no value. Key: {line}"));
    };
    let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
    match name.as_str() {
        "content-length" => match value.parse::<u32>() {
            Ok(length) => head.length = usize::try_from(length).unwrap_or(usize::MAX),
            Err(_) => return bad(format!("Invalid header. Reason: Invalid value. Key:{name}; Value:{value}")),
        },
        "expect" => head.expects = value == "100-continue",
        "accept-encoding" => {
            let refused = |part: &str| {
                let part: String = part.chars().filter(|at| !at.is_whitespace()).collect();
                ["identity;q=0", "*;q=0"].contains(&part.as_str())
            };
            if value.split(',').any(refused) {
                return bad(format!("Invalid header. Reason: Invalid value. Key:{name}; Value:{value}"));
            }
        }
        _ => {}
    }
    Ok(())
}
