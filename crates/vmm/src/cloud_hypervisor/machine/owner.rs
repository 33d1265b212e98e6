//! The one task that owns a machine: it hears events and sees the process end.

use super::shared::Shared;
use crate::cloud_hypervisor::client::Request;
use crate::cloud_hypervisor::event::{Event, Events};
use crate::cloud_hypervisor::folder::Mark;
use crate::cloud_hypervisor::model::VmState;
use std::sync::Arc;
use weft_ports::hypervisor::Way;
use weft_ports::processes::Ending;

/// Owns a machine until its process has ended or nobody holds it any more.
pub(super) async fn own(shared: Arc<Shared>, mut events: Events) {
    let (processes, alive) = (shared.setting.processes.clone(), shared.alive.clone());
    let mut ended = processes.ended(&alive);
    let ending = loop {
        let event = tokio::select! {
            biased;
            event = events.next() => event,
            ending = &mut ended => break ending,
        };
        match event {
            Ok(event) => tokio::select! {
                () = saw(&shared, &event) => {}
                ending = &mut ended => break ending,
            },
            Err(error) => {
                tracing::warn!(%error, pid = alive.pid, "events of a machine are lost");
                break ended.await;
            }
        }
    };
    last(&shared, &mut events, ending);
}

/// Reads what the process said last, for it may tell why it ended.
fn last(shared: &Shared, events: &mut Events, ending: Ending) {
    while let Some(event) = events.waiting() {
        note(shared, &event);
    }
    shared.process_ended(ending);
}

async fn saw(shared: &Shared, event: &Event) {
    note(shared, event);
    match event {
        // Its kernel would go on, reset the machine, or hold a processor for ever.
        Event::Panicked => {
            if let Err(error) = shared.client.ask(&Request::Shutdown).await {
                tracing::debug!(%error, "a guest that panicked is not stopped");
            }
        }
        // Whether it runs is what it was when it was sent.
        Event::Received => match shared.client.info().await {
            Ok(info) => {
                shared.setting.folder.mark(Mark::Booted);
                shared.saw(info.state);
            }
            Err(error) => tracing::warn!(%error, "what has come is not known"),
        },
        Event::Booted
        | Event::Paused
        | Event::Resumed
        | Event::Shutdown
        | Event::Rebooted
        | Event::Resized
        | Event::DeviceRemoved(_)
        | Event::Sent
        | Event::NotSent
        | Event::Waits
        | Event::NotReceived
        | Event::Other => {}
    }
    shared.tell(event);
}

/// What an event tells by itself.
fn note(shared: &Shared, event: &Event) {
    match event {
        Event::Booted | Event::Resumed => shared.saw(VmState::Running),
        Event::Paused => shared.saw(VmState::Paused),
        Event::Shutdown => shared.saw(VmState::Shutdown),
        Event::Rebooted => {
            shared.was_reset();
            shared.saw(VmState::Running);
        }
        Event::Panicked => shared.panicked(),
        Event::Sent => shared.end(Way::Moved, "the machine went on elsewhere".to_owned()),
        Event::NotReceived => shared.end(Way::Died, "the machine that was waited for has not come".to_owned()),
        Event::Resized | Event::DeviceRemoved(_) | Event::NotSent | Event::Waits | Event::Received | Event::Other => {}
    }
}
