//! The machine port, for one QEMU process.
//!
//! ```text
//!  verbs ── Call ──► owner (one task) ── QMP ──► QEMU
//!  state() ◄── Shared ◄──┘    └── Processes::ended
//! ```
//!
//! The owner is the only one who speaks QMP. `kill` goes past it, so that a QEMU that does not answer is
//! ended as well. Dropping the handle ends the owner and leaves QEMU as it is.

mod link;
mod owner;
mod shared;

pub(super) use link::Link;
pub(super) use shared::Shared;

use owner::{Ask, Call};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot, watch};
use weft_domain::snapshot::Role;
use weft_domain::{Fault, Reason};
use weft_ports::hypervisor::{Address, Alteration, Body, Chosen, Counters, Duplex, Keep, Machine, State, Way};
use weft_ports::processes::Alive;
use weft_ports::task::{self, Task};

/// Verbs that wait for the owner.
const QUEUE: usize = 16;
/// The longest that a verb takes, with those before it in the queue.
const LIMIT: Duration = Duration::from_secs(20);
/// The time in which QEMU ends when it is told to quit.
const QUIT_LIMIT: Duration = Duration::from_secs(5);

/// A hold on one QEMU process.
pub(super) struct Handle {
    shared: Arc<Shared>,
    calls: mpsc::Sender<Call>,
    _owner: Task<()>,
}

impl Handle {
    /// Begins to own the machine at the other end of this link.
    pub(super) fn new(shared: Arc<Shared>, link: Link) -> Self {
        let (calls, queue) = mpsc::channel(QUEUE);
        let owner = task::spawn("qemu-owner", owner::own(shared.clone(), link, queue));
        Self { shared, calls, _owner: owner }
    }

    async fn ask(&self, ask: Ask) -> Result<(), Fault> {
        self.shared.before_end(ask.verb())?;
        let (reply, answer) = oneshot::channel();
        let answered = async {
            self.calls.send(Call { ask, reply }).await.ok()?;
            answer.await.ok()
        };
        match tokio::time::timeout(LIMIT, answered).await {
            Ok(Some(answer)) => answer,
            // The owner is gone: the process has ended in the meantime.
            Ok(None) => {
                self.shared.before_end(ask.verb())?;
                Err(silent())
            }
            Err(_) => Err(silent()),
        }
    }
}

fn silent() -> Fault {
    Fault::new(Reason::VmmSilent, "QEMU does not answer").retry_after(1_000)
}

fn not_served(verb: &str) -> Fault {
    Fault::new(Reason::VerbUnsupported, format!("driver qemu cannot {verb}"))
}

#[async_trait::async_trait]
impl Body for Handle {
    async fn alter(&self, alteration: &Alteration) -> Result<(), Fault> {
        Err(not_served(&format!("give a running machine {}", alteration.change.told())))
    }

    async fn keep(&self, _: &Keep) -> Result<Vec<(Role, String)>, Fault> {
        Err(not_served("take snapshots with memory"))
    }

    async fn send(&self, _: &std::path::Path) -> Result<(), Fault> {
        Err(not_served("migrate"))
    }

    async fn counters(&self) -> Result<Counters, Fault> {
        Err(not_served("count"))
    }

    async fn nmi(&self) -> Result<(), Fault> {
        Err(not_served("interrupt the guest"))
    }
}

#[async_trait::async_trait]
impl Machine for Handle {
    fn alive(&self) -> Alive {
        self.shared.alive.clone()
    }

    fn chosen(&self) -> Chosen {
        self.shared.chosen.clone()
    }

    fn state(&self) -> watch::Receiver<State> {
        self.shared.state()
    }

    fn resets(&self) -> watch::Receiver<u64> {
        self.shared.resets()
    }

    /// The address that QEMU's user-mode network gives to a guest that asks by DHCP; whether the guest
    /// has asked, QEMU does not tell.
    fn addresses(&self) -> Vec<Address> {
        self.shared.folder.addresses()
    }

    async fn pause(&self) -> Result<(), Fault> {
        self.ask(Ask::Pause).await
    }

    async fn resume(&self) -> Result<(), Fault> {
        self.ask(Ask::Resume).await
    }

    async fn ask_to_stop(&self) -> Result<(), Fault> {
        self.ask(Ask::PowerButton).await
    }

    async fn reset(&self) -> Result<(), Fault> {
        self.ask(Ask::Reset).await
    }

    async fn kill(&self) -> Result<(), Fault> {
        self.shared.begin_kill();
        self.shared.processes.kill(&self.shared.alive).await?;
        self.shared.end(Way::Killed, "QEMU was ended by force, as was asked".to_owned());
        Ok(())
    }

    async fn console(&self) -> Result<Box<dyn Duplex>, Fault> {
        self.shared.before_end("open the console")?;
        let path = self.shared.folder.serial();
        let stream = tokio::time::timeout(LIMIT, UnixStream::connect(&path)).await;
        match stream {
            Ok(Ok(stream)) => Ok(Box::new(stream)),
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                let fault = Fault::new(Reason::ConsoleUnavailable, "the VM has no serial console that can be attached");
                Err(fault.fix("give it a serial console of the mode socket"))
            }
            Ok(Err(error)) => {
                tracing::debug!(%error, "the serial console's socket");
                self.shared.before_end("open the console")?;
                Err(silent())
            }
            Err(_) => Err(silent()),
        }
    }

    async fn bury(&self) -> Result<(), Fault> {
        let shared = &self.shared;
        if shared.before_end("bury").is_ok() {
            self.kill().await?;
        }
        if shared.processes.lives(&shared.alive) {
            let (reply, _) = oneshot::channel();
            // A QEMU that does not hear it is killed below.
            let _ = self.calls.try_send(Call { ask: Ask::Quit, reply });
            let ended = tokio::time::timeout(QUIT_LIMIT, shared.processes.ended(&shared.alive)).await;
            if ended.is_err() || shared.processes.lives(&shared.alive) {
                shared.processes.kill(&shared.alive).await?;
            }
        }
        shared.folder.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
