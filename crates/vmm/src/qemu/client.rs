//! QMP: QEMU's line of JSON messages over a Unix socket.
//!
//! ```text
//!  send(command) ──► {"execute": …, "id": n}\r\n
//!  reply(n)      ◄── {"return": …, "id": n} | {"error": …, "id": n}
//!  event()       ◄── {"event": …}            (events met on the way to a reply are kept in order)
//! ```
//!
//! What comes is not trusted: a line is bounded, so are the events that wait, and whatever is no message
//! of the protocol is an error, after which the connection is of no more use. `event` may be cancelled at
//! any await without loss.

mod message;

pub(super) use message::{Event, Moved, Shutdown, Status};

use bytes::BytesMut;
use message::Message;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest};
use tokio::net::UnixStream;
use weft_ports::fault::{self, Point};

/// The longest line that is read, in bytes. The longest answer that is asked for tells of every disk.
const MAX_LINE: usize = 1024 * 1024;
/// The most events that wait to be looked at.
const MAX_EVENTS: usize = 1_024;

/// Why talking to QEMU failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The socket could not be read or written.
    #[error("cannot use the QMP socket")]
    Use(#[source] io::Error),
    /// QEMU closed the socket.
    #[error("QEMU closed the QMP socket")]
    Closed,
    /// A line is longer than allowed.
    #[error("QEMU sent a line of more than {MAX_LINE} bytes")]
    LongLine,
    /// A line is no message of the protocol.
    #[error("QEMU sent what is not QMP: {why}")]
    Garbled {
        /// What is wrong with it.
        why: String,
    },
    /// More events came than are kept.
    #[error("QEMU sent more than {MAX_EVENTS} events at once")]
    Flooded,
    /// QEMU refused a command.
    #[error("QEMU refused {command}: {why}")]
    Refused {
        /// The command.
        command: String,
        /// What QEMU says.
        why: String,
    },
    /// No answer came in time.
    #[error("QEMU did not answer {command} in {limit:?}")]
    Late {
        /// The command.
        command: String,
        /// The time it was given.
        limit: Duration,
    },
}

/// A command on its way.
#[derive(Debug)]
struct Sent {
    id: u64,
    command: &'static str,
}

/// The first commands, on their way.
#[derive(Debug)]
pub(super) struct Introduction {
    capabilities: Sent,
    status: Sent,
}

