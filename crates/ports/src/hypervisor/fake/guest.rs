//! One guest of the fake: what its VMM process and its virtual CPUs do.
//!
//! The process and the guest end apart: a guest that powered off leaves a process that waits to be buried.

use super::{Behaviour, End, Order, Way};
use crate::hypervisor::{Origin, State};
use crate::processes::{Alive, Ending};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};
use tokio::sync::watch;
use weft_domain::spec::Draft;
use weft_domain::spec::change::Change;
use weft_domain::{InstanceId, Time};

/// The start of the machine on which the fake's processes live.
pub(super) const BOOT_ID: &str = "00000000-0000-4000-8000-000000000000";
/// The process id of the first; larger than any that Linux gives, so that none is signalled by mistake.
const FIRST_PID: u32 = 1 << 30;

/// One guest with its VMM.
pub(super) struct Guest {
    pub(super) instance: InstanceId,
    pub(super) alive: Alive,
    pub(super) state: watch::Sender<State>,
    pub(super) resets: watch::Sender<u64>,
    pub(super) process: watch::Sender<Option<Ending>>,
    /// What it waits for, until it has come.
    pub(super) incoming: Option<PathBuf>,
    /// What the machine has become.
    body: Mutex<Body>,
    behaviour: Mutex<Behaviour>,
    console_log: PathBuf,
}

/// What a machine has become since it was launched.
#[derive(Debug, Clone)]
pub(super) struct Body {
    /// Its specification.
    pub(super) spec: Draft,
    /// Every change that was asked, also those that were refused.
    pub(super) asked: Vec<Change>,
    /// What its guest keeps in memory.
    pub(super) memory: String,
}

impl Guest {
    /// One that runs, or waits for what is sent to it.
    pub(super) fn new(order: Order, behaviour: Behaviour, number: u64) -> Self {
        let pid = FIRST_PID + u32::try_from(number).unwrap_or(0);
        let incoming = match &order.origin {
            Origin::Incoming(socket) => Some(socket.clone()),
            Origin::Boot | Origin::Snapshot(_) => None,
        };
        let state = if incoming.is_some() { State::Held } else { State::Running };
        let spec = order.spec.as_ref().clone().into_draft();
        let body = Body { spec, asked: Vec::new(), memory: format!("booted as number {number}") };
        Self {
            incoming,
            body: Mutex::new(body),
            instance: order.instance,
            alive: Alive { pid, start_ticks: number, boot_id: BOOT_ID.to_owned() },
            state: watch::Sender::new(state),
            resets: watch::Sender::new(0),
            process: watch::Sender::new(None),
            behaviour: Mutex::new(behaviour),
            console_log: order.console_log,
        }
    }

    pub(super) fn body(&self) -> MutexGuard<'_, Body> {
        self.body.lock().expect("nothing panics while it holds a body")
    }

    pub(super) fn behaviour(&self) -> MutexGuard<'_, Behaviour> {
        self.behaviour.lock().expect("nothing panics while it holds a behaviour")
    }

    /// Whether the process lives.
    pub(super) fn lives(&self) -> bool {
        self.process.borrow().is_none()
    }

    /// The guest ends; the first end counts.
    pub(super) fn end(&self, end: End) {
        self.state.send_if_modified(|state| {
            let first = !matches!(state, State::Ended(_));
            if first {
                *state = State::Ended(end);
            }
            first
        });
    }

    /// Holds a running guest or lets a held one go on.
    pub(super) fn turn(&self, to: State) {
        self.state.send_if_modified(|state| {
            let moves = *state != to && !matches!(state, State::Ended(_));
            if moves {
                *state = to;
            }
            moves
        });
    }

    /// The process ends, and the guest with it.
    pub(super) fn die(&self, ending: Ending, at: Time) {
        let (way, message) = match ending {
            Ending::Code(code) => (Way::Died, format!("the VMM ended with code {code}")),
            Ending::Signal(signal) => (Way::Died, format!("the VMM was ended by signal {signal}")),
            Ending::OutOfMemory => (Way::OutOfMemory, "the kernel killed the VMM for memory".to_owned()),
            Ending::Unknown => (Way::Gone, "the VMM is gone".to_owned()),
        };
        self.stop(ending, End { way, at, message, log_tail: Vec::new() });
    }

    /// The process ends in this way.
    pub(super) fn stop(&self, ending: Ending, end: End) {
        self.end(end);
        self.process.send_if_modified(|process| {
            let first = process.is_none();
            process.get_or_insert(ending);
            first
        });
    }

    /// Writes its first words.
    pub(super) fn greet(&self) {
        let words = self.behaviour().says.clone();
        self.print(words.as_bytes());
    }

    /// Appends to the console's log; a log that cannot be written is no fault of the guest.
    pub(super) fn print(&self, words: &[u8]) {
        let file = OpenOptions::new().create(true).append(true).open(&self.console_log);
        if let Err(error) = file.and_then(|mut file| file.write_all(words)) {
            tracing::debug!(%error, "the fake guest's console is not logged");
        }
    }
}
