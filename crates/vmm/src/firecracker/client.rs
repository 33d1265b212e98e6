//! Firecracker's API, with the time that each call is given.

use super::model::{Action, Instance, MachineNow, SnapshotCreate, Turn};
use crate::http::{Call, Client as Http, Error, Line, Method};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

/// The time that a call is given which only sets or tells something.
pub(super) const LIMIT: Duration = Duration::from_secs(5);
/// The same for a call that waits for the virtual CPUs, for which Firecracker itself waits 30 s.
pub(super) const TURN_LIMIT: Duration = Duration::from_secs(35);
/// The same for one that reads or writes the whole memory.
pub(super) const MEMORY_LIMIT: Duration = Duration::from_secs(600);

/// One Firecracker.
#[derive(Debug, Clone)]
pub(super) struct Client {
    http: Http,
}

impl Client {
    /// The one that listens on this socket, or will.
    pub(super) const fn new(socket: PathBuf) -> Self {
        Self { http: Http::new(socket) }
    }

    /// Who it is and how it is.
    pub(super) async fn instance(&self) -> Result<Instance, Error> {
        self.get("/").await
    }

    /// Its memory at boot, in MiB.
    pub(super) async fn boot_mib(&self) -> Result<u64, Error> {
        self.get::<MachineNow>("/machine-config").await.map(|machine| machine.mem_size_mib)
    }

    /// Reads one thing.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.http.get(path, LIMIT).await
    }

    /// Holds its virtual CPUs or lets them go on: `Paused`, `Resumed`.
    pub(super) async fn turn(&self, state: &'static str) -> Result<(), Error> {
        self.say(Method::Patch, "/vm", &Turn { state }, TURN_LIMIT).await
    }

    /// Does one of the things that are not set but done.
    pub(super) async fn act(&self, action_type: &'static str) -> Result<(), Error> {
        self.say(Method::Put, "/actions", &Action { action_type }, LIMIT).await
    }

    /// Writes a snapshot.
    pub(super) async fn snapshot(&self, snapshot: &SnapshotCreate) -> Result<(), Error> {
        self.say(Method::Put, "/snapshot/create", snapshot, MEMORY_LIMIT).await
    }

    /// Changes a part of something.
    pub(super) async fn patch(&self, path: &str, body: &impl Serialize) -> Result<(), Error> {
        self.say(Method::Patch, path, body, LIMIT).await
    }

    /// Takes something away.
    pub(super) async fn delete(&self, path: String) -> Result<(), Error> {
        self.http.send(&Call::bare(Method::Delete, path), LIMIT).await.map(drop)
    }

    /// A connection for the calls of a plan.
    pub(super) async fn connect(&self) -> Result<Line, Error> {
        self.http.connect().await
    }

    /// Makes a call of a plan; one that starts the machine or loads its memory is given the time for it.
    pub(super) async fn send(&self, call: &Call) -> Result<(), Error> {
        self.http.send(call, limit(call)).await.map(drop)
    }

    /// The same over a connection, which is another where the other side has closed it.
    pub(super) async fn send_over(&self, line: &mut Line, call: &Call) -> Result<(), Error> {
        if line.is_closed() {
            *line = self.connect().await?;
        }
        line.send(call, limit(call)).await.map(drop)
    }

    async fn say(&self, method: Method, path: &str, body: &impl Serialize, limit: Duration) -> Result<(), Error> {
        let body: Value = serde_json::to_value(body)
            .map_err(|error| Error::Garbled { call: format!("{method} {path}"), why: error.to_string() })?;
        self.http.send(&Call::with(method, path, body), limit).await.map(drop)
    }
}

fn limit(call: &Call) -> Duration {
    match call.path.as_str() {
        "/snapshot/load" => MEMORY_LIMIT,
        "/actions" | "/vm" => TURN_LIMIT,
        _ => LIMIT,
    }
}
