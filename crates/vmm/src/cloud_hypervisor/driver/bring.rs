//! From a process that listens to a machine that runs, or waits for another.

use super::origin;
use crate::cloud_hypervisor::Error;
use crate::cloud_hypervisor::client::{Client, Request, whole};
use crate::cloud_hypervisor::config::gates::{NO_SHUTDOWN, Version};
use crate::cloud_hypervisor::config::{self, Blueprint};
use crate::cloud_hypervisor::event::Event;
use crate::cloud_hypervisor::folder::{Folder, Mark};
use crate::cloud_hypervisor::machine::{Handle, Shared};
use crate::cloud_hypervisor::model::{ReceiveMigrationData, RestoreConfig, RestoredNet, VmConfig, VmState};
use crate::tap;
use serde_json::Value;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;
use weft_domain::Violation;
use weft_ports::hypervisor::{Order, Origin, Restore, State};
use weft_ports::task;

/// The longest that another machine is waited for.
const WAIT_LIMIT: std::time::Duration = std::time::Duration::from_secs(24 * 3_600);

/// Brings the machine to where its launch may answer.
pub(super) async fn up(handle: Handle, order: &Order, version: Version) -> Result<Handle, Error> {
    let shared = handle.shared().clone();
    let folder = Folder(order.run_dir.clone());
    match &order.origin {
        Origin::Boot => boot(&shared, order, version).await?,
        Origin::Snapshot(snapshot) => restore(&shared, order, snapshot, version).await?,
        Origin::Incoming(socket) => {
            let handle = wait(handle, order, socket).await?;
            folder.mark(Mark::Waits);
            return Ok(handle);
        }
    }
    folder.mark(Mark::Booted);
    shared.saw(VmState::Running);
    Ok(handle)
}

async fn boot(shared: &Shared, order: &Order, version: Version) -> Result<(), Error> {
    let client = shared.client();
    let sockets = shared.sockets();
    let machine = config::machine(&Blueprint { order, version, sockets });
    fits(&machine, version)?;
    let create = Request::Create(Box::new(machine));
    client.ask(&create).await.map_err(|error| Error::of_call("take the machine", error))?;
    if let Some(body) = create.call().body {
        taken(client, &body).await?;
    }
    for (index, nic) in order.spec.nics.iter().enumerate() {
        let files = open(order, index)?;
        if !files.is_empty() {
            let request = Request::AddNet(config::nic(nic, index, order));
            let added = client.ask_with(&request, files).await;
            added.map_err(|error| Error::of_call("take a network interface", error))?;
        }
    }
    let booted = client.ask_within(&Request::Boot, whole(order.spec.memory.size_bytes)).await;
    booted.map(|_| ()).map_err(|error| Error::of_call("boot the machine", error))
}

fn open(order: &Order, index: usize) -> Result<Vec<OwnedFd>, Error> {
    let Some(nic) = order.spec.nics.get(index) else { return Ok(Vec::new()) };
    Ok(tap::open(nic, order.spec.network_namespace.as_deref())?)
}

/// Refuses what is longer than this version reads: it would only say that the request is wrong.
fn fits(machine: &VmConfig, version: Version) -> Result<(), Error> {
    let length = serde_json::to_vec(machine).map_or(0, |body| body.len());
    let most = version.longest_body();
    if length <= most {
        return Ok(());
    }
    let why = format!("is {length} bytes long in cloud-hypervisor's words; version {version} reads {most}");
    Err(Error::Unserved(vec![Violation { field: "vm.spec".to_owned(), why }]))
}

/// Reads back what was taken, for a field that a version does not know is passed over in silence.
async fn taken(client: &Client, said: &Value) -> Result<(), Error> {
    let info = client.info().await.map_err(|error| Error::of_call("tell what it has taken", error))?;
    let mut lost = Vec::new();
    missing(said, &info.config, "vm", &mut lost);
    if lost.is_empty() {
        return Ok(());
    }
    let said = format!("it has passed over {}", lost.join(", "));
    Err(Error::Refused { doing: "take the machine", said })
}

