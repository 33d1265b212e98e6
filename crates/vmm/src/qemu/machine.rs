//! The machine port, for one QEMU process.
//!
//! ```text
//!  verbs ── Call ──► owner (one task) ── QMP ──► QEMU
//!  state() ◄── Shared ◄──┘    └── Processes::ended
//! ```
//!
//! The owner is the only one who speaks QMP. `kill` goes past it, so that a QEMU that does not answer is
//! ended as well. Dropping the handle ends the owner and leaves QEMU as it is.

mod alter;
mod counters;
mod inside;
pub(super) mod journey;
mod link;
mod owner;
mod shared;

pub(super) use link::Link;
pub(super) use owner::Ask;
pub(super) use shared::{Birth, Shared};

use super::guest_agent;
use journey::{LAYOUT, MEMORY};
use owner::{Answer, Call};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot, watch};
use weft_domain::snapshot::{Role, Scope};
use weft_domain::{Fault, Reason};
use weft_ports::hypervisor::{Address, Alteration, Body, Chosen, Counters, Duplex, Keep, Machine, State, Way};
use weft_ports::processes::Alive;
use weft_ports::task::{self, Task};

/// Verbs that wait for the owner.
const QUEUE: usize = 16;
/// The longest that a console or a peer takes to be reached.
const LIMIT: Duration = Duration::from_secs(20);
/// The time in which QEMU ends when it is told to quit.
const QUIT_LIMIT: Duration = Duration::from_secs(5);

/// A hold on one QEMU process.
pub(super) struct Handle {
    pub(super) shared: Arc<Shared>,
    calls: mpsc::Sender<Call>,
    _owner: Task<()>,
    _arrival: Option<Task<()>>,
}

impl Handle {
    /// Begins to own the machine at the other end of this link.
    pub(super) fn new(shared: Arc<Shared>, link: Link) -> Self {
        let (calls, queue) = mpsc::channel(QUEUE);
        let owner = task::spawn("qemu-owner", owner::own(shared.clone(), link, queue));
        Self { shared, calls, _owner: owner, _arrival: None }
    }

    /// Lets the machine go on from the first that connects here.
    pub(super) fn await_arrival(&mut self, listener: UnixListener) {
        let (calls, shared) = (self.calls.clone(), self.shared.clone());
        self._arrival = Some(task::spawn("qemu-arrival", async move {
            let arrived = async {
                let (stream, _) = listener.accept().await?;
                // QEMU reads it without a wait of ours.
                let stream = stream.into_std()?;
                stream.set_nonblocking(false)?;
                std::io::Result::Ok(stream)
            };
            let answer = match arrived.await {
                Ok(stream) => ask(&calls, &shared, Ask::Receive(stream.into())).await,
                Err(error) => Err(Fault::new(Reason::MigrationFailed, error.to_string())),
            };
            if let Err(fault) = answer {
                tracing::warn!(%fault, "a machine did not arrive");
            }
        }));
    }

    pub(super) async fn ask(&self, what: Ask) -> Result<(), Fault> {
        ask(&self.calls, &self.shared, what).await.map(|_| ())
    }
}

/// Gives the owner a verb, and waits for its answer.
async fn ask(calls: &mpsc::Sender<Call>, shared: &Shared, ask: Ask) -> Result<Answer, Fault> {
    let (verb, limit) = (ask.verb(), ask.limit());
    shared.before_end(&verb)?;
    let (reply, answer) = oneshot::channel();
    let answered = async {
        calls.send(Call { ask, reply }).await.ok()?;
        answer.await.ok()
    };
    match tokio::time::timeout(limit, answered).await {
        Ok(Some(answer)) => answer,
        // The owner is gone: the process has ended in the meantime.
        Ok(None) => {
            shared.before_end(&verb)?;
            Err(silent())
        }
        Err(_) => Err(silent()),
    }
}

fn silent() -> Fault {
    Fault::new(Reason::VmmSilent, "QEMU does not answer").retry_after(1_000)
}

#[async_trait::async_trait]
impl Body for Handle {
    async fn alter(&self, alteration: &Alteration) -> Result<(), Fault> {
        self.ask(Ask::Alter(Box::new(alteration.clone()))).await
    }

    async fn keep(&self, keep: &Keep) -> Result<Vec<(Role, String)>, Fault> {
        self.ask(Ask::Keep(keep.clone())).await?;
        if keep.scope == Scope::Internal {
            return Ok(vec![(Role::Config, LAYOUT.to_owned())]);
        }
        Ok(vec![(Role::Memory, MEMORY.to_owned()), (Role::Config, LAYOUT.to_owned())])
    }

    async fn forget(&self, folder: &Path) -> Result<(), Fault> {
        self.ask(Ask::Forget(inside::tag(folder))).await
    }

    async fn send(&self, socket: &Path) -> Result<(), Fault> {
        let refused =
            |why: String| Fault::new(Reason::MigrationFailed, format!("cannot reach the other machine: {why}"));
        let stream = tokio::time::timeout(LIMIT, UnixStream::connect(socket)).await;
        let stream = stream.map_err(|_| refused("it does not listen".to_owned()))?;
        let stream = stream.and_then(UnixStream::into_std).map_err(|error| refused(error.to_string()))?;
        stream.set_nonblocking(false).map_err(|error| refused(error.to_string()))?;
        self.ask(Ask::Send(stream.into())).await
    }

    async fn counters(&self) -> Result<Counters, Fault> {
        match ask(&self.calls, &self.shared, Ask::Count).await? {
            Answer::Counted(counters) => Ok(counters),
            Answer::Done => Ok(Counters::new()),
        }
    }

    async fn nmi(&self) -> Result<(), Fault> {
        self.ask(Ask::Nmi).await
    }

    async fn greet_agent(&self) -> Result<(), Fault> {
        self.shared.before_end("greet the guest's agent")?;
        let agent = self.shared.folder.agent();
        if !agent.exists() {
            let fault = Fault::new(Reason::VerbUnsupported, "the machine was made without a channel for an agent");
            return Err(fault.fix("set vm.spec.readiness.guest_agent, and boot it again"));
        }
        let silent = |error: std::io::Error| Fault::new(Reason::VmmSilent, format!("no guest agent yet: {error}"));
        guest_agent::ping(&agent).await.map_err(|error| silent(error).retry_after(1_000))
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
        let agent = self.shared.folder.agent();
        if agent.exists() {
            // A held guest hears nobody.
            self.ask(Ask::Resume).await?;
            match guest_agent::power_off(&agent).await {
                Ok(()) => return Ok(()),
                Err(error) => tracing::debug!(%error, "the guest's agent is not there: the button is pressed"),
            }
        }
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