/// One connection to QEMU.
pub(super) struct Client<S> {
    stream: S,
    buffer: BytesMut,
    events: VecDeque<Event>,
    next: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Client<S> {
    /// A connection that has not been greeted yet. Commands may be sent at once: QEMU reads them later.
    pub(super) fn new(stream: S) -> Self {
        Self { stream, buffer: BytesMut::with_capacity(4_096), events: VecDeque::new(), next: 1 }
    }

    /// Begins to speak, and asks for the state of the machine in the same breath.
    pub(super) async fn introduce(&mut self) -> Result<Introduction, Error> {
        let capabilities = self.send("qmp_capabilities", &Value::Null).await?;
        Ok(Introduction { capabilities, status: self.send("query-status", &Value::Null).await? })
    }

    /// The state that was asked for when the connection was introduced.
    pub(super) async fn introduced(&mut self, introduction: Introduction) -> Result<Status, Error> {
        match self.read().await? {
            Message::Greeting => {}
            Message::Event(_) | Message::Answer { .. } => {
                return Err(Error::Garbled { why: "the first message is not a greeting".to_owned() });
            }
        }
        self.reply(&introduction.capabilities).await?;
        let status = self.reply(&introduction.status).await?;
        Status::read(&status)
    }

    /// The state of the machine.
    pub(super) async fn status(&mut self, limit: Duration) -> Result<Status, Error> {
        let status = self.call("query-status", &Value::Null, limit).await?;
        Status::read(&status)
    }

    /// Sends a command and waits for its answer, at most this long.
    pub(super) async fn call(
        &mut self,
        command: &'static str,
        arguments: &Value,
        limit: Duration,
    ) -> Result<Value, Error> {
        let whole = async {
            fault::hit(Point::VmmAsking);
            let sent = self.send(command, arguments).await?;
            fault::hit(Point::VmmAsked);
            let reply = self.reply(&sent).await;
            fault::hit(Point::VmmAnswered);
            reply
        };
        let late = || Error::Late { command: command.to_owned(), limit };
        tokio::time::timeout(limit, whole).await.unwrap_or_else(|_| Err(late()))
    }

    /// The next event.
    pub(super) async fn event(&mut self) -> Result<Event, Error> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            match self.read().await? {
                Message::Event(event) => return Ok(event),
                // The late answer to a command that was given up.
                Message::Answer { id, .. } if id < self.next => {}
                Message::Answer { .. } | Message::Greeting => {
                    return Err(Error::Garbled { why: "an answer that nobody asked for".to_owned() });
                }
            }
        }
    }

    /// An event that has come already.
    pub(super) fn waiting_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    async fn send(&mut self, command: &'static str, arguments: &Value) -> Result<Sent, Error> {
        let (sent, line) = self.line(command, arguments);
        self.stream.write_all(line.as_bytes()).await.map_err(Error::Use)?;
        Ok(sent)
    }

    fn line(&mut self, command: &'static str, arguments: &Value) -> (Sent, String) {
        let id = self.next;
        self.next += 1;
        let mut message = json!({"execute": command, "id": id});
        if !arguments.is_null() {
            message["arguments"] = arguments.clone();
        }
        (Sent { id, command }, format!("{message}\r\n"))
    }

    async fn reply(&mut self, sent: &Sent) -> Result<Value, Error> {
        loop {
            match self.read().await? {
                Message::Event(event) => self.keep(event)?,
                Message::Answer { id, answer } if id == sent.id => {
                    return answer.map_err(|why| Error::Refused { command: sent.command.to_owned(), why });
                }
                Message::Answer { id, .. } if id < sent.id => {}
                Message::Answer { .. } | Message::Greeting => {
                    return Err(Error::Garbled { why: "an answer that nobody asked for".to_owned() });
                }
            }
        }
    }

    fn keep(&mut self, event: Event) -> Result<(), Error> {
        if self.events.len() >= MAX_EVENTS {
            return Err(Error::Flooded);
        }
        self.events.push_back(event);
        Ok(())
    }

    async fn read(&mut self) -> Result<Message, Error> {
        let mut searched = 0;
        loop {
            if let Some(end) = self.buffer[searched..].iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(searched + end + 1);
                let line = line.trim_ascii();
                if !line.is_empty() {
                    return Message::read(line);
                }
                searched = 0;
                continue;
            }
            searched = self.buffer.len();
            if searched > MAX_LINE {
                return Err(Error::LongLine);
            }
            if self.stream.read_buf(&mut self.buffer).await.map_err(Error::Use)? == 0 {
                return Err(Error::Closed);
            }
        }
    }
}

impl Client<UnixStream> {
    /// Hands QEMU a descriptor under a name; one that had the name before is closed.
    pub(super) async fn hand(&mut self, name: &str, file: BorrowedFd<'_>, limit: Duration) -> Result<(), Error> {
        let command = "getfd";
        let whole = async {
            let (sent, line) = self.line(command, &json!({"fdname": name}));
            let sending = self.stream.async_io(Interest::WRITABLE, || pass(&self.stream, line.as_bytes(), file)).await;
            let written = sending.map_err(Error::Use)?;
            self.stream.write_all(&line.as_bytes()[written..]).await.map_err(Error::Use)?;
            self.reply(&sent).await.map(|_| ())
        };
        let late = || Error::Late { command: command.to_owned(), limit };
        tokio::time::timeout(limit, whole).await.unwrap_or_else(|_| Err(late()))
    }
}

/// Sends bytes and a descriptor with the first of them; answers how many bytes went.
fn pass(stream: &UnixStream, bytes: &[u8], file: BorrowedFd<'_>) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let files = [file];
    ancillary.push(SendAncillaryMessage::ScmRights(&files));
    Ok(sendmsg(stream, &[IoSlice::new(bytes)], &mut ancillary, SendFlags::NOSIGNAL)?)
}

#[cfg(test)]
mod tests;
