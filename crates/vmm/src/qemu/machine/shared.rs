//! What the owner of a machine finds out and its handle shows. The first end counts.

use crate::cell::Cell;
use crate::log;
use crate::qemu::client::Status;
use crate::qemu::folder::Folder;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use weft_domain::spec::change::Change;
use weft_domain::spec::{Draft, Spec};
use weft_domain::{Fault, InstanceId, Reason};
use weft_ports::clock::Clock;
use weft_ports::hypervisor::{Chosen, End, State, Way};
use weft_ports::processes::{Alive, Ending, Processes};

/// One machine, seen by its owner and its handle.
pub(in crate::qemu) struct Shared {
    pub(super) alive: Alive,
    pub(super) chosen: Chosen,
    pub(super) folder: Folder,
    pub(super) processes: Arc<dyn Processes>,
    clock: Arc<dyn Clock>,
    vmm_log: PathBuf,
    state: watch::Sender<State>,
    resets: watch::Sender<u64>,
    killing: AtomicBool,
    pub(super) instance: InstanceId,
    pub(super) cell: Cell,
    running: Mutex<Draft>,
}

/// What a machine is from its start.
pub(in crate::qemu) struct Birth {
    pub(in crate::qemu) instance: InstanceId,
    pub(in crate::qemu) chosen: Chosen,
    pub(in crate::qemu) folder: Folder,
    pub(in crate::qemu) vmm_log: PathBuf,
    pub(in crate::qemu) cell: Cell,
    pub(in crate::qemu) spec: Arc<Spec>,
}

impl Shared {
    pub(in crate::qemu) fn new(
        alive: Alive,
        birth: Birth,
        (processes, clock): (Arc<dyn Processes>, Arc<dyn Clock>),
    ) -> Self {
        let Birth { instance, chosen, folder, vmm_log, cell, spec } = birth;
        let (state, resets) = (watch::Sender::new(State::Running), watch::Sender::new(0));
        let (killing, running) = (AtomicBool::new(false), Mutex::new(Spec::clone(&spec).into_draft()));
        Self { alive, chosen, folder, processes, clock, vmm_log, state, resets, killing, instance, cell, running }
    }

    /// What the machine has become.
    pub(super) fn running(&self) -> Draft {
        self.running.lock().expect("nothing panics while it holds a specification").clone()
    }

    /// It has become another.
    pub(super) fn became(&self, change: &Change) {
        let mut running = self.running.lock().expect("nothing panics while it holds a specification");
        change.apply(&mut running);
    }

    pub(super) fn state(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    pub(super) fn resets(&self) -> watch::Receiver<u64> {
        self.resets.subscribe()
    }

    pub(super) fn is_held(&self) -> bool {
        *self.state.borrow() == State::Held
    }

    pub(super) fn has_ended(&self) -> bool {
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

    /// From now on the end of the process is our doing.
    pub(super) fn begin_kill(&self) {
        self.killing.store(true, Ordering::Release);
    }

    /// One more reset of the guest's own.
    pub(super) fn count_reset(&self) {
        self.resets.send_modify(|count| *count += 1);
    }

    /// The machine is in this state now.
    pub(in crate::qemu) fn saw(&self, status: &Status) {
        match status {
            Status::Running => self.turn(State::Running),
            Status::Paused => self.turn(State::Held),
            Status::DiskFailed => {
                tracing::warn!(pid = self.alive.pid, "a disk of the guest failed or is full: the guest is held");
                self.turn(State::Held);
            }
            Status::Shutdown => self.end(Way::Poweroff, "the guest powered off".to_owned()),
            Status::Panicked => self.end(Way::Panic, "the guest's kernel panicked".to_owned()),
            Status::Broken => {
                let accelerator = self.chosen.accelerator;
                self.end(Way::Died, format!("QEMU could not go on: an internal error of {accelerator:?}"));
            }
        }
    }

    fn turn(&self, to: State) {
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
        let end = End { way, at: self.clock.now(), message, log_tail: log::tail(&self.vmm_log) };
        self.state.send_if_modified(|state| {
            let first = !matches!(state, State::Ended(_));
            if first {
                *state = State::Ended(end);
            }
            first
        });
    }

    /// Its process has ended; `hint` is what QEMU said of it before.
    pub(super) fn process_ended(&self, ending: Ending, hint: Option<&str>) {
        if self.killing.load(Ordering::Acquire) {
            return self.end(Way::Killed, "QEMU was ended by force, as was asked".to_owned());
        }
        let (way, how) = crate::told::ending(ending);
        let hint = hint.map(|hint| format!(": {hint}")).unwrap_or_default();
        self.end(way, format!("QEMU {how}{hint}"));
    }
}
