//! One change of a running machine. What is there already stays as it is; what cannot be plugged leaves
//! nothing behind; a device that is to go has gone when the guest has let it.

use super::shared::Shared;
use crate::cloud_hypervisor::Error;
use crate::cloud_hypervisor::client::{Request, says_unknown_device};
use crate::cloud_hypervisor::config::{self, VSOCK, device_id, disk_id, files_of_change, nic_id};
use crate::cloud_hypervisor::event::Event;
use crate::cloud_hypervisor::model::{VmRemoveDevice, VmResize, VmResizeDisk, VmSeen};
use crate::http;
use crate::tap;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use weft_domain::spec::change::Change;
use weft_domain::spec::{Device, Disk, Nic, Vsock};
use weft_domain::{Fault, Reason};
use weft_ports::hypervisor::Alteration;

/// The time in which a guest lets a device go.
const GO_LIMIT: Duration = Duration::from_secs(10);
/// The fields of a device that name a file of the host.
const FILES: [&str; 4] = ["path", "file", "socket", "vhost_socket"];

/// Why a change was not made.
pub(super) enum Refusal {
    /// It could not be asked, or was refused.
    Call(http::Error),
    /// It cannot be had, as this says.
    Why(String),
    /// The host did not give what it needs.
    Host(Fault),
}

impl Refusal {
    pub(super) fn fault(self, verb: &str) -> Fault {
        let refused = |why: String| {
            let fault = Fault::new(Reason::ChangeRefused, format!("Cloud Hypervisor refuses {verb}: {why}"));
            fault.fix("the VM goes on as it was; stop it and boot it again to have the change")
        };
        match self {
            Self::Call(error) if error.is_refusal() => refused(error.said()),
            Self::Call(error) => Fault::new(Reason::VmmSilent, format!("{verb}: {error}")).retry_after(1_000),
            Self::Why(why) => refused(why),
            Self::Host(fault) => fault,
        }
    }
}

impl From<http::Error> for Refusal {
    fn from(error: http::Error) -> Self {
        Self::Call(error)
    }
}

/// Makes one change.
pub(super) async fn alter(shared: &Shared, alteration: &Alteration) -> Result<(), Refusal> {
    match &alteration.change {
        Change::Cpus(count) => resize(shared, VmResize { desired_vcpus: Some(*count), ..NOTHING }).await,
        Change::Memory(bytes) => resize(shared, VmResize { desired_ram: Some(*bytes), ..NOTHING }).await,
        Change::Balloon(balloon) => {
            resize(shared, VmResize { desired_balloon: Some(balloon.size_bytes), ..NOTHING }).await
        }
        Change::AddDisk(disk) => add_disk(shared, alteration, disk).await,
        Change::AddNic(nic) => add_nic(shared, alteration, nic).await,
        Change::AddDevice(device) => add_device(shared, alteration, device).await,
        Change::AddVsock(vsock) => add_vsock(shared, alteration, vsock).await,
        Change::ResizeDisk(name, bytes) => {
            let said = VmResizeDisk { id: disk_id(name), desired_size: *bytes };
            shared.client.ask(&Request::ResizeDisk(said)).await?;
            Ok(())
        }
        Change::RemoveDisk(name) => remove(shared, disk_id(name)).await,
        Change::RemoveNic(name) => remove(shared, nic_id(name)).await,
        Change::RemoveDevice(name) => remove(shared, device_id(name)).await,
        Change::RemoveVsock => remove(shared, VSOCK.to_owned()).await,
        Change::Hint(_)
        | Change::LimitDisk(..)
        | Change::SwapDisk(_)
        | Change::LimitNic(_)
        | Change::LimitDevice(_)
        | Change::Metadata(_) => Err(Refusal::Why("it cannot be changed while the machine runs".to_owned())),
    }
}

/// No other size of anything.
const NOTHING: VmResize = VmResize { desired_vcpus: None, desired_ram: None, desired_balloon: None };

async fn resize(shared: &Shared, said: VmResize) -> Result<(), Refusal> {
    shared.client.ask(&Request::Resize(said)).await?;
    Ok(())
}

async fn add_disk(shared: &Shared, alteration: &Alteration, disk: &Disk) -> Result<(), Refusal> {
    let said = config::disk(disk, alteration.backing.as_ref(), shared.setting.version);
    if said.path.is_none() && said.vhost_socket.is_none() {
        return Err(Refusal::Why(format!("there is no file for disk {}", disk.name)));
    }
    plug(shared, alteration, &disk_id(&disk.name), Request::AddDisk(said)).await
}

