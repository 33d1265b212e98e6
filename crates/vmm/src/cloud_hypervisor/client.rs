//! The API: every endpoint that is used, with its own message and its own time.
//!
//! Calls are told apart by how long the one thread that serves them may be busy: a snapshot or a migration
//! holds up every other call, so an answer that is late says nothing about the process, and its life is
//! watched elsewhere. A request without a message has no body at all: even `{}` would be refused.

use super::config::Further;
use super::model::{
    DiskConfig, NetConfig, ReceiveMigrationData, RestoreConfig, SendMigrationData, VmConfig, VmCounters,
    VmRemoveDevice, VmResize, VmResizeDisk, VmSeen, VmSnapshotConfig, VsockConfig,
};
use crate::http::{self, Call, Method};
use serde::Serialize;
use serde_json::Value;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

/// The time for what is done at once.
const SHORT: Duration = Duration::from_secs(5);
/// The time for what builds devices or threads of a guest.
const LONG: Duration = Duration::from_secs(30);
/// The time for what moves the whole memory, and the least rate that is waited for, in bytes per second.
const WHOLE: Duration = Duration::from_secs(60);
const LEAST_RATE: u64 = 32 << 20;
/// What a counter says that nothing was counted for: the least latency before the first request.
const NOTHING: u64 = u64::MAX;

/// What can be asked.
#[derive(Debug, Clone)]
pub(super) enum Request {
    Info,
    Counters,
    Create(Box<VmConfig>),
    Boot,
    Pause,
    Resume,
    Shutdown,
    Reboot,
    PowerButton,
    Nmi,
    End,
    Resize(VmResize),
    ResizeDisk(VmResizeDisk),
    AddDisk(DiskConfig),
    AddNet(NetConfig),
    AddVsock(VsockConfig),
    Add(Further),
    Remove(VmRemoveDevice),
    Snapshot(VmSnapshotConfig),
    Restore(RestoreConfig),
    Receive(ReceiveMigrationData),
    Send(SendMigrationData),
}

impl Request {
    const fn path(&self) -> &'static str {
        match self {
            Self::Info => "/api/v1/vm.info",
            Self::Counters => "/api/v1/vm.counters",
            Self::Create(_) => "/api/v1/vm.create",
            Self::Boot => "/api/v1/vm.boot",
            Self::Pause => "/api/v1/vm.pause",
            Self::Resume => "/api/v1/vm.resume",
            Self::Shutdown => "/api/v1/vm.shutdown",
            Self::Reboot => "/api/v1/vm.reboot",
            Self::PowerButton => "/api/v1/vm.power-button",
            Self::Nmi => "/api/v1/vm.nmi",
            Self::End => "/api/v1/vmm.shutdown",
            Self::Resize(_) => "/api/v1/vm.resize",
            Self::ResizeDisk(_) => "/api/v1/vm.resize-disk",
            Self::AddDisk(_) => "/api/v1/vm.add-disk",
            Self::AddNet(_) => "/api/v1/vm.add-net",
            Self::AddVsock(_) => "/api/v1/vm.add-vsock",
            Self::Add(further) => match further {
                Further::Pmem(_) => "/api/v1/vm.add-pmem",
                Further::Fs(_) => "/api/v1/vm.add-fs",
                Further::Vdpa(_) => "/api/v1/vm.add-vdpa",
                Further::Device(_) => "/api/v1/vm.add-device",
                Further::UserDevice(_) => "/api/v1/vm.add-user-device",
                Further::GenericVhostUser(_) => "/api/v1/vm.add-generic-vhost-user",
            },
            Self::Remove(_) => "/api/v1/vm.remove-device",
            Self::Snapshot(_) => "/api/v1/vm.snapshot",
            Self::Restore(_) => "/api/v1/vm.restore",
            Self::Receive(_) => "/api/v1/vm.receive-migration",
            Self::Send(_) => "/api/v1/vm.send-migration",
        }
    }

    fn body(&self) -> Option<Value> {
        match self {
            Self::Info
            | Self::Counters
            | Self::Boot
            | Self::Pause
            | Self::Resume
            | Self::Shutdown
            | Self::Reboot
            | Self::PowerButton
            | Self::Nmi
            | Self::End => None,
            Self::Create(said) => json(said),
            Self::Resize(said) => json(said),
            Self::ResizeDisk(said) => json(said),
            Self::AddDisk(said) => json(said),
            Self::AddNet(said) => json(said),
            Self::AddVsock(said) => json(said),
            Self::Add(further) => match further {
                Further::Pmem(said) => json(said),
                Further::Fs(said) => json(said),
                Further::Vdpa(said) => json(said),
                Further::Device(said) => json(said),
                Further::UserDevice(said) => json(said),
                Further::GenericVhostUser(said) => json(said),
            },
            Self::Remove(said) => json(said),
            Self::Snapshot(said) => json(said),
            Self::Restore(said) => json(said),
            Self::Receive(said) => json(said),
            Self::Send(said) => json(said),
        }
    }

    /// The request as it is written.
    pub(super) fn call(&self) -> Call {
        let reads = matches!(self, Self::Info | Self::Counters);
        let method = if reads { Method::Get } else { Method::Put };
        Call { method, path: self.path().to_owned(), body: self.body() }
    }

    const fn limit(&self) -> Duration {
        match self {
            Self::Info
            | Self::Counters
            | Self::Pause
            | Self::Resume
            | Self::PowerButton
            | Self::Nmi
            | Self::Resize(_)
            | Self::ResizeDisk(_)
            | Self::Remove(_)
            | Self::End => SHORT,
            Self::Create(_)
            | Self::Boot
            | Self::Shutdown
            | Self::Reboot
            | Self::AddDisk(_)
            | Self::AddNet(_)
            | Self::AddVsock(_)
            | Self::Add(_) => LONG,
            Self::Snapshot(_) | Self::Restore(_) | Self::Receive(_) | Self::Send(_) => WHOLE,
        }
    }
}

