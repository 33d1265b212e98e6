//! The machine port, for one Cloud Hypervisor process.
//!
//! ```text
//!  verbs ── Client ──► Cloud Hypervisor ── events, a FIFO ──► owner (one task) ──► Shared ──► state, resets
//!                                                              └── Processes::ended
//! ```
//!
//! Each verb has a connection of its own, and the process serves one after the other. What changed is told
//! by events; after a verb that succeeded it is known without them, for events can be lost. `kill` speaks
//! to nobody, so that a process that does not answer is ended as well. Dropping the handle ends the owner
//! and leaves the process as it is.

mod alter;
mod owner;
mod send;
mod shared;

pub(super) use shared::{Setting, Shared};

use super::client::Request;
use super::console;
use super::event::Events;
use super::model::VmState;
use crate::http;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use weft_domain::capability::Feature;
use weft_domain::snapshot::Role;
use weft_domain::{Fault, Reason};
use weft_ports::hypervisor::{Address, Alteration, Body, Chosen, Counters, Duplex, Keep, Machine, State, Way};
use weft_ports::processes::Alive;
use weft_ports::task::{self, Task};

/// The time in which the process ends when it is told to.
const END_LIMIT: Duration = Duration::from_secs(5);

/// A hold on one process.
pub(super) struct Handle {
    shared: Arc<Shared>,
    _owner: Task<()>,
    _receives: Option<Task<()>>,
}

impl Handle {
    /// Begins to own the machine whose events these are.
    pub(super) fn new(shared: Arc<Shared>, events: Events) -> Self {
        let owner = task::spawn("cloud-hypervisor-owner", owner::own(shared.clone(), events));
        Self { shared, _owner: owner, _receives: None }
    }

    /// The same, with the call on which another machine comes.
    pub(super) fn receiving(mut self, call: Task<()>) -> Self {
        self._receives = Some(call);
        self
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Asks for a turn that may have been made already: then a refusal is none.
    async fn turn(&self, request: Request, verb: &str, to: VmState) -> Result<(), Fault> {
        self.shared.before_end(verb)?;
        let answer = self.shared.client.ask(&request).await;
        match answer {
            Ok(_) => {
                self.shared.saw(to);
                Ok(())
            }
            Err(error) => {
                let is_so = self.shared.client.info().await.is_ok_and(|info| info.state == to);
                if is_so {
                    self.shared.saw(to);
                    return Ok(());
                }
                Err(self.why_not(verb, &error))
            }
        }
    }

    /// Why a verb failed: the machine's end where it has ended meanwhile.
    fn why_not(&self, verb: &str, error: &http::Error) -> Fault {
        if let Err(ended) = self.shared.before_end(verb) {
            return ended;
        }
        let message = format!("cannot {verb}: {}", error.said());
        Fault::new(Reason::VmmSilent, message).retry_after(1_000)
    }

    fn serves(&self, feature: Feature) -> Result<(), Fault> {
        if self.shared.setting.capabilities.features.contains(&feature) {
            return Ok(());
        }
        let chosen = &self.shared.chosen.driver;
        let fault = Fault::new(Reason::VerbUnsupported, format!("{chosen} does not serve {feature:?}"));
        Err(fault.fix("`weft node get` lists what each driver can do"))
    }

    async fn plain(&self, request: Request, verb: &str) -> Result<(), Fault> {
        self.shared.before_end(verb)?;
        let answer = self.shared.client.ask(&request).await;
        answer.map(|_| ()).map_err(|error| self.why_not(verb, &error))
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

    fn addresses(&self) -> Vec<Address> {
        Vec::new()
    }

    async fn pause(&self) -> Result<(), Fault> {
        self.turn(Request::Pause, "pause", VmState::Paused).await
    }

    async fn resume(&self) -> Result<(), Fault> {
        self.turn(Request::Resume, "resume", VmState::Running).await
    }

    async fn ask_to_stop(&self) -> Result<(), Fault> {
        let verb = "ask the guest to stop";
        self.shared.before_end(verb)?;
        // A held guest does not see the button.
        if self.shared.is_held() {
            self.turn(Request::Resume, verb, VmState::Running).await?;
        }
        self.plain(Request::PowerButton, verb).await
    }

    async fn reset(&self) -> Result<(), Fault> {
        self.shared.before_end("reset")?;
        self.shared.expect_reset();
        let answer = self.plain(Request::Reboot, "reset").await;
        match &answer {
            Ok(()) => self.shared.saw(VmState::Running),
            Err(_) => self.shared.expect_no_reset(),
        }
        answer
    }

    async fn kill(&self) -> Result<(), Fault> {
        self.shared.begin_kill();
        self.shared.setting.processes.kill(&self.shared.alive).await?;
        self.shared.end(Way::Killed, "Cloud Hypervisor was ended by force, as was asked".to_owned());
        Ok(())
    }

    async fn console(&self) -> Result<Box<dyn Duplex>, Fault> {
        self.shared.before_end("open the console")?;
        let none = || {
            let fault = Fault::new(Reason::ConsoleUnavailable, "the VM has no serial console that can be attached");
            fault.fix("give it a serial console of the mode socket")
        };
        let (log, terminal) = self.shared.console().ok_or_else(none)?;
        let attached = console::attach(&log, &terminal, self.shared.state()).map_err(|error| {
            tracing::warn!(%error, log = %log.display(), terminal = %terminal.display(), "a console does not open");
            self.shared.before_end("open the console").err().unwrap_or_else(none)
        })?;
        Ok(Box::new(attached))
    }

    async fn bury(&self) -> Result<(), Fault> {
        let shared = &self.shared;
        if shared.before_end("bury").is_ok() {
            self.kill().await?;
        }
        let (processes, alive) = (&shared.setting.processes, &shared.alive);
        if processes.lives(alive) {
            // One that does not hear it is killed below.
            let _ = shared.client.ask_within(&Request::End, END_LIMIT).await;
            let ended = tokio::time::timeout(END_LIMIT, processes.ended(alive)).await;
            if ended.is_err() || processes.lives(alive) {
                processes.kill(alive).await?;
            }
        }
        shared.setting.folder.clear();
        Ok(())
    }
}

#[async_trait::async_trait]
impl Body for Handle {
    async fn alter(&self, alteration: &Alteration) -> Result<(), Fault> {
        let verb = alteration.change.told();
        self.shared.before_end(&verb)?;
        self.serves(alteration.change.needs())?;
        let refused = |error: alter::Refusal| self.shared.before_end(&verb).err().unwrap_or_else(|| error.fault(&verb));
        alter::alter(&self.shared, alteration).await.map_err(refused)
    }

    async fn keep(&self, keep: &Keep) -> Result<Vec<(Role, String)>, Fault> {
        self.shared.before_end("keep")?;
        self.serves(Feature::SnapshotFull)?;
        send::keep(&self.shared, keep).await
    }

    async fn send(&self, socket: &std::path::Path) -> Result<(), Fault> {
        self.shared.before_end("send")?;
        self.serves(Feature::Migrate)?;
        send::send(&self.shared, socket).await
    }

    async fn counters(&self) -> Result<Counters, Fault> {
        self.shared.before_end("count")?;
        self.shared.client.counters().await.map_err(|error| self.why_not("count", &error))
    }

    async fn nmi(&self) -> Result<(), Fault> {
        self.plain(Request::Nmi, "interrupt").await
    }

    async fn greet_agent(&self) -> Result<(), Fault> {
        let why = "driver cloud-hypervisor cannot speak with an agent in the guest";
        Err(Fault::new(Reason::VerbUnsupported, why))
    }
}

#[cfg(test)]
mod tests;