/// The paths of fields that were said and are not there, or not so. What says no more than the default may
/// be left out.
fn missing(said: &Value, taken: &Value, path: &str, lost: &mut Vec<String>) {
    match (said, taken) {
        (Value::Object(said), Value::Object(taken)) => {
            for (name, value) in said {
                missing(value, taken.get(name).unwrap_or(&Value::Null), &format!("{path}.{name}"), lost);
            }
        }
        (Value::Array(said), Value::Array(taken)) if said.len() == taken.len() => {
            for (i, (said, taken)) in said.iter().zip(taken).enumerate() {
                missing(said, taken, &format!("{path}[{i}]"), lost);
            }
        }
        (Value::Bool(false) | Value::Null, Value::Null) => {}
        (said, taken) if said == taken => {}
        (_, _) => lost.push(path.to_owned()),
    }
}

async fn restore(shared: &Shared, order: &Order, restore: &Restore, version: Version) -> Result<(), Error> {
    let folder = Folder(order.run_dir.clone());
    let machine = config::machine(&Blueprint { order, version, sockets: shared.sockets() });
    origin::lay(restore, order, &machine, &folder)?;
    let mut files = Vec::new();
    let mut nets = Vec::new();
    for (index, nic) in order.spec.nics.iter().enumerate() {
        let opened = open(order, index)?;
        if !opened.is_empty() {
            let num_fds = u32::try_from(opened.len()).unwrap_or(u32::MAX);
            nets.push(RestoredNet { id: config::nic_id(&nic.name), num_fds });
            files.extend(opened);
        }
    }
    let resumes = version.has(NO_SHUTDOWN);
    let said = RestoreConfig {
        source_url: format!("file://{}", folder.origin().display()),
        prefault: order.spec.memory.prefault.then_some(true),
        resume: resumes.then_some(true),
        net_fds: (!nets.is_empty()).then_some(nets),
    };
    let limit = whole(order.spec.memory.size_bytes);
    let client = shared.client();
    let restored = client.ask_all(&Request::Restore(said), files, limit).await;
    restored.map_err(|error| Error::of_call("go on from the snapshot", error))?;
    if !resumes {
        client.ask(&Request::Resume).await.map_err(|error| Error::of_call("let the machine go on", error))?;
    }
    Ok(())
}

/// Waits on a socket: the call lasts until another machine has come, and is held by the handle.
async fn wait(handle: Handle, order: &Order, socket: &Path) -> Result<Handle, Error> {
    let shared = handle.shared().clone();
    let mut events = shared.events();
    let made = shared.sockets().join("incoming.sock");
    let receives = task::spawn("cloud-hypervisor-receives", receive(shared.clone(), made.clone()));
    let mut state = shared.state();
    let ready = async {
        loop {
            match events.recv().await {
                Ok(Event::Waits) => return true,
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return false,
            }
        }
    };
    let ready = tokio::select! {
        ready = ready => ready,
        _ = state.wait_for(|state| matches!(state, State::Ended(_))) => false,
    };
    if !ready {
        let said = super::said(order);
        return Err(Error::Refused { doing: "wait for another machine", said });
    }
    if made != socket {
        let linked = std::os::unix::fs::symlink(&made, socket);
        linked.map_err(|source| Error::UseFolder { path: socket.to_owned(), source })?;
    }
    Ok(handle.receiving(receives))
}

async fn receive(shared: Arc<Shared>, socket: std::path::PathBuf) {
    let said = ReceiveMigrationData { receiver_url: format!("unix:{}", socket.display()) };
    // What became of it is told by events; this says why it failed.
    if let Err(error) = shared.client().ask_within(&Request::Receive(said), WAIT_LIMIT).await {
        tracing::warn!(%error, "another machine has not come");
        if error.is_refusal() {
            shared.end(weft_ports::hypervisor::Way::Died, format!("no machine has come: {}", error.said()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_field_that_was_passed_over_is_named() {
        let said = json!({"cpus": {"boot_vcpus": 1, "nested": false}, "disks": [{"id": "a", "sparse": true}]});
        let mut lost = Vec::new();
        let taken = json!({"cpus": {"boot_vcpus": 1, "more": 2}, "disks": [{"id": "a", "sparse": true}], "x": 1});
        missing(&said, &taken, "vm", &mut lost);
        assert!(lost.is_empty(), "{lost:?}");
        let taken = json!({"cpus": {"boot_vcpus": 2}, "disks": [{"id": "a"}]});
        missing(&said, &taken, "vm", &mut lost);
        assert_eq!(lost, ["vm.cpus.boot_vcpus", "vm.disks[0].sparse"]);
    }
}
