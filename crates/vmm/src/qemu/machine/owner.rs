//! The one task that owns a machine: it serves verbs in order, hears events, and sees the process end.
//!
//! An event only says that something changed; the state is then asked for, so an event that is missed or
//! comes late does no harm. Firmware resets a pc more than once for one reboot, and a guest that cannot
//! start may reset hundreds of times a second: resets that follow each other closely count as one.

use super::link::{Heard, Link};
use super::shared::Shared;
use crate::qemu::client::{Error as Talk, Event, Shutdown};
use serde_json::Value;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use weft_domain::{Fault, Reason};
use weft_ports::hypervisor::{Alteration, Counters, Keep, Way};
use weft_ports::processes::Ending;

/// Resets within this time of another are the same one.
const ONE_RESET: Duration = Duration::from_secs(1);

/// A verb that waits for its turn.
pub(super) struct Call {
    pub(super) ask: Ask,
    pub(super) reply: oneshot::Sender<Result<Answer, Fault>>,
}

/// What is asked of QEMU.
#[derive(Debug)]
pub(in crate::qemu) enum Ask {
    /// Hold the virtual CPUs.
    Pause,
    /// Let them go on.
    Resume,
    /// Press the power button.
    PowerButton,
    /// Press the reset button.
    Reset,
    /// Interrupt the guest in a way that it cannot mask.
    Nmi,
    /// Tell the counters.
    Count,
    /// Become another.
    Alter(Box<Alteration>),
    /// Set the limits that a machine has from its start.
    Limit,
    /// Keep memory and devices.
    Keep(Keep),
    /// Go on from what is inside the disks under this tag.
    Return(String),
    /// Take away what is inside the disks under this tag.
    Forget(String),
    /// Go on at the other end of this socket.
    Send(OwnedFd),
    /// Go on from what comes from here.
    Receive(OwnedFd),
    /// End.
    Quit,
}

/// What is answered.
#[derive(Debug)]
pub(in crate::qemu) enum Answer {
    /// It is done.
    Done,
    /// The counters.
    Counted(Counters),
}

impl Ask {
    /// As a phrase after "cannot".
    pub(super) fn verb(&self) -> String {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::PowerButton => "ask the guest to stop",
            Self::Reset => "reset",
            Self::Nmi => "interrupt the guest",
            Self::Count => "count",
            Self::Alter(alteration) => return format!("give the machine {}", alteration.change.told()),
            Self::Limit => "limit the disks",
            Self::Keep(_) => "take the snapshot",
            Self::Return(_) => "go on from what is inside its disks",
            Self::Forget(_) => "take away what is inside its disks",
            Self::Send(_) => "move",
            Self::Receive(_) => "go on from what was kept",
            Self::Quit => "quit",
        }
        .to_owned()
    }

    /// The longest that it takes, with what waits before it.
    pub(super) const fn limit(&self) -> Duration {
        match self {
            Self::Alter(_) => Duration::from_secs(60),
            Self::Keep(_) | Self::Return(_) | Self::Forget(_) | Self::Send(_) | Self::Receive(_) => {
                Duration::from_secs(1_200)
            }
            Self::Pause
            | Self::Resume
            | Self::PowerButton
            | Self::Reset
            | Self::Nmi
            | Self::Count
            | Self::Limit
            | Self::Quit => Duration::from_secs(20),
        }
    }

    /// Why QEMU's refusal of it is told outside.
    const fn reason(&self) -> Reason {
        match self {
            Self::Alter(_) | Self::Limit => Reason::ChangeRefused,
            Self::Keep(_) | Self::Forget(_) => Reason::SnapshotFailed,
            Self::Send(_) => Reason::MigrationFailed,
            Self::Receive(_) | Self::Return(_) => Reason::SnapshotUnusable,
            Self::Pause | Self::Resume | Self::PowerButton | Self::Reset | Self::Nmi | Self::Count | Self::Quit => {
                Reason::VmmSilent
            }
        }
    }
}

/// Why something was not done.
#[derive(Debug)]
pub(super) enum Trouble {
    /// QEMU refused it, or does not answer.
    Talk(Talk),
    /// It is refused here.
    Fault(Fault),
}

