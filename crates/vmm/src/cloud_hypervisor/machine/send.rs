//! What moves the whole machine: a snapshot to a folder, a migration to a socket.

use super::shared::Shared;
use crate::cloud_hypervisor::client::{Request, whole};
use crate::cloud_hypervisor::config::gates::SENDS_IN_BACKGROUND;
use crate::cloud_hypervisor::event::Event;
use crate::cloud_hypervisor::model::{SendMigrationData, VmSnapshotConfig};
use crate::{http, log};
use std::path::Path;
use tokio::sync::broadcast::error::RecvError;
use weft_domain::snapshot::{Role, Scope};
use weft_domain::{Fault, Reason};
use weft_ports::hypervisor::{Keep, State, Way};
use weft_ports::processes::Access;

/// The files of a snapshot.
pub(in crate::cloud_hypervisor) const PARTS: [(Role, &str); 3] =
    [(Role::Memory, "memory-ranges"), (Role::State, "state.json"), (Role::Config, "config.json")];

/// Puts a held machine into a folder.
pub(super) async fn keep(shared: &Shared, keep: &Keep) -> Result<Vec<(Role, String)>, Fault> {
    if keep.scope != Scope::Full {
        let fault = Fault::new(Reason::VerbUnsupported, "Cloud Hypervisor keeps the whole memory or nothing");
        return Err(fault.fix("take a full snapshot"));
    }
    if !shared.is_held() {
        let fault = Fault::new(Reason::PhaseForbids, "cannot keep a machine that runs");
        return Err(fault.fix("pause it first"));
    }
    let failed = |why: String| {
        let fault = Fault::new(Reason::SnapshotFailed, format!("Cloud Hypervisor cannot keep the machine: {why}"));
        fault.fix("the VM goes on as it was; look at the space on the node's disk")
    };
    let (processes, cell) = (&shared.setting.processes, &shared.setting.cell);
    let admitted = cell.admit_anew(processes.as_ref(), &shared.alive, &keep.folder).await;
    admitted.map_err(|fault| failed(fault.message))?;
    let said = VmSnapshotConfig { destination_url: format!("file://{}", keep.folder.display()) };
    let answer = shared.client.ask_within(&Request::Snapshot(said), whole(shared.setting.memory)).await;
    if let Err(fault) = cell.expel(processes.as_ref(), &shared.alive, &keep.folder).await {
        tracing::warn!(%fault, folder = %keep.folder.display(), "a VMM still sees the folder of a snapshot");
    }
    answer.map_err(|error| shared.before_end("keep").err().unwrap_or_else(|| failed(error.said())))?;
    for (_, file) in &PARTS {
        let there = std::fs::metadata(keep.folder.join(file)).is_ok_and(|found| found.is_file());
        if !there {
            return Err(failed(format!("it has not written {file}")));
        }
    }
    Ok(PARTS.map(|(role, file)| (role, file.to_owned())).to_vec())
}

/// Sends a machine to one that waits on this socket.
pub(super) async fn send(shared: &Shared, socket: &Path) -> Result<(), Fault> {
    let failed = |why: String| {
        let fault = Fault::new(Reason::MigrationFailed, format!("Cloud Hypervisor cannot send the machine: {why}"));
        fault.fix("the VM runs on where it was")
    };
    // The name may be a link to where the other made its socket.
    let socket = std::fs::canonicalize(socket).map_err(|error| failed(format!("{}: {error}", socket.display())))?;
    let (processes, cell) = (&shared.setting.processes, &shared.setting.cell);
    let admitted = cell.admit(processes.as_ref(), &shared.alive, &socket, Access::Write).await;
    admitted.map_err(|fault| failed(fault.message))?;
    let limit = whole(shared.setting.memory);
    let timeout_s = shared.setting.version.has(SENDS_IN_BACKGROUND).then_some(limit.as_secs());
    let said = SendMigrationData { destination_url: format!("unix:{}", socket.display()), timeout_s };
    let (mut events, mut state) = (shared.events(), shared.state());
    shared.begin_send();
    let answer = shared.client.ask_within(&Request::Send(said), limit).await;
    let sent = match answer {
        Ok(_) if !shared.setting.version.has(SENDS_IN_BACKGROUND) => Ok(()),
        Ok(_) => tokio::time::timeout(limit, outcome(shared, &mut events, &mut state))
            .await
            .unwrap_or_else(|_| Err(format!("it has not told of its end in {limit:?}"))),
        Err(error) => meanwhile(shared, &error),
    };
    if let Err(fault) = cell.expel(processes.as_ref(), &shared.alive, &socket).await {
        tracing::debug!(%fault, "a VMM still sees the socket that it was sent over");
    }
    match sent {
        Ok(()) => {
            shared.end(Way::Moved, "the machine went on elsewhere".to_owned());
            Ok(())
        }
        Err(why) => {
            shared.end_send();
            // Its guest may have powered off meanwhile, unheard.
            if let Ok(info) = shared.client.info().await {
                shared.saw(info.state);
            }
            Err(failed(why))
        }
    }
}

/// An answer that broke off may be that of a process which has ended because it was done.
fn meanwhile(shared: &Shared, error: &http::Error) -> Result<(), String> {
    let moved = matches!(&*shared.state().borrow(), State::Ended(end) if end.way == Way::Moved);
    if moved { Ok(()) } else { Err(error.said()) }
}

/// What became of it, as its events tell.
async fn outcome(
    shared: &Shared,
    events: &mut tokio::sync::broadcast::Receiver<Event>,
    state: &mut tokio::sync::watch::Receiver<State>,
) -> Result<(), String> {
    let told = async {
        loop {
            match events.recv().await {
                Ok(Event::Sent) => return Ok(()),
                Ok(Event::NotSent) => {
                    // It says why only after it has told; what it answers comes later still.
                    let _ = shared.client.info().await;
                    return Err(log::last_words(&shared.setting.vmm_log));
                }
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => std::future::pending::<()>().await,
            }
        }
    };
    let ended = async {
        let end = state.wait_for(|state| matches!(state, State::Ended(_))).await;
        match end.as_deref() {
            Ok(State::Ended(end)) if end.way == Way::Moved => Ok(()),
            Ok(State::Ended(end)) => Err(end.message.clone()),
            Ok(State::Running | State::Held) | Err(_) => Err("it is gone".to_owned()),
        }
    };
    tokio::select! {
        outcome = told => outcome,
        outcome = ended => outcome,
    }
}
