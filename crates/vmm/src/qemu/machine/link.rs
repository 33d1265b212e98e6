//! The connection to one QEMU, made again when it is lost.
//!
//! QEMU hears one client at a time; a second waits unheard until the first has closed.

use crate::qemu::client::{Client, Error, Event, Status};
use serde_json::Value;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::UnixStream;

/// The time in which QEMU greets and tells its state.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// The time that a command is given.
const CALL_LIMIT: Duration = Duration::from_secs(5);
/// How long is waited before the first attempt to connect again, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// What comes over a link.
#[derive(Debug)]
pub(in crate::qemu) enum Heard {
    /// Something happened.
    Event(Event),
    /// The connection was lost and is there again; events may have been missed, and this is the state.
    Status(Status),
}

/// A connection that may be lost and found again.
pub(in crate::qemu) struct Link {
    path: PathBuf,
    client: Option<Client<UnixStream>>,
    wait: Duration,
}

impl Link {
    /// Over a connection that is there.
    pub(in crate::qemu) fn of(client: Client<UnixStream>, path: PathBuf) -> Self {
        Self { path, client: Some(client), wait: WAITS.0 }
    }

    /// To one that is not there.
    pub(in crate::qemu) fn lost(path: PathBuf) -> Self {
        Self { path, client: None, wait: WAITS.0 }
    }

    /// Connects, and tells the state.
    pub(in crate::qemu) async fn open(path: PathBuf) -> Result<(Self, Status), Error> {
        let mut link = Self::lost(path);
        let status = link.connect().await?;
        Ok((link, status))
    }

    /// What comes next. May be cancelled without loss.
    pub(in crate::qemu) async fn heard(&mut self) -> Heard {
        loop {
            if let Some(client) = &mut self.client {
                match client.event().await {
                    Ok(event) => return Heard::Event(event),
                    Err(error) => self.lose(&error),
                }
            }
            tokio::time::sleep(self.wait).await;
            match self.connect().await {
                Ok(status) => return Heard::Status(status),
                Err(error) => {
                    tracing::debug!(%error, path = %self.path.display(), "QEMU is not reached");
                    self.wait = (self.wait * 2).min(WAITS.1);
                }
            }
        }
    }

    /// An event that has come already.
    pub(super) fn waiting_event(&mut self) -> Option<Event> {
        self.client.as_mut()?.waiting_event()
    }

    /// What is still to be read of a QEMU that has ended.
    pub(super) async fn last_event(&mut self) -> Option<Event> {
        let event = tokio::time::timeout(CALL_LIMIT, self.client.as_mut()?.event()).await;
        event.ok()?.ok()
    }

    /// Sends a command and waits for its answer.
    pub(in crate::qemu) async fn call(&mut self, command: &'static str, arguments: Value) -> Result<Value, Error> {
        let client = self.connected().await?;
        let answer = client.call(command, &arguments, CALL_LIMIT).await;
        self.keep_or_lose(answer)
    }

    /// Hands QEMU a descriptor under a name.
    pub(in crate::qemu) async fn hand(&mut self, name: &str, file: BorrowedFd<'_>) -> Result<(), Error> {
        let client = self.connected().await?;
        let answer = client.hand(name, file, CALL_LIMIT).await;
        self.keep_or_lose(answer)
    }

    /// Asks for the state.
    pub(in crate::qemu) async fn status(&mut self) -> Result<Status, Error> {
        let client = self.connected().await?;
        let answer = client.status(CALL_LIMIT).await;
        self.keep_or_lose(answer)
    }

    async fn connected(&mut self) -> Result<&mut Client<UnixStream>, Error> {
        if self.client.is_none() {
            self.connect().await?;
        }
        self.client.as_mut().ok_or(Error::Closed)
    }

    async fn connect(&mut self) -> Result<Status, Error> {
        let limit = CONNECT_LIMIT;
        let opened = async {
            let mut client = Client::new(UnixStream::connect(&self.path).await.map_err(Error::Use)?);
            let introduction = client.introduce().await?;
            let status = client.introduced(introduction).await?;
            Ok((client, status))
        };
        let late = |_| Err(Error::Late { command: "the greeting".to_owned(), limit });
        let (client, status) = tokio::time::timeout(limit, opened).await.unwrap_or_else(late)?;
        self.client = Some(client);
        self.wait = WAITS.0;
        Ok(status)
    }

    /// After a refusal or a late answer the connection is still of use; after anything else it is not.
    fn keep_or_lose<T>(&mut self, answer: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &answer {
            match error {
                Error::Refused { .. } | Error::Late { .. } => {}
                Error::Use(_) | Error::Closed | Error::LongLine | Error::Garbled { .. } | Error::Flooded => {
                    self.lose(error);
                }
            }
        }
        answer
    }

    fn lose(&mut self, error: &Error) {
        tracing::debug!(%error, path = %self.path.display(), "the connection to QEMU is lost");
        self.client = None;
    }
}
