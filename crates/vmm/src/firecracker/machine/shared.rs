//! What the owner of a machine finds out and its handle shows. The first end counts.

use super::counters::Tally;
use super::end::{self, Heard};
use crate::cell::Cell;
use crate::firecracker::client::Client;
use crate::firecracker::folder::Folder;
use crate::firecracker::version::Version;
use crate::log;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};
use weft_domain::{Fault, InstanceId, Reason};
use weft_ports::clock::Clock;
use weft_ports::hypervisor::{Chosen, End, State, Way};
use weft_ports::processes::{Alive, Ending, Processes};

/// What is known of a machine from its beginning.
pub(in crate::firecracker) struct Held {
    pub(in crate::firecracker) instance: InstanceId,
    pub(in crate::firecracker) alive: Alive,
    pub(in crate::firecracker) chosen: Chosen,
    pub(in crate::firecracker) version: Version,
    pub(in crate::firecracker) folder: Folder,
    pub(in crate::firecracker) cell: Cell,
    pub(in crate::firecracker) vmm_log: Arc<Path>,
    pub(in crate::firecracker) processes: Arc<dyn Processes>,
    pub(in crate::firecracker) clock: Arc<dyn Clock>,
}

/// One machine, seen by its owner and its handle.
pub(in crate::firecracker) struct Shared {
    pub(super) held: Held,
    pub(super) client: Client,
    /// From now on the end of the process is our doing.
    pub(super) killing: AtomicBool,
    /// The guest was asked to stop.
    asked: AtomicBool,
    /// When the last figures that were read had been written, in milliseconds since 1970.
    told_at: AtomicU64,
    /// Wakes who waits for them.
    told: Notify,
    tally: Mutex<Tally>,
    state: watch::Sender<State>,
}

impl Shared {
    /// A machine whose virtual CPUs run.
    pub(in crate::firecracker) fn new(held: Held) -> Self {
        let client = Client::new(held.folder.api());
        let tally = Mutex::new(Tally::of(held.folder.counters()));
        let (state, told_at, told) = (watch::Sender::new(State::Running), AtomicU64::new(0), Notify::new());
        let (killing, asked) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { held, client, killing, asked, told_at, told, tally, state }
    }

    /// Remembers what those before did.
    pub(in crate::firecracker) fn recall(&self) {
        self.asked.store(self.held.folder.asked().exists(), Ordering::Release);
    }

    /// The guest was asked to stop, or was not after all; who comes after us will know as well.
    pub(super) fn set_asked(&self, asked: bool) {
        self.asked.store(asked, Ordering::Release);
        let path = self.held.folder.asked();
        let done = if asked { std::fs::write(&path, "") } else { std::fs::remove_file(&path) };
        if let Err(error) = done {
            tracing::debug!(%error, path = %path.display(), "that a guest was asked is not kept");
        }
    }

    /// Figures were read that had been written then.
    pub(super) fn were_told(&self, at: u64) {
        self.told_at.fetch_max(at, Ordering::AcqRel);
        self.told.notify_waiters();
    }

    /// Waits until figures were read that had been written then or later.
    pub(super) async fn are_told(&self, at: u64) {
        loop {
            let told = self.told.notified();
            if self.told_at.load(Ordering::Acquire) >= at {
                return;
            }
            told.await;
        }
    }

    /// Its figures, for a few lines.
    pub(super) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn state(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    pub(super) fn is_held(&self) -> bool {
        *self.state.borrow() == State::Held
    }

    pub(super) fn was_asked(&self) -> bool {
        self.asked.load(Ordering::Acquire)
    }

    fn has_ended(&self) -> bool {
        matches!(*self.state.borrow(), State::Ended(_))
    }

    /// Refuses a verb after the end.
    pub(super) fn before_end(&self, verb: &str) -> Result<(), Fault> {
        match &*self.state.borrow() {
            State::Running | State::Held => Ok(()),
            State::Ended(end) => {
                let message = format!("cannot {verb}: the machine has ended, {}", end.message);
                Err(Fault::new(Reason::PhaseForbids, message).fix("boot it again"))
            }
        }
    }

    /// The machine is in this state now.
    pub(in crate::firecracker) fn saw(&self, to: State) {
        self.state.send_if_modified(|state| {
            let turns = *state != to && !matches!(state, State::Ended(_));
            if turns {
                *state = to;
            }
            turns
        });
    }

    /// The machine has ended in this way, if it had not already.
    pub(super) fn end(&self, way: Way, message: String) {
        if self.has_ended() {
            return;
        }
        let log_tail = log::tail(&self.held.vmm_log);
        self.saw(State::Ended(End { way, at: self.held.clock.now(), message, log_tail }));
    }

    /// Its process has ended, after this was heard of it.
    pub(super) fn process_ended(&self, ending: Ending, heard: &Heard) {
        if self.killing.load(Ordering::Acquire) {
            return self.end(Way::Killed, "Firecracker was ended by force, as was asked".to_owned());
        }
        let console = console_tail(&self.held.folder.console_log());
        let (way, message) = end::judge(ending, heard, self.was_asked(), &console);
        self.end(way, message);
    }
}

/// The last that the guest said, where that is kept.
fn console_tail(path: &Path) -> String {
    log::tail(path).join("\n")
}
