//! The one task that owns a machine: it serves verbs in order, hears events, and sees the process end.
//!
//! An event only says that something changed; the state is then asked for, so an event that is missed or
//! comes late does no harm. Firmware resets a pc more than once for one reboot, and a guest that cannot
//! start may reset hundreds of times a second: resets that follow each other closely count as one.

use super::link::{Heard, Link};
use super::shared::Shared;
use crate::qemu::client::{Error as Talk, Event, Shutdown};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use weft_domain::{Fault, Reason};
use weft_ports::hypervisor::Way;
use weft_ports::processes::Ending;

/// Resets within this time of another are the same one.
const ONE_RESET: Duration = Duration::from_secs(1);

/// A verb that waits for its turn.
pub(super) struct Call {
    pub(super) ask: Ask,
    pub(super) reply: oneshot::Sender<Result<(), Fault>>,
}

/// What is asked of QEMU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// Hold the virtual CPUs.
    Pause,
    /// Let them go on.
    Resume,
    /// Press the power button.
    PowerButton,
    /// Press the reset button.
    Reset,
    /// End.
    Quit,
}

impl Ask {
    /// As a phrase after "cannot".
    pub(super) const fn verb(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::PowerButton => "ask the guest to stop",
            Self::Reset => "reset",
            Self::Quit => "quit",
        }
    }
}

/// Owns a machine until its process has ended or nobody holds it any more.
pub(super) async fn own(shared: Arc<Shared>, link: Link, mut calls: mpsc::Receiver<Call>) {
    let (processes, alive) = (shared.processes.clone(), shared.alive.clone());
    let mut owner = Owner { shared, link, last_reset: None, hint: None };
    let mut ended = processes.ended(&alive);
    loop {
        tokio::select! {
            ending = &mut ended => return owner.process_ended(ending).await,
            call = calls.recv() => match call {
                Some(Call { ask, reply }) => {
                    // One who no longer waits has no use for the answer.
                    let _ = reply.send(owner.serve(ask).await);
                }
                None => return,
            },
            heard = owner.link.heard() => match heard {
                Heard::Event(event) => owner.saw(&event).await,
                Heard::Status(status) => owner.shared.saw(&status),
            },
        }
    }
}

struct Owner {
    shared: Arc<Shared>,
    link: Link,
    /// When a reset was last seen or asked.
    last_reset: Option<Instant>,
    /// What QEMU said of its own end.
    hint: Option<&'static str>,
}

impl Owner {
    async fn serve(&mut self, ask: Ask) -> Result<(), Fault> {
        if ask != Ask::Quit {
            self.shared.before_end(ask.verb())?;
        }
        let answer = self.act(ask).await;
        while let Some(event) = self.link.waiting_event() {
            self.saw(&event).await;
        }
        match answer {
            Ok(()) => Ok(()),
            Err(error) => {
                // It may be refused because the guest has just ended.
                self.refresh().await;
                self.shared.before_end(ask.verb())?;
                let message = format!("cannot {}: {error}", ask.verb());
                Err(Fault::new(Reason::VmmSilent, message).retry_after(1_000))
            }
        }
    }

    async fn act(&mut self, ask: Ask) -> Result<(), Talk> {
        match ask {
            Ask::Pause => self.turn("stop").await,
            Ask::Resume => self.turn("cont").await,
            Ask::PowerButton => {
                // A held guest does not see the button.
                if self.shared.is_held() {
                    self.turn("cont").await?;
                }
                self.link.call("system_powerdown").await
            }
            Ask::Reset => {
                self.last_reset = Some(Instant::now());
                self.link.call("system_reset").await
            }
            Ask::Quit => self.link.call("quit").await,
        }
    }

    async fn turn(&mut self, command: &'static str) -> Result<(), Talk> {
        self.link.call(command).await?;
        let status = self.link.status().await?;
        self.shared.saw(&status);
        Ok(())
    }

    async fn refresh(&mut self) {
        match self.link.status().await {
            Ok(status) => self.shared.saw(&status),
            Err(error) => tracing::debug!(%error, "the state of a machine is not known for now"),
        }
    }

    async fn saw(&mut self, event: &Event) {
        self.note(event);
        if *event == Event::Turned && !self.shared.has_ended() {
            self.refresh().await;
        }
    }

    /// What an event tells by itself.
    fn note(&mut self, event: &Event) {
        match event {
            Event::Shutdown(Shutdown::Guest) => self.shared.end(Way::Poweroff, "the guest powered off".to_owned()),
            Event::Shutdown(Shutdown::Panic) | Event::Panicked => {
                self.shared.end(Way::Panic, "the guest's kernel panicked".to_owned());
            }
            Event::Shutdown(Shutdown::Signal) => self.hint = Some("a signal from outside told it to end"),
            Event::Shutdown(Shutdown::Quit) => self.hint = Some("it was told to quit"),
            Event::Reset { by_guest } => self.reset(*by_guest),
            Event::Turned | Event::Other => {}
        }
    }

    fn reset(&mut self, by_guest: bool) {
        let now = Instant::now();
        let same = self.last_reset.is_some_and(|last| now.duration_since(last) < ONE_RESET);
        if by_guest && !same {
            self.shared.count_reset();
        }
        if !by_guest || !same {
            self.last_reset = Some(now);
        }
    }

    /// Reads what QEMU said last, for it may tell why it ended.
    async fn process_ended(&mut self, ending: Ending) {
        while let Some(event) = self.link.last_event().await {
            self.note(&event);
        }
        self.shared.process_ended(ending, self.hint);
    }
}