async fn add_device(shared: &Shared, alteration: &Alteration, device: &Device) -> Result<(), Refusal> {
    plug(shared, alteration, &device_id(&device.name), Request::Add(config::device(device))).await
}

async fn add_vsock(shared: &Shared, alteration: &Alteration, vsock: &Vsock) -> Result<(), Refusal> {
    let said = config::vsock(vsock, shared.setting.cell.sockets());
    plug(shared, alteration, VSOCK, Request::AddVsock(said)).await
}

async fn add_nic(shared: &Shared, alteration: &Alteration, nic: &Nic) -> Result<(), Refusal> {
    let id = nic_id(&nic.name);
    if has(&shared.client.info().await?, &id) {
        return Ok(());
    }
    let request = Request::AddNet(config::plugged_nic(nic));
    let opened = tap::open(nic, shared.setting.namespace.as_deref());
    let files = opened.map_err(|unopened| Refusal::Host(Error::from(unopened).into()))?;
    if files.is_empty() {
        return plug(shared, alteration, &id, request).await;
    }
    shared.client.ask_with(&request, files).await?;
    Ok(())
}

/// Plugs what is not there yet; its files are seen before, and no longer where it is refused.
async fn plug(shared: &Shared, alteration: &Alteration, id: &str, request: Request) -> Result<(), Refusal> {
    if has(&shared.client.info().await?, id) {
        return Ok(());
    }
    let (processes, cell) = (shared.setting.processes.as_ref(), &shared.setting.cell);
    let files = files_of_change(alteration);
    for (path, access) in &files {
        cell.admit(processes, &shared.alive, path, *access).await.map_err(Refusal::Host)?;
    }
    let answer = shared.client.ask(&request).await;
    if answer.as_ref().is_err_and(http::Error::is_refusal) {
        expel(shared, files.into_iter().map(|(path, _)| path).collect()).await;
    }
    answer?;
    Ok(())
}

/// Takes a device away, and waits until the guest has let it go.
async fn remove(shared: &Shared, id: String) -> Result<(), Refusal> {
    let before = shared.client.info().await?;
    if !has(&before, &id) {
        return Ok(());
    }
    let mut events = shared.events();
    match shared.client.ask(&Request::Remove(VmRemoveDevice { id: id.clone() })).await {
        Err(error) if says_unknown_device(&error) && !has(&shared.client.info().await?, &id) => return Ok(()),
        answer => answer?,
    };
    let gone = async {
        loop {
            match events.recv().await {
                Ok(Event::DeviceRemoved(removed)) if removed == id => return,
                Ok(_) => {}
                // Those that were missed may have told of it: it is looked for below.
                Err(RecvError::Lagged(_) | RecvError::Closed) => return,
            }
        }
    };
    let _ = tokio::time::timeout(GO_LIMIT, gone).await;
    let after = shared.client.info().await?;
    if in_tree(&after, &id) {
        return Err(Refusal::Why(format!("the guest did not let {id} go in {GO_LIMIT:?}")));
    }
    let still: Vec<_> = entries(&after.config).flat_map(files_of).collect();
    let freed = entries(&before.config).filter(|entry| entry.get("id").and_then(Value::as_str) == Some(&id));
    expel(shared, freed.flat_map(files_of).filter(|path| !still.contains(path)).collect()).await;
    Ok(())
}

async fn expel(shared: &Shared, files: Vec<PathBuf>) {
    for path in files {
        let expelled = shared.setting.cell.expel(shared.setting.processes.as_ref(), &shared.alive, &path).await;
        if let Err(fault) = expelled {
            tracing::warn!(%fault, path = %path.display(), "a VMM still sees what it no longer needs");
        }
    }
}

/// Whether the machine has this device, or has not let it go yet.
fn has(info: &VmSeen, id: &str) -> bool {
    in_tree(info, id) || entries(&info.config).any(|entry| entry.get("id").and_then(Value::as_str) == Some(id))
}

fn in_tree(info: &VmSeen, id: &str) -> bool {
    info.device_tree.as_ref().is_some_and(|tree| tree.contains_key(id))
}

/// The devices of a configuration.
fn entries(config: &Value) -> impl Iterator<Item = &Value> {
    let fields = config.as_object().into_iter().flat_map(serde_json::Map::values);
    fields.flat_map(|field| match field {
        Value::Array(entries) => entries.iter().collect::<Vec<_>>(),
        entry @ Value::Object(_) => vec![entry],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    })
}

fn files_of(entry: &Value) -> Vec<PathBuf> {
    FILES.iter().filter_map(|name| entry.get(name)?.as_str()).map(PathBuf::from).collect()
}
