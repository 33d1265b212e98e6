//! The machine port, for one Firecracker process.
//!
//! ```text
//!  verbs ── in turn ── client ──► Firecracker's API
//!  state() ◄── Shared ◄── owner (one task) ◄── its log and its figures by one FIFO, whose end is its own
//! ```
//!
//! Firecracker tells nothing over its API unasked, and its state changes by what is asked here and by its
//! end alone; so the owner hears and the verbs ask. `kill` waits for no turn, so that a Firecracker that
//! does not answer is ended as well. Dropping the handle ends the owner and leaves Firecracker as it is.

mod body;
mod console;
mod counters;
mod ears;
mod end;
mod owner;
mod shared;

pub(super) use ears::Ears;
pub(super) use shared::{Held, Shared};

use super::client::TURN_LIMIT;
use crate::http;
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard, watch};
use weft_domain::{Fault, Reason};
use weft_ports::hypervisor::{Address, Chosen, Duplex, Machine, State, Way};
use weft_ports::processes::Alive;
use weft_ports::task::{self, Task};

/// The longest that a verb waits for its turn, when the one before it takes that long.
const QUEUE_LIMIT: Duration = TURN_LIMIT;
/// What is told of resets, of every machine.
static NO_RESETS: LazyLock<watch::Sender<u64>> = LazyLock::new(|| watch::Sender::new(0));
/// The time in which an end that has come is seen.
const END_LIMIT: Duration = Duration::from_millis(500);

/// A hold on one Firecracker process.
pub(super) struct Handle {
    shared: Arc<Shared>,
    turns: Mutex<()>,
    _owner: Task<()>,
}

impl Handle {
    /// Begins to own the machine that is heard by these ears.
    pub(super) fn new(shared: Arc<Shared>, ears: Ears) -> Self {
        let owner = task::spawn("firecracker-owner", owner::own(shared.clone(), ears));
        Self { shared, turns: Mutex::new(()), _owner: owner }
    }

    /// Waits for the turn of a verb that is lawful before the end.
    async fn turn(&self, verb: &str) -> Result<MutexGuard<'_, ()>, Fault> {
        self.shared.before_end(verb)?;
        let turn = tokio::time::timeout(QUEUE_LIMIT, self.turns.lock()).await.map_err(|_| silent(verb))?;
        self.shared.before_end(verb)?;
        Ok(turn)
    }

    /// Why a call failed: the end of the machine where it has ended, else what Firecracker said.
    async fn failed(&self, verb: &str, reason: Reason, error: http::Error) -> Fault {
        if !error.is_refusal() {
            // Its process may be ending just now; the owner will have seen it in a moment.
            let mut state = self.shared.state();
            let ended = state.wait_for(|state| matches!(state, State::Ended(_)));
            let _ = tokio::time::timeout(END_LIMIT, ended).await;
        }
        if let Err(fault) = self.shared.before_end(verb) {
            return fault;
        }
        tracing::debug!(error = %crate::told::chain(&error), verb, "Firecracker");
        let message = format!("cannot {verb}: {}", error.said());
        if error.is_refusal() {
            return Fault::new(reason, message).fix("the VMM's own words say what it lacks");
        }
        Fault::new(Reason::VmmSilent, message).retry_after(1_000)
    }

    async fn set(&self, verb: &str, word: &'static str, to: State) -> Result<(), Fault> {
        let turned = self.shared.client.turn(word).await;
        match turned {
            Ok(()) => {
                self.shared.saw(to);
                Ok(())
            }
            Err(error) => Err(self.failed(verb, Reason::VmmSilent, error).await),
        }
    }
}

fn silent(verb: &str) -> Fault {
    Fault::new(Reason::VmmSilent, format!("cannot {verb}: Firecracker does not answer")).retry_after(1_000)
}

#[async_trait::async_trait]
impl Machine for Handle {
    fn alive(&self) -> Alive {
        self.shared.held.alive.clone()
    }

    fn chosen(&self) -> Chosen {
        self.shared.held.chosen.clone()
    }

    fn state(&self) -> watch::Receiver<State> {
        self.shared.state()
    }

    /// A reset ends the machine, so there is never one that did not.
    fn resets(&self) -> watch::Receiver<u64> {
        NO_RESETS.subscribe()
    }

    fn addresses(&self) -> Vec<Address> {
        Vec::new()
    }

    async fn pause(&self) -> Result<(), Fault> {
        let _turn = self.turn("pause").await?;
        self.set("pause", "Paused", State::Held).await
    }

    async fn resume(&self) -> Result<(), Fault> {
        let _turn = self.turn("resume").await?;
        self.set("resume", "Resumed", State::Running).await
    }

    /// Presses Ctrl, Alt and Delete, which a guest that listens takes as a wish to reboot; a reboot ends it.
    async fn ask_to_stop(&self) -> Result<(), Fault> {
        let verb = "ask the guest to stop";
        let _turn = self.turn(verb).await?;
        if self.shared.is_held() {
            // A held guest does not see its keyboard.
            self.set(verb, "Resumed", State::Running).await?;
        }
        // Before it is pressed: the guest may be gone before the answer has come.
        let before = self.shared.was_asked();
        self.shared.set_asked(true);
        match self.shared.client.act("SendCtrlAltDel").await {
            Ok(()) => Ok(()),
            Err(error) => {
                if error.is_refusal() && !before {
                    self.shared.set_asked(false);
                }
                Err(self.failed(verb, Reason::VerbUnsupported, error).await)
            }
        }
    }

    async fn reset(&self) -> Result<(), Fault> {
        self.shared.before_end("reset")?;
        let message = "driver firecracker cannot reset a machine in place: a reset ends it";
        Err(Fault::new(Reason::VerbUnsupported, message).fix("shut it down and boot it again"))
    }

    async fn kill(&self) -> Result<(), Fault> {
        let shared = &self.shared;
        shared.killing.store(true, Ordering::Release);
        shared.held.processes.kill(&shared.held.alive).await?;
        shared.end(Way::Killed, "Firecracker was ended by force, as was asked".to_owned());
        Ok(())
    }

    async fn console(&self) -> Result<Box<dyn Duplex>, Fault> {
        self.shared.before_end("open the console")?;
        match console::open(&self.shared) {
            Ok(console) => Ok(Box::new(console)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let fault = Fault::new(Reason::ConsoleUnavailable, "the VM has no serial console that can be attached");
                Err(fault.fix("give it a serial console of the mode socket"))
            }
            Err(error) => {
                tracing::debug!(%error, "the serial console");
                self.shared.before_end("open the console")?;
                Err(silent("open the console"))
            }
        }
    }

    async fn bury(&self) -> Result<(), Fault> {
        if self.shared.before_end("bury").is_ok() {
            self.kill().await?;
        }
        let held = &self.shared.held;
        if held.processes.lives(&held.alive) {
            held.processes.kill(&held.alive).await?;
        }
        held.folder.clear();
        Ok(())
    }
}