impl From<Talk> for Trouble {
    fn from(error: Talk) -> Self {
        Self::Talk(error)
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Trouble {
    /// A refusal of a change.
    pub(super) fn change(why: impl Into<String>) -> Self {
        Self::Fault(Fault::new(Reason::ChangeRefused, why))
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
                    let _ = reply.send(owner.serve(&ask).await);
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

/// The owner of a machine.
pub(super) struct Owner {
    pub(super) shared: Arc<Shared>,
    pub(super) link: Link,
    /// When a reset was last seen or asked.
    last_reset: Option<Instant>,
    /// What QEMU said of its own end.
    hint: Option<&'static str>,
}

impl Owner {
    async fn serve(&mut self, ask: &Ask) -> Result<Answer, Fault> {
        if !matches!(ask, Ask::Quit) {
            self.shared.before_end(&ask.verb())?;
        }
        let answer = self.act(ask).await;
        while let Some(event) = self.link.waiting_event() {
            self.saw(&event).await;
        }
        let error = match answer {
            Ok(answer) => return Ok(answer),
            Err(Trouble::Fault(fault)) => return Err(fault),
            Err(Trouble::Talk(error)) => error,
        };
        // It may be refused because the guest has just ended.
        self.refresh().await;
        self.shared.before_end(&ask.verb())?;
        let message = format!("cannot {}: {error}", ask.verb());
        Err(match (&error, ask.reason()) {
            (_, Reason::VmmSilent) => Fault::new(Reason::VmmSilent, message).retry_after(1_000),
            (Talk::Refused { .. }, reason) | (_, reason @ (Reason::SnapshotFailed | Reason::MigrationFailed)) => {
                Fault::new(reason, message)
            }
            (_, _) => Fault::new(Reason::VmmSilent, message).retry_after(1_000),
        })
    }

    async fn act(&mut self, ask: &Ask) -> Result<Answer, Trouble> {
        match ask {
            Ask::Pause => self.turn("stop").await?,
            Ask::Resume => self.turn("cont").await?,
            Ask::PowerButton => {
                // A held guest does not see the button.
                if self.shared.is_held() {
                    self.turn("cont").await?;
                }
                self.call("system_powerdown", Value::Null).await?;
            }
            Ask::Reset => {
                self.last_reset = Some(Instant::now());
                self.call("system_reset", Value::Null).await?;
            }
            Ask::Nmi => {
                self.call("inject-nmi", Value::Null).await?;
            }
            Ask::Count => return Ok(Answer::Counted(self.count().await?)),
            Ask::Alter(alteration) => self.alter(alteration).await?,
            Ask::Limit => self.limit_all().await?,
            Ask::Keep(keep) => self.keep(keep).await?,
            Ask::Return(tag) => self.go_back(tag).await?,
            Ask::Forget(tag) => self.untag(tag).await?,
            Ask::Send(socket) => self.send(socket.as_fd()).await?,
            Ask::Receive(source) => self.receive(source.as_fd()).await?,
            Ask::Quit => {
                self.call("quit", Value::Null).await?;
            }
        }
        Ok(Answer::Done)
    }

    /// Sends a command and waits for its answer.
    pub(super) async fn call(&mut self, command: &'static str, arguments: Value) -> Result<Value, Talk> {
        self.link.call(command, arguments).await
    }

    /// Waits for an event that `pick` takes, at most this long; `None` where it does not come. Whatever
    /// else comes is heeded as always.
    pub(super) async fn until<T>(
        &mut self,
        limit: Duration,
        mut pick: impl FnMut(&Event) -> Option<T> + Send,
    ) -> Result<Option<T>, Talk> {
        let (processes, alive) = (self.shared.processes.clone(), self.shared.alive.clone());
        let deadline = Instant::now() + limit;
        loop {
            let heard = tokio::select! {
                heard = tokio::time::timeout_at(deadline, self.link.heard()) => heard,
                _ = processes.ended(&alive) => return Err(Talk::Closed),
            };
            match heard {
                Err(_) => return Ok(None),
                // What was waited for may have been missed.
                Ok(Heard::Status(status)) => {
                    self.shared.saw(&status);
                    return Ok(None);
                }
                Ok(Heard::Event(event)) => {
                    let picked = pick(&event);
                    self.saw(&event).await;
                    if picked.is_some() {
                        return Ok(picked);
                    }
                }
            }
        }
    }

    async fn turn(&mut self, command: &'static str) -> Result<(), Talk> {
        self.call(command, Value::Null).await?;
        let status = self.link.status().await?;
        self.shared.saw(&status);
        Ok(())
    }

    pub(super) async fn refresh(&mut self) {
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
            Event::Turned
            | Event::Unplugged(_)
            | Event::Clung(_)
            | Event::Moved(_)
            | Event::Resized(..)
            | Event::Concluded(_)
            | Event::Other => {}
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
