//! What the owner of a machine finds out and its handle shows. The first end counts.

use crate::cell::Cell;
use crate::cloud_hypervisor::client::Client;
use crate::cloud_hypervisor::config::gates::Version;
use crate::cloud_hypervisor::event::Event;
use crate::cloud_hypervisor::folder::{Folder, Mark};
use crate::cloud_hypervisor::model::VmState;
use crate::{log, told};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::sync::{broadcast, watch};
use weft_domain::capability::Capabilities;
use weft_domain::{Fault, Reason};
use weft_ports::clock::Clock;
use weft_ports::hypervisor::{Chosen, End, State, Way};
use weft_ports::processes::{Alive, Ending, Processes};

/// Events that wait for a verb that looks for one of them.
const EVENTS: usize = 256;

/// What surrounds a machine.
pub(in crate::cloud_hypervisor) struct Setting {
    pub(in crate::cloud_hypervisor) processes: Arc<dyn Processes>,
    pub(in crate::cloud_hypervisor) clock: Arc<dyn Clock>,
    pub(in crate::cloud_hypervisor) capabilities: Arc<Capabilities>,
    pub(in crate::cloud_hypervisor) version: Version,
    pub(in crate::cloud_hypervisor) folder: Folder,
    pub(in crate::cloud_hypervisor) cell: Cell,
    pub(in crate::cloud_hypervisor) vmm_log: PathBuf,
    /// The network namespace of its taps.
    pub(in crate::cloud_hypervisor) namespace: Option<PathBuf>,
    /// The most memory that it can have, in bytes.
    pub(in crate::cloud_hypervisor) memory: u64,
}

/// One machine, seen by its owner and its handle.
pub(in crate::cloud_hypervisor) struct Shared {
    pub(super) alive: Alive,
    pub(super) chosen: Chosen,
    pub(super) client: Client,
    pub(super) setting: Setting,
    state: watch::Sender<State>,
    resets: watch::Sender<u64>,
    events: broadcast::Sender<Event>,
    killing: AtomicBool,
    sending: AtomicBool,
    expected: AtomicU64,
}

impl Shared {
    /// A machine that does not run yet.
    pub(in crate::cloud_hypervisor) fn new(alive: Alive, chosen: Chosen, setting: Setting) -> Self {
        Self {
            alive,
            chosen,
            client: Client::new(setting.folder.api()),
            setting,
            state: watch::Sender::new(State::Held),
            resets: watch::Sender::new(0),
            events: broadcast::Sender::new(EVENTS),
            killing: AtomicBool::new(false),
            sending: AtomicBool::new(false),
            expected: AtomicU64::new(0),
        }
    }

    pub(in crate::cloud_hypervisor) const fn client(&self) -> &Client {
        &self.client
    }

    /// The folder that the VMM makes its sockets in.
    pub(in crate::cloud_hypervisor) fn sockets(&self) -> &std::path::Path {
        self.setting.cell.sockets()
    }

    pub(in crate::cloud_hypervisor) fn state(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    pub(super) fn resets(&self) -> watch::Receiver<u64> {
        self.resets.subscribe()
    }

    /// What happens from now on.
    pub(in crate::cloud_hypervisor) fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Passes on what happened.
    pub(super) fn tell(&self, event: &Event) {
        // Most of the time nobody looks for anything.
        let _ = self.events.send(event.clone());
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

    /// The log and the terminal of weft's own console, where the machine has one.
    pub(super) fn console(&self) -> Option<(PathBuf, PathBuf)> {
        self.setting.folder.console()
    }

    /// From now on the end of the process is our doing.
    pub(super) fn begin_kill(&self) {
        self.killing.store(true, Ordering::Release);
    }

    /// From now on the machine's end may be that it went on elsewhere, which is told by another sign.
    pub(super) fn begin_send(&self) {
        self.sending.store(true, Ordering::Release);
    }

    /// It stays.
    pub(super) fn end_send(&self) {
        self.sending.store(false, Ordering::Release);
    }

    /// The next reset is our own.
    pub(super) fn expect_reset(&self) {
        self.expected.fetch_add(1, Ordering::AcqRel);
    }

    /// It does not come after all.
    pub(super) fn expect_no_reset(&self) {
        let _ = self.expected.fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| count.checked_sub(1));
    }

    /// The guest was reset.
    pub(super) fn was_reset(&self) {
        let own = self.expected.fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| count.checked_sub(1));
        if own.is_err() {
            self.resets.send_modify(|count| *count += 1);
        }
    }

    /// The machine is in this state now, after it has run.
    pub(in crate::cloud_hypervisor) fn saw(&self, state: VmState) {
        match state {
            VmState::Running => self.turn(State::Running),
            VmState::Paused | VmState::BreakPoint => self.turn(State::Held),
            // A machine that was sent is shut down where it was, whichever is told first.
            VmState::Created | VmState::Shutdown if self.sending.load(Ordering::Acquire) => {}
            VmState::Created | VmState::Shutdown => self.end(Way::Poweroff, "the guest powered off".to_owned()),
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

    /// The guest's kernel panicked, and is known to have even if nobody is here later.
    pub(in crate::cloud_hypervisor) fn panicked(&self) {
        if !self.has_ended() {
            self.setting.folder.mark(Mark::Panicked);
            self.end(Way::Panic, "the guest's kernel panicked".to_owned());
        }
    }

    /// The machine has ended in this way, if it had not already.
    pub(in crate::cloud_hypervisor) fn end(&self, way: Way, message: String) {
        if self.has_ended() {
            return;
        }
        let log_tail = log::tail(&self.setting.vmm_log);
        let end = End { way, at: self.setting.clock.now(), message, log_tail };
        self.state.send_if_modified(|state| {
            let first = !matches!(state, State::Ended(_));
            if first {
                *state = State::Ended(end);
            }
            first
        });
    }

    /// Its process has ended.
    pub(super) fn process_ended(&self, ending: Ending) {
        use crate::cloud_hypervisor::config::gates::NO_SHUTDOWN;
        if self.killing.load(Ordering::Acquire) {
            return self.end(Way::Killed, "Cloud Hypervisor was ended by force, as was asked".to_owned());
        }
        if ending == Ending::Code(0) && self.sending.load(Ordering::Acquire) {
            return self.end(Way::Moved, "the machine went on elsewhere".to_owned());
        }
        // An older version ends with its guest, and then only.
        if ending == Ending::Code(0) && !self.setting.version.has(NO_SHUTDOWN) {
            return self.end(Way::Poweroff, "the guest powered off".to_owned());
        }
        let (way, how) = told::ending(ending);
        self.end(way, format!("Cloud Hypervisor {how}"));
    }
}