/// A message as JSON: all of ours have text for keys.
fn json(said: &impl Serialize) -> Option<Value> {
    serde_json::to_value(said).ok()
}

/// The time for what moves so much memory, in bytes.
pub(super) fn whole(memory: u64) -> Duration {
    WHOLE + Duration::from_secs(memory / LEAST_RATE)
}

/// One process.
#[derive(Debug, Clone)]
pub(super) struct Client(http::Client);

impl Client {
    /// The process that listens on this socket.
    pub(super) const fn new(socket: PathBuf) -> Self {
        Self(http::Client::new(socket))
    }

    /// Asks, and waits as long as the request may take.
    pub(super) async fn ask(&self, request: &Request) -> Result<Value, http::Error> {
        self.0.send(&request.call(), request.limit()).await
    }

    /// Asks, and waits this long.
    pub(super) async fn ask_within(&self, request: &Request, limit: Duration) -> Result<Value, http::Error> {
        self.0.send(&request.call(), limit).await
    }

    /// Asks, and hands over open files.
    pub(super) async fn ask_with(&self, request: &Request, files: Vec<OwnedFd>) -> Result<Value, http::Error> {
        self.0.send_with(&request.call(), files, request.limit()).await
    }

    /// Asks, hands over open files, and waits this long.
    pub(super) async fn ask_all(
        &self,
        request: &Request,
        files: Vec<OwnedFd>,
        limit: Duration,
    ) -> Result<Value, http::Error> {
        self.0.send_with(&request.call(), files, limit).await
    }

    /// What the machine is.
    pub(super) async fn info(&self) -> Result<VmSeen, http::Error> {
        self.read(&Request::Info, SHORT).await
    }

    /// Its counters, without those that nothing was counted for.
    pub(super) async fn counters(&self) -> Result<VmCounters, http::Error> {
        let mut counters: VmCounters = self.read(&Request::Counters, SHORT).await?;
        counters.values_mut().for_each(|device| device.retain(|_, value| *value != NOTHING));
        Ok(counters)
    }

    async fn read<T: serde::de::DeserializeOwned>(&self, request: &Request, limit: Duration) -> Result<T, http::Error> {
        self.0.get(request.path(), limit).await
    }
}

/// Whether a refusal says that there is no machine.
pub(super) fn says_absent(error: &http::Error) -> bool {
    error.is_refusal() && ["not created", "missing config", "VmNotCreated"].iter().any(|words| said(error, words))
}

/// Whether a refusal says that a device of this id is not there.
pub(super) fn says_unknown_device(error: &http::Error) -> bool {
    error.is_refusal()
        && ["Missing device", "Unknown device", "NoDeviceToRemove", "missing device", "to remove"]
            .iter()
            .any(|words| said(error, words))
}

fn said(error: &http::Error, words: &str) -> bool {
    error.said().to_lowercase().contains(&words.to_lowercase())
}
